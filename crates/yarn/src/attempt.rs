//! Attempts of an application, and their containers.

use jiff::Timestamp;
use serde::Deserialize;

use crate::application::time;
use crate::container::Container;
use crate::error::YarnError;
use crate::http::Request;
use crate::ids::ApplicationId;
use crate::lists::one_or_many;
use crate::managers::Managers;
use crate::text::clipped;

/// The longest response. A list of containers has about a kilobyte for each.
const LONGEST_ANSWER: usize = 16 << 20;

/// The most attempts that are read: the last ones. Clusters allow two by default.
const MOST_ATTEMPTS: usize = 10;

/// The most containers of an attempt that are told.
const MOST_CONTAINERS: usize = 10_000;

/// The longest diagnostics of an attempt that are kept, in bytes.
const LONGEST_DIAGNOSTICS: usize = 16 << 10;

/// The longest of the other texts, in bytes.
const LONGEST_TEXT: usize = 500;

/// One attempt to run an application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Its number, from 1.
    pub number: u32,
    /// Its state in YARN's words, such as `RUNNING` or `FAILED`. `None` in old versions.
    pub state: Option<String>,
    /// The container of its master. `None` before it started, and for a user who may not see it.
    pub container: Option<Container>,
    /// The reason of its state, in YARN's words. Cut after 16 KiB.
    pub diagnostics: String,
    /// The time of its start.
    pub started: Option<Timestamp>,
    /// The time of its end.
    pub finished: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AttemptsAnswer {
    app_attempts: Option<AttemptList>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AttemptList {
    #[serde(default, deserialize_with = "one_or_many")]
    app_attempt: Vec<Listed>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    id: u32,
    app_attempt_state: Option<String>,
    container_id: Option<String>,
    node_http_address: Option<String>,
    start_time: Option<i64>,
    finished_time: Option<i64>,
}

/// The page of one attempt. The list lacks the diagnostics.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Details {
    diagnostics_info: Option<String>,
}

#[derive(Deserialize)]
struct ContainersAnswer {
    #[serde(default, deserialize_with = "one_or_many")]
    container: Vec<Running>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Running {
    container_id: String,
    node_http_address: Option<String>,
}

/// The attempts of an application, in order.
pub async fn of(managers: &Managers, app: ApplicationId) -> Result<Vec<Attempt>, YarnError> {
    let app_path = app.to_string();
    let path = ["ws", "v1", "cluster", "apps", &app_path, "appattempts"];
    let answer: AttemptsAnswer = managers.ask(Request::get(&path), LONGEST_ANSWER).await?;
    let mut listed = answer
        .app_attempts
        .map_or_else(Vec::new, |list| list.app_attempt);
    listed.sort_by_key(|attempt| attempt.id);
    let skipped = listed.len().saturating_sub(MOST_ATTEMPTS);
    let mut attempts = Vec::new();
    for one in listed.into_iter().skip(skipped) {
        let id = app.attempt(one.id);
        let details: Details = managers
            .ask(Request::get(&[&path[..], &[&id]].concat()), LONGEST_ANSWER)
            .await?;
        attempts.push(one.with(details));
    }
    Ok(attempts)
}

/// The containers of an attempt that run now, that of the master among them.
pub async fn containers(
    managers: &Managers,
    app: ApplicationId,
    attempt: u32,
) -> Result<Vec<Container>, YarnError> {
    let (app_path, id) = (app.to_string(), app.attempt(attempt));
    let apps = ["ws", "v1", "cluster", "apps"];
    let path = [&apps[..], &[&app_path, "appattempts", &id, "containers"]].concat();
    let answer: ContainersAnswer = managers.ask(Request::get(&path), LONGEST_ANSWER).await?;
    let running = answer.container.into_iter().take(MOST_CONTAINERS);
    Ok(running.filter_map(Running::container).collect())
}

impl Listed {
    fn with(self, details: Details) -> Attempt {
        let state = self.app_attempt_state;
        let diagnostics = details.diagnostics_info.unwrap_or_default();
        Attempt {
            number: self.id,
            state: state.map(|state| clipped(state, LONGEST_TEXT)),
            container: self
                .container_id
                .and_then(|id| Container::read(id, self.node_http_address)),
            diagnostics: clipped(diagnostics, LONGEST_DIAGNOSTICS),
            started: time(self.start_time),
            finished: time(self.finished_time),
        }
    }
}

impl Running {
    fn container(self) -> Option<Container> {
        // This list has the address with its protocol, and the others have it without.
        let host = |address: String| match address.split_once("://") {
            Some((_, host)) => host.to_owned(),
            None => address,
        };
        Container::read(self.container_id, self.node_http_address.map(host))
    }
}
