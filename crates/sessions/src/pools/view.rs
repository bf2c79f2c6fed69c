//! What is told of the pools.

use livius_domain::pool::{PoolCounts, PoolStatus, PooledDriver};

use super::Pools;
use super::stock::Pool;
use jiff::Timestamp;

impl Pools {
    /// Every pool as it is now. Without pools there is none.
    pub fn status(&self) -> Vec<PoolStatus> {
        let now = self.core.clock.now();
        let mut stock = self.stock();
        stock.pools.iter_mut().map(|pool| of(pool, now)).collect()
    }
}

fn of(pool: &mut Pool, now: Timestamp) -> PoolStatus {
    let wanted = pool.wanted(now);
    let drivers = pool.members.iter().map(|member| PooledDriver {
        id: member.driver.id.clone(),
        since: member.pooled.since,
        state: member.state(),
    });
    let reasons = pool.reasons.iter();
    let reasons = reasons.map(|((name, key), count)| (*name, key.clone(), *count));
    PoolStatus {
        name: pool.template.name.clone(),
        level: pool.template.level,
        wanted,
        max: pool.template.max,
        is_open: pool.is_open(now),
        waits_for: pool.waits_for,
        drivers: drivers.collect(),
        counts: PoolCounts {
            hits: pool.hits,
            misses: pool.misses,
            reasons: reasons.collect(),
        },
        last_failure: pool.failure.clone(),
    }
}
