//! Brings base64 as clients write it into the one form that every reader accepts.

use std::fmt;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The reason why a text is not base64.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// A character that base64 does not have.
    Character {
        /// The position, counted in characters from 1.
        at: usize,
        /// The character.
        found: char,
    },
    /// Text after the padding, or too much padding.
    Padding,
    /// A last character that is too short for a byte.
    Length,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Character { at, found } => write!(
                f,
                "character {at} is {found:?}, which is not of the standard alphabet (A-Z, a-z, 0-9, + and /)"
            ),
            Self::Padding => f.write_str("there is padding (=) that does not belong there"),
            Self::Length => f.write_str("it breaks off: its last character stands alone"),
        }
    }
}

/// Brings a text into the standard form: one line, padded, unused bits cleared. Encoders differ, so
/// blanks and line breaks may stand anywhere and padding may be missing. The text may be very long,
/// so this works in place.
pub fn normalised(text: String) -> Result<String, Problem> {
    if let Some((at, found)) = stranger(&text) {
        return Err(Problem::Character { at, found });
    }
    let mut bytes = text.into_bytes();
    bytes.retain(|byte| !is_blank(*byte));
    let digits = bytes.iter().position(|byte| *byte == b'=');
    let digits = digits.unwrap_or(bytes.len());
    let padding = bytes.len() - digits;
    let needed = match digits % 4 {
        0 => 0,
        1 => return Err(Problem::Length),
        remainder => 4 - remainder,
    };
    if bytes[digits..].iter().any(|byte| *byte != b'=') || padding > needed {
        return Err(Problem::Padding);
    }
    bytes.truncate(digits);
    clear_spare_bits(&mut bytes, needed);
    bytes.resize(digits + needed, b'=');
    Ok(String::from_utf8(bytes).expect("the alphabet and padding are ASCII"))
}

fn stranger(text: &str) -> Option<(usize, char)> {
    let known = |byte| is_digit(byte) || byte == b'=' || is_blank(byte);
    // Check byte by byte first: a long text is nearly always valid.
    if text.bytes().all(known) {
        return None;
    }
    let strange = |(_, c): &(usize, char)| !u8::try_from(*c).is_ok_and(known);
    let (index, found) = text.chars().enumerate().find(strange)?;
    Some((index + 1, found))
}

/// Clears the unused bits of the last digit of a padded text.
fn clear_spare_bits(digits: &mut [u8], padding: usize) {
    let Some(last) = digits.last_mut().filter(|_| padding > 0) else {
        return;
    };
    let value = ALPHABET.iter().position(|digit| digit == last);
    let spare_bits = 2 * padding;
    let value = value.expect("the text has nothing else") >> spare_bits << spare_bits;
    *last = ALPHABET[value];
}

fn is_digit(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/'
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

#[cfg(test)]
mod tests {
    use ::base64::Engine as _;
    use ::base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_encoders_write_becomes_one_form() {
        for (text, expected) in [
            ("", ""),
            (" \r\n\t", ""),
            ("Zm9vYmFy", "Zm9vYmFy"),
            ("Zm9v\r\nYmFy\r\n", "Zm9vYmFy"),
            ("Zm 9v\tYg = =", "Zm9vYg=="),
            ("Zm9vYg", "Zm9vYg=="),
            ("Zm9vYg=", "Zm9vYg=="),
            ("Zm9vYmE", "Zm9vYmE="),
            // Unused bits.
            ("Zm9vYn==", "Zm9vYg=="),
            ("Zm9vYmF=", "Zm9vYmE="),
            ("+/+/", "+/+/"),
        ] {
            assert_eq!(
                normalised(text.to_owned()).as_deref(),
                Ok(expected),
                "{text:?}"
            );
        }
    }

    #[test]
    fn what_is_not_base64_says_why() {
        for (text, expected) in [
            ("Zm9v!", Problem::Character { at: 5, found: '!' }),
            ("Zm_v", Problem::Character { at: 3, found: '_' }),
            ("π", Problem::Character { at: 1, found: 'π' }),
            ("Zm9v\0", Problem::Character { at: 5, found: '\0' }),
            ("Z", Problem::Length),
            ("Zm9vY", Problem::Length),
            ("Zm9vY===", Problem::Length),
            ("=", Problem::Padding),
            ("Zm9v=", Problem::Padding),
            ("Zm9vYg===", Problem::Padding),
            ("Zg==Zg==", Problem::Padding),
        ] {
            assert_eq!(normalised(text.to_owned()), Err(expected), "{text:?}");
        }
        let problem = Problem::Character { at: 3, found: '_' };
        insta::assert_snapshot!(problem, @"character 3 is '_', which is not of the standard alphabet (A-Z, a-z, 0-9, + and /)");
    }

    proptest! {
        #[test]
        fn bytes_survive_however_they_were_written(
            bytes in proptest::collection::vec(any::<u8>(), 0..100),
            line in 1_usize..20,
            padded: bool,
        ) {
            let standard = STANDARD.encode(&bytes);
            let mut written = String::new();
            for (index, digit) in standard.chars().filter(|digit| padded || *digit != '=').enumerate() {
                if index > 0 && index % line == 0 {
                    written.push_str("\r\n");
                }
                written.push(digit);
            }
            prop_assert_eq!(normalised(written), Ok(standard));
        }

        #[test]
        fn whatever_is_taken_can_be_decoded(text in "[A-Za-z0-9+/= \n]{0,40}") {
            if let Ok(normal) = normalised(text) {
                prop_assert!(!normal.contains(char::is_whitespace));
                prop_assert!(STANDARD.decode(&normal).is_ok());
            }
        }
    }
}
