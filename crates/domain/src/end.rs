//! The ends of things, and their causes.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The end of a process, as the system reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Exit {
    /// It returned this code.
    Code(i32),
    /// This signal ended it.
    Signal(i32),
    /// It is gone, and the server did not see how.
    Unknown,
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit code {code}"),
            Self::Signal(signal) => write!(f, "signal {signal}"),
            Self::Unknown => f.write_str("an unknown exit status"),
        }
    }
}

/// The cause of the stop of a session or a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopCause {
    /// `DELETE`, `POST …/stop` or `POST …/kill`.
    User,
    /// Nothing happened for `idleTimeout`.
    IdleTimeout,
    /// The session reached its `ttl`.
    Ttl,
    /// No request came for `heartbeatTimeoutInSecond`.
    Heartbeat,
    /// The server is shutting down.
    Shutdown,
    /// The driver's start took longer than the limit.
    StartTimeout,
    /// The driver could not be reached for longer than it would live on its own.
    Unreachable,
}

/// The phase in which something failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The driver's process was being started.
    Launch,
    /// The process ran, its agent had not yet connected.
    Connect,
    /// A batch's process ran, its application had not yet been heard of.
    Submit,
    /// The agent was creating the SparkContext and the interpreter.
    Context,
    /// The session was in use, or the batch's application ran.
    Running,
    /// The session was being stopped.
    Stopping,
}

/// A failure's name, for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureCode {
    /// The driver could not be started: no Java, no Spark, no such file.
    LaunchFailed,
    /// The configuration asks for a driver that cannot be, such as a primed one in a pod.
    Unsupported,
    /// The SparkContext or the interpreter could not be created.
    ContextFailed,
    /// The driver's process ended by itself.
    DriverExited,
    /// The driver did not become ready in time.
    StartTimeout,
    /// The driver could not be reached any more.
    DriverUnreachable,
    /// A batch's application failed.
    ApplicationFailed,
    /// The SparkContext stopped while the session was in use, and no other one was made.
    ContextStopped,
    /// The resource manager started the driver again, and the state of its session is lost.
    DriverRestarted,
    /// The server's own code failed.
    ServerFault,
}

/// A failure that explains itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The code, for programs.
    pub code: FailureCode,
    /// When it happened.
    pub phase: Phase,
    /// The message, for people.
    pub message: String,
    /// The advice to the user.
    pub hint: String,
}

impl Failure {
    /// The failure of a session or batch whose actor in the server has panicked.
    pub fn server_fault() -> Self {
        Self {
            code: FailureCode::ServerFault,
            phase: Phase::Running,
            message: "a fault in the server itself ended it".to_owned(),
            hint: "the server's log has the fault: report it to the server's developers".to_owned(),
        }
    }
}

/// The three ways in which a session is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was asked to stop and did.
    Stopped,
    /// It was asked to stop and had to be killed.
    Killed,
    /// It ended by itself.
    Failed,
}

/// The end of a session: final, and resting on evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// One of the three outcomes.
    pub outcome: Outcome,
    /// The cause of the stop. `None` when it ended by itself.
    pub cause: Option<StopCause>,
    /// The failure, if there was one.
    pub failure: Option<Failure>,
    /// The end of the driver's process; `None` when there never was one.
    pub exit: Option<Exit>,
}
