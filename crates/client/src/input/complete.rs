//! Decides whether the typed text is a complete statement.

use super::outline::outline;
use crate::language::{Dialect, switched};

/// Endings after which a statement of Scala or R continues on the next line.
const GOES_ON: [&str; 22] = [
    "=", "=>", "<-", "->", ".", ",", "+", "-", "*", "/", "&&", "||", "&", "|", "|>", "%>%", ":",
    "extends", "with", "else", "yield", "match",
];

/// The rule for the end of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Its language.
    pub dialect: Dialect,
    /// True if it ends with its line, unless a bracket or string is open.
    is_one_line: bool,
}

/// The rule for a text, which may name its own kind.
pub fn rule(text: &str, kind: &str) -> Rule {
    match switched(text) {
        Some(switched) => Rule {
            dialect: Dialect::of(switched.kind),
            is_one_line: !switched.is_long && !switched.code.contains('\n'),
        },
        None => Rule {
            dialect: Dialect::of(kind),
            is_one_line: false,
        },
    }
}

/// Tells whether the text is a complete statement when the user presses Enter.
pub fn is_complete(text: &str, kind: &str) -> bool {
    if text.trim().is_empty() || text.starts_with(':') {
        return true;
    }
    let rule = rule(text, kind);
    if !is_closed(text, rule.dialect) {
        return false;
    }
    if rule.is_one_line && switched(text).is_some_and(|switched| !switched.code.is_empty()) {
        return rule.dialect != Dialect::Python || !has_block(text, rule.dialect);
    }
    let ends_blank = text.contains('\n') && last_line(text).trim().is_empty();
    if ends_blank {
        return true;
    }
    let bare = outline(text, rule.dialect).bare;
    match rule.dialect {
        Dialect::Python => !has_block(text, rule.dialect) && !goes_on_by_magic(text),
        Dialect::Sql => bare.trim_end().ends_with(';'),
        Dialect::Scala | Dialect::R => !goes_on(&bare) && !goes_on_by_magic(text),
        Dialect::Unknown => true,
    }
}

/// Tells whether nothing is open: no bracket, no string, no comment, no joined line.
pub fn is_closed(text: &str, dialect: Dialect) -> bool {
    let outline = outline(text, dialect);
    let joins = dialect == Dialect::Python && outline.bare.ends_with('\\');
    !outline.is_open && outline.depth <= 0 && !joins
}

/// Tells whether a Python text ends inside a block, so that more lines may follow.
pub fn has_block(text: &str, dialect: Dialect) -> bool {
    if dialect != Dialect::Python {
        return false;
    }
    let bare = outline(text, dialect).bare;
    let last = bare
        .lines()
        .rev()
        .find(|line| !line.trim().is_empty())
        .unwrap_or_default();
    last.trim_end().ends_with(':') || last.starts_with([' ', '\t', '@'])
}

/// Tells whether a line without indentation continues the Python block before it, as `else` does.
pub fn continues_block(line: &str) -> bool {
    let word: String = line
        .chars()
        .take_while(|next| next.is_ascii_alphanumeric() || *next == '_')
        .collect();
    ["else", "elif", "except", "finally"].contains(&word.as_str())
}

fn goes_on(bare: &str) -> bool {
    let last = last_line(bare.trim_end());
    GOES_ON.iter().any(|end| {
        last.strip_suffix(end).is_some_and(|before| {
            let is_word = end.chars().all(char::is_alphabetic);
            !is_word || !before.ends_with(|next: char| next.is_alphanumeric() || next == '_')
        })
    })
}

/// Tells whether the text holds only the name of a kind.
fn goes_on_by_magic(text: &str) -> bool {
    switched(text).is_some_and(|switched| switched.is_long || switched.code.is_empty())
}

fn last_line(text: &str) -> &str {
    text.rsplit('\n').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_end_where_their_language_says() {
        let cases = [
            ("pyspark", "1 + 1", true),
            ("pyspark", "f(1,", false),
            ("pyspark", "f(1,\n  2)", true),
            ("pyspark", "def f():", false),
            ("pyspark", "def f():\n  return 1", false),
            ("pyspark", "def f():\n  return 1\n", true),
            ("pyspark", "@decorated", false),
            ("pyspark", "if a: b()", true),
            ("pyspark", "x = '''a", false),
            ("pyspark", "x = '''a\n", false),
            ("pyspark", "x = 1 + \\", false),
            ("pyspark", "{'a': 1}", true),
            ("pyspark", "x['a:'] # b:", true),
            ("pyspark", "lambda: (", false),
            ("spark", "val x = 1", true),
            ("spark", "val x =", false),
            ("spark", "class A {", false),
            ("spark", "class A {\n\n", false),
            ("spark", "class A {\n  def f = 1\n}", true),
            ("spark", "if (a) b else", false),
            ("spark", "somethingelse", true),
            ("spark", "rdd.map(_ + 1).", false),
            ("spark", "rdd.map(_ + 1).\n", true),
            ("sparkr", "f <- function(x) {", false),
            ("sparkr", "df %>%", false),
            ("sparkr", "x <-", false),
            ("sparkr", "head(df)", true),
            ("sql", "SELECT 1", false),
            ("sql", "SELECT 1;", true),
            ("sql", "SELECT ';'", false),
            ("sql", "SELECT 1\n", true),
            ("other", "(((", true),
            ("pyspark", "%sql SELECT 1", true),
            ("pyspark", "%sql SELECT (", false),
            ("pyspark", "%sql", false),
            ("pyspark", "%%sql\nSELECT 1", false),
            ("pyspark", "%%sql\nSELECT 1;", true),
            ("sql", "%pyspark def f():", false),
            ("sql", "%pyspark 1 + 1", true),
            ("pyspark", "%json x", true),
            ("sql", ":kind sql", true),
            ("pyspark", "", true),
            ("sql", "  ", true),
        ];
        for (kind, text, expected) in cases {
            assert_eq!(is_complete(text, kind), expected, "{kind}: {text:?}");
        }
    }

    #[test]
    fn blocks_go_on_with_their_other_branches() {
        for line in ["else:", "elif x:", "except ValueError:", "finally:"] {
            assert!(continues_block(line), "{line}");
        }
        for line in ["elsewhere = 1", "x", "", "def f():"] {
            assert!(!continues_block(line), "{line}");
        }
    }
}
