//! Drivers and their connection to the server, and the settings of Livy's Java client.

use super::super::convert;
use super::{LivyKey, maps, not_yet, nothing};
use crate::config::sections::sessions;

const OWN_SECRET: &str = "the server makes a new secret for every driver";
const FOR_TESTS: &str = "it is for Livy's own tests";
const BY_REQUEST: &str = "the request contains it";
const NO_LISTENER: &str = "drivers do not listen; their agents connect to the server's port";
const NO_RPC: &str = "agents connect over a WebSocket, which has no such setting";
const FROM_SPARK: &str = "the server takes it from the Spark installation";
const CANCEL: &str = "the agent interrupts a cancelled statement's code at once; the statement is `cancelled` only after its code has ended";
const CLIENT_SIDE: &str = "it is a setting of the client; Livy's own client still reads it";

/// `livy.rsc.…`, from `livy.conf` and `livy-client.conf`.
pub static KEYS: &[LivyKey] = &[
    nothing("livy.rsc.client.auth.id", "", OWN_SECRET),
    nothing("livy.rsc.client.auth.secret", "", OWN_SECRET),
    nothing("livy.rsc.client.do-not-use.run-driver-in-process", "false", FOR_TESTS)
        .formerly("livy.rsc.client.do_not_use.run_driver_in_process"),
    maps("livy.rsc.client.shutdown-timeout", "10s", &[&sessions::STOP_GRACE.key], convert::duration)
        .formerly("livy.rsc.client.shutdown_timeout"),
    nothing("livy.rsc.driver-class", "", "the agent has the driver's main class").formerly("livy.rsc.driver_class"),
    nothing("livy.rsc.session.kind", "", BY_REQUEST),
    nothing("livy.rsc.sparkr.package", "", FROM_SPARK),
    nothing("livy.rsc.pyspark.archives", "", FROM_SPARK),
    nothing("livy.sparkr.package", "", "Livy's template names it, but Livy does not read it"),
    nothing("livy.pyspark.archives", "", "Livy's template names it, but Livy does not read it"),
    nothing("livy.rsc.launcher.address", "", "agents connect to the address that the server listens on; if they need another address, set `server.agent_url`"),
    nothing("livy.rsc.launcher.port.range", "10000~10010", NO_LISTENER),
    nothing("livy.rsc.launcher.port", "-1", NO_LISTENER),
    maps("livy.rsc.server.idle-timeout", "10m", &[&sessions::LINK_GRACE.key], convert::duration)
        .formerly("livy.rsc.server.idle_timeout")
        .but("The server waits as long for a driver that it has lost as the driver waits for the server."),
    nothing("livy.rsc.proxy-user", "", "only the request's checked `proxyUser` decides the user that a driver runs as")
        .formerly("livy.rsc.proxy_user"),
    nothing("livy.rsc.rpc.server.address", "", NO_LISTENER),
    maps("livy.rsc.server.connect.timeout", "90s", &[&sessions::START_TIMEOUT.key], convert::start_timeout)
        .but("Livy's time ends when the driver has registered. Here it includes the start of the Spark context, so the server uses only a time above the default of `sessions.start_timeout`."),
    nothing("livy.rsc.client.connect.timeout", "10s", "the server does not connect to drivers; agents connect to it, and retry for as long as `sessions.link_grace`"),
    nothing("livy.rsc.channel.log.level", "", "`logs.level` sets the log level"),
    nothing("livy.rsc.rpc.max.size", "52428800", "agents send results in parts, so messages do not grow with them"),
    nothing("livy.rsc.rpc.threads", "8", NO_RPC),
    nothing("livy.rsc.secret.bits", "256", OWN_SECRET),
    nothing("livy.rsc.rpc.sasl.mechanisms", "DIGEST-MD5", NO_RPC),
    not_yet("livy.rsc.rpc.sasl.qop", "", "the server does not encrypt its connections to agents")
        .protecting(&["auth"], "put a proxy with TLS in front of the server and set `server.agent_url` to its `wss://…` address; drivers on the same machine use loopback"),
    nothing("livy.rsc.job-cancel.trigger-interval", "100ms", CANCEL).formerly("livy.rsc.job_cancel.trigger_interval"),
    maps("livy.rsc.job-cancel.timeout", "30s", &[&sessions::CANCEL_GRACE.key], convert::duration)
        .formerly("livy.rsc.job_cancel.timeout")
        .but("After this time Livy calls a statement `cancelled` although its code may still run. The server ends the code by force, and calls the statement `cancelled` when the code has ended."),
    maps("livy.rsc.retained-statements", "100", &[&sessions::RETAINED_STATEMENTS.key], convert::text)
        .formerly("livy.rsc.retained_statements")
        .but("The server drops only finished statements. A request's `conf` cannot change the number."),
    not_yet("livy.rsc.retained.share-variables", "100", "the number of objects that the jobs of a session may share is fixed"),
    maps("livy.rsc.sql.num-rows", "1000", &[&sessions::SQL_MAX_ROWS.key], convert::text),
    nothing("livy.rsc.test.do-not-use.no-code-coverage-analysis", "false", FOR_TESTS)
        .formerly("livy.rsc.test.do_not_use.no_code_coverage_analysis"),
    nothing("livy.rsc.test.do-not-use.stuck-end-session", "false", FOR_TESTS)
        .formerly("livy.rsc.test.do_not_use.stuck_end_session"),
    nothing("livy.rsc.test.do-not-use.stuck-start-driver", "false", FOR_TESTS)
        .formerly("livy.rsc.test.do_not_use.stuck_start_driver"),
];

/// Livy's Java client.
pub static CLIENT: &[LivyKey] = &[
    nothing("livy.uri", "", CLIENT_SIDE),
    nothing("livy.client.http.connection.timeout", "10s", CLIENT_SIDE),
    nothing(
        "livy.client.http.connection.idle.timeout",
        "10m",
        CLIENT_SIDE,
    ),
    nothing(
        "livy.client.http.connection.socket.timeout",
        "5m",
        CLIENT_SIDE,
    ),
    nothing(
        "livy.client.http.job.initial-poll-interval",
        "100ms",
        CLIENT_SIDE,
    )
    .formerly("livy.client.http.job.initial_poll_interval"),
    nothing("livy.client.http.job.max-poll-interval", "5s", CLIENT_SIDE)
        .formerly("livy.client.http.job.max_poll_interval"),
    nothing(
        "livy.client.http.content.compress.enable",
        "true",
        CLIENT_SIDE,
    ),
    nothing("livy.client.http.spnego.enable", "false", CLIENT_SIDE),
    nothing("livy.client.http.auth.login.config", "", CLIENT_SIDE),
    nothing("livy.client.http.krb5.debug", "false", CLIENT_SIDE),
    nothing("livy.client.http.krb5.conf", "", CLIENT_SIDE),
];
