//! The location of a supervised driver, as the store keeps it.

use livius_domain::DriverLocation;
use serde::{Deserialize, Serialize};

/// The version that is written.
const VERSION: u32 = 1;

/// The facts by which a process is found again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProcessRecord {
    pub(crate) pid: i32,
    /// The start time in clock ticks since boot, from `/proc`: pid and start time together are
    /// never used twice.
    pub(crate) start_ticks: u64,
}

/// A location as text. Rows of earlier versions have the process only.
#[derive(Serialize, Deserialize)]
struct Document {
    #[serde(default)]
    v: u32,
    #[serde(flatten)]
    supervisor: ProcessRecord,
}

/// Writes the location of a driver with this supervisor.
pub(crate) fn write(supervisor: &ProcessRecord) -> DriverLocation {
    let document = Document {
        v: VERSION,
        supervisor: supervisor.clone(),
    };
    DriverLocation::new(serde_json::to_string(&document).expect("two numbers can be written"))
}

/// Reads a location. `None` for one of a later version.
pub(crate) fn read(location: &DriverLocation) -> Option<ProcessRecord> {
    let document: Document = serde_json::from_str(location.as_str()).ok()?;
    (document.v <= VERSION).then_some(document.supervisor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_old_and_new_are_read() {
        let process = ProcessRecord {
            pid: 7,
            start_ticks: u64::MAX,
        };
        let written = write(&process);
        assert_eq!(
            written.as_str(),
            r#"{"v":1,"pid":7,"start_ticks":18446744073709551615}"#
        );
        assert_eq!(read(&written), Some(process.clone()));
        let of = |text: &str| read(&DriverLocation::new(text.to_owned()));
        assert_eq!(
            of(r#"{"pid":7,"start_ticks":18446744073709551615}"#),
            Some(process)
        );
        assert_eq!(of(r#"{"v":2,"pid":7,"start_ticks":1}"#), None);
        assert_eq!(of("pod/x"), None);
    }
}
