//! The parts that all drivers of one Spark and one Java share.

use std::sync::Arc;

use camino::Utf8PathBuf;

use crate::agent::{Agent, AgentError};
use crate::archive::{Archive, ArchiveError, ArchiveFiles, Trainee, class_path};
use crate::bounded::Stop;
use crate::find::{FindError, Found, Search, find, find_spark};
use crate::flags::{Flags, FlagsError};
use crate::setup::AGENTS;
use crate::spark_conf::{ConfError, SparkConf};

/// A Spark with its Java, its compiled agent and its JVM flags.
#[derive(Debug, Clone)]
pub struct Toolchain {
    /// The Spark and the Java.
    pub found: Found,
    /// The compiled agent.
    pub agent_jar: Utf8PathBuf,
    /// The JVM flags that this Spark asks for.
    pub flags: Flags,
    /// The archive of Spark's classes, made or not.
    pub archive: Archive,
}

/// The reason why there is no toolchain.
#[derive(Debug, thiserror::Error)]
pub enum ToolchainError {
    /// There is no usable Spark or no Java that fits it.
    #[error(transparent)]
    Find(#[from] FindError),
    /// The agent could not be compiled.
    #[error(transparent)]
    Agent(#[from] AgentError),
    /// Spark did not tell its JVM flags.
    #[error(transparent)]
    Flags(#[from] FlagsError),
}

impl ToolchainError {
    /// A hint for the user.
    pub fn hint(&self) -> String {
        match self {
            Self::Find(error) => error.hint(),
            Self::Agent(_) | Self::Flags(_) => {
                "run `livius doctor` on the server: it shows whether Spark and Java fit together"
                    .to_owned()
            }
        }
    }
}

impl Toolchain {
    /// Finds Spark and Java and compiles the agent. Returns `before` when nothing has changed
    /// since.
    pub fn prepare(
        search: &Search,
        before: Option<Arc<Self>>,
    ) -> Result<Arc<Self>, ToolchainError> {
        if let Some(before) = before
            && before.is_current(search)?
        {
            return Ok(before);
        }
        let found = find(search)?;
        for warning in &found.warnings {
            tracing::warn!("{warning}");
        }
        let agent = Agent::ensure(
            &search.runtimes.join(AGENTS),
            &found.spark,
            &found.java,
            &search.environment,
            &|| tracing::info!("waiting for another process that compiles the agent"),
        )?;
        let flags = Flags::of(&found.spark, &found.java, &search.environment, &agent.dir)?;
        let archive = Archive::place(&search.runtimes, &found.spark, &found.java, &flags);
        Ok(Arc::new(Self {
            found,
            agent_jar: agent.jar(),
            flags,
            archive,
        }))
    }

    /// Spark's jars as a class path, in the order that the class archive needs.
    pub fn class_path(&self) -> String {
        class_path(&self.found.spark, &self.flags)
    }

    /// Makes the class archive, unless it is there. This takes about a minute, or ends with the stop.
    pub fn ensure_archive(
        &self,
        search: &Search,
        stop: &Stop,
    ) -> Result<ArchiveFiles, ArchiveError> {
        let Found { spark, java, .. } = &self.found;
        let agent = Agent::of_jar(&self.agent_jar);
        let trainee = Trainee {
            spark,
            java,
            flags: &self.flags,
            agent: &agent,
            environment: &search.environment,
            stop,
        };
        self.archive.ensure(trainee, &|| ())
    }

    fn is_current(&self, search: &Search) -> Result<bool, FindError> {
        let (spark, _) = find_spark(search)?;
        Ok(spark == self.found.spark
            && self.agent_jar.is_file()
            && self.found.java.program().is_file())
    }

    /// Reads Spark's configuration directory, which may change between two launches.
    pub fn conf(&self, search: &Search) -> Result<SparkConf, ConfError> {
        SparkConf::read(&self.found.spark, &search.environment)
    }
}
