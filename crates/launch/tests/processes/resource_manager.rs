//! A ResourceManager that does what its test says: for orders of events that a real one cannot be
//! made to show. `livius-yarn` and the tests with real Spark meet real ones.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{get, put};
use serde_json::{Value, json};

/// The ResourceManager. Its clones are the same one.
#[derive(Clone, Default)]
pub struct ResourceManager(Arc<Mutex<Cluster>>);

#[derive(Default)]
pub struct Cluster {
    apps: Vec<Value>,
    /// Whether it answers that it cannot.
    pub is_away: bool,
    /// Whether it refuses to kill.
    pub refuses: bool,
    /// Applications that it was asked to kill, in order.
    pub killed: Vec<String>,
    /// The requests for lists that it has answered.
    pub lists: usize,
}

impl ResourceManager {
    /// Starts one, and returns its address.
    #[expect(
        clippy::disallowed_methods,
        reason = "the task ends with the runtime of its test"
    )]
    pub async fn start() -> (Self, String) {
        let manager = Self::default();
        let router = Router::new()
            .route("/ws/v1/cluster/apps", get(list))
            .route("/ws/v1/cluster/apps/{id}/state", put(kill))
            .with_state(manager.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move { axum::serve(listener, router).await });
        (manager, address)
    }

    pub fn cluster(&self) -> MutexGuard<'_, Cluster> {
        self.0.lock().unwrap()
    }

    /// Takes an application.
    pub fn submit(&self, number: u32, tag: &str) {
        let app = json!({
            "id": id(number),
            "name": "n",
            "user": "u",
            "queue": "root.default",
            "state": "RUNNING",
            "finalStatus": "UNDEFINED",
            "diagnostics": "",
            "applicationTags": format!("livius,{tag}"),
            "startedTime": number,
        });
        self.cluster().apps.push(app);
    }

    /// Changes the state of an application.
    pub fn set(&self, number: u32, state: &str, status: &str, diagnostics: &str) {
        let id = id(number);
        let mut cluster = self.cluster();
        let mut apps = cluster.apps.iter_mut();
        let app = apps.find(|app| app["id"] == *id).unwrap();
        app["state"] = json!(state);
        app["finalStatus"] = json!(status);
        app["diagnostics"] = json!(diagnostics);
    }

    /// Forgets all applications.
    pub fn forget(&self) {
        self.cluster().apps.clear();
    }
}

/// The id of an application.
pub fn id(number: u32) -> String {
    format!("application_1_{number:04}")
}

async fn list(
    State(manager): State<ResourceManager>,
    Query(query): Query<HashMap<String, String>>,
) -> (StatusCode, String) {
    let mut cluster = manager.cluster();
    if cluster.is_away {
        return (StatusCode::SERVICE_UNAVAILABLE, "down".to_owned());
    }
    cluster.lists += 1;
    let wanted: Vec<&str> = query["applicationTags"].split(',').collect();
    let has_one = |app: &&Value| {
        let tags = app["applicationTags"].as_str().unwrap();
        tags.split(',').any(|tag| wanted.contains(&tag))
    };
    let apps: Vec<&Value> = cluster.apps.iter().filter(has_one).collect();
    (StatusCode::OK, json!({"apps": {"app": apps}}).to_string())
}

async fn kill(
    State(manager): State<ResourceManager>,
    Path(id): Path<String>,
) -> (StatusCode, String) {
    let mut cluster = manager.cluster();
    if cluster.refuses {
        return (StatusCode::FORBIDDEN, "you may not".to_owned());
    }
    cluster.killed.push(id.clone());
    let mut apps = cluster.apps.iter_mut();
    let app = apps.find(|app| app["id"] == *id).unwrap();
    app["state"] = json!("KILLED");
    app["finalStatus"] = json!("KILLED");
    (StatusCode::ACCEPTED, json!({"state": "KILLED"}).to_string())
}
