//! How drivers end on Kubernetes, and what users are told.

use serde_json::{Value, json};

use super::world::{NAMESPACE, World, application_of};
use crate::Shared;
use crate::batches::{Batch, assert_failure};
use crate::client::{Session, eventually};
use crate::elsewhere::{Elsewhere as _, PATIENCE, await_batch, await_state, write};
use crate::server::Server;

const WAITS: &str = "import time\nfrom pyspark.sql import SparkSession\nSparkSession.builder.getOrCreate()\ntime.sleep(3600)\n";

/// Takes memory until it is killed.
const GROWS: &str = "import time\nheld = []\nwhile True:\n    held.append(bytearray(64 << 20))\n    time.sleep(0.05)\n";

pub fn all(shared: &Shared) {
    let Some(world) = World::start(shared) else {
        return;
    };
    let server = world.serve();
    waits(&world, &server);
    is_refused(&world, &server);
    takes_too_much_memory(&world, &server);
    is_deleted(&world, &server);
    is_deleted_with_its_context(&world, &server);
    is_evicted(&world, &server);
    client_mode(&world, &server);
    world.await_nothing(&server);
    let left = server.stop();
    assert!(left.is_empty(), "{left:#?}");
    world.stop();
}

/// The node is lost with a driver, and an administrator deletes its object. The controllers wait for a
/// minute.
pub fn whole(shared: &Shared) {
    let Some(mut world) = World::start(shared) else {
        return;
    };
    let server = world.serve();
    let batch = waiting(&world, &server);
    let name = pod_of(&world, batch.url());
    world.cluster.lose_node();
    let path = format!("/api/v1/namespaces/{NAMESPACE}/pods/{name}");
    let pod = eventually("the controllers end the pod", PATIENCE, || {
        let pod = world.cluster.get(&path)?;
        let deleted = pod["metadata"]["deletionTimestamp"].is_string();
        deleted.then_some(pod)
    });
    assert_eq!(batch.state(), "running");
    let node = pod["spec"]["nodeName"].as_str().unwrap();
    let node = format!("/api/v1/nodes/{node}");
    assert_eq!(world.cluster.request("DELETE", &node, None).0, 200);
    await_batch(&batch, "dead");
    let (_, message) = batch.await_failure();
    let told = format!(
        "the node of the pod {name} is lost: DeletionByPodGC: PodGC: node no longer exists"
    );
    assert_eq!(message, told);
    world.cluster.bring_node_back();
    world.await_nothing(&server);
    let left = server.stop();
    assert!(left.is_empty(), "{left:#?}");
    world.stop();
}

/// Drivers that no node takes, or whose image is not there. Both tell so until they are deleted.
fn waits(world: &World, server: &Server) {
    for (conf, reason) in [
        (
            json!({"spark.kubernetes.driver.request.cores": "64"}),
            "no node takes the pod",
        ),
        (
            json!({"spark.kubernetes.driver.container.image": "livius.test/nosuch:1"}),
            "cannot get the image livius.test/nosuch:1",
        ),
    ] {
        let session = server.create(&json!({"kind": "pyspark", "conf": conf}));
        eventually("the log says why it waits", PATIENCE, || {
            let log = session.log();
            let mut lines = log.lines();
            lines
                .any(|line| line.starts_with("livius: ") && line.contains(reason))
                .then_some(())
        });
        assert_eq!(session.state(), "starting");
        session.delete();
        world.await_nothing(server);
    }
}

/// The API server takes no pod.
fn is_refused(world: &World, server: &Server) {
    let quota = json!({"metadata": {"name": "small"}, "spec": {"hard": {"requests.memory": "1Mi", "limits.memory": "1Mi"}}});
    let quotas = format!("/api/v1/namespaces/{NAMESPACE}/resourcequotas");
    world.cluster.create(&quotas, &quota);
    eventually("the quota holds", PATIENCE, || {
        let shown = world.cluster.get(&format!("{quotas}/small"))?;
        shown["status"]["hard"].is_object().then_some(())
    });
    let session = server.create(&json!({"kind": "pyspark"}));
    await_state(&session, "dead");
    assert_reason(&session, "exceeded quota: small");
    assert_failure(&session.detail(), "resources_refused", "exceeded quota");
    world
        .cluster
        .request("DELETE", &format!("{quotas}/small"), None);
    for (conf, key) in [
        (
            json!({"spark.master": "k8s://https://elsewhere.example.com:6443"}),
            "spark.master",
        ),
        (
            json!({"spark.kubernetes.driver.podTemplateFile": "/etc/passwd"}),
            "spark.kubernetes.driver.podTemplateFile",
        ),
    ] {
        let (status, answer) = crate::client::post(
            &format!("{}/sessions", server.url),
            &json!({"kind": "pyspark", "conf": conf}),
        );
        assert_eq!(status, 400, "{answer}");
        assert!(answer.to_string().contains(key), "{answer}");
    }
}

fn takes_too_much_memory(world: &World, server: &Server) {
    let file = write(world, "grows.py", GROWS);
    let batch = Batch::create(server, &json!({"file": world.named(&file)}));
    await_batch(&batch, "dead");
    let (_, message) = batch.await_failure();
    assert!(
        message.contains("OOMKilled") && message.contains("spark-kubernetes-driver"),
        "{message}"
    );
    batch.assert_failure("out_of_container_memory", "OOMKilled");
}

fn is_deleted(world: &World, server: &Server) {
    let batch = waiting(world, server);
    delete(world, &pod_of(world, batch.url()));
    await_batch(&batch, "killed");
}

/// A driver that is ended so has time to stop its SparkContext, and its agent to say that, which is not
/// the reason.
fn is_deleted_with_its_context(world: &World, server: &Server) {
    let session = server.create(&json!({"kind": "pyspark"}));
    await_state(&session, "idle");
    delete(world, &pod_of(world, &session.url));
    session.await_state("dead");
    assert_reason(&session, "it was killed at its resource manager");
}

fn delete(world: &World, pod: &str) {
    let path = format!("/api/v1/namespaces/{NAMESPACE}/pods/{pod}");
    world.cluster.request("DELETE", &path, None);
}

fn is_evicted(world: &World, server: &Server) {
    let batch = waiting(world, server);
    let pod = pod_of(world, batch.url());
    world.cluster.evict(NAMESPACE, &pod);
    await_batch(&batch, "dead");
    let (_, message) = batch.await_failure();
    assert!(message.contains("evicted"), "{message}");
}

fn waiting(world: &World, server: &Server) -> Batch {
    let file = write(world, "waits.py", WAITS);
    let batch = Batch::create(server, &json!({"file": world.named(&file)}));
    await_batch(&batch, "running");
    batch
}

/// The name of the driver pod of a session or batch.
fn pod_of(world: &World, url: &str) -> String {
    let id = application_of(url);
    let pods = world.all("pods");
    let is_its = |pod: &&Value| {
        let labels = &pod["metadata"]["labels"];
        labels["spark-role"] == "driver" && labels["spark-app-selector"] == *id
    };
    let pod = pods.iter().find(is_its).expect("it has a pod");
    pod["metadata"]["name"].as_str().unwrap().to_owned()
}

/// The driver is a process of this machine, and its executors are pods.
fn client_mode(world: &World, server: &Server) {
    let session = server.create(&json!({
        "kind": "pyspark",
        "conf": {
            "spark.submit.deployMode": "client",
            "spark.driver.host": "127.0.0.1",
        },
    }));
    await_state(&session, "idle");
    assert_eq!(
        session.text("pyspark", "sc.parallelize(range(10), 2).sum()"),
        "45"
    );
    let pods = world.all("pods");
    assert_eq!(pods.len(), 1, "{pods:#?}");
    session.delete();
    world.await_nothing(server);
}

fn assert_reason(session: &Session, reason: &str) {
    let log = session.log();
    let told = log
        .lines()
        .find(|line| line.starts_with("livius: the driver ended"));
    assert!(told.is_some_and(|line| line.contains(reason)), "{log}");
}
