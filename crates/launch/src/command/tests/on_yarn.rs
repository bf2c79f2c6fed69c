//! Command lines and files of drivers on a YARN cluster.

use super::batches::application;
use super::*;

const YARN: [(&str, &str); 2] = [
    ("spark.submit.deployMode", "cluster"),
    ("spark.master", "yarn"),
];

fn on_yarn(more: &[(&str, &str)]) -> DriverOrder {
    let conf: Vec<_> = YARN.iter().chain(more).copied().collect();
    order(&conf)
}

#[test]
fn a_session_on_yarn() {
    let order = on_yarn(&[
        ("spark.driver.memory", "not our business"),
        ("spark.driver.cores", "3"),
        ("spark.driver.extraJavaOptions", "-Xmx9g 'nor this"),
        ("spark.driver.extraLibraryPath", "/lib/native"),
        ("spark.yarn.queue", "etl"),
        ("spark.files", "/jobs/x.txt"),
    ]);
    let environment = [
        ("SPARK_SUBMIT_OPTS", "-Dpassword=hunter2"),
        ("HADOOP_CONF_DIR", "/etc/hadoop"),
        ("HADOOP_USER_NAME", "svc"),
        ("SPARK_DIST_CLASSPATH", "/usr/lib/hadoop/*"),
    ];
    let plan = plan_for(17, &order, &[], &environment).unwrap();
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
    /opt/spark/jars/slf4j-api-2.jar:/opt/spark/jars/a.jar:/opt/spark/jars/spark-core_2.13-4.1.4.jar:/runtimes/agent.jar:/opt/spark/conf:/usr/lib/hadoop/*
    org.apache.spark.deploy.SparkSubmit
    --properties-file
    /data/drivers/s-0-aa/spark.properties
    --proxy-user
    alice
    --class
    livius.agent.Main
    spark-internal
    livius-launch.json
    ");
    insta::assert_snapshot!(plan.file("spark.properties").unwrap(), @r"
    spark.driver.cores=3
    spark.driver.extraClassPath=livius-agent.jar
    spark.driver.extraJavaOptions=-Xmx9g 'nor this
    spark.driver.extraLibraryPath=/lib/native
    spark.driver.memory=not our business
    spark.executorEnv.LC_CTYPE=C.UTF-8
    spark.files=/jobs/x.txt
    spark.master=yarn
    spark.submit.deployMode=cluster
    spark.yarn.appMasterEnv.LC_CTYPE=C.UTF-8
    spark.yarn.dist.files=file\:///data/drivers/s-0-aa/launch.json\#livius-launch.json,file\:///runtimes/agent.jar\#livius-agent.jar
    spark.yarn.maxAppAttempts=1
    spark.yarn.queue=etl
    spark.yarn.submit.waitAppCompletion=false
    spark.yarn.tags=livius,livius-driver-s-0-aa
    ");
    insta::assert_snapshot!(plan.file("launch.json").unwrap(), @r#"{"v":1,"driver":"s-0-aa","servers":["ws://127.0.0.1:8998/api/v1/agent"],"token":"topsecret","kind":"pyspark","sql":{"maxRows":1000},"python":{"executable":"python3","executable3":null},"r":{"command":null},"start":"session","cancel":{"killAfterMs":30000},"graceSeconds":600}"#);
    insta::assert_snapshot!(plan.file("java.options").unwrap(), @r#""-Dpassword=hunter2""#);
    insta::assert_debug_snapshot!(plan.command.env, @r#"
    {
        "HADOOP_CONF_DIR": "/etc/hadoop",
        "HADOOP_USER_NAME": "svc",
        "LC_CTYPE": "C.UTF-8",
        "SPARK_CONF_DIR": "/opt/spark/conf",
        "SPARK_DIST_CLASSPATH": "/usr/lib/hadoop/*",
        "SPARK_ENV_LOADED": "1",
        "SPARK_HOME": "/opt/spark",
        "SPARK_SCALA_VERSION": "2.13",
        "SPARK_SUBMIT_OPTS": "-Dpassword=hunter2",
    }
    "#);
    assert_eq!(plan.file("order.json"), None);
}

#[test]
fn an_application_on_yarn() {
    let conf = [
        ("spark.master", "yarn-cluster"),
        ("spark.driver.extraJavaOptions", "-Da='b c'"),
        ("spark.driver.extraClassPath", "/lib/x.jar"),
        ("spark.yarn.dist.files", "hdfs:///a.txt#b"),
        ("spark.yarn.maxAppAttempts", "3"),
        ("spark.yarn.submit.waitAppCompletion", "true"),
        ("spark.yarn.appMasterEnv.LC_CTYPE", "de_DE.UTF-8"),
    ];
    let order = application(&conf, "hdfs:///jobs/a.jar", Some("com.example.Main"));
    let plan = plan_for(17, &order, &[], &[]).unwrap();
    let at = plan.command.args.iter().position(|word| word == "--class");
    assert_eq!(
        plan.command.args[at.unwrap()..],
        [
            "--class",
            "com.example.Main",
            "hdfs:///jobs/a.jar",
            "",
            "--class",
            "it's \"so\"\nindeed"
        ]
    );
    insta::assert_snapshot!(plan.file("spark.properties").unwrap(), @r"
    spark.driver.extraClassPath=/lib/x.jar\:livius-agent.jar
    spark.driver.extraJavaOptions=-Dlivius.launch\=livius-launch.json -Da\='b c'
    spark.executorEnv.LC_CTYPE=C.UTF-8
    spark.extraListeners=livius.agent.BatchListener
    spark.master=yarn
    spark.submit.deployMode=cluster
    spark.yarn.appMasterEnv.LC_CTYPE=de_DE.UTF-8
    spark.yarn.dist.files=hdfs\:///a.txt\#b,file\:///data/drivers/b-3-aa/launch.json\#livius-launch.json,file\:///runtimes/agent.jar\#livius-agent.jar
    spark.yarn.maxAppAttempts=3
    spark.yarn.submit.waitAppCompletion=false
    spark.yarn.tags=livius,livius-driver-b-3-aa
    ");
    assert!(plan.file("launch.json").unwrap().contains("topsecret") && plan.command.merged);
}

#[test]
fn no_secret_is_on_the_line_in_the_environment_or_in_the_configuration() {
    for order in [on_yarn(&[]), application(&YARN, "/a.py", None)] {
        let plan = plan_for(17, &order, &[], &[]).unwrap();
        let open = format!("{:?} {:?}", plan.command.args, plan.command.env);
        let sent = plan.file("spark.properties").unwrap();
        assert!(!open.contains("topsecret") && !sent.contains("topsecret"));
    }
}

#[test]
fn tags_say_whose_the_application_is() {
    let own = "livius,livius-driver-s-0-aa";
    for (given, tags) in [
        ("", own.to_owned()),
        ("etl", format!("etl,{own}")),
        (" etl ,, Nightly ", format!("etl,Nightly,{own}")),
        (
            "livius-driver-s-9-bb,LIVIUS-Driver-s-0-aa,a",
            format!("a,{own}"),
        ),
        (own, own.to_owned()),
    ] {
        for mode in ["client", "cluster"] {
            let conf = [
                ("spark.yarn.tags", given),
                ("spark.master", "yarn"),
                ("spark.submit.deployMode", mode),
            ];
            assert_eq!(
                properties(&order(&conf))["spark.yarn.tags"],
                tags,
                "{given}"
            );
        }
    }
    assert!(!properties(&order(&[])).contains_key("spark.yarn.tags"));
}

/// As Livy's documents say: the variables of the application master name the programs there.
#[test]
fn the_programs_of_interpreters_are_those_of_the_container() {
    let master = "spark.yarn.appMasterEnv";
    let launch = |conf: &[(&str, &str)]| {
        let environment = [
            ("PYSPARK_PYTHON", "/here/python"),
            ("SPARKR_DRIVER_R", "/here/R"),
        ];
        let plan = plan_for(17, &order(conf), &[], &environment).unwrap();
        let text = plan.file("launch.json").unwrap();
        let document: serde_json::Value = serde_json::from_str(text).unwrap();
        let python = &document["python"];
        [
            &python["executable"],
            &python["executable3"],
            &document["r"]["command"],
        ]
        .map(|name| name.as_str().unwrap_or("-").to_owned())
        .join(" ")
    };
    let python = format!("{master}.PYSPARK_PYTHON");
    let python3 = format!("{master}.PYSPARK3_PYTHON");
    let r = format!("{master}.SPARKR_DRIVER_R");
    let there = [
        (&*python, "./env/bin/python"),
        (&*python3, "/there/3"),
        (&*r, "/there/R"),
    ];
    let with = |more: &[(&'static str, &'static str)]| -> Vec<(&str, &str)> {
        there.iter().chain(more).copied().collect()
    };
    let cluster = with(&YARN);
    assert_eq!(launch(&cluster), "./env/bin/python /there/3 /there/R");
    let named = with(&[YARN[0], YARN[1], ("spark.pyspark.python", "/own")]);
    assert_eq!(launch(&named), "/own /there/3 /there/R");
    assert_eq!(launch(&with(&[YARN[1]])), "/here/python - /here/R");
    assert_eq!(launch(&YARN), "/here/python - /here/R");
}

#[test]
fn a_session_gets_the_parts_for_its_languages_that_the_installation_has() {
    let temp = tempfile::tempdir().unwrap();
    let home = Utf8PathBuf::from_path_buf(temp.path().to_owned()).unwrap();
    let mode = "spark.submit.deployMode";
    let shipped_in = |how: &str, kind: Kind, variable: &[(&str, &str)]| {
        let mut order = on_yarn(&[(mode, how)]);
        if let Program::Agent { kind: own, .. } = &mut order.program {
            *own = kind;
        }
        let mut toolchain = toolchain(17);
        toolchain.found.spark.home.clone_from(&home);
        let dir = DriverDir::of("/data/drivers".into(), &order.id);
        let conf = conf_of(&[], variable);
        let plan = at_site(&toolchain, &conf, |site| {
            LaunchPlan::of(site, &order, dir, FastStart::default())
        });
        let plan = plan.unwrap();
        let conf = configuration(&plan);
        let archives = conf.get("spark.yarn.dist.archives").cloned();
        (conf.contains_key("spark.yarn.isPython"), archives)
    };
    let shipped = |kind, variable: &[(&str, &str)]| shipped_in("cluster", kind, variable);
    assert_eq!(shipped(Kind::PySpark, &[]), (false, None));
    let variable = [("PYSPARK_ARCHIVES_PATH", "hdfs:///pyspark.zip")];
    assert_eq!(shipped(Kind::PySpark, &variable), (true, None));
    for file in ["python/lib/pyspark.zip", "R/lib/sparkr.zip"] {
        let path = home.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "").unwrap();
    }
    assert_eq!(shipped(Kind::Spark, &[]), (true, None));
    let package = Some(format!("file://{home}/R/lib/sparkr.zip#sparkr"));
    for kind in [Kind::SparkR, Kind::Shared] {
        assert_eq!(shipped(kind, &[]), (true, package.clone()));
        // The executors of a driver on this machine need them, too.
        assert_eq!(shipped_in("client", kind, &[]), (true, package.clone()));
    }
}

#[test]
fn a_driver_without_a_spark_context_is_not_for_yarn() {
    let mut order = on_yarn(&[]);
    if let Program::Agent { start, .. } = &mut order.program {
        *start = Start::Primed;
    }
    let error = plan_for(17, &order, &[], &[]).unwrap_err();
    assert!(matches!(
        error,
        CommandError::Unsupported(Unsupported::PrimedOnYarn)
    ));
}

#[test]
fn a_directory_with_a_comma_is_one_file() {
    let order = on_yarn(&[]);
    let dir = DriverDir::of("/da,ta/dri vers".into(), &order.id);
    let plan = at_site(&toolchain(17), &conf_of(&[], &[]), |site| {
        LaunchPlan::of(site, &order, dir, FastStart::default())
    });
    let conf = configuration(&plan.unwrap());
    let files: Vec<&str> = conf["spark.yarn.dist.files"].split(',').collect();
    assert_eq!(
        files,
        [
            "file:///da%2Cta/dri%20vers/s-0-aa/launch.json#livius-launch.json",
            "file:///runtimes/agent.jar#livius-agent.jar"
        ]
    );
}
