//! The ports that a driver with a local master opens on this machine, for its RPC and its UI.

use std::collections::BTreeMap;

/// Any user of the machine can connect to the ports. Without authentication Spark reads serialised
/// Java objects from them. For a local master Spark makes the secret itself; any other master would
/// need one that its workers know.
const DEFAULTS: [(&str, &str); 2] = [
    ("spark.authenticate", "true"),
    ("spark.ui.killEnabled", "false"),
];

/// Adds the defaults that protect the ports. Configuration goes before them.
pub(super) fn protect(conf: &mut BTreeMap<String, String>) {
    if is_local(conf) {
        for (key, value) in DEFAULTS {
            conf.entry(key.to_owned())
                .or_insert_with(|| value.to_owned());
        }
    }
}

/// Whether all executors are in the driver.
pub(super) fn is_local(conf: &BTreeMap<String, String>) -> bool {
    conf.get("spark.master")
        .is_none_or(|master| master == "local" || master.starts_with("local["))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_ports_of_local_masters_are_protected_and_configuration_wins() {
        for (given, protected) in [
            ("", "spark.authenticate=true spark.ui.killEnabled=false"),
            (
                "spark.master=local",
                "spark.authenticate=true spark.master=local spark.ui.killEnabled=false",
            ),
            (
                "spark.authenticate=false spark.master=local[*,3]",
                "spark.authenticate=false spark.master=local[*,3] spark.ui.killEnabled=false",
            ),
            (
                "spark.master=local-cluster[2,1,1024]",
                "spark.master=local-cluster[2,1,1024]",
            ),
            ("spark.master=spark://h:7077", "spark.master=spark://h:7077"),
        ] {
            let mut conf: BTreeMap<String, String> = given
                .split_whitespace()
                .filter_map(|pair| pair.split_once('='))
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .collect();
            protect(&mut conf);
            let shown: Vec<String> = conf
                .iter()
                .map(|(key, value)| format!("{key}={value}"))
                .collect();
            assert_eq!(shown.join(" "), protected);
        }
    }
}
