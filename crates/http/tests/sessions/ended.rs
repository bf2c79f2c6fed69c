//! The things that stay of a session when it has ended: the last lines of its log, and no secret.

use livius_domain::Exit;
use livius_testkit::World;
use serde_json::json;

use super::{S0, S1, create, ready};

const SECRET: &str = "correct-horse";

/// Lets a session print to its log, and ends its driver.
async fn end_with(world: &World, id: livius_domain::SessionId, output: &str) {
    let (order, process) = world.driver(id).await;
    std::fs::write(world.dir_of(&order).join("stdout.log"), output).unwrap();
    process.exit(Exit::Code(7));
    world.await_state(id, "dead").await;
}

#[tokio::test]
async fn lists_of_ended_sessions_read_no_log() {
    let world = World::new().await;
    create(&world, r#"{"kind":"pyspark"}"#).await;
    let _agent = ready(&world, S0).await;
    end_with(&world, S0, "one\ntwo\n").await;
    let shown = world.get("/sessions/0").await.json()["log"].clone();
    let lines = shown.as_array().unwrap();
    assert_eq!(
        lines[..4],
        [
            json!("stdout: "),
            json!("one"),
            json!("two"),
            json!("\nstderr: ")
        ]
    );
    assert!(
        lines[4].as_str().unwrap().starts_with("livius: "),
        "{shown}"
    );

    let (order, _) = world.driver(S0).await;
    std::fs::write(world.dir_of(&order).join("stdout.log"), "three\n").unwrap();
    let as_before = async |world: &World| {
        let list = world.get("/sessions").await.json();
        assert_eq!(list["sessions"][0]["log"], shown);
        assert_eq!(world.get("/sessions/0").await.json()["log"], shown);
        // Pages of the log come from its file.
        let page = world.get("/sessions/0/log?from=1&size=1").await.json();
        assert_eq!(page["log"], json!(["three"]));
    };
    as_before(&world).await;
    as_before(&world.crash_and_restart().await).await;
}

#[tokio::test]
async fn last_lines_that_are_long_are_read_from_the_log() {
    let world = World::new().await;
    create(&world, r#"{"kind":"pyspark"}"#).await;
    let long = "x".repeat(20_000);
    end_with(&world, S0, &format!("{long}\n")).await;
    let list = world.get("/sessions").await.json();
    assert_eq!(list["sessions"][0]["log"][1], json!(long));
}

#[tokio::test]
async fn secrets_stay_until_the_end_and_responses_do_not_change() {
    let world = World::new().await;
    let request = json!({
        "kind": "pyspark",
        "jars": [format!("https://ann:{SECRET}@h/a.jar")],
        "conf": {"spark.my.password": SECRET, "spark.x": format!("jdbc:x://h?password={SECRET}")},
    });
    create(&world, &request.to_string()).await;
    create(&world, r#"{"kind":"pyspark"}"#).await;
    let (order, _) = world.driver(S0).await;
    assert_eq!(order.conf["spark.my.password"], SECRET);
    let asked = async |world: &World| {
        let session = world.get("/sessions/0").await.json();
        (session["conf"].clone(), session["jars"].clone())
    };
    let before = asked(&world).await;
    // The next server may have to launch the driver again.
    let world = world.crash_and_restart().await;
    assert!(stored(&world).await.contains(SECRET));
    assert_eq!(asked(&world).await, before);
    end_with(&world, S0, "").await;
    assert_eq!(asked(&world).await, before);
    assert!(!stored(&world).await.contains(SECRET));
    let world = world.crash_and_restart().await;
    assert_eq!(asked(&world).await, before);
    assert_eq!(before.0["spark.my.password"], "*********(redacted)");
    world.await_state(S1, "starting").await;
}

/// The request of the first session as it is stored.
async fn stored(world: &World) -> String {
    serde_json::to_string(&*world.stored_session(S0).await.request).unwrap()
}
