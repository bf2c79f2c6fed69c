//! The live drivers by name.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use livius_domain::DriverId;

use super::DriverHandle;

/// The live drivers. A driver is found from the moment its actor starts until it is gone.
#[derive(Default)]
pub(crate) struct DriverRegistry {
    drivers: RwLock<HashMap<DriverId, Arc<DriverHandle>>>,
}

impl DriverRegistry {
    /// Adds a driver.
    pub fn insert(&self, driver: &Arc<DriverHandle>) {
        self.drivers
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(driver.id.clone(), Arc::clone(driver));
    }

    /// Removes a driver.
    pub fn remove(&self, id: &DriverId) {
        self.drivers
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(id);
    }

    /// The drivers, by name.
    pub fn all(&self) -> Vec<Arc<DriverHandle>> {
        let drivers = self.drivers.read().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<_> = drivers.values().cloned().collect();
        drop(drivers);
        all.sort_unstable_by(|one, other| one.id.cmp(&other.id));
        all
    }

    /// Finds a driver.
    pub fn find(&self, id: &DriverId) -> Option<Arc<DriverHandle>> {
        self.drivers
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(id)
            .cloned()
    }
}
