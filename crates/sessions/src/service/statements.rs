//! Running, completing and cancelling code.

use std::sync::Arc;
use std::time::Duration;

use livius_agent_link::MAX_COMMAND_BYTES;
use livius_domain::{Kind, NewStatement, StatementId};
use tokio::sync::oneshot;

use super::ActingOnSessions;
use crate::action::Action;
use crate::error::SessionError;
use crate::mailbox::Letter;
use crate::message::{Message, Posted};
use crate::view::{SessionRef, SessionView, StatementView};
use crate::webhooks;

/// In a frame for the agent code may be six times as long: JSON writes a control character in six.
const MAX_CODE_BYTES: usize = MAX_COMMAND_BYTES / 6 - 1024;

/// The time that a completion may take.
const COMPLETION_WAIT: Duration = Duration::from_secs(5);

impl ActingOnSessions<'_> {
    /// Posts a statement: the server stores it, and runs it after the statements before it.
    pub async fn run(
        &self,
        which: &SessionRef,
        new: NewStatement,
    ) -> Result<StatementView, SessionError> {
        self.check_size(&new.code)?;
        let entry = self.needed(which, Action::Change).await?;
        let core = self.core;
        let (hooks, store) = (core.config.webhooks.as_ref(), &*core.store);
        let webhook = webhooks::of_header(hooks, store, self.webhook.as_deref()).await?;
        let posted = Posted {
            new,
            key: self.key.clone(),
            webhook,
        };
        entry
            .mailbox
            .ask(|reply| Message::Run { posted, reply })
            .await?
    }

    /// Cancels a statement. Unknown statements, and those that have ended, need no cancelling.
    pub async fn cancel(
        &self,
        which: &SessionRef,
        statement: StatementId,
    ) -> Result<(), SessionError> {
        let entry = self.needed(which, Action::Change).await?;
        entry
            .mailbox
            .ask(|reply| Message::Cancel { statement, reply })
            .await?
    }

    /// Cancels all of a session's statements. Livy kills the session instead, but a user who
    /// interrupts wants to keep it.
    pub async fn interrupt(&self, which: &SessionRef) -> Result<(), SessionError> {
        let entry = self.needed(which, Action::Change).await?;
        entry
            .mailbox
            .ask(|reply| Message::Interrupt { reply })
            .await?
    }

    /// Counts as use of the session.
    pub async fn connect(&self, which: &SessionRef) -> Result<Arc<SessionView>, SessionError> {
        if let Some(entry) = self.live(which, Action::Change)? {
            entry.mailbox.post(Message::Touch);
            return Ok(entry.view());
        }
        self.get(which).await
    }

    /// Texts to insert at the cursor. There are none while the session starts or the driver is
    /// away.
    pub async fn complete(
        &self,
        which: &SessionRef,
        code: String,
        kind: Option<Kind>,
        cursor: u32,
    ) -> Result<Vec<String>, SessionError> {
        self.check_size(&code)?;
        let entry = self.needed(which, Action::Change).await?;
        let view = entry.view();
        if !view.record.state.accepts_statements() {
            return Err(SessionError::not_active(&view.record.state));
        }
        let kind = kind.unwrap_or(view.record.request.kind);
        if kind == Kind::Shared {
            return Err(SessionError::CompletionNeedsKind);
        }
        let (reply, candidates) = oneshot::channel();
        let message = Message::Complete {
            code,
            kind,
            cursor,
            reply,
        };
        entry
            .mailbox
            .messages
            .send(Letter::boxed(message))
            .await
            .map_err(|_| entry.mailbox.unanswered())?;
        match tokio::time::timeout(COMPLETION_WAIT, candidates).await {
            Ok(Ok(candidates)) => Ok(candidates),
            Ok(Err(_)) | Err(_) => Ok(Vec::new()),
        }
    }

    pub(crate) fn check_size(&self, code: &str) -> Result<(), SessionError> {
        let (size, limit) = (
            code.len(),
            self.core.config.limits.code_bytes.min(MAX_CODE_BYTES),
        );
        if size <= limit {
            return Ok(());
        }
        Err(SessionError::InvalidStatement(format!(
            "code has {size} bytes, more than server.code_limit ({limit}): send the data as a file instead"
        )))
    }
}
