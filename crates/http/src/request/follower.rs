//! A request that follows something: the last event that the client has had, and its place among
//! those that wait.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::face::Face;
use crate::request::peer::Peer;
use crate::request::query::Query;
use crate::request::rejection::Rejection;
use crate::request::waiting_room::Place;

/// The header that a browser sends when it connects again.
const LAST_EVENT_ID: &str = "last-event-id";

/// The client of a stream of events.
#[derive(Debug)]
pub struct Follower {
    /// The id of the last event that the client has had. A client that cannot send the header sends
    /// the parameter `lastEventId`.
    pub last_event: Option<String>,
    pub place: Place,
}

impl<F: Face> FromRequestParts<F> for Follower {
    type Rejection = F::Error;

    async fn from_request_parts(parts: &mut Parts, face: &F) -> Result<Self, F::Error> {
        let header = parts.headers.get(LAST_EVENT_ID);
        let header = header.and_then(|value| value.to_str().ok());
        let last_event = match header {
            Some(id) => Some(id.to_owned()),
            None => Query::new(parts.uri.query())
                .text("lastEventId")
                .map(std::borrow::Cow::into_owned),
        };
        let peer = Peer::of(&parts.extensions);
        let place = face.app().waiting.take(&peer);
        Ok(Self {
            last_event: last_event.filter(|id| !id.is_empty()),
            place: place.ok_or(Rejection::TooManyWaits)?,
        })
    }
}
