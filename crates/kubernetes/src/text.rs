//! Texts from a cluster, with a limit.

/// The longest message that is kept, in bytes. The cause is at its start.
pub const LONGEST_MESSAGE: usize = 1_000;

/// The longest of the other texts, such as names and reasons, in bytes. The API server allows 253
/// bytes in a name.
pub const LONGEST_NAME: usize = 300;

/// Cuts a text after so many bytes, and says so.
pub fn clipped(mut text: String, limit: usize) -> String {
    if text.len() > limit {
        text.truncate(text.floor_char_boundary(limit));
        text.push('…');
    }
    text
}

/// A message without control characters, so that it cannot drive a terminal.
pub fn message(text: &str) -> String {
    let printable = text.replace(|c: char| c.is_control() && c != '\n' && c != '\t', " ");
    clipped(printable.trim().to_owned(), LONGEST_MESSAGE)
}

/// A name or another short text.
pub fn name(text: String) -> String {
    clipped(text, LONGEST_NAME)
}

/// A message that is there and not empty.
pub fn present(text: Option<String>) -> Option<String> {
    let text = message(&text?);
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(clipped("aäb".to_owned(), 4), "aäb");
        assert_eq!(clipped("aäb".to_owned(), 3), "aä…");
        assert_eq!(clipped("aäb".to_owned(), 2), "a…");
    }

    #[test]
    fn a_message_is_printable_and_short() {
        assert_eq!(message(" one\u{1b}[31m\ntwo\n"), "one [31m\ntwo");
        assert_eq!(
            message(&"x".repeat(5_000)).len(),
            LONGEST_MESSAGE + "…".len()
        );
        assert_eq!(present(Some(" \n".to_owned())), None);
    }
}
