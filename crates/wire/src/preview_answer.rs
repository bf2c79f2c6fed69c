//! The answer to `dryRun=true`.

use std::collections::BTreeMap;

use livius_domain::QueuePlace;
use livius_domain::pool::PoolOutcome;
use serde::Serialize;
use utoipa::ToSchema;

use crate::ProblemAnswer;
use crate::detail_answer::QueueAnswer;
use crate::redact::RedactedConf;
use crate::session_start_answer::StartPoolAnswer;

/// The preview of a request. The server has done nothing.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Preview)]
pub struct PreviewAnswer<'a> {
    /// Whether the server would grant the request now.
    accepted: bool,
    /// All that the server would refuse it for.
    refusals: Vec<ProblemAnswer>,
    /// The start that the request would cause. Statements and jobs have none, nor do refused requests.
    #[serde(flatten)]
    start: Option<StartPreviewAnswer<'a>>,
}

/// The start that a request for a session or a batch would cause.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = StartPreview)]
pub struct StartPreviewAnswer<'a> {
    /// The user that it would run as; `null` when impersonation is off.
    proxy_user: Option<&'a str>,
    /// The whole Spark configuration, without secrets.
    #[schema(value_type = BTreeMap<String, String>)]
    configuration: RedactedConf<'a>,
    /// The command line of the driver's process, or of the one that submits it, without secrets. The
    /// numbers in its paths are those of no session.
    command_line: &'a [String],
    /// The outcome of the pools for a session; `null` for a batch.
    pool: Option<StartPoolAnswer<'a>>,
    /// The place that it would have among those that wait for their start.
    queue: QueueAnswer,
}

/// The start that a request would cause.
#[derive(Debug, Clone, Copy)]
pub struct StartPreview<'a> {
    /// The user.
    pub proxy_user: Option<&'a str>,
    /// The configuration, with secrets.
    pub conf: &'a BTreeMap<String, String>,
    /// The command line, without secrets.
    pub command: &'a [String],
    /// The outcome of the pools.
    pub pool: Option<&'a PoolOutcome>,
    /// The place in the queue.
    pub queue: QueuePlace,
}

impl<'a> PreviewAnswer<'a> {
    /// Shows what would come of a request that is refused for these reasons, if there are any.
    pub fn new(refusals: Vec<ProblemAnswer>, start: Option<StartPreview<'a>>) -> Self {
        Self {
            accepted: refusals.is_empty(),
            refusals,
            start: start.map(|start| StartPreviewAnswer {
                proxy_user: start.proxy_user,
                configuration: RedactedConf(start.conf),
                command_line: start.command,
                pool: start.pool.map(StartPoolAnswer::new),
                queue: QueueAnswer::new(start.queue),
            }),
        }
    }
}
