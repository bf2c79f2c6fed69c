//! Reads Spark's configuration directory: default settings and environment.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use crate::bounded::{Run, RunError};
use crate::{Environment, Installation, properties};

const SCRIPT_LIMIT: Duration = Duration::from_secs(30);

/// The reason why the configuration directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfError {
    /// A file cannot be read.
    #[error("read {path}")]
    File {
        /// The file.
        path: Utf8PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// The script does not end.
    #[error("run {path}")]
    Script {
        /// The script.
        path: Utf8PathBuf,
        /// The cause.
        #[source]
        source: RunError,
    },
    /// The script fails.
    #[error("run {path}; it said: {said}")]
    ScriptFailed {
        /// The script.
        path: Utf8PathBuf,
        /// The end of its output.
        said: String,
    },
}

/// Spark's configuration directory and its content.
#[derive(Debug)]
pub struct SparkConf {
    /// The directory, if there is one.
    pub dir: Option<Utf8PathBuf>,
    /// `spark-defaults.conf`.
    pub defaults: BTreeMap<String, String>,
    /// `java-opts`: options for every JVM that Spark's scripts start.
    pub java_options: String,
    /// The environment after `spark-env.sh`.
    pub environment: BTreeMap<String, String>,
}

impl SparkConf {
    /// Reads the directory of an installation, or the one that `SPARK_CONF_DIR` names instead.
    pub fn read(spark: &Installation, environment: &Environment) -> Result<Self, ConfError> {
        let dir = environment
            .path("SPARK_CONF_DIR")
            .unwrap_or_else(|| spark.home.join("conf"));
        let mut variables = environment.inherited();
        // `spark-submit` sets it, so that all Pythons agree on the hashes of texts.
        variables.insert("PYTHONHASHSEED".to_owned(), "0".to_owned());
        if !dir.is_dir() {
            return Ok(Self {
                dir: None,
                defaults: BTreeMap::new(),
                java_options: String::new(),
                environment: variables,
            });
        }
        let defaults = properties::read(&text_of(dir.join("spark-defaults.conf"))?);
        let java_options = text_of(dir.join("java-opts"))?;
        let script = dir.join("spark-env.sh");
        if script.is_file() {
            // The script sees what it sees in `spark-submit`.
            let known = [
                ("SPARK_HOME", spark.home.as_str()),
                ("SPARK_CONF_DIR", dir.as_str()),
                ("SPARK_ENV_LOADED", "1"),
            ];
            variables.extend(known.map(|(name, value)| (name.to_owned(), value.to_owned())));
            variables = run_script(script, &variables)?;
        }
        Ok(Self {
            dir: Some(dir),
            defaults,
            java_options,
            environment: variables,
        })
    }

    /// The configuration directories that belong on the class path.
    pub fn directories(&self) -> Vec<Utf8PathBuf> {
        let named = ["HADOOP_CONF_DIR", "YARN_CONF_DIR"]
            .into_iter()
            .filter_map(|name| self.environment.get(name));
        let mut found: Vec<Utf8PathBuf> = self.dir.iter().cloned().collect();
        for dir in named.map(Utf8Path::new).filter(|dir| dir.is_dir()) {
            if !found.iter().any(|known| known == dir) {
                found.push(dir.to_owned());
            }
        }
        found
    }
}

/// The content of a file. A file that is not there is empty.
fn text_of(path: Utf8PathBuf) -> Result<String, ConfError> {
    match std::fs::read(&path) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        Err(source) => Err(ConfError::File { path, source }),
    }
}

/// Runs `spark-env.sh` as Spark's own scripts do, exports every assignment, and returns the
/// variables.
fn run_script(
    path: Utf8PathBuf,
    variables: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, ConfError> {
    let script = r#"set -a; . "$0" >&2; set +a; exec env -0"#;
    let done = Run::new("bash", variables, SCRIPT_LIMIT)
        .args(["-c", script, path.as_str()])
        .finish()
        .map_err(|source| ConfError::Script {
            path: path.clone(),
            source,
        })?;
    if !done.status.success() {
        return Err(ConfError::ScriptFailed {
            path,
            said: done.tail(10),
        });
    }
    let text = String::from_utf8_lossy(&done.stdout);
    // Drop the variables that bash sets for itself.
    let own = |name: &str| {
        matches!(name, "_" | "SHLVL" | "PWD" | "OLDPWD") && !variables.contains_key(name)
    };
    let pairs = text.split('\0').filter_map(|entry| entry.split_once('='));
    Ok(pairs
        .filter(|(name, _)| !own(name))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spark::Version;

    fn installation(home: &Utf8Path) -> Installation {
        let version = |text| Version::parse(text).unwrap();
        Installation {
            home: home.to_owned(),
            version: version("4.1.4"),
            scala: version("2.13.17"),
            jars: Vec::new(),
        }
    }

    #[test]
    fn defaults_and_environment_come_from_the_directory() {
        let temp = tempfile::tempdir().unwrap();
        let home = Utf8Path::from_path(temp.path()).unwrap();
        let conf = home.join("conf");
        std::fs::create_dir(&conf).unwrap();
        std::fs::write(conf.join("spark-defaults.conf"), "spark.master  local[3]\n").unwrap();
        std::fs::write(
            conf.join("spark-env.sh"),
            "echo noise\nHADOOP_CONF_DIR=$SPARK_HOME/conf\nX='a\nb'\nY=\"$SPARK_CONF_DIR $SPARK_ENV_LOADED $PYTHONHASHSEED\"\n",
        )
        .unwrap();
        std::fs::write(conf.join("java-opts"), "-Da=1\n-Db=2\n").unwrap();
        let environment = Environment::new([("PATH".to_owned(), "/usr/bin:/bin".to_owned())]);
        let read = SparkConf::read(&installation(home), &environment).unwrap();
        assert_eq!(
            read.defaults,
            BTreeMap::from([("spark.master".to_owned(), "local[3]".to_owned())])
        );
        assert_eq!(read.environment["X"], "a\nb");
        assert_eq!(read.environment["Y"], format!("{conf} 1 0"));
        assert_eq!(read.java_options, "-Da=1\n-Db=2\n");
        assert!(!read.environment.contains_key("SHLVL"));
        assert_eq!(read.directories(), std::slice::from_ref(&conf));

        std::fs::write(conf.join("spark-env.sh"), "echo broken >&2; exit 4\n").unwrap();
        let error = SparkConf::read(&installation(home), &environment).unwrap_err();
        assert!(matches!(error, ConfError::ScriptFailed { said, .. } if said == "broken"));
    }

    #[test]
    fn no_directory_is_no_mistake() {
        let read = SparkConf::read(
            &installation(Utf8Path::new("/no/spark")),
            &Environment::default(),
        )
        .unwrap();
        assert_eq!((read.dir, read.defaults.len()), (None, 0));
    }
}
