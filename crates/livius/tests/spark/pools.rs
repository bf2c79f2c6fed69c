//! Drivers that wait for sessions.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::client::{PATIENCE, Session, eventually, get, post};
use crate::server::Server;
use crate::{Case, Shared};

/// The server alone decides about pools. That the agents of both Sparks start ahead of a session is
/// shown by the tests of the agent.
pub const ONCE: &[Case] = &[(
    "pools::waiting_drivers_survive_a_killed_server_and_serve_sessions_at_once",
    pools,
)];

/// Two pools: one of ready drivers, one of primed ones.
const POOLS: [&str; 6] = [
    "pools.ready.kind=pyspark",
    "pools.ready.conf.spark.ui.enabled=false",
    "pools.primed.level=primed",
    "pools.primed.kind=spark",
    "pools.primed.conf.spark.ui.enabled=false",
    "sessions.pool_memory=8g",
];

fn pools(shared: &Shared) {
    let mut arguments = vec!["--pool", "on"];
    for setting in POOLS {
        arguments.extend(["--set", setting]);
    }
    let server = Server::start(&shared.spark.home, &arguments);
    let before = waiting(&server);
    let server = server.crash_and_restart();
    assert_eq!(
        waiting(&server),
        before,
        "the next server has the same drivers"
    );

    let ready = created(
        &server,
        &json!({"kind": "pyspark", "conf": {"spark.ui.enabled": "false", "spark.sql.shuffle.partitions": "3"}}),
        "idle",
    );
    assert_eq!(start_of(&server, &ready)["level"], "ready");
    assert_eq!(
        ready.text("pyspark", "spark.conf.get('spark.sql.shuffle.partitions')"),
        "'3'"
    );
    assert_eq!(ready.text("pyspark", "spark.range(10).count()"), "10");
    // What made the driver warm has left nothing.
    assert_eq!(
        ready.text(
            "pyspark",
            "[name for name in ('n', 't') if name in globals()]"
        ),
        "[]"
    );

    let primed = created(
        &server,
        &json!({"kind": "pyspark", "name": "mine", "conf": {"spark.ui.enabled": "false", "spark.x": "1"}}),
        "starting",
    );
    primed.await_idle();
    let start = start_of(&server, &primed);
    assert_eq!(
        (&start["pool"], &start["level"]),
        (&"primed".into(), &"primed".into())
    );
    assert_eq!(
        primed.text(
            "pyspark",
            "sc.appName, sc.getConf().get('spark.x'), sc.getConf().get('spark.authenticate')"
        ),
        "('mine', '1', 'true')"
    );
    assert_eq!(primed.text("pyspark", "spark.range(10).count()"), "10");

    let other = created(
        &server,
        &json!({"kind": "pyspark", "driverMemory": "600m", "conf": {"spark.ui.enabled": "false"}}),
        "starting",
    );
    let start = start_of(&server, &other);
    let keys: BTreeSet<&str> = start["misses"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|miss| miss["key"].as_str())
        .collect();
    assert!(keys.contains("spark.driver.memory"), "{start}");
    other.await_idle();
    let (warm, cold) = (facts(&primed), facts(&other));
    assert!(cold.len() > 100, "{cold:#?}");
    let differing: Vec<&String> = warm.symmetric_difference(&cold).collect();
    // The SparkContext that made the driver warm changes nothing for the session.
    assert!(differing.is_empty(), "{differing:#?}");

    let left = server.stop();
    assert!(left.is_empty(), "{left:#?}");
}

/// Spark's and Hadoop's configuration, the system properties, tables and files of a session, a line
/// each. Values that differ between any two sessions are left out.
fn facts(session: &Session) -> BTreeSet<String> {
    let code = r#"
import os, re
varying = ("app.id", "app.name", "app.startTime", "app.submitTime", "driver.port", "driver.memory",
           "repl.class.outputDir", "repl.class.uri", "spark.x")
properties = sc._jvm.java.lang.System.getProperties()
pairs = [("table", table.name) for table in spark.catalog.listTables()]
# Spark adds to it when SQL is used first.
pairs += sc.getConf().getAll()
pairs += [("property " + key, properties.getProperty(key)) for key in properties.stringPropertyNames() if key.startswith("spark.")]
pairs += [("hadoop " + entry.getKey(), entry.getValue()) for entry in sc._jsc.hadoopConfiguration().iterator()]
pairs += [("file", name) for name in os.listdir(".")]
own = re.compile("/drivers/[^/]+")
print("\n".join(key + " " + repr(own.sub("/drivers/ID", value)) for key, value in pairs if not key.endswith(varying)))
"#;
    let text = session.text("pyspark", code);
    text.lines().map(str::to_owned).collect()
}

/// The drivers of the pools, once all of them wait.
fn waiting(server: &Server) -> BTreeSet<String> {
    eventually("both pools have a driver", PATIENCE, || {
        let pools = get(&format!("{}/api/v1/pools", server.url)).1;
        let pools = pools["pools"].as_array()?.clone();
        let drivers = pools
            .iter()
            .flat_map(|pool| pool["drivers"].as_array().unwrap().clone());
        let waiting = drivers.filter(|driver| driver["state"] == "waiting");
        let names: BTreeSet<String> = waiting.map(|driver| driver["id"].to_string()).collect();
        (names.len() == 2).then_some(names)
    })
}

/// A new session, which has this state in the answer to its request.
fn created(server: &Server, request: &Value, state: &str) -> Session {
    let (status, answer) = post(&format!("{}/sessions", server.url), request);
    assert_eq!((status, &answer["state"]), (201, &state.into()), "{answer}");
    Session {
        url: format!("{}/sessions/{}", server.url, answer["id"]),
        id: answer["id"].as_i64().unwrap(),
    }
}

fn start_of(server: &Server, session: &Session) -> Value {
    let detail = get(&format!("{}/api/v1/sessions/{}", server.url, session.id)).1;
    detail["start"]["pool"].clone()
}
