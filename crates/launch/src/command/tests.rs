//! Command lines, and the files that go with them.

mod batches;
mod in_cluster;
mod on_kubernetes;
mod on_yarn;

use std::time::Duration;

use livius_domain::{DriverId, Kind};
use livius_spark_home::{
    Archive, ArchiveFiles, Flags, Found, Installation, Jar, Java, Origin, Version,
};

use super::*;
use crate::{Jit, Start};

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect()
}

fn order(conf: &[(&str, &str)]) -> DriverOrder {
    DriverOrder {
        id: DriverId::parse("s-0-aa").unwrap(),
        conf: map(conf),
        proxy_user: Some("alice".to_owned()),
        token: "topsecret".into(),
        servers: vec!["ws://127.0.0.1:8998/api/v1/agent".to_owned()],
        program: Program::Agent {
            kind: Kind::PySpark,
            start: Start::Session,
            link_grace: Duration::from_mins(10),
            cancel_grace: Duration::from_secs(30),
            sql_max_rows: 1000,
        },
    }
}

impl LaunchPlan {
    fn file(&self, name: &str) -> Option<&str> {
        let named = |(path, _): &(&Utf8PathBuf, &String)| path.file_name() == Some(name);
        self.files.iter().find(named).map(|(_, text)| text.as_str())
    }
}

fn plan(
    conf: &[(&str, &str)],
    defaults: &[(&str, &str)],
    environment: &[(&str, &str)],
) -> Result<LaunchPlan, CommandError> {
    plan_for(17, &order(conf), defaults, environment)
}

fn plan_for(
    java: u32,
    order: &DriverOrder,
    defaults: &[(&str, &str)],
    environment: &[(&str, &str)],
) -> Result<LaunchPlan, CommandError> {
    let (toolchain, spark_conf) = (toolchain(java), conf_of(defaults, environment));
    let dir = DriverDir::of("/data/drivers".into(), &order.id);
    let fast_start = FastStart {
        jit: Jit::Light,
        archive: Some(ArchiveFiles {
            classes: "/runtimes/archives/x/classes.jsa".into(),
            base: None,
        }),
    };
    at_site(&toolchain, &spark_conf, |site| {
        LaunchPlan::of(site, order, dir, fast_start)
    })
}

/// A server outside of Kubernetes, whose own master is an API server.
fn at_site<T>(
    toolchain: &Toolchain,
    spark_conf: &SparkConf,
    work: impl FnOnce(Site<'_>) -> T,
) -> T {
    let limits = KubernetesLimits {
        own_masters: vec!["k8s://https://k:6443".to_owned()],
        ..KubernetesLimits::default()
    };
    let pages = SparkPages {
        address: Some("https://ui/{namespace}/{pod}/".to_owned()),
        objects: None,
    };
    work(Site {
        toolchain,
        spark_conf,
        limits: &limits,
        pages: &pages,
        server: "5e5e5e5e5e5e5e5e",
        own_pod: None,
    })
}

fn toolchain(java: u32) -> Toolchain {
    let version = |text| Version::parse(text).unwrap();
    let jar = |name: &str| Jar {
        name: name.to_owned(),
        size: 1,
    };
    let jars = vec![
        jar("a.jar"),
        jar("slf4j-api-2.jar"),
        jar("spark-core_2.13-4.1.4.jar"),
    ];
    let spark = Installation {
        home: "/opt/spark".into(),
        version: version("4.1.4"),
        scala: version("2.13.17"),
        jars,
    };
    let java = Java {
        home: "/opt/java".into(),
        version: "17.0.15".to_owned(),
        major: java,
        origin: Origin::Path,
    };
    let flags = Flags {
        jvm: vec!["--add-opens=java.base/java.lang=ALL-UNNAMED".to_owned()],
        first_jars: vec!["slf4j-api-2.jar".to_owned()],
    };
    let archive = Archive::place("/runtimes".into(), &spark, &java, &flags);
    Toolchain {
        found: Found {
            spark,
            spark_origin: Origin::Path,
            java,
            warnings: Vec::new(),
        },
        agent_jar: "/runtimes/agent.jar".into(),
        flags,
        archive,
    }
}

fn conf_of(defaults: &[(&str, &str)], environment: &[(&str, &str)]) -> SparkConf {
    SparkConf {
        dir: Some("/opt/spark/conf".into()),
        defaults: map(defaults),
        java_options: String::new(),
        environment: map(environment),
    }
}

fn properties(order: &DriverOrder) -> BTreeMap<String, String> {
    configuration(&plan_for(17, order, &[], &[]).unwrap())
}

/// The configuration in a plan. Its texts here need no escapes but those of `:` and `=`.
fn configuration(plan: &LaunchPlan) -> BTreeMap<String, String> {
    let lines = plan.file("spark.properties").unwrap().lines();
    let pairs = lines.map(|line| line.split_once('=').unwrap());
    pairs
        .map(|(key, value)| (key.to_owned(), value.replace('\\', "")))
        .collect()
}

/// Settings that put a driver on a worker of a standalone cluster.
const CLUSTER: [(&str, &str); 2] = [
    ("spark.submit.deployMode", "cluster"),
    ("spark.master", "spark://one:7077,two:7077"),
];

#[test]
fn the_line_the_environment_and_the_files() {
    let conf = [
        ("spark.app.name", "täst"),
        ("spark.driver.memory", "2g"),
        ("spark.driver.extraJavaOptions", "-Da='b c'"),
        ("spark.driver.extraClassPath", "/lib/x.jar"),
        ("spark.driver.extraLibraryPath", "/lib/native"),
        ("spark.hadoop.fs.s3a.secret.key", "hunter2"),
    ];
    let defaults = [
        ("spark.driver.memory", "9g"),
        ("spark.driver.defaultJavaOptions", "-Dz=1"),
        ("spark.master", "local[2]"),
    ];
    let environment = [
        ("LD_LIBRARY_PATH", "/usr/lib/x"),
        ("PYSPARK_PYTHON", "/usr/bin/python3.11"),
    ];
    let plan = plan(&conf, &defaults, &environment).unwrap();
    insta::assert_snapshot!(plan.command.args.join("\n"), @r"
    -XX:TieredStopAtLevel=1
    --add-opens=java.base/java.lang=ALL-UNNAMED
    -Xmx2048m
    -XX:+PerfDisableSharedMem
    -Djava.io.tmpdir=/data/drivers/s-0-aa/work/tmp
    @/data/drivers/s-0-aa/java.options
    -cp
    /lib/x.jar:/opt/spark/jars/slf4j-api-2.jar:/opt/spark/jars/a.jar:/opt/spark/jars/spark-core_2.13-4.1.4.jar:/runtimes/agent.jar:/opt/spark/conf
    org.apache.spark.deploy.SparkSubmit
    --properties-file
    /data/drivers/s-0-aa/spark.properties
    --proxy-user
    alice
    --class
    livius.agent.Main
    spark-internal
    /data/drivers/s-0-aa/launch.json
    ");
    insta::assert_snapshot!(plan.file("java.options").unwrap(), @r#"
    "-Dz=1"
    "-Da=b c"
    "#);
    insta::assert_snapshot!(plan.file("spark.properties").unwrap(), @r"
    spark.app.name=t\u00e4st
    spark.authenticate=true
    spark.driver.defaultJavaOptions=-Dz\=1
    spark.driver.extraClassPath=/lib/x.jar
    spark.driver.extraJavaOptions=-Da\='b c'
    spark.driver.extraLibraryPath=/lib/native
    spark.driver.memory=2g
    spark.hadoop.fs.s3a.secret.key=hunter2
    spark.master=local[2]
    spark.ui.killEnabled=false
    ");
    insta::assert_snapshot!(plan.file("launch.json").unwrap(), @r#"{"v":1,"driver":"s-0-aa","servers":["ws://127.0.0.1:8998/api/v1/agent"],"token":"topsecret","kind":"pyspark","sql":{"maxRows":1000},"python":{"executable":"/usr/bin/python3.11","executable3":null},"r":{"command":null},"start":"session","cancel":{"killAfterMs":30000},"graceSeconds":600}"#);
    insta::assert_debug_snapshot!(plan.command.env, @r#"
    {
        "JAVA_HOME": "/opt/java",
        "LC_CTYPE": "C.UTF-8",
        "LD_LIBRARY_PATH": "/usr/lib/x:/lib/native",
        "PYSPARK_PYTHON": "/usr/bin/python3.11",
        "SPARK_CONF_DIR": "/opt/spark/conf",
        "SPARK_ENV_LOADED": "1",
        "SPARK_HOME": "/opt/spark",
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_SCALA_VERSION": "2.13",
        "TMPDIR": "/data/drivers/s-0-aa/work/tmp",
    }
    "#);
}

#[test]
fn no_secret_is_on_the_line_or_in_the_environment() {
    let conf = [
        ("spark.hadoop.fs.s3a.secret.key", "hunter2"),
        ("spark.driver.extraJavaOptions", "-Dpassword=hunter2"),
    ];
    let defaults = [("spark.driver.defaultJavaOptions", "-Dother=hunter2")];
    let plan = plan(&conf, &defaults, &[]).unwrap();
    let open = format!("{:?} {:?}", plan.command.args, plan.command.env);
    assert!(!open.contains("hunter2") && !open.contains("topsecret"));
    let key = "spark.driver.extraJavaOptions";
    let refusal = refusal(&[(key, "-Dpassword=hunter2 'open")]);
    assert!(
        refusal.contains(key) && !refusal.contains("hunter2"),
        "{refusal}"
    );
}

#[test]
fn java_options_are_where_the_java_finds_them() {
    let cases: [(u32, &str, &[&str], Option<&str>); 5] = [
        (17, "", &[], None),
        (8, "-Da=1 -Db='2 3'", &["-Da=1", "-Db=2 3"], None),
        (
            9,
            "-Da=1",
            &["@/data/drivers/s-0-aa/java.options"],
            Some("\"-Da=1\"\n"),
        ),
        (17, "@/etc/more", &["@/etc/more"], None),
        (
            17,
            "@/etc/more -Da=1",
            &["@/data/drivers/s-0-aa/java.options", "@/etc/more"],
            Some("\"-Da=1\"\n"),
        ),
    ];
    for (java, options, line, file) in cases {
        let order = order(&[("spark.driver.extraJavaOptions", options)]);
        let plan = plan_for(java, &order, &[], &[]).unwrap();
        let words = plan.command.args.iter().map(String::as_str);
        let found: Vec<&str> = words
            .skip_while(|word| !word.starts_with("-Djava.io.tmpdir="))
            .skip(1)
            .take_while(|word| *word != "-cp")
            .collect();
        assert_eq!(
            (found.as_slice(), plan.file("java.options")),
            (line, file),
            "{java} {options}"
        );
    }
}

/// Spark lets the driver's own size override them, and complains about none.
#[test]
fn a_heap_for_all_of_sparks_jvms_is_not_the_drivers() {
    let environment = [("SPARK_SUBMIT_OPTS", "-Xmx8g -Da=1"), ("SPARK_MEM", "3g")];
    let planned = plan(&[], &[], &environment).unwrap();
    let line = planned.command.args.join(" ");
    assert!(line.contains(" -Xmx3072m "), "{line}");
    assert_eq!(planned.file("java.options"), Some("\"-Da=1\"\n"));
}

#[test]
fn javas_own_variables_count_as_options_of_the_user() {
    let has = |environment: &[(&str, &str)], flag: &str| {
        let line = plan(&[], &[], environment).unwrap().command.args.join(" ");
        line.contains(flag)
    };
    let archive = "-XX:SharedArchiveFile=/runtimes/archives/x/classes.jsa";
    let compilers = "-XX:TieredStopAtLevel=1";
    assert!(has(&[], archive) && has(&[], compilers));
    assert!(!has(&[("JAVA_TOOL_OPTIONS", "-ea -Xshare:off")], archive));
    assert!(!has(
        &[("JDK_JAVA_OPTIONS", "-XX:-TieredCompilation")],
        compilers
    ));
}

#[test]
fn numbers_beyond_the_agents_are_cut_down() {
    let order = DriverOrder {
        program: Program::Agent {
            kind: Kind::Sql,
            start: Start::Session,
            link_grace: Duration::MAX,
            cancel_grace: Duration::MAX,
            sql_max_rows: u64::MAX,
        },
        ..order(&[])
    };
    let plan = plan_for(17, &order, &[], &[]).unwrap();
    let launch: serde_json::Value =
        serde_json::from_str(plan.file("launch.json").unwrap()).unwrap();
    assert_eq!(launch["graceSeconds"], i32::MAX - 1);
    assert_eq!(launch["cancel"]["killAfterMs"], i32::MAX - 1);
    assert_eq!(launch["sql"]["maxRows"], i32::MAX - 1);
}

fn refusal(conf: &[(&str, &str)]) -> String {
    livius_domain::chain(&plan(conf, &[], &[]).unwrap_err())
}

#[test]
fn what_cannot_work_is_refused() {
    insta::assert_snapshot!(refusal(&[("spark.submit.deployMode", "Cluster")]), @"understand spark.submit.deployMode=Cluster: write client or cluster");
    insta::assert_snapshot!(refusal(&[("spark.submit.deployMode", "cluster")]), @"start a driver in cluster mode at local[*]: cluster mode needs YARN, Kubernetes (k8s://…) or a standalone master (spark://…); leave spark.submit.deployMode out to run the driver beside the server");
    insta::assert_snapshot!(refusal(&[("spark.submit.deployMode", "client"), ("spark.master", "yarn-cluster")]), @"run a driver at yarn-cluster with spark.submit.deployMode=client: write yarn as the master");
    insta::assert_snapshot!(refusal(&CLUSTER), @"start a driver as alice in cluster mode: the workers of a standalone cluster run drivers as their own user");
    insta::assert_snapshot!(refusal(&[("spark.driver.memory", "lots")]),
        @"use spark.driver.memory: understand `lots` as a size: write a number and a unit, such as 512m or 4g");
    insta::assert_snapshot!(refusal(&[("spark.driver.extraJavaOptions", "-Xmx8g")]),
        @"use spark.driver.extraJavaOptions: accept `-Xmx8g` among the Java options: the heap is set with spark.driver.memory");
    insta::assert_snapshot!(refusal(&[("spark.driver.extraJavaOptions", "-Dpassword='x")]),
        @"use spark.driver.extraJavaOptions: understand the Java options: a quote is not closed");
}

#[test]
fn a_primed_driver_is_told_what_a_launch_would_have_said() {
    let mut order = order(&[("spark.x", "1"), ("spark.pyspark.python", "/py")]);
    order.program = Program::Agent {
        kind: Kind::Sql,
        start: Start::Session,
        link_grace: Duration::from_mins(10),
        cancel_grace: Duration::from_secs(2),
        sql_max_rows: 7,
    };
    order.proxy_user = None;
    let conf = conf_of(&[("spark.y", "2")], &[("SPARKR_DRIVER_R", "/r")]);
    let dir = DriverDir::of("/data/drivers".into(), &order.id);
    let toolchain = toolchain(17);
    let late = at_site(&toolchain, &conf, |site| late_start(site, &order, dir)).unwrap();
    for (name, value) in [
        ("spark.x", "1"),
        ("spark.y", "2"),
        ("spark.master", "local[*]"),
        ("spark.authenticate", "true"),
    ] {
        assert_eq!(
            late.conf.get(name).map(String::as_str),
            Some(value),
            "{name}"
        );
    }
    insta::assert_snapshot!(serde_json::Value::Object(late.document).to_string(), @r#"{"kind":"sql","sql":{"maxRows":7},"python":{"executable":"/py","executable3":null},"r":{"command":"/r"},"start":"session","cancel":{"killAfterMs":2000}}"#);
}
