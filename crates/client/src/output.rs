//! Shows the output of a statement as text.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::answers::Statement;
use crate::live::{Printed, Stream};
use crate::table::Table;

const TABLE: &str = "application/vnd.livy.table.v1+json";
const JSON: &str = "application/json";
const TEXT: &str = "text/plain";

/// The outcome of a statement, as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// It succeeded. The text may be empty.
    Good(String),
    /// It failed. The text is the reason.
    Bad(String),
}

#[derive(Deserialize)]
struct Output<'a> {
    #[serde(default)]
    status: String,
    #[serde(borrow, default)]
    data: BTreeMap<String, &'a RawValue>,
    #[serde(default)]
    ename: Option<String>,
    #[serde(default)]
    evalue: Option<String>,
    #[serde(default)]
    traceback: Option<Vec<String>>,
}

/// What a client has shown of a statement while it ran.
#[derive(Debug, Clone, Default)]
pub struct Streamed {
    stdout: String,
    stderr: String,
    is_cut: bool,
}

impl Streamed {
    /// Adds a text that was shown.
    pub fn add(&mut self, printed: &Printed) {
        self.is_cut |= printed.missing > 0;
        match printed.stream {
            Stream::Stdout => self.stdout.push_str(&printed.text),
            Stream::Stderr => self.stderr.push_str(&printed.text),
        }
    }

    /// Whether anything was shown.
    pub fn is_empty(&self) -> bool {
        self.stdout.is_empty() && self.stderr.is_empty()
    }

    /// What is left to show of the text that has both streams, one after the other. If something is
    /// missing, that is all of it.
    fn rest<'a>(&self, text: &'a str) -> &'a str {
        if self.is_empty() || self.is_cut {
            return text;
        }
        let both = format!("{}{}", self.stdout, self.stderr);
        let shown = both.trim_start_matches('\n').trim_end();
        let left = text.trim_start_matches('\n').strip_prefix(shown);
        left.map_or(text, |left| left.trim_start_matches(['\n', ' ']))
    }
}

/// Shows a statement that has ended.
pub fn shown(statement: &Statement) -> Shown {
    shown_after(statement, &Streamed::default())
}

/// Shows what is left of a statement that has ended.
pub fn shown_after(statement: &Statement, streamed: &Streamed) -> Shown {
    let Some(raw) = &statement.output else {
        return Shown::Bad(format!(
            "the statement is {} without any output",
            statement.state
        ));
    };
    let Ok(output) = serde_json::from_str::<Output>(raw.get()) else {
        return Shown::Bad(format!("the output cannot be read: {}", raw.get()));
    };
    if output.status == "ok" && statement.state != "cancelled" {
        Shown::Good(data(&output.data, streamed))
    } else if output.status == "ok" {
        Shown::Bad(
            format!(
                "the statement was cancelled\n{}",
                data(&output.data, streamed)
            )
            .trim_end()
            .to_owned(),
        )
    } else {
        Shown::Bad(error(&output, streamed))
    }
}

fn error(output: &Output, streamed: &Streamed) -> String {
    let value = output.evalue.as_deref().unwrap_or_default().trim_end();
    let trace = output.traceback.as_deref().unwrap_or_default().concat();
    let trace = streamed.rest(&trace).trim_end();
    // A Python traceback ends with the name and the value. A Scala trace continues after them.
    let name = output.ename.as_deref().unwrap_or("Error");
    let first_line = value.lines().next().unwrap_or(name);
    if !first_line.is_empty() && trace.contains(first_line) {
        return trace.to_owned();
    }
    format!("{name}: {value}\n{trace}").trim_end().to_owned()
}

/// All parts of the output: first the printed text, then the values.
fn data(data: &BTreeMap<String, &RawValue>, streamed: &Streamed) -> String {
    let mut parts = Vec::new();
    if let Some(text) = data.get(TEXT) {
        let text = text_of(text);
        parts.push(streamed.rest(&text).to_owned());
    }
    for (mime, value) in data {
        match mime.as_str() {
            TEXT => {}
            TABLE => parts.push(livy_table(value).unwrap_or_else(|| text_of(value))),
            JSON => parts.push(sql_table(value).unwrap_or_else(|| indented(value))),
            _ if mime.starts_with("image/") => parts.push(format!(
                "({mime}, {} bytes as base64: `livius run --json` prints it)",
                text_of(value).len()
            )),
            _ => parts.push(text_of(value)),
        }
    }
    parts.retain(|part| !part.is_empty());
    let ended = |part: &String| format!("{}\n", part.trim_end_matches('\n'));
    parts.iter().map(ended).collect()
}

#[derive(Deserialize)]
struct Column {
    name: String,
}

/// The table of an SQL result.
fn sql_table(value: &RawValue) -> Option<String> {
    #[derive(Deserialize)]
    struct Rows<'a> {
        schema: Schema,
        #[serde(borrow)]
        data: Vec<Vec<&'a RawValue>>,
    }
    #[derive(Deserialize)]
    struct Schema {
        fields: Vec<Column>,
    }
    let rows: Rows = serde_json::from_str(value.get()).ok()?;
    Some(table(&rows.schema.fields, &rows.data))
}

/// The table of Livy's `%table` magic.
fn livy_table(value: &RawValue) -> Option<String> {
    #[derive(Deserialize)]
    struct Rows<'a> {
        headers: Vec<Column>,
        #[serde(borrow)]
        data: Vec<Vec<&'a RawValue>>,
    }
    let rows: Rows = serde_json::from_str(value.get()).ok()?;
    Some(table(&rows.headers, &rows.data))
}

fn table(columns: &[Column], rows: &[Vec<&RawValue>]) -> String {
    let mut table = Table::new(columns.iter().map(|column| &column.name));
    for row in rows {
        table.row(row.iter().map(|cell| text_of(cell)));
    }
    let count = match rows.len() {
        1 => "1 row".to_owned(),
        count => format!("{count} rows"),
    };
    format!("{}({count})", table.rendered(None))
}

/// The content of a JSON string. Any other value stays as written, so a number keeps all its
/// digits.
fn text_of(value: &RawValue) -> String {
    serde_json::from_str::<String>(value.get()).unwrap_or_else(|_| value.get().to_owned())
}

fn indented(value: &RawValue) -> String {
    // Parsing may round long numbers. The text is indented only if parsing changed nothing.
    let parsed = serde_json::from_str::<serde_json::Value>(value.get()).unwrap_or_default();
    let again = parsed.to_string();
    if again == value.get() {
        format!("{parsed:#}")
    } else {
        text_of(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(state: &str, output: &str) -> Shown {
        let text = format!(r#"{{"id":0,"state":"{state}","output":{output}}}"#);
        shown(&serde_json::from_str(&text).unwrap())
    }

    fn good(data: &str) -> String {
        match show("available", &format!(r#"{{"status":"ok","data":{data}}}"#)) {
            Shown::Good(text) => text,
            Shown::Bad(text) => panic!("{text}"),
        }
    }

    fn bad(rest: &str) -> String {
        match show("available", &format!(r#"{{"status":"error",{rest}}}"#)) {
            Shown::Bad(text) => text,
            Shown::Good(text) => panic!("{text}"),
        }
    }

    #[test]
    fn text_ends_with_one_line_break() {
        assert_eq!(
            good(r#"{"text/plain":"res1: Int = 2\n"}"#),
            "res1: Int = 2\n"
        );
        assert_eq!(good(r#"{"text/plain":"2"}"#), "2\n");
        assert_eq!(good(r#"{"text/plain":""}"#), "");
        assert_eq!(good("{}"), "");
    }

    #[test]
    fn tables_keep_every_digit() {
        let sql = r#"{"application/json":{"schema":{"type":"struct","fields":[{"name":"n","type":"decimal"},{"name":"t","type":"string"}]},
            "data":[[12345678901234567890123456789.5,"a\nb"],[null,"é"]]}}"#;
        insta::assert_snapshot!(good(sql), @r"
                                      n  t
        12345678901234567890123456789.5  a\nb
                                   null  é
        (2 rows)
        ");
        let magic = r#"{"application/vnd.livy.table.v1+json":{"headers":[{"type":"INT_TYPE","name":"x"}],"data":[[1]]},"text/plain":"printed"}"#;
        assert_eq!(good(magic), "printed\nx\n1\n(1 row)\n");
    }

    #[test]
    fn other_data_is_shown_as_well_as_can_be() {
        assert_eq!(
            good(r#"{"application/json":{"a":[1]}}"#),
            "{\n  \"a\": [\n    1\n  ]\n}\n"
        );
        assert_eq!(
            good(r#"{"application/json":123456789012345678901234567890}"#),
            "123456789012345678901234567890\n"
        );
        assert_eq!(
            good(r#"{"image/png":"AAAA"}"#),
            "(image/png, 4 bytes as base64: `livius run --json` prints it)\n"
        );
        assert_eq!(good(r#"{"text/html":"<b>"}"#), "<b>\n");
    }

    #[test]
    fn failures_are_told_once_and_whole() {
        let python = r#""ename":"NameError","evalue":"name 'x' is not defined","traceback":["Traceback (most recent call last):\n","NameError: name 'x' is not defined\n"]"#;
        assert_eq!(
            bad(python),
            "Traceback (most recent call last):\nNameError: name 'x' is not defined"
        );
        let scala = r#""ename":"Error","evalue":"<console>:23: error: not found: value x","traceback":["       x\n","       ^\n"]"#;
        assert_eq!(
            bad(scala),
            "Error: <console>:23: error: not found: value x\n       x\n       ^"
        );
        let empty = r#""ename":"KeyboardInterrupt","evalue":"","traceback":["Traceback:\n","KeyboardInterrupt\n"]"#;
        assert_eq!(bad(empty), "Traceback:\nKeyboardInterrupt");
        assert_eq!(
            bad(r#""ename":"Error","evalue":"incomplete statement""#),
            "Error: incomplete statement"
        );
    }

    #[test]
    fn cancelled_statements_have_failed() {
        assert_eq!(
            show("cancelled", "null"),
            Shown::Bad("the statement is cancelled without any output".into())
        );
        let late = show(
            "cancelled",
            r#"{"status":"ok","data":{"text/plain":"late"}}"#,
        );
        assert_eq!(late, Shown::Bad("the statement was cancelled\nlate".into()));
    }

    fn printed(stream: Stream, text: &str, missing: u64) -> Printed {
        Printed {
            stream,
            text: text.to_owned(),
            missing,
        }
    }

    fn left(streamed: &Streamed, output: &str) -> Shown {
        let text = format!(r#"{{"id":0,"state":"available","output":{output}}}"#);
        shown_after(&serde_json::from_str(&text).unwrap(), streamed)
    }

    #[test]
    fn what_was_shown_while_it_ran_is_not_shown_again() {
        let mut streamed = Streamed::default();
        streamed.add(&printed(Stream::Stdout, "one\n", 0));
        streamed.add(&printed(Stream::Stderr, "bad\n", 0));
        streamed.add(&printed(Stream::Stdout, "two\n", 0));
        for (text, expected) in [
            (r"one\ntwo\nbad", ""),
            (r"one\ntwo\nbad\n3", "3\n"),
            (r"other", "other\n"),
        ] {
            let output = format!(r#"{{"status":"ok","data":{{"text/plain":"{text}"}}}}"#);
            assert_eq!(left(&streamed, &output), Shown::Good(expected.to_owned()));
        }
        let table =
            r#"{"status":"ok","data":{"text/plain":"one\ntwo\nbad","application/json":[1]}}"#;
        assert_eq!(
            left(&streamed, table),
            Shown::Good("[\n  1\n]\n".to_owned())
        );
        let failed = r#"{"status":"error","ename":"E","evalue":"why","traceback":["one\n","two\n","bad\n","Traceback\n","E: why\n"]}"#;
        assert_eq!(
            left(&streamed, failed),
            Shown::Bad("Traceback\nE: why".to_owned())
        );
        streamed.add(&printed(Stream::Stdout, "four\n", 6));
        let whole = r#"{"status":"ok","data":{"text/plain":"one\ntwo\nthree\nfour\nbad"}}"#;
        let all = Shown::Good("one\ntwo\nthree\nfour\nbad\n".to_owned());
        assert_eq!(left(&streamed, whole), all);
    }
}
