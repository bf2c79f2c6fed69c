//! Polling intervals that grow, and requests that wait instead.

use std::time::{Duration, Instant};

/// The parameters of a request that waits for a change. A Livius server responds as soon as there
/// is something to see, and after this time otherwise. Livy ignores it.
pub const WAIT: &str = "wait=1s";
const WAITED: Duration = Duration::from_millis(900);

/// Growing intervals.
#[derive(Debug, Clone)]
pub struct Pace {
    first: Duration,
    longest: Duration,
    next: Duration,
}

impl Pace {
    /// For a statement, which often ends at once.
    pub const STATEMENT: Self = Self::new(20, 1_000);
    /// For a session that starts, or a log that grows.
    pub const SLOW: Self = Self::new(200, 2_000);
    /// For a server that does not answer.
    pub const RETRY: Self = Self::new(500, 5_000);

    const fn new(first_ms: u64, longest_ms: u64) -> Self {
        Self {
            first: Duration::from_millis(first_ms),
            longest: Duration::from_millis(longest_ms),
            next: Duration::from_millis(first_ms),
        }
    }

    /// Waits until the next poll.
    pub async fn wait(&mut self) {
        tokio::time::sleep(self.step()).await;
    }

    /// Waits until the next poll, unless the server has waited during the last one.
    pub async fn wait_since(&mut self, asked: Instant) {
        if asked.elapsed() < WAITED {
            self.wait().await;
        }
    }

    /// Returns to the shortest interval.
    pub fn quicken(&mut self) {
        self.next = self.first;
    }

    fn step(&mut self) -> Duration {
        let now = self.next;
        self.next = self.longest.min(now * 3 / 2);
        now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_grow_to_the_longest_until_something_happens() {
        let mut pace = Pace::new(200, 500);
        let mut steps = || pace.step().as_millis();
        assert_eq!([steps(), steps(), steps(), steps()], [200, 300, 450, 500]);
        pace.quicken();
        assert_eq!(pace.step().as_millis(), 200);
    }
}
