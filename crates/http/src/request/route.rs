//! The route of a request, for what runs before the routing and after the response.

use std::sync::{Arc, OnceLock};

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;

/// A place for the route of a request. It is kept also when the handler panics.
#[derive(Debug, Clone, Default)]
pub struct RouteOf(Arc<OnceLock<MatchedPath>>);

impl RouteOf {
    /// The template of the route; `None` if no route matched.
    pub fn template(&self) -> Option<&str> {
        self.0.get().map(MatchedPath::as_str)
    }
}

/// Notes which route a request has matched.
pub async fn noted(request: Request, next: Next) -> Response {
    let extensions = request.extensions();
    if let (Some(place), Some(matched)) =
        (extensions.get::<RouteOf>(), extensions.get::<MatchedPath>())
    {
        let _ = place.0.set(matched.clone());
    }
    next.run(request).await
}
