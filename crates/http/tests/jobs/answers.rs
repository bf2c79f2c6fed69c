//! The responses of each route about a job.

use axum::http::Method;
use http_body_util::BodyExt as _;
use livius_domain::{JobLanguage, Limits, StatementId};
use tower::ServiceExt as _;

use super::*;

#[tokio::test]
async fn a_job_is_sent_runs_and_is_read_as_often_as_one_likes() {
    let (world, mut agent) = running().await;
    let body = r#"{"job":"Zm9v\r\nYg","jobType":"pyspark"}"#;
    let answer = world.post("/sessions/0/submit-job", body).await;
    assert_eq!(answer.status, 201);
    assert_eq!(answer.headers["location"], "/sessions/0/jobs/1");
    assert_eq!(
        answer.headers["content-type"],
        "application/json;charset=utf-8"
    );
    assert_eq!(
        answer.text,
        r#"{"id":1,"state":"SENT","result":null,"error":null}"#
    );
    let given = expect_job(&mut agent).await;
    assert_eq!(given, (J1, JobLanguage::Python, "Zm9vYg==".to_owned()));
    await_job(&world, J1, "QUEUED").await;
    begin(&mut agent, J1).await;
    await_job(&world, J1, "STARTED").await;
    end(&mut agent, J1, JobOutcome::Succeeded, Some("YmFy")).await;
    await_job(&world, J1, "SUCCEEDED").await;
    for _ in 0..3 {
        let answer = world.get("/sessions/0/jobs/1").await;
        assert_eq!(
            answer.text,
            r#"{"id":1,"state":"SUCCEEDED","result":"YmFy","error":null}"#
        );
        assert_eq!(
            answer.headers["content-length"],
            answer.text.len().to_string()
        );
    }
}

#[tokio::test]
async fn jobs_that_fail_or_return_nothing_say_so() {
    let (world, mut agent) = running().await;
    for (job, outcome, text, expected) in [
        (
            J1,
            JobOutcome::Succeeded,
            None,
            r#"{"id":1,"state":"SUCCEEDED","result":null,"error":null}"#,
        ),
        (
            J2,
            JobOutcome::Failed,
            Some("ValueError: \"no\"\n\tat x"),
            r#"{"id":2,"state":"FAILED","result":null,"error":"ValueError: \"no\"\n\tat x"}"#,
        ),
    ] {
        assert_eq!(submit(&world, FOO).await, job);
        assert_eq!(
            expect_job(&mut agent).await,
            (job, JobLanguage::Jvm, "Zm9v".to_owned())
        );
        end(&mut agent, job, outcome, text).await;
        agent.settled().await;
        let answer = world.get(&format!("/sessions/0/jobs/{job}")).await;
        assert_eq!(answer.text, expected);
    }
}

#[tokio::test]
async fn jobs_run_beside_statements_and_beside_each_other() {
    let (world, mut agent) = running().await;
    let statement = r#"{"code":"x","kind":"pyspark"}"#;
    world.post("/sessions/0/statements", statement).await;
    assert_eq!(agent.expect_run().await.0, StatementId(0));
    assert_eq!(submit(&world, FOO).await, J1);
    let run = world.post("/sessions/0/run-job", FOO).await;
    assert_eq!(
        run.text,
        r#"{"id":2,"state":"SENT","result":null,"error":null}"#
    );
    assert_eq!(expect_job(&mut agent).await.0, J1);
    assert_eq!(expect_job(&mut agent).await.0, J2);
    end(&mut agent, J2, JobOutcome::Succeeded, Some("YmFy")).await;
    await_job(&world, J2, "SUCCEEDED").await;
    await_job(&world, J1, "QUEUED").await;
    agent.finished(StatementId(0), "done").await;
    world.await_statement(S0, 0, "available").await;
    // Livy does not count jobs either: its clients would wait for a session that is busy with their
    // own job.
    world.await_state(S0, "idle").await;
}

#[tokio::test]
async fn jobs_sent_while_the_session_starts_wait_for_it() {
    let world = starting().await;
    assert_eq!(submit(&world, FOO).await, J1);
    assert_eq!(status(&world, J1).await["state"], "SENT");
    let mut agent = ScriptedAgent::connect(&world, S0).await;
    agent.ready().await;
    assert_eq!(expect_job(&mut agent).await.0, J1);
    await_job(&world, J1, "QUEUED").await;
}

#[tokio::test]
async fn a_long_result_passes_through_piece_by_piece() {
    const PIECE_BYTES: usize = 256 << 10;
    const PIECES: u32 = 40;
    let (world, mut agent) = running().await;
    submit(&world, FOO).await;
    expect_job(&mut agent).await;
    for index in 0..PIECES {
        let data = "AAAA".repeat(PIECE_BYTES / 4);
        agent
            .say(Event::JobChunk {
                job: J1,
                index,
                data,
            })
            .await;
    }
    agent
        .say(Event::JobFinished {
            job: J1,
            at: 2,
            outcome: JobOutcome::Succeeded,
            result: None,
            chunks: PIECES,
            error: None,
        })
        .await;
    agent.settled().await;
    let request = Request::get("/sessions/0/jobs/1").body(Body::empty());
    let answer = world.router().oneshot(request.unwrap()).await.unwrap();
    let (mut body, mut text) = (answer.into_body(), Vec::new());
    while let Some(frame) = body.frame().await {
        let data = frame.unwrap().into_data().unwrap();
        assert!(data.len() < 2 * PIECE_BYTES, "a piece of {}", data.len());
        text.extend_from_slice(&data);
    }
    let answer: Value = serde_json::from_slice(&text).unwrap();
    let result = answer["result"].as_str().unwrap();
    assert_eq!(result.len(), PIECE_BYTES * PIECES as usize);
    assert_eq!(answer["state"], "SUCCEEDED");
    assert_eq!(answer.as_object().unwrap().len(), 4);
}

#[tokio::test]
async fn paths_and_methods_are_understood_as_everywhere() {
    let (world, mut agent) = running().await;
    submit(&world, FOO).await;
    expect_job(&mut agent).await;
    for (method, path, status) in [
        (Method::GET, "/sessions/0/jobs/1", 200),
        (Method::HEAD, "/sessions/0/jobs/1", 200),
        (Method::GET, "//sessions/0/jobs/1/;x=y", 200),
        (Method::GET, "/sessions/0/jobs/01", 200),
        (Method::GET, "/sessions/0/jobs", 404),
        (Method::OPTIONS, "/sessions/0/jobs/1", 405),
        (Method::DELETE, "/sessions/0/jobs/1", 405),
        (Method::GET, "/sessions/0/submit-job", 405),
        (Method::GET, "/sessions/0/upload-jar", 405),
        (Method::POST, "/sessions/0/jobs/1?_method=GET", 200),
        (Method::POST, "/sessions/0/jobs/1/cancel/", 200),
    ] {
        let request = Request::builder().method(method.clone()).uri(path);
        let answer = world.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status.as_u16(), status, "{method} {path}");
    }
    let name = world.post("/sessions", r#"{"name":"a b","kind":"spark"}"#);
    assert_eq!(name.await.status, 201);
    let named = world.post("/sessions/a%20b/submit-job/", FOO).await;
    assert_eq!(named.status, 201);
    // Jobs are numbered within their session, whose number is in their address.
    assert_eq!(named.headers["location"], "/sessions/1/jobs/1");
}

#[tokio::test]
async fn old_jobs_make_room_for_new_ones() {
    let world = World::limited(Limits {
        retained_jobs: 2,
        ..Limits::default()
    })
    .await;
    let mut agent = world.idle_session(r#"{"kind":"shared"}"#).await;
    let mut last = J1;
    // Old jobs are dropped now and then, not after each job.
    for _ in 0..200 {
        last = submit(&world, FOO).await;
        expect_job(&mut agent).await;
        end(&mut agent, last, JobOutcome::Succeeded, None).await;
        agent.settled().await;
    }
    assert_eq!(world.get("/sessions/0/jobs/1").await.status, 404);
    assert_eq!(status(&world, last).await["state"], "SUCCEEDED");
}
