//! How many connections the server has at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Places beyond the limit. Only agents are served there: a server that is full of clients must not
/// lose its drivers.
const RESERVE: usize = 1024;

/// The open connections, counted.
#[derive(Debug, Clone)]
pub struct Places {
    limit: usize,
    taken: Arc<AtomicUsize>,
}

/// The place of one connection. It is free again when this is dropped.
#[derive(Debug)]
pub struct Place {
    taken: Arc<AtomicUsize>,
    /// Whether only agents are served here.
    pub is_reserve: bool,
}

impl Places {
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            taken: Arc::default(),
        }
    }

    /// Takes a place. `None` if the reserve is full, too.
    pub fn take(&self) -> Option<Place> {
        let before = self.taken.fetch_add(1, Ordering::SeqCst);
        let place = Place {
            taken: Arc::clone(&self.taken),
            is_reserve: before >= self.limit,
        };
        (before < self.limit.saturating_add(RESERVE)).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.taken.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_given_up_to_the_reserve_and_come_back() {
        let places = Places::new(2);
        let mut held: Vec<Place> = (0..2 + RESERVE).map(|_| places.take().unwrap()).collect();
        let reserved = held.iter().filter(|place| place.is_reserve).count();
        assert_eq!(reserved, RESERVE);
        assert!(places.take().is_none());
        held.truncate(2);
        assert!(places.take().unwrap().is_reserve);
        held.truncate(1);
        assert!(!places.take().unwrap().is_reserve);
    }
}
