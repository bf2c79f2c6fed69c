//! The driver of a new session: one that waits in a pool, or a new one.

use std::sync::Arc;

use livius_domain::pool::{Level, PoolOutcome};
use livius_domain::{
    DriverId, DriverProgram, DriverRecord, ResourceSource, ResourceUse, SessionRecord,
    SessionState, StopCause,
};
use livius_store::NewResource;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

use super::Sessions;
use super::open::{MAILBOX, Seated};
use crate::driver::{FromAgent, Origin};
use crate::entry::Entry;
use crate::error::SessionError;
use crate::message::{Message, Resource};
use crate::policy::Caller;
use crate::pools::{Asked, Claimed};

/// A session's driver, and its place among the sessions.
pub(super) struct Seat {
    driver: Seated,
    place: OwnedSemaphorePermit,
    /// Files that the driver lacks: their uses, names and addresses.
    files: Vec<(ResourceUse, String, String)>,
}

impl Sessions {
    /// A place among the sessions. `None` when a driver of a pool has the last one, which it will give
    /// up.
    pub(super) async fn place(&self) -> Result<Option<OwnedSemaphorePermit>, SessionError> {
        match Arc::clone(&self.core.places).try_acquire_owned() {
            Ok(place) => Ok(Some(place)),
            Err(_) if self.pools.has_places() => Ok(None),
            Err(_) => {
                let place = self.core.place(SessionError::TooManySessions).await?;
                Ok(Some(place))
            }
        }
    }

    /// Finds a driver for a session that is stored, and stores which it is.
    pub(super) async fn seat(
        &self,
        record: &mut SessionRecord,
        caller: &Caller,
        place: Option<OwnedSemaphorePermit>,
    ) -> Result<Seat, SessionError> {
        let (to_session, from_agent) = mpsc::channel(MAILBOX);
        let asked = Asked {
            record: &*record,
            caller,
            to_session,
        };
        let (outcome, claimed) = self.pools.take(asked).await;
        let outcome = Arc::new(outcome);
        record.pool = Some(Arc::clone(&outcome));
        let seat = match claimed {
            Some(claimed) => self.taken(record, claimed, from_agent, place).await?,
            None => self.new_seat(record, place).await?,
        };
        if let Some(driver) = &record.driver {
            self.tell(driver, &outcome).await;
        }
        self.pools.note_use(record);
        Ok(seat)
    }

    async fn new_seat(
        &self,
        record: &mut SessionRecord,
        place: Option<OwnedSemaphorePermit>,
    ) -> Result<Seat, SessionError> {
        let place = place.or_else(|| self.pools.give_place());
        let place = place.ok_or(SessionError::TooManySessions)?;
        let driver: DriverRecord = self.new_driver(record).await?;
        Ok(Seat {
            driver: Seated::New(Box::new(driver)),
            place,
            files: Vec::new(),
        })
    }

    async fn taken(
        &self,
        record: &mut SessionRecord,
        claimed: Claimed,
        from_agent: mpsc::Receiver<Box<FromAgent>>,
        place: Option<OwnedSemaphorePermit>,
    ) -> Result<Seat, SessionError> {
        let driver = claimed.driver;
        record.driver = Some(driver.id.clone());
        if claimed.level == Level::Ready {
            record.state = SessionState::Running;
            record.app = claimed.app;
        }
        if let Err(error) = self.core.store.update_session(record).await {
            self.pools.end(driver, StopCause::User);
            return Err(error.into());
        }
        Ok(Seat {
            driver: Seated::Taken(driver, from_agent),
            // With two of them, one is free again.
            place: place.unwrap_or(claimed.place),
            files: claimed.files,
        })
    }

    /// Starts the session's actor, and adds the files that the driver lacks. They are there before
    /// anything that is posted later begins.
    pub(super) async fn sit_down(&self, record: SessionRecord, seat: Seat) -> Arc<Entry> {
        let entry = self.spawn_actor(record, seat.driver, Origin::New, false, Some(seat.place));
        for (used_as, name, uri) in seat.files {
            let new = NewResource {
                used_as,
                name,
                source: ResourceSource::Uri { uri },
                key: None,
            };
            let resource = Box::new(Resource {
                new,
                place: None,
                upload: None,
            });
            let message = |reply| Message::AddResource {
                resource,
                added: oneshot::channel().0,
                reply,
            };
            if let Ok(Err(error)) = entry.mailbox.ask(message).await {
                tracing::error!(session.id = %entry.id, %error, "cannot add a file of the request");
            }
        }
        entry
    }

    /// Writes into the session's log what the pools did for it. Without pools there is nothing to
    /// tell.
    async fn tell(&self, driver: &DriverId, outcome: &PoolOutcome) {
        if *outcome == PoolOutcome::Off {
            return;
        }
        let files = self.core.launcher.files(driver);
        let text = format!("livius: {outcome}\n");
        if let Err(error) = files.explain(DriverProgram::Agent, &text).await {
            tracing::warn!(driver.id = %driver, %error, "cannot write to the session's log");
        }
    }
}
