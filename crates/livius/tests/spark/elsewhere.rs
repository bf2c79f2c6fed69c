//! Sessions and batches whose drivers a resource manager runs, over the death of their server. YARN and
//! Kubernetes pass the same.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::batches::Batch;
use crate::client::{Session, environment, eventually, get, post};
use crate::server::{Data, Server, as_a_user, share_runtimes};

/// The time of a start in containers, or of an end after two attempts, on a machine with two busy
/// cores.
pub const PATIENCE: Duration = Duration::from_mins(8);

const APPLICATION: &str = r"
import os, sys, time
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
spark.sparkContext.parallelize([0], 1).foreach(lambda _: os.write(2, b'from the executor\n'))
while not os.path.exists(sys.argv[1]): time.sleep(0.1)
print('sum', spark.range(10).groupBy().sum().first()[0])
sys.exit(int(sys.argv[2]))
";

/// A cluster with a server whose drivers run there.
pub trait Elsewhere {
    /// The home of the Spark that submits drivers.
    fn home(&self) -> &Path;

    /// A folder that drivers and executors see at the same path.
    fn folder(&self) -> &Path;

    /// A file of that folder, as a request for a batch names it.
    fn named(&self, file: &Path) -> String;

    /// What a session's request has besides kind and name.
    fn asks(&self) -> Value {
        json!({})
    }

    /// The user of the cluster that a request for a batch names, if there are users.
    fn proxy_user(&self) -> Option<&'static str> {
        None
    }

    /// Checks what the manager says of a batch's application that runs.
    fn check_batch(&self, _batch: &Batch) {}

    /// The id of the application that a session or batch shows, once it has one.
    fn application_of(&self, url: &str) -> String;

    /// Checks what the manager says of a session's application that runs.
    fn check_running(&self, id: &str, session: &Session);

    /// Checks what it says of a session's application after its end.
    fn check_ended(&self, id: &str);

    /// Waits until nothing of any driver is left there and on this machine.
    fn await_nothing(&self, server: &Server);
}

/// Runs `livius doctor --probe` for the cluster of a master, and returns what it finds there: status and text.
pub fn probe(
    (spark_home, master): (&str, &str),
    conf: &BTreeMap<String, String>,
    variables: &[(String, String)],
    settings: &[&str],
) -> Vec<(String, String)> {
    let data = Data::make();
    share_runtimes(spark_home, &data);
    let mut command = Command::new(env!("CARGO_BIN_EXE_livius"));
    as_a_user(&mut command);
    command
        .args(["doctor", "--json", "--probe", "--probe-timeout", "240"])
        .args(["--master", master])
        .args(["--spark-home", spark_home, "--data-dir"])
        .arg(data.path())
        .envs(variables.iter().cloned());
    for (key, value) in conf {
        command.args(["--set", &format!("spark.conf.{key}={value}")]);
    }
    for setting in settings {
        command.args(["--set", setting]);
    }
    let output = command.output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    let left = data.processes();
    assert!(left.is_empty(), "{left:#?}");
    let findings = report["cluster"]["findings"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    findings
        .map(|one| (text(&one["status"]), text(&one["what"])))
        .collect()
}

/// Fails unless there is a finding with these words.
pub fn expect(found: &[(String, String)], status: &str, words: &str) {
    assert!(
        found
            .iter()
            .any(|(its, what)| its == status && what.contains(words)),
        "no {status} with {words:?} in {found:#?}"
    );
}

/// Writes a file in the folder that drivers see.
pub fn write(world: &impl Elsewhere, name: &str, text: &str) -> PathBuf {
    let path = world.folder().join(name);
    std::fs::write(&path, text).unwrap();
    path
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// A session in four languages. A statement runs while the server is killed.
pub fn session(world: &impl Elsewhere, server: Server) -> Server {
    let mut request = json!({"kind": "shared", "name": "elsewhere"});
    for (key, value) in world.asks().as_object().unwrap() {
        request[key] = value.clone();
    }
    let session = server.create(&request);
    let id = world.application_of(&session.url);
    await_state(&session, "idle");
    world.check_running(&id, &session);

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
    in_r(world, &session);
    a_file_of_the_servers_machine(&session);

    session.run(
        "pyspark",
        "sc._jvm.java.lang.System.err.println('from the container')",
    );
    eventually("the log has what the driver prints", PATIENCE, || {
        session.log().contains("from the container").then_some(())
    });

    session.run(
        "spark",
        "sc.parallelize(1 to 2, 2).foreach(_ => System.err.println(\"from an executor\"))",
    );
    executors_say(&session.url, "from an executor");

    let end = text(&world.folder().join("session ends"));
    let statement = session.post(
        "pyspark",
        &format!("import os, time\nwhile not os.path.exists({end:?}): time.sleep(0.1)\n'done'"),
    );
    session.await_running(statement);
    let server = server.crash_and_restart();
    write(world, "session ends", "");
    let ended = session.await_end(statement);
    assert_eq!(ended["output"]["data"]["text/plain"], "'done'", "{ended}");

    session.delete();
    world.await_nothing(&server);
    world.check_ended(&id);
    server
}

/// Driver and executors get a file that only the server can see.
fn a_file_of_the_servers_machine(session: &Session) {
    let file = tempfile::Builder::new().suffix(".txt").tempfile().unwrap();
    std::fs::write(file.path(), "of the server").unwrap();
    let body = json!({"uri": file.path()});
    let (status, answer) = post(&format!("{}/add-file", session.url), &body);
    assert_eq!(status, 200, "{answer}");
    let name = file.path().file_name().unwrap().to_str().unwrap();
    let read = format!(
        "from pyspark import SparkFiles\ndef text(_): return open(SparkFiles.get('{name}')).read()\n\
         print(text(0), sc.parallelize([0], 1).map(text).first())"
    );
    assert_eq!(
        session.text("pyspark", &read),
        "of the server of the server"
    );
}

/// R where it is installed, and Spark from R where the Spark has SparkR.
fn in_r(world: &impl Elsewhere, session: &Session) {
    if environment("LIVIUS_TEST_R").is_none() {
        println!("SKIPPED: R in a container, as R is not installed (LIVIUS_TEST_R is not set)");
        return;
    }
    assert_eq!(session.text("sparkr", "cat(6 * 7)"), "42");
    if !world.home().join("R/lib/SparkR").exists() {
        println!("SKIPPED: Spark from R in a container, as the Spark from PyPI has no SparkR");
        return;
    }
    assert_eq!(
        session.text("sparkr", "cat(count(sql('SELECT id FROM range(10)')))"),
        "10"
    );
}

/// A batch that succeeds over the death of its server, and one that fails.
pub fn python_batches(world: &impl Elsewhere, server: Server) -> Server {
    let file = write(world, "app.py", APPLICATION);
    let end = world.folder().join("batch ends");
    let submit = |server: &Server, code: &str| {
        let request = json!({
            "file": world.named(&file), "args": [text(&end), code],
            "proxyUser": world.proxy_user(),
        });
        Batch::create(server, &request)
    };
    let batch = submit(&server, "0");
    await_batch(&batch, "running");
    world.check_batch(&batch);
    let server = server.crash_and_restart();
    assert_eq!(batch.state(), "running");
    executors_say(batch.url(), "from the executor");
    write(world, "batch ends", "");
    await_batch(&batch, "success");
    executors_say(batch.url(), "from the executor");
    let log = batch.log();
    assert!(log.contains("sum 45"), "{log}");

    let failing = submit(&server, "3");
    await_batch(&failing, "dead");
    let (code, message) = failing.await_failure();
    assert_eq!(code, Some(3), "{message}");
    world.await_nothing(&server);
    server
}

/// Waits until the log of one of the executors has some words.
fn executors_say(url: &str, words: &str) {
    let (server, path) = url.split_at(url.find("/sessions/").or(url.find("/batches/")).unwrap());
    let list = format!("{server}/api/v1{path}/executors");
    eventually("an executor says it", PATIENCE, || {
        let listed = get(&list).1;
        let mut executors = listed["executors"].as_array().unwrap().iter();
        let says = |executor: &Value| {
            let name = executor["name"].as_str().unwrap();
            let (status, page) = get(&format!("{list}/{name}/log?size=-1"));
            status == 200 && page["log"].to_string().contains(words)
        };
        executors.any(says).then_some(())
    });
}

/// A batch with a jar, which was compiled with the Spark that runs it.
pub fn jar_batch(world: &impl Elsewhere, server: &Server, jar: &Path) {
    let request = json!({
        "file": world.named(jar), "className": "demo.Tells", "args": ["two words", "λ"]
    });
    let batch = Batch::create(server, &request);
    await_batch(&batch, "success");
    let log = batch.log();
    for line in ["ARG 74776f20776f726473", "ARG cebb", "COUNT 1000"] {
        assert!(log.lines().any(|told| told == line), "{line}: {log}");
    }
    world.await_nothing(server);
}

pub fn await_batch(batch: &Batch, state: &str) {
    eventually(&format!("the batch is {state}"), PATIENCE, || {
        let now = batch.state();
        let is_over = ["dead", "killed", "success"].contains(&&*now) && now != state;
        assert!(!is_over, "it is {now}: {}", batch.log());
        (now == state).then_some(())
    });
}

pub fn await_state(session: &Session, state: &str) {
    eventually(&format!("the session is {state}"), PATIENCE, || {
        let now = session.state();
        assert!(now == state || now != "dead", "{}", session.log());
        (now == state).then_some(())
    });
}
