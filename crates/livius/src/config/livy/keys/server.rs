//! The server's address, its user interface, and Spark.

use super::super::convert;
use super::{LivyKey, maps, not_yet, nothing};
use crate::config::sections::{files, server, spark};

const UI: &str = "`/` always redirects to `/ui`";

/// The server itself.
pub static KEYS: &[LivyKey] = &[
    maps("livy.server.host", "0.0.0.0", &[&server::LISTEN.key], convert::host)
        .but("It must be an address, or `localhost`. An address that other machines reach needs `server.allow_public_without_authentication`, because the server has no authentication yet. The server does not use Livy's default: without a host it listens on 127.0.0.1."),
    maps("livy.server.port", "8998", &[&server::LISTEN.key], convert::port),
    nothing("livy.server.server-url", "", "Livy's server sets it itself").formerly("livy.server.serverUrl"),
    nothing("livy.environment", "production", "error responses never show internals, so there is nothing to switch"),
    nothing("livy.server.request-header.size", "131072", "the headers of a request may have about 400 KiB, three times Livy's default"),
    nothing("livy.server.response-header.size", "131072", "the headers of a response have no limit"),
    nothing("livy.server.send-server-version", "false", "the server sends no `Server` header"),
    nothing("livy.server.request-log-retain.days", "5", "there are no files with an access log; the server logs requests with the rest at `logs.level = \"info,livius_http=debug\"`"),
    not_yet("livy.ui.enabled", "true", UI),
    not_yet("livy.ui.basePath", "", UI),
    not_yet("livy.ui.history-server-url", "http://spark-history-server", "the server links to Spark's pages of running applications only"),
];

/// Spark, and the files that requests may name.
pub static SPARK: &[LivyKey] = &[
    maps("livy.server.spark-home", "", &[&spark::HOME.key], convert::path),
    maps("livy.spark.master", "local", &[&spark::MASTER.key], convert::text)
        .but("If the key is not set, Livy always uses `local`. Here the default is `local[*]`, and requests may choose another master."),
    maps("livy.spark.deploy-mode", "", &[&spark::DEPLOY_MODE.key], convert::text)
        .formerly("livy.spark.deployMode")
        .but("`cluster` needs YARN, Kubernetes (`k8s://…`) or a standalone master (`spark://…`)."),
    nothing("livy.spark.scala-version", "", "the server compiles the agent for the Scala version of the Spark installation")
        .formerly("livy.spark.scalaVersion"),
    nothing("livy.spark.version", "", "the server asks Spark for its version"),
    maps("livy.repl.enable-hive-context", "false", &[&spark::CONF.key], convert::hive)
        .formerly("livy.repl.enableHiveContext")
        .but("It sets `spark.sql.catalogImplementation` for sessions and batches. A request's `conf` may override it. Spark reads `hive-site.xml` from its configuration directory."),
    maps("livy.file.local-dir-whitelist", "", &[&files::LOCAL_DIRECTORIES.key], convert::paths)
        .but("The server resolves links before it compares a path. If the key is not set, Livy allows no local files. Here a server that listens on loopback only and does not impersonate users allows any."),
    maps("livy.spark.file-list-configs", "", &[&spark::FILE_LIST_CONF.key], convert::list),
    nothing("livy.session.staging-dir", "<home>/.livy-sessions", "the server keeps uploaded files in the data directory until the session's driver has fetched them"),
    maps("livy.file.upload.max.size", "104857600", &[&server::UPLOAD_LIMIT.key], convert::text),
];
