//! The one owner of a session: it drives the state machines of the session and of its statements.
//!
//! For each event: the new state is stored, then the effects are performed, then the new view is published. Every effect may
//! happen twice (after a crash between the steps), and none of them waits for the driver.

mod effects;
mod jobs;
mod link;
mod queue;
mod resources;
mod statements;
mod words;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use livius_domain::{Exit, Failure, JobId, SessionEvent, SessionRecord, StopCause};
use livius_launch::RunningDriver;
use secrecy::SecretString;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot, watch};
use tokio::time::Instant;

use crate::core::Core;
use crate::message::Message;
use crate::registry::Entry;
use crate::view::SessionView;
use queue::Queue;

/// From SIGTERM to SIGKILL, once a driver is ended by force.
const FORCE_GRACE: Duration = Duration::from_secs(3);

/// What tasks of its own report to a session's actor.
pub(crate) enum Report {
    /// A place among the starting sessions.
    Allowed(OwnedSemaphorePermit),
    /// The launch is over.
    Launched(Result<Arc<dyn RunningDriver>, Failure>),
    /// The driver is gone.
    Exited(Exit),
}

/// How an actor begins.
pub(crate) enum Begin {
    /// With a session just created.
    New,
    /// With one found in the store at the start of the server.
    Recovered,
}

/// What belongs to an actor from its first moment.
pub(crate) struct Own {
    /// The secret of a driver that has not been launched yet.
    pub token: Option<SecretString>,
    /// Its place among the live sessions; recovered sessions may be more than there are places.
    #[expect(dead_code, reason = "it is held, and let go with the actor")]
    pub place: Option<OwnedSemaphorePermit>,
    /// Where the session is shown.
    pub view: watch::Sender<Arc<SessionView>>,
    /// Where its tasks report to.
    pub reports: mpsc::Sender<Report>,
}

/// The actor.
pub(crate) struct Actor {
    core: Arc<Core>,
    entry: Arc<Entry>,
    record: SessionRecord,
    own: Own,
    statements: Queue,
    finished: u64,
    jobs: BTreeMap<JobId, jobs::Unfinished>,
    ended_jobs: u64,
    pending: resources::Pending,
    link: Option<link::Link>,
    process: Option<Arc<dyn RunningDriver>>,
    start_permit: Option<OwnedSemaphorePermit>,
    /// When to try again to hand over what the driver does not have.
    retry: Option<Instant>,
    stop_overdue: Option<Instant>,
    force_grace: Duration,
    /// Whether the session's end is stored, and that of all its work.
    end_is_stored: bool,
    stop_waiters: Vec<oneshot::Sender<()>>,
    completions: HashMap<u64, oneshot::Sender<Vec<String>>>,
    next_request: u64,
}

impl Actor {
    /// An actor for a session that has an entry.
    pub(crate) fn new(core: Arc<Core>, entry: Arc<Entry>, record: SessionRecord, own: Own) -> Self {
        Self {
            core,
            entry,
            record,
            own,
            statements: Queue::default(),
            finished: 0,
            jobs: BTreeMap::new(),
            ended_jobs: 0,
            pending: resources::Pending::new(),
            link: None,
            process: None,
            start_permit: None,
            retry: None,
            stop_overdue: None,
            force_grace: FORCE_GRACE,
            end_is_stored: false,
            stop_waiters: Vec::new(),
            completions: HashMap::new(),
            next_request: 0,
        }
    }

    /// Drives the session until it has ended, or the server stops.
    pub(crate) async fn run(
        mut self,
        begin: Begin,
        mut messages: mpsc::Receiver<Message>,
        mut reports: mpsc::Receiver<Report>,
    ) {
        match begin {
            Begin::New => self.await_start_permit(),
            Begin::Recovered => self.recover().await,
        }
        let lifecycle = self.core.lifecycle.clone();
        while !self.record.state.is_ended() {
            let (overdue, retry) = (self.stop_overdue, self.retry);
            tokio::select! {
                biased;
                // The server stops at once: drivers that are to end have been ended before.
                () = lifecycle.stopping() => return,
                // What has happened comes before what is wanted.
                Some(report) = reports.recv() => self.on_report(report).await,
                // Results free the queue, so they come before requests.
                frame = link::next_frame(&mut self.link) => self.on_frame(frame).await,
                () = link::at(overdue) => {
                    self.stop_overdue = None;
                    self.apply(SessionEvent::StopOverdue).await;
                }
                () = link::at(retry) => self.hand_over_or_retry().await,
                Some(message) = messages.recv() => self.on_message(message).await,
            }
        }
        self.leave().await;
    }

    async fn on_report(&mut self, report: Report) {
        match report {
            Report::Allowed(permit) => {
                if self.record.state.is_starting() {
                    self.start_permit = Some(permit);
                    self.entry.start_began.set(self.core.clock.now());
                    self.apply(SessionEvent::LaunchAllowed).await;
                }
            }
            Report::Launched(Ok(process)) => {
                self.take_process(process);
                self.apply(SessionEvent::Launched).await;
            }
            Report::Launched(Err(failure)) => self.apply(SessionEvent::LaunchFailed(failure)).await,
            Report::Exited(exit) => self.apply(SessionEvent::DriverExited(exit)).await,
        }
    }

    async fn on_message(&mut self, message: Message) {
        match message {
            Message::Run { new, reply } => {
                let answer = self.post_statement(new).await;
                let _ = reply.send(answer);
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
            Message::SubmitJob { new, reply } => {
                let answer = self.submit_job(new).await;
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
                let answer = self.add_resource(resource, added).await;
                let _ = reply.send(answer);
            }
            Message::Touch => {
                self.record.last_activity = self.core.clock.now();
                self.publish();
            }
            Message::Stop { cause, hide, reply } => {
                self.stop_waiters.extend(reply);
                self.apply(SessionEvent::Stop(cause)).await;
                if hide {
                    self.hide().await;
                }
            }
            Message::EndByForce { reply } => {
                self.stop_waiters.push(reply);
                self.force_grace = Duration::ZERO;
                self.apply(SessionEvent::Stop(StopCause::Shutdown)).await;
                self.terminate();
            }
            Message::Attach(socket) => self.attach(socket).await,
        }
    }

    /// Shows the session as it is now.
    fn publish(&self) {
        let busy = !self.statements.is_empty();
        self.own.view.send_replace(Arc::new(SessionView {
            record: self.record.clone(),
            busy,
        }));
    }
}
