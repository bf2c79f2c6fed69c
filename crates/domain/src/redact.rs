//! Hides secrets where a request is shown again, in responses and in logs, and in the stored requests
//! of sessions and batches that have ended.
//!
//! The rules are Spark's (`spark.redaction.regex`) and a few more. A value is hidden when its key,
//! or an assignment within it, names a secret, or when it contains an address with a secret.

mod addresses;
mod names;

use std::borrow::Cow;

use names::is_secret_key;

/// The text that replaces a secret. Spark shows the same.
pub const REDACTED: &str = "*********(redacted)";

/// Returns the value of a configuration entry as it may be shown.
pub fn value<'a>(key: &str, value: &'a str) -> &'a str {
    if !value.is_empty() && (is_secret_key(key) || has_secret(value)) {
        REDACTED
    } else {
        value
    }
}

/// Returns an address without its password, access keys and signature.
pub fn address(text: &str) -> Cow<'_, str> {
    let secrets = addresses::secrets(text);
    if secrets.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut shown = String::new();
    let mut read = 0;
    for secret in secrets {
        shown.push_str(&text[read..secret.start]);
        shown.push_str(REDACTED);
        read = secret.end;
    }
    shown.push_str(&text[read..]);
    Cow::Owned(shown)
}

/// Returns a line of a log without the secrets in its addresses. A line with another secret is hidden
/// as a whole.
pub fn line(text: &str) -> Cow<'_, str> {
    let shown = address(text);
    if has_plain_secret(&shown) {
        Cow::Borrowed(REDACTED)
    } else {
        shown
    }
}

fn has_secret(value: &str) -> bool {
    has_plain_secret(value) || !addresses::secrets(value).is_empty()
}

fn has_plain_secret(value: &str) -> bool {
    assigns_secret(value)
        || names_oracle_password(value)
        || value.to_ascii_lowercase().contains("bearer ")
}

/// Tells whether a value assigns a secret, such as `-Djavax.net.ssl.keyStorePassword=x`, `user=a;
/// pwd=x` or `{"password": "x"}`.
fn assigns_secret(value: &str) -> bool {
    let is_quote = |c: char| c == '"' || c == '\'';
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    value.match_indices(['=', ':']).any(|(at, sign)| {
        let before = value[..at].trim_end();
        let name = before.trim_end_matches(is_quote);
        // A colon assigns in JSON, where names have quotes.
        let assigns = sign == "=" || name.len() < before.len();
        let name = &name[name.trim_end_matches(is_name).len()..];
        let assigned = value[at + 1..].trim_start();
        assigns && !assigned.is_empty() && is_secret_key(name)
    })
}

/// Tells whether an address of Oracle has a password: `jdbc:oracle:thin:scott/tiger@host`.
fn names_oracle_password(value: &str) -> bool {
    let rest = value.split_once("jdbc:oracle:").map(|(_, rest)| rest);
    let user = rest
        .and_then(|rest| rest.split_once('@'))
        .map(|(user, _)| user);
    user.and_then(|user| user.split_once('/'))
        .is_some_and(|(_, password)| !password.is_empty())
}

/// Hides the secrets among the arguments of a program: in one argument, and in the argument behind an
/// option that names a secret, such as `--password`.
pub fn arguments(arguments: &mut [String]) {
    let mut follows_option = false;
    for argument in arguments {
        let is_option = argument.starts_with('-');
        if (follows_option && !is_option && !argument.is_empty()) || has_secret(argument) {
            REDACTED.clone_into(argument);
        }
        follows_option = is_option && is_secret_key(argument);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_with_secrets_are_hidden() {
        for text in [
            "-Dfs.azure.sas.box=x",
            "-Xmx1g -Djavax.net.ssl.trustStorePassword=x",
            "jdbc:postgresql://h/db?user=a&password=x",
            "http://ann:x@proxy:8080",
            "https://a.blob.core.windows.net/c?sv=1&sig=x",
            "https://h/a?sig=x&se=2",
            "https://h/a?X-Amz-Signature=x&b=c",
            "https://maps/api?key=x",
            "jdbc:sqlserver://h:1433;user=a;pwd=x;encrypt=true",
            "jdbc:sqlserver://h; Password = x; encrypt=true",
            "jdbc:oracle:thin:scott/tiger@//h:1521/s",
            "AccountName=a;AccountKey=x;EndpointSuffix=b",
            "Endpoint=sb://h/;SharedAccessKeyName=a;SharedAccessKey=x",
            "s3a://AKIA:x/y+z@box/path",
            "mongodb://ann:p@ss@h1,h2/db",
            "hdfs://nn/a.jar,https://ann:x@h/b.jar",
            "https://ghp_0123456789abcdefghij@github.com/a/b.jar",
            "Module required username=\"a\" password=\"x\";",
            r#"{"type": "account", "private_key": "x"}"#,
            "Authorization: Bearer x",
        ] {
            assert_eq!(value("spark.any", text), REDACTED, "{text}");
        }
        assert_eq!(value("spark.ssl.keyPassword", "x"), REDACTED);
    }

    #[test]
    fn other_values_are_shown() {
        for text in [
            "-Dx=y",
            "http://ann@host:80/a:b@c",
            "-Dpassword= ",
            "https://h/a?signal=x&keys=y&sig=",
            "abfss://box@account.dfs.core.windows.net/a",
            "s3a://box/a:b@c",
            "jdbc:oracle:thin:@//h:1521/s",
            "jdbc:postgresql://h/db?user=a",
            r#"{"a": "password"}"#,
            "secret:9092",
        ] {
            assert_eq!(value("spark.any", text), text, "{text}");
        }
        assert_eq!(value("spark.ssl.keyPassword", ""), "");
    }

    #[test]
    fn addresses_lose_their_secrets_only() {
        for (text, expected) in [
            ("https://ann:pa:ss@h/a.jar", "https://ann:<>@h/a.jar"),
            ("https://ann:a@b@h/a.jar", "https://ann:<>@h/a.jar"),
            ("s3a://AKIA:x/y@box/a.jar", "s3a://<>@box/a.jar"),
            (
                "https://box.blob.core.windows.net/a.jar?sv=1&sig=x%3D&se=2#b.jar",
                "https://box.blob.core.windows.net/a.jar?sv=1&sig=<>&se=2#b.jar",
            ),
            (
                "https://h/a.jar?X-Amz-Credential=x&X-Amz-Date=1&X-Amz-Signature=y",
                "https://h/a.jar?X-Amz-Credential=<>&X-Amz-Date=1&X-Amz-Signature=<>",
            ),
            (
                "https://ann:x@h/a.jar?token=y#z",
                "https://ann:<>@h/a.jar?token=<>#z",
            ),
            (
                "https://ghp_0123456789abcdefghij@h/a.jar",
                "https://<>@h/a.jar",
            ),
            (
                "https://ann:x@h/a.jar,https://bob:y@h/b.jar",
                "https://ann:<>@h/a.jar,https://bob:<>@h/b.jar",
            ),
        ] {
            assert_eq!(address(text), expected.replace("<>", REDACTED), "{text}");
        }
        for plain in [
            "https://ann@h/a.jar",
            "https://ann:@h/a.jar",
            "https://h/a.jar?raw=true",
            "hdfs://nn:8020/x@y:z",
            "abfss://box@account.dfs.core.windows.net/a.jar",
            "s3a://box/a:b@c",
            "/local/a:b@c",
            "/local/a?sig=",
            "://",
            "a",
            "",
        ] {
            assert_eq!(address(plain), plain);
        }
    }

    #[test]
    fn arguments_lose_their_secrets() {
        for (given, expected) in [
            ("--password x --user ann", "--password <> --user ann"),
            ("--password -v x", "--password -v x"),
            ("--token", "--token"),
            ("--db-password=x y", "<> y"),
            ("password x", "password x"),
            ("2026-11-21 s3a://A:x/y@box/a", "2026-11-21 <>"),
            ("jdbc:postgresql://h/db?password=x", "<>"),
        ] {
            let mut texts: Vec<String> = given.split(' ').map(str::to_owned).collect();
            arguments(&mut texts);
            assert_eq!(texts.join(" "), expected.replace("<>", REDACTED), "{given}");
        }
    }

    proptest::proptest! {
        #[test]
        fn hiding_twice_changes_nothing(text in ".{0,60}", url in r"[a-z:/@?&=#é ,]{0,40}") {
            for text in [text, url] {
                let hidden = value("spark.url", &text);
                assert_eq!(value("spark.url", hidden), hidden);
                let hidden = address(&text);
                assert_eq!(address(&hidden), hidden);
            }
        }
    }
}
