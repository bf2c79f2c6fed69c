//! A Livy client that polls, as Livy's clients do.

use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use serde_json::{Value, json};

/// The timeout of a session's start.
const START_LIMIT: Duration = Duration::from_mins(5);

/// A client of one server.
pub struct Client {
    http: reqwest::Client,
    url: String,
    poll: Duration,
}

impl Client {
    pub fn new(url: &str, poll_ms: u64) -> Result<Self> {
        let http = reqwest::Client::builder()
            .timeout(Duration::from_mins(1))
            .build()?;
        Ok(Self {
            http,
            url: url.trim_end_matches('/').to_owned(),
            poll: Duration::from_millis(poll_ms),
        })
    }

    /// Creates a session, and returns its id and the duration of the POST.
    pub async fn create(&self, kind: &str) -> Result<(i64, Duration)> {
        let begun = Instant::now();
        let session = self.post("/sessions", &json!({"kind": kind})).await?;
        let Some(id) = session["id"].as_i64() else {
            bail!("no id in {session}")
        };
        Ok((id, begun.elapsed()))
    }

    /// Waits until a session is idle.
    pub async fn await_idle(&self, id: i64) -> Result<()> {
        let begun = Instant::now();
        loop {
            let state = self.get(&format!("/sessions/{id}/state")).await?["state"].to_string();
            match state.trim_matches('"') {
                "idle" => return Ok(()),
                "starting" | "busy" => {}
                other => bail!("session {id} is {other}"),
            }
            ensure!(
                begun.elapsed() < START_LIMIT,
                "session {id} is not idle after {START_LIMIT:?}"
            );
            tokio::time::sleep(self.poll).await;
        }
    }

    /// Runs code, and returns the time from the POST until the client saw the result.
    pub async fn run(&self, id: i64, code: &str) -> Result<Duration> {
        let begun = Instant::now();
        let mut statement = self
            .post(
                &format!("/sessions/{id}/statements"),
                &json!({"code": code}),
            )
            .await?;
        let path = format!("/sessions/{id}/statements/{}", statement["id"]);
        while statement["state"] != "available" {
            tokio::time::sleep(self.poll).await;
            statement = self.get(&path).await?;
        }
        ensure!(statement["output"]["status"] == "ok", "{statement}");
        Ok(begun.elapsed())
    }

    pub async fn get(&self, path: &str) -> Result<Value> {
        Ok(self
            .http
            .get(format!("{}{path}", self.url))
            .send()
            .await?
            .error_for_status()?
            .json()
            .await?)
    }

    pub async fn delete(&self, id: i64) -> Result<()> {
        self.http
            .delete(format!("{}/sessions/{id}", self.url))
            .send()
            .await?
            .error_for_status()?;
        Ok(())
    }

    pub async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        Ok(self
            .http
            .post(format!("{}{path}", self.url))
            .json(body)
            .send()
            .await?
            .error_for_status()?
            .json()
            .await?)
    }
}
