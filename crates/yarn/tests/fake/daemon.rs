//! A daemon whose responses the test scripts.

use std::fs;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use camino::Utf8Path;
use livius_testkit::TestClock;
use livius_yarn::{Cluster, Config, Site, Watcher};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// A response to a path with its query.
pub type Script = Arc<dyn Fn(&str) -> Reply + Send + Sync>;

/// A scripted response.
pub enum Reply {
    Json(Value),
    Text(StatusCode, String),
    Redirect(String),
    /// Bytes of a kind without end.
    Endless(StatusCode),
    /// No response at all.
    Silence,
}

/// A running daemon. Dropping it closes its port.
pub struct Daemon {
    pub address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    script: Arc<Mutex<Script>>,
    tasks: JoinSet<()>,
}

impl Daemon {
    /// Starts a daemon on a free port.
    pub async fn start(script: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap(), script).await
    }

    pub async fn start_at(
        address: SocketAddr,
        script: impl Fn(&str) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let script: Arc<Mutex<Script>> = Arc::new(Mutex::new(Arc::new(script)));
        let (log, current) = (Arc::clone(&asked), Arc::clone(&script));
        let router = Router::new().fallback(move |request: Request| {
            let target = request.uri().to_string();
            log.lock()
                .unwrap()
                .push(format!("{} {target}", request.method()));
            let script = Arc::clone(&current.lock().unwrap());
            async move { script(&target).response().await }
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            address,
            asked,
            script,
            tasks,
        }
    }

    /// Replaces the script.
    pub fn now(&self, script: impl Fn(&str) -> Reply + Send + Sync + 'static) {
        *self.script.lock().unwrap() = Arc::new(script);
    }

    /// The requests so far.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// Ends it. Returns when the port is closed.
    pub async fn stop(mut self) -> SocketAddr {
        self.tasks.shutdown().await;
        self.address
    }
}

impl Reply {
    async fn response(self) -> Response {
        match self {
            Self::Json(value) => axum::Json(value).into_response(),
            Self::Text(status, text) => (status, text).into_response(),
            Self::Redirect(location) => {
                let text = "This is standby RM. The redirect url is: /ws";
                (
                    StatusCode::TEMPORARY_REDIRECT,
                    [("location", location)],
                    text,
                )
                    .into_response()
            }
            Self::Endless(status) => {
                let chunk = vec![b'['; 1 << 20];
                let chunks = futures_util::stream::repeat_with(move || {
                    Ok::<_, std::io::Error>(chunk.clone())
                });
                (status, Body::from_stream(chunks)).into_response()
            }
            Self::Silence => std::future::pending().await,
        }
    }
}

/// The timeout of requests. The tests for hangs wait for it.
pub const TIMEOUT: Duration = Duration::from_millis(500);

/// A cluster with these ResourceManagers, and a clock that stands still.
pub fn cluster(managers: &[SocketAddr]) -> (Cluster, Watcher, Arc<TestClock>) {
    with_properties(managers, TIMEOUT, &[])
}

/// A cluster with more properties than its ResourceManagers.
pub fn with_properties(
    managers: &[SocketAddr],
    timeout: Duration,
    others: &[(&str, String)],
) -> (Cluster, Watcher, Arc<TestClock>) {
    let dir = tempfile::tempdir().unwrap();
    let ids: Vec<String> = (0..managers.len()).map(|n| format!("rm{n}")).collect();
    let mut properties = vec![
        (
            "yarn.resourcemanager.ha.enabled".to_owned(),
            "true".to_owned(),
        ),
        ("yarn.resourcemanager.ha.rm-ids".to_owned(), ids.join(",")),
    ];
    for (id, address) in ids.iter().zip(managers) {
        let key = format!("yarn.resourcemanager.webapp.address.{id}");
        properties.push((key, address.to_string()));
    }
    for (key, value) in others {
        properties.push(((*key).to_owned(), value.clone()));
    }
    let lines: Vec<String> = properties
        .iter()
        .map(|(key, value)| {
            format!("<property><name>{key}</name><value>{value}</value></property>")
        })
        .collect();
    fs::write(
        dir.path().join("yarn-site.xml"),
        format!("<configuration>{}</configuration>", lines.concat()),
    )
    .unwrap();
    let site = Site::read(&[Utf8Path::from_path(dir.path()).unwrap().to_owned()]).unwrap();
    let clock = Arc::new(TestClock::default());
    let config = Config {
        user: "livius".to_owned(),
        tick: Duration::from_millis(300),
        timeout,
    };
    let (cluster, watcher) = Cluster::new(site, config, Arc::clone(&clock) as _).unwrap();
    (cluster, watcher, clock)
}

/// An application in a list.
pub fn app(sequence: u32, tags: &str, state: &str) -> Value {
    json!({
        "id": format!("application_1700000000000_{sequence:04}"), "user": "ann", "name": "n",
        "queue": "root.default", "state": state, "finalStatus": "UNDEFINED", "diagnostics": "",
        "applicationTags": tags, "startedTime": 1_700_000_000_000_i64, "finishedTime": 0,
    })
}

/// A list.
pub fn list(apps: &[Value]) -> Reply {
    Reply::Json(json!({"apps": {"app": apps}}))
}

/// A refusal.
pub fn refusal(status: u16, message: &str) -> Reply {
    let text = json!({"RemoteException": {"exception": "X", "message": message}}).to_string();
    Reply::Text(StatusCode::from_u16(status).unwrap(), text)
}
