//! The time from a request to the start of its response.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::time::timeout;

use crate::request::rejection::Rejection;

/// Runs a handler, and refuses the request when its response does not start in time.
pub async fn respond_within<E: From<Rejection> + IntoResponse>(
    State(deadline): State<Duration>,
    request: Request,
    next: Next,
) -> Response {
    timeout(deadline, next.run(request))
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
        let began = Instant::now();
        let response = never.oneshot(Request::new(Body::empty())).await.unwrap();
        assert_eq!(response.status(), StatusCode::GATEWAY_TIMEOUT);
        assert_eq!(began.elapsed(), deadline);
    }
}
