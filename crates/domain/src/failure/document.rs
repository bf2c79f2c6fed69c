//! Writes `docs/ERRORS.md`.

use std::fmt::Write as _;

use super::FailureCode;
use crate::{Phase, StopCause};

const HEAD: &str = "\
# Why sessions and batches end

A session or batch that ended says why: `GET /api/v1/sessions/{id}` and `GET /api/v1/batches/{id}` have
`end.failure` with `code`, `phase`, `message`, `hint`, `evidence` and `docs`. The `code` is stable and made
for programs. `evidence` has the lines that the server concluded the code from: at most eight, without
secrets. `docs` names a section of this file. On Livy's routes the reason is in the last lines of the log.

The server explains with the code, and decides nothing by it. It reads the end of a log that user code
writes to as well, so a program that prints the lines of a failure can have its code. If no line is
known, the code is a general one: `launch_failed`, `context_failed`, `driver_exited` or
`application_failed`.

This file is generated from the code by `cargo xtask codegen`.

## Causes of stops

`end.cause` says who or which timeout ended a session or batch. It is `null` when it ended by itself.

| cause | meaning |
|---|---|
";

/// The whole of `docs/ERRORS.md`.
pub fn markdown() -> String {
    let mut text = HEAD.to_owned();
    for cause in StopCause::ALL {
        let (name, meaning) = (cause.as_str(), cause.meaning());
        writeln!(text, "| `{name}` | {meaning} |").expect("a text takes all");
    }
    text.push_str("\n## Failures\n\n| code | title | phases |\n|---|---|---|\n");
    for &code in FailureCode::ALL {
        let (name, title) = (code.as_str(), code.entry().title);
        let phases = phases(code.entry().phases);
        writeln!(text, "| [`{name}`](#{name}) | {title} | {phases} |").expect("a text takes all");
    }
    for &code in FailureCode::ALL {
        section(&mut text, code);
    }
    text
}

fn section(text: &mut String, code: FailureCode) {
    let entry = code.entry();
    let (name, title, meaning) = (code.as_str(), entry.title, entry.meaning);
    write!(text, "\n### {name}\n\n**{title}.** {meaning}\n").expect("a text takes all");
    for (heading, points) in [("Causes", entry.causes), ("What to do", entry.remedies)] {
        write!(text, "\n{heading}:\n\n").expect("a text takes all");
        for point in points {
            writeln!(text, "- {}", sentence(point)).expect("a text takes all");
        }
    }
}

fn phases(phases: &[Phase]) -> String {
    let names = phases.iter().map(|phase| format!("`{}`", phase.as_str()));
    names.collect::<Vec<_>>().join(", ")
}

/// A fragment as a sentence. The name of a setting at its beginning stays as it is.
fn sentence(fragment: &str) -> String {
    let mut sentence = format!("{fragment}.");
    let word = fragment.split([' ', ',', ':']).next().unwrap_or_default();
    if word.bytes().all(|byte| byte.is_ascii_lowercase())
        && let Some(first) = sentence.get_mut(..1)
    {
        first.make_ascii_uppercase();
    }
    sentence
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_begin_with_a_capital_or_a_name() {
        for (fragment, shown) in [
            ("run it", "Run it."),
            ("spark.home is wrong", "spark.home is wrong."),
            ("className, too", "className, too."),
            ("`jars` lack it", "`jars` lack it."),
        ] {
            assert_eq!(sentence(fragment), shown);
        }
    }

    #[test]
    fn names_are_those_on_the_wire() {
        for cause in StopCause::ALL {
            let name = serde_json::to_value(cause).unwrap();
            assert_eq!(name, cause.as_str());
        }
        for phase in FailureCode::ALL.iter().flat_map(|code| code.entry().phases) {
            let name = serde_json::to_value(phase).unwrap();
            assert_eq!(name, phase.as_str());
        }
    }

    #[test]
    fn every_code_has_a_section_at_its_anchor() {
        let text = markdown();
        for &code in FailureCode::ALL {
            let heading = format!("\n### {}\n", code.as_str());
            assert_eq!(text.matches(&heading).count(), 1, "{code:?}");
            assert!(
                code.docs()
                    .ends_with(&format!("ERRORS.md#{}", code.as_str()))
            );
        }
    }
}
