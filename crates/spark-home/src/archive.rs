//! Archives of Spark's classes. A JVM that starts from one need not parse and verify thousands of
//! classes, which is half the work of a driver's start.
//!
//! The JVM makes an archive at the end of a training run, for one Java and one list of jars. It
//! checks both before it uses an archive, and ignores one that does not fit. It does not survive an
//! archive that was cut off, so the length is kept beside the archive and compared at each launch.

mod base;
mod training;

use std::fs;
use std::io;
use std::time::{Duration, SystemTime};

use camino::{Utf8Path, Utf8PathBuf};
use livius_domain::hex::hex;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::agent::Agent;
use crate::bounded::{RunError, Stop};
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
/// The directory of archives, below the runtimes directory.
const ARCHIVES: &str = "archives";
const ARCHIVE: &str = "classes.jsa";
const FACTS: &str = "archive.json";

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
    /// The archive of Java's classes that it builds on, if it is not in the Java.
    #[serde(default)]
    base: Option<Base>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Base {
    file: Utf8PathBuf,
    bytes: u64,
}

impl Base {
    fn of(file: Utf8PathBuf) -> io::Result<Self> {
        let bytes = fs::metadata(&file)?.len();
        Ok(Self { file, bytes })
    }
}

/// The files of a complete archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveFiles {
    /// The archive of Spark's classes.
    pub classes: Utf8PathBuf,
    /// The archive of Java's classes that it builds on, if it is not in the Java.
    pub base: Option<Utf8PathBuf>,
}

impl ArchiveFiles {
    /// The JVM's option that names the files.
    pub fn jvm_option(&self) -> String {
        let Self { classes, base } = self;
        match base {
            None => format!("-XX:SharedArchiveFile={classes}"),
            Some(base) => format!("-XX:SharedArchiveFile={base}:{classes}"),
        }
    }
}

/// The place of the archive for one Spark and one Java, made or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archive {
    runtimes: Utf8PathBuf,
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
    /// Ends the run before it is done.
    pub(crate) stop: &'a Stop,
}

impl Archive {
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
            runtimes: runtimes.to_owned(),
            name: hex(&hash.finalize()[..16]),
        }
    }

    /// The files, if they are there and complete.
    pub fn usable(&self) -> Option<ArchiveFiles> {
        let dir = self.dir();
        let facts: Facts = serde_json::from_slice(&fs::read(dir.join(FACTS)).ok()?).ok()?;
        let classes = dir.join(ARCHIVE);
        let is_whole = |file: &Utf8Path, bytes: u64| {
            fs::metadata(file).is_ok_and(|found| found.len() == bytes)
        };
        let is_usable = is_whole(&classes, facts.bytes)
            && facts
                .base
                .as_ref()
                .is_none_or(|base| is_whole(&base.file, base.bytes));
        is_usable.then(|| ArchiveFiles {
            classes,
            base: facts.base.map(|base| base.file),
        })
    }

    /// Finds the archive or makes it. When several processes try at once, one makes it and the
    /// others call `waiting` and wait.
    pub(crate) fn ensure(
        &self,
        trainee: Trainee<'_>,
        waiting: &dyn Fn(),
    ) -> Result<ArchiveFiles, ArchiveError> {
        let keep = |source| ArchiveError::Keep {
            dir: self.dir(),
            source,
        };
        if let Some(files) = self.usable() {
            return Ok(files);
        }
        let java = trainee.java;
        if java.major < FIRST_JAVA {
            return Err(ArchiveError::OldJava(java.major));
        }
        let base = base::ensure(&self.runtimes, trainee, waiting)?;
        let broken = self.dir();
        if broken.exists() && self.usable().is_none() {
            fs::remove_dir_all(&broken).map_err(keep)?;
        }
        let patience = Patience {
            limit: LIMIT,
            begins: waiting,
        };
        let archives = self.runtimes.join(ARCHIVES);
        let workshop = Workshop::enter(&archives, &self.name, &patience).map_err(keep)?;
        if let Some(workshop) = workshop {
            training::train(workshop.dir(), trainee, base.as_deref())?;
            let bytes = fs::metadata(workshop.dir().join(ARCHIVE))
                .map_err(keep)?
                .len();
            let base = base.clone().map(Base::of).transpose().map_err(keep)?;
            let facts = serde_json::to_vec(&Facts { bytes, base }).map_err(io::Error::other);
            let facts = facts.map_err(keep)?;
            files::write_private(&workshop.dir().join(FACTS), &facts).map_err(keep)?;
            workshop.finish().map_err(keep)?;
            prune(&archives, &self.name).map_err(keep)?;
        }
        Ok(ArchiveFiles {
            classes: self.dir().join(ARCHIVE),
            base,
        })
    }

    fn dir(&self) -> Utf8PathBuf {
        self.runtimes.join(ARCHIVES).join(&self.name)
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
    use std::time::Instant;

    use super::*;
    use crate::java::Origin;
    use crate::spark::{Jar, Version};
    use crate::testing::write_program;

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
        let files = archive.usable().unwrap();
        assert_eq!(files.jvm_option(), format!("-XX:SharedArchiveFile={file}"));
        let base = runtimes.join("java.jsa");
        let facts = format!(r#"{{"bytes":7,"base":{{"file":"{base}","bytes":4}}}}"#);
        fs::write(archive.dir().join(FACTS), facts).unwrap();
        assert_eq!(archive.usable(), None, "its base is missing");
        fs::write(&base, "java").unwrap();
        let files = archive.usable().unwrap();
        assert_eq!(
            files.jvm_option(),
            format!("-XX:SharedArchiveFile={base}:{file}")
        );
        fs::write(&file, "cla").unwrap();
        assert_eq!(archive.usable(), None, "it was cut off");
    }

    /// A Java that runs this script, and needs no archive of its own classes.
    fn scripted_java(dir: &Utf8Path, script: &str) -> Java {
        let home = dir.join("java");
        fs::create_dir_all(home.join("lib/server")).unwrap();
        fs::write(home.join("lib/server/classes.jsa"), "").unwrap();
        write_program(&home.join("bin/java"), &format!("#!/bin/sh\n{script}\n"));
        Java {
            home,
            ..java("17.0.15")
        }
    }

    fn names_in(dir: &Utf8Path) -> Vec<String> {
        let entries = dir.read_dir_utf8().unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().to_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_run_that_is_stopped_leaves_nothing_and_the_next_one_makes_the_archive() {
        let dir = tempfile::tempdir().unwrap();
        let dir = Utf8Path::from_path(dir.path()).unwrap();
        let (spark, flags) = (spark(&[("a.jar", 1)]), flags(&[]));
        let (agent, environment) = (
            Agent::of_jar(&dir.join("agent.jar")),
            Environment::default(),
        );
        let started = dir.join("started");
        let half = format!("echo half > ../classes.jsa; touch {started}; sleep 86397");
        let whole = "echo whole > ../classes.jsa; echo livius-training done";
        let run = |script: &str, stop: &Stop| {
            let java = scripted_java(dir, script);
            let archive = Archive::place(dir, &spark, &java, &flags);
            let trainee = Trainee {
                spark: &spark,
                java: &java,
                flags: &flags,
                agent: &agent,
                environment: &environment,
                stop,
            };
            (archive.ensure(trainee, &|| ()), archive)
        };
        let stop = Stop::default();
        let (ended, archive) = std::thread::scope(|scope| {
            let running = scope.spawn(|| run(&half, &stop));
            let until = Instant::now() + Duration::from_secs(20);
            while !started.exists() {
                assert!(Instant::now() < until, "the run does not begin");
                std::thread::sleep(Duration::from_millis(10));
            }
            stop.stop();
            running.join().unwrap()
        });
        let stopped = matches!(ended, Err(ArchiveError::Run(RunError::Stopped { .. })));
        assert!(stopped, "{ended:?}");
        let lock = format!(".{}.lock", archive.name);
        assert_eq!(names_in(&dir.join(ARCHIVES)), [lock]);
        let (made, archive) = run(whole, &Stop::default());
        let made = made.unwrap();
        assert_eq!(fs::read_to_string(&made.classes).unwrap(), "whole\n");
        assert_eq!(archive.usable(), Some(made));
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
