//! The fingerprint of a request: a hash of the method, the path, the query without the wait, the
//! webhook, the media type and the body. A repeated request has the same fingerprint.

use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use livius_sessions::WEBHOOK_HEADER;
use sha2::{Digest as _, Sha256};

use crate::request::query;

/// A hash of this many bytes takes about a millisecond. Then other tasks get their turn.
const PIECE_BYTES: usize = 256 << 10;

/// A repetition may wait for something else.
const WAITS: [&str; 2] = ["wait", "until"];

/// A hash that is being computed. Each part has its length before it, so that no two requests have
/// the same parts in a row.
#[derive(Debug, Clone)]
pub struct Fingerprint(Sha256);

impl Fingerprint {
    /// Begins with everything but the body. The path must be normalised.
    pub fn of(parts: &Parts) -> Self {
        let mut fingerprint = Self(Sha256::new());
        fingerprint.part(parts.method.as_str().as_bytes());
        fingerprint.part(parts.uri.path().as_bytes());
        let query = parts.uri.query().unwrap_or_default();
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        for pair in pairs.filter(|pair| !is_wait(pair)) {
            fingerprint.part(pair.as_bytes());
        }
        for webhook in parts.headers.get_all(WEBHOOK_HEADER) {
            // No query has a blank, so no query looks like this.
            fingerprint.part(&[b"webhook ", webhook.as_bytes()].concat());
        }
        let content_type = parts.headers.get(CONTENT_TYPE);
        let content_type = content_type.map_or(&b""[..], |value| value.as_bytes());
        fingerprint.part(b"");
        fingerprint.part(&essence(content_type));
        fingerprint
    }

    /// Appends a text or a short body.
    pub fn part(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
    }

    /// Appends a piece of the last part, which needs no length.
    pub fn piece(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Appends the last part, which may be long.
    pub async fn body(&mut self, bytes: &[u8]) {
        for piece in bytes.chunks(PIECE_BYTES) {
            self.piece(piece);
            if piece.len() == PIECE_BYTES {
                tokio::task::yield_now().await;
            }
        }
    }

    pub fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}

fn is_wait(pair: &str) -> bool {
    let name = query::decoded(pair.split('=').next().unwrap_or_default());
    WAITS.contains(&&*name)
}

/// The media type without its parameters, which clients write in several ways.
fn essence(content_type: &[u8]) -> Vec<u8> {
    let essence = content_type.split(|byte| *byte == b';').next();
    essence
        .unwrap_or_default()
        .trim_ascii()
        .to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    const JSON: &str = "application/json";

    async fn print(method: &str, uri: &str, content_type: &str, body: &[u8]) -> [u8; 32] {
        let request = Request::builder().method(method).uri(uri);
        let request = request.header(CONTENT_TYPE, content_type).body(()).unwrap();
        let mut fingerprint = Fingerprint::of(&request.into_parts().0);
        fingerprint.body(body).await;
        fingerprint.finish()
    }

    #[tokio::test]
    async fn what_a_client_may_change_in_a_repetition_changes_nothing() {
        let first = print("POST", "/sessions?doAs=b", JSON, b"{}").await;
        for (uri, content_type) in [
            ("/sessions?doAs=b&wait=30s", JSON),
            ("/sessions?wait&until=idle&doAs=b", JSON),
            ("/sessions?%77ait=1s&doAs=b", JSON),
            ("/sessions?&doAs=b&", JSON),
            ("/sessions?doAs=b", "Application/JSON ; charset=utf-8"),
        ] {
            let again = print("POST", uri, content_type, b"{}").await;
            assert_eq!(again, first, "{uri} {content_type}");
        }
    }

    #[tokio::test]
    async fn every_other_difference_makes_another_request() {
        let long = vec![b'x'; 2 * PIECE_BYTES + 1];
        let mut other_end = long.clone();
        *other_end.last_mut().unwrap() = b'y';
        let requests: [(&str, &str, &str, &[u8]); 14] = [
            ("POST", "/sessions", JSON, b"{}"),
            ("PUT", "/sessions", JSON, b"{}"),
            ("POST", "/batches", JSON, b"{}"),
            ("POST", "/sessions?doAs=b", JSON, b"{}"),
            ("POST", "/sessions?doAs=b&a", JSON, b"{}"),
            ("POST", "/sessions?a&doAs=b", JSON, b"{}"),
            ("POST", "/sessions?waits=1", JSON, b"{}"),
            ("POST", "/sessions?doAs=ba", JSON, b"{}"),
            ("POST", "/sessions", "text/plain", b"{}"),
            ("POST", "/sessions", JSON, b"{ }"),
            ("POST", "/sessions", JSON, b""),
            ("POST", "/sessions", "application/json{}", b""),
            ("POST", "/sessions", JSON, &long),
            ("POST", "/sessions", JSON, &other_end),
        ];
        let mut prints = std::collections::HashSet::new();
        for (method, uri, content_type, body) in requests {
            let print = print(method, uri, content_type, body).await;
            assert!(prints.insert(print), "{method} {uri} {content_type}");
        }
    }
}
