//! Stores the key and the webhook of a request with what the request makes.

use livius_domain::{Made, Webhook};
use livius_store::{NewKey, StoreError};
use sqlx::{Connection, SqliteConnection};

use super::{failed, webhooks};

const INSERT: &str = "INSERT INTO request_keys (caller, key, made_at, request, fingerprint, kind, session, number) \
                      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) \
                      ON CONFLICT (caller, key) DO NOTHING";

/// What a request wants to be stored with what it makes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wishes<'a> {
    pub(super) key: Option<&'a NewKey>,
    pub(super) webhook: Option<&'a Webhook>,
}

/// Makes a row and stores the key that asked for it, in one transaction.
pub(super) async fn with_key<T>(
    connection: &mut SqliteConnection,
    key: Option<&NewKey>,
    create: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, StoreError>,
    made: impl FnOnce(&T) -> Made,
) -> Result<T, StoreError> {
    let wishes = Wishes { key, webhook: None };
    with_wishes(connection, wishes, create, made).await
}

/// Makes a row and stores what its request wishes, in one transaction.
pub(super) async fn with_wishes<T>(
    connection: &mut SqliteConnection,
    wishes: Wishes<'_>,
    create: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, StoreError>,
    made: impl FnOnce(&T) -> Made,
) -> Result<T, StoreError> {
    let Wishes { key, webhook } = wishes;
    if key.is_none() && webhook.is_none() {
        return create(connection).await;
    }
    let mut transaction = connection
        .begin()
        .await
        .map_err(failed("begin to make something"))?;
    let created = create(&mut transaction).await?;
    let made = made(&created);
    if let Some(key) = key {
        insert(&mut transaction, key, made).await?;
    }
    if let Some(webhook) = webhook {
        webhooks::ask(&mut transaction, made, webhook).await?;
    }
    transaction
        .commit()
        .await
        .map_err(failed("make something"))?;
    Ok(created)
}

/// Stores a key in the transaction that makes something for it.
pub(super) async fn insert(
    connection: &mut SqliteConnection,
    key: &NewKey,
    made: Made,
) -> Result<(), StoreError> {
    let inserted = insert_row(connection, key, Some(made)).await;
    if inserted.map_err(failed("store a key"))? {
        Ok(())
    } else {
        Err(StoreError::KeyTaken)
    }
}

/// Inserts the row. Answers false when the key is there.
pub(super) async fn insert_row(
    connection: &mut SqliteConnection,
    key: &NewKey,
    made: Option<Made>,
) -> Result<bool, sqlx::Error> {
    let made = made.map(Columns::of);
    let done = sqlx::query(INSERT)
        .bind(&key.caller)
        .bind(&key.key)
        .bind(key.made_at.as_microsecond())
        .bind(&key.request)
        .bind(key.fingerprint.as_slice())
        .bind(made.as_ref().map(|made| made.kind))
        .bind(made.as_ref().and_then(|made| made.session))
        .bind(made.as_ref().map(|made| made.number))
        .execute(connection)
        .await?;
    Ok(done.rows_affected() > 0)
}

/// What a request made, as the table has it.
pub(super) struct Columns {
    pub(super) kind: &'static str,
    session: Option<i32>,
    pub(super) number: i32,
}

impl Columns {
    pub(super) fn of(made: Made) -> Self {
        let (kind, session, number) = match made {
            Made::Session(id) => ("session", None, id.0),
            Made::Batch(id) => ("batch", None, id.0),
            Made::Statement(session, id) => ("statement", Some(session.0), id.0),
            Made::Job(session, id) => ("job", Some(session.0), id.0),
            Made::File(session, id) => ("file", Some(session.0), id.0),
        };
        Self {
            kind,
            session,
            number,
        }
    }
}
