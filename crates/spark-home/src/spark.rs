//! Reads a Spark installation from its files, without starting a JVM.

use std::fmt;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;

/// A version such as `4.1.4` or `3.5.0.vendor-7`: its first two numbers, and the whole text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(into = "String")]
pub struct Version {
    /// The first number.
    pub major: u32,
    /// The second number.
    pub minor: u32,
    text: String,
}

impl Version {
    /// Reads a version: at least two numbers, followed by any text.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(['.', '-']);
        let major = parts.next()?.parse().ok()?;
        let minor = parts.next()?.parse().ok()?;
        Some(Self {
            major,
            minor,
            text: text.to_owned(),
        })
    }

    /// The first two numbers, as used in documentation.
    pub fn line(&self) -> (u32, u32) {
        (self.major, self.minor)
    }

    /// Its numbers up to the first part that is not a number. Comparing them tells the newer
    /// version.
    pub(crate) fn numbers(&self) -> Vec<u32> {
        self.text
            .split(['.', '-'])
            .map_while(|part| part.parse().ok())
            .collect()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<Version> for String {
    fn from(version: Version) -> Self {
        version.text
    }
}

/// A jar of an installation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Jar {
    /// Its file name.
    pub name: String,
    /// Its length in bytes.
    pub size: u64,
}

/// A Spark installation that drivers can be started from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Installation {
    /// Its directory, `SPARK_HOME`.
    pub home: Utf8PathBuf,
    /// Spark's version.
    pub version: Version,
    /// Scala's full version, such as `2.13.17`.
    pub scala: Version,
    /// The content of its `jars` directory, sorted by name.
    pub jars: Vec<Jar>,
}

/// The reason why a directory cannot be used as a Spark installation.
#[derive(Debug, thiserror::Error)]
pub enum SparkError {
    /// There is no such directory, or it cannot be read.
    #[error("read the Spark installation at {home}")]
    Unreadable {
        /// The directory.
        home: Utf8PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// There is no Spark in it.
    #[error("find Spark at {0}: it has no jars/spark-core_*.jar")]
    NoSpark(Utf8PathBuf),
    /// It can run neither the agent nor `spark-shell`.
    #[error("find the Scala compiler of Spark at {0}: it has no jars/scala-compiler-*.jar")]
    NoCompiler(Utf8PathBuf),
    /// It is too old.
    #[error("use Spark {version} at {home}: Spark 3.0 is the oldest that works")]
    TooOld {
        /// The directory.
        home: Utf8PathBuf,
        /// The version that was found.
        version: Version,
    },
    /// There is no agent for its Scala version.
    #[error("use Spark at {home} with Scala {scala}: Scala 2.12 and 2.13 are known")]
    UnknownScala {
        /// The directory.
        home: Utf8PathBuf,
        /// The version that was found.
        scala: Version,
    },
}

impl SparkError {
    /// A hint for the user.
    pub fn hint(&self) -> String {
        match self {
            Self::Unreadable { .. } | Self::NoSpark(_) => "point SPARK_HOME at a whole Spark distribution (the directory that \
                has `jars` and `bin`; for a Spark from PyPI the `pyspark` package itself), or run `livius setup`"
                .to_owned(),
            Self::NoCompiler(_) => "use a whole Spark distribution: every one that can run spark-shell has the compiler".to_owned(),
            Self::TooOld { .. } | Self::UnknownScala { .. } => "use Spark 3.x or 4.x, or run `livius setup`".to_owned(),
        }
    }
}

impl Installation {
    /// Looks at a directory.
    pub fn probe(home: &Utf8Path) -> Result<Self, SparkError> {
        let unreadable = |source| SparkError::Unreadable {
            home: home.to_owned(),
            source,
        };
        let home = home.canonicalize_utf8().map_err(unreadable)?;
        let jars = list_jars(&home.join("jars")).map_err(unreadable)?;
        let (scala_line, version) =
            core_version(&jars).ok_or_else(|| SparkError::NoSpark(home.clone()))?;
        if version.major < 3 {
            return Err(SparkError::TooOld { home, version });
        }
        let full =
            jar_version(&jars, "scala-library-").or_else(|| jar_version(&jars, "scala-compiler-"));
        let scala = full
            .or_else(|| Version::parse(&scala_line))
            .ok_or_else(|| SparkError::NoSpark(home.clone()))?;
        if !matches!(scala.line(), (2, 12 | 13)) {
            return Err(SparkError::UnknownScala { home, scala });
        }
        if jar_version(&jars, "scala-compiler-").is_none() {
            return Err(SparkError::NoCompiler(home));
        }
        Ok(Self {
            home,
            version,
            scala,
            jars,
        })
    }

    /// Scala's version as in the names of artefacts: `2.12` or `2.13`.
    pub fn scala_line(&self) -> String {
        format!("{}.{}", self.scala.major, self.scala.minor)
    }

    /// Tells whether it was built with Hive.
    pub(crate) fn has_hive(&self) -> bool {
        self.jars
            .iter()
            .any(|jar| jar.name.starts_with("spark-hive_"))
    }

    /// The full path of a jar.
    pub fn jar_path(&self, name: &str) -> Utf8PathBuf {
        self.home.join("jars").join(name)
    }

    /// All jars as a class path. They are sorted so that the class path never changes.
    pub(crate) fn class_path(&self) -> String {
        self.jars
            .iter()
            .map(|jar| self.jar_path(&jar.name).into_string())
            .collect::<Vec<_>>()
            .join(":")
    }

    /// Tells whether it brings Spark's R package.
    pub fn has_sparkr(&self) -> bool {
        self.home.join("R/lib/SparkR/DESCRIPTION").is_file()
    }
}

fn list_jars(dir: &Utf8Path) -> io::Result<Vec<Jar>> {
    let entries = match dir.read_dir_utf8() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    let mut jars = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.path().extension() == Some("jar") {
            // In some vendors' distributions the jars are symbolic links.
            let size = entry.path().metadata()?.len();
            jars.push(Jar {
                name: entry.file_name().to_owned(),
                size,
            });
        }
    }
    jars.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(jars)
}

/// Reads `2.13` and `4.1.4` from `spark-core_2.13-4.1.4.jar`.
fn core_version(jars: &[Jar]) -> Option<(String, Version)> {
    jars.iter().find_map(|jar| {
        let (scala, version) = jar
            .name
            .strip_prefix("spark-core_")?
            .strip_suffix(".jar")?
            .split_once('-')?;
        Some((scala.to_owned(), Version::parse(version)?))
    })
}

fn jar_version(jars: &[Jar], prefix: &str) -> Option<Version> {
    jars.iter()
        .find_map(|jar| Version::parse(jar.name.strip_prefix(prefix)?.strip_suffix(".jar")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probe(jars: &[&str]) -> Result<(String, String, String), String> {
        let dir = tempfile::tempdir().unwrap();
        let home = Utf8Path::from_path(dir.path()).unwrap();
        std::fs::create_dir(home.join("jars")).unwrap();
        for jar in jars {
            std::fs::write(home.join("jars").join(jar), "").unwrap();
        }
        let found = Installation::probe(home)
            .map_err(|error| error.to_string().replace(home.as_str(), "<home>"))?;
        Ok((
            found.version.to_string(),
            found.scala_line(),
            found.scala.to_string(),
        ))
    }

    #[test]
    fn versions_come_from_the_names_of_jars() {
        let good = [
            (
                [
                    "spark-core_2.13-4.1.4.jar",
                    "scala-library-2.13.17.jar",
                    "scala-compiler-2.13.17.jar",
                ],
                "4.1.4",
                "2.13",
                "2.13.17",
            ),
            (
                [
                    "spark-core_2.12-3.0.0.jar",
                    "scala-library-2.12.10.jar",
                    "scala-compiler-2.12.10.jar",
                ],
                "3.0.0",
                "2.12",
                "2.12.10",
            ),
            (
                [
                    "spark-core_2.12-3.3.2.3.3.7190.0-91.jar",
                    "scala-reflect-2.12.15.jar",
                    "scala-compiler-2.12.15.jar",
                ],
                "3.3.2.3.3.7190.0-91",
                "2.12",
                "2.12.15",
            ),
            (
                [
                    "spark-core_2.13-4.2.0-preview1.jar",
                    "x.jar",
                    "scala-compiler-2.13.16.jar",
                ],
                "4.2.0-preview1",
                "2.13",
                "2.13.16",
            ),
        ];
        for (jars, version, line, scala) in good {
            assert_eq!(
                probe(&jars),
                Ok((version.to_owned(), line.to_owned(), scala.to_owned()))
            );
        }
    }

    #[test]
    fn what_cannot_be_used_says_why() {
        let bad: [(&[&str], &str); 4] = [
            (&[], "find Spark at <home>: it has no jars/spark-core_*.jar"),
            (
                &["spark-core_2.13-4.1.4.jar", "scala-library-2.13.17.jar"],
                "find the Scala compiler of Spark at <home>: it has no jars/scala-compiler-*.jar",
            ),
            (
                &["spark-core_2.11-2.4.8.jar"],
                "use Spark 2.4.8 at <home>: Spark 3.0 is the oldest that works",
            ),
            (
                &["spark-core_3-5.0.0.jar", "scala-library-3.3.1.jar"],
                "use Spark at <home> with Scala 3.3.1: Scala 2.12 and 2.13 are known",
            ),
        ];
        for (jars, message) in bad {
            assert_eq!(probe(jars), Err(message.to_owned()));
        }
        assert!(matches!(
            Installation::probe(Utf8Path::new("/no/such/dir")),
            Err(SparkError::Unreadable { .. })
        ));
    }
}
