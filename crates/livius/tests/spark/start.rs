//! The start of drivers.

use std::fs;

use crate::{Case, Shared};

pub const CASES: &[Case] = &[(
    "start::a_driver_uses_the_class_archive_that_the_setup_made",
    class_archive,
)];

fn class_archive(shared: &Shared) {
    shared.session().text("pyspark", "1");
    let processes = shared.server().processes();
    let is_driver = |line: &&String| line.contains("SparkSubmit") && !line.contains(" supervise ");
    let driver = processes.iter().find(is_driver).expect("a driver");
    assert!(driver.contains("-XX:SharedArchiveFile="), "{driver}");
    let pid = driver.split(':').next().unwrap();
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    assert!(maps.contains("/classes.jsa"), "{driver}");
}
