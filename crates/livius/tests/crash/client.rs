//! A client that sends each request again until a server answers it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::chance::Chance;
use crate::facts::{Facts, JobId, StatementId};
use crate::place::Place;

/// How long a request may stay without an answer, over many servers.
const PATIENCE: Duration = Duration::from_mins(1);

/// The pause before a request is sent again.
const PAUSE: Duration = Duration::from_millis(5);

/// The sessions that are open at the same time.
const SESSIONS: usize = 3;

/// A name that no other request of this run has.
fn new_name() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("n{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Waits until a server answers.
pub fn await_server(place: &Arc<Place>) {
    Sender::new(place).get("/version");
}

/// Sends requests.
pub struct Sender {
    place: Arc<Place>,
    runtime: Runtime,
    client: reqwest::Client,
}

impl Sender {
    pub fn new(place: &Arc<Place>) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        Self {
            place: Arc::clone(place),
            runtime: runtime.unwrap(),
            client: reqwest::Client::builder()
                .no_proxy()
                .timeout(Duration::from_secs(20))
                .build()
                .unwrap(),
        }
    }

    pub fn get(&self, path: &str) -> (u16, Value) {
        self.until_answered(&Method::GET, path, None)
    }

    /// A POST with a key of its own. The error is an answer that is no success.
    fn post(&self, path: &str, body: &Value) -> Result<Value, String> {
        let key = new_name();
        let (status, answer) = self.until_answered(&Method::POST, path, Some((&key, body)));
        match status {
            200 | 201 => Ok(answer),
            _ => Err(format!("POST {path} {body}: {status} {answer}")),
        }
    }

    fn until_answered(
        &self,
        method: &Method,
        path: &str,
        posted: Option<(&str, &Value)>,
    ) -> (u16, Value) {
        let until = Instant::now() + PATIENCE;
        loop {
            let answer = self.runtime.block_on(self.ask(method, path, posted));
            match answer {
                // The first request with the key is still being worked on, or the server is busy.
                Ok((409 | 429 | 503, _)) | Err(_) => {}
                Ok(answer) => return answer,
            }
            assert!(
                Instant::now() < until,
                "{method} {path} has no answer: {answer:?}; the log of the servers is {}",
                self.place.log().display()
            );
            std::thread::sleep(PAUSE);
        }
    }

    async fn ask(
        &self,
        method: &Method,
        path: &str,
        posted: Option<(&str, &Value)>,
    ) -> reqwest::Result<(u16, Value)> {
        let mut request = self.client.request(method.clone(), self.place.url(path));
        if let Some((key, body)) = posted {
            request = request.header("Idempotency-Key", key).json(body);
        }
        let answer = request.send().await?;
        let status = answer.status().as_u16();
        let text = answer.text().await?;
        Ok((status, serde_json::from_str(&text).unwrap_or(Value::Null)))
    }
}

/// One of several clients that use the server at the same time.
pub struct Client {
    sender: Sender,
    facts: Arc<Facts>,
    is_over: Arc<AtomicBool>,
    chance: Chance,
}

impl Client {
    pub fn new(
        place: &Arc<Place>,
        facts: &Arc<Facts>,
        is_over: &Arc<AtomicBool>,
        chance: Chance,
    ) -> Self {
        Self {
            sender: Sender::new(place),
            facts: Arc::clone(facts),
            is_over: Arc::clone(is_over),
            chance,
        }
    }

    /// Uses the server until it is told to end. Nothing is left without an answer.
    pub fn use_server(mut self) {
        while !self.is_over.load(Ordering::Relaxed) {
            let open = self.facts.open_sessions();
            let session = self.chance.one_of(&open).copied();
            match (self.chance.below(100), session) {
                (_, None) => self.create_session(),
                (0..5, _) if open.len() < SESSIONS => self.create_session(),
                (5..7, Some(session)) if open.len() > 1 => self.delete_session(session),
                (7..20, _) => self.submit_batch(),
                (20..35, Some(session)) => self.submit_job(session),
                (35..75, Some(session)) => self.run_statement(session),
                _ => self.look_again(),
            }
        }
    }

    fn create_session(&self) {
        let created = self.sender.post("/sessions", &json!({"kind": "pyspark"}));
        self.facts.session(id(&created.unwrap()));
    }

    /// Another client may be using the session.
    fn delete_session(&self, session: i64) {
        if !self.facts.begin_delete(session) {
            return;
        }
        let path = format!("/sessions/{session}");
        let (status, answer) = self.sender.until_answered(&Method::DELETE, &path, None);
        // The answer to the first attempt may be lost.
        assert!(
            matches!(status, 200 | 404),
            "DELETE {path}: {status} {answer}"
        );
        self.facts.deleted(session);
    }

    fn submit_batch(&self) {
        let name = new_name();
        let body = json!({
            "file": self.sender.place.application(),
            "className": "livius.test.Application",
            "args": [name],
        });
        let created = self.sender.post("/batches", &body).unwrap();
        self.facts.batch(id(&created), name);
    }

    /// The same for a session. `None` if another client deletes it.
    fn post_to(&self, session: i64, path: &str, body: &Value) -> Option<Value> {
        let path = format!("/sessions/{session}/{path}");
        match self.sender.post(&path, body) {
            Ok(answer) => Some(answer),
            Err(why) => {
                assert!(!self.facts.is_open(session), "{why}");
                None
            }
        }
    }

    fn submit_job(&self, session: i64) {
        // Base64 of any bytes: the driver sends them back.
        let payload = format!("{:0>12}", new_name());
        let body = json!({"job": payload, "jobType": "pyspark"});
        if let Some(job) = self.post_to(session, "submit-job", &body) {
            self.facts.job((session, id(&job)), payload);
        }
    }

    fn run_statement(&mut self, session: i64) {
        let bytes = match self.chance.below(20) {
            0 => 20_000 + self.chance.below(60_000),
            _ => self.chance.below(60),
        };
        let code = format!("{} {bytes} {}", self.chance.below(8), new_name());
        let body = json!({"code": code});
        if let Some(statement) = self.post_to(session, "statements", &body) {
            assert_eq!(statement["code"], code.as_str());
            self.facts.statement((session, id(&statement)), code);
        }
    }

    /// Looks at a statement, a job and a batch again. An end that the server has shown must stay.
    fn look_again(&mut self) {
        let statements: Vec<StatementId> = self.facts.statements();
        if let Some(statement) = self.chance.one_of(&statements) {
            self.facts.look_at_statement(&self.sender, *statement);
        }
        let jobs: Vec<JobId> = self.facts.jobs();
        if let Some(job) = self.chance.one_of(&jobs) {
            self.facts.look_at_job(&self.sender, *job);
        }
        let batches: Vec<i64> = self.facts.batches();
        if let Some(batch) = self.chance.one_of(&batches) {
            self.facts.look_at_batch(&self.sender, *batch);
        }
    }
}

fn id(created: &Value) -> i64 {
    created["id"]
        .as_i64()
        .unwrap_or_else(|| panic!("no id: {created}"))
}
