//! The ids of applications.

use std::fmt;
use std::str::FromStr;

/// An application's id. Ids of one cluster are in the order of their submissions, also when the
/// ResourceManager was restarted in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApplicationId {
    /// The time at which the ResourceManager started that gave the id, in milliseconds since 1970.
    manager_started: u64,
    sequence: u32,
}

/// The text is no id of an application.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not the id of an application of YARN")]
pub struct NoApplicationId;

impl ApplicationId {
    /// The id of an attempt with this number.
    pub(crate) fn attempt(self, number: u32) -> String {
        let Self {
            manager_started,
            sequence,
        } = self;
        format!("appattempt_{manager_started}_{sequence:04}_{number:06}")
    }
}

impl FromStr for ApplicationId {
    type Err = NoApplicationId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = || {
            let (started, sequence) = text.strip_prefix("application_")?.split_once('_')?;
            let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
            if !digits(started) || !digits(sequence) {
                return None;
            }
            Some(Self {
                manager_started: started.parse().ok()?,
                sequence: sequence.parse().ok()?,
            })
        };
        read().ok_or(NoApplicationId)
    }
}

impl fmt::Display for ApplicationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            manager_started,
            sequence,
        } = self;
        write!(f, "application_{manager_started}_{sequence:04}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_and_written_as_yarn_does() {
        for text in [
            "application_1796043774102_0001",
            "application_1796043774102_12345",
            "application_0_0000",
        ] {
            let id: ApplicationId = text.parse().unwrap();
            assert_eq!(id.to_string(), text);
        }
    }

    #[test]
    fn other_texts_are_no_ids() {
        for text in [
            "",
            "application_",
            "application_1",
            "application_1_",
            "application_1_0001_01",
            "application_+1_0001",
            "application_1_-001",
            "application_1_0001/../x",
            "job_1_0001",
            "application_99999999999999999999_1",
            "application_1_99999999999",
        ] {
            assert!(text.parse::<ApplicationId>().is_err(), "{text}");
        }
    }

    #[test]
    fn later_applications_have_greater_ids() {
        let mut ids: Vec<ApplicationId> = [
            "application_1796043774102_10000",
            "application_1796043774102_9999",
            "application_1796049999999_0001",
        ]
        .map(|text| text.parse().unwrap())
        .to_vec();
        ids.sort();
        let shown: Vec<String> = ids.iter().map(ApplicationId::to_string).collect();
        assert_eq!(
            shown,
            [
                "application_1796043774102_9999",
                "application_1796043774102_10000",
                "application_1796049999999_0001"
            ]
        );
    }
}
