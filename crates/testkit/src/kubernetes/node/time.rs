//! Times as the API of Kubernetes writes them.

use jiff::Timestamp;
use livius_domain::clock::{Clock as _, SystemClock};

pub fn now() -> Timestamp {
    SystemClock.now()
}

/// A time with whole seconds.
pub fn seconds(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A time with microseconds.
pub fn micros(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}

/// A time with nanoseconds: nine digits in every case, as in the lines of logs.
pub fn nanos(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%9fZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_all_its_digits() {
        let at: Timestamp = "2026-11-30T16:05:09.5Z".parse().unwrap();
        assert_eq!(seconds(at), "2026-11-30T16:05:09Z");
        assert_eq!(micros(at), "2026-11-30T16:05:09.500000Z");
        assert_eq!(nanos(at), "2026-11-30T16:05:09.500000000Z");
    }
}
