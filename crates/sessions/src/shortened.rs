//! Texts of drivers, cut to a length that the server keeps.

/// Cuts a text that is longer than this number of bytes, and marks the cut.
pub fn shortened(mut text: String, bytes: usize) -> String {
    if text.len() > bytes {
        text.truncate(text.floor_char_boundary(bytes));
        text.push_str("\n…");
    }
    text
}
