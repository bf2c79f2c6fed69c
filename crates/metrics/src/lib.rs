//! The server's metrics: what it counts and measures, and the text that monitoring reads.
//!
//! Purpose: to own every family of metrics, so that one registry describes, documents and writes all
//! of them. Non-goals: what the figures mean for sessions, and serving them over HTTP.
//!
//! Counting takes no lock where every request passes: handles are atomic numbers that their users
//! keep. A registry is a value, so each server of a test has its own.

mod catalogue;
mod document;
mod families;
mod histogram;
mod process;
mod requests;
mod share;

pub use catalogue::{Counters, Description, Gauges, Histograms};
pub use document::document;
pub use families::{Families, Format, Metrics};
pub use histogram::Histogram;
pub use prometheus_client::metrics::counter::Counter;
pub use prometheus_client::metrics::gauge::Gauge;
pub use requests::{Requests, RouteTable};
pub use share::Share;
