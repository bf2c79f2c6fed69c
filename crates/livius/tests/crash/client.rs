//! A client that sends each request again until a server answers it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::chance::Chance;
use crate::events;
use crate::facts::{Facts, JobId, Keyed, StatementId, Upload};
use crate::place::Place;

/// How long a request may stay without an answer, over many servers.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// The pause before a request is sent again.
pub const PAUSE: Duration = Duration::from_millis(5);

/// The line between the parts of a form.
const BOUNDARY: &str = "crash-test-form";

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
    /// For streams, which have no timeout.
    streams: reqwest::Client,
}

/// The body of a POST.
#[derive(Debug)]
enum Body<'a> {
    Json(&'a Value),
    File(&'a Upload),
}

/// A form with a file.
fn form(upload: &Upload) -> String {
    let (name, content) = (&upload.name, upload.content());
    format!(
        "--{BOUNDARY}\r\n\
         Content-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n\
         {content}\r\n--{BOUNDARY}--\r\n"
    )
}

impl Sender {
    pub fn new(place: &Arc<Place>) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let client = || reqwest::Client::builder().no_proxy();
        let in_time = client().timeout(Duration::from_secs(20));
        Self {
            place: Arc::clone(place),
            runtime: runtime.unwrap(),
            client: in_time.build().unwrap(),
            streams: client().build().unwrap(),
        }
    }

    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Opens a stream of events behind the last event.
    pub async fn open(&self, path: &str, last: Option<&str>) -> reqwest::Result<reqwest::Response> {
        let mut request = self.streams.get(self.place.url(path));
        if let Some(last) = last {
            request = request.header("Last-Event-ID", last);
        }
        request.send().await
    }

    pub fn get(&self, path: &str) -> (u16, Value) {
        self.until_answered(&Method::GET, path, None)
    }

    /// A POST with a key of its own. The error is an answer that is no success.
    fn post(&self, path: &str, body: &Value) -> Result<Value, String> {
        self.post_with(&new_name(), path, &Body::Json(body))
    }

    /// The same with this key.
    fn post_with(&self, key: &str, path: &str, body: &Body<'_>) -> Result<Value, String> {
        let (status, answer) = self.until_answered(&Method::POST, path, Some((key, body)));
        match status {
            200 | 201 => Ok(answer),
            _ => Err(format!("POST {path} {body:?}: {status} {answer}")),
        }
    }

    fn until_answered(
        &self,
        method: &Method,
        path: &str,
        posted: Option<(&str, &Body<'_>)>,
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
        posted: Option<(&str, &Body<'_>)>,
    ) -> reqwest::Result<(u16, Value)> {
        let mut request = self.client.request(method.clone(), self.place.url(path));
        if let Some((key, body)) = posted {
            request = request.header("Idempotency-Key", key);
            request = match body {
                Body::Json(document) => request.json(document),
                Body::File(upload) => {
                    let kind = format!("multipart/form-data; boundary={BOUNDARY}");
                    request.header("Content-Type", kind).body(form(upload))
                }
            };
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
                (5..9, Some(session)) if open.len() > 1 => self.delete_session(session),
                (9..20, _) => self.submit_batch(),
                (20..22, _) => self.delete_batch(),
                (22..34, Some(session)) => self.submit_job(session),
                (34..42, Some(session)) => self.upload(session),
                (42..75, Some(session)) => self.run_statement(session),
                (75..80, _) => self.repeat_a_request(),
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

    /// Deletes a batch that has ended.
    fn delete_batch(&mut self) {
        let ended = self.facts.ended_batches();
        let Some(batch) = self.chance.one_of(&ended).copied() else {
            return;
        };
        if !self.facts.begin_delete_batch(batch) {
            return;
        }
        let path = format!("/batches/{batch}");
        let (status, answer) = self.sender.until_answered(&Method::DELETE, &path, None);
        assert!(
            matches!(status, 200 | 404),
            "DELETE {path}: {status} {answer}"
        );
        self.facts.batch_deleted(batch);
    }

    fn submit_batch(&mut self) {
        let name = new_name();
        let body = json!({
            "file": self.sender.place.application(),
            "className": "livius.test.Application",
            "args": [name],
        });
        let key = new_name();
        let created = self.sender.post_with(&key, "/batches", &Body::Json(&body));
        let batch = id(&created.unwrap());
        self.facts.batch(batch, name.clone());
        self.facts.remember(Keyed {
            key,
            session: None,
            path: "/batches".to_owned(),
            body,
            made: batch,
        });
        if self.chance.below(8) == 0 {
            self.follow_log(batch, &name);
        }
    }

    /// Follows the log of a batch to its end. Each line comes once.
    fn follow_log(&self, batch: i64, name: &str) {
        let path = format!("/api/v1/batches/{batch}/log/events");
        let events = events::to_the_end(&self.sender, &path);
        let Some(events) = events else {
            // Another client deletes it.
            assert!(!self.facts.is_batch_open(batch), "batch {batch} is gone");
            return;
        };
        let lines = events
            .iter()
            .filter_map(|event| event.data["lines"].as_array());
        let lines: Vec<&str> = lines.flatten().filter_map(Value::as_str).collect();
        let line = format!("ran {name}");
        let count = lines.iter().filter(|it| **it == line).count();
        // A log that another client deletes meanwhile ends early.
        let is_whole = count == 1 || (count == 0 && !self.facts.is_batch_open(batch));
        assert!(
            is_whole,
            "{line:?} in the events of the log of batch {batch}: {lines:?}"
        );
    }

    /// Sends a request again that was answered long ago. It gets the same answer.
    fn repeat_a_request(&mut self) {
        let known = self.facts.remembered();
        let Some(Keyed {
            key,
            session,
            path,
            body,
            made,
        }) = self.chance.one_of(&known)
        else {
            return;
        };
        let answer = self.sender.post_with(key, path, &Body::Json(body));
        let is_there = self.is_there(*session, *made);
        match answer {
            Ok(answer) => assert_eq!(id(&answer), *made, "POST {path} with key {key} again"),
            Err(why) => assert!(!is_there, "{why}"),
        }
        // A key is forgotten with what it made.
        let (status, shown) = self.sender.get(&format!("/api/v1/keys/{key}"));
        assert!(
            status == 200 || !self.is_there(*session, *made),
            "key {key} is forgotten: {shown}"
        );
    }

    /// Whether the session of a request, or the batch that it made, must be there.
    fn is_there(&self, session: Option<i64>, batch: i64) -> bool {
        session.map_or_else(
            || self.facts.is_batch_open(batch),
            |session| self.facts.is_open(session),
        )
    }

    fn upload(&mut self, session: i64) {
        let upload = Upload {
            name: format!("{}.txt", new_name()),
            repeats: match self.chance.below(10) {
                0 => 20_000,
                _ => self.chance.below(60),
            },
        };
        let path = format!("/sessions/{session}/upload-file");
        let body = Body::File(&upload);
        match self.sender.post_with(&new_name(), &path, &body) {
            Ok(_) => self.facts.upload(session, upload),
            Err(why) => assert!(!self.facts.is_open(session), "{why}"),
        }
    }

    /// The same for a session. `None` if another client deletes it.
    fn post_to(&self, session: i64, path: &str, body: Value) -> Option<Value> {
        let path = format!("/sessions/{session}/{path}");
        let key = new_name();
        match self.sender.post_with(&key, &path, &Body::Json(&body)) {
            Ok(answer) => {
                self.facts.remember(Keyed {
                    key,
                    session: Some(session),
                    path,
                    body,
                    made: id(&answer),
                });
                Some(answer)
            }
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
        if let Some(job) = self.post_to(session, "submit-job", body) {
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
        if let Some(statement) = self.post_to(session, "statements", body) {
            assert_eq!(statement["code"], code.as_str());
            let id = (session, id(&statement));
            self.facts.statement(id, code);
            if self.chance.below(20) == 0 {
                self.follow_statement(id);
            }
        }
    }

    /// Follows a statement to its end. It never goes back to an earlier state.
    fn follow_statement(&self, (session, statement): StatementId) {
        let path = format!("/api/v1/sessions/{session}/statements/{statement}/events");
        let Some(events) = events::to_the_end(&self.sender, &path) else {
            assert!(!self.facts.is_open(session), "{path} is gone");
            return;
        };
        let rank = |state: &str| match state {
            "waiting" => 0,
            "running" => 1,
            _ => 2,
        };
        let states = events
            .iter()
            .filter_map(|event| event.data["state"].as_str());
        let states: Vec<&str> = states.collect();
        assert!(
            states.is_sorted_by_key(|state| rank(state)),
            "{path}: {states:?}"
        );
        let last = events.last().unwrap();
        let is_available = last.data["state"] == "available";
        assert!(
            is_available || !self.facts.is_open(session),
            "{path}: {last:?}"
        );
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
