//! A session looks for a driver in the pools.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use livius_agent_link::Command;
use livius_domain::pool::{
    Configuration, Differs, Late, Level, Passed, PoolOutcome, PooledState, Template, Why, fit,
};
use livius_domain::{AppInfo, ResourceUse, SessionRecord, SessionRequest, StopCause};
use serde_json::Map;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

use super::stock::Member;
use super::{Pools, Stock};
use crate::driver::{Claim, DriverHandle, FromAgent, late_start};
use crate::policy::Caller;
use crate::request;

/// How long a driver has to answer a session that takes it.
const CLAIM_LIMIT: Duration = Duration::from_secs(2);

/// A session that looks for a driver.
pub(crate) struct Asked<'a> {
    pub record: &'a SessionRecord,
    pub caller: &'a Caller,
    /// The way of the agent's messages to the session.
    pub to_session: mpsc::Sender<Box<FromAgent>>,
}

/// A driver that a session has got.
pub(crate) struct Claimed {
    pub driver: Arc<DriverHandle>,
    pub level: Level,
    /// The application of a ready driver.
    pub app: Option<AppInfo>,
    /// The driver's place among the sessions.
    pub place: OwnedSemaphorePermit,
    /// Files that the driver lacks: their uses, names and addresses.
    pub files: Vec<(ResourceUse, String, String)>,
}

/// A driver that fits, out of the stock.
struct Found {
    member: Member,
    late: Late,
}

impl Pools {
    /// Finds a driver for a session that is stored. What came of it is told in any case.
    pub async fn take(self: &Arc<Self>, asked: Asked<'_>) -> (PoolOutcome, Option<Claimed>) {
        if !self.are_on() {
            return (PoolOutcome::Off, None);
        }
        // The installation decides only whether a driver fits that waits.
        let are_stocked = self.stock().have_waiting();
        let installation = if are_stocked {
            self.look().await
        } else {
            Ok(String::new())
        };
        let Ok(installation) = installation else {
            // The session's own start will say what is wrong.
            return (PoolOutcome::Miss { pools: Vec::new() }, None);
        };
        let record = asked.record;
        let wanted = request::configuration(
            &self.core.config,
            &record.request,
            record.proxy_user.clone(),
            record.owner.clone(),
            &installation,
            request::session_name(record.id),
        );
        let mut refused = Vec::new();
        loop {
            let found = match self.find(&wanted, asked.caller, are_stocked) {
                Ok(found) => found,
                Err(passed) => return (self.missed(passed, &refused), None),
            };
            let (pool, level) = (found.member.pooled.pool.clone(), found.member.pooled.level);
            match self.claim(found, &asked).await {
                Ok(claimed) => {
                    self.hit(&pool, level);
                    return (PoolOutcome::Hit { pool, level }, Some(claimed));
                }
                Err(message) => refused.push((pool, message)),
            }
        }
    }

    /// Tells what [`Self::take`] would come to for a request. It takes no driver and counts nothing.
    pub async fn preview(
        &self,
        request: &SessionRequest,
        caller: &Caller,
        user: Option<String>,
        name: String,
    ) -> PoolOutcome {
        if !self.are_on() {
            return PoolOutcome::Off;
        }
        let Ok(installation) = self.look().await else {
            return PoolOutcome::Miss { pools: Vec::new() };
        };
        let config = &self.core.config;
        let owner = caller.user.clone();
        let wanted = request::configuration(config, request, user, owner, &installation, name);
        let mut passed = Vec::new();
        for template in self.templates() {
            match self.would_take(&template, &wanted, caller) {
                Ok(level) => {
                    let pool = template.name;
                    return PoolOutcome::Hit { pool, level };
                }
                Err(why) => passed.push(Passed {
                    pool: template.name,
                    why,
                }),
            }
        }
        PoolOutcome::Miss { pools: passed }
    }

    fn would_take(
        &self,
        template: &Template,
        wanted: &Configuration,
        caller: &Caller,
    ) -> Result<Level, Why> {
        self.serves(template, caller, self.core.clock.now())?;
        let fitting = {
            let mut stock = self.stock();
            let pool = stock.pool(&template.name);
            pool.map_or(Err(None), |pool| {
                let (index, _) = pool.fitting(wanted)?;
                Ok(pool.members[index].pooled.level)
            })
        };
        fitting.map_err(|differs| match differs {
            Some(differs) => Why::Differs(differs),
            None => self.why_empty(template, wanted),
        })
    }

    /// The templates, so that their configurations are made without the lock.
    fn templates(&self) -> Vec<Template> {
        let stock = self.stock();
        let pools = stock.pools.iter();
        pools.map(|pool| pool.template.clone()).collect()
    }

    /// Takes a driver that fits out of the stock, or tells why each pool has none.
    fn find(
        &self,
        wanted: &Configuration,
        caller: &Caller,
        are_stocked: bool,
    ) -> Result<Found, Vec<Passed>> {
        let mut passed = Vec::new();
        for template in self.templates() {
            let why = match self.look_at(&template, wanted, caller, are_stocked) {
                Ok(found) => return Ok(found),
                Err(why) => why,
            };
            passed.push(Passed {
                pool: template.name,
                why,
            });
        }
        Err(passed)
    }

    fn look_at(
        &self,
        template: &Template,
        wanted: &Configuration,
        caller: &Caller,
        are_stocked: bool,
    ) -> Result<Found, Why> {
        self.serves(template, caller, self.core.clock.now())?;
        let picked = if are_stocked {
            self.stock().pick(&template.name, wanted)
        } else {
            Picked::Nothing
        };
        match picked {
            Picked::One(found) => Ok(*found),
            Picked::Unfit(differs) => Err(Why::Differs(differs)),
            Picked::Nothing => Err(self.why_empty(template, wanted)),
        }
    }

    fn serves(&self, template: &Template, caller: &Caller, now: Timestamp) -> Result<(), Why> {
        let (users, groups) = (&template.users, &template.groups);
        let is_named = |user: &String| caller.user.as_ref() == Some(user);
        let policy = &self.core.config.policy;
        let is_member = |group: &String| policy.is_member(caller, group);
        let is_for_all = users.is_empty() && groups.is_empty();
        if !is_for_all && !users.iter().any(is_named) && !groups.iter().any(is_member) {
            return Err(Why::NotAllowed);
        }
        let hours = template.hours.as_ref();
        if hours.is_some_and(|hours| !hours.contain(now)) {
            return Err(Why::Closed);
        }
        Ok(())
    }

    /// Tells what would have hit, had a driver been there.
    fn why_empty(&self, template: &Template, wanted: &Configuration) -> Why {
        let had = self.configuration(template, &wanted.installation);
        if let Err(differs) = fit(template.level, &had, wanted) {
            return Why::Differs(differs);
        }
        let mut stock = self.stock();
        let refusal = stock
            .pool(&template.name)
            .and_then(|pool| pool.never_starts());
        refusal.map_or(Why::Empty, |message| Why::Refused {
            message: message.to_owned(),
        })
    }

    async fn claim(self: &Arc<Self>, found: Found, asked: &Asked<'_>) -> Result<Claimed, String> {
        let Found { member, late } = found;
        match self
            .try_claim(&member.driver, member.pooled.level, late, asked)
            .await
        {
            Ok(files) => Ok(Claimed {
                level: member.pooled.level,
                app: member.driver.view().app.clone(),
                driver: member.driver,
                place: member.place,
                files,
            }),
            Err(message) => {
                tracing::warn!(driver.id = %member.driver.id, pool = member.pooled.pool, message, "a session cannot take a driver of a pool");
                self.retire(member, StopCause::User);
                Err(message)
            }
        }
    }

    async fn try_claim(
        &self,
        driver: &DriverHandle,
        level: Level,
        late: Late,
        asked: &Asked<'_>,
    ) -> Result<Vec<(ResourceUse, String, String)>, String> {
        let core = &self.core;
        let mut files = Vec::new();
        for (used_as, uri) in late.files {
            let name = request::check_resource(&core.config, &uri).await;
            files.push((used_as, name.map_err(|error| error.to_string())?, uri));
        }
        let begin = match level {
            Level::Ready => Command::Begin {
                document: Map::new(),
                conf: late.conf,
            },
            Level::Primed => {
                let launcher = &*core.launcher;
                late_start(&core.config, launcher, asked.record, driver.id.clone()).await?
            }
        };
        let (reply, answer) = oneshot::channel();
        driver
            .claim(Claim {
                session: Box::new(asked.record.clone()),
                to_session: asked.to_session.clone(),
                begin,
                reply,
            })
            .await;
        match tokio::time::timeout(CLAIM_LIMIT, answer).await {
            Ok(Ok(claimed)) => claimed.map(|()| files),
            Ok(Err(_)) => Err("it has just ended".to_owned()),
            Err(_) => Err("it does not answer".to_owned()),
        }
    }

    fn hit(&self, name: &str, level: Level) {
        let hits = &self.core.config.metrics.pool_hits;
        hits.with([name.to_owned(), level.as_str().to_owned()])
            .inc();
        if let Some(pool) = self.stock().pool(name) {
            pool.hits += 1;
        }
        self.changed.notify_one();
    }

    /// Counts a miss in every pool. A driver that could not be had is the better reason.
    fn missed(&self, passed: Vec<Passed>, refused: &[(String, String)]) -> PoolOutcome {
        let now = self.core.clock.now();
        let mut stock = self.stock();
        let pools = passed.into_iter().map(|passed| {
            let refused = refused.iter().find(|(pool, _)| *pool == passed.pool);
            let why = match refused {
                Some((_, message)) => Why::Refused {
                    message: message.clone(),
                },
                None => passed.why,
            };
            let labels = [passed.pool.clone(), why.name().to_owned()];
            self.core.config.metrics.pool_misses.with(labels).inc();
            if let Some(pool) = stock.pool(&passed.pool) {
                pool.missed(&why, now);
            }
            Passed {
                pool: passed.pool,
                why,
            }
        });
        let outcome = PoolOutcome::Miss {
            pools: pools.collect(),
        };
        drop(stock);
        self.changed.notify_one();
        outcome
    }
}

/// The result of a look at one pool.
enum Picked {
    One(Box<Found>),
    /// Drivers wait, and none fits.
    Unfit(Differs),
    /// No driver waits.
    Nothing,
}

impl Stock {
    pub(super) fn pool(&mut self, name: &str) -> Option<&mut super::Pool> {
        let mut pools = self.pools.iter_mut();
        pools.find(|pool| pool.template.name == name)
    }

    /// Whether a driver waits for a session.
    fn have_waiting(&self) -> bool {
        let mut members = self.pools.iter().flat_map(|pool| &pool.members);
        members.any(|member| member.state() == PooledState::Waiting)
    }

    fn pick(&mut self, name: &str, wanted: &Configuration) -> Picked {
        let Some(pool) = self.pool(name) else {
            return Picked::Nothing;
        };
        match pool.fitting(wanted) {
            Ok((index, late)) => {
                let member = pool.members.remove(index);
                Picked::One(Box::new(Found { member, late }))
            }
            Err(Some(differs)) => Picked::Unfit(differs),
            Err(None) => Picked::Nothing,
        }
    }
}

impl super::Pool {
    /// A driver that waits and fits, and what is to be set late. `Err` has the difference of one that
    /// does not fit, or nothing when none waits.
    fn fitting(&self, wanted: &Configuration) -> Result<(usize, Late), Option<Differs>> {
        let mut unfit = None;
        for (index, member) in self.members.iter().enumerate() {
            if member.state() != PooledState::Waiting {
                continue;
            }
            match fit(member.pooled.level, &member.pooled.configuration, wanted) {
                Ok(late) => return Ok((index, late)),
                Err(differs) => unfit = Some(differs),
            }
        }
        Err(unfit)
    }
}
