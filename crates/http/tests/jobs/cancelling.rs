//! Jobs that a client cancels.

use super::*;

async fn cancel(world: &World, job: JobId) {
    let path = format!("/sessions/0/jobs/{job}/cancel");
    for body in ["", "{}"] {
        let answer = world.post(&path, body).await;
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, ""));
        assert_eq!(
            answer.headers["content-type"],
            "application/json;charset=utf-8"
        );
    }
}

#[tokio::test]
async fn a_job_that_waits_for_its_driver_is_cancelled_on_the_spot() {
    let world = starting().await;
    submit(&world, FOO).await;
    submit(&world, FOO).await;
    cancel(&world, J1).await;
    let shown = status(&world, J1).await;
    assert_eq!(shown["state"], "CANCELLED");
    assert_eq!(shown["error"], Value::Null);
    let mut agent = ScriptedAgent::connect(&world, S0).await;
    agent.ready().await;
    assert_eq!(
        expect_job(&mut agent).await.0,
        J2,
        "the other is never sent"
    );
}

#[tokio::test]
async fn cancelled_is_said_when_the_job_has_stopped_and_not_before() {
    let (world, mut agent) = running().await;
    submit(&world, FOO).await;
    expect_job(&mut agent).await;
    begin(&mut agent, J1).await;
    await_job(&world, J1, "STARTED").await;
    cancel(&world, J1).await;
    assert_eq!(expect_cancel(&mut agent).await, J1);
    assert_eq!(status(&world, J1).await["state"], "STARTED");
    end(&mut agent, J1, JobOutcome::Cancelled, None).await;
    await_job(&world, J1, "CANCELLED").await;
    cancel(&world, J1).await;
    assert_eq!(status(&world, J1).await["state"], "CANCELLED");
}

#[tokio::test]
async fn a_job_that_does_not_stop_is_failed_and_a_second_cancel_is_by_force() {
    let (world, mut agent) = running().await;
    submit(&world, FOO).await;
    expect_job(&mut agent).await;
    begin(&mut agent, J1).await;
    await_job(&world, J1, "STARTED").await;
    // This asks twice.
    cancel(&world, J1).await;
    for force in [false, true] {
        let expected = Command::CancelJob { job: J1, force };
        assert_eq!(agent.command().await, expected);
    }
    end(&mut agent, J1, JobOutcome::Failed, None).await;
    await_job(&world, J1, "FAILED").await;
}

#[tokio::test]
async fn a_cancel_that_comes_too_late_leaves_the_result() {
    let (world, mut agent) = running().await;
    submit(&world, FOO).await;
    expect_job(&mut agent).await;
    cancel(&world, J1).await;
    expect_cancel(&mut agent).await;
    end(&mut agent, J1, JobOutcome::Succeeded, Some("YmFy")).await;
    assert_eq!(await_job(&world, J1, "SUCCEEDED").await["result"], "YmFy");
    cancel(&world, J1).await;
    assert_eq!(status(&world, J1).await["result"], "YmFy");
}

#[tokio::test]
async fn a_job_that_never_was_needs_no_cancelling() {
    let (world, _agent) = running().await;
    for job in [7, 0, -1] {
        cancel(&world, JobId(job)).await;
    }
    let answer = world.post("/sessions/0/jobs/x/cancel", "").await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.text, r#"{"msg":"For input string: \"x\""}"#);
    let answer = world.post("/sessions/7/jobs/1/cancel", "").await;
    assert_eq!(answer.status, 404);
    assert_eq!(answer.text, r#"{"msg":"Session '7' not found."}"#);
}

#[tokio::test]
async fn a_cancelled_job_whose_driver_dies_is_cancelled() {
    let (world, mut agent) = running().await;
    submit(&world, FOO).await;
    expect_job(&mut agent).await;
    cancel(&world, J1).await;
    world.driver(S0).await.1.exit(livius_domain::Exit::Code(1));
    await_job(&world, J1, "CANCELLED").await;
}
