//! A server's data directory, and the processes that belong to it.

use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;

/// A server's data directory. Drivers that still run when a test has failed end with it.
pub struct Data(TempDir);

impl Data {
    pub fn make() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// The processes whose command line names the directory, or that work in it: supervisors,
    /// drivers, and what drivers start.
    pub fn processes(&self) -> Vec<(i32, String)> {
        let data = self.path().to_str().unwrap();
        let mut found = Vec::new();
        for entry in std::fs::read_dir("/proc").unwrap().flatten() {
            let Ok(pid) = entry.file_name().to_string_lossy().parse() else {
                continue;
            };
            let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            let directory = std::fs::read_link(entry.path().join("cwd")).unwrap_or_default();
            if (line.contains(data) && !line.contains(" serve ")) || directory.starts_with(data) {
                found.push((pid, line));
            }
        }
        found
    }
}

impl Drop for Data {
    fn drop(&mut self) {
        // A process may start another one before it is killed.
        for _ in 0..100 {
            let left = self.processes();
            if left.is_empty() {
                return;
            }
            for (pid, _) in left {
                let pid = rustix::process::Pid::from_raw(pid).unwrap();
                // The process may have ended since the look.
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}
