//! Access to routes: every route asks the policy, or is open by intent.
//!
//! The routes come from the OpenAPI document, so a new route that forgets to ask fails here.

use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use livius_http::AuthenticatedUser;
use livius_sessions::{Action, Caller, Policy, Subject, Visible};
use livius_testkit::{Answer, World, WorldOptions};

/// Routes that any caller may use. Agents bring a secret of their own.
const OPEN: [(&str, &str); 17] = [
    ("get", "/"),
    ("get", "/api/docs"),
    ("get", "/api/docs/{file}"),
    ("get", "/api/v1/agent"),
    ("post", "/api/v1/agent/application"),
    ("get", "/api/v1/agent/resources/{resource}"),
    ("get", "/api/v1/openapi.json"),
    // It shows no session, and no value of a request.
    ("get", "/api/v1/pools"),
    ("get", "/metrics"),
    ("get", "/metrics/healthcheck"),
    ("get", "/metrics/metrics"),
    ("get", "/metrics/ping"),
    ("get", "/static/{path}"),
    // The pages hold no data. Their script asks the routes that are not open.
    ("get", "/ui"),
    ("get", "/ui/batch/{id}/log"),
    ("get", "/ui/session/{id}"),
    ("get", "/ui/session/{id}/log"),
];
const VERSION: (&str, &str) = ("get", "/version");

/// Routes without a session or batch of their own: they list, create, or show the caller's own keys.
const COLLECTIONS: [(&str, &str); 13] = [
    ("get", "/api/v1/batches"),
    ("post", "/api/v1/batches"),
    ("get", "/api/v1/drivers"),
    // The name of a driver is no part of a path of its session or batch.
    ("get", "/api/v1/drivers/{driver}"),
    ("get", "/api/v1/events"),
    ("get", "/api/v1/keys/{key}"),
    ("get", "/api/v1/sessions"),
    ("post", "/api/v1/sessions"),
    ("get", "/api/v1/status"),
    ("get", "/batches"),
    ("post", "/batches"),
    ("get", "/sessions"),
    ("post", "/sessions"),
];

const MULTIPART: &str = "multipart/form-data; boundary=b";

/// Users see and change only their own sessions and batches. Callers without a name cannot create
/// any.
#[derive(Debug)]
struct OwnersOnly;

impl Policy for OwnersOnly {
    fn allows(&self, caller: &Caller, action: Action, subject: Subject<'_>) -> bool {
        caller.user.is_some()
            && (action == Action::Create || caller.user.as_deref() == subject.owner)
    }

    fn visible<'a>(&self, caller: &'a Caller) -> Visible<'a> {
        Visible::Of(caller.user.as_deref().unwrap_or_default())
    }
}

/// Everyone sees everything. Only owners change.
#[derive(Debug)]
struct OwnersChange;

impl Policy for OwnersChange {
    fn allows(&self, caller: &Caller, action: Action, subject: Subject<'_>) -> bool {
        action != Action::Change || caller.user.as_deref() == subject.owner
    }

    fn visible<'a>(&self, _: &'a Caller) -> Visible<'a> {
        Visible::All
    }
}

/// A request that the server would grant to the owner.
fn request(user: Option<&str>, method: &str, path: &str) -> Request<Body> {
    let (kind, body) = match path.rsplit('/').next().unwrap() {
        "sessions" => ("application/json", r#"{"kind":"spark"}"#),
        "batches" => ("application/json", r#"{"file":"local:/a.py"}"#),
        "statements" => ("application/json", r#"{"code":"1"}"#),
        "completion" => (
            "application/json",
            r#"{"code":"1","kind":"spark","cursor":1}"#,
        ),
        "submit-job" | "run-job" | "jobs" => {
            ("application/json", r#"{"job":"Zm9v","jobType":"spark"}"#)
        }
        "add-jar" | "add-file" | "add-pyfile" => ("application/json", r#"{"uri":"hdfs:///a.jar"}"#),
        upload if upload.starts_with("upload-") => {
            let part = match upload {
                "upload-jar" => "jar",
                _ => "file",
            };
            return with_user(user, Request::builder().header("content-type", MULTIPART), method, path)
                .map(|()| Body::from(format!(
                    "--b\r\nContent-Disposition: form-data; name=\"{part}\"; filename=\"a.txt\"\r\n\r\nx\r\n--b--\r\n"
                )));
        }
        _ => ("application/json", "{}"),
    };
    let request = with_user(
        user,
        Request::builder().header("content-type", kind),
        method,
        path,
    );
    request.map(|()| {
        if method == "get" {
            Body::empty()
        } else {
            Body::from(body)
        }
    })
}

fn with_user(
    user: Option<&str>,
    builder: axum::http::request::Builder,
    method: &str,
    path: &str,
) -> Request<()> {
    let method = method.to_uppercase();
    let builder = builder.method(method.as_str()).uri(path);
    let builder = builder.header("x-request-id", "test");
    let mut request = builder.header("x-requested-by", "test").body(()).unwrap();
    if let Some(user) = user {
        request
            .extensions_mut()
            .insert(AuthenticatedUser(user.to_owned()));
    }
    request
}

/// A world in which alice has a session with a statement and a job, and a batch.
async fn world(policy: Arc<dyn Policy>) -> World {
    let world = World::with(WorldOptions {
        policy: Some(policy),
        ..WorldOptions::default()
    })
    .await;
    for path in [
        "/sessions",
        "/batches",
        "/sessions/0/statements",
        "/sessions/0/submit-job",
    ] {
        let made = call(&world, Some("alice"), "post", path).await;
        assert_eq!(made.status, 201, "{path}: {}", made.text);
    }
    world
}

async fn call(world: &World, user: Option<&str>, method: &str, path: &str) -> Answer {
    world.send(request(user, method, path)).await
}

/// The routes of the OpenAPI document.
async fn routes(world: &World) -> Vec<(String, String)> {
    let document = world.get("/api/v1/openapi.json").await.json();
    let paths = document["paths"].as_object().unwrap().clone();
    let routes = paths.into_iter().flat_map(|(path, operations)| {
        let methods: Vec<String> = operations.as_object().unwrap().keys().cloned().collect();
        methods
            .into_iter()
            .map(move |method| (method, path.clone()))
    });
    routes.collect()
}

fn is_in(list: &[(&str, &str)], method: &str, path: &str) -> bool {
    list.contains(&(method, path))
}

/// The routes about one session or batch.
async fn closed_routes(world: &World) -> Vec<(String, String)> {
    let mut routes = routes(world).await;
    for known in OPEN.iter().chain([&VERSION]).chain(&COLLECTIONS) {
        let known = (known.0.to_owned(), known.1.to_owned());
        assert!(routes.contains(&known), "{known:?} is no route");
    }
    routes.retain(|(method, path)| {
        let is_open = is_in(&OPEN, method, path) || is_in(&[VERSION], method, path);
        !is_open && !is_in(&COLLECTIONS, method, path)
    });
    routes
}

fn named(path: &str, id: &str) -> String {
    path.replace("{id}", id)
        .replace("{statement}", "0")
        .replace("{job}", "1")
}

#[tokio::test]
async fn who_may_not_read_is_answered_as_if_there_were_nothing() {
    let world = world(Arc::new(OwnersOnly)).await;
    for (method, path) in closed_routes(&world).await {
        assert!(
            path.contains("{id}"),
            "{method} {path}: add it to a list of this test"
        );
        let absent = call(&world, Some("alice"), &method, &named(&path, "77")).await;
        assert_eq!(absent.status, 404, "{method} {path}: {}", absent.text);
        for user in [None, Some("bob")] {
            let refused = call(&world, user, &method, &named(&path, "0")).await;
            let expected = absent.text.replace("77", "0");
            assert_eq!(
                (refused.status.as_u16(), refused.text),
                (404, expected),
                "{method} {path}"
            );
        }
    }
}

/// Whether a route names something that the sessions and batches of this world do not have. Only a
/// caller who may read those is told so.
fn names_absent(path: &str) -> bool {
    path.contains("{executor}")
}

#[tokio::test]
async fn who_may_read_and_not_change_is_told_so() {
    let world = world(Arc::new(OwnersChange)).await;
    for (method, path) in closed_routes(&world).await {
        let refused = call(&world, Some("bob"), &method, &named(&path, "0")).await;
        let expected = match method.as_str() {
            "get" if names_absent(&path) => 404,
            "get" => 200,
            _ => 403,
        };
        assert_eq!(
            refused.status, expected,
            "{method} {path}: {}",
            refused.text
        );
    }
}

#[tokio::test]
async fn owners_may_do_everything() {
    let routes = closed_routes(&world(Arc::new(OwnersOnly)).await).await;
    for (method, path) in routes {
        // One route may end a session that the next one needs.
        let world = world(Arc::new(OwnersOnly)).await;
        let granted = call(&world, Some("alice"), &method, &named(&path, "0")).await;
        let status = granted.status.as_u16();
        let is_refused = [401, 403].contains(&status) || (status == 404) != names_absent(&path);
        assert!(!is_refused, "{method} {path}: {}", granted.text);
    }
}

#[tokio::test]
async fn changes_of_others_are_not_told() {
    let world = world(Arc::new(OwnersOnly)).await;
    let changes = |user: &str| {
        let caller = Caller {
            user: Some(user.to_owned()),
            ..Caller::default()
        };
        world.batches().acting(&caller).changes()
    };
    let (mut alices, mut bobs) = (changes("alice"), changes("bob"));
    let deleted = call(&world, Some("alice"), "delete", "/batches/0").await;
    assert_eq!(deleted.status, 200, "{}", deleted.text);
    let seen = alices.read().expect("no change is missing");
    assert!(!seen.is_empty());
    assert_eq!(bobs.read().expect("no change is missing"), []);
}

#[tokio::test]
async fn lists_show_what_the_caller_may_see() {
    let world = world(Arc::new(OwnersOnly)).await;
    for path in [
        "/sessions",
        "/batches",
        "/api/v1/sessions",
        "/api/v1/batches",
    ] {
        for (user, total) in [(Some("alice"), 1_usize), (Some("bob"), 0), (None, 0)] {
            let list = call(&world, user, "get", path).await.json();
            let key = path.rsplit('/').next().unwrap();
            let found = list[key]
                .as_array()
                .or(list["sessions"].as_array())
                .unwrap()
                .len();
            assert_eq!(
                (list["total"].as_u64(), found),
                (Some(total as u64), total),
                "{path} {user:?}"
            );
        }
    }
    for path in ["/sessions", "/batches"] {
        assert_eq!(call(&world, None, "post", path).await.status, 403);
        assert_eq!(call(&world, Some("bob"), "post", path).await.status, 201);
    }
}

#[tokio::test]
async fn drivers_of_others_are_absent() {
    let world = world(Arc::new(OwnersOnly)).await;
    let list = "/api/v1/drivers";
    let own = call(&world, Some("alice"), "get", list).await.json();
    assert_eq!(own["total"], 2, "{own}");
    let used_by = |index: usize, key: &str| own["drivers"][index][key].clone();
    assert_eq!(
        (used_by(0, "batch"), used_by(1, "session")),
        (0.into(), 0.into())
    );
    for user in [None, Some("bob")] {
        let others = call(&world, user, "get", list).await.json();
        assert_eq!(others["total"], 0, "{others}");
        for driver in own["drivers"].as_array().unwrap() {
            let path = format!("{list}/{}", driver["id"].as_str().unwrap());
            assert_eq!(call(&world, user, "get", &path).await.status, 404, "{path}");
            let shown = call(&world, Some("alice"), "get", &path).await;
            assert_eq!(shown.json()["id"], driver["id"]);
        }
    }
}

#[tokio::test]
async fn states_of_others_are_absent() {
    let world = world(Arc::new(OwnersOnly)).await;
    let ask = async |user| {
        let path = "/api/v1/status?sessions=0&batches=0";
        call(&world, user, "get", path).await.json()
    };
    let own = ask(Some("alice")).await;
    assert_eq!(own["absent"]["sessions"].as_array().map(Vec::len), Some(0));
    for user in [None, Some("bob")] {
        let others = ask(user).await;
        for list in ["sessions", "batches"] {
            assert_eq!(others[list].as_array().map(Vec::len), Some(0), "{others}");
            assert_eq!(others["absent"][list][0], 0, "{others}");
        }
    }
    // The same for those that have ended, which come from the store.
    for path in ["/sessions/0/stop", "/api/v1/batches/0/kill"] {
        call(&world, Some("alice"), "post", path).await;
    }
    let path = "/api/v1/status?sessions=0&batches=0";
    livius_testkit::eventually("both have ended", async || {
        let own = ask(Some("alice")).await;
        let has_ended = |list: &str| own[list][0]["terminal"] == true;
        (has_ended("sessions") && has_ended("batches")).then_some(())
    })
    .await;
    let others = call(&world, Some("bob"), "get", path).await.json();
    assert_eq!(others["absent"]["sessions"][0], 0, "{others}");
    assert_eq!(others["absent"]["batches"][0], 0, "{others}");
}

#[tokio::test]
async fn open_routes_ask_nobody() {
    let world = world(Arc::new(OwnersOnly)).await;
    for (method, path) in OPEN.iter().chain([&VERSION]) {
        let path = named(path, "0")
            .replace("{path}", "pages.css")
            .replace("{file}", "start.js");
        let answer = call(&world, None, method, &path).await;
        if !path.starts_with("/api/v1/agent") {
            assert!(
                answer.status.is_success() || answer.status.is_redirection(),
                "{path}"
            );
        }
    }
}
