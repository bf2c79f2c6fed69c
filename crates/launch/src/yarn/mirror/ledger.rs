//! The record of the bytes that were copied from a container's log, and the writing of them.
//!
//! Everything here blocks. The record says what is about to be appended before the bytes are, so a
//! server that died in between neither repeats nor loses them.

use std::fs::File;
use std::io::{self, Read as _, Write as _};

use camino::Utf8Path;
use livius_spark_home::files;
use livius_yarn::Container;

use super::record::{Copied, Output, Pending, Piece, Record, Source, next};
use crate::log::append::{self, Append};
use crate::log::{MirroredFiles, keep_within};

/// The longest record that is read, in bytes.
const LONGEST_RECORD: u64 = 64 << 10;
/// The part at a log's end that is searched for a reason, in bytes.
const TAIL: u64 = 64 << 10;

impl MirroredFiles {
    fn log(&self, output: Output) -> &Utf8Path {
        match output {
            Output::Stdout => &self.stdout,
            Output::Stderr => &self.stderr,
        }
    }
}

/// The copied logs of one driver.
#[derive(Debug)]
pub(super) struct Ledger {
    files: MirroredFiles,
    /// The most bytes of each log file.
    limit: u64,
    record: Record,
}

impl Ledger {
    /// Reads the record, and repairs what a server that died has left.
    pub(super) fn open(files: MirroredFiles, limit: u64) -> io::Result<Self> {
        let record = match File::open(&files.record) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Record::default(),
            file => {
                let mut text = Vec::new();
                file?.take(LONGEST_RECORD).read_to_end(&mut text)?;
                serde_json::from_slice(&text)?
            }
        };
        let mut ledger = Self {
            files,
            limit,
            record,
        };
        ledger.settle()?;
        Ok(ledger)
    }

    /// The container whose log was copied last.
    pub(super) fn container(&self) -> Option<Container> {
        let source = self.record.container.as_ref()?;
        Some(Container {
            id: source.id.clone(),
            node: source.node.clone(),
        })
    }

    pub(super) fn is_complete(&self) -> bool {
        self.record.complete
    }

    /// Whether anything of the container's log was copied.
    pub(super) fn has_copied(&self) -> bool {
        self.record.stdout.bytes + self.record.stderr.bytes > 0
    }

    /// Turns to a container. Nothing of it was copied if it is another one than before. `why` is the
    /// reason for another one.
    pub(super) fn begin(&mut self, container: &Container, why: Option<String>) -> io::Result<()> {
        self.settle()?;
        let source = Source {
            id: container.id.clone(),
            node: container.node.clone(),
        };
        let known = self.record.container.as_ref();
        if known == Some(&source) {
            return Ok(());
        }
        let mut next = self.record.clone();
        match known {
            // The aggregated logs remain when the node is not told any more.
            Some(known) if known.id == source.id => {}
            Some(_) => {
                next.repeated = true;
                next.why_repeated = why;
                next.stdout.bytes = 0;
                next.stderr.bytes = 0;
            }
            None => {
                next.stdout.begins = append::length(&self.files.stdout)?;
                next.stderr.begins = append::length(&self.files.stderr)?;
            }
        }
        next.container = Some(source);
        self.write(next)
    }

    /// The next part to copy of an output. `total` is its length at YARN, in bytes.
    pub(super) fn next(&self, output: Output, total: u64) -> Option<Piece> {
        next(self.copied(output).bytes, total, self.limit)
    }

    /// Appends a piece. One that was copied already is ignored: a reader was broken off after the
    /// write of its piece had begun.
    pub(super) fn append(
        &mut self,
        output: Output,
        piece: Piece,
        content: &[u8],
    ) -> io::Result<()> {
        self.settle()?;
        let copied = self.copied(output).bytes;
        if copied + piece.skipped != piece.from {
            return Ok(());
        }
        let mut text = Vec::with_capacity(content.len() + 200);
        if copied == 0 && self.record.repeated {
            text.extend(self.told_again().bytes());
        }
        if piece.skipped > 0 {
            let skipped = piece.skipped;
            text.extend(
                format!("livius: {skipped} bytes of the log were left out, because it reached logs.driver_limit (of an executor: logs.executor_limit)\n[cut] … ")
                    .bytes(),
            );
        }
        let is_first = copied == 0 || !text.is_empty();
        text.extend_from_slice(content);
        self.extend(output, is_first, &text, piece.from + content.len() as u64)
    }

    /// Writes a line at the log's end that says why it lacks something, once.
    pub(super) fn note(&mut self, line: &str) -> io::Result<()> {
        if self.record.noted {
            return Ok(());
        }
        self.settle()?;
        let bytes = self.copied(Output::Stderr).bytes;
        // Before the line, so that a failure leaves it out instead of repeating it.
        self.write(Record {
            noted: true,
            ..self.record.clone()
        })?;
        let text = format!("livius: {line}\n");
        self.extend(Output::Stderr, true, text.as_bytes(), bytes)
    }

    /// Ends the copying for good.
    pub(super) fn complete(&mut self) -> io::Result<()> {
        self.write(Record {
            complete: true,
            ..self.record.clone()
        })
    }

    /// The end of what was copied from an output, at most the last 64 KiB.
    pub(super) fn tail(&self, output: Output) -> io::Result<Vec<u8>> {
        if self.copied(output).bytes == 0 {
            return Ok(Vec::new());
        }
        append::tail(self.files.log(output), self.copied(output).begins, TAIL)
    }

    /// A line about another attempt.
    fn told_again(&self) -> String {
        let id = self.record.container.as_ref().map_or("", |one| &one.id);
        let again = format!("livius: YARN ran the driver again, in {id}");
        match &self.record.why_repeated {
            Some(why) => format!("{again}, because {why}\n"),
            None => format!("{again}\n"),
        }
    }

    fn copied(&self, output: Output) -> &Copied {
        match output {
            Output::Stdout => &self.record.stdout,
            Output::Stderr => &self.record.stderr,
        }
    }

    /// Appends a text, on a line of its own if it begins one.
    fn extend(
        &mut self,
        output: Output,
        begins_line: bool,
        text: &[u8],
        bytes: u64,
    ) -> io::Result<()> {
        let mut file = append::open(self.files.log(output))?;
        let (append, text) = Append::plan(&file, begins_line, text)?;
        self.write(Record {
            pending: Some(Pending {
                output,
                append,
                bytes,
            }),
            ..self.record.clone()
        })?;
        let written = file.write_all(&text);
        // Takes back what a full disk has taken of it.
        self.settle()?;
        written?;
        keep_within(&file, self.limit)
    }

    /// Completes or takes back the append that was begun last.
    fn settle(&mut self) -> io::Result<()> {
        let Some(pending) = self.record.pending.clone() else {
            return Ok(());
        };
        let mut next = self.record.clone();
        next.pending = None;
        if pending.append.settle(self.files.log(pending.output))? {
            match pending.output {
                Output::Stdout => next.stdout.bytes = pending.bytes,
                Output::Stderr => next.stderr.bytes = pending.bytes,
            }
        }
        self.write(next)
    }

    fn write(&mut self, record: Record) -> io::Result<()> {
        files::write_private(&self.files.record, &serde_json::to_vec(&record)?)?;
        self.record = record;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
