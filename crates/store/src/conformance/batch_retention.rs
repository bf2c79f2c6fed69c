//! Batches: deletion, and reading them after the store was opened again.

use std::sync::Arc;

use jiff::Timestamp;
use livius_domain::{AppInfo, BatchId, BatchRecord, BatchState};

use super::batch_samples::{driver_of, ended, named, unnamed};
use super::listing::{self, Batches};
use super::{ALL, Outcome, Place, all_listed, at};
use crate::{StoreError, Visible};

/// Ended batches are deleted by age.
pub async fn batches_go_by_age(place: &dyn Place) -> Outcome {
    listing::ended_records_go_by_age(&Batches(place.open().await?)).await
}

/// Ended batches are deleted by number.
pub async fn batches_go_by_number(place: &dyn Place) -> Outcome {
    listing::ended_records_go_by_number(&Batches(place.open().await?)).await
}

/// Its number is not given again. Its name is free.
pub async fn a_purged_batch_leaves_nothing_but_its_number(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let mut batch = ended(&*store, named("a")?, 1).await?;
    assert_eq!(
        store.purge_batches(at(2)?, u64::MAX).await?,
        std::slice::from_ref(&batch)
    );
    assert_eq!(store.batch(batch.id).await?, None);
    assert_eq!(store.batch_named("a").await?, None);
    assert!(store.update_batch(&mut batch).await.is_err());
    assert!(!store.unlist_batch(batch.id).await?);
    assert_eq!(store.create_batch(named("a")?).await?.id, BatchId(1));
    Ok(())
}

/// All acknowledged batches are there. Numbers of refused and deleted batches are not given again.
pub async fn batches_survive_opening_again(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let mut batch = store.create_batch(named("a")?).await?;
    batch.state = BatchState::Running;
    batch.driver = Some(driver_of(batch.id));
    batch.app = Some(AppInfo {
        app_id: "local-1".to_owned(),
        spark_ui_url: None,
        driver_log_url: None,
    });
    batch.times.running_at = Some(at(2)?);
    store.update_batch(&mut batch).await?;
    let over = ended(&*store, unnamed()?, 5).await?;
    store.unlist_batch(over.id).await?;
    ended(&*store, unnamed()?, 1).await?;
    assert_eq!(store.purge_batches(at(2)?, u64::MAX).await?.len(), 1);
    let refused = store.create_batch(named("a")?).await;
    assert!(
        matches!(refused, Err(StoreError::DuplicateName { attempted: 3, .. })),
        "{refused:?}"
    );
    drop(store);

    let store = place.open().await?;
    assert_eq!(
        store.list_batches(Visible::All, ALL).await?.counted(),
        (1, vec![batch.clone()])
    );
    assert_eq!(store.batch_named("a").await?, Some(batch.clone()));
    assert_eq!(store.unended_batches().await?, all_listed([batch]));
    assert_eq!(store.purge_batches(at(6)?, u64::MAX).await?, [over]);
    assert_eq!(store.create_batch(unnamed()?).await?.id, BatchId(4));
    Ok(())
}

/// A client may disconnect at any time.
pub async fn a_batch_call_that_is_given_up_is_done_whole_or_not_at_all(
    place: &dyn Place,
) -> Outcome {
    let store = place.open().await?;
    store.create_batch(named("a")?).await?;
    for turns in 0..200 {
        let (shared, new) = (Arc::clone(&store), unnamed()?);
        let call = tokio::task::JoinSet::from_iter([async move {
            let made = shared.create_batch(new).await?;
            let times = livius_domain::BatchTimes {
                ended_at: Some(made.times.created_at),
                ..made.times
            };
            let mut over = BatchRecord { times, ..made };
            shared.update_batch(&mut over).await?;
            shared.list_batches(Visible::All, ALL).await?;
            shared.purge_batches(Timestamp::MIN, 0).await
        }]);
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
        drop(call);
    }
    let last = store.create_batch(unnamed()?).await?;
    let (total, listed) = store.list_batches(Visible::All, ALL).await?.counted();
    assert_eq!(u64::try_from(listed.len())?, total);
    assert_eq!(listed.last(), Some(&last));
    drop(store);
    assert_eq!(
        place
            .open()
            .await?
            .list_batches(Visible::All, ALL)
            .await?
            .counted(),
        (total, listed)
    );
    Ok(())
}
