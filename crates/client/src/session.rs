//! The session that code runs in.

use std::time::Instant;

use serde_json::{Map, Value};

use crate::answers::Entry;
use crate::error::ClientError;
use crate::language;
use crate::livy::Livy;
use crate::log;
use crate::pace::{Pace, WAIT};
use crate::reference::{Collection, Reference};

/// The number of log lines that explain a session's end.
const LAST_LINES: u32 = 40;

/// The kind of code if the user names none.
const USUAL_KIND: &str = "pyspark";

/// A session in use.
#[derive(Debug, Clone)]
pub struct Session {
    /// Its number.
    pub id: i64,
    /// Its path.
    pub reference: Reference,
    /// The kind of statements that name none.
    pub kind: String,
    livy: Livy,
}

impl Session {
    /// Creates a session. It is not ready yet.
    pub async fn create(
        livy: &Livy,
        kind: Option<&str>,
        name: Option<&str>,
        mut body: Map<String, Value>,
    ) -> Result<Self, ClientError> {
        let kind = language::canonical(kind.unwrap_or(USUAL_KIND));
        body.insert("kind".into(), kind.clone().into());
        if let Some(name) = name {
            body.insert("name".into(), name.into());
        }
        let entry: Entry = livy
            .post(Collection::Sessions.path(), &Value::Object(body))
            .await?;
        Ok(Self::of(livy, &entry))
    }

    /// Finds an existing session.
    pub async fn find(livy: &Livy, text: &str) -> Result<Self, ClientError> {
        let reference = Reference::parse(Collection::Sessions, text)?;
        let entry: Entry = livy.get(reference.path()).await?;
        Ok(Self::of(livy, &entry))
    }

    fn of(livy: &Livy, entry: &Entry) -> Self {
        Self {
            id: entry.id,
            reference: Reference::number(Collection::Sessions, entry.id),
            kind: language::canonical(entry.kind.as_deref().unwrap_or_default()),
            livy: livy.clone(),
        }
    }

    /// The server that it is on.
    pub fn livy(&self) -> &Livy {
        &self.livy
    }

    /// The kind of code to begin with.
    pub fn first_kind(&self, wanted: Option<&str>) -> String {
        match wanted {
            Some(kind) => language::canonical(kind),
            None if self.kind.is_empty() || self.kind == "shared" => USUAL_KIND.to_owned(),
            None => self.kind.clone(),
        }
    }

    /// Its present state.
    pub async fn look(&self) -> Result<Entry, ClientError> {
        self.livy.look(self.reference.path()).await
    }

    /// Waits until the session takes statements, and calls `seen` with each state on the way. If
    /// the session ends, the error holds the end of its log.
    pub async fn await_ready(&self, mut seen: impl FnMut(&Entry)) -> Result<(), ClientError> {
        let path = format!("{}?{WAIT}", self.reference.path());
        let mut pace = Pace::SLOW;
        loop {
            let asked = Instant::now();
            let entry: Entry = self.livy.look(&path).await?;
            match entry.state.as_str() {
                "idle" | "busy" => return Ok(()),
                "shutting_down" => return Err(self.ended(entry.state).await),
                _ if entry.is_ended() => return Err(self.ended(entry.state).await),
                _ => seen(&entry),
            }
            pace.wait_since(asked).await;
        }
    }

    /// The reason if the session has ended.
    pub async fn end(&self) -> Option<ClientError> {
        match self.livy.get::<Entry>(self.reference.path()).await {
            Ok(entry) if entry.state == "error" || !entry.is_ended() => None,
            Ok(entry) => Some(self.ended(entry.state).await),
            Err(error) if error.is_not_found() => Some(error),
            Err(_) => None,
        }
    }

    async fn ended(&self, state: String) -> ClientError {
        let log = log::tail(&self.livy, &self.reference, LAST_LINES).await;
        ClientError::Ended {
            id: self.id,
            state,
            log: log.unwrap_or_default(),
        }
    }

    /// Deletes the session. It is no error if the session no longer exists.
    pub async fn delete(&self) -> Result<(), ClientError> {
        match self.livy.delete(self.reference.path()).await {
            Err(error) if error.is_not_found() => Ok(()),
            other => other,
        }
    }
}
