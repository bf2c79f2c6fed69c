//! An API server with the parts that the client asks, and with the faults that a test wants.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::store::{NAMESPACE, Store};

/// A request.
#[derive(Debug, Clone)]
pub struct Asked {
    pub method: String,
    pub path: String,
    pub query: Vec<(String, String)>,
    pub user_agent: String,
    pub is_authorized: bool,
    pub body: Value,
}

impl Asked {
    pub fn value(&self, key: &str) -> Option<&str> {
        let pair = self.query.iter().find(|pair| pair.0 == key)?;
        Some(&pair.1)
    }

    pub fn is_watch(&self) -> bool {
        self.value("watch").is_some()
    }

    /// The method and the path below the namespace.
    pub fn line(&self) -> String {
        let path = self.path.strip_prefix(NAMESPACE).unwrap_or(&self.path);
        format!("{} {path}", self.method)
    }
}

/// A fault: a response instead of the usual one.
pub type Fault = Arc<dyn Fn(&Asked) -> Option<Response> + Send + Sync>;

/// The server's state, which outlives a stop of the server.
#[derive(Clone)]
pub struct State {
    store: Arc<Mutex<Store>>,
    changes: watch::Sender<u64>,
    asked: Arc<Mutex<Vec<Asked>>>,
    fault: Arc<Mutex<Fault>>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            store: Arc::default(),
            changes: watch::Sender::default(),
            asked: Arc::default(),
            fault: Arc::new(Mutex::new(Arc::new(|_| None))),
        }
    }
}

impl State {
    /// Changes the objects. Watches tell it.
    pub fn change<T>(&self, change: impl FnOnce(&mut Store) -> T) -> T {
        let result = change(&mut self.store.lock().unwrap());
        self.changes.send_modify(|count| *count += 1);
        result
    }

    pub fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap()
    }

    /// Breaks all watches.
    pub fn break_watches(&self) {
        self.change(|store| store.breaks += 1);
    }

    /// The requests so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// From now on, some requests have another response.
    pub fn fault(&self, fault: impl Fn(&Asked) -> Option<Response> + Send + Sync + 'static) {
        *self.fault.lock().unwrap() = Arc::new(fault);
    }

    pub fn no_fault(&self) {
        self.fault(|_| None);
    }
}

/// A running server. Dropping it closes its port and all its connections.
pub struct Server {
    pub address: SocketAddr,
    tasks: JoinSet<()>,
}

impl Server {
    pub async fn start(state: &State) -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap(), state).await
    }

    pub async fn start_at(address: SocketAddr, state: &State) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = state.clone();
        let router = Router::new().fallback(move |request: Request| {
            let state = state.clone();
            async move {
                let asked = read(request).await;
                state.asked.lock().unwrap().push(asked.clone());
                let fault = Arc::clone(&state.fault.lock().unwrap());
                fault(&asked).unwrap_or_else(|| answer(&state, &asked))
            }
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, tasks }
    }

    /// Ends it. Returns when the port is closed. Watches break.
    pub async fn stop(mut self, state: &State) -> SocketAddr {
        self.tasks.shutdown().await;
        state.break_watches();
        self.address
    }
}

async fn read(request: Request) -> Asked {
    let (parts, body) = request.into_parts();
    let header = |name: &str| {
        let value = parts.headers.get(name);
        value.map(|value| value.to_str().unwrap().to_owned())
    };
    let url = format!("http://a{}", parts.uri);
    let query = url.split_once('?').map_or("", |parts| parts.1);
    let query = query.split('&').filter_map(|pair| pair.split_once('='));
    let body = to_bytes(body, 4 << 20).await.unwrap();
    Asked {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: query
            .map(|(key, value)| (key.to_owned(), decoded(value)))
            .collect(),
        user_agent: header("user-agent").unwrap_or_default(),
        is_authorized: header("authorization").is_some(),
        body: serde_json::from_slice(&body).unwrap_or_default(),
    }
}

fn decoded(value: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = value.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match first {
            b'%' => {
                let code = std::str::from_utf8(&after[..2]).unwrap();
                bytes.push(u8::from_str_radix(code, 16).unwrap());
                rest = &after[2..];
            }
            b'+' => bytes.push(b' '),
            other => bytes.push(*other),
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// The response of an API server without a fault.
fn answer(state: &State, asked: &Asked) -> Response {
    // The other groups have the same namespace below other paths.
    let namespace = "/namespaces/spark";
    let below = asked
        .path
        .split_once(namespace)
        .map_or("", |(_, below)| below);
    let parts: Vec<&str> = below.split('/').skip(1).collect();
    match (asked.method.as_str(), parts.as_slice()) {
        ("GET", [resource]) if asked.is_watch() => follow(state, asked, resource),
        ("GET", [resource]) => list(&state.store(), asked, resource),
        ("GET", [resource, name]) => found(state.store().get(resource, name).cloned()),
        ("POST", [resource]) => create(state, asked, resource),
        ("PATCH", [resource, name]) => patch(state, asked, resource, name),
        ("DELETE", [resource, name]) => delete(state, asked, resource, name),
        _ => status(404, "the server could not find the requested resource"),
    }
}

fn found(object: Option<Value>) -> Response {
    match object {
        Some(object) => axum::Json(object).into_response(),
        None => status(404, "it is not found"),
    }
}

/// A list in pages. The token of the next page is the number of objects before it, and the version.
fn list(store: &Store, asked: &Asked, resource: &str) -> Response {
    let all = store.select(resource, &asked.query);
    let limit: usize = asked
        .value("limit")
        .map_or(usize::MAX, |text| text.parse().unwrap());
    let token = asked
        .value("continue")
        .and_then(|token| token.split_once('-'));
    let (from, version) = token.map_or((0, store.version()), |(from, version)| {
        (from.parse().unwrap(), version.parse().unwrap())
    });
    if token.is_some() && version < store.forgotten {
        return gone();
    }
    let page: Vec<Value> = all.iter().skip(from).take(limit).cloned().collect();
    let next = from + page.len();
    let token = (next < all.len()).then(|| format!("{next}-{version}"));
    axum::Json(json!({
        "kind": "List", "apiVersion": "v1",
        "metadata": {"resourceVersion": version.to_string(), "continue": token},
        "items": page,
    }))
    .into_response()
}

fn follow(state: &State, asked: &Asked, resource: &str) -> Response {
    let after: u64 = asked.value("resourceVersion").unwrap().parse().unwrap();
    let breaks = state.store().breaks;
    if after < state.store().forgotten {
        let event = json!({"type": "ERROR", "object": failure(410, "too old resource version")});
        return format!("{event}\n").into_response();
    }
    let (query, resource) = (asked.query.clone(), resource.to_owned());
    let start = (after, state.clone(), state.changes.subscribe());
    let lines = stream::unfold(start, move |(after, state, mut changes)| {
        let (query, resource) = (query.clone(), resource.clone());
        async move {
            loop {
                let (text, version) = state.store().news(&resource, &query, after);
                if state.store().breaks != breaks {
                    return Some((Err("broken"), (after, state, changes)));
                }
                if !text.is_empty() {
                    return Some((Ok(Bytes::from(text)), (version, state, changes)));
                }
                changes.changed().await.ok()?;
            }
        }
    });
    Body::from_stream(lines).into_response()
}

fn create(state: &State, asked: &Asked, resource: &str) -> Response {
    let name = asked.body["metadata"]["name"].as_str().unwrap();
    if state.store().get(resource, name).is_some() {
        return status(409, &format!("{resource} {name:?} already exists"));
    }
    let mut object = asked.body.clone();
    let uid = format!("uid-of-{name}-{}", state.store().version());
    object["metadata"]["uid"] = json!(uid);
    let created = state.change(|store| store.put(resource, object));
    (StatusCode::CREATED, axum::Json(created)).into_response()
}

/// A merge of metadata, which is all that the client patches.
fn patch(state: &State, asked: &Asked, resource: &str, name: &str) -> Response {
    let Some(mut object) = state.store().get(resource, name).cloned() else {
        return status(404, "it is not found");
    };
    for (key, value) in asked.body["metadata"].as_object().unwrap() {
        object["metadata"][key] = value.clone();
    }
    axum::Json(state.change(|store| store.put(resource, object))).into_response()
}

fn delete(state: &State, asked: &Asked, resource: &str, name: &str) -> Response {
    let uid = state
        .store()
        .get(resource, name)
        .map(|object| object["metadata"]["uid"].clone());
    let Some(uid) = uid else {
        return status(404, "it is not found");
    };
    let wanted = &asked.body["preconditions"]["uid"];
    if !wanted.is_null() && *wanted != uid {
        return status(409, "Precondition failed: UID in precondition");
    }
    found(state.change(|store| store.remove(resource, name)))
}

/// A refusal, as the API server writes it.
pub fn status(code: u16, message: &str) -> Response {
    let status = StatusCode::from_u16(code).unwrap();
    (status, axum::Json(failure(code, message))).into_response()
}

pub fn gone() -> Response {
    status(410, "The provided continue parameter is too old")
}

fn failure(code: u16, message: &str) -> Value {
    let reason = match code {
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "NotFound",
        409 => "Conflict",
        410 => "Expired",
        _ => "InternalError",
    };
    json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason, "code": code,
    })
}
