//! Turns a client's request into a driver's order: checks it, then makes the Spark configuration.

mod conf;
mod files;

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use livius_domain::pool::{Configuration, Level, Pooled};
use livius_domain::{
    BatchRecord, BatchRequest, DriverId, Failure, FailureCode, Phase, SessionRecord,
    SessionRequest, SubmitOptions, duration, name,
};
use livius_launch::{DriverOrder, DriverSpec, FileContent, Launcher, Program, Start};
use secrecy::SecretString;

use crate::config::Config;
use crate::error::SessionError;
use crate::policy::Caller;

use conf::{cancel_grace, sql_max_rows};
use files::{LocalFile, Presence, Rule};

pub use conf::take as take_conf;
pub use files::is_on_this_machine;

/// Livy's key for the cap of an SQL result.
const SQL_MAX_ROWS_KEY: &str = "livy.rsc.sql.num-rows";

const CANCEL_GRACE_KEY: &str = "livy.rsc.job-cancel.timeout";

/// How long a request waits for a look at its files.
const LOOK_LIMIT: Duration = Duration::from_secs(10);

/// The longest file name on Linux.
const MAX_NAME_BYTES: usize = 255;

/// Refuses a request that the server cannot grant, before it creates anything.
pub async fn check_session(
    config: &Arc<Config>,
    launcher: &dyn Launcher,
    request: &SessionRequest,
) -> Result<(), SessionError> {
    for text in [&request.ttl, &request.idle_timeout].into_iter().flatten() {
        duration::parse(text).map_err(|error| SessionError::Rejected(error.to_string()))?;
    }
    check_submit(config, launcher, &request.submit)?;
    let local = files(config, Presence::Required).local(&request.submit)?;
    look(config, Presence::Required, local).await
}

/// The same for a batch. The server looks for its files again when the batch starts.
pub async fn check_batch(
    config: &Arc<Config>,
    launcher: &dyn Launcher,
    request: &BatchRequest,
) -> Result<(), SessionError> {
    check_submit(config, launcher, &request.submit)?;
    check_batch_files(config, request, Presence::Later).await
}

fn check_submit(
    config: &Config,
    launcher: &dyn Launcher,
    submit: &SubmitOptions,
) -> Result<(), SessionError> {
    if let Some(name) = &submit.name {
        name::check(name)?;
    }
    conf::check(config, submit)?;
    let conf = conf::spark_conf(config, submit, None);
    launcher
        .check(&DriverSpec { conf: &conf })
        .map_err(|unsupported| SessionError::Rejected(unsupported.refusal()))
}

/// Refuses a file that may not be added to a session, and returns the name of one that may.
pub async fn check_resource(config: &Arc<Config>, uri: &str) -> Result<String, SessionError> {
    let local = files(config, Presence::Required).local_one("uri", uri)?;
    let config = Arc::clone(config);
    // Spark adds no directory to an application that runs.
    let look_at = move |file: &LocalFile| {
        files(&config, Presence::Required).look_at(file)?;
        file.must_be_one_file()
    };
    files::look(local.into_iter().collect(), LOOK_LIMIT, look_at).await?;
    let path = uri.split(['#', '?']).next().unwrap_or_default();
    let name = path.trim_end_matches('/').rsplit('/').next();
    let name = name.unwrap_or_default().to_owned();
    check_resource_name(&name)?;
    Ok(name)
}

/// Opens a file of this machine that was added to a session, for a driver on another machine. The
/// rules are those of the moment. `None` for a URI of another place, and for a file that is not there
/// any more or may not be named any more.
pub async fn open(config: &Arc<Config>, uri: &str) -> Result<Option<FileContent>, SessionError> {
    if !is_on_this_machine(uri) {
        return Ok(None);
    }
    let Ok(Some(file)) = files(config, Presence::Required).local_one("uri", uri) else {
        return Ok(None);
    };
    let config = Arc::clone(config);
    let open = move || file.open(&config.local_files);
    let opened = tokio::task::spawn_blocking(open)
        .await
        .map_err(io::Error::other)
        .flatten();
    match opened {
        Ok(file) => Ok(Some(file)),
        Err(error) => {
            tracing::warn!(uri, %error, "cannot send a driver a file of this machine");
            Ok(None)
        }
    }
}

/// Refuses a text that cannot be the name of a file.
pub fn check_resource_name(name: &str) -> Result<(), SessionError> {
    let is_name = !name.is_empty()
        && name.len() <= MAX_NAME_BYTES
        && !matches!(name, "." | "..")
        && !name.contains(|c: char| c == '/' || c == '\\' || c.is_control());
    if is_name {
        return Ok(());
    }
    Err(SessionError::ResourceRefused(format!(
        "{name:?} is not the name of a file: it must have 1 to {MAX_NAME_BYTES} bytes and no slashes, backslashes or control characters"
    )))
}

async fn check_batch_files(
    config: &Arc<Config>,
    request: &BatchRequest,
    presence: Presence,
) -> Result<(), SessionError> {
    let rule = files(config, presence);
    let mut local = Vec::from_iter(rule.local_one("file", &request.file)?);
    local.extend(rule.local(&request.submit)?);
    look(config, presence, local).await
}

/// Looks at files that their texts do not decide.
async fn look(
    config: &Arc<Config>,
    presence: Presence,
    local: Vec<LocalFile>,
) -> Result<(), SessionError> {
    let config = Arc::clone(config);
    let look_at = move |file: &LocalFile| files(&config, presence).look_at(file);
    files::look(local, LOOK_LIMIT, look_at).await
}

fn files(config: &Config, presence: Presence) -> Rule<'_> {
    Rule {
        allowed: &config.local_files,
        presence,
        further_lists: &config.file_list_conf,
    }
}

/// The user that a session or batch runs as; `None` when impersonation is off.
pub fn effective_user(
    config: &Config,
    caller: &Caller,
    asked: Option<&str>,
) -> Result<Option<String>, SessionError> {
    if !config.impersonation.enabled {
        return Ok(None);
    }
    let Some(target) = caller
        .do_as
        .clone()
        .or_else(|| asked.map(str::to_owned))
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

/// The name of a session's application, if the request gives none.
pub fn session_name(id: impl Display) -> String {
    format!("livy-session-{id}")
}

/// The configuration that a session wants, or that a pool's template describes, as the rule of the
/// pools compares it.
pub fn configuration(
    config: &Config,
    request: &SessionRequest,
    user: Option<String>,
    owner: Option<String>,
    installation: &str,
    name: String,
) -> Configuration {
    let submit = &request.submit;
    let grace = cancel_grace(&submit.conf).unwrap_or(config.limits.cancel_grace);
    Configuration {
        kind: request.kind,
        conf: conf::spark_conf(config, submit, Some(name)),
        user,
        owner,
        sql_max_rows: sql_max_rows(&submit.conf).unwrap_or(config.sql_max_rows),
        cancel_grace_ms: u64::try_from(grace.as_millis()).unwrap_or(u64::MAX),
        installation: installation.to_owned(),
    }
}

/// The Spark configuration of a session, as far as the server decides it.
pub fn session_conf(config: &Config, record: &SessionRecord) -> BTreeMap<String, String> {
    conf::spark_conf(
        config,
        &record.request.submit,
        Some(session_name(record.id)),
    )
}

/// The same for a batch.
pub fn batch_conf(config: &Config, request: &BatchRequest) -> BTreeMap<String, String> {
    conf::spark_conf(config, &request.submit, None)
}

/// The order for a driver of a pool. The operator has described it, so its files are not checked.
pub fn pool_order(
    config: &Config,
    pooled: Pooled,
    id: DriverId,
    token: SecretString,
) -> DriverOrder {
    let configuration = pooled.configuration;
    DriverOrder {
        id,
        conf: configuration.conf,
        proxy_user: configuration.user,
        token,
        servers: config.agent_urls.clone(),
        program: Program::Agent {
            kind: configuration.kind,
            start: match pooled.level {
                Level::Primed => Start::Primed,
                Level::Ready => Start::Warm,
            },
            link_grace: config.limits.link_grace,
            cancel_grace: Duration::from_millis(configuration.cancel_grace_ms),
            sql_max_rows: configuration.sql_max_rows,
        },
    }
}

/// The order for the driver of a session.
pub async fn order(
    config: &Arc<Config>,
    record: &SessionRecord,
    id: DriverId,
    token: SecretString,
) -> Result<DriverOrder, Failure> {
    let submit = &record.request.submit;
    // A path that was allowed when the session was asked for may have become a link since.
    let local = files(config, Presence::Required).local(submit);
    let looked = match local {
        Ok(local) => look(config, Presence::Required, local).await,
        Err(error) => Err(error),
    };
    looked.map_err(|error| not_to_be_used(&error))?;
    let (user, name) = (record.proxy_user.clone(), session_name(record.id));
    let order = session_order(config, &record.request, user, id, name);
    Ok(DriverOrder { token, ..order })
}

/// The same without its secret, for a request whose files have been checked.
pub fn session_order(
    config: &Config,
    request: &SessionRequest,
    proxy_user: Option<String>,
    id: DriverId,
    name: String,
) -> DriverOrder {
    let submit = &request.submit;
    DriverOrder {
        id,
        conf: conf::spark_conf(config, submit, Some(name)),
        proxy_user,
        token: SecretString::default(),
        servers: config.agent_urls.clone(),
        program: Program::Agent {
            kind: request.kind,
            start: Start::Session,
            link_grace: config.limits.link_grace,
            cancel_grace: cancel_grace(&submit.conf).unwrap_or(config.limits.cancel_grace),
            sql_max_rows: sql_max_rows(&submit.conf).unwrap_or(config.sql_max_rows),
        },
    }
}

/// The order for the driver of a batch.
pub async fn batch_order(
    config: &Arc<Config>,
    record: &BatchRecord,
    id: DriverId,
    token: SecretString,
) -> Result<DriverOrder, Failure> {
    let request = &record.request;
    check_batch_files(config, request, Presence::Required)
        .await
        .map_err(|error| not_to_be_used(&error))?;
    let order = application_order(config, request, record.proxy_user.clone(), id);
    Ok(DriverOrder { token, ..order })
}

/// The same without its secret, for a request whose files have been checked.
pub fn application_order(
    config: &Config,
    request: &BatchRequest,
    proxy_user: Option<String>,
    id: DriverId,
) -> DriverOrder {
    DriverOrder {
        id,
        conf: batch_conf(config, request),
        proxy_user,
        token: SecretString::default(),
        servers: config.agent_urls.clone(),
        program: Program::Application {
            file: request.file.clone(),
            class_name: request.class_name.clone(),
            args: request.args.clone(),
        },
    }
}

/// A file is not there, or may not be used any more.
fn not_to_be_used(error: &SessionError) -> Failure {
    Failure {
        code: FailureCode::LaunchFailed,
        phase: Phase::Launch,
        evidence: livius_domain::Evidence::default(),
        message: error.to_string(),
        hint: "name files that are on the server when the driver is started, or put them where Spark can read them (hdfs:, s3a:, https:)"
            .to_owned(),
    }
}
