//! The files and the ports of a cluster.

use std::fs;
use std::net::TcpListener;

use camino::{Utf8Path, Utf8PathBuf};
use kube::config::AuthInfo;
use kube::{Client, Config};
use secrecy::SecretString;

use super::certificates::{Authority, signing_key};

/// The port of the API server in the network of the pods, as in every cluster.
pub const SERVICE_PORT: u16 = 443;

/// The folder of a cluster, its ports, and the authority of its certificates.
pub struct Site {
    root: Utf8PathBuf,
    authority: Authority,
    admin: String,
    pub api: u16,
    pub etcd: u16,
    pub controllers: u16,
}

impl Site {
    /// Picks ports that were free a moment ago, and writes the files.
    pub fn new(root: &Utf8Path) -> Self {
        // All are bound at the same time, so that they differ.
        let bound = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let [api, etcd, controllers] = bound.map(|listener| listener.local_addr().unwrap().port());
        let site = Self {
            root: root.to_owned(),
            authority: Authority::new(),
            admin: random_token(),
            api,
            etcd,
            controllers,
        };
        site.write();
        site
    }

    fn write(&self) {
        let server = self.authority.server(&[
            "127.0.0.1",
            &self.service_address(),
            "localhost",
            "kubernetes",
            "kubernetes.default",
            "kubernetes.default.svc",
            "kubernetes.default.svc.cluster.local",
        ]);
        let (signing, verifying) = signing_key();
        let admin = &self.admin;
        let files = [
            ("ca.crt", self.authority.certificate.clone()),
            ("server.crt", server.certificate),
            ("server.key", server.key),
            ("tokens.key", signing),
            ("tokens.pub", verifying),
            (
                "tokens.csv",
                format!("{admin},admin,admin,\"system:masters\"\n"),
            ),
            ("admin.token", admin.clone()),
            ("admin.kubeconfig", self.kubeconfig(admin, "default")),
        ];
        for (name, text) in files {
            fs::write(self.file(name), text).unwrap();
        }
    }

    pub fn root(&self) -> &Utf8Path {
        &self.root
    }

    pub fn file(&self, name: &str) -> Utf8PathBuf {
        self.root.join(name)
    }

    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// The address of the API server for programs of this machine.
    pub fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.api)
    }

    /// The first three numbers of the addresses in the cluster. They follow from a port, so that two
    /// clusters on one machine differ.
    pub fn network(&self) -> String {
        let [high, low] = self.api.to_be_bytes();
        format!("127.{high}.{low}")
    }

    /// The address of the API server for pods.
    pub fn service_address(&self) -> String {
        format!("{}.1", self.network())
    }

    /// The text of a file for `KUBECONFIG`.
    pub fn kubeconfig(&self, token: &str, namespace: &str) -> String {
        let (url, ca) = (self.url(), self.file("ca.crt"));
        format!(
            "\
apiVersion: v1
kind: Config
current-context: test
clusters:
- name: test
  cluster:
    server: {url}
    certificate-authority: {ca}
users:
- name: test
  user:
    token: {token}
contexts:
- name: test
  context:
    cluster: test
    user: test
    namespace: {namespace}
"
        )
    }

    /// A client who may do everything.
    pub fn client(&self) -> Client {
        let mut config = Config::new(self.url().parse().unwrap());
        config.root_cert_file = Some(self.file("ca.crt").into());
        config.auth_info = AuthInfo {
            token: Some(SecretString::from(self.admin.clone())),
            ..AuthInfo::default()
        };
        Client::try_from(config).unwrap()
    }
}

fn random_token() -> String {
    use std::fmt::Write as _;
    use std::io::Read as _;
    let mut bytes = [0; 16];
    let mut source = fs::File::open("/dev/urandom").unwrap();
    source.read_exact(&mut bytes).unwrap();
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
