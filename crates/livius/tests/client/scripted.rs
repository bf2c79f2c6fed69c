//! A scripted server, and commands that use it.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::common;

pub const PATIENCE: Duration = Duration::from_secs(30);

/// A recorded request.
#[derive(Debug, Clone)]
pub struct Request {
    /// Method and path.
    pub line: String,
    pub headers: String,
    pub body: Value,
}

pub type Answer = (u16, String);

/// A server that responds from a script. Each request line has its responses; the last one repeats.
pub struct Scripted {
    pub url: String,
    pub seen: Arc<Mutex<Vec<Request>>>,
}

impl Scripted {
    pub fn start(script: &[(&str, &[Answer])]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let requests = Arc::clone(&seen);
        let script: Script = script
            .iter()
            .map(|(line, answers)| ((*line).to_owned(), answers.iter().cloned().collect()))
            .collect();
        let script = Arc::new(Mutex::new(script));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (script, requests) = (Arc::clone(&script), Arc::clone(&requests));
                // A client may connect before it has a request, and send another one meanwhile.
                std::thread::spawn(move || serve(stream.unwrap(), &script, &requests));
            }
        });
        Self { url, seen }
    }

    /// The request lines so far.
    pub fn lines(&self) -> Vec<String> {
        let seen = self.seen.lock().unwrap();
        seen.iter().map(|request| request.line.clone()).collect()
    }

    /// The first request with this line.
    pub fn request(&self, line: &str) -> Request {
        let seen = self.seen.lock().unwrap();
        let found = seen.iter().find(|request| request.line == line);
        found
            .unwrap_or_else(|| panic!("{line} is not in {seen:?}"))
            .clone()
    }

    pub fn await_request(&self, line: &str) {
        let begun = Instant::now();
        while !self.lines().iter().any(|seen| seen == line) {
            assert!(begun.elapsed() < PATIENCE, "no {line}: {:?}", self.lines());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        ended(livius(arguments).env("LIVIUS_URL", &self.url).output())
    }

    /// Runs a command with this input.
    pub fn pipe(&self, arguments: &[&str], input: &str) -> Ended {
        let mut child = self.spawn(livius(arguments).stdin(Stdio::piped()));
        child
            .stdin
            .take()
            .unwrap()
            .write_all(input.as_bytes())
            .unwrap();
        ended(child.wait_with_output())
    }

    pub fn spawn(&self, command: &mut Command) -> Child {
        command
            .env("LIVIUS_URL", &self.url)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }
}

/// The responses to each request line.
type Script = Vec<(String, VecDeque<Answer>)>;

fn serve(mut stream: TcpStream, script: &Mutex<Script>, requests: &Mutex<Vec<Request>>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).unwrap_or(0) == 0 {
            return;
        }
    }
    let length = head
        .to_lowercase()
        .lines()
        .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    if reader.read_exact(&mut body).is_err() {
        return;
    }
    let (line, headers) = head.split_once("\r\n").unwrap();
    // Like Livy, this server ignores the request to wait.
    let line = line.trim_end_matches(" HTTP/1.1");
    let line = line.trim_end_matches("?wait=1s").to_owned();
    // Each request has a key of its own.
    let line = match line.split_once("/api/v1/keys/") {
        Some((method, _)) => format!("{method}/api/v1/keys/KEY"),
        None => line,
    };
    let mut script = script.lock().unwrap();
    requests.lock().unwrap().push(Request {
        line: line.clone(),
        headers: headers.to_owned(),
        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
    });
    let answers = script.iter_mut().find(|(wanted, _)| *wanted == line);
    let (status, text) = match answers {
        Some((_, answers)) if answers.len() > 1 => answers.pop_front().unwrap(),
        Some((_, answers)) => answers[0].clone(),
        None => (
            404,
            json!({"msg": format!("no script for {line}")}).to_string(),
        ),
    };
    if status == 0 {
        return;
    }
    let answer = format!(
        "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}",
        text.len()
    );
    let _ = stream.write_all(answer.as_bytes());
}

/// No answer: the connection breaks.
pub fn lost() -> Answer {
    (0, String::new())
}

pub fn ok(value: &Value) -> Answer {
    (200, value.to_string())
}

pub fn session(state: &str) -> Answer {
    ok(&json!({"id": 5, "name": null, "state": state, "kind": "pyspark"}))
}

pub fn batch(state: &str) -> Answer {
    ok(&json!({"id": 3, "name": null, "state": state}))
}

pub fn statement(id: i64, state: &str, output: &Value) -> Answer {
    ok(&json!({"id": id, "state": state, "output": output, "progress": 0.5}))
}

pub fn text(text: &str) -> Value {
    json!({"status": "ok", "data": {"text/plain": text}})
}

pub fn log(from: i64, lines: &[&str], total: usize) -> Answer {
    ok(&json!({"id": 3, "from": from, "total": total, "log": lines}))
}

/// The result of a command.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

pub fn ended(output: std::io::Result<Output>) -> Ended {
    let output = output.unwrap();
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A command without a home directory and without input.
pub fn livius(arguments: &[&str]) -> Command {
    let mut command = common::livius("/nonexistent".as_ref(), arguments);
    command.stdin(Stdio::null());
    command
}
