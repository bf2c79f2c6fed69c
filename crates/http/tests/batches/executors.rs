//! The executors of a driver on a cluster, and their logs. The launcher of this world keeps its files as
//! the real one does.

use camino::Utf8Path;
use livius_domain::{BatchId, Exit, SessionId};
use livius_testkit::World;
use serde_json::json;

use super::{APP, B0, run, world_of};

const NAME: &str = "container_e17_1796047317987_0006_01_000002";

/// Two executors, of which one has a log.
fn write_executors(dir: &Utf8Path) {
    let roster = json!({"executors": [
        {"name": NAME, "node": "node-1:8042", "state": "running"},
        {"name": "pi-exec-2", "node": null, "state": "ended"},
    ]});
    std::fs::write(dir.join("executors.json"), roster.to_string()).unwrap();
    let log = dir.join("executors").join(NAME);
    std::fs::create_dir_all(&log).unwrap();
    let lines: Vec<String> = (0..1_500).map(|n| format!("line {n}\n")).collect();
    std::fs::write(log.join("stdout.log"), lines.concat()).unwrap();
    std::fs::write(log.join("stderr.log"), "careful\n").unwrap();
}

#[tokio::test]
async fn executors_are_listed_and_their_logs_have_pages() {
    let world = World::new().await;
    let (order, process) = run(&world, r#"{"file":"hdfs://h/a","name":"n"}"#).await;
    let list = "/api/v1/batches/n/executors";
    let none = world.get(list).await;
    assert_eq!(none.json(), json!({"id": 0, "executors": []}));
    write_executors(&world.dir_of(&order));
    looks(&world, "batches").await;
    process.exit(Exit::Code(0));
    world.await_batch(B0, "success").await;
    looks(&world, "batches").await;
    let world = world.crash_and_restart().await;
    looks(&world, "batches").await;
    assert_eq!(world.delete("/batches/0").await.status, 200);
    assert_eq!(world.get("/api/v1/batches/0/executors").await.status, 404);
}

#[tokio::test]
async fn sessions_have_the_same() {
    let world = World::new().await;
    let _agent = world.idle_session(r#"{"kind":"pyspark"}"#).await;
    let (order, _) = world.driver(SessionId(0)).await;
    write_executors(&world.dir_of(&order));
    looks(&world, "sessions").await;
    // Livy's own routes have nothing of it.
    let shown = world.get("/sessions/0").await.json();
    assert_eq!(shown.get("executors"), None);
    assert_eq!(world.get("/sessions/0/executors").await.status, 404);
}

async fn looks(world: &World, kind: &str) {
    let list = format!("/api/v1/{kind}/0/executors");
    let expected = json!({"id": 0, "executors": [
        {"name": NAME, "node": "node-1:8042", "state": "running", "hasLog": true},
        {"name": "pi-exec-2", "node": null, "state": "ended", "hasLog": false},
    ]});
    assert_eq!(world.get(&list).await.json(), expected);
    let total = 1_503;
    for (query, from, count, last) in [
        ("", total - 100, 100, "careful"),
        ("?size=3", total - 3, 3, "careful"),
        ("?from=0&size=2", 0, 2, "line 0"),
        ("?size=-1", 0, total, "careful"),
        ("?from=1&size=1200", 1, 1_200, "line 1199"),
        ("?from=9999", 9_999, 0, ""),
    ] {
        let page = world.get(&format!("{list}/{NAME}/log{query}")).await.json();
        let lines = page["log"].as_array().unwrap();
        let shown = lines.last().map_or("", |line| line.as_str().unwrap());
        let expected = (&json!(0), &json!(from), &json!(total), count, last);
        let found = (&page["id"], &page["from"], &page["total"]);
        assert_eq!(
            (found.0, found.1, found.2, lines.len(), shown),
            expected,
            "{query}"
        );
    }
    let bad = world.get(&format!("{list}/{NAME}/log?from=x")).await;
    assert_eq!(bad.status, 400, "{}", bad.text);
}

/// Names come from the list only.
#[tokio::test]
async fn a_name_that_is_not_listed_is_refused() {
    let world = World::new().await;
    let (order, _) = run(&world, APP).await;
    let dir = world.dir_of(&order);
    write_executors(&dir);
    // The directory above has the log of the driver.
    std::fs::write(dir.join("stdout.log"), "of the driver\n").unwrap();
    for name in [
        "pi-exec-2",
        "pi-exec-3",
        "..",
        "%2e%2e",
        "..%2F..",
        "%2Fetc",
        "..%2Fexecutors%2Fcontainer_e17_1796047317987_0006_01_000002",
        "container_e17_1796047317987_0006_01_000002%00",
        "%20",
        "%CF%80",
    ] {
        let answer = world
            .get(&format!("/api/v1/batches/0/executors/{name}/log"))
            .await;
        assert_eq!(answer.status, 404, "{name}: {}", answer.text);
        assert!(!answer.text.contains("of the driver"), "{name}");
    }
    let answer = world.get("/api/v1/batches/0/executors/x/log").await;
    let problem = answer.json();
    assert_eq!(problem["code"], "not_found");
    let message = "there is no such executor, or its log is not kept";
    assert_eq!(problem["message"], message);
}

#[tokio::test]
async fn a_batch_that_waits_has_no_executors() {
    let world = world_of(1, 0).await;
    let id = super::submit(&world, APP).await;
    assert_eq!(id, BatchId(0));
    let list = world.get("/api/v1/batches/0/executors").await.json();
    assert_eq!(list, json!({"id": 0, "executors": []}));
}
