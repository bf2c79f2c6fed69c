//! The order in which drivers start: by their numbers, a few at a time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use livius_domain::DriverUse;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, oneshot};

use crate::lifecycle::Lifecycle;

/// A driver's places. The driver gives a place back when it drops the permit.
#[derive(Debug)]
pub struct Turn {
    /// The place among the drivers that start, until the start is over.
    pub starting: Option<OwnedSemaphorePermit>,
    /// The place among the drivers that live, until the end.
    pub running: OwnedSemaphorePermit,
}

/// The queue of the drivers that wait for a place. It is ordered by the number of the session or
/// batch, so drivers start in the order in which they were stored.
#[derive(Debug)]
pub struct Admission {
    waiting: Mutex<BTreeMap<i32, oneshot::Sender<Turn>>>,
    joined: Notify,
    starting: Arc<Semaphore>,
    running: Arc<Semaphore>,
}

impl Admission {
    /// A queue for so many places; there is at least one of each. `running` has no limit when it is
    /// `None`.
    pub fn new(starting: usize, running: Option<usize>) -> Self {
        let running = running.unwrap_or(Semaphore::MAX_PERMITS);
        Self {
            waiting: Mutex::default(),
            joined: Notify::new(),
            starting: Arc::new(Semaphore::new(starting.max(1))),
            running: Arc::new(Semaphore::new(running.max(1))),
        }
    }

    /// Joins the queue. A driver that drops the receiver gets no turn.
    pub fn join(&self, driver: DriverUse) -> oneshot::Receiver<Turn> {
        let (turn, receiver) = oneshot::channel();
        self.waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(number(driver), turn);
        self.joined.notify_one();
        receiver
    }

    /// Leaves the queue, without waiting for the turn.
    pub fn leave(&self, driver: DriverUse) {
        self.waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&number(driver));
    }

    /// Takes a place for a driver that lives already; more drivers may live than there are places.
    pub fn recovered(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.running).try_acquire_owned().ok()
    }

    /// Hands out turns until the server drains.
    pub async fn run(self: Arc<Self>, lifecycle: Lifecycle) {
        tokio::select! {
            biased;
            () = lifecycle.draining() => {}
            () = self.hand_out() => {}
        }
    }

    async fn hand_out(&self) {
        loop {
            let places = (
                Arc::clone(&self.running).acquire_owned().await,
                Arc::clone(&self.starting).acquire_owned().await,
            );
            let (Ok(running), Ok(starting)) = places else {
                return;
            };
            let mut turn = Turn {
                starting: Some(starting),
                running,
            };
            loop {
                let waiter = self.next().await;
                // A driver that has left the queue gives the turn back.
                match waiter.send(turn) {
                    Ok(()) => break,
                    Err(back) => turn = back,
                }
            }
        }
    }

    async fn next(&self) -> oneshot::Sender<Turn> {
        loop {
            let first = self
                .waiting
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .pop_first();
            match first {
                Some((_, waiter)) => return waiter,
                None => self.joined.notified().await,
            }
        }
    }
}

/// Sessions and batches have queues of their own, so their numbers do not meet.
fn number(driver: DriverUse) -> i32 {
    match driver {
        DriverUse::Session(id) => id.0,
        DriverUse::Batch(id) => id.0,
    }
}

#[cfg(test)]
mod tests {
    use livius_domain::BatchId;

    use super::*;

    fn batch(id: i32) -> DriverUse {
        DriverUse::Batch(BatchId(id))
    }

    #[tokio::test]
    async fn turns_come_by_number_and_only_while_there_are_places() {
        let turns = Arc::new(Admission::new(1, Some(2)));
        let mut waiting: Vec<_> = [2, 0, 1, 3].map(|id| (id, turns.join(batch(id)))).into();
        waiting.sort_by_key(|(id, _)| *id);
        let mut waiting = waiting.into_iter().map(|(_, turn)| turn);
        let lifecycle = Lifecycle::default();
        lifecycle.spawn(Arc::clone(&turns).run(lifecycle.clone()));

        let mut first = waiting.next().unwrap().await.unwrap();
        let mut second = waiting.next().unwrap();
        assert!(second.try_recv().is_err(), "one starts at a time");
        first.starting = None;
        let mut second = second.await.unwrap();
        second.starting = None;

        let mut third = waiting.next().unwrap();
        tokio::task::yield_now().await;
        assert!(third.try_recv().is_err(), "two run at a time");
        // A waiter that leaves does not keep the place.
        drop(third);
        drop(first);
        waiting.next().unwrap().await.unwrap();
        assert!(lifecycle.finish(std::time::Duration::from_secs(5)).await);
    }

    #[tokio::test]
    async fn who_leaves_is_forgotten_and_overtaken() {
        let turns = Admission::new(1, Some(1));
        let (gone, next) = (turns.join(batch(0)), turns.join(batch(1)));
        turns.leave(batch(0));
        turns.leave(batch(7));
        assert_eq!(turns.waiting.lock().unwrap().len(), 1);
        assert!(gone.await.is_err());
        tokio::select! {
            () = turns.hand_out() => unreachable!("it goes on for ever"),
            turn = next => assert!(turn.is_ok()),
        }
    }

    #[tokio::test]
    async fn a_drain_ends_the_handing_out() {
        let turns = Arc::new(Admission::new(1, Some(1)));
        let lifecycle = Lifecycle::default();
        lifecycle.begin_drain();
        Arc::clone(&turns).run(lifecycle).await;
        assert!(turns.join(batch(0)).try_recv().is_err());
    }
}
