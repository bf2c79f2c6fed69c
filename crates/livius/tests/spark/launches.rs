//! A driver sees the same as a driver of `spark-submit`: heap, JVM options, class path, library
//! path, properties, environment, Hadoop's configuration.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::batches::Batch;
use crate::server::{Server, as_a_user};
use crate::{Case, Shared};

pub const CASES: &[Case] = &[(
    "launches::a_driver_sees_what_it_sees_with_spark_submit",
    compared,
)];

/// The differences that there may be: section, name, reason. A `*` stands for any text.
const PERMITTED: &[(&str, &str, &str)] = &[
    ("arguments", "-Djava.io.tmpdir=*", CLEAN),
    ("arguments", "-XX:+PerfDisableSharedMem", CLEAN),
    ("flags", "PerfDisableSharedMem", CLEAN),
    ("properties", "java.io.tmpdir", CLEAN),
    ("* environment", "TMPDIR", CLEAN),
    ("properties", "user.dir", "a driver has a folder of its own"),
    ("arguments", "-Dlivius.launch=*", LISTENER),
    ("class path", "*/livius-agent.jar", LISTENER),
    ("properties", "livius.launch", LISTENER),
    ("properties", "spark.extraListeners", LISTENER),
    ("* environment", "LIVIUS_DRIVER_DIR", LISTENER),
    ("properties", "spark.authenticate", PORTS),
    ("properties", "spark.ui.killEnabled", PORTS),
    ("* environment", "SPARK_LOCAL_IP", PORTS),
    ("properties", "file.encoding", UTF_8),
    ("properties", "native.encoding", UTF_8),
    ("properties", "sun.jnu.encoding", UTF_8),
    ("* environment", "LC_CTYPE", UTF_8),
    ("jvm environment", "OF_THE_SHELL", UTF_8),
    (
        "* environment",
        "LIVIUS_*",
        "the server's variables are not for drivers",
    ),
    (
        "* environment",
        "SPARK_BEELINE_OPTS",
        "for Beeline, which no driver runs",
    ),
    (
        "properties",
        "sun.java.command",
        "the configuration is in a file, not on the command line",
    ),
    ("properties", "java.class.path", "compared entry by entry"),
    ("properties", "spark.app.submitTime", "now"),
    ("python environment", "PYSPARK_GATEWAY_PORT", "a free one"),
    ("python environment", "PYSPARK_GATEWAY_SECRET", "generated"),
];

/// Variables that a shell sets for itself: `spark-submit` is a script.
const OF_SHELLS: [&str; 4] = ["SHLVL", "PWD", "OLDPWD", "_"];

const CLEAN: &str = "a driver that is killed leaves nothing in /tmp";
const LISTENER: &str = "it reports to the server that the application runs";
const PORTS: &str = "other users of the machine can connect to a driver's ports";
const UTF_8: &str = "arguments and file names are UTF-8 without a locale, too";

fn compared(shared: &Shared) {
    let scratch = Scratch::make(shared);
    let with_submit = scratch.submit(shared);
    let with_livius = scratch.batch(shared);
    let different = different(&with_submit, &with_livius);
    let mut used = BTreeSet::new();
    let mut wrong = Vec::new();
    for (section, name, values) in &different {
        let mut rows = PERMITTED.iter();
        let row = rows.position(|row| fits(row.0, section) && fits(row.1, name));
        match row {
            Some(row) => drop(used.insert(row)),
            None => wrong.push(format!("{section}: {name}: {values}")),
        }
    }
    assert!(
        wrong.is_empty(),
        "spark-submit, then Livius:\n{}",
        wrong.join("\n")
    );
    let unused: Vec<_> = (0..PERMITTED.len())
        // With a newer Java all files are UTF-8.
        .filter(|row| !used.contains(row) && PERMITTED[*row].2 != UTF_8)
        .map(|row| PERMITTED[row])
        .collect();
    assert!(
        unused.is_empty(),
        "there is no such difference any more: {unused:#?}"
    );
    assert_eq!(scratch.order(&with_submit), scratch.order(&with_livius));
    scratch.shows_everything(&with_livius);
}

/// A configuration that uses every way to set up a driver.
struct Scratch {
    temporary: TempDir,
    spark: PathBuf,
}

impl Scratch {
    fn make(shared: &Shared) -> Self {
        let scratch = Self {
            temporary: tempfile::tempdir().unwrap(),
            spark: Path::new(&shared.spark.home).join("jars"),
        };
        for folder in ["conf", "hadoop", "yarn", "lib", "dist"] {
            fs::create_dir(scratch.path(folder)).unwrap();
        }
        let [conf, hadoop, yarn, lib, dist] =
            ["conf", "hadoop", "yarn", "lib", "dist"].map(|name| scratch.path(name));
        let any_jar = |start: &str| {
            let jars = fs::read_dir(&scratch.spark).unwrap();
            let mut paths = jars.map(|jar| jar.unwrap().path());
            paths.find(|path| {
                path.file_name()
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .starts_with(start)
            })
        };
        fs::copy(any_jar("commons-text").unwrap(), format!("{lib}/one.jar")).unwrap();
        fs::copy(any_jar("commons-lang3").unwrap(), format!("{dist}/two.jar")).unwrap();
        let property = |name: &str, value: &str| {
            format!(
                "<configuration><property><name>{name}</name><value>{value}</value></property></configuration>"
            )
        };
        for (file, text) in [
            (
                "conf/spark-defaults.conf",
                format!(
                    "spark.master local[1]\nspark.driver.memory 900m\nspark.my.default a  b\n\
                     spark.driver.defaultJavaOptions -Ddefault=yes -Dboth=default\n\
                     spark.driver.extraClassPath {lib}/one.jar:{lib}\n\
                     spark.driver.extraLibraryPath {lib}:{dist}\n\
                     spark.hadoop.of.defaults yes\n"
                ),
            ),
            (
                "conf/spark-env.sh",
                format!(
                    "HADOOP_CONF_DIR={hadoop}\nYARN_CONF_DIR={yarn}\nSPARK_DIST_CLASSPATH={dist}:{dist}/two.jar\n\
                     SPARK_DRIVER_MEMORY=800m\nOF_THE_SCRIPT=\"$SPARK_HOME $SPARK_CONF_DIR $SPARK_ENV_LOADED $PYTHONHASHSEED\"\n"
                ),
            ),
            (
                "conf/java-opts",
                "-Dof.java.opts='java opts'\n-ea\n".to_owned(),
            ),
            ("conf/hdfs-site.xml", property("of.spark.conf", "hdfs")),
            ("hadoop/hdfs-site.xml", property("of.hdfs", "hdfs")),
            ("hadoop/core-site.xml", property("of.hadoop.conf", "core")),
            ("yarn/yarn-site.xml", property("of.yarn.conf", "yarn")),
            ("tells.py", include_str!("launches/tells.py").to_owned()),
        ] {
            fs::write(scratch.temporary.path().join(file), text).unwrap();
        }
        assert!(Path::new(&conf).is_dir());
        scratch
    }

    fn path(&self, name: &str) -> String {
        self.temporary
            .path()
            .join(name)
            .to_str()
            .unwrap()
            .to_owned()
    }

    fn variables(&self) -> Vec<(String, String)> {
        [
            ("SPARK_CONF_DIR", self.path("conf")),
            ("LD_LIBRARY_PATH", self.path("inherited")),
            ("OF_THE_SHELL", "λ".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
    }

    /// The configuration of the request. Its Java flags override those of the server.
    fn conf() -> [(&'static str, &'static str); 4] {
        [
            ("spark.driver.memory", "700m"),
            (
                "spark.driver.extraJavaOptions",
                "-Dboth=extra -Dquoted='a b' -XX:Tier4InvocationThreshold=7777 -XX:-PrintWarnings",
            ),
            ("spark.hadoop.of.request", "yes"),
            ("spark.sql.shuffle.partitions", "7"),
        ]
    }

    fn submit(&self, shared: &Shared) -> Value {
        let mut command = Command::new(Path::new(&shared.spark.home).join("bin/spark-submit"));
        as_a_user(&mut command);
        command
            .env("SPARK_HOME", &shared.spark.home)
            .envs(self.variables());
        for (key, value) in Self::conf() {
            command.args(["--conf", &format!("{key}={value}")]);
        }
        let output = command
            .args([
                "--name",
                "compared",
                &self.path("tells.py"),
                &self.path("told.json"),
            ])
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        self.told()
    }

    fn batch(&self, shared: &Shared) -> Value {
        let server = Server::start_with(&shared.spark.home, &[], self.variables());
        let conf: BTreeMap<_, _> = Self::conf().into();
        let request = json!({
            "file": self.path("tells.py"), "args": [self.path("told.json")], "name": "compared", "conf": conf,
        });
        Batch::create(&server, &request).await_end("success");
        let left = server.stop();
        assert!(left.is_empty(), "{left:#?}");
        self.told()
    }

    /// Takes the file that the application has written.
    fn told(&self) -> Value {
        let file = self.path("told.json");
        let told = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        fs::remove_file(file).unwrap();
        told
    }

    /// The entries of the class path that are not Spark's own, in their order.
    fn order(&self, seen: &Value) -> Vec<String> {
        let entries = seen["class path"].as_array().unwrap();
        let entries = entries
            .iter()
            .map(|entry| entry.as_str().unwrap().to_owned());
        let foreign = |entry: &String| {
            !Path::new(entry).starts_with(&self.spark) && !entry.ends_with("/livius-agent.jar")
        };
        entries.filter(foreign).collect()
    }

    /// Equal answers say little if no setting has an effect.
    fn shows_everything(&self, seen: &Value) {
        let names = [
            "lib/one.jar",
            "lib",
            "conf",
            "hadoop",
            "yarn",
            "dist",
            "dist/two.jar",
        ];
        assert_eq!(self.order(seen), names.map(|name| self.path(name)));
        let libraries = seen["properties"]["java.library.path"].as_str().unwrap();
        let own = ["inherited", "lib", "dist"]
            .map(|name| self.path(name))
            .join(":");
        assert!(libraries.starts_with(&own), "{libraries}");
        let heap: u32 = seen["heap"]["MiB"].as_str().unwrap().parse().unwrap();
        assert!((600..=700).contains(&heap), "{heap}");
        for (section, name, value) in [
            ("flags", "Tier4InvocationThreshold", "7777"),
            ("properties", "of.java.opts", "java opts"),
            ("properties", "default", "yes"),
            ("properties", "both", "extra"),
            ("properties", "quoted", "a b"),
            ("properties", "spark.master", "local[1]"),
            ("properties", "spark.my.default", "a  b"),
            ("python environment", "PYTHONHASHSEED", "0"),
            ("python environment", "OF_THE_SHELL", "λ"),
        ] {
            assert_eq!(seen[section][name], value, "{section} {name}");
        }
        let of_spark = format!("file:{}", self.path("conf/hdfs-site.xml"));
        assert_eq!(seen["resources"]["hdfs-site.xml"], of_spark);
        for name in ["hadoop.conf", "defaults", "request"] {
            assert!(!seen["hadoop"][format!("of.{name}")].is_null(), "{name}");
        }
    }
}

/// Whether a text is as a pattern says, which has one `*` at most.
fn fits(pattern: &str, text: &str) -> bool {
    pattern
        .split_once('*')
        .map_or(pattern == text, |(start, end)| {
            text.starts_with(start) && text.ends_with(end)
        })
}

/// The differences: section, name, both values.
fn different(one: &Value, other: &Value) -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    let sections = one.as_object().unwrap();
    for section in sections.keys() {
        let [one, other] = [one, other].map(|seen| table(&seen[section]));
        let names: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
        for name in names {
            let values = [one.get(name), other.get(name)];
            if values[0] != values[1] && !OF_SHELLS.contains(&name.as_str()) {
                found.push((section.clone(), name.clone(), format!("{values:?}")));
            }
        }
    }
    found
}

/// A section by name. The entries of a list are names.
fn table(section: &Value) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    match section {
        Value::Array(entries) => {
            let entries = entries.iter().map(text);
            entries.map(|name| (name, "there".to_owned())).collect()
        }
        Value::Object(entries) => {
            let entries = entries.iter();
            entries
                .map(|(name, value)| (name.clone(), text(value)))
                .collect()
        }
        other => panic!("{other}"),
    }
}
