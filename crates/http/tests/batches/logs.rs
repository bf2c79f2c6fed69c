//! The log of a batch: the whole output, composed as Livy does.

use livius_domain::{BatchId, Exit};
use livius_testkit::{World, eventually};
use serde_json::json;

use super::{APP, B0, B1, run, submit, world_of};

#[tokio::test]
async fn the_log_has_livys_windows_however_the_batch_stands() {
    let world = World::new().await;
    let (order, process) = run(&world, r#"{"file":"hdfs://h/a","name":"n"}"#).await;
    let lines: Vec<String> = (0..2_500).map(|n| format!("line {n}")).collect();
    std::fs::write(
        world.dir_of(&order).join("stdout.log"),
        lines.join("\n") + "\n",
    )
    .unwrap();
    windows(&world).await;
    process.exit(Exit::Code(0));
    world.await_batch(B0, "success").await;
    windows(&world).await;
    let world = world.crash_and_restart().await;
    windows(&world).await;
    assert_eq!(world.delete("/batches/0").await.status, 200);
    assert_eq!(world.get("/batches/0/log").await.status, 404);
}

async fn windows(world: &World) {
    let total = 2_502;
    for (query, from, count) in [
        ("", total - 100, 100),
        ("?size=3", total - 3, 3),
        ("?from=0&size=2", 0, 2),
        ("?from=-7&size=2", total - 2, 2),
        ("?size=-1", 0, total),
        ("?from=2000&size=-1", 2_000, total - 2_000),
        ("?from=0&size=2147483647", 0, total),
        ("?from=1&size=2000", 1, 2_000),
        ("?size=2000", total - 2_000, 2_000),
        ("?from=2502", total, 0),
        ("?from=2502&size=-1", total, 0),
        ("?from=9999&size=-1", 9_999, 0),
        ("?from=2147483647&size=2147483647", 2_147_483_647, 0),
        ("?size=0", total, 0),
    ] {
        for name in ["0", "n"] {
            let answer = world
                .get(&format!("/batches/{name}/log{query}"))
                .await
                .json();
            let lines = answer["log"].as_array().unwrap().len();
            assert_eq!(
                (&answer["id"], &answer["from"], &answer["total"], lines),
                (&json!(0), &json!(from), &json!(total), count),
                "{query}"
            );
        }
    }
    let all = world.get("/batches/0/log?size=-1").await.json();
    for (index, line) in [
        (0, "stdout: "),
        (1, "line 0"),
        (1_500, "line 1499"),
        (2_501, "\nstderr: "),
    ] {
        assert_eq!(all["log"][index], line);
    }
    let short = world.get("/batches/0").await.json()["log"].clone();
    assert_eq!(short.as_array().unwrap().len(), 10);
    assert_eq!(
        (&short[0], &short[9]),
        (&json!("line 2491"), &json!("\nstderr: "))
    );
    for query in ["from=x", "size=", "size=99999999999"] {
        assert_eq!(
            world.get(&format!("/batches/0/log?{query}")).await.status,
            400
        );
    }
}

#[tokio::test]
async fn a_batch_that_waits_has_headings_and_no_lines() {
    let world = world_of(1, 1).await;
    submit(&world, APP).await;
    submit(&world, APP).await;
    world.batch_process(B0).await;
    for (query, from, lines) in [
        ("", 0, json!(["stdout: ", "\nstderr: "])),
        ("?size=-1", 0, json!(["stdout: ", "\nstderr: "])),
        ("?from=1", 1, json!(["\nstderr: "])),
        ("?from=2", 2, json!([])),
    ] {
        assert_eq!(
            world.get(&format!("/batches/1/log{query}")).await.json(),
            json!({"id": 1, "from": from, "total": 2, "log": lines}),
            "{query}"
        );
    }
    // A batch that never started has an empty log.
    assert_eq!(world.post("/api/v1/batches/1/kill", "").await.status, 200);
    world.await_batch(B1, "killed").await;
    assert_eq!(world.get("/batches/1/log").await.json()["total"], 2);
}

#[tokio::test]
async fn a_log_that_grows_is_shown_as_it_grows() {
    use std::io::Write as _;
    let world = World::new().await;
    let (order, _) = run(&world, APP).await;
    let mut file = std::fs::File::create(world.dir_of(&order).join("stdout.log")).unwrap();
    for (text, total, last) in [
        ("one\n", 3, "one"),
        ("two", 4, "two"),
        (" and a half\nthree\n", 5, "three"),
        ("tschüß 🤔\r\n", 6, "tschüß 🤔"),
    ] {
        file.write_all(text.as_bytes()).unwrap();
        let shown = world.get("/batches/0/log").await.json();
        assert_eq!(shown["total"], total, "{text:?}");
        let line = shown["log"][total - 2].as_str().unwrap();
        assert_eq!(line.trim_end(), last);
        // A look at the files serves other readers for a moment.
        eventually("the batch has the new lines", async || {
            let batch = world.get(&format!("/batches/{}", BatchId(0))).await.json();
            (batch["log"] == shown["log"]).then_some(())
        })
        .await;
    }
}
