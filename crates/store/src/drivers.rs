//! Durable drivers, and which server drives them.

use async_trait::async_trait;
use jiff::Timestamp;
use livius_domain::DriverId;
use livius_domain::driver::{DriverRecord, Lease};

use crate::StoreError;

/// Everything durable about drivers. Each call is one transaction: done whole, or not at all. For
/// the store a driver has ended when its times say when.
///
/// A lease gives a driver to one server. Servers that share a store claim what is free, renew their
/// leases in time, and release them when they stop. When a driver changes hands its version grows,
/// so an update by the server that had it before is a conflict.
#[async_trait]
pub trait DriverStore: Send + Sync {
    /// Stores a new driver, with its lease. Its version counts from 0.
    async fn create_driver(&self, record: &DriverRecord) -> Result<(), StoreError>;

    /// Stores everything of the record that can change, except the lease. Refuses a stale version.
    async fn update_driver(&self, record: &mut DriverRecord) -> Result<(), StoreError>;

    /// One driver, ended or not.
    async fn driver(&self, id: &DriverId) -> Result<Option<DriverRecord>, StoreError>;

    /// Every driver that has not ended, by name. Rows that cannot be read are left out.
    async fn unended_drivers(&self) -> Result<Vec<DriverRecord>, StoreError>;

    /// Gives a server every driver that has not ended and is free: no server has it, its lease ran
    /// out before `now`, or the same server has it. Answers the drivers that the server has now, by
    /// name. Rows that cannot be read are left out.
    async fn claim_drivers(
        &self,
        lease: &Lease,
        now: Timestamp,
    ) -> Result<Vec<DriverRecord>, StoreError>;

    /// Prolongs the leases of a server on drivers that have not ended. Answers how many there are.
    async fn renew_leases(&self, lease: &Lease) -> Result<u64, StoreError>;

    /// Gives up all leases of a server: others may claim its drivers at once. Answers how many
    /// there were.
    async fn release_leases(&self, server: &str) -> Result<u64, StoreError>;

    /// Deletes a driver. Answers whether it was there.
    async fn delete_driver(&self, id: &DriverId) -> Result<bool, StoreError>;
}
