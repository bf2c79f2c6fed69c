//! The connections that only read.

use std::sync::atomic::{AtomicUsize, Ordering};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, SqliteConnection};
use tokio::sync::{Mutex, MutexGuard};

/// Reads are short. More connections would only compete for the processor.
const COUNT: usize = 3;

/// A few connections. The pool of sqlx would double the time of a read: it tests and returns each
/// connection in its own task.
pub(super) struct Readers {
    connections: Vec<Mutex<SqliteConnection>>,
    turn: AtomicUsize,
}

impl Readers {
    /// Opens all connections.
    pub(super) async fn open(options: SqliteConnectOptions) -> Result<Self, sqlx::Error> {
        let options = options.read_only(true);
        let mut connections = Vec::with_capacity(COUNT);
        for _ in 0..COUNT {
            connections.push(Mutex::new(options.connect().await?));
        }
        Ok(Self {
            connections,
            turn: AtomicUsize::new(0),
        })
    }

    /// Takes a free connection, or waits for one.
    pub(super) async fn take(&self) -> MutexGuard<'_, SqliteConnection> {
        if let Some(free) = self
            .connections
            .iter()
            .find_map(|connection| connection.try_lock().ok())
        {
            return free;
        }
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % self.connections.len();
        self.connections[turn].lock().await
    }

    /// Takes all connections, so that nothing reads.
    pub(super) async fn take_all(&self) -> Vec<MutexGuard<'_, SqliteConnection>> {
        let mut taken = Vec::with_capacity(COUNT);
        for connection in &self.connections {
            taken.push(connection.lock().await);
        }
        taken
    }
}
