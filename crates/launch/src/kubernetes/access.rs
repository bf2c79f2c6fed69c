//! The way to the API server that a submission goes, for the server's own requests.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use livius_kubernetes::Access;

use super::address;

/// Reads how the server and Spark's client reach the API server of a master, by a complete
/// configuration and the environment of Spark. Both look for credentials in the same places: in the
/// configuration, in the kubeconfig, and in the pod's service account. Cluster mode has keys of its own
/// for the first.
pub fn kubernetes_access(
    master: &str,
    in_cluster: bool,
    conf: &BTreeMap<String, String>,
    environment: &BTreeMap<String, String>,
) -> Access {
    let text = |key: &str| {
        let value = conf.get(key).map(|value| value.trim());
        value.filter(|value| !value.is_empty()).map(str::to_owned)
    };
    let file = |name: &str| {
        let prefix = if in_cluster {
            "spark.kubernetes.authenticate.submission"
        } else {
            "spark.kubernetes.authenticate"
        };
        text(&format!("{prefix}.{name}")).map(Utf8PathBuf::from)
    };
    let certificate = file("clientCertFile").zip(file("clientKeyFile"));
    Access {
        url: address::normal(master).unwrap_or_else(|| master.to_owned()),
        kubeconfig: kubeconfig(environment),
        context: text("spark.kubernetes.context"),
        ca: file("caCertFile"),
        token_file: file("oauthTokenFile"),
        client_certificate: certificate,
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

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let pairs = pairs.iter();
        pairs
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn the_access_is_that_of_the_submission() {
        let conf = map(&[
            ("spark.kubernetes.authenticate.submission.caCertFile", "/ca"),
            (
                "spark.kubernetes.authenticate.submission.oauthTokenFile",
                " /token ",
            ),
            (
                "spark.kubernetes.authenticate.submission.clientCertFile",
                "/cert",
            ),
            (
                "spark.kubernetes.authenticate.submission.clientKeyFile",
                "/key",
            ),
            ("spark.kubernetes.authenticate.caCertFile", "/other"),
            ("spark.kubernetes.context", "here"),
        ]);
        let variables = map(&[("KUBECONFIG", "/a/config:/b/config")]);
        let access = kubernetes_access("h", true, &conf, &variables);
        assert_eq!(
            access,
            Access {
                kubeconfig: Some("/a/config".into()),
                context: Some("here".to_owned()),
                ca: Some("/ca".into()),
                token_file: Some("/token".into()),
                client_certificate: Some(("/cert".into(), "/key".into())),
                ..Access::to("https://h:443")
            }
        );
        let access = kubernetes_access("h", false, &conf, &map(&[("HOME", "/no/such/home")]));
        assert_eq!(
            access,
            Access {
                context: Some("here".to_owned()),
                ca: Some("/other".into()),
                ..Access::to("https://h:443")
            }
        );
    }
}
