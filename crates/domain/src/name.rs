//! A session's or a batch's name: any text, made safe where it is shown.

/// The reason why a name is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} cannot be a name")]
pub struct InvalidName {
    /// The name in the request.
    pub name: String,
}

/// The longest name, in characters.
pub const MAX_CHARS: usize = 1_000;

/// Checks a name: not empty, not all digits (those are ids), not longer than [`MAX_CHARS`], no
/// control characters (a name is shown in logs and on terminals).
pub fn check(name: &str) -> Result<(), InvalidName> {
    let digits = name.chars().all(|c| c.is_ascii_digit());
    let control = name.chars().any(char::is_control);
    if digits || control || name.chars().count() > MAX_CHARS {
        let shown: String = name
            .chars()
            .take(100)
            .flat_map(char::escape_debug)
            .collect();
        return Err(InvalidName { name: shown });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_but_digits_and_control_characters() {
        for good in ["a", "my session", "π/λ 🤔", "12a", "<script>", "-1"] {
            assert_eq!(check(good), Ok(()), "{good:?}");
        }
        for bad in [
            "",
            "0",
            "123",
            "a\nb",
            "\u{1b}[31m",
            &"x".repeat(MAX_CHARS + 1),
        ] {
            assert!(check(bad).is_err(), "{bad:?}");
        }
    }
}
