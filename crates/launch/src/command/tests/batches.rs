//! Command lines of applications.

use super::*;

pub(super) fn application(
    conf: &[(&str, &str)],
    file: &str,
    class_name: Option<&str>,
) -> DriverOrder {
    let args = ["", "--class", "it's \"so\"\nindeed"].map(str::to_owned);
    DriverOrder {
        id: DriverId::parse("b-3-aa").unwrap(),
        servers: vec![
            "ws://127.0.0.1:8998/api/v1/agent".to_owned(),
            "wss://gateway/api/v1/agent".to_owned(),
        ],
        program: Program::Application {
            file: file.to_owned(),
            class_name: class_name.map(str::to_owned),
            args: args.to_vec(),
        },
        ..order(conf)
    }
}

#[test]
fn an_application_beside_the_server() {
    let conf = [
        ("spark.driver.extraJavaOptions", "-Da=b"),
        ("spark.extraListeners", "com.example.One"),
    ];
    let order = application(&conf, "/jobs/a b.jar", Some("com.example.Main"));
    let plan = plan_for(17, &order, &[("spark.master", "local[2]")], &[]).unwrap();
    insta::assert_debug_snapshot!(plan.command.args, @r#"
    [
        "-XX:TieredStopAtLevel=1",
        "-XX:SharedArchiveFile=/runtimes/archives/x/classes.jsa",
        "-XX:+VerifySharedSpaces",
        "-Xlog:cds*=off",
        "--add-opens=java.base/java.lang=ALL-UNNAMED",
        "-Xmx1024m",
        "-XX:+PerfDisableSharedMem",
        "-Djava.io.tmpdir=/data/drivers/b-3-aa/work/tmp",
        "-Dlivius.launch=/data/drivers/b-3-aa/launch.json",
        "@/data/drivers/b-3-aa/java.options",
        "-cp",
        "/opt/spark/jars/slf4j-api-2.jar:/opt/spark/jars/a.jar:/opt/spark/jars/spark-core_2.13-4.1.4.jar:/runtimes/agent.jar:/opt/spark/conf",
        "org.apache.spark.deploy.SparkSubmit",
        "--properties-file",
        "/data/drivers/b-3-aa/spark.properties",
        "--proxy-user",
        "alice",
        "--class",
        "com.example.Main",
        "/jobs/a b.jar",
        "",
        "--class",
        "it's \"so\"\nindeed",
    ]
    "#);
    insta::assert_snapshot!(plan.file("spark.properties").unwrap(), @r"
    spark.authenticate=true
    spark.driver.extraJavaOptions=-Da\=b
    spark.extraListeners=com.example.One,livius.agent.BatchListener
    spark.master=local[2]
    spark.ui.killEnabled=false
    ");
    insta::assert_snapshot!(plan.file("launch.json").unwrap(), @r#"{"v":1,"driver":"b-3-aa","servers":["ws://127.0.0.1:8998/api/v1/agent","wss://gateway/api/v1/agent"],"token":"topsecret","reports":["http://127.0.0.1:8998/api/v1/agent/application","https://gateway/api/v1/agent/application"]}"#);
    assert!(plan.command.merged);
}

#[test]
fn the_file_of_an_application_is_what_spark_finds() {
    let cases = [
        ("/jobs/a.py", "/jobs/a.py"),
        ("/jobs/a b 100%.py", "/jobs/a b 100%.py"),
        ("/jobs/a b#c%.py", "file:///jobs/a%20b%23c%25.py"),
        ("file:///jobs/a%20b.py", "file:///jobs/a%20b.py"),
        ("s3a://bucket/a.jar#b", "s3a://bucket/a.jar#b"),
    ];
    for (file, expected) in cases {
        let plan = plan_for(17, &application(&[], file, None), &[], &[]).unwrap();
        let words = &plan.command.args;
        assert_eq!(words[words.len() - 4], expected);
    }
    for file in ["--conf", "-:x", "", "a.py", "pyspark-shell", "1:x"] {
        let error = plan_for(17, &application(&[], file, None), &[], &[]).unwrap_err();
        assert!(matches!(error, CommandError::File(_)), "{file}");
    }
}

#[test]
fn the_listener_is_added_once() {
    let own = "livius.agent.BatchListener";
    let cases = [
        ("", own.to_owned()),
        ("a.B", format!("a.B,{own}")),
        (" a.B , c.D,", format!("a.B,c.D,{own}")),
        (own, own.to_owned()),
    ];
    for (configured, expected) in cases {
        let order = application(&[("spark.extraListeners", configured)], "/a.py", None);
        let plan = plan_for(17, &order, &[], &[]).unwrap();
        let properties = plan.file("spark.properties").unwrap();
        let line = format!("spark.extraListeners={expected}");
        assert!(
            properties.lines().any(|found| found == line),
            "{properties}"
        );
    }
}
