//! The objects of the administrator's template, which lead to Spark's pages of a driver in a pod.

use livius_domain::Verdict;
use livius_launch::Found;
use serde_json::json;

use crate::on_kubernetes::{Kubernetes, POD, during};
use crate::world::{Driver, run, wait_for};

/// The tests of this file.
pub const TESTS: &[crate::Test] = tests![
    each_pod_gets_its_objects_once,
    objects_that_are_refused_are_told_and_harm_nothing,
];

const SERVICE: &str = "api/v1/namespaces/etl/services/livius-s-0-aa";
const INGRESS: &str = "apis/networking.k8s.io/v1/namespaces/etl/ingresses/livius-s-0-aa";

/// Waits until the objects of the driver's pod are asked for so often.
async fn asked_for_objects(cluster: &Kubernetes, wanted: usize) {
    let is_asked = || cluster.api.cluster().object_requests >= wanted;
    wait_for("the objects", is_asked).await;
}

/// The server is killed and started again in between.
fn each_pod_gets_its_objects_once() {
    run(async {
        let cluster = Kubernetes::new().await;
        let mut driver = cluster.launch_running().await;
        let are_there = || cluster.api.objects().len() == 2;
        during(&driver, wait_for("the objects", are_there)).await;
        let made = cluster.api.objects();
        let service = &made[SERVICE];
        assert_eq!(service["metadata"]["labels"]["livius/driver"], "s-0-aa");
        let owner = &service["metadata"]["ownerReferences"][0];
        assert_eq!(
            (&owner["kind"], &owner["uid"]),
            (&json!("Pod"), &json!("uid-of-livius-s-0-aa"))
        );
        let backend = &made[INGRESS]["spec"]["defaultBackend"]["service"];
        assert_eq!(backend["name"], "livius-s-0-aa");

        // The server is killed before it has made all.
        drop(driver);
        cluster.api.forget_object(INGRESS);
        let asked = cluster.api.cluster().object_requests;
        let Found::Alive(found) = cluster.find(None).await else {
            panic!("it runs")
        };
        driver = Driver(found);
        during(&driver, asked_for_objects(&cluster, asked + 2)).await;
        during(&driver, wait_for("the objects", are_there)).await;
        assert_eq!(cluster.api.objects()[SERVICE], made[SERVICE]);
        cluster.api.end(POD, 0, "Completed");
        driver.ended().await;
        assert_eq!(cluster.world.stdout(), "submitted\n");
        cluster.assert_empty();
    });
}

fn objects_that_are_refused_are_told_and_harm_nothing() {
    run(async {
        let cluster = Kubernetes::new().await;
        cluster.api.cluster().refuses = Some("ingresses");
        let mut driver = cluster.launch_running().await;
        let line = "livius: cannot make the Ingress livius-s-0-aa of kubernetes.ingress, so Spark's pages may not be reachable: \
                    Kubernetes refuses with status 403: ingresses is forbidden: you may not\n";
        let expected = format!("submitted\n{line}");
        let is_told = || cluster.world.stdout() == expected;
        during(&driver, wait_for("the refusal", is_told)).await;
        assert_eq!(cluster.api.objects().len(), 1);
        // Another server does not repeat it.
        drop(driver);
        let asked = cluster.api.cluster().object_requests;
        let Found::Alive(found) = cluster.find(None).await else {
            panic!("it runs")
        };
        driver = Driver(found);
        during(&driver, asked_for_objects(&cluster, asked + 2)).await;
        cluster.api.write(POD, 1, "hello");
        cluster.api.end(POD, 0, "Completed");
        assert_eq!(driver.ended().await.verdict, Some(Verdict::Finished));
        assert_eq!(cluster.world.stdout(), format!("{expected}hello\n"));
        cluster.assert_empty();
    });
}
