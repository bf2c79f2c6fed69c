//! The states of many batches at once.

use std::collections::BTreeMap;

use livius_domain::BatchId;

use super::ActingOnBatches;
use crate::action::Action;
use crate::error::SessionError;
use crate::policy::{Subject, admit};
use crate::view::{BatchRef, BatchStatus};

impl ActingOnBatches<'_> {
    /// The states of those of some batches that the caller finds. The store is asked once for all
    /// that are not live.
    pub async fn statuses(
        &self,
        ids: &[BatchId],
    ) -> Result<BTreeMap<BatchId, BatchStatus>, SessionError> {
        let mut statuses = BTreeMap::new();
        let mut others = Vec::new();
        for id in ids {
            match self.live(&BatchRef::Id(*id), Action::Read) {
                Ok(Some(entry)) => {
                    statuses.insert(*id, entry.view().status());
                }
                Ok(None) => others.push(*id),
                // The caller may not read it.
                Err(SessionError::NotFound(_)) => {}
                Err(error) => return Err(error),
            }
        }
        if others.is_empty() {
            return Ok(statuses);
        }
        for stored in self.core.store.batch_summaries(&others).await? {
            let subject = Subject {
                owner: stored.owner.as_deref(),
                proxy_user: stored.proxy_user.as_deref(),
            };
            let policy = &*self.core.config.policy;
            if admit(policy, self.caller, Action::Read, subject, &stored.id).is_ok() {
                let (state, app) = (stored.state, stored.app);
                statuses.insert(stored.id, BatchStatus { state, app });
            }
        }
        Ok(statuses)
    }
}
