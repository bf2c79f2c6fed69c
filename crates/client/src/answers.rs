//! What servers answer, as far as it is looked at. Servers differ: whatever may be missing is.

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
    /// Who made it.
    #[serde(default)]
    pub owner: Option<String>,
    /// Who it runs as.
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
    /// Spark's own.
    #[serde(default)]
    pub spark_ui_url: Option<String>,
}

impl Entry {
    /// Whether it has ended, and nothing will happen any more.
    pub fn is_ended(&self) -> bool {
        ["dead", "killed", "success", "error"].contains(&self.state.as_str())
    }
}

/// A page of sessions or batches.
#[derive(Debug, Deserialize)]
pub struct EntryPage {
    /// How many there are in all.
    #[serde(default)]
    pub total: Option<u64>,
    /// Those of the page, as they came.
    pub sessions: Vec<Box<RawValue>>,
}

/// A page of statements.
#[derive(Debug, Deserialize)]
pub struct StatementPage {
    /// How many there are in all.
    #[serde(default)]
    pub total_statements: Option<u64>,
    /// Those of the page, as they came.
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
    /// Its output, as it came: numbers in it may be longer than any that we compute with.
    #[serde(default)]
    pub output: Option<Box<RawValue>>,
    /// How much of it is done, from 0 to 1.
    #[serde(default)]
    pub progress: Option<f64>,
    /// When it began, in milliseconds since 1970; 0 when it has not.
    #[serde(default)]
    pub started: Option<i64>,
    /// When it ended.
    #[serde(default)]
    pub completed: Option<i64>,
}

impl Statement {
    /// Whether nothing more will come of it.
    pub fn is_ended(&self) -> bool {
        ["available", "cancelled", "error"].contains(&self.state.as_str())
    }
}

/// A page of a log.
#[derive(Debug, Deserialize)]
pub struct LogPage {
    /// How many lines there are in all. The first versions of Livy lack it.
    #[serde(default)]
    pub total: Option<u64>,
    /// The page's lines.
    pub log: Vec<String>,
}

/// Texts to insert.
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
