//! The program itself, as a newcomer starts it and as a power cut ends it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};

use domain::{SourceName, Timestamp};
use order_webhook::Sources;
use serde_json::{Value, json};

const SOURCES: &str = include_str!("../sources.toml");
const SENDERS: usize = 4;
const ORDERS_PER_SENDER: usize = 100;
/// Acknowledged orders after which the process is killed, while others are under way.
const KILL_AFTER: usize = 60;
/// An order of 1.00 earns 10 points in the programme that comes with Laurel.
const POINTS_PER_ORDER: usize = 10;

/// A running `laurel`.
struct Laurel {
    process: Child,
    address: String,
}

impl Laurel {
    /// Starts it on free ports and waits for the line that says where it serves.
    fn start(data: &Path) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_laurel"))
            .args(["--port", "0", "--dynamodb-port", "0", "--data"])
            .arg(data)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let said =
            lines.find_map(|line| line.unwrap().split_once("http://").map(|(_, rest)| rest.to_owned()));
        // What else it prints must not block it.
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, address: said.expect("it says where it serves") }
    }

    fn get(&self, path: &str) -> Value {
        let answer = request(&self.address, "GET", path, &[], b"").unwrap();
        serde_json::from_slice(&answer.1).unwrap()
    }

    fn kill(&mut self) {
        // SIGKILL: nothing is flushed, nothing is said.
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Laurel {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// One request over a connection of its own: the status and the body.
fn request(
    address: &str,
    method: &str,
    path: &str,
    headers: &[(&str, String)],
    body: &[u8],
) -> std::io::Result<(u16, Vec<u8>)> {
    let mut stream = TcpStream::connect(address)?;
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n");
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    head += &format!("content-length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let end = answer
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .ok_or(std::io::ErrorKind::UnexpectedEof)?;
    let status = String::from_utf8_lossy(&answer[..end]).split(' ').nth(1).and_then(|code| code.parse().ok());
    Ok((status.ok_or(std::io::ErrorKind::InvalidData)?, answer[end + 4..].to_vec()))
}

/// Sends a signed order of 1.00; the status of the answer, if there was one.
fn send_order(sources: &Sources, address: &str, id: &str) -> Option<u16> {
    let now = Timestamp::now();
    let body = json!({"type": "order.updated", "order": {
        "id": id, "placed_at": now.to_string(), "currency": "EUR", "goods": {"amount_minor": 100},
        "status": "paid", "customer": {"id": "c-1"},
    }})
    .to_string();
    let source = SourceName::new("generic-main").unwrap();
    let signed = sources.sign(&source, id, now, body.as_bytes()).unwrap();
    request(address, "POST", "/webhooks/generic-main", &signed, body.as_bytes())
        .ok()
        .map(|(status, _)| status)
}

#[test]
fn nothing_acknowledged_is_missing_after_a_kill_in_the_middle() {
    let folder = tempfile::tempdir().unwrap();
    let sources = Sources::from_toml(SOURCES).unwrap();
    let mut laurel = Laurel::start(folder.path());
    let acknowledged = AtomicUsize::new(0);
    let all_wait = Barrier::new(SENDERS);
    let address = laurel.address.clone();
    // Given senders that post orders side by side, and a kill while they do.
    std::thread::scope(|scope| {
        for sender in 0..SENDERS {
            let (sources, address, acknowledged, all_wait) = (&sources, &address, &acknowledged, &all_wait);
            scope.spawn(move || {
                all_wait.wait();
                for number in 0..ORDERS_PER_SENDER {
                    match send_order(sources, address, &format!("{sender}-{number}")) {
                        Some(202) => acknowledged.fetch_add(1, Ordering::SeqCst),
                        Some(status) => panic!("answered with {status}"),
                        None => return,
                    };
                }
            });
        }
        while acknowledged.load(Ordering::SeqCst) < KILL_AFTER {
            std::thread::yield_now();
        }
        laurel.kill();
    });
    let acknowledged = acknowledged.into_inner();
    assert!(acknowledged < SENDERS * ORDERS_PER_SENDER, "the kill came too late to say anything");
    // When it is started again over the same data.
    let laurel = Laurel::start(folder.path());
    laurel.get("/local/idle");
    // Then every acknowledged order has earned, once.
    let member = laurel.get("/members?source=generic-main&customer=c-1");
    let counted = member["lifetime_points"].as_u64().unwrap() as usize / POINTS_PER_ORDER;
    assert!(counted >= acknowledged, "{acknowledged} were acknowledged, {counted} counted");
    assert!(counted <= acknowledged + SENDERS, "{counted} counted of {acknowledged} acknowledged");
}

#[test]
fn a_wrong_programme_is_named_before_anything_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let programme = folder.path().join("programme.toml");
    std::fs::write(&programme, include_str!("../../programme.toml").replace("points = 5000", "points = -1"))
        .unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_laurel"))
        .args(["--port", "0", "--dynamodb-port", "0", "--data"])
        .arg(folder.path().join("data"))
        .arg("--programme")
        .arg(&programme)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("rewards[0].points: must be at least 1"), "{said}");
}
