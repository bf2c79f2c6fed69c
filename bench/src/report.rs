//! The figures of a run: a row for each measure, a column for each server.

mod table;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::machine::Machine;
use crate::samples::Samples;

/// The column of Spark without a server.
pub const BARE: &str = "bare Spark";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Milliseconds,
    PerSecond,
    Mebibytes,
    Kibibytes,
    CpuSeconds,
}

impl Unit {
    fn name(self) -> &'static str {
        match self {
            Self::Milliseconds => "ms",
            Self::PerSecond => "/s",
            Self::Mebibytes => "MiB",
            Self::Kibibytes => "KiB",
            Self::CpuSeconds => "CPU s",
        }
    }
}

/// A figure of one column.
#[derive(Debug, Clone, PartialEq)]
pub enum Figure {
    Measured(Samples),
    /// The reason why there is none.
    Failed(String),
}

#[derive(Debug, Clone)]
pub struct Row {
    pub what: String,
    pub unit: Unit,
    pub figures: BTreeMap<String, Figure>,
}

/// All figures of a run.
#[derive(Debug, Default)]
pub struct Report {
    machine: Machine,
    /// The names of the servers. Ratios are to the first one.
    servers: Vec<String>,
    rows: Vec<Row>,
}

impl Report {
    pub fn new(servers: Vec<String>) -> Self {
        Self {
            machine: Machine::here(),
            servers,
            rows: Vec::new(),
        }
    }

    /// Adds a value to a figure.
    pub fn add(&mut self, column: &str, what: &str, unit: Unit, value: f64) {
        let figures = &mut self.row(what, unit).figures;
        let figure = figures
            .entry(column.to_owned())
            .or_insert_with(|| Figure::Measured(Samples::default()));
        if let Figure::Measured(samples) = figure {
            samples.push(value);
        }
    }

    /// Adds a time to a figure.
    pub fn time(&mut self, column: &str, what: &str, time: Duration) {
        self.add(column, what, Unit::Milliseconds, time.as_secs_f64() * 1e3);
    }

    /// Notes why a figure is missing.
    pub fn fail(&mut self, column: &str, what: &str, unit: Unit, why: &str) {
        let failed = Figure::Failed(why.to_owned());
        self.row(what, unit)
            .figures
            .insert(column.to_owned(), failed);
    }

    /// Notes the load of the machine at the end of the run.
    pub fn finish(&mut self) {
        self.machine.note_load();
    }

    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    fn row(&mut self, what: &str, unit: Unit) -> &mut Row {
        let known = self.rows.iter().position(|row| row.what == what);
        let at = known.unwrap_or_else(|| {
            self.rows.push(Row {
                what: what.to_owned(),
                unit,
                figures: BTreeMap::new(),
            });
            self.rows.len() - 1
        });
        &mut self.rows[at]
    }

    /// The figures as a Markdown table.
    pub fn table(&self) -> String {
        table::of(self)
    }

    /// The figures as JSON.
    pub fn json(&self) -> Value {
        let rows: Vec<Value> = self.rows.iter().map(row_json).collect();
        json!({"machine": self.machine.json(), "servers": self.servers, "measures": rows})
    }
}

fn row_json(row: &Row) -> Value {
    let figures: Map<String, Value> = row
        .figures
        .iter()
        .map(|(column, figure)| (column.clone(), figure_json(figure)))
        .collect();
    json!({"what": row.what, "unit": row.unit.name(), "figures": figures})
}

fn figure_json(figure: &Figure) -> Value {
    match figure {
        Figure::Failed(why) => json!({"failed": why}),
        Figure::Measured(samples) => json!({
            "count": samples.count(),
            "least": samples.quantile(0.0),
            "p50": samples.median(),
            "p99": samples.quantile(0.99),
            "most": samples.quantile(1.0),
        }),
    }
}

#[cfg(test)]
mod tests;
