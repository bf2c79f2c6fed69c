//! The keeper of the pools: it starts drivers that are wanted, and ends those that are not.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use livius_domain::pool::{Pooled, PooledState, Template};
use livius_domain::{DriverEnd, DriverState, DriverUse, StopCause, chain};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::Pools;
use super::stock::{Member, Pool, Setback, since};
use crate::driver::{self, Origin, Purpose};
use crate::error::SessionError;

/// The interval in which the keeper looks at ages and hours, even if nothing happens.
const INTERVAL: Duration = Duration::from_secs(1);

/// The interval in which the keeper looks at the installation for the drivers that it has. A session
/// looks again before it takes one.
const LOOK_INTERVAL: Duration = Duration::from_secs(15);

/// The part of the free memory that the pools may take if the configuration does not say.
const PART_OF_FREE: u64 = 4;

/// What a pool waits for.
const FOR_FIRST: &str = "a first session";
const FOR_QUIET: &str = "the sessions to be quiet";
const FOR_MEMORY: &str = "memory";
const FOR_PLACE: &str = "a place among the sessions";
const FOR_NEXT_TRY: &str = "the next try after a failure";
const FOR_CONFIGURATION: &str =
    "another configuration of Spark, as no start can succeed with this one";

/// Keeps the pools until the server stops.
pub(crate) async fn run(pools: Arc<Pools>) {
    let lifecycle = pools.core.lifecycle.clone();
    let admission = Arc::clone(&pools.core.drivers.admission);
    let mut timer = tokio::time::interval(INTERVAL);
    loop {
        tokio::select! {
            biased;
            () = lifecycle.draining() => return,
            () = admission.wanted_by_users() => pools.give_way(),
            () = pools.changed.notified() => pools.keep_once().await,
            _ = timer.tick() => pools.keep_once().await,
        }
    }
}

impl Pools {
    /// A user's driver waits for a place among the starting ones.
    fn give_way(self: &Arc<Self>) {
        let newest = self.stock().newest_start();
        if let Some(member) = newest {
            self.retire(member, StopCause::User);
        }
    }

    async fn keep_once(self: &Arc<Self>) {
        if !self.are_on() {
            return;
        }
        if self.is_look_due()
            && let Err(failure) = self.look().await
        {
            tracing::debug!(message = failure.message, "the pools have no Spark");
        }
        let now = self.core.clock.now();
        self.end_unwanted(now);
        self.note_quiet();
        let wanted = self.wanted(now);
        if wanted.is_empty() {
            return;
        }
        let installation = self.look().await;
        for (template, place) in wanted {
            match &installation {
                Ok(installation) => self.start(template, place, installation, now).await,
                // Without an installation no driver can start.
                Err(failure) => self.failed(&template, failure.clone().into(), now),
            }
        }
    }

    /// A look reads the directory of Spark's jars, so it is not for each second. It judges the drivers
    /// that wait, and pools that wait for another configuration.
    fn is_look_due(&self) -> bool {
        let is_past = |then: Instant| then.elapsed() >= LOOK_INTERVAL;
        let stock = self.stock();
        let needs_look = |pool: &Pool| !pool.members.is_empty() || pool.never_starts().is_some();
        stock.pools.iter().any(needs_look) && stock.looked_at.is_none_or(is_past)
    }

    /// Takes out the drivers that are gone, and ends those that are too old, too slow or too
    /// different.
    fn end_unwanted(self: &Arc<Self>, now: Timestamp) {
        let mut gone = Vec::new();
        let mut ended = Vec::new();
        let mut stock = self.stock();
        let used = stock.last_use.clone();
        let installation = stock.installation.clone();
        for pool in &mut stock.pools {
            let wanted = pool.wanted(now);
            for member in std::mem::take(&mut pool.members) {
                let state = member.state();
                if let DriverState::Gone(end) = &member.driver.view().state {
                    pool.failed(why_gone(end, member.has_waited), now);
                    gone.push(member);
                } else if let Some(why) = self.overdue(&member, now) {
                    pool.failed(why.to_owned().into(), now);
                    ended.push(member);
                } else if is_unwanted(pool, &member, installation.as_deref(), now)
                    || pool.members.len() >= wanted
                    || (pool.is_default()
                        && used.as_ref().is_some_and(|used| {
                            used.user != member.pooled.configuration.user
                                || used.owner != member.pooled.configuration.owner
                        }))
                {
                    ended.push(member);
                } else {
                    let is_up = state == PooledState::Waiting;
                    if is_up && !member.has_waited {
                        pool.failure = None;
                    }
                    pool.members.push(Member {
                        has_waited: member.has_waited || is_up,
                        ..member
                    });
                }
            }
        }
        for member in &ended {
            stock.leaves(&member.driver);
        }
        drop(stock);
        for member in gone {
            self.forget_when_gone(member.driver);
        }
        for member in ended {
            self.retire(member, StopCause::User);
        }
    }

    /// Why a driver that does not come up, or does not come back, is given up.
    fn overdue(&self, member: &Member, now: Timestamp) -> Option<&'static str> {
        let limits = &self.core.config.limits;
        let driver = &member.driver;
        let is_later =
            |from: Option<Timestamp>, limit| from.is_some_and(|from| since(now, from) > limit);
        match member.state() {
            PooledState::Starting if is_later(driver.start_began.get(), limits.start_timeout) => {
                Some("the driver was not up within the time allowed for a start")
            }
            PooledState::Away
                if is_later(
                    driver.link_lost.get(),
                    limits.link_grace + Duration::from_secs(30),
                ) =>
            {
                Some("the driver's agent did not come back")
            }
            _ => None,
        }
    }

    /// Notes since when no session starts or works. Only the default pool waits for that.
    fn note_quiet(&self) {
        let lacks = |pool: &Pool| pool.is_default() && pool.members.is_empty();
        if !self.stock().pools.iter().any(lacks) {
            self.stock().lacking_since = None;
            return;
        }
        let is_quiet = self.core.registry.all().iter().all(|entry| {
            let view = entry.view();
            !view.busy && entry.open_jobs.is_empty() && !view.record.state.is_starting()
        });
        let mut stock = self.stock();
        let now = Instant::now();
        stock.lacking_since.get_or_insert(now);
        if is_quiet {
            stock.quiet_since.get_or_insert(now);
        } else {
            stock.quiet_since = None;
        }
    }

    /// The drivers to start now, each with its place.
    fn wanted(&self, now: Timestamp) -> Vec<(Template, OwnedSemaphorePermit)> {
        let mut starts = Vec::new();
        let mut stock = self.stock();
        let mut used = stock.bytes();
        let budget = self.budget(used);
        let (has_used, is_settled) = (stock.last_use.is_some(), self.is_settled(&stock));
        for pool in &mut stock.pools {
            let lacking = pool.wanted(now).saturating_sub(pool.members.len());
            pool.waits_for = None;
            for _ in 0..lacking {
                let needed = pool.template.level.bytes();
                let next_try = pool.failure.as_ref().and_then(|failure| failure.next_try);
                let (is_default, is_too_early) =
                    (pool.is_default(), next_try.is_some_and(|next| now < next));
                let waits_for = match () {
                    () if is_default && !has_used => Some(FOR_FIRST),
                    () if pool.never_starts().is_some() => Some(FOR_CONFIGURATION),
                    () if is_too_early => Some(FOR_NEXT_TRY),
                    () if is_default && !is_settled => Some(FOR_QUIET),
                    () if used + needed > budget => Some(FOR_MEMORY),
                    () => None,
                };
                let place = match waits_for {
                    Some(_) => Err(waits_for),
                    None => Arc::clone(&self.core.places)
                        .try_acquire_owned()
                        .map_err(|_| Some(FOR_PLACE)),
                };
                match place {
                    Ok(place) => starts.push((pool.template.clone(), place)),
                    Err(waits_for) => {
                        pool.waits_for = waits_for;
                        break;
                    }
                }
                used += needed;
            }
        }
        starts
    }

    fn is_settled(&self, stock: &super::Stock) -> bool {
        let pace = &self.core.config.pools;
        let is_past = |then: Option<Instant>, wait| then.is_some_and(|then| then.elapsed() >= wait);
        is_past(stock.quiet_since, pace.settling) || is_past(stock.lacking_since, pace.patience)
    }

    /// The memory that all pools may take. Their own drivers take a part of what would be free
    /// without them.
    fn budget(&self, used: u64) -> u64 {
        let free = || self.core.launcher.free_memory().unwrap_or(0);
        let configured = self.core.config.pools.memory;
        configured.unwrap_or_else(|| (free() + used) / PART_OF_FREE)
    }

    /// Notes that a pool cannot start a driver. It tries again after a pause.
    fn failed(&self, template: &Template, setback: Setback, now: Timestamp) {
        if let Some(pool) = self.stock().pool(&template.name) {
            pool.failed(setback, now);
        }
    }

    async fn start(
        self: &Arc<Self>,
        template: Template,
        place: OwnedSemaphorePermit,
        installation: &str,
        now: Timestamp,
    ) {
        let core = &self.core.drivers;
        let pooled = Pooled {
            pool: template.name.clone(),
            level: template.level,
            since: now,
            configuration: self.configuration(&template, installation),
        };
        let mut record = core.record(DriverUse::Pool);
        record.pooled = Some(Box::new(pooled.clone()));
        if let Err(error) = self.core.store.create_driver(&record).await {
            let message = chain(&SessionError::from(error));
            return self.failed(&template, message.into(), now);
        }
        tracing::info!(driver.id = %record.id, pool = template.name, level = template.level.as_str(), "a pool starts a driver");
        let driver = driver::spawn(core, record, Purpose::Pool, Origin::New);
        self.add(driver, pooled, place);
    }
}

fn is_unwanted(pool: &Pool, member: &Member, installation: Option<&str>, now: Timestamp) -> bool {
    let pooled = &member.pooled;
    since(now, pooled.since) > pool.template.max_age
        || installation.is_some_and(|today| pooled.configuration.installation != today)
        || matches!(member.driver.view().state, DriverState::Stopping(_))
}

/// The reason of an end that nobody asked for.
fn why_gone(end: &DriverEnd, has_waited: bool) -> Setback {
    if let Some(failure) = &end.failure {
        return failure.clone().into();
    }
    let when = if has_waited {
        "while it waited"
    } else {
        "while it started"
    };
    let message = match &end.departure {
        Some(departure) => format!("the driver ended {when} with {}", departure.exit),
        None => format!("the driver ended {when}"),
    };
    message.into()
}
