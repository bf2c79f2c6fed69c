//! Batches survive restarts of the server.

use serde_json::Value;

use super::folder::Steps;
use super::{Batch, Folder};
use crate::Shared;
use crate::client::{PATIENCE, eventually, get};
use crate::server::Server;

pub fn both(shared: &Shared) {
    let server = Server::start(&shared.spark.home, &["--set", "batches.max_running=2"]);
    let folder = Folder::make();
    let [first, second, third] = [("first", 4), ("second", 5), ("third", 0)]
        .map(|(name, code)| folder.steps(name, code, true));
    let submit = |steps: &Steps| Batch::create(&server, &steps.request);
    let (talks, leaves, waits) = (submit(&first), submit(&second), submit(&third));
    for batch in [&talks, &leaves] {
        batch.await_line("begun");
        batch.await_running();
    }
    assert_eq!(waits.detail()["step"], "queued");

    server.kill();
    first.allow("speak");
    second.allow("speak");
    second.allow("end");
    let (talks_in, leaves_in) = (talks.dir(&server), leaves.dir(&server));
    eventually("one prints and the other ends", PATIENCE, || {
        let printed = std::fs::read_to_string(talks_in.join("stdout.log")).unwrap();
        (printed.contains("\nspoken\n") && leaves_in.join("exit.json").exists()).then_some(())
    });
    let server = server.restart();
    after_the_crash(&server, &talks, &leaves);

    // The waiting batch gets the place of the ended one. Only this server has started it.
    waits.await_running();
    waits.await_line("begun");
    first.allow("end");
    let (code, message) = talks.await_failure();
    assert_eq!(code, Some(4), "{message}");

    let last = folder.steps("last", 6, false);
    let late = Batch::create(&server, &last.request);
    late.await_line("begun");
    let after = folder.steps("after the last", 0, false);
    let queued = Batch::create(&server, &after.request);
    after_a_stop(server, &waits, &late, &queued, [&third, &last, &after]);
}

fn after_the_crash(server: &Server, talks: &Batch, leaves: &Batch) {
    // No wait is needed: a server that responds has loaded its batches.
    let shown = talks.shown();
    assert_eq!(shown["state"], "running", "{shown:#}");
    assert!(shown["appId"].is_string(), "{shown:#}");
    let listed = get(&format!("{}/batches", server.url)).1;
    assert_eq!(listed["total"], 3, "{listed:#}");
    assert!(talks.log().contains("\nspoken\n"), "{}", talks.log());
    let (code, message) = leaves.await_failure();
    assert_eq!(code, Some(5), "{message}");
    assert!(
        leaves.log().contains("\nspoken\nover\n"),
        "{}",
        leaves.log()
    );
}

/// A graceful shutdown leaves batches running too.
fn after_a_stop(server: Server, runs: &Batch, plain: &Batch, queued: &Batch, steps: [&Steps; 3]) {
    let left = server.stop();
    assert!(
        left.iter()
            .filter(|line| line.contains("SparkSubmit"))
            .count()
            == 2,
        "{left:#?}"
    );
    let server = server.restart();
    assert_eq!(runs.state(), "running");
    assert_eq!(plain.state(), "starting");
    assert_eq!(plain.detail()["step"], "submitted");
    assert_eq!(queued.detail()["step"], "queued");
    for step in ["speak", "end"] {
        for each in steps {
            each.allow(step);
        }
    }
    assert_eq!(runs.await_end("success")["end"]["cause"], Value::Null);
    let (code, message) = plain.await_failure();
    assert_eq!(code, Some(6), "{message}");
    queued.await_end("success");
    let left = server.stop();
    assert!(left.is_empty(), "{left:#?}");
}
