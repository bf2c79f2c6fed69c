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

impl AppInfo {
    /// The longest id, in characters.
    pub const MAX_ID_CHARS: usize = 256;
    /// The longest address, in bytes.
    pub const MAX_ADDRESS_BYTES: usize = 2_000;

    /// Tells whether a text can be an application's id. User code in the driver can report any text,
    /// and other users see it.
    pub fn is_id(text: &str) -> bool {
        let length = text.chars().take(Self::MAX_ID_CHARS + 1).count();
        (1..=Self::MAX_ID_CHARS).contains(&length) && !text.contains(char::is_control)
    }

    /// Tells whether a text can be an address of an application: one of the web and no script,
    /// because other users see it as a link.
    pub fn is_address(text: &str) -> bool {
        let rest = ["http://", "https://"]
            .iter()
            .find_map(|scheme| text.strip_prefix(scheme));
        rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
            && text.len() <= Self::MAX_ADDRESS_BYTES
            && !text.contains(|c: char| c.is_control() || c.is_whitespace())
    }
}
