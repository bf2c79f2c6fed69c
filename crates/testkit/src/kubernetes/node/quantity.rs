//! Amounts of processors and memory.

use k8s_openapi::api::core::v1::{Container, PodSpec};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

/// A request, or the rest of a node.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Amounts {
    /// Thousandths of a processor.
    pub millicores: f64,
    /// Bytes.
    pub memory: f64,
}

impl Amounts {
    /// The requests of all containers of a pod.
    pub fn of(pod: &PodSpec) -> Self {
        let sum = |name| pod.containers.iter().map(|c| requested(c, name)).sum();
        let processors: f64 = sum("cpu");
        Self {
            millicores: processors * 1000.0,
            memory: sum("memory"),
        }
    }

    pub fn minus(self, other: Self) -> Self {
        Self {
            millicores: self.millicores - other.millicores,
            memory: self.memory - other.memory,
        }
    }
}

fn requested(container: &Container, name: &str) -> f64 {
    let requests = container
        .resources
        .as_ref()
        .and_then(|r| r.requests.as_ref());
    let quantity = requests.and_then(|requests| requests.get(name));
    quantity.and_then(number).unwrap_or(0.0)
}

/// The limit of a container's memory, in bytes.
pub fn memory_limit(container: &Container) -> Option<u64> {
    let limits = container.resources.as_ref()?.limits.as_ref()?;
    let bytes = number(limits.get("memory")?)?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the API server refuses negative limits, and no machine has so much memory"
    )]
    Some(bytes as u64)
}

/// The value of a quantity such as `1500m`, `1Gi` or `2e3`.
pub fn number(quantity: &Quantity) -> Option<f64> {
    let text = quantity.0.as_str();
    if let Ok(plain) = text.parse() {
        return Some(plain);
    }
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let scale = match &text[digits.len()..] {
        "n" => 1e-9,
        "u" => 1e-6,
        "m" => 1e-3,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "Ki" => 1024.0,
        "Mi" => 1_048_576.0,
        "Gi" => 1_073_741_824.0,
        "Ti" => 1_099_511_627_776.0,
        _ => return None,
    };
    digits.parse::<f64>().ok().map(|number| number * scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_have_decimal_and_binary_units() {
        let cases = [
            ("2", Some(2.0)),
            ("1500m", Some(1.5)),
            ("2e3", Some(2000.0)),
            ("1Gi", Some(1_073_741_824.0)),
            ("896Mi", Some(939_524_096.0)),
            ("1.5k", Some(1500.0)),
            ("1Qi", None),
            ("", None),
        ];
        for (text, value) in cases {
            assert_eq!(number(&Quantity(text.to_owned())), value, "{text}");
        }
    }
}
