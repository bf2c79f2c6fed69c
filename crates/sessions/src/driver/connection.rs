//! The connection to a driver's agent.

use std::sync::Arc;

use livius_agent_link::{AgentSocket, Command};
use livius_domain::JobId;
use livius_domain::driver::Interpreter;
use tokio::sync::{Semaphore, oneshot};

use super::AgentPort;

/// The connection with an agent.
pub(super) struct Connection {
    pub(super) socket: AgentSocket,
    /// Counts the connections of the driver since the server started.
    pub(super) number: u64,
    /// The jobs that the agent had in hand when it connected. `None` if it does not tell.
    pub(super) jobs_in_hand: Option<Arc<[JobId]>>,
    /// The interpreters that are up, as the agent told last.
    pub(super) interpreters: Arc<[Interpreter]>,
    /// The turn of long commands.
    pub(super) turn: Arc<Semaphore>,
    /// The newest event of this agent process that is stored.
    pub(super) applied: u64,
    /// The event that the session is storing. The next frame is not read before that is done.
    pub(super) storing: Option<(u64, oneshot::Receiver<bool>)>,
}

impl Connection {
    pub(super) fn port(&self) -> AgentPort {
        AgentPort {
            connection: self.number,
            jobs_in_hand: self.jobs_in_hand.clone(),
            outgoing: self.socket.outgoing.clone(),
            turn: Arc::clone(&self.turn),
        }
    }

    /// Sends a command. An agent that does not take it is told again when it comes back.
    pub(super) fn send(&self, command: Command) {
        let _ = self.socket.outgoing.try_send(Box::new(command.into()));
    }
}
