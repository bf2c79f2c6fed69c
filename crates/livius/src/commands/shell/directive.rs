//! Commands to the shell itself: lines that begin with a colon.

use livius_domain::Kind;

/// The default number of log lines.
const USUAL_LINES: u32 = 20;

/// A command of the shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Directive {
    /// Show the help.
    Help,
    /// Show or change the kind.
    Kind(Option<String>),
    /// Show the session.
    Session,
    /// Show the end of the session's log.
    Log(u32),
    /// End.
    Quit,
}

impl Directive {
    /// Reads a line, or returns what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        Ok(match words.as_slice() {
            [":help" | ":h" | ":?"] => Self::Help,
            [":quit" | ":q" | ":exit"] => Self::Quit,
            [":session"] => Self::Session,
            [":kind"] => Self::Kind(None),
            [":kind", kind] => Self::Kind(Some(known(kind)?)),
            [":log"] => Self::Log(USUAL_LINES),
            [":log", lines] => Self::Log(
                lines
                    .parse()
                    .map_err(|_| format!("{lines:?} is no number of lines"))?,
            ),
            _ => {
                return Err(format!(
                    "there is no command {:?}; :help tells what there is",
                    text.trim()
                ));
            }
        })
    }
}

fn known(kind: &str) -> Result<String, String> {
    match Kind::parse(kind) {
        Some(Kind::Shared) | None => Err(format!(
            "{kind:?} is no kind of code: pyspark, spark, sql or sparkr"
        )),
        Some(kind) => Ok(kind.as_str().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_are_read() {
        let cases = [
            (":help", Some(Directive::Help)),
            (" :q ", Some(Directive::Quit)),
            (":session", Some(Directive::Session)),
            (":kind", Some(Directive::Kind(None))),
            (":kind scala", Some(Directive::Kind(Some("spark".into())))),
            (":kind shared", None),
            (":kind cobol", None),
            (":log", Some(Directive::Log(20))),
            (":log 5", Some(Directive::Log(5))),
            (":log many", None),
            (":unknown", None),
            (":", None),
        ];
        for (text, expected) in cases {
            assert_eq!(Directive::parse(text).ok(), expected, "{text}");
        }
    }
}
