//! The executors of drivers on Kubernetes, and their logs.

use std::fs;

use livius_launch::{Executor, ExecutorState, Found, Launcher as _};

use crate::on_kubernetes::{Kubernetes, POD, during};
use crate::world::{Driver, in_time, run, wait_for};

/// The tests of this file.
pub const TESTS: &[crate::Test] = tests![
    the_log_of_an_executor_outlives_its_pod,
    each_line_of_an_executor_is_written_once,
    an_executor_that_ended_without_a_server_is_told,
    the_rest_of_the_logs_is_read_at_the_drivers_end,
    an_executor_that_ended_makes_room,
    executors_of_a_process_have_logs_too,
];

struct Run {
    cluster: Kubernetes,
    driver: Driver,
}

impl Run {
    async fn new() -> Self {
        let cluster = Kubernetes::new().await;
        let driver = cluster.launch_running().await;
        Self { cluster, driver }
    }

    /// Makes a pod, which waits.
    fn make(&self, name: &str) {
        let server = self.cluster.server_id();
        self.cluster.api.make_pod(&server, name, "executor");
    }

    fn execute(&self, name: &str) {
        self.make(name);
        self.cluster.api.run(name);
    }

    fn write(&self, name: &str, nanoseconds: i64, text: &str) {
        self.cluster.api.write(name, nanoseconds, text);
    }

    /// Spark deletes the pod of an executor that ends.
    fn end(&self, name: &str) {
        self.cluster.api.close_log(name);
        self.cluster.api.remove(name);
    }

    fn kept(&self, name: &str) -> String {
        let dir = self.cluster.world.dir().join("executors").join(name);
        fs::read_to_string(dir.join("stdout.log")).unwrap_or_default()
    }

    async fn keeps(&self, name: &str, text: &str) {
        let is_there = || self.kept(name) == text;
        during(&self.driver, wait_for(text, is_there)).await;
    }

    async fn listed(&self) -> Vec<Executor> {
        let launcher = self.cluster.launcher("");
        let files = launcher.files(&self.cluster.world.id());
        files.executors().await.unwrap()
    }

    /// Waits until the executors have these states, and logs or none.
    async fn lists(&self, expected: &[(&str, ExecutorState, bool)]) {
        let listed = async {
            loop {
                let listed = self.listed().await;
                let shown: Vec<_> = listed
                    .iter()
                    .map(|one| (one.name.as_str(), one.state, one.has_log))
                    .collect();
                if shown == expected {
                    return;
                }
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        };
        during(&self.driver, listed).await;
    }

    async fn page(&self, name: &str) -> Option<Vec<String>> {
        let launcher = self.cluster.launcher("");
        let files = launcher.files(&self.cluster.world.id());
        let log = files.executor_log(name).await.unwrap()?;
        Some(log.page(0, -1).await.unwrap().lines)
    }

    /// Another server takes over. The first one is gone.
    async fn restart(&mut self) {
        let Found::Alive(found) = self.cluster.find(None).await else {
            panic!("it runs")
        };
        self.driver = Driver(found);
    }
}

fn the_log_of_an_executor_outlives_its_pod() {
    run(async {
        use ExecutorState::{Ended, Running, Waiting};
        let run = Run::new().await;
        run.make("a-exec-1");
        run.lists(&[("a-exec-1", Waiting, false)]).await;
        assert_eq!(run.page("a-exec-1").await, None);
        run.cluster.api.run("a-exec-1");
        run.write("a-exec-1", 1, "hello");
        run.keeps("a-exec-1", "hello\n").await;
        run.lists(&[("a-exec-1", Running, true)]).await;
        assert_eq!(run.listed().await[0].node.as_deref(), Some("node-1"));
        // The server's actor waits for the driver's end all the time.
        let outlives = async {
            run.write("a-exec-1", 2, "goodbye");
            let is_there = || run.kept("a-exec-1") == "hello\ngoodbye\n";
            wait_for("the last line", is_there).await;
            run.end("a-exec-1");
            let state = async || run.listed().await[0].state;
            while state().await != Ended {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
            run.cluster.api.end(POD, 0, "Completed");
        };
        in_time(async { tokio::join!(run.driver.ended(), outlives) }).await;
        run.cluster.assert_empty();
        let lines = ["stdout: ", "hello", "goodbye", "\nstderr: "];
        assert_eq!(run.page("a-exec-1").await.unwrap(), lines);
        for name in ["", "..", "../executors/a-exec-1", "a-exec-2", POD] {
            assert_eq!(run.page(name).await, None, "{name:?}");
        }
    });
}

fn each_line_of_an_executor_is_written_once() {
    run(async {
        let mut run = Run::new().await;
        run.execute("e1");
        run.write("e1", 5, "one");
        run.write("e1", 5, "one");
        run.keeps("e1", "one\none\n").await;
        // The connection breaks.
        let asked = run.cluster.api.cluster().log_requests;
        run.cluster.api.close_log("e1");
        let is_again = || run.cluster.api.cluster().log_requests > asked;
        during(&run.driver, wait_for("another request", is_again)).await;
        run.cluster.api.open_log("e1");
        run.write("e1", 5, "two");
        run.keeps("e1", "one\none\ntwo\n").await;
        run.write("e1", 6, "three");
        run.restart().await;
        run.keeps("e1", "one\none\ntwo\nthree\n").await;
        run.write("e1", 7, "four");
        run.cluster.api.end("e1", 0, "Completed");
        run.keeps("e1", "one\none\ntwo\nthree\nfour\n").await;
    });
}

fn an_executor_that_ended_without_a_server_is_told() {
    run(async {
        let mut run = Run::new().await;
        run.execute("e1");
        run.write("e1", 1, "hello");
        run.keeps("e1", "hello\n").await;
        // The server is away, so it does not wait for the driver's end.
        run.write("e1", 2, "lost");
        run.end("e1");
        run.restart().await;
        let note = "livius: the last lines of the pod e1 may be missing: it was deleted while the server was away";
        run.keeps("e1", &format!("hello\n{note}\n")).await;
        run.lists(&[("e1", ExecutorState::Ended, true)]).await;
    });
}

fn the_rest_of_the_logs_is_read_at_the_drivers_end() {
    run(async {
        let run = Run::new().await;
        run.execute("e1");
        run.write("e1", 1, "one");
        run.keeps("e1", "one\n").await;
        run.execute("e2");
        run.write("e1", 2, "two");
        run.write("e2", 1, "first");
        // The server learns of all this with the driver's end.
        run.cluster.api.end(POD, 0, "Completed");
        assert!(matches!(run.cluster.find(None).await, Found::Ended(_)));
        run.cluster.assert_empty();
        assert_eq!(run.kept("e1"), "one\ntwo\n");
        assert_eq!(run.kept("e2"), "first\n");
        let states: Vec<_> = run
            .listed()
            .await
            .into_iter()
            .map(|one| one.state)
            .collect();
        assert_eq!(states, [ExecutorState::Ended; 2]);
        // A second look changes nothing.
        assert!(matches!(run.cluster.find(None).await, Found::Ended(_)));
        assert_eq!(run.kept("e1"), "one\ntwo\n");
    });
}

/// The logs of two executors are kept.
fn an_executor_that_ended_makes_room() {
    run(async {
        use ExecutorState::{Ended, Running};
        let run = Run::new().await;
        for name in ["e1", "e2", "e3"] {
            run.execute(name);
            run.write(name, 1, name);
        }
        run.lists(&[
            ("e1", Running, true),
            ("e2", Running, true),
            ("e3", Running, false),
        ])
        .await;
        assert_eq!(run.page("e3").await, None);
        run.keeps("e1", "e1\n").await;
        run.end("e1");
        run.keeps("e3", "e3\n").await;
        run.lists(&[
            ("e1", Ended, false),
            ("e2", Running, true),
            ("e3", Running, true),
        ])
        .await;
        assert_eq!(run.page("e1").await, None);
    });
}

fn executors_of_a_process_have_logs_too() {
    run(async {
        let cluster = Kubernetes::new().await;
        let launcher = cluster.launcher("echo ready; exec sleep 600");
        let started = launcher.launch(cluster.order("client")).await;
        let driver = Driver(started.map_err(|failure| failure.message).unwrap());
        let run = Run { cluster, driver };
        run.execute("e1");
        run.write("e1", 1, "hello");
        run.keeps("e1", "hello\n").await;
        run.write("e1", 2, "goodbye");
        run.driver
            .terminate(std::time::Duration::from_secs(1))
            .await;
        run.cluster.assert_empty();
        assert_eq!(run.kept("e1"), "hello\ngoodbye\n");
    });
}
