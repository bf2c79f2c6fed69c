//! Kills the server. Drivers and results survive.

use serde_json::json;

use crate::server::Server;
use crate::{Case, Shared};

pub const CASES: &[Case] = &[(
    "restart::a_killed_server_finds_its_driver_and_loses_nothing",
    killed_server,
)];

/// The server alone decides what it keeps. That the agent of each Spark connects again is shown
/// above.
pub const ONCE: &[Case] = &[(
    "restart::drivers_that_are_to_be_kept_serve_the_next_server_which_deletes_them_quickly",
    kept,
)];

fn killed_server(shared: &Shared) {
    let server = Server::start(&shared.spark.home, &[]);
    let session = server.create(
        &json!({"kind": "pyspark", "name": "survivor", "conf": {"spark.ui.enabled": "false"}}),
    );
    session.await_idle();
    assert_eq!(session.text("pyspark", "x = 41\nprint('before')"), "before");
    let running = session.post(
        "pyspark",
        "import time\ntime.sleep(3)\nprint('while nobody listened')\nx + 1",
    );
    let queued = session.post("pyspark", "x + 2");
    session.await_running(running);

    let server = server.crash_and_restart();
    assert_eq!(
        session.statement(0)["output"]["data"]["text/plain"],
        "before"
    );
    assert_eq!(
        session.await_end(running)["output"]["data"]["text/plain"],
        "while nobody listened\n42"
    );
    assert_eq!(
        session.await_end(queued)["output"]["data"]["text/plain"],
        "43"
    );
    session.await_state("idle");
    let left = server.stop();
    assert!(left.is_empty(), "{left:#?}");
}

fn kept(shared: &Shared) {
    let server = Server::start(&shared.spark.home, &["--on-shutdown", "keep"]);
    let session = server.create(&json!({"kind": "pyspark", "conf": {"spark.ui.enabled": "false"}}));
    session.await_idle();
    session.text("pyspark", "x = 41");
    let left = server.stop();
    assert!(
        left.iter().any(|line| line.contains("launch.json")),
        "{left:#?}"
    );
    let server = server.restart();
    session.await_idle();
    assert_eq!(session.text("pyspark", "x + 1"), "42");
    session.delete_while_busy();
    let left = server.stop();
    assert!(left.is_empty(), "{left:#?}");
}
