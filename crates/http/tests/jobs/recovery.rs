//! Lost links and lost servers: nothing that was acknowledged is lost, and the driver gets nothing
//! twice without need.

use futures_util::stream::{self, StreamExt as _};
use livius_domain::ResourceUse;

use super::*;

#[tokio::test]
async fn after_a_crash_jobs_go_on() {
    let (world, mut agent) = running().await;
    for job in [J1, J2, JobId(3)] {
        assert_eq!(submit(&world, FOO).await, job);
        expect_job(&mut agent).await;
    }
    end(&mut agent, J1, JobOutcome::Succeeded, Some("YmFy")).await;
    begin(&mut agent, J2).await;
    agent.settled().await;
    world.post("/sessions/0/jobs/3/cancel", "").await;
    assert_eq!(expect_cancel(&mut agent).await, JobId(3));

    let world = world.crash_and_restart().await;
    agent.disconnect();
    assert_eq!(status(&world, J1).await["result"], "YmFy");
    assert_eq!(status(&world, J2).await["state"], "STARTED");
    // The agent sends this while it is not connected.
    end(&mut agent, J2, JobOutcome::Failed, Some("no")).await;
    agent.reconnect(&world).await;
    assert_eq!(await_job(&world, J2, "FAILED").await["error"], "no");
    // The server repeats the unfinished commands, including the cancellation. The agent knows them
    // already.
    let mut told = Vec::new();
    while !matches!(told.last(), Some(Command::CancelJob { job: JobId(3), .. })) {
        told.push(agent.command().await);
    }
    assert!(told.iter().any(|command| matches!(command, Command::Job { job: JobId(3), payload, .. } if payload == "Zm9v")));
    end(&mut agent, JobId(3), JobOutcome::Cancelled, None).await;
    await_job(&world, JobId(3), "CANCELLED").await;
    // Numbers are not reused.
    assert_eq!(submit(&world, FOO).await, JobId(4));
}

#[tokio::test]
async fn a_job_that_did_not_arrive_is_sent_again() {
    let (world, mut agent) = running().await;
    agent.disconnect();
    submit(&world, FOO).await;
    agent.reconnect(&world).await;
    assert_eq!(expect_job(&mut agent).await.2, "Zm9v");
    end(&mut agent, J1, JobOutcome::Succeeded, None).await;
    await_job(&world, J1, "SUCCEEDED").await;
}

#[tokio::test]
async fn after_a_crash_a_file_that_waits_is_still_there() {
    let world = starting().await;
    assert_eq!(upload(&world, "a.txt", b"abc").await.status, 200);
    let body = r#"{"uri":"hdfs://h/b.jar"}"#;
    assert_eq!(world.post("/sessions/0/add-jar", body).await.status, 200);
    submit(&world, FOO).await;

    let world = world.crash_and_restart().await;
    let (order, _) = world.driver(S0).await;
    assert_eq!(kept(&world).await, ["1"]);
    let mut agent = ScriptedAgent::connect(&world, S0).await;
    agent.ready().await;
    let first = expect_resource(&mut agent).await;
    assert_eq!(first, uploaded(R1, ResourceUse::File, "a.txt"));
    assert_eq!(expect_resource(&mut agent).await.resource, R2);
    assert_eq!(expect_job(&mut agent).await.0, J1);
    assert_eq!(download(&world, &order, R1).await.text, "abc");
    added(&mut agent, R1, None).await;
    agent.settled().await;
    assert_eq!(download(&world, &order, R1).await.status, 404);
    assert!(kept(&world).await.is_empty());

    // The server repeats only the file that was not added.
    let world = world.crash_and_restart().await;
    agent.disconnect();
    agent.reconnect(&world).await;
    assert_eq!(expect_resource(&mut agent).await.resource, R2);
    added(&mut agent, R2, Some("no such file")).await;
    agent.settled().await;
}

#[tokio::test]
async fn after_a_crash_a_file_for_a_session_that_waits_for_its_turn_is_still_there() {
    let world = World::limited(Limits {
        concurrent_starts: 1,
        ..Limits::default()
    })
    .await;
    for _ in 0..2 {
        let created = world.post("/sessions", r#"{"kind":"shared"}"#).await;
        assert_eq!(created.status, 201, "{}", created.text);
    }
    world.driver(S0).await;
    let body = Body::from(form(&[file("file", "a.txt", b"abc")]));
    let sent = send(&world, "/sessions/1/upload-file", body).await;
    assert_eq!(sent.status, 200, "{}", sent.text);

    let world = world.crash_and_restart().await;
    assert_eq!(world.delete("/sessions/0").await.status, 200);
    let (order, _) = world.driver(SessionId(1)).await;
    let mut agent = ScriptedAgent::connect(&world, SessionId(1)).await;
    agent.ready().await;
    let told = expect_resource(&mut agent).await;
    assert_eq!(told, uploaded(R1, ResourceUse::File, "a.txt"));
    assert_eq!(download(&world, &order, R1).await.text, "abc");
}

#[tokio::test]
async fn an_upload_that_is_cut_off_leaves_nothing() {
    let (world, _agent) = running().await;
    let half = form(&[file("file", "a.txt", &vec![b'x'; 100_000])]);
    let pieces = stream::iter([Ok::<_, std::io::Error>(half[..50_000].to_vec())]);
    let stalled = Body::from_stream(pieces.chain(stream::pending()));
    let uploading = send(&world, "/sessions/0/upload-file", stalled);
    let begun = eventually("the file has begun", async || {
        (kept(&world).await.len() == 1).then_some(())
    });
    tokio::select! {
        answer = uploading => panic!("it is not whole: {answer:?}"),
        () = begun => {}
    }
    eventually("the file is gone, as the client has hung up", async || {
        kept(&world).await.is_empty().then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_job_that_began_and_that_the_agent_does_not_have_any_more_is_sent_again() {
    let (world, mut agent) = running().await;
    for job in [J1, J2] {
        submit(&world, FOO).await;
        expect_job(&mut agent).await;
        begin(&mut agent, job).await;
    }
    agent.settled().await;
    agent.disconnect();
    agent.holds(&[J2]);
    agent.reconnect(&world).await;
    // The agent knows it, and says that its result was lost.
    assert_eq!(expect_job(&mut agent).await.0, J1);
    end(&mut agent, J1, JobOutcome::Failed, Some("lost")).await;
    await_job(&world, J1, "FAILED").await;
    world.quiesced().await;
    assert_eq!(status(&world, J2).await["state"], "STARTED");
    end(&mut agent, J2, JobOutcome::Succeeded, None).await;
    await_job(&world, J2, "SUCCEEDED").await;
    agent.settled().await;
}

/// The server reads the bytes of a job when the socket has taken the job before it. A cancel that
/// comes in between is not lost.
#[tokio::test]
async fn after_a_lost_link_jobs_are_sent_one_after_the_other() {
    let (world, mut agent) = running().await;
    for _ in 0..4 {
        submit(&world, FOO).await;
        // The lost link has taken each job, so none is on its way to the next one.
        assert!(matches!(agent.command().await, Command::Job { .. }));
    }
    agent.disconnect();
    agent.reconnect(&world).await;
    // The cancel comes as soon as the first job is sent, before the others can be.
    let Command::Job { job, .. } = agent.command().await else {
        panic!("a job is sent first")
    };
    let cancelled = world.post("/sessions/0/jobs/3/cancel", "").await;
    assert_eq!(cancelled.status, 200);
    let mut seen = vec![("job", job.0)];
    while seen.iter().filter(|(kind, _)| *kind == "job").count() < 4 {
        match agent.command().await {
            Command::Job { job, .. } => seen.push(("job", job.0)),
            Command::CancelJob { job, .. } => seen.push(("cancel", job.0)),
            _ => {}
        }
    }
    // The cancel overtakes the jobs that wait.
    assert!(seen[..3].contains(&("cancel", 3)), "{seen:?}");
    let jobs: Vec<i32> = seen
        .iter()
        .filter(|it| it.0 == "job")
        .map(|it| it.1)
        .collect();
    assert_eq!(jobs, [1, 2, 3, 4]);
    let third = seen.iter().position(|it| *it == ("job", 3)).unwrap();
    assert!(seen[third..].contains(&("cancel", 3)), "{seen:?}");
}
