//! The order in which drivers start: those of users by their numbers, then those of pools, a few at a
//! time.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use livius_domain::{DriverUse, QueuePlace};
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

/// A driver's position in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket {
    rank: Rank,
    number: i32,
    /// Tells apart two drivers of one session: a server that died may have left one that is to end.
    arrival: u64,
}

/// Who waits for the driver. Nobody waits for one of a pool, so it comes last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    User,
    Pool,
}

/// The queue of the drivers that wait for a place. It is ordered by the number of the session or
/// batch, so drivers start in the order in which they were stored.
#[derive(Debug)]
pub struct Admission {
    waiting: Mutex<BTreeMap<Ticket, oneshot::Sender<Turn>>>,
    joined: Notify,
    starting: Arc<Semaphore>,
    running: Arc<Semaphore>,
    /// Counts the drivers that have joined.
    arrivals: AtomicU64,
    /// Raised when a user's driver waits for a place among the starting ones.
    give_way: Notify,
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
            arrivals: AtomicU64::new(0),
            give_way: Notify::new(),
        }
    }

    /// Joins the queue. A driver that drops the receiver gets no turn.
    pub fn join(&self, driver: DriverUse) -> (Ticket, oneshot::Receiver<Turn>) {
        let (turn, receiver) = oneshot::channel();
        let ticket = self.ticket(driver);
        self.waiting().insert(ticket, turn);
        self.joined.notify_one();
        (ticket, receiver)
    }

    /// Leaves the queue, without waiting for the turn.
    pub fn leave(&self, ticket: Ticket) {
        self.waiting().remove(&ticket);
    }

    /// The number of drivers in the queue.
    pub fn len(&self) -> usize {
        self.waiting().len()
    }

    /// The place of a driver in the queue; `None` if it does not wait.
    pub fn place(&self, driver: DriverUse) -> Option<QueuePlace> {
        let (rank, number) = rank(driver);
        let waiting = self.waiting();
        let mut tickets = waiting.keys();
        let before = tickets.position(|ticket| (ticket.rank, ticket.number) == (rank, number))?;
        Some(QueuePlace {
            position: before + 1,
            length: waiting.len(),
        })
    }

    /// The place that another driver of a user would have.
    pub fn next_place(&self) -> QueuePlace {
        let waiting = self.waiting();
        let users = waiting.keys().filter(|ticket| ticket.rank == Rank::User);
        QueuePlace {
            position: users.count() + 1,
            length: waiting.len() + 1,
        }
    }

    /// Waits until a user's driver has no place because others start. One of a pool is to end then.
    pub async fn wanted_by_users(&self) {
        self.give_way.notified().await;
    }

    fn waiting(&self) -> MutexGuard<'_, BTreeMap<Ticket, oneshot::Sender<Turn>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn first_is_of_user(&self) -> bool {
        let waiting = self.waiting();
        waiting
            .first_key_value()
            .is_some_and(|(ticket, _)| ticket.rank == Rank::User)
    }

    fn ticket(&self, driver: DriverUse) -> Ticket {
        let (rank, number) = rank(driver);
        Ticket {
            rank,
            number,
            arrival: self.arrivals.fetch_add(1, Ordering::Relaxed),
        }
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
            let running = Arc::clone(&self.running).acquire_owned().await;
            let (Ok(running), Some(starting)) = (running, self.starting_place().await) else {
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

    /// A place among the starting ones. While users wait for it, a driver of a pool is to give way.
    async fn starting_place(&self) -> Option<OwnedSemaphorePermit> {
        let mut place = pin!(Arc::clone(&self.starting).acquire_owned());
        tokio::select! {
            biased;
            place = &mut place => return place.ok(),
            () = self.user_waits() => self.give_way.notify_one(),
        }
        place.await.ok()
    }

    async fn user_waits(&self) {
        while !self.first_is_of_user() {
            self.joined.notified().await;
        }
    }

    async fn next(&self) -> oneshot::Sender<Turn> {
        loop {
            let first = self.waiting().pop_first();
            match first {
                Some((_, waiter)) => return waiter,
                None => self.joined.notified().await,
            }
        }
    }
}

/// Sessions and batches have queues of their own, so their numbers do not meet.
fn rank(driver: DriverUse) -> (Rank, i32) {
    match driver {
        DriverUse::Session(id) => (Rank::User, id.0),
        DriverUse::Batch(id) => (Rank::User, id.0),
        DriverUse::Pool => (Rank::Pool, 0),
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
        let mut waiting: Vec<_> = [2, 0, 1, 3].map(|id| (id, turns.join(batch(id)).1)).into();
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
        let ((ticket, gone), (_, next)) = (turns.join(batch(0)), turns.join(batch(1)));
        turns.leave(ticket);
        turns.leave(ticket);
        assert_eq!(turns.len(), 1);
        assert!(gone.await.is_err());
        tokio::select! {
            () = turns.hand_out() => unreachable!("it goes on for ever"),
            turn = next => assert!(turn.is_ok()),
        }
    }

    #[test]
    fn each_waiter_knows_its_place() {
        let turns = Admission::new(1, Some(1));
        let pool = turns.join(DriverUse::Pool);
        let waiting = [7, 3].map(|id| turns.join(batch(id)));
        let place = |position| {
            Some(QueuePlace {
                position,
                length: 3,
            })
        };
        assert_eq!(turns.place(batch(3)), place(1));
        assert_eq!(turns.place(batch(7)), place(2));
        assert_eq!(turns.place(DriverUse::Pool), place(3));
        assert_eq!(turns.place(batch(4)), None);
        drop((pool, waiting));
    }

    #[tokio::test]
    async fn two_drivers_of_one_batch_have_a_place_each() {
        let turns = Admission::new(1, Some(1));
        let ((_, first), (ticket, second)) = (turns.join(batch(0)), turns.join(batch(0)));
        turns.leave(ticket);
        assert!(second.await.is_err());
        tokio::select! {
            () = turns.hand_out() => unreachable!("it goes on for ever"),
            turn = first => assert!(turn.is_ok()),
        }
    }

    #[tokio::test]
    async fn a_pool_comes_last_and_gives_way() {
        let turns = Arc::new(Admission::new(1, None));
        let (_, of_pool) = turns.join(DriverUse::Pool);
        let (_, of_user) = turns.join(batch(5));
        let lifecycle = Lifecycle::default();
        lifecycle.spawn(Arc::clone(&turns).run(lifecycle.clone()));
        let user = of_user.await.unwrap();
        drop(user);
        let pool = of_pool.await.unwrap();
        let (_, mut next) = turns.join(batch(6));
        turns.wanted_by_users().await;
        assert!(next.try_recv().is_err(), "the pool's driver has the place");
        drop(pool);
        next.await.unwrap();
        assert!(lifecycle.finish(std::time::Duration::from_secs(5)).await);
    }

    #[tokio::test]
    async fn a_drain_ends_the_handing_out() {
        let turns = Arc::new(Admission::new(1, Some(1)));
        let lifecycle = Lifecycle::default();
        lifecycle.begin_drain();
        Arc::clone(&turns).run(lifecycle).await;
        assert!(turns.join(batch(0)).1.try_recv().is_err());
    }
}
