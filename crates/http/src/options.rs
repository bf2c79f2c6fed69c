//! What the edge must be told.

use std::time::Duration;

use livius_wire::{ReadOptions, VersionAnswer};

use crate::response::security_headers::SecurityHeaders;

/// Configuration of the edge, complete and checked. No key sets the deadlines and the version: tests shorten the former.
#[derive(Debug, Clone)]
pub struct Options {
    /// The longest body of a request, after it was unpacked. All that are being received take four times as much at most.
    pub body_bytes: usize,
    /// How long a request may take to send its body.
    pub body_deadline: Duration,
    /// How long a request may take in all, until its answer begins.
    pub deadline: Duration,
    /// The longest file that is uploaded.
    pub upload_bytes: u64,
    /// How long an upload may take to send its body. [`Options::body_deadline`] is then for each piece of it.
    pub upload_deadline: Duration,
    /// How strictly bodies are read.
    pub read: ReadOptions,
    /// The answer to `GET /version`.
    pub version: VersionAnswer,
    /// The names that the server goes by, besides `localhost`: pages that a browser opened by one of them may change things.
    pub host_names: Vec<String>,
    /// Whether a request that changes something must have Livy's header against forged ones.
    pub csrf_protection: bool,
    /// What every answer tells a browser not to do.
    pub security_headers: SecurityHeaders,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            body_bytes: livius_domain::Limits::default().body_bytes,
            body_deadline: Duration::from_mins(1),
            deadline: Duration::from_mins(2),
            upload_bytes: livius_domain::Limits::default().upload_bytes,
            upload_deadline: Duration::from_mins(30),
            read: ReadOptions::default(),
            version: VersionAnswer::of_livius(env!("CARGO_PKG_VERSION"), None),
            host_names: Vec::new(),
            csrf_protection: false,
            security_headers: SecurityHeaders::default(),
        }
    }
}
