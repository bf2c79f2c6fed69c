//! The server's address, its user interface, and Spark.

use super::super::convert;
use super::{LivyKey, maps, not_yet, nothing};
use crate::config::sections::{files, server, spark};

const UI: &str = "`/` leads to `/ui`, always";

/// The server itself.
pub static KEYS: &[LivyKey] = &[
    maps("livy.server.host", "0.0.0.0", &[&server::LISTEN.key], convert::host)
        .but("It must be an address, or `localhost`. One that other machines reach needs `server.allow_public_without_authentication`, as there is no authentication yet. Livy's default is not taken over: without a host it is 127.0.0.1."),
    maps("livy.server.port", "8998", &[&server::LISTEN.key], convert::port),
    nothing("livy.server.server-url", "", "Livy's server sets it itself").formerly("livy.server.serverUrl"),
    nothing("livy.environment", "production", "errors never tell what is inside, so there is nothing to switch"),
    nothing("livy.server.request-header.size", "131072", "headers of a request may take some 400 KiB, three times Livy's default"),
    nothing("livy.server.response-header.size", "131072", "headers of an answer have no limit"),
    nothing("livy.server.send-server-version", "false", "no `Server` header is sent"),
    nothing("livy.server.request-log-retain.days", "5", "there is no access log in files: requests are logged with the rest at `logs.level = \"info,livius_http=debug\"`"),
    not_yet("livy.ui.enabled", "true", UI),
    not_yet("livy.ui.basePath", "", UI),
    not_yet("livy.ui.history-server-url", "http://spark-history-server", "links to finished applications on Kubernetes come with Kubernetes"),
];

/// Spark, and the files that requests may name.
pub static SPARK: &[LivyKey] = &[
    maps("livy.server.spark-home", "", &[&spark::HOME.key], convert::path),
    maps("livy.spark.master", "local", &[&spark::MASTER.key], convert::text)
        .but("Where nobody sets it, Livy insists on `local`; here it is `local[*]`, and requests may choose another."),
    maps("livy.spark.deploy-mode", "", &[&spark::DEPLOY_MODE.key], convert::text)
        .formerly("livy.spark.deployMode")
        .but("`cluster` needs a standalone master (`spark://…`): on YARN and Kubernetes it is not there yet."),
    nothing("livy.spark.scala-version", "", "the agent is compiled for the Scala of the Spark that it finds")
        .formerly("livy.spark.scalaVersion"),
    nothing("livy.spark.version", "", "Spark itself is asked for its version"),
    maps("livy.repl.enable-hive-context", "false", &[&spark::CONF.key], convert::hive)
        .formerly("livy.repl.enableHiveContext")
        .but("It sets `spark.sql.catalogImplementation`, which a request's `conf` may override, and which batches get too. `hive-site.xml` is read from Spark's configuration directory."),
    maps("livy.file.local-dir-whitelist", "", &[&files::LOCAL_DIRECTORIES.key], convert::paths)
        .but("Links are resolved before a path is compared. Where nobody sets it, Livy allows none; here a server that only listens on loopback and impersonates nobody allows any."),
    maps("livy.spark.file-list-configs", "", &[&spark::FILE_LIST_CONF.key], convert::list),
    nothing("livy.session.staging-dir", "<home>/.livy-sessions", "uploaded files are kept in the data directory until the session's driver has fetched them"),
    maps("livy.file.upload.max.size", "104857600", &[&server::UPLOAD_LIMIT.key], convert::text),
];
