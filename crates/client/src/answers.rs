//! Responses of servers, reduced to the fields that this crate reads. Fields that some servers lack
//! are optional.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// A session or a batch.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Its number.
    pub id: i64,
    /// Its state.
    pub state: String,
    /// Its name.
    #[serde(default)]
    pub name: Option<String>,
    /// A session's kind.
    #[serde(default)]
    pub kind: Option<String>,
    /// The user who created it.
    #[serde(default)]
    pub owner: Option<String>,
    /// The user that it runs as.
    #[serde(default)]
    pub proxy_user: Option<String>,
    /// Spark's id of the application.
    #[serde(default)]
    pub app_id: Option<String>,
    /// Pages about the application.
    #[serde(default)]
    pub app_info: Option<AppInfo>,
}

/// Addresses of pages about an application.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AppInfo {
    /// Spark's web UI.
    #[serde(default)]
    pub spark_ui_url: Option<String>,
}

impl Entry {
    /// Tells whether it has ended.
    pub fn is_ended(&self) -> bool {
        ["dead", "killed", "success", "error"].contains(&self.state.as_str())
    }
}

/// A stage of a statement's Spark jobs that runs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Stage {
    /// Spark's number of the stage.
    pub id: i32,
    /// The number of its tasks.
    pub tasks: u32,
    /// The number of its tasks that have succeeded.
    pub done: u32,
}

/// A page of sessions or batches.
#[derive(Debug, Deserialize)]
pub struct EntryPage {
    /// The number of entries on all pages.
    #[serde(default)]
    pub total: Option<u64>,
    /// The entries of this page, unparsed.
    pub sessions: Vec<Box<RawValue>>,
}

/// A page of statements.
#[derive(Debug, Deserialize)]
pub struct StatementPage {
    /// The number of entries on all pages.
    #[serde(default)]
    pub total_statements: Option<u64>,
    /// The entries of this page, unparsed.
    pub statements: Vec<Box<RawValue>>,
}

/// A statement.
#[derive(Debug, Deserialize, Serialize)]
pub struct Statement {
    /// Its number in its session.
    pub id: i64,
    /// Its state.
    pub state: String,
    /// Its code.
    #[serde(default)]
    pub code: Option<String>,
    /// Its output, unparsed: parsing could round long numbers.
    #[serde(default)]
    pub output: Option<Box<RawValue>>,
    /// Its progress, from 0 to 1.
    #[serde(default)]
    pub progress: Option<f64>,
    /// The start time in milliseconds since 1970; 0 before the start.
    #[serde(default)]
    pub started: Option<i64>,
    /// The end time in milliseconds since 1970.
    #[serde(default)]
    pub completed: Option<i64>,
}

impl Statement {
    /// Tells whether it has ended.
    pub fn is_ended(&self) -> bool {
        ["available", "cancelled", "error"].contains(&self.state.as_str())
    }
}

/// A page of a log.
#[derive(Debug, Deserialize)]
pub struct LogPage {
    /// The number of lines of the whole log. The first versions of Livy do not send it.
    #[serde(default)]
    pub total: Option<u64>,
    /// The page's lines.
    pub log: Vec<String>,
}

/// Candidates for a completion.
#[derive(Debug, Deserialize)]
pub struct Candidates {
    /// The texts.
    pub candidates: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_or_new_is_borne() {
        let entry: Entry =
            serde_json::from_str(r#"{"id":1,"state":"idle","name":null,"later":[]}"#).unwrap();
        assert!(entry.name.is_none() && entry.kind.is_none() && !entry.is_ended());
        let text = r#"{"id":0,"state":"available","output":{"n":123456789012345678901234567890}}"#;
        let statement: Statement = serde_json::from_str(text).unwrap();
        assert!(statement.is_ended());
        let output = statement.output.unwrap();
        assert_eq!(output.get(), r#"{"n":123456789012345678901234567890}"#);
        let text = r#"{"id":0,"state":"waiting","output":null}"#;
        let statement: Statement = serde_json::from_str(text).unwrap();
        assert!(statement.output.is_none() && !statement.is_ended());
    }
}
