//! Responses that a real API server of Kubernetes 1.36 gave, with a node of ours.

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use livius_kubernetes::{ContainerState, DriverPod, KubernetesError, Phase, Right, Seen};
use serde_json::Value;

use crate::server::Asked;
use crate::world::{World, files, kind, known, soon};

const LIST: &str = include_str!("../recorded/list.json");
const PAGE: &str = include_str!("../recorded/page.json");
const METADATA: &str = include_str!("../recorded/metadata.json");
const NO_IMAGE: &str = include_str!("../recorded/no-image.json");
const WATCH: &str = include_str!("../recorded/watch.txt");
const VERSION: &str = include_str!("../recorded/version.json");
const REVIEW: &str = include_str!("../recorded/review.json");
const FORBIDDEN: &str = include_str!("../recorded/forbidden.json");
const UNAUTHORIZED: &str = include_str!("../recorded/unauthorized.json");
const EXISTS: &str = include_str!("../recorded/exists.json");
const OTHER_UID: &str = include_str!("../recorded/other-uid.json");
const NO_POD: &str = include_str!("../recorded/no-pod.json");
const NO_CONTAINER: &str = include_str!("../recorded/no-container.json");

fn json(status: u16, text: &'static str) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    (status, [("content-type", "application/json")], text).into_response()
}

/// A server with one response to everything.
async fn playing(status: u16, text: &'static str) -> World {
    let (world, _watch) = World::resting().await;
    world.state.fault(move |_| Some(json(status, text)));
    world
}

fn named<'a>(pods: &'a [DriverPod], name: &str) -> &'a DriverPod {
    pods.iter().find(|pod| pod.name == name).unwrap()
}

fn state(pod: &DriverPod) -> &ContainerState {
    let container = pod.container("spark-kubernetes-driver").unwrap();
    assert_eq!(container.memory_limit.as_deref(), Some("1408Mi"));
    container.state.as_ref().unwrap()
}

#[tokio::test]
async fn pods_that_ended_and_one_that_runs() {
    let world = playing(200, LIST).await;
    let pods = world.namespace.find("b-1").await.unwrap();
    assert_eq!(pods.len(), 3);
    let failed = named(&pods, "livius-b-1");
    assert_eq!(
        (&failed.phase, failed.driver.as_str()),
        (&Phase::Failed, "b-1")
    );
    assert_eq!(failed.app.as_deref(), Some("spark-f00b-1"));
    assert_eq!(failed.node.as_deref(), Some("proc-node"));
    assert!(failed.ip.is_some() && failed.created.is_some() && failed.started.is_some());
    assert!(!failed.deleting && failed.unscheduled.is_none() && failed.disruption.is_none());
    assert!(matches!(
        state(failed),
        ContainerState::Terminated { exit_code: 3, .. }
    ));
    let done = named(&pods, "livius-b-2");
    assert_eq!(done.phase, Phase::Succeeded);
    assert!(matches!(
        state(done),
        ContainerState::Terminated { exit_code: 0, .. }
    ));
    let running = named(&pods, "livius-b-3");
    assert_eq!(running.phase, Phase::Running);
    assert!(matches!(
        state(running),
        ContainerState::Running { started: Some(_) }
    ));
}

#[tokio::test]
async fn a_list_goes_on_with_the_next_page() {
    let (world, _watch) = World::resting().await;
    let next = |asked: &Asked| asked.value("continue").is_some();
    world.state.fault(move |asked| {
        let text = if next(asked) { LIST } else { PAGE };
        Some(json(200, text))
    });
    assert_eq!(world.namespace.find("b-1").await.unwrap().len(), 2 + 3);
    let page: Value = serde_json::from_str(PAGE).unwrap();
    let token = page["metadata"]["continue"].as_str().unwrap();
    assert_eq!(world.state.asked()[1].value("continue"), Some(token));
    assert_eq!(world.state.asked().len(), 2);
}

#[tokio::test]
async fn drivers_are_known_by_metadata_alone() {
    let world = playing(200, METADATA).await;
    let drivers = world.namespace.drivers().await.unwrap();
    assert_eq!(drivers, ["b-1", "b-2"]);
}

#[tokio::test]
async fn a_watch_from_the_creation_of_a_pod_to_its_deletion() {
    let (mut world, watch) = World::resting().await;
    world.state.fault(|asked| {
        let list =
            r#"{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[]}"#;
        Some(json(200, if asked.is_watch() { WATCH } else { list }))
    });
    let mut follower = world.namespace.follow("b-3");
    world.tasks.spawn(watch.run());
    let seen = soon(follower.until(|seen| seen.is_absent() && seen.last.is_some())).await;
    let last = seen.last.unwrap();
    assert!(last.deleting);
    assert!(matches!(state(&last), ContainerState::Running { .. }));
    assert_eq!(seen.outage, None);
}

#[tokio::test]
async fn a_pod_without_its_image_waits_and_says_so() {
    let (mut world, watch) = World::resting().await;
    let pod: Value = serde_json::from_str(NO_IMAGE).unwrap();
    world.state.change(|store| store.put("pods", pod));
    let mut follower = world.namespace.follow("b-3");
    world.tasks.spawn(watch.run());
    let seen: Seen = soon(follower.changed()).await;
    let pod = seen.pod.unwrap();
    assert_eq!(pod.phase, Phase::Pending);
    let ContainerState::Waiting { reason, message } = state(&pod) else {
        panic!("{pod:?}");
    };
    assert_eq!(reason.as_deref(), Some("ErrImagePull"));
    assert_eq!(message.as_deref(), Some("no such image: shell:1"));
}

#[tokio::test]
async fn the_version_and_a_right() {
    let world = playing(200, VERSION).await;
    assert_eq!(world.namespace.version().await.unwrap(), "v1.36.3");
    let world = playing(201, REVIEW).await;
    let missing = world.namespace.missing(&[Right::of("list", "pods")]).await;
    assert_eq!(missing.unwrap(), []);
}

#[tokio::test]
async fn refusals() {
    let world = playing(403, FORBIDDEN).await;
    let error = world.namespace.find("b-1").await.unwrap_err();
    assert!(error.is_forbidden());
    assert_eq!(
        kind(&error),
        "refused: Kubernetes refuses with status 403: pods is forbidden: User \
         \"system:serviceaccount:spark:default\" cannot list resource \"pods\" in API group \"\" in \
         the namespace \"spark\""
    );
    let world = playing(401, UNAUTHORIZED).await;
    let error = world.namespace.find("b-1").await.unwrap_err();
    assert!(error.is_forbidden());

    let (world, _watch) = World::resting().await;
    world.put_pod("b-1", "Running");
    world
        .state
        .fault(|asked| (asked.method == "DELETE").then(|| json(409, OTHER_UID)));
    let left = world
        .namespace
        .delete("b-1", std::time::Duration::ZERO)
        .await;
    assert_eq!(left, Ok(1));
    // A secret of another server has the name.
    world
        .state
        .fault(|asked| (asked.method == "POST").then(|| json(409, EXISTS)));
    let error = world
        .namespace
        .put_secret("b-1", files("x"))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("already exists"), "{error}");

    let world = playing(404, NO_POD).await;
    let error = world.namespace.log(&known("none"), "x", None, false).await;
    assert!(matches!(
        error.err(),
        Some(KubernetesError::NotFound { .. })
    ));
    let world = playing(400, NO_CONTAINER).await;
    let error = world.namespace.log(&known("p"), "x", None, false).await;
    assert!(matches!(
        error.err(),
        Some(KubernetesError::Refused { status: 400, .. })
    ));
}
