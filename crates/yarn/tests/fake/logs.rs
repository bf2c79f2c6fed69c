//! Logs of containers. The daemon here cuts them as a NodeManager does; `real_yarn.rs` shows that
//! NodeManagers do so.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::http::StatusCode;
use livius_yarn::{Cluster, Container, LogPart, YarnError};
use serde_json::json;

use crate::daemon::{Daemon, Reply, TIMEOUT, refusal, with_properties};

const CONTAINER: &str = "container_1700000000000_0007_01_000001";

/// A cluster of which only a node and a server of logs matter.
fn cluster(node: &Daemon, log_server: Option<&Daemon>) -> (Cluster, Container) {
    let key = "yarn.log.server.web-service.url";
    let properties: Vec<_> = log_server
        .map(|server| (key, format!("http://{}/history", server.address)))
        .into_iter()
        .collect();
    let (cluster, _, _) = with_properties(&[node.address], TIMEOUT, &properties);
    let container = Container {
        id: CONTAINER.to_owned(),
        node: Some(node.address.to_string()),
    };
    (cluster, container)
}

/// The text in which a daemon sends a part of a log.
fn framed(log: &[u8], target: &str) -> Reply {
    let (_, rest) = target.split_once("size=").unwrap();
    let size: i64 = rest.split('&').next().unwrap().parse().unwrap();
    let length = log.len().min(usize::try_from(size.unsigned_abs()).unwrap());
    let part = if size < 0 {
        &log[log.len() - length..]
    } else {
        &log[..length]
    };
    let (part, total) = (String::from_utf8_lossy(part), log.len());
    let text = format!(
        "Container: {CONTAINER} on n:1\nLogAggregationType: LOCAL\n====\nLogType:stdout\n\
         LogLastModifiedTime:x\nLogLength:{total}\nLogContents:\n{part}\nEnd of LogType:stdout.\n***\n\n"
    );
    Reply::Text(StatusCode::OK, text)
}

#[tokio::test]
async fn every_part_of_a_log_can_be_read() {
    // The content looks like the frame around it.
    let log = b"one\nLogLength:9\nLogContents:\nEnd of LogType:stdout.\n***\n".as_slice();
    let node = Daemon::start(move |target| framed(log, target)).await;
    let (cluster, container) = cluster(&node, None);
    for from in 0..log.len() + 2 {
        for at_most in [1, 7, 30, 1000] {
            let part = cluster
                .read_log(&container, "stdout", from as u64, at_most)
                .await
                .unwrap();
            let expected = log.get(from..).unwrap_or_default();
            let expected = &expected[..at_most.min(expected.len())];
            assert_eq!(part.content, expected, "{from} {at_most}");
            assert_eq!(part.total, log.len() as u64);
        }
    }
    assert!(node.asked()[0].starts_with(&format!(
        "GET /ws/v1/node/containerlogs/{CONTAINER}/stdout?size=-1&"
    )));
}

#[tokio::test]
async fn a_log_that_grows_between_two_requests_has_no_hole() {
    for growth in [10, 200_000] {
        let length = Arc::new(AtomicUsize::new(500_000));
        let log: Vec<u8> = (0..1_000_000_u32).map(|n| b'a' + (n % 23) as u8).collect();
        let (whole, now) = (log.clone(), Arc::clone(&length));
        let node = Daemon::start(move |target| {
            framed(&whole[..now.fetch_add(growth, Ordering::SeqCst)], target)
        })
        .await;
        let (cluster, container) = cluster(&node, None);
        let part = cluster
            .read_log(&container, "stdout", 400_000, 100)
            .await
            .unwrap();
        assert_eq!(part.content, &log[400_000..400_100], "{growth}");
    }
}

#[tokio::test]
async fn a_broken_log_is_no_short_one() {
    let node = Daemon::start(|_| {
        Reply::Text(
            StatusCode::OK,
            "Container: c\nLogLength:50\nLogContents:\nshort".to_owned(),
        )
    })
    .await;
    let (cluster, container) = cluster(&node, None);
    let error = cluster
        .read_log(&container, "stdout", 0, 50)
        .await
        .unwrap_err();
    assert!(matches!(error, YarnError::Away(_)), "{error}");
    node.now(|_| Reply::Endless(StatusCode::OK));
    let error = cluster
        .read_log(&container, "stdout", 0, 50)
        .await
        .unwrap_err();
    assert!(matches!(error, YarnError::Foreign { .. }), "{error}");
}

#[tokio::test]
async fn aggregated_logs_follow_those_of_the_node() {
    let words = "Unknown container. Container either has not started or has already completed";
    let node = Daemon::start(move |_| refusal(503, words)).await;
    let server = Daemon::start(|target| {
        if target.contains("/logs") {
            return Reply::Json(json!([{"containerLogInfo": [
                {"fileName": "stdout", "fileSize": "3"},
                {"fileName": "stderr", "fileSize": "0"},
            ]}]));
        }
        framed(b"abc", target)
    })
    .await;
    let (with_server, container) = cluster(&node, Some(&server));
    let files = with_server.log_files(&container).await.unwrap();
    assert_eq!((files[0].name.as_str(), files[0].bytes), ("stdout", 3));
    assert_eq!(files.len(), 2);
    let part = with_server
        .read_log(&container, "stdout", 1, 9)
        .await
        .unwrap();
    let (content, total) = (b"bc".to_vec(), 3);
    assert_eq!(part, LogPart { content, total });
    assert!(server.asked()[0].starts_with(&format!("GET /history/containers/{CONTAINER}/logs?")));

    // A node that has the address of the server sends us there. We ask the configured one.
    node.now(|_| Reply::Redirect("http://elsewhere.example/history".to_owned()));
    with_server.log_files(&container).await.unwrap();
    node.now(move |_| refusal(503, words));

    let (alone, container) = cluster(&node, None);
    let error = alone.log_files(&container).await.unwrap_err();
    assert!(
        matches!(&error, YarnError::NotFound { text } if text.contains(words)),
        "{error}"
    );

    server.now(|_| {
        Reply::Text(
            StatusCode::OK,
            "Can not find logs for container:x".to_owned(),
        )
    });
    let error = with_server
        .read_log(&container, "stdout", 0, 9)
        .await
        .unwrap_err();
    assert!(matches!(error, YarnError::NotFound { .. }), "{error}");

    node.stop().await;
    let error = with_server
        .read_log(&container, "stdout", 0, 9)
        .await
        .unwrap_err();
    assert!(
        matches!(error, YarnError::Away(_)),
        "the node may come back: {error}"
    );
}

#[tokio::test]
async fn a_refusal_of_logs_is_told_as_one() {
    let words = "User [bob] is not authorized to view the logs for application x";
    let node = Daemon::start(move |_| refusal(503, words)).await;
    let (cluster, container) = cluster(&node, None);
    let error = cluster.log_files(&container).await.unwrap_err();
    assert!(
        matches!(&error, YarnError::Forbidden { text } if text.contains(words)),
        "{error}"
    );
}

#[tokio::test]
async fn names_cannot_leave_the_interface() {
    let node = Daemon::start(|target| {
        let text = format!("asked {target}");
        Reply::Text(StatusCode::NOT_FOUND, text)
    })
    .await;
    let (cluster, container) = cluster(&node, None);
    for (name, path) in [("../../x?y#z", "..%2F..%2Fx%3Fy%23z"), ("a b", "a%20b")] {
        let error = cluster.read_log(&container, name, 0, 9).await.unwrap_err();
        let expected = format!("/ws/v1/node/containerlogs/{CONTAINER}/{path}?size=-9");
        assert!(error.to_string().contains(&expected), "{error}");
    }
    let strange = Container {
        id: CONTAINER.to_owned(),
        node: Some("evil@example/path".to_owned()),
    };
    let error = cluster.log_files(&strange).await.unwrap_err();
    assert!(matches!(error, YarnError::NotFound { .. }), "{error}");
}
