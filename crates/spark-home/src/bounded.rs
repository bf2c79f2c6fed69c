//! Runs a program to its end, with a deadline and a limit on its output.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::io::{self, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open};

use crate::processes;

/// The length of each output stream that is kept.
const OUTPUT_CAP: usize = 1 << 20;
/// The time to wait for the rest of the output once the program itself has ended.
const DRAIN: Duration = Duration::from_secs(2);

/// A program's output and exit status.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
}

impl Finished {
    /// The last lines of both streams, for messages. Compilers and installers print the reason
    /// last.
    pub(crate) fn tail(&self, lines: usize) -> String {
        let text = format!(
            "{}\n{}",
            String::from_utf8_lossy(&self.stdout),
            String::from_utf8_lossy(&self.stderr)
        );
        let kept: Vec<&str> = text
            .lines()
            .filter(|line| !line.trim().is_empty())
            .collect();
        kept[kept.len().saturating_sub(lines)..].join("\n")
    }
}

/// The reason why a program did not end by itself.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// It could not be started.
    #[error("start {program}")]
    Start {
        /// The program.
        program: String,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// It took too long and was killed together with its child processes.
    #[error("finish {program} within {} s", limit.as_secs())]
    Deadline {
        /// The program.
        program: String,
        /// The time it had.
        limit: Duration,
    },
    /// The caller wanted its end, and it was killed together with its child processes.
    #[error("finish {program} before this process ends")]
    Stopped {
        /// The program.
        program: String,
    },
    /// The system refused to wait for it.
    #[error("wait for {program}")]
    Wait {
        /// The program.
        program: String,
        /// The system's error.
        #[source]
        source: io::Error,
    },
}

/// Ends programs that run in other threads. Its copies are one and the same.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Ends the programs that run with it, and those that are run with it from now on.
    pub fn stop(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Tells whether it was used.
    pub fn is_stopped(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// A program that can be run once.
#[derive(Debug)]
pub(crate) struct Run {
    command: Command,
    limit: Duration,
    stop: Stop,
}

impl Run {
    /// Names a program and a time limit. The program gets exactly this environment.
    pub(crate) fn new(
        program: impl AsRef<OsStr>,
        environment: &BTreeMap<String, String>,
        limit: Duration,
    ) -> Self {
        let mut command = Command::new(program);
        command
            .env_clear()
            .envs(environment)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Self {
            command,
            limit,
            stop: Stop::default(),
        }
    }

    /// Adds arguments.
    pub(crate) fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.command.args(args);
        self
    }

    /// Runs it in this directory.
    pub(crate) fn dir(mut self, dir: &camino::Utf8Path) -> Self {
        self.command.current_dir(dir);
        self
    }

    /// Gives it a standard input that ends when this process ends, however that happens.
    pub(crate) fn with_lifeline(mut self) -> Self {
        self.command.stdin(Stdio::piped());
        self
    }

    /// Kills it, with its child processes, when this is stopped.
    pub(crate) fn until(mut self, stop: &Stop) -> Self {
        self.stop = stop.clone();
        self
    }

    /// Runs it to its end.
    pub(crate) fn finish(self) -> Result<Finished, RunError> {
        self.finish_reporting(&|_| ())
    }

    /// Runs it to its end and reports each line of its standard output as it arrives.
    pub(crate) fn finish_reporting(mut self, line: &dyn Fn(&str)) -> Result<Finished, RunError> {
        let program = self.command.get_program().to_string_lossy().into_owned();
        let mut child = self.command.spawn().map_err(|source| RunError::Start {
            program: program.clone(),
            source,
        })?;
        let stdout = drain(child.stdout.take());
        let stderr = drain(child.stderr.take());
        let mut said = Said::new(line);
        let deadline = Instant::now() + self.limit;
        let outcome = wait(&mut child, deadline, &self.stop, &stdout, &mut said);
        match outcome {
            Ok(Some(status)) => {
                said.take(rest(&stdout));
                Ok(Finished {
                    status,
                    stdout: said.end(),
                    stderr: rest(&stderr),
                })
            }
            Ok(None) if self.stop.is_stopped() => Err(RunError::Stopped { program }),
            Ok(None) => Err(RunError::Deadline {
                program,
                limit: self.limit,
            }),
            Err(source) => Err(RunError::Wait { program, source }),
        }
    }
}

/// A program's standard output, whose lines are reported as they become whole.
struct Said<'a> {
    bytes: Vec<u8>,
    reported: usize,
    line: &'a dyn Fn(&str),
}

impl<'a> Said<'a> {
    fn new(line: &'a dyn Fn(&str)) -> Self {
        Self {
            bytes: Vec::new(),
            reported: 0,
            line,
        }
    }

    fn take(&mut self, bytes: impl IntoIterator<Item = u8>) {
        self.bytes.extend(bytes);
        let unreported = |said: &Self| {
            said.bytes[said.reported..]
                .iter()
                .position(|byte| *byte == b'\n')
        };
        while let Some(length) = unreported(self) {
            self.report(length);
            self.reported += 1;
        }
    }

    /// The whole output. Its last line may have no line end.
    fn end(mut self) -> Vec<u8> {
        let length = self.bytes.len() - self.reported;
        if length > 0 {
            self.report(length);
        }
        self.bytes
    }

    fn report(&mut self, length: usize) {
        let bytes = &self.bytes[self.reported..self.reported + length];
        (self.line)(String::from_utf8_lossy(bytes).trim_end());
        self.reported += length;
    }
}

/// Waits for the end, the deadline or the stop, and reports lines as they arrive. `None` means that the
/// program was killed.
fn wait(
    child: &mut Child,
    deadline: Instant,
    stop: &Stop,
    stdout: &Receiver<Vec<u8>>,
    said: &mut Said<'_>,
) -> io::Result<Option<ExitStatus>> {
    let pid = Pid::from_child(child);
    let pidfd = pidfd_open(pid, PidfdFlags::empty())?;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let pause = Timespec::try_from(left.min(Duration::from_millis(200)))
            .expect("a fifth of a second fits");
        let ended = match poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], Some(&pause)) {
            Err(rustix::io::Errno::INTR) => 0,
            other => other?,
        };
        said.take(stdout.try_iter().flatten());
        if ended > 0 {
            return child.wait().map(Some);
        }
        if left.is_zero() || stop.is_stopped() {
            kill_tree(pid);
            child.wait()?;
            return Ok(None);
        }
    }
}

/// Kills a child and its descendants. They share our process group so that Ctrl-C ends an
/// interactive set-up as a whole, so a signal to the group would hit us.
fn kill_tree(child: Pid) {
    let mut tree = BTreeSet::from([child.as_raw_nonzero().get()]);
    let mut running: Vec<i32> = tree.iter().copied().collect();
    // A process that is stopped starts no children. The descendants of a dead one would have
    // another parent, so all are found before the first is killed.
    while !running.is_empty() {
        for pid in running.drain(..) {
            processes::signal(pid, Signal::STOP);
        }
        match processes::descendants(&tree) {
            Ok(found) => running.extend(found.iter().map(|process| process.pid)),
            Err(error) => {
                tracing::warn!(pid = %child, %error, "cannot list the children of a program that takes too long");
            }
        }
        tree.extend(&running);
    }
    for pid in tree {
        processes::signal(pid, Signal::KILL);
    }
}

/// Reads a stream to its end in its own thread, and passes on what fits under the cap.
fn drain(stream: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    let Some(mut stream) = stream else {
        return receiver;
    };
    thread::spawn(move || {
        let mut buffer = [0; 8192];
        let mut kept = 0;
        while let Ok(length) = stream.read(&mut buffer) {
            if length == 0 {
                break;
            }
            let fits = length.min(OUTPUT_CAP - kept);
            kept += fits;
            // Keep reading when the receiver is gone: the program must not block on a full pipe.
            let _ = sender.send(buffer[..fits].to_vec());
        }
    });
    receiver
}

/// Reads the rest of a stream. A grandchild may hold it open, so the wait is limited.
fn rest(stream: &Receiver<Vec<u8>>) -> Vec<u8> {
    let until = Instant::now() + DRAIN;
    let mut said = Vec::new();
    while let Ok(piece) = stream.recv_timeout(until.saturating_duration_since(Instant::now())) {
        said.extend(piece);
    }
    said
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    fn shell(script: &str, limit: Duration) -> Run {
        let environment = BTreeMap::from([("PATH".to_owned(), "/usr/bin:/bin".to_owned())]);
        Run::new("/bin/sh", &environment, limit).args(["-c", script])
    }

    #[test]
    fn output_status_and_lines_come_through() {
        let lines = RefCell::new(Vec::new());
        let script = "echo one; echo two; echo bad >&2; printf three; exit 3";
        let done = shell(script, Duration::from_secs(20))
            .finish_reporting(&|line| lines.borrow_mut().push(line.to_owned()))
            .unwrap();
        assert_eq!(done.status.code(), Some(3));
        assert_eq!(done.stdout, b"one\ntwo\nthree");
        assert_eq!(done.tail(2), "three\nbad");
        assert_eq!(*lines.borrow(), ["one", "two", "three"]);
    }

    /// Fails if a process whose command line has the marker lives on.
    fn nothing_is_left(marker: &str) {
        let is_left = |process: &processes::Process| {
            let line = std::fs::read(format!("/proc/{}/cmdline", process.pid)).unwrap_or_default();
            !process.zombie && String::from_utf8_lossy(&line).contains(marker)
        };
        // A signal takes a moment to end a process.
        let until = Instant::now() + Duration::from_secs(20);
        while processes::all().unwrap().iter().any(is_left) {
            assert!(Instant::now() < until, "a child is left");
            thread::sleep(Duration::from_millis(10));
        }
    }

    #[test]
    fn a_program_that_takes_too_long_is_killed_with_its_children() {
        let marker = format!("86399.{}", std::process::id());
        let run = shell(
            &format!("sleep {marker} & sleep {marker}"),
            Duration::from_millis(300),
        );
        assert!(matches!(run.finish(), Err(RunError::Deadline { .. })));
        nothing_is_left(&marker);
    }

    #[test]
    fn a_program_that_is_stopped_is_killed_with_its_children() {
        let marker = format!("86398.{}", std::process::id());
        let stop = Stop::default();
        let script = format!("sleep {marker} & echo runs; sleep {marker}");
        let run = shell(&script, Duration::from_mins(5)).until(&stop);
        let ended = run.finish_reporting(&|line| {
            assert_eq!(line, "runs");
            stop.stop();
        });
        assert!(matches!(ended, Err(RunError::Stopped { .. })), "{ended:?}");
        nothing_is_left(&marker);
        let another = shell(&format!("sleep {marker}"), Duration::from_mins(5)).until(&stop);
        assert!(matches!(another.finish(), Err(RunError::Stopped { .. })));
        nothing_is_left(&marker);
    }

    #[test]
    fn a_flood_is_cut_and_an_open_pipe_is_not_waited_for() {
        let done = shell(
            "head -c 3000000 /dev/zero; (sleep 5 &)",
            Duration::from_secs(20),
        )
        .finish()
        .unwrap();
        assert_eq!(done.stdout.len(), OUTPUT_CAP);
        assert!(done.status.success());
    }

    #[test]
    fn a_program_that_is_not_there_says_so() {
        let run = Run::new("/no/such/program", &BTreeMap::new(), Duration::from_secs(1));
        assert!(matches!(run.finish(), Err(RunError::Start { .. })));
    }
}
