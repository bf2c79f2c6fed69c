//! The id of a request: in its response, in the problem that it may get, and in the server's log.

use std::io;
use std::sync::{Mutex, Once};

use axum::body::Body;
use axum::http::Request;
use livius_domain::SessionId;
use livius_testkit::{Answer, World};

const S0: SessionId = SessionId(0);

/// The ids of the requests whose lines are kept begin so.
const KEPT: &str = "logged-";

/// The lines of requests with such ids, of all tests.
static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// The log of this program. A subscriber of one test would not be enough: the first thread that comes
/// to a span decides for all of them whether someone wants it.
struct Log;

impl io::Write for Log {
    /// A line comes as a whole.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        if text.contains(KEPT) {
            LINES.lock().unwrap().push(text.into_owned());
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn start_log() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::INFO)
            .with_ansi(false)
            .with_writer(|| Log);
        tracing::subscriber::set_global_default(subscriber.finish()).unwrap();
    });
}

/// The lines of a request.
fn lines_of(id: &str) -> Vec<String> {
    let span = format!("request{{request.id=\"{id}\"}}");
    let lines = LINES.lock().unwrap();
    let found = lines.iter().filter(|line| line.contains(&span));
    found.cloned().collect()
}

async fn ask(world: &World, method: &str, uri: &str, id: &str, body: &str) -> Answer {
    let request = Request::builder().method(method).uri(uri);
    let request = request.header("x-request-id", id);
    world
        .send(request.body(Body::from(body.to_owned())).unwrap())
        .await
}

#[tokio::test]
async fn every_answer_has_the_id_of_its_request() {
    let world = World::new().await;
    for path in [
        "/sessions",
        "/sessions/7",
        "/sessions/%zz",
        "/nothing",
        "/ui",
        "/api/v1/status",
        "/api/v1/agent",
    ] {
        let answer = ask(&world, "GET", path, "my-id.1", "").await;
        assert_eq!(answer.headers["x-request-id"], "my-id.1", "{path}");
        let made = world.get(path).await;
        assert_eq!(made.headers["x-request-id"].len(), 32, "{path}");
        let strange = ask(&world, "GET", path, "a\tb", "").await;
        assert_eq!(strange.headers["x-request-id"].len(), 32, "{path}");
    }
}

#[tokio::test]
async fn a_problem_names_its_request_and_livys_refusals_stay_livys() {
    let world = World::new().await;
    for path in ["/api/v1/sessions/7", "/api/v1/sessions/%zz"] {
        let problem = ask(&world, "GET", path, "my-id", "").await;
        assert_eq!(problem.json()["requestId"], "my-id", "{path}");
    }
    let head = ask(&world, "HEAD", "/api/v1/sessions/7", "my-id", "").await;
    assert_eq!(head.text, "");
    let refusal = ask(&world, "GET", "/sessions/7", "my-id", "").await;
    assert_eq!(refusal.text, r#"{"msg":"Session '7' not found."}"#);
}

#[tokio::test]
async fn the_log_names_the_request_that_causes_a_line() {
    start_log();
    let world = World::new().await;
    let created = ask(&world, "POST", "/sessions", "logged-creates", "{}").await;
    assert_eq!(created.status, 201);
    world.driver(S0).await;
    let deleted = ask(&world, "DELETE", "/sessions/0", "logged-deletes", "").await;
    assert_eq!(deleted.status, 200);
    // The actor of the session and that of its driver.
    for text in ["session.state=\"stopping\"", "driver.state=\"stopping\""] {
        livius_testkit::eventually(text, async || {
            let lines = lines_of("logged-deletes");
            lines.iter().any(|line| line.contains(text)).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn an_internal_error_is_logged_under_the_id() {
    start_log();
    let world = World::new().await;
    world.disk().fail_next("create_session");
    let failed = ask(&world, "POST", "/sessions", "logged-fails", "{}").await;
    assert_eq!(failed.status, 500, "{}", failed.text);
    let lines = lines_of("logged-fails");
    assert!(lines[0].contains("a request failed"), "{lines:?}");
}
