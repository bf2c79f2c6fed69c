//! An earlier server died in the middle of a launch. The tests check what the next server finds,
//! for each point at which the earlier one may die.

use std::fs;
use std::io::Write as _;
use std::process::{ChildStdin, Command, Stdio};
use std::time::Duration;

use livius_domain::Exit;

use crate::world::{Gone, Process, World, kill, run, this_program};

/// The tests of this file.
pub const TESTS: &[crate::Test] = tests![
    a_launch_broken_off_before_the_command_was_taken,
    a_launch_broken_off_after_the_command_was_taken,
    a_stored_record_means_that_it_was_started,
    a_supervisor_that_is_never_told_to_go,
    a_supervisor_that_was_told_to_go_and_has_not_begun,
    a_supervisor_that_is_stuck_before_it_begins,
];

/// A point where a server may die, and how to make the files of that moment.
type Death = (&'static str, fn(&World));

/// The files that a launch writes before it starts the supervisor.
const WRITTEN: [&str; 5] = [
    "spark.properties",
    "java.options",
    "launch.json",
    "order.json",
    ".partial-x1y2z3",
];

/// A process that is gone.
fn dead() -> Process {
    Process {
        pid: i32::try_from(std::process::id()).unwrap(),
        start_ticks: 1,
    }
}

impl World {
    fn write(&self, name: &str, content: &str) {
        fs::write(self.dir().join(name), content).unwrap();
    }

    fn write_files(&self) {
        for name in WRITTEN {
            self.write(name, "secret");
        }
    }

    fn write_supervisor(&self, record: &Process) {
        self.write("supervisor.json", &serde_json::to_string(record).unwrap());
    }

    /// Writes the command of a driver that prints `ready` and stays.
    fn write_command(&self) {
        let work = self.dir().join("work");
        fs::create_dir_all(&work).unwrap();
        let script = "echo ready; while :; do sleep 0.05; done";
        let command = serde_json::json!({
            "program": "/bin/sh", "args": ["-c", script, "sh", self.root], "env": {}, "cwd": work, "grace_ms": 1000,
        });
        self.write("command.json", &command.to_string());
    }

    /// Starts a supervisor as a launcher does, but does not say `go`.
    #[expect(clippy::zombie_processes, reason = "whoever adopts it waits for it")]
    fn supervisor(&self) -> (Process, ChildStdin) {
        let mut child = Command::new(this_program())
            .args(["supervise", self.dir().as_str()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let record = record_of(child.id());
        self.write_supervisor(&record);
        (record, child.stdin.take().unwrap())
    }

    /// The result of a search without a stored location.
    async fn adopted(&self) -> Option<Gone> {
        self.find(None).await.err()
    }

    /// Checks that no secret is left and that a driver can be launched there.
    async fn assert_launchable(&self) {
        let files = fs::read_dir(self.dir()).into_iter().flatten();
        for file in files.map(|file| file.unwrap().file_name().into_string().unwrap()) {
            assert!(["work", "stdout.log"].contains(&file.as_str()), "{file}");
        }
        self.write_or_make("stdout.log", "before\n");
        let driver = self.launch("echo after").await;
        assert_eq!(driver.exited().await, Exit::Code(0));
        assert_eq!(self.stdout(), "before\nafter\n");
        self.assert_clean();
    }

    fn write_or_make(&self, name: &str, content: &str) {
        fs::create_dir_all(self.dir()).unwrap();
        self.write(name, content);
    }
}

fn record_of(pid: u32) -> Process {
    let pid = i32::try_from(pid).unwrap();
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let (_, fields) = stat.rsplit_once(')').unwrap();
    let start_ticks = fields.split_ascii_whitespace().nth(19).unwrap();
    Process {
        pid,
        start_ticks: start_ticks.parse().unwrap(),
    }
}

fn a_launch_broken_off_before_the_command_was_taken() {
    let deaths: [Death; 6] = [
        ("there is no directory", |world| {
            fs::remove_dir(world.dir()).unwrap();
        }),
        ("nothing was written", |_| ()),
        ("files were being written", |world| {
            world.write_files();
        }),
        ("the command was written", |world| {
            world.write_files();
            world.write_command();
        }),
        ("the supervisor was not told to go", |world| {
            world.write_command();
            world.write_supervisor(&dead());
        }),
        ("the supervisor was being written down", |world| {
            world.write_command();
            world.write("supervisor.json", "");
        }),
    ];
    run(async {
        for (death, prepare) in deaths {
            let world = World::new();
            prepare(&world);
            assert_eq!(world.adopted().await, Some(Gone::NeverStarted), "{death}");
            assert_eq!(world.adopted().await, Some(Gone::NeverStarted), "{death}");
            world.assert_launchable().await;
        }
    });
}

fn a_launch_broken_off_after_the_command_was_taken() {
    let deaths: [Death; 3] = [
        ("the driver was not written down", |world| {
            world.write_supervisor(&dead());
        }),
        ("what was written of the supervisor was lost", |world| {
            world.write("supervisor.json", "");
        }),
        ("the driver ran", |world| {
            world.write_supervisor(&dead());
            world.write("driver.json", &serde_json::to_string(&dead()).unwrap());
        }),
    ];
    run(async {
        for (death, prepare) in deaths {
            let world = World::new();
            world.write_files();
            prepare(&world);
            let gone = Some(Gone::Ended(Exit::Unknown));
            assert_eq!(world.adopted().await, gone, "{death}");
            assert_eq!(world.adopted().await, gone, "{death}");
            world.assert_clean();
        }
        let world = World::new();
        let driver = world.launch("exit 3").await;
        driver.exited().await;
        assert_eq!(world.adopted().await, Some(Gone::Ended(Exit::Code(3))));
    });
}

fn a_stored_record_means_that_it_was_started() {
    run(async {
        let world = World::new();
        world.write_command();
        let found = world.find(Some(&dead())).await;
        assert_eq!(found.err(), Some(Gone::Ended(Exit::Unknown)));
        world.assert_clean();
    });
}

fn a_supervisor_that_is_never_told_to_go() {
    run(async {
        let world = World::new();
        world.write_files();
        world.write_command();
        let (_, stdin) = world.supervisor();
        // It is alive when the search begins and ends during it.
        let (gone, ()) = tokio::join!(world.adopted(), async { drop(stdin) });
        assert_eq!(gone, Some(Gone::NeverStarted));
        assert_eq!(world.stdout(), "");
        world.assert_launchable().await;
    });
}

fn a_supervisor_that_was_told_to_go_and_has_not_begun() {
    run(async {
        let world = World::new();
        world.write_command();
        let (Process { pid, .. }, mut stdin) = world.supervisor();
        kill(pid, "-STOP");
        stdin.write_all(b"go\n").unwrap();
        drop(stdin);
        let (found, ()) = tokio::join!(world.find(None), async {
            kill(pid, "-CONT");
        });
        let driver = found.unwrap();
        assert_eq!(driver.record().pid, pid);
        let exit = driver.terminate(Duration::from_secs(2)).await;
        assert_eq!(exit, Exit::Signal(15));
        world.assert_clean();
    });
}

fn a_supervisor_that_is_stuck_before_it_begins() {
    run(async {
        let world = World::new();
        world.write_command();
        let (record, stdin) = world.supervisor();
        kill(record.pid, "-STOP");
        assert_eq!(world.adopted().await, Some(Gone::NeverStarted));
        drop(stdin);
        world.assert_launchable().await;
    });
}
