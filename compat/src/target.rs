//! The server under test.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context as _, bail};

use crate::answer::Answer;
use crate::exchange::{ExchangeError, Framing, Request, exchange};
use crate::version::LivyVersion;

/// The kind of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ServerKind {
    /// Apache Livy.
    Livy,
    /// This project.
    Livius,
}

impl fmt::Display for ServerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Livy => "livy",
            Self::Livius => "livius",
        })
    }
}

impl FromStr for ServerKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "livy" => Ok(Self::Livy),
            "livius" => Ok(Self::Livius),
            other => Err(format!("{other:?} is neither livy nor livius")),
        }
    }
}

/// The default timeout of a wait.
const PATIENCE: Duration = Duration::from_mins(3);

/// A server, with the headers of requests to it.
#[derive(Debug, Clone)]
pub struct Target {
    /// The address, as the user wrote it.
    pub url: String,
    /// The kind of a server.
    pub kind: ServerKind,
    /// The version of Livy; `None` is the newest.
    pub version: Option<LivyVersion>,
    /// The timeout of a wait and of a response; three minutes by default. A session that starts on
    /// a busy machine may need more.
    pub patience: Duration,
    address: String,
    prefix: String,
    headers: Vec<(String, String)>,
}

impl Target {
    /// A server by its address, with headers for every request. Without a kind, the server is asked
    /// for it.
    pub fn new(
        url: &str,
        kind: Option<ServerKind>,
        headers: Vec<(String, String)>,
    ) -> anyhow::Result<Self> {
        let Some(rest) = url.strip_prefix("http://") else {
            bail!("{url}: only http:// can be asked, as every byte of the requests is ours");
        };
        let (address, path) = rest.split_once('/').unwrap_or((rest, ""));
        let port = if address
            .trim_end_matches(|c: char| c.is_ascii_digit())
            .ends_with(':')
        {
            ""
        } else {
            ":80"
        };
        let mut target = Self {
            url: url.to_owned(),
            kind: kind.unwrap_or(ServerKind::Livy),
            version: None,
            patience: PATIENCE,
            address: format!("{address}{port}"),
            prefix: match path.trim_end_matches('/') {
                "" => String::new(),
                path => format!("/{path}"),
            },
            headers,
        };
        if kind.is_none() {
            target.ask_what_it_is()?;
        }
        Ok(target)
    }

    /// The value of `Host`.
    pub fn host(&self) -> &str {
        &self.address
    }

    /// Sends a request with a path of Livy's API as its target.
    pub fn ask(&self, mut request: Request) -> Result<Answer, ExchangeError> {
        request.target = format!("{}{}", self.prefix, request.target);
        request.headers.extend(self.headers.iter().cloned());
        exchange(&self.address, &request, self.patience)
    }

    fn ask_what_it_is(&mut self) -> anyhow::Result<()> {
        let request = Request {
            method: "GET".to_owned(),
            target: "/version".to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
            framing: Framing::Length,
            await_continue: false,
        };
        let answer = self
            .ask(request)
            .with_context(|| format!("{}: cannot ask what it is", self.url))?;
        let version = answer.json().unwrap_or_default();
        let ours = version["branch"]
            .as_str()
            .is_some_and(|branch| branch.contains("livius"));
        (self.kind, self.version) = if ours {
            (ServerKind::Livius, None)
        } else {
            let told = version["version"].as_str();
            (ServerKind::Livy, told.and_then(LivyVersion::told))
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        for (url, address, prefix) in [
            ("http://h:8998", "h:8998", ""),
            ("http://h", "h:80", ""),
            ("http://[::1]:1/livy/", "[::1]:1", "/livy"),
        ] {
            let target = Target::new(url, Some(ServerKind::Livy), Vec::new()).unwrap();
            assert_eq!(
                (target.address.as_str(), target.prefix.as_str()),
                (address, prefix)
            );
        }
        assert!(Target::new("https://h", Some(ServerKind::Livy), Vec::new()).is_err());
    }
}
