//! The interfaces that clients speak to.

use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use livius_domain::Made;
use livius_sessions::SessionError;

use crate::request::rejection::Rejection;
use crate::state::AppState;

/// An interface with its own errors. It is the state type of its routes, so the compiler keeps a
/// handler from refusing in the words of another interface.
pub trait Face: Clone + Send + Sync + 'static {
    /// This interface's error response.
    type Error: From<Rejection> + From<SessionError> + IntoResponse;

    /// The state that all interfaces share.
    fn app(&self) -> &AppState;

    /// Whether a request only asks what would come of it. Its key stays free for the request itself.
    fn does_nothing(&self, _: &Parts) -> bool {
        false
    }

    /// The answer to a request that has made this, whose first answer was not kept.
    fn remade(
        &self,
        parts: &mut Parts,
        made: Made,
    ) -> impl Future<Output = Result<Response, Self::Error>> + Send;
}
