//! The memory that one kind of text takes, in all sessions or batches together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts the bytes of all owners. Clones share the count.
#[derive(Debug, Clone, Default)]
pub(crate) struct ByteRoom(Arc<AtomicUsize>);

/// The bytes of one owner. They are given back when it is dropped.
#[derive(Debug, Default)]
pub(crate) struct HeldBytes {
    room: ByteRoom,
    bytes: usize,
}

impl ByteRoom {
    /// The share of an owner, empty at first.
    pub fn share(&self) -> HeldBytes {
        HeldBytes {
            room: self.clone(),
            bytes: 0,
        }
    }

    /// The bytes of all owners.
    pub fn bytes(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// The share of a new owner, whether it fits or not.
    pub fn hold(&self, bytes: usize) -> HeldBytes {
        let mut held = self.share();
        held.add(bytes);
        held
    }

    /// The share of a new owner, if all bytes stay within the limit.
    pub fn try_hold(&self, bytes: usize, limit: usize) -> Option<HeldBytes> {
        let held = self.hold(bytes);
        (self.bytes() <= limit).then_some(held)
    }
}

impl HeldBytes {
    /// The bytes of this owner.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Adds a text.
    pub fn add(&mut self, bytes: usize) {
        self.bytes += bytes;
        self.room.0.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Gives a text back.
    pub fn remove(&mut self, bytes: usize) {
        self.bytes -= bytes;
        self.room.0.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Gives all texts back.
    pub fn clear(&mut self) {
        self.remove(self.bytes);
    }
}

impl Drop for HeldBytes {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_share_one_count() {
        let room = ByteRoom::default();
        let (mut one, mut other) = (room.share(), room.share());
        one.add(5);
        other.add(7);
        one.remove(2);
        assert_eq!((one.bytes(), other.bytes(), room.bytes()), (3, 7, 10));
        one.clear();
        assert_eq!((one.bytes(), room.bytes()), (0, 7));
        drop(other);
        assert_eq!(room.bytes(), 0);
    }

    #[test]
    fn a_share_that_does_not_fit_takes_nothing() {
        let room = ByteRoom::default();
        let first = room.try_hold(6, 10);
        assert!(first.is_some() && room.try_hold(5, 10).is_none());
        assert!(room.try_hold(4, 10).is_some());
        assert_eq!(room.bytes(), 6);
        let over = room.hold(20);
        drop(first);
        assert!(room.try_hold(1, 10).is_none());
        assert_eq!((over.bytes(), room.bytes()), (20, 20));
    }
}
