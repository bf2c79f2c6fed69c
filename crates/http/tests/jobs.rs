//! Jobs, and files for running sessions, in a complete application without Spark: every response,
//! every end, every fault that a test can cause.

mod answers;
mod cancelling;
mod downloads;
mod ends;
mod forms;
mod full_disk;
mod recovery;
mod refusals;
mod resources;
mod sockets;
mod uploads;

use axum::body::Body;
use axum::http::Request;
use livius_agent_link::{Command, Event};
use livius_domain::{JobId, JobLanguage, JobOutcome, Limits, ResourceId, ResourceUse, SessionId};
use livius_testkit::{Answer, DriverOrder, ScriptedAgent, World, WorldOptions, eventually};
use secrecy::ExposeSecret as _;
use serde_json::Value;

const S0: SessionId = SessionId(0);
const J1: JobId = JobId(1);
const J2: JobId = JobId(2);
const R1: ResourceId = ResourceId(1);
const R2: ResourceId = ResourceId(2);

/// `foo`, as a job.
const FOO: &str = r#"{"job":"Zm9v"}"#;

const BOUNDARY: &str = "------------------------d74496d66958873e";

/// A world with a session whose agent has not connected.
async fn starting() -> World {
    let world = World::new().await;
    let created = world.post("/sessions", r#"{"kind":"shared"}"#).await;
    assert_eq!(created.status, 201, "{}", created.text);
    world
}

/// A world with an idle session.
async fn running() -> (World, ScriptedAgent) {
    let world = World::new().await;
    let agent = world.idle_session(r#"{"kind":"shared"}"#).await;
    (world, agent)
}

/// Submits a job.
async fn submit(world: &World, body: &str) -> JobId {
    let answer = world.post("/sessions/0/submit-job", body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    JobId(answer.json()["id"].as_i64().unwrap().try_into().unwrap())
}

async fn status(world: &World, job: JobId) -> Value {
    let answer = world.get(&format!("/sessions/0/jobs/{job}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

/// Waits until a job shows a state, and returns the response.
async fn await_job(world: &World, job: JobId, state: &str) -> Value {
    eventually(&format!("job {job} is {state}"), async || {
        let shown = status(world, job).await;
        (shown["state"] == state).then_some(shown)
    })
    .await
}

/// Receives the next command, which must be a job.
async fn expect_job(agent: &mut ScriptedAgent) -> (JobId, JobLanguage, String) {
    match agent.command().await {
        Command::Job {
            job,
            language,
            payload,
        } => (job, language, payload),
        other => panic!("expected a job, got {other:?}"),
    }
}

/// Receives the next command, which must cancel a job.
async fn expect_cancel(agent: &mut ScriptedAgent) -> JobId {
    match agent.command().await {
        Command::CancelJob { job, .. } => job,
        other => panic!("expected a cancellation, got {other:?}"),
    }
}

async fn begin(agent: &mut ScriptedAgent, job: JobId) {
    agent.say(Event::JobStarted { job, at: 1 }).await;
}

async fn end(agent: &mut ScriptedAgent, job: JobId, outcome: JobOutcome, text: Option<&str>) {
    let text = text.map(str::to_owned);
    let (result, error) = match outcome {
        JobOutcome::Succeeded => (text, None),
        JobOutcome::Failed | JobOutcome::Cancelled => (None, text),
    };
    let finished = Event::JobFinished {
        job,
        at: 2,
        outcome,
        result,
        chunks: 0,
        error,
    };
    agent.say(finished).await;
}

/// A file that the driver is to add.
#[derive(Debug, PartialEq, Eq)]
struct Added {
    resource: ResourceId,
    used_as: ResourceUse,
    name: String,
    uri: Option<String>,
}

fn uploaded(resource: ResourceId, used_as: ResourceUse, name: &str) -> Added {
    Added {
        resource,
        used_as,
        name: name.to_owned(),
        uri: None,
    }
}

/// Receives the next command, which must be a file to add.
async fn expect_resource(agent: &mut ScriptedAgent) -> Added {
    match agent.command().await {
        Command::Resource {
            resource,
            used_as,
            name,
            uri,
        } => Added {
            resource,
            used_as,
            name,
            uri,
        },
        other => panic!("expected a file, got {other:?}"),
    }
}

/// Reports that a file was added, or why it could not be.
async fn added(agent: &mut ScriptedAgent, resource: ResourceId, error: Option<&str>) {
    let error = error.map(str::to_owned);
    agent.say(Event::ResourceAdded { resource, error }).await;
}

/// A part of a form with exactly this head.
fn part(head: &str, content: &[u8]) -> Vec<u8> {
    let head = format!("--{BOUNDARY}\r\n{head}\r\n\r\n");
    [head.as_bytes(), content, b"\r\n"].concat()
}

/// A part with a file.
fn file(name: &str, file_name: &str, content: &[u8]) -> Vec<u8> {
    let head = format!(
        "Content-Disposition: form-data; name=\"{name}\"; filename=\"{file_name}\"\r\nContent-Type: application/octet-stream"
    );
    part(&head, content)
}

fn form(parts: &[Vec<u8>]) -> Vec<u8> {
    [parts.concat(), format!("--{BOUNDARY}--\r\n").into_bytes()].concat()
}

fn form_request(path: &str, body: impl Into<Body>) -> Request<Body> {
    let content_type = format!("multipart/form-data; boundary={BOUNDARY}");
    let request = Request::post(path).header("content-type", content_type);
    request.body(body.into()).unwrap()
}

/// Sends a form.
async fn send(world: &World, path: &str, body: impl Into<Body>) -> Answer {
    world.send(form_request(path, body)).await
}

/// Sends a file in the part that `upload-file` reads.
async fn upload(world: &World, file_name: &str, content: &[u8]) -> Answer {
    let body = form(&[file("file", file_name, content)]);
    send(world, "/sessions/0/upload-file", body).await
}

/// Fetches an uploaded file as the driver's agent does.
async fn download(world: &World, order: &DriverOrder, resource: ResourceId) -> Answer {
    let request = Request::get(format!("/api/v1/agent/resources/{resource}"));
    let purpose = format!("resource {resource}");
    world.send_as_agent(order, request, &purpose, "").await
}

/// Lists the uploads to the first session that are on disk.
async fn kept(world: &World) -> Vec<String> {
    let (order, _) = world.driver(S0).await;
    let Ok(entries) = std::fs::read_dir(world.dir_of(&order).join("uploads")) else {
        return Vec::new();
    };
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}
