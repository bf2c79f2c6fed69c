//! The states of many sessions at once.

use std::collections::BTreeMap;

use livius_domain::SessionId;

use super::ActingOnSessions;
use crate::action::Action;
use crate::error::SessionError;
use crate::policy::{Subject, admit};
use crate::view::{SessionRef, SessionStatus};

impl ActingOnSessions<'_> {
    /// The states of those of some sessions that the caller finds. Each is named, which is a
    /// heartbeat. The store is asked once for all that are not live.
    pub async fn statuses(
        &self,
        ids: &[SessionId],
    ) -> Result<BTreeMap<SessionId, SessionStatus>, SessionError> {
        let mut statuses = BTreeMap::new();
        let mut others = Vec::new();
        for id in ids {
            match self.live(&SessionRef::Id(*id), Action::Read) {
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
        for stored in self.core.store.session_summaries(&others).await? {
            let subject = Subject {
                owner: stored.owner.as_deref(),
                proxy_user: stored.proxy_user.as_deref(),
            };
            let policy = &*self.core.config.policy;
            if admit(policy, self.caller, Action::Read, subject, &stored.id).is_ok() {
                let status = SessionStatus {
                    state: stored.state,
                    busy: false,
                    recovering: false,
                    app: stored.app,
                };
                statuses.insert(stored.id, status);
            }
        }
        Ok(statuses)
    }
}
