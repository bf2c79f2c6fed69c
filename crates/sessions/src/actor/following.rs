//! Follows the driver: translates the driver's states into events of the session.

use livius_agent_link::Command;
use livius_domain::{SessionEvent, SessionState};
use tokio::time::Instant;

use super::Actor;
use crate::error::SessionError;

/// Waits until then, or without end.
pub(super) async fn at(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

impl Actor {
    /// Follows the state that the driver's actor has published.
    pub(super) async fn follow_driver(&mut self) {
        let driver = self.entry.driver.view();
        if driver.app.is_some() && driver.app != self.record.app {
            self.record.app.clone_from(&driver.app);
            self.unstored = true;
        }
        match SessionEvent::of(&driver.state) {
            Some(event) => self.apply(event).await,
            None => self.publish(),
        }
        let connection = driver.port.as_ref().map(|port| port.connection);
        if connection != self.handed_over {
            // No agent answers the requests of an earlier connection.
            self.completions.clear();
            self.handed_over = None;
            if connection.is_some() && self.is_reachable() {
                self.handed_over = connection;
                self.hand_over_or_retry().await;
            }
        }
    }

    /// Tells whether a statement that is handed over now would arrive.
    pub(super) fn is_reachable(&self) -> bool {
        matches!(self.record.state, SessionState::Running)
            && self.entry.driver.view().port.is_some()
    }

    /// Sends the agent a command, if one is connected.
    pub(super) fn send(&self, command: Command) {
        self.entry.driver.send(command);
    }

    /// Gives the driver everything that it may lack. The actor retries later if the store
    /// fails now.
    pub(super) async fn hand_over_or_retry(&mut self) {
        self.retry = None;
        let handed_over = self.hand_over().await;
        self.retry_after(handed_over);
    }

    /// Files come first, as statements and jobs may need them.
    async fn hand_over(&mut self) -> Result<(), SessionError> {
        if !self.is_reachable() {
            return Ok(());
        }
        self.hand_over_resources().await;
        self.dispatch_again().await?;
        self.hand_over_jobs().await
    }
}
