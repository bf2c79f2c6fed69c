//! Jars, compiled with Spark's own compiler.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::{Batch, Folder, STRANGE_ARGUMENTS};
use crate::Shared;
use crate::client::environment;
use crate::server::CHEAP_JVM;

pub fn all(shared: &Shared) {
    let server = shared.server();
    let folder = Folder::make();
    let jar = compile(shared, &folder, include_str!("applications/Demo.scala"));
    let submit = |class: Option<&str>, args: &[&str]| {
        let request = json!({
            "file": jar, "className": class, "args": args, "conf": {"spark.ui.enabled": "false"}
        });
        Batch::create(server, &request)
    };
    let tells = submit(Some("demo.Tells"), &STRANGE_ARGUMENTS);
    let exits = submit(Some("demo.Exits"), &[]);
    let throws = submit(Some("demo.Throws"), &["today"]);
    let wrong = submit(Some("demo.Missing"), &[]);
    let without = submit(None, &[]);

    check_success(&tells);
    assert_eq!(
        exits.await_failure(),
        (Some(7), "the application ended with exit code 7".to_owned())
    );
    assert!(exits.detail()["runningAt"].is_string());
    for (batch, words) in [
        (&throws, "java.lang.IllegalStateException: no luck today"),
        (&wrong, "Failed to load class demo.Missing"),
        (&without, "No main class"),
    ] {
        let (code, message) = batch.await_failure();
        assert!(message.contains(words), "{message}\n{}", batch.log());
        assert_ne!(code, Some(0));
        let log = batch.log();
        assert!(
            log.matches(words).count() > 1,
            "the application says it too: {log}"
        );
    }
    throws.assert_failure("application_failed", "");
    wrong.assert_failure("class_not_found", "Failed to load class demo.Missing");
}

fn check_success(batch: &Batch) {
    let detail = batch.await_end("success");
    let log = batch.log();
    let told = |key: &'static str| {
        log.lines()
            .filter_map(move |line| line.strip_prefix(key))
            .collect::<Vec<_>>()
    };
    let arguments: Vec<String> = STRANGE_ARGUMENTS.iter().map(|text| hex(text)).collect();
    assert_eq!(told("ARG "), arguments, "{log}");
    assert_eq!(told("COUNT "), ["1000"], "{log}");
    assert!(log.lines().any(|line| line == "on the other descriptor"));
    assert_eq!(told("APPLICATION "), [detail["appId"].as_str().unwrap()]);
    assert_eq!(detail["className"], "demo.Tells");
    assert_ne!(detail["runningAt"], Value::Null);
}

fn hex(text: &str) -> String {
    text.bytes().fold(String::new(), |mut digits, byte| {
        write!(digits, "{byte:02x}").unwrap();
        digits
    })
}

/// Compiles a source to a jar. The jar names no main class because it has several.
pub fn compile(shared: &Shared, folder: &Folder, source: &str) -> String {
    let source = folder.write("Demo.scala", source);
    compile_to(shared, &source, folder.path("demo application.jar"))
}

/// The same in a directory with a plain name.
pub fn compile_into(shared: &Shared, directory: &Path, source: &str) -> String {
    let path = |name: &str| directory.join(name).to_str().unwrap().to_owned();
    std::fs::write(path("Demo.scala"), source).unwrap();
    compile_to(shared, &path("Demo.scala"), path("demo.jar"))
}

fn compile_to(shared: &Shared, source: &str, jar: String) -> String {
    let java =
        environment("JAVA_HOME").map_or("java".to_owned(), |home| format!("{home}/bin/java"));
    let output = Command::new(java)
        .args(CHEAP_JVM)
        .args(["-cp", &format!("{}/jars/*", shared.spark.home)])
        .args([
            "scala.tools.nsc.Main",
            "-usejavacp",
            "-encoding",
            "UTF-8",
            "-d",
            &jar,
            source,
        ])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    jar
}
