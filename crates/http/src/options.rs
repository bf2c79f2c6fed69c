//! Configuration of the edge.

use std::time::Duration;

use livius_wire::{ReadOptions, VersionAnswer};

use crate::response::security_headers::SecurityHeaders;

/// Configuration of the edge, complete and checked. No setting changes the deadlines or the
/// version; tests shorten the deadlines.
#[derive(Debug, Clone)]
pub struct Options {
    /// The longest body of a request, after decompression. All bodies that arrive at the same time
    /// may take four times as much.
    pub body_bytes: usize,
    /// The time that a request may take to send its body.
    pub body_deadline: Duration,
    /// The time that a request may take until its response starts.
    pub deadline: Duration,
    /// The longest file that a client may upload.
    pub upload_bytes: u64,
    /// The time that the body of an upload may take. [`Options::body_deadline`] then applies to
    /// each piece of it.
    pub upload_deadline: Duration,
    /// How many requests of one client may wait at once.
    pub waits_of_one_client: usize,
    /// The strictness with which bodies are read.
    pub read: ReadOptions,
    /// The answer to `GET /version`.
    pub version: VersionAnswer,
    /// Host names of the server besides `localhost`. Requests may name the server by these, and
    /// pages under these may change something.
    pub host_names: Vec<String>,
    /// True if requests that change something must have Livy's CSRF header.
    pub csrf_protection: bool,
    /// Security headers of every response.
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
            waits_of_one_client: 1_000,
            read: ReadOptions::default(),
            version: VersionAnswer::of_livius(env!("CARGO_PKG_VERSION"), None),
            host_names: Vec::new(),
            csrf_protection: false,
            security_headers: SecurityHeaders::default(),
        }
    }
}
