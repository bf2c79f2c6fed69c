//! The agent. This program contains its source. The user's Spark compiles it once, and the jar is
//! kept.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use include_dir::{Dir, include_dir};
use livius_domain::hex::hex;
use sha2::{Digest as _, Sha256};
use zip::write::SimpleFileOptions;

use crate::bounded::{Run, RunError};
use crate::files::{Patience, Workshop};
use crate::{Environment, Installation, Java};

static SOURCE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../agent");

const COMPILE_LIMIT: Duration = Duration::from_mins(5);
/// How long a process waits for another one that compiles.
const WAIT_LIMIT: Duration = Duration::from_mins(6);
const JAR: &str = "livius-agent.jar";

/// The reason why there is no agent for a Spark.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// Files could not be written.
    #[error("keep the agent in {dir}")]
    Keep {
        /// The directory.
        dir: Utf8PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// The compiler did not run to its end.
    #[error("run the Scala compiler of Spark at {home}")]
    Run {
        /// The Spark.
        home: Utf8PathBuf,
        /// The cause.
        #[source]
        source: RunError,
    },
    /// The compiler refused the agent.
    #[error("compile the agent with Scala {scala} of Spark at {home}:\n{said}")]
    Refused {
        /// The Spark.
        home: Utf8PathBuf,
        /// Its Scala.
        scala: String,
        /// The end of the compiler's output.
        said: String,
    },
    /// The jar could not be put together.
    #[error("pack the agent's jar")]
    Pack(#[source] io::Error),
}

/// A compiled agent. Its directory also caches other facts about this Spark and this Java.
#[derive(Debug, Clone)]
pub(crate) struct Agent {
    pub(crate) dir: Utf8PathBuf,
}

impl Agent {
    /// Its jar.
    pub(crate) fn jar(&self) -> Utf8PathBuf {
        self.dir.join(JAR)
    }

    /// The agent with this jar.
    pub(crate) fn of_jar(jar: &Utf8Path) -> Self {
        let dir = jar.parent().unwrap_or(Utf8Path::new("."));
        Self {
            dir: dir.to_owned(),
        }
    }

    /// The agent of this Spark and Java, compiled or not.
    fn place(agents: &Utf8Path, spark: &Installation, java: &Java) -> Self {
        Self {
            dir: agents.join(fingerprint(spark, java)),
        }
    }

    /// Finds an agent that was compiled before.
    pub(crate) fn find(agents: &Utf8Path, spark: &Installation, java: &Java) -> Option<Self> {
        let agent = Self::place(agents, spark, java);
        agent.jar().is_file().then_some(agent)
    }

    /// Finds an agent or compiles it. When several processes try at once, one compiles and the
    /// others call `waiting` and wait.
    pub(crate) fn ensure(
        agents: &Utf8Path,
        spark: &Installation,
        java: &Java,
        environment: &Environment,
        waiting: &dyn Fn(),
    ) -> Result<Self, AgentError> {
        if let Some(agent) = Self::find(agents, spark, java) {
            return Ok(agent);
        }
        let agent = Self::place(agents, spark, java);
        let keep = |source| AgentError::Keep {
            dir: agent.dir.clone(),
            source,
        };
        let name = fingerprint(spark, java);
        let patience = Patience {
            limit: WAIT_LIMIT,
            begins: waiting,
        };
        if let Some(workshop) = Workshop::enter(agents, &name, &patience).map_err(keep)? {
            let classes = compile(workshop.dir(), spark, java, environment)?;
            pack(&workshop.dir().join(JAR), &classes).map_err(AgentError::Pack)?;
            fs::remove_dir_all(workshop.dir().join("source")).map_err(keep)?;
            fs::remove_dir_all(&classes).map_err(keep)?;
            workshop.finish().map_err(keep)?;
        }
        Ok(agent)
    }
}

/// Names an agent by everything that it depends on: its source, the Spark's home and jars, the
/// Java.
fn fingerprint(spark: &Installation, java: &Java) -> String {
    let mut hash = Sha256::new();
    let mut add = |part: &[u8]| {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    };
    for (path, content) in source_files() {
        add(path.as_str().as_bytes());
        add(content);
    }
    add(spark.home.as_str().as_bytes());
    for jar in &spark.jars {
        add(jar.name.as_bytes());
        add(&jar.size.to_le_bytes());
    }
    add(java.home.as_str().as_bytes());
    add(java.version.as_bytes());
    hex(&hash.finalize()[..16])
}

/// All files of the agent, sorted, without tests and without caches of interpreters.
fn source_files() -> Vec<(&'static Utf8Path, &'static [u8])> {
    let mut files = Vec::new();
    collect(&SOURCE, &mut files);
    files.sort_unstable();
    files
}

fn collect(dir: &'static Dir<'static>, files: &mut Vec<(&'static Utf8Path, &'static [u8])>) {
    for file in dir.files() {
        let path = Utf8Path::from_path(file.path()).expect("the agent's files have ASCII names");
        let foreign = |part: &str| {
            matches!(part, "tests" | "__pycache__" | "target") || part.starts_with('.')
        };
        if !path.components().any(|part| foreign(part.as_str())) {
            files.push((path, file.contents()));
        }
    }
    for dir in dir.dirs() {
        collect(dir, files);
    }
}

/// Compiles the Scala source and returns the directory of its classes.
fn compile(
    dir: &Utf8Path,
    spark: &Installation,
    java: &Java,
    environment: &Environment,
) -> Result<Utf8PathBuf, AgentError> {
    let keep = |source| AgentError::Keep {
        dir: dir.to_owned(),
        source,
    };
    let classes = dir.join("classes");
    fs::create_dir(&classes).map_err(keep)?;
    let sources = write_sources(&dir.join("source"), &variants(spark)).map_err(keep)?;
    let done = Run::new(java.program(), &environment.for_tools(), COMPILE_LIMIT)
        // The compiler runs once and briefly. Optimising it would cost more than it saves.
        .args([
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "-Xss8m",
            "-cp",
            &spark.class_path(),
        ])
        .args([
            "scala.tools.nsc.Main",
            "-usejavacp",
            "-nowarn",
            "-encoding",
            "UTF-8",
            "-d",
            classes.as_str(),
        ])
        .args(&sources)
        .dir(dir)
        .finish()
        .map_err(|source| AgentError::Run {
            home: spark.home.clone(),
            source,
        })?;
    if done.status.success() {
        return Ok(classes);
    }
    Err(AgentError::Refused {
        home: spark.home.clone(),
        scala: spark.scala.to_string(),
        said: done.tail(40),
    })
}

/// The directories of Scala source that fit this Spark.
fn variants(spark: &Installation) -> [String; 3] {
    let hive = if spark.has_hive() {
        "hive"
    } else {
        "without-hive"
    };
    ["common".to_owned(), spark.scala_line(), hive.to_owned()]
}

fn write_sources(dir: &Utf8Path, variants: &[String]) -> io::Result<Vec<Utf8PathBuf>> {
    let mut written = Vec::new();
    for (path, content) in source_files() {
        let wanted = variants
            .iter()
            .any(|variant| path.starts_with(Utf8Path::new("scala").join(variant)));
        if wanted && path.extension() == Some("scala") {
            let target = dir.join(path);
            fs::create_dir_all(target.parent().expect("it was joined to a directory"))?;
            fs::write(&target, content)?;
            written.push(target);
        }
    }
    Ok(written)
}

/// Packs classes and resources. Entries are sorted and have no dates, so the same input gives the
/// same jar.
fn pack(jar: &Utf8Path, classes: &Utf8Path) -> io::Result<()> {
    let mut entries = vec![(
        "META-INF/MANIFEST.MF".to_owned(),
        b"Manifest-Version: 1.0\r\n\r\n".to_vec(),
    )];
    let mut content = Vec::new();
    read_classes(classes, classes, &mut content)?;
    for (path, bytes) in source_files() {
        if path.strip_prefix("python").is_ok() || path.strip_prefix("r").is_ok() {
            content.push((format!("livius/{path}"), bytes.to_vec()));
        }
    }
    content.sort_unstable();
    entries.extend(content);
    let options = SimpleFileOptions::default().last_modified_time(zip::DateTime::default());
    let mut writer = zip::ZipWriter::new(File::create(jar)?);
    for (name, bytes) in entries {
        writer.start_file(name, options).map_err(io::Error::other)?;
        writer.write_all(&bytes)?;
    }
    writer.finish().map_err(io::Error::other)?.sync_all()
}

fn read_classes(
    root: &Utf8Path,
    dir: &Utf8Path,
    content: &mut Vec<(String, Vec<u8>)>,
) -> io::Result<()> {
    for entry in dir.read_dir_utf8()? {
        let path = entry?.into_path();
        if path.is_dir() {
            read_classes(root, &path, content)?;
        } else {
            let name = path
                .strip_prefix(root)
                .map_err(io::Error::other)?
                .to_string();
            content.push((name, fs::read(&path)?));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spark::{Jar, Version};

    #[test]
    fn the_agents_source_is_aboard_without_tests_and_caches() {
        let paths: Vec<_> = source_files()
            .into_iter()
            .map(|(path, _)| path.as_str())
            .collect();
        assert!(paths.contains(&"scala/common/interpreters/Interpreter.scala"));
        assert!(
            !paths
                .iter()
                .any(|path| path.contains("tests/") || path.contains("__pycache__"))
        );
    }

    #[test]
    fn only_the_matching_scala_is_written_out() {
        let dir = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(dir.path()).unwrap();
        let written =
            write_sources(root, &variants(&spark(&["spark-hive_2.13-4.1.4.jar"]))).unwrap();
        assert!(written.contains(&root.join("scala/common/interpreters/Interpreter.scala")));
        assert!(written.contains(&root.join("scala/2.13/ScalaRepl.scala")));
        assert!(written.contains(&root.join("scala/hive/HiveOfJobs.scala")));
        let foreign = |path: &str| path.contains("/2.12/") || path.contains("/without-hive/");
        assert!(written.iter().all(|path| !foreign(path.as_str())));
    }

    #[test]
    fn a_spark_without_hive_gets_an_agent_without_it() {
        let jars = ["hive-storage-api-2.8.1.jar", "spark-sql_2.13-4.1.4.jar"];
        assert_eq!(variants(&spark(&jars)), ["common", "2.13", "without-hive"]);
    }

    fn spark(jars: &[&str]) -> Installation {
        Installation {
            home: "/opt/spark".into(),
            version: Version::parse("4.1.4").unwrap(),
            scala: Version::parse("2.13.17").unwrap(),
            jars: jars
                .iter()
                .map(|&name| Jar {
                    name: name.to_owned(),
                    size: 1,
                })
                .collect(),
        }
    }

    #[test]
    fn a_jar_is_the_same_each_time() {
        let dir = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(dir.path()).unwrap();
        fs::create_dir_all(root.join("classes/livius/agent")).unwrap();
        fs::write(root.join("classes/livius/agent/Main.class"), "x").unwrap();
        let jars = [root.join("one.jar"), root.join("two.jar")];
        for jar in &jars {
            pack(jar, &root.join("classes")).unwrap();
        }
        assert_eq!(fs::read(&jars[0]).unwrap(), fs::read(&jars[1]).unwrap());
    }
}
