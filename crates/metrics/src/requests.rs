//! Requests by route. The routes are known before the first request, so counting one takes no lock.

use std::collections::HashMap;
use std::sync::OnceLock;
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;

use crate::catalogue::{Catalogue, Counters, Histograms};
use crate::histogram::Histogram;

/// The methods that are told apart. The rest counts as `other`, because clients may invent methods.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"];
const OTHER: &str = "other";
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// The route of a request that matches none, and of one that is refused before it is matched.
const UNROUTED: &str = "none";

/// The families of requests.
#[derive(Debug, Clone)]
pub struct Requests {
    counts: Counters<3>,
    durations: Histograms<2>,
}

/// The handles of the routes of one server.
#[derive(Debug)]
pub struct RouteTable {
    requests: Requests,
    routes: HashMap<String, Route>,
    unrouted: Route,
}

#[derive(Debug, Default)]
struct Route {
    methods: [OnceLock<Handles>; METHODS.len() + 1],
}

#[derive(Debug)]
struct Handles {
    counts: [OnceLock<Counter>; CLASSES.len()],
    duration: Histogram,
}

impl Requests {
    pub(crate) fn new(catalogue: &mut Catalogue) -> Self {
        Self {
            counts: catalogue.counters(
                "livius_http_requests",
                "Requests that were answered, by route template, method and class of status. The route is `none` if no route matches",
                ["route", "method", "status"],
            ),
            durations: catalogue.histograms(
                "livius_http_request_duration",
                "Time from a request to the start of its response, with the time that it waits for a change (`?wait=`)",
                ["route", "method"],
                || Histogram::new(&[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0]),
            ),
        }
    }

    /// A table for these route templates.
    pub fn table(&self, routes: impl IntoIterator<Item = String>) -> RouteTable {
        let routes = routes.into_iter().map(|route| (route, Route::default()));
        RouteTable {
            requests: self.clone(),
            routes: routes.collect(),
            unrouted: Route::default(),
        }
    }
}

impl RouteTable {
    /// Counts a request that was answered after so long.
    pub fn answered(&self, route: Option<&str>, method: &str, status: u16, duration: Duration) {
        let known = route.and_then(|route| self.routes.get_key_value(route));
        let (name, route) = match known {
            Some((name, route)) => (name.as_str(), route),
            None => (UNROUTED, &self.unrouted),
        };
        let place = METHODS.iter().position(|known| *known == method);
        let method = place.map_or(OTHER, |index| METHODS[index]);
        let handles = route.methods[place.unwrap_or(METHODS.len())].get_or_init(|| Handles {
            counts: Default::default(),
            duration: self
                .requests
                .durations
                .with([name.to_owned(), method.to_owned()]),
        });
        handles.duration.observe(duration);
        let class = usize::from((status / 100).clamp(1, 5) - 1);
        let count = handles.counts[class].get_or_init(|| {
            let labels = [name, method, CLASSES[class]].map(str::to_owned);
            self.requests.counts.with(labels)
        });
        count.inc();
    }
}

#[cfg(test)]
mod tests {
    use crate::{Format, Metrics};

    use super::*;

    #[test]
    fn clients_cannot_make_new_series() {
        let metrics = Metrics::default();
        let table = metrics.requests.table(["/sessions/{id}".to_owned()]);
        for (route, method, status) in [
            (Some("/sessions/{id}"), "GET", 200),
            (Some("/sessions/{id}"), "GET", 204),
            (Some("/sessions/{id}"), "BREW", 405),
            (Some("/never/seen"), "GET", 404),
            (None, "GET", 999),
        ] {
            table.answered(route, method, status, Duration::from_millis(3));
        }
        let text = metrics.text(Format::Prometheus);
        let mut counts: Vec<&str> = text
            .lines()
            .filter(|line| line.starts_with("livius_http_requests_total{"))
            .collect();
        counts.sort_unstable();
        assert_eq!(
            counts,
            [
                r#"livius_http_requests_total{route="/sessions/{id}",method="GET",status="2xx"} 2"#,
                r#"livius_http_requests_total{route="/sessions/{id}",method="other",status="4xx"} 1"#,
                r#"livius_http_requests_total{route="none",method="GET",status="4xx"} 1"#,
                r#"livius_http_requests_total{route="none",method="GET",status="5xx"} 1"#,
            ]
        );
    }
}
