//! `[impersonation]`: the users that may run drivers as other users.

use livius_sessions::Impersonation;

use crate::config::resolved::Resolved;
use crate::config::setting::{Key, Setting, list, switch};

settings! {
    ENABLED: bool = switch(
        "impersonation.enabled",
        false,
        "Whether sessions and batches run as the `proxyUser` of their request.",
    );
    SUPERUSERS: Vec<String> = list(
        "impersonation.superusers",
        "Users that may impersonate anyone; `*` is everyone.",
    );
}

/// Reads the section.
pub fn read(resolved: &Resolved) -> Impersonation {
    Impersonation {
        enabled: resolved.value(&ENABLED),
        superusers: resolved.value(&SUPERUSERS),
    }
}
