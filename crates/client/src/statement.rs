//! Runs code in a session.

use serde_json::{Value, json};

use crate::answers::{Candidates, Statement};
use crate::error::ClientError;
use crate::session::Session;

impl Session {
    /// Submits code.
    pub async fn start(&self, code: &str, kind: &str) -> Result<Statement, ClientError> {
        let mut body = json!({ "code": code });
        // The first versions of Livy do not know this field.
        if kind != self.kind {
            body["kind"] = kind.into();
        }
        let path = format!("{}/statements", self.reference.path());
        self.livy().post(&path, &body).await
    }

    /// Cancels a statement.
    pub async fn cancel(&self, statement: i64) -> Result<(), ClientError> {
        let path = format!("{}/statements/{statement}/cancel", self.reference.path());
        self.livy().post::<Value>(&path, &json!({})).await.map(drop)
    }

    /// Completions at a cursor. Like Livy, it counts UTF-16 units.
    pub async fn complete(
        &self,
        code: &str,
        kind: &str,
        cursor: usize,
    ) -> Result<Vec<String>, ClientError> {
        let path = format!("{}/completion", self.reference.path());
        let body = json!({"code": code, "kind": kind, "cursor": cursor});
        let found: Candidates = self.livy().post(&path, &body).await?;
        Ok(found.candidates)
    }
}

impl Statement {
    /// State and progress as text.
    pub fn stage(&self) -> String {
        match self.progress {
            Some(progress) if progress > 0.0 && self.state == "running" => {
                format!(
                    "{} {:.0}%",
                    self.state,
                    (progress * 100.0).clamp(0.0, 100.0)
                )
            }
            _ => self.state.clone(),
        }
    }
}
