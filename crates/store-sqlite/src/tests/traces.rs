//! The secrets of a request are gone from the files some time after the end.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use livius_domain::{BatchRequest, SessionRequest, SubmitOptions};
use livius_store::{BatchStore, NewBatch, NewSession, SessionStore};

use super::{Directory, SqliteStore, new_batch, new_session};

const SECRET: &str = "correct-horse-battery-staple";

/// Options with the secret at the begin and at the end of so many bytes.
fn options(bytes: usize) -> SubmitOptions {
    let entries = [
        ("spark.a.password", SECRET.to_owned()),
        ("spark.b", "x".repeat(bytes)),
        ("spark.c.password", SECRET.to_owned()),
    ];
    let entries = entries.map(|(key, value)| (key.to_owned(), value));
    SubmitOptions {
        conf: BTreeMap::from(entries),
        jars: vec![format!("https://ann:{SECRET}@h/a.jar")],
        ..SubmitOptions::default()
    }
}

/// How often the secret stands in each of the store's files.
fn found(directory: &Directory) -> BTreeMap<String, usize> {
    let count = |entry: std::io::Result<std::fs::DirEntry>| {
        let entry = entry.unwrap();
        let bytes = std::fs::read(entry.path()).unwrap();
        let places = bytes.windows(SECRET.len());
        let count = places.filter(|place| *place == SECRET.as_bytes()).count();
        (count > 0).then(|| (entry.file_name().into_string().unwrap(), count))
    };
    let files = std::fs::read_dir(directory.0.path()).unwrap();
    files.filter_map(count).collect()
}

#[tokio::test]
async fn secrets_are_erased_after_the_end() {
    // Long rows have pages of their own.
    for bytes in [10, 100_000] {
        let directory = Directory::new();
        let store = SqliteStore::open(&directory.database()).await.unwrap();
        let request = SessionRequest {
            submit: options(bytes),
            ..SessionRequest::default()
        };
        let new = NewSession {
            request,
            ..new_session()
        };
        let mut session = store.create_session(new).await.unwrap();
        let request = BatchRequest {
            submit: options(bytes),
            ..BatchRequest::default()
        };
        let new = NewBatch {
            request,
            ..new_batch()
        };
        let mut batch = store.create_batch(new).await.unwrap();
        for length in [1, 3_000, 20] {
            session.proxy_user = Some("u".repeat(length));
            store.update_session(&mut session).await.unwrap();
            batch.proxy_user = Some("u".repeat(length));
            store.update_batch(&mut batch).await.unwrap();
            store.create_session(new_session()).await.unwrap();
        }
        store.flush().await.unwrap();
        assert_eq!(found(&directory), [("livius.db".to_owned(), 6)].into());

        Arc::make_mut(&mut session.request).hide_secrets();
        session.ended_at = Some(session.created_at);
        store.update_session(&mut session).await.unwrap();
        Arc::make_mut(&mut batch.request).hide_secrets();
        batch.times.ended_at = Some(session.created_at);
        store.update_batch(&mut batch).await.unwrap();
        // The server purges once a minute.
        let purged = store.purge_sessions(Timestamp::MIN, u64::MAX).await;
        assert!(purged.unwrap().is_empty());
        assert_eq!(found(&directory), BTreeMap::new(), "{bytes}");
        let stored = store.session(session.id).await.unwrap();
        assert_eq!(stored, Some(session));
    }
}
