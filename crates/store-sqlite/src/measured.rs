//! Measures the calls of the store.

use std::time::Instant;

use livius_metrics::{Counter, Histogram, Metrics};
use livius_store::StoreError;

/// The metrics of the three kinds of calls.
#[derive(Clone)]
pub(super) struct Measured {
    pub(super) read: Operation,
    pub(super) write: Operation,
    pub(super) durable_write: Operation,
}

/// The metrics of one kind.
#[derive(Clone)]
pub(super) struct Operation {
    duration: Histogram,
    failures: Counter,
}

impl Measured {
    pub(super) fn by(metrics: &Metrics) -> Self {
        let operation = |name| Operation {
            duration: metrics.store_calls.with([name]),
            failures: metrics.store_failures.with([name]),
        };
        Self {
            read: operation("read"),
            write: operation("write"),
            durable_write: operation("durable_write"),
        }
    }
}

impl Operation {
    /// Runs a call and measures it.
    pub(super) async fn run<T>(
        &self,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let began = Instant::now();
        let result = call.await;
        self.duration.observe(began.elapsed());
        if matches!(result, Err(StoreError::Database { .. })) {
            self.failures.inc();
        }
        result
    }
}
