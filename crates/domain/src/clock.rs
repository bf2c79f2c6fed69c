//! The time, as an argument.

use jiff::Timestamp;

/// Tells the time. Everything that needs it takes one, so that tests can set it.
pub trait Clock: Send + Sync {
    /// The wall clock's time.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that may ask the machine"
    )]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}
