//! The small answers, lists, and the two envelopes of errors.

use serde::Serialize;
use utoipa::ToSchema;

use crate::SessionAnswer;

/// `{"msg":…}`, where nothing else is to be said.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct Message<'a> {
    /// `deleted`, `interrupted` or `canceled`.
    pub msg: &'a str,
}

/// `{"msg":…}`, the envelope of what Livy itself refuses.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ErrorMessage {
    /// What is wrong, and what to do.
    pub msg: String,
}

/// A bare JSON string, the envelope of what cannot be read and of what went wrong inside.
pub fn quoted(message: &str) -> String {
    serde_json::to_string(message).expect("a text is always JSON")
}

/// The answer to a request for the state of a session or a batch.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = SessionState)]
pub struct StateAnswer<'a> {
    /// The number of the session or batch.
    pub id: i32,
    /// Livy's name of its state.
    pub state: &'a str,
}

/// A page of a log.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = SessionLog)]
pub struct LogAnswer<'a> {
    /// The number of the session or batch.
    pub id: i32,
    /// Index of the first line.
    pub from: i64,
    /// How many lines there are in all.
    pub total: u64,
    /// The lines.
    pub log: &'a [String],
}

// For the description of the interface: `session_list_head` and `session_list_tail` write it.
/// A page of the sessions.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SessionList)]
pub struct SessionListAnswer<'a> {
    /// As asked for.
    pub from: i64,
    /// How many there are in all.
    pub total: u64,
    /// Those asked for.
    pub sessions: Vec<SessionAnswer<'a>>,
}

/// Appends everything before the first session of a list.
pub fn session_list_head(from: i64, total: u64, text: &mut Vec<u8>) {
    text.extend_from_slice(
        format!("{{\"from\":{from},\"total\":{total},\"sessions\":[").as_bytes(),
    );
}

/// Appends everything behind the last session of a list.
pub fn session_list_tail(text: &mut Vec<u8>) {
    text.extend_from_slice(b"]}");
}

/// Texts that may be inserted at a cursor.
pub type Candidates = Vec<String>;

/// The answer to a request for completion.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Completion)]
pub struct CompletionAnswer {
    /// The texts.
    pub candidates: Candidates,
}

/// What is running here. Clients compare `version` with Livy's, part by part and as text, so it is Livy's.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Version)]
pub struct VersionAnswer {
    /// Where the program comes from.
    pub url: String,
    /// The program and its own version.
    pub branch: String,
    /// Its revision.
    pub revision: String,
    /// The version of Livy's interface that is spoken.
    pub version: String,
    /// When it was built.
    pub date: String,
    /// Who built it.
    pub user: String,
}

/// The version of Livy's interface that is spoken. Never to be `0.10`: clients take that for older than `0.5`.
const LIVY_VERSION: &str = "0.9.0-incubating";

/// What Livy says where it does not know.
const UNKNOWN: &str = "<unknown>";

impl VersionAnswer {
    /// Describes this program by its own version and revision.
    pub fn of_livius(version: &str, revision: Option<&str>) -> Self {
        Self {
            url: "livius".to_owned(),
            branch: format!("livius-{version}"),
            revision: revision.unwrap_or(UNKNOWN).to_owned(),
            version: LIVY_VERSION.to_owned(),
            date: UNKNOWN.to_owned(),
            user: "livius".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_answers_have_livys_keys_in_livys_order() {
        let text = |value: serde_json::Result<String>| value.unwrap();
        let log = ["stdout: ".to_owned(), "\nstderr: ".to_owned()];
        assert_eq!(
            text(serde_json::to_string(&Message { msg: "deleted" })),
            r#"{"msg":"deleted"}"#
        );
        assert_eq!(
            text(serde_json::to_string(&StateAnswer {
                id: 0,
                state: "idle"
            })),
            r#"{"id":0,"state":"idle"}"#
        );
        assert_eq!(
            text(serde_json::to_string(&LogAnswer {
                id: 1,
                from: 0,
                total: 2,
                log: &log
            })),
            r#"{"id":1,"from":0,"total":2,"log":["stdout: ","\nstderr: "]}"#
        );
        let mut list = Vec::new();
        session_list_head(-3, 1, &mut list);
        session_list_tail(&mut list);
        let described = SessionListAnswer {
            from: -3,
            total: 1,
            sessions: vec![],
        };
        assert_eq!(list, br#"{"from":-3,"total":1,"sessions":[]}"#);
        assert_eq!(list, serde_json::to_vec(&described).unwrap());
        assert_eq!(
            text(serde_json::to_string(&CompletionAnswer {
                candidates: vec!["parallelize".to_owned()]
            })),
            r#"{"candidates":["parallelize"]}"#
        );
        assert_eq!(
            text(serde_json::to_string(&VersionAnswer::of_livius(
                "0.1.0", None
            ))),
            r#"{"url":"livius","branch":"livius-0.1.0","revision":"<unknown>","version":"0.9.0-incubating","date":"<unknown>","user":"livius"}"#
        );
        assert_eq!(quoted("a \"b\"\n"), r#""a \"b\"\n""#);
    }
}
