//! The routes under `/api/v1` that create and end things.

use axum::body::Body;
use axum::http::Request;
use livius_agent_link::Event;
use livius_domain::{JobId, JobOutcome, SessionId};
use livius_testkit::{Answer, ScriptedAgent, World};
use serde_json::json;

const S0: SessionId = SessionId(0);
const SESSIONS: &str = "/api/v1/sessions";
const STATEMENTS: &str = "/api/v1/sessions/0/statements";
const JOBS: &str = "/api/v1/sessions/0/jobs";
const JOB: &str = r#"{"job":"Zm9v","jobType":"spark"}"#;

async fn made(world: &World, path: &str, body: &str, location: &str) -> Answer {
    let answer = world.post(path, body).await;
    assert_eq!(answer.status, 201, "{path}: {}", answer.text);
    assert_eq!(answer.headers["location"], location, "{path}");
    assert_eq!(world.get(location).await.status, 200, "{location}");
    answer
}

fn assert_problem(answer: &Answer, status: u16, code: &str) {
    let shown = (answer.status.as_u16(), &answer.json()["code"]);
    assert_eq!(shown, (status, &json!(code)), "{}", answer.text);
    assert_eq!(answer.headers["content-type"], "application/problem+json");
}

async fn keyed(world: &World, path: &str, key: &str, body: &str) -> Answer {
    let request = Request::post(path)
        .header("content-type", "application/json")
        .header("idempotency-key", key)
        .body(Body::from(body.to_owned()));
    world.send(request.unwrap()).await
}

#[tokio::test]
async fn a_session_lives_by_our_own_routes_alone() {
    let world = World::new().await;
    let request = r#"{"kind":"pyspark","name":"mine"}"#;
    let session = made(&world, SESSIONS, request, "/api/v1/sessions/0").await;
    assert_eq!(session.json()["state"], "starting");
    assert_eq!(session.json()["start"]["phases"][0]["phase"], "queued");
    let mut agent = ScriptedAgent::connect(&world, S0).await;
    agent.ready().await;
    world.await_state(S0, "idle").await;

    let first = format!("{STATEMENTS}/0");
    made(&world, STATEMENTS, r#"{"code":"1 + 1"}"#, &first).await;
    let (statement, code) = agent.expect_run().await;
    assert_eq!(code, "1 + 1");
    agent.started(statement).await;
    agent.finished(statement, "2").await;
    let ended = world.get(&format!("{first}?wait=30s")).await.json();
    assert_eq!(ended["state"], "available");
    assert_eq!(ended, world.get("/sessions/0/statements/0").await.json());

    made(
        &world,
        STATEMENTS,
        r#"{"code":"2"}"#,
        &format!("{STATEMENTS}/1"),
    )
    .await;
    let cancelled = world.post(&format!("{STATEMENTS}/1/cancel"), "").await;
    assert_eq!(cancelled.status, 204);
    let ids = async |query: &str| {
        let page = world.get(&format!("{STATEMENTS}{query}")).await.json();
        let statements = page["statements"].as_array().unwrap();
        statements
            .iter()
            .map(|one| one["id"].as_i64().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids("").await, [1, 0]);
    assert_eq!(ids("?order=asc").await, [0, 1]);
    assert_eq!(ids("?from=1&limit=1").await, [0]);

    let none = json!({"jobs": [], "total": 0, "nextCursor": null});
    assert_eq!(world.get(JOBS).await.json(), none);
    made(&world, JOBS, JOB, &format!("{JOBS}/1")).await;
    assert_eq!(
        world.post(&format!("{JOBS}/1/cancel"), "").await.status,
        204
    );

    let interrupted = world.post("/api/v1/sessions/mine/interrupt", "").await;
    assert_eq!(interrupted.status, 204);
    let stopped = world.post("/api/v1/sessions/0/stop", "").await;
    assert_eq!(stopped.status, 200, "{}", stopped.text);
    assert_eq!(stopped.json()["id"], 0);
    world.await_state(S0, "killed").await;
    assert_eq!(world.delete("/api/v1/sessions/0").await.status, 204);
    assert_eq!(world.get("/api/v1/sessions/0").await.status, 404);
}

#[tokio::test]
async fn the_jobs_of_a_session_are_listed_newest_first() {
    let world = World::new().await;
    let mut agent = world.idle_session(r#"{"kind":"pyspark"}"#).await;
    for job in [JOB, r#"{"job":"Zm9v","jobType":"pyspark"}"#, JOB] {
        assert_eq!(world.post(JOBS, job).await.status, 201);
    }
    let first = JobId(1);
    agent.say(Event::JobStarted { job: first, at: 0 }).await;
    let failed = Event::JobFinished {
        job: first,
        at: 0,
        outcome: JobOutcome::Failed,
        result: None,
        chunks: 0,
        error: Some("no such class".to_owned()),
    };
    agent.say(failed).await;
    let ended = world.get(&format!("{JOBS}/1?wait=30s")).await.json();
    assert_eq!(ended["state"], "FAILED");

    let page = world.get(&format!("{JOBS}?limit=2")).await.json();
    assert_eq!(page["total"], 3);
    let shown = |page: &serde_json::Value| {
        let jobs = page["jobs"].as_array().unwrap().clone();
        let shown = jobs.into_iter().map(|job| {
            let text = |key: &str| job[key].as_str().unwrap_or("-").to_owned();
            (job["id"].clone(), text("jobType"), text("error"))
        });
        shown.collect::<Vec<_>>()
    };
    let spark = "spark".to_owned();
    let none = "-".to_owned();
    assert_eq!(
        shown(&page),
        [
            (json!(3), spark.clone(), none.clone()),
            (json!(2), "pyspark".to_owned(), none)
        ]
    );
    let cursor = page["nextCursor"].as_str().unwrap();
    let rest = world.get(&format!("{JOBS}?limit=2&cursor={cursor}")).await;
    let rest = rest.json();
    assert_eq!(
        shown(&rest),
        [(json!(1), spark, "no such class".to_owned())]
    );
    assert_eq!(rest["nextCursor"], json!(null));
    assert!(rest["jobs"][0]["startedAt"].is_string(), "{rest}");
    assert!(rest["jobs"][0]["endedAt"].is_string(), "{rest}");
    for query in ["limit=0", "cursor=3"] {
        let refused = world.get(&format!("{JOBS}?{query}")).await;
        assert_problem(&refused, 400, "bad_parameter");
        assert_eq!(refused.json()["field"], query.split('=').next().unwrap());
    }
}

#[tokio::test]
async fn a_batch_is_made_and_removed() {
    let world = World::new().await;
    let request = r#"{"file":"local:/a.py","name":"nightly"}"#;
    let batch = made(&world, "/api/v1/batches", request, "/api/v1/batches/0").await;
    assert_eq!(batch.json()["name"], "nightly");
    assert_eq!(world.delete("/api/v1/batches/nightly").await.status, 204);
    assert_eq!(world.get("/api/v1/batches/0").await.status, 404);
}

#[tokio::test]
async fn refusals_are_problems() {
    let world = World::new().await;
    for (path, body) in [
        (SESSIONS, "{"),
        (SESSIONS, r#"{"kind":"cobol"}"#),
        ("/api/v1/batches", "{}"),
    ] {
        let refused = world.post(path, body).await;
        assert_eq!(refused.status, 400, "{path} {body}");
        assert_eq!(refused.headers["content-type"], "application/problem+json");
    }
    assert_problem(
        &world.post(STATEMENTS, r#"{"code":"1"}"#).await,
        404,
        "not_found",
    );
    assert_problem(&world.post(JOBS, JOB).await, 404, "not_found");
    assert_problem(&world.delete("/api/v1/batches/7").await, 404, "not_found");
    assert_eq!(
        world.post(SESSIONS, r#"{"kind":"pyspark"}"#).await.status,
        201
    );
    for query in ["from=-1", "limit=x", "order=up"] {
        let refused = world.get(&format!("{STATEMENTS}?{query}")).await;
        assert_problem(&refused, 400, "bad_parameter");
        assert_eq!(refused.json()["field"], query.split('=').next().unwrap());
    }
    world.driver(S0).await.1.exit(livius_domain::Exit::Code(3));
    world.await_state(S0, "dead").await;
    for path in [STATEMENTS, JOBS] {
        let body = if path == JOBS { JOB } else { r#"{"code":"1"}"# };
        let refused = world.post(path, body).await;
        assert_problem(&refused, 409, "not_active");
        assert!(refused.json()["hint"].is_string(), "{}", refused.text);
    }
}

#[tokio::test]
async fn a_request_with_a_key_is_done_once() {
    let world = World::new().await;
    let requests = [
        (SESSIONS, r#"{"kind":"spark"}"#),
        ("/api/v1/batches", r#"{"file":"local:/a.py"}"#),
        (STATEMENTS, r#"{"code":"1"}"#),
        (JOBS, JOB),
    ];
    let mut first = Vec::new();
    for (index, (path, body)) in requests.iter().enumerate() {
        let answer = keyed(&world, path, &format!("k{index}"), body).await;
        assert_eq!(answer.status, 201, "{path}: {}", answer.text);
        first.push(answer);
    }
    // The next server replays the same answers, and refuses the keys for other requests.
    let world = world.crash_and_restart().await;
    for (index, (path, body)) in requests.iter().enumerate() {
        let key = format!("k{index}");
        let again = keyed(&world, path, &key, body).await;
        assert_eq!(again.headers["idempotent-replayed"], "true", "{path}");
        let shown = |answer: &Answer| (answer.status, answer.headers["location"].clone());
        assert_eq!(shown(&again), shown(&first[index]), "{path}");
        let other = keyed(&world, path, &key, "{}").await;
        assert_problem(&other, 422, "key_reused");
    }
    let total = async |path: &str| world.get(path).await.json()["total"].clone();
    assert_eq!(total(SESSIONS).await, 1);
    assert_eq!(total("/api/v1/batches").await, 1);
}
