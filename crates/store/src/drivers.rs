//! Durable drivers, and which server drives them.

use async_trait::async_trait;
use jiff::Timestamp;
use livius_domain::DriverId;
use livius_domain::driver::{DriverProgram, DriverRecord, Lease};

use crate::StoreError;

/// A claim of drivers. A server claims drivers that have not ended, if no server has them or their
/// lease ran out before `now`.
#[derive(Debug, Clone, Copy)]
pub struct Claim<'a> {
    /// The lease that the claimed drivers get.
    pub lease: &'a Lease,
    /// The time of the claim.
    pub now: Timestamp,
    /// The program of the drivers. Different parts of a server drive agents and applications.
    pub program: DriverProgram,
    /// True to claim the server's own drivers too. The server does so when it starts.
    pub own: bool,
}

/// Stores drivers. Each call is one transaction: it is done whole or not at all. A driver has ended
/// for the store when its times say when.
///
/// A lease gives a driver to one server. Servers that share a store claim free drivers and renew
/// their leases in time. A driver gets a new version when another server claims it, so an update by
/// the former server is a conflict.
#[async_trait]
pub trait DriverStore: Send + Sync {
    /// Stores a new driver with its lease. Its version is 0.
    async fn create_driver(&self, record: &DriverRecord) -> Result<(), StoreError>;

    /// Stores everything of the record that can change, except the lease. The record must have the
    /// version of the row.
    async fn update_driver(&self, record: &mut DriverRecord) -> Result<(), StoreError>;

    /// Reads a driver, ended or not.
    async fn driver(&self, id: &DriverId) -> Result<Option<DriverRecord>, StoreError>;

    /// Gives a server the drivers that it claims, and answers them by name. Unreadable rows are
    /// left out.
    async fn claim_drivers(&self, claim: Claim<'_>) -> Result<Vec<DriverRecord>, StoreError>;

    /// Prolongs the leases of a server on drivers that have not ended, and counts them.
    async fn renew_leases(&self, lease: &Lease) -> Result<u64, StoreError>;

    /// Reads the name of every driver that a row of a driver, a session or a batch names, also of
    /// rows that are unreadable otherwise. The text of a damaged row may be longer than the name.
    async fn driver_names(&self) -> Result<Vec<String>, StoreError>;

    /// Reads the names of the drivers that are gone, and that were made for a session or batch that is
    /// gone, or wait in a pool. Rows that a session or batch names are not among them.
    async fn abandoned_drivers(&self) -> Result<Vec<DriverId>, StoreError>;

    /// Deletes a driver. Answers false when there was none.
    async fn delete_driver(&self, id: &DriverId) -> Result<bool, StoreError>;
}
