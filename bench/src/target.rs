//! A server to measure.

use std::str::FromStr;

use anyhow::{Context as _, Result, ensure};

/// Its name in the table, its address, and its process if that runs on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub name: String,
    pub url: String,
    pub pid: Option<u32>,
}

impl FromStr for Target {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let (name, rest) = text.split_once('=').context("a server is NAME=URL")?;
        let (url, pid) = match rest.split_once(",pid=") {
            Some((url, pid)) => {
                let pid = pid.parse().with_context(|| format!("{pid} is no pid"))?;
                (url, Some(pid))
            }
            None => (rest, None),
        };
        ensure!(!name.is_empty(), "a server needs a name");
        ensure!(url.starts_with("http"), "{url} is no address");
        Ok(Self {
            name: name.to_owned(),
            url: url.trim_end_matches('/').to_owned(),
            pid,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_name_no_server_are_refused() {
        for text in ["http://h:1", "=http://h:1", "a=h:1", "a=http://h:1,pid=x"] {
            assert!(text.parse::<Target>().is_err(), "{text}");
        }
    }
}
