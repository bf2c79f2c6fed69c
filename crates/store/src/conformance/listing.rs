//! The rules of names and lists. Sessions and batches have the same rules, so they share the cases.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::task::JoinSet;

use super::{ALL, Failure, Outcome, at, batch_samples, windows};
use crate::{NewBatch, NewSession, Part, Start, Store, StoreError, Visible, Window};

/// The records that a case is about.
#[async_trait]
pub(super) trait Family: Send + Sync {
    async fn create(&self, name: Option<&str>, owner: Option<&str>) -> Result<i32, Failure>;
    async fn end(&self, id: i32, second: i64) -> Outcome;
    async fn unlist(&self, id: i32) -> Result<bool, StoreError>;
    async fn by_id(&self, id: i32) -> Result<Option<i32>, StoreError>;
    async fn named(&self, name: &str) -> Result<Option<i32>, StoreError>;
    async fn summaries(&self, ids: &[i32]) -> Result<Vec<Short>, StoreError>;
    async fn part(&self, visible: Visible<'_>, window: Window) -> Result<Part<i32>, StoreError>;
    async fn list(
        &self,
        visible: Visible<'_>,
        window: Window,
    ) -> Result<(u64, Vec<i32>), StoreError> {
        Ok(self.part(visible, window).await?.counted())
    }
    async fn unended(&self) -> Result<Vec<(i32, bool)>, StoreError>;
    async fn purge(&self, ended_before: Timestamp, keep: u64) -> Result<Vec<i32>, StoreError>;
}

/// The number and the owner of a summary.
type Short = (i32, Option<String>);

/// The sessions of a store.
pub(super) struct Sessions(pub(super) Arc<dyn Store>);

#[async_trait]
impl Family for Sessions {
    async fn create(&self, name: Option<&str>, owner: Option<&str>) -> Result<i32, Failure> {
        let mut new = NewSession {
            owner: owner.map(str::to_owned),
            ..super::unnamed()?
        };
        new.request.submit.name = name.map(str::to_owned);
        Ok(self.0.create_session(new).await?.id.0)
    }

    async fn end(&self, id: i32, second: i64) -> Outcome {
        let found = self.0.session(livius_domain::SessionId(id)).await?;
        let mut record = found.ok_or("no such session")?;
        record.ended_at = Some(at(second)?);
        Ok(self.0.update_session(&mut record).await?)
    }

    async fn unlist(&self, id: i32) -> Result<bool, StoreError> {
        let id = livius_domain::SessionId(id);
        self.0.unlist_session(id).await
    }

    async fn by_id(&self, id: i32) -> Result<Option<i32>, StoreError> {
        let found = self.0.session(livius_domain::SessionId(id)).await?;
        Ok(found.map(|record| record.id.0))
    }

    async fn named(&self, name: &str) -> Result<Option<i32>, StoreError> {
        let found = self.0.session_named(name).await?;
        Ok(found.map(|record| record.id.0))
    }

    async fn summaries(&self, ids: &[i32]) -> Result<Vec<Short>, StoreError> {
        let ids: Vec<_> = ids.iter().copied().map(livius_domain::SessionId).collect();
        let found = self.0.session_summaries(&ids).await?.into_iter();
        Ok(found.map(|it| (it.id.0, it.owner)).collect())
    }

    async fn part(&self, visible: Visible<'_>, window: Window) -> Result<Part<i32>, StoreError> {
        let part = self.0.list_sessions(visible, window).await?;
        Ok(part.map(|record| record.id.0))
    }

    async fn unended(&self) -> Result<Vec<(i32, bool)>, StoreError> {
        let unended = self.0.unended_sessions().await?.into_iter();
        Ok(unended.map(|it| (it.record.id.0, it.listed)).collect())
    }

    async fn purge(&self, ended_before: Timestamp, keep: u64) -> Result<Vec<i32>, StoreError> {
        let gone = self.0.purge_sessions(ended_before, keep).await?;
        Ok(gone.iter().map(|record| record.id.0).collect())
    }
}

/// The batches of a store.
pub(super) struct Batches(pub(super) Arc<dyn Store>);

#[async_trait]
impl Family for Batches {
    async fn create(&self, name: Option<&str>, owner: Option<&str>) -> Result<i32, Failure> {
        let mut new = NewBatch {
            owner: owner.map(str::to_owned),
            ..batch_samples::unnamed()?
        };
        new.request.submit.name = name.map(str::to_owned);
        Ok(self.0.create_batch(new).await?.id.0)
    }

    async fn end(&self, id: i32, second: i64) -> Outcome {
        let found = self.0.batch(livius_domain::BatchId(id)).await?;
        let mut record = found.ok_or("no such batch")?;
        record.times.ended_at = Some(at(second)?);
        Ok(self.0.update_batch(&mut record).await?)
    }

    async fn unlist(&self, id: i32) -> Result<bool, StoreError> {
        let id = livius_domain::BatchId(id);
        self.0.unlist_batch(id).await
    }

    async fn by_id(&self, id: i32) -> Result<Option<i32>, StoreError> {
        let found = self.0.batch(livius_domain::BatchId(id)).await?;
        Ok(found.map(|record| record.id.0))
    }

    async fn named(&self, name: &str) -> Result<Option<i32>, StoreError> {
        let found = self.0.batch_named(name).await?;
        Ok(found.map(|record| record.id.0))
    }

    async fn summaries(&self, ids: &[i32]) -> Result<Vec<Short>, StoreError> {
        let ids: Vec<_> = ids.iter().copied().map(livius_domain::BatchId).collect();
        let found = self.0.batch_summaries(&ids).await?.into_iter();
        Ok(found.map(|it| (it.id.0, it.owner)).collect())
    }

    async fn part(&self, visible: Visible<'_>, window: Window) -> Result<Part<i32>, StoreError> {
        let part = self.0.list_batches(visible, window).await?;
        Ok(part.map(|record| record.id.0))
    }

    async fn unended(&self) -> Result<Vec<(i32, bool)>, StoreError> {
        let unended = self.0.unended_batches().await?.into_iter();
        Ok(unended.map(|it| (it.record.id.0, it.listed)).collect())
    }

    async fn purge(&self, ended_before: Timestamp, keep: u64) -> Result<Vec<i32>, StoreError> {
        let gone = self.0.purge_batches(ended_before, keep).await?;
        Ok(gone.iter().map(|record| record.id.0).collect())
    }
}

/// The number that a duplicate name used up. Fails when the create was not refused for its name.
fn refused(created: Result<i32, Failure>, name: &str) -> Result<i32, Failure> {
    let error = match created {
        Ok(id) => return Err(format!("{id} was created").into()),
        Err(error) => error,
    };
    let attempted = match error.downcast_ref() {
        Some(StoreError::DuplicateName {
            name: taken,
            attempted,
        }) if taken == name => Some(*attempted),
        _ => None,
    };
    attempted.ok_or(error)
}

/// No number is given twice. A refused record uses its number up.
pub(super) async fn numbers_only_grow(family: &dyn Family) -> Outcome {
    assert_eq!(family.create(Some("a"), None).await?, 0);
    for attempt in 1..=2 {
        let attempted = refused(family.create(Some("a"), None).await, "a")?;
        assert_eq!(attempted, attempt);
    }
    assert_eq!(family.create(Some("b"), None).await?, 3);
    assert_eq!(family.list(Visible::All, ALL).await?, (2, vec![0, 3]));
    Ok(())
}

/// An unlisted record is not found, and its name is free. The name of an ended record is free, too.
/// Any number of records may have no name.
pub(super) async fn a_name_is_unique(family: &dyn Family) -> Outcome {
    let first = family.create(Some("a"), None).await?;
    assert!(family.unlist(first).await?);
    assert!(!family.unlist(first).await?, "a second time");
    assert!(!family.unlist(77).await?, "unknown");
    assert_eq!(family.by_id(first).await?, None);
    assert_eq!(family.named("a").await?, None);

    let second = family.create(Some("a"), None).await?;
    assert_eq!(family.named("a").await?, Some(second));
    for _ in 0..2 {
        let unnamed = family.create(None, None).await?;
        family.end(unnamed, 1).await?;
    }
    let old = family.create(Some("z"), None).await?;
    family.end(old, 1).await?;
    assert_eq!(family.named("z").await?, Some(old));
    let newer = family.create(Some("z"), None).await?;
    family.end(newer, 1).await?;
    assert_eq!(family.named("z").await?, Some(newer));
    let newest = family.create(Some("z"), None).await?;
    assert_eq!(family.named("z").await?, Some(newest));
    for name in ["z", "a"] {
        refused(family.create(Some(name), None).await, name)?;
    }
    family.unlist(newest).await?;
    assert_eq!(family.named("z").await?, Some(newer));
    let listed = family.list(Visible::All, ALL).await?;
    assert_eq!(listed, (5, vec![1, 2, 3, 4, 5]));
    Ok(())
}

/// Names differ when their bytes differ: case, spaces, composed letters.
pub(super) async fn names_are_compared_exactly(family: &dyn Family) -> Outcome {
    let names = [
        "a", "A", "a ", " a", "a\0", "a%", "_", "'", "\"", "é", "e\u{301}", "🤔", "$1", "?1",
    ];
    for name in names {
        family.create(Some(name), None).await?;
    }
    for (number, name) in (0..).zip(names) {
        assert_eq!(family.named(name).await?, Some(number), "{name:?}");
    }
    assert_eq!(family.named("%").await?, None);
    Ok(())
}

/// A list counts all listed records and shows those in the window.
pub(super) async fn a_list_has_a_window(family: &dyn Family) -> Outcome {
    assert_eq!(family.list(Visible::All, ALL).await?, (0, Vec::new()));
    for _ in 0..6 {
        family.create(None, None).await?;
    }
    family.unlist(5).await?;
    for (window, expected) in windows(5) {
        let shown = family.list(Visible::All, window).await?;
        assert_eq!(shown, (5, expected), "{window:?}");
    }
    Ok(())
}

/// A window that begins after a record goes on there, whatever was added and removed, and whether
/// that record is still listed.
pub(super) async fn a_list_is_read_on(family: &dyn Family) -> Outcome {
    for owner in [Some("alice"), None].into_iter().cycle().take(12) {
        family.create(None, owner).await?;
    }
    for descending in [false, true] {
        for visible in [Visible::All, Visible::Of("alice")] {
            let first = Window {
                start: Start::Offset(1),
                limit: 2,
                descending,
            };
            let part = family.part(visible, first).await?;
            let all = family.list(
                visible,
                Window {
                    limit: u64::MAX,
                    start: Start::Offset(0),
                    descending,
                },
            );
            let all = all.await?.1;
            assert_eq!(part.total, Some(all.len() as u64));
            let mut read = part.records;
            let mut next = part.next;
            while let Some(after) = next {
                let start = Start::After(after);
                let part = family.part(visible, Window { start, ..first }).await?;
                assert_eq!(part.total, None);
                assert_eq!(part.seen, part.records.len() as u64);
                read.extend(part.records);
                next = part.next;
            }
            assert_eq!(read, all[1..], "{visible:?}");
        }
    }
    // The records before the window go, also the one that it begins after.
    let window = Window {
        start: Start::After(4),
        limit: 3,
        descending: false,
    };
    for id in [2, 4] {
        family.unlist(id).await?;
    }
    let part = family.part(Visible::All, window).await?;
    assert_eq!((part.records, part.next), (vec![5, 6, 7], Some(7)));
    let nothing = family
        .part(
            Visible::All,
            Window {
                start: Start::After(11),
                ..window
            },
        )
        .await?;
    assert_eq!(
        (nothing.records, nothing.seen, nothing.next),
        (vec![], 0, None)
    );
    Ok(())
}

/// A user's list counts and shows only the user's records. User names are compared exactly.
pub(super) async fn a_list_shows_what_is_visible(family: &dyn Family) -> Outcome {
    let owners = [Some("alice"), None, Some("Alice"), Some(""), Some("alice")];
    for owner in owners.into_iter().chain([Some("alice"); 4]) {
        family.create(None, owner).await?;
    }
    family.unlist(5).await?;
    let alice = [0, 4, 6, 7, 8];
    for (window, places) in windows(5) {
        let shown = family.list(Visible::Of("alice"), window).await?;
        let mut expected = Vec::new();
        for place in places {
            expected.push(alice[usize::try_from(place)?]);
        }
        assert_eq!(shown, (5, expected), "{window:?}");
    }
    for (owner, expected) in [
        ("Alice", vec![2]),
        ("", vec![3]),
        ("bob", vec![]),
        ("%", vec![]),
    ] {
        let (total, shown) = family.list(Visible::Of(owner), ALL).await?;
        assert_eq!(usize::try_from(total)?, expected.len());
        assert_eq!(shown, expected, "{owner:?}");
    }
    assert_eq!(family.list(Visible::All, ALL).await?.0, 8);
    Ok(())
}

/// Those that are listed are summed up by number, each once.
pub(super) async fn summaries_are_of_listed_records(family: &dyn Family) -> Outcome {
    for owner in [Some("alice"), None, Some(""), None] {
        family.create(None, owner).await?;
    }
    family.unlist(1).await?;
    let all = family.summaries(&[3, 77, 1, 0, 3, -1, i32::MAX]).await?;
    let alice = Some("alice".to_owned());
    assert_eq!(all, [(0, alice), (3, None)]);
    assert!(family.summaries(&[]).await?.is_empty());
    let many: Vec<i32> = (0..2_000).rev().collect();
    let found = family.summaries(&many).await?.into_iter();
    let found: Vec<i32> = found.map(|short| short.0).collect();
    assert_eq!(found, [0, 2, 3]);
    Ok(())
}

/// A starting server finds every record that has not ended, listed or not.
pub(super) async fn unended_records_are_found(family: &dyn Family) -> Outcome {
    for _ in 0..5 {
        family.create(None, None).await?;
    }
    family.end(3, 1).await?;
    family.end(4, 1).await?;
    family.unlist(1).await?;
    family.unlist(3).await?;
    let unended = family.unended().await?;
    assert_eq!(unended, [(0, true), (1, false), (2, true)]);
    Ok(())
}

/// No two records have the same number, and no number is skipped.
pub(super) async fn creates_at_once_get_different_numbers<F>(family: F) -> Outcome
where
    F: Family + 'static,
{
    let family = Arc::new(family);
    let mut creates = JoinSet::new();
    for _ in 0..100 {
        let family = Arc::clone(&family);
        creates.spawn(async move { family.create(None, None).await });
    }
    let made = creates.join_all().await.into_iter();
    let mut numbers = made.collect::<Result<Vec<i32>, _>>()?;
    numbers.sort_unstable();
    assert_eq!(numbers, (0..100).collect::<Vec<_>>());
    assert_eq!(family.list(Visible::All, ALL).await?, (100, numbers));
    Ok(())
}

/// If many creates have the same name at the same time, one succeeds.
pub(super) async fn of_creates_at_once_with_one_name_one_wins<F>(family: F) -> Outcome
where
    F: Family + 'static,
{
    let family = Arc::new(family);
    let mut creates = JoinSet::new();
    for _ in 0..20 {
        let family = Arc::clone(&family);
        creates.spawn(async move { family.create(Some("the one"), None).await });
    }
    let mut numbers = BTreeSet::new();
    let mut winners = Vec::new();
    for created in creates.join_all().await {
        match created {
            Ok(id) => winners.push(id),
            Err(error) => {
                let attempted = refused(Err(error), "the one")?;
                assert!(numbers.insert(attempted), "{attempted} twice");
            }
        }
    }
    assert_eq!((winners.len(), numbers.len()), (1, 19));
    assert!(!numbers.contains(&winners[0]));
    Ok(())
}

/// Records that ended before the time are deleted, listed or not. A record that ended at exactly
/// that time stays, and so does a record that has not ended.
pub(super) async fn ended_records_go_by_age(family: &dyn Family) -> Outcome {
    for _ in 0..4 {
        family.create(None, None).await?;
    }
    for (id, second) in [(1, 30), (2, 10), (3, 20)] {
        family.end(id, second).await?;
    }
    family.unlist(2).await?;
    family.unlist(0).await?;
    assert!(family.purge(Timestamp::MIN, u64::MAX).await?.is_empty());
    assert!(family.purge(at(10)?, u64::MAX).await?.is_empty());
    assert_eq!(family.purge(at(30)?, u64::MAX).await?, [2, 3]);
    let again = family.purge(at(30)?, u64::MAX).await?;
    assert!(again.is_empty(), "a second time: {again:?}");
    assert_eq!(family.list(Visible::All, ALL).await?, (1, vec![1]));
    assert_eq!(family.unended().await?, [(0, false)]);
    Ok(())
}

/// The newest ended records are kept, by the time of their end. A record that both rules choose is
/// deleted once.
pub(super) async fn ended_records_go_by_number(family: &dyn Family) -> Outcome {
    family.create(None, None).await?;
    for (id, second) in (1..).zip([50, 40, 30, 20, 20]) {
        family.create(None, None).await?;
        family.end(id, second).await?;
    }
    for (before, keep, gone, left) in [
        (0, u64::MAX, vec![], vec![0, 1, 2, 3, 4, 5]),
        (0, 5, vec![], vec![0, 1, 2, 3, 4, 5]),
        (0, 4, vec![4], vec![0, 1, 2, 3, 5]),
        (31, 2, vec![3, 5], vec![0, 1, 2]),
        (0, 0, vec![1, 2], vec![0]),
        (99, 0, vec![], vec![0]),
    ] {
        let purged = family.purge(at(before)?, keep).await?;
        let listed = family.list(Visible::All, ALL).await?.1;
        assert_eq!((purged, listed), (gone, left), "keep {keep}");
    }
    Ok(())
}
