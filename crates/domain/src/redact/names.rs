//! The names of secrets.

/// Parts of names, anywhere in a name.
const PARTS: [&str; 11] = [
    "password",
    "passphrase",
    "passwd",
    "passcode",
    "pwd",
    "secret",
    "token",
    "credential",
    "private",
    "apikey",
    "signature",
];

/// Whole words of names. Within another word they mean nothing. `sas` and `sig` are of Azure's
/// shared access signatures.
const WORDS: [&str; 6] = ["sas", "sig", "pass", "pw", "dbpass", "userpass"];

/// A `key` after one of these words is a secret. Most other keys are not.
const OWNERS_OF_KEYS: [&str; 5] = ["access", "account", "api", "shared", "subscription"];

/// Ends of names. In the middle, such as in `spark.io.encryption.keySizeBits`, they are no secrets.
const ENDS: [&str; 2] = ["encryption.key", "encryption.key.list"];

/// Tells whether a configuration key looks like the key of a secret.
pub fn is_secret_key(key: &str) -> bool {
    let lower = key.to_ascii_lowercase();
    let words = words(key);
    let dotted = words.join(".");
    let is_key_of = |owner: &&str| {
        lower.contains(&format!("{owner}key")) || dotted.contains(&format!("{owner}.key"))
    };
    PARTS.iter().any(|part| lower.contains(part))
        || words.iter().any(|word| WORDS.contains(&word.as_str()))
        || OWNERS_OF_KEYS.iter().any(is_key_of)
        || ENDS.iter().any(|end| dotted.ends_with(end))
}

/// The words of a name in lower case, as in `azureSasUrl`, `AZURE_SAS_URL` and `azure.sas.url`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    let mut letters = name.chars().peekable();
    while let Some(letter) = letters.next() {
        let ends_an_acronym =
            before.is_ascii_uppercase() && letters.peek().is_some_and(char::is_ascii_lowercase);
        let starts = letter.is_ascii_uppercase()
            && (before.is_ascii_lowercase() || before.is_ascii_digit() || ends_an_acronym);
        if starts || !letter.is_ascii_alphanumeric() {
            words.push(String::new());
        }
        if let (true, Some(word)) = (letter.is_ascii_alphanumeric(), words.last_mut()) {
            word.push(letter.to_ascii_lowercase());
        }
        before = letter;
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_words() {
        for (name, expected) in [
            ("azureSasUrl", "azure sas url"),
            ("AZURE_SAS_URL", "azure sas url"),
            ("fs.azure.sas-box", "fs azure sas box"),
            ("SASUrl", "sas url"),
            ("AWSAccessKeyId", "aws access key id"),
            ("s3aKey", "s3a key"),
            ("x509Cert", "x509 cert"),
            ("-D", "d"),
            ("", ""),
        ] {
            assert_eq!(words(name).join(" "), expected, "{name}");
        }
    }

    #[test]
    fn keys_of_secrets_are_known_and_no_others() {
        for key in [
            "spark.ssl.keyPassword",
            "spark.hadoop.fs.s3a.secret.key",
            "spark.hadoop.fs.s3a.access.key",
            "ACCESS_KEY",
            "accessKeyId",
            "spark.auth.TOKEN",
            "ssl.key.passphrase",
            "sshPassPhrase",
            "spark.my.credential",
            "spark.hadoop.fs.azure.account.key.a.dfs.core.windows.net",
            "azureAccountKey",
            "ACCOUNT_KEY",
            "spark.hadoop.fs.azure.sas.box.a.blob.core.windows.net",
            "AZURE_SAS",
            "sas",
            "sasUrl",
            "azureSas",
            "azureSasUrl",
            "google.cloud.auth.service.account.private.key",
            "spark.aws.credentials.provider",
            "spark.db.pwd",
            "dbPwd",
            "PGPWD",
            "spark.db.pass",
            "MYSQL_PASS",
            "dbPass",
            "db.pw",
            "ssl.passwd",
            "ssl.PASSCODE",
            "SASUrl",
            "blob.sig",
            "azureSig",
            "X-Amz-Signature",
            "api.key",
            "my-api-key",
            "myApiKey",
            "sharedKey",
            "AWSAccessKeyId",
            "Ocp-Apim-Subscription-Key",
            "spark.hadoop.fs.s3a.encryption.key",
            "spark.hadoop.parquet.encryption.key.list",
        ] {
            assert!(is_secret_key(key), "{key}");
        }
        for key in [
            "spark.executor.instances",
            "spark.access.logkey",
            "spark.account.name",
            "spark.account.monkey",
            "spark.sassy.level",
            "spark.disaster.recovery",
            "spark.kansas.Sassy",
            "sasanian",
            "spark.bypass.level",
            "spark.passes",
            "spark.compass",
            "spark.signal",
            "spark.io.encryption.keySizeBits",
            "spark.network.crypto.keyLength",
            "spark.sql.key",
        ] {
            assert!(!is_secret_key(key), "{key}");
        }
    }
}
