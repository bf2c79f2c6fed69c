//! The statements of a live session, as readers see them: the unfinished ones, and the ones that
//! have just finished.
//!
//! All of them are in the store already. Readers get older statements from the store.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use livius_domain::{StageProgress, StatementId, StatementRecord};

use crate::live_output::{LiveOutput, Printed};
use crate::view::{OutputView, StatementView};

/// Finished statements kept in memory: a poller asks for the newest.
const RECENT: usize = 32;

/// The bytes of code and output that the finished statements may hold. The store answers polls for
/// larger ones.
const RECENT_BYTES: usize = 1 << 20;

/// The text that may stay of what the newest statement printed, in bytes, after its end: a client that
/// follows it may come a moment later.
const LIVE_AFTER_END: usize = 8 << 10;

/// The most progress of a statement that is not over: its code may start further Spark jobs.
const MOST_UNFINISHED: f64 = 0.99;

/// The board. Readers never wait for the session's actor.
#[derive(Debug, Default)]
pub struct Board {
    rows: Mutex<BTreeMap<StatementId, StatementView>>,
    /// The newest statement of which something is known that is not stored.
    live: Mutex<Option<(StatementId, Arc<LiveOutput>)>>,
}

impl Board {
    /// Shows a statement, and drops the oldest finished ones in excess.
    pub fn show(&self, record: StatementRecord, output: OutputView) {
        let mut rows = self.rows();
        let id = record.id;
        let progress = if record.state.is_final() {
            let is_long = |live: &LiveOutput| live.bytes() > LIVE_AFTER_END;
            self.live_row()
                .take_if(|(known, live)| *known == id && is_long(live));
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
    pub fn progress(&self, id: StatementId, progress: f64, stages: Vec<StageProgress>) {
        let mut rows = self.rows();
        if let Some(row) = rows.get_mut(&id).filter(|row| !is_over(row)) {
            row.progress = progress.clamp(0.0, MOST_UNFINISHED);
            self.live_or_new(id).set_stages(stages);
        }
    }

    /// Shows what a statement has printed.
    pub fn print(&self, id: StatementId, piece: Printed) {
        let rows = self.rows();
        if rows.get(&id).is_some_and(|row| !is_over(row)) {
            self.live_or_new(id).add(piece);
        }
    }

    /// What is known of a statement besides what is stored: as long as it runs, and a while longer if
    /// that is little.
    pub fn live(&self, id: StatementId) -> Option<Arc<LiveOutput>> {
        let live = self.live_row();
        let (_, output) = live.as_ref().filter(|(live, _)| *live == id)?;
        Some(Arc::clone(output))
    }

    /// The numbers, states and progress of all statements here.
    pub fn states(&self) -> Vec<(StatementRecord, f64)> {
        let rows = self.rows();
        rows.values()
            .map(|row| (row.record.clone(), row.progress))
            .collect()
    }

    fn live_or_new(&self, id: StatementId) -> Arc<LiveOutput> {
        let mut live = self.live_row();
        match &*live {
            Some((known, output)) if *known == id => Arc::clone(output),
            _ => Arc::clone(&live.insert((id, Arc::default())).1),
        }
    }

    fn live_row(&self) -> MutexGuard<'_, Option<(StatementId, Arc<LiveOutput>)>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
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
