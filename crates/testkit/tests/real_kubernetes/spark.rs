//! A real Spark in pods. `cargo xtask test --kubernetes` names it in `LIVIUS_TEST_SPARK_4`.

use std::process::{Command, Stdio};

use camino::{Utf8Path, Utf8PathBuf};
use livius_testkit::Image;
use serde_json::{Value, json};

use crate::Case;
use crate::world::{NAMESPACE, World, state};

pub const CASES: &[Case] = &[
    ("spark_35_runs_a_python_application_in_pods", spark_35),
    ("spark_4_runs_a_python_application_in_pods", spark_4),
];

/// The time of an application on a machine with two busy cores, in seconds.
const LONGEST: u32 = 300;

const APPLICATION: &str = "\
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
import os
hosts = spark.sparkContext.parallelize(range(8), 2).map(lambda n: os.uname().nodename).distinct().collect()
print('the executors:', hosts, flush=True)
print('the sum:', spark.range(1000).selectExpr('sum(id)').first()[0], flush=True)
spark.stop()
";

fn spark_35(world: &mut World) {
    run(world, "LIVIUS_TEST_SPARK_35", "spark-35");
}

fn spark_4(world: &mut World) {
    run(world, "LIVIUS_TEST_SPARK_4", "spark-4");
}

/// A folder or program that the test's environment names.
fn named(variable: &str) -> Option<Utf8PathBuf> {
    let value = std::env::var_os(variable)?;
    Some(Utf8PathBuf::from_path_buf(value.into()).unwrap())
}

fn run(world: &mut World, variable: &str, name: &str) {
    let needed = [variable, "JAVA_HOME", "LIVIUS_TEST_PYTHON"].map(named);
    let [Some(home), Some(java), Some(python)] = needed else {
        println!(
            "SKIPPED: no {name} in pods, as {variable} is not set with JAVA_HOME and LIVIUS_TEST_PYTHON"
        );
        return;
    };
    let image = format!("livius.test/{name}:1");
    let prefix = python.parent().and_then(Utf8Path::parent).unwrap();
    world
        .cluster
        .add_image(&image, Image::spark(&home, &java).showing(prefix));
    let base = format!("/api/v1/namespaces/{NAMESPACE}");
    let map = json!({"metadata": {"name": name}, "data": {"app.py": APPLICATION}});
    world.cluster.create(&format!("{base}/configmaps"), &map);
    let folder = tempfile::tempdir().unwrap();
    let template = Utf8Path::from_path(folder.path())
        .unwrap()
        .join("template.yaml");
    std::fs::write(&template, template_text(name)).unwrap();
    submit(
        world,
        &home,
        &java,
        &[
            ("spark.kubernetes.container.image", image.as_str()),
            ("spark.kubernetes.driver.pod.name", name),
            ("spark.kubernetes.driver.podTemplateFile", template.as_str()),
            ("spark.pyspark.python", python.as_str()),
        ],
    );
    let started = |pod: &Value| state(pod)["waiting"].is_null() && state(pod).is_object();
    world.until(name, "started", started);
    // The response ends with the driver, which has a deadline.
    let log = world.log(name, "follow=true");
    let pod = world.until(name, "ended", |pod| !state(pod)["terminated"].is_null());
    assert_eq!(state(&pod)["terminated"]["exitCode"], 0, "{log}");
    assert!(log.contains("the sum: 499500\n"), "{log}");
    let line = log
        .lines()
        .find(|line| line.starts_with("the executors: "))
        .unwrap();
    assert!(
        line.contains("-exec-1"),
        "an executor has a pod of its own: {line}"
    );
    // The driver owns its services and config maps, and deletes its executors.
    world.delete(name, 1);
    let left = |kind: &str| {
        let list = world.cluster.get(&format!("{base}/{kind}")).unwrap();
        let names = list["items"].as_array().unwrap().iter();
        let names = names.map(|item| item["metadata"]["name"].as_str().unwrap().to_owned());
        names
            .filter(|found| found.contains(name) && found != name)
            .collect::<Vec<_>>()
    };
    crate::world::eventually("nothing is left", || {
        let left = [left("pods"), left("services"), left("configmaps")].concat();
        if left.is_empty() {
            Ok(())
        } else {
            Err(format!("{left:?}"))
        }
    });
}

/// A pod that has the application as a file.
fn template_text(name: &str) -> String {
    let template: Value = json!({
        "apiVersion": "v1", "kind": "Pod",
        "spec": {
            "activeDeadlineSeconds": LONGEST,
            "volumes": [{"name": "app", "configMap": {"name": name}}],
            "containers": [{"name": "spark-kubernetes-driver", "volumeMounts": [
                {"name": "app", "mountPath": "/opt/app"},
            ]}],
        },
    });
    // JSON is YAML.
    template.to_string()
}

fn submit(world: &World, home: &Utf8Path, java: &Utf8Path, settings: &[(&str, &str)]) {
    let credentials = world.cluster.credentials(NAMESPACE, "livius");
    let token = format!("{}", credentials.token_file);
    let ca = world.cluster.ca();
    let common = [
        ("spark.kubernetes.namespace", NAMESPACE),
        (
            "spark.kubernetes.authenticate.submission.caCertFile",
            ca.as_str(),
        ),
        (
            "spark.kubernetes.authenticate.submission.oauthTokenFile",
            token.as_str(),
        ),
        (
            "spark.kubernetes.authenticate.driver.serviceAccountName",
            "spark",
        ),
        ("spark.kubernetes.submission.waitAppCompletion", "false"),
        ("spark.executor.instances", "1"),
        ("spark.driver.memory", "512m"),
        ("spark.executor.memory", "512m"),
        ("spark.ui.enabled", "false"),
    ];
    let mut command = Command::new(home.join("bin/spark-submit"));
    command
        .args(["--master", &format!("k8s://{}", world.cluster.url())])
        .args(["--deploy-mode", "cluster", "--name", "kit"]);
    for (key, value) in common.iter().chain(settings) {
        command.arg("--conf").arg(format!("{key}={value}"));
    }
    let output = command
        .arg("local:///opt/app/app.py")
        .env("JAVA_HOME", java)
        .env("SPARK_HOME", home)
        .env_remove("KUBECONFIG")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
