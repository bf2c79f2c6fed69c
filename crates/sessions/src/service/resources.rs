//! Files that are added to a session.

use std::sync::Arc;
use std::time::Duration;

use livius_domain::{ResourceSource, ResourceUse, chain};
use livius_failpoint::{Point, reach};
use livius_launch::PendingUpload;
use livius_store::{NewKey, NewResource};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::ActingOnSessions;
use crate::action::Action;
use crate::entry::Entry;
use crate::error::SessionError;
use crate::message::{Mailbox, Message, Resource};
use crate::request;
use crate::view::{NewUpload, SessionRef};

/// The time that a request waits for the driver to add a file. A slower driver still adds it, and
/// later statements and jobs wait for that.
const RESOURCE_WAIT: Duration = Duration::from_mins(1);

/// A file that a client is sending. An upload that is dropped before it is finished leaves nothing.
#[derive(Debug)]
pub struct Upload {
    mailbox: Mailbox,
    new: NewUpload,
    content: Box<dyn PendingUpload>,
    place: OwnedSemaphorePermit,
}

impl Upload {
    /// Appends a piece of the file.
    pub async fn write(&mut self, piece: &[u8]) -> Result<(), SessionError> {
        self.content
            .write(piece)
            .await
            .map_err(SessionError::Upload)
    }
}

impl ActingOnSessions<'_> {
    /// Adds a file that the driver can get by itself. See [`ActingOnSessions::finish_upload`] for
    /// the answer.
    pub async fn add_resource(
        &self,
        which: &SessionRef,
        used_as: ResourceUse,
        uri: String,
    ) -> Result<(), SessionError> {
        let entry = self.needed(which, Action::Change).await?;
        let name = request::check_resource(&self.core.config, &uri).await?;
        let place = self.resource_place(&entry)?;
        let resource = Resource {
            new: NewResource {
                used_as,
                name,
                source: ResourceSource::Uri { uri },
                key: self.row(),
            },
            place: Some(place),
            upload: None,
        };
        self.hand_over(&entry.mailbox, resource).await
    }

    /// Makes room for a file that a client is about to send.
    pub async fn begin_upload(
        &self,
        which: &SessionRef,
        new: NewUpload,
    ) -> Result<Upload, SessionError> {
        let entry = self.needed(which, Action::Change).await?;
        let view = entry.view();
        if !view.record.state.accepts_statements() {
            return Err(SessionError::not_active(&view.record.state));
        }
        request::check_resource_name(&new.name)?;
        let place = self.resource_place(&entry)?;
        let content = entry.driver.files.begin_upload().await;
        let content = content.map_err(SessionError::Upload)?;
        Ok(Upload {
            mailbox: entry.mailbox.clone(),
            new,
            content,
            place,
        })
    }

    /// Adds a file that has arrived. While the session runs, this waits for the driver. While it
    /// starts, or when the driver takes long, the file is kept, and added before anything that is
    /// posted later begins.
    pub async fn finish_upload(&self, upload: Upload) -> Result<(), SessionError> {
        let Upload {
            mailbox,
            new,
            mut content,
            place,
        } = upload;
        // The driver may ask for the file after the machine has failed.
        content.finish().await.map_err(SessionError::Upload)?;
        reach(Point::UploadArrived);
        let resource = Resource {
            new: NewResource {
                used_as: new.used_as,
                name: new.name,
                source: ResourceSource::Upload,
                key: self.row(),
            },
            place: Some(place),
            upload: Some(content),
        };
        self.hand_over(&mailbox, resource).await
    }

    /// The key of the request, for its file.
    fn row(&self) -> Option<NewKey> {
        self.key.as_ref().map(|key| key.row().clone())
    }

    /// Gives a file to the session's actor. A file that is refused after it was stored frees the
    /// key of its request.
    async fn hand_over(&self, mailbox: &Mailbox, resource: Resource) -> Result<(), SessionError> {
        let handed_over = hand_over(mailbox, resource).await;
        let refused = matches!(
            handed_over,
            Err(SessionError::ResourceRefused(_)
                | SessionError::Upload(_)
                | SessionError::NotActive(_))
        );
        if refused
            && let Some(key) = self.row()
            && let Err(error) = self.core.store.free_key(&key.caller, &key.key).await
        {
            tracing::warn!(error = %chain(&error), "cannot free the key of a file that was refused");
        }
        handed_over
    }

    fn resource_place(&self, entry: &Entry) -> Result<OwnedSemaphorePermit, SessionError> {
        Arc::clone(&entry.resource_places)
            .try_acquire_owned()
            .map_err(|_| SessionError::TooManyResources {
                session: entry.id,
                limit: self.core.config.limits.pending_resources,
            })
    }
}

async fn hand_over(mailbox: &Mailbox, resource: Resource) -> Result<(), SessionError> {
    let (added, answer) = oneshot::channel();
    let message = |reply| Message::AddResource {
        resource: Box::new(resource),
        added,
        reply,
    };
    mailbox.ask(message).await??;
    if mailbox.view().record.state.is_starting() {
        return Ok(());
    }
    match tokio::time::timeout(RESOURCE_WAIT, answer).await {
        Ok(Ok(added)) => added.map_err(SessionError::ResourceRefused),
        Ok(Err(_)) => Err(mailbox.unanswered()),
        Err(_) => Ok(()),
    }
}
