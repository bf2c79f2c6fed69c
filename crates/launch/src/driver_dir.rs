//! A driver's directory. Launcher, supervisor and agent exchange these files.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::thread;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use livius_domain::{Departure, DriverId, DriverProgram, ResourceId};
use livius_spark_home::files;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::executors::Roster;
use crate::exit_record::{ExitRecord, ExitRoom};
use crate::location::ProcessRecord;
use crate::log::{DriverLog, MirroredFiles};
use crate::place::Place;

/// The time that a driver has to end after SIGTERM, by default.
pub(crate) const DEFAULT_GRACE: Duration = Duration::from_secs(10);

const COMMAND: &str = "command.json";
const SUPERVISOR: &str = "supervisor.json";
const DRIVER: &str = "driver.json";
const EXIT: &str = "exit.json";
const YARN: &str = "yarn.json";
const KUBERNETES: &str = "kubernetes.json";
const DEPARTURE: &str = "departure.json";
const EXECUTORS: &str = "executors.json";

/// The command for a supervisor: `command.json`.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct DriverCommand {
    pub(crate) program: Utf8PathBuf,
    pub(crate) args: Vec<String>,
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) cwd: Utf8PathBuf,
    pub(crate) grace_ms: u64,
    /// True if both outputs go to one log, in order.
    #[serde(default)]
    pub(crate) merged: bool,
    /// The most bytes of each log. Earlier launchers gave none.
    #[serde(default)]
    pub(crate) log_limit: Option<u64>,
}

impl DriverCommand {
    /// The file for standard error.
    pub(crate) fn stderr(&self, dir: &DriverDir) -> Utf8PathBuf {
        if self.merged {
            dir.stdout()
        } else {
            dir.stderr()
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

    /// The file with the end of the log: an application's outputs are one file, unless they were
    /// copied from a container.
    pub(crate) fn last_log(&self, program: DriverProgram) -> Utf8PathBuf {
        match program {
            DriverProgram::Application if !self.stderr().exists() => self.stdout(),
            DriverProgram::Agent | DriverProgram::Application => self.stderr(),
        }
    }

    /// The files for the log of a container.
    pub(crate) fn mirrored(&self) -> MirroredFiles {
        MirroredFiles {
            stdout: self.stdout(),
            stderr: self.stderr(),
            record: self.0.join("mirror.json"),
        }
    }

    /// The directory with the logs of executors that are kept.
    pub(crate) fn executors(&self) -> Utf8PathBuf {
        self.0.join("executors")
    }

    /// The files for the log of an executor. The name is one of the roster.
    pub(crate) fn executor(&self, name: &str) -> MirroredFiles {
        let dir = self.executors().join(name);
        MirroredFiles {
            stdout: dir.join("stdout.log"),
            stderr: dir.join("stderr.log"),
            record: dir.join("mirror.json"),
        }
    }

    pub(crate) fn write_roster(&self, roster: &Roster) -> io::Result<()> {
        self.write(EXECUTORS, roster)
    }

    /// The executors that a cluster has told of.
    pub(crate) fn read_roster(&self) -> io::Result<Roster> {
        Ok(self.read(EXECUTORS)?.unwrap_or_default())
    }

    /// The files that clients have uploaded and the driver has not fetched.
    pub(crate) fn uploads(&self) -> Utf8PathBuf {
        self.0.join("uploads")
    }

    pub(crate) fn upload(&self, resource: ResourceId) -> Utf8PathBuf {
        self.uploads().join(resource.to_string())
    }

    /// The working directory of the driver.
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

    /// The order for the monitor of a driver on a cluster.
    pub(crate) fn order_file(&self) -> Utf8PathBuf {
        self.0.join("order.json")
    }

    /// The monitor's record of how the driver ended on the cluster.
    pub(crate) fn verdict_file(&self) -> Utf8PathBuf {
        self.0.join("cluster.json")
    }

    /// The extra time that a driver on a cluster needs to end: its worker waits for it, and the
    /// master must learn of it.
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

    /// Reads the command and removes it, as its environment may hold secrets. The removal is synced
    /// to disk: a command file that exists was never run.
    pub(crate) fn take_command(&self) -> io::Result<DriverCommand> {
        let command = serde_json::from_slice(&fs::read(self.0.join(COMMAND))?)?;
        files::remove_if_present(&self.0.join(COMMAND))?;
        fs::File::open(&self.0)?.sync_all()?;
        Ok(command)
    }

    /// Whether the supervisor has not taken the command.
    pub(crate) fn has_command(&self) -> io::Result<bool> {
        self.0.join(COMMAND).try_exists()
    }

    /// Whether certainly no driver was started here, if no supervisor is alive. A supervisor takes
    /// the command before it starts the driver, and the launcher records the supervisor before
    /// both.
    pub(crate) fn never_started(&self) -> io::Result<bool> {
        let mut traces = false;
        for name in [SUPERVISOR, DRIVER, EXIT] {
            traces |= self.0.join(name).try_exists()?;
        }
        Ok(!traces || self.has_command()?)
    }

    /// Prepares the directory of a driver that was never started for another attempt.
    pub(crate) fn forget_attempt(&self) {
        // The supervisor's record goes first: the other files still prove that nothing was started.
        for path in std::iter::once(self.0.join(SUPERVISOR)).chain(self.partial_files()) {
            if let Err(error) = files::remove_if_present(&path) {
                tracing::warn!(%path, %error, "could not remove a file of a launch that was broken off");
            }
        }
        self.remove_secrets();
    }

    /// Incomplete files of a writer that was killed.
    fn partial_files(&self) -> Vec<Utf8PathBuf> {
        let entries = self.0.read_dir_utf8().into_iter().flatten().flatten();
        entries
            .filter(|entry| entry.file_name().starts_with(files::PARTIAL))
            .map(camino::Utf8DirEntry::into_path)
            .collect()
    }

    /// Records the driver's process: `driver.json`.
    pub(crate) fn write_driver(&self, driver: &ProcessRecord) -> io::Result<()> {
        self.write(DRIVER, driver)
    }

    pub(crate) fn read_driver(&self) -> io::Result<Option<ProcessRecord>> {
        self.read(DRIVER)
    }

    /// Records the supervisor's process: `supervisor.json`. The record survives a failure of the
    /// machine: it is the evidence that the driver was started.
    pub(crate) fn write_supervisor(&self, supervisor: &ProcessRecord) -> io::Result<()> {
        self.write_durable(SUPERVISOR, supervisor)
    }

    pub(crate) fn read_supervisor(&self) -> io::Result<Option<ProcessRecord>> {
        self.read(SUPERVISOR)
    }

    /// Records the part of the driver that will be on a cluster before it is there: `yarn.json` or
    /// `kubernetes.json`. Removes the records of an earlier attempt.
    pub(crate) fn write_place(&self, place: Option<&Place>) -> io::Result<()> {
        for name in [YARN, KUBERNETES, DEPARTURE] {
            files::remove_if_present(&self.0.join(name))?;
        }
        match place {
            None => Ok(()),
            Some(Place::Yarn(place)) => self.write_durable(YARN, place),
            Some(Place::Kubernetes(place)) => self.write_durable(KUBERNETES, place),
        }
    }

    pub(crate) fn read_place(&self) -> io::Result<Option<Place>> {
        let on_yarn = self.read(YARN)?.map(Place::Yarn);
        let on_kubernetes = || Ok(self.read(KUBERNETES)?.map(Place::Kubernetes));
        on_yarn.map_or_else(on_kubernetes, |place| Ok(Some(place)))
    }

    /// Records how the driver ended at its cluster, before everything there is removed:
    /// `departure.json`. A cluster that remembers it needs no record.
    pub(crate) fn write_departure(&self, departure: &Departure) -> io::Result<()> {
        self.write_durable(DEPARTURE, departure)
    }

    pub(crate) fn read_departure(&self) -> io::Result<Option<Departure>> {
        self.read(DEPARTURE)
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

    /// Takes the room for `exit.json`.
    pub(crate) fn reserve_exit(&self) -> io::Result<ExitRoom> {
        let reserved = self.0.join(format!("{}exit", files::PARTIAL));
        ExitRoom::take(reserved, self.0.join(EXIT))
    }

    pub(crate) fn read_exit(&self) -> io::Result<Option<ExitRecord>> {
        self.read(EXIT)
    }

    /// Removes the temporary files of a driver that is gone, in a thread that nothing waits for.
    pub(crate) fn clear_away(&self) {
        let temporary = self.temporary();
        if !temporary.exists() {
            return;
        }
        let clear = move || match fs::remove_dir_all(&temporary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(dir = %temporary, %error, "could not remove a driver's temporary files");
            }
            _ => {}
        };
        // They go with the directory at the latest.
        if let Err(error) = thread::Builder::new().spawn(clear) {
            tracing::warn!(dir = %self.0, %error, "could not remove a driver's temporary files");
        }
    }

    /// Removes the files that hold secrets. A file that cannot be removed now goes with the
    /// directory.
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

    fn write_durable(&self, name: &str, content: &impl Serialize) -> io::Result<()> {
        files::write_durable(&self.0.join(name), &serde_json::to_vec(content)?)
    }

    /// Reads a file. `None` when it is not there, or was not written to its end. That it cannot be
    /// read now is an error.
    fn read<T: DeserializeOwned>(&self, name: &str) -> io::Result<Option<T>> {
        let path = self.0.join(name);
        let text = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            text => text?,
        };
        let content = serde_json::from_slice(&text);
        Ok(content
            .inspect_err(
                |error| tracing::warn!(%path, %error, "ignoring a file that makes no sense"),
            )
            .ok())
    }
}
