//! How fast a long body must come.

use std::time::Duration;

use tokio::time::Instant;

/// The time in which a part of the body must come.
pub const SPAN: Duration = Duration::from_secs(10);

/// How much of a body without a declared length must come in each span.
const UNDECLARED_BYTES: usize = 64 << 10;

/// The pace of one body. Four bodies that only hold their share of memory would keep all others out.
#[derive(Debug)]
pub struct Pace {
    /// How much must come in each span.
    bytes: usize,
    /// How much has come in this one.
    come: usize,
    due: Instant,
}

impl Pace {
    /// The pace of a body that may take this long. One that declares its length must come at half
    /// the speed that it needs to be in time.
    pub fn of(declared: Option<usize>, deadline: Duration) -> Self {
        let spans = deadline.as_secs() / SPAN.as_secs();
        let spans = usize::try_from(spans).unwrap_or(usize::MAX).max(1);
        Self {
            bytes: declared.map_or(UNDECLARED_BYTES, |length| length / spans / 2),
            come: 0,
            due: Instant::now() + SPAN,
        }
    }

    /// When the next bytes must have come.
    pub fn due(&self) -> Instant {
        self.due
    }

    /// Notes that bytes have come.
    pub fn note(&mut self, bytes: usize) {
        self.come += bytes;
        if self.come >= self.bytes {
            self.come = 0;
            self.due = Instant::now() + SPAN;
        }
    }
}
