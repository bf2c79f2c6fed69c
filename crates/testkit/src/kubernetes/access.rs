//! Accounts, and what they show to the API server.

use std::fs;

use camino::Utf8PathBuf;
use serde_json::json;

use super::{KubernetesCluster, rights};

/// The files of an account.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// A file with the token and nothing else.
    pub token_file: Utf8PathBuf,
    /// A file for `KUBECONFIG`.
    pub kubeconfig: Utf8PathBuf,
}

/// The validity of a token that a test gets, in seconds.
const TOKEN_SECONDS: u32 = 86_400;

impl KubernetesCluster {
    /// Makes a namespace for Spark. It has three service accounts: `spark` with the rights that
    /// Spark's driver needs, `livius` with the rights that an administrator grants to Livius, and
    /// `default` with none.
    pub fn create_namespace(&mut self, name: &str) {
        self.create("/api/v1/namespaces", &json!({"metadata": {"name": name}}));
        self.until_account_exists(name)
            .unwrap_or_else(|problem| panic!("no account in {name}: {problem}"));
        for (account, rules) in [("spark", rights::SPARK), ("livius", rights::LIVIUS)] {
            self.create(
                &format!("/api/v1/namespaces/{name}/serviceaccounts"),
                &json!({"metadata": {"name": account}}),
            );
            let path = format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{name}");
            let role = rights::role(name, account, rules);
            self.create(&format!("{path}/roles"), &role);
            let binding = rights::binding(name, account);
            self.create(&format!("{path}/rolebindings"), &binding);
        }
    }

    /// A new token of a service account, which exists.
    pub fn credentials(&self, namespace: &str, account: &str) -> Credentials {
        let path = format!("/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token");
        let request = json!({"spec": {"expirationSeconds": TOKEN_SECONDS}});
        let created = self.create(&path, &request);
        let token = created["status"]["token"].as_str().unwrap();
        let file = |kind: &str| self.root().join(format!("{namespace}.{account}.{kind}"));
        let credentials = Credentials {
            token_file: file("token"),
            kubeconfig: file("kubeconfig"),
        };
        fs::write(&credentials.token_file, token).unwrap();
        let text = self.site.kubeconfig(token, namespace);
        fs::write(&credentials.kubeconfig, text).unwrap();
        credentials
    }

    /// The files of a certificate that names a user, and of its key. The user has no rights until a
    /// test binds a role to the name.
    pub fn certificate(&self, user: &str) -> (Utf8PathBuf, Utf8PathBuf) {
        let certified = self.site.authority().user(user);
        let file = |kind: &str| self.root().join(format!("{user}.{kind}"));
        let (certificate, key) = (file("crt"), file("key"));
        fs::write(&certificate, certified.certificate).unwrap();
        fs::write(&key, certified.key).unwrap();
        (certificate, key)
    }
}
