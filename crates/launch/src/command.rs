//! A driver's command line and the files that go with it.
//!
//! We write Spark's launch line ourselves: it saves the JVM in which Spark would work it out, and it keeps the class path in an order that
//! class-data archives can use. What is secret is in files, never on the line nor in the environment.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use secrecy::ExposeSecret as _;
use serde_json::json;

use crate::DriverOrder;
use crate::driver_dir::{DEFAULT_GRACE, DriverCommand, DriverDir};
use crate::flags::Flags;
use crate::java_options::{self, OptionError};
use crate::spark_conf::{SparkConf, directories};
use crate::{Installation, Java, properties};

/// The longest directory name that is handed on as `TMPDIR`: sockets that programs make there have short names only.
const TMPDIR_MAX: usize = 64;

/// Why there is no command line for an order.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// An option cannot be understood.
    #[error("use {key}")]
    Setting {
        /// The configuration key.
        key: &'static str,
        /// What is wrong with it.
        #[source]
        source: OptionError,
    },
    /// The driver would not run on this machine.
    #[error(
        "start a driver with spark.submit.deployMode={0}: drivers run beside the server, in client mode"
    )]
    DeployMode(String),
}

/// What drivers of one Spark with one Java have in common.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ground<'a> {
    pub(crate) spark: &'a Installation,
    pub(crate) java: &'a Java,
    pub(crate) agent_jar: &'a Utf8Path,
    pub(crate) flags: &'a Flags,
    pub(crate) conf: &'a SparkConf,
}

/// All that a driver is started from.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) command: DriverCommand,
    /// `spark.properties`.
    pub(crate) properties: String,
    /// `java.options`, if there are any that go there.
    pub(crate) java_options: Option<String>,
    /// `launch.json`.
    pub(crate) launch: String,
}

impl Plan {
    /// Works out how to start a driver.
    pub(crate) fn of(ground: Ground<'_>, order: &DriverOrder) -> Result<Self, CommandError> {
        let dir = DriverDir::new(&order.dir);
        let mut conf = ground.conf.defaults.clone();
        conf.extend(order.conf.clone());
        if let Some(mode) = conf
            .get("spark.submit.deployMode")
            .filter(|mode| *mode != "client")
        {
            return Err(CommandError::DeployMode(mode.clone()));
        }
        let mut args = jvm(ground, &dir, &conf)?;
        let (in_file, on_line) = placed(ground, users_options(ground, &conf)?);
        if !in_file.is_empty() {
            args.push(format!("@{}", dir.java_options()));
        }
        args.extend(on_line);
        args.extend(["-cp".to_owned(), class_path(ground, &conf)]);
        args.extend(
            [
                "org.apache.spark.deploy.SparkSubmit",
                "--properties-file",
                dir.properties().as_str(),
            ]
            .map(str::to_owned),
        );
        if let Some(user) = &order.proxy_user {
            args.extend(["--proxy-user".to_owned(), user.clone()]);
        }
        args.extend(
            [
                "--class",
                "livius.agent.Main",
                "spark-internal",
                dir.launch_file().as_str(),
            ]
            .map(str::to_owned),
        );
        let command = DriverCommand {
            program: ground.java.program(),
            args,
            env: environment(ground, order, &dir, &conf),
            cwd: dir.work(),
            grace_ms: u64::try_from(DEFAULT_GRACE.as_millis()).unwrap_or(u64::MAX),
        };
        Ok(Self {
            command,
            properties: properties::write(&conf),
            java_options: (!in_file.is_empty()).then(|| java_options::argument_file(&in_file)),
            launch: launch_file(ground, order, &conf),
        })
    }
}

/// The JVM's options that are not the user's. They come first, so that the user's can override them.
fn jvm(
    ground: Ground<'_>,
    dir: &DriverDir,
    conf: &BTreeMap<String, String>,
) -> Result<Vec<String>, CommandError> {
    let mut args = ground.flags.jvm.clone();
    args.push(format!("-Xmx{}m", heap(ground, conf)?));
    // Performance counters stay in memory and temporary files in the driver's directory: a killed driver leaves nothing in /tmp.
    args.push("-XX:+PerfDisableSharedMem".to_owned());
    args.push(format!("-Djava.io.tmpdir={}", dir.temporary()));
    Ok(args)
}

/// The options that the user wants, in the order in which later ones override earlier ones.
fn users_options(
    ground: Ground<'_>,
    conf: &BTreeMap<String, String>,
) -> Result<Vec<String>, CommandError> {
    let mut words = Vec::new();
    let from_environment = (
        "SPARK_SUBMIT_OPTS",
        ground.conf.environment.get("SPARK_SUBMIT_OPTS"),
    );
    let from_conf = [
        "spark.driver.defaultJavaOptions",
        "spark.driver.extraJavaOptions",
    ]
    .map(|key| (key, conf.get(key)));
    for (key, options) in std::iter::once(from_environment).chain(from_conf) {
        let options = java_options::split(options.map_or("", String::as_str));
        words.extend(options.map_err(|source| CommandError::Setting { key, source })?);
    }
    Ok(words)
}

/// Parts the user's options into those for the file and those for the line. Any may hold a password, so all that can be are in the file: in
/// one, Java does not look for other files, and an old Java takes none at all.
fn placed(ground: Ground<'_>, options: Vec<String>) -> (Vec<String>, Vec<String>) {
    let fits = ground.java.reads_argument_files();
    options
        .into_iter()
        .partition(|option| fits && !option.starts_with('@'))
}

fn heap(ground: Ground<'_>, conf: &BTreeMap<String, String>) -> Result<u64, CommandError> {
    let key = "spark.driver.memory";
    let size = conf
        .get(key)
        .or_else(|| ground.conf.environment.get("SPARK_DRIVER_MEMORY"));
    java_options::mebibytes(size.map_or("1g", String::as_str))
        .map_err(|source| CommandError::Setting { key, source })
}

/// Spark's jars in an order that never changes, the agent, configuration directories; before them only what the user wants there.
fn class_path(ground: Ground<'_>, conf: &BTreeMap<String, String>) -> String {
    let first = &ground.flags.first_jars;
    let others = ground
        .spark
        .jars
        .iter()
        .map(|jar| &jar.name)
        .filter(|name| !first.contains(name));
    let mut entries: Vec<String> = conf
        .get("spark.driver.extraClassPath")
        .into_iter()
        .cloned()
        .collect();
    entries.extend(
        first
            .iter()
            .chain(others)
            .map(|name| ground.spark.jar_path(name).into_string()),
    );
    entries.push(ground.agent_jar.to_string());
    entries.extend(
        directories(ground.conf)
            .into_iter()
            .map(Utf8PathBuf::into_string),
    );
    entries.extend(ground.conf.environment.get("SPARK_DIST_CLASSPATH").cloned());
    entries.retain(|entry| !entry.is_empty());
    entries.join(":")
}

fn environment(
    ground: Ground<'_>,
    order: &DriverOrder,
    dir: &DriverDir,
    conf: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let mut variables = ground.conf.environment.clone();
    let mut set = |name: &str, value: String| variables.insert(name.to_owned(), value);
    set("SPARK_HOME", ground.spark.home.to_string());
    set("JAVA_HOME", ground.java.home.to_string());
    set("SPARK_SCALA_VERSION", ground.spark.scala_line());
    if keeps_to_itself(order, conf) {
        variables
            .entry("SPARK_LOCAL_IP".to_owned())
            .or_insert_with(|| "127.0.0.1".to_owned());
    }
    let mut set = |name: &str, value: String| variables.insert(name.to_owned(), value);
    if dir.temporary().as_str().len() <= TMPDIR_MAX {
        set("TMPDIR", dir.temporary().into_string());
    }
    if let Some(path) = conf.get("spark.driver.extraLibraryPath") {
        let inherited = variables
            .get("LD_LIBRARY_PATH")
            .filter(|value| !value.is_empty());
        let joined =
            inherited.map_or_else(|| path.clone(), |inherited| format!("{path}:{inherited}"));
        variables.insert("LD_LIBRARY_PATH".to_owned(), joined);
    }
    variables
}

/// Whether nobody outside this machine has business with the driver: its executors are in it, and its server is on loopback. Spark
/// would open its ports, the pages of its UI among them, to every network.
fn keeps_to_itself(order: &DriverOrder, conf: &BTreeMap<String, String>) -> bool {
    let local = conf
        .get("spark.master")
        .is_none_or(|master| master == "local" || master.starts_with("local["));
    let loopback = |url: &String| {
        let host = url.split("://").nth(1).unwrap_or_default();
        ["127.", "localhost:", "[::1]:"]
            .iter()
            .any(|own| host.starts_with(own))
    };
    local && order.servers.iter().all(loopback)
}

/// A number as the agent takes it: it reads 32 bits, and must still be able to count one further.
fn agent_number(number: u64) -> u64 {
    const LARGEST: u64 = i32::MAX as u64 - 1;
    number.min(LARGEST)
}

/// `launch.json`, as the agent protocol describes it.
fn launch_file(ground: Ground<'_>, order: &DriverOrder, conf: &BTreeMap<String, String>) -> String {
    let setting = |key: &str, variable: &str| {
        conf.get(key)
            .or_else(|| ground.conf.environment.get(variable))
            .filter(|value| !value.is_empty())
    };
    json!({
        "v": 1,
        "driver": order.id.as_str(),
        "servers": order.servers,
        "token": order.token.expose_secret(),
        "graceSeconds": agent_number(order.link_grace.as_secs()),
        "kind": order.kind.as_str(),
        "sql": { "maxRows": agent_number(order.sql_max_rows) },
        "python": {
            "executable": setting("spark.pyspark.python", "PYSPARK_PYTHON").map_or("python3", String::as_str),
            "executable3": setting("PYSPARK3_PYTHON", "PYSPARK3_PYTHON"),
        },
        "r": { "command": setting("spark.r.shell.command", "SPARKR_DRIVER_R") },
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use domain::{DriverId, Kind};

    use super::*;
    use crate::java::Origin;
    use crate::spark::{Jar, Version};

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect()
    }

    fn order(conf: &[(&str, &str)]) -> DriverOrder {
        DriverOrder {
            id: DriverId::parse("s-0-aa").unwrap(),
            dir: "/data/drivers/s-0-aa".into(),
            kind: Kind::PySpark,
            conf: map(conf),
            proxy_user: Some("alice".to_owned()),
            token: "topsecret".into(),
            servers: vec!["ws://127.0.0.1:8998/api/v1/agent".to_owned()],
            link_grace: Duration::from_mins(10),
            sql_max_rows: 1000,
        }
    }

    fn plan(
        conf: &[(&str, &str)],
        defaults: &[(&str, &str)],
        environment: &[(&str, &str)],
    ) -> Result<Plan, CommandError> {
        plan_for(17, &order(conf), defaults, environment)
    }

    fn plan_for(
        java: u32,
        order: &DriverOrder,
        defaults: &[(&str, &str)],
        environment: &[(&str, &str)],
    ) -> Result<Plan, CommandError> {
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
        let dir = Some("/opt/spark/conf".into());
        let conf_dir = SparkConf {
            dir,
            defaults: map(defaults),
            environment: map(environment),
        };
        let agent_jar = Utf8Path::new("/runtimes/agent.jar");
        Plan::of(
            Ground {
                spark: &spark,
                java: &java,
                agent_jar,
                flags: &flags,
                conf: &conf_dir,
            },
            order,
        )
    }

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
        insta::assert_snapshot!(plan.java_options.unwrap(), @r#"
        "-Dz=1"
        "-Da=b c"
        "#);
        insta::assert_snapshot!(plan.properties, @r"
        spark.app.name=t\u00e4st
        spark.driver.defaultJavaOptions=-Dz\=1
        spark.driver.extraClassPath=/lib/x.jar
        spark.driver.extraJavaOptions=-Da\='b c'
        spark.driver.extraLibraryPath=/lib/native
        spark.driver.memory=2g
        spark.hadoop.fs.s3a.secret.key=hunter2
        spark.master=local[2]
        ");
        insta::assert_snapshot!(plan.launch, @r#"{"v":1,"driver":"s-0-aa","servers":["ws://127.0.0.1:8998/api/v1/agent"],"token":"topsecret","graceSeconds":600,"kind":"pyspark","sql":{"maxRows":1000},"python":{"executable":"/usr/bin/python3.11","executable3":null},"r":{"command":null}}"#);
        insta::assert_debug_snapshot!(plan.command.env, @r#"
        {
            "JAVA_HOME": "/opt/java",
            "LD_LIBRARY_PATH": "/lib/native:/usr/lib/x",
            "PYSPARK_PYTHON": "/usr/bin/python3.11",
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
                (found.as_slice(), plan.java_options.as_deref()),
                (line, file),
                "{java} {options}"
            );
        }
    }

    #[test]
    fn numbers_beyond_the_agents_are_cut_down() {
        let order = DriverOrder {
            link_grace: Duration::MAX,
            sql_max_rows: u64::MAX,
            ..order(&[])
        };
        let plan = plan_for(17, &order, &[], &[]).unwrap();
        let launch: serde_json::Value = serde_json::from_str(&plan.launch).unwrap();
        assert_eq!(launch["graceSeconds"], i32::MAX - 1);
        assert_eq!(launch["sql"]["maxRows"], i32::MAX - 1);
    }

    fn refusal(conf: &[(&str, &str)]) -> String {
        domain::chain(&plan(conf, &[], &[]).unwrap_err())
    }

    #[test]
    fn what_cannot_work_is_refused() {
        insta::assert_snapshot!(refusal(&[("spark.submit.deployMode", "cluster")]),
            @"start a driver with spark.submit.deployMode=cluster: drivers run beside the server, in client mode");
        insta::assert_snapshot!(refusal(&[("spark.driver.memory", "lots")]),
            @"use spark.driver.memory: understand `lots` as a size: write a number and a unit, such as 512m or 4g");
        insta::assert_snapshot!(refusal(&[("spark.driver.extraJavaOptions", "-Xmx8g")]),
            @"use spark.driver.extraJavaOptions: accept `-Xmx8g` among the Java options: the heap is set with spark.driver.memory");
        insta::assert_snapshot!(refusal(&[("spark.driver.extraJavaOptions", "-Dpassword='x")]),
            @"use spark.driver.extraJavaOptions: understand the Java options: a quote is not closed");
    }
}
