//! Webhooks and their deliveries.

use jiff::Timestamp;
use livius_domain::notice::FAILED_OUTPUT;
use livius_domain::{
    Kind, Made, Notice, SessionId, StatementId, StatementRecord, StatementState, Webhook,
};

use super::{Failure, Outcome, Place, TEXTS, at, batch_samples, ended, named, unnamed};
use crate::{Delivery, NewBatch, NewKey, NewSession, Store, StoreError, WebhookCounts};

fn hook(host: &str) -> Webhook {
    Webhook {
        url: format!("https://{host}/told?token=1"),
        host: host.to_owned(),
    }
}

fn asking(host: &str) -> Result<NewSession, Failure> {
    Ok(NewSession {
        webhook: Some(hook(host)),
        ..unnamed()?
    })
}

async fn due(store: &dyn Store) -> Result<Vec<Delivery>, Failure> {
    Ok(store.due_deliveries(at(1_000)?, &[], 100).await?)
}

async fn hosts_due(store: &dyn Store, busy: &[&str], limit: u64) -> Result<Vec<String>, Failure> {
    let busy: Vec<String> = busy.iter().map(|host| (*host).to_owned()).collect();
    let due = store.due_deliveries(at(1_000)?, &busy, limit).await?;
    Ok(due.into_iter().map(|delivery| delivery.host).collect())
}

async fn counts(store: &dyn Store) -> Result<(u64, u64), Failure> {
    let WebhookCounts { asked, waiting } = store.count_webhooks().await?;
    Ok((asked, waiting))
}

/// A delivery without an attempt. Its name is left out of the comparison.
fn assert_new(delivery: &Delivery, host: &str, notice: Option<&Notice>) -> Outcome {
    assert_eq!(delivery.url, hook(host).url);
    assert_eq!(delivery.host, host);
    assert_eq!((delivery.attempts, delivery.first_attempt_at), (0, None));
    let stored: Notice = serde_json::from_str(&delivery.notice)?;
    assert_eq!(Some(&stored), notice);
    Ok(())
}

async fn statement_asking(
    store: &dyn Store,
    session: SessionId,
    host: &str,
) -> Result<StatementRecord, Failure> {
    let webhook = hook(host);
    Ok(store
        .create_statement(session, Kind::Spark, "1", None, Some(&webhook))
        .await?)
}

fn completed(record: StatementRecord, at: Timestamp) -> StatementRecord {
    StatementRecord {
        state: StatementState::Available {
            started: None,
            completed: at,
        },
        ..record
    }
}

/// Each end that somebody asked for is delivered once. It is there after opening again.
pub async fn an_end_becomes_a_delivery(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let mut session = store.create_session(asking("session")?).await?;
    let batch = NewBatch {
        webhook: Some(hook("batch")),
        ..batch_samples::unnamed()?
    };
    let statement = statement_asking(&*store, session.id, "statement").await?;
    store
        .create_statement(session.id, Kind::Spark, "2", None, None)
        .await?;
    store.update_session(&mut session).await?;
    assert_eq!(counts(&*store).await?, (2, 0));
    assert_eq!(due(&*store).await?, []);
    ended(&*store, unnamed()?, 1).await?;
    assert_eq!(counts(&*store).await?, (2, 0), "another session's end");

    let mut statement = completed(statement, at(1)?);
    store.update_statement(&mut statement, Some("{}")).await?;
    let batch = batch_samples::ended(&*store, batch, 2).await?;
    let over = ended(&*store, named("over")?, 3).await?;
    session.state = over.state;
    session.ended_at = over.ended_at;
    store.update_session(&mut session).await?;
    // Ends are stored again when more of them is known.
    store.update_session(&mut session).await?;
    store.update_statement(&mut statement, Some("{ }")).await?;
    assert_eq!(counts(&*store).await?, (0, 3));
    drop(store);

    let store = place.open().await?;
    let due = due(&*store).await?;
    let [first, second, third] = &due[..] else {
        return Err(format!("three deliveries are due: {due:?}").into());
    };
    let notice = Notice::of_statement(&statement, Some("{}"));
    assert_new(first, "statement", notice.as_ref())?;
    assert_new(second, "batch", Notice::of_batch(&batch).as_ref())?;
    assert_new(third, "session", Notice::of_session(&session).as_ref())?;
    assert!(first.id != second.id && second.id != third.id && first.id != third.id);
    assert!(first.id.starts_with("msg_"), "{first:?}");
    Ok(())
}

/// The store sees whether the code failed: it has the output.
pub async fn a_statement_tells_whether_its_code_failed(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let session = store.create_session(unnamed()?).await?.id;
    let failed = format!("{FAILED_OUTPUT}}}");
    for (output, outcome) in [(Some(failed.as_str()), "error"), (None, "ok")] {
        let statement = statement_asking(&*store, session, "h").await?;
        let mut statement = completed(statement, at(1)?);
        store.update_statement(&mut statement, output).await?;
        let due = due(&*store).await?;
        let notice: Notice = serde_json::from_str(&due.last().ok_or("nothing is due")?.notice)?;
        assert_eq!(notice.outcome, outcome);
        assert_eq!(notice.of.made(), Made::Statement(session, statement.id));
    }
    Ok(())
}

/// An update that the store refuses leaves the webhook as it is.
pub async fn an_end_that_is_refused_is_no_delivery(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let session = store.create_session(unnamed()?).await?.id;
    let first = statement_asking(&*store, session, "h").await?;
    let mut stale = completed(first.clone(), at(1)?);
    let mut running = first;
    running.state = StatementState::Running { started: None };
    store.update_statement(&mut running, None).await?;
    let refused = store.update_statement(&mut stale, None).await;
    assert!(matches!(refused, Err(StoreError::Conflict { .. })));
    assert_eq!(counts(&*store).await?, (1, 0));
    store
        .update_statement(&mut completed(running, at(1)?), None)
        .await?;
    assert_eq!(counts(&*store).await?, (0, 1));
    Ok(())
}

/// Nothing is delivered for a session that no client has seen.
pub async fn a_request_that_is_refused_asks_for_nothing(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let key = NewKey {
        caller: "c".to_owned(),
        key: "k".to_owned(),
        request: "POST /sessions".to_owned(),
        fingerprint: [7; 32],
        made_at: at(0)?,
    };
    let with = |name: &str, key: Option<&NewKey>| {
        Ok::<_, Failure>(NewSession {
            key: key.cloned(),
            webhook: Some(hook("h")),
            ..named(name)?
        })
    };
    let mut session = store.create_session(with("a", Some(&key))?).await?;
    assert_eq!(counts(&*store).await?, (1, 0));
    assert!(store.create_session(with("a", None)?).await.is_err());
    assert!(store.create_session(with("b", Some(&key))?).await.is_err());
    let webhook = hook("h");
    for (session, key) in [(session.id, Some(&key)), (SessionId(7), None)] {
        let made = store.create_statement(session, Kind::Spark, "1", key, Some(&webhook));
        assert!(made.await.is_err());
    }
    assert_eq!(counts(&*store).await?, (1, 0));

    let batch = NewBatch {
        webhook: Some(hook("h")),
        ..batch_samples::unnamed()?
    };
    let batch = store.create_batch(batch).await?;
    statement_asking(&*store, session.id, "h").await?;
    store.withdraw(Made::Session(session.id)).await?;
    store.withdraw(Made::Batch(batch.id)).await?;
    assert_eq!(counts(&*store).await?, (1, 0), "the statement's");
    let over = ended(&*store, named("over")?, 1).await?;
    session.state = over.state;
    session.ended_at = over.ended_at;
    store.update_session(&mut session).await?;
    assert_eq!(due(&*store).await?, []);
    Ok(())
}

/// An attempt that failed puts the delivery off. Its first attempt is remembered.
pub async fn a_delivery_waits_for_its_next_attempt(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    ended(&*store, asking("h")?, 1).await?;
    let id = due(&*store).await?[0].id.clone();
    for (attempt, failed) in (1..).zip([10, 30]) {
        store
            .retry_delivery(&id, at(failed)?, at(failed + 5)?, "refused")
            .await?;
        let before = store.due_deliveries(at(failed + 4)?, &[], 100).await?;
        assert_eq!(before, []);
        let then = store.due_deliveries(at(failed + 5)?, &[], 100).await?;
        assert_eq!(then.len(), 1);
        assert_eq!((&then[0].id, then[0].attempts), (&id, attempt));
        assert_eq!(then[0].first_attempt_at, Some(at(10)?));
    }
    assert!(store.delete_delivery(&id).await?);
    assert!(!store.delete_delivery(&id).await?);
    store.retry_delivery(&id, at(1)?, at(1)?, "late").await?;
    assert_eq!(counts(&*store).await?, (0, 0));
    Ok(())
}

/// The longest due come first. Busy hosts are passed over, so that they do not hold up others.
pub async fn due_deliveries_come_in_order_and_few_at_a_time(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    for host in ["a", "b", "a", "c", "d"] {
        ended(&*store, asking(host)?, 1).await?;
    }
    assert_eq!(hosts_due(&*store, &[], 9).await?, ["a", "b", "a", "c", "d"]);
    assert_eq!(hosts_due(&*store, &[], 2).await?, ["a", "b"]);
    assert_eq!(hosts_due(&*store, &["a"], 2).await?, ["b", "c"]);
    assert_eq!(hosts_due(&*store, &["a", "b", "c", "d"], 2).await?, [""; 0]);
    let first = due(&*store).await?[0].id.clone();
    store.retry_delivery(&first, at(1)?, at(2)?, "no").await?;
    assert_eq!(hosts_due(&*store, &[], 9).await?, ["b", "a", "c", "d", "a"]);
    Ok(())
}

/// A webhook goes with a session that is deleted before its statement ends; a delivery stays.
pub async fn deliveries_outlive_what_they_tell_of(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let session = ended(&*store, asking("session")?, 1).await?.id;
    let batch = NewBatch {
        webhook: Some(hook("batch")),
        ..batch_samples::unnamed()?
    };
    batch_samples::ended(&*store, batch, 1).await?;
    let statement = statement_asking(&*store, session, "statement").await?;
    assert_eq!(statement.id, StatementId(0));
    assert_eq!(counts(&*store).await?, (1, 2));
    while !store.purge_sessions(at(2)?, 0).await?.is_empty() {}
    while !store.purge_batches(at(2)?, 0).await?.is_empty() {}
    assert_eq!(counts(&*store).await?, (0, 2));
    assert_eq!(hosts_due(&*store, &[], 9).await?, ["session", "batch"]);
    Ok(())
}

/// Any text of a URL, a host and an error is stored as it is.
pub async fn any_text_of_a_delivery_is_stored(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    for text in TEXTS {
        let webhook = Webhook {
            url: text.to_owned(),
            host: text.to_owned(),
        };
        let new = NewSession {
            webhook: Some(webhook),
            ..unnamed()?
        };
        let session = ended(&*store, new, 1).await?;
        let delivery = due(&*store).await?.pop().ok_or("nothing is due")?;
        assert_eq!((&*delivery.url, &*delivery.host), (text, text));
        let notice: Notice = serde_json::from_str(&delivery.notice)?;
        assert_eq!(Some(notice), Notice::of_session(&session));
        store
            .retry_delivery(&delivery.id, at(0)?, at(0)?, text)
            .await?;
        assert!(store.delete_delivery(&delivery.id).await?);
    }
    Ok(())
}
