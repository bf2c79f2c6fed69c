//! Errors and their causes.

use std::error::Error;

/// Writes an error and all its causes on one line, for logs and responses. Many errors end with the
/// text of their cause, so a cause that is there already is left out.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let told = cause.to_string();
        if !text.ends_with(&told) {
            text.push_str(": ");
            text.push_str(&told);
        }
        source = cause.source();
    }
    text
}

/// The text of the last cause of an error. `None` if it has no cause.
pub fn root_cause(error: &dyn Error) -> Option<String> {
    let mut cause = error.source()?;
    while let Some(next) = cause.source() {
        cause = next;
    }
    Some(cause.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Told(&'static str, #[source] Option<Box<Told>>);

    #[test]
    fn every_cause_is_told_once() {
        let alone = Told("open the store", None);
        assert_eq!(chain(&alone), "open the store");
        let deep = Told("start", Some(Box::new(Told("read", Some(Box::new(alone))))));
        assert_eq!(chain(&deep), "start: read: open the store");
        assert_eq!(root_cause(&deep).as_deref(), Some("open the store"));
        assert_eq!(root_cause(&Told("alone", None)), None);
        let end = || Some(Box::new(Told("end of file", None)));
        for outer in ["end of file", "read: end of file", "read"] {
            let text = chain(&Told("start", Some(Box::new(Told(outer, end())))));
            let expected = if outer == "end of file" {
                "start: end of file"
            } else {
                "start: read: end of file"
            };
            assert_eq!(text, expected);
        }
    }
}
