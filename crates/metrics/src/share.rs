//! One owner's part of a gauge.

use prometheus_client::metrics::gauge::Gauge;

/// The part of a gauge that one owner keeps up to date. It is taken back with the owner.
#[derive(Debug, Default)]
pub struct Share {
    gauge: Gauge,
    told: i64,
}

impl Share {
    /// A part of nothing yet.
    pub fn of(gauge: &Gauge) -> Self {
        Self {
            gauge: gauge.clone(),
            told: 0,
        }
    }

    /// Tells how much the part is now.
    pub fn set(&mut self, count: usize) {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        self.gauge.inc_by(count - self.told);
        self.told = count;
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.gauge.dec_by(self.told);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_that_goes_takes_its_part_along() {
        let gauge = Gauge::default();
        let (mut one, mut other) = (Share::of(&gauge), Share::of(&gauge));
        one.set(5);
        other.set(2);
        one.set(3);
        assert_eq!(gauge.get(), 5);
        drop(one);
        assert_eq!(gauge.get(), 2);
    }
}
