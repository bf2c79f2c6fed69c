//! The text in which a daemon sends a log: some lines about the file, its content, and an end mark.

/// The longest text before the content. Real ones have some hundred bytes.
pub const LONGEST_HEAD: usize = 16 << 10;

const CONTENT_MARK: &[u8] = b"\nLogContents:\n";
const LENGTH: &str = "LogLength:";

/// The lines before the content.
#[derive(Debug, PartialEq, Eq)]
pub struct Head {
    /// The length of the whole file, also when the daemon sends a part.
    pub total: u64,
    /// The place of the content in the text.
    pub content: usize,
}

/// The head of a text, or the text's first bytes if it is no log.
#[derive(Debug, PartialEq, Eq)]
pub enum Read {
    Complete(Head),
    /// More bytes are needed.
    Incomplete,
    NoLog,
}

/// Reads the start of a text.
pub fn head(text: &[u8]) -> Read {
    let mark = text
        .windows(CONTENT_MARK.len())
        .position(|part| part == CONTENT_MARK);
    let Some(at) = mark else {
        return if text.len() > LONGEST_HEAD {
            Read::NoLog
        } else {
            Read::Incomplete
        };
    };
    let lines = String::from_utf8_lossy(&text[..at]);
    let total = lines
        .lines()
        .find_map(|line| line.strip_prefix(LENGTH)?.trim().parse().ok());
    match total {
        Some(total) => Read::Complete(Head {
            total,
            content: at + CONTENT_MARK.len(),
        }),
        None => Read::NoLog,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCAL: &[u8] = include_bytes!("../../tests/recorded/log-local.txt");
    const AGGREGATED: &[u8] = include_bytes!("../../tests/recorded/log-aggregated.txt");

    #[test]
    fn both_kinds_of_recorded_logs_are_read() {
        for (text, content) in [
            (LOCAL, &b"18\n19\n20\nEnd of LogType:stdout."[..]),
            (AGGREGATED, b"18\n19\n20\n\nEnd of LogType:stdout\n"),
        ] {
            let Read::Complete(head) = head(text) else {
                panic!("{}", String::from_utf8_lossy(text));
            };
            assert_eq!(head.total, 51);
            assert!(text[head.content..].starts_with(content));
        }
    }

    #[test]
    fn every_part_of_a_head_is_incomplete() {
        let Read::Complete(complete) = head(LOCAL) else {
            panic!("it is whole");
        };
        for length in 0..complete.content {
            assert_eq!(head(&LOCAL[..length]), Read::Incomplete);
        }
        assert_eq!(head(&LOCAL[..complete.content]), Read::Complete(complete));
    }

    #[test]
    fn another_text_is_no_log() {
        assert_eq!(head(&vec![b'x'; LONGEST_HEAD + 1]), Read::NoLog);
        for lines in ["", "\nLogLength:", "\nLogLength:-1", "\nLogLength:1x"] {
            let text = format!("Container: c{lines}\nLogContents:\nabc");
            assert_eq!(head(text.as_bytes()), Read::NoLog, "{lines:?}");
        }
    }
}
