//! The statements of a session that have not ended: the one that runs, and those that wait for it.

use std::collections::BTreeMap;

use livius_domain::{StatementId, StatementRecord};
use livius_metrics::{Gauge, Share};

use crate::byte_room::{ByteRoom, HeldBytes};

/// Statements by number, which is the order in which they run. Their code is shared, so a record is
/// cheap to clone.
#[derive(Debug, Default)]
pub(super) struct Queue {
    records: BTreeMap<StatementId, StatementRecord>,
    /// The one that the driver has.
    current: Option<StatementId>,
    /// The length of all code.
    held: HeldBytes,
    /// The number of those that wait, as the metrics show it.
    shown: Share,
}

impl Queue {
    /// An empty queue whose code takes memory of this room, and whose waiting statements this gauge
    /// counts.
    pub(super) fn new(room: &ByteRoom, waiting: &Gauge) -> Self {
        Self {
            held: room.share(),
            shown: Share::of(waiting),
            ..Self::default()
        }
    }

    /// Adds a statement behind all others. A statement that the driver has already stays the
    /// current one.
    pub(super) fn add(&mut self, record: StatementRecord) {
        if record.state.is_dispatched() && self.current.is_none() {
            self.current = Some(record.id);
        }
        self.held.add(record.code.len());
        self.records.insert(record.id, record);
        self.shown.set(self.waiting());
    }

    /// Keeps the new state and version of a statement. A statement that was handed to the driver
    /// becomes the current one. One that has ended leaves. Unknown statements are ignored.
    pub(super) fn update(&mut self, record: &StatementRecord) {
        let Some(kept) = self.records.get_mut(&record.id) else {
            return;
        };
        kept.state = record.state;
        kept.version = record.version;
        if record.state.is_final() {
            let bytes = kept.code.len();
            self.held.remove(bytes);
            self.records.remove(&record.id);
            self.current.take_if(|current| *current == record.id);
        } else if record.state.is_dispatched() {
            self.current.get_or_insert(record.id);
        }
        self.shown.set(self.waiting());
    }

    /// Forgets all of them.
    pub(super) fn clear(&mut self) {
        self.records.clear();
        self.current = None;
        self.held.clear();
        self.shown.set(0);
    }

    /// A statement that has not ended.
    pub(super) fn get(&self, id: StatementId) -> Option<StatementRecord> {
        self.records.get(&id).cloned()
    }

    /// Tells whether a statement has not ended.
    pub(super) fn has(&self, id: StatementId) -> bool {
        self.records.contains_key(&id)
    }

    /// The one that the driver has.
    pub(super) fn current(&self) -> Option<StatementRecord> {
        self.get(self.current?)
    }

    /// The one whose turn it is; none while the driver has one.
    pub(super) fn next(&self) -> Option<StatementRecord> {
        match self.current {
            Some(_) => None,
            None => self.records.values().next().cloned(),
        }
    }

    /// The waiting statements, then the current one.
    pub(super) fn ids_to_cancel(&self) -> Vec<StatementId> {
        let waiting = self.records.keys().copied();
        let waiting = waiting.filter(|id| Some(*id) != self.current);
        waiting.chain(self.current).collect()
    }

    /// All of them, the current one first.
    pub(super) fn ids(&self) -> Vec<StatementId> {
        let mut ids = self.ids_to_cancel();
        ids.rotate_right(usize::from(self.current.is_some()));
        ids
    }

    /// The number of items that wait.
    pub(super) fn waiting(&self) -> usize {
        self.records.len() - usize::from(self.current.is_some())
    }

    /// Tells whether no item waits.
    pub(super) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The length of the code of all of them.
    pub(super) fn bytes(&self) -> usize {
        self.held.bytes()
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use livius_domain::{Kind, SessionId, StatementEvent, StatementState};

    use super::*;

    fn statement(id: i32, state: StatementState) -> StatementRecord {
        StatementRecord {
            session: SessionId(0),
            id: StatementId(id),
            version: 0,
            kind: Kind::Spark,
            code: "12345".into(),
            state,
        }
    }

    fn after(queue: &Queue, id: i32, event: StatementEvent) -> StatementRecord {
        let record = queue.get(StatementId(id)).unwrap();
        let (state, _) = record.state.on(event).unwrap();
        let version = record.version + 1;
        StatementRecord {
            state,
            version,
            ..record
        }
    }

    fn ids(ids: &[i32]) -> Vec<StatementId> {
        ids.iter().copied().map(StatementId).collect()
    }

    #[test]
    fn one_runs_at_a_time_in_the_order_of_numbers() {
        let mut queue = Queue::default();
        for id in 0..3 {
            queue.add(statement(id, StatementState::Waiting));
        }
        assert_eq!((queue.waiting(), queue.bytes()), (3, 15));
        queue.update(&after(&queue, 0, StatementEvent::Dispatch));
        let current = queue.current().unwrap();
        assert_eq!((current.id, current.version), (StatementId(0), 1));
        assert_eq!((queue.next(), queue.waiting()), (None, 2));
        assert_eq!(queue.ids(), ids(&[0, 1, 2]));
        assert_eq!(queue.ids_to_cancel(), ids(&[1, 2, 0]));

        let now = Timestamp::UNIX_EPOCH;
        queue.update(&after(&queue, 1, StatementEvent::Cancel(now)));
        assert_eq!((queue.waiting(), queue.bytes()), (1, 10));
        let finished = StatementEvent::Finished {
            at: now,
            cancelled: false,
        };
        queue.update(&after(&queue, 0, finished));
        assert_eq!(queue.next().unwrap().id, StatementId(2));
        queue.clear();
        assert!(queue.is_empty());
        assert_eq!(queue.bytes(), 0);
    }

    #[test]
    fn what_the_driver_has_is_still_current_after_a_restart() {
        let mut queue = Queue::default();
        queue.add(statement(4, StatementState::Cancelling { started: None }));
        queue.add(statement(5, StatementState::Waiting));
        assert_eq!(queue.current().unwrap().id, StatementId(4));
        queue.update(&statement(9, StatementState::Running { started: None }));
        assert_eq!(queue.ids(), ids(&[4, 5]));
    }
}
