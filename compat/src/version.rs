//! Versions of Livy, without the patch level: `0.7` for `0.7.1-incubating`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A version of Livy, without the patch level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LivyVersion {
    major: u32,
    minor: u32,
}

impl LivyVersion {
    /// Reads the version that a server reports; `None` if it is malformed.
    pub fn told(text: &str) -> Option<Self> {
        let mut numbers = text.splitn(3, '.');
        let mut number = || {
            let part = numbers.next()?;
            let digits = part.trim_end_matches(|c: char| !c.is_ascii_digit());
            digits.parse().ok()
        };
        Some(Self {
            major: number()?,
            minor: number()?,
        })
    }
}

impl fmt::Display for LivyVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl FromStr for LivyVersion {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::told(text)
            .filter(|version| version.to_string() == text)
            .ok_or_else(|| format!("{text:?} is no version of Livy such as 0.7"))
    }
}

impl<'de> Deserialize<'de> for LivyVersion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl Serialize for LivyVersion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_servers_tell_is_read_and_ordered() {
        let told = |text| LivyVersion::told(text).map(|version| version.to_string());
        assert_eq!(told("0.7.1-incubating").as_deref(), Some("0.7"));
        assert_eq!(told("0.10.0-incubating-SNAPSHOT").as_deref(), Some("0.10"));
        assert_eq!(told("0.9-rc1").as_deref(), None);
        assert_eq!(told("<unknown>"), None);
        assert!(LivyVersion::told("0.9.0") < LivyVersion::told("0.10.0"));
    }

    #[test]
    fn scenarios_name_them_without_patches() {
        assert!("0.8".parse::<LivyVersion>().is_ok());
        for text in ["0.8.0", "8", "", "0.8-incubating", "00.8"] {
            assert!(text.parse::<LivyVersion>().is_err(), "{text}");
        }
    }
}
