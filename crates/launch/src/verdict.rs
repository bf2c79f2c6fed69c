//! Reads `cluster.json`, in which the monitor records what a standalone master reports about a
//! driver.

use std::fs::File;
use std::io::{self, Read as _};

use camino::Utf8Path;
use livius_domain::Verdict;
use serde::Deserialize;

/// More than any monitor writes, as it cuts long messages.
const MAX_BYTES: u64 = 64 << 10;
const VERSION: u32 = 1;

#[derive(Debug, Deserialize)]
struct ClusterRecord {
    v: u32,
    /// `None` when the master never had a driver.
    driver: Option<String>,
    state: String,
    #[serde(default)]
    exception: Option<String>,
}

/// Reads the verdict. `None` when no monitor has written one that makes sense. That the file cannot
/// be read now is an error.
pub(crate) fn read(path: &Utf8Path) -> io::Result<Option<Verdict>> {
    match read_record(path) {
        Ok(record) => Ok(Some(record.verdict())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) if error.raw_os_error().is_none() => {
            tracing::warn!(%path, %error, "ignoring a verdict that makes no sense");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn read_record(path: &Utf8Path) -> io::Result<ClusterRecord> {
    let mut text = Vec::new();
    File::open(path)?.take(MAX_BYTES).read_to_end(&mut text)?;
    let record: ClusterRecord = serde_json::from_slice(&text)?;
    if record.v == VERSION {
        Ok(record)
    } else {
        let message = format!("it is of version {}, not {VERSION}", record.v);
        Err(io::Error::new(io::ErrorKind::InvalidData, message))
    }
}

impl ClusterRecord {
    fn verdict(self) -> Verdict {
        match self.state.as_str() {
            "FINISHED" => Verdict::Finished,
            "KILLED" => Verdict::Killed,
            "FAILED" | "ERROR" | "UNKNOWN" => Verdict::Failed(self.failure()),
            state => Verdict::Failed(format!(
                "the driver was last seen as {state}, and nobody followed it to its end"
            )),
        }
    }

    fn failure(&self) -> String {
        let driver = match &self.driver {
            Some(driver) => format!("driver {driver}"),
            None => "the driver".to_owned(),
        };
        let state = &self.state;
        let ended = format!("the standalone master says that {driver} ended as {state}");
        match &self.exception {
            Some(exception) => format!("{ended}: {exception}"),
            None => ended,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict_of(content: &str) -> Option<Verdict> {
        let temp = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(temp.path())
            .unwrap()
            .join("cluster.json");
        std::fs::write(&path, content).unwrap();
        read(&path).unwrap()
    }

    fn of_state(state: &str, exception: &str) -> Option<Verdict> {
        verdict_of(&format!(
            r#"{{"v":1,"driver":"driver-7","state":"{state}","worker":"worker-1","exception":{exception}}}"#
        ))
    }

    #[test]
    fn each_state_of_the_master_has_its_verdict() {
        let failed = |message: &str| Some(Verdict::Failed(message.to_owned()));
        let says = "the standalone master says that driver driver-7 ended as";
        assert_eq!(of_state("FINISHED", "null"), Some(Verdict::Finished));
        assert_eq!(of_state("KILLED", "null"), Some(Verdict::Killed));
        for state in ["FAILED", "ERROR", "UNKNOWN"] {
            let expected = format!("{says} {state}: no such class");
            assert_eq!(of_state(state, "\"no such class\""), failed(&expected));
        }
        assert_eq!(
            of_state("FAILED", "null"),
            failed(&format!("{says} FAILED"))
        );
        for state in ["SUBMITTED", "RUNNING", "RELAUNCHING"] {
            let expected =
                format!("the driver was last seen as {state}, and nobody followed it to its end");
            assert_eq!(of_state(state, "null"), failed(&expected));
        }
    }

    #[test]
    fn a_driver_that_never_was_may_have_no_name() {
        let of = |state: &str| verdict_of(&format!(r#"{{"v":1,"driver":null,"state":"{state}"}}"#));
        assert_eq!(of("KILLED"), Some(Verdict::Killed));
        let message = "the standalone master says that the driver ended as ERROR";
        assert_eq!(of("ERROR"), Some(Verdict::Failed(message.to_owned())));
    }

    #[test]
    fn what_is_no_record_is_no_verdict() {
        assert_eq!(read(Utf8Path::new("/no/such/cluster.json")).unwrap(), None);
        let long = format!(
            r#"{{"v":1,"driver":"d","state":"FINISHED","exception":"{}"}}"#,
            "x".repeat(70_000)
        );
        let later = r#"{"v":2,"driver":"d","state":"FINISHED"}"#;
        for content in ["", "{}", "{\"v\":1,", later, &long] {
            assert_eq!(verdict_of(content), None, "{content:.40}");
        }
    }
}
