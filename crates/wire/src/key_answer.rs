//! `GET /api/v1/keys/{key}`, our own route: what a request with a key has made.

use jiff::Timestamp;
use livius_domain::Made;
use serde::Serialize;
use utoipa::ToSchema;

/// A key of the caller, and the request that was sent with it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Key)]
pub struct KeyAnswer<'a> {
    /// The key.
    key: &'a str,
    /// `in_progress` while the request is being worked on, then `done`. A request that was refused
    /// leaves no key.
    state: &'static str,
    /// The method and the path of the request; `null` while it is being worked on.
    request: Option<&'a str>,
    /// When the request came, in UTC, in RFC 3339 format.
    created_at: Option<String>,
    /// What the request made; `null` when it only changed something.
    made: Option<MadeAnswer>,
}

/// What a request has made. It may be gone since.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Made)]
pub struct MadeAnswer {
    /// `session`, `batch`, `statement`, `job` or `file`.
    kind: &'static str,
    /// The session of a statement, a job or a file.
    session: Option<i32>,
    /// Its number.
    id: i32,
    /// Its path. A file has none.
    path: Option<String>,
}

impl<'a> KeyAnswer<'a> {
    /// A key whose request is being worked on.
    pub fn in_progress(key: &'a str) -> Self {
        Self {
            key,
            state: "in_progress",
            request: None,
            created_at: None,
            made: None,
        }
    }

    /// A key whose request was done.
    pub fn done(key: &'a str, request: &'a str, at: Timestamp, made: Option<Made>) -> Self {
        Self {
            key,
            state: "done",
            request: Some(request),
            created_at: Some(at.to_string()),
            made: made.map(MadeAnswer::new),
        }
    }
}

impl MadeAnswer {
    fn new(made: Made) -> Self {
        let (kind, session, id) = match made {
            Made::Session(id) => ("session", None, id.0),
            Made::Batch(id) => ("batch", None, id.0),
            Made::Statement(session, id) => ("statement", Some(session.0), id.0),
            Made::Job(session, id) => ("job", Some(session.0), id.0),
            Made::File(session, id) => ("file", Some(session.0), id.0),
        };
        let path = match made {
            Made::Session(id) => Some(format!("/sessions/{id}")),
            Made::Batch(id) => Some(format!("/batches/{id}")),
            Made::Statement(session, id) => Some(format!("/sessions/{session}/statements/{id}")),
            Made::Job(session, id) => Some(format!("/sessions/{session}/jobs/{id}")),
            Made::File(..) => None,
        };
        Self {
            kind,
            session,
            id,
            path,
        }
    }
}
