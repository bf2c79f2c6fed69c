//! A tour through the REST API, as any Livy client would use it: a session, a statement, a result.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, bail};
use reqwest::Client;
use serde_json::{Value, json};

use crate::terminal::{Progress, say};

/// The polling interval.
const POLL: Duration = Duration::from_millis(200);
/// The timeout of one request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// A job that runs on the executors.
const CODE: &str = "\
import random

def inside(_):
    x, y = random.random(), random.random()
    return x * x + y * y < 1

samples = 400_000
hits = sc.parallelize(range(samples), 4).filter(inside).count()
print(f\"Pi is roughly {4 * hits / samples:.4f}, by {samples} samples on Spark {sc.version}\")";

/// Takes the tour, and leaves the session open. Returns its id.
pub async fn take(address: SocketAddr, progress: &Progress) -> anyhow::Result<i64> {
    let guide = Guide::new(address)?;
    let session = guide
        .post("/sessions", &json!({"kind": "pyspark"}))
        .await
        .context("cannot create a session")?;
    let id = session["id"]
        .as_i64()
        .context("the new session has no id")?;
    progress.step(&format!(
        "session {id} is being created: POST /sessions {{\"kind\": \"pyspark\"}}"
    ));
    guide.await_session(id, progress).await?;
    say(&format!(
        "\nRunning this in session {id}:\n\n{}\n",
        indented(CODE)
    ));
    let path = format!("/sessions/{id}/statements");
    let statement = guide
        .post(&path, &json!({ "code": CODE }))
        .await
        .context("cannot post the statement")?;
    let number = statement["id"]
        .as_i64()
        .context("the new statement has no id")?;
    progress.step(&format!("statement {number} is posted: POST {path}"));
    let output = guide
        .await_statement(&format!("{path}/{number}"), progress)
        .await?;
    say(&format!("\nThe result:\n\n{}\n", indented(&output)));
    Ok(id)
}

fn indented(text: &str) -> String {
    text.lines()
        .map(|line| format!("  {line}").trim_end().to_owned())
        .collect::<Vec<_>>()
        .join("\n")
}

struct Guide {
    client: Client,
    base: String,
}

impl Guide {
    fn new(address: SocketAddr) -> anyhow::Result<Self> {
        // The server is on this machine, so proxies of the environment must not be used.
        let client = Client::builder()
            .no_proxy()
            .timeout(REQUEST_TIMEOUT)
            .build()
            .context("cannot make a client")?;
        Ok(Self {
            client,
            base: format!("http://{address}"),
        })
    }

    async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.answer(self.client.get(format!("{}{path}", self.base)))
            .await
    }

    async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.answer(self.client.post(format!("{}{path}", self.base)).json(body))
            .await
    }

    async fn answer(&self, request: reqwest::RequestBuilder) -> anyhow::Result<Value> {
        let answer = request.send().await.context("the server did not answer")?;
        let status = answer.status();
        let text = answer
            .text()
            .await
            .context("the server's answer broke off")?;
        if !status.is_success() {
            bail!("the server answered {status}: {text}");
        }
        serde_json::from_str(&text)
            .with_context(|| format!("the server's answer is not JSON: {text}"))
    }

    /// Waits until the session is idle. If it ends, the error holds its log.
    async fn await_session(&self, id: i64, progress: &Progress) -> anyhow::Result<()> {
        let mut shown = String::new();
        loop {
            let answer = self.get(&format!("/sessions/{id}/state")).await?;
            let state = answer["state"].as_str().unwrap_or_default();
            if state != shown {
                progress.step(&format!("session {id} is {state}"));
                state.clone_into(&mut shown);
            }
            match state {
                "idle" => return Ok(()),
                "dead" | "error" | "killed" | "success" | "shutting_down" => {
                    bail!(
                        "session {id} is {state}; the end of its log:\n{}",
                        self.log(id).await
                    );
                }
                _ => tokio::time::sleep(POLL).await,
            }
        }
    }

    async fn await_statement(&self, path: &str, progress: &Progress) -> anyhow::Result<String> {
        let mut shown = String::new();
        loop {
            let statement = self.get(path).await?;
            let state = statement["state"].as_str().unwrap_or_default();
            if state != shown {
                progress.step(&format!("the statement is {state}"));
                state.clone_into(&mut shown);
            }
            match state {
                "available" => return text_of(&statement["output"]),
                "waiting" | "running" => tokio::time::sleep(POLL).await,
                _ => bail!("the statement ended as {state}: {statement}"),
            }
        }
    }

    async fn log(&self, id: i64) -> String {
        let log = self
            .get(&format!("/sessions/{id}/log?size=40"))
            .await
            .unwrap_or_default();
        let lines = log["log"].as_array().cloned().unwrap_or_default();
        lines
            .iter()
            .filter_map(Value::as_str)
            .map(|line| format!("  {line}"))
            .collect::<Vec<_>>()
            .join("\n")
    }
}

fn text_of(output: &Value) -> anyhow::Result<String> {
    match output["data"]["text/plain"].as_str() {
        Some(text) if output["status"] == "ok" => Ok(text.to_owned()),
        _ => bail!("the statement failed: {output:#}"),
    }
}
