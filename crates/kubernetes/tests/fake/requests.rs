//! Single requests: what is found, and how refusals read.

use axum::response::IntoResponse as _;
use livius_kubernetes::{Access, KubernetesError, Namespace, Right};
use serde_json::json;

use crate::server::status;
use crate::world::{OTHER, OURS, World, executor, files, kind, known, pod};

#[tokio::test]
async fn the_pods_of_a_driver_are_found_the_newest_first() {
    let (world, _watch) = World::resting().await;
    for (name, created) in [("b", 2), ("c", 3), ("a", 1)] {
        let mut one = pod(name, OURS, "b-1", "Running");
        one["metadata"]["creationTimestamp"] = json!(format!("2026-11-30T14:00:0{created}Z"));
        world.state.change(|store| store.put("pods", one));
    }
    for other in [
        pod("theirs", OTHER, "b-1", "Running"),
        pod("other", OURS, "b-2", "Running"),
        executor("executor", OURS, "b-1"),
    ] {
        world.state.change(|store| store.put("pods", other));
    }
    let found = world.namespace.find("b-1").await.unwrap();
    let names: Vec<&str> = found.iter().map(|pod| pod.name.as_str()).collect();
    assert_eq!(names, ["c", "b", "a"]);
    assert!(world.namespace.find("b-3").await.unwrap().is_empty());
    assert_eq!(world.state.asked()[0].value("resourceVersion"), None);
}

#[tokio::test]
async fn the_drivers_of_our_server_are_those_of_its_pods_and_secrets() {
    let (world, _watch) = World::resting().await;
    for number in 0..700 {
        let name = format!("executor-{number}");
        let one = executor(&name, OURS, &format!("b-{}", number % 3));
        world.state.change(|store| store.put("pods", one));
    }
    let theirs = pod("theirs", OTHER, "b-8", "Running");
    world.state.change(|store| store.put("pods", theirs));
    world.namespace.put_secret("b-9", files("x")).await.unwrap();
    let drivers = world.namespace.drivers().await.unwrap();
    assert_eq!(drivers, ["b-0", "b-1", "b-2", "b-9"]);
    assert_eq!(world.lists(), 2, "pages of 500");
}

#[tokio::test]
async fn refusals_read_as_kubernetes_wrote_them() {
    let (world, _watch) = World::resting().await;
    let url = format!("http://{}", world.server.address);
    let away = |words: &str| format!("away: {url} does not answer: {words}");
    let foreign =
        |words: &str| format!("foreign: {url} does not answer as Kubernetes does: {words}");
    let forbidden = "pods is forbidden: User \"x\" cannot list resource \"pods\"";
    let cases = [
        (
            status(401, "Unauthorized"),
            "refused: Kubernetes refuses with status 401: Unauthorized".to_owned(),
        ),
        (
            status(403, forbidden),
            format!("refused: Kubernetes refuses with status 403: {forbidden}"),
        ),
        (
            status(404, "namespaces \"spark\" not found"),
            "not found: Kubernetes does not know it: namespaces \"spark\" not found".to_owned(),
        ),
        (
            status(410, "expired"),
            "refused: Kubernetes refuses with status 410: expired".to_owned(),
        ),
        (
            status(422, "invalid"),
            "refused: Kubernetes refuses with status 422: invalid".to_owned(),
        ),
        (status(429, "too many"), away("status 429: too many")),
        (
            status(500, "etcdserver: request timed out"),
            away("status 500: etcdserver: request timed out"),
        ),
        (status(503, "not ready"), away("status 503: not ready")),
        (
            (axum::http::StatusCode::BAD_GATEWAY, "<html>a\u{7}b").into_response(),
            away("status 502: <html>a b"),
        ),
        (
            "no list".into_response(),
            foreign("expected ident at line 1 column 2"),
        ),
        (
            axum::Json(json!({"items": {}})).into_response(),
            foreign("invalid type: map"),
        ),
        (
            (
                axum::http::StatusCode::FOUND,
                [("location", "https://evil.example/")],
            )
                .into_response(),
            away("it redirects to https://evil.example/, which is not followed"),
        ),
    ];
    for (response, expected) in cases {
        let response = std::sync::Mutex::new(Some(response));
        world.state.fault(move |_| response.lock().unwrap().take());
        let error = world.namespace.find("b-1").await.unwrap_err();
        let text = kind(&error);
        assert!(text.starts_with(&expected), "{text}\nnot {expected}");
        let is_forbidden = ["status 401", "status 403"]
            .iter()
            .any(|words| text.contains(words));
        assert_eq!(error.is_forbidden(), is_forbidden, "{text}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_away() {
    let (world, _watch) = World::resting().await;
    let World {
        state,
        server,
        namespace,
        ..
    } = world;
    server.stop(&state).await;
    let text = kind(&namespace.find("b-1").await.unwrap_err());
    assert!(
        text.starts_with("away: ") && text.contains("refused"),
        "{text}"
    );
}

#[tokio::test]
async fn names_that_cannot_be_are_refused_without_a_request() {
    let (world, _watch) = World::resting().await;
    let ours = &world.namespace;
    let bad = "b-1,livius/server!=x";
    let zero = std::time::Duration::ZERO;
    let mut foul = known("a/../b");
    foul.uid = "x,involvedObject.name=y".to_owned();
    let errors = [
        ours.find(bad).await.map(drop),
        ours.delete(bad, zero).await.map(drop),
        ours.put_secret(bad, files("x")).await,
        ours.put_secret("Upper", files("x")).await,
        ours.put_secret("b-1", files(&"x".repeat(1 + (1 << 20))))
            .await,
        ours.give_secret(bad, &known("p")).await,
        ours.events(&foul).await.map(drop),
        ours.log(&foul, "c", None, false).await.map(drop),
        ours.log(&known("p"), "c/../d", None, false).await.map(drop),
    ];
    for error in errors {
        let error = error.unwrap_err();
        assert!(matches!(error, KubernetesError::Invalid { .. }), "{error}");
    }
    assert!(world.state.asked().is_empty());
    let url = format!("http://{}", world.server.address);
    for (name, server) in [("a/b", OURS), ("", OURS), ("spark", "a,b"), ("spark", "")] {
        let clock = world.clock.clone();
        let opened = Namespace::open(&Access::to(&url), name, server, clock).await;
        assert!(
            matches!(opened, Err(KubernetesError::Invalid { .. })),
            "{name} {server}"
        );
    }
}

#[tokio::test]
async fn events_are_in_the_order_of_their_times() {
    let (world, _watch) = World::resting().await;
    let event = |name: &str, pod: &str, more: serde_json::Value| {
        let mut event = json!({
            "kind": "Event", "apiVersion": "v1",
            "metadata": {"name": name, "namespace": "spark"},
            "involvedObject": {"kind": "Pod", "name": pod, "uid": format!("uid-of-{pod}")},
            "reason": name, "message": format!("about {name}"), "type": "Normal",
        });
        for (key, value) in more.as_object().unwrap() {
            event[key] = value.clone();
        }
        event
    };
    let events = [
        event(
            "Started",
            "p",
            json!({"lastTimestamp": "2026-11-30T14:00:05Z", "count": 1}),
        ),
        event(
            "FailedScheduling",
            "p",
            json!({
                "type": "Warning", "eventTime": "2026-11-30T14:00:01.000000Z",
                "firstTimestamp": null, "lastTimestamp": null,
                "series": {"count": 7, "lastObservedTime": "2026-11-30T14:00:03.500000Z"}
            }),
        ),
        event(
            "Pulled",
            "p",
            json!({"firstTimestamp": "2026-11-30T14:00:04Z", "count": 2}),
        ),
        event("Untimed", "p", json!({})),
        event(
            "Other",
            "q",
            json!({"lastTimestamp": "2026-11-30T14:00:06Z"}),
        ),
    ];
    for event in events {
        world.state.change(|store| store.put("events", event));
    }
    let notices = world.namespace.events(&known("p")).await.unwrap();
    let told: Vec<_> = notices
        .iter()
        .map(|notice| (notice.reason.as_str(), notice.count, notice.is_warning))
        .collect();
    let expected = [
        ("Untimed", 1, false),
        ("FailedScheduling", 7, true),
        ("Pulled", 2, false),
        ("Started", 1, false),
    ];
    assert_eq!(told, expected);
    assert_eq!(notices[1].message, "about FailedScheduling");
    for number in 0..200 {
        let event = event(
            &format!("e{number}"),
            "p",
            json!({"lastTimestamp": "2026-11-30T15:00:00Z"}),
        );
        world.state.change(|store| store.put("events", event));
    }
    assert_eq!(world.namespace.events(&known("p")).await.unwrap().len(), 50);
}

#[tokio::test]
async fn missing_rights_and_the_version_are_told() {
    let (world, _watch) = World::resting().await;
    world.state.fault(|asked| {
        if asked.path == "/version" {
            let version = json!({
                "major": "1", "minor": "36", "gitVersion": "v1.36.3", "gitCommit": "", "gitTreeState": "",
                "buildDate": "", "goVersion": "", "compiler": "", "platform": "",
            });
            return Some(axum::Json(version).into_response());
        }
        let attributes = &asked.body["spec"]["resourceAttributes"];
        let is_allowed = attributes["namespace"] == "spark"
            && attributes["resource"] == "pods"
            && attributes["subresource"].is_null();
        let mut review = asked.body.clone();
        review["status"] = json!({"allowed": is_allowed});
        Some(axum::Json(review).into_response())
    });
    assert_eq!(world.namespace.version().await.unwrap(), "v1.36.3");
    let missing = world.namespace.missing(Right::NEEDED).await.unwrap();
    let told: Vec<String> = missing.iter().map(Right::to_string).collect();
    let expected = [
        "get pods/log",
        "list events",
        "create secrets",
        "get secrets",
        "list secrets",
        "patch secrets",
        "delete secrets",
    ];
    assert_eq!(told, expected);
    let ingress = Right {
        group: "networking.k8s.io",
        ..Right::of("create", "ingresses")
    };
    assert_eq!(ingress.to_string(), "create ingresses.networking.k8s.io");
    let asked = world.state.asked();
    assert_eq!(
        asked[1].path,
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    );
}
