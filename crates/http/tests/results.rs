//! Results in excess of a budget: the oldest make room, and their readers are told.

use livius_agent_link::{Command, Event};
use livius_domain::{JobOutcome, Limits};
use livius_testkit::{ScriptedAgent, World, WorldOptions, eventually};
use serde_json::Value;

/// The length of a result, nearly.
const BYTES: usize = 20_000;

async fn running(limits: Limits) -> (World, ScriptedAgent) {
    let options = WorldOptions {
        limits,
        ..WorldOptions::default()
    };
    let world = World::with(options).await;
    let agent = world.idle_session(r#"{"kind":"pyspark"}"#).await;
    (world, agent)
}

/// Runs a statement whose output is one text, or comes in two pieces.
async fn run(world: &World, agent: &mut ScriptedAgent, in_pieces: bool) {
    world.run("1").await;
    let (statement, _) = agent.expect_run().await;
    let text = "x".repeat(BYTES);
    let output =
        format!(r#"{{"status":"ok","execution_count":0,"data":{{"text/plain":"{text}"}}}}"#);
    let (first, second) = output.split_at(BYTES / 2);
    for (index, piece) in (0..)
        .zip([first, second])
        .take(if in_pieces { 2 } else { 0 })
    {
        let chunk = Event::Chunk {
            statement,
            index,
            text: piece.to_owned(),
        };
        agent.say(chunk).await;
    }
    let finished = Event::Finished {
        statement,
        at: 1,
        cancelled: false,
        output: (!in_pieces).then(|| output.clone()),
        chunks: if in_pieces { 2 } else { 0 },
    };
    agent.say(finished).await;
    agent.settled().await;
}

/// For each statement: whether its output is there, or the name and text of the error.
async fn outputs(world: &World) -> Vec<Result<usize, (String, String)>> {
    let list = world.get("/sessions/0/statements").await.json();
    let mut outputs = Vec::new();
    for listed in list["statements"].as_array().unwrap() {
        let path = format!("/sessions/0/statements/{}", listed["id"]);
        let one = world.get(&path).await.json();
        assert_eq!(&one, listed);
        assert_eq!(one["state"], "available");
        let output = &one["output"];
        outputs.push(match output["data"]["text/plain"].as_str() {
            Some(text) => Ok(text.len()),
            None => Err((text(&output["ename"]), text(&output["evalue"]))),
        });
    }
    outputs
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_oldest_outputs_of_a_session_make_room() {
    let limits = Limits {
        session_results_bytes: 3 * BYTES as u64,
        ..Limits::default()
    };
    let (world, mut agent) = running(limits).await;
    for number in 0..6 {
        run(&world, &mut agent, number % 2 == 1).await;
        let shown = outputs(&world).await;
        for (id, output) in shown.iter().enumerate() {
            if id + 2 > number {
                assert_eq!(output, &Ok(BYTES), "{id} of {number}");
            } else {
                let (ename, evalue) = output.as_ref().unwrap_err();
                assert_eq!(ename, "OutputRemoved");
                assert!(evalue.contains("sessions.results_limit"), "{evalue}");
            }
        }
    }
    // It stays so after a restart.
    let before = outputs(&world).await;
    let world = world.crash_and_restart().await;
    assert_eq!(outputs(&world).await, before);
}

#[tokio::test]
async fn a_result_that_is_larger_than_the_budget_is_not_kept() {
    let limits = Limits {
        session_results_bytes: 10_000,
        ..Limits::default()
    };
    let (world, mut agent) = running(limits).await;
    run(&world, &mut agent, true).await;
    let shown = outputs(&world).await;
    assert_eq!(shown[0].as_ref().unwrap_err().0, "OutputRemoved");
    run(&world, &mut agent, false).await;
    let shown = outputs(&world).await;
    assert_eq!(shown[1].as_ref().unwrap_err().0, "OutputRemoved");
}

#[tokio::test]
async fn the_oldest_results_of_all_sessions_make_room() {
    let limits = Limits {
        results_bytes: 3 * BYTES as u64,
        ..Limits::default()
    };
    let (world, mut agent) = running(limits).await;
    for _ in 0..4 {
        run(&world, &mut agent, true).await;
    }
    // The server looks when it starts, and then once a minute.
    let world = world.crash_and_restart().await;
    // A response that is under way when its output is removed breaks off.
    eventually("old results make room", async || {
        let one = world.get("/sessions/0/statements/1").await;
        let is_removed = one.status == 200 && one.json()["output"]["ename"] == "OutputRemoved";
        is_removed.then_some(())
    })
    .await;
    let shown = outputs(&world).await;
    let (ename, evalue) = shown[0].as_ref().unwrap_err();
    assert_eq!(ename, "OutputRemoved");
    assert!(evalue.contains("sessions.total_results_limit"), "{evalue}");
    assert_eq!(shown[2..], [Ok(BYTES), Ok(BYTES)]);
}

#[tokio::test]
async fn the_result_of_a_job_makes_room_too() {
    let limits = Limits {
        session_results_bytes: 3 * BYTES as u64 / 2,
        ..Limits::default()
    };
    let (world, mut agent) = running(limits).await;
    for _ in 0..2 {
        world
            .post(
                "/sessions/0/submit-job",
                r#"{"job":"Zm9v","jobType":"pyspark"}"#,
            )
            .await;
        let Command::Job { job, .. } = agent.command().await else {
            panic!("not a job")
        };
        let finished = Event::JobFinished {
            job,
            at: 1,
            outcome: JobOutcome::Succeeded,
            result: Some("A".repeat(BYTES)),
            chunks: 0,
            error: None,
        };
        agent.say(finished).await;
        agent.settled().await;
    }
    let first = world.get("/sessions/0/jobs/1").await.json();
    assert_eq!(
        (&first["state"], &first["result"]),
        (&"FAILED".into(), &Value::Null)
    );
    assert!(text(&first["error"]).contains("sessions.results_limit"));
    let second = world.get("/sessions/0/jobs/2").await.json();
    assert_eq!(second["state"], "SUCCEEDED");
    assert_eq!(second["result"].as_str().unwrap().len(), BYTES);
}
