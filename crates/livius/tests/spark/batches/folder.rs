//! Files of the applications in tests.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::environment;

/// A directory with a difficult name. Applications that wait end when it disappears, also after a
/// failed test.
pub struct Folder {
    path: PathBuf,
    _temporary: TempDir,
}

impl Folder {
    pub fn make() -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let path = temporary.path().join("user files 100%");
        std::fs::create_dir(&path).unwrap();
        Self {
            path,
            _temporary: temporary,
        }
    }

    pub fn path(&self, name: &str) -> String {
        self.path.join(name).to_str().unwrap().to_owned()
    }

    /// Writes a file, and returns its path.
    pub fn write(&self, name: &str, text: &str) -> String {
        std::fs::write(self.path.join(name), text).unwrap();
        self.path(name)
    }

    /// Packs a file with Python's `zipfile` or `tarfile`, and returns the path of the archive.
    pub fn pack(&self, module: &str, archive: &str, file: &str) -> String {
        let python = environment("LIVIUS_TEST_PYTHON").unwrap_or_else(|| "python3".to_owned());
        let status = Command::new(python)
            .args(["-m", module, "-c", archive, file])
            .current_dir(&self.path)
            .status()
            .unwrap();
        assert!(status.success());
        self.path(archive)
    }

    /// An application in steps, with a directory for the files that let it continue.
    pub fn steps(&self, name: &str, exit_code: i32, with_spark: bool) -> Steps {
        let file = self.write("steps.py", include_str!("applications/steps.py"));
        let folder = self.path.join(name);
        std::fs::create_dir(&folder).unwrap();
        let mut args = vec![folder.to_str().unwrap().to_owned(), exit_code.to_string()];
        args.extend(with_spark.then(|| "spark".to_owned()));
        Steps {
            folder,
            request: json!({
                "file": file, "args": args, "name": name, "conf": {"spark.ui.enabled": "false"}
            }),
        }
    }
}

/// An application that waits before each of its steps.
pub struct Steps {
    folder: PathBuf,
    /// The request that submits it.
    pub request: Value,
}

impl Steps {
    /// Lets it continue: `speak` first, then `end`.
    pub fn allow(&self, step: &str) {
        std::fs::write(self.folder.join(step), "").unwrap();
    }
}

/// Every process that works in this directory, with its command line.
pub fn processes_in(directory: &Path) -> Vec<(i32, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse() else {
            continue;
        };
        let works_in = std::fs::read_link(entry.path().join("cwd")).unwrap_or_default();
        if works_in.starts_with(directory) {
            let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            found.push((pid, String::from_utf8_lossy(&line).replace('\0', " ")));
        }
    }
    found
}
