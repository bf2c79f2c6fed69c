//! The time from a request to the start of its response.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::time::timeout;

use crate::request::rejection::Rejection;
use crate::request::wait::time_to_wait;

/// Runs a handler, and refuses the request when its response does not start in time. A request that
/// waits for a change has the time of its wait besides.
pub async fn respond_within<E: From<Rejection> + IntoResponse>(
    State(deadline): State<Duration>,
    request: Request,
    next: Next,
) -> Response {
    let waits = time_to_wait(request.uri().query());
    timeout(deadline + waits, next.run(request))
        .await
        .unwrap_or_else(|_| E::from(Rejection::Overdue(deadline)).into_response())
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::http::StatusCode;
    use axum::middleware::from_fn_with_state;
    use tokio::time::Instant;
    use tower::ServiceExt as _;

    use super::*;
    use crate::livy::Refusal;

    #[tokio::test(start_paused = true)]
    async fn a_handler_that_never_responds_is_answered_for() {
        let deadline = Duration::from_secs(5);
        let never = Router::new()
            .fallback(async || std::future::pending::<Response>().await)
            .layer(from_fn_with_state(deadline, respond_within::<Refusal>));
        for (path, time) in [("/", 5), ("/?wait=30s", 35), ("/?wait=1", 5)] {
            let began = Instant::now();
            let request = Request::get(path).body(Body::empty()).unwrap();
            let response = never.clone().oneshot(request).await.unwrap();
            assert_eq!(response.status(), StatusCode::GATEWAY_TIMEOUT);
            assert_eq!(began.elapsed(), Duration::from_secs(time), "{path}");
        }
    }
}
