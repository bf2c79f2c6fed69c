//! Livy's duration syntax: an integer and an optional unit; no unit means milliseconds.

use std::time::Duration;

/// The reason why a text is not a duration. The words are Livy's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// It does not begin with an integer.
    #[error("Invalid time string: {0}")]
    Syntax(String),
    /// The unit is unknown.
    #[error("Invalid suffix: \"{0}\"")]
    Suffix(String),
    /// It is below zero, or longer than can be counted.
    #[error("Invalid value: {0}")]
    Value(String),
}

/// The longest duration that a text can say: longer than the calendar. It stands for `never` where a
/// time limit is a plain duration.
pub const FOREVER: Duration = Duration::from_micros(u64::MAX);

/// Reads a duration such as `10m`, `1h`, `500ms` or `30 s`; units are `us ms s m min h d`, in any
/// case.
pub fn parse(text: &str) -> Result<Duration, DurationError> {
    let trimmed = text.trim().to_ascii_lowercase();
    let digits = trimmed.strip_prefix('-').unwrap_or(&trimmed);
    let cut = digits
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(digits.len());
    let (number, suffix) = digits.split_at(cut);
    let suffix = suffix.trim_start();
    if number.is_empty() || !suffix.chars().all(|c| c.is_ascii_alphabetic()) {
        return Err(DurationError::Syntax(text.to_owned()));
    }
    let micros: u64 = match suffix {
        "us" => 1,
        "" | "ms" => 1_000,
        "s" => 1_000_000,
        "m" | "min" => 60_000_000,
        "h" => 3_600_000_000,
        "d" => 86_400_000_000,
        other => return Err(DurationError::Suffix(other.to_owned())),
    };
    let value = || DurationError::Value(trimmed.clone());
    if trimmed.starts_with('-') {
        return Err(value());
    }
    let number: u64 = number.parse().map_err(|_| value())?;
    number
        .checked_mul(micros)
        .map(Duration::from_micros)
        .ok_or_else(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_and_every_refusal() {
        let good = [
            ("10", 10_000),
            ("5us", 5),
            ("7ms", 7_000),
            (" 3S ", 3_000_000),
            ("2m", 120_000_000),
            ("2min", 120_000_000),
            ("1h", 3_600_000_000),
            ("1d", 86_400_000_000),
            ("30 s", 30_000_000),
            ("0", 0),
        ];
        for (text, micros) in good {
            assert_eq!(parse(text), Ok(Duration::from_micros(micros)), "{text:?}");
        }
        let bad = [
            ("", "Invalid time string: "),
            ("abc", "Invalid time string: abc"),
            ("1.5h", "Invalid time string: 1.5h"),
            ("10x", "Invalid suffix: \"x\""),
            ("-5s", "Invalid value: -5s"),
            (
                "99999999999999999999",
                "Invalid value: 99999999999999999999",
            ),
            ("999999999999d", "Invalid value: 999999999999d"),
        ];
        for (text, message) in bad {
            assert_eq!(
                parse(text).map_err(|e| e.to_string()),
                Err(message.to_owned()),
                "{text:?}"
            );
        }
    }
}
