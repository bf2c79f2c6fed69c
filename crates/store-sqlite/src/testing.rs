//! Damage for tests of the crates above.

use camino::Utf8Path;
use sqlx::{Connection as _, SqliteConnection};

/// Gives all rows of a table a state that no server of this version can read. Panics if it has none.
pub async fn make_unreadable(path: &Utf8Path, table: &str) {
    let update = match table {
        "drivers" => r#"UPDATE drivers SET state = '"asleep"'"#,
        "sessions" => r#"UPDATE sessions SET state = '"asleep"'"#,
        "batches" => r#"UPDATE batches SET state = '"asleep"'"#,
        "statements" => r#"UPDATE statements SET state = '"asleep"'"#,
        "jobs" => r#"UPDATE jobs SET state = '"asleep"'"#,
        "resources" => r#"UPDATE resources SET source = '"asleep"'"#,
        "request_keys" => "UPDATE request_keys SET kind = 'asleep'",
        other => panic!("no table {other} has states"),
    };
    change(path, table, update).await;
}

/// Deletes all rows of a table. Panics if it has none.
pub async fn delete_rows(path: &Utf8Path, table: &str) {
    let delete = match table {
        "drivers" => "DELETE FROM drivers",
        "sessions" => "DELETE FROM sessions",
        other => panic!("no test deletes rows of {other}"),
    };
    change(path, table, delete).await;
}

async fn change(path: &Utf8Path, table: &str, statement: &'static str) {
    let connection = SqliteConnection::connect(&format!("sqlite:{path}")).await;
    let mut connection = connection.expect("the store is there");
    let done = sqlx::query(statement).execute(&mut connection).await;
    let rows = done.expect("the store can be written").rows_affected();
    assert_ne!(rows, 0, "there is nothing in {table}");
    connection.close().await.expect("the store can be closed");
}
