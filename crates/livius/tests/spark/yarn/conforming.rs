//! The contract of launchers, with containers of a real YARN.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use livius_domain::{DriverId, Verdict};

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
    let left = world.yarn.stop();
    assert!(left.is_empty(), "{left:#?}");
}

impl Cluster for World {
    fn home(&self) -> &str {
        self.home()
    }

    fn folder(&self) -> &Path {
        self.files()
    }

    fn named(&self, file: &Path) -> String {
        <World as Elsewhere>::named(self, file)
    }

    fn conf(&self) -> BTreeMap<String, String> {
        let mut conf = self.settings();
        conf.insert("spark.master".to_owned(), "yarn".to_owned());
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

    fn verdict(&self, driver: &DriverId, code: i32) -> Verdict {
        let tag = format!("livius-driver-{driver}");
        let application = self.tagged(&tag);
        match code {
            0 => Verdict::Finished,
            code => Verdict::Failed(format!(
                "YARN says that {application} failed: User application exited with status {code}"
            )),
        }
    }

    fn live(&self) -> Vec<String> {
        let applications = self.live().into_iter().map(|app| app.to_string());
        applications.chain(self.yarn.containers()).collect()
    }
}
