//! Whose turn it is: batches are started in the order of their numbers, a few at a time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use livius_domain::BatchId;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, oneshot};

use crate::lifecycle::Lifecycle;

/// A batch's places: as long as these are held, they are taken.
#[derive(Debug)]
pub struct Turn {
    /// Among those that are being started. Given back as soon as the start is over.
    pub starting: Option<OwnedSemaphorePermit>,
    /// Among those whose processes live. Given back at the end.
    pub running: OwnedSemaphorePermit,
}

/// The queue. Who waits is found by number, so that batches that were stored together are not started in any other order.
#[derive(Debug)]
pub struct Turns {
    waiting: Mutex<BTreeMap<BatchId, oneshot::Sender<Turn>>>,
    joined: Notify,
    starting: Arc<Semaphore>,
    running: Arc<Semaphore>,
}

impl Turns {
    /// A queue for so many places; there is one of each at least.
    pub fn new(starting: usize, running: usize) -> Self {
        Self {
            waiting: Mutex::default(),
            joined: Notify::new(),
            starting: Arc::new(Semaphore::new(starting.max(1))),
            running: Arc::new(Semaphore::new(running.max(1))),
        }
    }

    /// Joins the queue. Who drops the receiver gets no turn.
    pub fn join(&self, batch: BatchId) -> oneshot::Receiver<Turn> {
        let (turn, receiver) = oneshot::channel();
        self.waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(batch, turn);
        self.joined.notify_one();
        receiver
    }

    /// Leaves the queue, without waiting for the turn.
    pub fn leave(&self, batch: BatchId) {
        self.waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&batch);
    }

    /// Takes a place for a process that lives already; there may be more of them than places.
    pub fn recovered(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.running).try_acquire_owned().ok()
    }

    /// Hands out turns until nothing new is to be begun.
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
                // Who has left meanwhile gives the turn back.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn turns_come_by_number_and_only_while_there_are_places() {
        let turns = Arc::new(Turns::new(1, 2));
        let mut waiting: Vec<_> = [2, 0, 1, 3].map(|id| (id, turns.join(BatchId(id)))).into();
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
        // Whoever leaves does not keep the place.
        drop(third);
        drop(first);
        waiting.next().unwrap().await.unwrap();
        assert!(lifecycle.finish(std::time::Duration::from_secs(5)).await);
    }

    #[tokio::test]
    async fn who_leaves_is_forgotten_and_overtaken() {
        let turns = Turns::new(1, 1);
        let (gone, next) = (turns.join(BatchId(0)), turns.join(BatchId(1)));
        turns.leave(BatchId(0));
        turns.leave(BatchId(7));
        assert_eq!(turns.waiting.lock().unwrap().len(), 1);
        assert!(gone.await.is_err());
        tokio::select! {
            () = turns.hand_out() => unreachable!("it goes on for ever"),
            turn = next => assert!(turn.is_ok()),
        }
    }

    #[tokio::test]
    async fn a_drain_ends_the_handing_out() {
        let turns = Arc::new(Turns::new(1, 1));
        let lifecycle = Lifecycle::default();
        lifecycle.begin_drain();
        Arc::clone(&turns).run(lifecycle).await;
        assert!(turns.join(BatchId(0)).try_recv().is_err());
    }
}
