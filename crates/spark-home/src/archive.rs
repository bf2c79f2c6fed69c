//! Archives of Spark's classes. A JVM that starts from one need not parse and verify thousands of
//! classes, which is half the work of a driver's start.
//!
//! The JVM makes an archive at the end of a training run, for one Java and one list of jars. It
//! checks both before it uses an archive, and ignores one that does not fit. It does not survive an
//! archive that was cut off, so the length is kept beside the archive and compared at each launch.

use std::fs;
use std::io;
use std::time::{Duration, SystemTime};

use camino::{Utf8Path, Utf8PathBuf};
use livius_domain::hex::hex;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::agent::Agent;
use crate::bounded::{Run, RunError};
use crate::files::{self, Patience, Workshop};
use crate::flags::Flags;
use crate::{Environment, Installation, Java};

/// The first Java that makes archives of an application's classes.
const FIRST_JAVA: u32 = 13;
/// Counts changes of the training that make earlier archives worth replacing.
const TRAINING: u32 = 1;
/// A training run takes half a minute on a quiet machine.
const LIMIT: Duration = Duration::from_mins(10);
/// The archives that are kept, newest first: one has about 150 MB.
const KEPT: usize = 4;
const ARCHIVE: &str = "classes.jsa";
const FACTS: &str = "archive.json";
/// The last word of a training run that did all of its work.
const DONE: &str = "livius-training done";

/// The reason why there is no archive.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// This Java cannot make one.
    #[error("make a class archive with Java {0}: it needs Java {FIRST_JAVA} or newer")]
    OldJava(u32),
    /// Files could not be written.
    #[error("keep the class archive in {dir}")]
    Keep {
        /// The directory.
        dir: Utf8PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// The training run did not end by itself.
    #[error("run Spark to make a class archive")]
    Run(#[source] RunError),
    /// The training run failed.
    #[error("run Spark to make a class archive; it said:\n{0}")]
    Failed(String),
}

/// The facts about a complete archive.
#[derive(Debug, Serialize, Deserialize)]
struct Facts {
    bytes: u64,
}

/// The place of the archive for one Spark and one Java, made or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archive {
    archives: Utf8PathBuf,
    name: String,
}

/// The parts that a training run needs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Trainee<'a> {
    pub(crate) spark: &'a Installation,
    pub(crate) java: &'a Java,
    pub(crate) flags: &'a Flags,
    pub(crate) agent: &'a Agent,
    pub(crate) environment: &'a Environment,
}

impl Archive {
    /// The directory of archives, below the runtimes directory.
    const ARCHIVES: &str = "archives";

    /// Names the archive by everything that it depends on: the Java, the jars and their order.
    pub fn place(runtimes: &Utf8Path, spark: &Installation, java: &Java, flags: &Flags) -> Self {
        let mut hash = Sha256::new();
        let mut add = |part: &str| {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        };
        add(&TRAINING.to_string());
        add(java.home.as_str());
        add(&java.version);
        for jar in &spark.jars {
            add(&jar.name);
            add(&jar.size.to_string());
        }
        add(&class_path(spark, flags));
        Self {
            archives: runtimes.join(Self::ARCHIVES),
            name: hex(&hash.finalize()[..16]),
        }
    }

    /// The file, if it is there and complete.
    pub fn usable(&self) -> Option<Utf8PathBuf> {
        let dir = self.dir();
        let facts: Facts = serde_json::from_slice(&fs::read(dir.join(FACTS)).ok()?).ok()?;
        let file = dir.join(ARCHIVE);
        let is_whole = fs::metadata(&file).is_ok_and(|found| found.len() == facts.bytes);
        is_whole.then_some(file)
    }

    /// Finds the archive or makes it. When several processes try at once, one makes it and the
    /// others call `waiting` and wait.
    pub(crate) fn ensure(
        &self,
        trainee: Trainee<'_>,
        waiting: &dyn Fn(),
    ) -> Result<Utf8PathBuf, ArchiveError> {
        let keep = |source| ArchiveError::Keep {
            dir: self.dir(),
            source,
        };
        if let Some(file) = self.usable() {
            return Ok(file);
        }
        let java = trainee.java.major;
        if java < FIRST_JAVA {
            return Err(ArchiveError::OldJava(java));
        }
        let broken = self.dir();
        if broken.exists() && self.usable().is_none() {
            fs::remove_dir_all(&broken).map_err(keep)?;
        }
        let patience = Patience {
            limit: LIMIT,
            begins: waiting,
        };
        let workshop = Workshop::enter(&self.archives, &self.name, &patience).map_err(keep)?;
        if let Some(workshop) = workshop {
            train(workshop.dir(), trainee)?;
            let bytes = fs::metadata(workshop.dir().join(ARCHIVE))
                .map_err(keep)?
                .len();
            let facts = serde_json::to_vec(&Facts { bytes }).map_err(io::Error::other);
            let facts = facts.map_err(keep)?;
            files::write_private(&workshop.dir().join(FACTS), &facts).map_err(keep)?;
            workshop.finish().map_err(keep)?;
            prune(&self.archives, &self.name).map_err(keep)?;
        }
        Ok(self.dir().join(ARCHIVE))
    }

    fn dir(&self) -> Utf8PathBuf {
        self.archives.join(&self.name)
    }
}

/// Spark's jars in a fixed order: this Spark's first ones first. A class path must begin with
/// exactly this list for an archive to be used.
pub(crate) fn class_path(spark: &Installation, flags: &Flags) -> String {
    let first = &flags.first_jars;
    let others = spark
        .jars
        .iter()
        .map(|jar| &jar.name)
        .filter(|name| !first.contains(name));
    let jars = first.iter().chain(others);
    let paths: Vec<String> = jars
        .map(|name| spark.jar_path(name).into_string())
        .collect();
    paths.join(":")
}

/// Runs the agent's training, whose JVM writes the archive when it exits.
fn train(dir: &Utf8Path, trainee: Trainee<'_>) -> Result<(), ArchiveError> {
    let Trainee {
        spark,
        java,
        flags,
        agent,
        environment,
    } = trainee;
    let work = dir.join("work");
    let keep = |source| ArchiveError::Keep {
        dir: dir.to_owned(),
        source,
    };
    fs::create_dir(&work).map_err(keep)?;
    let launch = work.join("launch.json");
    let document = r#"{"v":1,"driver":"training","servers":[],"token":"","kind":"shared"}"#;
    files::write_private(&launch, document.as_bytes()).map_err(keep)?;
    let properties = work.join("spark.properties");
    files::write_private(&properties, b"spark.master=local[2]\n").map_err(keep)?;
    let mut variables = environment.for_tools();
    variables.insert("SPARK_HOME".to_owned(), spark.home.to_string());
    variables.insert("JAVA_HOME".to_owned(), java.home.to_string());
    variables.insert("SPARK_LOCAL_IP".to_owned(), "127.0.0.1".to_owned());
    variables.remove("SPARK_CONF_DIR");
    let done = Run::new(java.program(), &variables, LIMIT)
        .args(&flags.jvm)
        .args([
            "-Xmx512m",
            "-XX:+PerfDisableSharedMem",
            // The JVM lists each class that it leaves out.
            "-Xlog:disable",
            &format!("-Djava.io.tmpdir={work}"),
            &format!("-XX:ArchiveClassesAtExit={}", dir.join(ARCHIVE)),
        ])
        .args([
            "-cp",
            &class_path(spark, flags),
            "org.apache.spark.deploy.SparkSubmit",
        ])
        .args([
            "--properties-file",
            properties.as_str(),
            "--class",
            "livius.agent.Training",
        ])
        // The agent's jar is not on the class path, so that the archive outlives the agent.
        .args([agent.jar().as_str(), launch.as_str()])
        .dir(&work)
        .with_lifeline()
        .finish()
        .map_err(ArchiveError::Run)?;
    let said_done = String::from_utf8_lossy(&done.stdout).contains(DONE);
    if !said_done || !dir.join(ARCHIVE).is_file() {
        return Err(ArchiveError::Failed(done.tail(30)));
    }
    fs::remove_dir_all(&work).map_err(keep)
}

/// Removes all archives but the newest ones. A JVM that uses a removed archive keeps its pages.
fn prune(archives: &Utf8Path, newest: &str) -> io::Result<()> {
    let mut made = Vec::new();
    for entry in archives.read_dir_utf8()? {
        let entry = entry?;
        // Locks and unfinished archives begin with a dot.
        if entry.file_name() != newest && !entry.file_name().starts_with('.') {
            let time = entry.metadata()?.modified()?;
            made.push((time, entry.into_path()));
        }
    }
    made.sort_unstable_by_key(|(time, _): &(SystemTime, _)| std::cmp::Reverse(*time));
    for (_, old) in made.into_iter().skip(KEPT - 1) {
        fs::remove_dir_all(old)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::java::Origin;
    use crate::spark::{Jar, Version};

    fn spark(jars: &[(&str, u64)]) -> Installation {
        let jars = jars.iter().map(|&(name, size)| Jar {
            name: name.to_owned(),
            size,
        });
        Installation {
            home: "/opt/spark".into(),
            version: Version::parse("4.1.4").unwrap(),
            scala: Version::parse("2.13.17").unwrap(),
            jars: jars.collect(),
        }
    }

    fn java(version: &str) -> Java {
        Java {
            home: "/opt/java".into(),
            version: version.to_owned(),
            major: 17,
            origin: Origin::Configured,
        }
    }

    fn flags(first: &[&str]) -> Flags {
        Flags {
            jvm: Vec::new(),
            first_jars: first.iter().map(|&name| name.to_owned()).collect(),
        }
    }

    fn place(spark: &Installation, java: &Java, flags: &Flags) -> Archive {
        Archive::place("/runtimes".into(), spark, java, flags)
    }

    #[test]
    fn the_first_jars_come_first() {
        let spark = spark(&[("a.jar", 1), ("b.jar", 1), ("c.jar", 1)]);
        assert_eq!(
            class_path(&spark, &flags(&["b.jar"])),
            "/opt/spark/jars/b.jar:/opt/spark/jars/a.jar:/opt/spark/jars/c.jar"
        );
    }

    #[test]
    fn another_jar_order_or_java_needs_another_archive() {
        let jars = [("a.jar", 1), ("b.jar", 1)];
        let usual = place(&spark(&jars), &java("17.0.15"), &flags(&[]));
        assert_eq!(
            usual,
            place(&spark(&jars), &java("17.0.15"), &flags(&["a.jar"]))
        );
        for other in [
            place(
                &spark(&[("a.jar", 1), ("b.jar", 2)]),
                &java("17.0.15"),
                &flags(&[]),
            ),
            place(&spark(&jars), &java("17.0.16"), &flags(&[])),
            place(&spark(&jars), &java("17.0.15"), &flags(&["b.jar"])),
        ] {
            assert_ne!(other, usual);
        }
    }

    #[test]
    fn only_a_whole_archive_is_used() {
        let dir = tempfile::tempdir().unwrap();
        let runtimes = Utf8Path::from_path(dir.path()).unwrap();
        let archive = Archive::place(runtimes, &spark(&[]), &java("17"), &flags(&[]));
        assert_eq!(archive.usable(), None, "there is none");
        fs::create_dir_all(archive.dir()).unwrap();
        let file = archive.dir().join(ARCHIVE);
        fs::write(&file, "classes").unwrap();
        assert_eq!(archive.usable(), None, "nobody says that it is complete");
        fs::write(archive.dir().join(FACTS), r#"{"bytes":7}"#).unwrap();
        assert_eq!(archive.usable(), Some(file.clone()));
        fs::write(&file, "cla").unwrap();
        assert_eq!(archive.usable(), None, "it was cut off");
    }

    #[test]
    fn the_oldest_archives_go() {
        let dir = tempfile::tempdir().unwrap();
        let archives = Utf8Path::from_path(dir.path()).unwrap();
        let start = SystemTime::UNIX_EPOCH + Duration::from_hours(24);
        for number in 0..7_u32 {
            let one = archives.join(number.to_string());
            fs::create_dir(&one).unwrap();
            let made = start + Duration::from_secs(number.into());
            fs::File::open(&one).unwrap().set_modified(made).unwrap();
        }
        fs::write(archives.join(".lock"), "").unwrap();
        prune(archives, "2").unwrap();
        let mut left: Vec<String> = archives
            .read_dir_utf8()
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_owned())
            .collect();
        left.sort_unstable();
        assert_eq!(left, [".lock", "2", "4", "5", "6"]);
    }
}
