//! Short responses, lists, and Livy's two shapes of errors.

use serde::Serialize;
use utoipa::ToSchema;

use crate::SessionAnswer;

/// `{"msg":…}`, the response to a request that returns no data.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct Message<'a> {
    /// `deleted`, `interrupted` or `canceled`.
    pub msg: &'a str,
}

/// `{"msg":…}`, the shape of what Livy itself refuses.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ErrorMessage {
    /// The problem and its remedy.
    pub msg: String,
}

/// A bare JSON string, the shape of malformed requests and internal errors.
pub fn quoted(message: &str) -> String {
    serde_json::to_string(message).expect("a text is always JSON")
}

/// The state of a session or a batch.
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
    /// The number of lines in all.
    pub total: u64,
    /// The lines.
    pub log: &'a [String],
}

// Only for the OpenAPI document: `session_list_head` and `session_list_tail` write such a list.
/// A page of the sessions.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SessionList)]
pub struct SessionListAnswer<'a> {
    /// As requested.
    pub from: i64,
    /// The number of all sessions.
    pub total: u64,
    /// The sessions of this page.
    pub sessions: Vec<SessionAnswer<'a>>,
}

/// Appends everything before the first session of a list.
pub fn session_list_head(from: i64, total: u64, text: &mut Vec<u8>) {
    text.extend_from_slice(
        format!("{{\"from\":{from},\"total\":{total},\"sessions\":[").as_bytes(),
    );
}

/// Appends everything after the last session of a list.
pub fn session_list_tail(text: &mut Vec<u8>) {
    text.extend_from_slice(b"]}");
}

/// Completions for code at a cursor.
pub type Candidates = Vec<String>;

/// The response to a request for completions.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Completion)]
pub struct CompletionAnswer {
    /// The completions.
    pub candidates: Candidates,
}

/// The version of the server. Clients compare `version` with Livy's, part by part and as text, so
/// it is Livy's.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Version)]
pub struct VersionAnswer {
    /// The origin of the program.
    pub url: String,
    /// The program and its own version.
    pub branch: String,
    /// Its revision.
    pub revision: String,
    /// The version of Livy's interface that the server implements.
    pub version: String,
    /// When it was built.
    pub date: String,
    /// The name of its builder.
    pub user: String,
}

/// The version of Livy's interface that the server implements. It must never be `0.10`: clients
/// take that for older than `0.5`.
const LIVY_VERSION: &str = "0.9.0-incubating";

/// Livy's value for what it does not know.
const UNKNOWN: &str = "<unknown>";

impl VersionAnswer {
    /// Describes this program with its own version and revision.
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
