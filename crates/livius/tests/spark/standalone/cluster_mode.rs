//! Drivers on the workers, which the server follows through the master.

use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::machinery::{Cluster, processes_with};
use crate::Shared;
use crate::batches::{Batch, Folder, compile};
use crate::client::{PATIENCE, eventually, status};
use crate::elsewhere;
use crate::server::Server;

/// Configuration for cluster mode, which leaves room for the executors next to the driver.
fn in_cluster() -> Value {
    json!({"spark.submit.deployMode": "cluster", "spark.cores.max": "1"})
}

pub fn batches(shared: &Shared) {
    let cluster = Cluster::start(&shared.spark.home);
    let server = cluster.serve();
    let folder = Folder::make();
    let jar = compile(shared, &folder, include_str!("applications/Waits.scala"));
    let submit = |server: &Server, class: &str, args: &[&str], driver_memory: &str| {
        let request = json!({
            "file": jar, "className": class, "args": args, "conf": in_cluster(),
            "driverMemory": driver_memory, "executorMemory": "512m"
        });
        Batch::create(server, &request)
    };
    let never = folder.path("never");

    fails(&server, &submit(&server, "demo.Fails", &["today"], "512m"));
    python_is_refused(&server, &folder);
    waits_for_room(&submit(&server, "demo.Waits", &[&never], "100g"));
    is_deleted(&server, &submit(&server, "demo.Waits", &[&never], "512m"));
    loses_its_driver(&server, &submit(&server, "demo.Waits", &[&never], "512m"));
    let end = folder.path("end");
    let batch = submit(
        &server,
        "demo.Waits",
        &[&end, "a b", "", "-c \"d\""],
        "512m",
    );
    let server = succeeds_over_a_restart(server, &batch, || drop(folder.write("end", "")));
    is_probed(shared, &cluster);
    loses_its_worker(&submit(&server, "demo.Waits", &[&never], "512m"), &cluster);
    let left = server.stop();
    assert!(left.is_empty(), "{left:#?}");
}

fn is_probed(shared: &Shared, cluster: &Cluster) {
    let conf = [
        ("spark.driver.memory", "512m"),
        ("spark.executor.memory", "512m"),
    ];
    let conf = conf.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let listen = ["server.listen=127.0.0.1:0"];
    let found = elsewhere::probe(
        (&shared.spark.home, &cluster.url),
        &conf.into(),
        &[],
        &listen,
    );
    let reached = "its driver reached the server at ws://127.0.0.1:";
    elsewhere::expect(&found, "good", reached);
}

fn succeeds_over_a_restart(server: Server, batch: &Batch, end: impl Fn()) -> Server {
    batch.await_running();
    let shown = batch.shown();
    assert!(
        shown["appId"].as_str().unwrap().starts_with("app-"),
        "{shown}"
    );
    for link in ["sparkUiUrl", "driverLogUrl"] {
        let address = shown["appInfo"][link].as_str().unwrap();
        assert_eq!(status(address), 200, "{address}");
    }
    let server = server.crash_and_restart();
    assert_eq!(batch.state(), "running");
    end();
    let detail = batch.await_end("success");
    assert_eq!(detail["end"]["exitCode"], 0, "{detail}");
    let log = batch.log();
    for words in ["is RUNNING on worker-", "ended as FINISHED"] {
        assert!(log.contains(words), "{log}");
    }
    server
}

/// Spark's own exit code would be 0.
fn fails(server: &Server, batch: &Batch) {
    let (code, message) = batch.await_failure();
    assert_eq!(code, Some(1));
    assert!(message.contains("ended as FAILED"), "{message}");
    let left = server.processes();
    assert!(left.is_empty(), "{left:#?}");
}

fn python_is_refused(server: &Server, folder: &Folder) {
    let file = folder.write("a.py", "print(1)");
    let batch = Batch::create(server, &json!({"file": file, "conf": in_cluster()}));
    let (_, message) = batch.await_failure();
    assert!(
        message.contains("not supported for python applications on standalone clusters")
            || batch
                .log()
                .contains("not supported for python applications on standalone clusters"),
        "{message}\n{}",
        batch.log()
    );
}

/// No worker has this much memory, so the driver waits at the master.
fn waits_for_room(batch: &Batch) {
    batch.await_words("is SUBMITTED");
    assert_eq!(batch.state(), "starting");
    batch.kill();
    batch.await_end("killed");
    assert!(batch.log().contains("ended as KILLED"), "{}", batch.log());
}

fn is_deleted(server: &Server, batch: &Batch) {
    batch.await_running();
    let driver = driver_of(&batch.dir(server));
    batch.delete();
    eventually("the driver on the worker ends", PATIENCE, || {
        (!is_alive(driver)).then_some(())
    });
}

fn loses_its_driver(server: &Server, batch: &Batch) {
    batch.await_running();
    kill_process(driver_of(&batch.dir(server)), Signal::KILL).unwrap();
    let (_, message) = batch.await_failure();
    assert!(message.contains("ended as FAILED"), "{message}");
}

fn loses_its_worker(batch: &Batch, cluster: &Cluster) {
    batch.await_running();
    cluster.kill_worker();
    let (_, message) = batch.await_failure();
    assert!(message.contains("ended as ERROR"), "{message}");
}

pub fn sessions(shared: &Shared) {
    let cluster = Cluster::start(&shared.spark.home);
    let server = cluster.serve();
    let request = json!({
        "kind": "shared", "conf": in_cluster(), "driverMemory": "1g", "executorMemory": "512m"
    });
    let session = server.create(&request);
    session.await_idle();
    let driver = driver_of(&server.driver_dir(&format!("s-{}-", session.id)));
    let shown = session.shown();
    assert!(
        shown["appId"].as_str().unwrap().starts_with("app-"),
        "{shown}"
    );
    assert_eq!(
        status(shown["appInfo"]["sparkUiUrl"].as_str().unwrap()),
        200,
        "{shown}"
    );
    let code = "sc.parallelize(range(10), 2).map(lambda n: n * n).sum()";
    assert_eq!(session.text("pyspark", code), "285");
    let code = "val k = 3\nsc.parallelize(1 to 4, 2).map(_ * k).sum";
    assert!(session.text("spark", code).contains("30.0"));
    assert_eq!(
        session.data("sql", "SELECT 1 AS one")["application/json"]["data"],
        json!([[1]])
    );
    let secret = session.text(
        "pyspark",
        "import os\nprint([name for name in os.environ if 'LAUNCH' in name])",
    );
    assert_eq!(secret, "[]");
    session.delete();
    eventually("the driver on the worker ends", PATIENCE, || {
        (!is_alive(driver)).then_some(())
    });

    let session = server.create(&json!({
        "kind": "sql", "conf": in_cluster(), "driverMemory": "1g", "executorMemory": "512m"
    }));
    session.await_idle();
    kill_process(
        driver_of(&server.driver_dir(&format!("s-{}-", session.id))),
        Signal::KILL,
    )
    .unwrap();
    session.await_state("dead");
    let log = session.log();
    assert!(log.contains("ended as FAILED"), "{log}");
    let left = server.stop();
    assert!(left.is_empty(), "{left:#?}");
}

/// The process of a driver on a worker, by its tag: the name of the driver's directory at the
/// server.
fn driver_of(dir: &Path) -> Pid {
    let tag = dir.file_name().unwrap().to_string_lossy();
    let tag = format!("-Dspark.livius.driver={tag}");
    let words = ["org.apache.spark.deploy.worker.DriverWrapper", &tag];
    eventually("the driver's process is there", PATIENCE, || {
        processes_with(&words).first().copied()
    })
}

fn is_alive(pid: Pid) -> bool {
    let line = std::fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero()));
    line.is_ok_and(|line| !line.is_empty())
}
