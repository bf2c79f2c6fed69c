//! Finds a Java and judges whether it fits a Spark.

use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;

use crate::Environment;
use crate::bounded::{Run, RunError};
use crate::spark::Version;

const PROBE_LIMIT: Duration = Duration::from_secs(30);

/// A Java runtime.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Java {
    /// Its directory, `JAVA_HOME`.
    pub home: Utf8PathBuf,
    /// Its full version, such as `17.0.15` or `1.8.0_402`.
    pub version: String,
    /// Its major version: 8, 11, 17, 21, …
    pub major: u32,
    /// Its origin.
    pub origin: Origin,
}

/// The place where something was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The configuration names it.
    Configured,
    /// `JAVA_HOME` or `SPARK_HOME`.
    Environment,
    /// A program on the `PATH`.
    Path,
    /// `livius setup` installed it.
    Managed,
}

/// The reason why there is no Java.
#[derive(Debug, thiserror::Error)]
pub enum JavaError {
    /// There is none anywhere.
    #[error("find Java: JAVA_HOME is not set, there is no `java` on the PATH, and none was set up")]
    Missing,
    /// It does not run.
    #[error("ask {program} for its version")]
    Run {
        /// The program.
        program: Utf8PathBuf,
        /// The cause.
        #[source]
        source: RunError,
    },
    /// It runs, but it is not a Java.
    #[error("understand what {program} says of its version: {said}")]
    Nonsense {
        /// The program.
        program: Utf8PathBuf,
        /// Its output.
        said: String,
    },
    /// Every Java that was found is too old.
    #[error("use Java {found} for Spark {spark}: it needs Java {needed} or newer")]
    TooOld {
        /// The Java that was found, and its place.
        found: String,
        /// The Spark.
        spark: Version,
        /// The oldest Java for this Spark.
        needed: u32,
    },
}

impl JavaError {
    /// A hint for the user.
    pub fn hint(&self) -> String {
        match self {
            Self::Missing | Self::TooOld { .. } => {
                "set JAVA_HOME to a fitting Java, install one (Debian, Ubuntu: apt install openjdk-17-jre-headless), or run \
                 `livius setup`"
            }
            Self::Run { .. } | Self::Nonsense { .. } => "check JAVA_HOME and the `java` on the PATH, or run `livius setup`",
        }
        .to_owned()
    }
}

/// The judgement of a Java for a Spark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// Spark's documentation names it.
    Supported,
    /// It is newer than the versions in the documentation. It often works.
    Untested,
    /// It is too old to work.
    TooOld,
}

/// The oldest and the newest Java that a Spark's documentation names.
pub(crate) fn documented(spark: &Version) -> (u32, u32) {
    match spark.line() {
        (3, 0..=2) => (8, 11),
        (3, _) => (8, 17),
        (4, 0 | 1) => (17, 21),
        _ => (17, 25),
    }
}

/// Judges whether a Java of this major version can run a Spark.
pub fn fit(spark: &Version, major: u32) -> Fit {
    let (oldest, newest) = documented(spark);
    if major < oldest {
        Fit::TooOld
    } else if major > newest {
        Fit::Untested
    } else {
        Fit::Supported
    }
}

impl Java {
    /// The `java` program.
    pub fn program(&self) -> Utf8PathBuf {
        self.home.join("bin/java")
    }

    /// Tells whether it reads options from a file that is named as `@<file>`.
    pub fn reads_argument_files(&self) -> bool {
        self.major >= 9
    }

    /// Asks a `java` program which Java it is.
    pub fn probe(
        program: &Utf8Path,
        origin: Origin,
        environment: &Environment,
    ) -> Result<Self, JavaError> {
        let done = Run::new(program, &environment.for_tools(), PROBE_LIMIT)
            .args(["-XshowSettings:properties", "-version"])
            .finish()
            .map_err(|source| JavaError::Run {
                program: program.to_owned(),
                source,
            })?;
        let said = format!(
            "{}{}",
            String::from_utf8_lossy(&done.stderr),
            String::from_utf8_lossy(&done.stdout)
        );
        let parsed = done
            .status
            .success()
            .then(|| parse_settings(&said))
            .flatten();
        let nonsense = || JavaError::Nonsense {
            program: program.to_owned(),
            said: done.tail(3),
        };
        let (home, version, major) = parsed.ok_or_else(nonsense)?;
        Ok(Self {
            home,
            version,
            major,
            origin,
        })
    }

    /// Finds a Java for a Spark: the configured one, `JAVA_HOME`, the `PATH`, or one that was set
    /// up, in this order.
    pub fn find(
        environment: &Environment,
        configured: Option<&Utf8Path>,
        managed: &[Utf8PathBuf],
        spark: &Version,
    ) -> Result<Self, JavaError> {
        let mut problem = None;
        for (program, origin) in candidates(environment, configured, managed) {
            let refusal = match Self::probe(&program, origin, environment) {
                Ok(java) if fit(spark, java.major) != Fit::TooOld => return Ok(java),
                Ok(java) => too_old(&java, spark),
                Err(error) => error,
            };
            if origin == Origin::Configured {
                return Err(refusal);
            }
            problem.get_or_insert(refusal);
        }
        Err(problem.unwrap_or(JavaError::Missing))
    }

    /// A warning about its use with a Spark, if there is one.
    pub fn warning(&self, spark: &Version) -> Option<String> {
        let (_, newest) = documented(spark);
        (fit(spark, self.major) == Fit::Untested).then(|| {
            format!(
                "Spark {spark} is documented for Java up to {newest}; Java {} may or may not work",
                self.major
            )
        })
    }
}

fn too_old(java: &Java, spark: &Version) -> JavaError {
    let found = format!("{} at {}", java.version, java.home);
    JavaError::TooOld {
        found,
        spark: spark.clone(),
        needed: documented(spark).0,
    }
}

fn candidates(
    environment: &Environment,
    configured: Option<&Utf8Path>,
    managed: &[Utf8PathBuf],
) -> Vec<(Utf8PathBuf, Origin)> {
    let program = |home: &Utf8Path| home.join("bin/java");
    let mut found = Vec::new();
    found.extend(configured.map(|home| (program(home), Origin::Configured)));
    found.extend(
        environment
            .path("JAVA_HOME")
            .map(|home| (program(&home), Origin::Environment)),
    );
    found.extend(
        environment
            .program("java")
            .map(|program| (program, Origin::Path)),
    );
    found.extend(managed.iter().map(|home| (program(home), Origin::Managed)));
    found
}

/// Reads `java.home` and `java.version` from what `-XshowSettings:properties` prints.
fn parse_settings(said: &str) -> Option<(Utf8PathBuf, String, u32)> {
    let value = |name: &str| {
        said.lines().find_map(|line| {
            line.trim()
                .strip_prefix(name)?
                .trim_start()
                .strip_prefix('=')
                .map(str::trim)
        })
    };
    let version = value("java.version")?;
    let mut numbers = version.split(['.', '-', '_', '+']);
    let major = match numbers.next()?.parse().ok()? {
        1 => numbers.next()?.parse().ok()?,
        major => major,
    };
    Some((value("java.home")?.into(), version.to_owned(), major))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_old_and_new_are_read() {
        let cases = [
            ("1.8.0_402", 8),
            ("11.0.13", 11),
            ("17.0.15", 17),
            ("21-ea", 21),
            ("25", 25),
            ("17.0.9+9", 17),
        ];
        for (version, major) in cases {
            let said = format!(
                "Property settings:\n    java.home = /opt/jdk\n    java.version = {version}\n    java.version.date = x\n"
            );
            assert_eq!(
                parse_settings(&said),
                Some(("/opt/jdk".into(), version.to_owned(), major)),
                "{version}"
            );
        }
        assert_eq!(parse_settings("bash: java: no"), None);
    }

    #[test]
    fn javas_fit_sparks_as_documented() {
        let cases = [
            (
                "3.0.3",
                [
                    (7, Fit::TooOld),
                    (8, Fit::Supported),
                    (11, Fit::Supported),
                    (17, Fit::Untested),
                ],
            ),
            (
                "3.3.4",
                [
                    (8, Fit::Supported),
                    (11, Fit::Supported),
                    (17, Fit::Supported),
                    (21, Fit::Untested),
                ],
            ),
            (
                "3.5.9",
                [
                    (8, Fit::Supported),
                    (17, Fit::Supported),
                    (21, Fit::Untested),
                    (25, Fit::Untested),
                ],
            ),
            (
                "4.0.1",
                [
                    (11, Fit::TooOld),
                    (17, Fit::Supported),
                    (21, Fit::Supported),
                    (25, Fit::Untested),
                ],
            ),
            (
                "4.3.0",
                [
                    (11, Fit::TooOld),
                    (17, Fit::Supported),
                    (21, Fit::Supported),
                    (25, Fit::Supported),
                ],
            ),
        ];
        for (spark, javas) in cases {
            for (major, expected) in javas {
                assert_eq!(
                    fit(&Version::parse(spark).unwrap(), major),
                    expected,
                    "Spark {spark}, Java {major}"
                );
            }
        }
    }

    #[test]
    fn a_configured_java_that_does_not_run_is_not_passed_over() {
        let environment = Environment::new([("PATH".to_owned(), "/usr/bin:/bin".to_owned())]);
        let spark = Version::parse("4.1.4").unwrap();
        let error =
            Java::find(&environment, Some(Utf8Path::new("/no/java")), &[], &spark).unwrap_err();
        assert!(matches!(error, JavaError::Run { program, .. } if program == "/no/java/bin/java"));
    }
}
