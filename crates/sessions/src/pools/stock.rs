//! The drivers of all pools, and what came of requests.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use livius_domain::pool::{Level, PoolFailure, Pooled, PooledState, Template, Why};
use livius_domain::{DriverState, Failure, FailureCode, Kind, Link, SessionRequest};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::{DEFAULT_POOL, LastUse};
use crate::driver::DriverHandle;

/// How long a request that found its pool empty makes the pool keep one more driver.
const DEMAND: Duration = Duration::from_mins(10);

/// How old a driver of the default pool gets.
const DEFAULT_MAX_AGE: Duration = Duration::from_hours(1);

/// The pause after a first failure. Each further one doubles it.
const FIRST_PAUSE: Duration = Duration::from_secs(10);
const LONGEST_PAUSE: Duration = Duration::from_mins(10);

/// Keys of misses that are counted one by one, for each pool.
const MOST_REASONS: usize = 64;

/// The drivers of all pools.
pub(super) struct Stock {
    pub pools: Vec<Pool>,
    /// Drivers that are about to end.
    pub leaving: Vec<Arc<DriverHandle>>,
    pub last_use: Option<LastUse>,
    /// When the pools looked at the installation.
    pub looked_at: Option<Instant>,
    /// The fingerprint that was found then. A failure keeps the one before.
    pub installation: Option<String>,
    /// Since when no session starts or works. `None` while one does.
    pub quiet_since: Option<Instant>,
    /// Since when the default pool lacks a driver.
    pub lacking_since: Option<Instant>,
}

/// One pool.
pub(super) struct Pool {
    pub template: Template,
    pub is_built_in: bool,
    pub members: Vec<Member>,
    pub hits: u64,
    pub misses: u64,
    pub reasons: BTreeMap<(&'static str, Option<String>), u64>,
    pub failure: Option<PoolFailure>,
    /// When requests found the pool empty.
    demand: VecDeque<Timestamp>,
    /// Why it starts no driver although it wants one.
    pub waits_for: Option<&'static str>,
}

/// A driver in a pool.
pub(super) struct Member {
    pub driver: Arc<DriverHandle>,
    pub pooled: Pooled,
    /// Its place among the sessions that may live.
    pub place: OwnedSemaphorePermit,
    /// Whether it has come up.
    pub has_waited: bool,
}

/// Why a pool lacks a driver that it has started.
pub(super) struct Setback {
    pub message: String,
    /// Whether every further start would fail for the same reason.
    pub is_final: bool,
}

impl From<String> for Setback {
    fn from(message: String) -> Self {
        Self {
            message,
            is_final: false,
        }
    }
}

impl From<Failure> for Setback {
    fn from(failure: Failure) -> Self {
        Self {
            is_final: failure.code == FailureCode::Unsupported,
            message: failure.message,
        }
    }
}

/// The pool that is there without configuration.
pub(super) fn default_template(used: Option<&LastUse>) -> Template {
    Template {
        name: DEFAULT_POOL.to_owned(),
        level: Level::Primed,
        request: SessionRequest {
            kind: used.map_or(Kind::Shared, |used| used.kind),
            ..SessionRequest::default()
        },
        user: used.and_then(|used| used.user.clone()),
        users: Vec::new(),
        groups: Vec::new(),
        min: 1,
        max: 1,
        max_age: DEFAULT_MAX_AGE,
        hours: None,
    }
}

impl Stock {
    pub fn new(templates: Vec<Template>) -> Self {
        // A request looks at ready drivers first.
        let mut pools: Vec<Pool> = templates.into_iter().map(Pool::new).collect();
        pools.sort_by_key(|pool| std::cmp::Reverse(pool.template.level));
        if let [only] = &mut pools[..] {
            only.is_built_in = only.template == default_template(None);
        }
        Self {
            pools,
            leaving: Vec::new(),
            last_use: None,
            looked_at: None,
            installation: None,
            quiet_since: None,
            lacking_since: None,
        }
    }

    pub fn note_use(&mut self, used: LastUse) {
        if let Some(pool) = self.pools.iter_mut().find(|pool| pool.is_default()) {
            pool.template = default_template(Some(&used));
        }
        self.last_use = Some(used);
    }

    /// The configuration of Spark has changed: pools that waited for that try again.
    pub fn may_start_again(&mut self) {
        for pool in &mut self.pools {
            if pool.never_starts().is_some() {
                pool.failure = None;
            }
        }
    }

    pub fn template(&self, pool: &str) -> Option<Template> {
        let pool = self.pools.iter().find(|it| it.template.name == pool)?;
        Some(pool.template.clone())
    }

    /// Adds a driver to its pool, or gives it back if there is no such pool.
    pub fn add(&mut self, member: Member) -> Result<(), Box<Member>> {
        let name = &member.pooled.pool;
        match self.pools.iter_mut().find(|it| it.template.name == *name) {
            Some(pool) => {
                pool.members.push(member);
                Ok(())
            }
            None => Err(Box::new(member)),
        }
    }

    /// Takes all drivers, to end them.
    pub fn take_all(&mut self) -> Vec<Member> {
        let pools = self.pools.iter_mut();
        let all: Vec<Member> = pools.flat_map(|pool| pool.members.drain(..)).collect();
        for member in &all {
            self.leaves(&member.driver);
        }
        all
    }

    /// Notes that a driver is about to end, so that a shutdown waits for it.
    pub fn leaves(&mut self, driver: &Arc<DriverHandle>) {
        if !self.leaving.iter().any(|known| known.id == driver.id) {
            self.leaving.push(Arc::clone(driver));
        }
    }

    /// Takes the driver that is missed least: one that starts, or else the newest of the largest
    /// pool.
    pub fn least_wanted(&mut self) -> Option<Member> {
        let pools = self.pools.iter_mut();
        let pool = pools
            .filter(|pool| !pool.members.is_empty())
            .max_by_key(|pool| (pool.count(PooledState::Starting), pool.members.len()))?;
        let starting = |member: &Member| member.state() == PooledState::Starting;
        match pool.members.iter().rposition(starting) {
            Some(index) => Some(pool.members.remove(index)),
            None => pool.members.pop(),
        }
    }

    /// Takes a driver whose start takes a place among the starting ones, to end it.
    pub fn newest_start(&mut self) -> Option<Member> {
        let member = self.pools.iter_mut().find_map(|pool| {
            let index = pool.members.iter().rposition(Member::is_being_started)?;
            Some(pool.members.remove(index))
        })?;
        self.leaves(&member.driver);
        Some(member)
    }

    /// The memory that the drivers of all pools take.
    pub fn bytes(&self) -> u64 {
        let members = self.pools.iter().flat_map(|pool| &pool.members);
        members.map(|member| member.pooled.level.bytes()).sum()
    }
}

impl Pool {
    fn new(template: Template) -> Self {
        Self {
            template,
            is_built_in: false,
            members: Vec::new(),
            hits: 0,
            misses: 0,
            reasons: BTreeMap::new(),
            failure: None,
            demand: VecDeque::new(),
            waits_for: None,
        }
    }

    pub fn count(&self, state: PooledState) -> usize {
        let members = self.members.iter();
        members.filter(|member| member.state() == state).count()
    }

    pub fn is_open(&self, now: Timestamp) -> bool {
        let hours = self.template.hours.as_ref();
        hours.is_none_or(|hours| hours.contain(now))
    }

    /// The number of drivers that the pool wants to have.
    pub fn wanted(&mut self, now: Timestamp) -> usize {
        if !self.is_open(now) {
            return 0;
        }
        let is_over = |asked: &Timestamp| since(now, *asked) > DEMAND;
        while self.demand.front().is_some_and(is_over) {
            self.demand.pop_front();
        }
        let most = self.template.max.max(self.template.min);
        (self.template.min + self.demand.len()).min(most)
    }

    /// Counts a request that got no driver.
    pub fn missed(&mut self, why: &Why, now: Timestamp) {
        self.misses += 1;
        let key = match why {
            Why::Differs(differs) => Some(differs.key.clone()),
            _ => None,
        };
        let reason = (why.name(), key);
        if self.reasons.len() < MOST_REASONS || self.reasons.contains_key(&reason) {
            *self.reasons.entry(reason).or_default() += 1;
        }
        if *why == Why::Empty && self.demand.len() < self.template.max {
            self.demand.push_back(now);
        }
    }

    /// Whether no start can succeed before the configuration of Spark changes, and why.
    pub fn never_starts(&self) -> Option<&str> {
        let failure = self.failure.as_ref()?;
        failure
            .next_try
            .is_none()
            .then_some(failure.message.as_str())
    }

    /// Notes that a start failed. The pool starts no driver for a while, or until the configuration of
    /// Spark changes.
    pub fn failed(&mut self, setback: Setback, now: Timestamp) {
        let Setback { message, is_final } = setback;
        let in_a_row = self
            .failure
            .as_ref()
            .map_or(1, |it| it.in_a_row.saturating_add(1));
        let doublings = (in_a_row - 1).min(16);
        let pause = (FIRST_PAUSE * 2_u32.pow(doublings)).min(LONGEST_PAUSE);
        tracing::warn!(
            pool = self.template.name,
            message,
            in_a_row,
            "a driver of a pool failed"
        );
        self.failure = Some(PoolFailure {
            at: now,
            message,
            in_a_row,
            next_try: (!is_final).then(|| now.checked_add(pause).unwrap_or(Timestamp::MAX)),
        });
    }
}

impl Member {
    pub fn new(driver: Arc<DriverHandle>, pooled: Pooled, place: OwnedSemaphorePermit) -> Self {
        Self {
            driver,
            pooled,
            place,
            has_waited: false,
        }
    }

    pub fn state(&self) -> PooledState {
        let view = self.driver.view();
        match &view.state {
            DriverState::Up { link: Link::Up } | DriverState::Primed if view.port.is_some() => {
                PooledState::Waiting
            }
            state if state.is_starting() => PooledState::Starting,
            _ => PooledState::Away,
        }
    }

    fn is_being_started(&self) -> bool {
        let state = &self.driver.view().state;
        state.is_starting() && *state != DriverState::Queued
    }
}

/// The time from one moment to a later one.
pub(super) fn since(now: Timestamp, then: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(then)).unwrap_or_default()
}
