//! The whole comparison, against a small server that answers like Livy.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use livius_bench::arguments::Plan;
use livius_bench::compare;
use livius_bench::report::{Figure, Report, Unit};
use livius_bench::target::Target;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// Counts sessions and statements. Each is ready when it is looked at.
#[derive(Default)]
struct Fake {
    ids: AtomicI64,
    /// The letters that it prints.
    letters: usize,
    prints: AtomicBool,
}

type Shared = State<Arc<Fake>>;

async fn made(State(fake): Shared, Json(body): Json<Value>) -> Json<Value> {
    let prints = body["code"].to_string().contains("print");
    fake.prints.store(prints, Ordering::SeqCst);
    Json(json!({"id": fake.ids.fetch_add(1, Ordering::SeqCst), "state": "running"}))
}

async fn ended(State(fake): Shared) -> Json<Value> {
    let letters = if fake.prints.load(Ordering::SeqCst) {
        fake.letters
    } else {
        1
    };
    let data = json!({"text/plain": "x".repeat(letters)});
    Json(json!({"id": 1, "state": "available", "output": {"status": "ok", "data": data}}))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the server ends with the test's runtime"
)]
async fn serve(letters: usize) -> String {
    let fake = Arc::new(Fake {
        letters,
        ..Fake::default()
    });
    let shown = async |Path(id): Path<i64>| Json(json!({"id": id, "state": "idle"}));
    let deleted = async || Json(json!({"msg": "deleted"}));
    let routes = Router::new()
        .route("/sessions", post(made))
        .route("/sessions/{id}", get(shown).delete(deleted))
        .route("/sessions/{id}/state", get(shown))
        .route("/sessions/{id}/statements", post(made))
        .route("/sessions/{id}/statements/{statement}", get(ended))
        .with_state(fake);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, routes).await });
    format!("http://{address}")
}

fn target(name: &str, url: String) -> Target {
    Target {
        name: name.to_owned(),
        url,
        pid: Some(std::process::id()),
    }
}

fn plan(servers: Vec<Target>) -> Plan {
    Plan {
        servers,
        bare: None,
        rounds: 2,
        kinds: vec!["pyspark".to_owned(), "sql".to_owned()],
        statements: 3,
        reads_ms: 50,
        burst: 3,
        streams: 2,
        output_mb: 1,
        output_limit_s: 5,
        rest_limit_s: 0,
        json: None,
    }
}

fn figure<'a>(report: &'a Report, what: &str, column: &str) -> &'a Figure {
    let row = report.rows().iter().find(|row| row.what == what);
    let row = row.unwrap_or_else(|| panic!("no row {what:?} in\n{}", report.table()));
    &row.figures[column]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_figure_of_each_server_is_measured() {
    let servers = vec![
        target("short", serve(10).await),
        target("long", serve(1_000_000).await),
    ];
    let report = compare::run(&plan(servers)).await.unwrap();
    let output = "pyspark: 1 MB of output, POST to the last byte";
    for row in report.rows() {
        for column in ["short", "long"] {
            match &row.figures.get(column) {
                Some(Figure::Measured(samples)) => {
                    assert!(samples.count() > 0, "{}", row.what);
                    let known = row.unit == Unit::Mebibytes || samples.median() > Some(0.0);
                    assert!(known || row.unit == Unit::CpuSeconds, "{}", row.what);
                }
                missing => assert!(
                    // The server has no events.
                    row.what == output
                        || row.what.starts_with("growth")
                        || row.what.contains("to its arrival")
                        || row.what.contains("stream of events"),
                    "{}: {missing:?}",
                    row.what
                ),
            }
        }
    }
    assert!(
        matches!(figure(&report, output, "short"), Figure::Failed(why) if why.starts_with("only "))
    );
    assert!(matches!(
        figure(&report, output, "long"),
        Figure::Measured(_)
    ));
    for (what, count) in [
        ("pyspark: POST /sessions to idle", 2),
        ("sql: SELECT 1 + 1, POST to result seen, with ?wait=", 6),
        ("DELETE of a healthy session", 4),
        ("3 sessions created at once: time of each POST", 3),
        ("memory of the server, after use", 1),
    ] {
        let Figure::Measured(samples) = figure(&report, what, "long") else {
            panic!("{what}")
        };
        assert_eq!(samples.count(), count, "{what}");
    }
}
