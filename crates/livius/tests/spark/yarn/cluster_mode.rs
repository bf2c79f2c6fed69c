//! Drivers in containers.

use serde_json::{Value, json};

use super::world::{PATIENCE, World, application_of};
use crate::Shared;
use crate::batches::{Batch, Folder};
use crate::client::{Session, eventually};
use crate::server::Server;

pub fn all(shared: &Shared) {
    let Some(world) = World::start(shared) else {
        return;
    };
    let server = world.serve();
    let server = session(&world, server);
    let server = batch(&world, server);
    let left = server.stop();
    assert!(left.is_empty(), "{left:#?}");
    let left = world.yarn.stop();
    assert!(left.is_empty(), "{left:#?}");
}

/// A session in three languages, over the death of its server.
fn session(world: &World, server: Server) -> Server {
    let session = server.create(&json!({"kind": "shared", "name": "on yarn", "queue": "etl"}));
    let id = application_of(&session.url);
    await_idle(&session);
    let app = world.application(&id);
    assert_eq!(
        (&app["queue"], &app["state"]),
        (&"root.etl".into(), &"RUNNING".into()),
        "{app}"
    );
    assert_eq!(app["name"], "on yarn");
    let tags = app["applicationTags"].as_str().unwrap();
    assert!(
        tags.contains(&format!("livius-driver-s-{}-", session.id)),
        "{tags}"
    );
    let info = session.shown()["appInfo"].clone();
    let proxied = format!("/proxy/{id}/");
    for (link, part) in [
        ("sparkUiUrl", proxied.as_str()),
        ("driverLogUrl", "/containerlogs/container_"),
    ] {
        let address = info[link].as_str().unwrap_or_default();
        assert!(address.contains(part), "{info}");
    }

    assert_eq!(session.text("pyspark", "spark.range(100).count()"), "100");
    assert_eq!(
        session.text(
            "pyspark",
            "sc.parallelize(range(10), 2).map(lambda n: n * 2).sum()"
        ),
        "90"
    );
    let told = session.text("spark", "sc.parallelize(1 to 10).map(_ + 1).sum()");
    assert_eq!(told.trim_end(), "res0: Double = 65.0");
    let rows = session.data("sql", "SELECT 6 * 7 AS n");
    assert!(rows.to_string().contains("[[42]]"), "{rows}");

    session.run(
        "pyspark",
        "sc._jvm.java.lang.System.err.println('from the container')",
    );
    eventually("the log has what the driver prints", PATIENCE, || {
        session.log().contains("from the container").then_some(())
    });

    let folder = Folder::make();
    let end = folder.path("end");
    let statement = session.post(
        "pyspark",
        &format!("import os, time\nwhile not os.path.exists({end:?}): time.sleep(0.1)\n'done'"),
    );
    session.await_running(statement);
    let server = server.crash_and_restart();
    folder.write("end", "");
    let ended = session.await_end(statement);
    assert_eq!(ended["output"]["data"]["text/plain"], "'done'", "{ended}");

    session.delete();
    world.await_nothing(&server);
    let app = world.application(&id);
    assert_eq!(
        (&app["state"], &app["finalStatus"]),
        (&"FINISHED".into(), &"SUCCEEDED".into()),
        "{app}"
    );
    server
}

/// A batch that succeeds over the death of its server, and one that fails.
fn batch(world: &World, server: Server) -> Server {
    let folder = Folder::make();
    let file = folder.write(
        "app.py",
        "import os, sys, time\n\
         from pyspark.sql import SparkSession\n\
         spark = SparkSession.builder.getOrCreate()\n\
         while not os.path.exists(sys.argv[1]): time.sleep(0.1)\n\
         print('sum', spark.range(10).groupBy().sum().first()[0])\n\
         sys.exit(int(sys.argv[2]))\n",
    );
    let submit = |server: &Server, end: &str, code: &str| {
        Batch::create(
            server,
            &json!({"file": file, "args": [folder.path(end), code]}),
        )
    };
    let batch = submit(&server, "end", "0");
    let running = |batch: &Batch| {
        eventually("the batch runs", PATIENCE, || {
            (batch.state() == "running").then_some(())
        });
    };
    running(&batch);
    let server = server.crash_and_restart();
    assert_eq!(batch.state(), "running");
    folder.write("end", "");
    let ended = |batch: &Batch, state: &str| {
        eventually("the batch ends", PATIENCE, || {
            (batch.state() == state).then_some(())
        });
    };
    ended(&batch, "success");
    let log = batch.log();
    assert!(log.contains("sum 45"), "{log}");

    let failing = submit(&server, "end", "3");
    ended(&failing, "dead");
    let (code, message) = failing.await_failure();
    assert_eq!(code, Some(3), "{message}");
    assert!(message.contains("application_"), "{message}");
    world.await_nothing(&server);
    server
}

fn await_idle(session: &Session) {
    eventually("the session is idle", PATIENCE, || {
        let shown: Value = session.shown();
        assert_ne!(shown["state"], "dead", "{}", session.log());
        (shown["state"] == "idle").then_some(())
    });
}
