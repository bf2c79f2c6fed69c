//! Authentication, authorization and protection of the connection.

use super::super::convert;
use super::{LivyKey, maps, not_yet, nothing};
use crate::config::sections::{impersonation, server};

const NO_ACCESS_CONTROL: &str = "the server has no access control yet";
const NO_AUTHENTICATION: &str = "the server has no authentication yet";
const NO_TLS: &str = "the server does not speak TLS yet";
const NO_KERBEROS: &str = "the server does not fetch Kerberos tickets yet; it starts Spark with the tickets of its own environment";
const PROXY: &str =
    "let a proxy in front of the server do this, and let the server listen on loopback";

/// Protection.
pub static KEYS: &[LivyKey] = &[
    maps("livy.impersonation.enabled", "false", &[&impersonation::ENABLED.key], convert::switch)
        .but("The server authenticates nobody yet, so it also needs `impersonation.allow_without_authentication`."),
    maps("livy.superusers", "", &[&impersonation::SUPERUSERS.key], convert::list)
        .but("They may impersonate anyone. They get the right to see and change the sessions and batches of others when the server has access control."),
    not_yet("livy.server.access-control.enabled", "false", NO_ACCESS_CONTROL)
        .formerly("livy.server.access_control.enabled")
        .protecting(&["false"], PROXY),
    not_yet("livy.server.access-control.allowed-users", "*", NO_ACCESS_CONTROL),
    not_yet("livy.server.access-control.modify-users", "", NO_ACCESS_CONTROL),
    not_yet("livy.server.access-control.view-users", "", NO_ACCESS_CONTROL),
    nothing("livy.server.access_control.users", "", "Livy since 0.4 ignores it as well"),
    maps("livy.server.csrf-protection.enabled", "false", &[&server::CSRF_PROTECTION.key], convert::switch)
        .formerly("livy.server.csrf_protection.enabled"),
    nothing("livy.server.security-headers.enabled", "true", "the server sends these headers; each has a setting that leaves it out (`server.header_…`)"),
    maps("livy.server.http.header.X-XSS-Protection", "1; mode=block", &[&server::HEADER_X_XSS_PROTECTION.key], convert::header)
        .or_blank(),
    maps("livy.server.http.header.X-Frame-Options", "SAMEORIGIN", &[&server::HEADER_X_FRAME_OPTIONS.key], convert::header)
        .or_blank(),
    maps("livy.server.http.header.X-Content-Type-Options", "nosniff", &[&server::HEADER_X_CONTENT_TYPE_OPTIONS.key], convert::header)
        .or_blank(),
    not_yet("livy.server.http.header.Strict-Transport-Security", "max-age=31536000; includeSubDomains", NO_TLS),
    maps(
        "livy.server.http.header.Content-Security-Policy",
        "default-src 'self'; script-src 'self' 'unsafe-inline'; img-src 'self'; frame-src 'self';",
        &[&server::HEADER_CONTENT_SECURITY_POLICY.key], convert::header,
    )
    .or_blank(),
    not_yet("livy.keystore", "", NO_TLS).protecting(&[], PROXY),
    not_yet("livy.keystore.password", "", NO_TLS),
    not_yet("livy.keystore.type", "JKS", NO_TLS),
    not_yet("livy.key-password", "", NO_TLS),
    not_yet("livy.hadoop.security.credential.provider.path", "", NO_TLS),
    not_yet("livy.server.auth.type", "", NO_AUTHENTICATION).protecting(&[], PROXY),
    not_yet("livy.server.auth.kerberos.principal", "", NO_AUTHENTICATION),
    not_yet("livy.server.auth.kerberos.keytab", "", NO_AUTHENTICATION),
    not_yet("livy.server.auth.kerberos.name-rules", "DEFAULT", NO_AUTHENTICATION)
        .formerly("livy.server.auth.kerberos.name_rules"),
    not_yet("livy.server.auth.ldap.url", "", NO_AUTHENTICATION),
    not_yet("livy.server.auth.ldap.base-dn", "", NO_AUTHENTICATION),
    not_yet("livy.server.auth.ldap.username-domain", "", NO_AUTHENTICATION),
    not_yet("livy.server.auth.ldap.enable-start-tls", "false", NO_AUTHENTICATION),
    nothing("livy.server.auth.ldap.security-authentication", "simple", "it has no effect in Livy either"),
    nothing("livy.server.auth.<name>.class", "", "a servlet filter is a Java class, and this server runs no Java"),
    nothing("livy.server.auth.<name>.param.<parameter>", "", "a servlet filter is a Java class, and this server runs no Java"),
    not_yet("livy.server.launch.kerberos.principal", "", NO_KERBEROS),
    not_yet("livy.server.launch.kerberos.keytab", "", NO_KERBEROS),
    not_yet("livy.server.launch.kerberos.refresh-interval", "1h", NO_KERBEROS)
        .formerly("livy.server.launch.kerberos.refresh_interval"),
    not_yet("livy.server.launch.kerberos.kinit-fail-threshold", "5", NO_KERBEROS)
        .formerly("livy.server.launch.kerberos.kinit_fail_threshold"),
];
