//! The pages of the web UI, their files, and the server's metrics.

use axum::body::Body;
use axum::http::Request;
use livius_testkit::{Answer, World};
use serde_json::json;
use tower::ServiceExt as _;

const PAGES: [&str; 5] = [
    "/ui",
    "/ui/session/7",
    "/ui/session/7/log",
    "/ui/batch/7/log",
    "/metrics",
];

async fn head(world: &World, path: &str) -> Answer {
    let request = Request::head(path).body(Body::empty()).unwrap();
    world.send(request).await
}

/// Returns the values of an attribute.
fn attributes<'a>(page: &'a str, name: &str) -> Vec<&'a str> {
    let mark = format!("{name}=\"");
    let after = page.split(mark.as_str()).skip(1);
    after.map(|rest| rest.split('"').next().unwrap()).collect()
}

/// Resolves a relative address as a browser at this path does.
fn resolved(path: &str, address: &str) -> String {
    let mut segments: Vec<&str> = path.split('/').skip(1).collect();
    segments.pop();
    let (address, _) = address.split_once('?').unwrap_or((address, ""));
    for segment in address.split('/') {
        match segment {
            "." => {}
            ".." => drop(segments.pop()),
            other => segments.push(other),
        }
    }
    format!("/{}", segments.join("/"))
}

#[tokio::test]
async fn pages_are_pages_also_for_head_and_keep_to_the_policy() {
    let world = World::new().await;
    for path in PAGES {
        let page = world.get(path).await;
        assert_eq!(page.status, 200, "{path}");
        assert_eq!(page.headers["content-type"], "text/html;charset=utf-8");
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'self';"), "{path}");
        assert!(page.text.starts_with("<!DOCTYPE html>"), "{path}");
        assert!(!page.text.contains("{{"), "{path}: {}", page.text);
        // The page has no inline scripts, styles or handlers.
        assert!(!page.text.contains("<script>"), "{path}");
        assert!(!page.text.contains("<style"), "{path}");
        assert!(!page.text.contains(" style="), "{path}");
        assert!(!page.text.contains("onclick"), "{path}");
        let is_told = page.text.contains("<noscript>") && page.text.contains("curl");
        assert_eq!(is_told, path.starts_with("/ui"), "{path}");
        let without_body = head(&world, path).await;
        assert_eq!(
            (without_body.status.as_u16(), without_body.text.as_str()),
            (200, "")
        );
        assert_eq!(
            without_body.headers["content-type"],
            "text/html;charset=utf-8"
        );
    }
}

#[tokio::test]
async fn links_work_behind_a_prefix_and_however_the_slashes_are() {
    let world = World::new().await;
    let other = [
        "/ui/",
        "//ui",
        "/ui//session/7/",
        "/ui/session/7/;x=y",
        "/metrics/",
        "/ui/nothing/at/all",
    ];
    for path in PAGES.into_iter().chain(other) {
        let page = world.get(path).await;
        let base = attributes(&page.text, "<base href");
        assert_eq!(base.len(), 1, "{path}");
        // A proxy in front of the server removes the prefix.
        let root = resolved(&format!("/gate/way{path}"), base[0]);
        let addresses = attributes(&page.text, " href").into_iter().skip(1);
        let mut count = 0;
        for address in addresses.chain(attributes(&page.text, " src")) {
            let target = resolved(&root, address);
            let inside = target.strip_prefix("/gate/way").expect(path);
            if !inside.contains('7') {
                let answer = world.get(inside).await;
                assert_eq!(answer.status, 200, "{path} leads to {inside}");
            }
            count += 1;
        }
        assert!(count >= 2, "{path}: {}", page.text);
    }
}

#[tokio::test]
async fn a_page_has_nothing_of_its_address_but_a_number() {
    let world = World::new().await;
    let page = world.get("/ui/session/%30012").await;
    assert!(page.text.contains("data-id=\"12\""), "{}", page.text);
    for path in [
        "/ui/nothing",
        "/ui/session",
        "/ui/session/evil",
        "/ui/session/-1",
        "/ui/session/+1",
        "/ui/session/99999999999",
        "/ui/session/1%22evil",
        "/ui/session/1/evil",
        "/ui/session/evil/log",
        "/ui/batch/1",
        "/ui/batch/%3Cscript%3Eevil/log",
    ] {
        let page = world.get(path).await;
        assert_eq!(page.status, 404, "{path}");
        assert_eq!(page.headers["content-type"], "text/html;charset=utf-8");
        assert!(page.text.contains("No such page"), "{path}");
        assert!(!page.text.contains("evil"), "{path}");
        assert!(!page.text.contains("<script"), "{path}");
        let without_body = head(&world, path).await;
        assert_eq!(
            (without_body.status.as_u16(), without_body.text.as_str()),
            (404, "")
        );
    }
    let long = world.get(&format!("/ui{}nothing", "/".repeat(5_000))).await;
    assert_eq!(long.status, 404);
    assert!(long.text.len() < 1_000, "{}", long.text.len());
}

#[tokio::test]
async fn the_files_of_the_pages_are_served_and_no_others() {
    let world = World::new().await;
    for (name, content_type) in [
        ("pages.js", "text/javascript;charset=utf-8"),
        ("pages.css", "text/css;charset=utf-8"),
    ] {
        let path = format!("/static/{name}");
        let file = world.get(&path).await;
        assert_eq!(file.status, 200);
        assert_eq!(file.headers["content-type"], content_type);
        assert_eq!(file.headers["x-content-type-options"], "nosniff");
        assert_eq!(head(&world, &path).await.status, 200);
    }
    // Text from sessions must not become markup or code.
    let script = world.get("/static/pages.js").await.text;
    for way in [
        "innerHTML",
        "outerHTML",
        "insertAdjacent",
        "document.write",
        "eval(",
    ] {
        assert!(!script.contains(way), "{way}");
    }
    for path in ["/static/nothing.js", "/static/..%2Fui.rs", "/static/%2e%2e"] {
        let missing = world.get(path).await;
        assert_eq!(missing.status, 404, "{path}");
        assert_eq!(missing.text, "File not found", "{path}");
    }
}

/// The script does not run here. The names and routes that it uses must exist.
#[tokio::test]
async fn the_script_asks_for_what_is_answered() {
    let world = World::new().await;
    let _agent = world.idle_session("{}").await;
    world.post("/batches", r#"{"file":"hdfs:///a.py"}"#).await;
    let script = world.get("/static/pages.js").await.text;
    for (path, keys) in [
        ("/sessions?size=100", &["total", "sessions"][..]),
        ("/batches?size=100", &["total", "sessions"]),
        (
            "/sessions/0/statements?order=desc&size=100",
            &["total_statements", "statements"],
        ),
        ("/sessions/0/log?size=1000", &["total", "log"]),
        ("/batches/0/log?size=1000", &["total", "log"]),
    ] {
        let answer = world.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        for key in keys {
            assert!(answer.json().get(key).is_some(), "{path}: {key}");
            assert!(script.contains(&format!("answer.{key}")), "{key}");
        }
    }
}

#[tokio::test]
async fn metrics_count_what_lives() {
    let world = World::new().await;
    let gauge = async |name: &str| {
        let metrics = world.get("/metrics/metrics").await.json();
        metrics["gauges"][format!("livius.{name}")]["value"].clone()
    };
    assert_eq!(gauge("sessions.live").await, 0);
    assert_eq!(gauge("sessions.state.idle").await, 0);

    let _agent = world.idle_session("{}").await;
    world.post("/sessions", "{}").await;
    world.post("/batches", r#"{"file":"hdfs:///a.py"}"#).await;
    for (name, count) in [
        ("sessions.live", 2),
        ("sessions.state.idle", 1),
        ("sessions.state.starting", 1),
        ("sessions.state.busy", 0),
        ("batches.live", 1),
        ("batches.state.starting", 1),
        ("batches.state.running", 0),
    ] {
        assert_eq!(gauge(name).await, count, "{name}");
    }
    assert!(gauge("uptime_ms").await.is_u64());

    let answer = world.get("/metrics/metrics").await;
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert!(!answer.text.contains('\n'));
    let pretty = world.get("/metrics/metrics?pretty=true").await;
    assert!(pretty.text.contains('\n'));
    let keys: Vec<String> = pretty.json().as_object().unwrap().keys().cloned().collect();
    let expected = [
        "version",
        "gauges",
        "counters",
        "histograms",
        "meters",
        "timers",
    ];
    assert_eq!(keys, expected);
    assert_eq!(pretty.json()["timers"], json!({}));
    assert_eq!(head(&world, "/metrics/metrics").await.text, "");

    world.delete("/batches/0").await;
    livius_testkit::eventually("no batch lives", async || {
        (gauge("batches.live").await == 0).then_some(())
    })
    .await;
    assert_eq!(gauge("sessions.live").await, 2);
}

#[tokio::test]
async fn the_health_check_asks_the_store() {
    let world = World::new().await;
    let health = world.get("/metrics/healthcheck").await;
    assert_eq!(health.status, 200);
    assert_eq!(health.json(), json!({"store": {"healthy": true}}));
    let ping = world.get("/metrics/ping").await;
    assert_eq!((ping.status.as_u16(), ping.text.as_str()), (200, "pong"));
    assert_eq!(world.get("/metrics/threads").await.status, 404);
}

#[tokio::test]
async fn security_headers_are_those_that_were_chosen() {
    let world = World::new().await;
    let chosen = [("x-frame-options", "DENY")];
    let options = livius_http::Options {
        security_headers: livius_http::SecurityHeaders::new(chosen).unwrap(),
        ..livius_http::Options::default()
    };
    let router = livius_http::router(world.sessions().clone(), world.batches().clone(), options);
    for path in ["/ui", "/sessions", "/nothing", "/sessions/%zz"] {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let answer = router.clone().oneshot(request).await.unwrap();
        assert_eq!(answer.headers()["x-frame-options"], "DENY", "{path}");
        assert!(
            !answer.headers().contains_key("content-security-policy"),
            "{path}"
        );
    }
}
