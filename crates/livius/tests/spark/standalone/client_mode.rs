//! Drivers on the server's machine, executors on the workers.

use serde_json::json;

use super::machinery::Cluster;
use crate::Shared;
use crate::batches::{Batch, Folder};
use crate::client::{PATIENCE, eventually, status};
use crate::server::Server;

pub fn all(shared: &Shared) {
    let cluster = Cluster::start(&shared.spark.home);
    let server = cluster.serve();
    session(&server, &cluster);
    batch_that_loses_its_worker(&server, &cluster);
    let left = server.stop();
    assert!(left.is_empty(), "{left:#?}");
}

fn session(server: &Server, cluster: &Cluster) {
    let session = server.create(&json!({"kind": "shared", "executorMemory": "512m"}));
    session.await_idle();
    let shown = session.shown();
    let id = shown["appId"].as_str().unwrap();
    assert!(id.starts_with("app-"), "{shown}");
    assert_eq!(
        status(shown["appInfo"]["sparkUiUrl"].as_str().unwrap()),
        200,
        "{shown}"
    );
    let place = session.text(
        "pyspark",
        "import os\nprint(sc.parallelize([1], 1).map(lambda _: os.getcwd()).first(), end='')",
    );
    let work = cluster.work().join(id);
    assert!(place.starts_with(work.to_str().unwrap()), "{place}");
    // The executors fetch the REPL's classes from the driver.
    let code =
        "case class Item(n: Int)\nsc.parallelize(1 to 4, 2).map(n => Item(n * 10)).map(_.n).sum";
    let text = session.text("spark", code);
    assert!(text.contains("100.0"), "{text}");
    session.delete();
}

fn batch_that_loses_its_worker(server: &Server, cluster: &Cluster) {
    let folder = Folder::make();
    let file = folder.write("tasks.py", include_str!("applications/tasks.py"));
    let batch = Batch::create(
        server,
        &json!({"file": file, "args": [folder.path("")], "executorMemory": "512m"}),
    );
    batch.await_running();
    let tasks_begin = |what| {
        eventually(what, PATIENCE, || {
            let begun =
                ["task-0", "task-1"].map(|name| std::path::Path::new(&folder.path(name)).exists());
            begun.iter().all(|begun| *begun).then_some(())
        });
    };
    tasks_begin("the tasks run on the first worker");
    let shown = batch.shown();
    assert_eq!(
        status(shown["appInfo"]["sparkUiUrl"].as_str().unwrap()),
        200,
        "{shown}"
    );
    cluster.kill_worker();
    for name in ["task-0", "task-1"] {
        std::fs::remove_file(folder.path(name)).unwrap();
    }
    cluster.add_worker();
    tasks_begin("the tasks run again on the other worker");
    assert_eq!(batch.state(), "running");
    folder.write("go", "");

    let detail = batch.await_end("success");
    let id = detail["appId"].as_str().unwrap();
    assert!(id.starts_with("app-"), "{detail}");
    let log = batch.log();
    assert!(log.contains(&format!("APPLICATION {id}")), "{log}");
    let place = format!("PLACES {}", cluster.work().join(id).display());
    assert!(log.contains(&place), "{place}: {log}");
}
