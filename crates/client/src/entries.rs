//! Reads whole lists, page by page.

use serde_json::value::RawValue;

use crate::answers::{EntryPage, StatementPage};
use crate::error::ClientError;
use crate::livy::Livy;
use crate::reference::{Collection, Reference};

/// The page size.
const PAGE: usize = 200;

/// Every session or batch, unparsed.
pub async fn all(livy: &Livy, collection: Collection) -> Result<Vec<Box<RawValue>>, ClientError> {
    let mut found = Vec::new();
    loop {
        let path = format!("{}?from={}&size={PAGE}", collection.path(), found.len());
        let page: EntryPage = livy.get(&path).await?;
        if !more(&mut found, page.sessions, page.total) {
            return Ok(found);
        }
    }
}

/// Every statement of a session, unparsed.
pub async fn statements(
    livy: &Livy,
    session: &Reference,
) -> Result<Vec<Box<RawValue>>, ClientError> {
    let mut found = Vec::new();
    loop {
        let path = format!(
            "{}/statements?from={}&size={PAGE}",
            session.path(),
            found.len()
        );
        let page: StatementPage = livy.get(&path).await?;
        if !more(&mut found, page.statements, page.total_statements) {
            return Ok(found);
        }
    }
}

/// Adds a page, and returns whether there may be another one. A server that ignores the page size
/// has sent everything in the first page.
fn more(found: &mut Vec<Box<RawValue>>, page: Vec<Box<RawValue>>, total: Option<u64>) -> bool {
    let length = page.len();
    found.extend(page);
    length > 0 && length <= PAGE && total.is_some_and(|total| (found.len() as u64) < total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_end_where_the_list_does() {
        let page = |count: usize| vec![RawValue::from_string("1".into()).unwrap(); count];
        let cases = [
            (0, PAGE, Some(250), true),
            (200, 50, Some(250), false),
            (0, 0, Some(5), false),
            (0, 3, None, false),
            (0, PAGE + 1, Some(9_999), false),
        ];
        for (before, length, total, expected) in cases {
            let mut found = page(before);
            assert_eq!(more(&mut found, page(length), total), expected);
            assert_eq!(found.len(), before + length);
        }
    }
}
