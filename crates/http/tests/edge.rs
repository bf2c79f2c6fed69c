//! The treatment of every request before routing, and the headers of every response.

use std::time::Duration;

use async_compression::tokio::write::{GzipEncoder, ZlibEncoder};
use axum::body::Body;
use axum::http::{Method, Request};
use livius_testkit::{Answer, World};
use tokio::io::AsyncWriteExt as _;
use tower::ServiceExt as _;

async fn ask(
    world: &World,
    method: &str,
    uri: &str,
    headers: &[(&str, &str)],
    body: impl Into<Body>,
) -> Answer {
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    world.send(request.body(body.into()).unwrap()).await
}

async fn world_with_a_session() -> World {
    let world = World::new().await;
    let answer = world
        .post("/sessions", r#"{"name":"a b/π","kind":"pyspark"}"#)
        .await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    world
}

#[tokio::test]
async fn paths_are_understood_as_clients_write_them() {
    let world = world_with_a_session().await;
    for (path, status) in [
        ("/sessions", 200),
        ("/sessions/", 200),
        ("//sessions", 200),
        ("/sessions;x=y", 200),
        ("/sessions/0", 200),
        ("/sessions/0/", 200),
        ("/sessions//0", 200),
        ("/sessions/000", 200),
        ("/sessions/0;x=y/state", 200),
        ("/sessions/a%20b%2F%CF%80", 200),
        ("/sessions/a%20b%2F%CF%80/state", 200),
        ("/%73essions/%61%20b%2F%CF%80/%73tate", 200),
        ("/sessions/0/state/", 200),
        ("/sessions/0/statements/", 200),
        ("/sessions/0/foo", 404),
        ("/session/0", 404),
        ("/sessions/0/statements/0/output", 404),
        ("/nothing", 404),
        ("/batches", 200),
        ("//batches/", 200),
        ("/batches/0", 404),
        ("/sessions/%zz", 400),
        ("/sessions/%ff", 400),
        ("/sessions/99999999999", 400),
    ] {
        let answer = world.get(path).await;
        assert_eq!(answer.status.as_u16(), status, "{path}: {}", answer.text);
        assert_eq!(
            answer.headers["content-type"], "application/json;charset=utf-8",
            "{path}"
        );
    }
    assert_eq!(
        world.get("/sessions/99999999999").await.text,
        r#"{"msg":"For input string: \"99999999999\""}"#
    );
    assert_eq!(
        world.get("/sessions/0/statements/x").await.text,
        r#"{"msg":"For input string: \"x\""}"#
    );
    assert_eq!(
        world.get("/sessions/0/statements/-1").await.text,
        r#""Statement not found""#
    );
    assert_eq!(
        world.get("/sessions/5").await.text,
        r#"{"msg":"Session '5' not found."}"#
    );
    assert_eq!(
        world.get("/sessions/no").await.text,
        r#"{"msg":"Session 'no' not found."}"#
    );
    assert_eq!(world.get("/nothing").await.text, "");
}

#[tokio::test]
async fn methods_are_what_they_are_or_what_the_client_says_they_are() {
    let world = world_with_a_session().await;
    for (method, uri, headers, status) in [
        ("HEAD", "/sessions", &[][..], 200),
        ("HEAD", "/sessions/0", &[], 200),
        ("HEAD", "/sessions/7", &[], 404),
        ("PUT", "/sessions", &[], 405),
        ("OPTIONS", "/sessions", &[], 405),
        ("PATCH", "/sessions/0", &[], 405),
        ("POST", "/sessions/0/state", &[], 405),
        ("POST", "/sessions/0/state?_method=GET", &[], 200),
        (
            "POST",
            "/sessions/0/state",
            &[("X-HTTP-Method-Override", "get")],
            200,
        ),
        (
            "POST",
            "/sessions/0?_method=DELETE",
            &[("X-Requested-By", "x")],
            200,
        ),
    ] {
        let answer = ask(&world, method, uri, headers, "").await;
        assert_eq!(
            answer.status.as_u16(),
            status,
            "{method} {uri}: {}",
            answer.text
        );
        if status == 405 {
            assert_eq!(answer.text, "");
            assert!(answer.headers.contains_key("allow"), "{method} {uri}");
        }
        if method == "HEAD" {
            assert_eq!(answer.text, "");
        }
    }
    assert_eq!(world.get("/sessions/0").await.status, 404);
}

#[tokio::test]
async fn every_answer_carries_the_security_headers() {
    let world = World::new().await;
    for path in [
        "/sessions",
        "/version",
        "/ui",
        "/api/docs",
        "/",
        "/nothing",
        "/sessions/%zz",
        "/metrics/ping",
    ] {
        let answer = world.get(path).await;
        assert_eq!(
            answer.headers["x-content-type-options"], "nosniff",
            "{path}"
        );
        assert_eq!(answer.headers["x-frame-options"], "SAMEORIGIN", "{path}");
        assert_eq!(
            answer.headers["x-xss-protection"], "1; mode=block",
            "{path}"
        );
        assert!(
            answer.headers.contains_key("content-security-policy"),
            "{path}"
        );
        assert!(!answer.headers.contains_key("server"), "{path}");
    }
}

#[tokio::test]
async fn accept_and_content_type_do_not_matter_but_for_livys_own() {
    let world = World::new().await;
    let accept = |value: &'static str| [("accept", value)];
    assert_eq!(
        ask(&world, "GET", "/sessions", &accept("text/html"), "")
            .await
            .status,
        200
    );
    assert_eq!(
        ask(
            &world,
            "GET",
            "/sessions",
            &accept("application/vnd.livy.v0.1+json"),
            ""
        )
        .await
        .status,
        200
    );
    let answer = ask(
        &world,
        "GET",
        "/sessions",
        &accept("application/vnd.livy.v9+json"),
        "",
    )
    .await;
    assert_eq!(
        (answer.status.as_u16(), answer.text.as_str()),
        (406, r#"{"msg":"No value found for '9'"}"#)
    );
    for headers in [
        &[][..],
        &[("content-type", "text/plain")],
        &[("content-type", "application/x-www-form-urlencoded")],
        &[
            ("content-type", "application/json"),
            ("content-encoding", "UTF-8"),
        ],
        &[
            ("content-type", "application/json; charset=UTF-8"),
            ("expect", "100-continue"),
        ],
    ] {
        let answer = ask(&world, "POST", "/sessions", headers, "{}").await;
        assert_eq!(answer.status, 201, "{headers:?}: {}", answer.text);
    }
}

#[tokio::test]
async fn bodies_are_read_in_any_packing() {
    let world = World::new().await;
    let body = br#"{"name":"packed","conf":{"spark.x":"y"}}"#;
    let mut gzip = GzipEncoder::new(Vec::new());
    gzip.write_all(body).await.unwrap();
    gzip.shutdown().await.unwrap();
    let answer = ask(
        &world,
        "POST",
        "/sessions",
        &[("content-encoding", "gzip")],
        gzip.into_inner(),
    )
    .await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    assert_eq!(answer.json()["name"], "packed");

    let mut deflate = ZlibEncoder::new(Vec::new());
    deflate.write_all(b"{}").await.unwrap();
    deflate.shutdown().await.unwrap();
    let answer = ask(
        &world,
        "POST",
        "/sessions",
        &[("content-encoding", "deflate")],
        deflate.into_inner(),
    )
    .await;
    assert_eq!(answer.status, 201, "{}", answer.text);
}

#[tokio::test]
async fn bodies_are_bounded_after_unpacking() {
    let world = World::new().await;
    let mut bomb = GzipEncoder::new(Vec::new());
    for _ in 0..65 {
        bomb.write_all(&vec![b' '; 1 << 20]).await.unwrap();
    }
    bomb.shutdown().await.unwrap();
    let bomb = bomb.into_inner();
    assert!(bomb.len() < 1 << 20);
    let answer = ask(
        &world,
        "POST",
        "/sessions/0/statements",
        &[("content-encoding", "gzip")],
        bomb,
    )
    .await;
    let expected = r#"{"msg":"The body is longer than 67108864 bytes (server.body_limit): send large data as files"}"#;
    assert_eq!(
        (answer.status.as_u16(), answer.text.as_str()),
        (413, expected)
    );

    let answer = ask(
        &world,
        "POST",
        "/sessions",
        &[("content-length", "67108865")],
        "{}",
    )
    .await;
    assert_eq!(answer.status, 413);
    let answer = ask(
        &world,
        "POST",
        "/sessions",
        &[("content-encoding", "gzip")],
        "{}",
    )
    .await;
    assert_eq!(answer.status, 400);
    assert!(
        answer
            .text
            .starts_with(r#"{"msg":"The body cannot be read: "#),
        "{}",
        answer.text
    );
}

#[tokio::test]
async fn bodies_are_utf8_or_say_what_they_are() {
    let world = World::new().await;
    let body = b"{\"name\":\"caf\xE9\"}".to_vec();
    let latin1 = [("content-type", "application/json; charset=ISO-8859-1")];
    let answer = ask(&world, "POST", "/sessions", &latin1, body.clone()).await;
    assert_eq!(
        (answer.status.as_u16(), answer.json()["name"].as_str()),
        (201, Some("café"))
    );
    let answer = ask(
        &world,
        "POST",
        "/sessions",
        &[("content-type", "application/json")],
        body,
    )
    .await;
    assert_eq!(answer.status, 400);
    assert!(
        answer.text.starts_with("\"Invalid UTF-8 at byte 12: "),
        "{}",
        answer.text
    );
}

#[tokio::test]
async fn long_answers_are_packed_for_who_can_unpack() {
    let world = World::new().await;
    let conf: Vec<String> = (0..200)
        .map(|n| format!("\"spark.key.number.{n}\":\"value\""))
        .collect();
    let answer = world
        .post("/sessions", &format!("{{\"conf\":{{{}}}}}", conf.join(",")))
        .await;
    assert_eq!(answer.status, 201);
    for (accept, encoding) in [
        ("gzip", Some("gzip")),
        ("gzip, deflate", Some("gzip")),
        ("deflate", Some("deflate")),
        ("deflate, gzip, br, zstd", Some("gzip")),
        ("br", None),
        ("identity", None),
        ("identity;q=0", None),
        ("br, *;q=0", None),
        ("gzip, identity;q=0", Some("gzip")),
    ] {
        let answer = ask(
            &world,
            "GET",
            "/sessions/0",
            &[("accept-encoding", accept)],
            "",
        )
        .await;
        let found = answer
            .headers
            .get("content-encoding")
            .map(|value| value.to_str().unwrap());
        assert_eq!((answer.status.as_u16(), found), (200, encoding), "{accept}");
    }
    let plain_refused = [("accept-encoding", "identity;q=0")];
    let answer = ask(&world, "POST", "/sessions", &plain_refused, "{}").await;
    assert_eq!(answer.status, 201);
    let answer = ask(
        &world,
        "GET",
        "/version",
        &[("accept-encoding", "gzip")],
        "",
    )
    .await;
    assert!(!answer.headers.contains_key("content-encoding"));
}

#[tokio::test]
async fn bodies_are_optional_where_they_mean_nothing() {
    let world = world_with_a_session().await;
    for (path, body) in [
        ("/sessions/0/connect", ""),
        ("/sessions/0/connect", "{}"),
        ("/sessions/0/interrupt", ""),
        ("/sessions/0/statements/0/cancel", ""),
        ("/sessions/0/statements/99/cancel", "{}"),
    ] {
        let answer = ask(
            &world,
            "POST",
            path,
            &[("content-type", "application/json")],
            body,
        )
        .await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    }
    let empty_pieces = || Body::from_stream(tokio_stream::empty::<std::io::Result<Vec<u8>>>());
    for packing in ["gzip", "deflate"] {
        for body in [Body::empty(), empty_pieces()] {
            let path = "/sessions/0/connect";
            let headers = [("content-encoding", packing)];
            let answer = ask(&world, "POST", path, &headers, body).await;
            assert_eq!(answer.status, 200, "{packing}: {}", answer.text);
        }
    }
    let answer = ask(&world, "POST", "/sessions", &[], "").await;
    assert_eq!(answer.status, 400);
    assert!(
        answer
            .text
            .starts_with("\"No content to map due to end-of-input"),
        "{}",
        answer.text
    );
}

#[tokio::test]
async fn the_server_tells_about_itself() {
    let world = World::new().await;
    let version = world.get("/version").await.json();
    let keys: Vec<&String> = version.as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        ["url", "branch", "revision", "version", "date", "user"]
    );
    assert_eq!(version["version"], "0.9.0-incubating");

    let root = ask(
        &world,
        Method::GET.as_str(),
        "/",
        &[("host", "localhost:8998")],
        "",
    )
    .await;
    assert_eq!((root.status.as_u16(), root.text.as_str()), (302, ""));
    assert_eq!(root.headers["location"], "http://localhost:8998/ui");
    let document = world.get("/api/v1/openapi.json").await.json();
    assert!(document["paths"]["/sessions/{id}"]["delete"].is_object());
}

#[tokio::test]
async fn the_options_do_what_they_say() {
    let world = World::new().await;
    let send = async |options: livius_http::Options, request: Request<Body>| {
        livius_http::router(world.sessions().clone(), world.batches().clone(), options)
            .oneshot(request)
            .await
            .unwrap()
    };
    let post = |body: Body| Request::post("/sessions").body(body).unwrap();

    let lenient = livius_wire::ReadOptions {
        ignore_unknown_fields: true,
    };
    let options = livius_http::Options {
        read: lenient,
        ..livius_http::Options::default()
    };
    assert_eq!(
        send(options, post(Body::from(r#"{"tags":{"a":1}}"#)))
            .await
            .status(),
        201
    );

    let options = livius_http::Options {
        body_bytes: 10,
        ..livius_http::Options::default()
    };
    assert_eq!(
        send(options, post(Body::from(r#"{"name":"longer"}"#)))
            .await
            .status(),
        413
    );

    let options = livius_http::Options {
        body_deadline: Duration::from_millis(20),
        ..livius_http::Options::default()
    };
    let never = Body::from_stream(futures_util::stream::pending::<std::io::Result<Vec<u8>>>());
    assert_eq!(send(options, post(never)).await.status(), 408);

    let options = livius_http::Options {
        host_names: vec!["gw".to_owned()],
        ..livius_http::Options::default()
    };
    for (name, status) in [("gw", 201), ("evil", 403)] {
        let request = Request::post("/sessions")
            .header("host", format!("{name}:8998"))
            .header("origin", format!("http://{name}:8998"));
        let request = request.body(Body::from("{}")).unwrap();
        assert_eq!(send(options.clone(), request).await.status(), status);
    }
}

/// The owner of a name can let it point at this machine, and a browser then lets their page read.
#[tokio::test]
async fn nothing_is_read_under_a_name_that_a_stranger_may_own() {
    let world = world_with_a_session().await;
    for path in [
        "/sessions",
        "/sessions/0",
        "//sessions/0/log",
        "/sessions/0/statements",
        "/batches",
        "/version",
        "/metrics",
        "/ui",
        "/",
        "/static/pages.js",
        "/api/docs",
        "/api/v1/batches/0",
        "/api/v1/openapi.json",
        "/api/v1/agents",
        "/nothing",
    ] {
        let evil = [("host", "evil:8998")];
        for method in ["GET", "HEAD", "OPTIONS", "POST", "DELETE"] {
            let refused = ask(&world, method, path, &evil, "").await;
            assert_eq!(refused.status, 403, "{method} {path}");
        }
        let refused = ask(&world, "GET", path, &evil, "").await.text;
        assert!(refused.contains("Host"), "{refused}");
        assert!(refused.contains("server.host_names"), "{refused}");
        let own = ask(&world, "GET", path, &[("host", "127.0.0.1:8998")], "").await;
        assert_ne!(own.status, 403, "{path}");
    }
    // Agents reach the server by any address that the operator has chosen, and prove themselves.
    for path in [livius_http::AGENT_PATH, "//api/v1/agent/resources/1"] {
        let asked = ask(&world, "GET", path, &[("host", "gw.example")], "").await;
        assert_eq!(asked.status, 401, "{path}");
    }
}

#[tokio::test]
async fn other_users_of_the_machine_are_told_whom_the_server_serves() {
    let world = world_with_a_session().await;
    let send = async |path: &str| {
        let user = livius_http::OtherUser::known(33);
        let request = Request::get(path).extension(user).body(Body::empty());
        world.send(request.unwrap()).await
    };
    for path in [
        "/sessions",
        "/",
        "/metrics",
        "/api/v1/batches/0",
        "/nothing",
    ] {
        let refused = send(path).await;
        assert_eq!(refused.status, 403, "{path}");
        assert!(refused.text.contains("the user 33 of"), "{}", refused.text);
        assert!(refused.text.contains("server.local_users"));
    }
    // A driver may run as another user.
    assert_eq!(send(livius_http::AGENT_PATH).await.status, 401);
}

#[tokio::test]
async fn a_connection_beyond_the_limit_serves_agents_only() {
    let world = world_with_a_session().await;
    for (path, status) in [
        ("/sessions", 503),
        ("/api/v1/batches/0", 503),
        (livius_http::AGENT_PATH, 401),
    ] {
        let request = Request::get(path).extension(livius_http::Crowded);
        let answer = world.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text);
        assert_eq!(answer.headers["connection"], "close", "{path}");
    }
}

#[tokio::test]
async fn a_router_for_agents_serves_no_client() {
    let world = World::new().await;
    let (sessions, batches) = (world.sessions().clone(), world.batches().clone());
    let router = livius_http::agent_router(sessions, batches, livius_http::Options::default());
    for (method, uri, status) in [
        ("POST", "/api/v1/agent/application", 401),
        ("POST", "//api/v1/agent/application", 401),
        ("GET", "/sessions", 404),
        ("POST", "/sessions", 404),
        ("GET", "/api/v1/batches/0", 404),
        ("GET", "/ui/", 404),
        ("GET", "/version", 404),
    ] {
        let request = Request::builder().method(method).uri(uri);
        let request = request.body(Body::from("{}")).unwrap();
        let answer = router.clone().oneshot(request).await.unwrap();
        assert_eq!(answer.status(), status, "{method} {uri}");
    }
}

#[tokio::test]
async fn with_protection_on_changes_need_livys_header() {
    let world = World::new().await;
    let options = livius_http::Options {
        csrf_protection: true,
        ..livius_http::Options::default()
    };
    let router = livius_http::router(world.sessions().clone(), world.batches().clone(), options);
    let send = async |method: &str, uri: &str, headers: &[(&str, &str)]| {
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from("{}")).unwrap();
        router.clone().oneshot(request).await.unwrap().status()
    };
    let named = ("X-Requested-By", "");
    for (method, uri, headers, status) in [
        ("POST", "/sessions", &[][..], 400),
        ("POST", "//sessions/", &[], 400),
        ("POST", "/sessions?_method=GET", &[], 400),
        (
            "POST",
            "/sessions",
            &[("X-HTTP-Method-Override", "GET")],
            400,
        ),
        ("DELETE", "/sessions/0", &[], 400),
        ("POST", "/nothing", &[], 400),
        (
            "POST",
            "/sessions",
            &[("Accept", "application/vnd.livy.v9+json")],
            400,
        ),
        ("POST", "/api/v1/batches/0/kill", &[], 400),
        ("GET", "/sessions", &[], 200),
        ("HEAD", "/sessions", &[], 200),
        ("GET", "/sessions?_method=POST", &[], 200),
        ("OPTIONS", "/sessions", &[], 405),
        ("POST", "/sessions", &[named], 201),
        ("POST", "/sessions/0?_method=DELETE", &[named], 200),
        // Agents need no such header, so these requests get as far as the missing token.
        ("POST", "/api/v1/agent/application", &[], 401),
        ("POST", "//api/v1/agent/application", &[], 401),
    ] {
        let answered = send(method, uri, headers).await;
        assert_eq!(answered.as_u16(), status, "{method} {uri} {headers:?}");
    }
}
