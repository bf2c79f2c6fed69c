//! The location of a supervised driver, as the store keeps it.

use std::io;

use livius_domain::DriverLocation;
use livius_spark_home::processes::{self, Process};
use serde::{Deserialize, Serialize};

use crate::place::Place;

/// The version of a driver that is a process, or is followed by one.
const OF_PROCESSES: u32 = 1;
/// The version of a driver with an application on YARN. Earlier servers cannot find it.
const ON_YARN: u32 = 2;
/// The version of a driver with pods on Kubernetes.
const ON_KUBERNETES: u32 = 3;

/// The facts by which a process is found again. The default is no process.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProcessRecord {
    pub(crate) pid: i32,
    /// The start time in clock ticks since boot, from `/proc`: pid and start time together are
    /// not used twice until the machine is restarted.
    pub(crate) start_ticks: u64,
    /// The kernel's name for the time since the machine was started. Both numbers may come again
    /// after a restart of the machine. `None` in records of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) boot: Option<String>,
}

impl ProcessRecord {
    /// The record of a process that runs. `None` when there is none of that number.
    pub(crate) fn of(pid: i32) -> io::Result<Option<Self>> {
        let Some(process) = processes::look_up(pid)? else {
            return Ok(None);
        };
        Ok(Some(Self {
            pid,
            start_ticks: process.start_ticks,
            boot: processes::boot_id()?,
        }))
    }

    /// Looks for the process. `None` when it is certainly gone.
    pub(crate) fn find(&self) -> io::Result<Option<Process>> {
        if self.is_of_earlier_boot()? {
            return Ok(None);
        }
        let found = processes::look_up(self.pid)?;
        Ok(found.filter(|process| process.start_ticks == self.start_ticks))
    }

    /// Whether the machine was restarted since.
    pub(crate) fn is_of_earlier_boot(&self) -> io::Result<bool> {
        Ok(self.boot.is_some() && self.boot != processes::boot_id()?)
    }
}

/// A location as text. Rows of earlier versions have the process only.
#[derive(Serialize, Deserialize)]
struct Document {
    #[serde(default)]
    v: u32,
    #[serde(flatten)]
    location: Location,
}

/// The facts by which a driver is found again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Location {
    #[serde(flatten)]
    pub(crate) supervisor: ProcessRecord,
    /// The part of it that is on a cluster.
    #[serde(flatten)]
    pub(crate) place: Option<Place>,
}

/// Writes a location.
pub(crate) fn write(location: &Location) -> DriverLocation {
    let document = Document {
        v: match location.place {
            None => OF_PROCESSES,
            Some(Place::Yarn(_)) => ON_YARN,
            Some(Place::Kubernetes(_)) => ON_KUBERNETES,
        },
        location: location.clone(),
    };
    DriverLocation::new(serde_json::to_string(&document).expect("numbers and texts can be written"))
}

/// Reads a location. `None` for one of a later version.
pub(crate) fn read(location: &DriverLocation) -> Option<Location> {
    let document: Document = serde_json::from_str(location.as_str()).ok()?;
    let has_place = matches!(document.v, ON_YARN | ON_KUBERNETES);
    // A place that cannot be read would look like none.
    let is_whole = has_place == document.location.place.is_some();
    (document.v <= ON_KUBERNETES && is_whole).then_some(document.location)
}

#[cfg(test)]
mod tests {
    use livius_kubernetes::Access;

    use super::*;
    use crate::kubernetes::OnKubernetes;
    use crate::place::Mode;
    use crate::yarn::OnYarn;

    #[test]
    fn locations_old_and_new_are_read() {
        let process = ProcessRecord {
            pid: 7,
            start_ticks: u64::MAX,
            boot: None,
        };
        let marked = ProcessRecord {
            boot: Some("b".to_owned()),
            ..process.clone()
        };
        let of_process = |supervisor: &ProcessRecord| Location {
            supervisor: supervisor.clone(),
            place: None,
        };
        let written = write(&of_process(&marked));
        assert_eq!(
            written.as_str(),
            r#"{"v":1,"pid":7,"start_ticks":18446744073709551615,"boot":"b"}"#
        );
        assert_eq!(read(&written), Some(of_process(&marked)));
        let of = |text: &str| read(&DriverLocation::new(text.to_owned()));
        assert_eq!(
            of(r#"{"pid":7,"start_ticks":18446744073709551615}"#),
            Some(of_process(&process))
        );
        let on_yarn = Location {
            supervisor: process.clone(),
            place: Some(Place::Yarn(OnYarn {
                tag: "t".to_owned(),
                mode: Mode::Cluster,
                conf: vec!["/etc/hadoop".into()],
                user: "u".to_owned(),
            })),
        };
        let written = write(&on_yarn);
        assert_eq!(
            written.as_str(),
            r#"{"v":2,"pid":7,"start_ticks":18446744073709551615,"yarn":{"tag":"t","mode":"cluster","conf":["/etc/hadoop"],"user":"u"}}"#
        );
        assert_eq!(read(&written), Some(on_yarn));
        let on_kubernetes = Location {
            supervisor: process,
            place: Some(Place::Kubernetes(OnKubernetes {
                access: Access::to("https://h:6443"),
                namespace: "n".to_owned(),
                driver: "s-0-aa".to_owned(),
                server: "5e".to_owned(),
                mode: Mode::Client,
            })),
        };
        let written = write(&on_kubernetes);
        assert_eq!(
            written.as_str(),
            r#"{"v":3,"pid":7,"start_ticks":18446744073709551615,"kubernetes":{"access":{"url":"https://h:6443"},"namespace":"n","driver":"s-0-aa","server":"5e","mode":"client"}}"#
        );
        assert_eq!(read(&written), Some(on_kubernetes));
        for broken in [
            r#"{"v":2,"pid":7,"start_ticks":1,"yarn":{"tag":"t"}}"#,
            r#"{"v":3,"pid":7,"start_ticks":1}"#,
            r#"{"v":4,"pid":7,"start_ticks":1}"#,
        ] {
            assert_eq!(of(broken), None, "{broken}");
        }
        assert_eq!(of("pod/x"), None);
    }

    #[test]
    fn a_number_from_before_a_restart_of_the_machine_is_nobodys() {
        let own = i32::try_from(std::process::id()).unwrap();
        let now = ProcessRecord::of(own).unwrap().unwrap();
        assert!(now.find().unwrap().is_some());
        let before = |boot: &str| ProcessRecord {
            boot: Some(boot.to_owned()),
            ..now.clone()
        };
        assert_eq!(before("another").find().unwrap(), None);
        let unmarked = ProcessRecord { boot: None, ..now };
        assert!(unmarked.find().unwrap().is_some());
    }
}
