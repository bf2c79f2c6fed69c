//! A Livy client.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};

/// The timeout of a session's start.
const START_LIMIT: Duration = Duration::from_mins(5);

/// The timeout of a request.
const LIMIT: Duration = Duration::from_mins(2);

/// The polling interval while a session starts.
const START_POLL: Duration = Duration::from_millis(5);

/// How a client learns that a statement has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// It asks at this interval.
    Poll(Duration),
    /// It sends `?wait=`, which Livy ignores. Then it asks each millisecond.
    Wait,
}

impl Way {
    fn query(self) -> &'static str {
        match self {
            Self::Poll(_) => "",
            Self::Wait => "?wait=30s",
        }
    }

    fn pause(self) -> Duration {
        match self {
            Self::Poll(interval) => interval,
            Self::Wait => Duration::from_millis(1),
        }
    }
}

/// A client of one server.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    url: String,
}

impl Client {
    pub fn new(url: &str) -> Result<Self> {
        let http = reqwest::Client::builder().timeout(LIMIT).build()?;
        Ok(Self {
            http,
            url: url.to_owned(),
        })
    }

    /// Creates a session, and returns its id.
    pub async fn create(&self, kind: &str) -> Result<i64> {
        let session = self.post("/sessions", &json!({"kind": kind})).await?;
        session["id"]
            .as_i64()
            .with_context(|| format!("no id in {session}"))
    }

    /// Waits until a session is idle.
    pub async fn await_idle(&self, id: i64) -> Result<()> {
        let begun = Instant::now();
        loop {
            let answer = self.get(&format!("/sessions/{id}/state")).await?;
            match answer["state"].as_str() {
                Some("idle") => return Ok(()),
                Some("starting" | "not_started" | "busy") => {}
                _ => bail!("session {id} does not start: {answer}"),
            }
            ensure!(
                begun.elapsed() < START_LIMIT,
                "session {id} is not idle after {START_LIMIT:?}"
            );
            tokio::time::sleep(START_POLL).await;
        }
    }

    /// Runs code, and returns the time from the POST until the client saw the result.
    pub async fn run(&self, id: i64, code: &str, way: Way) -> Result<Duration> {
        let begun = Instant::now();
        let query = way.query();
        let path = format!("/sessions/{id}/statements");
        let body = json!({"code": code});
        let mut statement = self.post(&format!("{path}{query}"), &body).await?;
        let path = format!("{path}/{}{query}", statement["id"]);
        while statement["state"] != "available" {
            ensure!(statement["state"] != "error", "{statement}");
            tokio::time::sleep(way.pause()).await;
            statement = self.get(&path).await?;
        }
        ensure!(statement["output"]["status"] == "ok", "{statement}");
        Ok(begun.elapsed())
    }

    /// Runs code, and returns the number of bytes of the response that has the result.
    pub async fn download(&self, id: i64, code: &str) -> Result<u64> {
        let path = format!("/sessions/{id}/statements");
        let statement = self.post(&path, &json!({"code": code})).await?;
        let path = format!("{path}/{}", statement["id"]);
        loop {
            let mut response = self.answer(&path).await?;
            let mut bytes = 0;
            let mut head = Vec::new();
            while let Some(chunk) = response.chunk().await? {
                bytes += chunk.len() as u64;
                if head.len() < 1024 {
                    head.extend_from_slice(&chunk[..chunk.len().min(1024)]);
                }
            }
            let head = String::from_utf8_lossy(&head);
            if head.contains("\"status\":\"ok\"") {
                return Ok(bytes);
            }
            if let Some((_, error)) = head.split_once("\"status\":\"error\"") {
                bail!("the statement failed: {error}");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub async fn get(&self, path: &str) -> Result<Value> {
        Ok(self.answer(path).await?.json().await?)
    }

    /// Reads a response without understanding it.
    pub async fn read(&self, path: &str) -> Result<()> {
        self.answer(path).await?.bytes().await?;
        Ok(())
    }

    pub async fn delete(&self, id: i64) -> Result<()> {
        let url = format!("{}/sessions/{id}", self.url);
        self.http.delete(url).send().await?.error_for_status()?;
        Ok(())
    }

    pub async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let request = self.http.post(format!("{}{path}", self.url)).json(body);
        Ok(request.send().await?.error_for_status()?.json().await?)
    }

    pub async fn answer(&self, path: &str) -> Result<reqwest::Response> {
        let request = self.http.get(format!("{}{path}", self.url));
        Ok(request.send().await?.error_for_status()?)
    }
}
