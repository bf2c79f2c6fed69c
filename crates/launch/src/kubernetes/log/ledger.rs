//! The record of the lines that were written from a container's log, and the writing of them.
//!
//! Everything here blocks. The record says what is about to be appended before the lines are, so a
//! server that died in between neither repeats nor loses them.

use std::fs::File;
use std::io::{self, Read as _, Write as _};

use camino::Utf8PathBuf;
use jiff::Timestamp;
use livius_kubernetes::LogLine;
use livius_spark_home::files;
use serde::{Deserialize, Serialize};

use crate::log::append::{self, Append};
use crate::log::keep_within;

/// The longest record that is read, in bytes.
const LONGEST_RECORD: u64 = 64 << 10;
/// The part at a log's end that is searched for a reason, in bytes.
const TAIL: u64 = 64 << 10;

/// The content of `mirror.json` of a driver in a pod.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    /// The id of the pod whose log is written.
    pod: Option<String>,
    /// The place in our file where the first pod's output begins.
    begins: u64,
    #[serde(default)]
    written: Written,
    pending: Option<Pending>,
    /// True if a line says that something of the log is missing.
    noted: bool,
    /// True if lines say what was refused to the pod.
    #[serde(default)]
    refused: bool,
    /// True if nothing is written any more.
    complete: bool,
}

/// How far the log of a container was written. Kubernetes has a time for each line, and no numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Written {
    /// The time of the last line.
    pub(super) at: Option<Timestamp>,
    /// The written lines with exactly this time.
    pub(super) repeats: u64,
    /// True if more of the last line follows.
    is_open: bool,
}

impl Written {
    fn with(self, line: &LogLine) -> Self {
        let at = line.at.or(self.at);
        Self {
            at,
            repeats: if at == self.at { self.repeats + 1 } else { 1 },
            is_open: !line.ends,
        }
    }
}

/// An append that may have been broken off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Pending {
    #[serde(flatten)]
    append: Append,
    /// What was written when it is done.
    written: Written,
}

/// Finds the first new line after a log was opened again. Kubernetes repeats the lines of the second
/// that it is asked for.
#[derive(Debug)]
pub(super) struct Resume {
    at: Option<Timestamp>,
    /// The lines with this time that are known.
    known: u64,
}

impl Resume {
    pub(super) fn of(written: Written) -> Self {
        Self {
            at: written.at,
            known: written.repeats,
        }
    }

    /// Whether a line is new. All lines after a new one are.
    pub(super) fn is_new(&mut self, line: &LogLine) -> bool {
        let (Some(last), Some(at)) = (self.at, line.at) else {
            // A node that cannot read the log says so without a time.
            return true;
        };
        if at < last {
            return false;
        }
        if at == last && self.known > 0 {
            self.known -= 1;
            return false;
        }
        self.at = None;
        true
    }
}

/// The written log of one driver.
#[derive(Debug)]
pub(super) struct Ledger {
    log: Utf8PathBuf,
    path: Utf8PathBuf,
    /// The most bytes of the log.
    limit: u64,
    record: Record,
}

impl Ledger {
    /// Reads the record, and repairs what a server that died has left.
    pub(super) fn open(log: Utf8PathBuf, path: Utf8PathBuf, limit: u64) -> io::Result<Self> {
        let record = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Record::default(),
            file => {
                let mut text = Vec::new();
                file?.take(LONGEST_RECORD).read_to_end(&mut text)?;
                serde_json::from_slice(&text)?
            }
        };
        let mut ledger = Self {
            log,
            path,
            limit,
            record,
        };
        ledger.settle()?;
        Ok(ledger)
    }

    /// Turns to the log of a pod, and tells how far it was written.
    pub(super) fn begin(&mut self, uid: &str, name: &str) -> io::Result<Written> {
        self.settle()?;
        match self.record.pod.as_deref() {
            Some(known) if known == uid => {}
            before => {
                let is_first = before.is_none();
                let begins = if is_first {
                    append::length(&self.log)?
                } else {
                    self.record.begins
                };
                self.write(Record {
                    pod: Some(uid.to_owned()),
                    begins,
                    written: Written::default(),
                    ..self.record.clone()
                })?;
                if !is_first {
                    let text = format!("livius: another pod runs the driver: {name}\n");
                    self.extend(true, text.as_bytes(), Written::default())?;
                }
            }
        }
        Ok(self.record.written)
    }

    pub(super) fn is_complete(&self) -> bool {
        self.record.complete
    }

    /// Whether anything of the pod's log was written.
    pub(super) fn has_some(&self) -> bool {
        self.record.written != Written::default()
    }

    /// Appends lines that follow those that were written.
    pub(super) fn append(&mut self, lines: &[LogLine]) -> io::Result<()> {
        self.settle()?;
        let begins_line = !self.record.written.is_open;
        let mut text = Vec::with_capacity(lines.iter().map(|line| line.text.len() + 1).sum());
        let mut written = self.record.written;
        for line in lines {
            text.extend_from_slice(&line.text);
            if line.ends {
                text.push(b'\n');
            }
            written = written.with(line);
        }
        self.extend(begins_line, &text, written)
    }

    /// Writes a line at the log's end that says why it lacks something, once.
    pub(super) fn note(&mut self, line: &str) -> io::Result<()> {
        if self.record.noted {
            return Ok(());
        }
        self.settle()?;
        // Before the line, so that a failure leaves it out instead of repeating it.
        self.write(Record {
            noted: true,
            ..self.record.clone()
        })?;
        let text = format!("livius: {line}\n");
        self.extend(true, text.as_bytes(), self.record.written)
    }

    /// Writes lines that say what was refused to the pod, once.
    pub(super) fn tell_refusals(&mut self, lines: &[String]) -> io::Result<()> {
        if self.record.refused || self.record.complete {
            return Ok(());
        }
        self.settle()?;
        self.write(Record {
            refused: true,
            ..self.record.clone()
        })?;
        let lines = lines.iter().map(|line| format!("livius: {line}\n"));
        let text: String = lines.collect();
        self.extend(true, text.as_bytes(), self.record.written)
    }

    /// Ends the writing for good.
    pub(super) fn complete(&mut self) -> io::Result<()> {
        self.write(Record {
            complete: true,
            ..self.record.clone()
        })
    }

    /// The end of what was written of the pod's log, at most 64 KiB.
    pub(super) fn tail(&self) -> io::Result<Vec<u8>> {
        if !self.has_some() {
            return Ok(Vec::new());
        }
        append::tail(&self.log, self.record.begins, TAIL)
    }

    fn extend(&mut self, begins_line: bool, text: &[u8], written: Written) -> io::Result<()> {
        let mut file = append::open(&self.log)?;
        let (append, text) = Append::plan(&file, begins_line, text)?;
        self.write(Record {
            pending: Some(Pending { append, written }),
            ..self.record.clone()
        })?;
        let done = file.write_all(&text);
        // Takes back what a full disk has taken of it.
        self.settle()?;
        done?;
        keep_within(&file, self.limit)
    }

    /// Completes or takes back the append that was begun last.
    fn settle(&mut self) -> io::Result<()> {
        let Some(pending) = self.record.pending.clone() else {
            return Ok(());
        };
        let mut next = self.record.clone();
        next.pending = None;
        if pending.append.settle(&self.log)? {
            next.written = pending.written;
        }
        self.write(next)
    }

    fn write(&mut self, record: Record) -> io::Result<()> {
        files::write_private(&self.path, &serde_json::to_vec(&record)?)?;
        self.record = record;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn at(seconds: i64, nanoseconds: i32) -> Timestamp {
        Timestamp::new(seconds, nanoseconds).unwrap()
    }

    fn line(time: Timestamp, text: &str) -> LogLine {
        LogLine {
            at: Some(time),
            text: text.as_bytes().to_vec(),
            ends: true,
        }
    }

    struct Files {
        _dir: tempfile::TempDir,
        log: Utf8PathBuf,
        record: Utf8PathBuf,
    }

    impl Files {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let path = Utf8PathBuf::from_path_buf(dir.path().to_owned()).unwrap();
            Self {
                log: path.join("stdout.log"),
                record: path.join("mirror.json"),
                _dir: dir,
            }
        }

        fn ledger(&self) -> Ledger {
            Ledger::open(self.log.clone(), self.record.clone(), 1 << 20).unwrap()
        }

        fn text(&self) -> String {
            fs::read_to_string(&self.log).unwrap()
        }
    }

    /// The lines that a server writes which opens the log again.
    fn resumed(ledger: &mut Ledger, log: &[LogLine]) {
        let written = ledger.begin("u", "p").unwrap();
        let mut resume = Resume::of(written);
        let second = written.at.map(Timestamp::as_second);
        // As the API server does, from the second on.
        let sent = log
            .iter()
            .filter(|line| line.at.map(Timestamp::as_second) >= second);
        let new: Vec<LogLine> = sent.filter(|line| resume.is_new(line)).cloned().collect();
        ledger.append(&new).unwrap();
    }

    #[test]
    fn lines_are_written_once_wherever_a_server_stops() {
        let log = [
            line(at(1, 0), "a"),
            line(at(1, 5), "b"),
            line(at(1, 5), "b"),
            line(at(1, 5), "c"),
            line(at(2, 0), "d"),
            line(at(3, 1), ""),
        ];
        let whole = "submitted\na\nb\nb\nc\nd\n\n";
        for first in 0..=log.len() {
            for second in first..=log.len() {
                let files = Files::new();
                fs::write(&files.log, "submitted").unwrap();
                resumed(&mut files.ledger(), &log[..first]);
                resumed(&mut files.ledger(), &log[..second]);
                resumed(&mut files.ledger(), &log);
                assert_eq!(files.text(), whole, "{first} {second}");
            }
        }
    }

    #[test]
    fn a_broken_append_is_taken_back_and_a_whole_one_is_not_repeated() {
        let log = [line(at(1, 0), "one"), line(at(1, 0), "two")];
        for kept in [0, 2, 4] {
            let files = Files::new();
            let mut ledger = files.ledger();
            resumed(&mut ledger, &log[..1]);
            // The server dies after its record, with a part of the text written.
            let file = append::open(&files.log).unwrap();
            let (append, text) = Append::plan(&file, true, b"two\n").unwrap();
            let written = ledger.record.written.with(&log[1]);
            let pending = Some(Pending { append, written });
            let record = ledger.record.clone();
            ledger.write(Record { pending, ..record }).unwrap();
            (&file).write_all(&text[..kept]).unwrap();
            resumed(&mut files.ledger(), &log);
            assert_eq!(files.text(), "one\ntwo\n", "{kept}");
        }
    }

    #[test]
    fn pieces_of_a_line_stay_one_line() {
        let files = Files::new();
        let mut ledger = files.ledger();
        ledger.begin("u", "p").unwrap();
        let piece = LogLine {
            ends: false,
            ..line(at(1, 0), "long")
        };
        ledger.append(std::slice::from_ref(&piece)).unwrap();
        ledger.append(&[line(at(1, 0), " line")]).unwrap();
        assert_eq!(files.text(), "long line\n");
        ledger.append(&[LogLine { at: None, ..piece }]).unwrap();
        ledger.note("it is cut").unwrap();
        ledger.note("it is cut").unwrap();
        assert_eq!(files.text(), "long line\nlong\nlivius: it is cut\n");
        for _ in 0..2 {
            ledger.tell_refusals(&["no".to_owned()]).unwrap();
            ledger = files.ledger();
        }
        let told = "long line\nlong\nlivius: it is cut\nlivius: no\n";
        assert_eq!(files.text(), told);
        assert_eq!(ledger.tail().unwrap(), files.text().as_bytes());
    }

    #[test]
    fn another_pod_is_told() {
        let files = Files::new();
        let mut ledger = files.ledger();
        resumed(&mut ledger, &[line(at(9, 0), "one")]);
        assert_eq!(ledger.begin("v", "p2").unwrap(), Written::default());
        ledger.append(&[line(at(1, 0), "two")]).unwrap();
        let expected = "one\nlivius: another pod runs the driver: p2\ntwo\n";
        assert_eq!(files.text(), expected);
        ledger.complete().unwrap();
        assert!(files.ledger().is_complete());
    }
}
