//! Stopping sessions.

use std::time::Duration;

use livius_domain::StopCause;

use super::ActingOnSessions;
use crate::action::Action;
use crate::entry::Entry;
use crate::error::SessionError;
use crate::message::Message;
use crate::view::SessionRef;

/// The time that a DELETE waits for the driver's end before it answers. The stop always continues.
/// Notebooks give their kernels about five seconds to shut down.
const STOP_WAIT: Duration = Duration::from_secs(4);

impl ActingOnSessions<'_> {
    /// Stops a session and removes it from lists. Returns when it has ended, or after some seconds.
    /// The stop always continues.
    pub async fn delete(&self, which: &SessionRef) -> Result<(), SessionError> {
        if let Some(entry) = self.live_or_coming(which, Action::Change).await? {
            self.stop_entry(&entry, true).await?;
            self.core.store.unlist_session(entry.id).await?;
            return Ok(());
        }
        let record = self.stored(which, Action::Change).await?;
        self.core.store.unlist_session(record.id).await?;
        Ok(())
    }

    /// Stops a session and keeps it listed. A session that has ended needs no stopping.
    pub async fn stop(&self, which: &SessionRef) -> Result<(), SessionError> {
        if let Some(entry) = self.live_or_coming(which, Action::Change).await? {
            self.stop_entry(&entry, false).await?;
        }
        Ok(())
    }

    async fn stop_entry(&self, entry: &Entry, hide: bool) -> Result<(), SessionError> {
        let stop = |reply| Message::Stop {
            cause: StopCause::User,
            hide,
            reply: Some(reply),
        };
        entry.mailbox.ask_within(STOP_WAIT, stop).await
    }
}
