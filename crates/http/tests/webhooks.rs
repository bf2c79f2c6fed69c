//! Webhooks: the server tells a program on this machine of an end, also after failures and restarts.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, Uri};
use axum::response::IntoResponse as _;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use livius_domain::{BatchId, Exit, SessionId};
use livius_sessions::Webhooks;
use livius_testkit::{Answer, World, WorldOptions, eventually};
use livius_webhooks::{Courier, Hosts, Networks, Rules, Secrets};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::sync::mpsc;

const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const APP: &str = r#"{"file":"local:/a.py","name":"nightly"}"#;
const B0: BatchId = BatchId(0);

/// A program that takes messages. It gives its answers in order, and 200 when there are no more.
struct Receiver {
    address: SocketAddr,
    taken: mpsc::UnboundedReceiver<Taken>,
    answers: Answers,
}

type Answers = Arc<Mutex<VecDeque<(u16, &'static str, String)>>>;

#[derive(Debug)]
struct Taken {
    uri: Uri,
    headers: HeaderMap,
    body: String,
}

impl Receiver {
    #[expect(
        clippy::disallowed_methods,
        reason = "the receiver is no part of the server, and goes with the test's runtime"
    )]
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (take, taken) = mpsc::unbounded_channel();
        let answers = Answers::default();
        let next = Arc::clone(&answers);
        let router =
            Router::new().fallback(async move |uri: Uri, headers: HeaderMap, body: String| {
                let _ = take.send(Taken { uri, headers, body });
                let next = next.lock().unwrap().pop_front();
                let (status, name, value) = next.unwrap_or((200, "x-none", String::new()));
                (StatusCode::from_u16(status).unwrap(), [(name, value)]).into_response()
            });
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            address,
            taken,
            answers,
        }
    }

    fn answers(&self, status: u16, name: &'static str, value: &str) {
        let answer = (status, name, value.to_owned());
        self.answers.lock().unwrap().push_back(answer);
    }

    fn url(&self) -> String {
        format!("http://{}/told?token=hunter2", self.address)
    }

    async fn message(&mut self) -> Taken {
        let taken = tokio::time::timeout(Duration::from_secs(10), self.taken.recv()).await;
        taken.expect("a message within 10 s").unwrap()
    }

    fn has_nothing(&mut self) {
        let taken = self.taken.try_recv();
        assert!(taken.is_err(), "{taken:?}");
    }

    /// A world whose webhooks may have this receiver's address.
    async fn world(&self) -> World {
        World::with(WorldOptions {
            webhooks: Some(self.webhooks()),
            ..WorldOptions::default()
        })
        .await
    }

    fn webhooks(&self) -> Webhooks {
        webhooks(&[&self.address.to_string()])
    }
}

fn webhooks(hosts: &[&str]) -> Webhooks {
    let hosts = Hosts::read(hosts.iter().copied()).unwrap();
    let rules = Rules::new(hosts, Networks::default());
    let secrets = Secrets::read(SECRET).unwrap();
    Webhooks {
        courier: Courier::new(rules, secrets, Duration::from_secs(10)).unwrap(),
        retry_for: Duration::from_hours(24),
        limit: 10,
    }
}

async fn post(world: &World, path: &str, body: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::post(path).header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    world
        .send(request.body(Body::from(body.to_owned())).unwrap())
        .await
}

/// A batch that has ended, and whose end a webhook is to be told of.
async fn ended_batch(world: &World, url: &str) {
    let posted = post(world, "/batches", APP, &[("livius-webhook", url)]).await;
    assert_eq!(posted.status, 201, "{}", posted.text);
    end_batch(world).await;
}

async fn end_batch(world: &World) {
    let (_, process) = world.batch_process(B0).await;
    process.exit(Exit::Code(3));
    world.await_batch(B0, "dead").await;
}

/// Waits until so many attempts with the only message have failed.
async fn await_failures(world: &World, failed: u32) {
    eventually("an attempt has failed", async || {
        let waiting = world.deliveries().await;
        (waiting.len() == 1 && waiting[0].attempts == failed).then_some(())
    })
    .await;
}

async fn await_nothing_waits(world: &World) {
    eventually("no message waits", async || {
        world.deliveries().await.is_empty().then_some(())
    })
    .await;
}

/// Verifies the signature as a receiver does, and reads the body.
fn verified(taken: &Taken) -> Value {
    let header = |name: &str| taken.headers[name].to_str().unwrap();
    let key = BASE64_STANDARD.decode(SECRET.strip_prefix("whsec_").unwrap());
    let mut mac = Hmac::<Sha256>::new_from_slice(&key.unwrap()).unwrap();
    for part in [
        header("webhook-id"),
        ".",
        header("webhook-timestamp"),
        ".",
        &taken.body,
    ] {
        mac.update(part.as_bytes());
    }
    let signature = header("webhook-signature").strip_prefix("v1,").unwrap();
    let signature = BASE64_STANDARD.decode(signature).unwrap();
    mac.verify_slice(&signature).unwrap();
    serde_json::from_str(&taken.body).unwrap()
}

#[tokio::test]
async fn the_end_of_a_batch_is_told_and_signed() {
    let mut receiver = Receiver::start().await;
    let world = receiver.world().await;
    ended_batch(&world, &receiver.url()).await;
    let taken = receiver.message().await;
    let mut told = verified(&taken);
    let now = "2023-11-14T22:13:20Z";
    let message = told["data"]["failure"]["message"].take();
    assert_eq!(message, "the application ended with exit code 3");
    let expected = json!({
        "type": "batch.ended",
        "timestamp": now,
        "data": {
            "kind": "batch",
            "id": 0,
            "name": "nightly",
            "outcome": "failed",
            "cause": null,
            "failure": {"code": "application_failed", "message": null},
            "createdAt": now,
            "startedAt": null,
            "endedAt": now,
            "path": "/api/v1/batches/0",
        },
    });
    assert_eq!(told, expected);
    assert_eq!(taken.uri.to_string(), "/told?token=hunter2");
    assert_eq!(taken.headers["content-type"], "application/json");
    assert_eq!(taken.headers["webhook-timestamp"], "1700000000");
    let agent = taken.headers["user-agent"].to_str().unwrap();
    assert!(agent.starts_with("livius/"), "{agent}");
    await_nothing_waits(&world).await;
    receiver.has_nothing();
    let metrics = Request::get("/metrics").header("accept", "text/plain;version=0.0.4");
    let metrics = world.send(metrics.body(Body::empty()).unwrap()).await.text;
    let line = r#"livius_webhooks_total{outcome="delivered"} 1"#;
    assert!(metrics.contains(line), "{metrics}");
}

#[tokio::test]
async fn the_ends_of_a_session_and_its_statement_are_told() {
    let mut receiver = Receiver::start().await;
    let world = receiver.world().await;
    let url = receiver.url();
    let conf = json!({"kind": "pyspark", "conf": {"livius.webhook.url": url}});
    let mut agent = world.idle_session(&conf.to_string()).await;
    let header = [("livius-webhook", url.as_str())];
    let path = "/sessions/0/statements";
    for code in [r#"{"code":"1"}"#, r#"{"code":"2"}"#] {
        assert_eq!(post(&world, path, code, &header).await.status, 201);
    }
    let (first, _) = agent.expect_run().await;
    agent.finished(first, "hunter3").await;
    let told = verified(&receiver.message().await);
    assert_eq!(told["type"], "statement.ended");
    let data = &told["data"];
    assert_eq!((&data["id"], &data["session"]), (&json!(0), &json!(0)));
    assert_eq!(data["outcome"], "ok");
    assert_eq!(data["path"], "/sessions/0/statements/0");
    assert!(!told.to_string().contains("hunter3"), "{told}");

    world.delete("/sessions/0").await;
    world.driver(SessionId(0)).await.1.exit(Exit::Code(0));
    let mut told = Vec::new();
    for _ in 0..2 {
        told.push(verified(&receiver.message().await));
    }
    told.sort_by_key(|told| told["type"].to_string());
    assert_eq!(told[0]["type"], "session.ended");
    assert_eq!(told[0]["data"]["cause"], "user");
    assert_eq!(told[1]["data"]["id"], 1);
    await_nothing_waits(&world).await;
    // The URL may have a secret, so only the delivery had it.
    let (order, _) = world.driver(SessionId(0)).await;
    assert!(!format!("{order:?}").contains("hunter2"));
}

#[tokio::test]
async fn a_message_that_did_not_arrive_is_sent_again_later_and_later() {
    let mut receiver = Receiver::start().await;
    let world = receiver.world().await;
    receiver.answers(500, "x-none", "");
    receiver.answers(503, "retry-after", "120");
    ended_batch(&world, &receiver.url()).await;
    let first = receiver.message().await;
    await_failures(&world, 1).await;
    world.clock().advance(Duration::from_secs(7));
    assert!(world.due_deliveries().await.is_empty());
    world.clock().advance(Duration::from_secs(3));
    let second = receiver.message().await;
    await_failures(&world, 2).await;
    world.clock().advance(Duration::from_secs(119));
    assert!(world.due_deliveries().await.is_empty());
    world.clock().advance(Duration::from_secs(1));
    let third = receiver.message().await;
    await_nothing_waits(&world).await;
    for again in [&second, &third] {
        assert_eq!(again.headers["webhook-id"], first.headers["webhook-id"]);
        assert_eq!(verified(again), verified(&first));
    }
    assert_eq!(third.headers["webhook-timestamp"], "1700000130");
    receiver.has_nothing();
}

#[tokio::test]
async fn a_message_outlives_the_server() {
    let mut receiver = Receiver::start().await;
    let world = receiver.world().await;
    // The server dies before it has sent anything.
    world.disk().hold("due_deliveries");
    ended_batch(&world, &receiver.url()).await;
    receiver.has_nothing();
    let world = world.crash_and_restart_holding("delete_delivery").await;
    let first = receiver.message().await;
    // It dies again before it has stored that the message arrived.
    let world = world.crash_and_restart().await;
    let again = receiver.message().await;
    assert_eq!(again.headers["webhook-id"], first.headers["webhook-id"]);
    assert_eq!(verified(&again), verified(&first));
    await_nothing_waits(&world).await;
    let world = world.crash_and_restart().await;
    assert!(world.deliveries().await.is_empty());
    receiver.has_nothing();
}

#[tokio::test]
async fn a_server_that_dies_while_the_batch_runs_has_not_forgotten_the_webhook() {
    let mut receiver = Receiver::start().await;
    let world = receiver.world().await;
    let url = receiver.url();
    post(&world, "/batches", APP, &[("livius-webhook", &url)]).await;
    world.batch_process(B0).await;
    let world = world.crash_and_restart().await;
    end_batch(&world).await;
    assert_eq!(verified(&receiver.message().await)["type"], "batch.ended");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let mut receiver = Receiver::start().await;
    let world = receiver.world().await;
    receiver.answers(302, "location", "/elsewhere");
    ended_batch(&world, &receiver.url()).await;
    assert_eq!(receiver.message().await.uri.path(), "/told");
    await_failures(&world, 1).await;
    receiver.has_nothing();
}

#[tokio::test]
async fn a_webhook_that_is_gone_is_told_nothing_more() {
    let mut receiver = Receiver::start().await;
    let world = receiver.world().await;
    receiver.answers(410, "x-none", "");
    ended_batch(&world, &receiver.url()).await;
    receiver.message().await;
    await_nothing_waits(&world).await;
    receiver.has_nothing();
}

#[tokio::test]
async fn a_message_is_given_up_at_last() {
    let mut receiver = Receiver::start().await;
    let world = receiver.world().await;
    for _ in 0..2 {
        receiver.answers(500, "x-none", "");
    }
    ended_batch(&world, &receiver.url()).await;
    receiver.message().await;
    await_failures(&world, 1).await;
    world.clock().advance(Duration::from_hours(24));
    receiver.message().await;
    await_nothing_waits(&world).await;
    receiver.has_nothing();
}

/// The name is on the list, and it leads to this machine.
#[tokio::test]
async fn a_name_with_a_private_address_is_not_connected_to() {
    let mut receiver = Receiver::start().await;
    let host = format!("localhost:{}", receiver.address.port());
    let world = World::with(WorldOptions {
        webhooks: Some(webhooks(&[host.as_str()])),
        ..WorldOptions::default()
    })
    .await;
    ended_batch(&world, &format!("http://{host}/")).await;
    await_failures(&world, 1).await;
    receiver.has_nothing();
    // The operator may allow it.
    let hosts = Hosts::read([host.as_str()]).unwrap();
    let loopback = Networks::read(["127.0.0.0/8", "::1"]).unwrap();
    let secrets = Secrets::read(SECRET).unwrap();
    let rules = Rules::new(hosts, loopback);
    let courier = Courier::new(rules, secrets, Duration::from_secs(10)).unwrap();
    let allowing = Webhooks {
        courier,
        ..receiver.webhooks()
    };
    let world = world
        .crash_and_restart_with(|options| options.webhooks = Some(allowing))
        .await;
    world.clock().advance(Duration::from_secs(10));
    verified(&receiver.message().await);
}

#[tokio::test]
async fn other_webhooks_are_refused_before_anything_is_made() {
    let receiver = Receiver::start().await;
    let world = receiver.world().await;
    let off = World::new().await;
    let url = receiver.url();
    let conf = json!({"file": "local:/a.py", "conf": {"livius.webhook.url": "https://h/"}});
    let conf = conf.to_string();
    let url = url.as_str();
    let two = [("livius-webhook", url), ("livius-webhook", "http://h/")];
    let empty = [("livius-webhook", "")];
    let conf = conf.as_str();
    let refused = "the header Livius-Webhook is refused";
    for (world, path, body, headers, told) in [
        (&off, "/batches", APP, &two[..1], "webhooks.hosts"),
        (&off, "/batches", conf, &[], "conf.livius.webhook.url"),
        (&world, "/batches", APP, &two[1..], refused),
        (
            &world,
            "/batches",
            APP,
            &two[1..],
            "its host h:80 is not one",
        ),
        (&world, "/sessions", "{}", &two[1..], refused),
        (
            &world,
            "/batches",
            conf,
            &[],
            "conf.livius.webhook.url is refused",
        ),
        (&world, "/batches", APP, &two[..], "two of them"),
        (&world, "/batches", APP, &empty[..], "is not a URL"),
    ] {
        let refused = post(world, path, body, headers).await;
        assert_eq!(refused.status, 400, "{told}: {}", refused.text);
        assert!(refused.text.contains(told), "{told}: {}", refused.text);
    }
    for path in ["/batches", "/sessions"] {
        assert_eq!(world.get(path).await.json()["total"], 0, "{path}");
    }
    let mut agent = world.idle_session(r#"{"kind":"spark"}"#).await;
    let path = "/sessions/0/statements";
    let refused = post(&world, path, r#"{"code":"1"}"#, &two[1..]).await;
    assert_eq!(refused.status, 400, "{}", refused.text);
    world.run("2").await;
    assert_eq!(agent.expect_run().await.1, "2");
}

#[tokio::test]
async fn webhooks_have_a_limit() {
    let receiver = Receiver::start().await;
    let world = receiver.world().await;
    let url = receiver.url();
    let header = [("livius-webhook", url.as_str())];
    let app = r#"{"file":"local:/a.py"}"#;
    for _ in 0..10 {
        assert_eq!(post(&world, "/batches", app, &header).await.status, 201);
    }
    let refused = post(&world, "/batches", app, &header).await;
    assert_eq!(refused.status, 429, "{}", refused.text);
    assert!(refused.text.contains("webhooks.max_waiting"));
    assert_eq!(post(&world, "/batches", app, &[]).await.status, 201);
}

/// Without a secret no message can be signed.
#[tokio::test]
async fn messages_wait_while_the_operator_has_no_webhooks() {
    let mut receiver = Receiver::start().await;
    let world = receiver.world().await;
    let url = receiver.url();
    post(&world, "/batches", APP, &[("livius-webhook", &url)]).await;
    world.batch_process(B0).await;
    let world = world
        .crash_and_restart_with(|options| options.webhooks = None)
        .await;
    end_batch(&world).await;
    assert_eq!(world.deliveries().await.len(), 1);
    let again = receiver.webhooks();
    let _world = world
        .crash_and_restart_with(|options| options.webhooks = Some(again))
        .await;
    verified(&receiver.message().await);
}

#[tokio::test]
async fn a_repetition_names_the_same_webhook() {
    let receiver = Receiver::start().await;
    let world = receiver.world().await;
    let url = receiver.url();
    let other = format!("{url}&more");
    let with = |url: &str| {
        [
            ("idempotency-key", "k".to_owned()),
            ("livius-webhook", url.to_owned()),
        ]
    };
    let ask = async |headers: &[(&str, String)]| {
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| (*name, &**value))
            .collect();
        post(&world, "/batches", APP, &headers)
            .await
            .status
            .as_u16()
    };
    assert_eq!(ask(&with(&url)).await, 201);
    assert_eq!(ask(&with(&url)).await, 201);
    assert_eq!(ask(&with(&other)).await, 422);
    assert_eq!(ask(&with(&url)[..1]).await, 422);
    assert_eq!(world.get("/batches").await.json()["total"], 1);
}
