//! Every field of a request has its effect in the running driver.

use serde_json::json;

use crate::client::{get, post};
use crate::{Case, Shared};

pub const CASES: &[Case] = &[
    ("fields::are_seen_in_the_driver", seen_in_the_driver),
    ("fields::bad_ones_are_refused_and_leave_nothing", refused),
];

fn seen_in_the_driver(shared: &Shared) {
    let server = shared.server();
    let files = server.data.path().join("user files");
    std::fs::create_dir_all(&files).unwrap();
    let path = |name: &str| files.join(name).to_str().unwrap().to_owned();
    std::fs::write(path("mine.py"), "answer = 42\n").unwrap();
    std::fs::write(path("data.txt"), "some data").unwrap();
    let archive = std::fs::File::create(path("packed.tar")).unwrap();
    drop(archive);
    let status = std::process::Command::new("tar")
        .args([
            "-cf",
            &path("packed.tar"),
            "-C",
            files.to_str().unwrap(),
            "data.txt",
        ])
        .status()
        .unwrap();
    assert!(status.success());
    // A jar is a zip: any of Spark's will do to be found by class.
    let jar = std::fs::read_dir(std::path::Path::new(&shared.spark.home).join("jars"))
        .unwrap()
        .flatten()
        .map(|entry| entry.path())
        .find(|path| {
            path.file_name()
                .unwrap()
                .to_string_lossy()
                .starts_with("commons-text")
        })
        .unwrap();
    std::fs::copy(&jar, path("user.jar")).unwrap();

    let session = server.create(&json!({
        "kind": "pyspark", "name": "fields <b>π</b>", "queue": "q1", "proxyUser": "nobody",
        "driverMemory": "700m", "driverCores": 2, "executorMemory": "600m", "executorCores": "2", "numExecutors": 3,
        "jars": [path("user.jar")], "pyFiles": [path("mine.py")], "files": [path("data.txt")],
        "archives": [format!("{}#unpacked", path("packed.tar"))],
        "heartbeatTimeoutInSecond": 600, "ttl": "2h", "idleTimeout": "30m",
        "conf": {"spark.sql.shuffle.partitions": 7, "spark.my.password": "s3cr=et #!\n\\ü", "spark.ui.enabled": false}
    }));
    session.await_idle();
    let shown = get(&session.url).1;
    assert_eq!(
        (&shown["name"], &shown["proxyUser"], &shown["driverCores"]),
        (&json!("fields <b>π</b>"), &json!(null), &json!(2))
    );
    assert!(!shown.to_string().contains("s3cr"), "{shown:#}");
    let by_name = get(&format!(
        "{}/sessions/fields%20%3Cb%3E%CF%80%3C%2Fb%3E",
        server.url
    ))
    .1;
    assert_eq!(by_name["id"], session.id);

    let conf = |key: &str| session.text("pyspark", &format!("print(sc.getConf().get('{key}'))"));
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
        assert_eq!(conf(key), value, "{key}");
    }
    assert_eq!(
        session.text("pyspark", "sc.getConf().get('spark.my.password')"),
        "'s3cr=et #!\\n\\\\ü'"
    );
    let heap: i64 = session
        .text(
            "pyspark",
            "sc._jvm.Runtime.getRuntime().maxMemory() // (1 << 20)",
        )
        .parse()
        .unwrap();
    assert!((600..=700).contains(&heap), "{heap}");
    assert_eq!(session.text("pyspark", "import mine\nmine.answer"), "42");
    assert_eq!(
        session.text(
            "pyspark",
            "sc.parallelize([1], 1).map(lambda _: __import__('mine').answer).collect()"
        ),
        "[42]"
    );
    assert_eq!(
        session.text(
            "pyspark",
            "from pyspark import SparkFiles\nopen(SparkFiles.get('data.txt')).read()"
        ),
        "'some data'"
    );
    assert_eq!(
        session.text("pyspark", "open('data.txt').read()"),
        "'some data'"
    );
    assert_eq!(
        session.text(
            "pyspark",
            "open(SparkFiles.get('unpacked') + '/data.txt').read()"
        ),
        "'some data'"
    );
    assert!(session.text("pyspark", "[j for j in sc._jsc.sc().listJars().mkString(',').split(',') if 'user.jar' in j][0]").contains("user.jar"));

    secrets_are_nowhere(shared);
    session.delete();
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
            "{:?}",
            entry.path()
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
