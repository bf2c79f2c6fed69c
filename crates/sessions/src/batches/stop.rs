//! Ending batches.

use std::sync::Arc;
use std::time::Duration;

use livius_domain::StopCause;
use livius_failpoint::{Point, reach};
use tokio::time::timeout;

use super::ActingOnBatches;
use super::message::Message;
use crate::action::Action;
use crate::error::SessionError;
use crate::view::{BatchRef, BatchView};

/// The time that a kill waits for the end of the process before it answers. The kill always
/// continues.
const STOP_WAIT: Duration = Duration::from_secs(4);

/// The time that a DELETE waits for the actors before it answers. They have the message and go on.
const DELETE_WAIT: Duration = Duration::from_secs(4);

impl ActingOnBatches<'_> {
    /// Removes a batch from lists and ends it. Returns when the deletion is stored and no client
    /// sees the batch. Its process may still live then, and is ended, after a restart of the server
    /// as well.
    pub async fn delete(&self, which: &BatchRef) -> Result<(), SessionError> {
        let Some(entry) = self.live_or_coming(which, Action::Change).await? else {
            return self.delete_ended(which).await;
        };
        let delete = |reply| Message::Delete { reply };
        match entry.mailbox.ask_within(DELETE_WAIT, delete).await? {
            Some(deleted) => {
                deleted?;
                // A batch that waited for its turn is not started any more.
                let _ = timeout(DELETE_WAIT, entry.driver.caught_up()).await;
                Ok(())
            }
            None if entry.view().record.state.is_ended() => {
                self.delete_ended(&BatchRef::Id(entry.id)).await
            }
            // Its actor waits for the store.
            None => {
                self.core.store.unlist_batch(entry.id).await?;
                self.core.registry.hide(&entry);
                self.core.changes.batch(&entry.view().record, None);
                Ok(())
            }
        }
    }

    async fn delete_ended(&self, which: &BatchRef) -> Result<(), SessionError> {
        let record = self.stored(which, Action::Change).await?;
        if self.core.store.unlist_batch(record.id).await? {
            reach(Point::BatchUnlisted);
            self.core.changes.batch(&record, None);
            if let Some(driver) = &record.driver {
                self.core.launcher.files(driver).remove().await;
            }
            Ok(())
        } else {
            Err(SessionError::NotFound(which.to_string()))
        }
    }

    /// Ends a batch and keeps it listed. Returns when it has ended, or after some seconds. A batch
    /// that has ended needs no ending.
    pub async fn kill(&self, which: &BatchRef) -> Result<Arc<BatchView>, SessionError> {
        if let Some(entry) = self.live_or_coming(which, Action::Change).await? {
            let stop = |reply| Message::Stop {
                cause: StopCause::User,
                reply: Some(reply),
            };
            entry.mailbox.ask_within(STOP_WAIT, stop).await?;
            return Ok(entry.view());
        }
        self.get(which).await
    }
}
