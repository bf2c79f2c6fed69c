//! Why a driver could not be started, and what to do about it.

use std::io;

use camino::Utf8PathBuf;
use livius_domain::{Failure, FailureCode, Phase, chain};
use livius_kubernetes::KubernetesError;
use livius_spark_home::{ConfError, ToolchainError};

use crate::command::CommandError;
use crate::managers::ManagerError;
use crate::starting::StartError;

/// The reason why a driver could not be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LaunchError {
    #[error(transparent)]
    Toolchain(#[from] ToolchainError),
    #[error(transparent)]
    Conf(#[from] ConfError),
    #[error(transparent)]
    Command(#[from] CommandError),
    #[error("make {dir}")]
    Directory {
        dir: Utf8PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("start a driver on a disk that is nearly full")]
    Room(#[source] io::Error),
    #[error("write the driver's files")]
    Write(#[source] io::Error),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Manager(#[from] ManagerError),
    #[error("read and write the server's notes about Kubernetes")]
    Memory(#[source] io::Error),
    #[error("read the agent's jar")]
    Agent(#[source] io::Error),
    #[error("make the Secret of the driver in the namespace {namespace}")]
    Secret {
        namespace: String,
        #[source]
        source: KubernetesError,
    },
    #[error("watch the driver")]
    Watch(#[source] io::Error),
    #[error("wait for the launch before, which has been setting up Spark for minutes")]
    Setup,
    #[error("work on the launch to its end")]
    Interrupted(#[source] tokio::task::JoinError),
}

impl LaunchError {
    fn hint(&self) -> String {
        match self {
            Self::Toolchain(error) => error.hint(),
            Self::Conf(_) => "correct the file in Spark's configuration directory".to_owned(),
            Self::Command(_) => "correct what was asked for, or spark-defaults.conf".to_owned(),
            Self::Directory { .. } => {
                "look at the server's data directory: its owner, its mode, the room that is left"
                    .to_owned()
            }
            Self::Room(_) => {
                "free space on the disk of the server's data directory, or lower server.disk_reserve"
                    .to_owned()
            }
            Self::Write(_) => {
                "check that the data directory can be written to and has space".to_owned()
            }
            Self::Manager(ManagerError::Yarn(_)) => {
                "name the directory of Hadoop's configuration in HADOOP_CONF_DIR or YARN_CONF_DIR: in the server's \
                 environment, or in spark-env.sh"
                    .to_owned()
            }
            Self::Manager(ManagerError::Kubernetes(_)) => {
                "name the credentials with spark.kubernetes.authenticate.submission.*, or in the kubeconfig of the server's user"
                    .to_owned()
            }
            Self::Memory(_) => {
                "look at server-id and kubernetes-namespaces.json in the server's data directory".to_owned()
            }
            Self::Secret { source, .. } => if source.is_forbidden() {
                "allow the server's account to create, patch and delete secrets in the namespace"
            } else {
                "look whether the API server and the namespace are there"
            }
            .to_owned(),
            Self::Setup => "see the server's log: it names the process that holds up the set-up".to_owned(),
            Self::Start(_)
            | Self::Watch(_)
            | Self::Agent(_)
            | Self::Manager(ManagerError::Interrupted(_))
            | Self::Interrupted(_) => {
                "see the server's log, and whether the machine is out of memory, processes or file \
                descriptors"
                    .to_owned()
            }
        }
    }

    /// The failure that the driver's end keeps.
    pub(crate) fn into_failure(self) -> Failure {
        let message = format!("could not {}", chain(&self));
        Failure {
            code: match &self {
                Self::Command(CommandError::Unsupported(_)) => FailureCode::Unsupported,
                _ => FailureCode::LaunchFailed,
            },
            phase: Phase::Launch,
            evidence: livius_domain::Evidence::default(),
            message,
            hint: self.hint(),
        }
    }
}
