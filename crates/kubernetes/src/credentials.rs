//! The credentials for an API server, found by an [`Access`].

mod kubeconfig;
mod url;

use std::fs::File;
use std::io::Read as _;

use camino::{Utf8Path, Utf8PathBuf};
use http::Uri;
use kube::config::AuthInfo;

use self::kubeconfig::Entry;
use self::url::Address;
use crate::access::Access;
use crate::error::KubernetesError;

/// The place where Kubernetes puts the files of the service account into a container.
pub const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// The longest file. A bundle of all public authorities has some 300 KiB.
const LONGEST_FILE: u64 = 4 << 20;

/// Everything that a connection needs.
#[derive(Debug)]
pub struct Credentials {
    pub url: Uri,
    /// The authorities in PEM. `None` for those of the operating system.
    pub ca: Option<Vec<u8>>,
    /// The name in the server's certificate, if it is another than that in the address.
    pub server_name: Option<String>,
    pub user: AuthInfo,
}

/// The problem of an access.
pub type Problem = String;

impl Credentials {
    /// Reads the files of an access. The directory is that of a service account.
    pub fn read(access: &Access, service_account: &Utf8Path) -> Result<Self, KubernetesError> {
        find(access, service_account).map_err(|problem| KubernetesError::Access { problem })
    }

    /// Tells whether there is a credential of any kind.
    fn has_user(&self) -> bool {
        let user = &self.user;
        user.token.is_some()
            || user.token_file.is_some()
            || user.username.is_some()
            || user.exec.is_some()
            || user.auth_provider.is_some()
            || user.client_certificate.is_some()
            || user.client_certificate_data.is_some()
    }
}

fn find(access: &Access, service_account: &Utf8Path) -> Result<Credentials, Problem> {
    let address = Address::read(&access.url)?;
    let own = named(access);
    let entry = match &access.kubeconfig {
        Some(path) => match kubeconfig::entry(path, access.context.as_deref(), &address) {
            // The credentials are named elsewhere, so the kubeconfig has only more to tell.
            Err(_) if own.is_some() => None,
            entry => Some(entry?),
        },
        None => None,
    };
    let Entry {
        ca: configured_ca,
        server_name,
        user: configured_user,
    } = entry.unwrap_or_default();
    let ca = match &access.ca {
        Some(path) => Some(content(path)?),
        None => configured_ca,
    };
    let mut found = Credentials {
        url: address.uri().clone(),
        ca,
        server_name,
        user: own.unwrap_or(configured_user),
    };
    let token_file = service_account.join("token");
    if !found.has_user()
        && access.kubeconfig.is_none()
        && found.ca.is_none()
        && address.is_encrypted()
        && token_file.is_file()
    {
        found.ca = Some(content(&service_account.join("ca.crt"))?);
        found.user.token_file = Some(token_file.into_string());
    }
    if found.has_user() && !address.is_encrypted() {
        return Err(format!(
            "credentials are not sent to {} without encryption",
            access.url
        ));
    }
    Ok(found)
}

/// The credentials that the access itself names.
fn named(access: &Access) -> Option<AuthInfo> {
    let path = |path: &Utf8PathBuf| path.to_string();
    let certificate = access.client_certificate.as_ref();
    let named = AuthInfo {
        token_file: access.token_file.as_ref().map(path),
        client_certificate: certificate.map(|pair| path(&pair.0)),
        client_key: certificate.map(|pair| path(&pair.1)),
        ..AuthInfo::default()
    };
    (named.token_file.is_some() || named.client_certificate.is_some()).then_some(named)
}

/// The content of a file.
pub fn content(path: &Utf8Path) -> Result<Vec<u8>, Problem> {
    let read = || {
        let mut bytes = Vec::new();
        let mut file = File::open(path)?.take(LONGEST_FILE + 1);
        file.read_to_end(&mut bytes).map(|_| bytes)
    };
    let bytes = read().map_err(|error| format!("cannot read {path}: {error}"))?;
    if bytes.len() as u64 > LONGEST_FILE {
        return Err(format!("{path} has more than {LONGEST_FILE} bytes"));
    }
    Ok(bytes)
}

#[cfg(test)]
#[path = "credentials/tests.rs"]
pub mod tests;
