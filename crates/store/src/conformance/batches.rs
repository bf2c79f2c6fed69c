//! Batches: numbers, names, stored fields, lists.

use std::sync::Arc;

use livius_domain::{
    AppInfo, BatchEnd, BatchId, BatchOutcome, BatchRecord, BatchState, BatchTimes,
    Failure as BatchFailure,
};
use tokio::task::JoinSet;

use super::batch_samples::{
    driver_of, end, every_state, failure, full_request, hostile, named, unnamed,
};
use super::listing::{self, Batches};
use super::{ALL, Failure, Outcome, Place, at, lines};
use crate::{BatchStore, BatchSummary, NewBatch, StoreError, Visible};

/// The answer of `create_*` is the record that is read later. It has every field of the request.
pub async fn a_new_batch_is_stored_as_asked_for(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let new = NewBatch {
        request: full_request(),
        owner: Some("alice".to_owned()),
        proxy_user: Some("bob".to_owned()),
        created_at: at(3)?,
        key: None,
        webhook: None,
    };
    let record = store.create_batch(new).await?;
    let expected = BatchRecord {
        id: BatchId(0),
        version: 0,
        request: full_request().into(),
        owner: Some("alice".to_owned()),
        proxy_user: Some("bob".to_owned()),
        state: BatchState::NEW,
        app: None,
        driver: None,
        times: BatchTimes::new(at(3)?),
        last_lines: None,
    };
    assert_eq!(record, expected);
    assert_eq!(store.batch(BatchId(0)).await?, Some(expected.clone()));
    assert_eq!(store.batch_named("nightly 🌙").await?, Some(expected));
    let finer = NewBatch {
        created_at: at(0)? + jiff::SignedDuration::from_nanos(999),
        ..unnamed()?
    };
    let record = store.create_batch(finer).await?;
    assert_eq!(store.batch(record.id).await?, Some(record), "nanoseconds");
    Ok(())
}

/// Every text field keeps NULs, quotes, all line ends, direction marks, characters outside the BMP,
/// and long texts.
pub async fn any_text_of_a_batch_is_stored(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let long = "'\u{1f914}\0\n".repeat(1 << 13);
    let texts = [
        "",
        " ",
        "\0",
        "a\0b",
        "'; DROP TABLE batches; --",
        "\"\\\"",
        "\\u0000",
        "\r\n\u{2028}\u{85}\t",
        "$1 ?1 :a @b %",
        "\u{1f914}\u{10ffff}\u{e000}",
        "\u{feff}e\u{301}\u{202e}",
        "null",
        "{\"a\":[",
        &long,
    ];
    for text in texts {
        let new = hostile(text)?;
        let mut record = store.create_batch(new.clone()).await?;
        assert_eq!(*record.request, new.request);
        assert_eq!(
            (&record.owner, &record.proxy_user),
            (&new.owner, &new.proxy_user)
        );
        assert_eq!(store.batch(record.id).await?, Some(record.clone()));
        assert_eq!(store.batch_named(text).await?, Some(record.clone()));
        record.app = Some(AppInfo {
            app_id: text.to_owned(),
            spark_ui_url: Some(text.to_owned()),
            driver_log_url: Some(text.to_owned()),
        });
        record.state = BatchState::Ended(BatchEnd {
            failure: Some(BatchFailure {
                message: text.to_owned(),
                hint: text.to_owned(),
                ..failure()
            }),
            ..end(BatchOutcome::Failed)
        });
        store.update_batch(&mut record).await?;
        assert_eq!(store.batch(record.id).await?, Some(record));
    }
    Ok(())
}

/// No number is given twice, even if its batch is deleted or refused. Sessions have numbers of
/// their own.
pub async fn batches_are_counted_apart_and_a_refusal_uses_a_number_up(
    place: &dyn Place,
) -> Outcome {
    let store = place.open().await?;
    for _ in 0..2 {
        store.create_session(super::unnamed()?).await?;
    }
    store.create_session(super::named("a")?).await?;
    assert_eq!(store.create_batch(named("a")?).await?.id, BatchId(0));
    for attempt in 1..=2 {
        match store.create_batch(named("a")?).await {
            Err(StoreError::DuplicateName { name, attempted }) => {
                assert_eq!((name.as_str(), attempted), ("a", attempt));
            }
            other => return Err(format!("not refused: {other:?}").into()),
        }
    }
    assert_eq!(store.create_batch(named("b")?).await?.id, BatchId(3));
    assert_eq!(ids(&*store).await?, (2, vec![0, 3]));
    let session = store.create_session(super::unnamed()?).await?;
    assert_eq!(session.id, livius_domain::SessionId(3));
    assert_eq!(store.list_sessions(Visible::All, ALL).await?.total, Some(4));
    Ok(())
}

/// Names of listed batches that have not ended are unique.
pub async fn a_name_is_unique_among_listed_batches_that_have_not_ended(
    place: &dyn Place,
) -> Outcome {
    listing::a_name_is_unique(&Batches(place.open().await?)).await
}

/// Names of batches differ when their bytes differ.
pub async fn names_of_batches_are_compared_exactly(place: &dyn Place) -> Outcome {
    listing::names_are_compared_exactly(&Batches(place.open().await?)).await
}

/// An update stores every field, and removes the fields that are now empty. The request changes with
/// the end only.
pub async fn everything_that_can_change_of_a_batch_is_stored(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let mut first = store
        .create_batch(NewBatch {
            request: full_request(),
            ..unnamed()?
        })
        .await?;
    for (second, state) in (1..).zip(every_state()) {
        let when = |divisor| (second % divisor == 0).then(|| at(second)).transpose();
        let mut record = BatchRecord {
            proxy_user: (second % 2 == 1).then(|| "carol".to_owned()),
            app: (second % 2 == 0).then(|| AppInfo {
                app_id: "local-1".to_owned(),
                spark_ui_url: (second % 4 == 0).then(|| "http://h:4040".to_owned()),
                driver_log_url: Some("http://h:8042/log".to_owned()),
            }),
            driver: (second % 3 == 0).then(|| driver_of(first.id)),
            times: BatchTimes {
                launched_at: when(2)?,
                running_at: when(3)?,
                stopping_at: when(4)?,
                ended_at: state.is_ended().then(|| at(second)).transpose()?,
                ..first.times
            },
            last_lines: state.is_ended().then(lines),
            state,
            ..first.clone()
        };
        let stored = if record.times.ended_at.is_some() {
            Arc::default()
        } else {
            first.request.clone()
        };
        record.request = Arc::default();
        store.update_batch(&mut record).await?;
        (first.version, first.request) = (record.version, stored.clone());
        record.request = stored;
        let summary = BatchSummary {
            id: record.id,
            owner: record.owner.clone(),
            proxy_user: record.proxy_user.clone(),
            state: record.state.clone(),
            app: record.app.clone(),
        };
        assert_eq!(store.batch_summaries(&[first.id]).await?, [summary]);
        assert_eq!(store.batch(first.id).await?, Some(record));
    }
    Ok(())
}

/// An update without a row fails.
pub async fn a_change_to_an_unknown_batch_is_refused(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let record = store.create_batch(unnamed()?).await?;
    let mut unknown = BatchRecord {
        id: BatchId(9),
        ..record
    };
    assert!(store.update_batch(&mut unknown).await.is_err());
    assert_eq!(store.batch(unknown.id).await?, None);
    assert_eq!(store.batch(BatchId(-1)).await?, None);
    assert_eq!(store.batch_named("nobody").await?, None);
    assert_eq!(ids(&*store).await?, (1, vec![0]));
    Ok(())
}

/// A list of batches has a window.
pub async fn listed_batches_are_windowed(place: &dyn Place) -> Outcome {
    listing::a_list_has_a_window(&Batches(place.open().await?)).await
}

/// A user's list has only the user's batches.
pub async fn a_list_of_batches_shows_what_is_visible(place: &dyn Place) -> Outcome {
    listing::a_list_shows_what_is_visible(&Batches(place.open().await?)).await
}

/// A long list is read part by part.
pub async fn a_list_of_batches_is_read_on_while_rows_come_and_go(place: &dyn Place) -> Outcome {
    listing::a_list_is_read_on(&Batches(place.open().await?)).await
}

/// Summaries show listed batches.
pub async fn batches_are_summed_up(place: &dyn Place) -> Outcome {
    listing::summaries_are_of_listed_records(&Batches(place.open().await?)).await
}

/// A starting server finds all batches that have not ended.
pub async fn unended_batches_are_found_listed_or_not(place: &dyn Place) -> Outcome {
    listing::unended_records_are_found(&Batches(place.open().await?)).await
}

/// No two batches have the same number, and no number is skipped, even if sessions are created at
/// the same time.
pub async fn batches_created_at_once_get_different_numbers(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let mut creates = JoinSet::new();
    for _ in 0..200 {
        let (shared, new) = (Arc::clone(&store), unnamed()?);
        creates.spawn(async move { shared.create_batch(new).await.map(|record| record.id.0) });
    }
    let mut sessions = JoinSet::new();
    for _ in 0..50 {
        let (shared, new) = (Arc::clone(&store), super::unnamed()?);
        sessions.spawn(async move { shared.create_session(new).await });
    }
    let mut numbers = creates
        .join_all()
        .await
        .into_iter()
        .collect::<Result<Vec<i32>, _>>()?;
    numbers.sort_unstable();
    assert_eq!(numbers, (0..200).collect::<Vec<_>>());
    assert_eq!(ids(&*store).await?, (200, numbers));
    for created in sessions.join_all().await {
        created?;
    }
    Ok(())
}

/// If many creates have the same name at the same time, one succeeds.
pub async fn of_batches_created_at_once_with_one_name_one_wins(place: &dyn Place) -> Outcome {
    listing::of_creates_at_once_with_one_name_one_wins(Batches(place.open().await?)).await
}

pub(super) async fn ids(store: &dyn BatchStore) -> Result<(u64, Vec<i32>), Failure> {
    let (total, records) = store.list_batches(Visible::All, ALL).await?.counted();
    Ok((total, records.iter().map(|record| record.id.0).collect()))
}
