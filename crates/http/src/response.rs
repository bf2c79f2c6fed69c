//! Writing responses. Here are those that are written at once; the modules below write the long ones piece by piece.

pub mod job_stream;
pub mod list_stream;
pub mod pieces;
pub mod security_headers;
pub mod statement_stream;

use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde::Serialize;

/// Exactly as Livy writes it: some clients choose their parser by it.
pub const JSON: HeaderValue = HeaderValue::from_static("application/json;charset=utf-8");

/// Logs what broke, and answers the number by which a client can ask for it.
pub fn log_internal(error: &str) -> u64 {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    let reference = COUNT.fetch_add(1, Ordering::Relaxed);
    tracing::error!(reference, error, "a request failed");
    reference
}

/// An answer of JSON text.
pub fn json(status: StatusCode, text: impl Into<Body>) -> Response {
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    response
}

/// An answer of a value.
pub fn ok<T: Serialize>(value: &T) -> Response {
    json(
        StatusCode::OK,
        serde_json::to_vec(value).expect("answers are structs of texts and numbers"),
    )
}

/// An answer about something new. `Location` is a path, as Livy's is: the server does not know by what name it was reached.
pub fn created(location: String, text: Vec<u8>) -> Response {
    let mut response = json(StatusCode::CREATED, text);
    let location = HeaderValue::try_from(location).expect("a path of names and numbers of our own");
    response.headers_mut().insert(LOCATION, location);
    response
}
