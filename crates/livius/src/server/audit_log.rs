//! Writes the audit log: a file of JSON lines, and full files with a number behind its name.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::sync::Arc;

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};
use livius_domain::Clock;
use livius_metrics::Metrics;
use livius_sessions::{Audit, AuditEntry};
use tokio::sync::mpsc;

use crate::config::sections::audit::AuditSettings;

/// The file that is written.
struct AuditFile {
    path: Utf8PathBuf,
    limit: u64,
    keep: u64,
    file: File,
    /// The bytes of whole lines in the file.
    length: u64,
}

/// Opens the audit log, if the settings name one, and starts its writer: a thread that ends with the
/// last sender of lines.
pub fn open(
    settings: &AuditSettings,
    clock: Arc<dyn Clock>,
    metrics: &Metrics,
) -> anyhow::Result<Audit> {
    let Some(path) = &settings.file else {
        return Ok(Audit::default());
    };
    let file = AuditFile::open(path.clone(), settings);
    let file = file.with_context(|| format!("cannot open the audit log {path} (audit.file)"))?;
    let (audit, entries) = Audit::new(clock, metrics.clone(), settings.reads);
    let metrics = metrics.clone();
    std::thread::Builder::new()
        .name("audit".to_owned())
        .spawn(move || write_all(file, entries, &metrics))
        .context("cannot start the writer of the audit log")?;
    Ok(audit)
}

fn write_all(mut file: AuditFile, mut entries: mpsc::Receiver<AuditEntry>, metrics: &Metrics) {
    let mut is_failing = false;
    while let Some(entry) = entries.blocking_recv() {
        let line = match entry {
            AuditEntry::Line(line) => line,
            AuditEntry::Flush(written) => {
                // The shutdown may have stopped waiting.
                let _ = written.send(());
                continue;
            }
        };
        match file.write(line) {
            Ok(()) if is_failing => {
                is_failing = false;
                tracing::info!(path = %file.path, "the audit log can be written again");
            }
            Ok(()) => {}
            Err(error) => {
                metrics.audit_lines_lost.with(["disk"]).inc();
                if !is_failing {
                    tracing::error!(%error, path = %file.path, "cannot write the audit log; lines are lost");
                }
                is_failing = true;
            }
        }
    }
}

impl AuditFile {
    fn open(path: Utf8PathBuf, settings: &AuditSettings) -> io::Result<Self> {
        let file = append_to(&path)?;
        Ok(Self {
            length: file.metadata()?.len(),
            limit: settings.file_limit,
            keep: settings.keep,
            path,
            file,
        })
    }

    /// Appends a line. If that fails, no part of the line stays.
    fn write(&mut self, mut line: String) -> io::Result<()> {
        line.push('\n');
        let bytes = line.len() as u64;
        if self.length > 0 && self.length + bytes > self.limit {
            self.rotate()?;
        }
        if let Err(error) = self.file.write_all(line.as_bytes()) {
            self.file.set_len(self.length)?;
            return Err(error);
        }
        self.length += bytes;
        Ok(())
    }

    /// Begins a new file. If a step fails, the next line begins again with the first step: a file
    /// that was moved already is absent then.
    fn rotate(&mut self) -> io::Result<()> {
        for number in (1..self.keep).rev() {
            move_file(&self.full(number), &self.full(number + 1))?;
        }
        if self.keep == 0 {
            fs::remove_file(&self.path)?;
        } else {
            move_file(&self.path, &self.full(1))?;
        }
        self.file = append_to(&self.path)?;
        self.length = self.file.metadata()?.len();
        Ok(())
    }

    fn full(&self, number: u64) -> Utf8PathBuf {
        Utf8PathBuf::from(format!("{}.{number}", self.path))
    }
}

/// The lines name users, so only the server's user may read a file that the server makes.
fn append_to(path: &Utf8Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true).mode(0o600).open(path)
}

/// Moves a file that may be absent.
fn move_file(from: &Utf8Path, to: &Utf8Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        moved => moved,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use tokio::sync::oneshot;

    use super::*;

    fn file(dir: &tempfile::TempDir, file_limit: u64, keep: u64) -> AuditFile {
        let path = Utf8PathBuf::from_path_buf(dir.path().join("audit.log")).unwrap();
        let settings = AuditSettings {
            file: Some(path.clone()),
            file_limit,
            keep,
            reads: false,
        };
        AuditFile::open(path, &settings).unwrap()
    }

    /// The texts of the files, the newest first.
    fn texts(file: &AuditFile) -> Vec<String> {
        let full = (1..9).map(|number| file.full(number));
        let paths = std::iter::once(file.path.clone()).chain(full);
        let texts = paths.map_while(|path| fs::read_to_string(path).ok());
        texts.collect()
    }

    #[test]
    fn a_full_file_makes_room_for_the_next() {
        let dir = tempfile::tempdir().unwrap();
        for line in ["a", "b", "c", "d", "e", "f", "g"] {
            // Each line is written by a server of its own.
            file(&dir, 4, 2).write(line.to_owned()).unwrap();
        }
        let file = file(&dir, 4, 2);
        assert_eq!(texts(&file), ["g\n", "e\nf\n", "c\nd\n"]);
        let mode = fs::metadata(&file.path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn without_full_files_the_log_begins_again() {
        let dir = tempfile::tempdir().unwrap();
        let mut file = file(&dir, 4, 0);
        for line in ["a", "b", "too long for the file", "c"] {
            file.write(line.to_owned()).unwrap();
        }
        assert_eq!(texts(&file), ["c\n"]);
    }

    #[test]
    fn a_line_that_cannot_be_written_is_counted_and_later_ones_are_written() {
        let dir = tempfile::tempdir().unwrap();
        let mut file = file(&dir, 4, 1);
        file.write("abc".to_owned()).unwrap();
        // A directory is in the way of the full file.
        fs::create_dir_all(file.full(1).join("full")).unwrap();
        let (metrics, full) = (Metrics::default(), file.full(1));
        let (sender, receiver) = mpsc::channel(8);
        let counted = metrics.clone();
        let writer = std::thread::spawn(move || write_all(file, receiver, &counted));
        let write = |line: &str| {
            let line = AuditEntry::Line(line.to_owned());
            sender.blocking_send(line).unwrap();
            let (written, told) = oneshot::channel();
            sender.blocking_send(AuditEntry::Flush(written)).unwrap();
            told.blocking_recv().unwrap();
        };
        write("lost");
        assert_eq!(metrics.audit_lines_lost.with(["disk"]).get(), 1);
        fs::remove_dir_all(&full).unwrap();
        write("kept");
        assert_eq!(metrics.audit_lines_lost.with(["disk"]).get(), 1);
        assert_eq!(fs::read_to_string(&full).unwrap(), "abc\n");
        drop(sender);
        writer.join().unwrap();
        let text = fs::read_to_string(dir.path().join("audit.log")).unwrap();
        assert_eq!(text, "kept\n");
    }
}
