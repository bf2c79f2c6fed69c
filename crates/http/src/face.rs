//! The interfaces that clients speak to.

use axum::response::IntoResponse;

use crate::request::rejection::Rejection;
use crate::state::AppState;

/// An interface with its own errors. It is the state type of its routes, so the compiler keeps a
/// handler from refusing in the words of another interface.
pub trait Face: Clone + Send + Sync + 'static {
    /// This interface's error response.
    type Error: From<Rejection> + IntoResponse;

    /// The state that all interfaces share.
    fn app(&self) -> &AppState;
}
