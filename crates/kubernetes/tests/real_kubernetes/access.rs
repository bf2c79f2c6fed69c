//! Addresses, credentials and rights.

use livius_kubernetes::{Access, KubernetesError, Right};

use crate::Case;
use crate::world::{OURS, SPACE, World};

pub const CASES: &[Case] = &[
    ("each_kind_of_credentials_works", kinds),
    (
        "a_server_without_a_trusted_certificate_gets_nothing",
        untrusted,
    ),
    ("missing_rights_are_told", rights),
];

fn kinds(world: &mut World) {
    let account = world.cluster.credentials(SPACE, "livius");
    let cases = [
        Access {
            kubeconfig: Some(account.kubeconfig),
            ..Access::to(world.cluster.url())
        },
        Access {
            ca: Some(world.cluster.ca()),
            token_file: Some(account.token_file),
            ..Access::to(world.cluster.url())
        },
        Access {
            kubeconfig: Some(world.cluster.kubeconfig()),
            ..Access::to(world.cluster.url())
        },
    ];
    for access in cases {
        let namespace = world.open(&access, OURS).unwrap();
        assert!(world.wait(namespace.drivers()).is_ok(), "{access:?}");
        let version = world.wait(namespace.version()).unwrap();
        assert!(version.starts_with("v1."), "{version}");
    }
    // A certificate says who it is, and has no rights here.
    let access = Access {
        ca: Some(world.cluster.ca()),
        client_certificate: Some(world.cluster.certificate("carol")),
        ..Access::to(world.cluster.url())
    };
    let namespace = world.open(&access, OURS).unwrap();
    let error = world.wait(namespace.find("b-1")).unwrap_err();
    assert!(error.is_forbidden(), "{error}");
    assert!(
        error.to_string().contains("User \"carol\" cannot list"),
        "{error}"
    );
    // Without any, the API server does not know who asks.
    let access = Access {
        ca: Some(world.cluster.ca()),
        ..Access::to(world.cluster.url())
    };
    let namespace = world.open(&access, OURS).unwrap();
    let error = world.wait(namespace.find("b-1")).unwrap_err();
    assert!(error.is_forbidden(), "{error}");
}

fn untrusted(world: &mut World) {
    let account = world.cluster.credentials(SPACE, "livius");
    // The authorities of the system did not sign its certificate.
    let access = Access {
        token_file: Some(account.token_file),
        ..Access::to(world.cluster.url())
    };
    let namespace = world.open(&access, OURS).unwrap();
    let error = world.wait(namespace.find("b-1")).unwrap_err();
    assert!(matches!(error, KubernetesError::Tls { .. }), "{error}");
    let elsewhere = Access {
        kubeconfig: Some(account.kubeconfig),
        ..Access::to("https://127.0.0.1:1")
    };
    let error = world.open(&elsewhere, OURS).unwrap_err();
    assert!(matches!(error, KubernetesError::Access { .. }), "{error}");
}

fn rights(world: &mut World) {
    let missing = world.wait(world.namespace.missing(Right::NEEDED)).unwrap();
    assert_eq!(missing, []);
    let access = Access {
        kubeconfig: Some(world.cluster.credentials(SPACE, "default").kubeconfig),
        ..Access::to(world.cluster.url())
    };
    let nobody = world.open(&access, OURS).unwrap();
    let missing = world.wait(nobody.missing(Right::NEEDED)).unwrap();
    assert_eq!(missing, Right::NEEDED);
    let mut follower = nobody.follow("b-1");
    let seen = world.until(&mut follower, |seen| seen.outage.is_some());
    let outage = seen.outage.unwrap().error;
    assert!(
        outage.contains("status 403") && outage.contains("cannot list"),
        "{outage}"
    );
}
