//! Streams of Server-Sent Events.

use std::convert::Infallible;
use std::time::Duration;

use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::{StreamExt as _, stream};
use serde::Serialize;

use crate::request::waiting_room::Place;

/// A stream without events has a comment as often, so that proxies and clients know that it lives.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Tells nginx to pass each event on at once.
const NO_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// The id of the last event of a stream that has nothing more to say.
pub const END: &str = "end";

/// What a client follows.
pub trait Events: Send + 'static {
    /// Waits for the next events, which may be none; `None` when there will be no more.
    fn next(&mut self) -> impl Future<Output = Option<Vec<Event>>> + Send;
}

/// An event with its id, its name and its data.
pub fn event<T: Serialize>(id: &str, name: &str, data: &T) -> Event {
    let event = Event::default().id(id).event(name);
    event
        .json_data(data)
        .expect("answers are structs of texts and numbers")
}

/// A response with events as they happen. It keeps its place as long as the client reads it. A client
/// that stops reading gets nothing more, and nothing is kept for it.
pub fn respond(events: impl Events, place: Place) -> Response {
    let events = stream::unfold((events, place), async |(mut events, place)| {
        let next = events.next().await?;
        Some((
            stream::iter(next.into_iter().map(Ok::<_, Infallible>)),
            (events, place),
        ))
    });
    let alive = KeepAlive::new().interval(HEARTBEAT);
    let stream = Box::pin(events.flatten());
    let mut response = Sse::new(stream).keep_alive(alive).into_response();
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(NO_BUFFERING, HeaderValue::from_static("no"));
    response
}

/// Tells a client that has had the last event to connect no more.
pub fn nothing_more() -> Response {
    StatusCode::NO_CONTENT.into_response()
}
