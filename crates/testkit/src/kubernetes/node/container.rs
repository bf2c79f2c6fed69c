//! The processes of one container.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use rustix::process::Signal;
use tokio::net::unix::pipe;
use tokio::process::Command;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use super::log::Log;
use super::processes::{exceeds, family, signal_container};
use super::time::now;
use crate::kubernetes::image::Image;

/// The program that makes a container and becomes its command.
const RUN: &str = include_str!("run-container.sh");

/// Makes the first process of a container, and passes on its end. `unshare` can do that too, but some
/// versions forget a signal. The shell says nothing, because its words would be in the log.
const MAKE: &str = r#"
exec 3>&2 2>/dev/null
setpriv --pdeathsig KILL /bin/bash "$0" "$@" 2>&3 3>&- &
exec 3>&-
wait $!
"#;

/// The time between two looks at the memory of a container.
const LOOKS: Duration = Duration::from_millis(200);

/// The variable by which the processes of containers are known. Its value is the pod's folder.
pub const MARK: &str = "LIVIUS_TEST_POD";

/// A file or folder of the machine at a place in the container.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mount {
    pub target: String,
    pub source: Utf8PathBuf,
    pub read_only: bool,
}

/// All that a container needs to start.
pub struct Plan {
    /// A folder for its files, which exists.
    pub folder: Utf8PathBuf,
    pub host_name: String,
    pub image: Image,
    pub directory: String,
    pub command: Vec<String>,
    pub variables: Vec<(String, String)>,
    pub mounts: Vec<Mount>,
    pub read_only: bool,
    /// In bytes.
    pub memory_limit: Option<u64>,
}

/// The orders to a running container. Each one is stronger than the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Order {
    Run,
    /// SIGTERM.
    Finish,
    /// SIGKILL.
    Die,
}

/// The end of a container.
#[derive(Debug, Clone)]
pub struct Ended {
    pub exit_code: i32,
    pub reason: &'static str,
    pub message: Option<String>,
    pub started: Timestamp,
    pub finished: Timestamp,
}

/// Writes the program that [`run`] needs.
pub fn write_program(folder: &Utf8Path) {
    std::fs::write(program(folder), RUN).unwrap();
}

fn program(folder: &Utf8Path) -> Utf8PathBuf {
    folder.join("run-container.sh")
}

/// Runs a container to its end. `programs` is the folder of [`write_program`].
pub async fn run(
    plan: Plan,
    programs: Utf8PathBuf,
    log: &Log,
    mut orders: watch::Receiver<Order>,
) -> Ended {
    write_files(&plan);
    let (input, output) = pipe::pipe().unwrap();
    let mut command = command(&plan, &programs);
    // Both streams go into one pipe, so that their lines stay in order.
    let input = input.into_blocking_fd().unwrap();
    command
        .stdout(Stdio::from(input.try_clone().unwrap()))
        .stderr(Stdio::from(input));
    let started = now();
    let mut child = command.spawn().unwrap();
    // The command keeps the writing end of the pipe open.
    drop(command);
    let maker = child.id().expect("it was not waited for");
    let mut memory = tokio::time::interval(LOOKS);
    memory.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut out_of_memory = false;
    let life = async {
        loop {
            tokio::select! {
                biased;
                status = child.wait() => break status.unwrap(),
                Ok(()) = orders.changed() => match *orders.borrow_and_update() {
                    Order::Run => {}
                    Order::Finish => signal_container(maker, Signal::TERM),
                    Order::Die => signal_container(maker, Signal::KILL),
                },
                _ = memory.tick() => {
                    let over = |limit| exceeds(&family(maker), limit);
                    if !out_of_memory && plan.memory_limit.is_some_and(over) {
                        out_of_memory = true;
                        signal_container(maker, Signal::KILL);
                    }
                }
            }
        }
    };
    let (status, ()) = tokio::join!(life, log.copy(output));
    let message = std::fs::read_to_string(plan.folder.join("start-error")).ok();
    let exit_code = exit_code(status);
    let reason = match (exit_code, &message) {
        (_, Some(_)) => "StartError",
        _ if out_of_memory => "OOMKilled",
        (0, _) => "Completed",
        _ => "Error",
    };
    Ended {
        exit_code,
        reason,
        message,
        started,
        finished: now(),
    }
}

fn command(plan: &Plan, programs: &Utf8Path) -> Command {
    let mut command = Command::new("setpriv");
    command
        // The container ends with the thread of the node, even if the test is killed.
        .args([
            "--pdeathsig",
            "KILL",
            "unshare",
            "--mount",
            "--uts",
            "--pid",
        ])
        .args(["--propagation", "private", "/bin/bash", "-c", MAKE])
        .arg(program(programs))
        .args([plan.folder.as_str(), &plan.host_name, &plan.directory])
        .args(&plan.command)
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env(MARK, &plan.folder)
        .stdin(Stdio::null())
        .process_group(0)
        .kill_on_drop(true);
    command
}

fn write_files(plan: &Plan) {
    let write = |name: &str, items: Vec<String>| {
        let text: String = items.into_iter().map(|item| item + "\0").collect();
        std::fs::write(plan.folder.join(name), text).unwrap();
    };
    let mark = (MARK.to_owned(), plan.folder.to_string());
    let variables = plan.variables.iter().chain([&mark]);
    write(
        "environment",
        variables
            .map(|(name, value)| format!("{name}={value}"))
            .collect(),
    );
    // A mount inside of another one comes after it.
    let mut mounts = plan.mounts.clone();
    mounts.sort();
    let items = mounts.into_iter().flat_map(|mount| {
        let mode = if mount.read_only { "ro" } else { "rw" };
        [mount.source.into_string(), mount.target, mode.to_owned()]
    });
    write("mounts", items.collect());
    let shown = plan.image.shown.iter().map(ToString::to_string);
    write("shown", shown.collect());
    if let Some(spark) = &plan.image.spark {
        std::os::unix::fs::symlink(spark, plan.folder.join("spark")).unwrap();
    }
    if plan.read_only {
        std::fs::write(plan.folder.join("read-only"), "").unwrap();
    }
}

/// The exit code as a shell tells it: a signal is 128 and its number.
fn exit_code(status: ExitStatus) -> i32 {
    status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal))
        .expect("a process ends with a code or by a signal")
}
