//! The way to the API server that a submission goes.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use livius_kubernetes::Access;

use crate::commands::doctor::cluster::place::Mode;

/// Reads the access of a master and a configuration, from the places where Spark's client looks.
pub fn of(
    master: &str,
    mode: Mode,
    conf: &BTreeMap<String, String>,
    environment: &BTreeMap<String, String>,
) -> Access {
    let text = |key: &str| {
        let value = conf.get(key).map(|value| value.trim());
        value.filter(|value| !value.is_empty()).map(str::to_owned)
    };
    let prefix = match mode {
        Mode::Cluster => "spark.kubernetes.authenticate.submission",
        Mode::Client => "spark.kubernetes.authenticate",
    };
    let file = |name: &str| text(&format!("{prefix}.{name}")).map(Utf8PathBuf::from);
    Access {
        url: url(master),
        kubeconfig: kubeconfig(environment),
        context: text("spark.kubernetes.context"),
        ca: file("caCertFile"),
        token_file: file("oauthTokenFile"),
        client_certificate: file("clientCertFile").zip(file("clientKeyFile")),
    }
}

/// The API server's address: Spark takes `https` if a master names no protocol.
fn url(master: &str) -> String {
    let address = master.strip_prefix("k8s://").unwrap_or(master);
    if address.contains("://") {
        address.to_owned()
    } else {
        format!("https://{address}")
    }
}

/// The kubeconfig that Spark's client reads: the first of the variable, else that of the user.
fn kubeconfig(environment: &BTreeMap<String, String>) -> Option<Utf8PathBuf> {
    let get = |name: &str| environment.get(name).filter(|value| !value.is_empty());
    if let Some(list) = get("KUBECONFIG") {
        return list.split(':').next().map(Utf8PathBuf::from);
    }
    let usual = Utf8Path::new(get("HOME")?).join(".kube/config");
    usual.is_file().then_some(usual)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_master_without_a_protocol_is_reached_by_tls() {
        for (master, expected) in [
            ("k8s://h:6443", "https://h:6443"),
            ("k8s://https://h:6443", "https://h:6443"),
            ("k8s://http://127.0.0.1:8001", "http://127.0.0.1:8001"),
        ] {
            assert_eq!(url(master), expected);
        }
    }

    #[test]
    fn each_mode_has_credentials_of_its_own() {
        let conf = [
            ("spark.kubernetes.authenticate.submission.caCertFile", "/ca"),
            (
                "spark.kubernetes.authenticate.oauthTokenFile",
                "/token of the client",
            ),
            ("spark.kubernetes.context", " here "),
        ];
        let conf = conf.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let variables = [("KUBECONFIG".to_owned(), "/a:/b".to_owned())].into();
        let in_cluster = of("k8s://h:1", Mode::Cluster, &conf.clone().into(), &variables);
        assert_eq!(
            in_cluster,
            Access {
                kubeconfig: Some("/a".into()),
                context: Some("here".to_owned()),
                ca: Some("/ca".into()),
                ..Access::to("https://h:1")
            }
        );
        let client = of("k8s://h:1", Mode::Client, &conf.into(), &BTreeMap::new());
        assert_eq!(
            client,
            Access {
                context: Some("here".to_owned()),
                token_file: Some("/token of the client".into()),
                ..Access::to("https://h:1")
            }
        );
    }
}
