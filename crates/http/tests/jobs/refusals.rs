//! Bad requests for jobs.

use livius_domain::Limits;

use super::*;

#[tokio::test]
async fn bad_requests_are_refused_in_livys_shapes() {
    let (world, _agent) = running().await;
    for (body, expected) in [
        ("{}", r#"{"msg":"requirement failed: no job provided."}"#),
        (
            r#"{"job":""}"#,
            r#"{"msg":"requirement failed: no job provided."}"#,
        ),
        (
            r#"{"job":null,"jobType":"spark"}"#,
            r#"{"msg":"requirement failed: no job provided."}"#,
        ),
        (
            r#"{"job":"a?b="}"#,
            r#"{"msg":"job is not base64: character 2 is '?', which is not of the standard alphabet (A-Z, a-z, 0-9, + and /)"}"#,
        ),
        (
            r#"{"job":"Zm9v","jobType":"sparkr"}"#,
            r#"{"msg":"Invalid jobType: sparkr; the types are spark (a job of Java or Scala) and pyspark (one of Python)"}"#,
        ),
        (
            "",
            r#""No content to map due to end-of-input (the request has no body; send a JSON object, such as {\"job\":\"gASVBA...\",\"jobType\":\"pyspark\"})""#,
        ),
    ] {
        for path in ["/sessions/0/submit-job", "/sessions/0/run-job"] {
            let answer = world.post(path, body).await;
            assert_eq!(answer.status, 400, "{body}");
            assert_eq!(answer.text, expected, "{body}");
        }
    }
    let answer = world
        .post("/sessions/0/submit-job", r#"{"code":"x"}"#)
        .await;
    assert_eq!(answer.status, 400);
    assert!(
        answer.text.starts_with("\"Unrecognized field"),
        "{}",
        answer.text
    );
}

#[tokio::test]
async fn what_is_not_there_is_404() {
    let (world, _agent) = running().await;
    for (path, expected) in [
        ("/sessions/0/jobs/5", r#"{"msg":"Job '5' not found."}"#),
        ("/sessions/0/jobs/-1", r#"{"msg":"Job '-1' not found."}"#),
        ("/sessions/7/jobs/1", r#"{"msg":"Session '7' not found."}"#),
    ] {
        let answer = world.get(path).await;
        assert_eq!(
            (answer.status.as_u16(), answer.text.as_str()),
            (404, expected)
        );
    }
    let answer = world.get("/sessions/0/jobs/99999999999").await;
    assert_eq!(answer.status, 400);
    for path in ["submit-job", "run-job"] {
        let answer = world.post(&format!("/sessions/7/{path}"), FOO).await;
        let expected = r#"{"msg":"Session '7' not found."}"#;
        assert_eq!(
            (answer.status.as_u16(), answer.text.as_str()),
            (404, expected)
        );
    }
}

#[tokio::test]
async fn too_many_jobs_at_once_are_refused_until_some_have_ended() {
    let world = World::limited(Limits {
        unfinished_jobs: 2,
        ..Limits::default()
    })
    .await;
    let mut agent = world.idle_session(r#"{"kind":"shared"}"#).await;
    submit(&world, FOO).await;
    submit(&world, FOO).await;
    let answer = world.post("/sessions/0/submit-job", FOO).await;
    assert_eq!(answer.status, 429);
    assert_eq!(answer.headers["retry-after"], "1");
    assert!(
        answer.json()["msg"].as_str().unwrap().contains("2 jobs"),
        "{}",
        answer.text
    );
    expect_job(&mut agent).await;
    end(&mut agent, J1, JobOutcome::Succeeded, None).await;
    agent.settled().await;
    assert_eq!(submit(&world, FOO).await, JobId(3));
}

#[tokio::test]
async fn a_result_that_is_not_what_it_is_said_to_be_fails_the_job() {
    let (world, mut agent) = running().await;
    submit(&world, FOO).await;
    expect_job(&mut agent).await;
    let breaking_out = r#"","error":"x"#;
    end(&mut agent, J1, JobOutcome::Succeeded, Some(breaking_out)).await;
    let failed = await_job(&world, J1, "FAILED").await;
    assert_eq!(failed["result"], Value::Null);
    submit(&world, FOO).await;
    expect_job(&mut agent).await;
    agent
        .say(Event::JobFinished {
            job: J2,
            at: 2,
            outcome: JobOutcome::Succeeded,
            result: None,
            chunks: 3,
            error: None,
        })
        .await;
    await_job(&world, J2, "FAILED").await;
}
