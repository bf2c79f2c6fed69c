//! Labels and names, and the rules of Kubernetes for them. Checked names cannot change the meaning
//! of a selector or of a path.

use std::collections::BTreeMap;

use crate::error::KubernetesError;

/// The label with the id of the server that a pod or a secret belongs to.
pub const SERVER_LABEL: &str = "livius/server";

/// The label with the id of the driver that a pod or a secret belongs to.
pub const DRIVER_LABEL: &str = "livius/driver";

/// The label by which Spark tells drivers from executors.
pub const ROLE_LABEL: &str = "spark-role";

/// The label with Spark's id of the application.
pub const APP_LABEL: &str = "spark-app-selector";

/// The longest value of a label, and the longest name of a namespace, in bytes.
const LONGEST_LABEL: usize = 63;

/// The longest name of a pod or a secret, in bytes.
const LONGEST_NAME: usize = 253;

/// The name of a driver's secret.
pub fn secret_name(driver: &str) -> String {
    format!("livius-{driver}")
}

/// The labels of everything that belongs to one driver.
pub fn labels(server: &str, driver: &str) -> BTreeMap<String, String> {
    BTreeMap::from([
        (SERVER_LABEL.to_owned(), server.to_owned()),
        (DRIVER_LABEL.to_owned(), driver.to_owned()),
    ])
}

/// A selector of everything that belongs to a server.
pub fn of_server(server: &str) -> String {
    format!("{SERVER_LABEL}={server}")
}

/// A selector of the pods of one role that belong to a server.
pub fn of_role(server: &str, role: &str) -> String {
    format!("{},{ROLE_LABEL}={role}", of_server(server))
}

/// A selector of everything that belongs to one driver.
pub fn of_driver(server: &str, driver: &str) -> Result<String, KubernetesError> {
    check_label("the id of a driver", driver)?;
    Ok(format!("{},{DRIVER_LABEL}={driver}", of_server(server)))
}

/// Refuses a text that cannot be the value of a label.
pub fn check_label(what: &str, value: &str) -> Result<(), KubernetesError> {
    let is_allowed = |c: u8| c.is_ascii_alphanumeric() || b"-_.".contains(&c);
    check(what, value, LONGEST_LABEL, is_allowed)
}

/// Refuses a text that cannot be the name of a namespace.
pub fn check_namespace(value: &str) -> Result<(), KubernetesError> {
    let is_allowed = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
    check("a namespace", value, LONGEST_LABEL, is_allowed)
}

/// Refuses a text that cannot be the name of a pod, a secret or a container.
pub fn check_name(what: &str, value: &str) -> Result<(), KubernetesError> {
    let is_allowed = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || b"-.".contains(&c);
    check(what, value, LONGEST_NAME, is_allowed)
}

fn check(
    what: &str,
    value: &str,
    longest: usize,
    is_allowed: impl Fn(u8) -> bool,
) -> Result<(), KubernetesError> {
    let bytes = value.as_bytes();
    let ends = [bytes.first(), bytes.last()];
    let is_good = bytes.len() <= longest
        && bytes.iter().all(|c| is_allowed(*c))
        && ends
            .iter()
            .all(|end| end.is_some_and(u8::is_ascii_alphanumeric));
    if is_good {
        return Ok(());
    }
    let shown = crate::text::name(value.to_owned());
    let problem = format!("{shown:?} cannot be the name of {what} in Kubernetes");
    Err(KubernetesError::Invalid { problem })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_would_change_a_selector_or_a_path_are_refused() {
        for value in ["", "a,b", "a=b", "a/../b", "-a", "a-", "a b", "ä", "a\n"] {
            assert!(check_label("x", value).is_err(), "{value:?}");
            assert!(check_name("x", value).is_err(), "{value:?}");
            assert!(check_namespace(value).is_err(), "{value:?}");
        }
        assert!(check_label("x", &"a".repeat(64)).is_err());
        assert!(check_label("x", "B-6_a.z").is_ok());
        assert!(check_name("x", "b-6.a").is_ok());
        assert!(check_name("x", "B").is_err());
        assert!(check_name("x", &"a".repeat(254)).is_err());
        assert!(check_namespace("spark-jobs").is_ok());
        assert!(check_namespace("spark.jobs").is_err());
    }

    #[test]
    fn selectors_name_the_server() {
        assert_eq!(
            of_driver("5e", "b-1").unwrap(),
            "livius/server=5e,livius/driver=b-1"
        );
        assert_eq!(
            of_role("5e", "driver"),
            "livius/server=5e,spark-role=driver"
        );
        assert!(of_driver("5e", "b-1,livius/server!=5e").is_err());
    }
}
