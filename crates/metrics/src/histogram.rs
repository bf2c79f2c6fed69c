//! A histogram of durations. That of the library takes a lock for each observation.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::{MetricType, TypedMetric};

/// A histogram of durations. Clones share it.
#[derive(Debug, Clone)]
pub struct Histogram(Arc<Numbers>);

#[derive(Debug)]
struct Numbers {
    /// The upper bounds in seconds, in order. Longer durations have a count of their own.
    bounds: &'static [f64],
    counts: Box<[AtomicU64]>,
    nanoseconds: AtomicU64,
}

impl Histogram {
    /// An empty histogram with these upper bounds in seconds, in order.
    pub fn new(bounds: &'static [f64]) -> Self {
        Self(Arc::new(Numbers {
            bounds,
            counts: (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect(),
            nanoseconds: AtomicU64::new(0),
        }))
    }

    /// Counts a duration.
    pub fn observe(&self, duration: Duration) {
        let seconds = duration.as_secs_f64();
        let index = self.0.bounds.partition_point(|bound| *bound < seconds);
        self.0.counts[index].fetch_add(1, Ordering::Relaxed);
        let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.0.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
    }
}

impl TypedMetric for Histogram {
    const TYPE: MetricType = MetricType::Histogram;
}

impl EncodeMetric for Histogram {
    fn encode(&self, mut encoder: MetricEncoder) -> Result<(), std::fmt::Error> {
        let bounds = self.0.bounds.iter().copied().chain([f64::INFINITY]);
        let counts = self.0.counts.iter();
        let counts = counts.map(|count| count.load(Ordering::Relaxed));
        let buckets: Vec<(f64, u64)> = bounds.zip(counts).collect();
        // The count must be that of the buckets, also while others observe.
        let count = buckets.iter().map(|(_, count)| count).sum();
        let sum = Duration::from_nanos(self.0.nanoseconds.load(Ordering::Relaxed));
        encoder.encode_histogram::<NoLabelSet>(sum.as_secs_f64(), count, &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        Self::TYPE
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::prometheus_text::encode;
    use prometheus_client::registry::Registry;

    use super::*;

    #[test]
    fn a_duration_counts_in_the_first_bucket_that_holds_it() {
        let histogram = Histogram::new(&[0.5, 1.0]);
        let mut registry = Registry::default();
        registry.register("h", "H", histogram.clone());
        for millis in [100, 500, 501, 1_000, 7_000] {
            histogram.observe(Duration::from_millis(millis));
        }
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(
            lines,
            [
                "h_bucket{le=\"0.5\"} 2",
                "h_bucket{le=\"1\"} 4",
                "h_bucket{le=\"+Inf\"} 5",
                "h_sum 9.101",
                "h_count 5",
            ]
        );
    }
}
