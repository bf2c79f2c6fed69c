//! Failed requests.

use std::fmt;

/// A daemon that gave no usable response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Miss {
    /// The daemon's address.
    pub address: String,
    /// The reason, in one line.
    pub reason: String,
}

impl fmt::Display for Miss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.address, self.reason)
    }
}

/// A failed or refused request.
#[derive(Debug, thiserror::Error)]
pub enum YarnError {
    /// The HTTP client cannot be created.
    #[error("cannot make an HTTP client")]
    Setup(#[source] reqwest::Error),
    /// No daemon gives an answer now: it is away, on standby, or too slow. This may pass.
    #[error("YARN does not answer: {}", joined(.0))]
    Away(Vec<Miss>),
    /// The cluster wants a proof of the identity, such as Kerberos.
    #[error("{address} wants authentication")]
    Unauthenticated {
        /// The daemon's address.
        address: String,
    },
    /// The user may not do this.
    #[error("YARN forbids it: {text}")]
    Forbidden {
        /// The daemon's words.
        text: String,
    },
    /// YARN does not know the application, the container or the file.
    #[error("YARN does not know it: {text}")]
    NotFound {
        /// The daemon's words.
        text: String,
    },
    /// The daemon refused the request for another reason.
    #[error("{address} refused with status {status}: {text}")]
    Refused {
        /// The daemon's address.
        address: String,
        /// The status.
        status: u16,
        /// The daemon's words.
        text: String,
    },
    /// The response is not one of YARN's.
    #[error("{address} does not answer as YARN does: {problem}")]
    Foreign {
        /// The daemon's address.
        address: String,
        /// The problem.
        problem: String,
    },
}

fn joined(misses: &[Miss]) -> String {
    let texts: Vec<String> = misses.iter().map(Miss::to_string).collect();
    texts.join("; ")
}
