//! Statements and their queue, with a scripted agent.

use livius_agent_link::{Command, Event};
use livius_domain::{Exit, Limits, SessionId, StatementId};
use livius_testkit::{ScriptedAgent, World, WorldOptions, eventually};
use serde_json::json;

const S0: SessionId = SessionId(0);

#[tokio::test]
async fn statements_run_in_order_one_at_a_time_and_the_session_is_busy_in_between() {
    let world = World::new().await;
    let mut agent = world.idle_session(r#"{"kind":"pyspark"}"#).await;
    let posted = world.run("a\r\nb").await;
    assert_eq!(posted.status, 201);
    assert_eq!(posted.headers["location"], "/sessions/0/statements/0");
    assert_eq!(posted.json()["code"], "a\nb");
    world
        .post("/sessions/0/statements", r#"{"code":"c","kind":"sql"}"#)
        .await;

    let (first, code) = agent.expect_run().await;
    assert_eq!((first, code.as_str()), (StatementId(0), "a\nb"));
    agent.started(first).await;
    agent.progress(first, 0.5).await;
    let running = world.await_statement(S0, 0, "running").await;
    assert_eq!(running["output"], json!(null));
    assert_eq!(running["completed"], 0);
    agent.finished(first, "A").await;
    assert_eq!(
        agent.command().await,
        Command::Run {
            statement: StatementId(1),
            kind: livius_domain::Kind::Sql,
            code: "c".into()
        }
    );
    assert_eq!(world.get("/sessions/0/state").await.json()["state"], "busy");
    agent.finished(StatementId(1), "C").await;
    world.await_statement(S0, 1, "available").await;
    // A client that sees the last result also sees an idle session.
    assert_eq!(world.get("/sessions/0/state").await.json()["state"], "idle");

    let done = world.await_statement(S0, 0, "available").await;
    assert_eq!(
        done,
        json!({
            "id": 0, "code": "a\nb", "state": "available",
            "output": {"status": "ok", "execution_count": 0, "data": {"text/plain": "A"}},
            "progress": 1.0, "started": 1_700_000_000_100_i64, "completed": 1_700_000_000_200_i64
        })
    );
}

#[tokio::test]
async fn statements_posted_while_the_session_starts_wait_for_it() {
    let world = World::new().await;
    world.post("/sessions", r#"{"kind":"spark"}"#).await;
    let posted = world.run("early").await;
    assert_eq!(
        (posted.status.as_u16(), posted.json()["state"].clone()),
        (201, json!("waiting"))
    );
    assert_eq!(
        world.get("/sessions/0/statements").await.json()["total_statements"],
        1
    );
    let mut agent = ScriptedAgent::connect(&world, S0).await;
    agent.ready().await;
    assert_eq!(agent.expect_run().await.1, "early");
}

#[tokio::test]
async fn cancelled_is_said_when_the_code_has_stopped_and_not_before() {
    let world = World::new().await;
    let mut agent = world.idle_session(r#"{"kind":"pyspark"}"#).await;
    world.run("loop").await;
    world.run("next").await;
    let (running, _) = agent.expect_run().await;
    agent.started(running).await;
    world.await_statement(S0, 0, "running").await;

    let cancelled = world.post("/sessions/0/statements/1/cancel", "").await;
    assert_eq!(
        (cancelled.status.as_u16(), cancelled.text.as_str()),
        (200, r#"{"msg":"canceled"}"#)
    );
    let waiting = world.await_statement(S0, 1, "cancelled").await;
    assert_eq!(
        (&waiting["output"], &waiting["started"]),
        (&json!(null), &json!(0))
    );

    assert_eq!(
        world
            .post("/sessions/0/statements/0/cancel", "{}")
            .await
            .status,
        200
    );
    assert_eq!(agent.expect_cancel().await, running);
    world.await_statement(S0, 0, "cancelling").await;
    assert_eq!(world.get("/sessions/0/state").await.json()["state"], "busy");
    agent.stopped(running).await;
    world.await_statement(S0, 0, "cancelled").await;
    world.await_state(S0, "idle").await;
    for unknown in ["0", "1", "99"] {
        assert_eq!(
            world
                .post(&format!("/sessions/0/statements/{unknown}/cancel"), "")
                .await
                .status,
            200
        );
    }
}

#[tokio::test]
async fn a_second_cancel_stops_the_code_by_force() {
    let world = World::new().await;
    let mut agent = world.idle_session(r#"{"kind":"pyspark"}"#).await;
    world.run("stubborn").await;
    let (statement, _) = agent.expect_run().await;
    for force in [false, true] {
        world.post("/sessions/0/statements/0/cancel", "").await;
        let expected = Command::Cancel { statement, force };
        assert_eq!(agent.command().await, expected);
    }
    agent.stopped(statement).await;
    world.await_statement(S0, 0, "cancelled").await;
}

#[tokio::test]
async fn progress_goes_back_for_a_further_spark_job_and_is_whole_at_the_end_only() {
    let world = World::new().await;
    let mut agent = world.idle_session(r#"{"kind":"pyspark"}"#).await;
    world.run("many").await;
    let (id, _) = agent.expect_run().await;
    agent.started(id).await;
    world.await_statement(S0, 0, "running").await;
    for (told, shown) in [(0.5, 0.5), (1.0, 0.99), (0.25, 0.25), (7.0, 0.99)] {
        agent.progress(id, told).await;
        eventually("the progress is shown", async || {
            let statement = world.get("/sessions/0/statements/0").await.json();
            assert_eq!(statement["state"], "running");
            (statement["progress"] == shown).then_some(())
        })
        .await;
    }
    agent.finished(id, "done").await;
    let done = world.await_statement(S0, 0, "available").await;
    assert_eq!(done["progress"], 1.0);
}

#[tokio::test]
async fn a_session_whose_spark_context_is_gone_ends_and_says_so() {
    let world = World::new().await;
    let mut agent = world.idle_session(r#"{"kind":"pyspark"}"#).await;
    let message = "the SparkContext was stopped while no code ran".to_owned();
    agent.say(Event::ContextStopped { message }).await;
    // It takes no more statements, and the driver is asked to end.
    assert_eq!(agent.command().await, Command::Stop);
    assert_eq!(world.run("too late").await.status, 500);
    world.driver(S0).await.1.exit(Exit::Code(0));
    world.await_state(S0, "dead").await;
    let log = world.get("/sessions/0/log?size=-1").await.text;
    assert!(
        log.contains("the SparkContext was stopped while no code ran"),
        "{log}"
    );
    assert!(log.contains("create a new session"), "{log}");
}

#[tokio::test]
async fn a_cancel_that_comes_too_late_leaves_the_result() {
    let world = World::new().await;
    let mut agent = world.idle_session(r#"{"kind":"pyspark"}"#).await;
    world.run("quick").await;
    let (id, _) = agent.expect_run().await;
    world.post("/sessions/0/statements/0/cancel", "").await;
    agent.expect_cancel().await;
    agent.finished(id, "done").await;
    let done = world.await_statement(S0, 0, "available").await;
    assert_eq!(done["output"]["data"]["text/plain"], "done");
}

#[tokio::test]
async fn interrupt_cancels_the_statements_and_keeps_the_session() {
    let world = World::new().await;
    let mut agent = world.idle_session(r#"{"kind":"pyspark"}"#).await;
    for _ in 0..3 {
        world.run("x").await;
    }
    let (id, _) = agent.expect_run().await;
    let answer = world.post("/sessions/0/interrupt", "").await;
    assert_eq!(
        (answer.status.as_u16(), answer.text.as_str()),
        (200, r#"{"msg":"interrupted"}"#)
    );
    assert_eq!(agent.expect_cancel().await, id);
    agent.stopped(id).await;
    for statement in 0..3 {
        world.await_statement(S0, statement, "cancelled").await;
    }
    world.await_state(S0, "idle").await;
}

#[tokio::test]
async fn a_long_output_is_put_together_from_its_pieces() {
    let world = World::new().await;
    let mut agent = world.idle_session(r#"{"kind":"pyspark"}"#).await;
    world.run("big").await;
    let (statement, _) = agent.expect_run().await;
    let text = "λ🤔\\\"".repeat(100_000);
    let document =
        json!({"status": "ok", "execution_count": 0, "data": {"text/plain": text}}).to_string();
    let characters: Vec<char> = document.chars().collect();
    let pieces: Vec<String> = characters
        .chunks(50_000)
        .map(|piece| piece.iter().collect())
        .collect();
    let chunks = u32::try_from(pieces.len()).unwrap();
    for (index, text) in (0..).zip(pieces) {
        agent
            .say(Event::Chunk {
                statement,
                index,
                text,
            })
            .await;
    }
    agent
        .say(Event::Finished {
            statement,
            at: 1,
            cancelled: false,
            output: None,
            chunks,
        })
        .await;
    let shown = world.await_statement(S0, 0, "available").await;
    assert_eq!(
        shown["output"]["data"]["text/plain"].as_str().unwrap(),
        text
    );
    let listed = world.get("/sessions/0/statements").await.json();
    assert_eq!(listed["statements"][0], shown);
}

#[tokio::test]
async fn the_queue_has_a_bound_that_answers_clearly() {
    let options = WorldOptions {
        limits: Limits {
            waiting_statements: 2,
            ..Limits::default()
        },
        ..WorldOptions::default()
    };
    let world = World::with(options).await;
    world.post("/sessions", r#"{"kind":"sql"}"#).await;
    for _ in 0..2 {
        assert_eq!(world.run("select 1").await.status, 201);
    }
    let refused = world.run("select 1").await;
    assert_eq!(refused.status, 429);
    assert!(refused.headers.contains_key("retry-after"));
    assert!(
        refused.json()["msg"]
            .as_str()
            .unwrap()
            .contains("2 statements waiting"),
        "{}",
        refused.text
    );
}

#[tokio::test]
async fn of_finished_statements_the_newest_are_kept() {
    let options = WorldOptions {
        limits: Limits {
            retained_statements: 40,
            ..Limits::default()
        },
        ..WorldOptions::default()
    };
    let world = World::with(options).await;
    let mut agent = world.idle_session(r#"{"kind":"sql"}"#).await;
    // Old statements are dropped only now and then.
    for _ in 0..64 {
        world.run("select 1").await;
        let (statement, _) = agent.expect_run().await;
        agent.started(statement).await;
        agent.finished(statement, "1").await;
    }
    let listed = livius_testkit::eventually("the old ones go", async || {
        let listed = world.get("/sessions/0/statements").await.json();
        (listed["total_statements"] == 40).then_some(listed)
    })
    .await;
    let ids = listed["statements"].as_array().unwrap().iter();
    let ids: Vec<_> = ids.map(|statement| &statement["id"]).collect();
    let kept: Vec<i32> = (24..64).collect();
    assert_eq!(ids, kept);
    let gone = world.get("/sessions/0/statements/23").await;
    assert_eq!(
        (gone.status.as_u16(), gone.text.as_str()),
        (404, r#""Statement not found""#)
    );
    let next = world.run("select 2").await;
    assert_eq!(next.json()["id"], 64);
}

#[tokio::test]
async fn a_statement_needs_a_kind_that_can_run() {
    let world = World::new().await;
    world.post("/sessions", "{}").await;
    let no_kind = world.run("1").await;
    assert_eq!(no_kind.status, 400);
    assert!(
        no_kind
            .text
            .contains("Code type should be specified if session kind is shared"),
        "{}",
        no_kind.text
    );
    let shared = world
        .post("/sessions/0/statements", r#"{"code":"1","kind":"shared"}"#)
        .await;
    assert_eq!(shared.status, 400);
    assert_eq!(
        world.get("/sessions/0/statements").await.json()["total_statements"],
        0
    );
}

#[tokio::test]
async fn completion_is_answered_by_the_agent_and_never_waits_for_a_start() {
    let world = World::new().await;
    world.post("/sessions", r#"{"kind":"spark"}"#).await;
    let body = r#"{"code":"sc.par","kind":"spark","cursor":6}"#;
    assert_eq!(
        world.post("/sessions/0/completion", body).await.text,
        r#"{"candidates":[]}"#
    );
    let mut agent = ScriptedAgent::connect(&world, S0).await;
    agent.ready().await;
    world.await_state(S0, "idle").await;
    let answering = async {
        let Command::Complete {
            request, cursor, ..
        } = agent.command().await
        else {
            panic!("not a completion")
        };
        assert_eq!(cursor, 6);
        agent.completed(request, &["parallelize"]).await;
    };
    let (answer, ()) = tokio::join!(world.post("/sessions/0/completion", body), answering);
    assert_eq!(answer.text, r#"{"candidates":["parallelize"]}"#);
}

/// The code of all sessions together is in memory until it has run.
#[tokio::test]
async fn the_code_of_all_sessions_has_a_limit() {
    let options = WorldOptions {
        limits: Limits {
            waiting_code_bytes: 100,
            ..Limits::default()
        },
        ..WorldOptions::default()
    };
    let world = World::with(options).await;
    let mut agent = world.idle_session(r#"{"kind":"sql"}"#).await;
    world.post("/sessions", r#"{"kind":"sql"}"#).await;
    let code = "x".repeat(60);
    assert_eq!(world.run(&code).await.status, 201);
    let body = format!(r#"{{"code":"{code}"}}"#);
    let refused = world.post("/sessions/1/statements", &body).await;
    assert_eq!(refused.status, 429);
    assert!(
        refused.text.contains("sessions.max_waiting_code"),
        "{}",
        refused.text
    );
    let (statement, _) = agent.expect_run().await;
    agent.finished(statement, "1").await;
    agent.settled().await;
    let accepted = world.post("/sessions/1/statements", &body).await;
    assert_eq!(accepted.status, 201);
    // The end of a session gives the memory back.
    assert_eq!(world.delete("/sessions/1").await.status, 200);
    eventually("there is room", async || {
        (world.run(&code).await.status == 201).then_some(())
    })
    .await;
}
