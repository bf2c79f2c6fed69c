//! What the edge must be told.

use std::time::Duration;

use wire::{ReadOptions, VersionAnswer};

/// Configuration of the edge, complete and checked.
#[derive(Debug, Clone)]
pub struct Options {
    /// The longest body of a request, after it was unpacked.
    pub body_bytes: usize,
    /// How long a request may take to send its body.
    pub body_deadline: Duration,
    /// How long a request may take in all, until its answer begins.
    pub deadline: Duration,
    /// How strictly bodies are read.
    pub read: ReadOptions,
    /// The answer to `GET /version`.
    pub version: VersionAnswer,
    /// Whether answers carry Livy's security headers.
    pub security_headers: bool,
    /// Whether clients reach the server by HTTPS.
    pub https: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            body_bytes: domain::Limits::default().body_bytes,
            body_deadline: Duration::from_mins(1),
            deadline: Duration::from_mins(2),
            read: ReadOptions::default(),
            version: VersionAnswer::of_livius(env!("CARGO_PKG_VERSION"), None),
            security_headers: true,
            https: false,
        }
    }
}
