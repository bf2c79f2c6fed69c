//! Errors in arguments that clap accepts.

/// An argument that makes no sense.
#[derive(Debug, thiserror::Error)]
pub enum ArgumentError {
    /// A `--conf` is not a pair.
    #[error("--conf {text:?} is not NAME=TEXT")]
    Conf {
        /// The argument.
        text: String,
    },
    /// A `--header` is not a pair.
    #[error("the header {name:?} is not `NAME: VALUE`")]
    Header {
        /// The text before the colon. The rest may be secret.
        name: String,
    },
    /// The file with the headers cannot be read.
    #[error("cannot read the headers in {path}")]
    HeaderFile {
        /// The file.
        path: String,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// There is a name and no password.
    #[error("--user needs the password in the environment variable LIVIUS_PASSWORD")]
    NoPassword,
}
