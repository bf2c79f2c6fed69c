//! Drivers that wait for sessions to come, so that a session need not wait for its driver.
//!
//! A keeper starts drivers for each pool and ends those that are too old or do not fit any more. A
//! session takes a driver, and never gives it back. Drivers of pools come after those of users: they
//! wait behind them in the queue, and give their places up.

mod keep;
mod stock;
mod take;
mod view;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::join_all;
use livius_domain::pool::{Configuration, Pooled, Template};
use livius_domain::{DriverRecord, DriverState, Failure, Kind, SessionRecord, StopCause};
use tokio::sync::{Notify, OwnedSemaphorePermit};
use tokio::time::Instant;

use self::stock::{Member, Pool, Stock};
use crate::driver::{self, DriverHandle, Origin, Purpose};
use crate::entry::Core;
use crate::request;

pub(crate) use self::keep::run;
pub(crate) use self::take::{Asked, Claimed};

/// The name of the pool that is there without configuration.
pub(crate) const DEFAULT_POOL: &str = "default";

/// The pools of one server.
pub(crate) struct Pools {
    core: Arc<Core>,
    stock: Mutex<Stock>,
    /// Raised when the keeper has something to look at.
    changed: Notify,
}

/// The last session that was asked for. The default pool is for the next one like it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct LastUse {
    kind: Kind,
    user: Option<String>,
    owner: Option<String>,
}

impl Pools {
    /// The pools of a configuration, without drivers.
    pub fn new(core: Arc<Core>) -> Self {
        let settings = &core.config.pools;
        let templates = match &settings.templates[..] {
            _ if !settings.enabled => Vec::new(),
            [] => vec![stock::default_template(None)],
            given => given.to_vec(),
        };
        Self {
            stock: Mutex::new(Stock::new(templates)),
            core,
            changed: Notify::new(),
        }
    }

    /// Whether there are pools at all.
    fn are_on(&self) -> bool {
        self.core.config.pools.enabled
    }

    fn stock(&self) -> MutexGuard<'_, Stock> {
        self.stock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the installation, whose fingerprint a driver must have that waits.
    async fn look(&self) -> Result<String, Failure> {
        let found = self.core.launcher.fingerprint().await;
        let mut stock = self.stock();
        stock.looked_at = Some(Instant::now());
        if let Ok(installation) = &found {
            if stock.installation.as_ref() != Some(installation) {
                stock.may_start_again();
            }
            stock.installation = Some(installation.clone());
        }
        found
    }

    /// Notes what a session is like, for the default pool.
    pub fn note_use(&self, record: &SessionRecord) {
        let used = LastUse {
            kind: record.request.kind,
            user: record.proxy_user.clone(),
            owner: record.owner.clone(),
        };
        self.stock().note_use(used);
        self.changed.notify_one();
    }

    /// The configuration of a pool's drivers.
    fn configuration(&self, template: &Template, installation: &str) -> Configuration {
        let owner = match &self.stock().last_use {
            Some(used) if template.name == DEFAULT_POOL => used.owner.clone(),
            _ => None,
        };
        let name = format!("livius-pool-{}", template.name);
        request::configuration(
            &self.core.config,
            &template.request,
            template.user.clone(),
            owner,
            installation,
            name,
        )
    }

    /// Takes up a driver of a pool from the store. One that no pool would start today is ended.
    pub async fn take_back(self: &Arc<Self>, record: DriverRecord) {
        let id = record.id.clone();
        let place = Arc::clone(&self.core.places).try_acquire_owned().ok();
        let pooled = record.pooled.clone().filter(|_| is_worth_keeping(&record));
        let wanted = pooled.filter(|pooled| self.would_start(pooled));
        let (Some(pooled), Some(place)) = (wanted, place) else {
            let driver = driver::end_unclaimed(&self.core.drivers, record).await;
            return self.forget_when_gone(driver);
        };
        tracing::info!(driver.id = %id, pool = pooled.pool, "a pool keeps its driver");
        let core = &self.core.drivers;
        let driver = driver::spawn(core, record, Purpose::Pool, Origin::Recovered);
        self.add(driver, *pooled, place);
    }

    /// Whether a pool of today's configuration would start such a driver. The keeper looks at its age
    /// and at the installation.
    fn would_start(&self, pooled: &Pooled) -> bool {
        let template = {
            let mut stock = self.stock();
            if pooled.pool == DEFAULT_POOL && stock.last_use.is_none() {
                let configuration = &pooled.configuration;
                stock.note_use(LastUse {
                    kind: configuration.kind,
                    user: configuration.user.clone(),
                    owner: configuration.owner.clone(),
                });
            }
            stock.template(&pooled.pool)
        };
        let Some(template) = template else {
            return false;
        };
        let installation = &pooled.configuration.installation;
        let today = self.configuration(&template, installation);
        let is_same = if pooled.pool == DEFAULT_POOL {
            // The kind is that of the last session, and any session may have it.
            Configuration {
                kind: pooled.configuration.kind,
                ..today
            } == pooled.configuration
        } else {
            today == pooled.configuration
        };
        is_same && template.level == pooled.level
    }

    fn add(
        self: &Arc<Self>,
        driver: Arc<DriverHandle>,
        pooled: Pooled,
        place: OwnedSemaphorePermit,
    ) {
        self.follow(&driver);
        let member = Member::new(driver, pooled, place);
        let added = self.stock().add(member);
        if let Err(member) = added {
            self.retire(*member, StopCause::User);
        }
        self.changed.notify_one();
    }

    /// Wakes the keeper when the driver changes.
    fn follow(self: &Arc<Self>, driver: &Arc<DriverHandle>) {
        let (pools, mut feed) = (Arc::clone(self), driver.follow());
        let lifecycle = self.core.lifecycle.clone();
        self.core.lifecycle.spawn(async move {
            while !feed.view().state.is_gone() {
                let changed = tokio::select! {
                    biased;
                    () = lifecycle.stopping() => false,
                    changed = feed.changed() => changed,
                };
                if !changed {
                    return;
                }
                pools.changed.notify_one();
            }
        });
    }

    /// Ends a driver that is in no pool any more, and removes what is left of it. Its place among the
    /// sessions is free at once.
    fn retire(self: &Arc<Self>, member: Member, cause: StopCause) {
        let driver = member.driver;
        tracing::info!(driver.id = %driver.id, pool = member.pooled.pool, "a pool ends a driver");
        self.end(driver, cause);
    }

    /// The same for a driver that a session could not take.
    pub fn end(self: &Arc<Self>, driver: Arc<DriverHandle>, cause: StopCause) {
        let told = Arc::clone(&driver);
        self.core
            .lifecycle
            .spawn(async move { told.stop(cause).await });
        self.forget_when_gone(driver);
    }

    fn forget_when_gone(self: &Arc<Self>, driver: Arc<DriverHandle>) {
        self.stock().leaves(&driver);
        let (pools, lifecycle) = (Arc::clone(self), self.core.lifecycle.clone());
        self.core.lifecycle.spawn(async move {
            let is_gone = tokio::select! {
                biased;
                () = lifecycle.stopping() => false,
                is_gone = driver.gone() => is_gone,
            };
            if is_gone {
                pools.core.drivers.forget(&driver.id).await;
                pools.stock().leaving.retain(|it| it.id != driver.id);
            }
        });
    }

    /// Ends every driver of the pools, and waits for that.
    pub async fn stop_all(self: &Arc<Self>) {
        let members = self.stock().take_all();
        for member in members {
            self.retire(member, StopCause::Shutdown);
        }
        let leaving = self.stock().leaving.clone();
        join_all(leaving.iter().map(|driver| driver.gone())).await;
    }

    /// The same by force.
    pub async fn end_by_force(self: &Arc<Self>) {
        let members = self.stock().take_all();
        for member in members {
            self.retire(member, StopCause::Shutdown);
        }
        let leaving = self.stock().leaving.clone();
        let ended = leaving.iter().map(async |driver| {
            driver.end_by_force().await;
            driver.gone().await;
        });
        join_all(ended).await;
    }

    /// The place of one driver, which a user's session gets. The driver ends. `None` when no pool has
    /// any.
    pub fn give_place(self: &Arc<Self>) -> Option<OwnedSemaphorePermit> {
        let member = self.stock().least_wanted()?;
        let Member {
            driver,
            pooled,
            place,
            ..
        } = member;
        tracing::info!(driver.id = %driver.id, pool = pooled.pool, "a driver of a pool gives its place to a session");
        self.end(driver, StopCause::User);
        Some(place)
    }

    /// Whether a driver of a pool could give its place.
    pub fn has_places(&self) -> bool {
        self.stock()
            .pools
            .iter()
            .any(|pool| !pool.members.is_empty())
    }
}

/// A driver that waits or starts. One whose start had not begun is started again when it is wanted.
fn is_worth_keeping(record: &DriverRecord) -> bool {
    !matches!(
        record.state,
        DriverState::Queued
            | DriverState::Launching
            | DriverState::Stopping(_)
            | DriverState::Gone(_)
    )
}

impl Pool {
    /// Whether it is the one that is there without configuration.
    fn is_default(&self) -> bool {
        self.is_built_in
    }
}
