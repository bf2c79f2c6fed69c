//! `livius sessions`, `livius batches` and `livius statements`: lists as tables or as JSON.

use anyhow::Context as _;
use livius_client::table::Table;
use livius_client::{Collection, Entry, Reference, Statement, entries};
use serde_json::value::RawValue;

use crate::cli::{List, Statements};
use crate::commands::connection;
use crate::config::ProcessEnvironment;
use crate::exit::Ending;
use crate::runtime::on_runtime;
use crate::terminal::{columns, complain, put};

/// Lists sessions or batches.
pub fn entries(collection: Collection, arguments: &List) -> anyhow::Result<Ending> {
    let livy = connection::open(&arguments.server, &ProcessEnvironment::of_this_process())?;
    let found = on_runtime(async { Ok(entries::all(&livy, collection).await?) })?;
    if arguments.json {
        return print_json(&found);
    }
    let noun = match collection {
        Collection::Sessions => "sessions",
        Collection::Batches => "batches",
    };
    print_table(&entry_table(collection, &read(&found)?), noun);
    Ok(Ending::Good)
}

/// Lists a session's statements.
pub fn statements(arguments: &Statements) -> anyhow::Result<Ending> {
    let livy = connection::open(&arguments.server, &ProcessEnvironment::of_this_process())?;
    let session = Reference::parse(Collection::Sessions, &arguments.session)?;
    let found = on_runtime(async { Ok(entries::statements(&livy, &session).await?) })?;
    if arguments.json {
        return print_json(&found);
    }
    print_table(&statement_table(&read(&found)?), "statements");
    Ok(Ending::Good)
}

fn read<T: serde::de::DeserializeOwned>(found: &[Box<RawValue>]) -> anyhow::Result<Vec<T>> {
    let entry = |raw: &RawValue| {
        serde_json::from_str(raw.get())
            .with_context(|| format!("the server lists what cannot be read: {raw}"))
    };
    found.iter().map(|raw| entry(raw)).collect()
}

fn print_json(found: &[Box<RawValue>]) -> anyhow::Result<Ending> {
    let text = serde_json::to_string(found).context("cannot write JSON")?;
    put(&format!("{text}\n")).context("cannot print it")?;
    Ok(Ending::Good)
}

fn print_table(table: &Table, noun: &str) {
    if table.is_empty() {
        complain(&format!("there are no {noun}"));
    } else {
        // A closed pipe is not an error.
        let _ = put(&table.rendered(columns(std::io::stdout())));
    }
}

fn entry_table(collection: Collection, entries: &[Entry]) -> Table {
    let has_kind = collection == Collection::Sessions;
    let headings = [
        "ID",
        "NAME",
        "KIND",
        "STATE",
        "USER",
        "APPLICATION",
        "SPARK UI",
    ];
    let shown = |heading: &&str| has_kind || *heading != "KIND";
    let mut table = Table::new(headings.iter().filter(|heading| shown(heading)));
    for entry in entries {
        let user = entry.proxy_user.as_ref().or(entry.owner.as_ref());
        let page = entry
            .app_info
            .as_ref()
            .and_then(|info| info.spark_ui_url.clone());
        let cells = [
            entry.id.to_string(),
            entry.name.clone().unwrap_or_default(),
            entry.kind.clone().unwrap_or_default(),
            entry.state.clone(),
            user.cloned().unwrap_or_default(),
            entry.app_id.clone().unwrap_or_default(),
            page.unwrap_or_default(),
        ];
        let cells = headings
            .iter()
            .zip(cells)
            .filter(|(heading, _)| shown(heading));
        table.row(cells.map(|(_, cell)| cell));
    }
    table
}

fn statement_table(statements: &[Statement]) -> Table {
    let mut table = Table::new(["ID", "STATE", "TOOK", "CODE"]);
    for statement in statements {
        table.row([
            statement.id.to_string(),
            outcome(statement),
            took(statement).unwrap_or_default(),
            statement.code.clone().unwrap_or_default().trim().to_owned(),
        ]);
    }
    table
}

/// The state. Livy calls both outcomes of code `available`, so this tells them apart.
fn outcome(statement: &Statement) -> String {
    #[derive(serde::Deserialize)]
    struct Status<'a> {
        #[serde(borrow, default)]
        status: std::borrow::Cow<'a, str>,
    }
    let output = statement.output.as_ref();
    let status = output.and_then(|raw| serde_json::from_str::<Status>(raw.get()).ok());
    match status {
        Some(status) if statement.state == "available" && status.status == "error" => {
            "failed".to_owned()
        }
        Some(_) if statement.state == "available" => "succeeded".to_owned(),
        _ => statement.stage(),
    }
}

fn took(statement: &Statement) -> Option<String> {
    let known = |time: Option<i64>| time.filter(|time| *time > 0);
    let millis = known(statement.completed)? - known(statement.started)?;
    Some(format!(
        "{}.{} s",
        millis / 1_000,
        (millis % 1_000).abs() / 100
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_and_batches_are_tables() {
        let session = r#"{"id":0,"name":"a\u001b[2J","state":"idle","kind":"pyspark","owner":"me","proxyUser":"you","appId":"local-1",
            "appInfo":{"sparkUiUrl":"http://h:4040"}}"#;
        let bare = r#"{"id":11,"state":"starting"}"#;
        let entries: Vec<Entry> = [session, bare]
            .iter()
            .map(|text| serde_json::from_str(text).unwrap())
            .collect();
        insta::assert_snapshot!(entry_table(Collection::Sessions, &entries).rendered(None), @r"
        ID  NAME        KIND     STATE     USER  APPLICATION  SPARK UI
         0  a\u{1b}[2J  pyspark  idle      you   local-1      http://h:4040
        11                       starting
        ");
        insta::assert_snapshot!(entry_table(Collection::Batches, &entries[1..]).rendered(None), @r"
        ID  NAME  STATE     USER  APPLICATION  SPARK UI
        11        starting
        ");
    }

    #[test]
    fn statements_tell_failures() {
        let texts = [
            r#"{"id":0,"code":"1 +\n1\n","state":"available","output":{"status":"ok"},"started":1000,"completed":2250}"#,
            r#"{"id":1,"code":"x","state":"available","output":{"status":"error"},"started":1000,"completed":1000}"#,
            r#"{"id":2,"code":"y","state":"running","output":null,"progress":0.256,"started":1000,"completed":0}"#,
            r#"{"id":3,"code":"z","state":"cancelled","output":null,"started":0,"completed":9}"#,
        ];
        let statements: Vec<Statement> = texts
            .iter()
            .map(|text| serde_json::from_str(text).unwrap())
            .collect();
        insta::assert_snapshot!(statement_table(&statements).rendered(None), @r"
        ID  STATE        TOOK   CODE
         0  succeeded    1.2 s  1 +\n1
         1  failed       0.0 s  x
         2  running 26%         y
         3  cancelled           z
        ");
    }
}
