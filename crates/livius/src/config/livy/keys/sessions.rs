//! Timeouts and limits of sessions and batches.

use super::super::convert;
use super::{LivyKey, maps, nothing};
use crate::config::sections::{batches, sessions, spark};

const NO_THREADS: &str = "starting and stopping takes no threads of its own; `sessions.max_starting` and `batches.max_starting` bound the starts";
const AGENT: &str = "the agent is made for the Spark that it finds and goes with the driver: there are no jars to name";

/// Sessions and batches.
pub static KEYS: &[LivyKey] = &[
    maps("livy.server.session.timeout-check", "true", &[&sessions::IDLE_TIMEOUT.key], convert::timeout_check),
    nothing("livy.server.session.timeout-check.skip-busy", "false", "a session that runs something is never idle here, as with `true`"),
    maps("livy.server.session.timeout", "1h", &[&sessions::IDLE_TIMEOUT.key], convert::idle_timeout)
        .but("Time in which a statement runs does not count as idle. A session that was idle too long stays listed as `dead` until its retention is over."),
    maps("livy.server.session.ttl-check", "false", &[&sessions::TTL.key], convert::ttl_check)
        .but("A `ttl` that a request asks for counts in any case."),
    maps("livy.server.session.ttl", "8h", &[&sessions::TTL.key], convert::ttl)
        .but("Only with `livy.server.session.ttl-check`, as with Livy."),
    maps("livy.server.session.state-retain.sec", "600s", &[&sessions::RETENTION.key, &batches::RETENTION.key], convert::duration)
        .but("Where nobody sets it, sessions stay readable for a day and batches for a week."),
    maps("livy.server.session.max-creation", "100", &[&sessions::MAX_LIVE.key, &batches::MAX_RUNNING.key], convert::text)
        .but("Livy counts the processes of sessions and batches together, in cluster mode only those that are being submitted. Here sessions and batches are counted by themselves, in any mode, and batches in excess wait."),
    maps("livy.server.session.allow-custom-classpath", "false", &[&spark::BLOCKED_CONF.key], convert::custom_classpath)
        .but("`false` blocks `spark.submit.deployMode`, but only where it is written; `spark.submit.proxyUser.allowCustomClasspathInClusterMode` is always refused."),
    nothing("livy.server.session.manage.threads", "200", NO_THREADS),
    nothing("livy.server.session.manage.wait.queue.size", "100", NO_THREADS),
    nothing("livy.server.session.manage.keepalive.time", "10s", NO_THREADS),
    nothing("livy.server.session.manage.shutdown.timeout", "10s", "Livy does not use it either; the time that a shutdown may take is `server.shutdown_timeout`"),
    nothing("livy.server.heartbeat-watchdog.interval", "1m", "every second, sessions are looked at whose client is silent for too long"),
    nothing("livy.cache-log.size", "200", "the whole output of a driver is kept on disk and can be read back"),
    nothing("livy.repl.jars", "", AGENT),
    nothing("livy.rsc.jars", "", AGENT),
    nothing("livy.repl.sparkr.package", "", "it is taken from the Spark installation"),
    nothing("livy.jars", "", "Livy's template names it, but Livy does not read it"),
    nothing("livy.server.session.factory", "process", "Livy ignores it since 0.3 as well: `spark.master` says where sessions run"),
];
