//! A running `laurel`, and what is said to it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use domain::{SourceName, Timestamp};
use order_webhook::Sources;
use serde_json::{Value, json};

const SOURCES: &str = include_str!("../../sources.toml");
/// What stands on the last line that it says at its start.
const LAST_LINE: &str = "/local/inbox'";

/// The program, not yet started.
pub(crate) fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_laurel"))
}

/// A running `laurel`.
pub(crate) struct Laurel {
    process: Child,
    /// Ends with the process.
    ended: Receiver<()>,
    pub(crate) address: String,
    /// What it said at its start.
    pub(crate) said: String,
}

impl Laurel {
    /// Starts it on free ports and waits until it has said what it serves.
    pub(crate) fn start(data: &Path) -> Self {
        Self::start_by(data, None)
    }

    /// As [`Laurel::start`], by a programme of its own.
    pub(crate) fn start_by(data: &Path, programme: Option<&Path>) -> Self {
        let programme = programme.into_iter().flat_map(|file| [Path::new("--programme"), file]);
        let mut process = program()
            .args(["--port", "0", "--dynamodb-port", "0", "--data"])
            .arg(data)
            .args(programme)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut said = String::new();
        for line in lines.by_ref() {
            said += &format!("{line}\n");
            if line.contains(LAST_LINE) {
                break;
            }
        }
        let (running, ended) = mpsc::channel();
        std::thread::spawn(move || {
            // What else it prints must not block it. Its standard output ends when it does.
            lines.for_each(drop);
            drop(running);
        });
        let address = said.lines().find_map(|line| Some(line.split_once("http://")?.1.to_owned()));
        Self { process, ended, address: address.expect("it says where it serves"), said }
    }

    pub(crate) fn get(&self, path: &str) -> Value {
        let answer = request(&self.address, "GET", path, &[], b"").unwrap();
        serde_json::from_slice(&answer.1).unwrap()
    }

    pub(crate) fn post(&self, path: &str, body: &str) -> Value {
        let answer = request(&self.address, "POST", path, &[], body.as_bytes()).unwrap();
        serde_json::from_slice(&answer.1).unwrap()
    }

    /// Runs another command of the program against it.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Another command of the program against it, not yet started.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program();
        command.args(arguments).args(["--local", "--dynamodb-port", &self.dynamodb_port().to_string()]);
        command
    }

    /// Where it serves DynamoDB's own API.
    pub(crate) fn dynamodb_port(&self) -> u16 {
        let dynamodb = self.said.lines().find(|line| line.starts_with("DynamoDB")).unwrap();
        dynamodb.split([':', ',']).find_map(|part| part.parse().ok()).unwrap()
    }

    /// The customer of the orders that are sent here.
    pub(crate) fn member(&self) -> Value {
        self.get("/members?source=generic-main&customer=c-1")
    }

    pub(crate) fn kill(&mut self) {
        // SIGKILL: nothing is flushed, nothing is said.
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Asks it to stop. Its exit code, when it stopped within this time.
    pub(crate) fn terminate(&mut self, within: Duration) -> Option<i32> {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        match self.ended.recv_timeout(within) {
            Err(mpsc::RecvTimeoutError::Disconnected) => self.process.wait().unwrap().code(),
            _ => None,
        }
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
    request_as(address, address, method, path, headers, body)
}

/// As [`request`], under a name.
pub(crate) fn request_as(
    host: &str,
    address: &str,
    method: &str,
    path: &str,
    headers: &[(&str, String)],
    body: &[u8],
) -> std::io::Result<(u16, Vec<u8>)> {
    let mut stream = TcpStream::connect(address)?;
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
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

/// Sends a signed order of the customer; the status of the answer, if there was one.
pub(crate) fn send_order(address: &str, id: &str, amount_minor: u64) -> Option<u16> {
    let placed_at = Timestamp::now().to_string();
    send(
        address,
        &json!({"type": "order.updated", "order": {
            "id": id, "placed_at": placed_at, "currency": "EUR", "goods": {"amount_minor": amount_minor},
            "status": "paid", "customer": {"id": "c-1"},
        }}),
    )
}

/// Sends a signed body; the status of the answer, if there was one.
pub(crate) fn send(address: &str, body: &Value) -> Option<u16> {
    let body = body.to_string();
    let source = SourceName::new("generic-main").unwrap();
    let sources = Sources::from_toml(SOURCES).unwrap();
    let signed = sources.sign(&source, "delivery", Timestamp::now(), body.as_bytes()).unwrap();
    request(address, "POST", "/webhooks/generic-main", &signed, body.as_bytes())
        .ok()
        .map(|(status, _)| status)
}
