//! A Python file, with every field of the request.

use serde_json::{Map, Value, json};

use super::folder::processes_in;
use super::{Batch, Folder, STRANGE_ARGUMENTS, time};
use crate::Shared;
use crate::client::{PATIENCE, eventually, get};

pub fn everything(shared: &Shared) {
    let server = shared.server();
    let folder = Folder::make();
    let batch = Batch::create(server, &request(shared, &folder));

    batch.await_running();
    eventually("it waits for its user", PATIENCE, || {
        assert_eq!(batch.state(), "running", "{}", batch.log());
        batch.log().contains("order: four").then_some(())
    });
    let seen = seen(&batch.log());
    check_seen(&seen);
    while_it_runs(&batch, &seen);
    let dir = batch.dir(server);
    for (_, line) in processes_in(&dir) {
        assert!(!line.contains("s3cr"), "{line}");
    }

    folder.write("go on", "");
    let detail = batch.await_end("success");
    check_end(&detail);
    assert_eq!(batch.shown()["appId"], seen["application"]);
    assert_eq!(batch.shown()["appInfo"]["sparkUiUrl"], Value::Null);
    check_log(&batch);
    for name in ["launch.json", "spark.properties", "command.json"] {
        assert!(!dir.join(name).exists(), "{name} is still there");
    }
    let made = dir.join("work/made here.txt");
    assert_eq!(std::fs::read_to_string(made).unwrap(), "still here");
    batch.delete();
}

fn request(shared: &Shared, folder: &Folder) -> Value {
    // Any of Spark's jars will do.
    let jar = folder.path("user jar.jar");
    let jars = std::fs::read_dir(format!("{}/jars", shared.spark.home)).unwrap();
    let any = jars.flatten().find(|entry| {
        entry
            .file_name()
            .to_string_lossy()
            .starts_with("commons-text")
    });
    std::fs::copy(any.unwrap().path(), &jar).unwrap();
    folder.write("alone.py", "answer = 'a file alone'\n");
    folder.write("zipped.py", "answer = 'in a zip'\n");
    let zip = folder.pack("zipfile", "packed modules.zip", "zipped.py");
    std::fs::remove_file(folder.path("zipped.py")).unwrap();
    folder.write("data.txt", "some data");
    let archive = folder.pack("tarfile", "packed data.tar", "data.txt");
    json!({
        "file": folder.write("an application %41.py", include_str!("applications/everything.py")),
        "args": STRANGE_ARGUMENTS,
        "name": "every field <b>π</b>",
        "pyFiles": [folder.path("alone.py"), zip],
        "files": [folder.path("data.txt")],
        "archives": [format!("{archive}#unpacked")],
        "jars": [jar],
        "queue": "q1",
        "driverMemory": "700m",
        "driverCores": 2,
        "executorMemory": "600m",
        "executorCores": 2,
        "numExecutors": 3,
        "conf": {
            "spark.sql.shuffle.partitions": 7,
            "spark.my.password": "s3cr=et #!\n\\ü",
        },
    })
}

/// The application's report of its environment.
fn seen(log: &str) -> Map<String, Value> {
    let lines = log.lines().filter_map(|line| line.strip_prefix("SEEN "));
    lines
        .flat_map(|line| serde_json::from_str::<Map<String, Value>>(line).unwrap())
        .collect()
}

fn check_seen(seen: &Map<String, Value>) {
    let in_task = json!(["a file alone", "in a zip", "some data"]);
    for (key, value) in [
        ("args", json!(STRANGE_ARGUMENTS)),
        ("imported", json!(["a file alone", "in a zip"])),
        (
            "name",
            json!(["every field <b>π</b>", "every field <b>π</b>"]),
        ),
        ("files", json!("some data")),
        ("archives", json!("some data")),
        ("tasks", json!([in_task, in_task])),
    ] {
        assert_eq!(seen[key], value, "{key}");
    }
    for (key, value) in [
        ("spark.yarn.queue", "q1"),
        ("spark.driver.memory", "700m"),
        ("spark.driver.cores", "2"),
        ("spark.executor.memory", "600m"),
        ("spark.executor.cores", "2"),
        ("spark.executor.instances", "3"),
        ("spark.sql.shuffle.partitions", "7"),
        ("spark.my.password", "s3cr=et #!\n\\ü"),
    ] {
        assert_eq!(seen["conf"][key], value, "{key}");
    }
    assert!(seen["jars"].as_str().unwrap().contains("user%20jar.jar"));
    let heap = seen["heap"].as_i64().unwrap();
    assert!((600..=700).contains(&heap), "{heap}");
}

fn while_it_runs(batch: &Batch, seen: &Map<String, Value>) {
    let shown = batch.shown();
    let (batches, id) = batch.asked.url.rsplit_once('/').unwrap();
    let named = get(&format!(
        "{batches}/every%20field%20%3Cb%3E%CF%80%3C%2Fb%3E"
    ))
    .1;
    assert_eq!(named["id"].to_string(), id);
    assert_eq!(shown["state"], "running");
    assert_eq!(shown["name"], "every field <b>π</b>");
    assert_eq!(shown["appId"], seen["application"]);
    let page = eventually("the UI's address is known", PATIENCE, || {
        batch.shown()["appInfo"]["sparkUiUrl"]
            .as_str()
            .map(str::to_owned)
    });
    assert_eq!(get(&page).0, 200, "{page}");
    let applications = get(&format!("{page}/api/v1/applications")).1;
    assert_eq!(applications[0]["id"], seen["application"], "{page}");
    let detail = batch.detail();
    assert_eq!(
        (&detail["end"], &detail["endedAt"]),
        (&Value::Null, &Value::Null)
    );
}

fn check_end(detail: &Value) {
    let end = &detail["end"];
    assert_eq!(end["outcome"], "succeeded", "{detail:#}");
    assert_eq!(end["exitCode"], 0, "{detail:#}");
    for key in ["signal", "cause", "failure"] {
        assert_eq!(end[key], Value::Null, "{detail:#}");
    }
    let times = ["createdAt", "launchedAt", "runningAt", "endedAt"].map(|key| time(&detail[key]));
    assert!(times.is_sorted(), "{detail:#}");
    assert_eq!(detail["stoppingAt"], Value::Null);
}

fn check_log(batch: &Batch) {
    let (_, log) = get(&format!("{}/log?from=0&size=-1", batch.asked.url));
    let lines: Vec<&str> = log["log"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(log["total"], lines.len());
    assert_eq!(
        (lines[0], lines[lines.len() - 1]),
        ("stdout: ", "\nstderr: ")
    );
    let (_, page) = get(&format!("{}/log?from=1&size=2", batch.asked.url));
    assert_eq!(page["log"], json!(lines[1..3]));
    let ordered: Vec<&str> = lines
        .iter()
        .filter_map(|line| line.strip_prefix("order: "))
        .collect();
    assert_eq!(ordered, ["one λ 🤔", "two", "three", "four"]);
    let has = |words: &str| lines.iter().any(|line| line.contains(words));
    assert!(has("INFO SparkContext: Running Spark version"));
    assert!(!has("livius: "), "there is nothing for the server to say");
}
