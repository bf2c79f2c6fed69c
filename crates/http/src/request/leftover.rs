//! Reads the rest of a refused request's body, because ordinary clients read the response only
//! after they have sent everything.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Error;
use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::Request;
use axum::http::header::EXPECT;
use axum::http::{HeaderMap, StatusCode};
use futures_util::stream::{self, StreamExt as _};

/// The amount that is read, as a multiple of the longest body that is accepted.
const MOST_BODIES: usize = 4;

/// The time that the server reads.
const PATIENCE: Duration = Duration::from_secs(10);

/// The part of a body that no handler has read.
pub struct Leftover {
    body: Arc<Mutex<Source>>,
    /// True if the client waits for `100 Continue` before it sends the body.
    waits: bool,
}

struct Source {
    body: Body,
    begun: bool,
}

impl Leftover {
    /// Keeps access to a request's body, if it has one.
    pub fn of(request: Request) -> (Request, Option<Self>) {
        if request.body().is_end_stream() {
            return (request, None);
        }
        let (parts, body) = request.into_parts();
        let waits = expects_word(&parts.headers);
        let body = Arc::new(Mutex::new(Source { body, begun: false }));
        let shared = Arc::clone(&body);
        let pieces = stream::poll_fn(move |context| next(&shared, context));
        let request = Request::from_parts(parts, Body::from_stream(pieces));
        (request, Some(Self { body, waits }))
    }

    /// Reads and drops the rest of a refused request's body, within limits. A client that was too
    /// slow once is not waited for again.
    pub async fn discard(self, status: StatusCode, body_bytes: usize) {
        let refused = status.is_client_error() || status.is_server_error();
        let overdue = [StatusCode::REQUEST_TIMEOUT, StatusCode::GATEWAY_TIMEOUT].contains(&status);
        if !refused || overdue || self.is_held_back() {
            return;
        }
        let _ = tokio::time::timeout(PATIENCE, self.take(body_bytes * MOST_BODIES)).await;
    }

    fn is_held_back(&self) -> bool {
        let source = self.body.lock().unwrap_or_else(PoisonError::into_inner);
        self.waits && !source.begun
    }

    async fn take(&self, most: usize) {
        let mut pieces = stream::poll_fn(|context| next(&self.body, context));
        let mut taken = 0;
        while taken < most {
            match pieces.next().await {
                Some(Ok(piece)) => taken += piece.len(),
                Some(Err(_)) | None => return,
            }
        }
    }
}

fn expects_word(headers: &HeaderMap) -> bool {
    headers
        .get(EXPECT)
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"))
}

fn next(source: &Mutex<Source>, context: &mut Context) -> Poll<Option<Result<Bytes, Error>>> {
    let mut source = source.lock().unwrap_or_else(PoisonError::into_inner);
    source.begun = true;
    // Trailers are ignored.
    Pin::new(&mut source.body)
        .poll_frame(context)
        .map_ok(|frame| frame.into_data().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: usize = 100;

    /// Returns how many bytes of an endless body are read after a response with this status.
    async fn taken(status: StatusCode, expect: &str) -> usize {
        let count = Arc::new(Mutex::new(0));
        let counted = Arc::clone(&count);
        let endless = stream::repeat_with(move || {
            *counted.lock().unwrap() += 10;
            Ok::<_, std::io::Error>(Bytes::from_static(b"0123456789"))
        });
        let request = Request::builder().header(EXPECT, expect);
        let request = request.body(Body::from_stream(endless)).unwrap();
        let (_unread, leftover) = Leftover::of(request);
        leftover.unwrap().discard(status, LIMIT).await;
        *count.lock().unwrap()
    }

    #[tokio::test]
    async fn a_refused_body_is_taken_within_bounds() {
        for (status, expect, bytes) in [
            (StatusCode::PAYLOAD_TOO_LARGE, "", LIMIT * MOST_BODIES),
            (StatusCode::NOT_FOUND, "", LIMIT * MOST_BODIES),
            (StatusCode::PAYLOAD_TOO_LARGE, "100-Continue", 0),
            (StatusCode::REQUEST_TIMEOUT, "", 0),
            (StatusCode::OK, "", 0),
        ] {
            assert_eq!(taken(status, expect).await, bytes, "{status} {expect}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_come_is_not_waited_for_long() {
        let silent = Body::from_stream(stream::pending::<Result<Bytes, Error>>());
        let (_unread, leftover) = Leftover::of(Request::new(silent));
        let began = tokio::time::Instant::now();
        let refused = StatusCode::NOT_FOUND;
        leftover.unwrap().discard(refused, LIMIT).await;
        assert_eq!(began.elapsed().as_secs(), PATIENCE.as_secs());
        assert!(Leftover::of(Request::new(Body::empty())).1.is_none());
    }
}
