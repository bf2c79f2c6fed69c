//! Drivers with an application on YARN.

use std::fs;
use std::time::Duration;

use livius_domain::{Departure, DriverLocation, Exit, Verdict};
use livius_launch::{DriverOrder, Found, Launcher as _, LocalConfig, LocalLauncher};

use crate::resource_manager::{ResourceManager, id};
use crate::world::{Driver, LONG, World, in_time, kill, launcher_of, run, supervisor_of, wait_for};

/// The tests of this file.
pub const TESTS: &[crate::Test] = tests![
    an_application_is_followed_to_its_end,
    a_submission_that_fails_is_the_end,
    an_application_that_yarn_refuses_tells_the_reason,
    an_application_is_killed_at_yarn,
    an_application_that_comes_after_the_stop_is_killed,
    a_kill_that_is_refused_is_asked_again,
    an_outage_ends_no_driver,
    a_driver_that_yarn_forgets_has_ended,
    a_server_finds_a_driver_at_each_step,
    a_driver_on_this_machine_leaves_no_application,
    without_hadoops_configuration_nothing_is_submitted,
];

pub const TAG: &str = "livius-driver-s-0-aa";
/// A submitter that hands its application over.
pub const SUBMITS: &str = "exit 0";
/// A submitter that waits for the test.
const WAITS: &str = "exec sleep 600";

/// A world with a YARN cluster.
pub struct Yarn {
    pub world: World,
    pub manager: ResourceManager,
}

impl Yarn {
    pub async fn new() -> Self {
        Self::with(|address| vec![("yarn.resourcemanager.webapp.address", address.to_owned())])
            .await
    }

    /// A cluster that keeps the logs of ended applications.
    pub async fn with_log_server() -> Self {
        Self::with(|address| {
            vec![
                ("yarn.resourcemanager.webapp.address", address.to_owned()),
                (
                    "yarn.log.server.web-service.url",
                    format!("http://{address}/kept"),
                ),
            ]
        })
        .await
    }

    async fn with(properties: impl Fn(&str) -> Vec<(&'static str, String)>) -> Self {
        let world = World::new();
        let (manager, address) = ResourceManager::start().await;
        fs::create_dir_all(world.root.join("hadoop")).unwrap();
        let property = |(name, value): (&str, String)| {
            format!("<property><name>{name}</name><value>{value}</value></property>")
        };
        let properties: Vec<String> = properties(&address).into_iter().map(property).collect();
        let site = format!("<configuration>{}</configuration>", properties.concat());
        fs::write(world.root.join("hadoop/yarn-site.xml"), site).unwrap();
        Self { world, manager }
    }

    pub fn launcher(&self, behaviour: &str) -> LocalLauncher {
        let hadoop = self.world.root.join("hadoop");
        let variables = [
            ("PATH", "/usr/bin:/bin"),
            ("BEHAVIOUR", behaviour),
            ("HADOOP_CONF_DIR", hadoop.as_str()),
        ];
        launcher_of(LocalConfig {
            search: self.world.search(&variables),
            ..self.world.config(behaviour)
        })
    }

    pub fn order(&self, mode: &str) -> DriverOrder {
        let mut order = self.world.order();
        let conf = [("spark.master", "yarn"), ("spark.submit.deployMode", mode)];
        order.conf = conf.map(|(k, v)| (k.to_owned(), v.to_owned())).into();
        order
    }

    /// Launches a driver in a container.
    async fn launch(&self, behaviour: &str) -> Driver {
        let launched = self.launcher(behaviour).launch(self.order("cluster")).await;
        Driver(launched.map_err(|failure| failure.message).unwrap())
    }

    /// Looks for the driver as a starting server does.
    async fn find(&self, at: Option<&DriverLocation>) -> Found {
        in_time(self.launcher("").find(&self.world.id(), at)).await
    }

    async fn submitted(&self) {
        let exit = self.world.dir().join("exit.json");
        wait_for("the submitter to end", || exit.exists()).await;
    }

    async fn lists(&self, more: usize) {
        let wanted = self.manager.cluster().lists + more;
        wait_for("YARN to be asked", || {
            self.manager.cluster().lists >= wanted
        })
        .await;
    }
}

fn with(verdict: Verdict, exit: Exit) -> Departure {
    Departure {
        verdict: Some(verdict),
        ..Departure::of(exit)
    }
}

/// Whether a driver has ended, after some lists.
async fn has_ended(yarn: &Yarn, driver: &Driver) -> bool {
    tokio::select! {
        biased;
        _ = driver.ended() => true,
        () = yarn.lists(2) => false,
    }
}

fn an_application_is_followed_to_its_end() {
    run(async {
        let yarn = Yarn::new().await;
        yarn.manager.submit(2, TAG);
        yarn.manager.submit(9, "livius-driver-s-0-other");
        let driver = yarn.launch(SUBMITS).await;
        assert!(!has_ended(&yarn, &driver).await);
        yarn.world.assert_clean();
        yarn.manager.set(2, "FINISHED", "SUCCEEDED", "");
        let (one, two) = tokio::join!(driver.ended(), driver.ended());
        assert_eq!(one, with(Verdict::Finished, Exit::Code(0)));
        assert_eq!((&one, &driver.ended().await), (&two, &two));
        assert_eq!(driver.terminate(LONG).await, Exit::Code(0));
        assert!(yarn.manager.cluster().killed.is_empty());
    });
}

fn a_submission_that_fails_is_the_end() {
    run(async {
        let yarn = Yarn::new().await;
        let driver = yarn.launch("echo 'Error: no such file' >&2; exit 7").await;
        let expected = Departure {
            evidence: Some("Error: no such file".to_owned()),
            ..Departure::of(Exit::Code(7))
        };
        assert_eq!(driver.ended().await, expected);
    });
}

fn an_application_that_yarn_refuses_tells_the_reason() {
    run(async {
        let yarn = Yarn::new().await;
        yarn.manager.submit(1, TAG);
        let words = "Application application_1_0001 submitted by user u to unknown queue: q";
        yarn.manager.set(1, "FAILED", "FAILED", words);
        let driver = yarn.launch("exit 1").await;
        let message = format!("YARN says that application_1_0001 failed: {words}");
        assert_eq!(
            driver.ended().await,
            with(Verdict::Failed(message), Exit::Unknown)
        );
    });
}

fn an_application_is_killed_at_yarn() {
    run(async {
        let yarn = Yarn::new().await;
        // The answer to the first submission was lost.
        yarn.manager.submit(1, TAG);
        yarn.manager.submit(2, TAG);
        yarn.manager.submit(3, "livius-driver-s-0-other");
        let driver = yarn.launch(SUBMITS).await;
        yarn.submitted().await;
        let departure = in_time(driver.0.terminate(LONG)).await;
        assert_eq!(departure, with(Verdict::Killed, Exit::Unknown));
        assert_eq!(driver.ended().await, departure);
        let mut killed = yarn.manager.cluster().killed.clone();
        killed.sort();
        assert_eq!(killed, [id(1), id(2)]);
    });
}

fn an_application_that_comes_after_the_stop_is_killed() {
    run(async {
        let yarn = Yarn::new().await;
        let driver = yarn.launch(WAITS).await;
        let comes = async {
            // The last request of the submitter was on its way when it was killed.
            yarn.submitted().await;
            yarn.lists(1).await;
            yarn.manager.submit(4, TAG);
        };
        let (departure, ()) = tokio::join!(in_time(driver.0.terminate(LONG)), comes);
        assert_eq!(departure.verdict, Some(Verdict::Killed));
        assert_eq!(yarn.manager.cluster().killed, [id(4)]);
        assert_eq!(yarn.world.survivors(), Vec::<String>::new());
    });
}

fn a_kill_that_is_refused_is_asked_again() {
    run(async {
        let yarn = Yarn::new().await;
        yarn.manager.submit(1, TAG);
        yarn.manager.cluster().refuses = true;
        let driver = yarn.launch(SUBMITS).await;
        let allowed = async {
            assert!(!has_ended(&yarn, &driver).await);
            yarn.manager.cluster().refuses = false;
        };
        let (departure, ()) = tokio::join!(in_time(driver.0.terminate(Duration::ZERO)), allowed);
        assert_eq!(departure.verdict, Some(Verdict::Killed));
    });
}

fn an_outage_ends_no_driver() {
    run(async {
        let yarn = Yarn::new().await;
        yarn.manager.submit(1, TAG);
        let driver = yarn.launch(SUBMITS).await;
        assert!(!has_ended(&yarn, &driver).await);
        yarn.manager.cluster().is_away = true;
        yarn.manager.set(1, "FINISHED", "FAILED", "x");
        let location = driver.0.location();
        let found = yarn.find(Some(&location)).await;
        assert!(matches!(found, Found::Alive(_)), "it is not known");
        let back = async {
            tokio::select! {
                biased;
                _ = driver.ended() => panic!("it has ended without evidence"),
                () = tokio::time::sleep(Duration::from_secs(5)) => {}
            }
            yarn.manager.cluster().is_away = false;
        };
        back.await;
        let message = "YARN says that application_1_0001 failed: x".to_owned();
        assert_eq!(
            driver.ended().await,
            with(Verdict::Failed(message), Exit::Unknown)
        );
    });
}

fn a_driver_that_yarn_forgets_has_ended() {
    run(async {
        let yarn = Yarn::new().await;
        yarn.manager.submit(1, TAG);
        let driver = yarn.launch(SUBMITS).await;
        assert!(!has_ended(&yarn, &driver).await);
        yarn.manager.forget();
        let Some(Verdict::Failed(message)) = driver.ended().await.verdict else {
            panic!("it has failed")
        };
        let words = "YARN has no application with the tag livius-driver-s-0-aa any more";
        assert!(message.starts_with(words), "{message}");
    });
}

/// The server dies at each step, with and without having stored the location.
fn a_server_finds_a_driver_at_each_step() {
    run(async {
        let yarn = Yarn::new().await;
        let first = yarn.launch(WAITS).await;
        let location = first.0.location();
        let places = [None, Some(&location)];
        for at in places {
            let found = yarn.find(at).await;
            assert!(matches!(found, Found::Alive(_)), "it is being submitted");
        }
        // The submitter is killed after its request.
        yarn.manager.submit(1, TAG);
        let record = fs::read_to_string(yarn.world.dir().join("driver.json")).unwrap();
        let submitter: serde_json::Value = serde_json::from_str(&record).unwrap();
        kill(
            i32::try_from(submitter["pid"].as_i64().unwrap()).unwrap(),
            "-KILL",
        );
        yarn.submitted().await;
        // The supervisor is a child of this process, which must learn of its end.
        assert!(!has_ended(&yarn, &first).await);
        for at in places {
            let Found::Alive(found) = yarn.find(at).await else {
                panic!("it runs in its container")
            };
            assert_eq!(found.location(), location);
        }
        yarn.manager.set(1, "FINISHED", "SUCCEEDED", "");
        for at in places {
            let Found::Ended(departure) = yarn.find(at).await else {
                panic!("it has ended")
            };
            assert_eq!(departure, with(Verdict::Finished, Exit::Code(0)));
        }
        assert!(yarn.manager.cluster().killed.is_empty());

        // The server of the next driver died before it started anything.
        let next = Yarn::new().await;
        fs::create_dir_all(next.world.dir()).unwrap();
        fs::copy(
            yarn.world.dir().join("yarn.json"),
            next.world.dir().join("yarn.json"),
        )
        .unwrap();
        assert!(matches!(next.find(None).await, Found::NeverStarted));
    });
}

fn a_driver_on_this_machine_leaves_no_application() {
    run(async {
        for end in ["echo ready; exit 3", "echo ready; exec sleep 600"] {
            let yarn = Yarn::new().await;
            yarn.manager.submit(1, TAG);
            let launched = yarn.launcher(end).launch(yarn.order("client")).await;
            let driver = Driver(launched.map_err(|failure| failure.message).unwrap());
            if end.contains("sleep") {
                wait_for("the driver", || yarn.world.stdout().contains("ready")).await;
                kill(supervisor_of(&yarn.world.dir()).pid, "-KILL");
            }
            let departure = driver.ended().await;
            assert_eq!(departure.verdict, None, "{end}");
            assert_eq!(yarn.manager.cluster().killed, [id(1)], "{end}");
            assert_eq!(yarn.world.survivors(), Vec::<String>::new());
        }
    });
}

fn without_hadoops_configuration_nothing_is_submitted() {
    run(async {
        let yarn = Yarn::new().await;
        let world = &yarn.world;
        let launched = world.launcher(WAITS).launch(yarn.order("cluster")).await;
        let failure = launched.err().unwrap();
        assert!(
            failure.message.contains("read the addresses of YARN")
                && failure.hint.contains("HADOOP_CONF_DIR"),
            "{failure:?}"
        );
        assert!(!world.dir().join("launch.json").exists());
        // In client mode Spark itself judges.
        let launched = world.launcher("exit 5").launch(yarn.order("client")).await;
        assert_eq!(Driver(launched.unwrap()).exited().await, Exit::Code(5));
    });
}
