//! Every field of a request has its effect in the running driver.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use crate::client::{PATIENCE, Session, eventually, get, post};
use crate::server::Server;
use crate::{Case, Shared};

pub const CASES: &[Case] = &[
    (
        "fields::impersonation_runs_the_driver_as_the_proxy_user",
        impersonation,
    ),
    ("fields::are_seen_in_the_driver", seen_in_the_driver),
    ("fields::bad_ones_are_refused_and_leave_nothing", refused),
];

fn seen_in_the_driver(shared: &Shared) {
    let server = shared.server();
    let files = UserFiles::make(shared);
    let session = server.create(&json!({
        "kind": "pyspark", "name": "fields <b>π</b>", "queue": "q1", "proxyUser": "nobody",
        "driverMemory": "700m", "driverCores": 2,
        "executorMemory": "600m", "executorCores": "2", "numExecutors": 3,
        "jars": [files.path("user.jar")], "pyFiles": [files.path("mine.py")],
        "files": [files.path("data.txt")],
        "archives": [format!("{}#unpacked", files.path("packed.tar"))],
        "heartbeatTimeoutInSecond": 600, "ttl": "2h", "idleTimeout": "30m",
        "conf": {
            "spark.sql.shuffle.partitions": 7, "spark.ui.enabled": false,
            "spark.my.password": "s3cr=et #!\n\\ü"
        }
    }));
    session.await_idle();
    shown(shared, &session);
    configured(&session);
    files_are_there(&session);
    secrets_are_nowhere(shared);
    session.delete();
    secrets_are_removed(shared, session.id);
}

/// Files that a request can name, in a directory whose name has a blank.
struct UserFiles(PathBuf);

impl UserFiles {
    fn make(shared: &Shared) -> Self {
        let files = Self(shared.server().data.path().join("user files"));
        std::fs::create_dir_all(&files.0).unwrap();
        std::fs::write(files.path("mine.py"), "answer = 42\n").unwrap();
        std::fs::write(files.path("data.txt"), "some data").unwrap();
        let directory = files.0.to_str().unwrap();
        let status = Command::new("tar")
            .args([
                "-cf",
                &files.path("packed.tar"),
                "-C",
                directory,
                "data.txt",
            ])
            .status()
            .unwrap();
        assert!(status.success());
        // Any of Spark's jars will do.
        let jar = std::fs::read_dir(Path::new(&shared.spark.home).join("jars"))
            .unwrap()
            .flatten()
            .map(|entry| entry.path())
            .find(|path| path.to_string_lossy().contains("/commons-text"))
            .unwrap();
        std::fs::copy(&jar, files.path("user.jar")).unwrap();
        files
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

/// The responses show the request without its secrets.
fn shown(shared: &Shared, session: &Session) {
    let shown = get(&session.url).1;
    assert_eq!(shown["name"], "fields <b>π</b>");
    assert_eq!(shown["proxyUser"], json!(null));
    assert_eq!(shown["driverCores"], 2);
    assert!(!shown.to_string().contains("s3cr"), "{shown:#}");
    let by_name = "/sessions/fields%20%3Cb%3E%CF%80%3C%2Fb%3E";
    let named = get(&format!("{}{by_name}", shared.server().url)).1;
    assert_eq!(named["id"], session.id);
}

fn configured(session: &Session) {
    for (key, value) in [
        ("spark.app.name", "fields <b>π</b>"),
        ("spark.yarn.queue", "q1"),
        ("spark.driver.memory", "700m"),
        ("spark.driver.cores", "2"),
        ("spark.executor.memory", "600m"),
        ("spark.executor.cores", "2"),
        ("spark.executor.instances", "3"),
        ("spark.sql.shuffle.partitions", "7"),
    ] {
        let code = format!("print(sc.getConf().get('{key}'))");
        assert_eq!(session.text("pyspark", &code), value, "{key}");
    }
    let secret = session.text("pyspark", "sc.getConf().get('spark.my.password')");
    assert_eq!(secret, "'s3cr=et #!\\n\\\\ü'");
    let heap = session.text(
        "pyspark",
        "sc._jvm.Runtime.getRuntime().maxMemory() // (1 << 20)",
    );
    assert!(
        (600..=700).contains(&heap.parse::<i64>().unwrap()),
        "{heap}"
    );
}

fn files_are_there(session: &Session) {
    for (code, text) in [
        ("import mine\nmine.answer", "42"),
        (
            "sc.parallelize([1], 1).map(lambda _: __import__('mine').answer).collect()",
            "[42]",
        ),
        (
            "from pyspark import SparkFiles\nopen(SparkFiles.get('data.txt')).read()",
            "'some data'",
        ),
        ("open('data.txt').read()", "'some data'"),
        (
            "open(SparkFiles.get('unpacked') + '/data.txt').read()",
            "'some data'",
        ),
        (
            "'user.jar' in sc._jsc.sc().listJars().mkString(',')",
            "True",
        ),
    ] {
        assert_eq!(session.text("pyspark", code), text, "{code}");
    }
}

/// Neither the agent's secret nor the user's is on a command line, nor in the server's log.
fn secrets_are_nowhere(shared: &Shared) {
    let server = shared.server();
    let lines = server.processes().join("\n");
    assert!(
        lines.contains("launch.json"),
        "the driver's own command line is looked at: {lines}"
    );
    assert!(!lines.contains("s3cr"), "{lines}");
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let command = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        assert!(
            !String::from_utf8_lossy(&command).contains("s3cr"),
            "{}",
            entry.path().display()
        );
    }
    let log = std::fs::read_to_string(server.data.path().join("server.log")).unwrap();
    assert!(!log.contains("s3cr"), "the server's log has the secret");
}

fn refused(shared: &Shared) {
    let server = shared.server();
    let before = server.total();
    let url = format!("{}/sessions", server.url);
    for (body, words) in [
        (json!({"kind": "cobol"}), "Invalid kind: cobol"),
        (
            json!({"jars": ["/no/such.jar"]}),
            "jars: local file /no/such.jar cannot be found",
        ),
        (json!({"files": ["relative.txt"]}), "is not absolute"),
        (json!({"name": "123"}), "Invalid session name: 123"),
        (json!({"ttl": "soon"}), "Invalid time string: soon"),
        (json!({"driverCores": "many"}), "driverCores"),
        (
            json!({"conf": {"livy.rsc.proxy-user": "root"}}),
            "Blacklisted",
        ),
        (json!({"knid": "spark"}), "knid"),
    ] {
        let (status, answer) = post(&url, &body);
        assert_eq!(status, 400, "{body}");
        assert!(answer.to_string().contains(words), "{body}: {answer}");
    }
    assert_eq!(server.total(), before);
}

fn impersonation(shared: &Shared) {
    let server = Server::start(
        &shared.spark.home,
        &[
            "--set",
            "impersonation.enabled=true",
            "--set",
            "impersonation.allow_without_authentication=true",
        ],
    );
    let session = server.create(&json!({
        "kind": "pyspark", "proxyUser": "alice", "conf": {"spark.ui.enabled": "false"}
    }));
    session.await_idle();
    assert_eq!(get(&session.url).1["proxyUser"], "alice");
    assert_eq!(session.text("pyspark", "print(sc.sparkUser())"), "alice");
    let other = post(
        &format!("{}/sessions?doAs=bob", server.url),
        &json!({"kind": "sql"}),
    )
    .1;
    assert_eq!(other["proxyUser"], "bob");
    let left = server.stop();
    assert!(left.is_empty(), "{left:#?}");
}

/// The files with the secrets are removed with the driver.
fn secrets_are_removed(shared: &Shared, session: i64) {
    let drivers = shared.server().data.path().join("drivers");
    let prefix = format!("s-{session}-");
    let directory = std::fs::read_dir(drivers)
        .unwrap()
        .flatten()
        .find(|entry| entry.file_name().to_string_lossy().starts_with(&prefix))
        .unwrap();
    let is_there = |name: &&str| directory.path().join(name).exists();
    eventually("the driver has ended", PATIENCE, || {
        is_there(&"exit.json").then_some(())
    });
    eventually("its secrets are removed", PATIENCE, || {
        let secrets = ["launch.json", "spark.properties", "command.json"];
        (!secrets.iter().any(is_there)).then_some(())
    });
}
