//! The store fails for a while. Nothing that was acknowledged is lost, and nothing is acknowledged
//! before it is stored.

use livius_domain::{Exit, SessionId};
use livius_testkit::World;

const S0: SessionId = SessionId(0);

#[tokio::test]
async fn what_cannot_be_stored_is_refused() {
    let world = World::new().await;
    let _agent = world.idle_session(r#"{"kind":"pyspark"}"#).await;
    world.disk().set_full(true);
    assert_eq!(world.post("/sessions", "{}").await.status, 500);
    let posted = world.post("/sessions/0/statements", r#"{"code":"1"}"#);
    assert_eq!(posted.await.status, 500);
    world.disk().set_full(false);
    assert_eq!(world.get("/sessions").await.json()["total"], 1);
    let statements = world.get("/sessions/0/statements").await.json();
    assert_eq!(statements["total_statements"], 0);
}

#[tokio::test]
async fn a_result_that_cannot_be_stored_is_kept_by_the_agent() {
    let world = World::new().await;
    let mut agent = world.idle_session(r#"{"kind":"pyspark"}"#).await;
    world.run("x").await;
    let (id, _) = agent.expect_run().await;
    agent.started(id).await;
    world.await_statement(S0, 0, "running").await;
    world.disk().set_full(true);
    agent.finished(id, "kept").await;
    // The server drops the link: an acknowledgement would be false.
    agent.hung_up().await;
    let shown = world.await_statement(S0, 0, "running").await;
    assert_eq!(shown["output"], serde_json::Value::Null);
    world.disk().set_full(false);
    agent.reconnect(&world).await;
    let done = world.await_statement(S0, 0, "available").await;
    assert_eq!(done["output"]["data"]["text/plain"], "kept");
}

#[tokio::test]
async fn an_end_that_cannot_be_stored_is_stored_later() {
    let world = World::new().await;
    let mut agent = world.idle_session(r#"{"kind":"pyspark"}"#).await;
    for code in ["a", "b"] {
        let body = format!(r#"{{"code":"{code}"}}"#);
        world.post("/sessions/0/statements", &body).await;
    }
    agent.expect_run().await;
    world.disk().set_full(true);
    world.driver(S0).await.1.exit(Exit::Code(3));
    world.await_state(S0, "dead").await;
    world.disk().set_full(false);
    world.await_statement(S0, 0, "available").await;
    world.await_statement(S0, 1, "cancelled").await;
    let world = world.crash_and_restart().await;
    world.await_state(S0, "dead").await;
    world.await_statement(S0, 0, "available").await;
    world.await_statement(S0, 1, "cancelled").await;
}
