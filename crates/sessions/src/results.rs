//! The budgets of results: one for each session, and one for all of them. The oldest results make
//! room, and a text that says so takes their place.

use livius_domain::{JobOutcome, JobState, SessionId, StatementId, chain};
use livius_store::PiecesOf;

use crate::entry::Core;
use crate::error::SessionError;
use crate::view::SessionRef;

/// The number of results bounds those that are not longer than this, so they do not count.
pub(crate) const SHORT_BYTES: usize = 4096;

/// A budget, with its setting.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Budget {
    Session(SessionId),
    Total,
}

impl Budget {
    fn session(self) -> Option<SessionId> {
        match self {
            Self::Session(session) => Some(session),
            Self::Total => None,
        }
    }

    fn bytes(self, core: &Core) -> u64 {
        match self {
            Self::Session(_) => core.config.limits.session_results_bytes,
            Self::Total => core.config.limits.results_bytes,
        }
    }

    /// Why a result is gone, for its reader.
    fn reason(self) -> &'static str {
        match self {
            Self::Session(_) => {
                "the server removed this result to make room for newer ones of the session \
                 (sessions.results_limit): write large results to files"
            }
            Self::Total => {
                "the server removed this result to make room for newer ones \
                 (sessions.total_results_limit): write large results to files"
            }
        }
    }
}

/// Removes the oldest results until the others keep the budget.
pub(crate) async fn keep_within(core: &Core, budget: Budget) {
    loop {
        let excess = core
            .store
            .excess_outputs(budget.session(), budget.bytes(core))
            .await;
        let excess = match excess {
            Ok(excess) if excess.is_empty() => return,
            Ok(excess) => excess,
            Err(error) => {
                tracing::warn!(error = %chain(&error), "cannot look for results in excess");
                return;
            }
        };
        let mut removed = 0;
        for which in excess {
            match remove(core, which, budget.reason()).await {
                Ok(()) => removed += 1,
                Err(error) => {
                    tracing::warn!(?which, error = %chain(&error), "cannot remove a result in excess");
                }
            }
        }
        tracing::info!(removed, ?budget, "removed the oldest results");
        if removed == 0 {
            return;
        }
    }
}

async fn remove(core: &Core, which: PiecesOf, reason: &str) -> Result<(), SessionError> {
    match which {
        PiecesOf::Statement(session, id) => remove_output(core, session, id, reason).await?,
        PiecesOf::Job(session, id) => {
            let Some(stored) = core.store.job(session, id).await? else {
                return Ok(());
            };
            let mut record = stored.record;
            if let JobState::Ended { started, ended, .. } = record.state {
                // A client that asks for the result must not take its absence for the value null.
                let outcome = JobOutcome::Failed;
                record.state = JobState::Ended {
                    outcome,
                    started,
                    ended,
                };
                record.error = Some(reason.to_owned());
                core.store.update_job(&mut record, None).await?;
            }
        }
    }
    Ok(core.store.delete_pieces(which).await?)
}

/// The statement stays, with an error output that says what happened. Livy's clients know errors; a
/// text in place of the data could be taken for the data.
async fn remove_output(
    core: &Core,
    session: SessionId,
    id: StatementId,
    reason: &str,
) -> Result<(), SessionError> {
    let Some(stored) = core.store.statement(session, id).await? else {
        return Ok(());
    };
    let mut record = stored.record;
    let output = crate::actor::removed_output(id, reason);
    core.store
        .update_statement(&mut record, Some(&output))
        .await?;
    if let Some(entry) = core.registry.find(&SessionRef::Id(session)) {
        entry.board.forget(id);
    }
    Ok(())
}
