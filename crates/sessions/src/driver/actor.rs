//! The one owner of a driver: it drives the driver's state machine.
//!
//! For each event the actor stores the new state, then performs the effects, then publishes the new
//! view. Every effect may happen twice (after a crash between the steps), and no effect waits for
//! the driver.

use std::sync::Arc;
use std::time::Duration;

use livius_domain::{
    BatchRecord, Departure, DriverEvent, DriverRecord, DriverState, SessionRecord, StopCause,
};
use livius_launch::{RunningDriver, Sighting};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio::time::Instant;
use tracing::Instrument as _;

use super::awaited::{self, AllNews, News, Overdue, TaskReport};
use super::connection::Connection;
use super::{DriverCore, DriverHandle, DriverMessage, DriverView, FromAgent};
use crate::feed::Publisher;
use crate::mailbox::Letter;

/// The time from SIGTERM to SIGKILL when the server ends the driver of a session by force.
pub(super) const FORCE_GRACE: Duration = Duration::from_secs(3);

/// The number of frames that the actor takes in a row before it looks at its messages, so that it
/// can stop an agent that sends without a pause.
const FRAMES_IN_A_ROW: u32 = 64;

/// The purpose of the driver.
pub(crate) enum Purpose {
    /// This session. The messages of its agent go to the session's actor.
    Session(Box<SessionRecord>, mpsc::Sender<Box<FromAgent>>),
    /// This batch.
    Batch(Box<BatchRecord>),
    /// A session to come. The driver waits in a pool.
    Pool,
    /// None: its session or batch has ended, or was never stored.
    Nothing,
}

/// The origin of the actor's driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A client has just asked for it.
    New,
    /// The server found it in the store.
    Recovered,
}

/// The end of a process whose connection is still open.
pub(super) struct Departed {
    pub(super) departure: Departure,
    /// When the actor stops waiting for the end of the connection.
    pub(super) until: Instant,
}

/// The actor.
pub(super) struct DriverActor {
    pub(super) core: Arc<DriverCore>,
    pub(super) handle: Arc<DriverHandle>,
    pub(super) record: DriverRecord,
    pub(super) purpose: Purpose,
    pub(super) feed: Publisher<DriverView>,
    /// The report of the task that works for the actor. At most one task does.
    pub(super) report: Option<oneshot::Receiver<TaskReport>>,
    pub(super) process: Option<Arc<dyn RunningDriver>>,
    /// The news of the process, while it has not ended.
    pub(super) news: Option<AllNews>,
    /// What the resource manager told of the application last.
    pub(super) sighting: Option<Box<Sighting>>,
    pub(super) link: Option<Connection>,
    pub(super) connections: u64,
    /// When the phase of its start began that it is in. `None` if that was under another server.
    pub(super) phase_began: Option<Instant>,
    /// The driver's place among those that start.
    pub(super) starting: Option<OwnedSemaphorePermit>,
    /// The driver's place among those that live.
    pub(super) running: Option<OwnedSemaphorePermit>,
    /// The latest time at which the driver gives its place among the starting drivers back.
    pub(super) hold_until: Option<Instant>,
    /// When a stop that the agent was asked for is overdue.
    pub(super) stop_overdue: Option<Instant>,
    /// When an agent whose connection is lost counts as missing.
    pub(super) missing_at: Option<Instant>,
    /// The end of the process. It waits for the last frames of the agent.
    pub(super) departed: Option<Departed>,
    /// The session that takes the driver, until the agent has its settings.
    pub(super) beginning: Option<oneshot::Sender<Result<(), String>>>,
    pub(super) grace: Duration,
    /// True if the record has changes that are not stored.
    pub(super) unstored: bool,
}

impl DriverActor {
    pub(super) fn new(
        core: Arc<DriverCore>,
        handle: Arc<DriverHandle>,
        record: DriverRecord,
        purpose: Purpose,
        feed: Publisher<DriverView>,
    ) -> Self {
        Self {
            core,
            handle,
            record,
            purpose,
            feed,
            report: None,
            process: None,
            news: None,
            sighting: None,
            link: None,
            connections: 0,
            phase_began: None,
            starting: None,
            running: None,
            hold_until: None,
            stop_overdue: None,
            missing_at: None,
            departed: None,
            beginning: None,
            grace: FORCE_GRACE,
            unstored: false,
        }
    }

    /// Drives the driver until it is gone, or the server stops. The steps are boxed: while the actor
    /// waits, it keeps no room for them.
    pub(super) async fn run(
        mut self: Box<Self>,
        origin: Origin,
        mut messages: mpsc::Receiver<Box<Letter<DriverMessage>>>,
    ) {
        match origin {
            Origin::New => self.phase_began = Some(Instant::now()),
            Origin::Recovered => Box::pin(self.recover()).await,
        }
        let lifecycle = self.core.lifecycle.clone();
        let handle = Arc::clone(&self.handle);
        let mut frames = 0;
        while !self.record.state.is_gone() {
            if frames >= FRAMES_IN_A_ROW {
                frames = 0;
                if let Ok(letter) = messages.try_recv() {
                    Box::pin(self.on_letter(*letter)).await;
                    continue;
                }
            }
            let deadline = self.next_deadline();
            tokio::select! {
                biased;
                // The server stops at once: drivers that are to end have been ended before.
                () = lifecycle.stopping() => return,
                // Events come before requests.
                Some(report) = awaited::report(&mut self.report) => Box::pin(self.on_report(report)).await,
                news = awaited::news(&mut self.news) => Box::pin(self.on_news(news)).await,
                // A deadline must not wait for an agent that talks.
                overdue = awaited::deadline(deadline) => Box::pin(self.on_overdue(overdue)).await,
                () = handle.stuck.notified() => Box::pin(self.drop_stuck_link()).await,
                // Results free the session's queue, so they come before requests.
                heard = awaited::heard(&mut self.link) => {
                    frames += 1;
                    Box::pin(self.on_heard(heard)).await;
                }
                Some(letter) = messages.recv() => Box::pin(self.on_letter(*letter)).await,
            }
        }
        Box::pin(self.leave()).await;
    }

    /// The first deadline. One timer serves all of them, because a timer is large.
    fn next_deadline(&self) -> Option<(Instant, Overdue)> {
        let drained = self.departed.as_ref().map(|departed| departed.until);
        let deadlines = [
            (self.stop_overdue, Overdue::Stop),
            (drained, Overdue::Drain),
            (self.missing_at, Overdue::Agent),
            (self.hold_until, Overdue::Start),
        ];
        let set = deadlines
            .into_iter()
            .filter_map(|(at, what)| Some((at?, what)));
        set.min_by_key(|(at, _)| *at)
    }

    async fn on_news(&mut self, news: News) {
        match news {
            News::Sighted(sighting) => self.on_sighting(sighting).await,
            News::Departed(departure) => {
                self.news = None;
                self.on_departure(departure).await;
            }
        }
    }

    async fn on_overdue(&mut self, overdue: Overdue) {
        match overdue {
            Overdue::Stop => {
                self.stop_overdue = None;
                self.apply(DriverEvent::StopOverdue).await;
            }
            Overdue::Drain => self.lose_link().await,
            Overdue::Agent => {
                self.missing_at = None;
                self.apply(DriverEvent::AgentMissing).await;
            }
            Overdue::Start => self.let_others_start(),
        }
    }

    async fn on_report(&mut self, report: TaskReport) {
        match report {
            TaskReport::Turn(turn) => self.on_turn(turn).await,
            TaskReport::Launched(Ok(process)) => {
                self.take_process(process);
                self.apply(DriverEvent::Launched).await;
            }
            TaskReport::Launched(Err(failure)) => {
                self.apply(DriverEvent::LaunchFailed(failure)).await;
            }
            TaskReport::Begin(begin) => self.on_late_start(begin),
        }
    }

    async fn on_letter(&mut self, letter: Letter<DriverMessage>) {
        self.on_message(letter.message)
            .instrument(letter.span)
            .await;
    }

    async fn on_message(&mut self, message: DriverMessage) {
        match message {
            DriverMessage::Stop(cause) => self.apply(DriverEvent::Stop(cause)).await,
            DriverMessage::EndByForce => {
                self.grace = Duration::ZERO;
                self.apply(DriverEvent::Stop(StopCause::Shutdown)).await;
                self.terminate();
            }
            DriverMessage::AskQueued(reply) => {
                let _ = reply.send(self.record.state == DriverState::Queued);
            }
            DriverMessage::Claim(claim) => self.claim(claim).await,
            DriverMessage::Attach(socket) => self.attach(socket).await,
            DriverMessage::AppStarted { app, reply } => {
                self.take_app(Some(app));
                let stored = self.try_apply(DriverEvent::Ready).await;
                let _ = reply.send(stored);
            }
        }
    }

    /// Publishes the driver as it is now.
    pub(super) fn publish(&self) {
        let view = DriverView::of(&self.record, self.link.as_ref());
        self.feed.publish(view);
    }
}
