//! Addresses and names: what the network and the name server of a cluster do.
//!
//! Each pod has an address of the loopback interface, and a file for `/etc/hosts`. The file changes
//! when a service of the cluster comes or goes. A service has the address of its first pod, on the
//! port of the pod.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::sync::{Mutex, PoisonError};

use camino::Utf8PathBuf;
use k8s_openapi::api::core::v1::Service;
use kube::ResourceExt as _;

type Labels = BTreeMap<String, String>;

/// A pod in the network.
#[derive(Debug, Clone)]
pub struct Member {
    pub namespace: String,
    pub name: String,
    pub labels: Labels,
    pub address: String,
    /// Its file for `/etc/hosts`.
    pub hosts: Utf8PathBuf,
}

impl Member {
    fn is_chosen_by(&self, service: &Named) -> bool {
        self.namespace == service.namespace
            && service
                .selector
                .iter()
                .all(|(key, value)| self.labels.get(key) == Some(value))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Named {
    namespace: String,
    name: String,
    selector: Labels,
}

#[derive(Default)]
struct Tables {
    taken: BTreeSet<u8>,
    /// By the pod's uid.
    members: BTreeMap<String, Member>,
    services: BTreeSet<Named>,
}

pub struct Network {
    /// The first three numbers of all addresses. The last number of the API server's address is 1.
    prefix: String,
    tables: Mutex<Tables>,
}

impl Network {
    pub fn new(prefix: String) -> Self {
        Self {
            prefix,
            tables: Mutex::default(),
        }
    }

    /// The address of the API server for pods.
    pub fn api_server(&self) -> String {
        format!("{}.1", self.prefix)
    }

    /// Takes an address that no pod has. `None` if all are taken.
    pub fn take_address(&self) -> Option<String> {
        let mut tables = self.tables();
        let free = (2..255).find(|number| !tables.taken.contains(number))?;
        tables.taken.insert(free);
        Some(format!("{}.{free}", self.prefix))
    }

    /// Gives an address back.
    pub fn release_address(&self, address: &str) {
        let number = address
            .rsplit('.')
            .next()
            .and_then(|last| last.parse().ok());
        if let Some(number) = number {
            self.tables().taken.remove(&number);
        }
    }

    /// Writes the hosts file of a pod, and keeps it up to date.
    pub fn join(&self, uid: &str, member: Member) {
        File::create(&member.hosts).unwrap();
        let mut tables = self.tables();
        tables.members.insert(uid.to_owned(), member);
        self.write(&tables);
    }

    pub fn leave(&self, uid: &str) {
        let mut tables = self.tables();
        tables.members.remove(uid);
        self.write(&tables);
    }

    /// Takes the services that exist now.
    pub fn set_services<'a>(&self, services: impl Iterator<Item = &'a Service>) {
        let named = services.filter_map(|service| {
            let selector = service.spec.as_ref()?.selector.clone()?;
            Some(Named {
                namespace: service.namespace()?,
                name: service.name_any(),
                selector,
            })
        });
        let mut tables = self.tables();
        tables.services = named
            .filter(|service| !service.selector.is_empty())
            .collect();
        self.write(&tables);
    }

    fn write(&self, tables: &Tables) {
        for member in tables.members.values() {
            let text = self.hosts_of(member, tables);
            // The container has the file itself as its own: a new file would not reach it. A reader
            // sees the old lines or the new ones, as long as the first write has all of them.
            let written = File::options()
                .write(true)
                .open(&member.hosts)
                .and_then(|file| {
                    file.write_all_at(text.as_bytes(), 0)?;
                    file.set_len(text.len() as u64)
                });
            written.unwrap_or_else(|error| panic!("{}: {error}", member.hosts));
        }
    }

    fn hosts_of(&self, member: &Member, tables: &Tables) -> String {
        let Member { address, name, .. } = member;
        let mut text = format!("127.0.0.1 localhost\n{address} {name}\n");
        let _ = writeln!(
            text,
            "{} kubernetes.default.svc kubernetes.default kubernetes.default.svc.cluster.local",
            self.api_server()
        );
        for service in &tables.services {
            let Named {
                namespace, name, ..
            } = service;
            let mut chosen = tables
                .members
                .values()
                .filter(|pod| pod.is_chosen_by(service));
            let Some(pod) = chosen.next() else { continue };
            let full = format!("{name}.{namespace}.svc");
            let _ = write!(
                text,
                "{} {full} {full}.cluster.local {name}.{namespace}",
                pod.address
            );
            let short = if *namespace == member.namespace {
                name
            } else {
                ""
            };
            let _ = writeln!(text, " {short}");
        }
        text
    }

    fn tables(&self) -> std::sync::MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use camino::Utf8Path;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pod_finds_a_service_by_name_while_both_exist() {
        let folder = tempfile::tempdir().unwrap();
        let hosts = Utf8Path::from_path(folder.path()).unwrap().join("hosts");
        let network = Network::new("127.9.9".to_owned());
        let address = network.take_address().unwrap();
        assert_eq!(address, "127.9.9.2");
        let member = Member {
            namespace: "spark".to_owned(),
            name: "driver".to_owned(),
            labels: Labels::from([("role".to_owned(), "driver".to_owned())]),
            address: address.clone(),
            hosts: hosts.clone(),
        };
        network.join("1", member);
        let service = |namespace: &str, role: &str| -> Service {
            serde_json::from_value(json!({
                "metadata": {"namespace": namespace, "name": "driver-svc"},
                "spec": {"selector": {"role": role}},
            }))
            .unwrap()
        };
        let lines = |text: &str| std::fs::read_to_string(&hosts).unwrap().contains(text);
        let line = "127.9.9.2 driver-svc.spark.svc driver-svc.spark.svc.cluster.local driver-svc.spark driver-svc\n";
        assert!(lines("127.9.9.2 driver\n") && !lines(line));
        network.set_services([service("spark", "driver"), service("other", "driver")].iter());
        assert!(lines(line) && !lines("other"));
        network.set_services([service("spark", "executor")].iter());
        assert!(!lines(line));
        network.release_address(&address);
        assert_eq!(network.take_address(), Some(address));
    }
}
