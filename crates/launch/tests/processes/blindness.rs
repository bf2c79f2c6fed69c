//! A server that cannot look at its drivers: that says nothing about them.

use std::fs::File;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use camino::Utf8Path;
use livius_domain::Exit;
use rustix::process::{Pid, Resource, Rlimit, WaitOptions, getrlimit, setrlimit, waitpid};

use crate::world::{Gone, World, kill, run, supervisor_of};

/// The tests of this file.
pub const TESTS: &[crate::Test] = tests![
    a_driver_that_cannot_be_looked_at_is_not_gone,
    what_is_left_of_a_driver_waits_until_it_can_be_looked_at,
];

/// Descriptors that the process may open.
const FEW: u64 = 64;

fn a_driver_that_cannot_be_looked_at_is_not_gone() {
    run(async {
        let world = World::new();
        let driver = world
            .ready("trap 'exit 6' TERM; echo ready; while :; do sleep 0.05; done")
            .await;
        assert_eq!(look_blindly(&world), "unclear, then alive\n");
        let exit = driver.terminate(Duration::from_secs(5)).await;
        assert_eq!(exit, Exit::Code(6));
        world.assert_clean();
    });
}

fn what_is_left_of_a_driver_waits_until_it_can_be_looked_at() {
    run(async {
        let world = World::new();
        let driver = world
            .ready("echo ready; while :; do sleep 0.05; done")
            .await;
        let supervisor = driver.record().pid;
        // Its handle would end the driver's processes.
        drop(driver);
        kill(supervisor, "-KILL");
        waitpid(Pid::from_raw(supervisor), WaitOptions::empty()).unwrap();
        assert_eq!(look_blindly(&world), "unclear, then gone\n");
        world.assert_clean();
    });
}

fn look_blindly(world: &World) -> String {
    let looked = Command::new(std::env::current_exe().unwrap())
        .args(["find-blindly", world.root.as_str()])
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    String::from_utf8(looked.stdout).unwrap()
}

/// A server without free descriptors looks for a driver, and again when it has some.
#[expect(clippy::print_stdout, reason = "the test reads it")]
pub fn find(root: &Utf8Path) -> ExitCode {
    let world = World::existing(root);
    let supervisor = supervisor_of(&world.dir());
    run(async {
        let limit = getrlimit(Resource::Nofile);
        let few = Rlimit {
            current: Some(FEW),
            ..limit
        };
        setrlimit(Resource::Nofile, few).unwrap();
        for at in [Some(&supervisor), None] {
            let taken: Vec<File> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
            let found = world.find(at).await.err();
            assert!(matches!(found, Some(Gone::Unclear(_))), "{found:?}");
            drop(taken);
        }
        let found = world.find(Some(&supervisor)).await.err();
        if found.is_some() {
            // A thread of this process removes what is left.
            world.assert_clean();
        }
        println!(
            "unclear, then {}",
            if found.is_none() { "alive" } else { "gone" }
        );
    });
    ExitCode::SUCCESS
}
