//! Drivers: one actor owns each, from its place in the queue to its end.
//!
//! Sessions and batches use a driver through its [`DriverHandle`]. They follow the state that the
//! driver's actor publishes, and send commands to its agent. They never see a process.

mod access;
mod actor;
mod awaited;
mod claiming;
mod connection;
mod core;
mod launching;
mod link;
mod recovery;
mod registry;
mod rescue;
mod sighting;
mod spawning;
mod transition;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use livius_agent_link::{AgentKey, AgentSocket, Command, CommandFrame, Event, Notice, Turn};
use livius_domain::driver::Interpreter;
use livius_domain::{
    AppInfo, DriverEnd, DriverId, DriverRecord, DriverState, DriverTimes, DriverUse, JobId,
    StopCause,
};
use livius_launch::{DriverFiles, LogSource};
use tokio::sync::{Notify, Semaphore, mpsc, oneshot};

use self::connection::Connection;
use crate::atomic_timestamp::AtomicTimestamp;
use crate::error::SessionError;
use crate::feed::Feed;
use crate::lifecycle::Lifecycle;
use crate::mailbox::Letter;

pub(crate) use self::core::DriverCore;
pub use access::AgentAccess;
pub(crate) use actor::{Origin, Purpose};
pub(crate) use claiming::{Claim, late_start};
pub(crate) use recovery::end_unclaimed;
pub(crate) use registry::DriverRegistry;
pub(crate) use spawning::spawn;

/// A driver at one moment, as its actor published it.
#[derive(Debug, Clone)]
pub(crate) struct DriverView {
    pub state: DriverState,
    pub app: Option<AppInfo>,
    pub times: DriverTimes,
    pub made_for: DriverUse,
    /// The name of the pool that it was started for.
    pub pool: Option<String>,
    /// The interpreters that are up.
    pub interpreters: Arc<[Interpreter]>,
    /// The connection with the agent, while there is one.
    pub port: Option<AgentPort>,
}

/// One connection with an agent, for those who send commands.
#[derive(Debug, Clone)]
pub(crate) struct AgentPort {
    /// Counts the connections of this driver since the server started.
    pub connection: u64,
    /// The jobs that the agent had in hand when it connected. `None` if it does not tell.
    pub jobs_in_hand: Option<Arc<[JobId]>>,
    outgoing: mpsc::Sender<Box<CommandFrame>>,
    turn: Arc<Semaphore>,
}

impl AgentPort {
    /// Takes the turn for a long command, if the socket has taken the last one.
    pub fn try_turn(&self) -> Option<Turn> {
        let permit = Arc::clone(&self.turn).try_acquire_owned().ok()?;
        Some(permit.into())
    }

    /// Waits for the turn.
    pub async fn turn(&self) -> Option<Turn> {
        let permit = Arc::clone(&self.turn).acquire_owned().await.ok()?;
        Some(permit.into())
    }
}

/// Requests to a driver's actor.
#[derive(Debug)]
pub(crate) enum DriverMessage {
    /// End the driver.
    Stop(StopCause),
    /// End the driver at once, without asking its agent.
    EndByForce,
    /// Tell whether the driver waits in the queue.
    AskQueued(oneshot::Sender<bool>),
    /// A session takes the driver, which waits in a pool.
    Claim(Claim),
    /// The driver's agent has connected.
    Attach(AgentSocket),
    /// The driver's application runs.
    AppStarted {
        app: AppInfo,
        /// Gets a message when the report is stored.
        reply: oneshot::Sender<Result<(), SessionError>>,
    },
}

/// A frame from a driver's agent to a session.
#[derive(Debug)]
pub(crate) enum FromAgent {
    /// A numbered event. The agent keeps it until the session says that its effect is stored.
    Event {
        event: Event,
        stored: oneshot::Sender<bool>,
    },
    /// A frame that may be lost.
    Notice(Notice),
}

/// A live driver, as everything but its actor sees it.
pub(crate) struct DriverHandle {
    pub id: DriverId,
    /// The session, batch or pool that the driver was made for.
    pub made_for: DriverUse,
    messages: mpsc::Sender<Box<Letter<DriverMessage>>>,
    feed: Feed<DriverView>,
    /// SHA-256 of the secret of the launch that is under way or over, in hex.
    token_hash: Mutex<Option<String>>,
    /// Raised when the agent does not take its commands.
    stuck: Notify,
    /// The driver's files.
    pub files: Arc<dyn DriverFiles>,
    /// The driver's log.
    pub log: Arc<dyn LogSource>,
    /// When the launch began; unset while the driver waits for its place.
    pub start_began: AtomicTimestamp,
    /// When the link was lost; unset while it is up.
    pub link_lost: AtomicTimestamp,
}

impl std::fmt::Debug for DriverHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DriverHandle")
            .field("id", &self.id)
            .field("view", &self.feed.view())
            .finish_non_exhaustive()
    }
}

impl DriverHandle {
    /// The driver as its actor published it last.
    pub fn view(&self) -> Arc<DriverView> {
        self.feed.view()
    }

    /// A reader of the published views, from now on.
    pub fn follow(&self) -> Feed<DriverView> {
        self.feed.clone()
    }

    /// Sends the agent a command, if one is connected. The server closes the connection to an agent
    /// that does not take its commands. The agent reconnects, and the server sends them again.
    pub fn send(&self, command: Command) {
        self.send_in_turn(command, Turn::default());
    }

    /// Sends a long command, which keeps its turn until the socket takes it.
    pub fn send_in_turn(&self, command: Command, turn: Turn) {
        let Some(port) = self.feed.view().port.clone() else {
            return;
        };
        let frame = CommandFrame {
            turn,
            ..command.into()
        };
        if port.outgoing.try_send(Box::new(frame)).is_err() {
            self.stuck.notify_one();
        }
    }

    /// Sends the actor a message. `Err` when the actor has left.
    async fn send_message(&self, message: DriverMessage) -> Result<(), ()> {
        let sent = self.messages.send(Letter::boxed(message)).await;
        sent.map_err(|_| ())
    }

    /// Asks for the driver's end. A driver without an actor is gone, or belongs to the next server.
    pub async fn stop(&self, cause: StopCause) {
        let _ = self.send_message(DriverMessage::Stop(cause)).await;
    }

    /// Asks for the driver's end at once.
    pub async fn end_by_force(&self) {
        let _ = self.send_message(DriverMessage::EndByForce).await;
    }

    /// Asks for the driver's end and waits for it. `None` when the server stops before.
    pub async fn stop_and_wait(
        &self,
        lifecycle: &Lifecycle,
        cause: StopCause,
    ) -> Option<DriverEnd> {
        let mut feed = self.follow();
        self.stop(cause).await;
        loop {
            if let DriverState::Gone(end) = &feed.view().state {
                return Some(end.clone());
            }
            let changed = tokio::select! {
                () = lifecycle.stopping() => false,
                changed = feed.changed() => changed,
            };
            if !changed {
                return None;
            }
        }
    }

    /// Waits until the driver is gone. False when its actor ends before.
    pub async fn gone(&self) -> bool {
        let mut feed = self.follow();
        while !feed.view().state.is_gone() {
            if !feed.changed().await {
                return false;
            }
        }
        true
    }

    /// Gives the driver, which waits in a pool, to a session. A driver without an actor drops the
    /// reply.
    pub async fn claim(&self, claim: Claim) {
        let _ = self.send_message(DriverMessage::Claim(claim)).await;
    }

    /// Tells whether the driver waits in the queue. The actor answers when it has finished its
    /// current work. No driver leaves the queue during a shutdown, so one that waits then keeps
    /// waiting.
    pub async fn is_queued(&self) -> bool {
        let (reply, queued) = oneshot::channel();
        let _ = self.send_message(DriverMessage::AskQueued(reply)).await;
        queued.await.unwrap_or(false)
    }

    /// Returns when the driver's actor has taken all messages that were sent before.
    pub async fn caught_up(&self) {
        self.is_queued().await;
    }

    /// Hands over the connection of the driver's agent. `Err` when the actor has left.
    pub async fn attach(&self, socket: AgentSocket) -> Result<(), ()> {
        self.send_message(DriverMessage::Attach(socket)).await
    }

    /// Stores that the driver's application runs. `Err(None)` when the actor has left.
    pub async fn app_started(&self, app: AppInfo) -> Result<(), Option<SessionError>> {
        let (reply, stored) = oneshot::channel();
        let message = DriverMessage::AppStarted { app, reply };
        self.send_message(message).await.map_err(|()| None)?;
        stored.await.map_err(|_| None)?.map_err(Some)
    }

    /// The key of the driver's agent. `None` before the launch.
    pub fn key(&self) -> Option<AgentKey> {
        self.token_hash().clone().map(AgentKey::of_hash)
    }

    fn token_hash(&self) -> MutexGuard<'_, Option<String>> {
        self.token_hash
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl DriverView {
    fn of(record: &DriverRecord, link: Option<&Connection>) -> Self {
        Self {
            state: record.state.clone(),
            app: record.app.clone(),
            times: record.times,
            made_for: record.made_for,
            pool: record.pooled.as_ref().map(|pooled| pooled.pool.clone()),
            interpreters: link.map_or_else(Arc::default, |link| Arc::clone(&link.interpreters)),
            port: link.map(Connection::port),
        }
    }
}
