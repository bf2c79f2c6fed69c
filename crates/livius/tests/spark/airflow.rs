//! Airflow's unchanged provider for Livy runs batches as tasks. A worker and a triggerer call it,
//! without a scheduler.

use std::fs::{File, read_to_string};
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStdout, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::batches::{Batch, Folder, Steps};
use crate::client::{PATIENCE, eventually, get};
use crate::clients::python;
use crate::server::Server;
use crate::{Case, Shared};

/// Airflow is a client of the server: it sees states and logs of batches, and no Spark.
pub const OLDER: &[Case] = &[
    ("clients::airflow_tasks_succeed_fail_and_are_killed", tasks),
    ("clients::airflow_tasks_are_deferred", deferred),
    (
        "clients::airflow_tries_again_where_a_worker_and_the_server_died",
        tried_again,
    ),
];

/// An Airflow with one connection, and the application of its tasks.
struct Airflow {
    home: TempDir,
    folder: Folder,
    steps: Steps,
    job: String,
}

impl Airflow {
    fn make() -> Self {
        let folder = Folder::make();
        let steps = folder.steps("in steps", 0, true);
        let job = folder.write("airflow_job.py", include_str!("clients/airflow_job.py"));
        Self {
            home: tempfile::tempdir().unwrap(),
            folder,
            steps,
            job,
        }
    }

    /// Starts tasks by their names in the script.
    fn start(&self, server: &Server, tasks: &str) -> Worker {
        let (host, port) = server
            .url
            .trim_start_matches("http://")
            .split_once(':')
            .unwrap();
        let port: u16 = port.parse().unwrap();
        let connection = json!({"conn_type": "livy", "schema": "http", "host": host, "port": port});
        let asked = json!({
            "job": self.job,
            "steps": self.steps.request["file"],
            "args": self.steps.request["args"],
            "store": self.store(),
        });
        let errors = self.folder.path("errors.txt");
        let mut process = python("LIVIUS_TEST_AIRFLOW", self.home.path())
            .args(["-c", include_str!("clients/airflow_tasks.py"), tasks])
            .arg(asked.to_string())
            .env("AIRFLOW_HOME", self.home.path())
            .env("AIRFLOW_CONN_LIVY_DEFAULT", connection.to_string())
            .stdout(Stdio::piped())
            .stderr(File::create(&errors).unwrap())
            .spawn()
            .unwrap();
        Worker {
            words: BufReader::new(process.stdout.take().unwrap()),
            process,
            said: String::new(),
            errors,
        }
    }

    /// Runs tasks, and returns their output.
    fn run(&self, server: &Server, tasks: &str) -> String {
        self.start(server, tasks).ended()
    }

    /// The file in which Airflow keeps the batch of a task between attempts.
    fn store(&self) -> String {
        self.folder.path("store.json")
    }
}

/// An Airflow process that runs tasks and prints their logs.
struct Worker {
    process: Child,
    words: BufReader<ChildStdout>,
    said: String,
    errors: String,
}

impl Worker {
    /// Reads its output up to this line, or to the end.
    fn until(&mut self, line: &str) {
        let end = format!("\n{line}\n");
        while !self.said.ends_with(&end) && self.words.read_line(&mut self.said).unwrap() > 0 {}
    }

    /// Its whole output, after it has succeeded.
    fn ended(mut self) -> String {
        self.words.read_to_string(&mut self.said).unwrap();
        let status = self.process.wait().unwrap();
        assert!(
            status.success() && self.said.contains("Airflow is content"),
            "{}\n{}",
            self.said,
            read_to_string(&self.errors).unwrap()
        );
        self.said
    }
}

fn tasks(shared: &Shared) {
    let (server, airflow) = (shared.server(), Airflow::make());
    let said = airflow.run(server, "succeeds fails is_not_polled is_killed");
    let id = said
        .lines()
        .find_map(|line| line.strip_prefix("killed "))
        .unwrap();
    let (driver, application) = (format!("/b-{id}-"), airflow.folder.path("in steps"));
    eventually("nothing is left of the killed batch", PATIENCE, || {
        let of_it = |line: &String| line.contains(&driver) || line.contains(&application);
        (!server.processes().iter().any(of_it)).then_some(())
    });
}

fn deferred(shared: &Shared) {
    Airflow::make().run(shared.server(), "are_deferred");
}

/// The worker and the server die while a batch runs. The next attempt of the task continues with
/// the same batch.
fn tried_again(shared: &Shared) {
    let (server, airflow) = (Server::start(&shared.spark.home, &[]), Airflow::make());
    // Airflow treats the batch id 0 as no batch.
    Batch::create(&server, &airflow.steps.request).delete();
    let mut worker = airflow.start(&server, "is_tried");
    let id = eventually("Airflow remembers the batch", PATIENCE, || {
        let ended = worker.process.try_wait().unwrap();
        assert!(
            ended.is_none(),
            "{}",
            read_to_string(&worker.errors).unwrap()
        );
        let stored: Value = serde_json::from_str(&read_to_string(airflow.store()).ok()?).unwrap();
        Some(stored["livy_batch_id"].as_i64().unwrap())
    });
    let state = format!("{}/batches/{id}/state", server.url);
    eventually("the batch runs", PATIENCE, || {
        (get(&state).1["state"] == "running").then_some(())
    });
    worker.process.kill().unwrap();
    worker.process.wait().unwrap();
    let server = server.crash_and_restart();

    let mut again = airflow.start(&server, "is_tried");
    again.until("Reconnecting to existing job");
    airflow.steps.allow("speak");
    airflow.steps.allow("end");
    let said = again.ended();
    for words in [
        "Reconnecting to existing job",
        "spoken",
        &format!("Batch with id {id} terminated with state: success"),
    ] {
        assert!(said.lines().any(|line| line == words), "{said}");
    }
    // Another attempt: for an ended batch, the result is enough.
    let said = airflow.run(&server, "is_tried");
    assert!(
        said.contains("Job already completed successfully"),
        "{said}"
    );
    let listed = get(&format!("{}/batches", server.url)).1;
    assert_eq!(listed["total"], 1, "{listed:#}");
    let left = server.stop();
    assert!(left.is_empty(), "{left:#?}");
}
