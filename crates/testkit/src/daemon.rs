//! A daemon as a process, and the processes that belong to a folder.

use std::fs::{self, File};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use camino::Utf8PathBuf;
use rustix::process::{Pid, Signal, kill_process_group};

/// The end of a log that a failure shows, in bytes.
const SHOWN: usize = 4000;

/// A process with its log. Dropping it kills its process group: a NodeManager that has lost its
/// ResourceManager ignores SIGTERM for minutes.
pub struct Daemon {
    child: Child,
    log: Utf8PathBuf,
}

impl Daemon {
    /// Starts a command. Its output is added to the log.
    pub fn start(mut command: Command, log: Utf8PathBuf) -> Self {
        let file = File::options()
            .create(true)
            .append(true)
            .open(&log)
            .unwrap();
        command
            .stdin(Stdio::null())
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .process_group(0);
        Self {
            child: command.spawn().unwrap(),
            log,
        }
    }

    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// The end of its log.
    pub fn said(&self) -> String {
        let log = fs::read(&self.log).unwrap();
        let end = &log[log.len().saturating_sub(SHOWN)..];
        format!("{}: {}", self.log, String::from_utf8_lossy(end))
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // The call fails only if the group is empty.
        let _ = kill_process_group(self.pid(), Signal::KILL);
        let _ = self.child.wait();
    }
}

/// A process that belongs to a folder.
#[derive(Debug)]
pub struct OfFolder {
    pub pid: Pid,
    /// Its command line.
    pub command: String,
}

/// The processes that run in a folder, or name it in their command or environment.
pub fn processes_of(folder: &Path) -> Vec<OfFolder> {
    let named = folder.to_str().unwrap();
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let number = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok());
        let Some(pid) = number.and_then(Pid::from_raw) else {
            continue;
        };
        // A process that ended in between has no such files, and a zombie has empty ones.
        let text = |file: &str| {
            let bytes = fs::read(entry.path().join(file)).unwrap_or_default();
            String::from_utf8_lossy(&bytes).replace('\0', " ")
        };
        let command = text("cmdline");
        let lives_there = fs::read_link(entry.path().join("cwd"))
            .is_ok_and(|directory| directory.starts_with(folder));
        if lives_there || command.contains(named) || text("environ").contains(named) {
            found.push(OfFolder { pid, command });
        }
    }
    found
}
