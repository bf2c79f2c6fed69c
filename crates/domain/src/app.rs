//! A Spark application, as Spark describes itself.

use serde::{Deserialize, Serialize};

/// The facts that Spark reports about its application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppInfo {
    /// The resource manager's id.
    pub app_id: String,
    /// The address of the application's own pages.
    pub spark_ui_url: Option<String>,
    /// The address of the driver's log, where a resource manager keeps it.
    #[serde(default)]
    pub driver_log_url: Option<String>,
}
