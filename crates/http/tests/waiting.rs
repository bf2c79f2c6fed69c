//! Requests that wait for a change instead of asking again and again.

use std::pin::pin;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt as _;
use livius_domain::{BatchId, Exit, SessionId, StatementId};
use livius_http::{AuthenticatedUser, Options, PeerAddress};
use livius_sessions::ShutdownPolicy;
use livius_testkit::{Answer, ScriptedAgent, World, pass};
use serde_json::{Value, json};
use tower::ServiceExt as _;

const S0: SessionId = SessionId(0);
const FIRST: StatementId = StatementId(0);
const STATEMENT: &str = "/sessions/0/statements/0?wait=30s";

/// Checks that a request waits, and returns its response after the event.
async fn answer_after(
    world: &World,
    request: impl Future<Output = Answer>,
    event: impl AsyncFnOnce(),
) -> Answer {
    let mut request = pin!(request);
    let early = world.answered(request.as_mut()).await;
    assert!(early.is_none(), "{early:?}");
    let (answer, ()) = tokio::join!(request, event());
    answer
}

/// A session whose first statement runs.
async fn with_a_running_statement(world: &World) -> ScriptedAgent {
    let mut agent = world.idle_session(r#"{"kind":"pyspark"}"#).await;
    world.run("1 + 1").await;
    agent.expect_run().await;
    agent.started(FIRST).await;
    world.await_statement(S0, 0, "running").await;
    agent
}

#[tokio::test]
async fn a_statement_is_shown_when_it_has_ended() {
    let world = World::new().await;
    let mut agent = with_a_running_statement(&world).await;
    let answer = answer_after(&world, world.get(STATEMENT), async || {
        agent.progress(FIRST, 0.5).await;
        world.quiesced().await;
        agent.finished(FIRST, "2").await;
    });
    let answer = answer.await.json();
    assert_eq!(answer["state"], "available");
    assert_eq!(answer["output"]["data"]["text/plain"], "2");
    let again = world.answered(world.get(STATEMENT)).await;
    assert_eq!(again.expect("no wait for what has ended").json(), answer);
}

#[tokio::test]
async fn a_post_has_the_output_in_its_response_if_that_comes_in_time() {
    let world = World::new().await;
    let mut agent = world.idle_session(r#"{"kind":"pyspark"}"#).await;
    let long = "x".repeat(300_000);
    for (number, output) in ["2", &long].into_iter().enumerate() {
        let post = world.post("/sessions/0/statements?wait=30s", r#"{"code":"f()"}"#);
        let running = async {
            let (statement, _) = agent.expect_run().await;
            agent.started(statement).await;
            agent.finished(statement, output).await;
        };
        let (answer, ()) = tokio::join!(post, running);
        assert_eq!(answer.status, 201);
        let location = format!("/sessions/0/statements/{number}");
        assert_eq!(answer.headers["location"], location.as_str());
        assert_eq!(answer.json()["output"]["data"]["text/plain"], output);
    }
    let post = world.post("/sessions/0/statements?wait=2s", r#"{"code":"slow()"}"#);
    let answer = answer_after(&world, post, async || pass(Duration::from_secs(2)).await).await;
    let shown = (answer.status.as_u16(), answer.json()["state"].clone());
    assert_eq!(shown, (201, json!("waiting")));
}

#[tokio::test]
async fn a_bad_wait_is_refused_before_the_code_runs() {
    let world = World::new().await;
    let _agent = world.idle_session(r#"{"kind":"pyspark"}"#).await;
    let refused = world
        .post("/sessions/0/statements?wait=30", r#"{"code":"1"}"#)
        .await;
    assert_eq!(refused.status, 400);
    assert!(
        refused.text.contains("wait=30: there is no unit"),
        "{}",
        refused.text
    );
    let list = world.get("/sessions/0/statements").await.json();
    assert_eq!(list["total_statements"], 0);
    let refused = world.get("/sessions/0?until=tired").await;
    assert_eq!(refused.status, 400);
    assert!(
        refused.text.contains(r#"\"tired\" is no state"#),
        "{}",
        refused.text
    );
}

#[tokio::test]
async fn a_wait_ends_at_its_deadline_which_is_bounded() {
    let world = World::new().await;
    let _agent = with_a_running_statement(&world).await;
    for (wait, seconds) in [("3s", 3), ("10d", 50)] {
        let path = format!("/sessions/0/statements/0?wait={wait}");
        let mut request = pin!(world.get(&path));
        assert!(world.answered(request.as_mut()).await.is_none());
        pass(Duration::from_secs(seconds - 1)).await;
        assert!(world.answered(request.as_mut()).await.is_none(), "{wait}");
        pass(Duration::from_secs(1)).await;
        let answer = world.answered(request).await.expect("the time is over");
        assert_eq!(answer.json()["state"], "running");
    }
}

#[tokio::test]
async fn a_client_with_too_many_waits_is_answered_at_once_and_others_wait() {
    let world = World::new().await;
    let mut agent = with_a_running_statement(&world).await;
    let options = Options {
        waits_of_one_client: 2,
        ..Options::default()
    };
    let router = livius_http::router(world.sessions().clone(), world.batches().clone(), options);
    let ask = async |host: u8, user: Option<&str>| {
        let mut request = Request::get(STATEMENT).body(Body::empty()).unwrap();
        let extensions = request.extensions_mut();
        extensions.insert(PeerAddress([10, 0, 0, host].into()));
        if let Some(user) = user {
            extensions.insert(AuthenticatedUser(user.to_owned()));
        }
        let answer = router.clone().oneshot(request).await.unwrap();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        let shown: Value = serde_json::from_slice(&body).unwrap();
        shown["state"].as_str().unwrap().to_owned()
    };
    let waiting = async {
        tokio::join!(
            ask(1, None),
            ask(1, None),
            ask(2, None),
            ask(1, Some("alice"))
        )
    };
    let mut waiting = pin!(waiting);
    tokio::select! {
        biased;
        early = waiting.as_mut() => panic!("{early:?}"),
        () = world.quiesced() => {}
    }
    let third = ask(1, None).await;
    assert_eq!(third, "running");
    let finish = async { agent.finished(FIRST, "2").await };
    let (states, ()) = tokio::join!(waiting, finish);
    for state in <[String; 4]>::from(states) {
        assert_eq!(state, "available");
    }
}

#[tokio::test]
async fn a_session_is_shown_when_it_has_started_or_is_as_the_client_wants_it() {
    let world = World::new().await;
    world.post("/sessions", r#"{"kind":"spark"}"#).await;
    let state = world.get("/sessions/0/state?wait=30s");
    let session = world.get("/sessions/0?wait=30s&until=idle,ended");
    let mut agent = ScriptedAgent::connect(&world, S0).await;
    let both = async { tokio::join!(state, session) };
    let mut both = pin!(both);
    tokio::select! {
        biased;
        early = both.as_mut() => panic!("{early:?}"),
        () = world.quiesced() => {}
    }
    let ((state, session), ()) = tokio::join!(both, agent.ready());
    assert_eq!(state.text, r#"{"id":0,"state":"idle"}"#);
    assert_eq!(session.json()["state"], "idle");

    let busy = world.get("/sessions/0/state?wait=30s&until=busy");
    let busy = answer_after(&world, busy, async || drop(world.run("1").await)).await;
    assert_eq!(busy.json()["state"], "busy");
    let ended = world.get("/sessions/0/state?wait=30s&until=ended");
    let ended = answer_after(&world, ended, async || {
        let (_, process) = world.launcher().driver_of(S0).expect("a driver");
        process.exit(Exit::Code(1));
    });
    assert_eq!(ended.await.json()["state"], "dead");
}

#[tokio::test]
async fn the_end_of_a_session_ends_every_wait() {
    let world = World::new().await;
    let _agent = with_a_running_statement(&world).await;
    let all = async {
        tokio::join!(
            world.get(STATEMENT),
            world.get("/sessions/0?wait=30s&until=starting")
        )
    };
    let mut all = pin!(all);
    tokio::select! {
        biased;
        early = all.as_mut() => panic!("{early:?}"),
        () = world.quiesced() => {}
    }
    let (_, process) = world.launcher().driver_of(S0).expect("a driver");
    process.exit(Exit::Code(1));
    let (statement, session) = all.await;
    assert_eq!(statement.json()["output"]["status"], "error");
    assert_eq!(session.json()["state"], "dead");
}

#[tokio::test]
async fn a_deleted_session_is_not_there_any_more() {
    let world = World::new().await;
    let _agent = with_a_running_statement(&world).await;
    let waiting = answer_after(&world, world.get(STATEMENT), async || {
        world.delete("/sessions/0").await;
    });
    assert_eq!(waiting.await.status, 404);
}

#[tokio::test]
async fn a_client_that_waits_is_present() {
    let world = World::new().await;
    let request = r#"{"kind":"pyspark","heartbeatTimeoutInSecond":10}"#;
    let mut agent = world.idle_session(request).await;
    let waiting = world.get("/sessions/0/state?wait=50s&until=busy");
    let waiting = answer_after(&world, waiting, async || {
        world.clock().advance(Duration::from_mins(1));
        // The server looks at the heartbeats each second.
        pass(Duration::from_secs(2)).await;
        world.quiesced().await;
        world.run("1").await;
    });
    assert_eq!(waiting.await.json()["state"], "busy");
    agent.expect_run().await;
}

#[tokio::test]
async fn a_batch_is_shown_when_it_has_ended() {
    let world = World::new().await;
    world
        .post("/batches", r#"{"file":"hdfs://h/app.py"}"#)
        .await;
    world.quiesced().await;
    let (_, process) = world.batch_process(BatchId(0)).await;
    let all = async {
        tokio::join!(
            world.get("/batches/0/state?wait=30s"),
            world.get("/batches/0?wait=30s&until=success,dead"),
            world.get("/api/v1/batches/0?wait=30s")
        )
    };
    let mut all = pin!(all);
    tokio::select! {
        biased;
        early = all.as_mut() => panic!("{early:?}"),
        () = world.quiesced() => {}
    }
    process.exit(Exit::Code(0));
    let (state, batch, detail) = all.await;
    assert_eq!(state.json()["state"], "success");
    assert_eq!(batch.json()["state"], "success");
    assert_eq!(detail.json()["state"], "success");
    let refused = world.get("/api/v1/batches/0?wait=x").await;
    assert_eq!(refused.status, 400);
    assert_eq!(refused.headers["content-type"], "application/problem+json");
}

#[tokio::test]
async fn a_shutdown_answers_every_request_that_waits() {
    let world = World::new().await;
    let _agent = with_a_running_statement(&world).await;
    let waiting = answer_after(&world, world.get(STATEMENT), async || {
        let sessions = world.sessions();
        assert!(
            sessions
                .shutdown(ShutdownPolicy::Keep, Duration::from_secs(10))
                .await
        );
    });
    assert_eq!(waiting.await.json()["state"], "running");
}
