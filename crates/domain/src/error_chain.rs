//! An error with all its causes.

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
