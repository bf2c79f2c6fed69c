//! `GET /api/v1/sessions` and `GET /api/v1/batches`, our own routes: pages of lists.

use serde::Serialize;
use utoipa::ToSchema;

use crate::{BatchDetailAnswer, SessionDetailAnswer};

/// A page of the sessions that match, newest first.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SessionPage)]
pub struct SessionPageAnswer<'a> {
    /// The sessions.
    pub sessions: Vec<SessionDetailAnswer<'a>>,
    /// The number of all sessions that match, on this page or another.
    pub total: u64,
    /// The cursor of the next page; `null` on the last one.
    pub next_cursor: Option<String>,
}

/// A page of the batches that match, newest first.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = BatchPage)]
pub struct BatchPageAnswer<'a> {
    /// The batches.
    pub batches: Vec<BatchDetailAnswer<'a>>,
    /// The number of all batches that match, on this page or another.
    pub total: u64,
    /// The cursor of the next page; `null` on the last one.
    pub next_cursor: Option<String>,
}
