//! Keys of requests.

use jiff::Timestamp;
use livius_domain::{BatchId, JobId, JobLanguage, Kind, Made, ResourceId, SessionId, StatementId};
use tokio::task::JoinSet;

use super::batch_samples;
use super::resources::upload;
use super::{ALL, Failure, Outcome, Place, TEXTS, at, ended, named, unnamed};
use crate::{
    KeptAnswer, KeyBounds, KeyRecord, NewBatch, NewKey, NewResource, NewSession, Store, StoreError,
    Visible,
};

const CALLER: &str = "[\"alice\",null]";

fn key(text: &str, second: i64) -> Result<NewKey, Failure> {
    Ok(NewKey {
        caller: CALLER.to_owned(),
        key: text.to_owned(),
        request: "POST /sessions".to_owned(),
        fingerprint: [7; 32],
        made_at: at(second)?,
    })
}

fn keyed(key: NewKey) -> Result<NewSession, Failure> {
    Ok(NewSession {
        key: Some(key),
        ..unnamed()?
    })
}

fn answer(body: &str) -> KeptAnswer {
    KeptAnswer {
        status: 201,
        location: Some("/sessions/0".to_owned()),
        content_type: Some("application/json".to_owned()),
        body: body.into(),
    }
}

fn stored(key: &NewKey, made: Option<Made>, answer: Option<KeptAnswer>) -> KeyRecord {
    KeyRecord {
        request: key.request.clone(),
        fingerprint: key.fingerprint,
        made_at: key.made_at,
        made,
        answer,
    }
}

async fn made_by(store: &dyn Store, text: &str) -> Result<Option<Made>, Failure> {
    let record = store.key(CALLER, text).await?;
    Ok(record.and_then(|record| record.made))
}

/// The number of sessions on the list.
async fn listed(store: &dyn Store) -> Result<Option<u64>, Failure> {
    Ok(store.list_sessions(Visible::All, ALL).await?.total)
}

fn assert_taken<T: std::fmt::Debug>(result: &Result<T, StoreError>) {
    assert!(matches!(result, Err(StoreError::KeyTaken)), "{result:?}");
}

/// Whatever is made, its key is stored with it, and is there after opening again.
pub async fn a_key_is_stored_with_what_it_makes(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let session = store.create_session(keyed(key("s", 1)?)?).await?.id;
    let batch = NewBatch {
        key: Some(key("b", 1)?),
        ..batch_samples::unnamed()?
    };
    store.create_batch(batch).await?;
    for (name, code) in [("short", "1".to_owned()), ("long", "1".repeat(5_000))] {
        let key = key(name, 1)?;
        store
            .create_statement(session, Kind::Spark, &code, Some(&key), None)
            .await?;
    }
    store
        .create_job(session, JobLanguage::Jvm, "Zm9v", Some(&key("j", 1)?))
        .await?;
    let file = NewResource {
        key: Some(key("f", 1)?),
        ..upload("a.jar")
    };
    store.create_resource(session, file).await?;
    drop(store);

    let store = place.open().await?;
    for (name, made) in [
        ("s", Made::Session(session)),
        ("b", Made::Batch(BatchId(0))),
        ("short", Made::Statement(session, StatementId(0))),
        ("long", Made::Statement(session, StatementId(1))),
        ("j", Made::Job(session, JobId(1))),
        ("f", Made::File(session, ResourceId(1))),
    ] {
        let expected = stored(&key(name, 1)?, Some(made), None);
        assert_eq!(store.key(CALLER, name).await?, Some(expected));
    }
    assert_eq!(store.key(CALLER, "S").await?, None);
    assert_eq!(store.key("[null,null]", "s").await?, None, "another caller");
    Ok(())
}

/// A key that is taken makes nothing, and the other caller's same key does.
pub async fn a_taken_key_makes_nothing(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let taken = key("k", 1)?;
    let session = store.create_session(keyed(taken.clone())?).await?.id;
    assert_taken(&store.create_session(keyed(taken.clone())?).await);
    let batch = NewBatch {
        key: Some(taken.clone()),
        ..batch_samples::unnamed()?
    };
    assert_taken(&store.create_batch(batch).await);
    for code in ["1".to_owned(), "1".repeat(5_000)] {
        let posted = store.create_statement(session, Kind::Spark, &code, Some(&taken), None);
        assert_taken(&posted.await);
    }
    let job = store.create_job(session, JobLanguage::Jvm, "Zm9v", Some(&taken));
    assert_taken(&job.await);
    let file = NewResource {
        key: Some(taken.clone()),
        ..upload("a.jar")
    };
    assert_taken(&store.create_resource(session, file).await);

    assert_eq!(listed(&*store).await?, Some(1));
    let batches = store.list_batches(Visible::All, ALL).await?;
    assert_eq!(batches.total, Some(0));
    let statements = store.list_statements(session, ALL).await?;
    assert_eq!(statements.total, Some(0));
    assert_eq!(store.unfinished_jobs(session).await?, []);
    assert_eq!(store.pending_resources(session).await?, []);
    let other = NewKey {
        caller: "[null,null]".to_owned(),
        ..taken
    };
    let next = store.create_session(keyed(other)?).await?.id;
    assert_eq!(next, SessionId(1), "a taken key uses no number up");
    Ok(())
}

/// A session that is refused because of its name leaves its key free.
pub async fn a_refused_session_leaves_its_key_free(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    store.create_session(named("a")?).await?;
    let refused = NewSession {
        key: Some(key("k", 1)?),
        ..named("a")?
    };
    let refused = store.create_session(refused).await;
    assert!(matches!(refused, Err(StoreError::DuplicateName { .. })));
    assert_eq!(store.key(CALLER, "k").await?, None);
    store.create_session(keyed(key("k", 2)?)?).await?;
    assert_eq!(
        made_by(&*store, "k").await?,
        Some(Made::Session(SessionId(2)))
    );
    Ok(())
}

/// Of requests at once with one key, one makes something.
pub async fn of_creates_at_once_with_one_key_one_wins(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let mut creates = JoinSet::new();
    for _ in 0..20 {
        let (store, new) = (std::sync::Arc::clone(&store), keyed(key("k", 1)?)?);
        creates.spawn(async move { store.create_session(new).await });
    }
    let made = creates.join_all().await;
    assert_eq!(made.iter().filter(|made| made.is_ok()).count(), 1);
    made.iter()
        .filter(|made| made.is_err())
        .for_each(assert_taken);
    assert_eq!(listed(&*store).await?, Some(1));
    Ok(())
}

/// The first answer stays, byte by byte. A key that made nothing is stored with its answer.
pub async fn the_first_answer_is_kept(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let (made, unmade) = (key("made", 1)?, key("unmade", 2)?);
    store.create_session(keyed(made.clone())?).await?;
    let bare = KeptAnswer {
        status: 204,
        location: None,
        content_type: None,
        body: vec![0, 0xff, b'\n'],
    };
    store.keep_answer(&made, &answer("first")).await?;
    store.keep_answer(&made, &answer("second")).await?;
    store.keep_answer(&unmade, &bare).await?;
    drop(store);

    let store = place.open().await?;
    let session = Some(Made::Session(SessionId(0)));
    for (key, made, answer) in [(&made, session, answer("first")), (&unmade, None, bare)] {
        let expected = stored(key, made, Some(answer));
        assert_eq!(store.key(CALLER, &key.key).await?, Some(expected));
    }
    assert_taken(&store.create_session(keyed(unmade)?).await);
    Ok(())
}

/// A key is free after it was given back, and with it its answer.
pub async fn a_freed_key_is_free(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let freed = key("k", 1)?;
    store.create_session(keyed(freed.clone())?).await?;
    store.keep_answer(&freed, &answer("old")).await?;
    store.free_key("[null,null]", "k").await?;
    assert!(store.key(CALLER, "k").await?.is_some());
    store.free_key(CALLER, "k").await?;
    store.free_key(CALLER, "k").await?;
    assert_eq!(store.key(CALLER, "k").await?, None);
    store.create_session(keyed(freed.clone())?).await?;
    let expected = stored(&freed, Some(Made::Session(SessionId(1))), None);
    assert_eq!(store.key(CALLER, "k").await?, Some(expected));
    Ok(())
}

/// What is withdrawn is off its list, and its key is free. Other keys stay.
pub async fn a_withdrawn_session_or_batch_frees_its_key(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let session = store.create_session(keyed(key("s", 1)?)?).await?;
    let batch = NewBatch {
        key: Some(key("b", 1)?),
        ..batch_samples::unnamed()?
    };
    let batch = store.create_batch(batch).await?;
    let of_session = key("of s", 1)?;
    store
        .create_statement(session.id, Kind::Spark, "1", Some(&of_session), None)
        .await?;
    store.withdraw(Made::Session(session.id)).await?;
    assert_eq!(store.session(session.id).await?, None);
    assert_eq!(store.key(CALLER, "s").await?, None);
    assert!(store.key(CALLER, "b").await?.is_some());
    assert!(store.key(CALLER, "of s").await?.is_some());
    store.withdraw(Made::Batch(batch.id)).await?;
    assert_eq!(store.batch(batch.id).await?, None);
    assert_eq!(store.key(CALLER, "b").await?, None);
    store.withdraw(Made::Batch(BatchId(77))).await?;
    Ok(())
}

/// A purged session takes the answers that show it with it, but not the keys: the requests are not
/// done again.
pub async fn answers_go_with_their_session_and_keys_stay(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let (of_session, of_statement) = (key("s", 1)?, key("t", 1)?);
    let gone = ended(&*store, keyed(of_session.clone())?, 1).await?;
    store
        .create_statement(gone.id, Kind::Spark, "1", Some(&of_statement), None)
        .await?;
    let batch_key = key("b", 1)?;
    let batch = NewBatch {
        key: Some(batch_key.clone()),
        ..batch_samples::unnamed()?
    };
    batch_samples::ended(&*store, batch, 1).await?;
    for key in [&of_session, &of_statement, &batch_key] {
        store.keep_answer(key, &answer("x")).await?;
    }
    while !store.purge_sessions(at(9)?, 0).await?.is_empty() {}
    while !store.purge_batches(at(9)?, 0).await?.is_empty() {}
    for (key, made) in [
        (&of_session, Made::Session(gone.id)),
        (&of_statement, Made::Statement(gone.id, StatementId(0))),
        (&batch_key, Made::Batch(BatchId(0))),
    ] {
        let expected = stored(key, Some(made), None);
        assert_eq!(store.key(CALLER, &key.key).await?, Some(expected));
        // An answer that comes too late is not kept.
        store.keep_answer(key, &answer("late")).await?;
        let record = store.key(CALLER, &key.key).await?;
        assert_eq!(record.and_then(|record| record.answer), None);
    }
    Ok(())
}

async fn purge(store: &dyn Store, bounds: KeyBounds) -> Outcome {
    while store.purge_keys(bounds).await? > 0 {}
    Ok(())
}

/// The keys that are there.
async fn there(store: &dyn Store, names: &[&str]) -> Result<Vec<String>, Failure> {
    let mut there = Vec::new();
    for name in names {
        if store.key(CALLER, name).await?.is_some() {
            there.push((*name).to_owned());
        }
    }
    Ok(there)
}

const NO_BOUNDS: KeyBounds = KeyBounds {
    made_before: Timestamp::MIN,
    keys: u64::MAX,
    answer_bytes: u64::MAX,
};

/// Keys are deleted by age and by number, and what they made stays.
pub async fn keys_go_by_age_and_by_number(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let names = ["a", "b", "c", "d", "e"];
    for (second, name) in (1..).zip(names) {
        store.create_session(keyed(key(name, second)?)?).await?;
    }
    purge(&*store, NO_BOUNDS).await?;
    assert_eq!(there(&*store, &names).await?, names);
    let made_before = at(3)?;
    let old = KeyBounds {
        made_before,
        ..NO_BOUNDS
    };
    purge(&*store, old).await?;
    assert_eq!(there(&*store, &names).await?, ["c", "d", "e"]);
    let few = KeyBounds {
        keys: 1,
        ..NO_BOUNDS
    };
    purge(&*store, few).await?;
    assert_eq!(there(&*store, &names).await?, ["e"]);
    assert_eq!(listed(&*store).await?, Some(5));
    Ok(())
}

/// More keys than one call deletes go, too.
pub async fn many_keys_go(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    for number in 0..600 {
        let key = key(&number.to_string(), 1)?;
        store.keep_answer(&key, &answer("x")).await?;
    }
    let few = KeyBounds {
        keys: 2,
        ..NO_BOUNDS
    };
    purge(&*store, few).await?;
    assert_eq!(
        there(&*store, &["0", "300", "597", "598", "599"]).await?,
        ["598", "599"]
    );
    Ok(())
}

/// The oldest answers in excess are deleted. A key that made nothing goes with its answer, and one
/// that made something stays.
pub async fn answers_in_excess_go_oldest_first(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    for (second, name) in (1..).zip(["made", "unmade", "young"]) {
        let key = key(name, second)?;
        if name != "unmade" {
            store.create_session(keyed(key.clone())?).await?;
        }
        store.keep_answer(&key, &answer(&"x".repeat(100))).await?;
    }
    let bounds = KeyBounds {
        answer_bytes: 199,
        ..NO_BOUNDS
    };
    purge(&*store, bounds).await?;
    assert_eq!(
        there(&*store, &["made", "unmade", "young"]).await?,
        ["made", "young"]
    );
    let kept = async |name| -> Result<bool, Failure> {
        let record = store.key(CALLER, name).await?;
        Ok(record.is_some_and(|record| record.answer.is_some()))
    };
    assert!(!kept("made").await?);
    assert!(kept("young").await?);
    Ok(())
}

/// Texts are read as they were stored.
pub async fn any_text_of_a_key_is_stored(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    for text in TEXTS {
        let new = NewKey {
            caller: text.to_owned(),
            request: text.to_owned(),
            ..key(text, 1)?
        };
        let kept = KeptAnswer {
            location: Some(text.to_owned()),
            content_type: Some(text.to_owned()),
            ..answer(text)
        };
        store.keep_answer(&new, &kept).await?;
        let expected = stored(&new, None, Some(kept));
        assert_eq!(store.key(text, text).await?, Some(expected), "{text:?}");
    }
    Ok(())
}
