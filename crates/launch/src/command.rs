//! A driver's command line and the files that go with it.
//!
//! We write Spark's launch line ourselves: it saves the JVM in which Spark would work it out, and it keeps the class path in an order that
//! class-data archives can use. What is secret is in files, never on the line nor in the environment.

mod application;
mod client;
mod environment;
mod launch_document;
mod standalone;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use livius_spark_home::{SparkConf, Toolchain, properties};

use crate::driver_dir::{DEFAULT_GRACE, DriverCommand, DriverDir};
use crate::java_options::{self, OptionError};
use crate::{Backend, DriverOrder, Program, Unsupported};

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
    /// No backend takes the driver.
    #[error(transparent)]
    Unsupported(#[from] Unsupported),
    /// Spark would take the file for something else.
    #[error("start the application {0}: write its file as an absolute path or as a URI")]
    File(String),
}

/// All that a driver is started from.
#[derive(Debug)]
pub(crate) struct LaunchPlan {
    pub(crate) command: DriverCommand,
    /// The files that the command names. Any may hold secrets.
    pub(crate) files: BTreeMap<Utf8PathBuf, String>,
}

impl LaunchPlan {
    /// Works out how to start a driver whose files are in `dir`.
    pub(crate) fn of(
        toolchain: &Toolchain,
        spark_conf: &SparkConf,
        order: &DriverOrder,
        dir: DriverDir,
    ) -> Result<Self, CommandError> {
        let mut conf = spark_conf.defaults.clone();
        conf.extend(order.conf.clone());
        if matches!(order.program, Program::Application { .. }) {
            application::listen(&mut conf);
        }
        let backend = Backend::resolve(&conf, order.proxy_user.as_deref())?;
        let builder = CommandBuilder {
            toolchain,
            spark_conf,
            order,
            dir,
            conf,
        };
        match backend {
            Backend::Local => client::plan(&builder),
            Backend::Standalone => standalone::plan(builder),
        }
    }
}

/// What the command line of a driver is made from.
struct CommandBuilder<'a> {
    toolchain: &'a Toolchain,
    /// What Spark's configuration directory holds.
    spark_conf: &'a SparkConf,
    order: &'a DriverOrder,
    dir: DriverDir,
    /// The whole configuration, the installation's defaults among it.
    conf: BTreeMap<String, String>,
}

impl CommandBuilder<'_> {
    fn setting(&self, key: &str) -> Option<&str> {
        self.conf.get(key).map(String::as_str)
    }

    /// A JVM's options that are not the user's. They come first, so that the user's can override them.
    fn own_options(&self, heap_mebibytes: u64) -> Vec<String> {
        let mut options = self.toolchain.flags.jvm.clone();
        options.push(format!("-Xmx{heap_mebibytes}m"));
        // Performance counters stay in memory and temporary files in the driver's directory: a killed driver leaves nothing in /tmp.
        options.push("-XX:+PerfDisableSharedMem".to_owned());
        options.push(format!("-Djava.io.tmpdir={}", self.dir.temporary()));
        options
    }

    /// What the administrator wants for whatever `spark-submit` starts here.
    fn options_of_submit(&self) -> Result<Vec<String>, CommandError> {
        let key = "SPARK_SUBMIT_OPTS";
        split(key, self.spark_conf.environment.get(key))
    }

    /// Parts options into those for a file, which is told by name, and those for the line. Any may hold a password, so all that can be
    /// are in the file: in one, Java does not look for other files, and an old Java takes none at all.
    fn placed(&self, options: Vec<String>) -> (Vec<String>, Option<String>) {
        let fits = self.toolchain.found.java.reads_argument_files();
        let (in_file, on_line): (Vec<_>, Vec<_>) = options
            .into_iter()
            .partition(|option| fits && !option.starts_with('@'));
        if in_file.is_empty() {
            return (on_line, None);
        }
        let mut line = vec![format!("@{}", self.dir.java_options())];
        line.extend(on_line);
        (line, Some(java_options::argument_file(&in_file)))
    }

    /// Spark's jars in an order that never changes, the agent, configuration directories; before them only what the user wants there.
    fn class_path(&self, before: Option<&str>) -> String {
        let spark = &self.toolchain.found.spark;
        let conf = self.spark_conf;
        let first = &self.toolchain.flags.first_jars;
        let others = spark
            .jars
            .iter()
            .map(|jar| &jar.name)
            .filter(|name| !first.contains(name));
        let mut entries: Vec<String> = before.map(str::to_owned).into_iter().collect();
        let jars = first.iter().chain(others);
        entries.extend(jars.map(|name| spark.jar_path(name).into_string()));
        entries.push(self.toolchain.agent_jar.to_string());
        entries.extend(conf.directories().into_iter().map(Utf8PathBuf::into_string));
        entries.extend(conf.environment.get("SPARK_DIST_CLASSPATH").cloned());
        entries.retain(|entry| !entry.is_empty());
        entries.join(":")
    }

    /// What `spark-submit` would be called with before the class and the file.
    fn submit_words(&self) -> Vec<String> {
        let mut words = words([
            "org.apache.spark.deploy.SparkSubmit",
            "--properties-file",
            self.dir.properties().as_str(),
        ]);
        if let Some(user) = &self.order.proxy_user {
            words.extend(["--proxy-user".to_owned(), user.clone()]);
        }
        words
    }

    /// The command, and the files that every command has; `java_options` if there are any that go into a file.
    fn plan_with(
        &self,
        args: Vec<String>,
        env: BTreeMap<String, String>,
        java_options: Option<String>,
    ) -> LaunchPlan {
        let properties = (self.dir.properties(), properties::write(&self.conf));
        let java_options = java_options.map(|options| (self.dir.java_options(), options));
        LaunchPlan {
            command: DriverCommand {
                program: self.toolchain.found.java.program(),
                args,
                env,
                cwd: self.dir.work(),
                grace_ms: u64::try_from(DEFAULT_GRACE.as_millis()).unwrap_or(u64::MAX),
                merged: matches!(self.order.program, Program::Application { .. }),
            },
            files: std::iter::once(properties).chain(java_options).collect(),
        }
    }
}

fn split(key: &'static str, options: Option<&String>) -> Result<Vec<String>, CommandError> {
    java_options::split(options.map_or("", String::as_str))
        .map_err(|source| CommandError::Setting { key, source })
}

fn words<const N: usize>(words: [&str; N]) -> Vec<String> {
    words.map(str::to_owned).to_vec()
}
