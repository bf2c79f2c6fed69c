//! Encryption. The library's own set-up would choose the cryptography of the whole process, so this
//! chooses that of one connection.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use camino::Utf8Path;
use hyper_rustls::{FixedServerNameResolver, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use kube::config::AuthInfo;
use rustls::client::WantsClientCert;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ConfigBuilder, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt as _;
use secrecy::ExposeSecret;

use crate::credentials::{Credentials, Problem, content};

/// A connector that encrypts, for addresses with `https`.
pub fn connector(
    http: HttpConnector,
    credentials: &Credentials,
) -> Result<HttpsConnector<HttpConnector>, Problem> {
    let builder = HttpsConnectorBuilder::new()
        .with_tls_config(config(credentials)?)
        .https_or_http();
    let builder = match &credentials.server_name {
        Some(name) => {
            let name = ServerName::try_from(name.clone());
            let name = name.map_err(|error| format!("tls-server-name: {error}"))?;
            builder.with_server_name_resolver(FixedServerNameResolver::new(name))
        }
        None => builder,
    };
    Ok(builder.enable_http1().wrap_connector(http))
}

fn config(credentials: &Credentials) -> Result<ClientConfig, Problem> {
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let builder: ConfigBuilder<ClientConfig, WantsClientCert> = match &credentials.ca {
        Some(pem) => builder.with_root_certificates(roots(pem)?),
        None => builder
            .with_platform_verifier()
            .map_err(|error| format!("cannot use the system's authorities: {error}"))?,
    };
    match identity(&credentials.user)? {
        Some((chain, key)) => builder
            .with_client_auth_cert(chain, key)
            .map_err(|error| format!("cannot use the client's certificate: {error}")),
        None => Ok(builder.with_no_client_auth()),
    }
}

fn roots(pem: &[u8]) -> Result<RootCertStore, Problem> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates("the authority", pem)? {
        roots
            .add(certificate)
            .map_err(|error| format!("cannot use the certificate of the authority: {error}"))?;
    }
    Ok(roots)
}

fn certificates(of: &str, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Problem> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match read {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(format!("no certificate of {of} in PEM")),
    }
}

type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// The client's certificate with those of its authorities, and its key.
fn identity(user: &AuthInfo) -> Result<Option<Identity>, Problem> {
    let data = user.client_certificate_data.as_deref();
    let Some(certificate) = pem(data, user.client_certificate.as_deref())? else {
        return Ok(None);
    };
    let data = user
        .client_key_data
        .as_ref()
        .map(ExposeSecret::expose_secret);
    let Some(key) = pem(data, user.client_key.as_deref())? else {
        return Err("a client's certificate is named without its key".to_owned());
    };
    let chain = certificates("the client", &certificate)?;
    let key = PrivateKeyDer::from_pem_slice(&key);
    let key = key.map_err(|_| "no private key of the client in PEM".to_owned())?;
    Ok(Some((chain, key)))
}

/// The content of a kubeconfig's field, or else of the file that it names.
fn pem(data: Option<&str>, path: Option<&str>) -> Result<Option<Vec<u8>>, Problem> {
    if let Some(data) = data {
        let decoded = STANDARD.decode(data.trim());
        let decoded = decoded.map_err(|_| "a certificate or key is no base64".to_owned())?;
        return Ok(Some(decoded));
    }
    path.map(|path| content(Utf8Path::new(path))).transpose()
}
