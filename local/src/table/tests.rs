use super::*;

fn rows(file: &[u8]) -> Vec<(u64, Vec<String>)> {
    let mut table = Table::open(file).unwrap();
    let mut rows = vec![(0, cells(table.header()))];
    while let Some((line, row)) = table.next_row().unwrap() {
        rows.push((line, cells(&row)));
    }
    rows
}

fn cells(record: &ByteRecord) -> Vec<String> {
    record.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect()
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn error(file: &str) -> String {
    let mut table = match Table::open(file.as_bytes()) {
        Ok(table) => table,
        Err(error) => return error.to_string(),
    };
    loop {
        match table.next_row() {
            Ok(Some(_)) => {}
            Ok(None) => return "none".to_owned(),
            Err(error) => return error.to_string(),
        }
    }
}

#[test]
fn commas_semicolons_and_tabs_in_utf_8_and_utf_16_are_one_table() {
    const TABLE: &str = "email;name;points\na@example.com;Zoë;1\n\nb@example.com;\"x;\ny\";2";
    let read = rows(TABLE.as_bytes());
    assert_eq!(read[1], (2, vec!["a@example.com".to_owned(), "Zoë".to_owned(), "1".to_owned()]));
    assert_eq!((read[2].0, read[2].1[1].as_str()), (4, "x;\ny"));
    for separator in [",", "\t"] {
        let other = rows(TABLE.replace(';', separator).as_bytes());
        assert_eq!(other[1], read[1]);
        assert_eq!(other[2].1[1], format!("x{separator}\ny"));
    }
    assert_eq!(rows(&[b"\xff\xfe".to_vec(), utf16(TABLE)].concat()), read);
    assert_eq!(rows(format!("\u{feff}{TABLE}").as_bytes()), read);
}

#[test]
fn a_separator_within_quotes_is_none_and_one_may_be_named_on_a_line_of_its_own() {
    assert_eq!(rows(b"\"a;b;c;d\",e\n1,2\n")[1].1, ["1", "2"]);
    let named = rows(b"sep=;\r\na;b\r\n1;2\r\n");
    assert_eq!(
        (named[0].1.clone(), named[1].clone()),
        (vec!["a".to_owned(), "b".to_owned()], (3, vec!["1".to_owned(), "2".to_owned()]))
    );
    assert_eq!(rows(b"sep=\t\na\tb\n1\t2\n")[1].1, ["1", "2"]);
}

#[test]
fn a_quote_that_nothing_closes_is_named_by_its_line() {
    let error_on = |line: u64| format!("line {line}: a field begins with a quote that nothing closes");
    assert!(error("a,b\n1,2\n3,\"4\n5,6\n7,8\n").starts_with(&error_on(3)));
    assert!(error("a,b\r\n\"x\ny\",2\r\n\"3,4").starts_with(&error_on(4)));
    assert!(error("sep=,\na,\"b\n").starts_with(&error_on(2)));
    assert_eq!(error("a,b\n1,\"say \"\"hi\"\"\"\n5 \",6\"\n\"\",\n"), "none");
}

#[test]
fn columns_are_compared_without_their_case_and_spaces() {
    for name in ["Customer ID", " CUSTOMER-ID ", "customer_id", "Customer\u{a0}Id"] {
        assert_eq!(column_name(name.as_bytes()), "customer_id");
    }
}

#[test]
fn rejected_rows_are_kept_whole_and_the_file_of_them_is_a_table_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let table = "E-Mail;Name;shoe size\na@example.com;A;\nb;\"B; called\nBee\";42\nc;C\nd@example.com;D;1\n";
    std::fs::write(path("table.csv"), table).unwrap();
    write_rejected(&path("rejected.csv"), &path("table.csv"), [(3, "no \"address\""), (5, "too short")])
        .unwrap();
    let rejected = std::fs::read_to_string(path("rejected.csv")).unwrap();
    assert_eq!(
        rejected,
        "rejected_line;rejected_because;E-Mail;Name;shoe size\n3;\"no \"\"address\"\"\";b;\"B; called\nBee\";42\n5;too short;c;C\n"
    );
    let again = rows(rejected.as_bytes());
    assert_eq!(again[0].1, ["E-Mail", "Name", "shoe size"]);
    assert_eq!(again[1].1, ["b", "B; called\nBee", "42"]);
    assert_eq!(again[2].1, ["c", "C"]);
}
