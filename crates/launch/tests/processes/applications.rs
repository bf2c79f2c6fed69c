//! Differences of the applications of batches and of drivers on a cluster.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use livius_domain::{Exit, Verdict};
use livius_launch::{DriverOrder, Launcher as _};

use crate::world::{Driver, World, run};

/// The tests of this file.
pub const TESTS: &[crate::Test] = tests![
    all_that_an_application_says_is_in_one_log,
    what_an_application_wrote_stays,
    an_application_that_cannot_be_started_has_it_in_its_log,
    a_driver_in_a_cluster_has_a_monitor_and_a_verdict,
];

fn all_that_an_application_says_is_in_one_log() {
    run(async {
        let world = World::new();
        fs::write(world.dir().join("stdout.log"), "zero\n").unwrap();
        let behaviour = "echo one; echo two >&2; echo three; sh -c 'echo four >&2'; echo five";
        let launcher = world.launcher(behaviour);
        let driver = Driver(launcher.launch(world.application()).await.unwrap());
        assert_eq!(driver.exited().await, Exit::Code(0));
        assert_eq!(world.stdout(), "zero\none\ntwo\nthree\nfour\nfive\n");
        assert!(!world.dir().join("stderr.log").exists());
        assert_eq!(driver.ended().await.verdict, None);
        world.assert_clean();
    });
}

fn what_an_application_wrote_stays() {
    run(async {
        let world = World::new();
        let behaviour = "mkdir -p spark-warehouse/t; echo 42 >spark-warehouse/t/part; echo 7 >result; echo x >$TMPDIR/x";
        let launcher = world.launcher(behaviour);
        let driver = Driver(launcher.launch(world.application()).await.unwrap());
        assert_eq!(driver.exited().await, Exit::Code(0));
        let read = |name: &str| fs::read_to_string(world.dir().join("work").join(name)).unwrap();
        assert_eq!(
            (read("result"), read("spark-warehouse/t/part")),
            ("7\n".to_owned(), "42\n".to_owned())
        );
        world.assert_clean();
    });
}

fn an_application_that_cannot_be_started_has_it_in_its_log() {
    run(async {
        let world = World::new();
        let launcher = world.launcher("");
        launcher.prepare().await.unwrap();
        let java = world.root.join("java/bin/java");
        fs::set_permissions(java, fs::Permissions::from_mode(0o644)).unwrap();
        let failure = launcher.launch(world.application()).await.err().unwrap();
        assert!(
            failure.message.contains("Permission denied"),
            "{}",
            failure.message
        );
        assert!(
            world.stdout().contains("start the driver's program"),
            "{}",
            world.stdout()
        );
    });
}

fn a_driver_in_a_cluster_has_a_monitor_and_a_verdict() {
    run(async {
        let world = World::new();
        let cluster = [
            ("spark.submit.deployMode", "cluster"),
            ("spark.master", "spark://one:7077"),
        ];
        let order = DriverOrder {
            conf: cluster.map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
            ..world.application()
        };
        let behaviour = r#"ls -l ..; for order; do :; done; cat "$order"
            echo '{"v":1,"driver":"driver-1","state":"FAILED","worker":"w","exception":null}' >../cluster.json; exit 1"#;
        let launcher = world.launcher(behaviour);
        let driver = Driver(launcher.launch(order).await.unwrap());
        assert_eq!(driver.exited().await, Exit::Code(1));
        let said = world.stdout();
        let private = |line: &str| line.starts_with("-rw-------") && line.ends_with("order.json");
        assert!(said.lines().any(private), "{said}");
        assert!(said.contains(r#""tag":"s-0-aa""#), "{said}");
        let message = "the standalone master says that driver driver-1 ended as FAILED";
        assert_eq!(
            driver.ended().await.verdict,
            Some(Verdict::Failed(message.to_owned()))
        );
        world.assert_clean();
    });
}
