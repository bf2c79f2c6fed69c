//! How applications end on YARN, and what users are told.

use serde_json::{Value, json};

use super::world::{World, application_of};
use crate::Shared;
use crate::batches::{Batch, Folder, assert_failure};
use crate::client::eventually;
use crate::elsewhere::{PATIENCE, await_batch, await_state};
use crate::server::Server;

const WAITS: &str = "import time\nfrom pyspark.sql import SparkSession\nSparkSession.builder.getOrCreate()\nprint('it runs', flush=True)\ntime.sleep(3600)\n";

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
    let file = folder.write("waits.py", WAITS);
    is_killed_at_the_manager(&world, &Batch::create(&server, &json!({"file": file})));
    client_mode(&world, &server);
    end(world, &server);
}

/// The cluster ends drivers that run: an administrator kills one, and the scheduler preempts others for
/// another queue. A driver that is ended so has time to stop its SparkContext, and its agent to say
/// that, which is not the reason.
pub fn whole(shared: &Shared) {
    let Some(world) = World::start_preempting(shared) else {
        return;
    };
    let server = world.serve();
    let folder = Folder::make();
    let file = folder.write("waits.py", WAITS);
    is_killed_with_its_context(&world, &server);
    is_preempted(&server, &file);
    is_preempted_and_runs_again(&server, &file);
    end(world, &server);
}

fn end(world: World, server: &Server) {
    world.await_nothing(server);
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
    assert_failure(&session.detail(), "resources_refused", reason);
}

fn is_killed_at_the_manager(world: &World, batch: &Batch) {
    let id = application_of(batch.url());
    await_batch(batch, "running");
    world.yarn.kill_application(&id);
    await_batch(batch, "killed");
    assert_eq!(world.application(&id)["state"], "KILLED");
}

fn is_killed_with_its_context(world: &World, server: &Server) {
    let session = server.create(&json!({}));
    let id = application_of(&session.url);
    await_state(&session, "idle");
    world.yarn.kill_application(&id);
    session.await_state("dead");
    let log = session.log();
    let told = "livius: the driver ended by itself: it was killed at its resource manager";
    assert!(log.contains(told), "{log}");
}

/// The room of the queue `etl`, and some of that of `default`.
const LARGE: &str = "5g";

/// Asks for the room of the queue `default` while another driver has some of it.
fn claim(server: &Server, file: &str) -> Batch {
    let request = json!({"file": file, "queue": "default", "driverMemory": "3g"});
    Batch::create(server, &request)
}

const PREEMPTED: &str =
    "the scheduler preempted the driver's container, to make room for other applications";

fn is_preempted(server: &Server, file: &str) {
    let session = server.create(&json!({"queue": "etl", "driverMemory": LARGE}));
    await_state(&session, "idle");
    let other = claim(server, file);
    session.await_state("dead");
    let log = session.log();
    assert!(log.contains(PREEMPTED), "{log}");
    assert!(log.contains("exitCode: -102"), "{log}");
    await_batch(&other, "running");
    other.delete();
}

/// YARN does not count an attempt that it preempts.
fn is_preempted_and_runs_again(server: &Server, file: &str) {
    let batch = Batch::create(
        server,
        &json!({"file": file, "queue": "etl", "driverMemory": LARGE, "conf": {"spark.yarn.maxAppAttempts": "2"}}),
    );
    let says = |words: &str| {
        eventually(words, PATIENCE, || {
            let log = batch.log();
            assert!(["starting", "running"].contains(&&*batch.state()), "{log}");
            log.contains(words).then_some(())
        });
    };
    says("it runs");
    let other = claim(server, file);
    says(&format!("it waits again, because {PREEMPTED}"));
    other.delete();
    says(&format!("_02_000001, because {PREEMPTED}"));
    batch.delete();
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
