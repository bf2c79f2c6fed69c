//! The address of a server, and the headers of every request to it.

use std::time::Duration;

use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

/// The default address of a server on this machine.
const LOCAL_SERVER: &str = "http://127.0.0.1:8998";

/// The way to reach a server, before it is checked.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// The address, with the path that the server is mounted at; `None` is a server on this
    /// machine.
    pub url: Option<String>,
    /// Headers of every request: names and values.
    pub headers: Vec<(String, String)>,
    /// The credentials to sign in with.
    pub credentials: Option<Credentials>,
    /// The timeout of one request.
    pub timeout: Duration,
}

/// A name and a password for HTTP's basic authentication.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The name.
    pub user: String,
    /// The password.
    pub password: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// A server, checked.
#[derive(Debug, Clone)]
pub struct Target {
    /// Its address, without a slash at the end.
    pub base: String,
    /// True if it is on this machine.
    pub is_local: bool,
    /// The headers of every request.
    pub headers: HeaderMap,
    /// The credentials to sign in with.
    pub credentials: Option<Credentials>,
    /// The timeout of one request.
    pub timeout: Duration,
}

/// The reason why options do not name a server.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// The address is malformed.
    #[error("{text:?} is not the address of a server: {reason}")]
    Url {
        /// The address.
        text: String,
        /// The reason.
        reason: String,
    },
    /// The address holds a name or a password, which other users of this machine can see.
    #[error("leave name and password out of the address")]
    Credentials,
    /// A header cannot be sent.
    #[error("the header {name:?} is not `NAME: VALUE`, or holds what a header cannot")]
    Header {
        /// Its name. The value may be secret.
        name: String,
    },
}

impl Target {
    /// Checks the options.
    pub fn new(options: ServerOptions) -> Result<Self, TargetError> {
        let url = address(options.url.as_deref().unwrap_or(LOCAL_SERVER))?;
        Ok(Self {
            is_local: is_local(&url),
            base: url.as_str().trim_end_matches('/').to_owned(),
            headers: headers(&options.headers)?,
            credentials: options.credentials,
            timeout: options.timeout,
        })
    }
}

fn address(text: &str) -> Result<Url, TargetError> {
    let wrong = |reason: String| TargetError::Url {
        text: text.to_owned(),
        reason,
    };
    if text.contains('@') {
        return Err(TargetError::Credentials);
    }
    let url = Url::parse(text).map_err(|error| wrong(error.to_string()))?;
    if !["http", "https"].contains(&url.scheme()) {
        return Err(wrong("it does not begin with http:// or https://".into()));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("it has more than a host, a port and a path".into()));
    }
    Ok(url)
}

fn is_local(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || address
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

fn headers(given: &[(String, String)]) -> Result<HeaderMap, TargetError> {
    let mut headers = HeaderMap::new();
    // Livy's CSRF protection requires this header and accepts any value.
    headers.insert("x-requested-by", HeaderValue::from_static("livius"));
    for (name, value) in given {
        let wrong = || TargetError::Header { name: name.clone() };
        let key: HeaderName = name.trim().parse().map_err(|_| wrong())?;
        let mut value: HeaderValue = value.trim().parse().map_err(|_| wrong())?;
        value.set_sensitive(true);
        headers.insert(key, value);
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(url: Option<&str>, headers: &[(&str, &str)]) -> Result<Target, String> {
        let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let options = ServerOptions {
            url: url.map(str::to_owned),
            headers: headers.iter().map(pair).collect(),
            credentials: None,
            timeout: Duration::from_secs(5),
        };
        Target::new(options).map_err(|error| error.to_string())
    }

    #[test]
    fn addresses_are_brought_into_one_form() {
        let cases = [
            (Some("http://h:1"), "http://h:1", false),
            (Some("https://gate/livy/"), "https://gate/livy", false),
            (None, "http://127.0.0.1:8998", true),
            (
                Some("http://localhost:8998/"),
                "http://localhost:8998",
                true,
            ),
            (Some("http://[::1]:8998//"), "http://[::1]:8998", true),
        ];
        for (url, base, is_local) in cases {
            let target = target(url, &[]).unwrap();
            assert_eq!((target.base.as_str(), target.is_local), (base, is_local));
            assert_eq!(target.headers["x-requested-by"], "livius");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            "host:8998",
            "/path",
            "ftp://h",
            "http://h?x=1",
            "http://h#x",
            "http://me:secret@h",
            "me:secret@h",
        ] {
            let error = target(Some(text), &[]).unwrap_err();
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn headers_are_checked_and_kept_secret() {
        let headers = [("X-A", " 1 "), ("Authorization", "Bearer a:b")];
        let read = target(None, &headers).unwrap();
        assert_eq!(read.headers["x-a"], "1");
        assert_eq!(read.headers["authorization"], "Bearer a:b");
        assert!(!format!("{:?}", read.headers).contains("Bearer"));
        for header in [("", ""), ("bad name", "x"), ("x", "line\nbreak")] {
            assert!(target(None, &[header]).is_err(), "{header:?}");
        }
    }

    #[test]
    fn passwords_are_not_shown() {
        let credentials = Credentials {
            user: "me".to_owned(),
            password: "pst".to_owned(),
        };
        assert!(!format!("{credentials:?}").contains("pst"));
    }
}
