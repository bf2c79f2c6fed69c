//! The things that stay of a batch when it has ended: the last lines of its log, and no secret.

use livius_domain::Exit;
use livius_testkit::World;
use serde_json::json;

use super::{B0, B1, run, submit, world_of};

const SECRET: &str = "correct-horse";

#[tokio::test]
async fn lists_of_ended_batches_read_no_log() {
    let world = World::new().await;
    let (order, process) = run(&world, r#"{"file":"hdfs://h/a"}"#).await;
    let log = world.dir_of(&order).join("stdout.log");
    let lines: Vec<String> = (0..20).map(|n| format!("line {n}")).collect();
    std::fs::write(&log, lines.join("\n")).unwrap();
    process.exit(Exit::Code(0));
    world.await_batch(B0, "success").await;
    let shown = world.get("/batches/0").await.json()["log"].clone();
    assert_eq!(
        (&shown[0], &shown[9]),
        (&json!("line 11"), &json!("\nstderr: "))
    );
    std::fs::remove_file(&log).unwrap();
    std::fs::create_dir(&log).unwrap();
    let as_before = async |world: &World| {
        let list = world.get("/batches").await.json();
        assert_eq!(list["sessions"][0]["log"], shown);
        // Pages of the log come from its file.
        assert_eq!(world.get("/batches/0/log").await.status, 500);
    };
    as_before(&world).await;
    as_before(&world.crash_and_restart().await).await;
}

#[tokio::test]
async fn secrets_stay_until_the_end() {
    let world = world_of(1, 1).await;
    let request = json!({
        "file": format!("https://ann:{SECRET}@h/a.jar"),
        "args": ["--password", SECRET, "--day", "2026-11-21", format!("token={SECRET}")],
        "conf": {"spark.my.password": SECRET},
    });
    let (_, first) = run(&world, r#"{"file":"hdfs://h/a"}"#).await;
    submit(&world, &request.to_string()).await;
    let file = world.get("/api/v1/batches/1").await.json()["file"].clone();
    // The batch still waits, so the next server needs the secrets.
    let world = world.crash_and_restart().await;
    first.exit(Exit::Code(0));
    let (order, process) = world.batch_process(B1).await;
    assert_eq!(order.conf["spark.my.password"], SECRET);
    process.exit(Exit::Code(1));
    world.await_batch(B1, "dead").await;
    assert_eq!(world.get("/api/v1/batches/1").await.json()["file"], file);
    let stored = world.stored_batch(B1).await.request;
    let all = serde_json::to_string(&*stored).unwrap();
    assert!(!all.contains(SECRET), "{all}");
    assert_eq!(stored.args[2..4], ["--day", "2026-11-21"]);
}
