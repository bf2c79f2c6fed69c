//! Live sessions.

use std::process::Stdio;
use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, stream};
use livius_bench::processes::resident;
use livius_bench::{note, tell};
use livius_domain::{Limits, SessionId};
use livius_testkit::{World, WorldOptions};
use secrecy::ExposeSecret as _;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::net::TcpListener;
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// How many requests are under way at once.
const AT_ONCE: usize = 64;

pub async fn measure(count: usize) {
    let limits = Limits {
        live_sessions: count,
        concurrent_starts: count,
        ..Limits::default()
    };
    let world = World::with(WorldOptions {
        limits,
        ..WorldOptions::default()
    })
    .await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let router = world.router();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let (_agents, mut orders, mut words) = agents(&address);
    let before = memory();
    note("creating sessions");
    let begun = Instant::now();
    created(&world, count).await;
    tell(&format!("{count} sessions created: {:?}", begun.elapsed()));
    note("connecting their agents");
    let begun = Instant::now();
    connect(&world, count, &mut orders).await;
    tell(&format!("{count} sessions idle: {:?}", begun.elapsed()));
    let after = memory();
    #[expect(clippy::cast_precision_loss, reason = "a count of sessions")]
    let each = (after - before) * 1024.0 / count as f64;
    tell(&format!(
        "memory of the server: {before:.1} MiB, then {after:.1} MiB: {each:.1} KiB a session"
    ));
    // The agents' process is the client too.
    orders.write_all(b"read\n").await.unwrap();
    while let Some(line) = words.next_line().await.unwrap() {
        tell(&line);
    }
}

fn agents(address: &str) -> (Child, ChildStdin, Lines<BufReader<ChildStdout>>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["agents", address])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let orders = child.stdin.take().unwrap();
    let words = BufReader::new(child.stdout.take().unwrap()).lines();
    (child, orders, words)
}

async fn created(world: &World, count: usize) {
    let create = async |_| {
        let body = r#"{"kind":"pyspark","conf":{"spark.executor.memory":"2g"}}"#;
        let answer = world.post("/sessions", body).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
    };
    stream::iter(0..count)
        .for_each_concurrent(AT_ONCE, create)
        .await;
}

/// Sends each order to the agents' process, and waits until all sessions are idle.
async fn connect(world: &World, count: usize, orders: &mut ChildStdin) {
    for number in 0..count {
        let id = SessionId(i32::try_from(number).unwrap());
        let (order, _) = world.driver(id).await;
        let line = format!("{} {}\n", order.id, order.token.expose_secret());
        orders.write_all(line.as_bytes()).await.unwrap();
        world.launcher().forget(&order.id);
    }
    let idle = async |number: usize| {
        let path = format!("/sessions/{number}?wait=60s&until=idle");
        let begun = Instant::now();
        let session = world.get(&path).await.json();
        let took = begun.elapsed();
        assert!(took < Duration::from_secs(55), "{session}");
        assert_eq!(session["state"], "idle", "{session}");
    };
    stream::iter(0..count)
        .for_each_concurrent(AT_ONCE, idle)
        .await;
}

fn memory() -> f64 {
    resident(std::process::id()).unwrap()
}
