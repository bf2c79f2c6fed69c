//! Makes foreign texts safe to print. Names, states and code may hold control characters, which a
//! terminal would obey.

use std::fmt::Write as _;

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// The text on one line. Control characters and invisible characters become escapes.
pub fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            other if is_treacherous(other) => {
                let _ = write!(shown, "{}", other.escape_unicode());
            }
            other => shown.push(other),
        }
    }
    shown
}

/// The same for texts of several lines: line breaks and tabs stay.
pub fn escaped_lines(text: &str) -> String {
    text.split('\n')
        .map(|line| line.split('\t').map(escaped).collect::<Vec<_>>().join("\t"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Control characters, characters that change the direction of writing, and invisible ones.
fn is_treacherous(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// The width of a text in columns.
pub fn width(text: &str) -> usize {
    text.width()
}

/// The start of a text that fits, with a mark where it is cut.
pub fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut used = 1;
    for character in text.chars() {
        used += character.width().unwrap_or(0);
        if used > columns {
            break;
        }
        kept.push(character);
    }
    if columns > 0 {
        kept.push('…');
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_is_left() {
        let cases = [
            ("plain λ 🤔 é", "plain λ 🤔 é"),
            ("a\nb\tc\r", "a\\nb\\tc\\r"),
            ("\u{1b}[2Jgone", "\\u{1b}[2Jgone"),
            ("\u{9b}31m\u{7f}\0", "\\u{9b}31m\\u{7f}\\u{0}"),
            ("evil\u{202e}fdp.exe", "evil\\u{202e}fdp.exe"),
            ("zero\u{200b}width", "zero\\u{200b}width"),
            ("back\\slash", "back\\slash"),
        ];
        for (text, shown) in cases {
            assert_eq!(escaped(text), shown);
        }
        assert_eq!(escaped_lines("a\tb\n\u{1b}c"), "a\tb\n\\u{1b}c");
    }

    #[test]
    fn cuts_count_columns() {
        let cases = [
            ("four", 4, "four"),
            ("fives", 4, "fiv…"),
            ("日本語", 6, "日本語"),
            ("日本語", 5, "日本…"),
            ("日本語", 4, "日…"),
            ("ab", 1, "…"),
            ("ab", 0, ""),
        ];
        for (text, columns, shown) in cases {
            assert_eq!(cut(text, columns), shown, "{text} in {columns}");
            assert!(width(shown) <= columns);
        }
    }
}
