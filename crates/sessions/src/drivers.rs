//! What clients are told of drivers. A driver is visible to those who may read its session or batch.
//! Drivers of pools have no user's data, and are visible to all.

use std::sync::Arc;

use jiff::Timestamp;
use livius_domain::driver::Interpreter;
use livius_domain::{AppInfo, DriverId, DriverState, DriverTimes, DriverUse};

use crate::action::Action;
use crate::batches::ActingOnBatches;
use crate::driver::{DriverHandle, DriverRegistry};
use crate::service::ActingOnSessions;
use crate::view::Ref;

/// A driver that is not gone, at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct DriverStatus {
    /// Its name.
    pub id: DriverId,
    /// The session or batch that uses it, or the pool that keeps it.
    pub made_for: DriverUse,
    /// The name of the pool that it was started for.
    pub pool: Option<String>,
    /// Its state.
    pub state: DriverState,
    /// Its application, once known.
    pub app: Option<AppInfo>,
    /// When it came into its states.
    pub times: DriverTimes,
    /// Since when its agent is away.
    pub away_since: Option<Timestamp>,
    /// The interpreters that are up in it.
    pub interpreters: Arc<[Interpreter]>,
}

impl DriverStatus {
    fn of(driver: &DriverHandle) -> Self {
        let view = driver.view();
        Self {
            id: driver.id.clone(),
            made_for: view.made_for,
            pool: view.pool.clone(),
            state: view.state.clone(),
            app: view.app.clone(),
            times: view.times,
            away_since: driver.link_lost.get(),
            interpreters: Arc::clone(&view.interpreters),
        }
    }
}

impl ActingOnSessions<'_> {
    /// The drivers of sessions and pools that the caller may see, by name.
    pub fn drivers(&self) -> Vec<DriverStatus> {
        visible(&self.core.drivers.registry, |made_for| self.sees(made_for))
    }

    /// One of them.
    pub fn driver(&self, id: &DriverId) -> Option<DriverStatus> {
        let driver = self.core.drivers.registry.find(id)?;
        let status = DriverStatus::of(&driver);
        self.sees(status.made_for).then_some(status)
    }

    fn sees(&self, made_for: DriverUse) -> bool {
        match made_for {
            DriverUse::Pool => true,
            DriverUse::Batch(_) => false,
            DriverUse::Session(id) => {
                let which = Ref::Id(id);
                let entry = self.core.registry.find(&which);
                entry.is_some_and(|entry| {
                    self.admit(Action::Read, &entry.view().record, &which)
                        .is_ok()
                })
            }
        }
    }
}

impl ActingOnBatches<'_> {
    /// The drivers of batches that the caller may see, by name.
    pub fn drivers(&self) -> Vec<DriverStatus> {
        visible(&self.core.drivers.registry, |made_for| self.sees(made_for))
    }

    /// One of them.
    pub fn driver(&self, id: &DriverId) -> Option<DriverStatus> {
        let driver = self.core.drivers.registry.find(id)?;
        let status = DriverStatus::of(&driver);
        self.sees(status.made_for).then_some(status)
    }

    fn sees(&self, made_for: DriverUse) -> bool {
        let DriverUse::Batch(id) = made_for else {
            return false;
        };
        let which = Ref::Id(id);
        let entry = self.core.registry.find(&which);
        entry.is_some_and(|entry| {
            self.admit(Action::Read, &entry.view().record, &which)
                .is_ok()
        })
    }
}

fn visible(registry: &DriverRegistry, sees: impl Fn(DriverUse) -> bool) -> Vec<DriverStatus> {
    let all = registry.all();
    let shown = all.iter().map(|driver| DriverStatus::of(driver));
    shown.filter(|status| sees(status.made_for)).collect()
}
