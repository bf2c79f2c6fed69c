//! Recovery and cluster managers.

use super::super::convert;
use super::{LivyKey, maps, not_yet, nothing};
use crate::config::sections::{batches, sessions};

const OWN_STORE: &str = "the server always has its own store, in `server.data_dir`";
const NO_HADOOP: &str = "the store is not on HDFS, so the server has nothing to wait for";
const BY_TAG: &str = "an application has the tag of its driver before it is submitted, so the server looks for it until YARN says whether it exists";
const ONE_LIST: &str = "one request every two seconds lists the applications of all drivers";
const NO_LEAKS: &str = "the server kills an application that appears when its driver was to be ended already, for as long as it takes";
const NO_KUBERNETES: &str = "the server does not support Kubernetes yet; drivers run on the server's machine or on a standalone cluster";
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
    not_yet("livy.server.kubernetes.oauthTokenFile", "", NO_KUBERNETES),
    not_yet("livy.server.kubernetes.oauthTokenValue", "", NO_KUBERNETES),
    not_yet("livy.server.kubernetes.caCertFile", "", NO_KUBERNETES),
    not_yet("livy.server.kubernetes.clientKeyFile", "", NO_KUBERNETES),
    not_yet("livy.server.kubernetes.clientCertFile", "", NO_KUBERNETES),
    not_yet(
        "livy.server.kubernetes.app-lookup-timeout",
        "600s",
        NO_KUBERNETES,
    ),
    not_yet(
        "livy.server.kubernetes.app-lookup.max-failed.times",
        "120",
        NO_KUBERNETES,
    ),
    not_yet(
        "livy.server.kubernetes.app-lookup.thread-pool.size",
        "4",
        NO_KUBERNETES,
    ),
    not_yet("livy.server.kubernetes.poll-interval", "15s", NO_KUBERNETES),
    not_yet(
        "livy.server.kubernetes.app-leakage.check-timeout",
        "600s",
        NO_KUBERNETES,
    ),
    not_yet(
        "livy.server.kubernetes.app-leakage.check-interval",
        "60s",
        NO_KUBERNETES,
    ),
    not_yet(
        "livy.server.kubernetes.ingress.create",
        "false",
        NO_KUBERNETES,
    ),
    not_yet(
        "livy.server.kubernetes.ingress.className",
        "",
        NO_KUBERNETES,
    ),
    not_yet(
        "livy.server.kubernetes.ingress.protocol",
        "http",
        NO_KUBERNETES,
    ),
    not_yet(
        "livy.server.kubernetes.ingress.host",
        "localhost",
        NO_KUBERNETES,
    ),
    not_yet(
        "livy.server.kubernetes.ingress.additionalConfSnippet",
        "",
        NO_KUBERNETES,
    ),
    not_yet(
        "livy.server.kubernetes.ingress.additionalAnnotations",
        "",
        NO_KUBERNETES,
    ),
    not_yet(
        "livy.server.kubernetes.ingress.tls.secretName",
        "spark-cluster-tls",
        NO_KUBERNETES,
    ),
    not_yet(
        "livy.server.kubernetes.grafana.loki.enabled",
        "false",
        NO_KUBERNETES,
    ),
    not_yet(
        "livy.server.kubernetes.grafana.url",
        "http://localhost:3000",
        NO_KUBERNETES,
    ),
    not_yet(
        "livy.server.kubernetes.grafana.loki.datasource",
        "loki",
        NO_KUBERNETES,
    ),
    not_yet(
        "livy.server.kubernetes.grafana.timeRange",
        "6h",
        NO_KUBERNETES,
    ),
    not_yet(
        "livy.server.kubernetes.spark.sidecar.enabled",
        "true",
        NO_KUBERNETES,
    ),
    not_yet(
        "livy.server.kubernetes.spark.container.name",
        "spark-container",
        NO_KUBERNETES,
    ),
    nothing("livy.server.kubernetes.allowedNamespaces", "", UNRELEASED),
    nothing("livy.server.kubernetes.defaultNamespace", "", UNRELEASED),
];
