//! Drivers with an application on a YARN cluster.
//!
//! In cluster mode the driver runs in a container there. The supervised process of this machine only
//! submits it, and ends. From then on the ResourceManager is asked: one list of all drivers'
//! applications every few seconds (`livius-yarn`). In client mode the driver is the supervised process,
//! and its application has the executors.
//!
//! ```text
//! yarn.json written ─> supervisor recorded ─> submitter runs ─> submitter ended ─> application final
//! ```
//!
//! The driver's tag is in `yarn.json` before anything starts, so a server that died at any step finds
//! the application. `docs/adr/0023-the-server-itself-follows-drivers-on-yarn.md` has the reasons.

mod clusters;
mod driver;
mod ending;
mod mirror;
mod mirrors;
mod place;
mod sighting;

pub use clusters::Spawn;
pub(crate) use clusters::{ClusterError, Clusters};
pub(crate) use driver::YarnDriver;
pub(crate) use mirror::{Files as MirroredFiles, Mirror};
pub(crate) use mirrors::Mirrors;
pub(crate) use place::{Mode, OnYarn};
