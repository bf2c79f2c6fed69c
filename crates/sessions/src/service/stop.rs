//! Stopping sessions.

use std::time::Duration;

use livius_domain::StopCause;
use tokio::time::timeout;

use super::ActingOnSessions;
use crate::action::Action;
use crate::error::SessionError;
use crate::message::Message;
use crate::view::SessionRef;

/// The time that a stop waits for the driver's end before it answers. The stop always continues.
const STOP_WAIT: Duration = Duration::from_secs(4);

/// The time that a DELETE waits for the actors before it answers. They have the message and go on.
const DELETE_WAIT: Duration = Duration::from_secs(4);

impl ActingOnSessions<'_> {
    /// Removes a session from lists and ends its driver. Returns when the deletion is stored and no
    /// client sees the session. Its driver may still live then, and is ended, after a restart of the
    /// server as well.
    pub async fn delete(&self, which: &SessionRef) -> Result<(), SessionError> {
        let Some(entry) = self.live_or_coming(which, Action::Change).await? else {
            let record = self.stored(which, Action::Change).await?;
            self.core.store.unlist_session(record.id).await?;
            self.core.changes.session(&record, None);
            return Ok(());
        };
        let delete = |reply| Message::Delete {
            cause: StopCause::User,
            reply: Some(reply),
        };
        if let Some(deleted) = entry.mailbox.ask_within(DELETE_WAIT, delete).await? {
            deleted?;
            // A driver that waited for its turn is not started any more.
            let _ = timeout(DELETE_WAIT, entry.driver.caught_up()).await;
        } else {
            // It has ended, or its actor waits for the store.
            self.core.store.unlist_session(entry.id).await?;
            self.core.registry.hide(&entry);
            self.core.changes.session(&entry.view().record, None);
        }
        Ok(())
    }

    /// Stops a session and keeps it listed. Returns when it has ended, or after some seconds. A
    /// session that has ended needs no stopping.
    pub async fn stop(&self, which: &SessionRef) -> Result<(), SessionError> {
        if let Some(entry) = self.live_or_coming(which, Action::Change).await? {
            let stop = |reply| Message::Stop {
                cause: StopCause::User,
                reply: Some(reply),
            };
            entry.mailbox.ask_within(STOP_WAIT, stop).await?;
        }
        Ok(())
    }
}
