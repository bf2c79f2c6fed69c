//! Running code in a session.

use serde_json::{Value, json};

use crate::answers::{Candidates, Statement};
use crate::error::ClientError;
use crate::pace::Pace;
use crate::session::Session;

impl Session {
    /// Has code run.
    pub async fn start(&self, code: &str, kind: &str) -> Result<Statement, ClientError> {
        let mut body = json!({ "code": code });
        // The first versions of Livy do not know the field.
        if kind != self.kind {
            body["kind"] = kind.into();
        }
        let path = format!("{}/statements", self.reference.path());
        self.livy().post(&path, &body).await
    }

    /// Waits for a statement's end, and tells what is seen of it on the way.
    ///
    /// A server that shows output while it is written would be asked for it here, and `seen` be told: that is the one place to change.
    pub async fn follow(
        &self,
        mut statement: Statement,
        mut seen: impl FnMut(&Statement),
    ) -> Result<Statement, ClientError> {
        let path = format!("{}/statements/{}", self.reference.path(), statement.id);
        let mut pace = Pace::STATEMENT;
        while !statement.is_ended() {
            seen(&statement);
            pace.wait().await;
            statement = self.livy().look(&path).await?;
        }
        Ok(statement)
    }

    /// Asks for a statement to be cancelled.
    pub async fn cancel(&self, statement: i64) -> Result<(), ClientError> {
        let path = format!("{}/statements/{statement}/cancel", self.reference.path());
        self.livy().post::<Value>(&path, &json!({})).await.map(drop)
    }

    /// Texts that fit at a cursor, which counts UTF-16 units, as Livy does.
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
    /// How far it is, for people.
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
