//! Bodies that are made while they are sent belong to their request, too: so do the lines that are
//! logged for them.

use axum::body::{Body, HttpBody as _};
use axum::response::Response;
use futures_util::{StreamExt as _, stream};
use tracing::Span;

/// Has the rest of a body made in the span of its request. A body of known length is complete.
pub fn in_span(response: Response, span: &Span) -> Response {
    if response.body().size_hint().exact().is_some() {
        return response;
    }
    let span = span.clone();
    response.map(|body| {
        let mut pieces = body.into_data_stream();
        Body::from_stream(stream::poll_fn(move |context| {
            let _entered = span.enter();
            pieces.poll_next_unpin(context)
        }))
    })
}
