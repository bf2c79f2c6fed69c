//! How a driver ended, as its supervisor writes it down: `exit.json`.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use livius_domain::failure::Clue;
use livius_domain::{Exit, FailureCode, Unseen};
use serde::{Deserialize, Serialize};

/// How a driver ended.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ExitRecord {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signal: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unseen: Option<Unseen>,
    /// How many processes the kernel has killed for lack of memory while the driver ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    oom_kills: Option<u64>,
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
            unseen: None,
            oom_kills: None,
            ended_at,
        }
    }

    /// The record of a driver whose end was not seen.
    pub(crate) fn unseen(why: Unseen, ended_at: Timestamp) -> Self {
        Self {
            unseen: Some(why),
            ..Self::new(Exit::Unknown, ended_at)
        }
    }

    /// The record, with the number of processes that the kernel has killed for lack of memory while
    /// the driver ran. `None` if the kernel does not count them.
    pub(crate) fn with_oom_kills(self, oom_kills: Option<u64>) -> Self {
        Self { oom_kills, ..self }
    }

    /// The failure that the kernel's counter tells: signal 9 ended the driver, and the kernel has
    /// killed at that time.
    pub(crate) fn clue(&self) -> Option<Clue> {
        let kills = self.oom_kills.filter(|kills| *kills > 0)?;
        let line = format!(
            "/proc/vmstat: the kernel killed {kills} processes for lack of memory while the driver ran"
        );
        (self.exit() == Exit::Signal(9)).then(|| Clue::of(FailureCode::KilledByKernel, Some(&line)))
    }

    pub(crate) fn exit(&self) -> Exit {
        match (self.code, self.signal) {
            (Some(code), _) => Exit::Code(code),
            (None, Some(signal)) => Exit::Signal(signal),
            (None, None) => Exit::Unknown,
        }
    }

    /// Why the end was not seen.
    pub(crate) fn why_unseen(&self) -> Option<Unseen> {
        self.unseen
    }
}

/// More bytes than any record has.
const ROOM: usize = 512;

/// Room for the record: an open file with its blocks on the disk, taken before the driver starts.
/// How a driver ended can be written down on a full disk, and without a free file descriptor.
///
/// The exit code of the supervisor does not carry the end a second time. Eight bits cannot tell a
/// driver's code from a signal, and neither from a failure of the supervisor itself.
#[derive(Debug)]
pub(crate) struct ExitRoom {
    file: File,
    reserved: Utf8PathBuf,
    target: Utf8PathBuf,
}

impl ExitRoom {
    /// Takes the room in the file `reserved`, which becomes `target` when it is written.
    pub(crate) fn take(reserved: Utf8PathBuf, target: Utf8PathBuf) -> io::Result<Self> {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&reserved)?;
        file.write_all(&[b' '; ROOM])?;
        // The file system gives a file its blocks at the latest now.
        file.sync_all()?;
        Ok(Self {
            file,
            reserved,
            target,
        })
    }

    /// Writes the record. It survives a failure of the machine from then on.
    pub(crate) fn write(&self, record: &ExitRecord) -> io::Result<()> {
        let mut text = serde_json::to_vec(record)?;
        text.resize(ROOM.max(text.len()), b' ');
        self.file.write_all_at(&text, 0)?;
        self.file.sync_all()?;
        fs::rename(&self.reserved, &self.target)?;
        File::open(self.directory())?.sync_all()
    }

    /// Whether the directory for the record is certainly gone.
    pub(crate) fn is_removed(&self) -> bool {
        matches!(self.directory().try_exists(), Ok(false))
    }

    fn directory(&self) -> &Utf8Path {
        self.target.parent().unwrap_or(Utf8Path::new("."))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    #[test]
    fn only_a_removed_directory_is_removed() {
        let temp = tempfile::tempdir().unwrap();
        let home = Utf8Path::from_path(temp.path()).unwrap().join("driver");
        fs::create_dir(&home).unwrap();
        let room = ExitRoom::take(home.join(".partial-exit"), home.join("exit.json")).unwrap();
        assert!(!room.is_removed());
        fs::remove_dir_all(&home).unwrap();
        assert!(room.is_removed());
        // A file in the place of a parent says nothing about the directory.
        let under_file = temp.path().join("file");
        fs::write(&under_file, "").unwrap();
        let target = Utf8PathBuf::from_path_buf(under_file.join("exit.json")).unwrap();
        let odd = ExitRoom { target, ..room };
        assert!(!odd.is_removed());
    }

    #[test]
    fn a_record_goes_into_the_blocks_that_were_reserved() {
        let home = tempfile::tempdir().unwrap();
        let home = Utf8Path::from_path(home.path()).unwrap();
        let target = home.join("exit.json");
        let room = ExitRoom::take(home.join(".partial-exit"), target.clone()).unwrap();
        let before = room.file.metadata().unwrap();
        assert!(before.blocks() * 512 >= ROOM as u64 && !target.exists());
        assert_eq!(before.mode() & 0o777, 0o600);
        for exit in [Exit::Code(i32::MIN), Exit::Signal(9)] {
            room.write(&ExitRecord::new(exit, Timestamp::MAX)).ok();
            let after = fs::metadata(&target).unwrap();
            assert_eq!(
                (after.ino(), after.blocks(), after.len()),
                (before.ino(), before.blocks(), before.len())
            );
            let read: ExitRecord = serde_json::from_slice(&fs::read(&target).unwrap()).unwrap();
            assert_eq!((read.exit(), read.why_unseen()), (exit, None));
        }
        assert_eq!(home.read_dir_utf8().unwrap().count(), 1);
    }

    #[test]
    fn only_the_kernels_signal_is_told_by_its_counter() {
        let code = |exit, kills| {
            let record = ExitRecord::new(exit, Timestamp::MAX).with_oom_kills(kills);
            let text = serde_json::to_string(&record).unwrap();
            assert!(text.len() < ROOM);
            let read: ExitRecord = serde_json::from_str(&text).unwrap();
            read.clue().map(|clue| clue.code)
        };
        let killed = Some(FailureCode::KilledByKernel);
        assert_eq!(code(Exit::Signal(9), Some(2)), killed);
        for (exit, kills) in [
            (Exit::Signal(9), Some(0)),
            (Exit::Signal(9), None),
            (Exit::Signal(15), Some(2)),
            (Exit::Code(1), Some(2)),
        ] {
            assert_eq!(code(exit, kills), None);
        }
    }

    #[test]
    fn records_of_earlier_versions_are_read() {
        let of = |text: &str| serde_json::from_str::<ExitRecord>(text).unwrap();
        let code = of(r#"{"code":3,"ended_at":"2026-11-29T00:00:00Z"}"#);
        assert_eq!(code.exit(), Exit::Code(3));
        let unknown = of(r#"{"ended_at":"2026-11-29T00:00:00Z"}"#);
        assert_eq!(
            (unknown.exit(), unknown.why_unseen()),
            (Exit::Unknown, None)
        );
    }
}
