//! The whole application in one process.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, request};
use camino::Utf8PathBuf;
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use livius_agent_link::{CHALLENGE_HEADER, REPORT};
use livius_domain::{
    BatchId, BatchRecord, Clock as _, DriverId, DriverRecord, Limits, SessionId, SessionRecord,
};
use livius_launch::DriverOrder;
use livius_metrics::Metrics;
use livius_sessions::{
    AllowAll, Audit, Batches, Config, Impersonation, LocalFiles, Policy, PoolSettings, Sessions,
    Webhooks,
};
use livius_store::{
    BatchStore as _, Delivery, DriverStore as _, Faulty, SessionStore as _, WebhookStore as _,
};
use livius_store_sqlite::SqliteStore;
use serde_json::Value;
use tempfile::TempDir;
use tower::ServiceExt as _;

use crate::clock::TestClock;
use crate::launcher::{FakeLauncher, FakeProcess};
use crate::proof::AgentProof;

const DEADLINE: Duration = Duration::from_secs(10);

/// Options of a world.
#[derive(Debug, Clone, Default)]
pub struct WorldOptions {
    /// The bounds.
    pub limits: Limits,
    /// Impersonation.
    pub impersonation: Impersonation,
    /// The policy for callers. If it is not set, every caller may do everything.
    pub policy: Option<Arc<dyn Policy>>,
    /// Local files. The default allows any.
    pub local_files: Option<LocalFiles>,
    /// Configuration keys that requests may not name.
    pub blocked_conf: Vec<String>,
    /// Drivers that wait for sessions. There are none if it is not set.
    pub pools: Option<PoolSettings>,
    /// The audit log. There is none if it is not set.
    pub audit: Audit,
    /// Webhooks. There are none if it is not set.
    pub webhooks: Option<Webhooks>,
}

/// The store that the application uses: a real one, with switches.
pub type Disk = Faulty<SqliteStore>;

/// One server with its data directory, its drivers and its clock.
pub struct World {
    sessions: Sessions,
    batches: Batches,
    /// Made once, as it takes longer than most requests.
    router: Router,
    disk: Arc<Disk>,
    options: WorldOptions,
    launcher: Arc<FakeLauncher>,
    clock: Arc<TestClock>,
    dir: TempDir,
}

/// An HTTP answer.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body as text.
    pub text: String,
}

impl Answer {
    /// Its body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text)
            .unwrap_or_else(|error| panic!("{error} in {:?}", self.text))
    }
}

impl World {
    /// A world with default options.
    pub async fn new() -> Self {
        Self::with(WorldOptions::default()).await
    }

    /// A world with these limits, and default options otherwise.
    pub async fn limited(limits: Limits) -> Self {
        Self::with(WorldOptions {
            limits,
            ..WorldOptions::default()
        })
        .await
    }

    /// A world.
    pub async fn with(options: WorldOptions) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(dir.path().to_owned()).unwrap();
        let launcher = Arc::new(FakeLauncher::new(root.join("drivers")));
        let clock = Arc::new(TestClock::default());
        let (sessions, batches, disk) = open(&dir, &options, &launcher, &clock, None).await;
        Self {
            router: edge(&sessions, &batches, &options.limits),
            sessions,
            batches,
            disk,
            options,
            launcher,
            clock,
            dir,
        }
    }

    /// The application.
    pub fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// The batches.
    pub fn batches(&self) -> &Batches {
        &self.batches
    }

    /// The drivers.
    pub fn launcher(&self) -> &FakeLauncher {
        &self.launcher
    }

    /// The disk.
    pub fn disk(&self) -> &Disk {
        &self.disk
    }

    /// The clock.
    pub fn clock(&self) -> &TestClock {
        &self.clock
    }

    /// The server dies as with `kill -9`, and another one starts with its data. Drivers keep
    /// running.
    pub async fn crash_and_restart(self) -> Self {
        self.restart(None).await
    }

    /// The same. The calls of an operation of the store wait until the test releases it, so that the
    /// next server may not have taken up its batches yet.
    pub async fn crash_and_restart_holding(self, operation: &str) -> Self {
        self.restart(Some(operation)).await
    }

    /// The same. The next server has other options.
    pub async fn crash_and_restart_with(mut self, change: impl FnOnce(&mut WorldOptions)) -> Self {
        change(&mut self.options);
        self.restart(None).await
    }

    async fn restart(self, held: Option<&str>) -> Self {
        let Self {
            sessions,
            batches,
            router,
            disk,
            options,
            launcher,
            clock,
            dir,
        } = self;
        disk.drop_held();
        // All tasks must end before the launches are lost, so that none of them learns of it.
        tokio::join!(biased; sessions.abandon(), batches.abandon(), async {
            launcher.lose_server();
        });
        // Dropping the last of these closes the store, as the death of a process does.
        drop((sessions, batches, router, disk));
        let (sessions, batches, disk) = open(&dir, &options, &launcher, &clock, held).await;
        Self {
            router: edge(&sessions, &batches, &options.limits),
            sessions,
            batches,
            disk,
            options,
            launcher,
            clock,
            dir,
        }
    }

    /// Gives all rows of a table a state that only a later server can read.
    pub async fn make_unreadable(&self, table: &str) {
        let path = Utf8PathBuf::from_path_buf(self.dir.path().join("livius.db")).unwrap();
        livius_store_sqlite::testing::make_unreadable(&path, table).await;
    }

    /// Deletes all rows of a table.
    pub async fn delete_rows(&self, table: &str) {
        let path = Utf8PathBuf::from_path_buf(self.dir.path().join("livius.db")).unwrap();
        livius_store_sqlite::testing::delete_rows(&path, table).await;
    }

    /// A session as it is stored.
    pub async fn stored_session(&self, id: SessionId) -> SessionRecord {
        self.disk.session(id).await.unwrap().unwrap()
    }

    /// A driver as it is stored.
    pub async fn stored_driver(&self, id: &DriverId) -> Option<DriverRecord> {
        self.disk.driver(id).await.unwrap()
    }

    /// A batch as it is stored.
    pub async fn stored_batch(&self, id: BatchId) -> BatchRecord {
        self.disk.batch(id).await.unwrap().unwrap()
    }

    /// The messages that have not reached their webhooks.
    pub async fn deliveries(&self) -> Vec<Delivery> {
        self.due_by(Timestamp::MAX).await
    }

    /// Those that are due.
    pub async fn due_deliveries(&self) -> Vec<Delivery> {
        self.due_by(self.clock.now()).await
    }

    async fn due_by(&self, time: Timestamp) -> Vec<Delivery> {
        self.disk.due_deliveries(time, &[], 100).await.unwrap()
    }

    /// The directory of an ordered driver's files.
    pub fn dir_of(&self, order: &DriverOrder) -> Utf8PathBuf {
        self.launcher.dir(&order.id)
    }

    /// The directory of a driver's files.
    pub fn dir_of_id(&self, id: &DriverId) -> Utf8PathBuf {
        self.launcher.dir(id)
    }

    /// The driver ordered for a session, once it is.
    pub async fn driver(&self, session: SessionId) -> (DriverOrder, FakeProcess) {
        eventually("the driver is launched", async || {
            self.launcher.driver_of(session)
        })
        .await
    }

    /// The process ordered for a batch, once it is.
    pub async fn batch_process(&self, batch: BatchId) -> (DriverOrder, FakeProcess) {
        eventually("the batch's process is launched", async || {
            self.launcher.driver_of_batch(batch)
        })
        .await
    }

    /// Reports for a batch's application that it runs.
    pub async fn report_application(&self, order: &DriverOrder, body: &str) -> Answer {
        let request = Request::post("/api/v1/agent/application");
        self.send_as_agent(order, request, REPORT, body).await
    }

    /// Sends a request as a driver's agent does: once for a challenge, and again with the proof.
    pub async fn send_as_agent(
        &self,
        order: &DriverOrder,
        request: request::Builder,
        purpose: &str,
        body: &str,
    ) -> Answer {
        let agent = AgentProof::of(order, purpose);
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let with = |headers: Vec<(&'static str, String)>, body: &str| {
            let mut request = Request::from_parts(parts.clone(), Body::from(body.to_owned()));
            for (name, value) in headers {
                request.headers_mut().insert(name, value.parse().unwrap());
            }
            request
        };
        let asked = self.send(with(agent.headers(), "")).await;
        agent.verify(asked.status, &asked.headers);
        let Some(challenge) = asked.headers.get(CHALLENGE_HEADER) else {
            return asked;
        };
        let headers = agent.answer(challenge.to_str().unwrap(), body.as_bytes());
        let answer = self.send(with(headers, body)).await;
        agent.verify(answer.status, &answer.headers);
        answer
    }

    /// Waits until a batch shows a state.
    pub async fn await_batch(&self, batch: BatchId, state: &str) {
        let path = format!("/batches/{batch}/state");
        eventually(&format!("batch {batch} is {state}"), async || {
            let answer = self.get(&path).await;
            (answer.status == StatusCode::OK && answer.json()["state"] == state).then_some(())
        })
        .await;
    }

    /// Sends a request to the HTTP edge. A stream of events has no end, so only its head is read.
    pub async fn send(&self, request: Request<Body>) -> Answer {
        let answer = self.router().oneshot(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        let kind = parts.headers.get("content-type");
        let is_stream = kind.is_some_and(|kind| kind == "text/event-stream");
        let body = if is_stream { Body::empty() } else { body };
        let bytes = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8_lossy(&bytes).into_owned(),
        }
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap())
            .await
    }

    /// POST with a JSON text.
    pub async fn post(&self, path: &str, body: &str) -> Answer {
        let request = Request::post(path).header("content-type", "application/json");
        self.send(request.body(Body::from(body.to_owned())).unwrap())
            .await
    }

    /// Posts code to the first session.
    pub async fn run(&self, code: &str) -> Answer {
        let body = serde_json::json!({ "code": code }).to_string();
        self.post("/sessions/0/statements", &body).await
    }

    /// DELETE.
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Request::delete(path).body(Body::empty()).unwrap())
            .await
    }

    /// Waits until a session shows a state.
    pub async fn await_state(&self, session: SessionId, state: &str) {
        let path = format!("/sessions/{session}/state");
        eventually(&format!("session {session} is {state}"), async || {
            let answer = self.get(&path).await;
            (answer.status == StatusCode::OK && answer.json()["state"] == state).then_some(())
        })
        .await;
    }

    /// Waits until a statement shows a state, and returns the statement.
    pub async fn await_statement(&self, session: SessionId, statement: i32, state: &str) -> Value {
        let path = format!("/sessions/{session}/statements/{statement}");
        eventually(&format!("statement {statement} is {state}"), async || {
            let answer = self.get(&path).await.json();
            (answer["state"] == state).then_some(answer)
        })
        .await
    }

    /// The HTTP edge.
    pub fn router(&self) -> Router {
        self.router.clone()
    }
}

fn edge(sessions: &Sessions, batches: &Batches, limits: &Limits) -> Router {
    livius_http::router(
        sessions.clone(),
        batches.clone(),
        livius_http::Options {
            upload_bytes: limits.upload_bytes,
            ..livius_http::Options::default()
        },
    )
}

/// Asks again until there is an answer. Panics at the deadline.
pub async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = tokio::time::Instant::now() + DEADLINE;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(
            tokio::time::Instant::now() < deadline,
            "not within {DEADLINE:?}: {what}"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn open(
    dir: &TempDir,
    options: &WorldOptions,
    launcher: &Arc<FakeLauncher>,
    clock: &Arc<TestClock>,
    held: Option<&str>,
) -> (Sessions, Batches, Arc<Disk>) {
    let root = Utf8PathBuf::from_path_buf(dir.path().to_owned()).unwrap();
    let store = SqliteStore::open(&root.join("livius.db")).await.unwrap();
    let metrics = Metrics::default();
    let store = store.measured_by(&metrics);
    let disk = Arc::new(Faulty::new(store));
    if let Some(operation) = held {
        disk.hold(operation);
    }
    let config = Config {
        server: "test".to_owned(),
        agent_urls: vec!["ws://127.0.0.1:1/api/v1/agent".to_owned()],
        limits: options.limits.clone(),
        spark_defaults: [("spark.master".to_owned(), "local[2]".to_owned())].into(),
        spark_overrides: [].into(),
        blocked_conf: options.blocked_conf.clone(),
        file_list_conf: Vec::new(),
        sql_max_rows: 1_000,
        local_files: options.local_files.clone().unwrap_or(LocalFiles::Any),
        impersonation: options.impersonation.clone(),
        pools: options.pools.clone().unwrap_or_else(PoolSettings::off),
        webhooks: options.webhooks.clone(),
        policy: options.policy.clone().unwrap_or_else(|| Arc::new(AllowAll)),
        metrics,
        audit: options.audit.clone(),
    };
    let sessions = Sessions::open(
        config.clone(),
        Arc::clone(&disk) as _,
        Arc::clone(launcher) as _,
        Arc::clone(clock) as _,
    );
    let sessions = sessions.await.unwrap();
    let batches = Batches::open(
        config,
        Arc::clone(&disk) as _,
        Arc::clone(launcher) as _,
        Arc::clone(clock) as _,
    );
    if held.is_none() {
        batches.all_taken_up().await;
    }
    (sessions, batches, disk)
}
