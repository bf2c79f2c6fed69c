//! Where a server is, and what every request to it carries.

use std::time::Duration;

use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use crate::cli::ServerArguments;
use crate::config::Surroundings;

/// Where a server of this machine listens.
const USUAL: &str = "http://127.0.0.1:8998";

/// A server.
#[derive(Debug, Clone)]
pub struct Target {
    /// Its address, without a slash at the end.
    pub base: String,
    /// Whether it is on this machine.
    pub is_local: bool,
    /// The headers of every request.
    pub headers: HeaderMap,
    /// Name and password.
    pub sign_in: Option<(String, String)>,
    /// How long a request may take.
    pub timeout: Duration,
}

/// What is wrong with how a server was named.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// It is no address.
    #[error("{text:?} is not the address of a server: {reason}")]
    Url {
        /// What was given.
        text: String,
        /// Why not.
        reason: String,
    },
    /// It has a password in it, which others on this machine see.
    #[error(
        "leave name and password out of the address: give the name with --user, and the password in LIVIUS_PASSWORD"
    )]
    Credentials,
    /// A header cannot be sent.
    #[error("the header {name:?} is not `NAME: VALUE`, or holds what a header cannot")]
    Header {
        /// Its name: the value may be secret.
        name: String,
    },
    /// The file with the headers cannot be read.
    #[error("cannot read the headers in {path}")]
    HeaderFile {
        /// The file.
        path: String,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// There is a name and no password.
    #[error("--user needs the password in the environment variable LIVIUS_PASSWORD")]
    NoPassword,
}

impl Target {
    /// Takes it from the command line, and from the environment where that says nothing.
    pub fn new(
        arguments: &ServerArguments,
        surroundings: &Surroundings,
    ) -> Result<Self, TargetError> {
        let given = arguments.url.as_deref();
        let text = given
            .or_else(|| surroundings.get("LIVIUS_URL"))
            .unwrap_or(USUAL);
        let url = address(text)?;
        let password = |name: &String| {
            let password = surroundings
                .get("LIVIUS_PASSWORD")
                .ok_or(TargetError::NoPassword)?;
            Ok((name.clone(), password.to_owned()))
        };
        Ok(Self {
            is_local: is_local(&url),
            base: url.as_str().trim_end_matches('/').to_owned(),
            headers: headers(&arguments.headers)?,
            sign_in: arguments.user.as_ref().map(password).transpose()?,
            timeout: Duration::from_secs(arguments.timeout),
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

fn headers(given: &[String]) -> Result<HeaderMap, TargetError> {
    let mut headers = HeaderMap::new();
    // Livy's protection against forged requests asks for this one, whatever it says.
    headers.insert("x-requested-by", HeaderValue::from_static("livius"));
    for text in given {
        match text.strip_prefix('@') {
            Some(path) => {
                let lines = std::fs::read_to_string(path).map_err(|source| {
                    let path = path.to_owned();
                    TargetError::HeaderFile { path, source }
                })?;
                for line in lines.lines().filter(|line| !line.trim().is_empty()) {
                    add(&mut headers, line)?;
                }
            }
            None => add(&mut headers, text)?,
        }
    }
    Ok(headers)
}

fn add(headers: &mut HeaderMap, text: &str) -> Result<(), TargetError> {
    let (name, value) = text.split_once(':').unwrap_or((text, ""));
    let wrong = || TargetError::Header {
        name: name.to_owned(),
    };
    if !text.contains(':') {
        return Err(wrong());
    }
    let key: HeaderName = name.trim().parse().map_err(|_| wrong())?;
    let mut value: HeaderValue = value.trim().parse().map_err(|_| wrong())?;
    value.set_sensitive(true);
    headers.insert(key, value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(
        url: Option<&str>,
        headers: &[&str],
        user: Option<&str>,
        environment: &[(&str, &str)],
    ) -> Result<Target, String> {
        let arguments = ServerArguments {
            url: url.map(str::to_owned),
            headers: headers.iter().map(|text| (*text).to_owned()).collect(),
            user: user.map(str::to_owned),
            timeout: 5,
        };
        Target::new(&arguments, &Surroundings::invented(environment, "/"))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_address_is_the_flags_then_the_environments_then_the_usual_one() {
        let environment = [("LIVIUS_URL", "https://gate/livy/")];
        let cases = [
            (Some("http://h:1"), &environment[..], "http://h:1", false),
            (None, &environment, "https://gate/livy", false),
            (None, &[], "http://127.0.0.1:8998", true),
            (
                Some("http://localhost:8998/"),
                &[],
                "http://localhost:8998",
                true,
            ),
            (Some("http://[::1]:8998//"), &[], "http://[::1]:8998", true),
        ];
        for (flag, environment, base, is_local) in cases {
            let target = target(flag, &[], None, environment).unwrap();
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
            let error = target(Some(text), &[], None, &[]).unwrap_err();
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn headers_and_names_are_read() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "Authorization: Bearer a:b\n\nX-B: 2\n").unwrap();
        let from_file = format!("@{}", file.path().display());
        let environment = [("LIVIUS_PASSWORD", "pst")];
        let read = target(None, &["X-A: 1", &from_file], Some("me"), &environment).unwrap();
        assert_eq!(read.headers["x-a"], "1");
        assert_eq!(read.headers["authorization"], "Bearer a:b");
        assert_eq!(read.headers["x-b"], "2");
        assert_eq!(read.sign_in, Some(("me".to_owned(), "pst".to_owned())));
        assert!(!format!("{:?}", read.headers).contains("Bearer"));
    }

    #[test]
    fn headers_that_are_none_are_refused() {
        for header in [
            "",
            "no colon",
            "bad name: x",
            "x: line\nbreak",
            "@/none/such",
        ] {
            assert!(target(None, &[header], None, &[]).is_err(), "{header:?}");
        }
        assert!(
            target(None, &[], Some("me"), &[])
                .unwrap_err()
                .contains("LIVIUS_PASSWORD")
        );
    }
}
