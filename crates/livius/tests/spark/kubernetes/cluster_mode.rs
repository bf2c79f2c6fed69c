//! Drivers in pods.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::world::{World, application_of};
use crate::Shared;
use crate::batches::compile_into;
use crate::client::Session;
use crate::elsewhere::{self, Elsewhere};
use crate::python_clients::livys_python_api;
use crate::server::Server;

pub fn all(shared: &Shared) {
    run(shared, false);
}

/// Also with a jar, with the jobs and files of Livy's Python client, and with the doctor's probe.
pub fn whole(shared: &Shared) {
    run(shared, true);
}

fn run(shared: &Shared, is_whole: bool) {
    let Some(world) = World::start(shared) else {
        return;
    };
    let server = world.serve();
    let server = elsewhere::session(&world, server);
    let server = elsewhere::python_batches(&world, server);
    if is_whole {
        let source = include_str!("../batches/applications/Demo.scala");
        let jar = PathBuf::from(compile_into(shared, world.folder(), source));
        elsewhere::jar_batch(&world, &server, &jar);
        livys_python_api(&server, world.folder());
        probe(&world);
    }
    world.await_nothing(&server);
    let left = server.stop();
    assert!(left.is_empty(), "{left:#?}");
    world.stop();
}

/// A driver reaches the doctor, and one finds nothing at the address.
fn probe(world: &World) {
    let probe = |settings: &[&str]| {
        let found = elsewhere::probe(
            (world.home(), &world.settings()["spark.master"]),
            &world.settings(),
            &world.environment(),
            settings,
        );
        elsewhere::expect(&found, "good", "the probe was launched as spark-");
        elsewhere::expect(&found, "good", " on the node ");
        found
    };
    let found = probe(&["server.listen=127.0.0.1:0"]);
    let reached = "its driver reached the server at ws://127.0.0.1:";
    elsewhere::expect(&found, "good", reached);
    let nothing = [
        "server.listen=127.0.0.1:0",
        "server.agent_url=ws://127.0.0.1:9",
    ];
    let words = "a driver there finds nothing that listens at ws://127.0.0.1:9";
    elsewhere::expect(&probe(&nothing), "problem", words);
}

impl Elsewhere for World {
    fn home(&self) -> &Path {
        World::home(self).as_ref()
    }

    fn folder(&self) -> &Path {
        self.files()
    }

    /// It is in the image.
    fn named(&self, file: &Path) -> String {
        format!("local://{}", file.to_str().unwrap())
    }

    fn application_of(&self, url: &str) -> String {
        application_of(url)
    }

    fn check_running(&self, id: &str, session: &Session) {
        let pods = self.all("pods");
        let with_role = |role: &'static str| {
            pods.iter().filter(move |pod| {
                let labels = &pod["metadata"]["labels"];
                labels["spark-role"] == role && labels["spark-app-selector"] == *id
            })
        };
        let driver = with_role("driver").next().expect("the driver has a pod");
        assert_eq!(driver["spec"]["serviceAccountName"], "spark", "{driver}");
        let name = driver["metadata"]["labels"]["livius/driver"]
            .as_str()
            .unwrap();
        assert!(name.starts_with(&format!("s-{}-", session.id)), "{name}");
        assert_eq!(driver["metadata"]["name"], format!("livius-{name}"));
        assert_eq!(with_role("executor").count(), 1);
        // The pod owns the Secret, so Kubernetes removes both.
        let secrets = self.all("secrets");
        let secret = secrets
            .iter()
            .find(|one| one["metadata"]["name"] == format!("livius-{name}"))
            .expect("the driver has a Secret");
        let owners: Vec<&Value> = secret["metadata"]["ownerReferences"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|owner| &owner["uid"])
            .collect();
        assert_eq!(
            owners,
            [&driver["metadata"]["uid"]],
            "{}",
            secret["metadata"]
        );
        // Its token is nowhere else.
        let document = secret["data"]["launch.json"].as_str().unwrap();
        assert!(!driver.to_string().contains(document));
    }

    fn check_ended(&self, id: &str) {
        let pods = self.all("pods");
        assert!(!Value::from(pods).to_string().contains(id));
    }

    fn await_nothing(&self, server: &Server) {
        World::await_nothing(self, server);
    }
}
