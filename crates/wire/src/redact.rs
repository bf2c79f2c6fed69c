//! Hides secrets where a request is shown again: in responses and in logs.
//!
//! The rules are Spark's (`spark.redaction.regex`) and a few more. A value is hidden when its key,
//! or an assignment within it, names a secret, or when it contains an address with a password.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;
use serde::ser::{SerializeMap, SerializeSeq, Serializer};

/// The text that replaces a secret. Spark shows the same.
pub const REDACTED: &str = "*********(redacted)";

const WORDS: [&str; 8] = [
    "password",
    "passphrase",
    "passwd",
    "secret",
    "token",
    "credential",
    "private",
    "apikey",
];

/// Tells whether a configuration key looks like the key of a secret.
pub fn is_secret_key(key: &str) -> bool {
    let lower = key.to_ascii_lowercase();
    WORDS.iter().any(|word| lower.contains(word))
        || ["access", "account"]
            .iter()
            .any(|owner| has_key_of(owner, &lower))
        || names_signature(key)
}

/// Returns the value of a configuration entry as it may be shown.
pub fn value<'a>(key: &str, value: &'a str) -> &'a str {
    if !value.is_empty()
        && (is_secret_key(key) || assigns_secret(value) || password_of(value).is_some())
    {
        REDACTED
    } else {
        value
    }
}

/// Returns an address without its password.
pub fn address(text: &str) -> Cow<'_, str> {
    match password_of(text) {
        Some(range) => Cow::Owned(format!(
            "{}{REDACTED}{}",
            &text[..range.start],
            &text[range.end..]
        )),
        None => Cow::Borrowed(text),
    }
}

/// `access.?key` or `account.?key`
fn has_key_of(owner: &str, key: &str) -> bool {
    key.match_indices(owner).any(|(start, word)| {
        let rest = &key[start + word.len()..];
        let mut shifted = rest.chars();
        shifted.next();
        rest.starts_with("key") || shifted.as_str().starts_with("key")
    })
}

/// Tells whether one of the words of a key is `sas`, Azure's shared access signature. Within
/// another word it means nothing.
fn names_signature(key: &str) -> bool {
    let mut words = key.split(|c: char| !c.is_ascii_alphanumeric());
    words.any(|word| {
        word.eq_ignore_ascii_case("sas")
            || word.strip_prefix("sas").is_some_and(starts_capital)
            || word.match_indices("Sas").any(|(start, sas)| {
                word.len() == start + sas.len() || starts_capital(&word[start + sas.len()..])
            })
    })
}

fn starts_capital(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_uppercase())
}

/// Tells whether one of the words of a value assigns a secret, such as
/// `-Djavax.net.ssl.keyStorePassword=x`.
fn assigns_secret(value: &str) -> bool {
    value.contains('=')
        && value.split_whitespace().any(|word| {
            word.rsplit_once('=')
                .is_some_and(|(name, _)| is_secret_key(name))
        })
}

/// Returns the position of the first password within an address.
fn password_of(text: &str) -> Option<std::ops::Range<usize>> {
    let start = text.find("://")? + 3;
    let authority = text[start..].split(['/', '?', '#', ' ']).next()?;
    let (user, _) = authority.rsplit_once('@')?;
    let (name, password) = user.split_once(':')?;
    let start = start + name.len() + 1;
    (!password.is_empty()).then_some(start..start + password.len())
}

/// A configuration that is serialised without its secrets.
#[derive(Debug, Clone, Copy)]
pub struct RedactedConf<'a>(pub &'a BTreeMap<String, String>);

impl Serialize for RedactedConf<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, text) in self.0 {
            map.serialize_entry(key, value(key, text))?;
        }
        map.end()
    }
}

/// Addresses that are serialised without their passwords.
#[derive(Debug, Clone, Copy)]
pub struct RedactedAddresses<'a>(pub &'a [String]);

impl Serialize for RedactedAddresses<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut sequence = serializer.serialize_seq(Some(self.0.len()))?;
        for text in self.0 {
            sequence.serialize_element(&address(text))?;
        }
        sequence.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden_and_nothing_else() {
        for (key, text) in [
            ("spark.ssl.keyPassword", "x"),
            ("spark.hadoop.fs.s3a.secret.key", "x"),
            ("spark.hadoop.fs.s3a.access.key", "x"),
            ("ACCESS_KEY", "x"),
            ("accessKeyId", "x"),
            ("spark.auth.TOKEN", "x"),
            ("ssl.key.passphrase", "x"),
            ("sshPassPhrase", "x"),
            ("spark.my.credential", "x"),
            (
                "spark.hadoop.fs.azure.account.key.a.dfs.core.windows.net",
                "x",
            ),
            ("azureAccountKey", "x"),
            ("ACCOUNT_KEY", "x"),
            ("spark.hadoop.fs.azure.sas.box.a.blob.core.windows.net", "x"),
            ("AZURE_SAS", "x"),
            ("sas", "x"),
            ("sasUrl", "x"),
            ("azureSas", "x"),
            ("azureSasUrl", "x"),
            ("spark.executor.extraJavaOptions", "-Dfs.azure.sas.box=x"),
            ("google.cloud.auth.service.account.private.key", "x"),
            ("spark.aws.credentials.provider", "x"),
            (
                "spark.driver.extraJavaOptions",
                "-Xmx1g -Djavax.net.ssl.trustStorePassword=x",
            ),
            ("spark.url", "jdbc:postgresql://h/db?user=a&password=x"),
            ("spark.proxy", "http://ann:x@proxy:8080"),
        ] {
            assert_eq!(value(key, text), REDACTED, "{key}={text}");
        }
        for (key, text) in [
            ("spark.executor.instances", "2"),
            ("spark.access.logkey", "x"),
            ("spark.account.name", "x"),
            ("spark.account.monkey", "x"),
            ("spark.sassy.level", "x"),
            ("spark.disaster.recovery", "x"),
            ("spark.kansas.Sassy", "x"),
            ("sasanian", "x"),
            ("spark.driver.extraJavaOptions", "-Dx=y"),
            ("spark.url", "http://ann@host:80/a:b@c"),
            ("spark.ssl.keyPassword", ""),
        ] {
            assert_eq!(value(key, text), text, "{key}={text}");
        }
    }

    #[test]
    fn addresses_lose_their_password_only() {
        assert_eq!(
            address("https://ann:pa:ss@h/a.jar"),
            format!("https://ann:{REDACTED}@h/a.jar")
        );
        for plain in [
            "https://ann@h/a.jar",
            "hdfs://nn:8020/x@y:z",
            "/local/a:b@c",
            "a",
            "",
        ] {
            assert_eq!(address(plain), plain);
        }
    }
}
