//! `GET /api/v1/sessions/{id}/executors` and the same of batches, our own routes: the executors of a
//! driver on a cluster.

use serde::Serialize;
use utoipa::ToSchema;

/// The executors of a session or batch.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Executors)]
pub struct ExecutorsAnswer<'a> {
    /// The number of the session or batch
    pub id: i32,
    /// Its executors on YARN or Kubernetes, in the order in which they were seen. Empty elsewhere
    pub executors: Vec<ExecutorAnswer<'a>>,
}

/// An executor.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Executor)]
pub struct ExecutorAnswer<'a> {
    /// The name of its container on YARN, or of its pod on Kubernetes
    pub name: &'a str,
    /// Its node, as the cluster names it. `null` while it has none
    pub node: Option<&'a str>,
    /// `waiting`, `running` or `ended`
    pub state: &'a str,
    /// Whether its log can be read
    pub has_log: bool,
}
