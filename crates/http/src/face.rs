//! The interfaces that clients speak to.

use axum::response::IntoResponse;

use crate::request::rejection::Rejection;
use crate::state::AppState;

/// An interface with errors of its own. It is the state of its routes, so a handler cannot refuse in the words of another interface.
pub trait Face: Clone + Send + Sync + 'static {
    /// What a client of this interface is told.
    type Error: From<Rejection> + IntoResponse;

    /// The state that all interfaces share.
    fn app(&self) -> &AppState;
}
