//! The executors of sessions and batches, as readers see them.

use livius_domain::DriverId;
use livius_launch::{Executor, Launcher};

use crate::error::SessionError;
use crate::logbook::Logbook;

/// The executors of a session or batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecutorList {
    /// The number of the session or batch.
    pub id: i32,
    /// Those that are known, in the order in which they were seen.
    pub executors: Vec<Executor>,
}

/// The executors of a driver. One that was not launched yet has none.
pub(crate) async fn of(
    launcher: &dyn Launcher,
    id: i32,
    driver: Option<&DriverId>,
) -> Result<ExecutorList, SessionError> {
    let executors = match driver {
        Some(driver) => launcher.files(driver).executors().await,
        None => Ok(Vec::new()),
    };
    let executors = executors.map_err(SessionError::Log)?;
    Ok(ExecutorList { id, executors })
}

/// The log of one of these executors.
pub(crate) async fn log(
    launcher: &dyn Launcher,
    id: i32,
    driver: Option<&DriverId>,
    name: &str,
) -> Result<Logbook, SessionError> {
    let log = match driver {
        Some(driver) => launcher.files(driver).executor_log(name).await,
        None => Ok(None),
    };
    let log = log.map_err(SessionError::Log)?;
    let log = log.ok_or(SessionError::ExecutorLogNotFound)?;
    Ok(Logbook::new(id, log))
}
