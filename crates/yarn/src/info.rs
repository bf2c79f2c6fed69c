//! The state of each ResourceManager, for people who look for a mistake.

use serde::Deserialize;

use crate::error::YarnError;
use crate::http::Request;
use crate::managers::Managers;
use crate::text::clipped;

const LONGEST_ANSWER: usize = 1 << 20;
const LONGEST_TEXT: usize = 500;

/// A ResourceManager of the configuration, and its answer.
#[derive(Debug)]
pub struct ManagerReport {
    /// Its web address.
    pub address: String,
    /// Its words about itself, or the reason why there are none.
    pub info: Result<ManagerInfo, YarnError>,
}

/// The words of a ResourceManager about itself. One on standby tells them, too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManagerInfo {
    /// Hadoop's version.
    pub version: String,
    /// `STARTED` when it serves.
    pub state: String,
    /// `ACTIVE` or `STANDBY`. Also `ACTIVE` without high availability.
    pub ha_state: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    cluster_info: Info,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Info {
    hadoop_version: String,
    state: String,
    ha_state: Option<String>,
}

/// Asks every ResourceManager.
pub async fn of_all(managers: &Managers) -> Vec<ManagerReport> {
    let mut reports = Vec::new();
    for url in managers.site.managers() {
        let request = Request::get(&["ws", "v1", "cluster", "info"]);
        let answer = managers
            .http
            .json::<Answer>(url, request, LONGEST_ANSWER)
            .await;
        reports.push(ManagerReport {
            address: url.to_string(),
            info: answer
                .map(|answer| answer.cluster_info.read())
                .map_err(YarnError::from),
        });
    }
    reports
}

impl Info {
    fn read(self) -> ManagerInfo {
        ManagerInfo {
            version: clipped(self.hadoop_version, LONGEST_TEXT),
            state: clipped(self.state, LONGEST_TEXT),
            ha_state: clipped(self.ha_state.unwrap_or_default(), LONGEST_TEXT),
        }
    }
}
