//! The pod that the server itself runs in.

use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, ToSocketAddrs as _};

use camino::{Utf8Path, Utf8PathBuf};

/// The directory of a pod's service account.
const ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// The facts about the pod that the executors of a driver in it need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OwnPod {
    pub(crate) name: String,
    pub(crate) namespace: String,
    /// Its address, as other pods reach it.
    pub(crate) address: String,
}

impl OwnPod {
    /// Looks whether this process runs in a pod. `None` if it does not, or cannot tell.
    pub(crate) fn look(environment: &BTreeMap<String, String>) -> Option<Self> {
        let address = |name: &str| {
            // A pod's own file of hosts names the pod.
            let mut found = (name, 0).to_socket_addrs().ok()?.map(|found| found.ip());
            found.find(|address| !address.is_loopback())
        };
        Self::of(environment, Utf8Path::new(ACCOUNT), address)
    }

    fn of(
        environment: &BTreeMap<String, String>,
        account: &Utf8Path,
        address: impl Fn(&str) -> Option<IpAddr>,
    ) -> Option<Self> {
        environment.get("KUBERNETES_SERVICE_HOST")?;
        let read = |path: Utf8PathBuf| {
            let text = fs::read_to_string(path).ok()?;
            Some(text.trim().to_owned()).filter(|text| !text.is_empty())
        };
        let namespace = read(account.join("namespace"))?;
        let named = environment.get("HOSTNAME").filter(|name| !name.is_empty());
        let name = match named {
            Some(name) => name.clone(),
            None => read("/proc/sys/kernel/hostname".into())?,
        };
        let address = address(&name)?.to_string();
        Some(Self {
            name,
            namespace,
            address,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_pod_with_an_account_is_one() {
        let account = tempfile::tempdir().unwrap();
        let account = Utf8Path::from_path(account.path()).unwrap();
        let variables = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            let pairs = pairs.iter();
            pairs
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect()
        };
        let in_pod = variables(&[
            ("KUBERNETES_SERVICE_HOST", "10.0.0.1"),
            ("HOSTNAME", "livius-0"),
        ]);
        let found = |name: &str| (name == "livius-0").then(|| "10.1.2.3".parse().unwrap());
        assert_eq!(OwnPod::of(&in_pod, account, found), None);
        std::fs::write(account.join("namespace"), "spark\n").unwrap();
        let pod = OwnPod {
            name: "livius-0".to_owned(),
            namespace: "spark".to_owned(),
            address: "10.1.2.3".to_owned(),
        };
        assert_eq!(OwnPod::of(&in_pod, account, found), Some(pod));
        assert_eq!(OwnPod::of(&in_pod, account, |_| None), None);
        assert_eq!(OwnPod::of(&variables(&[]), account, found), None);
    }
}
