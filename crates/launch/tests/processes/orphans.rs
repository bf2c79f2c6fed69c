//! Drivers that no record names are found by their processes, and ended.

use std::fs;

use livius_launch::{Launcher as _, orphans};

use crate::world::{LONG, World, in_time, kill, run, supervisor_of, wait_for};

/// The tests of this file.
pub const TESTS: &[crate::Test] = tests![
    an_orphan_is_found_and_ended,
    an_orphan_without_files_is_found_and_ended,
    an_orphan_without_a_supervisor_is_found_and_ended,
    a_driver_of_another_directory_is_no_orphan,
];

impl World {
    /// A driver with children that ignore SIGTERM.
    fn stubborn(&self) -> String {
        format!("{} & echo ready; exec {}", self.sleeper(), self.sleeper())
    }

    async fn end_here(&self) {
        let launcher = self.launcher("");
        assert_eq!(launcher.running_here().await.unwrap(), [self.id()]);
        in_time(launcher.end_here(&self.id())).await.unwrap();
        assert_eq!(launcher.running_here().await.unwrap(), []);
        assert_eq!(self.survivors(), Vec::<String>::new());
        // A server that dies now has the next one do it again.
        in_time(launcher.end_here(&self.id())).await.unwrap();
    }
}

fn an_orphan_is_found_and_ended() {
    let world = World::new();
    run(async {
        let _driver = world.ready(&world.stubborn()).await;
        let found = orphans::running(&world.root.join("drivers")).unwrap();
        let pids = &found[&world.id()];
        assert!(pids.contains(&supervisor_of(&world.dir()).pid), "{pids:?}");
        assert!(pids.len() >= 3, "a supervisor and two drivers: {pids:?}");
        world.end_here().await;
    });
}

fn an_orphan_without_files_is_found_and_ended() {
    let world = World::new();
    run(async {
        let _driver = world.ready(&world.stubborn()).await;
        fs::remove_dir_all(world.dir()).unwrap();
        world.end_here().await;
    });
}

fn an_orphan_without_a_supervisor_is_found_and_ended() {
    let world = World::new();
    run(async {
        let driver = world.ready(&world.stubborn()).await;
        kill(driver.record().pid, "-KILL");
        fs::remove_dir_all(world.dir()).unwrap();
        world.end_here().await;
    });
}

fn a_driver_of_another_directory_is_no_orphan() {
    let (world, other) = (World::new(), World::new());
    run(async {
        let driver = other.ready("echo ready; exec sleep 1000").await;
        let launcher = world.launcher("");
        assert_eq!(launcher.running_here().await.unwrap(), []);
        in_time(launcher.end_here(&world.id())).await.unwrap();
        // The same directory by another way is the same one.
        std::os::unix::fs::symlink(&other.root, world.root.join("other")).unwrap();
        let by_link = world.root.join("other/drivers");
        let found = orphans::running(&by_link).unwrap();
        assert_eq!(found.keys().collect::<Vec<_>>(), [&world.id()]);
        driver.terminate(LONG).await;
        wait_for("the driver to be gone", || other.survivors().is_empty()).await;
    });
}
