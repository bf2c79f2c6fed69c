//! A driver's files as the application sees them: its log, and the files that clients upload to it.

use std::fmt::Debug;
use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use livius_domain::{DriverProgram, OutputStream, ResourceId};

use crate::growth::Grown;
use crate::{Executor, FileContent};

/// The files of one driver. They are there before it starts and stay after it has ended, until
/// [`DriverFiles::remove`].
#[async_trait]
pub trait DriverFiles: Send + Sync {
    /// The driver's log. Each call makes a new reader, which remembers the part that it has read.
    fn log(&self) -> Arc<dyn LogSource>;

    /// The driver's executors on a cluster, as far as they are known, in the order in which they were
    /// seen. Waits for the cluster at most two seconds. Only YARN and Kubernetes tell of executors, so
    /// the list of any other driver is empty.
    async fn executors(&self) -> io::Result<Vec<Executor>>;

    /// The log of an executor of that list. `None` if the list has no such name, or the log is not
    /// kept.
    async fn executor_log(&self, name: &str) -> io::Result<Option<Arc<dyn LogSource>>>;

    /// Appends a text to the log that users of such a program read. A text that is the log's end
    /// already is not written again.
    async fn explain(&self, program: DriverProgram, text: &str) -> io::Result<()>;

    /// Whether the driver finds the files of this machine under their names. A driver in a container, in
    /// a pod or on a worker does not.
    async fn sees_this_machine(&self) -> io::Result<bool>;

    /// Makes room for a file that a client is about to send.
    async fn begin_upload(&self) -> io::Result<Box<dyn PendingUpload>>;

    /// Opens a file that was uploaded for the driver. `None` when there is none of that number.
    async fn uploaded(&self, resource: ResourceId) -> io::Result<Option<FileContent>>;

    /// Removes an uploaded file that the driver has fetched. One that is not there is fine.
    async fn discard_upload(&self, resource: ResourceId) -> io::Result<()>;

    /// Removes all uploads but these: those whose rest no client will send, and those that the
    /// driver has.
    async fn sweep_uploads(&self, wanted: &[ResourceId]) -> io::Result<()>;

    /// Removes the files that only a running driver needs: its temporary files and its uploads.
    /// The log and the working directory stay.
    async fn clear_temporary(&self);

    /// Removes everything.
    async fn remove(&self);
}

/// A file that a client is sending. One that is dropped before it is placed leaves nothing.
#[async_trait]
pub trait PendingUpload: Debug + Send {
    /// Appends bytes.
    async fn write(&mut self, piece: &[u8]) -> io::Result<()>;

    /// Makes sure that the file survives a failure of the machine.
    async fn finish(&mut self) -> io::Result<()>;

    /// Gives the file its number: from now on [`DriverFiles::uploaded`] finds it.
    async fn place(self: Box<Self>, resource: ResourceId) -> io::Result<()>;
}

/// A driver's log, by lines: headings and both of its outputs, as Livy shows them.
#[async_trait]
pub trait LogSource: Debug + Send + Sync {
    /// Reads a page. A negative `size` means all lines, a negative `from` the last `size` of them.
    async fn page(&self, from: i64, size: i64) -> io::Result<LogLines>;

    /// The last lines. Never waits for another machine, and costs little while the log does not
    /// grow.
    fn tail(&self, count: usize) -> io::Result<Vec<String>>;

    /// Reads lines behind a place, at most so many. A line that has not ended is left out, unless the
    /// log `is_over`.
    async fn past(&self, place: LogPlace, most: u64, is_over: bool) -> io::Result<LogNews>;

    /// The place before the last lines.
    async fn before_last(&self, count: u64) -> io::Result<LogPlace>;

    /// Tells when the log grows. `None` if nothing tells.
    fn growth(&self) -> Option<Grown>;

    /// The last lines as another reader saw them a moment ago, if there was one. Never waits, not even
    /// for a disk.
    fn recent_tail(&self, count: usize) -> Option<Vec<String>>;
}

/// How far a reader has read: the lines of each output.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LogPlace {
    /// The lines of standard output.
    pub stdout: u64,
    /// The lines of standard error.
    pub stderr: u64,
}

impl LogPlace {
    pub(crate) fn of(&mut self, stream: OutputStream) -> &mut u64 {
        match stream {
            OutputStream::Stdout => &mut self.stdout,
            OutputStream::Stderr => &mut self.stderr,
        }
    }
}

/// The lines of a log that are new to a reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogNews {
    /// The place behind them.
    pub place: LogPlace,
    /// The lines, without their ends.
    pub lines: Vec<(OutputStream, String)>,
    /// True if lines are missing before these: the log reached its limit.
    pub is_cut: bool,
}

/// A page of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLines {
    /// The number of its first line.
    pub from: i64,
    /// The number of lines of the log.
    pub total: u64,
    /// Its lines.
    pub lines: Vec<String>,
}
