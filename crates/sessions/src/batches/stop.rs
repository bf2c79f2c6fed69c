//! Ending batches.

use std::sync::Arc;
use std::time::Duration;

use livius_domain::StopCause;

use super::ActingOnBatches;
use super::entry::Entry;
use super::message::Message;
use crate::action::Action;
use crate::error::SessionError;
use crate::view::{BatchRef, BatchView};

/// The time that a DELETE waits for the end of the process before it answers. The kill always
/// continues.
const STOP_WAIT: Duration = Duration::from_secs(4);

impl ActingOnBatches<'_> {
    /// Ends a batch and removes it from lists. Returns when it has ended, or after some seconds.
    /// The kill always continues.
    pub async fn delete(&self, which: &BatchRef) -> Result<(), SessionError> {
        if let Some(entry) = self.live_or_coming(which, Action::Change).await? {
            return self.stop_entry(&entry, true).await;
        }
        let record = self.stored(which, Action::Change).await?;
        if self.core.store.unlist_batch(record.id).await? {
            if let Some(driver) = &record.driver {
                self.core.launcher.files(driver).remove().await;
            }
            Ok(())
        } else {
            Err(SessionError::NotFound(which.to_string()))
        }
    }

    /// Ends a batch and keeps it listed. A batch that has ended needs no ending.
    pub async fn kill(&self, which: &BatchRef) -> Result<Arc<BatchView>, SessionError> {
        if let Some(entry) = self.live_or_coming(which, Action::Change).await? {
            self.stop_entry(&entry, false).await?;
            return Ok(entry.view());
        }
        self.get(which).await
    }

    async fn stop_entry(&self, entry: &Entry, hide: bool) -> Result<(), SessionError> {
        let stop = |reply| Message::Stop {
            cause: StopCause::User,
            hide,
            reply: Some(reply),
        };
        entry.mailbox.ask_within(STOP_WAIT, stop).await?;
        if hide {
            self.core.store.unlist_batch(entry.id).await?;
        }
        Ok(())
    }
}
