//! Logs of containers.

use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use futures_util::stream::{self, StreamExt as _};
use jiff::Timestamp;
use livius_kubernetes::{KubernetesError, LogLine, LogLines};

use crate::server::status;
use crate::world::{World, kind, known, soon};

fn text(line: &LogLine) -> String {
    String::from_utf8_lossy(&line.text).into_owned()
}

async fn opened(world: &World, follow: bool) -> LogLines {
    let pod = known("p");
    let log = world.namespace.log(&pod, "main", None, follow);
    soon(log).await.unwrap()
}

/// A log in chunks, one a moment, and then perhaps a break of the connection.
fn chunked(chunks: &'static [&'static str], breaks: bool) -> Response {
    let all = chunks.iter().map(|chunk| Ok(*chunk));
    let all = all.chain(breaks.then_some(Err("broken")));
    let slow = stream::iter(all).then(|chunk| async move {
        tokio::time::sleep(Duration::from_millis(5)).await;
        chunk
    });
    Body::from_stream(slow).into_response()
}

#[tokio::test]
async fn a_log_is_read_line_by_line_to_its_end() {
    let (world, _watch) = World::resting().await;
    let chunks = &[
        "2026-11-30T14:00:00.5Z on",
        "e\n2026-11-30T14:00:01Z two\n2026-11-30T14",
        ":00:02Z three",
    ];
    world.state.fault(|_| Some(chunked(chunks, false)));
    let lines: Vec<LogLine> = opened(&world, false)
        .await
        .map(Result::unwrap)
        .collect()
        .await;
    let told: Vec<_> = lines.iter().map(|line| (text(line), line.ends)).collect();
    let expected = [("one", true), ("two", true), ("three", false)];
    assert_eq!(told, expected.map(|(text, ends)| (text.to_owned(), ends)));
    assert_eq!(lines[0].at.unwrap().to_string(), "2026-11-30T14:00:00.5Z");
    let asked = &world.state.asked()[0];
    assert_eq!(asked.line(), "GET /pods/p/log");
    assert_eq!(asked.value("container"), Some("main"));
    assert_eq!(asked.value("timestamps"), Some("true"));
    assert_eq!(
        (asked.value("follow"), asked.value("sinceTime")),
        (None, None)
    );
}

#[tokio::test]
async fn a_followed_log_comes_as_it_is_written() {
    let (world, _watch) = World::resting().await;
    world.state.fault(|_| {
        let first = stream::iter([Ok::<_, std::io::Error>("2026-11-30T14:00:00Z one\n")]);
        Some(Body::from_stream(first.chain(stream::pending())).into_response())
    });
    let mut log = opened(&world, true).await;
    let line = soon(log.next()).await.unwrap().unwrap();
    assert_eq!(text(&line), "one");
    let more = tokio::time::timeout(Duration::from_millis(100), log.next()).await;
    assert!(more.is_err(), "the log goes on");
    assert_eq!(world.state.asked()[0].value("follow"), Some("true"));
}

#[tokio::test]
async fn a_log_from_a_time_on() {
    let (world, _watch) = World::resting().await;
    world.state.fault(|_| Some(chunked(&[], false)));
    let since: Timestamp = "2026-11-30T14:00:01.75Z".parse().unwrap();
    let pod = known("p");
    let log = world.namespace.log(&pod, "main", Some(since), false);
    assert!(soon(log).await.unwrap().next().await.is_none());
    let asked = &world.state.asked()[0];
    let sent: Timestamp = asked.value("sinceTime").unwrap().parse().unwrap();
    assert_eq!(sent.as_second(), since.as_second(), "{sent}");
}

#[tokio::test]
async fn a_connection_that_breaks_is_not_the_end_of_the_log() {
    let (world, _watch) = World::resting().await;
    let chunks = &["2026-11-30T14:00:00Z one\n2026-11-30T14:00:01Z tw"];
    world.state.fault(|_| Some(chunked(chunks, true)));
    let mut log = opened(&world, true).await;
    let line = soon(log.next()).await.unwrap().unwrap();
    assert_eq!(text(&line), "one");
    // Half a line would be written twice later.
    let error = soon(log.next()).await.unwrap().unwrap_err();
    assert!(kind(&error).starts_with("away: "), "{error}");
    assert!(soon(log.next()).await.is_none());
}

#[tokio::test]
async fn a_container_without_a_log_is_told_apart() {
    let (world, _watch) = World::resting().await;
    let cases = [
        (
            400,
            "container \"main\" in pod \"p\" is waiting to start: ContainerCreating",
            "refused: ",
        ),
        (404, "pods \"p\" not found", "not found: "),
        (403, "pods \"p\" is forbidden", "refused: "),
        (
            500,
            "Get \"https://10.0.0.9:10250/\": connect: connection refused",
            "away: ",
        ),
    ];
    for (code, message, expected) in cases {
        world.state.fault(move |_| Some(status(code, message)));
        let error = world
            .namespace
            .log(&known("p"), "main", None, true)
            .await
            .err()
            .unwrap();
        let told = kind(&error);
        assert!(
            told.starts_with(expected) && told.contains(message),
            "{told}"
        );
        let waits = matches!(error, KubernetesError::Refused { status: 400, .. });
        assert_eq!(waits, code == 400);
    }
}
