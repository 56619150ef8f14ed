//! A stand-in for a platform's API, on a port of its own: it answers as a test tells it, and remembers who asked.

use std::collections::{HashMap, VecDeque};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::Value;

/// What a path is answered; the last reply stays.
#[derive(Clone)]
pub(crate) enum Reply {
    /// A status with a body.
    Status(u16, String),
    /// A status with a header and a body.
    With(u16, (&'static str, String), String),
    /// Nothing, while the connection stays open.
    Silence,
    /// A body of so many bytes.
    Bytes(usize),
    /// The connection is closed at once.
    HungUp,
}

pub(crate) fn json(document: &Value) -> Reply {
    Reply::Status(200, document.to_string())
}

/// A request as it came, header names in lower case.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: String,
}

#[derive(Clone)]
pub(crate) struct StandIn {
    pub(crate) base: String,
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    replies: HashMap<String, VecDeque<Reply>>,
    asked: Vec<Asked>,
    silent: Vec<TcpStream>,
}

impl StandIn {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let stand_in = Self { base, inner: Arc::default() };
        let serving = stand_in.clone();
        std::thread::spawn(move || listener.incoming().flatten().for_each(|stream| serving.serve(stream)));
        stand_in
    }

    /// From now on the path is answered so, one reply after the other.
    pub(crate) fn on(&self, path: &str, replies: impl IntoIterator<Item = Reply>) {
        self.inner.lock().unwrap().replies.insert(path.to_owned(), replies.into_iter().collect());
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.inner.lock().unwrap().asked.clone()
    }

    pub(crate) fn paths(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.path).collect()
    }

    fn serve(&self, mut stream: TcpStream) {
        let Some(asked) = request(&stream) else { return };
        let mut inner = self.inner.lock().unwrap();
        let reply = match inner.replies.get_mut(&asked.path) {
            Some(replies) if replies.len() > 1 => replies.pop_front(),
            Some(replies) => replies.front().cloned(),
            None => None,
        };
        inner.asked.push(asked);
        let ordinary = ("location", "/elsewhere".to_owned());
        let (status, (name, value), body) = match reply.unwrap_or(Reply::Status(404, "[]".to_owned())) {
            Reply::Status(status, body) => (status, ordinary, body),
            Reply::With(status, header, body) => (status, header, body),
            Reply::Bytes(bytes) => (200, ordinary, " ".repeat(bytes)),
            Reply::Silence => return inner.silent.push(stream),
            Reply::HungUp => return,
        };
        drop(inner);
        let head = format!(
            "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n{name}: {value}\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        );
        // Whoever asked may have had enough.
        let _ = stream.write_all(format!("{head}{body}").as_bytes());
    }
}

fn request(stream: &TcpStream) -> Option<Asked> {
    let mut reader = BufReader::new(stream);
    let mut lines = reader.by_ref().lines();
    let first = lines.next()?.ok()?;
    let path = first.strip_prefix("GET ").or(first.strip_prefix("POST "))?.split(' ').next()?.to_owned();
    let lines = lines.map_while(Result::ok).take_while(|line| !line.is_empty());
    let headers: HashMap<_, _> = lines
        .filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_lowercase(), value.trim().to_owned()))
        })
        .collect();
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = String::new();
    reader.take(length).read_to_string(&mut body).ok()?;
    Some(Asked { path, headers, body })
}
