//! The memory that bodies take while they are received.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What a body may take without asking, so that the short ones, which nearly all are, never wait for the long ones.
pub const FREE_BYTES: usize = 64 << 10;

/// How many bodies of the greatest length are received at once.
const LONGEST_AT_ONCE: usize = 4;

const UNIT_BYTES: usize = 64 << 10;

/// Room for long bodies. Each takes all that it may need at once: if they took it bit by bit, each could come to wait for another.
#[derive(Debug, Clone)]
pub struct BodyRoom(Arc<Semaphore>);

/// A body's part of the room.
#[derive(Debug)]
pub struct Held(OwnedSemaphorePermit);

impl BodyRoom {
    /// Makes room for bodies up to a length.
    pub fn new(longest_bytes: usize) -> Self {
        let units = (units(longest_bytes) as usize).saturating_mul(LONGEST_AT_ONCE);
        Self(Arc::new(Semaphore::new(units.min(Semaphore::MAX_PERMITS))))
    }

    /// Waits until there is room for a body.
    pub async fn take(&self, bytes: usize) -> Held {
        let permit = Arc::clone(&self.0).acquire_many_owned(units(bytes)).await;
        Held(permit.expect("nobody closes it"))
    }
}

impl Held {
    /// Gives back what the body turned out not to need.
    pub fn shrink(&mut self, bytes: usize) {
        let surplus = self.0.num_permits().saturating_sub(units(bytes) as usize);
        drop(self.0.split(surplus));
    }
}

fn units(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT_BYTES)).unwrap_or(u32::MAX)
}
