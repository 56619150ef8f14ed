use domain::{Account, CustomerId};
use runtime::{Clock, Random};
use store::{Consistency, DirectoryKey};

use super::super::tests::{Bench, NOW, PROGRAMME};
use super::*;
use crate::import::{Exporter, NamedColumn, plan_members};

const HEADER: &str = "customer_id,email,name,locale,consent,joined_at,balance,reason,balance_at,shoe size\n";
/// 5,100 points are a coupon and 100.
const RICH: &str = "c-1,c-1@example.com,C,fr,no,2019-05-01,5100,from the old programme,,42\n";

impl Bench {
    async fn try_import(&self, file: &str, now: &str) -> Result<MembersReport, ImportError> {
        self.import_as(&Layout::default(), file, now).await
    }

    async fn import_as(&self, layout: &Layout, file: &str, now: &str) -> Result<MembersReport, ImportError> {
        let options = self.options(file);
        let clock = Clock::fixed(now.parse().unwrap());
        let engine = Engine::new(self.stack.store().clone(), clock, Random::system());
        let report = import_members(&engine, SourceName::new("shop").ok().as_ref(), layout, &options).await;
        self.stack.drain().await.unwrap();
        report
    }

    async fn import_members(&self, rows: &str) -> MembersReport {
        self.try_import(&format!("{HEADER}{rows}"), NOW).await.unwrap()
    }

    async fn profile(&self, key: &DirectoryKey) -> Option<domain::Profile> {
        let store = self.stack.store();
        let member = store.find_member(key, Consistency::Strong).await.unwrap()?;
        store.current_profile(&member, Consistency::Strong).await.unwrap()
    }

    async fn account_of(&self, customer: &str) -> Account {
        self.profile(&key(customer)).await.unwrap().account
    }
}

fn key(customer: &str) -> DirectoryKey {
    DirectoryKey::Customer(SourceName::new("shop").unwrap(), CustomerId::new(customer).unwrap())
}

fn email(address: &str) -> DirectoryKey {
    DirectoryKey::Email(address.to_owned())
}

#[tokio::test]
async fn a_member_is_there_with_names_contact_date_and_what_they_had_and_nobody_is_told() {
    let bench = Bench::new().await;
    let report = bench.import_members(&format!("{RICH},b@example.com,,,,,,,,\n")).await;
    assert_eq!((report.members, report.brought, report.known, report.rejected), (2, 2, 0, 0));

    let profile = bench.profile(&key("c-1")).await.unwrap();
    assert_eq!(bench.profile(&email("c-1@example.com")).await.as_ref(), Some(&profile));
    assert_eq!(profile.enrolled_at.to_string(), "2019-05-01T00:00:00Z");
    let Account { balance, lifetime_points, coupons_issued, .. } = profile.account;
    assert_eq!((balance.0, lifetime_points.0, coupons_issued), (100, 0, 1));
    assert_eq!(profile.bookkeeping.active_at, Some(NOW.parse().unwrap()), "it counts from today on");
    let contact = bench.stack.store().contact(&profile.member).await.unwrap().unwrap();
    assert_eq!((contact.name.as_deref(), contact.consent), (Some("C"), Some(false)));
    assert_eq!(bench.profile(&email("b@example.com")).await.unwrap().account, Account::default());
    assert_eq!(bench.told(), (0, 1), "integrators hear of the coupon");
}

#[tokio::test]
async fn a_file_that_is_imported_again_later_gives_nothing_twice_and_another_balance_is_refused() {
    let bench = Bench::new().await;
    bench.import_members(RICH).await;
    let account = bench.account_of("c-1").await;
    let again = bench.try_import(&format!("{HEADER}{RICH}"), "2026-04-01T12:00:00Z").await.unwrap();
    assert_eq!((again.brought, again.known), (0, 1));
    assert_eq!(bench.account_of("c-1").await, account);
    for other in
        [RICH.replace("5100", "5200"), RICH.replace("old", "other"), RICH.replace(",,42", ",2026-01-01,42")]
    {
        let report = bench.import_members(&other).await;
        assert_eq!((report.known, report.rejected), (0, 1));
        assert!(bench.rejected().contains("has another opening balance already"), "{}", bench.rejected());
    }
    assert_eq!(bench.account_of("c-1").await, account);
}

#[tokio::test]
async fn an_import_that_was_broken_off_goes_on_and_dates_all_balances_alike() {
    let bench = Bench::new().await;
    let rows = "c-1,,,,,,100,before,,\nc-2,,,,,,200,before,,\n";
    let file = format!("{HEADER}{rows}");
    // Given that the first row was sent, and then the machine stopped.
    let identity = Identity {
        file: Digest::of(file.as_bytes()),
        source: SourceName::new("shop").ok(),
        orders: bench.stack.store().tables().orders.clone(),
    };
    let state = bench.folder.path().join("state.json");
    let mut progress = Progress::open(&state, identity, true).unwrap();
    (progress.next, progress.sent, progress.began_at) = (1, 1, Some("2026-02-01T00:00:00Z".parse().unwrap()));
    progress.save(&state).unwrap();

    let report = bench.try_import(&file, NOW).await.unwrap();

    assert_eq!((report.members, report.brought), (2, 2));
    assert!(bench.profile(&key("c-1")).await.is_none(), "what was sent is not sent again");
    let profile = bench.profile(&key("c-2")).await.unwrap();
    assert_eq!(profile.bookkeeping.active_at, Some("2026-02-01T00:00:00Z".parse().unwrap()));
    assert!(!state.exists());
}

#[tokio::test]
async fn a_balance_of_long_ago_counts_for_expiry_from_then() {
    let bench = Bench::new().await;
    bench
        .import_members(
            "c-1,,,,,2020-01-01,100,before,2025-06-01,\nc-2,,,,,2020-01-01,100,before,2024-06-01,\n",
        )
        .await;
    let profile = bench.profile(&key("c-1")).await.unwrap();
    assert_eq!(profile.account.balance.0, 100);
    assert_eq!(profile.bookkeeping.active_at, Some("2025-06-01T00:00:00Z".parse().unwrap()));
    assert_eq!(bench.account_of("c-2").await.balance.0, 0, "it ran out a year later");
}

#[tokio::test]
async fn more_coupons_than_one_step_holds_are_all_issued_and_nobody_is_told() {
    let bench = Bench::new().await;
    let report = bench.import_members("c-1,,,,,,350000,before,,\n").await;
    assert_eq!(report.brought, 1);
    let account = bench.account_of("c-1").await;
    assert_eq!((account.balance.0, account.coupons_issued), (0, 70));
    assert_eq!(bench.told(), (0, 70), "integrators hear of each coupon");
}

#[tokio::test]
async fn rows_that_cannot_be_brought_are_named_with_their_reasons_and_the_others_are() {
    let bench = Bench::new().await;
    bench.import_members("a,,,,,,,,,\n,b@example.com,,,,,,,,\n").await;
    let report = bench
        .import_members(
            ",,,,,,,,,\nc-1,nobody,,,,,,,,\nc-1,,,../etc,,,,,,\nc-1,,,,perhaps,,,,,\nc-1,,,,,2026-03-02,,,,\n\
             c-1,,,,,yesterday,,,,\nc-1,,,,,,-5,old,,\nc-1,,,,,,5,,,\nc-1,,,,,,5,old,2027-01-01,\nc-1,,,,\n\
             a,b@example.com,,,,,,,,\nc-1,,,,,,,,,\nc-1,c@example.com,,,,,,,,\n,,,,,,999999999999,x,,\n\
             c-9,,,,,,999999999999,slip,,\n",
        )
        .await;
    assert_eq!((report.brought, report.rejected), (1, 14));
    let rejected = bench.rejected();
    for reason in [
        "2,it has neither customer_id nor email nor phone",
        "3,email is not an e-mail address",
        "4,\"locale \"\"../etc\"\" is not a language tag such as fr or pt-BR\"",
        "5,\"consent \"\"perhaps\"\" is neither yes nor no\"",
        "6,joined_at 2026-03-02T00:00:00Z lies in the future",
        "7,\"joined_at \"\"yesterday\"\" is neither a date",
        "8,\"balance \"\"-5\"\" is not a whole number of points, 0 or more\"",
        "9,\"a balance needs a reason: a column of the file, or --reason\"",
        "10,balance_at 2027-01-01T00:00:00Z lies in the future",
        "11,\"it has 5 fields, but the first line has 10\"",
        "12,\"its names lead to two members",
        "14,its customer_id stands in line 13 already; the first one stays",
        "15,it has neither customer_id nor email nor phone",
        "16,\"999999999999 points would buy more than",
    ] {
        assert!(rejected.lines().any(|line| line.starts_with(reason)), "{reason}\n{rejected}");
    }
    assert!(bench.profile(&key("c-1")).await.is_some());
    // What cannot be given makes nobody a member either.
    assert!(bench.profile(&key("c-9")).await.is_none());
}

#[tokio::test]
async fn a_file_without_anybody_or_a_customer_of_no_source_is_refused() {
    let bench = Bench::new().await;
    let error = bench.try_import("name,balance\nC,5\n", NOW).await.unwrap_err();
    assert!(
        error.to_string().ends_with(
            "its first line has no column customer_id, email or phone; it has \"name\", \"balance\""
        ),
        "{error}"
    );
    let roll =
        Roll::read(&b"customer_id\nc-1\n"[..], None, &Layout::default(), NOW.parse().unwrap()).unwrap();
    assert_eq!(roll.rejected[0].reason, "customer_id is one of a source: name it with --source");
}

#[tokio::test]
async fn a_balance_that_came_with_a_merged_member_is_not_given_again() {
    let bench = Bench::new().await;
    let rows = "c-1,,,,,,100,before,,\nc-2,,,,,,200,before,,\n";
    bench.import_members(rows).await;
    let engine =
        Engine::new(bench.stack.store().clone(), bench.stack.clock().for_functions(), Random::system());
    let (into, from) = (bench.profile(&key("c-1")).await.unwrap(), bench.profile(&key("c-2")).await.unwrap());
    engine.merge(&from.member, &into.member, Budget::until(0)).await.unwrap();
    let report = bench.import_members(rows).await;
    // The second row's balance stands in the first one's journal now, and each of them is known by its own name.
    assert_eq!((report.brought, report.known, report.rejected), (0, 2, 0));
    assert_eq!(bench.account_of("c-2").await.balance.0, 300);
}

#[tokio::test]
async fn a_member_of_an_older_programme_who_ordered_before_is_given_what_waited() {
    let bench =
        Bench::with(&PROGRAMME.replace("enrolment = \"automatic\"", "enrolment = \"explicit\"")).await;
    let source = SourceName::new("shop").unwrap();
    let placed_at = "2026-02-20T12:00:00Z".parse().unwrap();
    let order = domain::Order {
        key: domain::OrderKey::of_order(&source, "1").unwrap(),
        placed_at,
        customer: Some(domain::Customer {
            source,
            id: Some(CustomerId::new("c-1").unwrap()),
            card: None,
            contact: domain::Contact::default(),
        }),
        snapshot: domain::Snapshot {
            updated_at: placed_at,
            currency: domain::Currency::new("EUR").unwrap(),
            goods: domain::Goods::untaxed(1_000),
            payment: domain::Payment::Paid,
            cancelled: false,
            test: false,
            coupons: Default::default(),
        },
        refunds: Default::default(),
    };
    bench.stack.store().record_order(&order).await.unwrap();
    bench.stack.drain().await.unwrap();
    assert!(bench.profile(&key("c-1")).await.is_none());
    bench.import_members("c-1,,,,,,50,before,,\n").await;
    let account = bench.account_of("c-1").await;
    assert_eq!((account.balance.0, account.lifetime_points.0), (150, 100));
}

#[tokio::test]
async fn another_programmes_export_is_read_by_its_columns() {
    for (from, file, reason) in [
        (Exporter::Smile, "Email,Points\na@example.com,5\n", "balance at Smile.io"),
        (
            Exporter::Smile,
            "first_name;last_name;email;points_balance\nA;B;a@example.com;5\n",
            "balance at Smile.io",
        ),
        (
            Exporter::Yotpo,
            "First Name\tLast Name\tEmail\tPoints Balance\nA\tB\ta@example.com\t5\n",
            "balance at Yotpo",
        ),
        (Exporter::Yith, "email;points\na@example.com;5\n", "balance of YITH Points and Rewards"),
        (Exporter::Wployalty, "user_email,points\na@example.com,5\n", "balance of WPLoyalty"),
    ] {
        let layout = Layout { from, ..Layout::default() };
        let source = SourceName::new("shop").unwrap();
        let roll = Roll::read(file.as_bytes(), Some(&source), &layout, NOW.parse().unwrap()).unwrap();
        assert!(roll.rejected.is_empty(), "{from:?}: {:?}", roll.rejected);
        let newcomer = &roll.rows[0].newcomer;
        assert_eq!(newcomer.who.keys, [email("a@example.com")], "{from:?}");
        let opening = newcomer.opening.as_ref().unwrap();
        assert_eq!((opening.points.0, opening.reason.as_str()), (5, reason), "{from:?}");
        let name = file.to_lowercase().contains("first").then_some("A B");
        assert_eq!(newcomer.who.contact.name.as_deref(), name, "{from:?}");
    }
    let layout = Layout { from: Exporter::Yith, ..Layout::default() };
    let source = SourceName::new("shop").unwrap();
    let roll = Roll::read(&b"id,points\nc-1,5\n"[..], Some(&source), &layout, NOW.parse().unwrap()).unwrap();
    assert_eq!(roll.rows[0].newcomer.who.keys, [key("c-1")]);
}

#[tokio::test]
async fn columns_may_be_named_and_numbers_are_read_as_the_file_writes_them() {
    let bench = Bench::new().await;
    let columns = ["email=Customer e-mail", "balance=Points approved"].map(|named| named.parse().unwrap());
    let layout = Layout { columns: columns.into(), reason: Some("old".to_owned()), ..Layout::default() };
    let file = "Customer E-Mail;Points Approved\na@example.com;1 200,00\nb@example.com;1,200\n";
    let report = bench.import_as(&layout, file, NOW).await.unwrap();
    assert_eq!((report.brought, report.rejected), (1, 1));
    assert_eq!(bench.profile(&email("a@example.com")).await.unwrap().account.balance.0, 1200);
    assert!(bench.rejected().contains("may be thousands or a fraction"), "{}", bench.rejected());

    // What was rejected is mended by saying how the file writes numbers, and fed again as it is.
    let layout = Layout { decimal: Some(crate::table::Decimal::Point), ..layout };
    let report = bench.import_as(&layout, &bench.rejected(), NOW).await.unwrap();
    assert_eq!((report.brought, report.rejected), (1, 0));
    assert_eq!(bench.profile(&email("b@example.com")).await.unwrap().account.balance.0, 1200);
    assert_eq!(bench.rejected(), "");

    let missing = Layout { columns: vec!["balance=Points".parse().unwrap()], ..Layout::default() };
    let error = bench.import_as(&missing, "email\na@example.com\n", NOW).await.unwrap_err().to_string();
    assert!(error.ends_with("its first line has no column points; it has \"email\""), "{error}");
    assert!("shoe=size".parse::<NamedColumn>().is_err());
}

#[tokio::test]
async fn a_dry_run_of_members_tells_what_it_would_bring_and_writes_nothing() {
    let bench = Bench::new().await;
    let options = bench.options(&format!("{HEADER}{RICH}c-2,nobody,,,,,,,,\n"));
    let store = bench.stack.store();
    let source = SourceName::new("shop").ok();
    let plan =
        plan_members(store, source.as_ref(), &Layout::default(), &options.file, NOW.parse().unwrap()).await;
    let plan = plan.unwrap();
    assert_eq!(plan.rejected(), 1);
    let told = plan.to_string();
    for line in ["would bring     1", "points in all   5100", "  line 3: email is not an e-mail address"] {
        assert!(told.contains(line), "{line}\n{told}");
    }
    assert!(bench.profile(&key("c-1")).await.is_none());
    assert!(!options.rejected.exists() && !options.state.exists());
}
