//! How many sessions and batches live, by Livy's state. This does not ask the store.

use livius_wire::livy::{BatchState, SessionState};

use crate::livy_state::livy_state;
use crate::state::AppState;

/// The live sessions in each state. A state without any counts 0, so that graphs have no gaps.
pub fn sessions_by_state(app: &AppState) -> Vec<(&'static str, usize)> {
    let views = app.sessions.live_views();
    let found = views.iter().map(|view| livy_state(view).as_str());
    let live = SessionState::ALL.iter().filter(|state| !state.is_ended());
    counted(live.map(|state| state.as_str()), &found.collect::<Vec<_>>())
}

/// The same for batches.
pub fn batches_by_state(app: &AppState) -> Vec<(&'static str, usize)> {
    let views = app.batches.live_views();
    let found = views
        .iter()
        .map(|view| BatchState::of(&view.record.state).as_str());
    let live = BatchState::ALL.iter().filter(|state| !state.is_ended());
    counted(live.map(|state| state.as_str()), &found.collect::<Vec<_>>())
}

fn counted(
    states: impl Iterator<Item = &'static str>,
    found: &[&str],
) -> Vec<(&'static str, usize)> {
    let count = |state| (state, found.iter().filter(|one| **one == state).count());
    states.map(count).collect()
}
