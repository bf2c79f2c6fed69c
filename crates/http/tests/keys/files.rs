//! Files that are added to a session with a key.

use livius_agent_link::{Command, Event};
use livius_domain::ResourceId;
use livius_testkit::{ScriptedAgent, World};

use super::*;

const ADD: &str = "/sessions/0/add-file";
const UPLOAD: &str = "/sessions/0/upload-file";
const URI: &str = r#"{"uri":"hdfs://h/a.csv"}"#;

/// A form as a client writes it: each has a boundary of its own.
async fn upload(world: &World, boundary: &str, name: &str, content: &str) -> Answer {
    let body = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n{content}\r\n--{boundary}--\r\n"
    );
    let content_type = format!("multipart/form-data; boundary={boundary}");
    let request = Request::post(UPLOAD)
        .header("content-type", content_type)
        .header("idempotency-key", "k");
    world.send(request.body(Body::from(body)).unwrap()).await
}

async fn starting() -> World {
    let world = World::new().await;
    world.post("/sessions", r#"{"kind":"shared"}"#).await;
    world
}

/// The files that the driver of session 0 is told to add.
async fn told(world: &World) -> Vec<ResourceId> {
    let mut agent = ScriptedAgent::connect(world, S0).await;
    agent.ready().await;
    // Code runs after the files are there.
    let body = r#"{"code":"1","kind":"spark"}"#;
    world.post("/sessions/0/statements", body).await;
    let mut told = Vec::new();
    while let Command::Resource { resource, .. } = agent.command().await {
        told.push(resource);
    }
    told
}

#[tokio::test]
async fn a_file_is_added_once() {
    let world = starting().await;
    let first = post(&world, "k", ADD, URI).await;
    assert_eq!(first.status, 200, "{}", first.text);
    assert_replay(&first, &post(&world, "k", ADD, URI).await);
    let world = world.crash_and_restart().await;
    assert_replay(&first, &post(&world, "k", ADD, URI).await);
    let other = post(&world, "k", "/sessions/0/add-jar", URI).await;
    assert_eq!(other.status, 422, "{}", other.text);
    assert_eq!(told(&world).await, [ResourceId(1)]);
}

#[tokio::test]
async fn a_file_is_uploaded_once_whatever_the_boundaries() {
    let world = starting().await;
    let first = upload(&world, "b1", "a.txt", "abc").await;
    assert_eq!(first.status, 200, "{}", first.text);
    assert_replay(&first, &upload(&world, "b2", "a.txt", "abc").await);
    let world = world.crash_and_restart().await;
    assert_replay(&first, &upload(&world, "b3", "a.txt", "abc").await);
    for (name, content) in [("a.txt", "abd"), ("b.txt", "abc"), ("a.txta", "bc")] {
        let other = upload(&world, "b4", name, content).await;
        assert_eq!(other.status, 422, "{}", other.text);
        assert!(other.text.contains("Idempotency-Key"), "{}", other.text);
    }
    let found = world.get("/api/v1/keys/k").await.json();
    assert_eq!(found["made"]["kind"], "file");
    assert_eq!(told(&world).await, [ResourceId(1)]);
}

#[tokio::test]
async fn a_file_that_the_driver_refuses_leaves_the_key_free() {
    let world = World::new().await;
    let mut agent = world.idle_session(r#"{"kind":"shared"}"#).await;
    for (number, error, status) in [(1, Some("no such file"), 400), (2, None, 200)] {
        let driver = async {
            let resource = match agent.command().await {
                Command::Resource { resource, .. } => resource,
                other => panic!("expected a file, got {other:?}"),
            };
            let error = error.map(str::to_owned);
            agent.say(Event::ResourceAdded { resource, error }).await;
            resource
        };
        let (answer, resource) = tokio::join!(post(&world, "k", ADD, URI), driver);
        assert_eq!(answer.status, status, "{}", answer.text);
        assert!(!is_replayed(&answer));
        assert_eq!(resource, ResourceId(number));
    }
    assert!(is_replayed(&post(&world, "k", ADD, URI).await));
}
