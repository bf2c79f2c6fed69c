//! A session takes a driver that waits in a pool.

use std::sync::Arc;

use livius_agent_link::Command;
use livius_domain::pool::Level;
use livius_domain::{DriverEvent, DriverState, DriverUse, Link, SessionRecord, chain};
use livius_launch::Launcher;
use secrecy::SecretString;
use tokio::sync::{mpsc, oneshot};

use super::FromAgent;
use super::actor::{DriverActor, Purpose};
use super::awaited::TaskReport;
use crate::config::Config;
use crate::request;

/// A session that wants the driver.
#[derive(Debug)]
pub(crate) struct Claim {
    /// The session, which is stored.
    pub session: Box<SessionRecord>,
    /// The way of the agent's messages to it.
    pub to_session: mpsc::Sender<Box<FromAgent>>,
    /// What the agent is told.
    pub begin: Command,
    /// Gets a message when the session has the driver, or why it has not.
    pub reply: oneshot::Sender<Result<(), String>>,
}

impl DriverActor {
    /// Gives the driver to a session. A ready driver has to answer first: one that is dead, or hangs,
    /// is never handed over. No claim is taken back, because the agent may have begun.
    pub(super) async fn claim(&mut self, claim: Claim) {
        let Claim {
            session,
            to_session,
            begin,
            reply,
        } = claim;
        if let Err(why) = self.can_be_claimed() {
            let _ = reply.send(Err(why.to_owned()));
            return;
        }
        let before = self.record.made_for;
        self.record.made_for = DriverUse::Session(session.id);
        let level = self.record.pooled.as_mut().map(|pooled| {
            // The session has its own configuration, which may have secrets until its end.
            pooled.configuration.conf.clear();
            pooled.level
        });
        self.unstored = true;
        self.handle.start_began.set(self.core.clock.now());
        let stored = match level {
            Some(Level::Primed) => self.try_apply(DriverEvent::Begin).await,
            _ => self.store_now().await,
        };
        if let Err(error) = stored {
            tracing::error!(driver.id = %self.record.id, error = %chain(&error), "cannot store that a session takes a driver of a pool");
            self.record.made_for = before;
            let _ = reply.send(Err("the store refuses it".to_owned()));
            return;
        }
        tracing::info!(driver.id = %self.record.id, session.id = %session.id, "a session takes a driver of a pool");
        self.purpose = Purpose::Session(session, to_session);
        self.send_begin(begin);
        match level {
            Some(Level::Primed) => {
                let _ = reply.send(Ok(()));
            }
            _ => self.beginning = Some(reply),
        }
    }

    fn can_be_claimed(&self) -> Result<(), &'static str> {
        let is_up = matches!(
            self.record.state,
            DriverState::Up { link: Link::Up } | DriverState::Primed
        );
        if self.record.made_for != DriverUse::Pool {
            return Err("another session has it");
        }
        if !is_up || self.process.is_none() || self.departed.is_some() {
            return Err("it has just ended");
        }
        if self.link.is_none() {
            return Err("its agent is not connected");
        }
        Ok(())
    }

    /// The agent of a ready driver has the session's settings, or cannot have them.
    pub(super) fn begun(&mut self, error: Option<String>) {
        if let Some(reply) = self.beginning.take() {
            let _ = reply.send(error.map_or(Ok(()), Err));
        }
    }

    fn send_begin(&mut self, begin: Command) {
        match &self.link {
            Some(link)
                if link
                    .socket
                    .outgoing
                    .try_send(Box::new(begin.into()))
                    .is_ok() => {}
            // The agent is told when it connects again.
            _ => self.handle.stuck.notify_one(),
        }
    }

    /// Tells a primed agent again that its session begins: the server, or the connection, may have
    /// ended before it heard. An agent that has begun ignores it.
    pub(super) fn begin_again(&mut self) {
        let is_primed = |level| level == Level::Primed;
        let was_primed = self.record.pooled.as_ref().map(|pooled| pooled.level);
        if self.record.state != DriverState::Context || !was_primed.is_some_and(is_primed) {
            return;
        }
        let Purpose::Session(session, _) = &self.purpose else {
            return;
        };
        let (session, id) = (session.clone(), self.record.id.clone());
        let (core, reply) = (Arc::clone(&self.core), self.expect_report());
        self.core.lifecycle.spawn(async move {
            let launcher = &*core.launcher;
            match late_start(&core.config, launcher, &session, id.clone()).await {
                Ok(begin) => {
                    let _ = reply.send(TaskReport::Begin(begin));
                }
                Err(why) => {
                    tracing::error!(driver.id = %id, why, "cannot tell a primed driver to begin");
                }
            }
        });
    }

    pub(super) fn on_late_start(&mut self, begin: Command) {
        if self.record.state == DriverState::Context {
            self.send_begin(begin);
        }
    }
}

/// What a primed driver is told for a session.
pub(crate) async fn late_start(
    config: &Arc<Config>,
    launcher: &dyn Launcher,
    session: &SessionRecord,
    id: livius_domain::DriverId,
) -> Result<Command, String> {
    // The driver has its secret already.
    let no_secret = SecretString::from("");
    let order = request::order(config, session, id, no_secret).await;
    let order = order.map_err(|failure| failure.message)?;
    let late = launcher.late_start(order).await;
    let late = late.map_err(|failure| failure.message)?;
    Ok(Command::Begin {
        document: late.document,
        conf: late.conf,
    })
}
