//! The statements of a live session, as readers see them: the unfinished ones, and the ones that
//! have just finished.
//!
//! All of them are in the store already. Readers get older statements from the store.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use livius_domain::{StatementId, StatementRecord};

use crate::view::{OutputView, StatementView};

/// Finished statements kept in memory: a poller asks for the newest.
const RECENT: usize = 32;

/// The bytes of code and output that the finished statements may hold. The store answers polls for
/// larger ones.
const RECENT_BYTES: usize = 1 << 20;

/// The most progress of a statement that is not over: its code may start further Spark jobs.
const MOST_UNFINISHED: f64 = 0.99;

/// The board. Readers never wait for the session's actor.
#[derive(Debug, Default)]
pub struct Board {
    rows: Mutex<BTreeMap<StatementId, StatementView>>,
}

impl Board {
    /// Shows a statement, and drops the oldest finished ones in excess.
    pub fn show(&self, record: StatementRecord, output: OutputView) {
        let mut rows = self.rows();
        let id = record.id;
        let progress = if record.state.is_final() {
            1.0
        } else {
            rows.get(&id).map_or(0.0, |row| row.progress)
        };
        rows.insert(
            id,
            StatementView {
                record,
                output,
                progress,
            },
        );
        let mut bytes: usize = rows.values().filter(|row| is_over(row)).map(size).sum();
        while rows.len() > RECENT || bytes > RECENT_BYTES {
            let Some(oldest) = rows.iter().find(|(_, row)| is_over(row)).map(|(id, _)| *id) else {
                break;
            };
            bytes -= rows.remove(&oldest).as_ref().map_or(0, size);
        }
    }

    /// Drops a finished statement: readers get it from the store.
    pub fn forget(&self, id: StatementId) {
        let mut rows = self.rows();
        if rows.get(&id).is_some_and(is_over) {
            rows.remove(&id);
        }
    }

    /// Shows how far a statement is. It goes back when the code starts another Spark job.
    pub fn progress(&self, id: StatementId, progress: f64) {
        if let Some(row) = self.rows().get_mut(&id)
            && !row.record.state.is_final()
        {
            row.progress = progress.clamp(0.0, MOST_UNFINISHED);
        }
    }

    /// A statement, if it is here.
    pub fn get(&self, id: StatementId) -> Option<StatementView> {
        self.rows().get(&id).cloned()
    }

    fn rows(&self) -> MutexGuard<'_, BTreeMap<StatementId, StatementView>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_over(row: &StatementView) -> bool {
    row.record.state.is_final()
}

fn size(row: &StatementView) -> usize {
    let output = match &row.output {
        OutputView::Inline(text) => text.len(),
        OutputView::None | OutputView::Chunked { .. } => 0,
    };
    row.record.code.len() + output
}

/// A stored output as a reader sees it.
pub fn output_view(output: livius_store::Output) -> OutputView {
    match output {
        livius_store::Output::None => OutputView::None,
        livius_store::Output::Inline(text) => OutputView::Inline(Arc::from(text)),
        livius_store::Output::Chunked { chunks, bytes } => OutputView::Chunked { chunks, bytes },
    }
}
