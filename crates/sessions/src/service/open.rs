//! Opening the application: recovery is the ordinary start of an actor, with a session from the store.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize};

use livius_domain::session::Link;
use livius_domain::{Clock, End, Outcome, SessionRecord, SessionState, StopCause};
use livius_launch::Launcher;
use livius_store::{Store, Unended};
use secrecy::SecretString;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};

use super::Sessions;
use crate::actor::{Actor, Begin, Own};
use crate::board::Board;
use crate::config::Config;
use crate::core::Core;
use crate::error::SessionError;
use crate::janitor;
use crate::message::Mailbox;
use crate::registry::{Entry, Instant};
use crate::request;
use crate::view::SessionView;

/// Messages waiting for one actor; whoever finds it full waits.
const MAILBOX: usize = 64;

impl Sessions {
    /// Opens the application on a store: every session that had not ended is taken up again.
    pub async fn open(
        config: Config,
        store: Arc<dyn Store>,
        launcher: Arc<dyn Launcher>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, SessionError> {
        let unended = store.unended_sessions().await?;
        let core = Arc::new(Core::new(config, store, launcher, clock));
        let sessions = Self { core };
        for unended in unended {
            sessions.take_up(unended).await?;
        }
        let core = Arc::clone(&sessions.core);
        sessions.core.lifecycle.spawn(janitor::run(core));
        Ok(sessions)
    }

    async fn take_up(&self, unended: Unended<SessionRecord>) -> Result<(), SessionError> {
        let Unended { mut record, listed } = unended;
        if !listed && record.state == SessionState::NEW {
            return self.forget(record).await;
        }
        // Nothing is known of a driver until it has been looked for.
        if let SessionState::Running { link } = &mut record.state {
            *link = Link::Recovering;
        }
        let mut token = None;
        // Nothing was ever started for it, so it may as well get a new secret: the old one was never written down.
        if record.state == SessionState::NEW || record.driver.is_none() {
            let (mut driver, secret) = request::new_driver(record.id);
            if let Some(old) = record.driver.take()
                && self.core.launcher.files(&old.id).has_only_uploads().await
            {
                driver.id = old.id;
            }
            record.driver = Some(driver);
            record.state = SessionState::NEW;
            token = Some(secret);
            self.core.store.update_session(&mut record).await?;
        }
        let place = Arc::clone(&self.core.places).try_acquire_owned().ok();
        self.spawn_actor(record, token, Begin::Recovered, !listed, place);
        Ok(())
    }

    /// Ends a session that was deleted, or refused, before anything was started for it.
    async fn forget(&self, mut record: SessionRecord) -> Result<(), SessionError> {
        record.state = SessionState::Ended(End {
            outcome: Outcome::Stopped,
            cause: Some(StopCause::User),
            failure: None,
            exit: None,
        });
        record.ended_at = Some(self.core.clock.now());
        Ok(self.core.store.update_session(&mut record).await?)
    }

    /// Makes the entry and the actor of a session.
    pub(super) fn spawn_actor(
        &self,
        record: SessionRecord,
        token: Option<SecretString>,
        begin: Begin,
        hidden: bool,
        place: Option<OwnedSemaphorePermit>,
    ) -> Arc<Entry> {
        let driver = record
            .driver
            .clone()
            .expect("every session has its driver named before its actor begins");
        let (messages, inbox) = mpsc::channel(MAILBOX);
        let (reports, reports_inbox) = mpsc::channel(MAILBOX);
        let busy = false;
        let (view_sender, view) = watch::channel(Arc::new(SessionView {
            record: record.clone(),
            busy,
        }));
        let entry = Arc::new(Entry {
            id: record.id,
            log: self.core.launcher.files(&driver.id).log(),
            driver: driver.id,
            token_hash: driver.token_hash,
            hidden: AtomicBool::new(hidden),
            mailbox: Mailbox { messages, view },
            board: Arc::new(Board::default()),
            touched: Instant::at(self.core.clock.now()),
            start_began: Instant::default(),
            link_lost: Instant::default(),
            unfinished_jobs: AtomicUsize::default(),
            resource_places: Arc::new(Semaphore::new(self.core.config.limits.pending_resources)),
        });
        self.core.registry.insert(&entry);
        let own = Own {
            token,
            place,
            view: view_sender,
            reports,
        };
        let actor = Actor::new(Arc::clone(&self.core), Arc::clone(&entry), record, own);
        self.core
            .lifecycle
            .spawn(actor.run(begin, inbox, reports_inbox));
        entry
    }
}
