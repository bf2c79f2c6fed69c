//! `[store]`: what the server keeps in its database.

use livius_store_sqlite::SyncMode;

use crate::config::resolved::Resolved;
use crate::config::setting::{Key, Setting, Text, choice};

settings! {
    SYNC: Text = choice(
        "store.sync",
        &["normal", "full"],
        "normal",
        "Which of the facts that the server acknowledges survive a power failure of its machine. `normal`: new sessions, batches and drivers with their numbers, changes of drivers, and ends; others of the last seconds may be lost. `full`: all of them, also statements and their outputs. Each then waits for the disk, so `full` needs a fast one. A crash of the server alone loses nothing with either.",
    );
}

/// Reads the section.
pub fn read(resolved: &Resolved) -> SyncMode {
    match &*resolved.value(&SYNC) {
        "full" => SyncMode::Full,
        _ => SyncMode::Normal,
    }
}
