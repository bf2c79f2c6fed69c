//! `[spark]`: the Spark installation, and the configuration that drivers start with.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use livius_launch::{Backend, Jit, Unsupported};

use crate::config::check::Problems;
use crate::config::resolved::Resolved;
use crate::config::setting::{
    Key, Setting, Table, Text, choice, list, optional_choice, path, switch, table, text,
};

settings! {
    HOME: Option<Utf8PathBuf> = path(
        "spark.home",
        "SPARK_HOME",
        "The Spark installation of new sessions and batches. If it is unset, the one whose `spark-submit` is on the `PATH`, or else the newest one that `livius setup` installed.",
    );
    MASTER: Text = text(
        "spark.master",
        "local[*]",
        "Spark's master. If it is set, sessions and batches cannot choose another one. If it is not, they can, and `spark-defaults.conf` may have another default.",
    );
    DEPLOY_MODE: Option<String> = optional_choice(
        "spark.deploy_mode",
        &["client", "cluster"],
        "Spark's deploy mode. If it is set, sessions and batches cannot choose another one. `cluster` needs YARN, Kubernetes (`k8s://…`) or a standalone master (`spark://…`).",
    );
    CONF: Table = table(
        "spark.conf",
        "Spark configuration of every session and batch. A request's own `conf` overrides it.",
    );
    CLASS_ARCHIVE: bool = switch(
        "spark.class_archive",
        true,
        "Whether drivers start from an archive of Spark's classes, which takes half of the work from their start. `livius setup` makes it, or the server does after the first launch: that takes a minute, and 150 MB for each Spark and Java. Drivers start without it when it is missing or does not fit.",
    );
    JIT: Text = choice(
        "spark.jit",
        &["late", "light", "java"],
        "late",
        "The JVM's compilers in drivers on this machine. `late`: the optimising compiler begins later than usual, so drivers start faster and long jobs still reach their full speed. `light`: only the quick compiler, for drivers that only schedule work on a cluster. `java`: as Java decides. Flags in `spark.driver.extraJavaOptions` override it.",
    );
    BLOCKED_CONF: Vec<String> = list(
        "spark.blocked_conf",
        "Spark configuration keys that requests may not name. Requests may never name keys that would change the user that a driver runs as.",
    );
    FILE_LIST_CONF: Vec<String> = list(
        "spark.file_list_conf",
        "Further keys of a request's `conf` that hold lists of files. The server checks them like Spark's own keys: they may only name files that requests may name (`files.local_directories`).",
    );
}

/// The settings of the section.
#[derive(Debug, Clone)]
pub struct SparkSettings {
    /// The Spark installation of new sessions, if Livius's own configuration names it.
    pub home: Option<Utf8PathBuf>,
    /// Spark configuration that requests may override.
    pub defaults: BTreeMap<String, String>,
    /// Spark configuration that requests may not override.
    pub overrides: BTreeMap<String, String>,
    /// Whether drivers start from an archive of Spark's classes.
    pub class_archive: bool,
    /// The choice of the JVM's compilers.
    pub jit: Jit,
    /// Spark configuration that requests may not name.
    pub blocked_conf: Vec<String>,
    /// Further Spark configuration that holds lists of files.
    pub file_list_conf: Vec<String>,
}

impl SparkSettings {
    /// Reads the section.
    pub fn read(resolved: &Resolved, problems: &mut Problems) -> Self {
        let master = resolved.value(&MASTER);
        let deploy_mode = resolved.value(&DEPLOY_MODE);
        let (defaults, overrides) = conf(resolved, &master, deploy_mode);
        if let Err(why) = Backend::check(&overrides) {
            problems.refuse(&DEPLOY_MODE, refusal(&why, &master));
        }
        Self {
            home: resolved.configured_path(&HOME),
            defaults,
            overrides,
            class_archive: resolved.value(&CLASS_ARCHIVE),
            jit: match &*resolved.value(&JIT) {
                "light" => Jit::Light,
                "java" => Jit::Java,
                _ => Jit::Late,
            },
            blocked_conf: resolved.value(&BLOCKED_CONF),
            file_list_conf: resolved.value(&FILE_LIST_CONF),
        }
    }
}

fn refusal(why: &Unsupported, master: &str) -> String {
    match why {
        Unsupported::Master(_) => format!(
            "cluster mode needs YARN, Kubernetes (k8s://…) or a standalone master (spark://…), and spark.master is {master:?}: every \
             session and batch would be refused. Set client, or leave it out"
        ),
        _ => format!("every session and batch would be refused, because the server cannot {why}"),
    }
}

/// Defaults and overrides. A master or deploy mode that the operator set is binding, as with Livy.
/// The default master is Spark's own, so it is left to Spark: `spark-defaults.conf` may name another.
fn conf(
    resolved: &Resolved,
    master: &str,
    deploy_mode: Option<String>,
) -> (BTreeMap<String, String>, BTreeMap<String, String>) {
    let defaults = resolved.table(&CONF);
    let mut overrides = BTreeMap::new();
    if !resolved.is_default(&MASTER.key) {
        overrides.insert("spark.master".to_owned(), master.to_owned());
    }
    if let Some(mode) = deploy_mode {
        overrides.insert("spark.submit.deployMode".to_owned(), mode);
    }
    (defaults, overrides)
}
