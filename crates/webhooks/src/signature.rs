//! Signatures, as [Standard Webhooks](https://www.standardwebhooks.com) describes them.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretSlice};
use sha2::Sha256;

const PREFIX: &str = "whsec_";

/// The lengths of a secret, in bytes.
const LENGTHS: std::ops::RangeInclusive<usize> = 24..=64;

/// The secrets that messages are signed with. Each message has a signature of each secret, so that
/// receivers can change from one to the next.
#[derive(Clone)]
pub struct Secrets(Vec<SecretSlice<u8>>);

/// A text that is no secret. The text is not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadSecret {
    /// There is none.
    #[error("there is no secret: write whsec_ and 24 to 64 random bytes in base64")]
    None,
    /// A line is no secret.
    #[error("line {0} is not a secret: write whsec_ and 24 to 64 random bytes in base64")]
    Line(usize),
}

impl Secrets {
    /// Reads secrets, one a line: `whsec_` and 24 to 64 bytes in base64. Empty lines do not count.
    pub fn read(text: &str) -> Result<Self, BadSecret> {
        let lines = (1..).zip(text.lines().map(str::trim));
        let lines = lines.filter(|(_, line)| !line.is_empty());
        let secrets = lines.map(|(number, line)| secret(line).ok_or(BadSecret::Line(number)));
        let secrets: Vec<_> = secrets.collect::<Result<_, _>>()?;
        if secrets.is_empty() {
            return Err(BadSecret::None);
        }
        Ok(Self(secrets))
    }

    /// The value of the header `webhook-signature`.
    pub fn sign(&self, id: &str, timestamp: i64, body: &str) -> String {
        let signed = format!("{id}.{timestamp}.{body}");
        let signatures: Vec<String> = self
            .0
            .iter()
            .map(|secret| signature(secret, &signed))
            .collect();
        signatures.join(" ")
    }
}

fn secret(line: &str) -> Option<SecretSlice<u8>> {
    let bytes = BASE64_STANDARD.decode(line.strip_prefix(PREFIX)?).ok()?;
    LENGTHS
        .contains(&bytes.len())
        .then(|| SecretSlice::from(bytes))
}

fn signature(secret: &SecretSlice<u8>, signed: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose_secret())
        .expect("HMAC takes keys of any length");
    mac.update(signed.as_bytes());
    format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()))
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} secrets", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

    /// The test vector of the reference libraries of Standard Webhooks.
    #[test]
    fn a_signature_is_the_one_that_receivers_expect() {
        let body = r#"{"email":"test@example.com","username":"test_user"}"#;
        let signed = |secrets: &str| {
            let secrets = Secrets::read(secrets).unwrap();
            secrets.sign("msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", 1_649_367_553, body)
        };
        let signature = "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=";
        assert_eq!(signed(SECRET), signature);
        let two = format!(
            "\n {SECRET} \n\nwhsec_{}\n",
            BASE64_STANDARD.encode([7; 64])
        );
        let both = signed(&two);
        let (first, second) = both.split_once(' ').unwrap();
        assert_eq!(first, signature);
        assert!(second.starts_with("v1,") && second != first, "{both}");
    }

    #[test]
    fn other_texts_are_no_secrets_and_are_not_shown() {
        let of = |length: usize| format!("whsec_{}", BASE64_STANDARD.encode(vec![7; length]));
        for (text, told) in [
            (String::new(), "there is no secret"),
            (" \n\n".to_owned(), "there is no secret"),
            (of(23), "line 1"),
            (of(65), "line 1"),
            (format!("{SECRET}\nhunter2"), "line 2"),
            ("C2FVsBQIhrscChlQIMV+b5sSYspob7oD".to_owned(), "line 1"),
            (format!("{SECRET}="), "line 1"),
        ] {
            let error = Secrets::read(&text).unwrap_err().to_string();
            assert!(error.contains(told) && error.contains("whsec_"), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
        let secrets = Secrets::read(SECRET).unwrap();
        assert_eq!(format!("{secrets:?}"), "1 secrets");
    }
}
