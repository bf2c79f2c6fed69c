//! Versions: an update with an old version changes nothing.

use livius_domain::driver::DriverState;
use livius_domain::{JobLanguage, Kind, ResourceState, StatementState};

use super::resources::upload;
use super::{Outcome, Place, batch_samples, drivers, unnamed};
use crate::StoreError;

/// The row that a conflict names. `None` if there was no conflict.
fn conflict(updated: Result<(), StoreError>) -> Option<String> {
    match updated {
        Err(StoreError::Conflict { what }) => Some(what),
        _ => None,
    }
}

/// Two readers change the same session.
pub async fn a_stale_update_of_a_session_is_a_conflict(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let mut first = store.create_session(unnamed()?).await?;
    let mut second = first.clone();
    first.proxy_user = Some("alice".to_owned());
    store.update_session(&mut first).await?;
    assert_eq!(first.version, 1);
    second.proxy_user = Some("bob".to_owned());
    let refused = conflict(store.update_session(&mut second).await);
    assert_eq!(refused.as_deref(), Some("session 0"));
    assert_eq!(second.version, 0);
    assert_eq!(store.session(first.id).await?, Some(first.clone()));
    second.version = first.version;
    store.update_session(&mut second).await?;
    assert_eq!(second.version, 2);
    assert_eq!(store.session(first.id).await?, Some(second.clone()));
    store.unlist_session(first.id).await?;
    store.update_session(&mut second).await?;
    let read = store.session(first.id).await?;
    assert_eq!(read, None, "an update does not list it again");
    Ok(())
}

/// Two readers change the same batch. Unlisting does not change the version.
pub async fn a_stale_update_of_a_batch_is_a_conflict(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let mut first = store.create_batch(batch_samples::unnamed()?).await?;
    let mut second = first.clone();
    first.proxy_user = Some("alice".to_owned());
    store.update_batch(&mut first).await?;
    let refused = conflict(store.update_batch(&mut second).await);
    assert_eq!(refused.as_deref(), Some("batch 0"));
    assert_eq!(store.batch(first.id).await?, Some(first.clone()));
    store.unlist_batch(first.id).await?;
    store.update_batch(&mut first).await?;
    assert_eq!(first.version, 2);
    let read = store.batch(first.id).await?;
    assert_eq!(read, None, "an update does not list it again");
    Ok(())
}

/// Two readers change the same statement. The output of the stale update is not stored either.
pub async fn a_stale_update_of_a_statement_is_a_conflict(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let session = store.create_session(unnamed()?).await?.id;
    let mut first = store
        .create_statement(session, Kind::Spark, "1", None, None)
        .await?;
    let mut second = first.clone();
    first.state = StatementState::Running { started: None };
    store.update_statement(&mut first, Some("{}")).await?;
    let before = store.statement(session, first.id).await?;
    let refused = store.update_statement(&mut second, Some("[]")).await;
    assert_eq!(
        conflict(refused).as_deref(),
        Some("statement 0 of session 0")
    );
    assert_eq!(store.statement(session, first.id).await?, before);
    assert_eq!(store.unfinished_statements(session).await?, [first.clone()]);
    store.update_statement(&mut first, None).await?;
    assert_eq!(first.version, 2);
    Ok(())
}

/// Two readers change the same job.
pub async fn a_stale_update_of_a_job_is_a_conflict(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let session = store.create_session(unnamed()?).await?.id;
    let mut first = store
        .create_job(session, JobLanguage::Jvm, "AA==", None)
        .await?;
    let mut second = first.clone();
    first.error = Some("so far".to_owned());
    store.update_job(&mut first, None).await?;
    let refused = conflict(store.update_job(&mut second, Some("Zg==")).await);
    assert_eq!(refused.as_deref(), Some("job 1 of session 0"));
    assert_eq!(store.unfinished_jobs(session).await?, [first.clone()]);
    store.update_job(&mut first, None).await?;
    assert_eq!(first.version, 2);
    Ok(())
}

/// Two readers change the same file.
pub async fn a_stale_update_of_a_resource_is_a_conflict(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let session = store.create_session(unnamed()?).await?.id;
    let mut first = store.create_resource(session, upload("a")).await?;
    let mut second = first.clone();
    store.update_resource(&mut first).await?;
    second.state = ResourceState::Added;
    let refused = conflict(store.update_resource(&mut second).await);
    assert_eq!(refused.as_deref(), Some("resource 1 of session 0"));
    assert_eq!(store.pending_resources(session).await?, [first]);
    Ok(())
}

/// Two readers change the same driver.
pub async fn a_stale_update_of_a_driver_is_a_conflict(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let mut first = drivers::of_session(1)?;
    store.create_driver(&first).await?;
    let mut second = first.clone();
    first.state = DriverState::Launching;
    store.update_driver(&mut first).await?;
    assert_eq!(first.version, 1);
    let refused = conflict(store.update_driver(&mut second).await);
    assert_eq!(refused, Some(format!("driver {}", first.id)));
    assert_eq!(store.driver(&first.id).await?, Some(first));
    Ok(())
}
