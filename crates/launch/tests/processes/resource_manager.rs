//! A ResourceManager and a NodeManager that do what their test says: for orders of events that real ones
//! cannot be made to show. `livius-yarn` and the tests with real Spark meet real ones.

use std::collections::{BTreeMap, HashMap};
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
    /// The address of both daemons.
    pub address: String,
    /// The logs of containers that the NodeManager knows, by container and file.
    logs: HashMap<String, BTreeMap<String, String>>,
    /// The logs that the server of aggregated logs has.
    kept_logs: HashMap<String, BTreeMap<String, String>>,
    /// The diagnostics of attempts that have ended, by attempt.
    ended_attempts: BTreeMap<String, String>,
    /// The containers of executors that run, by attempt.
    executors: HashMap<String, Vec<String>>,
    /// The requests for lists of containers.
    pub container_lists: usize,
    /// The requests for the list of a container's logs.
    pub log_lists: usize,
    /// The bytes of logs that it has sent.
    pub log_bytes: usize,
    /// The NodeManager's behaviour when a client asks it for logs.
    pub log_service: LogService,
}

#[derive(Clone, Copy, Default)]
pub enum LogService {
    #[default]
    Answers,
    Hangs,
    Forbids,
}

/// The text of a log as both daemons send it.
fn framed(file: &str, whole: &str, part: &str) -> String {
    let length = whole.len();
    format!("LogType:{file}\nLogLength:{length}\nLogContents:\n{part}\nEnd of LogType:{file}\n")
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
            .route("/ws/v1/cluster/apps/{id}/appattempts", get(attempts))
            .route(
                "/ws/v1/cluster/apps/{id}/appattempts/{attempt}",
                get(attempt_details),
            )
            .route(
                "/ws/v1/cluster/apps/{id}/appattempts/{attempt}/containers",
                get(containers),
            )
            .route("/ws/v1/node/containers/{id}/logs", get(node_files))
            .route("/ws/v1/node/containerlogs/{id}/{file}", get(node_log))
            .route("/kept/containers/{id}/logs", get(kept_files))
            .route("/kept/containerlogs/{id}/{file}", get(kept_log))
            .with_state(manager.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        manager.cluster().address.clone_from(&address);
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

    /// Runs an application's master in a container, in its first attempt or a later one.
    pub fn run_master(&self, number: u32, attempt: u32) {
        let id = id(number);
        let mut cluster = self.cluster();
        let address = cluster.address.clone();
        let container = container(number, attempt);
        let mut apps = cluster.apps.iter_mut();
        let app = apps.find(|app| app["id"] == *id).unwrap();
        app["amHostHttpAddress"] = json!(address);
        app["amContainerLogs"] =
            json!(format!("http://{address}/node/containerlogs/{container}/u"));
        cluster.logs.entry(container).or_default();
    }

    /// Ends the container of an application's master. The application waits for another one.
    pub fn lose_master(&self, number: u32, ended: u32, diagnostics: &str) {
        let why = "[t] Application is Activated, waiting for resources to be assigned for AM.";
        self.set(number, "ACCEPTED", "UNDEFINED", why);
        let id = id(number);
        let mut cluster = self.cluster();
        let mut apps = cluster.apps.iter_mut();
        let app = apps.find(|app| app["id"] == *id).unwrap();
        app["amHostHttpAddress"] = json!("");
        app["amContainerLogs"] = json!("");
        let attempt = attempt(number, ended);
        let ended = &mut cluster.ended_attempts;
        ended.insert(attempt, diagnostics.to_owned());
    }

    /// Runs an executor of an application's first attempt, and returns its container.
    pub fn run_executor(&self, number: u32, executor: u32) -> String {
        let container = format!("container_1_{number:04}_01_{executor:06}");
        let mut cluster = self.cluster();
        cluster.logs.entry(container.clone()).or_default();
        let attempt = cluster.executors.entry(attempt(number, 1));
        attempt.or_default().push(container.clone());
        container
    }

    /// Ends an executor. Its NodeManager has forgotten it.
    pub fn end_executor(&self, container: &str) -> BTreeMap<String, String> {
        let mut cluster = self.cluster();
        for running in cluster.executors.values_mut() {
            running.retain(|one| one != container);
        }
        cluster.logs.remove(container).unwrap()
    }

    /// Has a container write to one of its outputs.
    pub fn write(&self, container: &str, file: &str, text: &str) {
        let mut cluster = self.cluster();
        let files = cluster.logs.get_mut(container).unwrap();
        files.entry(file.to_owned()).or_default().push_str(text);
    }

    /// Has the NodeManager forget a container, whose logs go to the server of logs.
    pub fn end_container(&self, container: &str) -> BTreeMap<String, String> {
        self.cluster().logs.remove(container).unwrap()
    }

    /// Gives the server of logs those of a container.
    pub fn keep(&self, container: &str, files: BTreeMap<String, String>) {
        self.cluster().kept_logs.insert(container.to_owned(), files);
    }

    /// The applications that have not ended.
    pub fn live(&self) -> Vec<String> {
        let cluster = self.cluster();
        let running = cluster.apps.iter().filter(|app| app["state"] == "RUNNING");
        running.map(ToString::to_string).collect()
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

fn attempt(number: u32, attempt: u32) -> String {
    format!("appattempt_1_{number:04}_{attempt:06}")
}

/// The id of the container of an application's master.
pub fn container(number: u32, attempt: u32) -> String {
    format!("container_1_{number:04}_{attempt:02}_000001")
}

type Answer = (StatusCode, String);

async fn node_files(State(manager): State<ResourceManager>, Path(id): Path<String>) -> Answer {
    let service = {
        let mut cluster = manager.cluster();
        cluster.log_lists += 1;
        cluster.log_service
    };
    match service {
        LogService::Answers => files(manager.cluster().logs.get(&id)),
        LogService::Hangs => std::future::pending().await,
        LogService::Forbids => (StatusCode::FORBIDDEN, "u may not see it".to_owned()),
    }
}

async fn kept_files(State(manager): State<ResourceManager>, Path(id): Path<String>) -> Answer {
    files(manager.cluster().kept_logs.get(&id))
}

fn files(found: Option<&BTreeMap<String, String>>) -> Answer {
    let Some(found) = found else {
        return unknown();
    };
    let one = |(name, text): (&String, &String)| json!({"fileName": name, "fileSize": text.len().to_string()});
    let infos: Vec<Value> = found.iter().map(one).collect();
    let listing = json!([{"containerLogInfo": infos}]);
    (StatusCode::OK, listing.to_string())
}

fn unknown() -> Answer {
    (StatusCode::NOT_FOUND, "Unknown container".to_owned())
}

type Size = Query<HashMap<String, String>>;

async fn node_log(
    State(manager): State<ResourceManager>,
    Path((id, file)): Path<(String, String)>,
    Query(query): Size,
) -> Answer {
    let mut cluster = manager.cluster();
    let answer = log(cluster.logs.get(&id), &file, &query["size"]);
    cluster.log_bytes += answer.1.len();
    answer
}

async fn kept_log(
    State(manager): State<ResourceManager>,
    Path((id, file)): Path<(String, String)>,
    Query(query): Size,
) -> Answer {
    log(manager.cluster().kept_logs.get(&id), &file, &query["size"])
}

fn log(files: Option<&BTreeMap<String, String>>, file: &str, size: &str) -> Answer {
    let Some(whole) = files.and_then(|files| files.get(file)) else {
        return unknown();
    };
    let size: i64 = size.parse().unwrap();
    let length = usize::try_from(size.unsigned_abs())
        .unwrap()
        .min(whole.len());
    let part = if size < 0 {
        &whole[whole.len() - length..]
    } else {
        &whole[..length]
    };
    (StatusCode::OK, framed(file, whole, part))
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

/// The attempts that have ended. A real one lists the present one, too.
async fn attempts(State(manager): State<ResourceManager>, Path(id): Path<String>) -> Answer {
    let cluster = manager.cluster();
    let app = id.rsplit('_').next().unwrap().parse().unwrap();
    let ended = (1..)
        .take_while(|number| cluster.ended_attempts.contains_key(&attempt(app, *number)))
        .map(|number| json!({"id": number, "containerId": container(app, number)}));
    let ended: Vec<Value> = ended.collect();
    let answer = json!({"appAttempts": {"appAttempt": ended}});
    (StatusCode::OK, answer.to_string())
}

async fn attempt_details(
    State(manager): State<ResourceManager>,
    Path((_, attempt)): Path<(String, String)>,
) -> Answer {
    let diagnostics = manager.cluster().ended_attempts[&attempt].clone();
    let details = json!({"diagnosticsInfo": diagnostics});
    (StatusCode::OK, details.to_string())
}

async fn containers(
    State(manager): State<ResourceManager>,
    Path((_, attempt)): Path<(String, String)>,
) -> (StatusCode, String) {
    let mut cluster = manager.cluster();
    cluster.container_lists += 1;
    let (number, place) = attempt
        .strip_prefix("appattempt_1_")
        .and_then(|rest| rest.split_once('_'))
        .unwrap();
    let master = container(number.parse().unwrap(), place.parse().unwrap());
    let executors = cluster.executors.get(&attempt).cloned().unwrap_or_default();
    let node = format!("http://{}", cluster.address);
    // The newest first, as a real one lists them.
    let all = executors.iter().rev().chain([&master]);
    let all: Vec<Value> = all
        .map(|id| json!({"containerId": id, "nodeHttpAddress": node}))
        .collect();
    (StatusCode::OK, json!({ "container": all }).to_string())
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
