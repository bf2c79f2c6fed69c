//! Reads option strings and sizes as Spark's configuration writes them, and writes files with
//! options as Java reads them.

/// The reason why an option string or a size cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OptionError {
    /// A quote is not closed. The message does not show the options: they may hold a password, and
    /// the message is logged.
    #[error("understand the Java options: a quote is not closed")]
    OpenQuote,
    /// There is a character that no argument can contain.
    #[error("hand on the Java options: there is a NUL character in them")]
    Nul,
    /// The heap is not set this way.
    #[error("accept `{0}` among the Java options: the heap is set with spark.driver.memory")]
    Heap(String),
    /// It is not a size.
    #[error("understand `{0}` as a size: write a number and a unit, such as 512m or 4g")]
    Size(String),
}

/// Splits Java options as Spark does: at blanks outside of quotes. A backslash keeps the next
/// character.
pub(crate) fn split(text: &str) -> Result<Vec<String>, OptionError> {
    if text.contains('\0') {
        return Err(OptionError::Nul);
    }
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (Some(open), found) if found == open => quote = None,
            // Within double quotes a backslash counts only before a quote or another backslash.
            // Within single quotes it never counts.
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
        return Err(OptionError::OpenQuote);
    }
    words.extend(word);
    Ok(words)
}

/// Tells whether an option sets the size of the heap.
pub(crate) fn sets_heap(option: &str) -> bool {
    option.starts_with("-Xmx")
}

/// Writes options as a file. Java 9 and newer read it for the argument `@<file>`.
pub(crate) fn argument_file(options: &[String]) -> String {
    let mut text = String::new();
    for option in options {
        // Within quotes blanks and `#` are literal, and line ends are not allowed.
        text.push('"');
        for character in option.chars() {
            match character {
                '\\' => text.push_str("\\\\"),
                '"' => text.push_str("\\\""),
                '\n' => text.push_str("\\n"),
                '\r' => text.push_str("\\r"),
                '\t' => text.push_str("\\t"),
                '\u{c}' => text.push_str("\\f"),
                other => text.push(other),
            }
        }
        text.push_str("\"\n");
    }
    text
}

/// Reads one of Spark's sizes, such as `2g` or `512mb`, in mebibytes. A number without a unit is
/// mebibytes.
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
    use std::process::Command;

    use livius_spark_home::{Environment, Java, Origin};

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
        assert_eq!(split("-Da=1 -Dpassword='x"), Err(OptionError::OpenQuote));
        assert_eq!(split("-Da=\0"), Err(OptionError::Nul));
    }

    #[test]
    fn options_are_written_as_java_reads_them() {
        let cases: [(&[&str], &str); 6] = [
            (&[], ""),
            (&["-Da=1", "-ea"], "\"-Da=1\"\n\"-ea\"\n"),
            (&["-Da=b c #d 'e'"], "\"-Da=b c #d 'e'\"\n"),
            (&["-Da=\"q\""], r#""-Da=\"q\"""#),
            (&["-Da=\\d\\"], r#""-Da=\\d\\""#),
            (&["-Da=1\n2\r3\t4\u{c}ü"], r#""-Da=1\n2\r3\t4\fü""#),
        ];
        for (options, file) in cases {
            let options: Vec<String> = options.iter().map(|&option| option.to_owned()).collect();
            assert_eq!(argument_file(&options).trim_end(), file.trim_end());
        }
    }

    /// Runs only where a Java is installed.
    #[test]
    fn java_reads_options_as_they_are_written() {
        let environment = Environment::new(std::env::vars());
        let java = environment
            .program("java")
            .and_then(|program| Java::probe(&program, Origin::Path, &environment).ok())
            .filter(Java::reads_argument_files);
        let Some(java) = java else { return };
        let values = [
            "b  c",
            "q\"u'o\"te'",
            "back\\slash\\",
            "# none",
            "\\n",
            "1\n2\t3",
            "@x",
            "",
        ];
        let values = values.iter().enumerate();
        let options: Vec<String> = values
            .clone()
            .map(|(number, value)| format!("-Dlivius.{number}={value}"))
            .collect();
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("java options");
        std::fs::write(&file, argument_file(&options)).unwrap();
        let done = Command::new(java.program())
            .env_clear()
            .envs(environment.for_tools())
            .args([
                &format!("@{}", file.display()),
                "-XshowSettings:properties",
                "-version",
            ])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&done.stderr);
        for (number, value) in values {
            let line = format!("livius.{number} = {value}\n");
            assert!(said.contains(&line), "{line:?} is not in {said}");
        }
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
