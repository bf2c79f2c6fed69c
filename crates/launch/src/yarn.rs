//! Drivers with an application on a YARN cluster.
//!
//! The ResourceManager is asked with one list of all drivers' applications every few seconds
//! (`livius-yarn`). The driver's tag is in `yarn.json` before anything starts, so a server that died at
//! any step finds the application. `docs/adr/0023-the-server-itself-follows-drivers-on-yarn.md` has the
//! reasons.

mod application;
mod clusters;
mod ending;
mod executors;
mod mirror;
mod mirrors;
mod place;
mod sighting;

pub(crate) use application::YarnApplication;
pub(crate) use clusters::{ClusterError, Clusters};
pub(crate) use executors::YarnExecutors;
pub(crate) use mirror::Mirror;
pub(crate) use mirrors::Mirrors;
pub(crate) use place::OnYarn;
