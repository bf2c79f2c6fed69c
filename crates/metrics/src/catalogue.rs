//! Families of metrics: each has a name, a help text and the names of its labels, said once.

use std::borrow::Cow;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Metric, Registry, Unit};

use crate::histogram::Histogram;

type Labels<const N: usize> = [(&'static str, Cow<'static, str>); N];

/// What a family is, for people and for tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// The name, as monitoring sees it. A histogram has three series with suffixes.
    pub name: String,
    /// `counter`, `gauge`, `histogram` or `info`.
    pub kind: &'static str,
    /// `seconds`, `bytes` or nothing.
    pub unit: &'static str,
    /// The names of its labels.
    pub labels: Vec<&'static str>,
    /// What it is, without a full stop.
    pub help: &'static str,
}

/// Metrics of one name, one for each combination of labels.
#[derive(Debug, Clone)]
pub struct Many<M, const N: usize> {
    names: [&'static str; N],
    family: Family<Labels<N>, M, fn() -> M>,
}

/// Counters of one name.
pub type Counters<const N: usize> = Many<Counter, N>;
/// Gauges of one name.
pub type Gauges<const N: usize> = Many<Gauge, N>;
/// Histograms of one name.
pub type Histograms<const N: usize> = Many<Histogram, N>;

impl<M: Clone, const N: usize> Many<M, N> {
    /// The metric with these values of the labels. A caller on a hot path keeps it, because looking
    /// it up takes a lock. The values must come from a bounded set.
    pub fn with<V: Into<Cow<'static, str>>>(&self, values: [V; N]) -> M {
        let mut names = self.names.iter();
        let labels = values.map(|value| (names.next().copied().unwrap_or_default(), value.into()));
        self.family.get_or_create_owned(&labels)
    }
}

/// Registers families, and remembers what they are.
#[derive(Debug, Default)]
pub struct Catalogue {
    pub registry: Registry,
    pub descriptions: Vec<Description>,
}

impl Catalogue {
    pub fn counter(&mut self, name: &'static str, help: &'static str) -> Counter {
        let counter = Counter::default();
        let named = Named {
            kind: "counter",
            name,
            help,
            labels: &[],
            unit: None,
        };
        self.add(named, counter.clone());
        counter
    }

    pub fn counters<const N: usize>(
        &mut self,
        name: &'static str,
        help: &'static str,
        labels: [&'static str; N],
    ) -> Counters<N> {
        let many = many(labels, Counter::default as fn() -> Counter);
        let named = Named {
            kind: "counter",
            name,
            help,
            labels: &labels,
            unit: None,
        };
        self.add(named, many.family.clone());
        many
    }

    pub fn gauge(&mut self, name: &'static str, help: &'static str) -> Gauge {
        let gauge = Gauge::default();
        let named = Named {
            kind: "gauge",
            name,
            help,
            labels: &[],
            unit: None,
        };
        self.add(named, gauge.clone());
        gauge
    }

    pub fn gauge_in(&mut self, unit: Unit, name: &'static str, help: &'static str) -> Gauge {
        let gauge = Gauge::default();
        let named = Named {
            kind: "gauge",
            name,
            help,
            labels: &[],
            unit: Some(unit),
        };
        self.add(named, gauge.clone());
        gauge
    }

    pub fn gauges<const N: usize>(
        &mut self,
        name: &'static str,
        help: &'static str,
        labels: [&'static str; N],
    ) -> Gauges<N> {
        let many = many(labels, Gauge::default as fn() -> Gauge);
        let named = Named {
            kind: "gauge",
            name,
            help,
            labels: &labels,
            unit: None,
        };
        self.add(named, many.family.clone());
        many
    }

    /// Histograms of durations.
    pub fn histograms<const N: usize>(
        &mut self,
        name: &'static str,
        help: &'static str,
        labels: [&'static str; N],
        constructor: fn() -> Histogram,
    ) -> Histograms<N> {
        let many = many(labels, constructor);
        let (unit, family) = (Some(Unit::Seconds), many.family.clone());
        let named = Named {
            kind: "histogram",
            name,
            help,
            labels: &labels,
            unit,
        };
        self.add(named, family);
        many
    }

    /// A metric that is always 1, with what is to be told in its labels.
    pub fn info(&mut self, name: &'static str, help: &'static str, label: (&'static str, &str)) {
        let info = Info::new([(label.0, label.1.to_owned())]);
        let named = Named {
            kind: "info",
            name,
            help,
            labels: &[label.0],
            unit: None,
        };
        self.add(named, info);
    }

    fn add(&mut self, family: Named, metric: impl Metric) {
        let Named {
            kind,
            name,
            help,
            labels,
            unit,
        } = family;
        let (ending, unit_name) = match (&unit, kind) {
            (Some(Unit::Seconds), _) => ("_seconds", "seconds"),
            (Some(Unit::Bytes), _) => ("_bytes", "bytes"),
            (_, "counter") => ("_total", ""),
            (_, "info") => ("_info", ""),
            _ => ("", ""),
        };
        self.descriptions.push(Description {
            name: format!("{name}{ending}"),
            kind,
            unit: unit_name,
            labels: labels.to_vec(),
            help,
        });
        match unit {
            Some(unit) => self.registry.register_with_unit(name, help, unit, metric),
            None => self.registry.register(name, help, metric),
        }
    }
}

/// A family that is about to be registered. The library adds the unit and the suffix of a counter to
/// the name.
struct Named<'a> {
    kind: &'static str,
    name: &'static str,
    help: &'static str,
    labels: &'a [&'static str],
    unit: Option<Unit>,
}

fn many<M, const N: usize>(names: [&'static str; N], constructor: fn() -> M) -> Many<M, N> {
    Many {
        names,
        family: Family::new_with_constructor(constructor),
    }
}
