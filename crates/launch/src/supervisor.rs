//! The supervisor: the process that watches one driver.
//!
//! Each driver has a supervisor, which is this program with almost nothing loaded. It outlives the
//! server, so it can report the driver's end even if no server ran at the time. It is the
//! "subreaper" of all processes that the driver starts, so it finds each of them, even daemons. It
//! keeps these files in the driver's directory:
//!
//! | file | when | content |
//! |---|---|---|
//! | `command.json` | read and removed at the start | what to run |
//! | `driver.json` | the driver runs | its pid and start time |
//! | `grace` | SIGTERM comes | milliseconds until SIGKILL |
//! | `exit.json` | last, when no process is left | how the driver ended |
//!
//! The supervisor reserves the room for `exit.json` before it starts the driver, and syncs the file
//! before it ends. It leaves the driver's temporary files to the server: they may take minutes to
//! remove, and the server learns of the driver's end by the end of this process.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::{Duration, Instant};

use camino::Utf8Path;
use livius_domain::{Clock, Exit};
use livius_spark_home::processes;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{self, Pid, Signal, WaitOptions, WaitStatus};
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM};

use crate::driver_dir::{DriverCommand, DriverDir};
use crate::exit_record::{ExitRecord, ExitRoom};
use crate::location::ProcessRecord;
use crate::log::LogKeeper;
use crate::oom_kills;

/// The time that processes that outlive the driver may take to end after SIGTERM.
const LEFTOVER_GRACE: Duration = Duration::from_secs(2);
/// The pause before we look again for survivors while killing: a process may have forked in
/// between.
const RESCAN: Duration = Duration::from_millis(50);

/// Attempts to write down how the driver ended, and the pause between them.
const WRITES: u32 = 60;
const WRITE_PAUSE: Duration = Duration::from_secs(1);

/// An error of a supervisor.
#[derive(Debug, thiserror::Error)]
#[error("{doing}")]
pub struct SuperviseError {
    doing: &'static str,
    #[source]
    source: io::Error,
}

fn failed<E: Into<io::Error>>(doing: &'static str) -> impl FnOnce(E) -> SuperviseError {
    move |error| SuperviseError {
        doing,
        source: error.into(),
    }
}

/// Runs the driver of a directory until the driver and everything it started are gone.
///
/// This is the whole of `livius supervise <dir>`, which the launcher starts. The launcher writes
/// the line `go` to standard input once it has recorded this process. The supervisor answers
/// `started` or `failed: …` on standard output.
pub fn supervise(dir: &Utf8Path, clock: &dyn Clock) -> Result<(), SuperviseError> {
    let mut signals = Signals::listen().map_err(failed("listen for signals"))?;
    process::setsid().map_err(failed("leave the terminal"))?;
    process::set_child_subreaper(Some(process::getpid())).map_err(failed("adopt orphans"))?;
    if !go_ahead() {
        return Ok(());
    }
    let dir = DriverDir::new(dir);
    let (driver, started) = match start(&dir) {
        Ok(started) => started,
        Err(error) => {
            answer(&format!("failed: {}: {}", error.doing, error.source));
            return Err(error);
        }
    };
    answer("started");
    let killed_before = oom_kills::so_far();
    let exit = Watch {
        dir: &dir,
        driver,
        exit: None,
        leftovers_since: None,
        kill_at: None,
    }
    .run(&mut signals)?;
    dir.remove_secrets();
    let killed = killed_before.zip(oom_kills::so_far());
    let record = ExitRecord::new(exit, clock.now())
        .with_oom_kills(killed.map(|(before, now)| now.saturating_sub(before)));
    let written = write_down(&started.room, &record);
    if let Some(logs) = started.logs {
        logs.keep();
    }
    written.map_err(failed("write down how the driver ended"))
}

/// Writes the evidence of the end. A disk that fails may work again after a while. A directory that was
/// removed does not come back.
fn write_down(room: &ExitRoom, record: &ExitRecord) -> io::Result<()> {
    for _ in 1..WRITES {
        match room.write(record) {
            Ok(()) => return Ok(()),
            Err(error) if room.is_removed() => return Err(error),
            Err(_) => thread::sleep(WRITE_PAUSE),
        }
    }
    room.write(record)
}

/// The driver must not start before the launcher says `go`: a launcher that died before it recorded
/// our pid would never find the driver.
fn go_ahead() -> bool {
    let mut line = String::new();
    io::stdin()
        .lock()
        .read_line(&mut line)
        .is_ok_and(|_| line.trim() == "go")
}

fn answer(line: &str) {
    let mut stdout = io::stdout().lock();
    // The launcher may be gone. The driver then runs until a server finds it.
    let _ = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
}

/// The parts of the supervisor's work that last until the driver's end.
struct Started {
    room: ExitRoom,
    /// Keeps the limit of the driver's logs, if they have one.
    logs: Option<LogKeeper>,
}

/// Starts the driver in its own process group and records its process. From now on its logs keep
/// their limit, if they have one.
fn start(dir: &DriverDir) -> Result<(Pid, Started), SuperviseError> {
    let room = dir
        .reserve_exit()
        .map_err(failed("reserve room to write down how the driver ends"))?;
    let order: DriverCommand = dir
        .take_command()
        .map_err(failed("read the driver's command"))?;
    dir.write_grace(Duration::from_millis(order.grace_ms))
        .map_err(failed("write the grace"))?;
    let log = |path: &Utf8Path| -> io::Result<File> {
        OpenOptions::new().append(true).create(true).open(path)
    };
    let stdout = log(&dir.stdout()).map_err(failed("open the driver's log"))?;
    let stderr = log(&order.stderr(dir)).map_err(failed("open the driver's log"))?;
    let logs = keep_logs(dir, &order).map_err(failed("bound the driver's log"))?;
    let child = Command::new(&order.program)
        .args(&order.args)
        .env_clear()
        .envs(&order.env)
        .env(DriverDir::MARKER, dir.path())
        .current_dir(&order.cwd)
        .stdin(Stdio::null())
        .stdout(stdout)
        .stderr(stderr)
        .process_group(0)
        .spawn()
        .map_err(failed("start the driver's program"))?;
    let pid = Pid::from_child(&child);
    match record(dir, pid) {
        Ok(()) => Ok((pid, Started { room, logs })),
        Err(source) => {
            let _ = process::kill_process_group(pid, Signal::KILL);
            Err(SuperviseError {
                doing: "write down the driver's process",
                source,
            })
        }
    }
}

fn record(dir: &DriverDir, driver: Pid) -> io::Result<()> {
    let record = ProcessRecord::of(driver.as_raw_nonzero().get())?;
    dir.write_driver(&record.ok_or(io::ErrorKind::NotFound)?)
}

/// Keeps the limit of the driver's logs from now on.
fn keep_logs(dir: &DriverDir, order: &DriverCommand) -> io::Result<Option<LogKeeper>> {
    let Some(limit) = order.log_limit else {
        return Ok(None);
    };
    let keeper = LogKeeper::open(&[dir.stdout(), order.stderr(dir)], limit)?;
    keeper.clone().run()?;
    Ok(Some(keeper))
}

/// The signals that we handle, as streams to wait on.
struct Signals {
    terminate: UnixStream,
    child: UnixStream,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        // The flag is not read. A handler is enough to survive these signals.
        let ignored = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGHUP] {
            signal_hook::flag::register(signal, Arc::clone(&ignored))?;
        }
        Ok(Self {
            terminate: Self::stream(SIGTERM)?,
            child: Self::stream(SIGCHLD)?,
        })
    }

    fn stream(signal: i32) -> io::Result<UnixStream> {
        let (receiver, sender) = UnixStream::pair()?;
        receiver.set_nonblocking(true)?;
        signal_hook::low_level::pipe::register(signal, sender)?;
        Ok(receiver)
    }

    /// Waits for a signal or until the time is up. Returns whether SIGTERM came.
    fn wait(&mut self, limit: Option<Duration>) -> io::Result<bool> {
        let limit = limit.and_then(|limit| Timespec::try_from(limit).ok());
        let mut both = [
            PollFd::new(&self.terminate, PollFlags::IN),
            PollFd::new(&self.child, PollFlags::IN),
        ];
        match poll(&mut both, limit.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        Self::consume(&mut self.child);
        Ok(Self::consume(&mut self.terminate))
    }

    fn consume(stream: &mut UnixStream) -> bool {
        let mut buffer = [0; 64];
        let mut any = false;
        while stream.read(&mut buffer).is_ok_and(|length| length > 0) {
            any = true;
        }
        any
    }
}

/// The state of one driver's supervision.
struct Watch<'a> {
    dir: &'a DriverDir,
    driver: Pid,
    /// The driver's own exit, once it has ended.
    exit: Option<Exit>,
    /// When the driver ended and other processes were left.
    leftovers_since: Option<Instant>,
    /// When to send SIGKILL, once SIGTERM came.
    kill_at: Option<Instant>,
}

impl Watch<'_> {
    fn run(mut self, signals: &mut Signals) -> Result<Exit, SuperviseError> {
        loop {
            let childless = self.reap().map_err(failed("wait for the driver"))?;
            if let (Some(exit), true) = (self.exit, childless) {
                return Ok(exit);
            }
            let limit = self.act(Instant::now());
            if signals.wait(limit).map_err(failed("wait for signals"))? {
                self.terminate(Instant::now());
            }
        }
    }

    /// Reaps every child that has ended. Returns whether none is left.
    fn reap(&mut self) -> io::Result<bool> {
        loop {
            match process::wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) if pid == self.driver => self.exit = Some(exit_of(status)),
                Ok(Some(_)) | Err(rustix::io::Errno::INTR) => {}
                Ok(None) => return Ok(false),
                Err(rustix::io::Errno::CHILD) => return Ok(true),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Performs the due actions. Returns the time until the next one.
    fn act(&mut self, now: Instant) -> Option<Duration> {
        if self.exit.is_some() && self.leftovers_since.is_none() {
            self.leftovers_since = Some(now);
            signal_descendants(Signal::TERM);
        }
        let leftovers_until = self.leftovers_since.map(|since| since + LEFTOVER_GRACE);
        let due = [self.kill_at, leftovers_until]
            .into_iter()
            .flatten()
            .min()?;
        if due > now {
            return Some(due - now);
        }
        self.kill_everything();
        Some(RESCAN)
    }

    /// Begins to end the driver. A second call can only shorten the grace.
    fn terminate(&mut self, now: Instant) {
        let kill_at = now + self.dir.read_grace();
        self.kill_at = Some(self.kill_at.map_or(kill_at, |earlier| earlier.min(kill_at)));
        if self.exit.is_none() {
            self.signal_group(Signal::TERM);
        }
    }

    fn kill_everything(&self) {
        if self.exit.is_none() {
            self.signal_group(Signal::KILL);
        }
        signal_descendants(Signal::KILL);
    }

    /// Must not be called after the driver was reaped: the number of its group may be reused.
    fn signal_group(&self, signal: Signal) {
        // It only fails when the group is empty, and then there is nothing to do.
        let _ = process::kill_process_group(self.driver, signal);
    }
}

/// Signals everything that the driver started: all of it descends from us.
fn signal_descendants(signal: Signal) {
    let own = BTreeSet::from([process::getpid().as_raw_nonzero().get()]);
    // The next round looks again.
    for process in processes::descendants(&own).unwrap_or_default() {
        processes::signal(process.pid, signal);
    }
}

fn exit_of(status: WaitStatus) -> Exit {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => Exit::Code(code),
        (None, Some(signal)) => Exit::Signal(signal),
        (None, None) => Exit::Unknown,
    }
}
