//! An API server that does what its test says: for orders of events that a real one cannot be made to
//! show. `livius-kubernetes` and the tests with real Spark meet a real one.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use futures_util::stream;
use serde_json::{Value, json};
use tokio::sync::watch;

/// The API server with one namespace. Its clones are the same one.
#[derive(Clone)]
pub struct ApiServer(Arc<Inner>);

struct Inner {
    cluster: Mutex<Cluster>,
    /// Tells of each change.
    changed: watch::Sender<u64>,
}

#[derive(Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a trouble that a test can make"
)]
pub struct Cluster {
    pods: BTreeMap<String, Value>,
    secrets: BTreeMap<String, Value>,
    /// The objects of the other kinds, by path.
    objects: BTreeMap<String, Value>,
    events: Vec<Value>,
    logs: BTreeMap<String, Log>,
    /// The number of the last change.
    version: u64,
    /// All changes of pods, with their numbers.
    changes: Vec<(u64, Value)>,
    /// Whether it answers that it cannot.
    pub is_away: bool,
    /// Whether it refuses new secrets.
    pub refuses_secrets: bool,
    /// The resource of which it refuses new objects.
    pub refuses: Option<&'static str>,
    /// The requests for new objects of the other kinds.
    pub object_requests: usize,
    /// Whether it refuses to show logs.
    pub refuses_logs: bool,
    /// Whether a deleted pod stays until it is removed.
    pub keeps_deleted: bool,
    /// The pods that it was asked to delete, in order.
    pub deleted: Vec<String>,
    /// The lists of pods that it has answered.
    pub lists: usize,
    /// The requests for logs that it has answered.
    pub log_requests: usize,
}

#[derive(Default)]
struct Log {
    lines: Vec<(jiff::Timestamp, String)>,
    /// Whether the container has ended, or the connection is to break.
    is_closed: bool,
}

pub const DRIVER: &str = "s-0-aa";
pub const NAMESPACE: &str = "etl";
const CONTAINER: &str = "spark-kubernetes-driver";

impl ApiServer {
    /// Starts one, and returns its address.
    #[expect(
        clippy::disallowed_methods,
        reason = "the task ends with the runtime of its test"
    )]
    pub async fn start() -> (Self, String) {
        let server = Self(Arc::new(Inner {
            cluster: Mutex::default(),
            changed: watch::Sender::new(0),
        }));
        let base = format!("/api/v1/namespaces/{NAMESPACE}");
        let router = Router::new()
            .route(&format!("{base}/pods"), get(pods))
            .route(
                &format!("{base}/pods/{{name}}"),
                get(unknown).delete(delete_pod),
            )
            .route(&format!("{base}/pods/{{name}}/log"), get(log))
            .route(&format!("{base}/events"), get(events))
            .route(&format!("{base}/secrets"), get(secrets).post(make_secret))
            .route(
                &format!("{base}/secrets/{{name}}"),
                get(secret).delete(delete_secret).patch(change_secret),
            )
            .route("/{*path}", get(object).post(make_object))
            .with_state(server.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move { axum::serve(listener, router).await });
        (server, address)
    }

    pub fn cluster(&self) -> MutexGuard<'_, Cluster> {
        self.0.cluster.lock().unwrap()
    }

    /// Makes a pod that waits, for a server of ours.
    pub fn make_pod(&self, server: &str, name: &str, role: &str) {
        let pod = json!({
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": name,
                "namespace": NAMESPACE,
                "uid": format!("uid-of-{name}"),
                "creationTimestamp": "2026-11-30T12:00:00Z",
                "labels": {
                    "livius/server": server,
                    "livius/driver": DRIVER,
                    "spark-role": role,
                    "spark-app-selector": "spark-1",
                },
            },
            "spec": { "containers": [{
                "name": CONTAINER,
                "image": "spark:4",
                "resources": { "limits": { "memory": "1408Mi" } },
            }] },
            "status": { "phase": "Pending" },
        });
        self.put(&pod);
    }

    /// Changes the state of a pod and of its container.
    pub fn set(&self, name: &str, phase: &str, state: &Value) {
        let mut pod = self.cluster().pods[name].clone();
        pod["spec"]["nodeName"] = json!("node-1");
        pod["status"] = json!({
            "phase": phase,
            "containerStatuses": [{ "name": CONTAINER, "state": state, "restartCount": 0 }],
        });
        self.put(&pod);
    }

    pub fn run(&self, name: &str) {
        self.set(
            name,
            "Running",
            &json!({ "running": { "startedAt": "2026-11-30T12:00:01Z" } }),
        );
    }

    pub fn end(&self, name: &str, code: i32, reason: &str) {
        let phase = if code == 0 { "Succeeded" } else { "Failed" };
        self.close_log(name);
        let state = json!({ "terminated": { "exitCode": code, "reason": reason } });
        self.set(name, phase, &state);
    }

    /// Removes a pod, with everything that it owns.
    pub fn remove(&self, name: &str) {
        let mut cluster = self.cluster();
        let Some(pod) = cluster.pods.remove(name) else {
            return;
        };
        let uid = pod["metadata"]["uid"].clone();
        cluster
            .secrets
            .retain(|_, secret| secret["metadata"]["ownerReferences"][0]["uid"] != uid);
        cluster
            .objects
            .retain(|_, object| object["metadata"]["ownerReferences"][0]["uid"] != uid);
        if let Some(log) = cluster.logs.remove(name) {
            drop(log);
        }
        let change = json!({ "type": "DELETED", "object": pod });
        self.add(&mut cluster, change);
    }

    fn put(&self, pod: &Value) {
        let name = pod["metadata"]["name"].as_str().unwrap().to_owned();
        let mut cluster = self.cluster();
        let is_new = cluster.pods.insert(name.clone(), pod.clone()).is_none();
        if is_new {
            cluster.logs.entry(name).or_default();
        }
        let kind = if is_new { "ADDED" } else { "MODIFIED" };
        self.add(&mut cluster, json!({ "type": kind, "object": pod }));
    }

    fn add(&self, cluster: &mut Cluster, mut change: Value) {
        cluster.version += 1;
        let version = cluster.version;
        change["object"]["metadata"]["resourceVersion"] = json!(version.to_string());
        cluster.changes.push((version, change));
        self.tell();
    }

    fn tell(&self) {
        self.0.changed.send_modify(|number| *number += 1);
    }

    /// Adds an event of a pod.
    pub fn warn(&self, name: &str, reason: &str, message: &str) {
        let event = json!({
            "metadata": { "name": reason, "creationTimestamp": "2026-11-30T12:00:02Z" },
            "involvedObject": { "uid": format!("uid-of-{name}") },
            "type": "Warning",
            "reason": reason,
            "message": message,
        });
        self.cluster().events.push(event);
    }

    /// Has a container write a line at a time, in nanoseconds after the start.
    pub fn write(&self, name: &str, nanoseconds: i64, text: &str) {
        let start: jiff::Timestamp = "2026-11-30T12:00:00Z".parse().unwrap();
        let at = start + jiff::SignedDuration::from_nanos(nanoseconds);
        let mut cluster = self.cluster();
        let log = cluster.logs.get_mut(name).unwrap();
        log.lines.push((at, text.to_owned()));
        drop(cluster);
        self.tell();
    }

    /// Ends the connections of those who follow a log.
    pub fn close_log(&self, name: &str) {
        if let Some(log) = self.cluster().logs.get_mut(name) {
            log.is_closed = true;
        }
        self.tell();
    }

    pub fn open_log(&self, name: &str) {
        self.cluster().logs.get_mut(name).unwrap().is_closed = false;
    }

    pub fn pods(&self) -> Vec<String> {
        self.cluster().pods.keys().cloned().collect()
    }

    pub fn secrets(&self) -> Vec<String> {
        self.cluster().secrets.keys().cloned().collect()
    }

    /// The objects of the other kinds, by path.
    pub fn objects(&self) -> BTreeMap<String, Value> {
        self.cluster().objects.clone()
    }

    pub fn forget_object(&self, path: &str) {
        self.cluster().objects.remove(path);
    }

    pub fn secret(&self) -> Value {
        self.cluster().secrets[&format!("livius-{DRIVER}")].clone()
    }
}

type Parameters = Query<BTreeMap<String, String>>;

fn failure(code: u16, reason: &str, message: &str) -> Response {
    let status = json!({
        "apiVersion": "v1",
        "kind": "Status",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "code": code,
    });
    let code = StatusCode::from_u16(code).unwrap();
    (code, axum::Json(status)).into_response()
}

fn success() -> Response {
    let status =
        json!({ "apiVersion": "v1", "kind": "Status", "metadata": {}, "status": "Success" });
    axum::Json(status).into_response()
}

fn not_found() -> Response {
    failure(404, "NotFound", "it is not found")
}

fn away() -> Response {
    failure(503, "ServiceUnavailable", "the store is away")
}

async fn unknown() -> Response {
    not_found()
}

fn has_labels(object: &Value, selector: &str) -> bool {
    selector
        .split(',')
        .filter(|part| !part.is_empty())
        .all(|part| {
            let (label, value) = part.split_once('=').unwrap();
            object["metadata"]["labels"][label] == *value
        })
}

fn list(kind: &str, version: u64, items: &[&Value]) -> Response {
    let list = json!({
        "apiVersion": "v1",
        "kind": kind,
        "metadata": { "resourceVersion": version.to_string() },
        "items": items,
    });
    axum::Json(list).into_response()
}

async fn pods(State(server): State<ApiServer>, Query(query): Parameters) -> Response {
    let selector = query.get("labelSelector").cloned().unwrap_or_default();
    let from = query
        .get("resourceVersion")
        .and_then(|version| version.parse().ok());
    let mut cluster = server.cluster();
    if cluster.is_away {
        return away();
    }
    if query.contains_key("watch") {
        drop(cluster);
        return news(server, selector, from.unwrap_or(0));
    }
    cluster.lists += 1;
    let pods = cluster.pods.values();
    let found: Vec<&Value> = pods.filter(|pod| has_labels(pod, &selector)).collect();
    list("PodList", cluster.version, &found)
}

/// The changes after a version, as they come.
fn news(server: ApiServer, selector: String, from: u64) -> Response {
    let changed = server.0.changed.subscribe();
    let state = (server, selector, from, changed);
    let lines = stream::unfold(state, |(server, selector, from, mut changed)| async move {
        loop {
            let (next, text) = {
                let cluster = server.cluster();
                if cluster.is_away {
                    return None;
                }
                let news = cluster.changes.iter().filter(|(number, _)| *number > from);
                let news = news.filter(|(_, change)| has_labels(&change["object"], &selector));
                let text: Vec<String> = news.map(|(_, change)| format!("{change}\n")).collect();
                let text = text.concat();
                (cluster.version, text)
            };
            if !text.is_empty() {
                let item = Ok::<_, Infallible>(text);
                return Some((item, (server, selector, next, changed)));
            }
            changed.changed().await.ok()?;
        }
    });
    Body::from_stream(lines).into_response()
}

async fn delete_pod(State(server): State<ApiServer>, Path(name): Path<String>) -> Response {
    let keeps = {
        let mut cluster = server.cluster();
        if cluster.is_away {
            return away();
        }
        if !cluster.pods.contains_key(&name) {
            return not_found();
        }
        cluster.deleted.push(name.clone());
        cluster.keeps_deleted
    };
    if keeps {
        let mut pod = server.cluster().pods[&name].clone();
        pod["metadata"]["deletionTimestamp"] = json!("2026-11-30T12:00:09Z");
        server.put(&pod);
    } else {
        server.remove(&name);
    }
    success()
}

async fn log(
    State(server): State<ApiServer>,
    Path(name): Path<String>,
    Query(query): Parameters,
) -> Response {
    {
        let mut cluster = server.cluster();
        cluster.log_requests += 1;
        if cluster.refuses_logs {
            return failure(403, "Forbidden", "you may not see logs");
        }
        if !cluster.logs.contains_key(&name) {
            return not_found();
        }
    }
    let since: Option<jiff::Timestamp> = query.get("sinceTime").map(|time| time.parse().unwrap());
    let since = since.map_or(i64::MIN, jiff::Timestamp::as_second);
    let follows = query.get("follow").is_some_and(|follow| follow == "true");
    let changed = server.0.changed.subscribe();
    let state = (server, name, 0, changed);
    let lines = stream::unfold(state, move |(server, name, sent, mut changed)| async move {
        loop {
            let (count, text, ends) = {
                let cluster = server.cluster();
                let log = cluster.logs.get(&name)?;
                let new = log.lines.iter().skip(sent);
                let new = new.filter(|(at, _)| at.as_second() >= since);
                let text: Vec<String> = new.map(|(at, text)| format!("{at:.9} {text}\n")).collect();
                let text = text.concat();
                (log.lines.len(), text, log.is_closed || !follows)
            };
            if !text.is_empty() {
                let item = Ok::<_, Infallible>(text);
                return Some((item, (server, name, count, changed)));
            }
            if ends {
                return None;
            }
            changed.changed().await.ok()?;
        }
    });
    Body::from_stream(lines).into_response()
}

async fn events(State(server): State<ApiServer>, Query(query): Parameters) -> Response {
    let cluster = server.cluster();
    let selector = query.get("fieldSelector").cloned().unwrap_or_default();
    let uid = selector
        .trim_start_matches("involvedObject.uid=")
        .to_owned();
    let events = cluster.events.iter();
    let found: Vec<&Value> = events
        .filter(|event| event["involvedObject"]["uid"] == *uid)
        .collect();
    list("EventList", cluster.version, &found)
}

async fn secrets(State(server): State<ApiServer>, Query(query): Parameters) -> Response {
    let cluster = server.cluster();
    if cluster.is_away {
        return away();
    }
    let selector = query.get("labelSelector").cloned().unwrap_or_default();
    let secrets = cluster.secrets.values();
    let found: Vec<&Value> = secrets.filter(|one| has_labels(one, &selector)).collect();
    list("SecretList", cluster.version, &found)
}

async fn make_secret(State(server): State<ApiServer>, body: String) -> Response {
    let mut secret: Value = serde_json::from_str(&body).unwrap();
    let name = secret["metadata"]["name"].as_str().unwrap().to_owned();
    let mut cluster = server.cluster();
    if cluster.refuses_secrets {
        return failure(403, "Forbidden", "secrets is forbidden: you may not");
    }
    if cluster.secrets.contains_key(&name) {
        return failure(409, "AlreadyExists", "it exists");
    }
    cluster.version += 1;
    secret["metadata"]["uid"] = json!(format!("uid-{}", cluster.version));
    cluster.secrets.insert(name, secret.clone());
    (StatusCode::CREATED, axum::Json(secret)).into_response()
}

async fn secret(State(server): State<ApiServer>, Path(name): Path<String>) -> Response {
    match server.cluster().secrets.get(&name) {
        Some(secret) => axum::Json(secret.clone()).into_response(),
        None => not_found(),
    }
}

async fn change_secret(
    State(server): State<ApiServer>,
    Path(name): Path<String>,
    body: String,
) -> Response {
    let patch: Value = serde_json::from_str(&body).unwrap();
    match server.cluster().secrets.get_mut(&name) {
        Some(secret) => {
            secret["metadata"]["ownerReferences"] = patch["metadata"]["ownerReferences"].clone();
            axum::Json(secret.clone()).into_response()
        }
        None => not_found(),
    }
}

async fn delete_secret(State(server): State<ApiServer>, Path(name): Path<String>) -> Response {
    match server.cluster().secrets.remove(&name) {
        Some(_) => success(),
        None => not_found(),
    }
}

async fn make_object(
    State(server): State<ApiServer>,
    Path(path): Path<String>,
    body: String,
) -> Response {
    let mut object: Value = serde_json::from_str(&body).unwrap();
    let mut cluster = server.cluster();
    cluster.object_requests += 1;
    if cluster.is_away {
        return away();
    }
    let resource = path.rsplit('/').next().unwrap();
    if cluster.refuses == Some(resource) {
        return failure(403, "Forbidden", "ingresses is forbidden: you may not");
    }
    let path = format!("{path}/{}", object["metadata"]["name"].as_str().unwrap());
    if cluster.objects.contains_key(&path) {
        return failure(409, "AlreadyExists", "it exists");
    }
    object["metadata"]["uid"] = json!(format!("uid-of-{path}"));
    // The garbage collector removes what belongs to a pod that is gone.
    let owner = &object["metadata"]["ownerReferences"][0]["uid"];
    let mut owners = cluster.pods.values();
    if owners.any(|pod| pod["metadata"]["uid"] == *owner) {
        cluster.objects.insert(path, object.clone());
    }
    (StatusCode::CREATED, axum::Json(object)).into_response()
}

async fn object(State(server): State<ApiServer>, Path(path): Path<String>) -> Response {
    match server.cluster().objects.get(&path) {
        Some(object) => axum::Json(object.clone()).into_response(),
        None => not_found(),
    }
}
