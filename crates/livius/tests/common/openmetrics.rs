//! A strict reader of the `OpenMetrics` text format, for what the server writes.

use std::collections::{BTreeMap, BTreeSet};

/// The samples of a family, by their labels.
#[derive(Debug, Default)]
pub struct Family {
    pub kind: String,
    pub samples: Vec<Sample>,
}

/// One line with a value.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    pub name: String,
    pub labels: BTreeMap<String, String>,
    pub value: f64,
}

/// Reads a whole text. Panics where it breaks a rule of the format.
pub fn read(text: &str) -> BTreeMap<String, Family> {
    let body = text.strip_suffix("# EOF\n").expect("the text is whole");
    let mut families = BTreeMap::<String, Family>::new();
    let mut current = String::new();
    let mut seen = BTreeSet::new();
    for line in body.lines() {
        if let Some(rest) = line.strip_prefix("# ") {
            let mut words = rest.splitn(3, ' ');
            let (word, name) = (words.next().unwrap(), words.next().unwrap());
            let value = words.next().expect("a description has a text");
            if name != current {
                assert!(is_name(name), "{line}");
                assert!(!families.contains_key(name), "{name} is in two places");
                name.clone_into(&mut current);
                families.insert(name.to_owned(), Family::default());
            }
            let family = families.get_mut(name).unwrap();
            assert!(family.samples.is_empty(), "{line} comes after its samples");
            match word {
                "TYPE" => {
                    assert!(
                        ["counter", "gauge", "histogram", "info"].contains(&value),
                        "{line}"
                    );
                    value.clone_into(&mut family.kind);
                }
                "UNIT" => assert!(name.ends_with(&format!("_{value}")), "{line}"),
                "HELP" => {}
                _ => panic!("{line}"),
            }
            continue;
        }
        let sample = sample(line);
        assert!(
            seen.insert(line.rsplit_once(' ').unwrap().0.to_owned()),
            "{line} is there twice"
        );
        let family = families
            .get_mut(&current)
            .expect("a family begins with its description");
        let suffix = sample.name.strip_prefix(current.as_str()).expect(line);
        let suffixes: &[&str] = match family.kind.as_str() {
            "counter" => &["_total"],
            "gauge" => &[""],
            "info" => &["_info"],
            _ => &["_bucket", "_sum", "_count"],
        };
        assert!(suffixes.contains(&suffix), "{line}");
        family.samples.push(sample);
    }
    for family in families
        .values()
        .filter(|family| family.kind == "histogram")
    {
        check_histogram(family);
    }
    families
}

/// Each histogram has buckets that grow, up to all observations, and a sum.
fn check_histogram(family: &Family) {
    let mut buckets = BTreeMap::<BTreeMap<String, String>, Vec<(f64, f64)>>::new();
    for sample in &family.samples {
        let mut labels = sample.labels.clone();
        if let Some(bound) = labels.remove("le") {
            let bound = if bound == "+Inf" {
                f64::INFINITY
            } else {
                bound.parse().unwrap()
            };
            buckets
                .entry(labels)
                .or_default()
                .push((bound, sample.value));
        }
    }
    for (labels, buckets) in buckets {
        assert!(
            buckets.is_sorted_by(|one, next| one.0 < next.0 && one.1 <= next.1),
            "{labels:?}"
        );
        let (bound, all) = *buckets.last().unwrap();
        let of = |suffix: &str| {
            let mut samples = family.samples.iter();
            let found = samples.find(|it| it.name.ends_with(suffix) && it.labels == labels);
            found.expect("a histogram is whole").value
        };
        assert_eq!((bound, all), (f64::INFINITY, of("_count")), "{labels:?}");
        assert!(of("_sum") >= 0.0);
    }
}

fn sample(line: &str) -> Sample {
    let (series, value) = line.rsplit_once(' ').expect(line);
    let (name, labels) = match series.split_once('{') {
        Some((name, rest)) => (name, rest.strip_suffix('}').expect(line)),
        None => (series, ""),
    };
    assert!(is_name(name), "{line}");
    let mut found = BTreeMap::new();
    let mut rest = labels;
    while !rest.is_empty() {
        let (name, after) = rest.split_once("=\"").expect(line);
        // No value of ours has a quote, a backslash or the end of a line.
        let (value, after) = after.split_once('"').expect(line);
        assert!(is_name(name) && !value.contains('\\'), "{line}");
        assert_eq!(
            found.insert(name.to_owned(), value.to_owned()),
            None,
            "{line}"
        );
        rest = match after.strip_prefix(',') {
            Some(more) if !more.is_empty() => more,
            Some(_) => panic!("{line}"),
            None => after,
        };
        assert!(after.is_empty() || after.starts_with(','), "{line}");
    }
    let value = value.parse().expect(line);
    Sample {
        name: name.to_owned(),
        labels: found,
        value,
    }
}

fn is_name(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.bytes().all(is_part) && text.starts_with(|first: char| first.is_ascii_lowercase())
}
