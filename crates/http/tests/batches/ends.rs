//! The end of a batch: its true state, the evidence for it, its times.

use std::time::Duration;

use livius_domain::{BatchId, Exit, Verdict};
use livius_testkit::World;
use serde_json::{Value, json};

use super::{APP, B0, B1, REPORT, detail, log_of, run, submit};

#[tokio::test]
async fn how_a_process_ends_is_how_its_batch_ends() {
    let world = World::new().await;
    for (exit, words) in [
        (Exit::Code(0), None),
        (
            Exit::Code(3),
            Some("the application ended with exit code 3"),
        ),
        (
            Exit::Code(143),
            Some("the application ended with exit code 143"),
        ),
        (
            Exit::Signal(9),
            Some("the application was ended by signal 9 (SIGKILL)"),
        ),
        (
            Exit::Signal(42),
            Some("the application was ended by signal 42"),
        ),
        (
            Exit::Unknown,
            Some("the application's process is gone, and the server did not see how it ended"),
        ),
    ] {
        for (phase, reported) in [("submit", false), ("running", true)] {
            let id = submit(&world, APP).await;
            let (order, process) = world.batch_process(id).await;
            if reported {
                assert_eq!(world.report_application(&order, REPORT).await.status, 204);
            }
            process.exit(exit);
            let (state, outcome) = match words {
                None => ("success", "succeeded"),
                Some(_) => ("dead", "failed"),
            };
            world.await_batch(id, state).await;
            let end = detail(&world, id).await["end"].clone();
            let (code, signal) = match exit {
                Exit::Code(code) => (json!(code), Value::Null),
                Exit::Signal(signal) => (Value::Null, json!(signal)),
                Exit::Unknown => (Value::Null, Value::Null),
            };
            assert_eq!((&end["exitCode"], &end["signal"]), (&code, &signal));
            assert_eq!(
                (&end["outcome"], &end["cause"]),
                (&json!(outcome), &Value::Null)
            );
            let failure = &end["failure"];
            assert_eq!(failure["message"].as_str(), words);
            if let Some(words) = words {
                let code = match exit {
                    // A JVM exits so when it gets SIGTERM.
                    Exit::Signal(_) | Exit::Code(143) => "ended_by_signal",
                    Exit::Code(_) | Exit::Unknown => "application_failed",
                };
                assert_eq!(
                    (&failure["code"], &failure["phase"]),
                    (&json!(code), &json!(phase))
                );
                assert!(!failure["hint"].as_str().unwrap().is_empty());
                let log = log_of(&world, id).await;
                assert!(log.contains(&format!("livius: {words}")), "{log}");
            }
            assert_eq!(
                super::total(&world).await,
                i64::from(id.0) + 1,
                "it stays listed"
            );
        }
    }
}

#[tokio::test]
async fn a_batch_that_cannot_be_started_says_why() {
    let world = World::new().await;
    world.launcher().refuse("no Java anywhere");
    let created = world.post("/batches", APP).await;
    assert_eq!(
        (created.status.as_u16(), created.json()["state"].clone()),
        (201, json!("starting"))
    );
    world.await_batch(B0, "dead").await;
    let log = log_of(&world, B0).await;
    assert!(
        log.contains("livius: no Java anywhere\nlivius: this is a test"),
        "{log}"
    );
    assert!(
        world
            .get("/batches/0")
            .await
            .text
            .contains("livius: no Java anywhere")
    );
    let shown = detail(&world, B0).await;
    assert_eq!(
        shown["end"],
        json!({"outcome": "failed", "cause": null, "exitCode": null, "signal": null, "failure": {
            "code": "launch_failed", "phase": "launch", "message": "no Java anywhere", "hint": "this is a test",
            "evidence": [], "docs": "docs/ERRORS.md#launch_failed"
        }})
    );
    assert_eq!(shown["runningAt"], Value::Null);
    // The restarted server shows the same.
    let world = world.crash_and_restart().await;
    assert_eq!(detail(&world, B0).await, shown);
    assert_eq!(log_of(&world, B0).await, log);
}

#[tokio::test]
async fn the_log_gives_the_evidence() {
    let world = World::new().await;
    for (id, code, log, evidence) in [
        (
            0,
            "application_failed",
            "hello\nTraceback (most recent call last):\n  File \"/app.py\", line 1, in <module>\n    f()\nValueError: no such thing\n26/11/21 INFO X: bye\n",
            ": ValueError: no such thing",
        ),
        (
            1,
            "application_failed",
            "Exception in thread \"main\" java.lang.IllegalStateException: not now\n\tat a.B.main(B.scala:3)",
            ": java.lang.IllegalStateException: not now",
        ),
        (
            2,
            "class_not_found",
            "Error: Failed to load class no.such.Main.\n",
            ": Error: Failed to load class no.such.Main.",
        ),
        (3, "application_failed", "all is well\n", ""),
        (4, "application_failed", "", ""),
    ] {
        let (order, process) = run(&world, APP).await;
        std::fs::write(world.dir_of(&order).join("stdout.log"), log).unwrap();
        process.exit(Exit::Code(1));
        world.await_batch(BatchId(id), "dead").await;
        let message = format!("the application ended with exit code 1{evidence}");
        let failure = detail(&world, BatchId(id)).await["end"]["failure"].clone();
        assert_eq!(failure["message"], message);
        assert_eq!(failure["code"], code);
        assert_eq!(failure["docs"], format!("docs/ERRORS.md#{code}"));
        let is_known = code == "class_not_found";
        assert_eq!(
            failure["evidence"],
            if is_known {
                json!([log.trim_end()])
            } else {
                json!([])
            }
        );
        // It follows the application's output, on its own line.
        let lines = log_of(&world, BatchId(id)).await;
        assert!(lines.contains(&format!("\nlivius: {message}\n")), "{lines}");
        assert!(
            lines.starts_with(format!("stdout: \n{log}").trim_end()),
            "{lines}"
        );
    }
}

#[tokio::test]
async fn a_success_is_shown_without_what_is_gone() {
    let world = World::new().await;
    let (order, process) = run(&world, APP).await;
    std::fs::write(world.dir_of(&order).join("stdout.log"), "Pi is roughly 3\n").unwrap();
    assert_eq!(
        world.get("/batches/0").await.json()["appInfo"]["sparkUiUrl"],
        "http://127.0.0.1:4040"
    );
    process.exit(Exit::Code(0));
    world.await_batch(B0, "success").await;
    let expected = r#"{"id":0,"name":null,"owner":null,"proxyUser":null,"state":"success","appId":"local-7","appInfo":{"driverLogUrl":null,"sparkUiUrl":null,"executorLogUrls":null},"log":["stdout: ","Pi is roughly 3","\nstderr: "]}"#;
    assert_eq!(world.get("/batches/0").await.text, expected);
    let world = world.crash_and_restart().await;
    assert_eq!(world.get("/batches/0").await.text, expected);
    assert_eq!(
        detail(&world, B0).await["appInfo"]["sparkUiUrl"],
        Value::Null
    );
}

#[tokio::test]
async fn the_time_of_each_state_is_kept() {
    let world = super::world_of(1, 1).await;
    let second = || world.clock().advance(Duration::from_secs(1));
    let (_, first) = run(&world, APP).await;
    submit(&world, APP).await;
    second();
    first.exit(Exit::Code(0));
    let (order, process) = world.batch_process(B1).await;
    world.await_batch(B0, "success").await;
    second();
    assert_eq!(world.report_application(&order, REPORT).await.status, 204);
    second();
    world.launcher().make_deaf(true);
    let ending = async {
        livius_testkit::eventually("the kill is under way", async || {
            detail(&world, B1).await["stoppingAt"]
                .is_string()
                .then_some(())
        })
        .await;
        second();
        process.exit(Exit::Signal(15));
    };
    tokio::join!(world.post("/api/v1/batches/1/kill", ""), ending);
    world.await_batch(B1, "killed").await;
    for restarted in [false, true] {
        let world_times = |shown: Value| -> Vec<String> {
            [
                "createdAt",
                "launchedAt",
                "runningAt",
                "stoppingAt",
                "endedAt",
            ]
            .iter()
            .map(|key| shown[key].as_str().unwrap_or("-").to_owned())
            .collect()
        };
        assert_eq!(
            world_times(detail(&world, B1).await),
            [
                "2023-11-14T22:13:20Z",
                "2023-11-14T22:13:21Z",
                "2023-11-14T22:13:22Z",
                "2023-11-14T22:13:23Z",
                "2023-11-14T22:13:24Z"
            ],
            "{restarted}"
        );
        assert_eq!(
            world_times(detail(&world, B0).await)[3..],
            ["-", "2023-11-14T22:13:21Z"]
        );
    }
}

#[tokio::test]
async fn where_a_resource_manager_ran_the_application_its_word_counts() {
    let world = World::new().await;
    for (verdict, exit, state, words) in [
        (Verdict::Finished, Exit::Code(1), "success", None),
        (Verdict::Finished, Exit::Signal(9), "success", None),
        (Verdict::Finished, Exit::Unknown, "success", None),
        (
            Verdict::Killed,
            Exit::Code(0),
            "killed",
            Some("the application was killed at its resource manager"),
        ),
        (
            Verdict::Failed("the driver was lost with worker-1".to_owned()),
            Exit::Code(0),
            "dead",
            Some("the driver was lost with worker-1"),
        ),
    ] {
        let id = submit(&world, APP).await;
        let (order, process) = world.batch_process(id).await;
        world.launcher().say(&order.id, verdict);
        process.exit(exit);
        world.await_batch(id, state).await;
        let message = detail(&world, id).await["end"]["failure"]["message"].clone();
        assert_eq!(message.as_str(), words);
    }
}
