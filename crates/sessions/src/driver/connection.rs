//! The connection to a driver's agent, and the wait for its next frame.

use std::sync::Arc;

use livius_agent_link::{AgentFrame, AgentSocket, Command};
use livius_domain::JobId;
use tokio::sync::{Semaphore, oneshot};
use tokio::time::Instant;

use super::AgentPort;

/// The connection with an agent.
pub(super) struct Connection {
    pub(super) socket: AgentSocket,
    /// Counts the connections of the driver since the server started.
    pub(super) number: u64,
    /// The jobs that the agent had in hand when it connected. `None` if it does not tell.
    pub(super) jobs_in_hand: Option<Arc<[JobId]>>,
    /// The turn of long commands.
    pub(super) turn: Arc<Semaphore>,
    /// The newest event of this agent process that is stored.
    pub(super) applied: u64,
    /// The event that the session is storing. The next frame is not read before that is done.
    pub(super) storing: Option<(u64, oneshot::Receiver<bool>)>,
}

/// The next thing that the actor hears from the connection.
pub(super) enum Heard {
    /// A frame; `None` is the end of the connection.
    Frame(Option<AgentFrame>),
    /// The session has stored the event of this number, or could not.
    Stored { seq: u64, stored: bool },
}

/// Waits for the next frame, or for the session to store the last one. Waits without end while no
/// agent is connected. Nothing is lost when the wait is given up.
pub(super) async fn next(link: &mut Option<Connection>) -> Heard {
    match link {
        Some(Connection {
            storing: Some((seq, stored)),
            ..
        }) => Heard::Stored {
            seq: *seq,
            stored: stored.await.unwrap_or(false),
        },
        Some(link) => Heard::Frame(link.socket.incoming.recv().await),
        None => std::future::pending().await,
    }
}

/// Waits until then, or without end.
pub(super) async fn at(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
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
        let _ = self.socket.outgoing.try_send(command.into());
    }
}
