//! How applications end on YARN, and what users are told.

use serde_json::{Value, json};

use super::world::{World, application_of};
use crate::Shared;
use crate::batches::{Batch, Folder};
use crate::client::eventually;
use crate::elsewhere::{PATIENCE, await_batch, await_state};
use crate::server::Server;

pub fn all(shared: &Shared) {
    let Some(world) = World::start(shared) else {
        return;
    };
    let server = world.serve();
    for (request, reason) in [
        (json!({"queue": "nosuch"}), "unknown queue"),
        (
            json!({"queue": "closed"}),
            "does not have permission to submit",
        ),
        (json!({"driverMemory": "100g"}), "above the max threshold"),
    ] {
        is_refused(&server, &request, reason);
    }
    let folder = Folder::make();
    let file = folder.write("waits.py", "import time\nfrom pyspark.sql import SparkSession\nSparkSession.builder.getOrCreate()\ntime.sleep(3600)\n");
    is_killed_at_the_manager(&world, &Batch::create(&server, &json!({"file": file})));
    client_mode(&world, &server);
    world.await_nothing(&server);
    let left = server.stop();
    assert!(left.is_empty(), "{left:#?}");
    let left = world.yarn.stop();
    assert!(left.is_empty(), "{left:#?}");
}

fn is_refused(server: &Server, request: &Value, reason: &str) {
    let session = server.create(request);
    await_state(&session, "dead");
    let log = session.log();
    let told = log
        .lines()
        .find(|line| line.starts_with("livius: the driver ended"));
    assert!(
        told.is_some_and(|line| line.contains(reason)),
        "{request}: {log}"
    );
}

fn is_killed_at_the_manager(world: &World, batch: &Batch) {
    let id = application_of(batch.url());
    await_batch(batch, "running");
    world.yarn.kill_application(&id);
    await_batch(batch, "killed");
    assert_eq!(world.application(&id)["state"], "KILLED");
}

/// The driver is a process of this machine, and its application has the executors.
fn client_mode(world: &World, server: &Server) {
    let session =
        server.create(&json!({"kind": "pyspark", "conf": {"spark.submit.deployMode": "client"}}));
    await_state(&session, "idle");
    let id = application_of(&session.url);
    assert_eq!(
        session.text("pyspark", "sc.parallelize(range(10), 2).sum()"),
        "45"
    );
    assert_eq!(world.application(&id)["state"], "RUNNING");
    session.delete();
    eventually("the application is over", PATIENCE, || {
        world.live().is_empty().then_some(())
    });
}
