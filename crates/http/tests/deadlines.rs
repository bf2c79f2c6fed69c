//! The time until a response starts, by the group of the route. The store holds a call, so the
//! handlers never finish.

use std::pin::pin;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use livius_domain::BatchId;
use livius_http::Options;
use livius_testkit::{Answer, World, pass};

/// The clock of a test runs while it waits for the world. Two waits take no longer than this.
const MARGIN: Duration = Duration::from_secs(30);

/// Checks that a request is refused at its deadline, and not before.
async fn assert_refused_at(
    deadline: Duration,
    world: &World,
    request: impl Future<Output = Answer>,
) {
    let mut request = pin!(request);
    let early = world.answered(request.as_mut()).await;
    assert!(early.is_none(), "{early:?}");
    pass(deadline.saturating_sub(MARGIN)).await;
    let early = world.answered(request.as_mut()).await;
    assert!(early.is_none(), "{early:?}");
    pass(MARGIN).await;
    let refused = world.answered(request).await;
    assert_eq!(refused.expect("a refusal").status, 504);
}

#[tokio::test]
async fn livys_routes_have_the_usual_deadline() {
    let world = World::new().await;
    world.disk().hold("create_session");
    let creating = world.post("/sessions", "{}");
    assert_refused_at(Options::default().deadline, &world, creating).await;
}

#[tokio::test]
async fn our_own_routes_have_the_usual_deadline() {
    let world = World::new().await;
    world
        .post("/batches", r#"{"file":"hdfs://h/app.py"}"#)
        .await;
    world.quiesced().await;
    let (order, _) = world.batch_process(BatchId(0)).await;
    world.disk().hold("update_driver");
    let reporting = world.report_application(&order, r#"{"v":1,"appId":"local-7"}"#);
    assert_refused_at(Options::default().deadline, &world, reporting).await;
}

#[tokio::test]
async fn an_upload_has_the_time_for_its_file_and_then_the_usual_deadline() {
    let world = World::new().await;
    let _agent = world.idle_session(r#"{"kind":"shared"}"#).await;
    world.disk().hold("create_resource");
    let body = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nabc\r\n--b--\r\n";
    let request = Request::post("/sessions/0/upload-file")
        .header("content-type", "multipart/form-data; boundary=b")
        .body(Body::from(body))
        .unwrap();
    let Options {
        deadline,
        upload_deadline,
        ..
    } = Options::default();
    assert_refused_at(upload_deadline + deadline, &world, world.send(request)).await;
}
