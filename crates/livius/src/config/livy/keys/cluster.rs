//! Recovery and cluster managers.

use super::super::convert;
use super::{LivyKey, maps, not_yet, nothing};
use crate::config::sections::{batches, sessions, spark};

const OWN_STORE: &str = "the server always has its own store, in `server.data_dir`";
const NO_HADOOP: &str = "the store is not on HDFS, so the server has nothing to wait for";
const BY_TAG: &str = "an application has the tag of its driver before it is submitted, so the server looks for it until YARN says whether it exists";
const ONE_LIST: &str = "one request every two seconds lists the applications of all drivers";
const NO_LEAKS: &str = "the server kills an application that appears when its driver was to be ended already, for as long as it takes";
const BY_LABEL: &str = "the pods of a driver have its label before they are made, so the server looks for them until Kubernetes says whether they exist";
const NO_FAILURES: &str =
    "a driver keeps its state while the API server does not answer, for as long as that takes";
const ONE_WATCH: &str = "one watch tells about the drivers of a namespace";
const NO_PODS_LEFT: &str = "the server deletes the pods and the secret of a driver that has ended, and at its start those of drivers that it does not know";
const OWN_INGRESS: &str = "the Ingress of each driver is described by a file of yours that `kubernetes.ingress` names; docs/guide/kubernetes.md has the one that Livy makes, and where each of its keys goes";
const NO_GRAFANA: &str =
    "the log of a driver is in the server's responses and pages, and the server knows no Grafana";
const ANY_CONTAINER: &str = "the container of the driver is the one that Spark names `spark-kubernetes-driver`, or else the last of its pod, where Spark puts it, whatever runs with it";
const SUBMITS_TOO: &str = "Drivers are submitted with it as well.";
const TOKENS_IN_FILES: &str = "a token in the configuration would get into the server's store; write it to a file, and name that with `livy.server.kubernetes.oauthTokenFile`";
const UNRELEASED: &str = "no release of Livy up to 0.9 has it";

/// Recovery.
pub static RECOVERY: &[LivyKey] = &[
    maps("livy.server.recovery.mode", "off", &[&sessions::ON_SHUTDOWN.key, &batches::ON_SHUTDOWN.key], convert::recovery)
        .but("It works with every master, and not only on YARN and Kubernetes. After a crash the server recovers sessions and batches with `off` too. If the key is not set, a shutdown stops sessions and leaves batches running."),
    nothing("livy.server.recovery.state-store", "", OWN_STORE),
    nothing("livy.server.recovery.state-store.url", "", OWN_STORE),
    nothing("livy.server.zookeeper.url", "", OWN_STORE),
    nothing("livy.server.recovery.zk-state-store.key-prefix", "livy", OWN_STORE),
    nothing("livy.server.recovery.zk-state-store.retry-policy", "5,100", OWN_STORE),
    nothing("livy.server.zk.retry-policy", "", OWN_STORE),
    nothing("livy.server.zk.sasl.enabled", "false", OWN_STORE),
    nothing("livy.server.zk.sasl.login-context", "Client", OWN_STORE),
    nothing("livy.server.hdfs.safe-mode.interval", "5", NO_HADOOP),
    nothing("livy.server.hdfs.safe-mode.max.retry.attempts", "12", NO_HADOOP),
    nothing("livy.server.ha.mode", "off", UNRELEASED),
    nothing("livy.server.zk.services", "/livy/zk/services", UNRELEASED),
];

/// YARN.
pub static YARN: &[LivyKey] = &[
    nothing("livy.server.yarn.app-lookup-timeout", "120s", BY_TAG),
    nothing("livy.server.yarn.poll-interval", "5s", ONE_LIST),
    nothing(
        "livy.server.yarn.app-leakage.check-timeout",
        "600s",
        NO_LEAKS,
    )
    .formerly("livy.server.yarn.app-leakage.check_timeout"),
    nothing(
        "livy.server.yarn.app-leakage.check-interval",
        "60s",
        NO_LEAKS,
    )
    .formerly("livy.server.yarn.app-leakage.check_interval"),
];

/// Kubernetes.
pub static KUBERNETES: &[LivyKey] = &[
    maps(
        "livy.server.kubernetes.oauthTokenFile",
        "",
        &[&spark::CONF.key],
        convert::token_file,
    )
    .but(SUBMITS_TOO),
    not_yet(
        "livy.server.kubernetes.oauthTokenValue",
        "",
        TOKENS_IN_FILES,
    ),
    maps(
        "livy.server.kubernetes.caCertFile",
        "",
        &[&spark::CONF.key],
        convert::ca_file,
    )
    .but(SUBMITS_TOO),
    maps(
        "livy.server.kubernetes.clientKeyFile",
        "",
        &[&spark::CONF.key],
        convert::key_file,
    )
    .but(SUBMITS_TOO),
    maps(
        "livy.server.kubernetes.clientCertFile",
        "",
        &[&spark::CONF.key],
        convert::certificate_file,
    )
    .but(SUBMITS_TOO),
    nothing(
        "livy.server.kubernetes.app-lookup-timeout",
        "600s",
        BY_LABEL,
    ),
    nothing(
        "livy.server.kubernetes.app-lookup.max-failed.times",
        "120",
        NO_FAILURES,
    ),
    nothing(
        "livy.server.kubernetes.app-lookup.thread-pool.size",
        "4",
        ONE_WATCH,
    ),
    nothing("livy.server.kubernetes.poll-interval", "15s", ONE_WATCH),
    nothing(
        "livy.server.kubernetes.app-leakage.check-timeout",
        "600s",
        NO_PODS_LEFT,
    ),
    nothing(
        "livy.server.kubernetes.app-leakage.check-interval",
        "60s",
        NO_PODS_LEFT,
    ),
    not_yet(
        "livy.server.kubernetes.ingress.create",
        "false",
        OWN_INGRESS,
    ),
    not_yet("livy.server.kubernetes.ingress.className", "", OWN_INGRESS),
    not_yet(
        "livy.server.kubernetes.ingress.protocol",
        "http",
        OWN_INGRESS,
    ),
    not_yet(
        "livy.server.kubernetes.ingress.host",
        "localhost",
        OWN_INGRESS,
    ),
    not_yet(
        "livy.server.kubernetes.ingress.additionalConfSnippet",
        "",
        OWN_INGRESS,
    ),
    not_yet(
        "livy.server.kubernetes.ingress.additionalAnnotations",
        "",
        OWN_INGRESS,
    ),
    not_yet(
        "livy.server.kubernetes.ingress.tls.secretName",
        "spark-cluster-tls",
        OWN_INGRESS,
    ),
    not_yet(
        "livy.server.kubernetes.grafana.loki.enabled",
        "false",
        NO_GRAFANA,
    ),
    not_yet(
        "livy.server.kubernetes.grafana.url",
        "http://localhost:3000",
        NO_GRAFANA,
    ),
    not_yet(
        "livy.server.kubernetes.grafana.loki.datasource",
        "loki",
        NO_GRAFANA,
    ),
    not_yet("livy.server.kubernetes.grafana.timeRange", "6h", NO_GRAFANA),
    nothing(
        "livy.server.kubernetes.spark.sidecar.enabled",
        "true",
        ANY_CONTAINER,
    ),
    nothing(
        "livy.server.kubernetes.spark.container.name",
        "spark-container",
        ANY_CONTAINER,
    ),
    nothing("livy.server.kubernetes.allowedNamespaces", "", UNRELEASED),
    nothing("livy.server.kubernetes.defaultNamespace", "", UNRELEASED),
];
