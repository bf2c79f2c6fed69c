//! The server does a request with an `Idempotency-Key` once, also when it dies and starts again. A
//! repeated request gets the first answer.

mod crashes;
mod files;
mod finding;
mod races;
mod refusals;
mod replays;

use axum::body::Body;
use axum::http::{HeaderMap, Request, request};
use livius_domain::SessionId;
use livius_http::AuthenticatedUser;
use livius_testkit::{Answer, World};

const S0: SessionId = SessionId(0);

/// A request whose file is not on this machine, so no check looks for it.
const APP: &str = r#"{"file":"hdfs://h/app.py"}"#;

/// The requests that make a session, a batch, a statement and a job. The last two need session 0.
const MAKING: [(&str, &str); 5] = [
    ("/sessions", r#"{"kind":"shared"}"#),
    ("/batches", APP),
    ("/sessions/0/statements", r#"{"code":"1","kind":"spark"}"#),
    ("/sessions/0/submit-job", r#"{"job":"Zm9v"}"#),
    ("/sessions/0/run-job", r#"{"job":"Zm9v"}"#),
];

fn request(path: &str, key: &str) -> request::Builder {
    let request = Request::post(path).header("content-type", "application/json");
    request.header("idempotency-key", key)
}

/// POST with a key.
async fn post(world: &World, key: &str, path: &str, body: &str) -> Answer {
    let request = request(path, key).body(Body::from(body.to_owned()));
    world.send(request.unwrap()).await
}

/// The same as an authenticated user.
async fn post_as(world: &World, user: &str, key: &str, path: &str, body: &str) -> Answer {
    let request = request(path, key).extension(AuthenticatedUser(user.to_owned()));
    world
        .send(request.body(Body::from(body.to_owned())).unwrap())
        .await
}

fn is_replayed(answer: &Answer) -> bool {
    let replayed = answer.headers.get("idempotent-replayed");
    replayed.is_some_and(|value| value == "true")
}

/// The headers without the mark of a repetition, and without the id, which each request has of its
/// own.
fn unmarked(answer: &Answer) -> HeaderMap {
    let mut headers = answer.headers.clone();
    headers.remove("idempotent-replayed");
    headers.remove("x-request-id");
    headers
}

/// Checks that the second answer repeats the first one.
fn assert_replay(first: &Answer, second: &Answer) {
    assert!(!is_replayed(first));
    assert!(is_replayed(second), "{second:?}");
    assert_eq!(second.status, first.status);
    assert_eq!(second.text, first.text);
    assert_eq!(unmarked(second), unmarked(first));
}

/// How many sessions, batches and statements of session 0 there are, and the number of the job that
/// a session would get next.
async fn counts(world: &World) -> [i64; 3] {
    let mut counts = [0; 3];
    let lists = [
        ("/sessions", "total"),
        ("/batches", "total"),
        ("/sessions/0/statements", "total_statements"),
    ];
    for (count, (path, total)) in counts.iter_mut().zip(lists) {
        let answer = world.get(path).await;
        *count = answer.json()[total].as_i64().unwrap_or_default();
    }
    counts
}

/// The number of jobs of session 0. They are numbered from 1.
async fn jobs(world: &World) -> i32 {
    let mut number = 0;
    while world
        .get(&format!("/sessions/0/jobs/{}", number + 1))
        .await
        .status
        == 200
    {
        number += 1;
    }
    number
}
