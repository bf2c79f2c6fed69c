//! The reasons why the server refuses a request before or while it reads it. Each interface writes
//! this in its own form.

use std::error::Error;
use std::io;
use std::time::Duration;

use axum::http::StatusCode;
use livius_domain::{Made, chain};
use livius_wire::RequestError;

use crate::request::other_user::OtherUser;

/// Why the server does not accept a request.
#[derive(Debug, thiserror::Error)]
pub enum Rejection {
    #[error("The path is not percent-encoded UTF-8: write % as %25")]
    BadPath,
    #[error(
        "A page of another site may not change anything here: send the request from a program, or from a page \
         of this server, opened as localhost, by its address, or by one of its names (server.host_names)"
    )]
    ForeignPage,
    #[error(
        "The header Host names {0:?}, which may be the name of another site: reach the server as localhost, by its \
         address, or by one of its names (server.host_names)"
    )]
    StrangeHost(String),
    #[error(
        "This request comes from {0}: this server takes requests only from its own user, from root, and from the users \
         in server.local_users"
    )]
    OtherUser(OtherUser),
    #[error("The server has as many connections as it may (server.max_connections): try again")]
    Crowded,
    #[error(
        "This client waits and follows in as many requests as it may (server.max_waits_per_client), or all clients do: close some of them"
    )]
    TooManyWaits,
    #[error("Missing Required Header for CSRF protection. Send X-Requested-By, with any value")]
    NoCsrfHeader,
    /// The client wants a version of Livy's interface that does not exist.
    #[error("No value found for '{0}'")]
    UnknownVersion(String),
    /// The body, the path or the query is malformed.
    #[error(transparent)]
    Malformed(#[from] RequestError),
    #[error("The body is longer than {0} bytes (server.body_limit): send large data as files")]
    BodyTooLarge(usize),
    #[error("The body did not arrive within {} s", .0.as_secs())]
    BodyOverdue(Duration),
    #[error(
        "The body came too slowly: send it again over a faster connection, or send large data as files"
    )]
    BodyTooSlow,
    #[error("Too many long bodies are being received (server.body_limit bounds them): try again")]
    NoBodyRoom,
    /// The body broke off, or is not what its `Content-Encoding` says.
    #[error("The body cannot be read: {0}")]
    BrokenBody(String),
    #[error(
        "No answer within {} s; what was asked for may still be done, so look before asking again", .0.as_secs()
    )]
    Overdue(Duration),
    /// The body of an upload is not a form.
    #[error(
        "The body is not a form with a file: its Content-Type must be multipart/form-data with a boundary, \
         as curl sends it with -F {part}=@/path/of/the.{part}"
    )]
    NoForm { part: &'static str },
    /// The form is malformed.
    #[error("The body is not a form with a file: {0}")]
    BadForm(&'static str),
    #[error("No {part} sent!")]
    NoPart { part: &'static str },
    #[error(
        "The body is not a form with a file: the part \"{part}\" has no file name: add filename=\"…\" to its Content-Disposition"
    )]
    NoFileName { part: &'static str },
    #[error(
        "The file is longer than {0} bytes (server.upload_limit): put it where the driver can read it, and add it by its address"
    )]
    FileTooLarge(u64),
    /// The form has too much besides the file.
    #[error("Besides its file, the form is longer than {0} bytes: send the file alone")]
    FormTooLarge(usize),
    #[error(
        "The file came too slowly: send it again over a faster connection, or add it by an address that the driver can read"
    )]
    UploadOverdue,
    /// The server's disk is full.
    #[error("The server's disk has no room for the file: its data directory needs space")]
    DiskFull,
    /// The server's disk is nearly full.
    #[error(
        "The server's disk is nearly full, so it starts no driver: its data directory needs space (server.disk_reserve)"
    )]
    NoRoom,
    /// The header is not a key.
    #[error(
        "The header Idempotency-Key must be one key of 1 to 255 visible ASCII characters, such as a UUID: {0}"
    )]
    BadKey(&'static str),
    /// The header is not a URL.
    #[error("The header Livius-Webhook must be one URL: {0}")]
    BadWebhook(&'static str),
    /// The key was used for another request, which this names.
    #[error(
        "The Idempotency-Key was used for another request ({0}, with its query and body): send a new key with a new request, \
         and exactly the first request to repeat it"
    )]
    KeyReused(String),
    /// The server has deleted the thing that the request with the key made, and the answer too.
    #[error(
        "The request with this Idempotency-Key was done before and made {0}, which is gone: send a new key to do it once more"
    )]
    KeyGone(Made),
    /// An internal error. The text is for the server's log only.
    #[error("{0}")]
    Internal(String),
}

impl Rejection {
    /// The body cannot be read.
    pub fn broken_body(error: &dyn Error) -> Self {
        Self::BrokenBody(chain(error))
    }

    /// A file cannot be written or read.
    pub fn disk(error: &io::Error) -> Self {
        let full = [
            io::ErrorKind::StorageFull,
            io::ErrorKind::QuotaExceeded,
            io::ErrorKind::FileTooLarge,
        ];
        if full.contains(&error.kind()) {
            tracing::error!(%error, "an upload has no room");
            return Self::DiskFull;
        }
        Self::Internal(chain(error))
    }

    /// No driver can be started.
    pub fn no_room(error: &io::Error) -> Self {
        tracing::error!(error = %chain(error), "the disk has no room for a driver");
        Self::NoRoom
    }

    /// The name of the rejection, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Internal(_) => "internal",
            Self::Malformed(_) | Self::BadPath | Self::BrokenBody(_) => "malformed",
            Self::NoForm { .. }
            | Self::BadForm(_)
            | Self::NoPart { .. }
            | Self::NoFileName { .. } => "malformed_form",
            Self::BadKey(_) => "bad_key",
            Self::BadWebhook(_) => "bad_webhook",
            Self::KeyReused(_) => "key_reused",
            Self::KeyGone(_) => "key_gone",
            Self::ForeignPage => "foreign_page",
            Self::StrangeHost(_) => "strange_host",
            Self::OtherUser(_) => "other_user",
            Self::NoCsrfHeader => "csrf_header_missing",
            Self::UnknownVersion(_) => "unknown_version",
            Self::BodyTooLarge(_) | Self::FileTooLarge(_) | Self::FormTooLarge(_) => "too_large",
            Self::BodyOverdue(_) | Self::BodyTooSlow | Self::UploadOverdue => "body_overdue",
            Self::NoBodyRoom | Self::Crowded | Self::TooManyWaits => "overloaded",
            Self::Overdue(_) => "overdue",
            Self::DiskFull | Self::NoRoom => "disk_full",
        }
    }

    /// The status of the response.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::BadPath
            | Self::NoCsrfHeader
            | Self::Malformed(_)
            | Self::BrokenBody(_)
            | Self::NoForm { .. }
            | Self::BadForm(_)
            | Self::NoPart { .. }
            | Self::NoFileName { .. }
            | Self::BadKey(_)
            | Self::BadWebhook(_) => StatusCode::BAD_REQUEST,
            Self::ForeignPage | Self::StrangeHost(_) | Self::OtherUser(_) => StatusCode::FORBIDDEN,
            Self::UnknownVersion(_) => StatusCode::NOT_ACCEPTABLE,
            Self::BodyTooLarge(_) | Self::FileTooLarge(_) | Self::FormTooLarge(_) => {
                StatusCode::PAYLOAD_TOO_LARGE
            }
            Self::BodyOverdue(_) | Self::BodyTooSlow | Self::UploadOverdue => {
                StatusCode::REQUEST_TIMEOUT
            }
            Self::TooManyWaits => StatusCode::TOO_MANY_REQUESTS,
            Self::NoBodyRoom | Self::Crowded => StatusCode::SERVICE_UNAVAILABLE,
            Self::Overdue(_) => StatusCode::GATEWAY_TIMEOUT,
            Self::KeyReused(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::KeyGone(_) => StatusCode::GONE,
            Self::DiskFull | Self::NoRoom => StatusCode::INSUFFICIENT_STORAGE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}
