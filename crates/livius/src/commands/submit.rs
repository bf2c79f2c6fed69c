//! `livius submit`: runs an application as a batch and follows it to its end.

use livius_client::batch::outcome;
use livius_client::follow::follow;
use livius_client::log::LogError;
use livius_client::{Collection, Entry, Livy, Reference, request};
use serde_json::{Value, json};

use crate::cli::Submit;
use crate::commands::{connection, logs};
use crate::config::ProcessEnvironment;
use crate::exit::Ending;
use crate::runtime::on_runtime;
use crate::server::{Signal, Signals};
use crate::terminal::{complain, say};

/// Runs the command.
pub fn run(arguments: &Submit) -> anyhow::Result<Ending> {
    let environment = ProcessEnvironment::of_this_process();
    let livy = connection::open(&arguments.server, &environment)?;
    let body = body(arguments, &environment, livy.is_local())?;
    on_runtime(async {
        let mut signals = Signals::listen()?;
        let batch: Entry = livy.post(Collection::Batches.path(), &body).await?;
        if arguments.no_wait {
            say(&batch.id.to_string());
            return Ok(Ending::Good);
        }
        complain(&format!("livius: batch {} is submitted", batch.id));
        await_end(&livy, &batch, arguments, &mut signals).await
    })
}

fn body(
    arguments: &Submit,
    environment: &ProcessEnvironment,
    is_local: bool,
) -> anyhow::Result<Value> {
    let paths = request::Paths::new(environment.directory(), is_local);
    let mut body = request::spark(&arguments.spark.options()?, paths);
    body.insert("file".into(), paths.resolved(&arguments.file).into());
    let optional = [
        ("className", json!(arguments.class_name)),
        ("name", json!(arguments.name)),
    ];
    for (key, value) in optional.into_iter().filter(|(_, value)| !value.is_null()) {
        body.insert(key.into(), value);
    }
    if !arguments.arguments.is_empty() {
        body.insert("args".into(), json!(arguments.arguments));
    }
    Ok(Value::Object(body))
}

async fn await_end(
    livy: &Livy,
    batch: &Entry,
    arguments: &Submit,
    signals: &mut Signals,
) -> anyhow::Result<Ending> {
    let reference = Reference::number(Collection::Batches, batch.id);
    let sink = &mut *logs::printer();
    let followed = tokio::select! {
        biased;
        signal = signals.next() => return interrupted(livy, batch, arguments, signal, signals).await,
        followed = follow(livy, &reference, None, sink) => followed,
    };
    let ended = match followed {
        Ok(ended) => ended,
        Err(LogError::Client(error)) => return Err(error.into()),
        Err(error) => return Err(error.into()),
    };
    let Some(ended) = ended else {
        complain(&format!("livius: batch {} was deleted", batch.id));
        return Ok(Ending::Application(137));
    };
    let outcome = outcome(livy, &ended).await;
    complain(&format!("livius: batch {} {}", batch.id, outcome.told));
    Ok(match outcome.code {
        0 => Ending::Good,
        code => Ending::Application(code),
    })
}

/// Leaves the batch running, or deletes it. A second signal does not wait for the deletion.
async fn interrupted(
    livy: &Livy,
    batch: &Entry,
    arguments: &Submit,
    signal: Signal,
    signals: &mut Signals,
) -> anyhow::Result<Ending> {
    let id = batch.id;
    let reference = Reference::number(Collection::Batches, id);
    if arguments.kill_on_interrupt {
        complain(&format!("livius: {}: deleting batch {id}", signal.name()));
        tokio::select! {
            biased;
            _ = signals.next() => {}
            deleted = livy.delete(reference.path()) => deleted?,
        }
    } else {
        complain(&format!(
            "livius: {}: batch {id} goes on; `livius logs --batch --follow {id}` shows it, `livius kill --batch {id}` ends it",
            signal.name()
        ));
    }
    Ok(Ending::Interrupted(signal.number()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{ServerArguments, SessionArguments};

    #[test]
    fn a_batch_is_asked_for_with_what_was_said() {
        let submit = |class_name: Option<&str>, arguments: &[&str]| Submit {
            file: "hdfs:///job.jar".into(),
            class_name: class_name.map(str::to_owned),
            name: None,
            no_wait: false,
            kill_on_interrupt: false,
            spark: SessionArguments::default().spark,
            server: ServerArguments::default(),
            arguments: arguments.iter().map(|text| (*text).to_owned()).collect(),
        };
        let environment = ProcessEnvironment::invented(&[], "/");
        let cases = [
            (submit(None, &[]), json!({"file": "hdfs:///job.jar"})),
            (
                submit(Some("A"), &["", "--x"]),
                json!({"file": "hdfs:///job.jar", "className": "A", "args": ["", "--x"]}),
            ),
        ];
        for (arguments, expected) in cases {
            assert_eq!(body(&arguments, &environment, false).unwrap(), expected);
        }
    }
}
