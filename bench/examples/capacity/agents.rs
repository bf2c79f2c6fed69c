//! The second process: the agents of the sessions, and the client that reads sessions.

use std::time::Instant;

use axum::http::HeaderMap;
use futures_util::{SinkExt as _, StreamExt as _};
use livius_bench::samples::Samples;
use livius_bench::tell;
use livius_testkit::AgentProof;
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::task::JoinSet;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};

const CONNECTIONS: usize = 16;
const READS: usize = 2_000;

/// Reads orders, a line each: a driver's id and its token. `read` ends the list.
pub async fn run(address: &str) {
    let url = format!("ws://{address}{}", livius_http::AGENT_PATH);
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let mut count = 0;
    while let Some(line) = lines.next_line().await.unwrap() {
        if line == "read" {
            return read(address, count).await;
        }
        let (driver, token) = line.split_once(' ').unwrap();
        // One after the other, as the listener's queue is short.
        connect(&url, driver, token).await;
        count += 1;
    }
}

async fn connect(url: &str, driver: &str, token: &str) {
    let proof = AgentProof::new(driver, token, "connect");
    let challenge = match connect_async(request(url, proof.headers())).await {
        Err(Error::Http(refusal)) => refusal.headers()["livius-challenge"]
            .to_str()
            .unwrap()
            .to_owned(),
        other => panic!("no challenge: {other:?}"),
    };
    let answer = request(url, proof.answer(&challenge, b""));
    let (mut socket, _) = connect_async(answer).await.unwrap();
    let hello = json!({
        "v": 3, "type": "hello", "versions": [3], "driver": driver, "instance": driver, "pid": 1,
        "spark": "4.1.4", "scala": "2.13.17", "java": "17.0.15", "firstSeq": 1, "lastSeq": 0,
        "sessions": [{"active": null, "queued": [], "jobs": []}],
    });
    let ready = json!({
        "v": 3, "seq": 1, "type": "ready", "appId": driver, "sparkUiUrl": "http://127.0.0.1:4040",
        "sparkUser": "me", "master": "local[2]",
    });
    for frame in [hello, ready] {
        socket.send(Message::text(frame.to_string())).await.unwrap();
    }
    // Reading answers the server's pings.
    tokio::spawn(async move { while let Some(Ok(_)) = socket.next().await {} });
}

fn request(url: &str, pairs: Vec<(&'static str, String)>) -> axum::http::Request<()> {
    let mut request = url.into_client_request().unwrap();
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.insert(name, value.parse().unwrap());
    }
    request.headers_mut().extend(headers);
    request
}

/// Reads single sessions over a few connections at once.
async fn read(address: &str, count: usize) {
    let mut readers = JoinSet::new();
    let begun = Instant::now();
    for reader in 0..CONNECTIONS {
        let client = reqwest::Client::builder()
            .pool_max_idle_per_host(1)
            .build()
            .unwrap();
        let address = address.to_owned();
        readers.spawn(async move {
            let mut times = Vec::new();
            for turn in 0..READS {
                let session = (reader + turn * 7_919) % count;
                let begun = Instant::now();
                let answer = client.get(format!("http://{address}/sessions/{session}"));
                let answer = answer.send().await.unwrap().error_for_status().unwrap();
                answer.bytes().await.unwrap();
                times.push(begun.elapsed().as_secs_f64() * 1e3);
            }
            times
        });
    }
    let all: Samples = readers.join_all().await.into_iter().flatten().collect();
    tell(&format!(
        "GET one of {count} sessions, {CONNECTIONS} connections, {} requests in {:?}: p50 {:.2} ms, p99 {:.2} ms",
        all.count(),
        begun.elapsed(),
        all.median().unwrap(),
        all.quantile(0.99).unwrap(),
    ));
}
