//! An error told whole.

use std::error::Error;

/// Writes an error and all its causes on one line, as a log or an answer shows them.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
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
    }
}
