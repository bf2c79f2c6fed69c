//! Lists, logs and refusals of each route.

use livius_domain::SessionId;
use livius_testkit::{ScriptedAgent, World};
use serde_json::{Value, json};

const S0: SessionId = SessionId(0);

const SESSION_KEYS: [&str; 23] = [
    "id",
    "name",
    "appId",
    "owner",
    "proxyUser",
    "state",
    "kind",
    "appInfo",
    "log",
    "ttl",
    "idleTimeout",
    "driverMemory",
    "driverCores",
    "executorMemory",
    "executorCores",
    "conf",
    "archives",
    "files",
    "heartbeatTimeoutInSecond",
    "jars",
    "numExecutors",
    "pyFiles",
    "queue",
];

fn keys(value: &Value) -> Vec<&str> {
    value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

#[tokio::test]
async fn sessions_have_livys_keys_wherever_they_are_shown() {
    let world = World::new().await;
    let created = world
        .post(
            "/sessions",
            r#"{"conf":{"spark.my.secret":"s3cr3t","livy.uri":"x"}}"#,
        )
        .await;
    assert_eq!(
        (created.status.as_u16(), &created.headers["location"]),
        (201, &"/sessions/0".parse().unwrap())
    );
    assert_eq!(created.json()["state"], "starting");
    let list = world.get("/sessions").await.json();
    assert_eq!(keys(&list), ["from", "total", "sessions"]);
    for session in [
        &created.json(),
        &world.get("/sessions/0").await.json(),
        &world.post("/sessions/0/connect", "").await.json(),
        &list["sessions"][0],
    ] {
        assert_eq!(keys(session), SESSION_KEYS);
        assert_eq!(
            keys(&session["appInfo"]),
            ["driverLogUrl", "sparkUiUrl", "executorLogUrls"]
        );
        assert_eq!(
            session["conf"],
            json!({"livy.uri": "x", "spark.my.secret": "*********(redacted)"})
        );
        assert_eq!(session["log"][0], "stdout: ");
    }
    assert_eq!(
        world.get("/sessions/0/state").await.text,
        r#"{"id":0,"state":"starting"}"#
    );
}

#[tokio::test]
async fn a_window_of_the_sessions_is_livys() {
    let world = World::new().await;
    for _ in 0..4 {
        assert_eq!(world.post("/sessions", "{}").await.status, 201);
    }
    for (query, from, ids) in [
        ("", 0, &[0, 1, 2, 3][..]),
        ("?from=1&size=2", 1, &[1, 2]),
        ("?from=-5&size=3", -5, &[]),
        ("?from=-3&size=5", -3, &[0, 1]),
        ("?size=0", 0, &[]),
        ("?size=-1", 0, &[]),
        ("?from=9", 9, &[]),
        ("?from=2&size=2147483647", 2, &[2, 3]),
    ] {
        let answer = world.get(&format!("/sessions{query}")).await.json();
        let shown: Vec<i64> = answer["sessions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|session| session["id"].as_i64().unwrap())
            .collect();
        assert_eq!(
            (answer["from"].as_i64(), &answer["total"], shown.as_slice()),
            (Some(from), &json!(4), ids),
            "{query}"
        );
    }
    for (query, shown) in [
        ("from=abc", "abc"),
        ("size=", ""),
        ("size=99999999999", "99999999999"),
    ] {
        let answer = world.get(&format!("/sessions?{query}")).await;
        assert_eq!(answer.status, 400);
        assert_eq!(
            answer.json(),
            json!({"msg": format!("For input string: \"{shown}\"")})
        );
    }
}

#[tokio::test]
async fn a_window_of_the_statements_is_livys_however_many_there_are() {
    let world = World::new().await;
    world.post("/sessions", r#"{"kind":"sql"}"#).await;
    for n in 0..120 {
        let answer = world
            .post("/sessions/0/statements", &format!("{{\"code\":{n}}}"))
            .await;
        assert_eq!(answer.status, 201, "{}", answer.text);
    }
    for (query, first, count) in [
        ("", 0, 120),
        ("?size=10", 0, 10),
        ("?from=100", 100, 20),
        ("?from=-5&size=8", 0, 3),
        ("?order=desc", 119, 120),
        ("?order=%20DESC&from=1&size=60", 118, 60),
        ("?order=up&from=49&size=2", 49, 2),
        ("?size=-1", 0, 0),
        ("?from=500", 0, 0),
    ] {
        let answer = world
            .get(&format!("/sessions/0/statements{query}"))
            .await
            .json();
        assert_eq!(keys(&answer), ["total_statements", "statements"]);
        assert_eq!(answer["total_statements"], 120);
        let statements = answer["statements"].as_array().unwrap();
        assert_eq!(statements.len(), count, "{query}");
        if let Some(statement) = statements.first() {
            assert_eq!(statement["id"], first, "{query}");
            assert_eq!(
                keys(statement),
                [
                    "id",
                    "code",
                    "state",
                    "output",
                    "progress",
                    "started",
                    "completed"
                ]
            );
        }
    }
    assert_eq!(world.get("/sessions/0/statements?size=x").await.status, 400);
}

#[tokio::test]
async fn logs_have_livys_windows() {
    let world = World::new().await;
    world.post("/sessions", "{}").await;
    let (order, _) = world.driver(S0).await;
    let lines: Vec<String> = (0..2_500).map(|n| format!("line {n}")).collect();
    std::fs::create_dir_all(world.dir_of(&order)).unwrap();
    std::fs::write(
        world.dir_of(&order).join("stdout.log"),
        lines.join("\n") + "\n",
    )
    .unwrap();
    let total = 2_502;
    for (query, from, count) in [
        ("", total - 100, 100),
        ("?size=3", total - 3, 3),
        ("?from=0&size=2", 0, 2),
        ("?size=-1", 0, total),
        ("?from=2000&size=-1", 2_000, total - 2_000),
        ("?from=0&size=2147483647", 0, total),
        ("?from=1&size=2000", 1, 2_000),
        ("?size=2000", total - 2_000, 2_000),
        ("?from=2502", total, 0),
        ("?from=9999&size=-1", 9_999, 0),
        ("?size=0", total, 0),
    ] {
        let answer = world.get(&format!("/sessions/0/log{query}")).await.json();
        assert_eq!(keys(&answer), ["id", "from", "total", "log"], "{query}");
        let found = (
            &answer["id"],
            &answer["from"],
            &answer["total"],
            answer["log"].as_array().unwrap().len(),
        );
        assert_eq!(
            found,
            (&json!(0), &json!(from), &json!(total), count),
            "{query}"
        );
    }
    let all = world.get("/sessions/0/log?size=-1").await.json();
    assert_eq!(all["log"][0], "stdout: ");
    assert_eq!(all["log"][1_500], "line 1499");
    assert_eq!(all["log"][2_501], "\nstderr: ");
    assert_eq!(
        world.get("/sessions/0/log?from=x").await.text,
        r#"{"msg":"For input string: \"x\""}"#
    );
    assert_eq!(world.get("/sessions/1/log").await.status, 404);
}

#[tokio::test]
async fn bad_requests_are_refused_in_livys_shapes() {
    let world = World::new().await;
    world.post("/sessions", "{}").await;
    for (path, body, start) in [
        ("/sessions", "[]", "\"Malformed JSON: "),
        ("/sessions", "null", "\"Malformed JSON: "),
        (
            "/sessions",
            "{\"kind\":\"bogus\"}",
            "\"Invalid kind: bogus (through reference chain: ",
        ),
        (
            "/sessions",
            "{\"foo\":1}",
            "\"Unrecognized field \\\"foo\\\" (class ",
        ),
        (
            "/sessions",
            "{\"ttl\":\"abc\"}",
            "{\"msg\":\"Rejected, Reason: Invalid time string: abc",
        ),
        (
            "/sessions",
            "{\"name\":\"12\"}",
            "{\"msg\":\"Rejected, Reason: Invalid session name: 12",
        ),
        (
            "/sessions",
            "{\"driverCores\":\"x\"}",
            "\"driverCores must be a whole number",
        ),
        ("/sessions/0/statements", "{}", "\"code is missing: "),
        (
            "/sessions/0/statements",
            "{\"code\":\"\",\"kind\":\"bogus\"}",
            "\"Invalid kind: bogus ",
        ),
        (
            "/sessions/0/statements",
            "{\"code\":\"\",\"kind\":\"shared\"}",
            "{\"msg\":\"",
        ),
        (
            "/sessions/0/statements",
            "{\"code\":\"\"}",
            "{\"msg\":\"Code type should be specified if session kind is shared",
        ),
        (
            "/sessions/0/completion",
            "{\"code\":\"\",\"cursor\":\"x\"}",
            "\"cursor must be a whole number",
        ),
    ] {
        let answer = world.post(path, body).await;
        assert_eq!(answer.status, 400, "{body}");
        assert!(answer.text.starts_with(start), "{body}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_dead_session_keeps_its_results_and_refuses_in_livys_words() {
    let world = World::new().await;
    world.post("/sessions", r#"{"kind":"sql"}"#).await;
    let mut agent = ScriptedAgent::connect(&world, S0).await;
    agent.ready().await;
    world.await_state(S0, "idle").await;
    world.run("x").await;
    let (statement, _) = agent.expect_run().await;
    agent.finished(statement, "kept").await;
    world.await_statement(S0, 0, "available").await;
    let (_, process) = world.driver(S0).await;
    process.exit(livius_domain::Exit::Code(3));
    world.await_state(S0, "dead").await;

    let list = world.get("/sessions/0/statements").await;
    assert_eq!(list.status, 200);
    assert_eq!(
        list.json()["statements"][0]["output"]["data"]["text/plain"],
        "kept"
    );
    for (path, body) in [
        ("/sessions/0/statements", r#"{"code":"x"}"#),
        ("/sessions/0/statements/0/cancel", ""),
        ("/sessions/0/completion", r#"{"code":"x","kind":"spark"}"#),
    ] {
        let answer = world.post(path, body).await;
        assert_eq!(answer.status, 500, "{path}");
        assert_eq!(
            answer.text, r#""java.lang.IllegalStateException: Session is in state dead""#,
            "{path}"
        );
        assert!(
            answer.headers["livius-reason"]
                .to_str()
                .unwrap()
                .contains("exit code 3"),
            "{path}"
        );
    }
    assert_eq!(world.post("/sessions/0/connect", "").await.status, 200);
    let interrupted = world.post("/sessions/0/interrupt", "").await;
    assert_eq!(interrupted.text, r#"{"msg":"interrupted"}"#);
    let stopped = world.post("/sessions/0/stop", "").await;
    assert_eq!((stopped.status.as_u16(), stopped.text.as_str()), (204, ""));
    let deleted = world.delete("/sessions/0").await;
    assert_eq!(
        (deleted.status.as_u16(), deleted.text.as_str()),
        (200, r#"{"msg":"deleted"}"#)
    );
    assert_eq!(
        world.delete("/sessions/0").await.text,
        r#"{"msg":"Session '0' not found."}"#
    );
}
