//! A driver's directory: the files through which launcher, supervisor, agent and server speak.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use livius_domain::{DriverId, DriverProgram, Exit, ResourceId};
use livius_spark_home::files;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::location::ProcessRecord;
use crate::log::DriverLog;

/// How long a driver has to end after SIGTERM when nobody said.
pub(crate) const DEFAULT_GRACE: Duration = Duration::from_secs(10);

const COMMAND: &str = "command.json";
const SUPERVISOR: &str = "supervisor.json";
const DRIVER: &str = "driver.json";
const EXIT: &str = "exit.json";

/// What a supervisor is to run: `command.json`.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct DriverCommand {
    pub(crate) program: Utf8PathBuf,
    pub(crate) args: Vec<String>,
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) cwd: Utf8PathBuf,
    pub(crate) grace_ms: u64,
    /// Whether all that it says goes into one log, in order.
    #[serde(default)]
    pub(crate) merged: bool,
}

impl DriverCommand {
    /// Where standard error goes.
    pub(crate) fn stderr(&self, dir: &DriverDir) -> Utf8PathBuf {
        if self.merged {
            dir.stdout()
        } else {
            dir.stderr()
        }
    }
}

/// How a driver ended: `exit.json`.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ExitRecord {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signal: Option<i32>,
    ended_at: Timestamp,
}

impl ExitRecord {
    pub(crate) fn new(exit: Exit, ended_at: Timestamp) -> Self {
        let (code, signal) = match exit {
            Exit::Code(code) => (Some(code), None),
            Exit::Signal(signal) => (None, Some(signal)),
            Exit::Unknown => (None, None),
        };
        Self {
            code,
            signal,
            ended_at,
        }
    }

    pub(crate) fn exit(&self) -> Exit {
        match (self.code, self.signal) {
            (Some(code), _) => Exit::Code(code),
            (None, Some(signal)) => Exit::Signal(signal),
            (None, None) => Exit::Unknown,
        }
    }
}

/// A driver's directory.
#[derive(Debug, Clone)]
pub(crate) struct DriverDir(Utf8PathBuf);

impl DriverDir {
    /// The environment variable that marks every process of a driver with the driver's directory.
    pub(crate) const MARKER: &str = "LIVIUS_DRIVER_DIR";

    pub(crate) fn new(path: impl Into<Utf8PathBuf>) -> Self {
        Self(path.into())
    }

    /// The directory of a driver below that of all drivers.
    pub(crate) fn of(drivers: &Utf8Path, id: &DriverId) -> Self {
        Self(drivers.join(id.as_str()))
    }

    pub(crate) fn path(&self) -> &Utf8Path {
        &self.0
    }

    pub(crate) fn stdout(&self) -> Utf8PathBuf {
        self.0.join("stdout.log")
    }

    pub(crate) fn stderr(&self) -> Utf8PathBuf {
        self.0.join("stderr.log")
    }

    /// Both outputs, as users read them.
    pub(crate) fn log(&self) -> DriverLog {
        DriverLog::new(self.stdout(), self.stderr())
    }

    /// The file with the end of the log: an application's outputs are one file.
    pub(crate) fn last_log(&self, program: DriverProgram) -> Utf8PathBuf {
        match program {
            DriverProgram::Agent => self.stderr(),
            DriverProgram::Application => self.stdout(),
        }
    }

    /// The files that clients have uploaded and the driver has not fetched.
    pub(crate) fn uploads(&self) -> Utf8PathBuf {
        self.0.join("uploads")
    }

    pub(crate) fn upload(&self, resource: ResourceId) -> Utf8PathBuf {
        self.uploads().join(resource.to_string())
    }

    /// Where the driver runs, and where all that it writes without being told a place ends up.
    pub(crate) fn work(&self) -> Utf8PathBuf {
        self.0.join("work")
    }

    pub(crate) fn temporary(&self) -> Utf8PathBuf {
        self.work().join("tmp")
    }

    pub(crate) fn launch_file(&self) -> Utf8PathBuf {
        self.0.join("launch.json")
    }

    pub(crate) fn properties(&self) -> Utf8PathBuf {
        self.0.join("spark.properties")
    }

    pub(crate) fn java_options(&self) -> Utf8PathBuf {
        self.0.join("java.options")
    }

    /// What the monitor of a driver elsewhere is to do.
    pub(crate) fn order_file(&self) -> Utf8PathBuf {
        self.0.join("order.json")
    }

    /// What the monitor says of how the driver ended there.
    pub(crate) fn verdict_file(&self) -> Utf8PathBuf {
        self.0.join("cluster.json")
    }

    /// What ending a driver takes on top of the grace when it runs on a cluster: its worker waits for it, and the master has to hear of it.
    pub(crate) fn cluster_grace(&self) -> Duration {
        if self.order_file().exists() {
            Duration::from_secs(20)
        } else {
            Duration::ZERO
        }
    }

    /// The environment entry that marks this driver's processes.
    pub(crate) fn mark(&self) -> String {
        format!("{}={}", Self::MARKER, self.0)
    }

    pub(crate) fn write_command(&self, command: &DriverCommand) -> io::Result<()> {
        self.write(COMMAND, command)
    }

    /// Reads the command and removes it: its environment may hold secrets. That it was taken is remembered through a loss of power:
    /// a command that is still there is one that was never run.
    pub(crate) fn take_command(&self) -> io::Result<DriverCommand> {
        let command = self.read(COMMAND)?;
        files::remove_if_present(&self.0.join(COMMAND))?;
        fs::File::open(&self.0)?.sync_all()?;
        Ok(command)
    }

    /// Whether the supervisor has yet to take the command. What cannot be looked at counts as taken.
    pub(crate) fn has_command(&self) -> bool {
        self.0.join(COMMAND).exists()
    }

    /// Whether it is certain, with no supervisor alive, that none has started a driver here: it takes the command before, and does
    /// neither before it has itself been written down.
    pub(crate) fn never_started(&self) -> bool {
        let traces = [SUPERVISOR, DRIVER, EXIT].map(|name| self.0.join(name).try_exists());
        self.has_command() || traces.iter().all(|there| matches!(there, Ok(false)))
    }

    /// Makes the directory of a driver that was never started fit for another attempt.
    pub(crate) fn forget_attempt(&self) {
        // First what names the supervisor: with or without the command, the rest still tells that nothing was started.
        for path in std::iter::once(self.0.join(SUPERVISOR)).chain(self.partial_files()) {
            if let Err(error) = files::remove_if_present(&path) {
                tracing::warn!(%path, %error, "could not remove a file of a launch that was broken off");
            }
        }
        self.remove_secrets();
    }

    /// Files that were being written when their writer was killed.
    fn partial_files(&self) -> Vec<Utf8PathBuf> {
        let entries = self.0.read_dir_utf8().into_iter().flatten().flatten();
        entries
            .filter(|entry| entry.file_name().starts_with(files::PARTIAL))
            .map(camino::Utf8DirEntry::into_path)
            .collect()
    }

    /// Writes down which process is the driver: `driver.json`.
    pub(crate) fn write_driver(&self, driver: &ProcessRecord) -> io::Result<()> {
        self.write(DRIVER, driver)
    }

    pub(crate) fn read_driver(&self) -> Option<ProcessRecord> {
        self.read(DRIVER).ok()
    }

    /// Writes down which process is its supervisor: `supervisor.json`.
    pub(crate) fn write_supervisor(&self, supervisor: &ProcessRecord) -> io::Result<()> {
        self.write(SUPERVISOR, supervisor)
    }

    pub(crate) fn read_supervisor(&self) -> Option<ProcessRecord> {
        self.read(SUPERVISOR).ok()
    }

    pub(crate) fn write_grace(&self, grace: Duration) -> io::Result<()> {
        files::write_private(
            &self.0.join("grace"),
            grace.as_millis().to_string().as_bytes(),
        )
    }

    pub(crate) fn read_grace(&self) -> Duration {
        let text = fs::read_to_string(self.0.join("grace")).unwrap_or_default();
        text.trim()
            .parse()
            .map_or(DEFAULT_GRACE, Duration::from_millis)
    }

    pub(crate) fn write_exit(&self, exit: &ExitRecord) -> io::Result<()> {
        self.write(EXIT, exit)
    }

    pub(crate) fn read_exit(&self) -> Option<ExitRecord> {
        self.read(EXIT).ok()
    }

    /// Removes what nobody needs once the driver is gone: secrets, and temporary files, which after a kill can be large.
    pub(crate) fn clear_away(&self) {
        self.remove_secrets();
        match fs::remove_dir_all(self.temporary()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(dir = %self.0, %error, "could not remove a driver's temporary files");
            }
            _ => {}
        }
    }

    /// Removes the files that hold secrets. One that cannot be removed goes with the directory.
    pub(crate) fn remove_secrets(&self) {
        for path in [
            self.0.join(COMMAND),
            self.launch_file(),
            self.order_file(),
            self.properties(),
            self.java_options(),
        ] {
            if let Err(error) = files::remove_if_present(&path) {
                tracing::warn!(%path, %error, "could not remove a file that holds secrets");
            }
        }
    }

    fn write(&self, name: &str, content: &impl Serialize) -> io::Result<()> {
        files::write_private(&self.0.join(name), &serde_json::to_vec(content)?)
    }

    fn read<T: DeserializeOwned>(&self, name: &str) -> io::Result<T> {
        Ok(serde_json::from_slice(&fs::read(self.0.join(name))?)?)
    }
}
