//! The table for people.

use super::{BARE, Figure, Report, Row, Unit};
use crate::samples::Samples;

/// From so many samples on, the table shows the 99th percentile too.
const ENOUGH_FOR_P99: usize = 50;

/// The characters of a reason that the table shows. The JSON has all.
const LONGEST_REASON: usize = 80;

pub fn of(report: &Report) -> String {
    let has_bare = report.rows.iter().any(|row| row.figures.contains_key(BARE));
    let bare = has_bare.then(|| BARE.to_owned());
    let columns: Vec<String> = bare
        .into_iter()
        .chain(report.servers.iter().cloned())
        .collect();
    let mut lines = vec![
        format!("| what | {} |", columns.join(" | ")),
        format!("|---|{}", "---|".repeat(columns.len())),
    ];
    for row in &report.rows {
        let cells: Vec<String> = columns
            .iter()
            .map(|column| cell(report, row, column))
            .collect();
        lines.push(format!("| {} | {} |", row.what, cells.join(" | ")));
    }
    format!("{}\n\n{}", report.machine.line(), lines.join("\n"))
}

/// A figure, with its ratios to those of the first server and of bare Spark.
fn cell(report: &Report, row: &Row, column: &str) -> String {
    let samples = match row.figures.get(column) {
        None => return String::new(),
        Some(Figure::Failed(why)) => return format!("none: {}", brief(why)),
        Some(Figure::Measured(samples)) => samples,
    };
    let others = [report.servers.first().map(String::as_str), Some(BARE)];
    let ratios: Vec<String> = others
        .into_iter()
        .flatten()
        .filter(|other| *other != column && column != BARE)
        .filter_map(|other| Some(format!("{} x {other}", ratio(row, samples, other)?)))
        .collect();
    let value = shown(row.unit, samples);
    if ratios.is_empty() {
        value
    } else {
        format!("{value} ({})", ratios.join(", "))
    }
}

/// The beginning of a reason, in one cell.
fn brief(why: &str) -> String {
    let line: String = why
        .chars()
        .map(|c| if c == '|' || c.is_control() { ' ' } else { c })
        .collect();
    match line.char_indices().nth(LONGEST_REASON) {
        Some((at, _)) => format!("{} ...", &line[..at]),
        None => line,
    }
}

fn ratio(row: &Row, samples: &Samples, other: &str) -> Option<String> {
    let Some(Figure::Measured(to)) = row.figures.get(other) else {
        return None;
    };
    let (value, to) = (samples.median()?, to.median()?);
    (to > 0.0).then(|| digits(value / to))
}

fn shown(unit: Unit, samples: &Samples) -> String {
    let Some(median) = samples.median() else {
        return String::new();
    };
    let value = with_unit(unit, median);
    match samples.quantile(0.99) {
        Some(p99) if samples.count() >= ENOUGH_FOR_P99 => {
            format!("{value}, p99 {}", with_unit(unit, p99))
        }
        _ => value,
    }
}

fn with_unit(unit: Unit, value: f64) -> String {
    match unit {
        Unit::Milliseconds if value >= 1_000.0 => format!("{} s", digits(value / 1e3)),
        unit => format!("{} {}", digits(value), unit.name()),
    }
}

/// Three digits at least.
fn digits(value: f64) -> String {
    match value.abs() {
        large if large >= 100.0 => format!("{value:.0}"),
        some if some >= 10.0 => format!("{value:.1}"),
        few if few >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}
