//! The frames between the server and the agent inside a Spark driver.
//! `docs/design/agent-protocol.md` describes the protocol.
//!
//! Purpose: the frames as types, the proofs that both sides exchange before them, and a socket as a pair of channels, so that neither the actors nor
//! the tests need a network.
//! Non-goals: WebSockets (see the HTTP edge), and the meaning of frames (see the actors).

mod frame;
mod proof;

pub use frame::{
    AgentFrame, Command, CommandFrame, Event, FrameError, Hello, InHand, InterpreterUp,
    MAX_COMMAND_BYTES, MAX_FRAME_BYTES, Notice, OLDEST_PROTOCOL_VERSION, PROTOCOL_VERSION, Turn,
    Work,
};

pub use proof::{
    AgentKey, CHALLENGE_HEADER, CONNECT, DRIVER_HEADER, NONCE_HEADER, PROOF_HEADER, ProvenRequest,
    REPORT, is_nonce, resource_purpose,
};

use tokio::sync::mpsc;

/// The server's side of an agent's connection. Dropping it closes the connection. The frames are
/// boxed, because a channel has room for 32 of them from its first moment.
#[derive(Debug)]
pub struct AgentSocket {
    pub hello: Hello,
    /// The agent's later frames. The channel ends with the connection.
    pub incoming: mpsc::Receiver<Box<AgentFrame>>,
    pub outgoing: mpsc::Sender<Box<CommandFrame>>,
}
