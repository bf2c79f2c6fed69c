//! A client of YARN: it finds applications by their tags, follows them to their ends, kills them,
//! and reads the logs of their containers, over the REST interfaces of YARN's daemons.
//!
//! Purpose: one list request tells about all followed applications, so that thousands of drivers
//! cost a cluster no more than one. Non-goals: submitting applications, and what runs in them. This
//! crate knows neither Spark nor sessions.

#![warn(missing_docs)]

mod application;
mod attempt;
mod cluster;
mod container;
mod error;
mod follow;
mod http;
mod ids;
mod info;
mod lists;
mod logs;
mod managers;
mod site;
mod text;
mod watcher;

pub use application::{Application, FinalStatus, State};
pub use attempt::Attempt;
pub use cluster::{Cluster, Config};
pub use container::Container;
pub use error::{Miss, YarnError};
pub use follow::{Follower, Outage, Seen};
pub use ids::ApplicationId;
pub use info::{ManagerInfo, ManagerReport};
pub use logs::{LogFile, LogPart};
pub use site::{Site, SiteError};
pub use watcher::Watcher;
