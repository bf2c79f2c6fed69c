//! The frames of the protocol as types.

mod head;

use std::collections::BTreeMap;
use std::sync::Arc;

use livius_domain::{
    DriverId, JobId, JobLanguage, JobOutcome, Kind, OutputStream, ResourceId, ResourceUse,
    SessionId, StageProgress, StatementId,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::sync::OwnedSemaphorePermit;

use self::head::Head;

/// The version that agents of this server speak.
pub const PROTOCOL_VERSION: u32 = 3;

/// The oldest version that this server speaks: drivers live on when the server is upgraded.
pub const OLDEST_PROTOCOL_VERSION: u32 = 1;

/// The longest frame that the server accepts from an agent.
pub const MAX_FRAME_BYTES: usize = 16 << 20;

/// The longest frame that an agent accepts from the server.
pub const MAX_COMMAND_BYTES: usize = 256 << 20;

/// The reason why a frame cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The text is not the JSON of a frame.
    #[error("read an agent frame")]
    Syntax(#[source] serde_json::Error),
    /// The agent speaks none of the server's versions.
    #[error(
        "agent speaks protocol version {0:?}, this server speaks {OLDEST_PROTOCOL_VERSION} to {PROTOCOL_VERSION}"
    )]
    Version(Vec<u32>),
}

/// The agent's first frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hello {
    /// The protocol versions that the agent speaks. A hello of version 1 has no list.
    #[serde(default = "first_version")]
    pub versions: Vec<u32>,
    /// The agent's driver.
    pub driver: DriverId,
    /// Random, one per agent process. Each process numbers its events from 1. A new one on a driver
    /// that was ready means that the driver was restarted.
    pub instance: String,
    /// Process id of the driver's JVM.
    pub pid: i64,
    pub spark: String,
    pub scala: String,
    pub java: String,
    /// The oldest event that the agent still keeps.
    pub first_seq: u64,
    /// The newest event. One less than `first_seq` if the agent keeps none.
    pub last_seq: u64,
    /// The work that the agent has in hand. A hello of version 1 has no list.
    #[serde(default)]
    pub sessions: Vec<InHand>,
}

/// The work that an agent has in hand for one session.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InHand {
    /// The session; `None` is the driver's only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// The statement that runs, or whose end the agent is about to tell.
    pub active: Option<StatementId>,
    /// The statements behind it.
    pub queued: Vec<StatementId>,
    /// Jobs whose end the agent has not told.
    pub jobs: Vec<JobId>,
    /// The interpreters that are up. Agents of earlier servers do not tell them.
    #[serde(default)]
    pub interpreters: Vec<InterpreterUp>,
}

/// An interpreter that is up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterpreterUp {
    /// Livy's name of its kind.
    pub kind: String,
    /// When its start began, in epoch milliseconds.
    pub since: i64,
}

/// A numbered event. The server stores its effect, then acknowledges it. Each `at` is in epoch
/// milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Event {
    /// The SparkContext and the session kind's interpreter are up.
    Ready {
        /// Spark's application id.
        app_id: String,
        /// The address of the application's own pages.
        spark_ui_url: Option<String>,
        /// The user that Spark runs as.
        spark_user: String,
        master: String,
    },
    /// The SparkContext is up, and the first interpreter is not yet.
    ContextUp {
        /// Spark's application id.
        app_id: String,
        /// The address of the application's own pages.
        spark_ui_url: Option<String>,
    },
    /// The JVM is warm and waits for [`Command::Begin`]. There is no SparkContext yet.
    Primed,
    /// The answer to [`Command::Begin`] of a driver that was ready.
    Begun {
        /// The reason why a setting cannot be applied. Then none has been.
        error: Option<String>,
    },
    /// The driver cannot serve; it exits after this.
    Failed {
        /// `context` or `interpreter`.
        phase: String,
        /// One line.
        message: String,
        /// The stack trace or the captured text.
        detail: String,
    },
    /// The SparkContext has stopped, and there is no other one: the driver cannot serve any more.
    ContextStopped {
        /// One line.
        message: String,
    },
    /// A statement's code begins to run.
    Started { statement: StatementId, at: i64 },
    /// A piece of a long output.
    Chunk {
        statement: StatementId,
        /// Counting from 0.
        index: u32,
        text: String,
    },
    /// A statement's code has stopped.
    Finished {
        statement: StatementId,
        at: i64,
        /// True if a cancel ended it.
        cancelled: bool,
        /// The output document, unless chunks carried it.
        output: Option<String>,
        /// The number of chunks that carried it.
        chunks: u32,
    },
    /// A job begins to run.
    JobStarted { job: JobId, at: i64 },
    /// A piece of a job's long result.
    JobChunk {
        job: JobId,
        /// Counting from 0.
        index: u32,
        /// Base64. The texts of all chunks may be joined.
        data: String,
    },
    /// A job is over.
    JobFinished {
        job: JobId,
        at: i64,
        outcome: JobOutcome,
        /// The result in base64, unless there is none or chunks carried it.
        result: Option<String>,
        /// The number of chunks that carried it.
        chunks: u32,
        /// The reason why it failed.
        error: Option<String>,
    },
    /// A file has been added, or cannot be.
    ResourceAdded {
        resource: ResourceId,
        /// The reason why the file cannot be added.
        error: Option<String>,
    },
    /// The agent is about to end in good order.
    Stopped { reason: String },
    /// An event of which only the head can be read. The agent would send it again on every
    /// connection, so the server gives its work an end and acknowledges it.
    #[serde(skip)]
    Unreadable {
        /// The work whose end it was.
        ends: Option<Work>,
        /// The reason why it cannot be read.
        reason: String,
    },
}

/// A frame that may be lost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum Notice {
    /// The progress of a statement.
    Progress {
        statement: StatementId,
        /// 0.0 to 1.0.
        progress: f64,
        /// The stages that run. Agents of earlier servers do not tell them.
        #[serde(default)]
        stages: Vec<StageProgress>,
    },
    /// Text that a statement's code has printed. The statement's output has it, too.
    Output {
        statement: StatementId,
        stream: OutputStream,
        /// The number of bytes that the stream had before.
        offset: u64,
        /// The number of bytes that the text stands for.
        bytes: u64,
        text: String,
    },
    /// The answer to a completion.
    Completed {
        request: u64,
        /// Texts to insert.
        candidates: Vec<String>,
    },
    /// The interpreters that are up now.
    Interpreters { interpreters: Vec<InterpreterUp> },
}

/// Anything the agent sends after its hello. Frames about one session's work name that session;
/// `None` is the driver's only one.
#[derive(Debug, Clone, PartialEq)]
pub enum AgentFrame {
    Event {
        seq: u64,
        session: Option<SessionId>,
        event: Event,
    },
    Notice {
        session: Option<SessionId>,
        notice: Notice,
    },
    /// A frame of a type that this server does not know.
    Unknown,
}

/// A piece of work, as the frames name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    Statement(StatementId),
    Job(JobId),
    /// A file to add.
    Resource(ResourceId),
}

/// A command, and the session that it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandFrame {
    /// The session; `None` is the driver's only one, or the driver itself.
    pub session: Option<SessionId>,
    pub command: Command,
    /// The frame's turn, if it is long.
    pub turn: Turn,
}

/// The turn of a long command. It ends when the command leaves memory for the socket. The sender of
/// long commands waits for the turn, so that one of them is in memory at a time.
#[derive(Debug, Default)]
pub struct Turn(
    #[expect(
        dead_code,
        reason = "the frame holds it, and releases it when it is dropped"
    )]
    Option<OwnedSemaphorePermit>,
);

impl From<OwnedSemaphorePermit> for Turn {
    fn from(permit: OwnedSemaphorePermit) -> Self {
        Self(Some(permit))
    }
}

/// A copy of a frame has no turn.
impl Clone for Turn {
    fn clone(&self) -> Self {
        Self(None)
    }
}

/// Frames that say the same are equal.
impl PartialEq for Turn {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Turn {}

/// A message from the server to the agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum Command {
    /// The response to a hello: every event up to `acked` is stored.
    Welcome { acked: u64 },
    /// Every event up to `seq` is stored.
    Ack { seq: u64 },
    /// Run this code. The agent runs a known statement only once.
    Run {
        statement: StatementId,
        kind: Kind,
        #[serde(with = "shared_text")]
        code: Arc<str>,
    },
    /// Stop this statement's code.
    Cancel {
        statement: StatementId,
        /// True if it is to be stopped by force at once.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        force: bool,
    },
    /// Find texts to insert at the cursor.
    Complete {
        request: u64,
        kind: Kind,
        code: String,
        /// Counted in UTF-16 units.
        cursor: u32,
    },
    /// Add this file to the session. The agent adds a known file only once.
    Resource {
        resource: ResourceId,
        /// Its use.
        #[serde(rename = "use")]
        used_as: ResourceUse,
        /// The file's name in the session.
        name: String,
        /// The file's address. `None` if the server has the file.
        uri: Option<String>,
    },
    /// Run this job. The agent runs a known job only once.
    Job {
        job: JobId,
        /// The way to read the payload.
        language: JobLanguage,
        /// The job's bytes in base64.
        payload: String,
    },
    CancelJob {
        job: JobId,
        /// True if it is to be stopped by force at once.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        force: bool,
    },
    /// Serve a session, on a driver that was started ahead of it. The agent begins only once.
    Begin {
        /// Keys that replace those of the launch document.
        document: Map<String, Value>,
        /// The whole Spark configuration for a primed driver. The session's own SQL settings for a
        /// driver that is ready.
        conf: BTreeMap<String, String>,
    },
    /// End in good order.
    Stop,
}

impl Hello {
    /// Reads the agent's first frame.
    pub fn parse(text: &str) -> Result<Self, FrameError> {
        let head: Head = serde_json::from_str(text).map_err(FrameError::Syntax)?;
        if head.kind != "hello" {
            return Err(syntax("the first frame is not a hello"));
        }
        let versions = if head.versions.is_empty() {
            vec![head.v]
        } else {
            head.versions
        };
        if !versions.iter().any(|version| is_spoken(*version)) {
            return Err(FrameError::Version(versions));
        }
        serde_json::from_str(text).map_err(FrameError::Syntax)
    }

    /// The version that this connection uses: the newest that both sides speak.
    pub fn version(&self) -> u32 {
        let common = self.versions.iter().copied().filter(|&v| is_spoken(v));
        common.max().unwrap_or(OLDEST_PROTOCOL_VERSION)
    }
}

impl AgentFrame {
    /// Reads a frame that follows the hello.
    pub fn parse(text: &str) -> Result<Self, FrameError> {
        let head: Head = serde_json::from_str(text).map_err(FrameError::Syntax)?;
        if !is_spoken(head.v) {
            return Err(FrameError::Version(vec![head.v]));
        }
        let session = head.session;
        match head.kind.as_str() {
            "progress" | "completed" | "output" | "interpreters" => serde_json::from_str(text)
                .map(|notice| Self::Notice { session, notice })
                .map_err(FrameError::Syntax),
            // Every event has a number. One of a type that this server does not know is acknowledged, or
            // the agent would send it again without end.
            _ => match head.seq {
                Some(seq) => {
                    let event =
                        serde_json::from_str(text).unwrap_or_else(|error| Event::Unreadable {
                            ends: head.ends(),
                            reason: error.to_string(),
                        });
                    Ok(Self::Event {
                        seq,
                        session,
                        event,
                    })
                }
                None if head.is_event() => Err(syntax("an event has no number")),
                None => Ok(Self::Unknown),
            },
        }
    }
}

impl CommandFrame {
    /// The frame's text, in the version that the connection uses.
    pub fn to_text(&self, version: u32) -> String {
        #[derive(Serialize)]
        struct Frame<'a> {
            v: u32,
            #[serde(skip_serializing_if = "Option::is_none")]
            session: Option<SessionId>,
            #[serde(flatten)]
            command: &'a Command,
        }
        serde_json::to_string(&Frame {
            v: version,
            session: self.session,
            command: &self.command,
        })
        .expect("a command has only string keys")
    }
}

/// A command for the driver's only session, or for the driver itself.
impl From<Command> for CommandFrame {
    fn from(command: Command) -> Self {
        Self {
            session: None,
            command,
            turn: Turn::default(),
        }
    }
}

/// Texts that are shared, not copied, on their way to the socket.
mod shared_text {
    use std::sync::Arc;

    use serde::{Deserialize as _, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(text: &Arc<str>, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(text)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Arc<str>, D::Error> {
        String::deserialize(from).map(Arc::from)
    }
}

fn syntax(what: &str) -> FrameError {
    FrameError::Syntax(serde::de::Error::custom(what))
}

fn is_spoken(version: u32) -> bool {
    (OLDEST_PROTOCOL_VERSION..=PROTOCOL_VERSION).contains(&version)
}

fn first_version() -> Vec<u32> {
    vec![OLDEST_PROTOCOL_VERSION]
}

#[cfg(test)]
mod tests;
