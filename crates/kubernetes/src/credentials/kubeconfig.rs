//! Kubeconfig files.

use std::fs;

use camino::Utf8Path;
use kube::config::{
    AuthInfo, Cluster, Context, ExecAuthCluster, ExecInteractiveMode, Kubeconfig, KubeconfigError,
};

use super::url::Address;
use crate::text;

/// The longest file. A cluster with its certificates has some kilobytes.
const LONGEST_FILE: u64 = 4 << 20;

/// The part of a kubeconfig for one address.
#[derive(Debug, Default)]
pub struct Entry {
    /// The authorities in PEM.
    pub ca: Option<Vec<u8>>,
    pub server_name: Option<String>,
    pub user: AuthInfo,
}

/// The part of a file for an address. The error is in words.
pub fn entry(path: &Utf8Path, context: Option<&str>, address: &Address) -> Result<Entry, String> {
    let config = read(path)?;
    let context = match context {
        Some(name) => named(&config, name)
            .ok_or_else(|| format!("{path} has no context {:?}", text::name(name.to_owned())))?,
        None => fitting(&config, address).ok_or_else(|| {
            format!(
                "{path} has no context, or several, with a cluster at {}",
                address.uri()
            )
        })?,
    };
    let cluster = cluster_of(&config, context);
    // The user's credentials are for this cluster, and no other server may get them.
    let cluster = cluster
        .filter(|cluster| is_at(cluster, address))
        .ok_or_else(|| {
            format!(
                "{path} has credentials for another address than {}",
                address.uri()
            )
        })?;
    let mut user = user_of(&config, context);
    let auth_cluster = connection(path, cluster)?;
    let entry = Entry {
        ca: auth_cluster.certificate_authority_data.clone(),
        server_name: auth_cluster.tls_server_name.clone(),
        user: AuthInfo::default(),
    };
    if let Some(exec) = &mut user.exec {
        // The server has no terminal to ask at.
        exec.interactive_mode = Some(ExecInteractiveMode::Never);
        exec.cluster = exec.provide_cluster_info.then_some(auth_cluster);
    }
    Ok(Entry { user, ..entry })
}

fn read(path: &Utf8Path) -> Result<Kubeconfig, String> {
    let length = fs::metadata(path).map(|metadata| metadata.len());
    let length = length.map_err(|error| format!("cannot read {path}: {error}"))?;
    if length > LONGEST_FILE {
        return Err(format!("{path} has more than {LONGEST_FILE} bytes"));
    }
    Kubeconfig::read_from(path).map_err(|error| match error {
        KubeconfigError::ReadConfig(error, _) => format!("cannot read {path}: {error}"),
        // The parser's message repeats lines of the file, and with them tokens.
        _ => format!("{path} is no kubeconfig"),
    })
}

fn named<'a>(config: &'a Kubeconfig, name: &str) -> Option<&'a Context> {
    let context = config.contexts.iter().find(|context| context.name == name);
    context?.context.as_ref()
}

/// The current context if its cluster has the address, else the only one that does.
fn fitting<'a>(config: &'a Kubeconfig, address: &Address) -> Option<&'a Context> {
    let fits = |context: &&Context| {
        cluster_of(config, context).is_some_and(|cluster| is_at(cluster, address))
    };
    let current = config.current_context.as_deref();
    let current = current.and_then(|name| named(config, name)).filter(fits);
    current.or_else(|| {
        let contexts = config.contexts.iter();
        let mut fitting = contexts.filter_map(|one| one.context.as_ref()).filter(fits);
        let first = fitting.next();
        first.filter(|_| fitting.next().is_none())
    })
}

fn cluster_of<'a>(config: &'a Kubeconfig, context: &Context) -> Option<&'a Cluster> {
    let mut clusters = config.clusters.iter();
    let named = clusters.find(|cluster| cluster.name == context.cluster);
    named?.cluster.as_ref()
}

fn is_at(cluster: &Cluster, address: &Address) -> bool {
    let server = cluster.server.as_deref().map(Address::read);
    server.is_some_and(|server| server.as_ref() == Ok(address))
}

/// The user of a context. One that is not there has no credentials, as for `kubectl`.
fn user_of(config: &Kubeconfig, context: &Context) -> AuthInfo {
    let name = context.user.as_deref().unwrap_or_default();
    let user = config.auth_infos.iter().find(|user| user.name == name);
    user.and_then(|user| user.auth_info.clone())
        .unwrap_or_default()
}

fn connection(path: &Utf8Path, cluster: &Cluster) -> Result<ExecAuthCluster, String> {
    if cluster.insecure_skip_tls_verify == Some(true) {
        return Err(format!(
            "{path} tells to trust every server (insecure-skip-tls-verify), which is not supported; \
             name the certificate of the cluster's authority instead"
        ));
    }
    if cluster
        .proxy_url
        .as_ref()
        .is_some_and(|url| !url.is_empty())
    {
        return Err(format!("{path} names a proxy, which is not supported"));
    }
    ExecAuthCluster::try_from(cluster)
        .map_err(|error| format!("{path}: {}", text::message(&error.to_string())))
}
