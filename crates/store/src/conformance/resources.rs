//! Added files: numbers, stored fields, pending files.

use std::sync::Arc;

use livius_domain::{
    ResourceId, ResourceRecord, ResourceSource, ResourceState, ResourceUse, SessionId,
};
use tokio::task::JoinSet;

use super::{Outcome, Place, TEXTS, unnamed};
use crate::NewResource;

/// Each session numbers its own files. A file is read as `create_resource` answered it.
pub async fn a_new_resource_is_pending_as_asked_for(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    for _ in 0..2 {
        store.create_session(unnamed()?).await?;
    }
    let uri = "hdfs:///libs/ü b.jar?x=1#y".to_owned();
    let sources = [ResourceSource::Uri { uri }, ResourceSource::Upload];
    let mut expected = [Vec::new(), Vec::new()];
    for source in sources {
        for used_as in [ResourceUse::Library, ResourceUse::File] {
            for (session, expected) in (0..).map(SessionId).zip(&mut expected) {
                let new = NewResource {
                    used_as,
                    name: "ü b.jar".to_owned(),
                    source: source.clone(),
                    key: None,
                };
                let next = store.next_resource(session).await?;
                let made = store.create_resource(session, new).await?;
                assert_eq!(made.id, next);
                let record = ResourceRecord {
                    session,
                    id: ResourceId(i32::try_from(expected.len())? + 1),
                    version: 0,
                    used_as,
                    name: "ü b.jar".to_owned(),
                    source: source.clone(),
                    state: ResourceState::Pending,
                };
                assert_eq!(made, record);
                expected.push(record);
            }
        }
    }
    for (session, expected) in (0..).map(SessionId).zip(expected) {
        assert_eq!(store.pending_resources(session).await?, expected);
    }
    Ok(())
}

/// A starting server finds the pending files in the order of their creation. No number is given
/// twice.
pub async fn a_resource_is_pending_until_it_was_dealt_with(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let session = store.create_session(unnamed()?).await?.id;
    let mut records = Vec::new();
    for name in ["a", "b", "c", "d"] {
        records.push(store.create_resource(session, upload(name)).await?);
    }
    let failed = ResourceState::Failed {
        error: "no such file".to_owned(),
    };
    for (changed, state, left) in [
        (1, ResourceState::Added, vec![1, 3, 4]),
        (3, failed.clone(), vec![1, 3]),
        (3, failed, vec![1, 3]),
        (0, ResourceState::Pending, vec![1, 3]),
        (2, ResourceState::Added, vec![1]),
        (1, ResourceState::Pending, vec![1, 2]),
        (1, ResourceState::Added, vec![1]),
        (0, ResourceState::Added, vec![]),
    ] {
        records[changed].state = state;
        store.update_resource(&mut records[changed]).await?;
        let pending = store.pending_resources(session).await?;
        let expected: Vec<ResourceRecord> = records
            .iter()
            .filter(|record| left.contains(&record.id.0))
            .cloned()
            .collect();
        assert_eq!(pending, expected, "{:?}", records[changed]);
    }
    let next = store.create_resource(session, upload("e")).await?;
    assert_eq!(next.id, ResourceId(5));
    Ok(())
}

/// An update without a row fails. A read without a row finds nothing.
pub async fn an_unknown_resource_is_refused_or_absent(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let session = store.create_session(unnamed()?).await?.id;
    let nowhere = SessionId(5);
    let refused = store.create_resource(nowhere, upload("a")).await;
    assert!(refused.is_err(), "{refused:?}");
    assert_eq!(store.pending_resources(nowhere).await?, []);
    let record = store.create_resource(session, upload("a")).await?;
    for (session, id) in [(nowhere, 1), (session, 2), (session, 0), (session, -1)] {
        let mut unknown = ResourceRecord {
            session,
            id: ResourceId(id),
            ..record.clone()
        };
        assert!(store.update_resource(&mut unknown).await.is_err(), "{id}");
    }
    assert_eq!(store.pending_resources(session).await?, [record]);
    Ok(())
}

/// Texts are read as they were stored, byte by byte.
pub async fn any_text_of_a_resource_is_stored(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let session = store.create_session(unnamed()?).await?.id;
    let mut made = Vec::new();
    for text in TEXTS {
        let uri = text.to_owned();
        let new = NewResource {
            source: ResourceSource::Uri { uri },
            ..upload(text)
        };
        let record = store.create_resource(session, new).await?;
        assert_eq!(record.name, text);
        made.push(record);
    }
    assert_eq!(store.pending_resources(session).await?, made);
    Ok(())
}

/// No two files have the same number, and no number is skipped.
pub async fn resources_created_at_once_count_without_a_gap(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let session = store.create_session(unnamed()?).await?.id;
    let mut creates = JoinSet::new();
    for _ in 0..100 {
        let store = Arc::clone(&store);
        creates.spawn(async move { store.create_resource(session, upload("a")).await });
    }
    let made = creates.join_all().await.into_iter();
    let mut made = made.collect::<Result<Vec<ResourceRecord>, _>>()?;
    made.sort_by_key(|record| record.id);
    let numbers: Vec<i32> = made.iter().map(|record| record.id.0).collect();
    assert_eq!(numbers, (1..=100).collect::<Vec<_>>());
    assert_eq!(store.pending_resources(session).await?, made);
    Ok(())
}

/// A file that a client uploaded.
pub(super) fn upload(name: &str) -> NewResource {
    NewResource {
        used_as: ResourceUse::Library,
        name: name.to_owned(),
        source: ResourceSource::Upload,
        key: None,
    }
}
