//! What the configuration of a driver may ask of Kubernetes.

use std::collections::BTreeMap;
use std::fmt;

use super::address;

const MASTER: &str = "spark.master";
const NAMESPACE: &str = "spark.kubernetes.namespace";
/// Spark's namespace when none is named.
const DEFAULT_NAMESPACE: &str = "default";
const IMAGES: [&str; 3] = [
    "spark.kubernetes.container.image",
    "spark.kubernetes.driver.container.image",
    "spark.kubernetes.executor.container.image",
];
const TEMPLATES: [&str; 2] = [
    "spark.kubernetes.driver.podTemplateFile",
    "spark.kubernetes.executor.podTemplateFile",
];
/// Keys whose values are names of service accounts.
const ACCOUNTS: [&str; 3] = [
    "spark.kubernetes.authenticate.driver.serviceAccountName",
    "spark.kubernetes.authenticate.executor.serviceAccountName",
    "spark.kubernetes.authenticate.serviceAccountName",
];
/// Keys with these prefixes end with a name that the user chooses.
const LABELS: [&str; 3] = [
    "spark.kubernetes.driver.label.",
    "spark.kubernetes.driver.service.label.",
    "spark.kubernetes.executor.label.",
];
const MOUNTED_SECRETS: [&str; 2] = [
    "spark.kubernetes.driver.secrets.",
    "spark.kubernetes.executor.secrets.",
];
const SECRET_REFERENCES: [&str; 2] = [
    "spark.kubernetes.driver.secretKeyRef.",
    "spark.kubernetes.executor.secretKeyRef.",
];
/// Keys whose values are names of secrets.
const NAMED_SECRETS: [&str; 2] = [
    "spark.kubernetes.kerberos.tokenSecret.name",
    "spark.kubernetes.container.image.pullSecrets",
];
const HOST_PATHS: [&str; 2] = [
    "spark.kubernetes.driver.volumes.hostPath.",
    "spark.kubernetes.executor.volumes.hostPath.",
];

const TOKEN: &str = "spark.kubernetes.authenticate.submission.oauthToken";

/// The prefix of the labels that the server gives.
pub(crate) const OUR_LABELS: &str = "livius/";
/// The prefix of the names of the server's secrets and pods.
pub(crate) const OUR_NAMES: &str = "livius-";

/// The longest value that a refusal repeats, in characters.
const MAX_CHARS: usize = 200;

/// The limits of drivers on Kubernetes. In patterns `*` stands for any text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KubernetesLimits {
    /// The masters of the server's own configuration. They need no pattern.
    pub own_masters: Vec<String>,
    /// Patterns of further API servers. Within an address, `*` does not stand for a slash.
    pub masters: Vec<String>,
    /// Patterns of namespaces.
    pub namespaces: Vec<String>,
    /// Patterns of container images.
    pub images: Vec<String>,
    /// Pod templates, as the configuration names them.
    pub pod_templates: Vec<String>,
    /// Directories of the nodes. Drivers and executors may mount them and everything below them.
    pub host_paths: Vec<String>,
    /// The service accounts of the server's own configuration. They need no pattern.
    pub own_service_accounts: Vec<String>,
    /// Patterns of further service accounts.
    pub service_accounts: Vec<String>,
}

impl Default for KubernetesLimits {
    /// The limits of a server that nobody has configured.
    fn default() -> Self {
        Self {
            own_masters: Vec::new(),
            masters: Vec::new(),
            namespaces: vec!["*".to_owned()],
            images: vec!["*".to_owned()],
            pod_templates: Vec::new(),
            host_paths: Vec::new(),
            own_service_accounts: Vec::new(),
            service_accounts: Vec::new(),
        }
    }
}

/// A setting that the server does not grant on Kubernetes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KubernetesRefusal {
    /// The key of the configuration.
    pub key: String,
    /// The value, cut to a readable length. `None` if it may be a secret or says nothing.
    pub value: Option<String>,
    /// The reason, with the setting to change.
    pub why: String,
}

impl fmt::Display for KubernetesRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Some(value) => write!(f, "use {}={value}: {}", self.key, self.why),
            None => write!(f, "use {}: {}", self.key, self.why),
        }
    }
}

impl std::error::Error for KubernetesRefusal {}

impl KubernetesRefusal {
    /// The message for a client whose request asks for it.
    pub fn refusal(&self) -> String {
        match &self.value {
            Some(value) => format!("conf.{} is {value:?}: {}", self.key, self.why),
            None => format!("conf.{}: {}", self.key, self.why),
        }
    }
}

/// How much of a configuration is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known<'a> {
    /// The part that the server knows. The installation's defaults may set keys that are absent.
    Partly,
    /// Everything.
    Wholly(Installed<'a>),
}

/// The part of a configuration that is the installation's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Installed<'a> {
    pub(crate) master: Option<&'a str>,
    /// The content of `spark-defaults.conf`.
    pub(crate) defaults: &'a BTreeMap<String, String>,
}

impl KubernetesLimits {
    /// Judges a configuration, as far as the server knows it. One whose master is no API server
    /// passes.
    pub fn check(&self, conf: &BTreeMap<String, String>) -> Result<(), KubernetesRefusal> {
        let master = conf.get(MASTER).map_or("", String::as_str);
        if master.starts_with("k8s://") {
            self.judge(conf, Known::Partly)?;
        }
        Ok(())
    }

    /// Whether a text can be an API server among [`Self::masters`].
    pub fn is_master(text: &str) -> bool {
        text == "*" || address::normal(text).is_some()
    }

    /// The service accounts that a configuration names.
    pub fn accounts_in(conf: &BTreeMap<String, String>) -> impl Iterator<Item = &str> {
        let named = ACCOUNTS.into_iter().filter_map(|key| conf.get(key));
        named.map(|name| name.trim())
    }

    /// Judges the configuration of a driver whose master is an API server.
    pub(crate) fn judge(
        &self,
        conf: &BTreeMap<String, String>,
        known: Known<'_>,
    ) -> Result<(), KubernetesRefusal> {
        let get = |key: &str| conf.get(key).map(|value| value.trim());
        let installed = match known {
            Known::Partly => None,
            Known::Wholly(installed) => Some(installed),
        };
        self.judge_master(get(MASTER).unwrap_or_default(), installed)?;
        let default = installed.map(|_| DEFAULT_NAMESPACE);
        if let Some(namespace) = get(NAMESPACE).or(default) {
            allow(
                &self.namespaces,
                NAMESPACE,
                namespace,
                "kubernetes.namespaces",
            )?;
        }
        for key in IMAGES {
            if let Some(image) = get(key) {
                allow(&self.images, key, image, "kubernetes.images")?;
            }
        }
        for key in TEMPLATES {
            if let Some(file) = get(key)
                && !self.pod_templates.iter().any(|allowed| allowed == file)
            {
                return Err(not_in(key, file, "kubernetes.pod_templates"));
            }
        }
        for key in ACCOUNTS {
            if let Some(account) = get(key) {
                self.judge_account(key, account, installed)?;
            }
        }
        for (key, value) in conf {
            judge_names(key, value)?;
            self.judge_host_path(key, value)?;
        }
        Ok(())
    }

    /// A submitter sends its credentials to the master.
    fn judge_master(
        &self,
        master: &str,
        installed: Option<Installed<'_>>,
    ) -> Result<(), KubernetesRefusal> {
        let Some(address) = address::normal(master) else {
            let why = "write the master as k8s://https://host:port";
            return Err(refuse(MASTER, Some(master), why.to_owned()));
        };
        let installed = installed.and_then(|installed| installed.master);
        let mut own = self.own_masters.iter().map(String::as_str).chain(installed);
        let is_own = own.any(|own| address::normal(own).as_ref() == Some(&address));
        let is_allowed = |pattern: &String| {
            pattern == "*"
                || address::normal(pattern)
                    .is_some_and(|pattern| matches(&pattern, &address, Some('/')))
        };
        if is_own || self.masters.iter().any(is_allowed) {
            return Ok(());
        }
        Err(not_in(MASTER, master, "kubernetes.masters"))
    }

    /// A driver has all rights of its account.
    fn judge_account(
        &self,
        key: &str,
        account: &str,
        installed: Option<Installed<'_>>,
    ) -> Result<(), KubernetesRefusal> {
        let own = self.own_service_accounts.iter().map(String::as_str);
        let installed = installed.map(|installed| Self::accounts_in(installed.defaults));
        let mut known = own.chain(installed.into_iter().flatten());
        if known.any(|own| own == account) {
            return Ok(());
        }
        allow(
            &self.service_accounts,
            key,
            account,
            "kubernetes.service_accounts",
        )
    }

    fn judge_host_path(&self, key: &str, value: &str) -> Result<(), KubernetesRefusal> {
        let is_host_path = HOST_PATHS.iter().any(|prefix| key.starts_with(prefix));
        if !is_host_path || !key.ends_with(".options.path") {
            return Ok(());
        }
        let path = value.trim();
        let climbs = path.split('/').any(|part| part == "..");
        let is_below = |directory: &String| {
            let directory = directory.trim_end_matches('/');
            path.strip_prefix(directory)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if !climbs && path.starts_with('/') && self.host_paths.iter().any(is_below) {
            return Ok(());
        }
        Err(not_in(key, path, "kubernetes.host_paths"))
    }
}

/// Refuses a token that the server would have to store, and our own labels and secrets. A request could read another driver's secret by them, or take
/// the place of another driver.
fn judge_names(key: &str, value: &str) -> Result<(), KubernetesRefusal> {
    let suffix = |prefixes: &[&str]| {
        let mut found = prefixes
            .iter()
            .filter_map(|prefix| key.strip_prefix(prefix));
        found.next()
    };
    if key == TOKEN {
        let why = format!(
            "the server needs the token as well, after a restart too: write it to a file, and name that with {TOKEN}File"
        );
        return Err(refuse(key, None, why));
    }
    if suffix(&LABELS).is_some_and(|label| label.starts_with(OUR_LABELS)) {
        let why = format!("labels that begin with {OUR_LABELS} are the server's");
        return Err(refuse(key, None, why));
    }
    let named_in_key = suffix(&MOUNTED_SECRETS).is_some_and(|name| name.starts_with(OUR_NAMES));
    let names = || value.split(',').map(str::trim);
    let is_ours = |name: &str| name.starts_with(OUR_NAMES) || name.contains("${");
    let named_in_value = (suffix(&SECRET_REFERENCES).is_some() || NAMED_SECRETS.contains(&key))
        && names().any(is_ours);
    if named_in_key || named_in_value {
        let why = format!("secrets whose names begin with {OUR_NAMES} are the server's");
        return Err(refuse(key, None, why));
    }
    Ok(())
}

fn allow(
    patterns: &[String],
    key: &str,
    value: &str,
    setting: &str,
) -> Result<(), KubernetesRefusal> {
    // Spark would put the value of another key there.
    let is_plain = !value.contains("${");
    if is_plain && patterns.iter().any(|pattern| matches(pattern, value, None)) {
        return Ok(());
    }
    Err(not_in(key, value, setting))
}

fn not_in(key: &str, value: &str, setting: &str) -> KubernetesRefusal {
    refuse(
        key,
        Some(value),
        format!("the server's setting {setting} does not allow it"),
    )
}

fn refuse(key: &str, value: Option<&str>, why: String) -> KubernetesRefusal {
    let cut = |text: &str| text.chars().take(MAX_CHARS).collect();
    KubernetesRefusal {
        key: cut(key),
        value: value.map(cut),
        why,
    }
}

/// Whether a pattern stands for a text. `*` stands for any text without `barrier`.
fn matches(pattern: &str, text: &str, barrier: Option<char>) -> bool {
    let Some((before, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(text) = text.strip_prefix(before) else {
        return false;
    };
    // The pattern's parts between the stars are short, and there are few of them.
    let end = barrier
        .and_then(|barrier| text.find(barrier))
        .unwrap_or(text.len());
    let starts = text[..end].char_indices().map(|(at, _)| at).chain([end]);
    starts
        .into_iter()
        .any(|at| matches(rest, &text[at..], barrier))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    fn limits() -> KubernetesLimits {
        KubernetesLimits {
            own_masters: texts(&["k8s://https://own:6443"]),
            masters: texts(&["https://*.example.com:6443"]),
            namespaces: texts(&["spark-*", "etl"]),
            images: texts(&["registry.example.com/*", "spark:4.*"]),
            pod_templates: texts(&["/etc/livius/pod.yaml"]),
            host_paths: texts(&["/mnt/spark/"]),
            own_service_accounts: texts(&["own"]),
            service_accounts: texts(&["team-*"]),
        }
    }

    fn judged(pairs: &[(&str, &str)], known: Known<'_>) -> Result<(), String> {
        let usual = [(MASTER, "k8s://own:6443"), (NAMESPACE, "etl")];
        let conf = usual.iter().chain(pairs);
        let conf = conf.map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let judged = limits().judge(&conf.collect(), known);
        judged.map_err(|refusal| refusal.to_string())
    }

    #[test]
    fn patterns_stand_for_texts() {
        for (pattern, text, barrier, expected) in [
            ("*", "", None, true),
            ("*", "a/b", None, true),
            ("*", "a/b", Some('/'), false),
            ("a", "a", None, true),
            ("a", "ab", None, false),
            ("a*", "ab", None, true),
            ("a*c*e", "abcde", None, true),
            ("a*c*e", "abde", None, false),
            ("*é", "éé", None, true),
            ("https://*.x:1", "https://a.x:1", Some('/'), true),
            ("https://*.x:1", "https://evil/a.x:1", Some('/'), false),
        ] {
            assert_eq!(
                matches(pattern, text, barrier),
                expected,
                "{pattern} {text}"
            );
        }
    }

    #[test]
    fn what_the_settings_name_passes() {
        for pair in [
            (MASTER, "k8s://https://a.example.com:6443"),
            (NAMESPACE, "spark-a"),
            ("spark.kubernetes.container.image", "spark:4.1.4"),
            (
                "spark.kubernetes.driver.container.image",
                "registry.example.com/a/b:1",
            ),
            (
                "spark.kubernetes.driver.podTemplateFile",
                "/etc/livius/pod.yaml",
            ),
            (
                "spark.kubernetes.driver.volumes.hostPath.a.options.path",
                "/mnt/spark",
            ),
            (
                "spark.kubernetes.executor.volumes.hostPath.a.options.path",
                "/mnt/spark/1",
            ),
            (
                "spark.kubernetes.driver.volumes.hostPath.a.mount.path",
                "/anywhere",
            ),
            (
                "spark.kubernetes.driver.volumes.persistentVolumeClaim.a.options.path",
                "/x",
            ),
            (ACCOUNTS[0], " own "),
            (ACCOUNTS[1], "team-a"),
            (ACCOUNTS[2], "own"),
            ("spark.kubernetes.driver.label.team", "livius/driver"),
            ("spark.kubernetes.driver.secrets.mine", "/etc/livius-x"),
            ("spark.kubernetes.driver.secretKeyRef.A", "mine:livius-x"),
        ] {
            assert_eq!(judged(&[pair], Known::Partly), Ok(()), "{pair:?}");
        }
    }

    #[test]
    fn what_no_setting_names_is_refused() {
        let master = "the server's setting kubernetes.masters does not allow it";
        let account = "the server's setting kubernetes.service_accounts does not allow it";
        for (key, value, why) in [
            (MASTER, "k8s://https://evil:6443", master),
            (MASTER, "k8s://https://evil.com/a.example.com:6443", master),
            (
                NAMESPACE,
                "prod",
                "the server's setting kubernetes.namespaces does not allow it",
            ),
            (
                NAMESPACE,
                "spark-${spark.x}",
                "the server's setting kubernetes.namespaces does not allow it",
            ),
            (
                "spark.kubernetes.executor.container.image",
                "evil/registry.example.com/a",
                "the server's setting kubernetes.images does not allow it",
            ),
            (
                "spark.kubernetes.executor.podTemplateFile",
                "/home/alice/pod.yaml",
                "the server's setting kubernetes.pod_templates does not allow it",
            ),
            (
                "spark.kubernetes.driver.volumes.hostPath.a.options.path",
                "/mnt/spark/../..",
                "the server's setting kubernetes.host_paths does not allow it",
            ),
            (
                "spark.kubernetes.driver.volumes.hostPath.a.options.path",
                "/mnt/sparkle",
                "the server's setting kubernetes.host_paths does not allow it",
            ),
            (ACCOUNTS[0], "admin", account),
            (ACCOUNTS[1], "", account),
            (ACCOUNTS[2], "team-${spark.x}", account),
        ] {
            let expected = format!("use {key}={value}: {why}");
            assert_eq!(judged(&[(key, value)], Known::Partly), Err(expected));
        }
    }

    #[test]
    fn what_is_the_servers_own_is_refused_whatever_the_settings_are() {
        let token = "the server needs the token as well, after a restart too: write it to a file, and name that with \
                     spark.kubernetes.authenticate.submission.oauthTokenFile";
        let secrets = "secrets whose names begin with livius- are the server's";
        for (key, value, why) in [
            (TOKEN, "t0ken", token),
            (
                "spark.kubernetes.driver.secrets.livius-s-1-a",
                "/x",
                secrets,
            ),
            (
                "spark.kubernetes.executor.secrets.livius-s-1-a",
                "/x",
                secrets,
            ),
            (
                "spark.kubernetes.driver.secretKeyRef.A",
                "livius-s-1-a:launch.json",
                secrets,
            ),
            (
                "spark.kubernetes.kerberos.tokenSecret.name",
                "livius-s-1-a",
                secrets,
            ),
            (
                "spark.kubernetes.kerberos.tokenSecret.name",
                "${spark.x}",
                secrets,
            ),
            (
                "spark.kubernetes.driver.label.livius/driver",
                "s-1-a",
                "labels that begin with livius/ are the server's",
            ),
        ] {
            let expected = format!("use {key}: {why}");
            assert_eq!(judged(&[(key, value)], Known::Partly), Err(expected));
        }
    }

    #[test]
    fn defaults_count_when_they_are_known() {
        let conf = |namespace: &[(&str, &str)]| -> BTreeMap<String, String> {
            let master = [(MASTER, "k8s://installed")];
            let pairs = master.iter().chain(namespace);
            pairs
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect()
        };
        let limits = limits();
        let defaults: BTreeMap<String, String> = [ACCOUNTS[0], ACCOUNTS[1]]
            .map(|key| (key.to_owned(), "installed".to_owned()))
            .into();
        let known = |master| {
            Known::Wholly(Installed {
                master,
                defaults: &defaults,
            })
        };
        let wholly = known(Some("k8s://https://installed:443"));
        assert!(limits.judge(&conf(&[]), Known::Partly).is_err());
        assert_eq!(limits.judge(&conf(&[(NAMESPACE, "etl")]), wholly), Ok(()));
        let refusal = limits.judge(&conf(&[]), wholly).unwrap_err();
        assert_eq!(refusal.value.as_deref(), Some("default"));
        let open = KubernetesLimits::default();
        assert_eq!(open.judge(&conf(&[]), wholly), Ok(()));
        assert!(open.judge(&conf(&[]), known(None)).is_err());
        let account = conf(&[(NAMESPACE, "etl"), (ACCOUNTS[2], "installed")]);
        assert_eq!(limits.judge(&account, wholly), Ok(()));
        let other = conf(&[(NAMESPACE, "etl"), (ACCOUNTS[2], "other")]);
        assert_eq!(limits.judge(&other, wholly).unwrap_err().key, ACCOUNTS[2]);
    }
}
