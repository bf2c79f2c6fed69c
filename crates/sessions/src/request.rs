//! From what a client asked for to what a driver is started with: checks first, then the Spark configuration.

mod conf;
mod files;

use camino::Utf8Path;
use domain::{
    DriverId, DriverRecord, Failure, FailureCode, Phase, SessionId, SessionRecord, SessionRequest,
    duration, name,
};
use launch::DriverOrder;
use secrecy::SecretString;

use crate::config::Config;
use crate::error::SessionError;
use crate::service::Sessions;
use crate::view::Caller;

pub use conf::sql_max_rows;

/// Livy's key for the cap of an SQL result.
const SQL_MAX_ROWS_KEY: &str = "livy.rsc.sql.num-rows";

/// Refuses what cannot be granted, before anything of it exists.
pub fn check(config: &Config, request: &SessionRequest) -> Result<(), SessionError> {
    let rejected = |error: &dyn std::fmt::Display| SessionError::Rejected(error.to_string());
    for text in [&request.ttl, &request.idle_timeout].into_iter().flatten() {
        duration::parse(text).map_err(|error| rejected(&error))?;
    }
    if let Some(name) = &request.name {
        name::check(name).map_err(|error| rejected(&error))?;
    }
    conf::check(config, request)?;
    files::check(config, request)
}

/// The user that a session runs as: `None` when impersonation is off, whatever the request says.
pub fn effective_user(
    config: &Config,
    caller: &Caller,
    request: &SessionRequest,
) -> Result<Option<String>, SessionError> {
    if !config.impersonation.enabled {
        return Ok(None);
    }
    let Some(target) = caller
        .do_as
        .clone()
        .or_else(|| request.proxy_user.clone())
        .or_else(|| caller.user.clone())
    else {
        return Ok(None);
    };
    let may = match &caller.user {
        None => true,
        Some(user) => {
            *user == target
                || config
                    .impersonation
                    .superusers
                    .iter()
                    .any(|s| s == user || s == "*")
        }
    };
    if may {
        Ok(Some(target))
    } else {
        let caller = caller.user.clone().unwrap_or_default();
        Err(SessionError::Impersonation { caller, target })
    }
}

/// Names a driver and makes its secret. The secret itself is kept in memory until the launch, its hash in the store.
pub fn new_driver(config: &Config, session: SessionId) -> (DriverRecord, SecretString) {
    let id = DriverId::for_session(session, random());
    let token = hex(&random::<32>());
    let record = DriverRecord {
        dir: config.drivers_dir.join(id.as_str()),
        id,
        token_hash: token_hash(&token),
        process: None,
    };
    (record, SecretString::from(token))
}

/// What is stored of an agent's secret.
pub fn token_hash(token: &str) -> String {
    use sha2::Digest as _;
    hex(&sha2::Sha256::digest(token.as_bytes()))
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes all that is written to it");
        text
    })
}

/// The order for a session's driver. Makes the driver's directory.
pub fn order(
    sessions: &Sessions,
    record: &SessionRecord,
    token: Option<SecretString>,
) -> Result<DriverOrder, Failure> {
    let config = sessions.config();
    let driver = record
        .driver
        .as_ref()
        .ok_or_else(|| failure("the session has no driver".to_owned()))?;
    let token = token
        .ok_or_else(|| failure("the driver's secret is gone: it was launched before".to_owned()))?;
    make_private_dir(&driver.dir)
        .map_err(|error| failure(format!("cannot make {}: {error}", driver.dir)))?;
    Ok(DriverOrder {
        id: driver.id.clone(),
        dir: driver.dir.clone(),
        kind: record.request.kind,
        conf: conf::spark_conf(config, record.id, &record.request),
        proxy_user: record.proxy_user.clone(),
        token,
        servers: config.agent_urls.clone(),
        link_grace: config.limits.link_grace,
        sql_max_rows: sql_max_rows(&record.request.conf).unwrap_or(config.sql_max_rows),
    })
}

/// Makes a directory that its owner alone may enter; one that is there is fine.
pub fn make_private_dir(dir: &Utf8Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
}

fn failure(message: String) -> Failure {
    Failure {
        code: FailureCode::LaunchFailed,
        phase: Phase::Launch,
        message,
        hint: "look at the server's data directory: its owner, its mode, the room that is left"
            .to_owned(),
    }
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system's random source works from boot on");
    bytes
}
