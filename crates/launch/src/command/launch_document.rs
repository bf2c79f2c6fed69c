//! Writes `launch.json`, which tells a driver about the server. The agent protocol describes it.

use livius_domain::Kind;
use secrecy::ExposeSecret as _;
use serde_json::{Map, Value, json};

use super::CommandBuilder;
use crate::{Backend, Program};

/// Writes the document.
pub(super) fn text(builder: &CommandBuilder<'_>) -> String {
    let order = builder.order;
    let mut document = Map::new();
    document.insert("v".to_owned(), json!(1));
    document.insert("driver".to_owned(), json!(order.id.as_str()));
    document.insert("servers".to_owned(), json!(order.servers));
    let token = order.token.expose_secret();
    document.insert("token".to_owned(), json!(token));
    match order.program {
        Program::Agent { link_grace, .. } => {
            document.extend(of_session(builder));
            let seconds = agent_number(link_grace.as_secs());
            document.insert("graceSeconds".to_owned(), json!(seconds));
        }
        Program::Application { .. } => {
            let reports: Vec<String> = order.servers.iter().map(|url| report_url(url)).collect();
            document.insert("reports".to_owned(), json!(reports));
        }
    }
    Value::Object(document).to_string()
}

/// The keys that a session may have its own way on a driver that was started ahead of it. An
/// application has none.
pub(super) fn of_session(builder: &CommandBuilder<'_>) -> Map<String, Value> {
    let Program::Agent {
        kind,
        start,
        cancel_grace,
        sql_max_rows,
        ..
    } = builder.order.program
    else {
        return Map::new();
    };
    let mut document = agent(builder, kind, sql_max_rows);
    document.insert("start".to_owned(), json!(start.as_str()));
    let millis = u64::try_from(cancel_grace.as_millis()).unwrap_or(u64::MAX);
    let cancel = json!({ "killAfterMs": agent_number(millis) });
    document.insert("cancel".to_owned(), cancel);
    document
}

/// The part for agents only.
fn agent(builder: &CommandBuilder<'_>, kind: Kind, sql_max_rows: u64) -> Map<String, Value> {
    // The driver's own environment, as far as it is known here.
    let prefix = match builder.backend {
        Backend::Yarn => Some("spark.yarn.appMasterEnv."),
        Backend::Kubernetes => Some("spark.kubernetes.driverEnv."),
        Backend::Local | Backend::Standalone => None,
    };
    let there = |variable: &str| builder.conf.get(&format!("{}{variable}", prefix?));
    let here = |variable: &str| builder.spark_conf.environment.get(variable);
    let setting = |key: &str, variable: &str| {
        builder
            .conf
            .get(key)
            .or_else(|| there(variable))
            // A pod has the programs of its image.
            .or_else(|| here(variable).filter(|_| builder.backend != Backend::Kubernetes))
            .filter(|value| !value.is_empty())
    };
    let python = json!({
        "executable": setting("spark.pyspark.python", "PYSPARK_PYTHON").map_or("python3", String::as_str),
        "executable3": setting("PYSPARK3_PYTHON", "PYSPARK3_PYTHON"),
    });
    let entries = [
        ("kind", json!(kind.as_str())),
        ("sql", json!({ "maxRows": agent_number(sql_max_rows) })),
        ("python", python),
        (
            "r",
            json!({ "command": setting("spark.r.shell.command", "SPARKR_DRIVER_R") }),
        ),
    ];
    entries
        .map(|(key, value)| (key.to_owned(), value))
        .into_iter()
        .collect()
}

/// The URL for an application's reports, from the URL that agents connect to.
fn report_url(server: &str) -> String {
    let plain = match server.split_once("://") {
        Some(("ws", rest)) => format!("http://{rest}"),
        Some(("wss", rest)) => format!("https://{rest}"),
        _ => server.to_owned(),
    };
    format!("{plain}/application")
}

/// A number for the agent, which reads 32 bits and may add one.
fn agent_number(number: u64) -> u64 {
    const LARGEST: u64 = i32::MAX as u64 - 1;
    number.min(LARGEST)
}
