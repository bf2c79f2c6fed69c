//! Drivers in containers.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::world::{World, application_of};
use crate::Shared;
use crate::batches::{Batch, compile_into};
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
        probe(&world, &server);
    }
    world.await_nothing(&server);
    let left = server.stop();
    assert!(left.is_empty(), "{left:#?}");
    let left = world.yarn.stop();
    assert!(left.is_empty(), "{left:#?}");
}

/// A driver reaches the doctor, or the server if that has the port.
fn probe(world: &World, server: &Server) {
    let probe = |listen: &str| {
        let setting = format!("server.listen={listen}");
        let found = elsewhere::probe(
            (world.home(), "yarn"),
            &world.settings(),
            &world.environment(),
            &[&setting],
        );
        elsewhere::expect(&found, "good", "the probe was launched as application_");
        found
    };
    let found = probe("127.0.0.1:0");
    let reached = "its driver reached the server at ws://127.0.0.1:";
    elsewhere::expect(&found, "good", reached);
    let taken = server.url.trim_start_matches("http://");
    let words = format!("a driver there reached ws://{taken}/api/v1/agent, and got 404");
    elsewhere::expect(&probe(taken), "good", &words);
}

impl Elsewhere for World {
    fn home(&self) -> &Path {
        World::home(self).as_ref()
    }

    fn folder(&self) -> &Path {
        self.files()
    }

    /// The submitter sends it.
    fn named(&self, file: &Path) -> String {
        file.to_str().unwrap().to_owned()
    }

    fn asks(&self) -> Value {
        json!({"queue": "etl"})
    }

    fn proxy_user(&self) -> Option<&'static str> {
        Some("alice")
    }

    fn check_batch(&self, batch: &Batch) {
        let app = self.application(&application_of(batch.url()));
        assert_eq!(app["user"], "alice", "{app}");
    }

    fn application_of(&self, url: &str) -> String {
        application_of(url)
    }

    fn check_running(&self, id: &str, session: &Session) {
        let app = self.application(id);
        assert_eq!(
            (&app["queue"], &app["state"]),
            (&"root.etl".into(), &"RUNNING".into()),
            "{app}"
        );
        assert_eq!(app["name"], "elsewhere");
        let tags = app["applicationTags"].as_str().unwrap();
        assert!(
            tags.contains(&format!("livius-driver-s-{}-", session.id)),
            "{tags}"
        );
        let info = session.shown()["appInfo"].clone();
        let proxied = format!("/proxy/{id}/");
        for (link, part) in [
            ("sparkUiUrl", proxied.as_str()),
            ("driverLogUrl", "/containerlogs/container_"),
        ] {
            let address = info[link].as_str().unwrap_or_default();
            assert!(address.contains(part), "{info}");
        }
    }

    fn check_ended(&self, id: &str) {
        let app = self.application(id);
        assert_eq!(
            (&app["state"], &app["finalStatus"]),
            (&"FINISHED".into(), &"SUCCEEDED".into()),
            "{app}"
        );
    }

    fn await_nothing(&self, server: &Server) {
        World::await_nothing(self, server);
    }
}
