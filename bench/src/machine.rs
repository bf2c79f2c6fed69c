//! Describes the machine of a run.

use std::fs;

use serde_json::{Value, json};

/// The machine, the date and the load.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Machine {
    pub date: String,
    pub cores: usize,
    pub processor: String,
    pub memory_gib: u64,
    /// The load averages when the run began and when it ended.
    pub load: Vec<String>,
}

impl Machine {
    /// This one, now.
    pub fn here() -> Self {
        let processors = read("/proc/cpuinfo");
        let memory = read("/proc/meminfo");
        let kilobytes = value(&memory, "MemTotal:").and_then(|text| text.split(' ').next());
        Self {
            date: today(),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            processor: value(&processors, "model name").map_or_else(String::new, |name| {
                name.trim_start_matches([':', ' ']).to_owned()
            }),
            memory_gib: kilobytes
                .and_then(|text| text.parse::<u64>().ok())
                .unwrap_or(0)
                >> 20,
            load: vec![load()],
        }
    }

    /// Notes the load at the end of a run.
    pub fn note_load(&mut self) {
        self.load.push(load());
    }

    pub fn json(&self) -> Value {
        json!({
            "date": self.date, "cores": self.cores, "processor": self.processor,
            "memory_gib": self.memory_gib, "load": self.load,
        })
    }

    /// One line about it.
    pub fn line(&self) -> String {
        let load = self.load.join(", then ");
        format!(
            "{}, {} cores ({}), {} GiB, load average {load}",
            self.date, self.cores, self.processor, self.memory_gib
        )
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the report says when it was made"
)]
fn today() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%d").to_string()
}

fn load() -> String {
    read("/proc/loadavg")
        .split(' ')
        .take(3)
        .collect::<Vec<_>>()
        .join(" ")
}

fn read(file: &str) -> String {
    fs::read_to_string(file).unwrap_or_default()
}

fn value<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line[name.len()..].trim())
}
