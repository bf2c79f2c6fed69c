//! Writes responses. The functions here write short ones; the modules below stream long ones.

pub mod client;
pub mod event_stream;
pub mod in_span;
pub mod job_stream;
pub mod list_stream;
pub mod log_stream;
pub mod pieces;
pub mod security_headers;
pub mod statement_stream;
pub mod tagged;

use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use serde::Serialize;

/// Exactly as Livy writes it, because some clients choose their parser by it.
pub const JSON: HeaderValue = HeaderValue::from_static("application/json;charset=utf-8");

/// Tells that the answer is that of an earlier request.
pub const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// The name of a refusal or failure, in the extensions of its response. Livy's bodies have no place
/// for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code(pub &'static str);

/// Logs an internal error, and returns the number under which the client can report it.
pub fn log_internal(error: &str) -> u64 {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    let reference = COUNT.fetch_add(1, Ordering::Relaxed);
    tracing::error!(reference, error, "a request failed");
    reference
}

/// A response with a JSON text.
pub fn json(status: StatusCode, text: impl Into<Body>) -> Response {
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    response
}

/// A response with a value as JSON.
pub fn ok<T: Serialize>(value: &T) -> Response {
    json(StatusCode::OK, text_of(value))
}

/// A value as JSON.
pub fn text_of<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).expect("answers are structs of texts and numbers")
}

/// A response about a new resource. `Location` is a path, as in Livy: the server does not know the
/// host name that the client used.
pub fn created(location: String, text: impl Into<Body>) -> Response {
    let mut response = json(StatusCode::CREATED, text);
    let location = HeaderValue::try_from(location).expect("a path of names and numbers of our own");
    response.headers_mut().insert(LOCATION, location);
    response
}
