//! The frames between the server and the agent inside a Spark driver. The protocol is described in `docs/design/agent-protocol.md`.
//!
//! Purpose: the frames as types, and a socket as a pair of channels, so that neither the session actors nor the tests need a network.
//! Non-goals: WebSockets (the HTTP edge has them) and deciding what a frame means (the session actor does).

mod frame;

pub use frame::{
    AgentFrame, Command, CommandFrame, Event, FrameError, Hello, InHand, MAX_COMMAND_BYTES,
    MAX_FRAME_BYTES, Notice, OLDEST_PROTOCOL_VERSION, PROTOCOL_VERSION, Work,
};

use tokio::sync::mpsc;

/// One live connection of an agent, seen from the server. Dropping it closes the connection.
#[derive(Debug)]
pub struct AgentSocket {
    /// The agent's first frame.
    pub hello: Hello,
    /// What the agent sends from then on. Ends when the connection does.
    pub incoming: mpsc::Receiver<AgentFrame>,
    /// What the server sends.
    pub outgoing: mpsc::Sender<CommandFrame>,
}
