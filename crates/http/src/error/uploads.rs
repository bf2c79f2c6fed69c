//! Refusals of files that are sent, or asked for.

use std::io;

use axum::http::StatusCode;
use livius_domain::{ResourceId, chain};

use super::{ApiError, Envelope};

impl ApiError {
    /// The body of an upload is not a form.
    pub fn no_form(part: &str) -> Self {
        Self::bad_form(&format!(
            "its Content-Type must be multipart/form-data with a boundary, as curl sends it with -F {part}=@/path/of/the.{part}"
        ))
    }

    /// The body of an upload cannot be taken apart.
    pub fn bad_form(problem: &str) -> Self {
        let message = format!("The body is not a form with a file: {problem}");
        Self::new(StatusCode::BAD_REQUEST, Envelope::Message, message)
    }

    /// An upload has not the part that is wanted. The words are Livy's.
    pub fn no_part(part: &str) -> Self {
        let message = format!("No {part} sent!");
        Self::new(StatusCode::BAD_REQUEST, Envelope::Quoted, message)
    }

    /// The part is there, and holds no file.
    pub fn no_file_name(part: &str) -> Self {
        Self::bad_form(&format!(
            "the part \"{part}\" has no file name: add filename=\"…\" to its Content-Disposition"
        ))
    }

    /// An uploaded file is longer than is taken.
    pub fn file_too_large(limit: u64) -> Self {
        let message = format!(
            "The file is longer than {limit} bytes (server.upload_limit): put it where the driver can read it, and add it by its address"
        );
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, Envelope::Message, message)
    }

    /// Around an uploaded file there is more than is read.
    pub fn form_too_large(limit: usize) -> Self {
        let message =
            format!("Besides its file, the form is longer than {limit} bytes: send the file alone");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, Envelope::Message, message)
    }

    /// An upload comes too slowly, or takes too long in all.
    pub fn upload_overdue() -> Self {
        let message = "The file came too slowly: send it again over a faster connection, or add it by an address that the driver can read";
        Self::new(StatusCode::REQUEST_TIMEOUT, Envelope::Message, message)
    }

    /// There is no such file for this driver.
    pub fn no_upload(resource: ResourceId) -> Self {
        let message = format!("There is no uploaded file {resource} (any more)");
        Self::new(StatusCode::NOT_FOUND, Envelope::Message, message)
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
            let message =
                "The server's disk has no room for the file: its data directory needs space";
            return Self::new(StatusCode::INSUFFICIENT_STORAGE, Envelope::Message, message);
        }
        Self::internal(&chain(error))
    }
}
