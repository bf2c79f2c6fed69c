//! Timeouts and limits of sessions and batches.

use super::super::convert;
use super::{LivyKey, maps, nothing};
use crate::config::sections::{batches, sessions, spark};

const NO_THREADS: &str = "starting and stopping needs no thread pool; `sessions.max_starting` and `batches.max_starting` limit the starts";
const AGENT: &str = "the server compiles the agent for the Spark installation and gives it to the driver, so there are no jars to name";

/// Sessions and batches.
pub static KEYS: &[LivyKey] = &[
    maps("livy.server.session.timeout-check", "true", &[&sessions::IDLE_TIMEOUT.key], convert::timeout_check),
    nothing("livy.server.session.timeout-check.skip-busy", "false", "a session that runs a statement or job is never idle here, as with `true`"),
    maps("livy.server.session.timeout", "1h", &[&sessions::IDLE_TIMEOUT.key], convert::idle_timeout)
        .but("Time in which a statement runs does not count as idle. A session that was idle for too long stays in lists as `dead` until its retention ends."),
    maps("livy.server.session.ttl-check", "false", &[&sessions::TTL.key], convert::ttl_check)
        .but("The server always enforces a `ttl` of a request."),
    maps("livy.server.session.ttl", "8h", &[&sessions::TTL.key], convert::ttl)
        .but("It needs `livy.server.session.ttl-check`, as with Livy."),
    maps("livy.server.session.state-retain.sec", "600s", &[&sessions::RETENTION.key, &batches::RETENTION.key], convert::duration)
        .but("If the key is not set, sessions stay readable for a day and batches for a week."),
    maps("livy.server.session.max-creation", "100", &[&sessions::MAX_LIVE.key, &batches::MAX_RUNNING.key], convert::text)
        .but("Livy counts the processes of sessions and batches together, and in cluster mode only those that it is submitting. This server counts sessions and batches separately, in any mode, and batches beyond the limit wait."),
    maps("livy.server.session.allow-custom-classpath", "false", &[&spark::BLOCKED_CONF.key], convert::custom_classpath)
        .but("`false` blocks `spark.submit.deployMode`, but only if a file sets the key. The server always refuses `spark.submit.proxyUser.allowCustomClasspathInClusterMode`."),
    nothing("livy.server.session.manage.threads", "200", NO_THREADS),
    nothing("livy.server.session.manage.wait.queue.size", "100", NO_THREADS),
    nothing("livy.server.session.manage.keepalive.time", "10s", NO_THREADS),
    nothing("livy.server.session.manage.shutdown.timeout", "10s", "Livy does not use it either; `server.shutdown_timeout` limits the time of a shutdown"),
    nothing("livy.server.heartbeat-watchdog.interval", "1m", "the server looks every second for sessions whose clients stopped sending heartbeats"),
    nothing("livy.cache-log.size", "200", "the server keeps the whole output of a driver on disk, and clients can read all of it"),
    nothing("livy.repl.jars", "", AGENT),
    nothing("livy.rsc.jars", "", AGENT),
    nothing("livy.repl.sparkr.package", "", "the server takes it from the Spark installation"),
    nothing("livy.jars", "", "Livy's template names it, but Livy does not read it"),
    nothing("livy.server.session.factory", "process", "Livy since 0.3 ignores it as well; `spark.master` says where sessions run"),
];
