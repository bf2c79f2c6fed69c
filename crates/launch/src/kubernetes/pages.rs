//! The way to Spark's pages of a driver in a pod.

use std::sync::Arc;

use livius_kubernetes::{Names, Template};

/// Spark's part of the path of its pages, which it puts before its links.
const PROXY_BASE: &str = "spark.ui.proxyBase";
/// Spark's address for redirects, without a path.
const PROXY_ADDRESS: &str = "spark.ui.proxyRedirectUri";

/// How users reach the pages of Spark in a driver's pod.
#[derive(Debug, Clone, Default)]
pub struct SparkPages {
    /// Their address, with names in braces: [`Names::PLACEHOLDERS`].
    pub address: Option<String>,
    /// The objects that each pod gets, such as an Ingress.
    pub objects: Option<Arc<Template>>,
}

impl SparkPages {
    /// The settings with which the pages work below a path: Spark puts the path before its links. There
    /// are none if the address has no path, or if a part of it is not known before the driver starts.
    pub(crate) fn settings(&self, names: &Names<'_>) -> Vec<(&'static str, String)> {
        let Some(address) = &self.address else {
            return Vec::new();
        };
        let address = names.fill(address);
        let rest = address
            .split_once("://")
            .map_or(0, |(scheme, _)| scheme.len() + 3);
        let slash = address[rest..].find('/').map(|at| at + rest);
        let (server, path) = address.split_at(slash.unwrap_or(address.len()));
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let path = path.trim_end_matches('/');
        if path.is_empty() || path.contains('{') {
            return Vec::new();
        }
        vec![
            (PROXY_BASE, path.to_owned()),
            (PROXY_ADDRESS, server.to_owned()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_below_a_path_know_it() {
        let names = Names {
            namespace: "etl",
            pod: "p",
            app: None,
            driver: "s-0-aa",
        };
        for (address, expected) in [
            ("https://{driver}.ui.example.com/", None),
            ("https://ui.example.com", None),
            ("https://ui.example.com/{app}/", None),
            (
                "https://{app}.example.com:8443/spark/{namespace}/{driver}/?x#y",
                Some(("/spark/etl/s-0-aa", "https://{app}.example.com:8443")),
            ),
            ("http://h/{pod}", Some(("/p", "http://h"))),
        ] {
            let pages = SparkPages {
                address: Some(address.to_owned()),
                objects: None,
            };
            let expected: Vec<_> = expected
                .into_iter()
                .flat_map(|(path, server)| {
                    [
                        (PROXY_BASE, path.to_owned()),
                        (PROXY_ADDRESS, server.to_owned()),
                    ]
                })
                .collect();
            assert_eq!(pages.settings(&names), expected, "{address}");
        }
        assert_eq!(SparkPages::default().settings(&names), []);
    }
}
