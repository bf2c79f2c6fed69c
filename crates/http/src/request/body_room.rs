//! Limits the memory that request bodies take while they arrive.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A body up to this size needs no permit, so the short ones, nearly all, never wait for long ones.
pub const FREE_BYTES: usize = 64 << 10;

/// The number of bodies of the greatest length that may arrive at once.
const LONGEST_AT_ONCE: usize = 4;

const UNIT_BYTES: usize = 64 << 10;

/// Memory for long bodies. A body that declares its length takes its whole share at once, and waits
/// for it. Another one begins with a small share, and more is given at once or not at all: if bodies
/// waited while they hold a share, they could wait for each other without end.
#[derive(Debug, Clone)]
pub struct BodyRoom(Arc<Semaphore>);

/// The share of one body.
#[derive(Debug)]
pub struct Held(OwnedSemaphorePermit);

impl BodyRoom {
    /// Creates the room for bodies up to a length.
    pub fn new(longest_bytes: usize) -> Self {
        let units = (units(longest_bytes) as usize).saturating_mul(LONGEST_AT_ONCE);
        Self(Arc::new(Semaphore::new(units.min(Semaphore::MAX_PERMITS))))
    }

    /// Waits for the share of one body.
    pub async fn take(&self, bytes: usize) -> Held {
        let permit = Arc::clone(&self.0).acquire_many_owned(units(bytes)).await;
        Held(permit.expect("nobody closes it"))
    }

    /// Gives a body a greater share, if there is room.
    pub fn grow(&self, held: &mut Held, bytes: usize) -> bool {
        let more = (units(bytes) as usize).saturating_sub(held.0.num_permits());
        let more = u32::try_from(more).unwrap_or(u32::MAX);
        match Arc::clone(&self.0).try_acquire_many_owned(more) {
            Ok(permit) => {
                held.0.merge(permit);
                true
            }
            Err(_) => false,
        }
    }
}

impl Held {
    /// Returns the part of the share that the body did not need.
    pub fn shrink(&mut self, bytes: usize) {
        let surplus = self.0.num_permits().saturating_sub(units(bytes) as usize);
        drop(self.0.split(surplus));
    }
}

fn units(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT_BYTES)).unwrap_or(u32::MAX)
}
