//! The API server and the controllers, as processes.

use std::process::Command;

use camino::Utf8Path;

use super::site::Site;
use crate::daemon::Daemon;

/// The controllers that tests of pods need.
///
/// The others move what no test has: deployments, volumes, load balancers, endpoints of a proxy.
const CONTROLLERS: [&str; 9] = [
    // A namespace gets its default service account, and the certificate that its pods trust.
    "serviceaccount-controller",
    "root-ca-certificate-publisher-controller",
    // What a deleted pod or namespace owned goes, too.
    "garbage-collector-controller",
    "namespace-controller",
    // Pods of a node that is gone are deleted.
    "pod-garbage-collector-controller",
    "resourcequota-controller",
    // A node that is not ready loses its pods.
    "node-lifecycle-controller",
    "taint-eviction-controller",
    // The roles `edit` and `view` are made of others.
    "clusterrole-aggregation-controller",
];

/// The time in which a pod may stay on a node that is not ready. A real cluster gives five minutes.
pub const TOLERATION: u32 = 3;

/// The time after the last sign of a node in which the controllers take it for alive.
#[derive(Clone, Copy)]
pub enum Silence {
    /// The node says itself that it is not ready. A busy machine may be late with its leases.
    FiveMinutes,
    /// For a node that is lost. A real cluster waits for 50 seconds.
    TenSeconds,
}

impl Silence {
    fn flag(self) -> &'static str {
        match self {
            Self::FiveMinutes => "--node-monitor-grace-period=5m",
            Self::TenSeconds => "--node-monitor-grace-period=10s",
        }
    }
}

pub fn api_server(binary: &Utf8Path, site: &Site) -> Daemon {
    let mut command = command(binary, site);
    let (api, etcd) = (site.api, site.etcd);
    command
        .args(["apiserver", site.file("etcd").as_str(), &etcd.to_string()])
        .arg(format!("--etcd-servers=http://127.0.0.1:{etcd}"))
        .arg(format!("--secure-port={api}"))
        .args(["--bind-address=127.0.0.1", "--advertise-address=127.0.0.1"])
        // Pods find the API server by the node's proxy.
        .arg("--endpoint-reconciler-type=none")
        .arg("--service-cluster-ip-range=10.96.0.0/16")
        .arg("--kubelet-preferred-address-types=InternalIP")
        .arg("--authorization-mode=RBAC")
        .arg("--service-account-issuer=https://kubernetes.default.svc.cluster.local")
        .arg(format!(
            "--default-not-ready-toleration-seconds={TOLERATION}"
        ))
        .arg(format!(
            "--default-unreachable-toleration-seconds={TOLERATION}"
        ))
        .arg(format!("--cert-dir={}", site.file("api-server")));
    for (flag, name) in [
        ("tls-cert-file", "server.crt"),
        ("tls-private-key-file", "server.key"),
        ("client-ca-file", "ca.crt"),
        ("kubelet-certificate-authority", "ca.crt"),
        ("service-account-key-file", "tokens.pub"),
        ("service-account-signing-key-file", "tokens.key"),
        ("token-auth-file", "tokens.csv"),
    ] {
        command.arg(format!("--{flag}={}", site.file(name)));
    }
    Daemon::start(command, site.file("api-server.log"))
}

pub fn controllers(binary: &Utf8Path, site: &Site, silence: Silence) -> Daemon {
    let mut command = command(binary, site);
    command
        .arg("controllers")
        .args(["--bind-address=127.0.0.1", "--leader-elect=false"])
        .arg(format!("--secure-port={}", site.controllers))
        .arg(format!("--controllers={}", CONTROLLERS.join(",")))
        .arg("--use-service-account-credentials=false")
        .arg("--node-monitor-period=1s")
        .arg(silence.flag())
        .arg(format!("--cert-dir={}", site.file("controllers")));
    for (flag, name) in [
        ("kubeconfig", "admin.kubeconfig"),
        ("root-ca-file", "ca.crt"),
        ("service-account-private-key-file", "tokens.key"),
    ] {
        command.arg(format!("--{flag}={}", site.file(name)));
    }
    Daemon::start(command, site.file("controllers.log"))
}

fn command(binary: &Utf8Path, site: &Site) -> Command {
    let mut command = Command::new(binary);
    command.current_dir(site.root()).env_remove("KUBECONFIG");
    command
}
