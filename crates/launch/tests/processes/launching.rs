//! Launches that fail, and servers that are killed.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use camino::Utf8Path;
use livius_domain::Exit;
use livius_launch::{Launcher as _, LocalConfig};
use livius_spark_home::testing::write_program;

use crate::world::{
    Driver, FAKE_JAVA, Gone, Process, World, in_time, launcher_of, run, supervisor_of, wait_for,
};

/// The tests of this file.
pub const TESTS: &[crate::Test] = tests![
    a_program_that_cannot_be_started,
    a_supervisor_that_is_none,
    a_driver_outlives_a_killed_server,
    a_number_that_is_anothers_now_is_not_adopted,
    an_abandoned_launch_leaves_nothing,
    the_first_launch_makes_the_class_archive_for_the_next,
    a_training_run_ends_with_the_server_and_the_next_server_makes_the_archive,
];

fn a_program_that_cannot_be_started() {
    run(async {
        let world = World::new();
        let launcher = world.launcher("");
        launcher.prepare().await.unwrap();
        fs::set_permissions(
            world.root.join("java/bin/java"),
            fs::Permissions::from_mode(0o644),
        )
        .unwrap();
        let Err(failure) = launcher.launch(world.order()).await else {
            panic!("it started")
        };
        assert!(
            failure
                .message
                .contains("start the driver's program: Permission denied"),
            "{}",
            failure.message
        );
        assert_eq!(world.survivors(), Vec::<String>::new());
        assert!(!world.dir().join("launch.json").exists());
    });
}

fn a_supervisor_that_is_none() {
    run(async {
        for program in ["/no/such/program", "/bin/true"] {
            let world = World::new();
            let launcher = world.launcher("");
            launcher.prepare().await.unwrap();
            let config = LocalConfig {
                supervisor: vec![program.to_owned()],
                ..world.config("")
            };
            let launcher = launcher_of(config);
            let failure = in_time(launcher.launch(world.order())).await.err().unwrap();
            assert_eq!(failure.code, livius_domain::FailureCode::LaunchFailed);
        }
    });
}

fn the_first_launch_makes_the_class_archive_for_the_next() {
    run(async {
        let world = World::new();
        let config = LocalConfig {
            class_archive: true,
            ..world.config("echo \"$*\"")
        };
        let launcher = launcher_of(config);
        let flag = "-XX:SharedArchiveFile=";
        for (number, has_archive) in [(1, false), (2, true)] {
            let driver = Driver(launcher.launch(world.order()).await.unwrap());
            assert_eq!(driver.exited().await, Exit::Code(0));
            let line = fs::read_to_string(world.dir().join("stdout.log")).unwrap();
            assert_eq!(line.contains(flag), has_archive, "{number}: {line}");
            assert!(line.contains("-XX:Tier4CompileThreshold=150000"), "{line}");
            wait_for("the archive", || has_archive_made(&world)).await;
            fs::remove_dir_all(world.dir()).unwrap();
        }
    });
}

/// The names in the directory of archives.
fn archives(world: &World) -> Vec<String> {
    let entries = world.root.join("runtimes/archives").read_dir_utf8();
    let entries = entries.into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_owned()).collect()
}

fn has_archive_made(world: &World) -> bool {
    archives(world).iter().any(|name| !name.starts_with('.'))
}

fn a_training_run_ends_with_the_server_and_the_next_server_makes_the_archive() {
    run(async {
        let world = World::new();
        let config = || LocalConfig {
            class_archive: true,
            ..world.config("true")
        };
        let java = world.root.join("java/bin/java");
        let endless = format!("touch {}/trains; {}", world.root, world.sleeper());
        write_program(
            &java,
            &FAKE_JAVA.replace("echo \"livius-training done\"", &endless),
        );
        let server = launcher_of(config());
        let driver = Driver(server.launch(world.order()).await.unwrap());
        assert_eq!(driver.exited().await, Exit::Code(0));
        wait_for("the training", || world.root.join("trains").exists()).await;
        in_time(server.end_background_work()).await;
        wait_for("the end of its processes", || world.survivors().is_empty()).await;
        let is_half = |name: &String| name.contains(".partial-");
        assert!(!archives(&world).iter().any(is_half) && !has_archive_made(&world));

        write_program(&java, FAKE_JAVA);
        fs::remove_dir_all(world.dir()).unwrap();
        let next = launcher_of(config());
        let driver = Driver(next.launch(world.order()).await.unwrap());
        assert_eq!(driver.exited().await, Exit::Code(0));
        wait_for("the archive", || has_archive_made(&world)).await;
    });
}

fn a_driver_outlives_a_killed_server() {
    run(async {
        for record_was_stored in [true, false] {
            let world = World::new();
            let behaviour = format!(
                "trap 'exit 5' TERM; setsid {} & echo ready; while :; do sleep 0.05; done",
                world.sleeper()
            );
            let program = std::env::current_exe().unwrap();
            let mut server = Command::new(program)
                .args(["serve", world.root.as_str(), &behaviour])
                .stdin(Stdio::null())
                .spawn()
                .unwrap();
            wait_for("the server", || {
                world.root.join("serving").exists() && world.stdout().contains("ready")
            })
            .await;
            server.kill().unwrap();
            server.wait().unwrap();
            let record = record_was_stored.then(|| supervisor_of(&world.dir()));
            let driver = world.find(record.as_ref()).await.unwrap();
            assert_eq!(driver.record(), supervisor_of(&world.dir()));
            assert_eq!(
                driver.terminate(Duration::from_secs(2)).await,
                Exit::Code(5)
            );
            world.assert_clean();
        }
    });
}

fn a_number_that_is_anothers_now_is_not_adopted() {
    run(async {
        let world = World::new();
        let record = Process {
            pid: i32::try_from(std::process::id()).unwrap(),
            start_ticks: 1,
        };
        let found = world.find(Some(&record)).await;
        assert_eq!(found.err(), Some(Gone::Ended(Exit::Unknown)));
    });
}

fn an_abandoned_launch_leaves_nothing() {
    run(async {
        let world = World::new();
        let launcher = world.launcher(&world.sleeper());
        launcher.prepare().await.unwrap();
        let abandoned =
            tokio::time::timeout(Duration::from_millis(1), launcher.launch(world.order())).await;
        if let Ok(driver) = abandoned {
            Driver(driver.unwrap()).terminate(Duration::ZERO).await;
        }
        // Either the supervisor was never started, or it was told to end.
        wait_for("nothing to be left", || world.survivors().is_empty()).await;
    });
}

/// A server that starts one driver and then waits to be killed.
pub fn serve(root: &Utf8Path, behaviour: &str) -> ExitCode {
    let world = World::existing(root);
    run(async {
        world.launch(behaviour).await;
        fs::write(root.join("serving"), "").unwrap();
        std::future::pending::<()>().await;
    });
    ExitCode::FAILURE
}
