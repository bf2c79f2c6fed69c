//! The local files that batches and sessions may name, and the times of the check.

use std::os::unix::fs::symlink;

use camino::{Utf8Path, Utf8PathBuf};
use livius_domain::{Exit, Limits, SessionId};
use livius_sessions::LocalFiles;
use livius_testkit::{World, WorldOptions};
use tempfile::TempDir;

use super::{APP, B0, B1, detail, log_of, run, submit, total};

/// A directory that requests may use, with an application, next to one that they may not use, with
/// a secret.
struct Files {
    root: Utf8PathBuf,
    _dir: TempDir,
}

impl Files {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(dir.path()).unwrap().to_owned();
        for (place, file) in [("allowed", "app.py"), ("private", "secret.py")] {
            std::fs::create_dir(root.join(place)).unwrap();
            std::fs::write(root.join(place).join(file), "").unwrap();
        }
        let files = Self { root, _dir: dir };
        files.link_to("allowed/app.py");
        files
    }

    fn path(&self, file: &str) -> Utf8PathBuf {
        self.root.join(file)
    }

    /// Points the link `allowed/link.py` at this target.
    fn link_to(&self, file: &str) {
        let (new, link) = (self.path("allowed/new"), self.path("allowed/link.py"));
        symlink(self.path(file), &new).unwrap();
        std::fs::rename(new, link).unwrap();
    }

    async fn world(&self, limits: Limits) -> World {
        World::with(WorldOptions {
            limits,
            local_files: Some(LocalFiles::Under(vec![self.path("allowed")])),
            ..WorldOptions::default()
        })
        .await
    }
}

#[tokio::test]
async fn only_files_of_the_listed_directories_may_be_named() {
    let files = Files::new();
    let world = files.world(Limits::default()).await;
    let good = files.path("allowed/app.py");
    let secret = files.path("private/secret.py");
    let away = files.path("allowed/../private/secret.py");
    for bad in [
        secret.to_string(),
        away.to_string(),
        format!("file://{secret}"),
        format!("file:{secret}"),
        format!("local:{secret}"),
        files.path("private/not-there.py").to_string(),
        files.path("allowed/*/app.py").to_string(),
        "/etc/passwd".to_owned(),
    ] {
        let mut bodies = vec![format!(r#"{{"file":"{bad}"}}"#)];
        for field in ["jars", "pyFiles", "files", "archives"] {
            bodies.push(format!(
                r#"{{"file":"{good}","{field}":["{good}","{bad}"]}}"#
            ));
        }
        bodies.push(format!(
            r#"{{"file":"{good}","conf":{{"spark.files":"{bad}"}}}}"#
        ));
        for body in bodies {
            let refused = world.post("/batches", &body).await;
            let words = format!(
                "Rejected, Reason: requirement failed: Local path {bad} cannot be added to user sessions."
            );
            let expected = serde_json::json!({"msg": words});
            assert_eq!(
                (refused.status.as_u16(), refused.json()),
                (400, expected),
                "{body}"
            );
        }
    }
    assert_eq!(total(&world).await, 0);
    for fine in [
        good.to_string(),
        format!("file://{good}"),
        files.path("allowed/link.py").to_string(),
    ] {
        let id = submit(
            &world,
            &format!(r#"{{"file":"{fine}","pyFiles":["{fine}"]}}"#),
        )
        .await;
        world.batch_process(id).await;
    }
}

#[tokio::test]
async fn a_file_that_is_missing_at_the_launch_is_the_reason_of_the_end() {
    let world = World::new().await;
    for (id, body) in [
        (B0, r#"{"file":"/no/such/app.py"}"#),
        (
            B1,
            r#"{"file":"hdfs://h/a","archives":["/no/such/app.py#x"]}"#,
        ),
    ] {
        assert_eq!(submit(&world, body).await, id);
        world.await_batch(id, "dead").await;
        let shown = detail(&world, id).await;
        let failure = &shown["end"]["failure"];
        assert_eq!(
            (&failure["code"], &failure["phase"]),
            (&"launch_failed".into(), &"launch".into())
        );
        let message = failure["message"].as_str().unwrap();
        assert!(
            message.contains("local file /no/such/app.py") && message.contains("cannot be found"),
            "{message}"
        );
        let log = log_of(&world, id).await;
        assert!(log.contains(&format!("livius: {message}")), "{log}");
        let tail = world.get(&format!("/batches/{id}")).await.text;
        assert!(tail.contains("cannot be found on the server"), "{tail}");
    }
    assert_eq!(world.launcher().started_batches(), []);
}

#[tokio::test]
async fn a_link_that_leads_elsewhere_when_it_is_used_is_not_followed() {
    let files = Files::new();
    let world = files
        .world(Limits {
            running_batches: 1,
            ..Limits::default()
        })
        .await;
    let (_, first) = run(&world, APP).await;
    let link = files.path("allowed/link.py");
    assert_eq!(submit(&world, &format!(r#"{{"file":"{link}"}}"#)).await, B1);
    files.link_to("private/secret.py");
    first.exit(Exit::Code(0));
    world.await_batch(B1, "dead").await;
    let words = format!("Local path {link} cannot be added to user sessions.");
    let shown = detail(&world, B1).await.to_string();
    assert!(shown.contains(&words), "{shown}");
    let log = log_of(&world, B1).await;
    assert!(log.contains(&words), "{log}");
    assert_eq!(super::started(&world, 1).await, [0]);
}

#[tokio::test]
async fn nor_is_it_for_a_session() {
    let files = Files::new();
    let world = files
        .world(Limits {
            concurrent_starts: 1,
            ..Limits::default()
        })
        .await;
    assert_eq!(world.post("/sessions", "{}").await.status, 201);
    let (_, first) = world.driver(SessionId(0)).await;
    let link = files.path("allowed/link.py");
    let second = world
        .post("/sessions", &format!(r#"{{"files":["{link}"]}}"#))
        .await;
    assert_eq!(second.status, 201, "{}", second.text);
    files.link_to("private/secret.py");
    first.exit(Exit::Code(1));
    world.await_state(SessionId(1), "dead").await;
    let log = world.get("/sessions/1/log").await.text;
    assert!(
        log.contains(&format!(
            "Local path {link} cannot be added to user sessions."
        )),
        "{log}"
    );
    assert!(world.launcher().driver_of(SessionId(1)).is_none());
}
