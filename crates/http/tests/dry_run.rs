//! `dryRun=true`: what would come of a request, and that nothing of it is done.

use axum::body::Body;
use axum::http::Request;
use livius_domain::{Exit, FailureCode, Limits, SessionId};
use livius_testkit::World;
use serde_json::{Value, json};

const SESSION: &str = r#"{"kind":"pyspark","conf":{"spark.my.password":"hunter2"}}"#;
const BATCH: &str = r#"{"file":"local:/a.py"}"#;

async fn dry(world: &World, path: &str, body: &str) -> Value {
    let answer = world.post(&format!("{path}?dryRun=true"), body).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    answer.json()
}

fn codes(preview: &Value) -> Vec<&str> {
    let refusals = preview["refusals"].as_array().unwrap();
    refusals
        .iter()
        .map(|one| one["code"].as_str().unwrap())
        .collect()
}

async fn totals(world: &World) -> (i64, i64) {
    let total = async |path: &str| world.get(path).await.json()["total"].as_i64().unwrap();
    (total("/sessions").await, total("/batches").await)
}

#[tokio::test]
async fn a_dry_run_tells_what_would_be_started_and_starts_nothing() {
    let world = World::new().await;
    let session = dry(&world, "/api/v1/sessions", SESSION).await;
    assert_eq!(session["accepted"], true, "{session}");
    assert_eq!(session["pool"]["outcome"], "off");
    assert_eq!(session["queue"], json!({"position": 1, "length": 1}));
    assert_eq!(session["configuration"]["spark.app.name"], "livy-session-N");
    assert_eq!(session["commandLine"][0], "fake");
    assert!(!session.to_string().contains("hunter2"), "{session}");
    let batch = dry(&world, "/api/v1/batches", BATCH).await;
    assert_eq!(
        (&batch["accepted"], &batch["pool"]),
        (&json!(true), &Value::Null)
    );
    world.quiesced().await;
    assert_eq!(totals(&world).await, (0, 0));
    assert_eq!(world.launcher().most_running(), 0);
    // The first session that is made gets the first number.
    let made = world.post("/api/v1/sessions", SESSION).await;
    assert_eq!(made.json()["id"], 0);
}

#[tokio::test]
async fn all_that_would_refuse_a_request_is_told() {
    let limits = Limits {
        live_sessions: 1,
        waiting_batches: 0,
        ..Limits::default()
    };
    let world = World::limited(limits).await;
    assert_eq!(world.post("/sessions", SESSION).await.status, 201);
    world.launcher().disk_is_full(true);
    let session = r#"{"kind":"pyspark","conf":{"spark.executorEnv.HADOOP_USER_NAME":"x"}}"#;
    let preview = dry(&world, "/api/v1/sessions", session).await;
    assert_eq!(preview["accepted"], false);
    assert_eq!(
        codes(&preview),
        ["rejected", "disk_full", "rejected"],
        "{preview}"
    );
    // Nothing is told of what cannot be started.
    assert!(preview.get("commandLine").is_none(), "{preview}");
    world.launcher().disk_is_full(false);
    let preview = dry(&world, "/api/v1/batches", BATCH).await;
    assert_eq!(codes(&preview), ["overloaded"], "{preview}");
    assert_eq!(preview["commandLine"][0], "fake");
    // An installation that cannot start anything refuses as well.
    world
        .launcher()
        .refuse_with(FailureCode::JavaMissing, "there is no Java");
    let preview = dry(&world, "/api/v1/batches", BATCH).await;
    assert_eq!(codes(&preview), ["overloaded", "java_missing"], "{preview}");
    assert_eq!(totals(&world).await, (1, 0));
}

#[tokio::test]
async fn statements_and_jobs_are_judged_and_not_posted() {
    let limits = Limits {
        waiting_statements: 1,
        unfinished_jobs: 1,
        ..Limits::default()
    };
    let world = World::limited(limits).await;
    let (statements, jobs) = ("/api/v1/sessions/0/statements", "/api/v1/sessions/0/jobs");
    let job = r#"{"job":"Zm9v","jobType":"spark"}"#;
    for path in [statements, jobs] {
        let absent = world.post(&format!("{path}?dryRun=true"), job).await;
        assert!(
            [400, 404].contains(&absent.status.as_u16()),
            "{}",
            absent.text
        );
    }
    assert_eq!(world.post("/sessions", SESSION).await.status, 201);
    let work = [(statements, r#"{"code":"1"}"#), (jobs, job)];
    for (path, body) in work {
        let preview = dry(&world, path, body).await;
        assert_eq!(preview, json!({"accepted": true, "refusals": []}), "{path}");
        assert_eq!(world.post(path, body).await.status, 201, "{path}");
        let preview = dry(&world, path, body).await;
        assert_eq!(codes(&preview), ["overloaded"], "{path}: {preview}");
    }
    let list = world.get(statements).await.json();
    assert_eq!(list["total_statements"], 1, "{list}");
    // A session that has ended.
    world.driver(SessionId(0)).await.1.exit(Exit::Code(1));
    world.await_state(SessionId(0), "dead").await;
    for (path, body) in work {
        assert_eq!(
            codes(&dry(&world, path, body).await),
            ["not_active"],
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_key_stays_free_and_other_routes_refuse() {
    let world = World::new().await;
    let keyed = async |path: &str| {
        let request = Request::post(path)
            .header("content-type", "application/json")
            .header("idempotency-key", "k")
            .body(Body::from(SESSION));
        world.send(request.unwrap()).await
    };
    assert_eq!(keyed("/api/v1/sessions?dryRun=true").await.status, 200);
    assert_eq!(keyed("/api/v1/sessions").await.status, 201);
    for (method, path) in [
        ("POST", "/api/v1/sessions/0/stop"),
        ("POST", "/api/v1/sessions/0/interrupt"),
        ("POST", "/api/v1/sessions/0/statements/0/cancel"),
        ("POST", "/api/v1/sessions/0/jobs/0/cancel"),
        ("DELETE", "/api/v1/sessions/0"),
        ("POST", "/api/v1/batches/0/kill"),
        ("DELETE", "/api/v1/batches/0"),
    ] {
        let request = Request::builder()
            .method(method)
            .uri(format!("{path}?dryRun=true"));
        let refused = world.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(refused.status, 400, "{method} {path}: {}", refused.text);
        assert_eq!(refused.json()["field"], "dryRun", "{method} {path}");
    }
    // A dry run judges a webhook, too. This server has none.
    let named = r#"{"kind":"pyspark","conf":{"livius.webhook.url":"https://h/"}}"#;
    let preview = dry(&world, "/api/v1/sessions", named).await;
    assert_eq!(codes(&preview), ["rejected"], "{preview}");
    let bad = world.post("/api/v1/sessions?dryRun=maybe", SESSION).await;
    assert_eq!(
        (bad.status.as_u16(), &bad.json()["field"]),
        (400, &json!("dryRun"))
    );
    assert_eq!(totals(&world).await, (1, 0));
    world.await_state(SessionId(0), "starting").await;
    // Livy has no dry runs, so its routes do what they are asked.
    assert_eq!(
        world.post("/sessions?dryRun=true", SESSION).await.status,
        201
    );
}
