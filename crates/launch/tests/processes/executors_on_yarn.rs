//! The executors of drivers on YARN, and their logs.

use std::fs;
use std::time::Duration;

use livius_launch::{Executor, ExecutorState, Found, Launcher as _, LocalLauncher};

use crate::on_yarn::{SUBMITS, TAG, Yarn};
use crate::world::{Driver, in_time, run, wait_for};

/// The tests of this file.
pub const TESTS: &[crate::Test] = tests![
    executors_are_listed_and_read_while_they_run,
    an_executor_that_ended_stays_with_its_log,
    the_rest_of_a_log_comes_from_the_server_of_logs,
    readers_get_the_log_of_any_executor,
    a_log_that_cannot_be_read_says_so,
    a_name_that_is_not_listed_has_no_log,
    executors_of_a_process_are_listed_too,
];

struct Run {
    yarn: Yarn,
    launcher: LocalLauncher,
    driver: Driver,
}

impl Run {
    async fn new(yarn: Yarn, mode: &str, behaviour: &str) -> Self {
        yarn.manager.submit(1, TAG);
        yarn.manager.run_master(1, 1);
        let launcher = yarn.launcher(behaviour);
        let result = launcher.launch(yarn.order(mode)).await;
        let driver = Driver(result.map_err(|failure| failure.message).unwrap());
        Self {
            yarn,
            launcher,
            driver,
        }
    }

    /// A driver in a container.
    async fn in_container() -> Self {
        Self::new(Yarn::new().await, "cluster", SUBMITS).await
    }

    fn execute(&self, number: u32) -> String {
        self.yarn.manager.run_executor(1, number)
    }

    fn write(&self, container: &str, file: &str, text: &str) {
        self.yarn.manager.write(container, file, text);
    }

    /// The names with their states.
    async fn listed(&self) -> Vec<(String, ExecutorState)> {
        let files = self.launcher.files(&self.yarn.world.id());
        let listed = files.executors().await.unwrap().into_iter();
        listed.map(|one| (one.name, one.state)).collect()
    }

    async fn page(&self, name: &str) -> Option<Vec<String>> {
        let files = self.launcher.files(&self.yarn.world.id());
        let log = files.executor_log(name).await.unwrap()?;
        Some(log.page(0, -1).await.unwrap().lines)
    }

    /// Waits until the list is this.
    async fn lists(&self, expected: &[(&str, ExecutorState)]) {
        let shown = |(name, state): &(&str, ExecutorState)| ((*name).to_owned(), *state);
        let expected: Vec<_> = expected.iter().map(shown).collect();
        let listed = async {
            while self.listed().await != expected {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        self.runs_during(in_time(listed)).await;
    }

    /// Reads the log as a client does, until it is this.
    async fn shows(&self, name: &str, out: &[&str], err: &[&str]) {
        let expected = Some(composed(out, err));
        let read = async {
            while self.page(name).await != expected {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        self.runs_during(in_time(read)).await;
    }

    /// The server's actor waits for the end all the time.
    async fn runs_during<T>(&self, work: impl Future<Output = T>) -> T {
        tokio::select! {
            biased;
            _ = self.driver.0.ended() => panic!("it has ended"),
            result = work => result,
        }
    }

    /// Waits until a file of an executor's kept log has a text.
    async fn keeps(&self, name: &str, file: &str, text: &str) {
        let path = self
            .yarn
            .world
            .dir()
            .join("executors")
            .join(name)
            .join(file);
        let is_there = || fs::read_to_string(&path).is_ok_and(|kept| kept == text);
        wait_for("the log to be copied", is_there).await;
    }

    async fn ends(&self) {
        self.yarn.manager.set(1, "FINISHED", "SUCCEEDED", "");
        self.driver.ended().await;
    }

    /// Starts another server after the driver's end.
    async fn restart(&mut self) {
        self.launcher = self.yarn.launcher("");
        let found = in_time(self.launcher.find(&self.yarn.world.id(), None)).await;
        assert!(matches!(found, Found::Ended(_)));
    }
}

fn composed(out: &[&str], err: &[&str]) -> Vec<String> {
    let lines = [&["stdout: "], out, &["\nstderr: "], err].concat();
    lines.into_iter().map(str::to_owned).collect()
}

fn executors_are_listed_and_read_while_they_run() {
    run(async {
        let run = Run::in_container().await;
        let (one, two) = (run.execute(2), run.execute(3));
        let running = ExecutorState::Running;
        // The master is none of them.
        run.lists(&[(&one, running), (&two, running)]).await;
        let files = run.launcher.files(&run.yarn.world.id());
        let first = files.executors().await.unwrap().swap_remove(0);
        let address = run.yarn.manager.cluster().address.clone();
        let expected = Executor {
            name: one.clone(),
            node: Some(address),
            state: running,
            has_log: true,
        };
        assert_eq!(first, expected);
        run.write(&one, "stdout", "hello\nhal");
        run.shows(&one, &["hello", "hal"], &[]).await;
        run.write(&one, "stdout", "f\n");
        run.write(&one, "stderr", "careful\n");
        run.write(&two, "stderr", "other\n");
        run.shows(&one, &["hello", "half"], &["careful"]).await;
        run.shows(&two, &[], &["other"]).await;
        // However many ask, YARN is asked once a second.
        let asked = run.yarn.manager.cluster().container_lists;
        let begun = std::time::Instant::now();
        let many = async {
            for _ in 0..100 {
                run.listed().await;
            }
        };
        run.runs_during(many).await;
        let seconds = usize::try_from(begun.elapsed().as_secs()).unwrap();
        let lists = run.yarn.manager.cluster().container_lists;
        assert!(lists <= asked + 2 * (seconds + 2), "{lists}");
    });
}

fn an_executor_that_ended_stays_with_its_log() {
    run(async {
        let mut run = Run::in_container().await;
        let executor = run.execute(2);
        run.write(&executor, "stderr", "java.lang.OutOfMemoryError\n");
        // No client reads it.
        let kept = run.keeps(&executor, "stderr.log", "java.lang.OutOfMemoryError\n");
        run.runs_during(kept).await;
        run.yarn.manager.end_executor(&executor);
        run.lists(&[(&executor, ExecutorState::Ended)]).await;
        let whole = composed(&[], &["java.lang.OutOfMemoryError"]);
        assert_eq!(run.page(&executor).await.unwrap(), whole);
        run.ends().await;
        // The rest is looked for after the end, and is not there.
        let path = run.yarn.world.dir().join("executors").join(&executor);
        let is_told = || {
            let text = fs::read_to_string(path.join("stderr.log")).unwrap();
            text.contains("livius: the last lines of")
        };
        wait_for("the note", is_told).await;
        run.restart().await;
        let listed = run.listed().await;
        assert_eq!(listed, [(executor.clone(), ExecutorState::Ended)]);
        let page = run.page(&executor).await.unwrap();
        assert_eq!(page[..3], whole[..3]);
        assert_eq!(page.len(), 4, "{page:?}");
    });
}

fn the_rest_of_a_log_comes_from_the_server_of_logs() {
    run(async {
        let mut run = Run::new(Yarn::with_log_server().await, "cluster", SUBMITS).await;
        let executor = run.execute(2);
        run.write(&executor, "stdout", "one\n");
        run.lists(&[(&executor, ExecutorState::Running)]).await;
        run.shows(&executor, &["one"], &[]).await;
        run.write(&executor, "stdout", "two\n");
        run.write(&executor, "stderr", "bye\n");
        let files = run.yarn.manager.end_executor(&executor);
        // The end of the driver does not wait for it.
        run.ends().await;
        run.yarn.manager.keep(&executor, files);
        run.keeps(&executor, "stdout.log", "one\ntwo\n").await;
        run.keeps(&executor, "stderr.log", "bye\n").await;
        // It stays when YARN has forgotten everything.
        run.yarn.manager.forget();
        run.restart().await;
        let page = run.page(&executor).await;
        assert_eq!(page, Some(composed(&["one", "two"], &["bye"])));
    });
}

/// The logs of two executors are kept.
fn readers_get_the_log_of_any_executor() {
    run(async {
        let run = Run::in_container().await;
        let executors = [2, 3, 4].map(|number| run.execute(number));
        let listed = executors.each_ref();
        let listed = listed.map(|name| (name.as_str(), ExecutorState::Running));
        run.lists(&listed).await;
        let dir = run.yarn.world.dir().join("executors");
        for executor in &executors {
            run.write(executor, "stdout", &format!("{executor}\n"));
        }
        for executor in executors.iter().chain(&executors) {
            run.shows(executor, &[executor], &[]).await;
            assert!(fs::read_dir(&dir).unwrap().count() <= 2);
        }
    });
}

fn a_log_that_cannot_be_read_says_so() {
    run(async {
        let run = Run::in_container().await;
        let executor = run.execute(2);
        run.lists(&[(&executor, ExecutorState::Running)]).await;
        run.yarn.manager.end_executor(&executor);
        let line = format!(
            "livius: cannot read the log of {executor} now: YARN does not know it: Unknown container"
        );
        run.shows(&executor, &[], &[&line]).await;
        let files = run.launcher.files(&run.yarn.world.id());
        let log = files.executor_log(&executor).await.unwrap().unwrap();
        let last = run.runs_during(log.page(-1, 1)).await.unwrap();
        assert_eq!((last.from, last.total), (2, 3));
        assert_eq!(last.lines, [line]);
    });
}

fn a_name_that_is_not_listed_has_no_log() {
    run(async {
        let run = Run::in_container().await;
        let executor = run.execute(2);
        run.lists(&[(&executor, ExecutorState::Running)]).await;
        run.write(&executor, "stdout", "hello\n");
        run.shows(&executor, &["hello"], &[]).await;
        let master = crate::resource_manager::container(1, 1);
        let around = format!("../executors/{executor}");
        for name in [
            "",
            ".",
            "..",
            "../..",
            &around,
            &format!("{executor}/"),
            &master,
            "x",
        ] {
            assert_eq!(run.page(name).await, None, "{name:?}");
        }
    });
}

/// The driver is a process of this machine, and its executors are in containers.
fn executors_of_a_process_are_listed_too() {
    run(async {
        let run = Run::new(Yarn::new().await, "client", "echo ready; exec sleep 600").await;
        let executor = run.execute(2);
        run.write(&executor, "stdout", "hello\n");
        run.lists(&[(&executor, ExecutorState::Running)]).await;
        run.shows(&executor, &["hello"], &[]).await;
        run.driver.terminate(Duration::from_secs(1)).await;
        let is_ended = async {
            while run.listed().await != [(executor.clone(), ExecutorState::Ended)] {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        in_time(is_ended).await;
        let page = run.page(&executor).await.unwrap();
        assert_eq!(page[..2], composed(&["hello"], &[])[..2]);
    });
}
