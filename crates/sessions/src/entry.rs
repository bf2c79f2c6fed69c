//! A live session.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize};

use livius_domain::SessionId;
use tokio::sync::Semaphore;

use crate::atomic_timestamp::AtomicTimestamp;
use crate::board::Board;
use crate::changes::SessionChange;
use crate::core;
use crate::driver::DriverHandle;
use crate::message::Mailbox;
use crate::open_jobs::OpenJobs;
use crate::registry::Live;
use crate::view::SessionView;

/// The parts that sessions share.
pub type Core = core::Core<Entry>;

/// A live session, as everything but its actor sees it.
#[derive(Debug)]
pub struct Entry {
    /// Its number.
    pub id: SessionId,
    /// The driver that it runs on.
    pub driver: Arc<DriverHandle>,
    /// True if it was deleted. It is being stopped, and no client sees it.
    pub hidden: AtomicBool,
    /// The way to reach its actor.
    pub mailbox: Mailbox,
    /// Its statements.
    pub board: Arc<Board>,
    /// When a request last named it, for the heartbeat.
    pub touched: AtomicTimestamp,
    /// Its jobs that are not over. They do not make it busy, as with Livy, but it is not idle
    /// either.
    pub open_jobs: OpenJobs,
    /// The number of requests that wait for it to change. Their clients are present.
    pub waiting: AtomicUsize,
    /// One for each file that may be on its way to the driver.
    pub resource_places: Arc<Semaphore>,
}

impl Entry {
    /// The published view.
    pub fn view(&self) -> Arc<SessionView> {
        self.mailbox.view()
    }
}

impl Live for Entry {
    type Id = SessionId;
    type Change = SessionChange;

    fn id(&self) -> SessionId {
        self.id
    }

    fn name(&self) -> Option<String> {
        self.view().record.request.submit.name.clone()
    }

    fn hidden(&self) -> &AtomicBool {
        &self.hidden
    }
}
