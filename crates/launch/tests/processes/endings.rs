//! Drivers end in every way, and nothing of them is left.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use livius_domain::{Exit, Unseen};
use livius_launch::Launcher as _;

use crate::world::{Gone, LOG_LIMIT, LONG, World, in_time, kill, run, this_program, wait_for};

/// The tests of this file.
pub const TESTS: &[crate::Test] = tests![
    ends_by_itself,
    dies_of_a_signal,
    obeys_sigterm_within_the_grace,
    ignores_sigterm,
    a_second_terminate_shortens_the_grace,
    daemons_cannot_escape,
    what_it_leaves_behind_is_ended,
    a_killed_supervisor,
    the_end_is_written_down_before_temporary_files_go,
    the_terminals_signals_do_not_reach_it,
    the_supervisor_is_small,
    a_log_without_end_is_bounded,
];

fn ends_by_itself() {
    run(async {
        let world = World::new();
        let behaviour = "echo out; echo err >&2; echo $PWD $TMPDIR ${LIVIUS_SECRET-none}; ls -l $PWD/..; exit 3";
        let driver = world.launch(behaviour).await;
        let (one, two) = in_time(async { tokio::join!(driver.exited(), driver.exited()) }).await;
        assert_eq!((one, two), (Exit::Code(3), Exit::Code(3)));
        assert_eq!(driver.exited().await, Exit::Code(3));
        assert_eq!(driver.terminate(LONG).await, Exit::Code(3));
        let work = world.dir().join("work");
        assert!(
            world.stdout().contains(&format!("{work} {work}/tmp none")),
            "{}",
            world.stdout()
        );
        for file in ["launch.json", "spark.properties", "java.options"] {
            let private = |line: &str| line.starts_with("-rw-------") && line.ends_with(file);
            assert!(world.stdout().lines().any(private), "{}", world.stdout());
        }
        assert!(
            fs::read_to_string(world.dir().join("stderr.log"))
                .unwrap()
                .contains("err")
        );
        world.assert_clean();
    });
}

fn dies_of_a_signal() {
    run(async {
        let world = World::new();
        let driver = world.launch("kill -SEGV $$").await;
        assert_eq!(driver.exited().await, Exit::Signal(11));
        world.assert_clean();
    });
}

fn obeys_sigterm_within_the_grace() {
    run(async {
        let world = World::new();
        let driver = world
            .ready("trap 'exit 7' TERM; echo ready; while :; do sleep 0.05; done")
            .await;
        assert_eq!(
            driver.terminate(Duration::from_hours(1)).await,
            Exit::Code(7)
        );
        world.assert_clean();
    });
}

fn ignores_sigterm() {
    run(async {
        let world = World::new();
        let driver = world
            .ready(&format!("trap '' TERM; echo ready; {}", world.sleeper()))
            .await;
        assert_eq!(
            driver.terminate(Duration::from_millis(200)).await,
            Exit::Signal(9)
        );
        world.assert_clean();
    });
}

fn a_second_terminate_shortens_the_grace() {
    run(async {
        let world = World::new();
        let driver = world
            .ready("trap '' TERM; echo ready; while :; do sleep 0.05; done")
            .await;
        let patient = driver.terminate(Duration::from_hours(1));
        let impatient = driver.terminate(Duration::from_millis(100));
        assert_eq!(
            in_time(async { tokio::join!(patient, impatient) }).await,
            (Exit::Signal(9), Exit::Signal(9))
        );
        world.assert_clean();
    });
}

fn daemons_cannot_escape() {
    run(async {
        let world = World::new();
        let daemon = format!(
            "(env -i setsid {} </dev/null >/dev/null 2>&1 &)",
            world.sleeper()
        );
        let driver = world
            .ready(&format!(
                "{daemon}; {daemon}; echo ready; while :; do sleep 0.05; done"
            ))
            .await;
        wait_for("two daemons", || {
            world
                .survivors()
                .iter()
                .filter(|line| line.starts_with("sh -c trap"))
                .count()
                == 2
        })
        .await;
        assert_eq!(
            driver.terminate(Duration::from_millis(200)).await,
            Exit::Signal(15)
        );
        world.assert_clean();
    });
}

fn what_it_leaves_behind_is_ended() {
    run(async {
        let world = World::new();
        let sleeper = world.sleeper();
        let driver = world
            .launch(&format!("{sleeper} & setsid {sleeper} & sleep 0.2; exit 0"))
            .await;
        assert_eq!(driver.exited().await, Exit::Code(0));
        world.assert_clean();
    });
}

fn a_killed_supervisor() {
    run(async {
        let world = World::new();
        let sleeper = world.sleeper();
        let driver = world
            .ready(&format!(
                "trap '' TERM; setsid {sleeper} & echo ready; {sleeper}"
            ))
            .await;
        kill(driver.record().pid, "-KILL");
        let departure = driver.ended().await;
        assert_eq!(departure.exit, Exit::Unknown);
        assert_eq!(departure.unseen, Some(Unseen::SupervisorKilled));
        world.assert_clean();
        let again = world.find(Some(&driver.record())).await;
        assert_eq!(again.err(), Some(Gone::Ended(Exit::Unknown)));
    });
}

fn the_end_is_written_down_before_temporary_files_go() {
    run(async {
        let world = World::new();
        let mut server = Command::new(this_program())
            .args(["serve", world.root.as_str()])
            .arg("echo x > $TMPDIR/left; kill -KILL $$")
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        wait_for("the end on disk", || world.dir().join("exit.json").exists()).await;
        server.kill().unwrap();
        server.wait().unwrap();
        assert!(!world.dir().join("launch.json").exists());
        assert!(world.dir().join("work/tmp/left").exists());
        // The next server is told the end, and removes the files.
        let exit = match world.find(None).await {
            Ok(driver) => driver.exited().await,
            Err(Gone::Ended(exit)) => exit,
            Err(other) => panic!("{other:?}"),
        };
        assert_eq!(exit, Exit::Signal(9));
        world.assert_clean();
    });
}

fn the_terminals_signals_do_not_reach_it() {
    run(async {
        let world = World::new();
        let driver = world
            .ready("echo ready; while :; do sleep 0.05; done")
            .await;
        for signal in ["-INT", "-HUP"] {
            kill(driver.record().pid, signal);
        }
        let stat = fs::read_to_string(format!("/proc/{}/stat", driver.record().pid)).unwrap();
        let session = stat
            .rsplit_once(')')
            .unwrap()
            .1
            .split_whitespace()
            .nth(3)
            .unwrap()
            .to_owned();
        assert_eq!(session, driver.record().pid.to_string());
        // A supervisor that died of one of them could not report the driver's exit.
        assert_eq!(driver.terminate(LONG).await, Exit::Signal(15));
        world.assert_clean();
    });
}

fn the_supervisor_is_small() {
    run(async {
        let world = World::new();
        let driver = world
            .ready("echo ready; while :; do sleep 0.05; done")
            .await;
        let status =
            fs::read_to_string(format!("/proc/{}/smaps_rollup", driver.record().pid)).unwrap();
        let value = |name: &str| -> u32 {
            let line = status.lines().find(|line| line.starts_with(name)).unwrap();
            line.split_whitespace().nth(1).unwrap().parse().unwrap()
        };
        let private = value("Private_Dirty:");
        driver.terminate(Duration::ZERO).await;
        assert!(private < 2048, "{private} KiB of its own");
    });
}

/// A driver that prints without end keeps its first and its newest output, also while no server
/// runs.
fn a_log_without_end_is_bounded() {
    run(async {
        let world = World::new();
        let behaviour = "trap 'exit 0' TERM; echo first; while :; do seq -f 'line %.0f of the output' 20000; done";
        let driver = world.launch(behaviour).await;
        let path = world.dir().join("stdout.log");
        let metadata = || fs::metadata(&path).unwrap();
        let written = |bytes: u64| metadata().len() > bytes && metadata().blocks() * 512 < bytes;
        wait_for("much output", || written(16 * LOG_LIMIT)).await;
        let log = world.launcher("").files(&world.id()).log();
        let page = log.page(0, 2).await.unwrap();
        assert_eq!(page.lines, ["stdout: ", "first"]);
        assert_eq!(driver.terminate(LONG).await, Exit::Code(0));
        assert!(metadata().blocks() * 512 <= LOG_LIMIT + (64 << 10));
        let lines = log.page(0, -1).await.unwrap().lines;
        assert_eq!(lines[1], "first");
        let removed = |line: &&String| line.contains("bytes of output were removed here");
        assert_eq!(lines.iter().filter(removed).count(), 1);
        assert!(lines.iter().all(|line| !line.contains('\0')));
        // The end of the driver may have cut its last line off.
        let mut printed = lines.iter().rev().filter(|line| line.starts_with("line "));
        let printed = printed.nth(1);
        assert!(printed.is_some_and(|line| line.ends_with("of the output")));
        world.assert_clean();
    });
}
