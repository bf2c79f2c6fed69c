//! Livy's unchanged Java client from Maven Central. A program that uses it, compiled by each
//! Spark's own Scala, runs jobs.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::client::{environment, status};
use crate::server::CHEAP_JVM;
use crate::{Case, Shared};

pub const CASES: &[Case] = &[("clients::livys_java_client", java_client)];

fn java_client(shared: &Shared) {
    let (server, folder) = (shared.server(), tempfile::tempdir().unwrap());
    let livy = livy();
    let spark = jars(&Path::new(&shared.spark.home).join("jars"));
    let program = folder.path().join("program.jar");
    compile(&program, folder.path(), &livy, &spark);

    // As on a client's machine: no Spark, only Scala's library and the Kryo that newer clients
    // include.
    let library = |jar: &&PathBuf| {
        let name = jar.file_name().unwrap().to_str().unwrap();
        let wanted = [
            "scala-library-",
            "slf4j-api-",
            "kryo-",
            "minlog-",
            "objenesis-",
        ];
        wanted.iter().any(|beginning| name.starts_with(beginning))
    };
    let mut class_path = vec![&program];
    class_path.extend(&livy);
    class_path.extend(spark.iter().filter(library));
    let another = livy
        .iter()
        .find(|jar| jar.to_str().unwrap().contains("livy-client-http"))
        .unwrap();
    let said = run(java(&class_path)
        // Without this, Java 17 denies Kryo access to lambdas.
        .arg("--add-opens=java.base/java.lang.invoke=ALL-UNNAMED")
        .args(["livius.tests.JavaClient", &server.url])
        .arg(&program)
        .arg(folder.path())
        .arg(another));
    assert!(said.contains("Livy's Java client is content"), "{said}");
    let session = said.lines().find_map(|line| line.strip_prefix("session "));
    let session = format!("{}/sessions/{}", server.url, session.unwrap());
    assert_eq!(status(&session), 404, "the client has stopped it");
}

/// The client's jars.
fn livy() -> Vec<PathBuf> {
    let Some(folder) = environment("LIVIUS_TEST_LIVY_CLIENT") else {
        panic!(
            "LIVIUS_TEST_LIVY_CLIENT is not set: `cargo xtask test` gets the jars that it names"
        );
    };
    jars(Path::new(&folder))
}

fn jars(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .filter(|path| path.extension().is_some_and(|ending| ending == "jar"))
        .collect()
}

/// Compiles the program and its jobs against these jars.
fn compile(program: &Path, folder: &Path, livy: &[PathBuf], spark: &[PathBuf]) {
    let source = folder.join("java_client.scala");
    std::fs::write(&source, include_str!("clients/java_client.scala")).unwrap();
    let all: Vec<&PathBuf> = livy.iter().chain(spark).collect();
    run(java(&all)
        .args(["scala.tools.nsc.Main", "-usejavacp", "-nowarn", "-encoding"])
        .args(["UTF-8", "-d"])
        .args([program, &source]));
}

/// Java with a class path.
fn java(class_path: &[&PathBuf]) -> Command {
    let java = environment("JAVA_HOME").map_or_else(
        || PathBuf::from("java"),
        |home| Path::new(&home).join("bin/java"),
    );
    let mut command = Command::new(java);
    command
        .args(CHEAP_JVM)
        .args(["-Xss8m", "-cp"])
        .arg(std::env::join_paths(class_path).unwrap())
        .env("LC_ALL", "C.UTF-8");
    command
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let [out, err] =
        [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).into_owned());
    assert!(output.status.success(), "{out}\n{err}");
    out
}
