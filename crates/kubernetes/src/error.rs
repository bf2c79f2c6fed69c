//! Failed requests.

use std::error::Error;
use std::io;

use kube::client::AuthError;
use livius_domain::root_cause;

use crate::text;

/// A failed or refused request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KubernetesError {
    /// The address or the credentials cannot be used: a file is missing or malformed, a program
    /// that the kubeconfig names gives no token, or the credentials are for another API server.
    #[error("cannot use the access to Kubernetes: {problem}")]
    Access {
        /// The problem, with the file's name.
        problem: String,
    },
    /// The API server gives no answer now: it is away, overloaded, or too slow. This may pass.
    #[error("{url} does not answer: {reason}")]
    Away {
        /// The address of the API server.
        url: String,
        /// The reason, in one line.
        reason: String,
    },
    /// The server at the address has no certificate that the configured authority signed. No
    /// request was sent.
    #[error("{url} cannot be trusted: {reason}")]
    Tls {
        /// The address of the API server.
        url: String,
        /// The reason, in one line.
        reason: String,
    },
    /// Kubernetes does not know the namespace, the pod or the secret.
    #[error("Kubernetes does not know it: {message}")]
    NotFound {
        /// The API server's words.
        message: String,
    },
    /// The API server refused the request. With the status 401 it does not know who asks, and with
    /// 403 it does not permit it.
    #[error("Kubernetes refuses with status {status}: {message}")]
    Refused {
        /// The status.
        status: u16,
        /// The API server's words.
        message: String,
    },
    /// The caller asks for something that cannot be sent. No request was sent.
    #[error("{problem}")]
    Invalid {
        /// The problem.
        problem: String,
    },
    /// The response is not one of Kubernetes'.
    #[error("{url} does not answer as Kubernetes does: {problem}")]
    Foreign {
        /// The address of the API server.
        url: String,
        /// The problem.
        problem: String,
    },
}

impl KubernetesError {
    /// Tells whether the API server does not permit this to us, or does not know us.
    pub fn is_forbidden(&self) -> bool {
        matches!(
            self,
            Self::Refused {
                status: 401 | 403,
                ..
            }
        )
    }

    /// The meaning of a library's error, from requests to an address.
    pub(crate) fn of(url: &str, error: &kube::Error) -> Self {
        let url = url.to_owned();
        match error {
            kube::Error::Api(status) => Self::refused(url, status),
            kube::Error::SerdeError(problem) => Self::Foreign {
                url,
                problem: text::message(&problem.to_string()),
            },
            kube::Error::FromUtf8(_) | kube::Error::LinesCodecMaxLineLengthExceeded => {
                let problem = "it sends no text".to_owned();
                Self::Foreign { url, problem }
            }
            kube::Error::Auth(error) => Self::Access {
                problem: authentication(error),
            },
            kube::Error::BuildRequest(error) => Self::Invalid {
                problem: text::message(&error.to_string()),
            },
            other => Self::lost(&url, other),
        }
    }

    /// The meaning of an error of the connection.
    pub(crate) fn lost(url: &str, error: &(dyn Error + 'static)) -> Self {
        let url = url.to_owned();
        let mut causes = causes(error);
        if let Some(error) = causes
            .clone()
            .find_map(|cause| cause.downcast_ref::<AuthError>())
        {
            let problem = authentication(error);
            return Self::Access { problem };
        }
        let last = root_cause(error).unwrap_or_else(|| error.to_string());
        let reason = text::message(&last);
        if causes.any(is_of_tls) {
            return Self::Tls { url, reason };
        }
        Self::Away { url, reason }
    }

    fn refused(url: String, status: &kube::core::Status) -> Self {
        let message = text::message(&status.message);
        match status.code {
            404 => Self::NotFound { message },
            // The API server says these when it, its store or a node is in trouble. They tell
            // nothing about the thing that was asked for.
            code @ (408 | 429 | 500..) => {
                let reason = format!("status {code}: {message}");
                Self::Away { url, reason }
            }
            status => Self::Refused { status, message },
        }
    }
}

/// An error with all its causes.
fn causes<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> + Clone {
    /// No chain is longer. One that leads back to itself would never end.
    const MOST: usize = 32;
    std::iter::successors(Some(error), |cause| {
        let cause: &'a (dyn Error + 'static) = *cause;
        inner(cause).or_else(|| cause.source())
    })
    .take(MOST)
}

/// The error in an `io::Error`. Its `source` leaves it out.
fn inner<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    let inner = error.downcast_ref::<io::Error>()?.get_ref()?;
    Some(inner)
}

fn is_of_tls(cause: &(dyn Error + 'static)) -> bool {
    cause.is::<rustls::Error>()
}

/// The problem of credentials. The library's own text can have the output of a program and its
/// arguments, and with them a token.
pub fn authentication(error: &AuthError) -> String {
    match error {
        AuthError::AuthExecRun { out, .. } => {
            let told = String::from_utf8_lossy(&out.stderr);
            let status = out.status;
            text::message(&format!(
                "the program that the kubeconfig names failed with {status}: {told}"
            ))
        }
        AuthError::AuthExecParse(_) => {
            "the program that the kubeconfig names gives no credentials".to_owned()
        }
        other => text::message(&other.to_string()),
    }
}
