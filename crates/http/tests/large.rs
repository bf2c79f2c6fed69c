//! Outputs that are too long for one piece of a response.

use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt as _;
use livius_agent_link::Event;
use livius_domain::{SessionId, StatementId};
use livius_testkit::{ScriptedAgent, World};
use tower::ServiceExt as _;

const S0: SessionId = SessionId(0);
const CHUNK_BYTES: usize = 256 << 10;
const CHUNKS: u32 = 40;

async fn world_with_two_long_outputs() -> World {
    let world = World::new().await;
    world.post("/sessions", r#"{"kind":"pyspark"}"#).await;
    let mut agent = ScriptedAgent::connect(&world, S0).await;
    agent.ready().await;
    world.await_state(S0, "idle").await;
    for id in [0, 1] {
        world.run("long").await;
        let (statement, _) = agent.expect_run().await;
        assert_eq!(statement, StatementId(id));
        for index in 0..CHUNKS {
            let text = match index {
                0 => format!(r#"{{"status":"ok","execution_count":{id},"data":{{"text/plain":""#),
                39 => "\"}}".to_owned(),
                _ => "x".repeat(CHUNK_BYTES),
            };
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
                chunks: CHUNKS,
            })
            .await;
        agent.settled().await;
    }
    world
}

/// Returns the length of each piece of a response's body.
async fn pieces(world: &World, path: &str) -> (Vec<usize>, String) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let mut body = world.router().oneshot(request).await.unwrap().into_body();
    let (mut pieces, mut text) = (Vec::new(), String::new());
    while let Some(frame) = body.frame().await {
        let data = frame.unwrap().into_data().unwrap();
        pieces.push(data.len());
        text.push_str(std::str::from_utf8(&data).unwrap());
    }
    (pieces, text)
}

#[tokio::test]
async fn a_long_output_passes_through_piece_by_piece() {
    let world = world_with_two_long_outputs().await;
    for (path, outputs) in [
        ("/sessions/0/statements/1", 1),
        ("/sessions/0/statements", 2),
    ] {
        let (pieces, text) = pieces(&world, path).await;
        let longest = pieces.iter().copied().max().unwrap();
        assert!(
            longest < 2 * CHUNK_BYTES,
            "{path}: a piece of {longest} bytes"
        );
        let answer: serde_json::Value = serde_json::from_str(&text).unwrap();
        let statements = if outputs == 1 {
            vec![&answer]
        } else {
            answer["statements"].as_array().unwrap().iter().collect()
        };
        assert_eq!(statements.len(), outputs);
        for statement in statements {
            assert_eq!(statement["state"], "available");
            assert_eq!(statement["progress"], 1.0);
            let output = statement["output"]["data"]["text/plain"].as_str().unwrap();
            assert_eq!(output.len(), CHUNK_BYTES * 38);
        }
    }
}

#[tokio::test]
async fn a_short_answer_says_how_long_it_is() {
    let world = World::new().await;
    world.post("/sessions", r#"{"kind":"sql"}"#).await;
    world.run("short").await;
    for path in [
        "/sessions",
        "/sessions/0",
        "/sessions/0/statements",
        "/sessions/0/statements/0",
        "/sessions/0/log",
    ] {
        let answer = world.get(path).await;
        assert_eq!(
            answer.headers["content-length"],
            answer.text.len().to_string(),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_long_list_of_sessions_is_read_and_sent_piece_by_piece() {
    const SESSIONS: usize = 60;
    const CONF_BYTES: usize = 8 << 10;
    let world = World::new().await;
    let request = format!(
        r#"{{"kind":"sql","conf":{{"spark.x":"{}"}}}}"#,
        "x".repeat(CONF_BYTES)
    );
    for _ in 0..SESSIONS {
        let answer = world.post("/sessions", &request).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
    }
    for (query, first, count) in [
        ("?size=2147483647", 0, SESSIONS),
        ("?from=3&size=51", 3, 51),
    ] {
        let (pieces, text) = pieces(&world, &format!("/sessions{query}")).await;
        let longest = pieces.iter().copied().max().unwrap();
        assert!(longest < 20 * CONF_BYTES, "a piece of {longest} bytes");
        assert!(pieces.len() > 1);
        let answer: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            (&answer["from"], &answer["total"]),
            (&first.into(), &SESSIONS.into())
        );
        let sessions = answer["sessions"].as_array().unwrap();
        let ids = sessions
            .iter()
            .map(|session| session["id"].as_u64().unwrap());
        assert!(ids.eq((first..).take(count)), "{query}");
    }
}
