//! The memory that the code of unfinished statements takes, in all sessions together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts the bytes of all sessions. Clones share the count.
#[derive(Debug, Clone, Default)]
pub(crate) struct CodeRoom(Arc<AtomicUsize>);

/// The bytes of one session. They are given back when it is dropped.
#[derive(Debug, Default)]
pub(crate) struct HeldCode {
    room: CodeRoom,
    bytes: usize,
}

impl CodeRoom {
    /// The share of a session, empty at first.
    pub fn share(&self) -> HeldCode {
        HeldCode {
            room: self.clone(),
            bytes: 0,
        }
    }

    /// The bytes of all sessions.
    pub fn bytes(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl HeldCode {
    /// The bytes of this session.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Adds code.
    pub fn add(&mut self, bytes: usize) {
        self.bytes += bytes;
        self.room.0.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Gives code back.
    pub fn remove(&mut self, bytes: usize) {
        self.bytes -= bytes;
        self.room.0.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Gives all code back.
    pub fn clear(&mut self) {
        self.remove(self.bytes);
    }
}

impl Drop for HeldCode {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_share_one_count() {
        let room = CodeRoom::default();
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
}
