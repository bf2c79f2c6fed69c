//! Command lines and files of drivers on a Kubernetes cluster.

use super::batches::application;
use super::*;
use crate::kubernetes::KubernetesRefusal;

const KUBERNETES: [(&str, &str); 2] = [
    ("spark.submit.deployMode", "cluster"),
    ("spark.master", "k8s://https://k:6443"),
];

fn in_pods(more: &[(&str, &str)]) -> DriverOrder {
    let conf: Vec<_> = KUBERNETES.iter().chain(more).copied().collect();
    order(&conf)
}

fn with_kind(kind: Kind, more: &[(&str, &str)]) -> DriverOrder {
    let mut order = in_pods(more);
    if let Program::Agent { kind: own, .. } = &mut order.program {
        *own = kind;
    }
    order
}

/// The plan for a session in a pod.
fn of_session() -> LaunchPlan {
    let order = in_pods(&[
        ("spark.driver.memory", "not our business"),
        ("spark.driver.extraClassPath", "/lib/x.jar"),
        ("spark.driver.extraJavaOptions", "-Xmx9g 'nor this"),
        ("spark.kubernetes.namespace", "etl"),
        ("spark.kubernetes.container.image", "spark:4"),
        ("spark.kubernetes.submission.waitAppCompletion", "true"),
        ("spark.kubernetes.driver.label.team", "a"),
        (
            "spark.kubernetes.authenticate.submission.oauthTokenFile",
            "/token",
        ),
    ]);
    let environment = [
        ("SPARK_SUBMIT_OPTS", "-Dpassword=hunter2"),
        ("KUBECONFIG", "/etc/kube/config"),
        ("PYSPARK_PYTHON", "/here/python"),
        ("SPARKR_DRIVER_R", "/here/R"),
    ];
    plan_for(17, &order, &[], &environment).unwrap()
}

#[test]
fn a_session_in_a_pod() {
    let plan = of_session();
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
    org.apache.spark.deploy.SparkSubmit
    --properties-file
    /data/drivers/s-0-aa/spark.properties
    --proxy-user
    alice
    --class
    livius.agent.Main
    spark-internal
    /opt/livius/launch.json
    ");
    insta::assert_snapshot!(plan.file("spark.properties").unwrap(), @r"
    spark.driver.extraClassPath=/lib/x.jar\:/opt/livius/agent.jar
    spark.driver.extraJavaOptions=-Xmx9g 'nor this
    spark.driver.memory=not our business
    spark.executorEnv.LC_CTYPE=C.UTF-8
    spark.kubernetes.authenticate.submission.oauthTokenFile=/token
    spark.kubernetes.container.image=spark\:4
    spark.kubernetes.driver.label.livius/driver=s-0-aa
    spark.kubernetes.driver.label.livius/server=5e5e5e5e5e5e5e5e
    spark.kubernetes.driver.label.team=a
    spark.kubernetes.driver.pod.name=livius-s-0-aa
    spark.kubernetes.driver.secrets.livius-s-0-aa=/opt/livius
    spark.kubernetes.driverEnv.LC_CTYPE=C.UTF-8
    spark.kubernetes.executor.label.livius/driver=s-0-aa
    spark.kubernetes.executor.label.livius/server=5e5e5e5e5e5e5e5e
    spark.kubernetes.memoryOverheadFactor=0.4
    spark.kubernetes.namespace=etl
    spark.kubernetes.submission.waitAppCompletion=false
    spark.master=k8s\://https\://k\:6443
    spark.submit.deployMode=cluster
    spark.ui.proxyBase=/etl/livius-s-0-aa
    spark.ui.proxyRedirectUri=https\://ui
    ");
    insta::assert_snapshot!(plan.in_secret.as_deref().unwrap(), @r#"{"v":1,"driver":"s-0-aa","servers":["ws://127.0.0.1:8998/api/v1/agent"],"token":"topsecret","kind":"pyspark","sql":{"maxRows":1000},"python":{"executable":"python3","executable3":null},"r":{"command":null},"start":"session","cancel":{"killAfterMs":30000},"graceSeconds":600}"#);
    insta::assert_snapshot!(serde_json::to_string(&plan.place).unwrap(), @r#"{"kubernetes":{"access":{"url":"https://k:6443","kubeconfig":"/etc/kube/config","token_file":"/token"},"namespace":"etl","driver":"s-0-aa","server":"5e5e5e5e5e5e5e5e","mode":"cluster"}}"#);
    insta::assert_debug_snapshot!(plan.command.env, @r#"
    {
        "KUBECONFIG": "/etc/kube/config",
        "LC_CTYPE": "C.UTF-8",
        "PYSPARK_PYTHON": "/here/python",
        "SPARKR_DRIVER_R": "/here/R",
        "SPARK_CONF_DIR": "/opt/spark/conf",
        "SPARK_ENV_LOADED": "1",
        "SPARK_HOME": "/opt/spark",
        "SPARK_SCALA_VERSION": "2.13",
        "SPARK_SUBMIT_OPTS": "-Dpassword=hunter2",
    }
    "#);
    // The launch document is in the Secret only.
    assert_eq!(plan.file("launch.json"), None);
}

#[test]
fn an_application_in_a_pod() {
    let conf = [
        KUBERNETES[0],
        KUBERNETES[1],
        ("spark.driver.extraJavaOptions", "-Da='b c'"),
        ("spark.kubernetes.driver.pod.name", "mine"),
        ("spark.ui.proxyBase", "/mine"),
        ("spark.kubernetes.driverEnv.LC_CTYPE", "de_DE.UTF-8"),
    ];
    let order = application(&conf, "local:///opt/a.jar", Some("com.example.Main"));
    let plan = plan_for(17, &order, &[], &[]).unwrap();
    let at = plan.command.args.iter().position(|word| word == "--class");
    assert_eq!(
        plan.command.args[at.unwrap()..],
        [
            "--class",
            "com.example.Main",
            "local:///opt/a.jar",
            "",
            "--class",
            "it's \"so\"\nindeed"
        ]
    );
    insta::assert_snapshot!(plan.file("spark.properties").unwrap(), @r"
    spark.driver.extraClassPath=/opt/livius/agent.jar
    spark.driver.extraJavaOptions=-Dlivius.launch\=/opt/livius/launch.json -Da\='b c'
    spark.executorEnv.LC_CTYPE=C.UTF-8
    spark.extraListeners=livius.agent.BatchListener
    spark.kubernetes.driver.label.livius/driver=b-3-aa
    spark.kubernetes.driver.label.livius/server=5e5e5e5e5e5e5e5e
    spark.kubernetes.driver.pod.name=mine
    spark.kubernetes.driver.secrets.livius-b-3-aa=/opt/livius
    spark.kubernetes.driverEnv.LC_CTYPE=de_DE.UTF-8
    spark.kubernetes.executor.label.livius/driver=b-3-aa
    spark.kubernetes.executor.label.livius/server=5e5e5e5e5e5e5e5e
    spark.kubernetes.submission.waitAppCompletion=false
    spark.master=k8s\://https\://k\:6443
    spark.submit.deployMode=cluster
    spark.ui.proxyBase=/mine
    ");
    insta::assert_snapshot!(plan.in_secret.as_deref().unwrap(), @r#"{"v":1,"driver":"b-3-aa","servers":["ws://127.0.0.1:8998/api/v1/agent","wss://gateway/api/v1/agent"],"token":"topsecret","reports":["http://127.0.0.1:8998/api/v1/agent/application","https://gateway/api/v1/agent/application"]}"#);
}

#[test]
fn no_secret_is_on_the_line_in_the_environment_or_in_a_file() {
    let orders = [
        in_pods(&[]),
        application(&KUBERNETES, "local:///a.py", None),
    ];
    for order in orders {
        let plan = plan_for(17, &order, &[], &[]).unwrap();
        let open = format!(
            "{:?} {:?} {:?}",
            plan.command.args, plan.command.env, plan.files
        );
        assert!(!open.contains("topsecret"), "{open}");
        assert!(plan.in_secret.unwrap().contains("topsecret"));
    }
}

/// As for YARN: the variables of the driver name the programs there.
#[test]
fn the_programs_of_interpreters_are_those_of_the_pod() {
    let launch = |conf: &[(&str, &str)]| {
        let environment = [
            ("PYSPARK_PYTHON", "/here/python"),
            ("SPARKR_DRIVER_R", "/here/R"),
        ];
        let plan = plan_for(17, &in_pods(conf), &[], &environment).unwrap();
        let document: serde_json::Value = serde_json::from_str(&plan.in_secret.unwrap()).unwrap();
        let python = &document["python"];
        [
            &python["executable"],
            &python["executable3"],
            &document["r"]["command"],
        ]
        .map(|name| name.as_str().unwrap_or("-").to_owned())
        .join(" ")
    };
    assert_eq!(launch(&[]), "python3 - -");
    let there = [
        ("spark.kubernetes.driverEnv.PYSPARK_PYTHON", "/there/python"),
        ("spark.kubernetes.driverEnv.PYSPARK3_PYTHON", "/there/3"),
        ("spark.kubernetes.driverEnv.SPARKR_DRIVER_R", "/there/R"),
    ];
    assert_eq!(launch(&there), "/there/python /there/3 /there/R");
    let named = [there[0], ("spark.pyspark.python", "/own")];
    assert_eq!(launch(&named), "/own - -");
}

#[test]
fn interpreters_have_memory_outside_of_the_jvm() {
    let key = "spark.kubernetes.memoryOverheadFactor";
    let factor = |kind, more: &[(&str, &str)]| properties(&with_kind(kind, more)).get(key).cloned();
    let much = Some("0.4".to_owned());
    for (kind, expected) in [
        (Kind::Spark, None),
        (Kind::Sql, None),
        (Kind::PySpark, much.clone()),
        (Kind::PySpark3, much.clone()),
        (Kind::SparkR, much.clone()),
        (Kind::Shared, much),
    ] {
        assert_eq!(factor(kind, &[]), expected, "{kind:?}");
    }
    let own = [(key, "0.2")];
    assert_eq!(factor(Kind::PySpark, &own), Some("0.2".to_owned()));
    let absolute = [("spark.driver.memoryOverhead", "1g")];
    assert_eq!(factor(Kind::PySpark, &absolute), None);
}

#[test]
fn executors_of_a_driver_here_have_its_labels() {
    let conf = [
        ("spark.master", "k8s://https://k:6443"),
        ("spark.kubernetes.namespace", "etl"),
    ];
    let order = order(&conf);
    let plan = plan_for(17, &order, &[], &[]).unwrap();
    let conf = configuration(&plan);
    let labels: Vec<&String> = conf.keys().filter(|key| key.contains(".label.")).collect();
    assert_eq!(
        labels,
        [
            "spark.kubernetes.executor.label.livius/driver",
            "spark.kubernetes.executor.label.livius/server"
        ]
    );
    assert_eq!(plan.in_secret, None);
    assert!(matches!(plan.place, Some(Place::Kubernetes(place)) if place.mode == Mode::Client));

    let mut pod = OwnPod {
        name: "livius-0".to_owned(),
        namespace: "etl".to_owned(),
        address: "10.1.2.3".to_owned(),
    };
    let in_pod = |pod: &OwnPod, order: &DriverOrder| {
        let toolchain = toolchain(17);
        let plan = at_site(&toolchain, &conf_of(&[], &[]), |site| {
            let own_pod = Some(pod);
            let dir = DriverDir::of("/data/drivers".into(), &order.id);
            LaunchPlan::of(Site { own_pod, ..site }, order, dir, FastStart::default())
        });
        let conf = configuration(&plan.unwrap());
        let get = |key: &str| conf.get(key).map_or("-", String::as_str).to_owned();
        [
            get("spark.driver.host"),
            get("spark.kubernetes.driver.pod.name"),
        ]
        .join(" ")
    };
    assert_eq!(in_pod(&pod, &order), "10.1.2.3 livius-0");
    let cluster = in_pods(&[]);
    assert_eq!(in_pod(&pod, &cluster), "- livius-s-0-aa");
    pod.namespace = "livius".to_owned();
    assert_eq!(in_pod(&pod, &order), "10.1.2.3 -");
}

#[test]
fn the_limits_count_with_the_installations_defaults() {
    let refused = |conf: &[(&str, &str)], defaults: &[(&str, &str)]| match plan_for(
        17,
        &order(conf),
        defaults,
        &[],
    ) {
        Err(CommandError::Unsupported(Unsupported::Kubernetes(KubernetesRefusal {
            key, ..
        }))) => Some(key),
        Ok(_) => None,
        Err(other) => panic!("{other}"),
    };
    let installed = [("spark.master", "k8s://https://other:443")];
    assert_eq!(refused(&[], &installed), None);
    assert_eq!(refused(&installed, &[]).as_deref(), Some("spark.master"));
    let template = "spark.kubernetes.driver.podTemplateFile";
    let from_defaults = refused(&KUBERNETES, &[(template, "/x.yaml")]);
    assert_eq!(from_defaults.as_deref(), Some(template));
    // Elsewhere they mean nothing.
    assert_eq!(refused(&[(template, "/x.yaml")], &[]), None);
}

#[test]
fn a_driver_without_a_configuration_is_not_for_a_pod() {
    let mut order = in_pods(&[]);
    if let Program::Agent { start, .. } = &mut order.program {
        *start = Start::Primed;
    }
    let error = plan_for(17, &order, &[], &[]).unwrap_err();
    assert!(matches!(
        error,
        CommandError::Unsupported(Unsupported::PrimedInPod)
    ));
}
