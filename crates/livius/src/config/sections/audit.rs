//! `[audit]`: the log of who changed what.

use camino::Utf8PathBuf;

use crate::config::check::Problems;
use crate::config::resolved::Resolved;
use crate::config::setting::{Key, Setting, optional_file, size, switch, within};

settings! {
    FILE: Option<Utf8PathBuf> = optional_file(
        "audit.file",
        "The file of the audit log. The server writes a line of JSON about each request that is to change something, each that it refuses to its caller, and each end of a session or batch: when, who, from where, what, and the outcome. Without it there is no audit log. The server makes the file with the mode 0600; its directory must exist.",
    );
    FILE_LIMIT: u64 = size(
        "audit.file_limit",
        64 << 20,
        "The maximum length of the file, at least 64 KiB. The server renames a file that is full to `FILE.1`, an older one to `FILE.2` and so on, and begins a new one.",
    );
    KEEP: u64 = within(
        "audit.keep",
        (0, 1_000),
        10,
        "The number of full files that are kept, at most 1000. The oldest one is removed.",
    );
    READS: bool = switch(
        "audit.reads",
        false,
        "Whether the audit log also has the requests that only read.",
    );
}

/// A smaller file would have too few lines.
const LEAST_FILE_LIMIT: u64 = 64 << 10;

/// The settings of the section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditSettings {
    /// The file; `None` without an audit log.
    pub file: Option<Utf8PathBuf>,
    /// The most bytes of one file.
    pub file_limit: u64,
    /// The number of full files.
    pub keep: u64,
    /// Whether it has requests that only read.
    pub reads: bool,
}

impl AuditSettings {
    /// Reads the section.
    pub fn read(resolved: &Resolved, problems: &mut Problems) -> Self {
        let file_limit = resolved.value(&FILE_LIMIT);
        if file_limit < LEAST_FILE_LIMIT {
            problems.refuse(&FILE_LIMIT, "a file of the audit log needs at least 64 KiB");
        }
        Self {
            file: resolved.value(&FILE),
            file_limit,
            keep: resolved.value(&KEEP),
            reads: resolved.value(&READS),
        }
    }
}
