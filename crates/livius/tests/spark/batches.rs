//! Runs real applications as batches, to their end.

mod failures;
mod folder;
mod jar;
mod python;
mod queue;
mod r;
mod restart;
mod tree;

use std::path::PathBuf;

use serde_json::Value;

use crate::Case;
use crate::client::{PATIENCE, Session, eventually, get, post};
use crate::server::Server;
pub use folder::{Folder, Steps};
pub use jar::{compile, compile_into};

pub const CASES: &[Case] = &[
    (
        "batches::a_python_application_gets_all_that_was_asked_for",
        python::everything,
    ),
    ("batches::jars_run_and_tell_how_they_fail", jar::all),
    (
        "batches::what_fails_is_dead_with_its_reason",
        failures::of_applications,
    ),
    (
        "batches::what_cannot_start_is_dead_with_its_reason",
        failures::of_starts,
    ),
    (
        "batches::known_failures_have_their_codes",
        failures::of_known_kinds,
    ),
    (
        "batches::failures_of_the_machine_have_their_codes",
        failures::of_the_machine,
    ),
    ("batches::an_r_file_runs", r::runs),
];

/// The server's queue, its recovery, its search for Java, and the supervisor of a process tree.
/// None of them knows Spark. `CASES` shows that batches of each Spark start, run and end.
pub const OLDER: &[Case] = &[
    (
        "batches::without_java_it_is_dead_with_reason_and_hint",
        failures::no_java,
    ),
    (
        "batches::nothing_that_an_application_started_is_left",
        tree::all,
    ),
    (
        "batches::outlive_servers_that_are_killed_or_stopped",
        restart::both,
    ),
    ("batches::wait_their_turn_in_order", queue::one_at_a_time),
];

/// Arguments that are hard to pass on.
const STRANGE_ARGUMENTS: [&str; 18] = [
    "plain",
    "",
    "two words",
    " blanks around ",
    "it's",
    "say \"hi\"",
    "two\nlines\n",
    "a\ttab",
    "-leading",
    "--conf",
    "--class=x",
    "--help",
    "$(touch /tmp/no) `no` ${HOME} $HOME",
    "back\\slash \\n \\",
    "λ 🤔 é",
    "a,b;c|d&e<f>g*?[!]#~%41",
    "{\"json\": [1]}",
    "",
];

/// A batch by its address. Most requests are those of a session.
pub struct Batch {
    asked: Session,
    detail: String,
}

impl Batch {
    /// Submits a batch.
    pub fn create(server: &Server, request: &Value) -> Self {
        let (status, answer) = post(&format!("{}/batches", server.url), request);
        assert_eq!(status, 201, "{answer}");
        assert_eq!(answer["state"], "starting", "{answer}");
        let id = answer["id"].as_i64().unwrap();
        Self {
            asked: Session {
                url: format!("{}/batches/{id}", server.url),
                id,
            },
            detail: format!("{}/api/v1/batches/{id}", server.url),
        }
    }

    /// Its address.
    pub fn url(&self) -> &str {
        &self.asked.url
    }

    /// The batch in Livy's form.
    pub fn shown(&self) -> Value {
        get(&self.asked.url).1
    }

    /// The batch with its details.
    pub fn detail(&self) -> Value {
        let (status, detail) = get(&self.detail);
        assert_eq!(status, 200, "{detail}");
        detail
    }

    pub fn state(&self) -> String {
        self.asked.state()
    }

    pub fn log(&self) -> String {
        self.asked.log()
    }

    pub fn await_running(&self) {
        eventually("the batch runs", PATIENCE, || {
            let state = self.state();
            assert!(
                ["starting", "running"].contains(&state.as_str()),
                "it ended before it ran: {:#}\n{}",
                self.detail(),
                self.log()
            );
            (state == "running").then_some(())
        });
    }

    /// Waits until its log has a line.
    pub fn await_line(&self, line: &str) {
        eventually(&format!("it prints {line:?}"), PATIENCE, || {
            let log = self.log();
            assert!(
                self.detail()["end"].is_null(),
                "it ended before it printed {line:?}: {log}"
            );
            log.lines().any(|other| other == line).then_some(())
        });
    }

    /// Waits until a line of its log contains these words.
    pub fn await_words(&self, words: &str) {
        eventually(&format!("it says {words:?}"), PATIENCE, || {
            let log = self.log();
            assert!(self.detail()["end"].is_null(), "it ended before: {log}");
            log.contains(words).then_some(())
        });
    }

    /// Waits until it has ended in this state, and returns its details.
    pub fn await_end(&self, state: &str) -> Value {
        let detail = eventually("the batch ends", PATIENCE, || {
            let detail = self.detail();
            (!detail["end"].is_null()).then_some(detail)
        });
        assert_eq!(
            (&detail["state"], self.state().as_str()),
            (&Value::from(state), state),
            "{detail:#}\n{}",
            self.log()
        );
        detail
    }

    /// Waits until it has failed, and returns the exit code and the message, which the log must
    /// contain too.
    pub fn await_failure(&self) -> (Option<i64>, String) {
        let end = self.await_end("dead")["end"].clone();
        assert_eq!(end["outcome"], "failed", "{end:#}");
        let message = end["failure"]["message"].as_str().unwrap().to_owned();
        let log = self.log();
        assert!(log.contains(&format!("livius: {message}")), "{log}");
        assert!(!end["failure"]["hint"].as_str().unwrap().is_empty());
        (end["exitCode"].as_i64(), message)
    }

    /// Checks the code of its failure, and that the evidence has these words.
    pub fn assert_failure(&self, code: &str, evidence: &str) {
        assert_failure(&self.detail(), code, evidence);
    }

    pub fn delete(&self) {
        self.asked.delete();
        assert_eq!(self.state(), "gone");
    }

    /// Stops it without deleting it.
    pub fn kill(&self) {
        let (status, answer) = post(&format!("{}/kill", self.detail), &Value::Null);
        assert_eq!(status, 200, "{answer}");
    }

    /// Waits for the directory of its process.
    pub fn dir(&self, server: &Server) -> PathBuf {
        server.driver_dir(&format!("b-{}-", self.asked.id))
    }
}

/// A time as a sortable text, because the server drops trailing zeros of fractions.
fn time(value: &Value) -> String {
    let text = value.as_str().unwrap().trim_end_matches('Z');
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    format!("{seconds}.{fraction:0<9}")
}

/// Checks the code of the failure of a session or batch, and that the evidence has these words.
pub fn assert_failure(detail: &Value, code: &str, evidence: &str) {
    let failure = &detail["end"]["failure"];
    assert_eq!(failure["code"], code, "{failure:#}");
    assert_eq!(failure["docs"], format!("docs/ERRORS.md#{code}"));
    let lines = failure["evidence"].as_array().unwrap();
    let is_told = |line: &Value| line.as_str().unwrap().contains(evidence);
    assert!(
        evidence.is_empty() || lines.iter().any(is_told),
        "{failure:#}"
    );
}
