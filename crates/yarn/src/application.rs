//! Applications as the ResourceManager knows them.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Deserialize;

use crate::container::Container;
use crate::error::YarnError;
use crate::http::Request;
use crate::ids::ApplicationId;
use crate::lists::one_or_many;
use crate::managers::Managers;
use crate::text::clipped;

/// The longest response with a list. An application has some kilobytes without its diagnostics, and
/// those are at most 64 KiB.
const LONGEST_LIST: usize = 64 << 20;

/// The tags in one request. Each has at most 100 bytes, and Hadoop's servers take 64 KiB of headers.
pub const TAGS_IN_A_REQUEST: usize = 100;

/// The longest diagnostics that are kept, in bytes. The cause is at their start.
const LONGEST_DIAGNOSTICS: usize = 16 << 10;

/// The longest of the other texts, in bytes.
const LONGEST_TEXT: usize = 2 << 10;

/// Parts of an application that nothing reads. Some are longer than the rest. Old versions ignore
/// the parameter.
const LEFT_OUT: &str =
    "resourceRequests,resourceInfo,timeouts,appNodeLabelExpression,amNodeLabelExpression";

/// An application of a cluster. A user who may not see it gets no times and no logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Application {
    /// Its id.
    pub id: ApplicationId,
    /// Its name.
    pub name: String,
    /// The user that it runs as.
    pub user: String,
    /// Its queue: with the path if the queue exists, else as the request named it.
    pub queue: String,
    /// Its state.
    pub state: State,
    /// The result that it reported, or YARN's own.
    pub final_status: FinalStatus,
    /// The reason of the state, in YARN's words. Cut after 16 KiB.
    pub diagnostics: String,
    /// The page of its own web server, through YARN's proxy. Later a page of the ResourceManager.
    pub tracking_url: Option<String>,
    /// The page with the logs of the container that runs its master.
    pub am_container_logs: Option<String>,
    /// The host and port of the NodeManager of that container.
    pub am_host: Option<String>,
    /// Its tags, in lower case.
    pub tags: BTreeSet<String>,
    /// The time of its submission.
    pub started: Option<Timestamp>,
    /// The time of its end.
    pub finished: Option<Timestamp>,
}

/// The state of an application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// The ResourceManager got it.
    New,
    /// The ResourceManager is storing it.
    NewSaving,
    /// The ResourceManager has stored it.
    Submitted,
    /// It waits for resources, or for its master to start.
    Accepted,
    /// Its master runs.
    Running,
    /// Its master ended it. The final status tells the result.
    Finished,
    /// It failed.
    Failed,
    /// It was killed.
    Killed,
    /// A state of a later version.
    Other(String),
}

impl State {
    fn read(text: String) -> Self {
        match text.as_str() {
            "NEW" => Self::New,
            "NEW_SAVING" => Self::NewSaving,
            "SUBMITTED" => Self::Submitted,
            "ACCEPTED" => Self::Accepted,
            "RUNNING" => Self::Running,
            "FINISHED" => Self::Finished,
            "FAILED" => Self::Failed,
            "KILLED" => Self::Killed,
            _ => Self::Other(clipped(text, LONGEST_TEXT)),
        }
    }

    /// Tells whether the application has ended.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Finished | Self::Failed | Self::Killed => true,
            Self::New
            | Self::NewSaving
            | Self::Submitted
            | Self::Accepted
            | Self::Running
            | Self::Other(_) => false,
        }
    }
}

/// The result of an application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FinalStatus {
    /// There is none yet.
    Undefined,
    /// It succeeded.
    Succeeded,
    /// It failed.
    Failed,
    /// It was killed.
    Killed,
    /// A status of a later version.
    Other(String),
}

impl FinalStatus {
    fn read(text: String) -> Self {
        match text.as_str() {
            "UNDEFINED" => Self::Undefined,
            "SUCCEEDED" => Self::Succeeded,
            "FAILED" => Self::Failed,
            "KILLED" => Self::Killed,
            _ => Self::Other(clipped(text, LONGEST_TEXT)),
        }
    }
}

impl Application {
    /// The container of its master. `None` before the master's first start, and for a user who may
    /// not see it.
    pub fn am_container(&self) -> Option<Container> {
        let (_, rest) = self
            .am_container_logs
            .as_ref()?
            .split_once("/containerlogs/")?;
        let id = rest.split('/').next()?;
        Container::read(id.to_owned(), self.am_host.clone())
    }
}

#[derive(Deserialize)]
struct Answer {
    /// `null` in old versions when there is none.
    apps: Option<Apps>,
}

#[derive(Deserialize)]
struct Apps {
    #[serde(default, deserialize_with = "one_or_many")]
    app: Vec<App>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct App {
    id: String,
    name: Option<String>,
    user: Option<String>,
    queue: Option<String>,
    state: String,
    final_status: String,
    diagnostics: Option<String>,
    tracking_url: Option<String>,
    am_container_logs: Option<String>,
    am_host_http_address: Option<String>,
    application_tags: Option<String>,
    started_time: Option<i64>,
    finished_time: Option<i64>,
}

/// The applications that have one of these tags, by one request. There are at most
/// [`TAGS_IN_A_REQUEST`].
pub async fn with_tags(
    managers: &Managers,
    tags: &[String],
) -> Result<Vec<Application>, YarnError> {
    let request = Request {
        path: &["ws", "v1", "cluster", "apps"],
        query: &[
            ("applicationTags", &tags.join(",")),
            ("deSelects", LEFT_OUT),
        ],
        body: None,
    };
    let answer: Answer = managers.ask(request, LONGEST_LIST).await?;
    let apps = answer.apps.map_or_else(Vec::new, |apps| apps.app);
    // A list of which one entry cannot be read would tell that this application does not exist.
    let read: Result<Vec<_>, _> = apps.into_iter().map(App::read).collect();
    read.map_err(|problem| YarnError::Foreign {
        address: managers.active_url().to_string(),
        problem,
    })
}

impl App {
    fn read(self) -> Result<Application, String> {
        let id = self.id.parse();
        let id = id.map_err(|error| format!("{:?} is {error}", clipped(self.id, LONGEST_TEXT)))?;
        let text = |text: Option<String>| clipped(text.unwrap_or_default(), LONGEST_TEXT);
        let present = |text: Option<String>| {
            let text = text.filter(|text| !text.is_empty());
            text.map(|text| clipped(text, LONGEST_TEXT))
        };
        let tags = self.application_tags.unwrap_or_default();
        Ok(Application {
            id,
            name: text(self.name),
            user: text(self.user),
            queue: text(self.queue),
            state: State::read(self.state),
            final_status: FinalStatus::read(self.final_status),
            diagnostics: clipped(self.diagnostics.unwrap_or_default(), LONGEST_DIAGNOSTICS),
            tracking_url: present(self.tracking_url),
            am_container_logs: present(self.am_container_logs),
            am_host: present(self.am_host_http_address),
            tags: tags
                .split(',')
                .filter(|tag| !tag.is_empty())
                .map(str::to_ascii_lowercase)
                .collect(),
            started: time(self.started_time),
            finished: time(self.finished_time),
        })
    }
}

/// A time in milliseconds since 1970. YARN writes 0 for none.
pub fn time(millis: Option<i64>) -> Option<Timestamp> {
    let millis = millis.filter(|millis| *millis > 0)?;
    Timestamp::from_millisecond(millis).ok()
}
