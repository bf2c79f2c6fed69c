//! Removes the content of strings and comments. The rest shows whether a statement is finished, in
//! four languages.

use crate::language::Dialect;

/// The outline of a text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outline {
    /// Open brackets minus closed ones.
    pub depth: i32,
    /// True if a string or comment is not closed.
    pub is_open: bool,
    /// The text without comments. A string is one `s`; lines joined by brackets are one line.
    pub bare: String,
}

/// The syntax of strings and comments in a language.
struct Lexicon {
    comment: &'static str,
    block_comment: Option<(&'static str, &'static str)>,
    long_quotes: &'static [&'static str],
    quotes: &'static [char],
    /// True if an ordinary string may span lines.
    strings_span_lines: bool,
    /// The quote around a character. In front of a name, the same quote starts a symbol.
    character_quote: Option<char>,
    /// True if a backslash at the end of a line joins it with the next.
    joins_lines: bool,
}

const PYTHON: Lexicon = Lexicon {
    comment: "#",
    block_comment: None,
    long_quotes: &["\"\"\"", "'''"],
    quotes: &['"', '\''],
    strings_span_lines: false,
    character_quote: None,
    joins_lines: true,
};
const SCALA: Lexicon = Lexicon {
    comment: "//",
    block_comment: Some(("/*", "*/")),
    long_quotes: &["\"\"\""],
    quotes: &['"'],
    strings_span_lines: false,
    character_quote: Some('\''),
    joins_lines: false,
};
const R: Lexicon = Lexicon {
    comment: "#",
    block_comment: None,
    long_quotes: &[],
    quotes: &['"', '\'', '`'],
    strings_span_lines: true,
    character_quote: None,
    joins_lines: false,
};
const SQL: Lexicon = Lexicon {
    comment: "--",
    block_comment: Some(("/*", "*/")),
    long_quotes: &[],
    quotes: &['"', '\'', '`'],
    strings_span_lines: true,
    character_quote: None,
    joins_lines: false,
};

/// Computes the outline of a text.
pub fn outline(text: &str, dialect: Dialect) -> Outline {
    let lexicon = match dialect {
        Dialect::Python => &PYTHON,
        Dialect::Scala => &SCALA,
        Dialect::R => &R,
        Dialect::Sql => &SQL,
        Dialect::Unknown => {
            return Outline {
                bare: text.to_owned(),
                ..Outline::default()
            };
        }
    };
    let mut scan = Scan {
        rest: text,
        lexicon,
        outline: Outline::default(),
    };
    while !scan.rest.is_empty() {
        scan.step();
    }
    scan.outline
}

struct Scan<'a> {
    rest: &'a str,
    lexicon: &'static Lexicon,
    outline: Outline,
}

impl Scan<'_> {
    fn step(&mut self) {
        if self.comment() || self.string() || self.character() {
            return;
        }
        if self.lexicon.joins_lines && self.rest.starts_with("\\\n") {
            self.outline.bare.push(' ');
            self.skip(2);
            return;
        }
        let Some(next) = self.rest.chars().next() else {
            return;
        };
        match next {
            '(' | '[' | '{' => self.outline.depth += 1,
            ')' | ']' | '}' => self.outline.depth -= 1,
            _ => {}
        }
        let joined = next == '\n' && self.outline.depth > 0;
        self.outline.bare.push(if joined { ' ' } else { next });
        self.skip(next.len_utf8());
    }

    fn comment(&mut self) -> bool {
        if self.rest.starts_with(self.lexicon.comment) {
            self.skip(self.rest.find('\n').unwrap_or(self.rest.len()));
            return true;
        }
        let begun = |(begin, _): &(&str, &str)| self.rest.starts_with(begin);
        let Some((_, end)) = self.lexicon.block_comment.filter(begun) else {
            return false;
        };
        match self.rest.find(end) {
            Some(at) => self.skip(at + end.len()),
            None => self.never_closed(),
        }
        true
    }

    fn string(&mut self) -> bool {
        let long = self
            .lexicon
            .long_quotes
            .iter()
            .find(|quote| self.rest.starts_with(**quote));
        if let Some(quote) = long {
            self.skip(quote.len());
            self.until(quote, true);
            return true;
        }
        let Some(quote) = self
            .rest
            .chars()
            .next()
            .filter(|next| self.lexicon.quotes.contains(next))
        else {
            return false;
        };
        self.skip(quote.len_utf8());
        self.until(&quote.to_string(), self.lexicon.strings_span_lines);
        true
    }

    /// Skips to the end of a string. A string that may not span lines ends with its line.
    fn until(&mut self, quote: &str, spans_lines: bool) {
        self.outline.bare.push('s');
        let mut is_escaped = false;
        for (at, next) in self.rest.char_indices() {
            if is_escaped {
                is_escaped = false;
            } else if next == '\\' {
                is_escaped = true;
            } else if self.rest[at..].starts_with(quote) {
                self.skip(at + quote.len());
                return;
            } else if next == '\n' && !spans_lines {
                self.skip(at);
                return;
            }
        }
        if spans_lines || is_escaped {
            self.outline.is_open = true;
        }
        self.rest = "";
    }

    /// `'x'` or `'\n'`.
    fn character(&mut self) -> bool {
        let Some(quote) = self.lexicon.character_quote else {
            return false;
        };
        let Some(inside) = self.rest.strip_prefix(quote) else {
            return false;
        };
        let is_escape = inside.starts_with('\\');
        let length: usize = inside
            .chars()
            .take(if is_escape { 2 } else { 1 })
            .map(char::len_utf8)
            .sum();
        if !inside[length..].starts_with(quote) {
            return false;
        }
        self.outline.bare.push('s');
        self.skip(length + 2);
        true
    }

    fn never_closed(&mut self) {
        self.outline.is_open = true;
        self.rest = "";
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = &self.rest[bytes..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_and_comments_hide_what_they_hold() {
        let cases = [
            (Dialect::Python, "f('(', \"[\") # {", "f(s, s) ", 0, false),
            (Dialect::Python, "x = '''a\n(", "x = s", 0, true),
            (Dialect::Python, "x = 'it\\'s ('\ny", "x = s\ny", 0, false),
            (Dialect::Python, "x = 'open (\ny", "x = s\ny", 0, false),
            (Dialect::Python, "f(a,\n  b)", "f(a,   b)", 0, false),
            (Dialect::Python, "a + \\\n b", "a +   b", 0, false),
            (
                Dialect::Scala,
                "val c = '{'; val s = 'sym",
                "val c = s; val s = 'sym",
                0,
                false,
            ),
            (Dialect::Scala, "val c = '\\'' // {", "val c = s ", 0, false),
            (Dialect::Scala, "{ /* } \n */ }", "{  }", 0, false),
            (Dialect::Scala, "/* open", "", 0, true),
            (Dialect::Scala, "\"\"\"a\n\"b\"\n\"\"\"", "s", 0, false),
            (
                Dialect::R,
                "f <- function(x) {",
                "f <- function(x) {",
                1,
                false,
            ),
            (Dialect::R, "'a\nb", "s", 0, true),
            (Dialect::Sql, "SELECT ';' -- (\n;", "SELECT s \n;", 0, false),
            (Dialect::Unknown, "(((", "(((", 0, false),
            (Dialect::Python, "'\\", "s", 0, true),
            (Dialect::Python, "λ('é')", "λ(s)", 0, false),
        ];
        for (dialect, text, bare, depth, is_open) in cases {
            let expected = Outline {
                depth,
                is_open,
                bare: bare.to_owned(),
            };
            assert_eq!(outline(text, dialect), expected, "{text}");
        }
    }
}
