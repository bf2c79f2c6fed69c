//! A client sees what code prints, and how far its Spark jobs are, while the code runs.

use std::path::Path;

use serde_json::Value;

use crate::client::{Followed, PATIENCE, Session, environment, eventually, get};
use crate::{Case, Shared};

pub const CASES: &[Case] = &[
    ("live::output_comes_while_the_code_runs", output),
    ("live::stages_come_while_spark_jobs_run", stages),
];

/// Runs code that prints `first`, waits for a file, and prints `second`. The client sees the first
/// text before it makes the file.
fn sees(session: &Session, kind: &str, code: &str, gate: &Path) {
    let id = session.post(kind, code);
    let mut events = Followed::open(&format!("{}/statements/{id}", session.url));
    let mut seen = events.text_until("first");
    assert!(!seen.contains("second"), "{kind}: {seen}");
    let partial = get(&format!("{}/statements/{id}?partial=true", session.url)).1;
    let printed = &partial["output"]["partial"]["stdout"];
    assert!(printed.as_str().unwrap().contains("first"), "{partial}");
    std::fs::write(gate, "").unwrap();
    let end = loop {
        match events.next().expect("an end") {
            (name, data) if name == "output" => seen.push_str(data["text"].as_str().unwrap()),
            (name, data) if name == "end" => break data,
            _ => {}
        }
    };
    assert!(seen.contains("second"), "{kind}: {seen}");
    let text = end["output"]["data"]["text/plain"].as_str().unwrap();
    assert_eq!(seen.trim(), text.trim(), "{kind}");
    std::fs::remove_file(gate).unwrap();
}

fn output(shared: &Shared) {
    let session = shared.session();
    let folder = tempfile::tempdir().unwrap();
    let gate = folder.path().join("gate");
    let shown = gate.display();
    let wait =
        format!("import os, sys, time\nwhile not os.path.exists('{shown}'): time.sleep(0.01)");
    // The rest of a character comes later, and a line that has not ended is shown.
    let python = format!(
        "print('first é', end='', flush=True)\nimport sys\nsys.stdout.buffer.write('ü'.encode()[:1]); sys.stdout.flush()\n\
         {wait}\nsys.stdout.buffer.write('ü'.encode()[1:])\nprint(' second')\n1 + 1"
    );
    sees(session, "pyspark", &python, &gate);
    let scala = format!(
        "println(\"first\")\nwhile (!new java.io.File(\"{shown}\").exists) Thread.sleep(10)\nprintln(\"second\")"
    );
    sees(session, "spark", &scala, &gate);
    if environment("LIVIUS_TEST_R").is_some() {
        let r = format!(
            "cat('first\\n'); while (!file.exists('{shown}')) Sys.sleep(0.01); cat('second\\n')"
        );
        sees(session, "sparkr", &r, &gate);
    } else {
        println!("SKIPPED for R: no R on this machine (LIVIUS_TEST_R is not set)");
    }
}

fn stages(shared: &Shared) {
    let session = shared.session();
    let folder = tempfile::tempdir().unwrap();
    let gate = folder.path().join("gate");
    let shown = gate.display();
    let code = format!(
        "import os, time\ndef wait(_):\n    while not os.path.exists('{shown}'): time.sleep(0.01)\n\nsc.parallelize(range(8), 8).foreach(wait)"
    );
    let id = session.post("pyspark", &code);
    let mut events = Followed::open(&format!("{}/statements/{id}", session.url));
    let stage = eventually("a stage runs", PATIENCE, || {
        let (name, data) = events.next().expect("the statement runs");
        let stage = data["stages"].get(0).cloned();
        stage.filter(|stage| name == "statement" && stage["running"].as_i64() > Some(0))
    });
    assert_eq!(
        (&stage["tasks"], &stage["done"]),
        (&8.into(), &0.into()),
        "{stage}"
    );
    assert!(
        stage["name"].as_str().unwrap().contains("foreach"),
        "{stage}"
    );
    std::fs::write(&gate, "").unwrap();
    let ended = session.await_end(id);
    assert_eq!(ended["output"]["status"], Value::from("ok"), "{ended}");
}
