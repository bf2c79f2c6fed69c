//! Requests that wait: `?wait=30s&until=idle`.
//!
//! A wait is a hint. It is shortened to [`LONGEST`], and ends at once when too many requests wait
//! already, of this client or in total, so a client has to look at the state in the response in any case. Livy ignores these
//! parameters, so a client may send them to any server.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use livius_domain::duration;
use livius_wire::RequestError;
use livius_wire::livy::{BatchState, SessionState};
use tokio::time::Instant;

use crate::face::Face;
use crate::request::peer::Peer;
use crate::request::query::Query;
use crate::request::waiting_room::{Place, WaitingRoom};

/// The longest wait. Many proxies end a request that gets no response within a minute.
const LONGEST: Duration = Duration::from_secs(50);

/// A request that may wait until its deadline. It has a place as long as this lives.
#[derive(Debug)]
pub struct Wait {
    pub deadline: Instant,
    _place: Place,
}

/// The query of a request that may wait, and its client.
#[derive(Debug)]
pub struct MayWait {
    query: Option<String>,
    peer: Peer,
    room: WaitingRoom,
}

impl MayWait {
    pub fn query(&self) -> Query<'_> {
        Query::new(self.query.as_deref())
    }

    /// Reads how long the request wants to wait. `None` when it does not, or cannot.
    pub fn wait(&self) -> Result<Option<Wait>, RequestError> {
        let Some(time) = asked(self.query())? else {
            return Ok(None);
        };
        Ok(self.room.take(&self.peer).map(|place| Wait {
            deadline: Instant::now() + time,
            _place: place,
        }))
    }
}

impl<F: Face> FromRequestParts<F> for MayWait {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, face: &F) -> Result<Self, Infallible> {
        Ok(Self {
            query: parts.uri.query().map(str::to_owned),
            peer: Peer::of(&parts.extensions),
            room: face.app().waiting.clone(),
        })
    }
}

/// How long a request may wait, if it says so in its query.
pub fn time_to_wait(query: Option<&str>) -> Duration {
    let asked = query.and_then(|query| asked(Query::new(Some(query))).ok());
    asked.flatten().unwrap_or_default()
}

fn asked(query: Query) -> Result<Option<Duration>, RequestError> {
    let Some(text) = query.text("wait") else {
        return Ok(None);
    };
    let refused = |why: &str| {
        RequestError::Refused(format!(
            "wait={text}: {why}; write a number and a unit (ms, s, m), as in wait=30s"
        ))
    };
    // Livy's durations without a unit are milliseconds, but a person who writes 30 means seconds.
    if text.trim().bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(refused("there is no unit"));
    }
    let time = duration::parse(&text).map_err(|error| refused(&error.to_string()))?;
    Ok(Some(time.min(LONGEST)))
}

/// The states that a client waits for.
#[derive(Debug, PartialEq, Eq)]
pub struct Until<S>(Vec<S>);

impl<S: Copy + PartialEq> Until<S> {
    pub fn includes(&self, state: S) -> bool {
        self.0.contains(&state)
    }
}

impl Until<SessionState> {
    /// The states of the query; without any, all in which a session has started or ended.
    pub fn of_session(query: Query) -> Result<Self, RequestError> {
        let all = SessionState::ALL;
        let settled = |state: SessionState| {
            state.is_ended() || matches!(state, SessionState::Idle | SessionState::Busy)
        };
        let states = states(query, all, SessionState::as_str, SessionState::is_ended)?;
        Ok(Self(states.unwrap_or_else(|| only(all, settled))))
    }
}

impl Until<BatchState> {
    /// The states of the query; without any, all in which a batch has ended.
    pub fn of_batch(query: Query) -> Result<Self, RequestError> {
        let all = BatchState::ALL;
        let states = states(query, all, BatchState::as_str, BatchState::is_ended)?;
        Ok(Self(
            states.unwrap_or_else(|| only(all, BatchState::is_ended)),
        ))
    }
}

/// Reads `until`: names of states between commas. `ended` stands for every state of the end.
fn states<S: Copy>(
    query: Query,
    all: &[S],
    name: impl Fn(S) -> &'static str,
    is_ended: impl Fn(S) -> bool,
) -> Result<Option<Vec<S>>, RequestError> {
    let Some(text) = query.text("until") else {
        return Ok(None);
    };
    let mut states = Vec::new();
    for word in text.split(',').map(str::trim) {
        if word == "ended" {
            states.extend(only(all, &is_ended));
        } else if let Some(state) = all.iter().find(|state| name(**state) == word) {
            states.push(*state);
        } else {
            let names: Vec<&str> = all.iter().map(|state| name(*state)).collect();
            return Err(RequestError::Refused(format!(
                "until={text}: \"{word}\" is no state; the states are {} and ended",
                names.join(", ")
            )));
        }
    }
    Ok(Some(states))
}

fn only<S: Copy>(all: &[S], wanted: impl Fn(S) -> bool) -> Vec<S> {
    all.iter().copied().filter(|state| wanted(*state)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal<T: std::fmt::Debug>(result: Result<T, RequestError>) -> String {
        result.expect_err("a refusal").to_string()
    }

    #[test]
    fn times_have_units_and_a_bound() {
        for (query, millis) in [
            ("wait=30s", 30_000),
            ("wait=1500ms", 1_500),
            ("wait=0s", 0),
            ("wait=1m", 50_000),
            ("wait=99999d", 50_000),
            ("until=idle&wait=2%20s", 2_000),
        ] {
            let time = asked(Query::new(Some(query)));
            assert_eq!(time, Ok(Some(Duration::from_millis(millis))), "{query}");
        }
        assert_eq!(asked(Query::new(Some("from=1"))), Ok(None));
        for (query, start) in [
            ("wait=30", "wait=30: there is no unit; write"),
            ("wait", "wait=: there is no unit; write"),
            ("wait=soon", "wait=soon: Invalid time string: soon; write"),
            ("wait=-5s", "wait=-5s: Invalid value: -5s; write"),
        ] {
            let message = refusal(asked(Query::new(Some(query))));
            assert!(message.starts_with(start), "{message}");
            assert_eq!(time_to_wait(Some(query)), Duration::ZERO);
        }
    }

    #[test]
    fn states_are_livys_and_have_defaults() {
        use SessionState::{Busy, Dead, Idle, Killed};
        for (query, states) in [
            ("until=idle", vec![Idle]),
            ("until=busy,%20idle", vec![Busy, Idle]),
            ("until=ended,idle", vec![Dead, Killed, Idle]),
            ("", vec![Idle, Busy, Dead, Killed]),
        ] {
            let until = Until::of_session(Query::new(Some(query)));
            assert_eq!(until, Ok(Until(states)), "{query}");
        }
        let ended = vec![BatchState::Success, BatchState::Dead, BatchState::Killed];
        assert_eq!(Until::of_batch(Query::new(None)), Ok(Until(ended)));
        assert_eq!(
            refusal(Until::of_batch(Query::new(Some("until=idle")))),
            "until=idle: \"idle\" is no state; the states are starting, running, success, dead, killed and ended"
        );
    }
}
