//! The one owner of a session: it drives the state machines of the session and of its statements.
//!
//! The actor follows its driver: it sees each state that the driver's actor publishes, and gets the
//! agent's messages about this session. For each event it stores the new state, then performs the
//! effects, and then publishes the new view. Every effect may happen twice (after a crash between
//! the steps), and no effect waits for the driver.

mod agent;
mod effects;
mod following;
mod jobs;
mod measured;
mod queue;
mod rescue;
mod resources;
mod statements;
mod words;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use livius_domain::{DriverState, JobId, Link, SessionEvent, SessionRecord, StopCause};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio::time::Instant;
use tracing::Instrument as _;

use crate::driver::{FromAgent, Origin};
use crate::entry::{Core, Entry};
use crate::feed::Publisher;
use crate::mailbox::Letter;
use crate::message::Message;
use crate::registry::Live as _;
use crate::view::SessionView;
use queue::Queue;
pub(crate) use rescue::rescue;

pub(crate) use words::removed_output;

/// Frames that are taken in a row before the actor looks at its messages: a session whose agent
/// never stops talking can be stopped.
const FRAMES_IN_A_ROW: u32 = 64;

/// The parts that the actor has from its first moment.
pub(crate) struct ActorSetup {
    /// The session's place among the live ones. Recovered sessions may be more than there are
    /// places.
    pub place: Option<OwnedSemaphorePermit>,
    /// The publisher of its views.
    pub publisher: Publisher<SessionView>,
}

/// The actor.
pub(crate) struct Actor {
    core: Arc<Core>,
    entry: Arc<Entry>,
    record: SessionRecord,
    setup: ActorSetup,
    statements: Queue,
    finished: u64,
    jobs: BTreeMap<JobId, jobs::Unfinished>,
    ended_jobs: u64,
    /// Jobs that the driver may lack. The next one is sent when the socket has taken the last one.
    unsent_jobs: BTreeSet<JobId>,
    pending: resources::Pending,
    /// The connection whose agent was given all that it may lack.
    handed_over: Option<u64>,
    /// The time of the next attempt to hand over commands that the driver does not have.
    retry: Option<Instant>,
    /// True if the record has changes that are not stored.
    unstored: bool,
    /// True if the session's end is stored, and the end of all its work.
    end_is_stored: bool,
    stop_waiters: Vec<oneshot::Sender<()>>,
    completions: HashMap<u64, oneshot::Sender<Vec<String>>>,
    next_request: u64,
}

impl Actor {
    /// An actor for a session that has an entry.
    pub(crate) fn new(
        core: Arc<Core>,
        entry: Arc<Entry>,
        record: SessionRecord,
        setup: ActorSetup,
    ) -> Self {
        let statements = Queue::new(&core.texts, &core.config.metrics.statements_waiting);
        Self {
            core,
            entry,
            record,
            setup,
            statements,
            finished: 0,
            jobs: BTreeMap::new(),
            ended_jobs: 0,
            unsent_jobs: BTreeSet::new(),
            pending: resources::Pending::new(),
            handed_over: None,
            retry: None,
            unstored: false,
            end_is_stored: false,
            stop_waiters: Vec::new(),
            completions: HashMap::new(),
            next_request: 0,
        }
    }

    /// Drives the session until it has ended, or the server stops. The steps are boxed: while the
    /// actor waits, it keeps no room for them.
    pub(crate) async fn run(
        mut self: Box<Self>,
        origin: Origin,
        mut messages: mpsc::Receiver<Box<Letter<Message>>>,
        mut from_agent: mpsc::Receiver<Box<FromAgent>>,
    ) {
        if origin == Origin::Recovered && !Box::pin(self.recover()).await {
            return;
        }
        let lifecycle = self.core.lifecycle.clone();
        let mut driver = self.entry.driver.follow();
        Box::pin(self.follow_driver()).await;
        let mut frames = 0;
        while !self.record.state.is_ended() {
            if frames >= FRAMES_IN_A_ROW {
                frames = 0;
                if let Ok(letter) = messages.try_recv() {
                    Box::pin(self.on_letter(*letter)).await;
                    continue;
                }
            }
            let retry = self.retry;
            let long = self.port_for_jobs();
            tokio::select! {
                biased;
                // The server stops at once: drivers that are to end have been ended before.
                () = lifecycle.stopping() => return,
                // Events come before requests.
                true = driver.changed() => Box::pin(self.follow_driver()).await,
                // Results free the queue, so they come before requests.
                Some(heard) = from_agent.recv() => {
                    frames += 1;
                    Box::pin(self.on_heard(*heard)).await;
                }
                turn = jobs::turn(long.as_ref()) => Box::pin(self.send_next_job(turn)).await,
                () = following::at(retry) => Box::pin(self.hand_over_or_retry()).await,
                Some(letter) = messages.recv() => Box::pin(self.on_letter(*letter)).await,
            }
        }
        Box::pin(self.leave()).await;
    }

    async fn on_letter(&mut self, letter: Letter<Message>) {
        self.on_message(letter.message)
            .instrument(letter.span)
            .await;
    }

    async fn on_message(&mut self, message: Message) {
        match message {
            Message::Run { posted, reply } => {
                let answer = self.post_statement(posted).await;
                let _ = reply.send(answer);
            }
            Message::Check { check, reply } => {
                let _ = reply.send(self.check(check));
            }
            Message::Cancel { statement, reply } => {
                let answer = self.cancel(statement).await;
                let _ = reply.send(answer);
            }
            Message::Interrupt { reply } => {
                let answer = self.cancel_all().await;
                let _ = reply.send(answer);
            }
            Message::Complete {
                code,
                kind,
                cursor,
                reply,
            } => self.complete(code, kind, cursor, reply),
            Message::SubmitJob { new, key, reply } => {
                let answer = self.submit_job(new, key.as_ref()).await;
                let _ = reply.send(answer);
            }
            Message::CancelJob { job, reply } => {
                let answer = self.cancel_job(job).await;
                let _ = reply.send(answer);
            }
            Message::AddResource {
                resource,
                added,
                reply,
            } => {
                let answer = self.add_resource(*resource, added).await;
                let _ = reply.send(answer);
            }
            Message::Touch => {
                self.record.last_activity = self.core.clock.now();
                self.publish();
            }
            Message::Delete { cause, reply } => self.delete(cause, reply).await,
            Message::Stop { cause, reply } => {
                self.stop_waiters.extend(reply);
                self.apply(SessionEvent::Stop(cause)).await;
            }
            Message::EndByForce { reply } => {
                self.stop_waiters.push(reply);
                self.apply(SessionEvent::Stop(StopCause::Shutdown)).await;
                self.entry.driver.end_by_force().await;
            }
        }
    }

    /// Publishes the session as it is now.
    fn publish(&self) {
        let recovering = DriverState::Up {
            link: Link::Recovering,
        };
        let before = self.setup.publisher.publish(SessionView {
            record: self.record.clone(),
            busy: !self.statements.is_empty(),
            recovering: self.entry.driver.view().state == recovering,
        });
        let now = self.entry.view();
        if !now.is_alike(&before) && !self.entry.is_hidden() {
            self.core.changes.session(&now.record, Some(now.status()));
        }
    }
}
