//! The Thrift endpoint, which Livius does not have.

use super::{LivyKey, nothing};

const NO_THRIFT: &str = "the server has no Thrift (JDBC) endpoint";

/// Thrift.
pub static KEYS: &[LivyKey] = &[
    nothing("livy.server.thrift.enabled", "false", NO_THRIFT),
    nothing("livy.server.thrift.incrementalCollect", "false", NO_THRIFT),
    nothing(
        "livy.server.thrift.session.creationTimeout",
        "10m",
        NO_THRIFT,
    ),
    nothing(
        "livy.server.thrift.resultset.default.fetch.size",
        "1000",
        NO_THRIFT,
    ),
    nothing(
        "livy.server.thrift.resultset.max.fetch.size",
        "10000",
        NO_THRIFT,
    ),
    nothing("livy.server.thrift.transport.mode", "binary", NO_THRIFT),
    nothing("livy.server.thrift.port", "10090", NO_THRIFT),
    nothing("livy.server.thrift.bind.host", "", NO_THRIFT),
    nothing(
        "livy.server.thrift.long.polling.timeout",
        "5000ms",
        NO_THRIFT,
    ),
    nothing(
        "livy.server.thrift.limit.connections.per.user",
        "0",
        NO_THRIFT,
    ),
    nothing(
        "livy.server.thrift.limit.connections.per.ipaddress",
        "0",
        NO_THRIFT,
    ),
    nothing(
        "livy.server.thrift.limit.connections.per.user.ipaddress",
        "0",
        NO_THRIFT,
    ),
    nothing("livy.server.thrift.session.check.interval", "6h", NO_THRIFT),
    nothing(
        "livy.server.thrift.close.session.on.disconnect",
        "true",
        NO_THRIFT,
    ),
    nothing("livy.server.thrift.idle.session.timeout", "7d", NO_THRIFT),
    nothing("livy.server.thrift.idle.operation.timeout", "5d", NO_THRIFT),
    nothing(
        "livy.server.thrift.idle.session.check.operation",
        "true",
        NO_THRIFT,
    ),
    nothing(
        "livy.server.thrift.logging.operation.enabled",
        "true",
        NO_THRIFT,
    ),
    nothing("livy.server.thrift.async.exec.threads", "100", NO_THRIFT),
    nothing(
        "livy.server.thrift.async.exec.shutdown.timeout",
        "10s",
        NO_THRIFT,
    ),
    nothing(
        "livy.server.thrift.async.exec.wait.queue.size",
        "100",
        NO_THRIFT,
    ),
    nothing(
        "livy.server.thrift.async.exec.keepalive.time",
        "10s",
        NO_THRIFT,
    ),
    nothing("livy.server.thrift.worker.keepalive.time", "60s", NO_THRIFT),
    nothing("livy.server.thrift.min.worker.threads", "5", NO_THRIFT),
    nothing("livy.server.thrift.max.worker.threads", "500", NO_THRIFT),
    nothing(
        "livy.server.thrift.allow.user.substitution",
        "true",
        NO_THRIFT,
    ),
    nothing("livy.server.thrift.authentication", "NONE", NO_THRIFT),
    nothing(
        "livy.server.thrift.custom.authentication.class",
        "",
        NO_THRIFT,
    ),
    nothing("livy.server.thrift.enable.doAs", "true", NO_THRIFT),
    nothing(
        "livy.server.thrift.ssl.protocol.blacklist",
        "SSLv2,SSLv3",
        NO_THRIFT,
    ),
    nothing("livy.server.thrift.use.SSL", "false", NO_THRIFT),
    nothing(
        "livy.server.thrift.max.message.size",
        "104857600",
        NO_THRIFT,
    ),
    nothing("livy.server.thrift.login.timeout", "20s", NO_THRIFT),
    nothing(
        "livy.server.thrift.exponential.backoff.slot.length",
        "100ms",
        NO_THRIFT,
    ),
    nothing(
        "livy.server.thrift.http.request.header.size",
        "6144",
        NO_THRIFT,
    ),
    nothing(
        "livy.server.thrift.http.response.header.size",
        "6144",
        NO_THRIFT,
    ),
    nothing("livy.server.thrift.http.max.idle.time", "1800s", NO_THRIFT),
    nothing("livy.server.thrift.xsrf.filter.enabled", "false", NO_THRIFT),
    nothing("livy.server.thrift.http.path", "cliservice", NO_THRIFT),
    nothing(
        "livy.server.thrift.http.compression.enabled",
        "true",
        NO_THRIFT,
    ),
    nothing(
        "livy.server.thrift.http.cookie.auth.enabled",
        "true",
        NO_THRIFT,
    ),
    nothing(
        "livy.server.thrift.http.cookie.max.age",
        "86400s",
        NO_THRIFT,
    ),
    nothing("livy.server.thrift.http.cookie.domain", "", NO_THRIFT),
    nothing("livy.server.thrift.http.cookie.path", "", NO_THRIFT),
    nothing(
        "livy.server.thrift.http.cookie.is.httponly",
        "true",
        NO_THRIFT,
    ),
    nothing("livy.server.thrift.sasl.qop", "auth", NO_THRIFT),
    nothing(
        "livy.server.thrift.delegation.key.update-interval",
        "1d",
        NO_THRIFT,
    ),
    nothing(
        "livy.server.thrift.delegation.token.gc-interval",
        "1h",
        NO_THRIFT,
    ),
    nothing(
        "livy.server.thrift.delegation.token.max-lifetime",
        "7d",
        NO_THRIFT,
    ),
    nothing(
        "livy.server.thrift.delegation.token.renew-interval",
        "1d",
        NO_THRIFT,
    ),
    nothing(
        "livy.server.thrift.ldap.authentication.userfilter",
        "",
        NO_THRIFT,
    ),
];
