//! The ends of sessions, with their jobs and files, and the requests that they refuse afterwards.

use livius_domain::Exit;

use super::*;

const INACTIVE: &str = r#"{"msg":"requirement failed: Session isn't active."}"#;

#[tokio::test]
async fn a_job_is_shown_when_it_has_ended() {
    let (world, mut agent) = running().await;
    submit(&world, FOO).await;
    expect_job(&mut agent).await;
    let mut waiting = std::pin::pin!(world.get("/sessions/0/jobs/1?wait=30s"));
    begin(&mut agent, J1).await;
    let early = world.answered(waiting.as_mut()).await;
    assert!(early.is_none(), "{early:?}");
    let ended = end(&mut agent, J1, JobOutcome::Succeeded, Some("YmFy"));
    let (job, ()) = tokio::join!(waiting, ended);
    let job = job.json();
    assert_eq!(
        (job["state"].as_str(), job["result"].as_str()),
        (Some("SUCCEEDED"), Some("YmFy"))
    );
    let again = world
        .answered(world.get("/sessions/0/jobs/1?wait=30s"))
        .await;
    assert_eq!(again.expect("no wait for what has ended").json(), job);
}

#[tokio::test]
async fn the_jobs_of_a_lost_driver_have_failed_and_stay_readable() {
    let (world, mut agent) = running().await;
    submit(&world, FOO).await;
    expect_job(&mut agent).await;
    end(&mut agent, J1, JobOutcome::Succeeded, Some("YmFy")).await;
    await_job(&world, J1, "SUCCEEDED").await;
    submit(&world, FOO).await;
    world.driver(S0).await.1.exit(Exit::Code(3));
    world.await_state(S0, "dead").await;
    let lost = await_job(&world, J2, "FAILED").await;
    let error = lost["error"].as_str().unwrap();
    assert!(error.contains("exit code 3"), "{error}");
    assert_eq!(lost["result"], Value::Null);
    assert_eq!(status(&world, J1).await["result"], "YmFy");
    assert_eq!(
        world.get("/sessions/0/jobs/7").await.text,
        r#"{"msg":"Job '7' not found."}"#
    );
    let world = world.crash_and_restart().await;
    assert_eq!(status(&world, J1).await["result"], "YmFy");
    assert_eq!(status(&world, J2).await["state"], "FAILED");
}

#[tokio::test]
async fn a_session_that_has_ended_takes_nothing_more() {
    let (world, _agent) = running().await;
    world.driver(S0).await.1.exit(Exit::Code(3));
    world.await_state(S0, "dead").await;
    for (path, body) in [
        ("submit-job", FOO),
        ("run-job", FOO),
        ("jobs/1/cancel", ""),
        ("add-jar", r#"{"uri":"hdfs://h/a.jar"}"#),
        ("add-pyfile", r#"{"uri":"hdfs://h/a.py"}"#),
        ("add-file", r#"{"uri":"hdfs://h/a"}"#),
    ] {
        let answer = world.post(&format!("/sessions/0/{path}"), body).await;
        let shown = (answer.status.as_u16(), answer.text.as_str());
        assert_eq!(shown, (400, INACTIVE), "{path}");
        let reason = answer.headers["livius-reason"].to_str().unwrap();
        assert!(reason.contains("exit code 3"), "{reason}");
    }
    for (path, name) in [
        ("upload-jar", "jar"),
        ("upload-pyfile", "file"),
        ("upload-file", "file"),
    ] {
        let body = form(&[file(name, "a", b"abc")]);
        let answer = send(&world, &format!("/sessions/0/{path}"), body).await;
        let shown = (answer.status.as_u16(), answer.text.as_str());
        assert_eq!(shown, (400, INACTIVE), "{path}");
    }
}

#[tokio::test]
async fn who_waits_for_a_file_to_be_added_hears_of_the_sessions_end() {
    let (world, mut agent) = running().await;
    let (_, process) = world.driver(S0).await;
    let answer = upload(&world, "a.txt", b"abc");
    let ending = async {
        expect_resource(&mut agent).await;
        process.exit(Exit::Code(3));
    };
    let (answer, ()) = tokio::join!(answer, ending);
    let shown = (answer.status.as_u16(), answer.text.as_str());
    assert_eq!(shown, (400, INACTIVE));
}
