//! The preview of a launch.

use std::collections::BTreeMap;

use livius_domain::redact;

use super::LaunchPlan;

/// The configuration and the command line that the launcher would use for an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaunchPreview {
    /// The whole Spark configuration, with the installation's defaults. It may hold secrets.
    pub conf: BTreeMap<String, String>,
    /// The command line without secrets. The options of Java that a file has are spelled out.
    pub command: Vec<String>,
}

impl LaunchPreview {
    pub(crate) fn new(plan: &LaunchPlan, conf: BTreeMap<String, String>) -> Self {
        let mut command = vec![plan.command.program.to_string()];
        for word in &plan.command.args {
            let file = word.strip_prefix('@');
            match file.and_then(|path| plan.files.get(camino::Utf8Path::new(path))) {
                Some(options) => command.extend(options.lines().map(unquoted)),
                None => command.push(word.clone()),
            }
        }
        redact::arguments(&mut command);
        Self { conf, command }
    }
}

/// An option of Java's argument file, where each is a quoted line.
fn unquoted(line: &str) -> String {
    let text = line
        .strip_prefix('"')
        .and_then(|line| line.strip_suffix('"'));
    text.unwrap_or(line)
        .replace("\\\"", "\"")
        .replace("\\\\", "\\")
}
