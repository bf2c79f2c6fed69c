//! The places of requests that wait. Their number is bounded for each client, and in total.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::request::peer::Peer;

/// How many requests may wait at once.
const MOST: usize = 10_000;

/// The places.
#[derive(Debug, Clone)]
pub struct WaitingRoom {
    most: usize,
    most_of_one: usize,
    taken: Arc<Mutex<Taken>>,
}

/// The places that are taken.
#[derive(Debug, Default)]
struct Taken {
    all: usize,
    /// Has only clients that wait.
    of_each: HashMap<Peer, usize>,
}

/// A place. It is free again when this is dropped.
#[derive(Debug)]
pub struct Place {
    peer: Peer,
    taken: Arc<Mutex<Taken>>,
}

impl WaitingRoom {
    /// A room in which one client may have this many places.
    pub fn new(most_of_one: usize) -> Self {
        Self {
            most: MOST,
            most_of_one,
            taken: Arc::default(),
        }
    }

    /// A place for this client; `None` when none is free.
    pub fn take(&self, peer: &Peer) -> Option<Place> {
        let mut taken = lock(&self.taken);
        let own = taken.of_each.get(peer).copied().unwrap_or_default();
        if taken.all >= self.most || own >= self.most_of_one {
            return None;
        }
        taken.all += 1;
        taken.of_each.insert(peer.clone(), own + 1);
        Some(Place {
            peer: peer.clone(),
            taken: Arc::clone(&self.taken),
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = lock(&self.taken);
        taken.all -= 1;
        if let Some(own) = taken.of_each.get_mut(&self.peer) {
            *own -= 1;
            if *own == 0 {
                taken.of_each.remove(&self.peer);
            }
        }
    }
}

fn lock(taken: &Mutex<Taken>) -> MutexGuard<'_, Taken> {
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(most: usize, most_of_one: usize) -> WaitingRoom {
        WaitingRoom {
            most,
            ..WaitingRoom::new(most_of_one)
        }
    }

    fn user(name: &str) -> Peer {
        Peer::User(name.to_owned())
    }

    #[test]
    fn a_client_takes_no_place_of_another_one() {
        let room = room(10, 2);
        let mut first: Vec<_> = (0..3).map(|_| room.take(&user("a"))).collect();
        assert!(first[1].is_some() && first[2].is_none());
        let other = room.take(&user("b"));
        assert!(other.is_some());
        first.remove(0);
        assert!(room.take(&user("a")).is_some());
    }

    #[test]
    fn a_full_room_takes_no_more_until_one_leaves() {
        let room = room(2, 2);
        let places: Vec<_> = ["a", "b", "c"].map(|name| room.take(&user(name))).into();
        assert!(places[1].is_some() && places[2].is_none());
        drop(places);
        assert!(room.take(&user("c")).is_some());
    }

    #[test]
    fn nothing_is_kept_of_clients_that_have_left() {
        let room = room(10, 2);
        drop((
            room.take(&user("a")),
            room.take(&user("a")),
            room.take(&Peer::Unknown),
        ));
        let taken = lock(&room.taken);
        assert_eq!((taken.all, taken.of_each.len()), (0, 0));
    }
}
