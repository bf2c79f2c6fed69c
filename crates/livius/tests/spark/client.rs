//! A small Livy client, and waiting.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// The timeout of a wait. Starts are slow on a machine with two busy cores.
pub const PATIENCE: Duration = Duration::from_mins(3);

/// A session by its address.
#[derive(Debug, Clone)]
pub struct Session {
    pub url: String,
    pub id: i64,
}

impl Session {
    /// Waits until it is idle. If it died, the test fails with its log.
    pub fn await_idle(&self) {
        eventually("the session is idle", PATIENCE, || {
            let session = get(&self.url).1;
            let state = session["state"].as_str().unwrap_or_default().to_owned();
            assert!(
                !["dead", "killed", "error"].contains(&state.as_str()),
                "the session died: {}",
                self.log()
            );
            (state == "idle").then_some(())
        });
    }

    /// Posts code and waits for its end.
    pub fn run(&self, kind: &str, code: &str) -> Value {
        let id = self.post(kind, code);
        self.await_end(id)
    }

    /// Posts code.
    pub fn post(&self, kind: &str, code: &str) -> i64 {
        let (status, statement) = post(
            &format!("{}/statements", self.url),
            &json!({"code": code, "kind": kind}),
        );
        assert_eq!(status, 201, "{statement}");
        statement["id"].as_i64().unwrap()
    }

    /// A statement.
    pub fn statement(&self, id: i64) -> Value {
        get(&format!("{}/statements/{id}", self.url)).1
    }

    /// Waits for a statement's end.
    pub fn await_end(&self, id: i64) -> Value {
        eventually("the statement ends", PATIENCE, || {
            let statement = self.statement(id);
            ["available", "cancelled"]
                .contains(&statement["state"].as_str().unwrap_or_default())
                .then_some(statement)
        })
    }

    /// Waits until a statement's code runs.
    pub fn await_running(&self, id: i64) {
        eventually("the statement runs", PATIENCE, || {
            let statement = self.statement(id);
            (statement["state"] == "running" && statement["started"] != 0).then_some(())
        });
    }

    /// The output of code that must succeed, by MIME type.
    pub fn data(&self, kind: &str, code: &str) -> Value {
        let statement = self.run(kind, code);
        assert_eq!(statement["output"]["status"], "ok", "{code}\n{statement:#}");
        statement["output"]["data"].clone()
    }

    /// The text of code that must succeed and show only text.
    pub fn text(&self, kind: &str, code: &str) -> String {
        let data = self.data(kind, code);
        assert_eq!(data.as_object().unwrap().len(), 1, "{code}\n{data:#}");
        data["text/plain"]
            .as_str()
            .unwrap_or_else(|| panic!("no text: {data:#}"))
            .to_owned()
    }

    /// The response to GET of a statement, unparsed, because parsing could round numbers.
    pub fn raw_text(&self, kind: &str, code: &str) -> String {
        let id = self.post(kind, code);
        self.await_end(id);
        let url = format!("{}/statements/{id}", self.url);
        runtime().block_on(async {
            client()
                .get(url)
                .send()
                .await
                .unwrap()
                .text()
                .await
                .unwrap()
        })
    }

    /// The output of code that must fail.
    pub fn error(&self, kind: &str, code: &str) -> Value {
        let statement = self.run(kind, code);
        assert_eq!(
            statement["output"]["status"], "error",
            "{code}\n{statement:#}"
        );
        statement["output"].clone()
    }

    /// The session in Livy's form.
    pub fn shown(&self) -> Value {
        get(&self.url).1
    }

    /// Its state.
    pub fn state(&self) -> String {
        get(&format!("{}/state", self.url)).1["state"]
            .as_str()
            .unwrap_or("gone")
            .to_owned()
    }

    /// Waits for a state.
    pub fn await_state(&self, wanted: &str) {
        eventually(&format!("the session is {wanted}"), PATIENCE, || {
            (self.state() == wanted).then_some(())
        });
    }

    /// What `/api/v1` says of it.
    pub fn detail(&self) -> Value {
        let url = self.url.replace("/sessions/", "/api/v1/sessions/");
        get(&url).1
    }

    /// Its whole log.
    pub fn log(&self) -> String {
        let log = get(&format!("{}/log?size=-1", self.url)).1;
        let lines = log["log"].as_array().cloned().unwrap_or_default();
        lines
            .iter()
            .filter_map(Value::as_str)
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// Deletes it.
    pub fn delete(&self) {
        assert_eq!(delete(&self.url), Some(200));
    }

    /// Deletes it while Python code runs. Notebooks treat a slower response as a failure.
    pub fn delete_while_busy(&self) {
        let id = self.post("pyspark", "import time\ntime.sleep(600)");
        self.await_running(id);
        let begun = Instant::now();
        self.delete();
        let took = begun.elapsed();
        assert!(took < Duration::from_secs(5), "it took {took:?}");
        assert_eq!(status(&self.url), 404);
    }
}

/// GET.
pub fn get(url: &str) -> (u16, Value) {
    runtime().block_on(async {
        let answer = client().get(url).send().await.unwrap();
        (
            answer.status().as_u16(),
            answer.json().await.unwrap_or(Value::Null),
        )
    })
}

/// A client that follows the events of a session or a statement.
pub struct Followed {
    response: reqwest::Response,
    text: Vec<u8>,
}

impl Followed {
    /// Follows what a Livy address names.
    pub fn open(url: &str) -> Self {
        let url = format!(
            "{}/events",
            url.replacen("/sessions/", "/api/v1/sessions/", 1)
        );
        let response = runtime().block_on(async {
            let request = client().get(url).timeout(PATIENCE);
            request.send().await.unwrap()
        });
        assert_eq!(response.status().as_u16(), 200);
        Self {
            response,
            text: Vec::new(),
        }
    }

    /// The name and the data of the next event; `None` at the end.
    pub fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some(end) = self.text.windows(2).position(|pair| pair == b"\n\n") {
                let event: Vec<u8> = self.text.drain(..end + 2).collect();
                let event = String::from_utf8(event).unwrap();
                let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name));
                match (field("event: "), field("data: ")) {
                    (Some(name), Some(data)) => {
                        return Some((name.to_owned(), serde_json::from_str(data).unwrap()));
                    }
                    _ => continue,
                }
            }
            let piece = runtime().block_on(self.response.chunk()).unwrap()?;
            self.text.extend_from_slice(&piece);
        }
    }

    /// The text that is printed until it has this.
    pub fn text_until(&mut self, wanted: &str) -> String {
        let mut seen = String::new();
        while !seen.contains(wanted) {
            let (name, data) = self.next().expect("the text comes before the end");
            assert_ne!(name, "end", "{data}");
            if name == "output" {
                seen.push_str(data["text"].as_str().unwrap());
            }
        }
        seen
    }
}

/// The status of a GET request.
pub fn status(url: &str) -> u16 {
    let answer = runtime().block_on(async { client().get(url).send().await });
    answer.map_or(0, |answer| answer.status().as_u16())
}

/// DELETE, whose response may fail too.
pub fn delete(url: &str) -> Option<u16> {
    let answer = runtime().block_on(async { client().delete(url).send().await });
    answer.ok().map(|answer| answer.status().as_u16())
}

/// POST.
pub fn post(url: &str, body: &Value) -> (u16, Value) {
    runtime().block_on(async {
        let answer = client().post(url).json(body).send().await.unwrap();
        (
            answer.status().as_u16(),
            answer.json().await.unwrap_or(Value::Null),
        )
    })
}

/// Repeats the question until there is an answer. Panics after the timeout.
pub fn eventually<T>(what: &str, patience: Duration, mut ask: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(
            begun.elapsed() < patience,
            "not within {patience:?}: {what}"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The message of a panic.
pub fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_else(|| "a panic".to_owned())
}

/// A variable of the environment, unless it is empty.
#[expect(
    clippy::disallowed_methods,
    reason = "the test is told by its environment which Sparks there are"
)]
pub fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn client() -> &'static reqwest::Client {
    static CLIENT: OnceLock<reqwest::Client> = OnceLock::new();
    CLIENT.get_or_init(|| {
        reqwest::Client::builder()
            .timeout(Duration::from_mins(1))
            .build()
            .unwrap()
    })
}

fn runtime() -> &'static tokio::runtime::Runtime {
    static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap()
    })
}
