//! Writes and reads Java's properties files as Spark does. Every text survives.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Writes properties as the content of a file. It is plain ASCII, so a reader's encoding does not
/// matter.
pub fn write(properties: &BTreeMap<String, String>) -> String {
    let mut text = String::new();
    for (key, value) in properties {
        escape(&mut text, key, true);
        text.push('=');
        escape(&mut text, value, false);
        text.push('\n');
    }
    text
}

fn escape(out: &mut String, text: &str, key: bool) {
    for (index, character) in text.chars().enumerate() {
        match character {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            ' ' if !key && index > 0 => out.push(' '),
            ' ' | '\\' | '#' | '!' | ':' | '=' => {
                out.push('\\');
                out.push(character);
            }
            ' '..='~' => out.push(character),
            other => {
                let mut units = [0; 2];
                for unit in other.encode_utf16(&mut units) {
                    write!(out, "\\u{unit:04x}").expect("a String takes everything");
                }
            }
        }
    }
}

/// One entry of a properties file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Property {
    /// The number of its first line, from 1.
    pub line: usize,
    /// Its key.
    pub key: String,
    /// Its value, without surrounding blanks.
    pub value: String,
}

/// Reads the content of a properties file, in order and with repeated keys. As in Spark, blanks
/// around a value do not count, but line ends do.
pub fn entries(text: &str) -> Vec<Property> {
    logical_lines(text)
        .into_iter()
        .map(|(line, whole)| {
            let (key, value) = split(&whole);
            Property {
                line,
                key: unescape(key),
                value: unescape(value)
                    .trim_matches(|c: char| c <= ' ' && c != '\r' && c != '\n')
                    .to_owned(),
            }
        })
        .collect()
}

/// Reads the content as a map. The last of several equal keys wins.
pub(crate) fn read(text: &str) -> BTreeMap<String, String> {
    entries(text)
        .into_iter()
        .map(|property| (property.key, property.value))
        .collect()
}

/// Joins lines that end in an odd number of backslashes with the next line, and skips comments and
/// blank lines. Each result has the number of its first line.
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (index, line) in text.replace("\r\n", "\n").split(['\n', '\r']).enumerate() {
        let line = line.trim_start_matches([' ', '\t', '\u{c}']);
        if open.is_none() && (line.is_empty() || line.starts_with(['#', '!'])) {
            continue;
        }
        let (number, mut whole) = open.take().unwrap_or_else(|| (index + 1, String::new()));
        whole.push_str(line);
        let backslashes = line.len() - line.trim_end_matches('\\').len();
        if backslashes % 2 == 1 {
            whole.pop();
            open = Some((number, whole));
        } else {
            lines.push((number, whole));
        }
    }
    lines.extend(open.filter(|(_, line)| !line.is_empty()));
    lines
}

/// Splits a line at the first `=`, `:` or blank that is not escaped.
fn split(line: &str) -> (&str, &str) {
    let blank = [' ', '\t', '\u{c}'];
    let mut escaped = false;
    let end = line.char_indices().find(|(_, character)| {
        let found = !escaped && (blank.contains(character) || matches!(character, '=' | ':'));
        escaped = *character == '\\' && !escaped;
        found
    });
    let (key, rest) = line.split_at(end.map_or(line.len(), |(index, _)| index));
    let rest = rest.trim_start_matches(blank);
    (
        key,
        rest.strip_prefix(['=', ':'])
            .unwrap_or(rest)
            .trim_start_matches(blank),
    )
}

fn unescape(text: &str) -> String {
    let mut units: Vec<u16> = Vec::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        let plain = match character {
            '\\' => match characters.next() {
                Some('n') => '\n',
                Some('r') => '\r',
                Some('t') => '\t',
                Some('f') => '\u{c}',
                Some('u') => {
                    let digits: String = characters.by_ref().take(4).collect();
                    // It may be half of a surrogate pair, so it is a code unit, not a character.
                    units.push(u16::from_str_radix(&digits, 16).unwrap_or(0xfffd));
                    continue;
                }
                Some(other) => other,
                None => break,
            },
            other => other,
        };
        units.extend(plain.encode_utf16(&mut [0; 2]).iter());
    }
    String::from_utf16_lossy(&units)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escapes_are_javas() {
        let pairs = [
            ("spark.a", " leading"),
            ("spark.b", "a=b:c#d!e\\f"),
            ("spark.c", "line\nbreak\ttab\r"),
            ("spark.d", "ümläut 😀"),
            ("key with = and :", ""),
        ];
        let properties = pairs.map(|(k, v)| (k.to_owned(), v.to_owned())).into();
        insta::assert_snapshot!(write(&properties), @r"
        key\ with\ \=\ and\ \:=
        spark.a=\ leading
        spark.b=a\=b\:c\#d\!e\\f
        spark.c=line\nbreak\ttab\r
        spark.d=\u00fcml\u00e4ut \ud83d\ude00
        ");
    }

    #[test]
    fn files_are_read_as_spark_reads_them() {
        let text = "# comment\n! too\n\nspark.master   local[2]\nspark.a=1\nspark.b : 2 \nspark.c = x=y:z\n  spark.d long \\\n   tail\n\
                    spark.e\nspark.f \\u00fc\\\\n\\q\nspark\\:g  v\r\nspark.h 1\\\\\nspark.a 2\nspark.i last\\";
        let expected = [
            ("spark.a", "2"),
            ("spark.b", "2"),
            ("spark.c", "x=y:z"),
            ("spark.d", "long tail"),
            ("spark.e", ""),
            ("spark.f", "ü\\nq"),
            ("spark.h", "1\\"),
            ("spark.i", "last"),
            ("spark.master", "local[2]"),
            ("spark:g", "v"),
        ];
        assert_eq!(
            read(text),
            expected.map(|(k, v)| (k.to_owned(), v.to_owned())).into()
        );
    }

    #[test]
    fn entries_keep_their_order_and_their_lines() {
        let told: Vec<String> = entries("# one\r\nb = 1 \\\r\n  2\r\n\r\na=3\nb: 4\n")
            .into_iter()
            .map(|property| format!("{}:{}={}", property.line, property.key, property.value))
            .collect();
        assert_eq!(told, ["2:b=1 2", "5:a=3", "6:b=4"]);
    }

    proptest! {
        #[test]
        fn every_text_survives(key in "\\PC{1,12}|[ =:#!\\\\\n\r\t]{1,4}", value in any::<String>()) {
            let value = value.trim_matches(|c: char| c <= ' ' && c != '\r' && c != '\n').to_owned();
            let properties = BTreeMap::from([(key, value)]);
            prop_assert_eq!(read(&write(&properties)), properties);
        }
    }
}
