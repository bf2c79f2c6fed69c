//! The faulty store. It passes the suite while nothing fails. A failed write changes nothing.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use livius_domain::SessionId;
use livius_store::conformance::{Failure, Place};
use livius_store::{Faulty, SessionStore, Store, StoreError};

use super::{Directory, SqliteStore, new_session};

livius_store::store_conformance!(FaultyDirectory(Directory::new()));

struct FaultyDirectory(Directory);

#[async_trait]
impl Place for FaultyDirectory {
    async fn open(&self) -> Result<Arc<dyn Store>, Failure> {
        let store = SqliteStore::open(&self.0.database()).await?;
        Ok(Arc::new(Faulty::new(store)))
    }
}

async fn store(directory: &Directory) -> Faulty<SqliteStore> {
    let store = SqliteStore::open(&directory.database()).await.unwrap();
    Faulty::new(store)
}

#[tokio::test]
async fn a_full_disk_takes_no_write_and_answers_reads() {
    let directory = Directory::new();
    let store = store(&directory).await;
    let mut session = store.create_session(new_session()).await.unwrap();
    store.set_full(true);
    let before = session.clone();
    session.owner = Some("alice".to_owned());
    for _ in 0..2 {
        let refused = store.update_session(&mut session).await;
        assert!(matches!(refused, Err(StoreError::Database { .. })));
        assert!(store.create_session(new_session()).await.is_err());
    }
    assert_eq!(store.session(session.id).await.unwrap(), Some(before));
    assert_eq!(store.session(SessionId(1)).await.unwrap(), None);
    store.set_full(false);
    store.update_session(&mut session).await.unwrap();
}

#[tokio::test]
async fn one_write_fails_and_the_next_succeeds() {
    let directory = Directory::new();
    let store = store(&directory).await;
    let mut session = store.create_session(new_session()).await.unwrap();
    store.fail_next("update_session");
    store.unlist_session(session.id).await.unwrap();
    store.update_session(&mut session).await.unwrap_err();
    store.update_session(&mut session).await.unwrap();
    assert_eq!(session.version, 1);
}

#[tokio::test]
async fn a_held_operation_goes_on_when_it_is_released() {
    let directory = Directory::new();
    let store = Arc::new(store(&directory).await);
    store.hold("create_session");
    let shared = Arc::clone(&store);
    #[expect(
        clippy::disallowed_methods,
        reason = "the test waits for the task itself"
    )]
    let mut held = tokio::spawn(async move { shared.create_session(new_session()).await });
    let waited = tokio::time::timeout(Duration::from_millis(20), &mut held).await;
    assert!(waited.is_err(), "{waited:?}");
    store.release("create_session");
    held.await.unwrap().unwrap();
}

#[tokio::test]
#[should_panic(expected = "called update_sessions")]
async fn a_misspelt_operation_is_told() {
    store(&Directory::new()).await.fail_next("update_sessions");
}
