//! A batch is `running` only when its own application has reported so.

use axum::body::Body;
use axum::http::Request;
use livius_domain::{Exit, SessionId};
use livius_testkit::DriverOrder;
use livius_testkit::{Answer, World};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::{APP, B0, B1, REPORT, detail, run, submit, world_of};

async fn report_as(world: &World, driver: &str, authorization: &str) -> Answer {
    let request = Request::post("/api/v1/agent/application")
        .header("livius-driver", driver)
        .header("authorization", authorization);
    world.send(request.body(Body::from(REPORT)).unwrap()).await
}

fn bearer(order: &DriverOrder) -> String {
    format!("Bearer {}", order.token.expose_secret())
}

#[tokio::test]
async fn a_batch_runs_when_its_application_says_so() {
    let world = World::new().await;
    submit(&world, APP).await;
    let (order, _) = world.batch_process(B0).await;
    world.quiesced().await;
    let shown = detail(&world, B0).await;
    assert_eq!(
        (&shown["state"], &shown["step"]),
        (&json!("starting"), &json!("submitted"))
    );
    assert_eq!(shown["runningAt"], Value::Null);

    let report =
        r#"{"v":1,"appId":"app-1","sparkUiUrl":"http://h:4040","driverLogUrl":"https://h/log"}"#;
    let taken = world.report_application(&order, report).await;
    assert_eq!((taken.status.as_u16(), taken.text.as_str()), (204, ""));
    // The response is true as soon as the client has it.
    assert_eq!(
        world.get("/batches/0/state").await.text,
        r#"{"id":0,"state":"running"}"#
    );
    let shown = world.get("/batches/0").await.json();
    assert_eq!(shown["appId"], "app-1");
    assert_eq!(
        shown["appInfo"],
        json!({"driverLogUrl": "https://h/log", "sparkUiUrl": "http://h:4040", "executorLogUrls": null})
    );
    let shown = detail(&world, B0).await;
    assert_eq!(
        (&shown["state"], &shown["step"]),
        (&json!("running"), &Value::Null)
    );
    assert!(shown["runningAt"].is_string());

    // The agent may repeat the report with other values.
    for (report, url) in [
        (REPORT, json!("http://127.0.0.1:4040")),
        (r#"{"v":1,"appId":"local-7"}"#, Value::Null),
    ] {
        assert_eq!(world.report_application(&order, report).await.status, 204);
        let shown = world.get("/batches/0").await.json();
        assert_eq!(
            (&shown["state"], &shown["appId"]),
            (&json!("running"), &json!("local-7"))
        );
        assert_eq!(shown["appInfo"]["sparkUiUrl"], url);
    }
}

#[tokio::test]
async fn only_the_batchs_own_agent_is_believed() {
    let world = World::new().await;
    submit(&world, APP).await;
    submit(&world, APP).await;
    world.post("/sessions", "{}").await;
    let (order, _) = world.batch_process(B0).await;
    let (other, _) = world.batch_process(B1).await;
    let (session, _) = world.driver(SessionId(0)).await;
    let name = order.id.as_str();
    for (driver, authorization, status) in [
        (name, "Bearer 0000".to_owned(), 401),
        (name, "Bearer ".to_owned(), 401),
        (name, "Basic YTpi".to_owned(), 401),
        (name, bearer(&other), 401),
        (name, bearer(&session), 401),
        ("b-9-000000000000", bearer(&order), 404),
        ("../etc/passwd", bearer(&order), 404),
        (session.id.as_str(), bearer(&session), 404),
    ] {
        let refused = report_as(&world, driver, &authorization).await;
        assert_eq!(refused.status, status, "{driver} {authorization}");
        assert!(refused.json()["message"].is_string());
        assert_eq!(
            refused.headers.contains_key("www-authenticate"),
            status == 401
        );
    }
    let nobody = world.post("/api/v1/agent/application", REPORT).await;
    assert_eq!(nobody.status, 401);
    // The routes for agents of sessions refuse it, too.
    let access = world.sessions().agent_access(&order.id).await;
    assert_eq!(
        access.unwrap_err(),
        livius_sessions::AttachRefused::UnknownDriver
    );
    for id in [B0, B1] {
        assert_eq!(
            world.get(&format!("/batches/{id}")).await.json()["appId"],
            Value::Null
        );
        world.await_batch(id, "starting").await;
    }
}

#[tokio::test]
async fn a_report_that_cannot_be_trusted_changes_nothing() {
    let world = World::new().await;
    submit(&world, APP).await;
    let (order, _) = world.batch_process(B0).await;
    for report in [
        "",
        "{}",
        "[]",
        "null",
        r#"{"appId":"a"}"#,
        r#"{"v":2,"appId":"a"}"#,
        r#"{"v":1}"#,
        r#"{"v":1,"appId":""}"#,
        r#"{"v":1,"appId":"a\nb"}"#,
        r#"{"v":1,"appId":"a","sparkUiUrl":"javascript:alert(1)"}"#,
        r#"{"v":1,"appId":"a","driverLogUrl":"JavaScript:alert(1)"}"#,
        r#"{"v":1,"appId":"a","sparkUiUrl":"//h"}"#,
        r#"{"v":1,"appId":"a","sparkUiUrl":5}"#,
    ] {
        let refused = world.report_application(&order, report).await;
        assert_eq!(refused.status, 400, "{report}: {}", refused.text);
    }
    world.quiesced().await;
    let shown = detail(&world, B0).await;
    assert_eq!(
        (&shown["step"], &shown["appId"]),
        (&json!("submitted"), &Value::Null)
    );
    assert_eq!(world.report_application(&order, REPORT).await.status, 204);
    world.await_batch(B0, "running").await;
}

#[tokio::test]
async fn a_report_after_the_end_is_of_nobody() {
    let world = World::new().await;
    let (order, process) = run(&world, APP).await;
    process.exit(Exit::Code(0));
    world.await_batch(B0, "success").await;
    let late = r#"{"v":1,"appId":"late"}"#;
    assert_eq!(world.report_application(&order, late).await.status, 404);
    let (deleted, _) = run(&world, APP).await;
    assert_eq!(world.delete("/batches/1").await.status, 200);
    world.quiesced().await;
    assert_eq!(world.report_application(&deleted, late).await.status, 404);
    assert_eq!(world.get("/batches/0").await.json()["appId"], "local-7");
}

#[tokio::test]
async fn a_report_while_it_is_being_ended_is_kept() {
    let world = World::new().await;
    world.launcher().make_deaf(true);
    submit(&world, APP).await;
    let (order, process) = world.batch_process(B0).await;
    let killing = async {
        // When this state shows, the batch is being stopped.
        livius_testkit::eventually("the kill is under way", async || {
            detail(&world, B0).await["stoppingAt"]
                .is_string()
                .then_some(())
        })
        .await;
        world.await_batch(B0, "starting").await;
        assert_eq!(world.report_application(&order, REPORT).await.status, 204);
        world.await_batch(B0, "running").await;
        process.exit(Exit::Signal(9));
    };
    let (killed, ()) = tokio::join!(world.post("/api/v1/batches/0/kill", ""), killing);
    assert_eq!(killed.json()["state"], "killed");
    assert_eq!(killed.json()["appId"], "local-7");
}

#[tokio::test]
async fn what_a_report_says_is_stored_before_it_is_answered() {
    let world = World::new().await;
    submit(&world, APP).await;
    let (order, _) = world.batch_process(B0).await;
    world.quiesced().await;
    world.disk().set_full(true);
    for _ in 0..2 {
        let refused = world.report_application(&order, REPORT).await;
        assert!(refused.status.is_server_error(), "{}", refused.status);
    }
    world.disk().set_full(false);
    assert_eq!(world.report_application(&order, REPORT).await.status, 204);
    let world = world.crash_and_restart().await;
    world.await_batch(B0, "running").await;
    assert_eq!(world.get("/batches/0").await.json()["appId"], "local-7");
}

#[tokio::test]
async fn a_start_whose_application_is_heard_of_lets_others_start() {
    let world = world_of(1, 10).await;
    for _ in 0..3 {
        submit(&world, APP).await;
    }
    let (order, _) = world.batch_process(B0).await;
    world.quiesced().await;
    assert_eq!(super::started(&world, 1).await, [0]);
    assert_eq!(world.report_application(&order, REPORT).await.status, 204);
    assert_eq!(super::started(&world, 2).await, [0, 1]);
    // The end of a batch frees its place, too.
    world.batch_process(B1).await.1.exit(Exit::Code(1));
    assert_eq!(super::started(&world, 3).await, [0, 1, 2]);
}
