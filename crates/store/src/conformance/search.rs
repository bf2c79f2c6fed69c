//! Searches. Sessions and batches have the same rules.

use async_trait::async_trait;
use jiff::SignedDuration;
use livius_domain::{
    BatchEnd, BatchId, BatchOutcome, BatchState, End, Kind, Outcome as SessionOutcome, SessionId,
    SessionState,
};

use super::listing::{Batches, Sessions};
use super::{Failure, Outcome, Place, at, batch_samples};
use crate::{Found, NewBatch, NewKey, NewSession, Search, StoreError, Visible};

const CALLER: &str = "[\"alice\",null]";

/// All that match, on one page.
const ALL: Search<'static> = Search {
    states: None,
    owner: None,
    kind: None,
    name: None,
    since: None,
    key: None,
    before: None,
    limit: 1_000,
};

/// What a new record has.
#[derive(Debug, Default, Clone, Copy)]
struct Given<'a> {
    name: Option<&'a str>,
    owner: Option<&'a str>,
    second: i64,
    key: Option<&'a str>,
    /// The length of a text in the request.
    bytes: usize,
}

#[async_trait]
trait Searchable: Send + Sync {
    async fn create(&self, given: Given<'_>) -> Result<i32, Failure>;
    /// Brings a record into one of the states that [`Searchable::states`] names.
    async fn enter(&self, id: i32, state: &str) -> Outcome;
    /// The names of all states.
    fn states(&self) -> Vec<&'static str>;
    async fn unlist(&self, id: i32) -> Outcome;
    async fn search(
        &self,
        visible: Visible<'_>,
        search: Search<'_>,
    ) -> Result<Found<i32>, StoreError>;

    /// The numbers of those that match.
    async fn found(&self, search: Search<'_>) -> Result<Vec<i32>, Failure> {
        let found = self.search(Visible::All, search).await?;
        assert_eq!(found.total, found.records.len() as u64, "{search:?}");
        assert_eq!(found.next, None, "{search:?}");
        Ok(found.records)
    }
}

fn new_key(key: Option<&str>) -> Result<Option<NewKey>, Failure> {
    let Some(key) = key else {
        return Ok(None);
    };
    Ok(Some(NewKey {
        caller: CALLER.to_owned(),
        key: key.to_owned(),
        request: "POST /".to_owned(),
        fingerprint: [1; 32],
        made_at: at(0)?,
    }))
}

#[async_trait]
impl Searchable for Sessions {
    async fn create(&self, given: Given<'_>) -> Result<i32, Failure> {
        let mut new = NewSession {
            owner: given.owner.map(str::to_owned),
            created_at: at(given.second)?,
            key: new_key(given.key)?,
            ..super::unnamed()?
        };
        new.request.submit.name = given.name.map(str::to_owned);
        new.request.submit.queue = Some("q".repeat(given.bytes));
        Ok(self.0.create_session(new).await?.id.0)
    }

    async fn enter(&self, id: i32, state: &str) -> Outcome {
        let found = self.0.session(SessionId(id)).await?;
        let mut record = found.ok_or("no such session")?;
        let end = |outcome| {
            SessionState::Ended(End {
                outcome,
                cause: None,
                failure: None,
                exit: None,
            })
        };
        record.state = match state {
            "starting" => SessionState::Starting,
            "running" => SessionState::Running,
            "stopping" => SessionState::Stopping {
                cause: None,
                failure: None,
            },
            "stopped" => end(SessionOutcome::Stopped),
            "killed" => end(SessionOutcome::Killed),
            "failed" => end(SessionOutcome::Failed),
            other => return Err(format!("no session can be {other}").into()),
        };
        record.ended_at = record.state.is_ended().then(|| at(1)).transpose()?;
        Ok(self.0.update_session(&mut record).await?)
    }

    fn states(&self) -> Vec<&'static str> {
        [SessionState::LIVE_NAMES, SessionState::END_NAMES].concat()
    }

    async fn unlist(&self, id: i32) -> Outcome {
        self.0.unlist_session(SessionId(id)).await?;
        Ok(())
    }

    async fn search(
        &self,
        visible: Visible<'_>,
        search: Search<'_>,
    ) -> Result<Found<i32>, StoreError> {
        let found = self.0.search_sessions(visible, search).await?;
        Ok(Found {
            total: found.total,
            records: found.records.iter().map(|record| record.id.0).collect(),
            next: found.next,
        })
    }
}

#[async_trait]
impl Searchable for Batches {
    async fn create(&self, given: Given<'_>) -> Result<i32, Failure> {
        let mut new = NewBatch {
            owner: given.owner.map(str::to_owned),
            created_at: at(given.second)?,
            key: new_key(given.key)?,
            ..batch_samples::unnamed()?
        };
        new.request.submit.name = given.name.map(str::to_owned);
        new.request.submit.queue = Some("q".repeat(given.bytes));
        Ok(self.0.create_batch(new).await?.id.0)
    }

    async fn enter(&self, id: i32, state: &str) -> Outcome {
        let found = self.0.batch(BatchId(id)).await?;
        let mut record = found.ok_or("no such batch")?;
        let end = |outcome| {
            BatchState::Ended(BatchEnd {
                outcome,
                cause: None,
                failure: None,
                exit: None,
            })
        };
        record.state = match state {
            "starting" => BatchState::Starting,
            "running" => BatchState::Running,
            "stopping" => BatchState::Stopping {
                cause: livius_domain::StopCause::User,
                was_running: true,
            },
            "succeeded" => end(BatchOutcome::Succeeded),
            "killed" => end(BatchOutcome::Killed),
            "failed" => end(BatchOutcome::Failed),
            other => return Err(format!("no batch can be {other}").into()),
        };
        record.times.ended_at = record.state.is_ended().then(|| at(1)).transpose()?;
        Ok(self.0.update_batch(&mut record).await?)
    }

    fn states(&self) -> Vec<&'static str> {
        [BatchState::LIVE_NAMES, BatchState::END_NAMES].concat()
    }

    async fn unlist(&self, id: i32) -> Outcome {
        self.0.unlist_batch(BatchId(id)).await?;
        Ok(())
    }

    async fn search(
        &self,
        visible: Visible<'_>,
        search: Search<'_>,
    ) -> Result<Found<i32>, StoreError> {
        let found = self.0.search_batches(visible, search).await?;
        Ok(Found {
            total: found.total,
            records: found.records.iter().map(|record| record.id.0).collect(),
            next: found.next,
        })
    }
}

async fn families(place: &dyn Place) -> Result<[Box<dyn Searchable>; 2], Failure> {
    let store = place.open().await?;
    let sessions: Box<dyn Searchable> = Box::new(Sessions(store.clone()));
    Ok([sessions, Box::new(Batches(store))])
}

/// A record is found by its state as soon as it is in it.
pub async fn a_search_finds_states(place: &dyn Place) -> Outcome {
    for family in families(place).await? {
        for (id, state) in (0..).zip(family.states()) {
            assert_eq!(family.create(Given::default()).await?, id);
            assert!(
                family
                    .found(search_state(&["starting"]))
                    .await?
                    .contains(&id)
            );
            family.enter(id, state).await?;
        }
        for (id, state) in (0..).zip(family.states()) {
            assert_eq!(family.found(search_state(&[state])).await?, [id], "{state}");
        }
        let (first, last) = (family.states()[0], family.states()[5]);
        let ends = family.found(search_state(&[last, first])).await?;
        assert_eq!(ends, [5, 0]);
        assert_eq!(family.found(search_state(&[])).await?, [] as [i32; 0]);
        assert_eq!(
            family.found(search_state(&["Starting"])).await?,
            [] as [i32; 0]
        );
        assert_eq!(family.found(ALL).await?, [5, 4, 3, 2, 1, 0]);
    }
    Ok(())
}

fn search_state<'a>(states: &'a [&'a str]) -> Search<'a> {
    Search {
        states: Some(states),
        ..ALL
    }
}

/// Each filter finds what it names, exactly, and several find what all of them name. A record that is
/// not listed is not found.
pub async fn a_search_finds_what_all_filters_name(place: &dyn Place) -> Outcome {
    for family in families(place).await? {
        let owners = [Some("alice"), None, Some("Alice"), Some("alice"), Some("")];
        for (second, owner) in (0..).zip(owners) {
            let name = (second % 2 == 1).then_some("odd");
            let given = Given {
                name,
                owner,
                second,
                ..Given::default()
            };
            let id = family.create(given).await?;
            // Its name is free again.
            family.enter(id, "failed").await?;
        }
        family.enter(3, "running").await?;
        let owner = |owner| Search {
            owner: Some(owner),
            ..ALL
        };
        let name = |name| Search {
            name: Some(name),
            ..ALL
        };
        let since = |since| Search {
            since: Some(since),
            ..ALL
        };
        let nanosecond = SignedDuration::from_nanos(1);
        for (search, expected) in [
            (owner("alice"), vec![3, 0]),
            (owner("Alice"), vec![2]),
            (owner(""), vec![4]),
            (owner("%"), vec![]),
            (name("odd"), vec![3, 1]),
            (name("Odd"), vec![]),
            (since(at(0)?), vec![4, 3, 2, 1, 0]),
            (since(at(3)?), vec![4, 3]),
            (since(at(3)? + nanosecond), vec![4]),
            (since(at(3)? - nanosecond), vec![4, 3]),
            (since(jiff::Timestamp::MAX), vec![]),
            (since(jiff::Timestamp::MIN), vec![4, 3, 2, 1, 0]),
            (
                Search {
                    name: Some("odd"),
                    since: Some(at(2)?),
                    states: Some(&["running", "failed"]),
                    ..owner("alice")
                },
                vec![3],
            ),
            (
                Search {
                    states: Some(&["failed"]),
                    ..owner("alice")
                },
                vec![0],
            ),
        ] {
            assert_eq!(family.found(search).await?, expected, "{search:?}");
        }
        let of_alice = Visible::Of("alice");
        assert_eq!(family.search(of_alice, ALL).await?.records, [3, 0]);
        assert_eq!(family.search(of_alice, name("odd")).await?.records, [3]);
        assert_eq!(family.search(of_alice, owner("Alice")).await?.total, 0);
        family.unlist(3).await?;
        assert_eq!(family.found(name("odd")).await?, [1]);
        assert_eq!(family.search(of_alice, ALL).await?.total, 1);
    }
    Ok(())
}

/// Only sessions have a kind.
pub async fn a_search_finds_kinds_of_sessions(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    for kind in Kind::ALL {
        let mut new = super::unnamed()?;
        new.request.kind = kind;
        store.create_session(new).await?;
    }
    store.create_batch(batch_samples::unnamed()?).await?;
    for (id, kind) in (0..).zip(Kind::ALL) {
        let search = Search {
            kind: Some(kind),
            ..ALL
        };
        let found = store.search_sessions(Visible::All, search).await?;
        let ids: Vec<i32> = found.records.iter().map(|record| record.id.0).collect();
        assert_eq!((found.total, ids), (1, vec![id]), "{kind}");
        assert_eq!(store.search_batches(Visible::All, search).await?.total, 0);
    }
    Ok(())
}

/// A key finds what its caller's request made, and nothing that the same key of another caller made,
/// or that has the same number and is of another sort.
pub async fn a_search_finds_what_a_key_made(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let (sessions, batches) = (Sessions(store.clone()), Batches(store));
    let given = |key| Given {
        key,
        ..Given::default()
    };
    for key in [None, Some("s"), None] {
        sessions.create(given(key)).await?;
        batches.create(given(None)).await?;
    }
    let key = |caller, key| Search {
        key: Some((caller, key)),
        ..ALL
    };
    assert_eq!(sessions.found(key(CALLER, "s")).await?, [1]);
    assert_eq!(batches.found(key(CALLER, "s")).await?, [] as [i32; 0]);
    let strange = [("[null,null]", "s"), (CALLER, "S"), (CALLER, ""), ("", "")];
    for (caller, text) in strange {
        assert_eq!(sessions.found(key(caller, text)).await?, [] as [i32; 0]);
    }
    let running = Search {
        states: Some(&["running"]),
        ..key(CALLER, "s")
    };
    assert_eq!(sessions.found(running).await?, [] as [i32; 0]);
    sessions.unlist(1).await?;
    assert_eq!(sessions.found(key(CALLER, "s")).await?, [] as [i32; 0]);
    Ok(())
}

/// A search that goes on before a number skips nothing and repeats nothing while records come and go.
pub async fn a_search_is_read_on_while_rows_come_and_go(place: &dyn Place) -> Outcome {
    for family in families(place).await? {
        for owner in [Some("alice"), None].into_iter().cycle().take(12) {
            let given = Given {
                owner,
                ..Given::default()
            };
            family.create(given).await?;
        }
        let pages = Search {
            owner: Some("alice"),
            limit: 2,
            ..ALL
        };
        let first = family.search(Visible::All, pages).await?;
        assert_eq!((first.total, first.records), (6, vec![10, 8]));
        assert_eq!(first.next, Some(8));
        let given = Given {
            owner: Some("alice"),
            ..Given::default()
        };
        family.create(given).await?;
        for id in [8, 4] {
            family.unlist(id).await?;
        }
        let before = |before| Search { before, ..pages };
        let second = family.search(Visible::All, before(first.next)).await?;
        assert_eq!((second.total, second.records), (5, vec![6, 2]));
        let third = family.search(Visible::All, before(second.next)).await?;
        assert_eq!((third.total, third.records, third.next), (5, vec![0], None));
        let exact = Search { limit: 5, ..pages };
        let all = family.search(Visible::All, exact).await?;
        assert_eq!((all.records.len(), all.next), (5, None), "an exact page");
        let none = family.search(Visible::All, Search { limit: 0, ..pages });
        let none = none.await?;
        assert_eq!((none.total, none.records, none.next), (5, vec![], None));
        for edge in [i32::MIN, -1, 0] {
            let found = family.search(Visible::All, before(Some(edge))).await?;
            assert_eq!((found.total, found.records), (5, vec![]));
        }
    }
    Ok(())
}

/// What is found ends early when its rows are long, and goes on where it ended.
pub async fn a_search_is_bounded_by_the_length_of_rows(place: &dyn Place) -> Outcome {
    for family in families(place).await? {
        for _ in 0..6 {
            let given = Given {
                bytes: 3 << 20,
                ..Given::default()
            };
            family.create(given).await?;
        }
        let mut read = Vec::new();
        let mut search = ALL;
        loop {
            let found = family.search(Visible::All, search).await?;
            assert_eq!(found.total, 6);
            assert!((1..=2).contains(&found.records.len()), "{found:?}");
            read.extend(found.records);
            search.before = found.next;
            if found.next.is_none() {
                break;
            }
        }
        assert_eq!(read, [5, 4, 3, 2, 1, 0]);
    }
    Ok(())
}
