//! Parameters that several routes describe in the OpenAPI document.

#![expect(dead_code, reason = "only the OpenAPI document reads these fields")]

use utoipa::IntoParams;

#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct SessionPath {
    /// The session's number or name
    id: String,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct BatchPath {
    /// The batch's number or name
    id: String,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct StatementPath {
    /// The session's number or name
    id: String,
    /// The statement's number
    statement: i32,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct JobPath {
    /// The session's number or name
    id: String,
    /// The job's number
    job: i32,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct SessionExecutorPath {
    /// The session's number or name
    id: String,
    /// The executor's name, from the list
    executor: String,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct BatchExecutorPath {
    /// The batch's number or name
    id: String,
    /// The executor's name, from the list
    executor: String,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct KeyPath {
    /// The key, percent-encoded
    key: String,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DriverSearchQuery {
    /// States between commas; every state when left out
    state: Option<String>,
    /// The greatest number of drivers, from 1 to 1000; 100 when left out
    limit: Option<i32>,
    /// `nextCursor` of the page before; the first page when left out
    cursor: Option<String>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// Index of the first; 0 when left out
    from: Option<i32>,
    /// The greatest number of items; 100 when left out
    size: Option<i32>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SessionSearchQuery {
    /// States between commas: `starting`, `running`, `stopping`, `stopped`, `killed`, `failed`, and
    /// `ended` for the last three. A running session is `idle`, `busy` or `recovering` for Livy, a
    /// stopping one `shutting_down`, and a stopped or failed one `dead`
    state: Option<String>,
    /// The user that created it
    owner: Option<String>,
    /// The kind
    kind: Option<String>,
    /// The name, exactly
    name: Option<String>,
    /// The earliest time of its creation, in RFC 3339 format
    since: Option<String>,
    /// The `Idempotency-Key` of the caller's request that made it
    key: Option<String>,
    /// The greatest number of items, 1 to 1000; 100 when left out. Long requests make a page shorter
    limit: Option<i32>,
    /// `nextCursor` of the page before, with the same filters
    cursor: Option<String>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct BatchSearchQuery {
    /// States between commas: `starting`, `running`, `stopping`, `succeeded`, `failed`, `killed`, and
    /// `ended` for the last three. A batch that succeeded is `success` for Livy, a failed one `dead`,
    /// and a stopping one what it was before
    state: Option<String>,
    /// The user that created it
    owner: Option<String>,
    /// The name, exactly
    name: Option<String>,
    /// The earliest time of its creation, in RFC 3339 format
    since: Option<String>,
    /// The `Idempotency-Key` of the caller's request that made it
    key: Option<String>,
    /// The greatest number of items, 1 to 1000; 100 when left out. Long requests make a page shorter
    limit: Option<i32>,
    /// `nextCursor` of the page before, with the same filters
    cursor: Option<String>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct StatusQuery {
    /// The numbers of sessions between commas, at most 1000
    sessions: Option<String>,
    /// The numbers of batches between commas, at most 1000
    batches: Option<String>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DryRunQuery {
    /// `true` to ask what would come of the request, without any of it being done
    #[param(rename = "dryRun")]
    dry_run: Option<bool>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct StatementListQuery {
    /// Index of the first; 0 when left out
    from: Option<i32>,
    /// The greatest number of statements; 100 when left out
    limit: Option<i32>,
    /// `desc` for the newest first, which is the default, or `asc`
    order: Option<String>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct CursorQuery {
    /// The greatest number of items, from 1 to 1000; 100 when left out
    limit: Option<i32>,
    /// `nextCursor` of the page before; the first page when left out
    cursor: Option<String>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LogQuery {
    /// Index of the first line; the last `size` lines when left out or below zero
    from: Option<i32>,
    /// The greatest number of lines; 100 when left out, all when below zero
    size: Option<i32>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct WaitQuery {
    /// Wait at most so long for the end before responding, such as `30s`; at most 50 s. Livy
    /// ignores it
    wait: Option<String>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct WaitForSessionQuery {
    /// Wait at most so long for one of the states in `until` before responding, such as `30s`; at
    /// most 50 s. Livy ignores it
    wait: Option<String>,
    /// States between commas; `ended` stands for `dead` and `killed`. When left out, the wait is
    /// over when the session has started or ended. The end of a session always ends the wait
    until: Option<String>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct WaitForBatchQuery {
    /// Wait at most so long for one of the states in `until` before responding, such as `30s`; at
    /// most 50 s. Livy ignores it
    wait: Option<String>,
    /// States between commas; `ended` stands for `success`, `dead` and `killed`, and is the default.
    /// The end of a batch always ends the wait
    until: Option<String>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DoAsQuery {
    /// User to impersonate; goes before proxyUser
    #[param(rename = "doAs")]
    do_as: Option<String>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub struct AgentHeaders {
    /// The driver's name
    #[param(rename = "Livius-Driver")]
    driver: String,
    /// A new random number in hex, 32 to 64 digits, which the server's proof covers
    #[param(rename = "Livius-Nonce")]
    nonce: Option<String>,
    /// The challenge of the server's last response
    #[param(rename = "Livius-Challenge")]
    challenge: Option<String>,
    /// The proof that the agent knows the driver's secret
    #[param(rename = "Livius-Proof")]
    proof: Option<String>,
    /// `Bearer` and the driver's secret: drivers of earlier servers send it in place of a proof
    #[param(rename = "Authorization")]
    authorization: Option<String>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub struct FollowerHeaders {
    /// The id of the last event that the client has had, to go on behind it. The parameter
    /// `lastEventId` does the same
    #[param(rename = "Last-Event-ID")]
    last_event_id: Option<String>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PartialQuery {
    /// `true` to see what a running statement has printed. Livy ignores it
    partial: Option<bool>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct TailQuery {
    /// Begin with this many of the lines that there are; with all of them when left out
    tail: Option<u32>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub struct WebhookHeader {
    /// A URL that is told of the end of what the request makes, by a message that is signed as
    /// Standard Webhooks describes. Its host is one of `webhooks.hosts`
    #[param(rename = "Livius-Webhook")]
    livius_webhook: Option<String>,
}
