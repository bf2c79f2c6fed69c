//! The conformance suite, for each place that drivers run in.

mod yarn;

use std::fs;
use std::sync::Arc;

use async_trait::async_trait;
use camino::Utf8PathBuf;
use livius_domain::{DriverId, Verdict};
use livius_launch::conformance::{Manners, Place};
use livius_launch::{DriverOrder, Launcher, launcher_conformance};

pub use self::yarn::yarn;
use crate::world::{World, wait_for};

/// A driver that does what the files in its control directory say. On a cluster it stands for the
/// monitor, and writes down what the master would say.
const BEHAVIOUR: &str = r#"
id=${PWD%/work}; control=$ROOT/control/${id##*/}
finish() {
  [ -e "$control/cluster" ] &&
    echo "{\"v\":1,\"driver\":\"driver-1\",\"state\":\"$2\",\"worker\":\"w\",\"exception\":null}" >../cluster.json
  exit "$1"
}
if [ -e "$control/stubborn" ]; then trap '' TERM; else trap 'finish 143 KILLED' TERM; fi
while :; do
  if [ -e "$control/line" ]; then cat "$control/line"; rm "$control/line"; fi
  if [ -e "$control/end" ]; then
    code=$(cat "$control/end")
    if [ "$code" = 0 ]; then finish 0 FINISHED; else finish "$code" FAILED; fi
  fi
  sleep 0.02
done
"#;

/// The suite for drivers on this machine.
pub fn local() -> Vec<crate::Test> {
    launcher_conformance!(list Machine::new(false))
}

/// The suite for drivers that a monitor follows on a cluster.
pub fn standalone() -> Vec<crate::Test> {
    launcher_conformance!(list Machine::new(true))
}

struct Machine {
    world: World,
    cluster: bool,
}

impl Machine {
    fn new(cluster: bool) -> Self {
        Self {
            world: World::new(),
            cluster,
        }
    }

    fn control(&self, id: &DriverId) -> Utf8PathBuf {
        self.world.root.join("control").join(id.as_str())
    }

    /// Writes a file of a driver's control directory. It appears whole.
    fn tell(&self, id: &DriverId, name: &str, content: &str) {
        let control = self.control(id);
        fs::create_dir_all(&control).unwrap();
        fs::write(control.join("new"), content).unwrap();
        fs::rename(control.join("new"), control.join(name)).unwrap();
    }
}

#[async_trait]
impl Place for Machine {
    fn launcher(&self) -> Arc<dyn Launcher> {
        let behaviour = BEHAVIOUR.replace("$ROOT", self.world.root.as_str());
        Arc::new(self.world.launcher(&behaviour))
    }

    fn order(&self, id: &DriverId, manners: Manners) -> DriverOrder {
        let mut order = self.world.order();
        order.id = id.clone();
        if self.cluster {
            let conf = [
                ("spark.submit.deployMode", "cluster"),
                ("spark.master", "spark://one:7077"),
            ];
            order.conf = conf.map(|(k, v)| (k.to_owned(), v.to_owned())).into();
            self.tell(id, "cluster", "");
        } else if manners == Manners::Stubborn {
            // The monitor of a cluster obeys: it has the master kill a stubborn driver.
            self.tell(id, "stubborn", "");
        }
        order
    }

    async fn print(&self, id: &DriverId, line: &str) {
        self.tell(id, "line", &format!("{line}\n"));
        let file = self.control(id).join("line");
        wait_for("the line to be printed", || !file.exists()).await;
    }

    async fn end(&self, id: &DriverId, code: i32) {
        self.tell(id, "end", &code.to_string());
    }

    fn verdict(&self, code: i32) -> Option<Verdict> {
        self.cluster.then(|| match code {
            0 => Verdict::Finished,
            _ => Verdict::Failed(
                "the standalone master says that driver driver-1 ended as FAILED".to_owned(),
            ),
        })
    }

    fn survivors(&self) -> Vec<String> {
        self.world.survivors()
    }
}
