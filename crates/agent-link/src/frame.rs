//! Frames as types.

use livius_domain::{
    DriverId, JobId, JobLanguage, JobOutcome, Kind, ResourceId, ResourceUse, StatementId,
};
use serde::{Deserialize, Serialize};

/// The version in every frame.
pub const PROTOCOL_VERSION: u32 = 1;

/// No frame of an agent is longer.
pub const MAX_FRAME_BYTES: usize = 16 << 20;

/// No frame of the server is longer: agents take no longer ones.
pub const MAX_COMMAND_BYTES: usize = 256 << 20;

/// Why a frame cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// It is not the JSON of a frame.
    #[error("read an agent frame")]
    Syntax(#[source] serde_json::Error),
    /// The agent speaks another version.
    #[error("agent speaks protocol version {0}, this server speaks {PROTOCOL_VERSION}")]
    Version(u32),
}

/// The agent's first frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hello {
    /// The driver it belongs to.
    pub driver: DriverId,
    /// Random, one per agent process: event numbers count from 1 for each.
    pub instance: String,
    /// Process id of the driver's JVM.
    pub pid: i64,
    /// Version of Spark.
    pub spark: String,
    /// Version of Scala.
    pub scala: String,
    /// Version of Java.
    pub java: String,
    /// The oldest event that the agent still keeps.
    pub first_seq: u64,
    /// The newest; one less than `first_seq` when there is none.
    pub last_seq: u64,
}

/// A numbered event: its effect is stored, then it is acknowledged.
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
        /// Spark's master.
        master: String,
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
    /// A statement's code begins to run.
    Started {
        /// Which.
        statement: StatementId,
        /// Epoch milliseconds.
        at: i64,
    },
    /// A piece of a long output.
    Chunk {
        /// Which statement's.
        statement: StatementId,
        /// Counting from 0.
        index: u32,
        /// The text.
        text: String,
    },
    /// A statement's code has stopped.
    Finished {
        /// Which.
        statement: StatementId,
        /// Epoch milliseconds.
        at: i64,
        /// Whether a cancel ended it.
        cancelled: bool,
        /// The output document, unless pieces carried it.
        output: Option<String>,
        /// How many pieces carried it.
        chunks: u32,
    },
    /// A job begins to run.
    JobStarted {
        /// Which.
        job: JobId,
        /// Epoch milliseconds.
        at: i64,
    },
    /// A piece of a job's long result.
    JobChunk {
        /// Which job's.
        job: JobId,
        /// Counting from 0.
        index: u32,
        /// Base64; the pieces' texts may be joined.
        data: String,
    },
    /// A job is over.
    JobFinished {
        /// Which.
        job: JobId,
        /// Epoch milliseconds.
        at: i64,
        /// How it ended.
        outcome: JobOutcome,
        /// The result in base64, unless there is none or pieces carried it.
        result: Option<String>,
        /// How many pieces carried it.
        chunks: u32,
        /// Why it failed.
        error: Option<String>,
    },
    /// A file is at its place, or cannot be.
    ResourceAdded {
        /// Which.
        resource: ResourceId,
        /// Why it cannot be.
        error: Option<String>,
    },
    /// The agent is about to end in good order.
    Stopped {
        /// Why.
        reason: String,
    },
}

/// A frame that may be lost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum Notice {
    /// How far a statement is.
    Progress {
        /// Which.
        statement: StatementId,
        /// 0.0 to 1.0.
        progress: f64,
    },
    /// The answer to a completion.
    Completed {
        /// Which request.
        request: u64,
        /// Texts to insert.
        candidates: Vec<String>,
    },
}

/// Anything the agent sends after its hello.
#[derive(Debug, Clone, PartialEq)]
pub enum AgentFrame {
    /// Numbered.
    Event {
        /// Its number.
        seq: u64,
        /// What happened.
        event: Event,
    },
    /// Not numbered.
    Notice(Notice),
    /// Of a type that this server does not know.
    Unknown,
}

/// What the server sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum Command {
    /// The answer to a hello: every event up to `acked` is stored.
    Welcome {
        /// The number.
        acked: u64,
    },
    /// Every event up to `seq` is stored.
    Ack {
        /// The number.
        seq: u64,
    },
    /// Run this code; a known statement is not run again.
    Run {
        /// Which.
        statement: StatementId,
        /// The language.
        kind: Kind,
        /// The text.
        code: String,
    },
    /// Stop this statement's code.
    Cancel {
        /// Which.
        statement: StatementId,
    },
    /// Find texts to insert at the cursor.
    Complete {
        /// Comes back in the answer.
        request: u64,
        /// The language.
        kind: Kind,
        /// The text.
        code: String,
        /// Counted in UTF-16 units.
        cursor: u32,
    },
    /// Add this file to the session; a known one is not added again.
    Resource {
        /// Which.
        resource: ResourceId,
        /// What it is for.
        #[serde(rename = "use")]
        used_as: ResourceUse,
        /// What it is to be called.
        name: String,
        /// Where it is; `None` when the server has it.
        uri: Option<String>,
    },
    /// Run this job; a known one is not run again.
    Job {
        /// Which.
        job: JobId,
        /// How to read it.
        language: JobLanguage,
        /// Its bytes, in base64.
        payload: String,
    },
    /// Stop this job.
    CancelJob {
        /// Which.
        job: JobId,
    },
    /// End in good order.
    Stop,
}

#[derive(Deserialize)]
struct Head {
    v: u32,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    seq: u64,
}

impl Hello {
    /// Reads the agent's first frame.
    pub fn parse(text: &str) -> Result<Self, FrameError> {
        let head = head(text)?;
        if head.kind != "hello" {
            return Err(FrameError::Syntax(serde::de::Error::custom(
                "the first frame is not a hello",
            )));
        }
        serde_json::from_str(text).map_err(FrameError::Syntax)
    }
}

impl AgentFrame {
    /// Reads a frame that follows the hello.
    pub fn parse(text: &str) -> Result<Self, FrameError> {
        let head = head(text)?;
        match head.kind.as_str() {
            "ready" | "failed" | "started" | "chunk" | "finished" | "jobStarted" | "jobChunk"
            | "jobFinished" | "resourceAdded" | "stopped" => {
                let event = serde_json::from_str(text).map_err(FrameError::Syntax)?;
                Ok(Self::Event {
                    seq: head.seq,
                    event,
                })
            }
            "progress" | "completed" => serde_json::from_str(text)
                .map(Self::Notice)
                .map_err(FrameError::Syntax),
            _ => Ok(Self::Unknown),
        }
    }
}

impl Command {
    /// The frame's text.
    pub fn to_text(&self) -> String {
        #[derive(Serialize)]
        struct Frame<'a> {
            v: u32,
            #[serde(flatten)]
            command: &'a Command,
        }
        serde_json::to_string(&Frame {
            v: PROTOCOL_VERSION,
            command: self,
        })
        .expect("a command has only string keys")
    }
}

fn head(text: &str) -> Result<Head, FrameError> {
    let head: Head = serde_json::from_str(text).map_err(FrameError::Syntax)?;
    if head.v == PROTOCOL_VERSION {
        Ok(head)
    } else {
        Err(FrameError::Version(head.v))
    }
}
