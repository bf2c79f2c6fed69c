//! Kills the server. Drivers and results survive.

use serde_json::{Value, json};

use crate::client::{PATIENCE, eventually};
use crate::server::Server;
use crate::squatter::{Visit, squat};
use crate::{Case, Shared};

pub const CASES: &[Case] = &[(
    "restart::a_killed_server_finds_its_driver_and_loses_nothing",
    killed_server,
)];

/// The server alone decides what it keeps. That the agent of each Spark connects again is shown
/// above.
pub const OLDER: &[Case] = &[
    (
        "restart::drivers_that_are_to_be_kept_serve_the_next_server_which_deletes_them_quickly",
        kept,
    ),
    (
        "restart::a_server_that_is_killed_again_and_again_runs_each_statement_once",
        killed_often,
    ),
];

/// The kills of one session's server.
const KILLS: u64 = 12;

/// The statements that are posted before each kill.
const BETWEEN_KILLS: i64 = 3;

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

    server.kill();
    assert_nothing_is_told_to_a_stranger(&server);
    let server = server.restart();
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

/// The stranger learns no secret and no result, runs no code, and does not end the driver.
fn assert_nothing_is_told_to_a_stranger(server: &Server) {
    let launch = std::fs::read(server.driver_dir("s-0-").join("launch.json")).unwrap();
    let launch: Value = serde_json::from_slice(&launch).unwrap();
    let token = launch["token"].as_str().unwrap();
    let booty = server.data.path().join("booty");
    let code = format!("open({:?}, 'w').close()", booty.to_str().unwrap());
    let run = json!({"v": 3, "type": "run", "statement": 99, "kind": "pyspark", "code": code});
    let welcome = json!({"v": 3, "type": "welcome", "acked": 0});
    let address = server.url.trim_start_matches("http://");
    let visits = squat(address, &[welcome.to_string(), run.to_string()]);
    for Visit { request, after } in &visits {
        assert!(request.contains("s-0-"), "{request}");
        assert!(!request.contains(token), "{request}");
        assert!(after.is_empty(), "{}", String::from_utf8_lossy(after));
    }
    assert!(!booty.exists());
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

/// The crash test does the same with scripted drivers, and much more often.
fn killed_often(shared: &Shared) {
    let mut server = Server::start(&shared.spark.home, &[]);
    let session = server.create(&json!({"kind": "pyspark", "conf": {"spark.ui.enabled": "false"}}));
    session.await_idle();
    let ran = server.data.path().join("ran");
    let mut posted = 0;
    for kill in 0..KILLS {
        for _ in 0..BETWEEN_KILLS {
            let code = format!(
                "with open('{}', 'a') as ran:\n    print({posted}, file=ran)\nprint(sc.range({posted}).count())",
                ran.display()
            );
            assert_eq!(session.post("pyspark", &code), posted);
            posted += 1;
        }
        // The moments are spread over the life of the statements.
        match kill % 4 {
            0 => {}
            1 => eventually("the first one has begun", PATIENCE, || {
                let statement = session.statement(posted - BETWEEN_KILLS);
                (statement["state"] != "waiting").then_some(())
            }),
            2 => drop(session.await_end(posted - BETWEEN_KILLS)),
            _ => drop(session.await_end(posted - 1)),
        }
        server = server.crash_and_restart();
    }
    for id in 0..posted {
        let text = &session.await_end(id)["output"]["data"]["text/plain"];
        assert_eq!(text, &id.to_string(), "statement {id}");
    }
    let lines = std::fs::read_to_string(&ran).unwrap();
    let ran: Vec<i64> = lines.lines().map(|line| line.parse().unwrap()).collect();
    assert!(ran.iter().copied().eq(0..posted), "{ran:?}");
    let left = server.stop();
    assert!(left.is_empty(), "{left:#?}");
}
