//! How others reach the actor of a session or a batch.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::{mpsc, oneshot};
use tracing::Span;

use crate::error::SessionError;
use crate::feed::Feed;

/// The view of a thing that ends.
pub trait Ends {
    /// Whether it has ended.
    fn has_ended(&self) -> bool;
}

/// A message to an actor.
#[derive(Debug)]
pub struct Letter<M> {
    /// The message.
    pub message: M,
    /// The span of the request that the message comes from. What the actor logs while it handles the
    /// message names that request.
    pub span: Span,
}

impl<M> Letter<M> {
    /// A message of the request that is being handled. It is boxed, because a channel has room for 32
    /// of them from its first moment, and thousands of sessions and batches may wait.
    pub fn boxed(message: M) -> Box<Self> {
        let span = Span::current();
        Box::new(Self { message, span })
    }
}

/// How others reach an actor. It outlives the actor, and then shows how the session or batch ended.
#[derive(Debug)]
pub struct Mailbox<M, V> {
    /// To the actor.
    pub messages: mpsc::Sender<Box<Letter<M>>>,
    /// The feed that the actor publishes to.
    pub feed: Feed<V>,
}

impl<M, V> Clone for Mailbox<M, V> {
    fn clone(&self) -> Self {
        Self {
            messages: self.messages.clone(),
            feed: self.feed.clone(),
        }
    }
}

impl<M, V: Ends> Mailbox<M, V> {
    /// The session or batch as the actor published it last.
    pub fn view(&self) -> Arc<V> {
        self.feed.view()
    }

    /// Sends the actor a message, which is lost if the actor's queue is full.
    pub fn post(&self, message: M) {
        let _ = self.messages.try_send(Letter::boxed(message));
    }

    /// Sends the actor a message and waits for the reply. `None` when the session or batch has
    /// ended before the actor could reply.
    pub async fn ask_unless_ended<T>(
        &self,
        message: impl FnOnce(oneshot::Sender<T>) -> M,
    ) -> Result<Option<T>, SessionError> {
        let (reply, answer) = oneshot::channel();
        if self
            .messages
            .send(Letter::boxed(message(reply)))
            .await
            .is_ok()
            && let Ok(answer) = answer.await
        {
            return Ok(Some(answer));
        }
        self.left().map(|()| None)
    }

    /// Sends the actor a message and waits for the reply, but not longer than the limit. `None`
    /// when the session or batch has ended before the actor could reply, or at the limit. The actor
    /// has the message then and goes on.
    pub async fn ask_within<T>(
        &self,
        limit: Duration,
        message: impl FnOnce(oneshot::Sender<T>) -> M,
    ) -> Result<Option<T>, SessionError> {
        let (reply, answer) = oneshot::channel();
        if self
            .messages
            .send(Letter::boxed(message(reply)))
            .await
            .is_err()
        {
            return self.left().map(|()| None);
        }
        match tokio::time::timeout(limit, answer).await {
            Ok(Ok(answer)) => Ok(Some(answer)),
            Ok(Err(_)) => self.left().map(|()| None),
            Err(_) => Ok(None),
        }
    }

    /// Judges an actor that has left without a reply. A closed channel alone proves nothing: during
    /// a shutdown actors leave although their drivers live on, and then the request was not done.
    pub fn left(&self) -> Result<(), SessionError> {
        if self.view().has_ended() {
            Ok(())
        } else {
            Err(SessionError::ShuttingDown)
        }
    }
}

/// Sends actors a message, and waits for all replies. One that is stuck does not keep the message
/// from the others. A reply that does not come means that the session, batch or actor has ended.
pub async fn tell_all<'a, M: 'a, V: Ends + 'a>(
    mailboxes: impl Iterator<Item = &'a Mailbox<M, V>>,
    message: impl Fn(oneshot::Sender<()>) -> M,
) {
    let told = mailboxes.map(async |mailbox| {
        let _ = mailbox.ask_unless_ended(&message).await;
    });
    join_all(told).await;
}
