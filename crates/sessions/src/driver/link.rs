//! The driver's actor and the agent: which connection is current, which events were stored.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use livius_agent_link::{AgentFrame, AgentSocket, Command, Event, Hello, InterpreterUp, Notice};
use livius_domain::driver::Interpreter;
use livius_domain::failure::recognise;
use livius_domain::{
    AppInfo, Departure, DriverEvent, DriverState, DriverUse, Failure, FailureCode, JobId, Kind,
    Phase, SessionId, chain,
};
use livius_failpoint::{Point, reach};
use tokio::sync::{Semaphore, oneshot};
use tokio::time::Instant;

use super::FromAgent;
use super::actor::{Departed, DriverActor, Purpose};
use super::awaited::Heard;
use super::connection::Connection;
use crate::error::SessionError;
use crate::shortened::shortened;

/// Places in the session's queue that notices leave free. One event at a time is on its way.
const ROOM_FOR_EVENTS: usize = 4;

/// The length of an agent's reason that is kept, in bytes. Every view of the session has it.
const FAILURE_BYTES: usize = 4 << 10;

/// A driver has one interpreter of each kind.
const MOST_INTERPRETERS: usize = Kind::ALL.len();

/// How long the actor waits for the end of the connection after the process has ended. Usually the
/// connection ends with the process.
const DRAIN: Duration = Duration::from_secs(2);

/// An agent tries to connect again every five seconds at the latest. After two failures it is
/// missing.
const MISSING_AFTER: Duration = Duration::from_secs(10);

/// The jobs that an agent has in hand. An agent of version 1 does not tell.
fn jobs_in_hand(hello: &Hello) -> Option<Arc<[JobId]>> {
    let told = !hello.sessions.is_empty();
    told.then(|| {
        hello
            .sessions
            .iter()
            .flat_map(|it| it.jobs.iter().copied())
            .collect()
    })
}

/// The interpreters that an agent tells. Kinds that this server does not know are left out.
fn interpreters<'a>(told: impl Iterator<Item = &'a InterpreterUp>) -> Arc<[Interpreter]> {
    let known = told.filter_map(|up| {
        let kind = Kind::parse(&up.kind)?;
        let since = Timestamp::from_millisecond(up.since).ok()?;
        Some(Interpreter { kind, since })
    });
    known.take(MOST_INTERPRETERS).collect()
}

impl DriverActor {
    /// Takes a new connection in place of any older one. Events are numbered per agent process, and
    /// applying one twice changes nothing: a restarted server has all of them sent again. An event
    /// that the agent does not keep any more was stored before.
    pub(super) async fn attach(&mut self, socket: AgentSocket) {
        let hello = &socket.hello;
        let known = self
            .link
            .take()
            .filter(|old| old.socket.hello.instance == hello.instance);
        let forgotten = hello.first_seq.saturating_sub(1);
        let applied = known.map_or(forgotten, |old| old.applied.max(forgotten));
        tracing::info!(
            driver.id = %self.record.id,
            spark.version = hello.spark,
            java.version = hello.java,
            agent.protocol = hello.version(),
            agent.events_kept = ?(hello.first_seq..=hello.last_seq),
            agent.in_hand = ?hello.sessions,
            "the driver's agent has connected"
        );
        let restarted = matches!(self.record.state, DriverState::Up { .. })
            && self
                .record
                .instance
                .as_ref()
                .is_some_and(|instance| *instance != hello.instance);
        self.record.instance = Some(hello.instance.clone());
        self.unstored = true;
        self.connections += 1;
        let attempt = if self.connections == 1 {
            "first"
        } else {
            "again"
        };
        let metrics = &self.core.config.metrics;
        metrics.agent_connections.with([attempt]).inc();
        let link = Connection {
            number: self.connections,
            jobs_in_hand: jobs_in_hand(&socket.hello),
            interpreters: interpreters(
                socket.hello.sessions.iter().flat_map(|it| &it.interpreters),
            ),
            socket,
            turn: Arc::new(Semaphore::new(1)),
            applied,
            storing: None,
        };
        link.send(Command::Welcome { acked: applied });
        self.link = Some(link);
        self.handle.link_lost.clear();
        self.missing_at = None;
        reach(Point::AgentAttached);
        let event = if restarted {
            DriverEvent::AgentRestarted
        } else {
            DriverEvent::AgentConnected
        };
        self.apply(event).await;
        self.begin_again();
    }

    pub(super) async fn drop_stuck_link(&mut self) {
        if self.link.is_some() {
            tracing::warn!(driver.id = %self.record.id, "the driver's agent does not take its commands; dropping the connection");
            self.lose_link().await;
        }
    }

    /// The process has ended. What its agent said last may still be on its way.
    pub(super) async fn on_departure(&mut self, departure: Departure) {
        if self.link.is_none() {
            return self.apply(DriverEvent::Exited(departure)).await;
        }
        self.departed = Some(Departed {
            departure,
            until: Instant::now() + DRAIN,
        });
    }

    pub(super) async fn lose_link(&mut self) {
        self.link = None;
        // The session that waits for an answer looks for another driver.
        self.beginning = None;
        if let Some(departed) = self.departed.take() {
            return self.apply(DriverEvent::Exited(departed.departure)).await;
        }
        self.core.config.metrics.agent_connections_lost.inc();
        self.missing_at = Some(Instant::now() + MISSING_AFTER);
        self.handle.link_lost.set(self.core.clock.now());
        self.apply(DriverEvent::AgentLost).await;
    }

    pub(super) async fn on_heard(&mut self, heard: Heard) {
        match heard {
            Heard::Frame(None) => self.lose_link().await,
            Heard::Frame(Some(frame)) => self.on_frame(*frame).await,
            Heard::Stored { seq, stored } => self.on_stored(seq, stored).await,
        }
    }

    async fn on_frame(&mut self, frame: AgentFrame) {
        match frame {
            AgentFrame::Unknown => {}
            AgentFrame::Notice { session, notice } => {
                if self.is_ours(session) {
                    self.on_notice(notice);
                }
            }
            AgentFrame::Event {
                seq,
                session,
                event,
            } => self.on_event(seq, session, event).await,
        }
    }

    /// A notice may be lost. It must not hold up events, so it leaves them room.
    fn on_notice(&mut self, notice: Notice) {
        if let Notice::Interpreters { interpreters: told } = notice {
            if let Some(link) = &mut self.link {
                link.interpreters = interpreters(told.iter());
            }
            return self.publish();
        }
        let Purpose::Session(_, session) = &self.purpose else {
            return;
        };
        let has_room = session.capacity() > ROOM_FOR_EVENTS;
        if !has_room
            || session
                .try_send(Box::new(FromAgent::Notice(notice)))
                .is_err()
        {
            self.core.config.metrics.notices_dropped.inc();
        }
    }

    /// Whether a frame is about the session that the driver serves.
    fn is_ours(&self, session: Option<SessionId>) -> bool {
        session.is_none_or(|named| self.record.made_for == DriverUse::Session(named))
    }

    async fn on_event(&mut self, seq: u64, session: Option<SessionId>, event: Event) {
        let applied = self.link.as_ref().map_or(0, |link| link.applied);
        if seq <= applied {
            return self.acknowledge(seq);
        }
        if seq > applied + 1 {
            // A frame in between is missing. The agent keeps it and sends it again on its next
            // connection.
            tracing::warn!(driver.id = %self.record.id, agent.event = seq, agent.applied = applied, "the driver's agent has skipped an event; dropping the connection");
            return self.lose_link().await;
        }
        match event {
            Event::Ready { .. }
            | Event::ContextUp { .. }
            | Event::Primed
            | Event::Begun { .. }
            | Event::Failed { .. }
            | Event::ContextStopped { .. }
            | Event::Stopped { .. } => {
                let stored = self.on_own_event(event).await;
                if let Err(error) = &stored {
                    tracing::error!(driver.id = %self.record.id, error = %chain(error), "cannot store what the agent said");
                }
                self.on_stored(seq, stored.is_ok()).await;
            }
            _ if self.is_ours(session) => self.pass_on(seq, event).await,
            _ => {
                // The agent would send it again on every connection.
                tracing::error!(driver.id = %self.record.id, agent.event = seq, ?session, ?event, "ignoring an event of a session that the driver does not serve");
                self.on_stored(seq, true).await;
            }
        }
    }

    /// Hands an event to the session. It is acknowledged when the session has stored its effect.
    async fn pass_on(&mut self, seq: u64, event: Event) {
        let Purpose::Session(_, session) = &self.purpose else {
            // No session needs it any more.
            return self.on_stored(seq, true).await;
        };
        let (stored, storing) = oneshot::channel();
        // The driver's actor must never wait for the session's actor, which may be waiting for it.
        let sent = session.try_send(Box::new(FromAgent::Event { event, stored }));
        match &mut self.link {
            Some(link) if sent.is_ok() => link.storing = Some((seq, storing)),
            _ => self.lose_link().await,
        }
    }

    async fn on_stored(&mut self, seq: u64, stored: bool) {
        if let Some(link) = &mut self.link {
            link.storing = None;
        }
        if !stored {
            // The server has not acknowledged the event, so the agent keeps it and sends it again.
            return self.lose_link().await;
        }
        if let Some(link) = &mut self.link {
            link.applied = link.applied.max(seq);
        }
        reach(Point::EventStored);
        self.acknowledge(seq);
        reach(Point::EventAcknowledged);
    }

    fn acknowledge(&self, seq: u64) {
        if let Some(link) = &self.link
            && link
                .socket
                .outgoing
                .try_send(Box::new(Command::Ack { seq }.into()))
                .is_err()
        {
            self.handle.stuck.notify_one();
        }
    }

    /// The application as its agent reports it. User code can send such a report, too, so a text
    /// that cannot be true is left out. The session serves without it.
    fn believed(&self, app_id: String, spark_ui_url: Option<String>) -> Option<AppInfo> {
        if !AppInfo::is_id(&app_id) {
            tracing::warn!(driver.id = %self.record.id, "the agent reported no usable id of its application");
            return None;
        }
        let usable = spark_ui_url.filter(|url| {
            let is_address = AppInfo::is_address(url);
            if !is_address {
                tracing::warn!(driver.id = %self.record.id, "the agent reported no usable address of Spark's UI");
            }
            is_address
        });
        Some(AppInfo {
            app_id,
            spark_ui_url: usable,
            driver_log_url: None,
        })
    }

    /// The events that are about the driver itself.
    async fn on_own_event(&mut self, event: Event) -> Result<(), SessionError> {
        match event {
            Event::Ready {
                app_id,
                spark_ui_url,
                ..
            } => {
                let believed = self.believed(app_id, spark_ui_url);
                self.take_app(believed);
                self.try_apply(DriverEvent::Ready).await
            }
            Event::ContextUp {
                app_id,
                spark_ui_url,
            } => {
                let believed = self.believed(app_id, spark_ui_url);
                self.take_app(believed);
                if self.record.state == DriverState::Context {
                    let now = self.core.clock.now();
                    self.record.times.interpreter_at.get_or_insert(now);
                }
                self.store_now().await
            }
            Event::Failed {
                phase,
                message,
                detail,
            } => {
                let lines: Vec<&str> = message.lines().chain(detail.lines()).collect();
                let clue = recognise(&lines);
                let message = format!("the {phase} could not be created: {message}");
                let failure = Failure {
                    code: FailureCode::ContextFailed,
                    phase: Phase::Context,
                    evidence: livius_domain::Evidence::default(),
                    message: shortened(message, FAILURE_BYTES),
                    hint: "the session's log has the whole story".to_owned(),
                };
                let failure = failure.explained_by(clue);
                self.try_apply(DriverEvent::AgentFailed(failure)).await
            }
            Event::ContextStopped { message } => {
                let failure = Failure {
                    code: FailureCode::ContextStopped,
                    phase: Phase::Running,
                    evidence: livius_domain::Evidence::default(),
                    message,
                    hint: "create a new session; code that calls spark.stop() must make the next context itself, with SparkSession.builder.getOrCreate()".to_owned(),
                };
                self.try_apply(DriverEvent::ContextGone(failure)).await
            }
            Event::Stopped { reason } => {
                let reason = shortened(reason, FAILURE_BYTES);
                tracing::info!(driver.id = %self.record.id, reason, "the driver's agent has stopped");
                Ok(())
            }
            // A driver that a session has taken says so again if the server has not acknowledged it.
            Event::Primed if self.record.made_for == DriverUse::Pool => {
                self.try_apply(DriverEvent::Primed).await
            }
            Event::Begun { error } => {
                self.begun(error);
                Ok(())
            }
            _ => Ok(()),
        }
    }
}
