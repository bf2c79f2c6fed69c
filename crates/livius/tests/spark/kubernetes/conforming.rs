//! The contract of launchers, with pods of a real Kubernetes.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use livius_domain::{DriverId, Verdict};
use livius_launch::LocalConfig;

use super::world::World;
use crate::Shared;
use crate::conforming::{self, Cluster};
use crate::elsewhere::Elsewhere;

pub fn all(shared: &Shared) {
    let Some(world) = World::start(shared) else {
        return;
    };
    let world = Arc::new(world);
    conforming::run(Arc::clone(&world) as _);
    let world = Arc::into_inner(world).expect("no case has it any more");
    world.stop();
}

impl Cluster for World {
    fn home(&self) -> &str {
        World::home(self)
    }

    fn folder(&self) -> &Path {
        self.files()
    }

    fn named(&self, file: &Path) -> String {
        <World as Elsewhere>::named(self, file)
    }

    fn conf(&self) -> BTreeMap<String, String> {
        let mut conf = self.settings();
        // The driver alone is the subject.
        for (key, value) in [
            ("spark.dynamicAllocation.enabled", "true"),
            ("spark.dynamicAllocation.shuffleTracking.enabled", "true"),
            ("spark.dynamicAllocation.minExecutors", "0"),
        ] {
            conf.insert(key.to_owned(), value.to_owned());
        }
        conf.remove("spark.executor.instances");
        conf
    }

    fn variables(&self) -> Vec<(String, String)> {
        self.environment()
    }

    fn adapt(&self, config: &mut LocalConfig) {
        config.kubernetes.masters = vec!["*".to_owned()];
        config.kubernetes.service_accounts = vec!["*".to_owned()];
    }

    fn verdict(&self, driver: &DriverId, code: i32) -> Verdict {
        match code {
            0 => Verdict::Finished,
            code => Verdict::Failed(format!(
                "the container spark-kubernetes-driver of the pod livius-{driver} ended with exit code {code}"
            )),
        }
    }

    fn live(&self) -> Vec<String> {
        let mut live = self.left();
        live.extend(self.cluster.containers());
        live
    }
}
