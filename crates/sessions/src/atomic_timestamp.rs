//! A time that several threads read and set without a lock.

use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;

/// A time of day, or no time. It is kept as microseconds since the epoch; 0 is no time.
#[derive(Debug, Default)]
pub struct AtomicTimestamp(AtomicI64);

impl AtomicTimestamp {
    /// At a time.
    pub fn at(time: Timestamp) -> Self {
        Self(AtomicI64::new(time.as_microsecond()))
    }

    /// Sets it.
    pub fn set(&self, time: Timestamp) {
        self.0.store(time.as_microsecond(), Ordering::Relaxed);
    }

    /// Makes it no time.
    pub fn clear(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    /// The time, if there is one.
    pub fn get(&self) -> Option<Timestamp> {
        let micros = self.0.load(Ordering::Relaxed);
        (micros != 0)
            .then(|| Timestamp::from_microsecond(micros).ok())
            .flatten()
    }
}
