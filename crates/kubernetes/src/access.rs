//! The way to an API server: its address, and the credentials for it.

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

/// The address of an API server, and the places of the credentials for it.
///
/// It has no secret in it, so it can be stored. Two drivers with the same access share a connection.
///
/// * The address is always [`url`](Self::url). No file can lead elsewhere.
/// * The credentials are those that are named here, else those of the kubeconfig, else those of the
///   service account if the server runs in a pod, else none.
/// * Those of a kubeconfig are used only if its cluster has this address. Those of the service
///   account are used only if no [`ca`](Self::ca) is named, because then only a server that the
///   authority of its own cluster vouches for gets the token.
/// * Credentials are never sent over plain HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Access {
    /// The address of the API server, such as `https://10.0.0.1:6443`.
    pub url: String,
    /// The kubeconfig file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubeconfig: Option<Utf8PathBuf>,
    /// The context of the kubeconfig. Without it, the current one if it has the address, else the
    /// only one that has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// The file with the certificates of the authorities, in PEM. Without any, those of the
    /// operating system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<Utf8PathBuf>,
    /// The file with a bearer token. It is read again each minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_file: Option<Utf8PathBuf>,
    /// The files with the client's certificate and its key, in PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_certificate: Option<(Utf8PathBuf, Utf8PathBuf)>,
}

impl Access {
    /// The access to an address, without any file.
    pub fn to(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            kubeconfig: None,
            context: None,
            ca: None,
            token_file: None,
            client_certificate: None,
        }
    }
}
