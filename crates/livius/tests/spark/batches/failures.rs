//! Batches that fail, with the reason in their state and their log.

use std::net::TcpListener;

use serde_json::{Value, json};

use super::{Batch, Folder};
use crate::Shared;
use crate::server::Server;

/// Applications that fail by themselves. One without Spark is never `running`, because no
/// SparkContext reports that it runs.
pub fn of_applications(shared: &Shared) {
    let server = shared.server();
    let folder = Folder::make();
    let submit = |name: &str, code: &str| {
        let file = folder.write(name, code);
        Batch::create(server, &json!({ "file": file }))
    };
    let raises = submit(
        "raises.py",
        "def f():\n    raise KeyError('no such thing')\n\nf()\n",
    );
    let unreadable = submit("unreadable.py", "print('never')\nif :\n");
    let in_a_task = submit(
        "in a task.py",
        "from pyspark.sql import SparkSession\n\ndef f(x):\n    raise ValueError('no such luck')\n\n\
         SparkSession.builder.getOrCreate().sparkContext.parallelize([1]).map(f).collect()\n",
    );
    let exits = submit("exits.py", "import sys\nprint('leaving')\nsys.exit(3)\n");
    let (code, message) = raises.await_failure();
    assert_eq!(code, Some(1));
    assert_eq!(
        message,
        "the application ended with exit code 1: KeyError: 'no such thing'"
    );
    raises.assert_failure("application_failed", "");
    let (code, message) = unreadable.await_failure();
    assert_eq!(code, Some(1));
    assert!(message.contains("SyntaxError"), "{message}");
    assert!(!unreadable.log().contains("never\n"));
    let (code, message) = in_a_task.await_failure();
    assert_eq!(code, Some(1));
    assert!(message.ends_with(": ValueError: no such luck"), "{message}");
    assert!(in_a_task.detail()["runningAt"].is_string());
    let (code, message) = exits.await_failure();
    assert_eq!(code, Some(3));
    assert_eq!(message, "the application ended with exit code 3");
    assert!(exits.log().contains("\nleaving\n"), "{}", exits.log());

    let plain = folder.steps("no Spark", 0, false);
    let batch = Batch::create(server, &plain.request);
    batch.await_line("begun");
    assert_eq!(batch.state(), "starting");
    plain.allow("speak");
    batch.await_line("spoken");
    assert_eq!(batch.state(), "starting");
    plain.allow("end");
    let detail = batch.await_end("success");
    assert_eq!(
        (
            &detail["end"]["exitCode"],
            &detail["runningAt"],
            &detail["appId"]
        ),
        (&json!(0), &Value::Null, &Value::Null)
    );
    assert!(batch.log().contains("\nspoken\nover\n"), "{}", batch.log());
}

/// Batches that never start.
pub fn of_starts(shared: &Shared) {
    let server = shared.server();
    let folder = Folder::make();
    let file = folder.write("never.py", "print('never')\n");
    let missing = Batch::create(server, &json!({"file": folder.path("missing.py")}));
    let list = Batch::create(
        server,
        &json!({"file": file, "files": [folder.path("missing.txt")]}),
    );
    let master = Batch::create(
        server,
        &json!({"file": file, "conf": {"spark.master": "nonsense"}}),
    );
    let memory = Batch::create(server, &json!({"file": file, "driverMemory": "9000t"}));
    for (batch, name) in [(missing, "missing.py"), (list, "missing.txt")] {
        let (code, message) = batch.await_failure();
        assert_eq!(code, None);
        assert!(message.contains(name), "{message}");
        assert!(
            message.contains("cannot be found on the server"),
            "{message}"
        );
        assert_eq!(batch.detail()["end"]["failure"]["code"], "launch_failed");
    }
    let (code, message) = master.await_failure();
    assert_ne!(code, Some(0));
    assert!(
        message.to_lowercase().contains("master"),
        "{message}\n{}",
        master.log()
    );
    let (code, message) = memory.await_failure();
    assert_ne!(code, Some(0));
    assert!(message.contains("heap"), "{message}\n{}", memory.log());
    master.assert_failure("bad_master", "Master must either be yarn or start with");
    memory.assert_failure("out_of_machine_memory", "Could not reserve enough space");
    for batch in [master, memory] {
        assert!(!batch.log().contains("\nnever\n"), "{}", batch.log());
        assert_eq!(batch.detail()["runningAt"], Value::Null);
    }
}

/// Failures that the server knows by the lines that Spark, the JVM and Python print.
pub fn of_known_kinds(shared: &Shared) {
    let server = shared.server();
    let folder = Folder::make();
    let submit = |name: &str, code: &str, conf: Value| {
        let file = folder.write(name, code);
        Batch::create(server, &json!({"file": file, "conf": conf}))
    };
    // Spark reads the path of these settings as an address, so it is a plain one.
    let ivy = tempfile::tempdir().unwrap();
    let nowhere = ivy.path().join("ivy.xml");
    std::fs::write(
        &nowhere,
        "<ivysettings><settings defaultResolver='none'/><resolvers><filesystem name='none'>\
         <artifact pattern='/nowhere/[artifact].[ext]'/></filesystem></resolvers></ivysettings>",
    )
    .unwrap();
    let heap = submit(
        "heap.py",
        "from pyspark import SparkContext\nSparkContext._ensure_initialized()\n\
         SparkContext._jvm.java.util.ArrayList(2000000000)\n",
        json!({}),
    );
    let import = submit("import.py", "import no_such_module\n", json!({}));
    let python = submit(
        "python.py",
        "print('never')\n",
        json!({"spark.pyspark.python": "/nowhere/python"}),
    );
    let packages = submit(
        "packages.py",
        "print('never')\n",
        json!({
            "spark.jars.packages": "no.such:thing:1.0",
            "spark.jars.ivySettings": nowhere,
            "spark.jars.ivy": ivy.path(),
        }),
    );
    for (batch, code, evidence) in [
        (
            heap,
            "out_of_heap",
            ": java.lang.OutOfMemoryError: Java heap space",
        ),
        (import, "import_error", "No module named 'no_such_module'"),
        (python, "python_missing", "/nowhere/python"),
        (
            packages,
            "packages_unresolved",
            "no.such#thing;1.0: not found",
        ),
    ] {
        let (exit, message) = batch.await_failure();
        assert_ne!(exit, Some(0), "{message}");
        batch.assert_failure(code, evidence);
        assert!(!batch.log().contains("\nnever\n"), "{}", batch.log());
    }
}

/// Failures that the machine causes, or that only a running application meets. All run at once.
pub fn of_the_machine(shared: &Shared) {
    let server = shared.server();
    let folder = Folder::make();
    let squatter = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = squatter.local_addr().unwrap().port();
    let context = "from pyspark import SparkContext\nsc = SparkContext()\n";
    let cases = [
        (
            "disk_full",
            "No space left on device",
            "with open('/dev/full', 'w') as full:\n    full.write('x')\n".to_owned(),
            json!({}),
        ),
        // The tests may run as root, to whom nothing is forbidden.
        (
            "permission_denied",
            "Permission denied",
            "import os, tempfile\nfolder = tempfile.mkdtemp()\nos.chmod(folder, 0)\n\
             if os.geteuid() == 0:\n    os.seteuid(65534)\nopen(folder + '/denied', 'w')\n"
                .to_owned(),
            json!({}),
        ),
        (
            "port_in_use",
            "Address already in use",
            context.to_owned(),
            json!({
                "spark.driver.host": "127.0.0.1",
                "spark.driver.bindAddress": "127.0.0.1",
                "spark.driver.port": port.to_string(),
                "spark.port.maxRetries": "0",
            }),
        ),
        // The worker compares its own version with the one that the driver tells.
        (
            "python_version_mismatch",
            "Python in worker has different version",
            format!("{context}sc.pythonVer = '2.7'\nsc.parallelize([1]).map(str).collect()\n"),
            json!({}),
        ),
        (
            "result_too_large",
            "spark.driver.maxResultSize",
            format!("{context}sc.parallelize(range(10000), 4).collect()\n"),
            json!({"spark.driver.maxResultSize": "1k"}),
        ),
        (
            "class_not_found",
            "no.such.Listener",
            context.to_owned(),
            json!({"spark.extraListeners": "no.such.Listener"}),
        ),
    ];
    let batches = cases.map(|(code, evidence, script, conf)| {
        let file = folder.write(&format!("{code}.py"), &script);
        let batch = Batch::create(server, &json!({"file": file, "conf": conf}));
        (batch, code, evidence)
    });
    for (batch, code, evidence) in batches {
        let (exit, message) = batch.await_failure();
        assert_ne!(exit, Some(0), "{message}");
        batch.assert_failure(code, evidence);
    }
}

pub fn no_java(shared: &Shared) {
    let server = Server::start(&shared.spark.home, &["--set", "java.home=/no/such/java"]);
    let folder = Folder::make();
    let file = folder.write("never.py", "print('never')\n");
    let batch = Batch::create(&server, &json!({ "file": file }));
    let (code, message) = batch.await_failure();
    assert_eq!(code, None);
    assert!(message.contains("/no/such/java"), "{message}");
    let failure = batch.detail()["end"]["failure"].clone();
    assert_eq!(failure["code"], "java_missing", "{failure:#}");
    let hint = failure["hint"].as_str().unwrap();
    assert!(hint.to_lowercase().contains("java"), "{hint}");
    let left = server.stop();
    assert!(left.is_empty(), "{left:#?}");
}
