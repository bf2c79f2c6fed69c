//! Damage for tests of the crates above.

use camino::Utf8Path;
use sqlx::{Connection as _, SqliteConnection};

/// Gives all rows of a table a state that no server of this version can read. Panics if it has none.
pub async fn make_unreadable(path: &Utf8Path, table: &str) {
    let update = match table {
        "drivers" => r#"UPDATE drivers SET state = '"asleep"'"#,
        "sessions" => r#"UPDATE sessions SET state = '"asleep"'"#,
        "batches" => r#"UPDATE batches SET state = '"asleep"'"#,
        other => panic!("no table {other} has states"),
    };
    let connection = SqliteConnection::connect(&format!("sqlite:{path}")).await;
    let mut connection = connection.expect("the store is there");
    let done = sqlx::query(update).execute(&mut connection).await;
    let rows = done.expect("the store can be written").rows_affected();
    assert_ne!(rows, 0, "there is nothing in {table}");
    connection.close().await.expect("the store can be closed");
}
