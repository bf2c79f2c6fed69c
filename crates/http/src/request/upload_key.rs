//! The key of an upload. Each client makes up a boundary for each form, so a repetition is told by
//! the file: its part, its name and its content.

use axum::http::Extensions;
use livius_sessions::{KeyRecord, Keyed};

use crate::request::fingerprint::Fingerprint;
use crate::request::rejection::Rejection;
use crate::request::upload_body::FilePart;

/// The last segments of the paths that take forms begin with this.
const UPLOAD: &str = "upload-";

/// Tells whether requests for a path are uploads.
pub fn is_upload(path: &str) -> bool {
    let last = path.rsplit('/').next();
    last.is_some_and(|last| last.starts_with(UPLOAD))
}

/// The key of an upload whose file is not read yet.
#[derive(Debug, Clone)]
pub struct UploadKey {
    keyed: Keyed,
    fingerprint: Fingerprint,
    done: Option<KeyRecord>,
}

impl UploadKey {
    /// The key with the hash of the request without its body, and the request that was done with it.
    pub fn new(keyed: Keyed, fingerprint: Fingerprint, done: Option<KeyRecord>) -> Self {
        Self {
            keyed,
            fingerprint,
            done,
        }
    }

    /// The key of the request, when the file has begun.
    pub fn of(extensions: &Extensions, part: &str, file: &FilePart) -> Option<Self> {
        let mut key = extensions.get::<Self>()?.clone();
        key.fingerprint.part(part.as_bytes());
        key.fingerprint.part(file.name.as_bytes());
        Some(key)
    }

    /// Whether an upload with this key was done.
    pub fn is_done(&self) -> bool {
        self.done.is_some()
    }

    /// Adds the next bytes of the file.
    pub fn piece(&mut self, bytes: &[u8]) {
        self.fingerprint.piece(bytes);
    }

    /// The key, when the file has been read.
    pub fn finish(self) -> Keyed {
        self.keyed.with_fingerprint(self.fingerprint.finish())
    }

    /// Reads the rest of an upload that was done, and refuses it if it is another one.
    pub async fn compare(mut self, mut file: FilePart) -> Result<(), Rejection> {
        while let Some(piece) = file.piece().await? {
            self.piece(&piece);
        }
        match self.done {
            Some(done) if done.fingerprint != self.fingerprint.finish() => {
                Err(Rejection::KeyReused(done.request))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_forms_are_uploads() {
        for (path, expected) in [
            ("/sessions/0/upload-jar", true),
            ("/sessions/upload-x/statements", false),
            ("/sessions", false),
        ] {
            assert_eq!(is_upload(path), expected, "{path}");
        }
    }
}
