//! `livius submit`: an application as a batch, followed to its end.

use serde_json::{Value, json};

use crate::cli::Submit;
use crate::client::batch::outcome;
use crate::client::follow::follow;
use crate::client::log::LogError;
use crate::client::{Collection, Entry, Livy, Reference, request};
use crate::commands::{connection, logs, serve};
use crate::config::Surroundings;
use crate::exit::Ending;
use crate::server::{Signal, Signals};
use crate::terminal::{complain, say};

/// What `--help` says at its end.
pub const HELP: &str = "\
Standard output has the application's log, standard error what the command itself says.

The exit code is 0 when the application succeeded, else the application's own where the server knows it (Livius does) and 1 where it \
does not; 128 and the signal's number when a signal ended it; 137 when it was killed or deleted.

Ctrl-C stops following, and the batch goes on, unless --kill-on-interrupt says otherwise; the exit code is 130 then.

Example: livius submit --class org.example.Job job.jar -- 2026-11-21 --dry-run";

/// Runs the command.
pub fn run(arguments: &Submit) -> anyhow::Result<Ending> {
    let surroundings = Surroundings::of_this_process();
    let livy = connection::open(&arguments.server, &surroundings)?;
    let body = body(arguments, &surroundings, livy.is_local())?;
    serve::on_runtime(async {
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

fn body(arguments: &Submit, surroundings: &Surroundings, is_local: bool) -> anyhow::Result<Value> {
    let paths = request::Paths::new(surroundings.directory(), is_local);
    let mut body = request::spark(&arguments.spark, paths)?;
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

/// The batch goes on, or is deleted: then a second signal does not wait for that.
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
    use crate::cli::{ServerArguments, SparkArguments};

    #[test]
    fn a_batch_is_asked_for_with_what_was_said() {
        let submit = |class_name: Option<&str>, arguments: &[&str]| Submit {
            file: "hdfs:///job.jar".into(),
            class_name: class_name.map(str::to_owned),
            name: None,
            no_wait: false,
            kill_on_interrupt: false,
            spark: SparkArguments::default(),
            server: ServerArguments::default(),
            arguments: arguments.iter().map(|text| (*text).to_owned()).collect(),
        };
        let surroundings = Surroundings::invented(&[], "/");
        let cases = [
            (submit(None, &[]), json!({"file": "hdfs:///job.jar"})),
            (
                submit(Some("A"), &["", "--x"]),
                json!({"file": "hdfs:///job.jar", "className": "A", "args": ["", "--x"]}),
            ),
        ];
        for (arguments, expected) in cases {
            assert_eq!(body(&arguments, &surroundings, false).unwrap(), expected);
        }
    }
}
