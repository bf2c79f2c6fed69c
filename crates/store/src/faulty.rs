//! A store for tests that fails on request: all writes as on a full disk, or the next write of one
//! kind.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;
use livius_domain::driver::{DriverRecord, Lease};
use livius_domain::{
    BatchId, BatchRecord, DriverId, JobId, JobLanguage, JobRecord, Kind, Made, ResourceId,
    ResourceRecord, SessionId, SessionRecord, StatementId, StatementRecord, Webhook,
};
use tokio::sync::watch;

use crate::{
    BatchStore, BatchSummary, Claim, Delivery, DriverStore, Found, JobStore, KeptAnswer, KeyBounds,
    KeyRecord, KeyStore, NewBatch, NewKey, NewResource, NewSession, Part, PieceStore, PiecesOf,
    ResourceStore, Search, SessionStore, SessionSummary, StatementStore, Store, StoreError,
    StoredJob, StoredStatement, Unended, Visible, WebhookCounts, WebhookStore, Window,
};

/// Wraps a store and adds switches. An operation has the name of its method.
pub struct Faulty<S> {
    store: S,
    full: AtomicBool,
    failing: Mutex<BTreeSet<&'static str>>,
    panicking: Mutex<BTreeSet<&'static str>>,
    held: watch::Sender<BTreeSet<&'static str>>,
    begun: AtomicU64,
    ended: AtomicU64,
}

impl<S> Faulty<S> {
    /// Wraps a store. Nothing fails at first.
    pub fn new(store: S) -> Self {
        Self {
            store,
            full: AtomicBool::new(false),
            failing: Mutex::default(),
            panicking: Mutex::default(),
            held: watch::Sender::default(),
            begun: AtomicU64::default(),
            ended: AtomicU64::default(),
        }
    }

    /// Makes all writes fail from now on, or succeed again.
    pub fn set_full(&self, full: bool) {
        self.full.store(full, Ordering::SeqCst);
    }

    /// Makes the next call of a writing operation fail. It changes nothing then.
    pub fn fail_next(&self, operation: &str) {
        self.failing().insert(known(operation));
    }

    /// Makes the next call of a writing operation panic, as a fault of the server's own code does.
    /// It changes nothing then.
    pub fn panic_next(&self, operation: &str) {
        self.panicking().insert(known(operation));
    }

    /// Makes the calls of an operation wait until the operation is released.
    pub fn hold(&self, operation: &str) {
        let reads = READS.iter().find(|name| **name == operation);
        let operation = reads.copied().unwrap_or_else(|| known(operation));
        self.held.send_modify(|held| {
            held.insert(operation);
        });
    }

    /// Lets the calls of a held operation go on.
    pub fn release(&self, operation: &str) {
        self.held.send_modify(|held| {
            held.remove(operation);
        });
    }

    /// Lets the held calls end with the server that made them: no write changes anything from now on.
    /// Does nothing while no call is held.
    pub fn drop_held(&self) {
        if !self.held.borrow().is_empty() {
            self.set_full(true);
            self.held.send_modify(BTreeSet::clear);
        }
    }

    /// The number of calls so far; `None` while one is under way. A held call has not begun.
    pub fn calls_at_rest(&self) -> Option<u64> {
        let ended = self.ended.load(Ordering::SeqCst);
        (self.begun.load(Ordering::SeqCst) == ended).then_some(ended)
    }

    fn begin_call(&self) -> Call<'_> {
        self.begun.fetch_add(1, Ordering::SeqCst);
        Call(&self.ended)
    }

    fn failing(&self) -> std::sync::MutexGuard<'_, BTreeSet<&'static str>> {
        self.failing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn panicking(&self) -> std::sync::MutexGuard<'_, BTreeSet<&'static str>> {
        self.panicking
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    async fn while_held(&self, operation: &str) {
        let mut held = self.held.subscribe();
        let _ = held.wait_for(|held| !held.contains(operation)).await;
    }

    async fn write(&self, operation: &'static str) -> Result<(), StoreError> {
        self.while_held(operation).await;
        let panics = self.panicking().remove(operation);
        assert!(!panics, "{operation} is to panic");
        if self.full.load(Ordering::SeqCst) || self.failing().remove(operation) {
            return Err(StoreError::Database {
                operation: "write",
                source: "the disk is full".into(),
            });
        }
        Ok(())
    }
}

/// A call of the wrapped store. It ends when its caller has the result, or has given up.
struct Call<'a>(&'a AtomicU64);

impl Drop for Call<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Panics on an unknown name, as a test with a misspelt name could pass for the wrong reason.
fn known(operation: &str) -> &'static str {
    let found = WRITES.iter().find(|name| **name == operation);
    found.unwrap_or_else(|| panic!("no operation of a store writes and is called {operation}"))
}

/// Implements the traits. A write may fail or wait first; then the call goes to the wrapped store.
macro_rules! forward {
    ($(
        impl $trait:ident {
            writes { $( fn $write:ident($($warg:ident: $wtype:ty),*) -> $wok:ty; )* }
            reads { $( fn $read:ident($($rarg:ident: $rtype:ty),*) -> $rok:ty; )* }
        }
    )*) => {
        const READS: &[&str] = &[$( $( stringify!($read), )* )*];
        const WRITES: &[&str] = &[$( $( stringify!($write), )* )*];

        $(
            #[async_trait]
            impl<S: Store> $trait for Faulty<S> {
                $(
                    async fn $write(&self, $($warg: $wtype),*) -> Result<$wok, StoreError> {
                        self.write(stringify!($write)).await?;
                        let _call = self.begin_call();
                        self.store.$write($($warg),*).await
                    }
                )*
                $(
                    async fn $read(&self, $($rarg: $rtype),*) -> Result<$rok, StoreError> {
                        self.while_held(stringify!($read)).await;
                        let _call = self.begin_call();
                        self.store.$read($($rarg),*).await
                    }
                )*
            }
        )*
    };
}

forward! {
    impl SessionStore {
        writes {
            fn create_session(new: NewSession) -> SessionRecord;
            fn update_session(record: &mut SessionRecord) -> ();
            fn unlist_session(id: SessionId) -> bool;
            fn purge_sessions(ended_before: Timestamp, keep: u64) -> Vec<SessionRecord>;
        }
        reads {
            fn session(id: SessionId) -> Option<SessionRecord>;
            fn session_named(name: &str) -> Option<SessionRecord>;
            fn session_summaries(ids: &[SessionId]) -> Vec<SessionSummary>;
            fn list_sessions(visible: Visible<'_>, window: Window) -> Part<SessionRecord>;
            fn search_sessions(visible: Visible<'_>, search: Search<'_>) -> Found<SessionRecord>;
            fn unended_sessions() -> Vec<Unended<SessionRecord>>;
        }
    }
    impl StatementStore {
        writes {
            fn create_statement(session: SessionId, kind: Kind, code: &str, key: Option<&NewKey>, webhook: Option<&Webhook>) -> StatementRecord;
            fn update_statement(record: &mut StatementRecord, output: Option<&str>) -> ();
            fn trim_statements(session: SessionId, keep: u64) -> ();
        }
        reads {
            fn statement(session: SessionId, id: StatementId) -> Option<StoredStatement>;
            fn list_statements(session: SessionId, window: Window) -> Part<StoredStatement>;
            fn unfinished_statements(session: SessionId) -> Vec<StatementRecord>;
        }
    }
    impl PieceStore {
        writes {
            fn delete_pieces(of: PiecesOf) -> ();
            fn put_piece(of: PiecesOf, index: u32, text: &str) -> ();
        }
        reads {
            fn piece(of: PiecesOf, index: u32) -> Option<String>;
            fn excess_outputs(session: Option<SessionId>, budget: u64) -> Vec<PiecesOf>;
            fn count_pieces(of: PiecesOf) -> u32;
        }
    }
    impl JobStore {
        writes {
            fn create_job(session: SessionId, language: JobLanguage, payload: &str, key: Option<&NewKey>) -> JobRecord;
            fn update_job(record: &mut JobRecord, result: Option<&str>) -> ();
            fn trim_jobs(session: SessionId, keep: u64) -> ();
        }
        reads {
            fn job_payload_bytes(session: SessionId, job: JobId) -> Option<u64>;
            fn job_payload(session: SessionId, job: JobId) -> Option<String>;
            fn job(session: SessionId, job: JobId) -> Option<StoredJob>;
            fn list_jobs(session: SessionId, before: Option<JobId>, limit: u64) -> Found<JobRecord>;
            fn unfinished_jobs(session: SessionId) -> Vec<JobRecord>;
        }
    }
    impl ResourceStore {
        writes {
            fn next_resource(session: SessionId) -> ResourceId;
            fn create_resource(session: SessionId, new: NewResource) -> ResourceRecord;
            fn update_resource(record: &mut ResourceRecord) -> ();
        }
        reads {
            fn pending_resources(session: SessionId) -> Vec<ResourceRecord>;
        }
    }
    impl BatchStore {
        writes {
            fn create_batch(new: NewBatch) -> BatchRecord;
            fn update_batch(record: &mut BatchRecord) -> ();
            fn unlist_batch(id: BatchId) -> bool;
            fn purge_batches(ended_before: Timestamp, keep: u64) -> Vec<BatchRecord>;
        }
        reads {
            fn batch(id: BatchId) -> Option<BatchRecord>;
            fn batch_named(name: &str) -> Option<BatchRecord>;
            fn batch_summaries(ids: &[BatchId]) -> Vec<BatchSummary>;
            fn list_batches(visible: Visible<'_>, window: Window) -> Part<BatchRecord>;
            fn search_batches(visible: Visible<'_>, search: Search<'_>) -> Found<BatchRecord>;
            fn unended_batches() -> Vec<Unended<BatchRecord>>;
        }
    }
    impl DriverStore {
        writes {
            fn create_driver(record: &DriverRecord) -> ();
            fn update_driver(record: &mut DriverRecord) -> ();
            fn claim_drivers(claim: Claim<'_>) -> Vec<DriverRecord>;
            fn renew_leases(lease: &Lease) -> u64;
            fn delete_driver(id: &DriverId) -> bool;
        }
        reads {
            fn driver(id: &DriverId) -> Option<DriverRecord>;
            fn driver_names() -> Vec<String>;
            fn abandoned_drivers() -> Vec<DriverId>;
        }
    }
    impl KeyStore {
        writes {
            fn keep_answer(key: &NewKey, answer: &KeptAnswer) -> ();
            fn free_key(caller: &str, key: &str) -> ();
            fn withdraw(made: Made) -> ();
            fn purge_keys(bounds: KeyBounds) -> u64;
        }
        reads {
            fn key(caller: &str, key: &str) -> Option<KeyRecord>;
        }
    }
    impl WebhookStore {
        writes {
            fn retry_delivery(id: &str, attempted_at: Timestamp, due_at: Timestamp, error: &str) -> ();
            fn delete_delivery(id: &str) -> bool;
        }
        reads {
            fn due_deliveries(now: Timestamp, busy: &[String], limit: u64) -> Vec<Delivery>;
            fn count_webhooks() -> WebhookCounts;
        }
    }
}
