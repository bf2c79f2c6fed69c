//! Every family of the server.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use prometheus_client::encoding::{prometheus_text, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Unit;

use crate::catalogue::{Catalogue, Counters, Description, Gauges, Histograms};
use crate::histogram::Histogram;
use crate::process::resident_bytes;
use crate::requests::Requests;

/// The metrics of one server. Clones share them.
#[derive(Clone, Default)]
pub struct Metrics(Arc<Whole>);

/// The form of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// The text format of Prometheus, version 0.0.4.
    Prometheus,
    /// `OpenMetrics`, version 1.0.0.
    OpenMetrics,
}

impl Format {
    /// The content type of the text.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Prometheus => prometheus_text::CONTENT_TYPE,
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

struct Whole {
    families: Families,
    catalogue: Catalogue,
}

/// The families.
#[derive(Debug)]
pub struct Families {
    /// Requests to the HTTP edge.
    pub requests: Requests,
    /// Live sessions, by Livy's state.
    pub sessions: Gauges<1>,
    /// Live batches, by Livy's state.
    pub batches: Gauges<1>,
    /// Drivers that wait for a place among those that start.
    pub drivers_waiting: Gauges<1>,
    /// Statements that wait for their turn.
    pub statements_waiting: Gauge,
    /// The phases of drivers' starts.
    pub start_phases: Histograms<2>,
    /// Sessions that got a driver of a pool.
    pub pool_hits: Counters<2>,
    /// Sessions that got none.
    pub pool_misses: Counters<2>,
    /// Statements that ended.
    pub statements: Counters<2>,
    /// How long their code ran.
    pub statement_durations: Histograms<1>,
    /// Calls of the store.
    pub store_calls: Histograms<1>,
    /// Calls of the store that failed.
    pub store_failures: Counters<1>,
    /// Connections of agents.
    pub agent_connections: Counters<1>,
    /// Connections of agents that were lost.
    pub agent_connections_lost: Counter,
    /// Notices of agents that were dropped.
    pub notices_dropped: Counter,
    /// Lines of the audit log that were lost.
    pub audit_lines_lost: Counters<1>,
    /// Messages to webhooks that came to an end.
    pub webhooks: Counters<1>,
    /// Attempts to tell a webhook that failed.
    pub webhook_failures: Counter,
    /// Messages that have not reached their webhooks.
    pub webhooks_waiting: Gauge,
    /// When the server began, in seconds since 1970.
    pub started: Gauge,
    resident_memory: Gauge,
}

impl Default for Whole {
    fn default() -> Self {
        let mut catalogue = Catalogue::default();
        Self {
            families: Families::new(&mut catalogue),
            catalogue,
        }
    }
}

impl Families {
    #[expect(clippy::too_many_lines, reason = "it is a list of names and texts")]
    fn new(catalogue: &mut Catalogue) -> Self {
        let version = ("version", env!("CARGO_PKG_VERSION"));
        catalogue.info("livius_build", "The version of the server", version);
        Self {
            requests: Requests::new(catalogue),
            sessions: catalogue.gauges(
                "livius_sessions",
                "Live sessions by Livy's state",
                ["state"],
            ),
            batches: catalogue.gauges(
                "livius_batches",
                "Live batches by Livy's state",
                ["state"],
            ),
            drivers_waiting: catalogue.gauges(
                "livius_drivers_waiting",
                "Drivers in the queue for a start; `program` is `session` (also for pools) or `batch`",
                ["program"],
            ),
            statements_waiting: catalogue.gauge(
                "livius_statements_waiting",
                "Statements that wait for the statements before them or for their driver",
            ),
            start_phases: catalogue.histograms(
                "livius_driver_start_phase_duration",
                "Time that a driver spent in a phase of its start (`queued`, `launching`, `connecting`, `context`) before it reached the next",
                ["program", "phase"],
                || Histogram::new(&[0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0]),
            ),
            pool_hits: catalogue.counters(
                "livius_pool_hits",
                "Sessions that got a driver of a pool; `level` is how far it had been started",
                ["pool", "level"],
            ),
            pool_misses: catalogue.counters(
                "livius_pool_misses",
                "Searches of sessions in a pool that had no driver for them, by reason",
                ["pool", "reason"],
            ),
            statements: catalogue.counters(
                "livius_statements",
                "Statements that ended; `outcome` is `ok`, `error`, `cancelled` or `lost` (with the driver)",
                ["kind", "outcome"],
            ),
            statement_durations: catalogue.histograms(
                "livius_statement_duration",
                "Time that the code of a statement ran",
                ["kind"],
                || Histogram::new(&[0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0]),
            ),
            store_calls: catalogue.histograms(
                "livius_store_call_duration",
                "Time of a call of the store, with the wait for its turn; `operation` is `read`, `write` or `durable_write`",
                ["operation"],
                || Histogram::new(&[0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0]),
            ),
            store_failures: catalogue.counters(
                "livius_store_failures",
                "Calls of the store that failed for other reasons than a conflict or a name in use",
                ["operation"],
            ),
            agent_connections: catalogue.counters(
                "livius_agent_connections",
                "Connections of agents; `attempt` is `first`, or `again` for a reconnect to this server",
                ["attempt"],
            ),
            agent_connections_lost: catalogue.counter(
                "livius_agent_connections_lost",
                "Connections of agents that ended before their driver did",
            ),
            notices_dropped: catalogue.counter(
                "livius_agent_notices_dropped",
                "Notices of agents (progress) that were dropped because the session had too much to do",
            ),
            audit_lines_lost: catalogue.counters(
                "livius_audit_lines_lost",
                "Lines of the audit log that were lost; `reason` is `queue` (more requests than the disk takes) or `disk`",
                ["reason"],
            ),
            webhooks: catalogue.counters(
                "livius_webhooks",
                "Messages to webhooks that came to an end; `outcome` is `delivered`, `refused` (410) or `given_up` (after `webhooks.retry_for`)",
                ["outcome"],
            ),
            webhook_failures: catalogue.counter(
                "livius_webhook_failures",
                "Attempts to tell a webhook that failed",
            ),
            webhooks_waiting: catalogue.gauge(
                "livius_webhooks_waiting",
                "Messages that have not reached their webhooks",
            ),
            started: catalogue.gauge_in(
                Unit::Seconds,
                "process_start_time",
                "When the server began, since 1970",
            ),
            resident_memory: catalogue.gauge_in(
                Unit::Bytes,
                "process_resident_memory",
                "Memory of the server's process that is in RAM, without drivers",
            ),
        }
    }
}

impl Metrics {
    /// The metrics as text, as they are now.
    pub fn text(&self, format: Format) -> String {
        if let Some(bytes) = resident_bytes() {
            self.resident_memory.set(bytes);
        }
        let mut text = String::new();
        let registry = &self.0.catalogue.registry;
        let written = match format {
            Format::Prometheus => prometheus_text::encode(&mut text, registry),
            Format::OpenMetrics => text::encode(&mut text, registry),
        };
        written.expect("a string takes every text");
        text
    }

    /// What the families are, in the order of the text.
    pub fn descriptions(&self) -> &[Description] {
        &self.0.catalogue.descriptions
    }
}

impl Deref for Metrics {
    type Target = Families;

    fn deref(&self) -> &Families {
        &self.0.families
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}
