//! Every key that exists: its form, its default and its meaning.

use super::value::Shape;

/// A key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// Section and name, with a dot between.
    pub path: &'static str,
    /// The form of its value.
    pub shape: Shape,
    /// Its default, as it would be written; `None` when there is none.
    pub default: Option<&'static str>,
    /// A variable of the wider world that is read when nothing else sets it.
    pub fallback: Option<&'static str>,
    /// What it does, as one or two sentences.
    pub about: &'static str,
}

impl Key {
    /// The environment variable that sets it.
    pub fn variable(&self) -> String {
        format!(
            "LIVIUS_{}",
            self.path.replace('.', "_").to_ascii_uppercase()
        )
    }
}

/// Every key, by section.
pub fn all() -> impl Iterator<Item = &'static Key> {
    [SERVER, SPARK, SESSIONS, BATCHES, REST]
        .into_iter()
        .flatten()
}

/// The key of that path.
pub fn find(path: &str) -> Option<&'static Key> {
    all().find(|key| key.path == path)
}

const fn key(path: &'static str, shape: Shape, default: &'static str, about: &'static str) -> Key {
    Key {
        path,
        shape,
        default: Some(default),
        fallback: None,
        about,
    }
}

const fn optional(path: &'static str, shape: Shape, about: &'static str) -> Key {
    Key {
        path,
        shape,
        default: None,
        fallback: None,
        about,
    }
}

const fn falling_back(path: &'static str, variable: &'static str, about: &'static str) -> Key {
    Key {
        path,
        shape: Shape::Path,
        default: None,
        fallback: Some(variable),
        about,
    }
}

const SERVER: &[Key] = &[
    key(
        "server.listen",
        Shape::Address,
        "127.0.0.1:8998",
        "Where the server listens, for clients and for the agents in its drivers. Port 0 takes a free one.",
    ),
    optional(
        "server.agent_url",
        Shape::Text,
        "Where drivers reach this server, as `ws://host:port`, when that is not the address it listens on: behind a proxy, or from other machines.",
    ),
    optional(
        "server.data_dir",
        Shape::Path,
        "Everything that the server keeps: its store, the drivers' logs, the Spark installations it manages. Without it `$XDG_DATA_HOME/livius` or `~/.local/share/livius`.",
    ),
    key(
        "server.allow_public_without_authentication",
        Shape::Switch,
        "false",
        "Lets the server listen on an address that other machines reach although it authenticates nobody: whoever reaches it runs code as its user.",
    ),
    key(
        "server.body_limit",
        Shape::Size,
        "64m",
        "The longest request body. All that are being received take four times as much memory at most; more wait, and are refused.",
    ),
    key(
        "server.code_limit",
        Shape::Size,
        "32m",
        "The longest code of one statement.",
    ),
    key(
        "server.upload_limit",
        Shape::Size,
        "100m",
        "The longest file that is uploaded to a session. It is kept on disk until the session's driver has it.",
    ),
    key(
        "server.host_names",
        Shape::List,
        "",
        "Names, without ports, that browsers reach this server by. Pages that were opened by them may change things here, as those that were opened as `localhost` or by address; pages of any other origin may not. A proxy must pass `Host` on. Programs are not concerned.",
    ),
    key(
        "server.csrf_protection",
        Shape::Switch,
        "false",
        "Whether a request that changes something (all but GET, HEAD and OPTIONS) needs the header `X-Requested-By`, with any value, as with Livy's protection against forged requests. Many clients do not send it by themselves. Pages of other sites may change nothing here in any case.",
    ),
    key(
        "server.header_x_xss_protection",
        Shape::Text,
        "1; mode=block",
        "The header `X-XSS-Protection` of every answer; `off` leaves it out.",
    ),
    key(
        "server.header_x_frame_options",
        Shape::Text,
        "SAMEORIGIN",
        "The header `X-Frame-Options` of every answer; `off` leaves it out.",
    ),
    key(
        "server.header_x_content_type_options",
        Shape::Text,
        "nosniff",
        "The header `X-Content-Type-Options` of every answer; `off` leaves it out.",
    ),
    key(
        "server.header_content_security_policy",
        Shape::Text,
        "default-src 'self'; script-src 'self' 'unsafe-inline'; img-src 'self'; frame-src 'self';",
        "The header `Content-Security-Policy` of every answer; `off` leaves it out. The pages under `/ui` need scripts, styles and requests from `'self'`, and nothing inline.",
    ),
    key(
        "server.ignore_unknown_fields",
        Shape::Switch,
        "false",
        "Whether fields of a request that Livy does not know are ignored. Without it they are refused, as Livy refuses them.",
    ),
    key(
        "server.shutdown_timeout",
        Shape::Duration,
        "1m",
        "How long a shutdown may take, drivers and all, before what is left is abandoned.",
    ),
];

const SPARK: &[Key] = &[
    falling_back(
        "spark.home",
        "SPARK_HOME",
        "The Spark installation of new sessions and batches. Without it the one whose `spark-submit` is on the `PATH`, else the newest that `livius setup` made.",
    ),
    key(
        "spark.master",
        Shape::Text,
        "local[*]",
        "Spark's master. Once it is set, sessions and batches cannot choose another; until then they can.",
    ),
    optional(
        "spark.deploy_mode",
        Shape::Choice(&["client", "cluster"]),
        "Spark's deploy mode. Once it is set, sessions and batches cannot choose another. `cluster` needs a standalone master (`spark://…`).",
    ),
    optional(
        "spark.conf",
        Shape::Table,
        "Spark configuration that every session and batch starts from; a request's own `conf` wins.",
    ),
    key(
        "spark.blocked_conf",
        Shape::List,
        "",
        "Spark configuration keys that requests may not name, besides those that would change who a driver runs as.",
    ),
    key(
        "spark.file_list_conf",
        Shape::List,
        "",
        "Further keys of a request's `conf` that hold lists of files, checked like Spark's own: only files that requests may name (`files.local_directories`).",
    ),
    falling_back(
        "java.home",
        "JAVA_HOME",
        "The Java that runs drivers. Without it one on the `PATH` that fits, else the managed one.",
    ),
];

const SESSIONS: &[Key] = &[
    key(
        "sessions.max_live",
        Shape::Count(1),
        "100",
        "Sessions that have not ended, at once. More are refused as Livy refuses them.",
    ),
    key(
        "sessions.max_starting",
        Shape::Count(1),
        "4",
        "Drivers that are being started at once. More wait their turn as `starting`.",
    ),
    key(
        "sessions.max_waiting_statements",
        Shape::Count(1),
        "1000",
        "Statements that wait in one session. More are refused.",
    ),
    key(
        "sessions.idle_timeout",
        Shape::DurationOrNever,
        "1h",
        "How long a session may be idle, where its request does not say (`idleTimeout`).",
    ),
    key(
        "sessions.ttl",
        Shape::DurationOrNever,
        "never",
        "How long a session may live, where its request does not say (`ttl`).",
    ),
    key(
        "sessions.start_timeout",
        Shape::Duration,
        "10m",
        "How long the start of a driver may take.",
    ),
    key(
        "sessions.stop_grace",
        Shape::Duration,
        "10s",
        "From asking a driver to stop until it is made to.",
    ),
    key(
        "sessions.link_grace",
        Shape::Duration,
        "10m",
        "How long a driver lives on, and is waited for, without a link to the server: the longest restart that sessions survive.",
    ),
    key(
        "sessions.retention",
        Shape::Duration,
        "1d",
        "How long ended sessions stay readable.",
    ),
    key(
        "sessions.max_ended",
        Shape::Count(0),
        "1000",
        "How many ended sessions stay readable; the oldest go first.",
    ),
    key(
        "sessions.retained_statements",
        Shape::Count(1),
        "1000",
        "Finished statements that are kept for one session; the oldest go first.",
    ),
    key(
        "sessions.max_unfinished_jobs",
        Shape::Within(1, 256),
        "64",
        "Jobs of the programmatic API that are not over, in one session. They run side by side. More are refused with status 429.",
    ),
    key(
        "sessions.retained_jobs",
        Shape::Count(1),
        "1000",
        "Jobs that are over and are kept, with their results, for one session; the oldest go first.",
    ),
    key(
        "sessions.max_pending_files",
        Shape::Within(1, 512),
        "100",
        "Files that were added or uploaded to one session and that its driver does not have yet. More are refused with status 429.",
    ),
    key(
        "sessions.sql_max_rows",
        Shape::Count(1),
        "1000",
        "Rows of an SQL result at most, where the request's `conf` does not say (`livy.rsc.sql.num-rows`).",
    ),
    key(
        "sessions.on_shutdown",
        Shape::Choice(&["stop", "keep"]),
        "stop",
        "What a shutdown does with running sessions: stop them, or keep their drivers for the next server.",
    ),
];

const BATCHES: &[Key] = &[
    key(
        "batches.max_starting",
        Shape::Count(1),
        "4",
        "Batches that are being started at once. More wait their turn as `starting`, in the order in which they came.",
    ),
    key(
        "batches.max_running",
        Shape::Count(1),
        "100",
        "Batches whose processes live at once. More wait their turn as `starting`, in the order in which they came.",
    ),
    key(
        "batches.max_waiting",
        Shape::Count(1),
        "10000",
        "Batches that wait their turn. More are refused with status 429.",
    ),
    key(
        "batches.stop_grace",
        Shape::Duration,
        "10s",
        "From asking a batch's process to end (SIGTERM) until it is made to (SIGKILL).",
    ),
    key(
        "batches.retention",
        Shape::Duration,
        "7d",
        "How long ended batches stay readable.",
    ),
    key(
        "batches.max_ended",
        Shape::Count(0),
        "10000",
        "How many ended batches stay readable; the oldest go first.",
    ),
    key(
        "batches.on_shutdown",
        Shape::Choice(&["keep", "stop"]),
        "keep",
        "What a shutdown does with running batches: leave them to the next server, or end them. Those that wait their turn wait on in either case.",
    ),
];

const REST: &[Key] = &[
    key(
        "impersonation.enabled",
        Shape::Switch,
        "false",
        "Whether sessions and batches run as the `proxyUser` of their request.",
    ),
    key(
        "impersonation.superusers",
        Shape::List,
        "",
        "Users that may impersonate anyone; `*` is everyone.",
    ),
    optional(
        "files.local_directories",
        Shape::Paths,
        "Directories of this machine whose files requests may name. Without it any on a server that only listens on loopback and impersonates nobody, none on others. What a path leads to counts, links resolved, when it is asked for and again when it is used.",
    ),
    key(
        "logs.format",
        Shape::Choice(&["text", "json"]),
        "text",
        "How the log is written to standard error.",
    ),
    key(
        "logs.level",
        Shape::Text,
        "info",
        "What is logged: `error`, `warn`, `info`, `debug`, `trace`, or directives such as `info,livius_sessions=debug`.",
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn paths_and_variables_are_unique() {
        let paths: BTreeSet<&str> = all().map(|key| key.path).collect();
        let variables: BTreeSet<String> = all().map(Key::variable).collect();
        assert_eq!(paths.len(), all().count());
        assert_eq!(variables.len(), all().count());
        assert!(variables.contains("LIVIUS_SESSIONS_IDLE_TIMEOUT"));
    }
}
