//! A live batch.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use livius_domain::BatchId;

use super::message::Message;
use crate::changes::BatchChange;
use crate::core;
use crate::driver::DriverHandle;
use crate::mailbox::Mailbox;
use crate::registry::Live;
use crate::view::BatchView;

/// The parts that batches share.
pub type Core = core::Core<Entry>;

/// A live batch, as everything but its actor sees it.
#[derive(Debug)]
pub struct Entry {
    /// Its number.
    pub id: BatchId,
    /// The driver that runs its application.
    pub driver: Arc<DriverHandle>,
    /// True if it was deleted: it is being ended and no client is shown it.
    pub hidden: AtomicBool,
    /// The way to reach its actor.
    pub mailbox: Mailbox<Message, BatchView>,
}

impl Entry {
    /// The published view.
    pub fn view(&self) -> Arc<BatchView> {
        self.mailbox.view()
    }
}

impl Live for Entry {
    type Id = BatchId;
    type Change = BatchChange;

    fn id(&self) -> BatchId {
        self.id
    }

    fn name(&self) -> Option<String> {
        self.view().record.request.submit.name.clone()
    }

    fn hidden(&self) -> &AtomicBool {
        &self.hidden
    }
}
