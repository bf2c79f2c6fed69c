//! Texts from a cluster, with a limit.

/// Cuts a text after so many bytes, and says so.
pub fn clipped(mut text: String, limit: usize) -> String {
    if text.len() > limit {
        text.truncate(text.floor_char_boundary(limit));
        text.push('…');
    }
    text
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
}
