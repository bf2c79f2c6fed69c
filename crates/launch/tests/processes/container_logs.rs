//! The logs of drivers in containers of YARN.

use std::fs;
use std::time::{Duration, Instant};

use livius_domain::{DriverProgram, Exit, Verdict};
use livius_launch::{DriverOrder, Found, Launcher as _, LocalLauncher};

use crate::on_yarn::{TAG, Yarn};
use crate::resource_manager::{LogService, container};
use crate::world::{Driver, LONG, in_time, run};

/// The tests of this file.
pub const TESTS: &[crate::Test] = tests![
    a_log_grows_with_that_of_the_container,
    a_log_without_readers_is_copied,
    a_log_has_the_containers_last_lines,
    a_restarted_server_goes_on_where_the_last_one_stopped,
    a_second_attempt_follows_the_first,
    a_preempted_attempt_is_told,
    a_forgotten_container_is_told_once,
    the_end_of_a_log_comes_from_the_server_of_logs,
    a_node_that_hangs_keeps_no_reader,
    a_log_that_yarn_forbids_is_told_once,
    the_output_of_an_application_has_two_parts,
];

const SUBMITS: &str = "echo submitted; echo careful >&2; exit 0";

/// The diagnostics of an attempt that a real ResourceManager 3.4.2 has preempted.
const PREEMPTED: &str = "AM Container for appattempt_1_0001_000001 exited with  exitCode: -102\nFailing this \
                         attempt.Diagnostics: Container preempted by schedulerFor more detailed output, check the application \
                         tracking page: http://h Then click on links to logs of each attempt.\n";
const OF_PREEMPTION: &str =
    "the scheduler preempted the driver's container, to make room for other applications";

struct Run {
    yarn: Yarn,
    launcher: LocalLauncher,
    driver: Driver,
    container: String,
}

impl Run {
    /// A driver of a session in a container.
    async fn new(yarn: Yarn) -> Self {
        let order = yarn.order("cluster");
        Self::of(yarn, order).await
    }

    async fn of(yarn: Yarn, order: DriverOrder) -> Self {
        yarn.manager.submit(1, TAG);
        yarn.manager.run_master(1, 1);
        let launcher = yarn.launcher(SUBMITS);
        let result = launcher.launch(order).await;
        let driver = Driver(result.map_err(|failure| failure.message).unwrap());
        Self {
            yarn,
            launcher,
            driver,
            container: container(1, 1),
        }
    }

    fn write(&self, file: &str, text: &str) {
        self.yarn.manager.write(&self.container, file, text);
    }

    async fn page(&self) -> Vec<String> {
        let log = self.launcher.files(&self.yarn.world.id()).log();
        log.page(0, -1).await.unwrap().lines
    }

    /// Reads the log as a client does, until it is this.
    async fn shows(&self, out: &[&str], err: &[&str]) {
        let expected = composed(out, err);
        let until = Instant::now() + LONG;
        let read = async {
            while self.page().await != expected {
                assert!(Instant::now() < until, "{:?}", self.page().await);
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        self.runs_during(read).await;
    }

    /// The server's actor waits for the end all the time.
    async fn runs_during<T>(&self, work: impl Future<Output = T>) -> T {
        tokio::select! {
            biased;
            _ = self.driver.0.ended() => panic!("it has ended"),
            result = work => result,
        }
    }

    /// Why the application waits, as soon as it does.
    async fn waits(&self) -> String {
        let mut known = None;
        loop {
            let sighting = self.driver.0.sighted(known.as_ref()).await;
            if let Some(waits) = sighting.waits {
                return waits;
            }
            known = Some(sighting);
        }
    }

    fn finish(&self) {
        self.yarn.manager.set(1, "FINISHED", "SUCCEEDED", "");
    }

    /// Starts another server.
    async fn restart(&mut self) -> Found {
        self.launcher = self.yarn.launcher("");
        in_time(self.launcher.find(&self.yarn.world.id(), None)).await
    }

    /// The line that says why the log is not whole.
    fn missing(&self, words: &str) -> String {
        let address = &self.yarn.manager.cluster().address;
        let container = &self.container;
        format!(
            "livius: {words}; its address at YARN is http://{address}/node/containerlogs/{container}/u"
        )
    }
}

fn composed(out: &[&str], err: &[&str]) -> Vec<String> {
    let lines = [&["stdout: "], out, &["\nstderr: "], err].concat();
    lines.into_iter().map(str::to_owned).collect()
}

fn a_log_grows_with_that_of_the_container() {
    run(async {
        let run = Run::new(Yarn::new().await).await;
        run.shows(&["submitted"], &["careful"]).await;
        run.write("stdout", "hello\nhal");
        run.shows(&["submitted", "hello", "hal"], &["careful"])
            .await;
        run.write("stdout", "f\n");
        run.write("stderr", "é\n");
        run.shows(&["submitted", "hello", "half"], &["careful", "é"])
            .await;
        // However many read, the NodeManager is asked once a second, and nothing is read twice.
        let (begun, asked) = (Instant::now(), run.yarn.manager.cluster().log_lists);
        let sent = run.yarn.manager.cluster().log_bytes;
        let many = async {
            for _ in 0..100 {
                run.page().await;
            }
        };
        run.runs_during(many).await;
        let seconds = usize::try_from(begun.elapsed().as_secs()).unwrap();
        let cluster = run.yarn.manager.cluster();
        assert!(cluster.log_lists <= asked + seconds + 2);
        assert_eq!(cluster.log_bytes, sent);
    });
}

fn a_log_without_readers_is_copied() {
    run(async {
        let run = Run::new(Yarn::new().await).await;
        run.write("stdout", "hello\n");
        let stdout = run.yarn.world.dir().join("stdout.log");
        let copied = async {
            while !fs::read_to_string(&stdout).unwrap().contains("hello") {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        in_time(run.runs_during(copied)).await;
        // The last lines are those on the disk. Their reader waits for no other machine.
        let asked = run.yarn.manager.cluster().log_lists;
        let log = run.launcher.files(&run.yarn.world.id()).log();
        let tail = log.tail(10).unwrap();
        assert_eq!(tail, composed(&["submitted", "hello"], &["careful"]));
        assert_eq!(run.yarn.manager.cluster().log_lists, asked);
    });
}

fn a_log_has_the_containers_last_lines() {
    run(async {
        let mut run = Run::new(Yarn::new().await).await;
        run.write("stdout", "hello\n");
        run.shows(&["submitted", "hello"], &["careful"]).await;
        let traceback = "Traceback (most recent call last):\n  File \"a.py\"\nValueError: no\n";
        run.write("stdout", traceback);
        run.write("stderr", "stopped");
        let diagnostics = "User application exited with status 1";
        run.yarn.manager.set(1, "FAILED", "FAILED", diagnostics);
        let departure = run.driver.ended().await;
        assert_eq!(departure.evidence.as_deref(), Some("ValueError: no"));
        run.yarn.manager.end_container(&run.container);
        let sent = run.yarn.manager.cluster().log_bytes;
        let mut out = vec!["submitted", "hello"];
        out.extend(traceback.lines());
        let whole = composed(&out, &["careful", "stopped"]);
        assert_eq!(run.page().await, whole);
        let Found::Ended(found) = run.restart().await else {
            panic!("it has ended")
        };
        assert_eq!(found, departure);
        assert_eq!(run.page().await, whole);
        assert_eq!(run.yarn.manager.cluster().log_bytes, sent);
    });
}

fn a_restarted_server_goes_on_where_the_last_one_stopped() {
    run(async {
        let mut run = Run::new(Yarn::new().await).await;
        run.write("stdout", "one\ntw");
        run.shows(&["submitted", "one", "tw"], &["careful"]).await;
        run.write("stdout", "o\nthree\n");
        run.write("stderr", "new\n");
        let Found::Alive(found) = run.restart().await else {
            panic!("it runs")
        };
        run.driver = Driver(found);
        run.shows(&["submitted", "one", "two", "three"], &["careful", "new"])
            .await;
        // The next server finds it at its end.
        run.write("stdout", "four\n");
        run.finish();
        assert!(matches!(run.restart().await, Found::Ended(_)));
        let whole = composed(
            &["submitted", "one", "two", "three", "four"],
            &["careful", "new"],
        );
        assert_eq!(run.page().await, whole);
    });
}

fn a_second_attempt_follows_the_first() {
    run(async {
        let mut run = Run::new(Yarn::new().await).await;
        run.write("stdout", "one\n");
        run.shows(&["submitted", "one"], &["careful"]).await;
        run.write("stdout", "died\n");
        run.yarn.manager.run_master(1, 2);
        run.container = container(1, 2);
        run.write("stdout", "two\n");
        let again = format!("livius: YARN ran the driver again, in {}", run.container);
        run.shows(&["submitted", "one", "died", &again, "two"], &["careful"])
            .await;
    });
}

fn a_preempted_attempt_is_told() {
    run(async {
        for is_restarted in [false, true] {
            let mut run = Run::new(Yarn::new().await).await;
            run.write("stdout", "one\n");
            run.shows(&["submitted", "one"], &["careful"]).await;
            run.yarn.manager.lose_master(1, 1, PREEMPTED);
            if is_restarted {
                let Found::Alive(found) = run.restart().await else {
                    panic!("it runs")
                };
                run.driver = Driver(found);
            }
            let waits = run.runs_during(in_time(run.waits())).await;
            assert_eq!(
                waits,
                format!(
                    "in the queue root.default of YARN: Application is Activated, waiting for resources to be assigned for AM; it \
                     waits again, because {OF_PREEMPTION}"
                )
            );
            run.yarn.manager.run_master(1, 2);
            run.yarn.manager.set(1, "RUNNING", "UNDEFINED", "");
            run.container = container(1, 2);
            run.write("stdout", "two\n");
            let again = format!(
                "livius: YARN ran the driver again, in {}, because {OF_PREEMPTION}",
                run.container
            );
            run.shows(&["submitted", "one", &again, "two"], &["careful"])
                .await;
        }
    });
}

fn a_forgotten_container_is_told_once() {
    run(async {
        for some in [true, false] {
            let mut run = Run::new(Yarn::new().await).await;
            let container = run.container.clone();
            let mut out = vec!["submitted"];
            if some {
                run.write("stdout", "hello\n");
                out.push("hello");
            }
            run.shows(&out, &["careful"]).await;
            run.yarn.manager.end_container(&container);
            run.finish();
            let departure = run.driver.ended().await;
            assert_eq!(departure.verdict, Some(Verdict::Finished));
            let what = if some {
                format!("the last lines of {container} may be missing")
            } else {
                format!("cannot copy the log of {container}")
            };
            let line = run.missing(&format!("{what}: YARN does not know it: Unknown container"));
            let whole = composed(&out, &["careful", &line]);
            assert_eq!(run.page().await, whole);
            assert!(matches!(run.restart().await, Found::Ended(_)));
            assert_eq!(run.page().await, whole);
        }
    });
}

fn the_end_of_a_log_comes_from_the_server_of_logs() {
    run(async {
        let run = Run::new(Yarn::with_log_server().await).await;
        run.write("stdout", "one\n");
        run.shows(&["submitted", "one"], &["careful"]).await;
        run.write("stdout", "two\n");
        run.write("stderr", "bye\n");
        let files = run.yarn.manager.end_container(&run.container);
        run.finish();
        let asked = run.yarn.manager.cluster().log_lists;
        let arrive = async {
            // They are on their way for a while.
            while run.yarn.manager.cluster().log_lists < asked + 2 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            run.yarn.manager.keep(&run.container, files);
        };
        let (departure, ()) = tokio::join!(run.driver.ended(), arrive);
        assert_eq!(departure.exit, Exit::Code(0));
        let whole = composed(&["submitted", "one", "two"], &["careful", "bye"]);
        assert_eq!(run.page().await, whole);
    });
}

fn a_node_that_hangs_keeps_no_reader() {
    run(async {
        let run = Run::new(Yarn::new().await).await;
        run.write("stdout", "hello\n");
        run.shows(&["submitted", "hello"], &["careful"]).await;
        run.yarn.manager.cluster().log_service = LogService::Hangs;
        let begun = Instant::now();
        let reads = async {
            for _ in 0..3 {
                let shown = run.page().await;
                assert_eq!(shown, composed(&["submitted", "hello"], &["careful"]));
            }
        };
        run.runs_during(reads).await;
        assert!(begun.elapsed() < Duration::from_secs(9));
        run.yarn.manager.cluster().log_service = LogService::Answers;
        run.write("stdout", "back\n");
        run.shows(&["submitted", "hello", "back"], &["careful"])
            .await;
    });
}

fn a_log_that_yarn_forbids_is_told_once() {
    run(async {
        let mut run = Run::new(Yarn::new().await).await;
        run.yarn.manager.cluster().log_service = LogService::Forbids;
        let line = run.missing(&format!(
            "cannot copy the log of {}: YARN forbids it: u may not see it",
            run.container
        ));
        run.shows(&["submitted"], &["careful", &line]).await;
        run.finish();
        run.driver.ended().await;
        assert!(matches!(run.restart().await, Found::Ended(_)));
        assert_eq!(
            run.page().await,
            composed(&["submitted"], &["careful", &line])
        );
    });
}

/// A process of this machine has one log for both outputs, and the reason of the end is its end.
fn the_output_of_an_application_has_two_parts() {
    run(async {
        let yarn = Yarn::new().await;
        let order = DriverOrder {
            program: yarn.world.application().program,
            ..yarn.order("cluster")
        };
        let run = Run::of(yarn, order).await;
        run.write("stdout", "result\n");
        run.write("stderr", "warning");
        run.shows(&["submitted", "careful", "result"], &["warning"])
            .await;
        run.finish();
        run.driver.ended().await;
        let files = run.launcher.files(&run.yarn.world.id());
        let program = DriverProgram::Application;
        files.explain(program, "livius: it ended\n").await.unwrap();
        let tail = files.log().tail(2).unwrap();
        assert_eq!(tail, ["warning", "livius: it ended"]);
    });
}
