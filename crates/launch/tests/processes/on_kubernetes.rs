//! Drivers with pods on Kubernetes.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use livius_domain::failure::Clue;
use livius_domain::{Departure, DriverLocation, Exit, FailureCode, Verdict};
use livius_kubernetes::Template;
use livius_launch::{
    DriverOrder, DriverSpec, Found, KubernetesLimits, Launcher as _, LocalConfig, LocalLauncher,
    SparkPages,
};
use serde_json::json;

use crate::api_server::{ApiServer, NAMESPACE};
use crate::world::{Driver, LONG, World, in_time, kill, launcher_of, run, supervisor_of, wait_for};

/// The tests of this file.
pub const TESTS: &[crate::Test] = tests![
    a_pod_is_followed_to_its_end,
    the_agent_and_its_document_are_in_a_secret,
    a_refused_submission_tells_the_reason,
    a_secret_that_is_refused_starts_nothing,
    a_server_finds_a_pod_at_each_step,
    an_end_is_told_again_after_everything_was_deleted,
    an_outage_ends_no_pod,
    a_pod_that_comes_after_the_stop_is_deleted,
    a_stop_waits_for_the_pods,
    a_pod_that_somebody_deletes_was_killed,
    a_pod_that_was_deleted_unseen_is_told,
    memory_that_ran_out_is_told,
    an_image_that_is_not_there_is_told,
    each_line_of_a_log_is_written_once,
    a_log_that_nobody_can_read_is_told_once,
    executors_of_a_process_are_deleted_with_it,
    what_no_record_names_can_be_reaped,
    the_limits_are_checked_before_anything_starts,
];

/// A submitter that hands its pod over.
pub const SUBMITS: &str = "echo submitted; exit 0";
/// A submitter that waits for the test.
const WAITS: &str = "exec sleep 600";
pub const POD: &str = "livius-s-0-aa";

/// Objects for each pod.
const OBJECTS: &str = r#"
apiVersion: v1
kind: Service
spec: { selector: { livius/driver: "{driver}" }, ports: [{ port: 4040 }] }
---
apiVersion: networking.k8s.io/v1
kind: Ingress
spec: { defaultBackend: { service: { name: "{service}", port: { number: 4040 } } } }
"#;

/// A world with a Kubernetes cluster.
pub struct Kubernetes {
    pub world: World,
    pub api: ApiServer,
    master: String,
}

impl Kubernetes {
    pub async fn new() -> Self {
        let (api, address) = ApiServer::start().await;
        Self {
            world: World::new(),
            api,
            master: format!("k8s://http://{address}"),
        }
    }

    pub fn launcher(&self, behaviour: &str) -> LocalLauncher {
        launcher_of(LocalConfig {
            kubernetes: KubernetesLimits {
                own_masters: vec![self.master.clone()],
                ..KubernetesLimits::default()
            },
            kubernetes_pages: SparkPages {
                address: Some("https://ui/{namespace}/{pod}/{app}/{driver}".to_owned()),
                objects: Some(Arc::new(Template::parse(OBJECTS).unwrap())),
            },
            ..self.world.config(behaviour)
        })
    }

    pub fn order(&self, mode: &str) -> DriverOrder {
        let mut order = self.world.order();
        let conf = [
            ("spark.master", &*self.master),
            ("spark.submit.deployMode", mode),
            ("spark.kubernetes.namespace", NAMESPACE),
        ];
        order.conf = conf.map(|(k, v)| (k.to_owned(), v.to_owned())).into();
        order
    }

    /// Launches a driver in a pod.
    async fn launch(&self, behaviour: &str) -> Driver {
        let launched = self.launcher(behaviour).launch(self.order("cluster")).await;
        Driver(launched.map_err(|failure| failure.message).unwrap())
    }

    /// Launches a driver whose pod runs.
    pub async fn launch_running(&self) -> Driver {
        let driver = self.launch(SUBMITS).await;
        self.make_pod("driver");
        self.api.run(POD);
        driver
    }

    fn make_pod(&self, role: &str) {
        self.api.make_pod(&self.server_id(), POD, role);
    }

    pub fn server_id(&self) -> String {
        fs::read_to_string(self.world.root.join("data/server-id")).unwrap()
    }

    /// Looks for the driver as a starting server does.
    pub async fn find(&self, at: Option<&DriverLocation>) -> Found {
        in_time(self.launcher("").find(&self.world.id(), at)).await
    }

    async fn submitted(&self) {
        let exit = self.world.dir().join("exit.json");
        wait_for("the submitter to end", || exit.exists()).await;
    }

    /// Waits until the server has learned of the end of its submitter, whose supervisor is a child of
    /// this process.
    async fn submitter_gone(&self, driver: &Driver) {
        let supervisor = supervisor_of(&self.world.dir()).pid;
        let process = format!("/proc/{supervisor}");
        let is_gone = || !fs::exists(&process).unwrap();
        during(driver, wait_for("the supervisor to be gone", is_gone)).await;
    }

    /// Waits until the server has listed pods so often.
    async fn lists(&self, more: usize) {
        let wanted = self.api.cluster().lists + more;
        wait_for("Kubernetes to be asked", || {
            self.api.cluster().lists >= wanted
        })
        .await;
    }

    pub fn assert_empty(&self) {
        let nothing: [String; 0] = [];
        assert_eq!(self.api.pods(), nothing);
        assert_eq!(self.api.secrets(), nothing);
        assert!(self.api.objects().is_empty());
    }
}

fn with(verdict: Verdict, exit: Exit) -> Departure {
    Departure {
        verdict: Some(verdict),
        ..Departure::of(exit)
    }
}

/// Fails if a driver ends before something has happened.
pub async fn during<T>(driver: &Driver, work: impl Future<Output = T>) -> T {
    tokio::select! {
        biased;
        _ = driver.0.ended() => panic!("it has ended"),
        result = in_time(work) => result,
    }
}

fn a_pod_is_followed_to_its_end() {
    run(async {
        let cluster = Kubernetes::new().await;
        let driver = cluster.launch_running().await;
        let is_owned = || !cluster.api.secret()["metadata"]["ownerReferences"].is_null();
        during(&driver, wait_for("the secret to be the pod's", is_owned)).await;
        let sighting = during(&driver, driver.0.sighted(None)).await;
        assert_eq!((&*sighting.app.app_id, sighting.waits), ("spark-1", None));
        let url = "https://ui/etl/livius-s-0-aa/spark-1/s-0-aa".to_owned();
        assert_eq!(sighting.app.spark_ui_url, Some(url));
        cluster.api.end(POD, 0, "Completed");
        let (one, two) = tokio::join!(driver.ended(), driver.ended());
        assert_eq!(one, with(Verdict::Finished, Exit::Code(0)));
        assert_eq!((&one, &driver.ended().await), (&two, &two));
        assert_eq!(driver.terminate(LONG).await, Exit::Code(0));
        cluster.assert_empty();
        cluster.world.assert_clean();
    });
}

fn the_agent_and_its_document_are_in_a_secret() {
    run(async {
        let cluster = Kubernetes::new().await;
        // An earlier launch was broken off after its secret.
        let driver = cluster.launch(SUBMITS).await;
        let secret = cluster.api.secret();
        assert_eq!(
            secret["metadata"]["labels"]["livius/server"],
            cluster.server_id()
        );
        assert_eq!(secret["metadata"]["labels"]["livius/driver"], "s-0-aa");
        let mut files: Vec<&String> = secret["data"].as_object().unwrap().keys().collect();
        files.sort();
        assert_eq!(files, ["agent.jar", "launch.json"]);
        // The token is nowhere else.
        for entry in fs::read_dir(cluster.world.dir()).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let text = fs::read(&path).unwrap();
                let text = String::from_utf8_lossy(&text).into_owned();
                assert!(!text.contains("topsecret"), "{}", path.display());
            }
        }
        assert!(!driver.0.location().as_str().contains("topsecret"));
    });
}

fn a_refused_submission_tells_the_reason() {
    run(async {
        let cluster = Kubernetes::new().await;
        let refusal = "io.fabric8.kubernetes.client.KubernetesClientException: Failure executing: POST at: https://h/pods. Message: \
                       pods x is forbidden: exceeded quota: small.";
        let told = format!("Exception in thread \"main\" {refusal}");
        let behaviour = format!("echo '{told}' >&2; exit 1");
        let driver = cluster.launch(&behaviour).await;
        let expected = Departure {
            evidence: Some(refusal.to_owned()),
            clue: Some(Clue::of(FailureCode::ResourcesRefused, Some(&told))),
            ..Departure::of(Exit::Code(1))
        };
        assert_eq!(driver.ended().await, expected);
        cluster.assert_empty();
    });
}

fn a_secret_that_is_refused_starts_nothing() {
    run(async {
        let cluster = Kubernetes::new().await;
        cluster.api.cluster().refuses_secrets = true;
        let launched = cluster
            .launcher(WAITS)
            .launch(cluster.order("cluster"))
            .await;
        let failure = launched.err().unwrap();
        assert!(
            failure.message.contains(
                "in the namespace etl: Kubernetes refuses with status 403: secrets is forbidden"
            ) && failure.hint.contains("create, patch and delete secrets"),
            "{failure:?}"
        );
        assert!(matches!(cluster.find(None).await, Found::NeverStarted));
        assert_eq!(cluster.world.survivors(), Vec::<String>::new());
    });
}

/// The server dies at each step, with and without having stored the location.
fn a_server_finds_a_pod_at_each_step() {
    run(async {
        let cluster = Kubernetes::new().await;
        let first = cluster.launch(WAITS).await;
        let location = first.0.location();
        let places = [None, Some(&location)];
        for at in places {
            let found = cluster.find(at).await;
            assert!(matches!(found, Found::Alive(_)), "it is being submitted");
        }
        // The submitter is killed after its request.
        cluster.make_pod("driver");
        let record = fs::read_to_string(cluster.world.dir().join("driver.json")).unwrap();
        let submitter: serde_json::Value = serde_json::from_str(&record).unwrap();
        let submitter = i32::try_from(submitter["pid"].as_i64().unwrap()).unwrap();
        kill(submitter, "-KILL");
        cluster.submitter_gone(&first).await;
        for at in places {
            let found = cluster.find(at).await;
            assert!(matches!(found, Found::Alive(_)), "its pod waits for a node");
        }
        cluster.api.run(POD);
        for at in places {
            let Found::Alive(found) = cluster.find(at).await else {
                panic!("it runs in its pod")
            };
            assert_eq!(found.location(), location);
        }
        cluster.api.write(POD, 1, "hello");
        cluster.api.end(POD, 0, "Completed");
        for at in places {
            let Found::Ended(departure) = cluster.find(at).await else {
                panic!("it has ended")
            };
            assert_eq!(departure, with(Verdict::Finished, Exit::Code(0)));
            cluster.assert_empty();
        }
        assert_eq!(cluster.world.stdout(), "hello\n");

        // The server of the next driver died before it started anything, but after its secret.
        let next = Kubernetes::new().await;
        next.api.cluster().keeps_deleted = true;
        let driver = next.launch(WAITS).await;
        let dir = next.world.dir();
        kill(supervisor_of(&dir).pid, "-KILL");
        kill(submitter_of(&next), "-KILL");
        drop(driver);
        for file in ["supervisor.json", "driver.json", "exit.json"] {
            let _ = fs::remove_file(dir.join(file));
        }
        assert_eq!(next.api.secrets().len(), 1);
        assert!(matches!(next.find(None).await, Found::NeverStarted));
        next.assert_empty();
    });
}

fn submitter_of(cluster: &Kubernetes) -> i32 {
    let record = fs::read_to_string(cluster.world.dir().join("driver.json")).unwrap();
    let submitter: serde_json::Value = serde_json::from_str(&record).unwrap();
    i32::try_from(submitter["pid"].as_i64().unwrap()).unwrap()
}

/// The server dies between the deletion of the pod and the store's record of the end.
fn an_end_is_told_again_after_everything_was_deleted() {
    run(async {
        let cluster = Kubernetes::new().await;
        let driver = cluster.launch_running().await;
        cluster.api.write(POD, 1, "java.lang.OutOfMemoryError: x");
        cluster.api.end(POD, 3, "Error");
        let departure = driver.ended().await;
        assert_eq!(departure.exit, Exit::Code(3));
        assert_eq!(
            departure.evidence.as_deref(),
            Some("java.lang.OutOfMemoryError: x")
        );
        cluster.assert_empty();
        let Found::Ended(found) = cluster.find(None).await else {
            panic!("it has ended")
        };
        assert_eq!(found, departure);
    });
}

fn an_outage_ends_no_pod() {
    run(async {
        let cluster = Kubernetes::new().await;
        let driver = cluster.launch_running().await;
        during(&driver, cluster.lists(1)).await;
        cluster.api.cluster().is_away = true;
        cluster.api.end(POD, 1, "Error");
        let location = driver.0.location();
        let found = cluster.find(Some(&location)).await;
        assert!(matches!(found, Found::Alive(_)), "it is not known");
        tokio::select! {
            biased;
            _ = driver.ended() => panic!("it has ended without evidence"),
            () = tokio::time::sleep(Duration::from_secs(4)) => {}
        }
        cluster.api.cluster().is_away = false;
        let message =
            "the container spark-kubernetes-driver of the pod livius-s-0-aa ended with exit code 1";
        assert_eq!(
            driver.ended().await,
            with(Verdict::Failed(message.to_owned()), Exit::Code(1))
        );
        cluster.assert_empty();
    });
}

fn a_pod_that_comes_after_the_stop_is_deleted() {
    run(async {
        let cluster = Kubernetes::new().await;
        let driver = cluster.launch(WAITS).await;
        let comes = async {
            // The last request of the submitter was on its way when it was killed.
            cluster.submitted().await;
            cluster.lists(1).await;
            cluster.make_pod("driver");
        };
        let (departure, ()) = tokio::join!(in_time(driver.0.terminate(LONG)), comes);
        assert_eq!(departure.verdict, Some(Verdict::Killed));
        assert_eq!(cluster.api.cluster().deleted, [POD]);
        cluster.assert_empty();
        assert_eq!(cluster.world.survivors(), Vec::<String>::new());
    });
}

fn a_stop_waits_for_the_pods() {
    run(async {
        let cluster = Kubernetes::new().await;
        let driver = cluster.launch_running().await;
        cluster.api.cluster().keeps_deleted = true;
        let ends = async {
            let is_asked = || !cluster.api.cluster().deleted.is_empty();
            during(&driver, wait_for("the deletion", is_asked)).await;
            cluster.api.write(POD, 1, "goodbye");
            during(&driver, async {
                let told = || cluster.world.stdout().contains("goodbye");
                wait_for("the last line", told).await;
            })
            .await;
            cluster.api.end(POD, 143, "Error");
            cluster.api.remove(POD);
        };
        let (departure, ()) = tokio::join!(in_time(driver.0.terminate(LONG)), ends);
        assert_eq!(departure.verdict, Some(Verdict::Killed));
        cluster.assert_empty();
    });
}

fn a_pod_that_somebody_deletes_was_killed() {
    run(async {
        let cluster = Kubernetes::new().await;
        let driver = cluster.launch_running().await;
        cluster.api.write(POD, 1, "hello");
        let has_line = || cluster.world.stdout().contains("hello");
        during(&driver, wait_for("the log", has_line)).await;
        cluster.api.close_log(POD);
        cluster.api.remove(POD);
        let departure = driver.ended().await;
        assert_eq!(departure, with(Verdict::Killed, Exit::Unknown));
        cluster.assert_empty();
    });
}

fn a_pod_that_was_deleted_unseen_is_told() {
    run(async {
        let cluster = Kubernetes::new().await;
        let driver = cluster.launch_running().await;
        cluster.submitter_gone(&driver).await;
        drop(driver);
        cluster.api.remove(POD);
        let Found::Ended(departure) = cluster.find(None).await else {
            panic!("it has ended")
        };
        let Some(Verdict::Failed(message)) = departure.verdict else {
            panic!("it is not known how it ended")
        };
        let words = "the namespace etl has no pod of the driver any more";
        assert!(message.starts_with(words), "{message}");
    });
}

fn memory_that_ran_out_is_told() {
    run(async {
        let cluster = Kubernetes::new().await;
        let driver = cluster.launch_running().await;
        cluster.api.end(POD, 137, "OOMKilled");
        let departure = driver.ended().await;
        assert_eq!(departure.exit, Exit::Code(137));
        let Some(Verdict::Failed(message)) = departure.verdict else {
            panic!("it has failed")
        };
        assert!(
            message.contains("more memory than its limit of 1408Mi"),
            "{message}"
        );
    });
}

fn an_image_that_is_not_there_is_told() {
    run(async {
        let cluster = Kubernetes::new().await;
        let driver = cluster.launch(SUBMITS).await;
        // Waits until clients are told this.
        let told = async |expected: Option<&str>| {
            let mut known = None;
            let sightings = async {
                loop {
                    let sighting = driver.0.sighted(known.as_ref()).await;
                    if sighting.waits.as_deref() == expected {
                        return;
                    }
                    known = Some(sighting);
                }
            };
            during(&driver, sightings).await;
        };
        cluster.make_pod("driver");
        told(Some("the pod livius-s-0-aa waits for a node")).await;
        let state = json!({ "waiting": { "reason": "ContainerCreating" } });
        cluster.api.set(POD, "Pending", &state);
        told(Some("the node prepares the pod livius-s-0-aa")).await;
        // No change of the pod tells of an event.
        cluster
            .api
            .warn(POD, "FailedMount", "secret \"x\" not found");
        let wait = "the node prepares the pod livius-s-0-aa: secret \"x\" not found";
        told(Some(wait)).await;
        let back_off = "Back-off pulling image \"spark:4\"";
        let state = json!({ "waiting": { "reason": "ImagePullBackOff", "message": back_off } });
        cluster.api.set(POD, "Pending", &state);
        let pull = "Failed to pull image \"spark:4\": no such host";
        cluster.api.warn(POD, "Failed", pull);
        let wait = "the node cannot get the image spark:4 of the pod livius-s-0-aa: no such host";
        told(Some(wait)).await;
        cluster.api.run(POD);
        told(None).await;
    });
}

fn each_line_of_a_log_is_written_once() {
    run(async {
        let cluster = Kubernetes::new().await;
        let mut driver = cluster.launch_running().await;
        let mut expected = "submitted\n".to_owned();
        let mut say = |nanoseconds: i64, text: &str| {
            cluster.api.write(POD, nanoseconds, text);
            expected.push_str(text);
            expected.push('\n');
            expected.clone()
        };
        let shows = async |driver: &Driver, text: &str| {
            let is_there = || cluster.world.stdout() == text;
            during(driver, wait_for("the log", is_there)).await;
        };
        say(5, "one");
        let text = say(5, "one");
        shows(&driver, &text).await;
        // The connection breaks.
        let asked = cluster.api.cluster().log_requests;
        cluster.api.close_log(POD);
        let is_again = || cluster.api.cluster().log_requests > asked;
        during(&driver, wait_for("another request", is_again)).await;
        cluster.api.open_log(POD);
        let text = say(5, "two");
        shows(&driver, &text).await;
        // The server is restarted.
        let text = say(1_000_000_007, "three");
        let Found::Alive(found) = cluster.find(None).await else {
            panic!("it runs")
        };
        driver = Driver(found);
        shows(&driver, &text).await;
        let text = say(1_000_000_008, "four");
        cluster.api.end(POD, 0, "Completed");
        driver.ended().await;
        assert_eq!(cluster.world.stdout(), text);
    });
}

fn a_log_that_nobody_can_read_is_told_once() {
    run(async {
        let cluster = Kubernetes::new().await;
        cluster.api.cluster().refuses_logs = true;
        let driver = cluster.launch_running().await;
        cluster.api.end(POD, 0, "Completed");
        assert_eq!(driver.ended().await.verdict, Some(Verdict::Finished));
        let line = "livius: cannot read the log of the pod livius-s-0-aa: Kubernetes refuses with status 403: you may not see logs\n";
        let expected = format!("submitted\n{line}");
        assert_eq!(cluster.world.stdout(), expected);
        assert!(matches!(cluster.find(None).await, Found::Ended(_)));
        assert_eq!(cluster.world.stdout(), expected);
    });
}

fn executors_of_a_process_are_deleted_with_it() {
    run(async {
        for end in ["echo ready; exit 3", "echo ready; exec sleep 600"] {
            let cluster = Kubernetes::new().await;
            let launched = cluster.launcher(end).launch(cluster.order("client")).await;
            let driver = Driver(launched.map_err(|failure| failure.message).unwrap());
            cluster.make_pod("executor");
            assert_eq!(cluster.api.secrets().len(), 0);
            if end.contains("sleep") {
                wait_for("the driver", || cluster.world.stdout().contains("ready")).await;
                kill(supervisor_of(&cluster.world.dir()).pid, "-KILL");
            }
            let departure = driver.ended().await;
            assert_eq!(departure.verdict, None, "{end}");
            cluster.assert_empty();
            assert_eq!(cluster.world.survivors(), Vec::<String>::new());
        }
    });
}

fn what_no_record_names_can_be_reaped() {
    run(async {
        let cluster = Kubernetes::new().await;
        let launcher = cluster.launcher("");
        assert_eq!(in_time(launcher.on_clusters()).await.unwrap(), []);
        let driver = cluster.launch_running().await;
        cluster.api.make_pod("another-server", "other", "driver");
        cluster.submitter_gone(&driver).await;
        drop(driver);
        // The temporary files go in a thread of their own.
        let dir = cluster.world.dir();
        wait_for("the files to go", || fs::remove_dir_all(&dir).is_ok()).await;
        // A restarted server knows the namespace.
        let launcher = cluster.launcher("");
        let id = cluster.world.id();
        let found = in_time(launcher.on_clusters()).await.unwrap();
        assert_eq!(found, std::slice::from_ref(&id));
        in_time(launcher.reap(&id)).await.unwrap();
        assert_eq!(cluster.api.pods(), ["other"]);
        assert_eq!(cluster.api.secrets().len(), 0);
        assert_eq!(in_time(launcher.on_clusters()).await.unwrap(), []);
        cluster.api.cluster().is_away = true;
        assert_eq!(in_time(launcher.on_clusters()).await.unwrap(), []);
        assert!(in_time(launcher.reap(&id)).await.is_err());
    });
}

fn the_limits_are_checked_before_anything_starts() {
    run(async {
        let cluster = Kubernetes::new().await;
        let key = "spark.kubernetes.driver.podTemplateFile".to_owned();
        let mut order = cluster.order("cluster");
        order.conf.insert(key, "/x.yaml".to_owned());
        let launcher = cluster.launcher(WAITS);
        let why = "the server's setting kubernetes.pod_templates does not allow it";
        let unsupported = launcher
            .check(&DriverSpec { conf: &order.conf })
            .unwrap_err();
        assert!(
            unsupported.refusal().ends_with(why),
            "{}",
            unsupported.refusal()
        );
        let failure = launcher.launch(order).await.err().unwrap();
        assert!(failure.message.ends_with(why), "{}", failure.message);
        cluster.assert_empty();
    });
}
