//! Why a driver could not be started, and what to do about it.

use std::io::{self, ErrorKind};

use camino::Utf8PathBuf;
use livius_domain::{Evidence, Failure, FailureCode, Phase, chain};
use livius_kubernetes::KubernetesError;
use livius_spark_home::{AgentError, ConfError, FindError, JavaError, SparkError, ToolchainError};

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

    fn code(&self) -> FailureCode {
        match self {
            Self::Toolchain(error) => code_of_toolchain(error),
            Self::Command(CommandError::Unsupported(_)) => FailureCode::Unsupported,
            Self::Room(_) => FailureCode::DiskFull,
            Self::Directory { source, .. }
            | Self::Write(source)
            | Self::Memory(source)
            | Self::Agent(source) => code_of_disk(source),
            Self::Setup => FailureCode::SetupTimeout,
            Self::Secret { source, .. } if source.is_forbidden() => FailureCode::PermissionDenied,
            Self::Conf(_)
            | Self::Command(_)
            | Self::Start(_)
            | Self::Manager(_)
            | Self::Secret { .. }
            | Self::Watch(_)
            | Self::Interrupted(_) => FailureCode::LaunchFailed,
        }
    }

    /// The compiler's last lines. Other errors say all in the message.
    fn evidence(&self) -> Evidence {
        match self {
            Self::Toolchain(ToolchainError::Agent(AgentError::Refused { said, .. })) => {
                Evidence::of(said.lines())
            }
            _ => Evidence::default(),
        }
    }

    /// The failure that the driver's end keeps.
    pub(crate) fn into_failure(self) -> Failure {
        let message = format!("could not {}", chain(&self));
        Failure {
            code: self.code(),
            phase: Phase::Launch,
            evidence: self.evidence(),
            message,
            hint: self.hint(),
        }
    }
}

fn code_of_toolchain(error: &ToolchainError) -> FailureCode {
    match error {
        ToolchainError::Find(FindError::NoSpark) => FailureCode::SparkMissing,
        ToolchainError::Find(FindError::Spark(error)) => match error {
            SparkError::Unreadable { .. } | SparkError::NoSpark(_) => FailureCode::SparkMissing,
            SparkError::NoCompiler(_)
            | SparkError::TooOld { .. }
            | SparkError::UnknownScala { .. } => FailureCode::SparkUnsupported,
        },
        ToolchainError::Find(FindError::Java(error)) => match error {
            JavaError::Missing | JavaError::Run { .. } | JavaError::Nonsense { .. } => {
                FailureCode::JavaMissing
            }
            JavaError::TooOld { .. } => FailureCode::JavaUnsupported,
        },
        ToolchainError::Agent(_) => FailureCode::AgentNotCompiled,
        ToolchainError::Flags(_) => FailureCode::LaunchFailed,
    }
}

fn code_of_disk(error: &io::Error) -> FailureCode {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => FailureCode::DiskFull,
        ErrorKind::PermissionDenied => FailureCode::PermissionDenied,
        _ => FailureCode::LaunchFailed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_have_codes() {
        let of_disk = |kind: ErrorKind| LaunchError::Write(kind.into());
        let spark = |error| LaunchError::Toolchain(ToolchainError::Find(FindError::Spark(error)));
        let java = |error| LaunchError::Toolchain(ToolchainError::Find(FindError::Java(error)));
        for (error, code) in [
            (of_disk(ErrorKind::StorageFull), FailureCode::DiskFull),
            (
                of_disk(ErrorKind::PermissionDenied),
                FailureCode::PermissionDenied,
            ),
            (of_disk(ErrorKind::NotFound), FailureCode::LaunchFailed),
            (
                spark(SparkError::NoSpark("/opt/spark".into())),
                FailureCode::SparkMissing,
            ),
            (
                spark(SparkError::NoCompiler("/opt/spark".into())),
                FailureCode::SparkUnsupported,
            ),
            (java(JavaError::Missing), FailureCode::JavaMissing),
            (LaunchError::Setup, FailureCode::SetupTimeout),
        ] {
            let failure = error.into_failure();
            assert_eq!(failure.code, code, "{}", failure.message);
        }
    }

    #[test]
    fn the_compilers_words_are_the_evidence() {
        let error = AgentError::Refused {
            home: "/opt/spark".into(),
            scala: "2.13.17".to_owned(),
            said: "a.scala:3: error: not found\none error found".to_owned(),
        };
        let failure = LaunchError::Toolchain(error.into()).into_failure();
        assert_eq!(failure.code, FailureCode::AgentNotCompiled);
        assert_eq!(
            failure.evidence.lines(),
            ["a.scala:3: error: not found", "one error found"]
        );
    }
}
