//! The two small languages in which Spark's configuration speaks of a JVM: option strings and sizes.

/// Why an option string or a size cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OptionError {
    /// A quote is not closed.
    #[error("understand `{0}`: a quote is not closed")]
    OpenQuote(String),
    /// The heap is not set this way.
    #[error("accept `{0}` among the Java options: the heap is set with spark.driver.memory")]
    Heap(String),
    /// It is no size.
    #[error("understand `{0}` as a size: write a number and a unit, such as 512m or 4g")]
    Size(String),
}

/// Splits Java options as Spark does: at blanks, except within quotes; a backslash keeps the next character.
pub(crate) fn split(text: &str) -> Result<Vec<String>, OptionError> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (Some(open), found) if found == open => quote = None,
            // Within double quotes a backslash only counts before a quote or another backslash; within single ones never.
            (Some('"'), '\\') if matches!(characters.peek(), Some('"' | '\\')) => {
                word.get_or_insert_default().extend(characters.next());
            }
            (None, '"' | '\'') => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (None, '\\') => word.get_or_insert_default().extend(characters.next()),
            (None, blank) if blank.is_whitespace() => words.extend(word.take()),
            (_, other) => word.get_or_insert_default().push(other),
        }
    }
    if quote.is_some() {
        return Err(OptionError::OpenQuote(text.to_owned()));
    }
    words.extend(word);
    match words.iter().find(|word| word.starts_with("-Xmx")) {
        Some(heap) => Err(OptionError::Heap(heap.clone())),
        None => Ok(words),
    }
}

/// Reads one of Spark's sizes, such as `2g` or `512mb`, as whole mebibytes; a bare number is mebibytes.
pub(crate) fn mebibytes(text: &str) -> Result<u64, OptionError> {
    let wrong = || OptionError::Size(text.to_owned());
    let trimmed = text.trim().to_ascii_lowercase();
    let cut = trimmed
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(trimmed.len());
    let (number, unit) = trimmed.split_at(cut);
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let bytes: u64 = match unit {
        "b" => 1,
        "k" | "kb" => 1 << 10,
        "" | "m" | "mb" => 1 << 20,
        "g" | "gb" => 1 << 30,
        "t" | "tb" => 1 << 40,
        "p" | "pb" => 1 << 50,
        _ => return Err(wrong()),
    };
    let mebibytes = number.checked_mul(bytes).ok_or_else(wrong)? >> 20;
    if mebibytes == 0 {
        Err(wrong())
    } else {
        Ok(mebibytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_split_as_a_shell_would() {
        let cases: [(&str, &[&str]); 8] = [
            ("", &[]),
            ("  -Da=1   -Db=2 ", &["-Da=1", "-Db=2"]),
            ("-Da='x y' -Db=\"u v\"", &["-Da=x y", "-Db=u v"]),
            ("-Da=x\\ y", &["-Da=x y"]),
            ("-Da=\"q\\\"q\" -Db='\\n'", &["-Da=q\"q", "-Db=\\n"]),
            ("-Da=\"\\d\"", &["-Da=\\d"]),
            ("''", &[""]),
            ("-XX:+UseZGC\n-Dx=ü", &["-XX:+UseZGC", "-Dx=ü"]),
        ];
        for (text, words) in cases {
            assert_eq!(split(text).unwrap(), words, "{text:?}");
        }
        assert_eq!(
            split("-Da='x"),
            Err(OptionError::OpenQuote("-Da='x".to_owned()))
        );
        assert_eq!(
            split("-Da=1 -Xmx4g"),
            Err(OptionError::Heap("-Xmx4g".to_owned()))
        );
    }

    #[test]
    fn sizes_are_sparks() {
        let good = [
            ("1g", 1024),
            ("512m", 512),
            ("2048", 2048),
            ("3GB", 3072),
            ("1048576k", 1024),
            ("1t", 1 << 20),
            ("2097152b", 2),
        ];
        for (text, size) in good {
            assert_eq!(mebibytes(text), Ok(size), "{text:?}");
        }
        for text in [
            "",
            "g",
            "1.5g",
            "-1g",
            "1x",
            "0",
            "5b",
            "99999999999999999p",
        ] {
            assert!(mebibytes(text).is_err(), "{text:?}");
        }
    }
}
