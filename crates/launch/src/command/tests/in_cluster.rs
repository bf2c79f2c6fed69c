//! Command lines and orders of drivers in a cluster.

use super::batches::application;
use super::*;

const SECRET_OPTION: (&str, &str) = ("SPARK_SUBMIT_OPTS", "-Dpassword=hunter2");

#[test]
#[expect(clippy::too_many_lines, reason = "it is the command, word by word")]
fn a_session_in_a_cluster() {
    let conf = [
        CLUSTER[0],
        CLUSTER[1],
        ("spark.driver.memory", "not our business"),
        ("spark.driver.extraJavaOptions", "-Xmx9g 'nor this"),
        ("spark.driver.extraClassPath", "/lib/x.jar"),
        ("spark.driver.extraLibraryPath", "/lib/native"),
        ("spark.master.rest.enabled", "true"),
    ];
    let order = DriverOrder {
        proxy_user: None,
        ..order(&conf)
    };
    let plan = plan_for(17, &order, &[], &[SECRET_OPTION]).unwrap();
    insta::assert_snapshot!(plan.command.args.join("\n"), @r"
    -XX:SharedArchiveFile=/runtimes/archives/x/classes.jsa
    -XX:+VerifySharedSpaces
    -Xlog:cds*=off
    --add-opens=java.base/java.lang=ALL-UNNAMED
    -Xmx256m
    -XX:+PerfDisableSharedMem
    -Djava.io.tmpdir=/data/drivers/s-0-aa/work/tmp
    -XX:+UseSerialGC
    -XX:TieredStopAtLevel=1
    @/data/drivers/s-0-aa/java.options
    -cp
    /opt/spark/jars/slf4j-api-2.jar:/opt/spark/jars/a.jar:/opt/spark/jars/spark-core_2.13-4.1.4.jar:/runtimes/agent.jar:/opt/spark/conf
    livius.agent.StandaloneSubmit
    /data/drivers/s-0-aa/order.json
    ");
    insta::assert_snapshot!(plan.file("spark.properties").unwrap(), @r"
    spark.driver.extraClassPath=/lib/x.jar\:/runtimes/agent.jar
    spark.driver.extraJavaOptions=--add-opens\=java.base/java.lang\=ALL-UNNAMED -Xmx9g 'nor this
    spark.driver.extraLibraryPath=/lib/native
    spark.driver.memory=not our business
    spark.livius.driver=s-0-aa
    spark.master=spark\://one\:7077,two\:7077
    spark.master.rest.enabled=false
    spark.submit.deployMode=cluster
    ");
    insta::assert_snapshot!(order_file(&plan), @r#"
    {
      "v": 1,
      "tag": "s-0-aa",
      "master": "spark://one:7077,two:7077",
      "properties": "/data/drivers/s-0-aa/spark.properties",
      "submit": [
        "/opt/java/bin/java",
        "-XX:SharedArchiveFile=/runtimes/archives/x/classes.jsa",
        "-XX:+VerifySharedSpaces",
        "-Xlog:cds*=off",
        "--add-opens=java.base/java.lang=ALL-UNNAMED",
        "-Xmx256m",
        "-XX:+PerfDisableSharedMem",
        "-Djava.io.tmpdir=/data/drivers/s-0-aa/work/tmp",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "@/data/drivers/s-0-aa/java.options",
        "-cp",
        "/opt/spark/jars/slf4j-api-2.jar:/opt/spark/jars/a.jar:/opt/spark/jars/spark-core_2.13-4.1.4.jar:/runtimes/agent.jar:/opt/spark/conf",
        "org.apache.spark.deploy.SparkSubmit",
        "--properties-file",
        "/data/drivers/s-0-aa/spark.properties",
        "--class",
        "livius.agent.Main",
        "file:///runtimes/agent.jar",
        "env"
      ],
      "environment": {
        "SPARK_LIVIUS_LAUNCH": "{\"v\":1,\"driver\":\"s-0-aa\",\"servers\":[\"ws://127.0.0.1:8998/api/v1/agent\"],\"token\":\"topsecret\",\"kind\":\"pyspark\",\"sql\":{\"maxRows\":1000},\"python\":{\"executable\":\"python3\",\"executable3\":null},\"r\":{\"command\":null},\"start\":\"session\",\"cancel\":{\"killAfterMs\":30000},\"graceSeconds\":600}"
      },
      "verdict": "/data/drivers/s-0-aa/cluster.json"
    }
    "#);
    insta::assert_snapshot!(plan.file("java.options").unwrap(), @r#""-Dpassword=hunter2""#);
    assert_eq!(plan.file("launch.json"), None);
}

#[test]
fn no_secret_is_on_a_line_and_no_local_directory_goes_to_the_worker() {
    let order = DriverOrder {
        proxy_user: None,
        ..order(&CLUSTER)
    };
    let plan = plan_for(17, &order, &[], &[SECRET_OPTION]).unwrap();
    let document: serde_json::Value =
        serde_json::from_str(plan.file("order.json").unwrap()).unwrap();
    let lines = format!("{:?} {}", plan.command.args, document["submit"]);
    assert!(!lines.contains("hunter2") && !lines.contains("topsecret"));
    insta::assert_debug_snapshot!(plan.command.env, @r#"
    {
        "LC_CTYPE": "C.UTF-8",
        "SPARK_HOME": "/opt/spark",
        "SPARK_SCALA_VERSION": "2.13",
        "SPARK_SUBMIT_OPTS": "-Dpassword=hunter2",
    }
    "#);
}

#[test]
fn an_application_in_a_cluster() {
    let order = DriverOrder {
        proxy_user: None,
        ..application(&CLUSTER, "hdfs:///jobs/a.jar", None)
    };
    let plan = plan_for(17, &order, &[], &[]).unwrap();
    insta::assert_snapshot!(plan.file("spark.properties").unwrap(), @r"
    spark.driver.extraClassPath=/runtimes/agent.jar
    spark.driver.extraJavaOptions=--add-opens\=java.base/java.lang\=ALL-UNNAMED
    spark.extraListeners=livius.agent.BatchListener
    spark.livius.driver=b-3-aa
    spark.master=spark\://one\:7077,two\:7077
    spark.submit.deployMode=cluster
    ");
    insta::assert_snapshot!(order_file(&plan), @r#"
    {
      "v": 1,
      "tag": "b-3-aa",
      "master": "spark://one:7077,two:7077",
      "properties": "/data/drivers/b-3-aa/spark.properties",
      "submit": [
        "/opt/java/bin/java",
        "-XX:SharedArchiveFile=/runtimes/archives/x/classes.jsa",
        "-XX:+VerifySharedSpaces",
        "-Xlog:cds*=off",
        "--add-opens=java.base/java.lang=ALL-UNNAMED",
        "-Xmx256m",
        "-XX:+PerfDisableSharedMem",
        "-Djava.io.tmpdir=/data/drivers/b-3-aa/work/tmp",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-cp",
        "/opt/spark/jars/slf4j-api-2.jar:/opt/spark/jars/a.jar:/opt/spark/jars/spark-core_2.13-4.1.4.jar:/runtimes/agent.jar:/opt/spark/conf",
        "org.apache.spark.deploy.SparkSubmit",
        "--properties-file",
        "/data/drivers/b-3-aa/spark.properties",
        "hdfs:///jobs/a.jar",
        "",
        "--class",
        "it's \"so\"\nindeed"
      ],
      "environment": {
        "SPARK_LIVIUS_LAUNCH": "{\"v\":1,\"driver\":\"b-3-aa\",\"servers\":[\"ws://127.0.0.1:8998/api/v1/agent\",\"wss://gateway/api/v1/agent\"],\"token\":\"topsecret\",\"reports\":[\"http://127.0.0.1:8998/api/v1/agent/application\",\"https://gateway/api/v1/agent/application\"]}"
      },
      "verdict": "/data/drivers/b-3-aa/cluster.json"
    }
    "#);
    assert!(plan.command.merged);
}

fn order_file(plan: &LaunchPlan) -> String {
    let order: serde_json::Value = serde_json::from_str(plan.file("order.json").unwrap()).unwrap();
    serde_json::to_string_pretty(&order).unwrap()
}
