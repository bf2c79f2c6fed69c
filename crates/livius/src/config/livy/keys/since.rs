//! The first version of Livy that has a key, in its present or old spelling, according to Livy's
//! source.

/// Keys by version. An entry that ends in a dot is a prefix; the longest matching entry counts.
const SINCE: &[(&str, &[&str])] = &[
    (
        "0.2",
        &[
            "livy.client.http.",
            "livy.environment",
            "livy.file.local-dir-whitelist",
            "livy.file.upload.max.size",
            "livy.impersonation.enabled",
            "livy.jars",
            "livy.keystore",
            "livy.keystore.password",
            "livy.pyspark.archives",
            "livy.repl.jars",
            "livy.repl.sparkr.package",
            "livy.rsc.",
            "livy.server.auth.kerberos.",
            "livy.server.auth.type",
            "livy.server.host",
            "livy.server.port",
            "livy.server.server-url",
            "livy.server.session.factory",
            "livy.server.session.timeout",
            "livy.server.spark-home",
            "livy.session.staging-dir",
            "livy.spark.file-list-configs",
            "livy.sparkr.package",
            "livy.superusers",
            "livy.uri",
        ],
    ),
    (
        "0.3",
        &[
            "livy.client.http.auth.login.config",
            "livy.client.http.content.compress.enable",
            "livy.client.http.krb5.conf",
            "livy.client.http.krb5.debug",
            "livy.client.http.spnego.enable",
            "livy.repl.enable-hive-context",
            "livy.rsc.job-cancel.timeout",
            "livy.rsc.job-cancel.trigger-interval",
            "livy.rsc.test.do-not-use.stuck-end-session",
            "livy.rsc.test.do-not-use.stuck-start-driver",
            "livy.server.access-control.enabled",
            "livy.server.access_control.users",
            "livy.server.csrf-protection.enabled",
            "livy.server.heartbeat-watchdog.interval",
            "livy.server.launch.kerberos.",
            "livy.server.recovery.",
            "livy.server.request-log-retain.days",
            "livy.server.yarn.",
            "livy.spark.deploy-mode",
            "livy.spark.master",
            "livy.spark.scala-version",
            "livy.spark.version",
        ],
    ),
    (
        "0.4",
        &[
            "livy.cache-log.size",
            "livy.key-password",
            "livy.rsc.launcher.port.range",
            "livy.rsc.retained-statements",
            "livy.server.access-control.allowed-users",
            "livy.server.access-control.modify-users",
            "livy.server.access-control.view-users",
            "livy.server.request-header.size",
            "livy.server.response-header.size",
            "livy.server.session.state-retain.sec",
            "livy.server.session.timeout-check",
            "livy.ui.enabled",
        ],
    ),
    (
        "0.5",
        &[
            "livy.rsc.retained.share-variables",
            "livy.rsc.sql.num-rows",
            "livy.server.session.max-creation",
        ],
    ),
    (
        "0.6",
        &[
            "livy.hadoop.security.credential.provider.path",
            "livy.server.auth.<name>.",
            "livy.server.thrift.",
            "livy.ui.basePath",
        ],
    ),
    (
        "0.7",
        &[
            "livy.rsc.test.do-not-use.no-code-coverage-analysis",
            "livy.server.auth.ldap.",
            "livy.server.session.timeout-check.skip-busy",
            "livy.server.thrift.ldap.authentication.userfilter",
        ],
    ),
    (
        "0.8",
        &[
            "livy.server.recovery.zk-state-store.key-prefix",
            "livy.server.recovery.zk-state-store.retry-policy",
            "livy.server.send-server-version",
            "livy.server.session.allow-custom-classpath",
            "livy.server.zk.retry-policy",
            "livy.server.zookeeper.url",
        ],
    ),
    (
        "0.9",
        &[
            "livy.keystore.type",
            "livy.server.hdfs.safe-mode.",
            "livy.server.http.header.",
            "livy.server.kubernetes.",
            "livy.server.security-headers.enabled",
            "livy.server.session.manage.",
            "livy.server.session.ttl",
            "livy.server.session.ttl-check",
            "livy.ui.history-server-url",
        ],
    ),
];

/// Keys that no release up to 0.9 has.
const UNRELEASED: &[&str] = &[
    "livy.server.ha.mode",
    "livy.server.kubernetes.allowedNamespaces",
    "livy.server.kubernetes.defaultNamespace",
    "livy.server.zk.sasl.enabled",
    "livy.server.zk.sasl.login-context",
    "livy.server.zk.services",
];

/// The first version up to 0.9 that has the key; `None` if no release has it.
pub fn since(name: &str) -> Option<&'static str> {
    if UNRELEASED.contains(&name) {
        return None;
    }
    deciding(name).map(|(version, _)| version)
}

fn deciding(name: &str) -> Option<(&'static str, &'static str)> {
    let all = SINCE
        .iter()
        .flat_map(|(version, entries)| entries.iter().map(move |entry| (*version, *entry)));
    all.filter(|(_, entry)| *entry == name || entry.ends_with('.') && name.starts_with(entry))
        .max_by_key(|(_, entry)| entry.len())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::all;
    use super::*;

    #[test]
    fn every_key_has_a_version_or_is_in_no_release() {
        let unknown: BTreeSet<&str> = all()
            .map(|key| key.name)
            .filter(|name| since(name).is_none())
            .collect();
        assert_eq!(unknown, UNRELEASED.iter().copied().collect());
    }

    #[test]
    fn every_entry_is_about_some_key_and_there_once() {
        let used: BTreeSet<&str> = all()
            .filter_map(|key| deciding(key.name))
            .map(|(_, entry)| entry)
            .collect();
        let entries: Vec<&str> = SINCE
            .iter()
            .flat_map(|(_, entries)| *entries)
            .copied()
            .collect();
        assert_eq!(entries.len(), used.len());
        assert_eq!(entries.into_iter().collect::<BTreeSet<_>>(), used);
    }

    #[test]
    fn the_longest_entry_counts() {
        let cases = [
            ("livy.keystore", Some("0.2")),
            ("livy.keystore.type", Some("0.9")),
            ("livy.rsc.rpc.threads", Some("0.2")),
            ("livy.rsc.sql.num-rows", Some("0.5")),
            ("livy.server.zk.services", None),
        ];
        for (name, expected) in cases {
            assert_eq!(since(name), expected, "{name}");
        }
    }
}
