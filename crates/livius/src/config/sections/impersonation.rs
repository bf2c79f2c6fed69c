//! `[impersonation]`: the users that may run drivers as other users.

use livius_sessions::Impersonation;

use crate::config::check::Problems;
use crate::config::resolved::Resolved;
use crate::config::setting::{Key, Setting, list, switch};

settings! {
    ENABLED: bool = switch(
        "impersonation.enabled",
        false,
        "Whether sessions and batches act on the cluster as the `proxyUser` of their request. This changes the user that Hadoop sees, and not the user of the process: in client mode a session's code runs with the rights of the server's user, and reads the server's store and the other drivers' files.",
    );
    ALLOW_WITHOUT_AUTHENTICATION: bool = switch(
        "impersonation.allow_without_authentication",
        false,
        "Lets `impersonation.enabled` be on although the server does not authenticate users. Everyone who reaches the server can act as any user of the cluster.",
    );
    SUPERUSERS: Vec<String> = list(
        "impersonation.superusers",
        "Users that may impersonate anyone; `*` is everyone.",
    );
}

/// Reads the section.
pub fn read(resolved: &Resolved, problems: &mut Problems) -> Impersonation {
    let enabled = resolved.value(&ENABLED);
    if enabled && !resolved.value(&ALLOW_WITHOUT_AUTHENTICATION) {
        problems.refuse(
            &ENABLED,
            "this server authenticates nobody, so every client could act as any user of the cluster. \
             Leave impersonation off, or set impersonation.allow_without_authentication=true if something else keeps strangers out",
        );
    }
    Impersonation {
        enabled,
        superusers: resolved.value(&SUPERUSERS),
    }
}
