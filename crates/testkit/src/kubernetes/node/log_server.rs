//! Serves the logs of containers to the API server, as a kubelet does.

use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::stream;
use jiff::Timestamp;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::server::TlsStream;

use super::events::Subject;
use super::log::{Log, Reader, Selection};
use super::time::now;

/// The time of a TLS handshake on a busy machine.
const HANDSHAKE: Duration = Duration::from_secs(10);

type Key = (String, String, String);

/// The log of every container, by namespace, pod and container.
#[derive(Clone, Default)]
pub struct Logs(Arc<Mutex<BTreeMap<Key, Arc<Log>>>>);

impl Logs {
    pub fn add(&self, pod: &Subject, container: &str, log: &Arc<Log>) {
        self.map().insert(key(pod, container), Arc::clone(log));
    }

    /// Forgets the log of a container, unless another pod of the same name has begun one.
    pub fn remove(&self, pod: &Subject, container: &str, log: &Arc<Log>) {
        let mut map = self.map();
        let key = key(pod, container);
        if map.get(&key).is_some_and(|known| Arc::ptr_eq(known, log)) {
            map.remove(&key);
        }
    }

    fn map(&self) -> std::sync::MutexGuard<'_, BTreeMap<Key, Arc<Log>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(pod: &Subject, container: &str) -> Key {
    (
        pod.namespace.clone(),
        pod.name.clone(),
        container.to_owned(),
    )
}

/// Binds a port. Returns the port, and the server.
pub async fn bind(
    certificate: &str,
    key: &str,
    logs: Logs,
) -> (u16, impl Future<Output = ()> + Send + 'static) {
    let certificates = CertificateDer::pem_slice_iter(certificate.as_bytes());
    let certificates = certificates.collect::<Result<Vec<_>, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let listener = Tls {
        listener,
        acceptor: TlsAcceptor::from(Arc::new(config)),
    };
    let routes = Router::new()
        .route("/containerLogs/{namespace}/{pod}/{container}", get(log))
        .with_state(logs);
    (port, async move {
        let _ = axum::serve(listener, routes).await;
    })
}

/// Accepts connections with TLS.
struct Tls {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl axum::serve::Listener for Tls {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let Ok((stream, address)) = self.listener.accept().await else {
                continue;
            };
            let handshake = tokio::time::timeout(HANDSHAKE, self.acceptor.accept(stream));
            if let Ok(Ok(stream)) = handshake.await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

async fn log(
    State(logs): State<Logs>,
    Path((namespace, pod, container)): Path<(String, String, String)>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    let refuse = |text: String| (StatusCode::BAD_REQUEST, text).into_response();
    let selection = match selection(&query) {
        Ok(selection) => selection,
        Err(text) => return refuse(text),
    };
    let key = (namespace, pod, container);
    let Some(log) = logs.map().get(&key).cloned() else {
        let (_, pod, container) = &key;
        // The API server has looked up the pod: only the container can be missing.
        return refuse(format!(
            "container {container:?} in pod {pod:?} is waiting to start: ContainerCreating"
        ));
    };
    let reader = Reader::new(SharedLog(log), selection);
    let body = stream::unfold(reader, |mut reader| async {
        let bytes = reader.read().await?;
        Some((Ok::<_, Infallible>(Bytes::from(bytes)), reader))
    });
    let headers = [(header::CONTENT_TYPE, "text/plain")];
    (headers, Body::from_stream(body)).into_response()
}

/// A log that lives as long as its readers.
struct SharedLog(Arc<Log>);

impl AsRef<Log> for SharedLog {
    fn as_ref(&self) -> &Log {
        &self.0
    }
}

fn selection(query: &HashMap<String, String>) -> Result<Selection, String> {
    fn number<T: std::str::FromStr>(
        query: &HashMap<String, String>,
        name: &str,
    ) -> Result<Option<T>, String> {
        let parsed = query.get(name).map(|text| text.parse()).transpose();
        parsed.map_err(|_| format!("{name} is not a number"))
    }
    let is_set = |name: &str| {
        let text = query.get(name).map(String::as_str);
        matches!(text, Some("true" | "1"))
    };
    if is_set("previous") {
        return Err("previous terminated container not found".to_owned());
    }
    let mut since: Option<Timestamp> = None;
    if let Some(seconds) = number::<u64>(query, "sinceSeconds")? {
        since = Some(now() - Duration::from_secs(seconds));
    } else if let Some(text) = query.get("sinceTime") {
        let time = text
            .parse()
            .map_err(|_| "sinceTime is not a time".to_owned())?;
        since = Some(time);
    }
    Ok(Selection {
        follow: is_set("follow"),
        timestamps: is_set("timestamps"),
        since,
        tail: number(query, "tailLines")?,
        limit: number(query, "limitBytes")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_selects_a_part_of_a_log() {
        let query = |pairs: &[(&str, &str)]| {
            let pairs = pairs
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
            selection(&pairs.collect())
        };
        let all = query(&[]).unwrap();
        assert!(!all.follow && !all.timestamps && all.since.is_none() && all.tail.is_none());
        let some = query(&[
            ("follow", "true"),
            ("timestamps", "true"),
            ("sinceTime", "2026-11-30T16:00:00Z"),
            ("tailLines", "3"),
            ("limitBytes", "9"),
        ])
        .unwrap();
        assert!(some.follow && some.timestamps);
        assert_eq!(some.since, Some("2026-11-30T16:00:00Z".parse().unwrap()));
        assert_eq!((some.tail, some.limit), (Some(3), Some(9)));
        assert!(query(&[("tailLines", "x")]).is_err());
        assert!(query(&[("previous", "true")]).is_err());
    }
}
