//! The keys that every frame of an agent has.

use livius_domain::{JobId, ResourceId, SessionId, StatementId};
use serde::Deserialize;

use super::Work;

/// The keys that tell what a frame is.
#[derive(Deserialize)]
pub(super) struct Head {
    pub(super) v: u32,
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) versions: Vec<u32>,
    pub(super) seq: Option<u64>,
    pub(super) session: Option<SessionId>,
    pub(super) statement: Option<StatementId>,
    pub(super) job: Option<JobId>,
    pub(super) resource: Option<ResourceId>,
}

impl Head {
    /// The work that this frame ends, as far as the head tells.
    pub(super) fn ends(&self) -> Option<Work> {
        match self.kind.as_str() {
            "finished" => self.statement.map(Work::Statement),
            "jobFinished" => self.job.map(Work::Job),
            "resourceAdded" => self.resource.map(Work::Resource),
            _ => None,
        }
    }

    /// Tells whether a type is that of an event, which must have a number.
    pub(super) fn is_event(&self) -> bool {
        matches!(
            self.kind.as_str(),
            "ready"
                | "contextUp"
                | "primed"
                | "begun"
                | "failed"
                | "contextStopped"
                | "started"
                | "chunk"
                | "finished"
                | "jobStarted"
                | "jobChunk"
                | "jobFinished"
                | "resourceAdded"
                | "stopped"
        )
    }
}
