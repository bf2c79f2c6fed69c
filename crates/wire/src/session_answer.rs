//! The Session object: always 23 keys, in Livy's order.

use livius_domain::{AppInfo, SessionRecord};
use serde::Serialize;
use utoipa::ToSchema;

use crate::livy;
use crate::redact::{RedactedAddresses, RedactedConf};

/// A session as Livy shows it. Livy's Java client refuses additional keys, and Python clients need
/// all of these.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Session)]
pub struct SessionAnswer<'a> {
    /// Its number.
    id: i32,
    /// Its name.
    name: Option<&'a str>,
    /// Spark's id of the application, once it is known.
    app_id: Option<&'a str>,
    /// The authenticated user that created it.
    owner: Option<&'a str>,
    /// The user it runs as.
    proxy_user: Option<&'a str>,
    /// `starting`, `idle`, `busy`, `recovering`, `shutting_down`, `dead` or `killed`.
    state: &'a str,
    /// `spark`, `pyspark`, `sparkr`, `sql` or `shared`.
    kind: &'a str,
    /// Addresses of pages about the application.
    app_info: AppInfoAnswer<'a>,
    /// The last lines of the driver's log.
    log: &'a [String],
    /// As requested.
    ttl: Option<&'a str>,
    /// As requested.
    idle_timeout: Option<&'a str>,
    /// As requested.
    driver_memory: Option<&'a str>,
    /// As requested; 0 by default.
    driver_cores: u32,
    /// As requested.
    executor_memory: Option<&'a str>,
    /// As requested; 0 by default.
    executor_cores: u32,
    /// As requested, without secrets.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    conf: RedactedConf<'a>,
    /// As requested.
    #[schema(value_type = Vec<String>)]
    archives: RedactedAddresses<'a>,
    /// As requested.
    #[schema(value_type = Vec<String>)]
    files: RedactedAddresses<'a>,
    /// As requested; 0 by default.
    heartbeat_timeout_in_second: u32,
    /// As requested.
    #[schema(value_type = Vec<String>)]
    jars: RedactedAddresses<'a>,
    /// As requested; 0 by default.
    num_executors: u32,
    /// As requested.
    #[schema(value_type = Vec<String>)]
    py_files: RedactedAddresses<'a>,
    /// As requested.
    queue: Option<&'a str>,
}

/// Addresses of pages about an application.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AppInfo)]
pub struct AppInfoAnswer<'a> {
    /// The driver's log.
    driver_log_url: Option<&'a str>,
    /// The application's web UI, while the application runs.
    spark_ui_url: Option<&'a str>,
    /// The executors' logs.
    executor_log_urls: Option<&'a str>,
}

impl<'a> AppInfoAnswer<'a> {
    /// Shows the addresses that Spark reported. The web UI ends with the application; a resource
    /// manager keeps the log.
    pub(crate) fn new(app: Option<&'a AppInfo>, ended: bool) -> Self {
        Self {
            driver_log_url: app.and_then(|app| app.driver_log_url.as_deref()),
            spark_ui_url: app
                .filter(|_| !ended)
                .and_then(|app| app.spark_ui_url.as_deref()),
            executor_log_urls: None,
        }
    }

    pub(crate) fn spark_ui_url(&self) -> Option<&'a str> {
        self.spark_ui_url
    }
}

impl<'a> SessionAnswer<'a> {
    /// Shows a session in a state of Livy's. `log` has the last lines of its log.
    pub fn new(record: &'a SessionRecord, state: livy::SessionState, log: &'a [String]) -> Self {
        let request = &record.request;
        let app = record.app.as_ref();
        Self {
            id: record.id.0,
            name: request.submit.name.as_deref(),
            app_id: app.map(|app| app.app_id.as_str()),
            owner: record.owner.as_deref(),
            proxy_user: record.proxy_user.as_deref(),
            state: state.as_str(),
            kind: livy::kind(request.kind),
            app_info: AppInfoAnswer::new(app, record.state.is_ended()),
            log,
            ttl: request.ttl.as_deref(),
            idle_timeout: request.idle_timeout.as_deref(),
            driver_memory: request.submit.driver_memory.as_deref(),
            driver_cores: request.submit.driver_cores.unwrap_or(0),
            executor_memory: request.submit.executor_memory.as_deref(),
            executor_cores: request.submit.executor_cores.unwrap_or(0),
            conf: RedactedConf(&request.submit.conf),
            archives: RedactedAddresses(&request.submit.archives),
            files: RedactedAddresses(&request.submit.files),
            heartbeat_timeout_in_second: request.heartbeat_timeout_seconds,
            jars: RedactedAddresses(&request.submit.jars),
            num_executors: request.submit.num_executors.unwrap_or(0),
            py_files: RedactedAddresses(&request.submit.py_files),
            queue: request.submit.queue.as_deref(),
        }
    }

    /// Appends the object to a text.
    pub fn write(&self, text: &mut Vec<u8>) {
        serde_json::to_writer(text, self)
            .expect("a vector takes everything, and all keys are strings");
    }

    /// Writes only the keys known to Livy 0.7, for clients that reject unknown keys.
    pub fn write_early(&self, text: &mut Vec<u8>) {
        let early = EarlyAnswer {
            id: self.id,
            name: self.name,
            app_id: self.app_id,
            owner: self.owner,
            proxy_user: self.proxy_user,
            state: self.state,
            kind: self.kind,
            app_info: &self.app_info,
            log: self.log,
        };
        serde_json::to_writer(text, &early)
            .expect("a vector takes everything, and all keys are strings");
    }
}

/// The keys of a session in Livy 0.7.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EarlyAnswer<'a> {
    id: i32,
    name: Option<&'a str>,
    app_id: Option<&'a str>,
    owner: Option<&'a str>,
    proxy_user: Option<&'a str>,
    state: &'a str,
    kind: &'a str,
    app_info: &'a AppInfoAnswer<'a>,
    log: &'a [String],
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use livius_domain::{End, Outcome, SessionId, SessionRequest, SessionState};

    use super::*;
    use crate::{ReadOptions, read_session};

    fn record(request: SessionRequest) -> SessionRecord {
        SessionRecord {
            version: 0,
            id: SessionId(7),
            request: request.into(),
            owner: None,
            proxy_user: None,
            state: SessionState::NEW,
            app: None,
            driver: None,
            pool: None,
            created_at: Timestamp::UNIX_EPOCH,
            last_activity: Timestamp::UNIX_EPOCH,
            ended_at: None,
            last_lines: None,
        }
    }

    fn state_of(record: &SessionRecord) -> livy::SessionState {
        livy::SessionState::of(&record.state, false, false)
    }

    fn shown(record: &SessionRecord, log: &[&str]) -> String {
        let log: Vec<String> = log.iter().map(|line| (*line).to_owned()).collect();
        let mut text = Vec::new();
        SessionAnswer::new(record, state_of(record), &log).write(&mut text);
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn a_recorded_request_gets_the_recorded_answer() {
        let request = r#"{"kind": "pyspark", "heartbeatTimeoutInSecond": 600, "driverMemory": "512m", "driverCores": 1, "executorMemory": "512m", "executorCores": 1, "numExecutors": 1, "conf": {"spark.sql.shuffle.partitions": 2}}"#;
        let answer = r#"{"id":7,"name":null,"appId":null,"owner":null,"proxyUser":null,"state":"starting","kind":"pyspark","appInfo":{"driverLogUrl":null,"sparkUiUrl":null,"executorLogUrls":null},"log":["stdout: ","\nstderr: "],"ttl":null,"idleTimeout":null,"driverMemory":"512m","driverCores":1,"executorMemory":"512m","executorCores":1,"conf":{"spark.sql.shuffle.partitions":"2"},"archives":[],"files":[],"heartbeatTimeoutInSecond":600,"jars":[],"numExecutors":1,"pyFiles":[],"queue":null}"#;
        let record = record(read_session(request, ReadOptions::default()).unwrap());
        assert_eq!(shown(&record, &["stdout: ", "\nstderr: "]), answer);
    }

    #[test]
    fn an_empty_request_gets_livys_defaults() {
        let answer = r#"{"id":7,"name":null,"appId":null,"owner":null,"proxyUser":null,"state":"starting","kind":"shared","appInfo":{"driverLogUrl":null,"sparkUiUrl":null,"executorLogUrls":null},"log":["stdout: ","\nstderr: "],"ttl":null,"idleTimeout":null,"driverMemory":null,"driverCores":0,"executorMemory":null,"executorCores":0,"conf":{},"archives":[],"files":[],"heartbeatTimeoutInSecond":0,"jars":[],"numExecutors":0,"pyFiles":[],"queue":null}"#;
        assert_eq!(
            shown(
                &record(SessionRequest::default()),
                &["stdout: ", "\nstderr: "]
            ),
            answer
        );
    }

    #[test]
    fn early_clients_get_the_keys_that_they_know() {
        let record = record(read_session("{}", ReadOptions::default()).unwrap());
        let mut text = Vec::new();
        SessionAnswer::new(&record, state_of(&record), &[]).write_early(&mut text);
        insta::assert_snapshot!(String::from_utf8(text).unwrap(), @r#"{"id":7,"name":null,"appId":null,"owner":null,"proxyUser":null,"state":"starting","kind":"shared","appInfo":{"driverLogUrl":null,"sparkUiUrl":null,"executorLogUrls":null},"log":[]}"#);
    }

    #[test]
    fn all_that_is_known_is_shown_but_the_secrets() {
        let request = r#"{"kind":"python3","name":"n","ttl":"1h","idleTimeout":"1m","queue":"q","jars":["http://u:p@h/a.jar"],
            "files":["f"],"archives":["g"],"pyFiles":["p"],"conf":{"spark.my.password":"hunter2"}}"#;
        let mut record = record(read_session(request, ReadOptions::default()).unwrap());
        record.app = Some(AppInfo {
            app_id: "local-1".into(),
            spark_ui_url: Some("http://h:4040".into()),
            driver_log_url: Some("http://h:8042/log".into()),
        });
        record.owner = Some("ann".into());
        record.proxy_user = Some("bob".into());
        insta::assert_snapshot!(shown(&record, &[]), @r#"{"id":7,"name":"n","appId":"local-1","owner":"ann","proxyUser":"bob","state":"starting","kind":"pyspark","appInfo":{"driverLogUrl":"http://h:8042/log","sparkUiUrl":"http://h:4040","executorLogUrls":null},"log":[],"ttl":"1h","idleTimeout":"1m","driverMemory":null,"driverCores":0,"executorMemory":null,"executorCores":0,"conf":{"spark.my.password":"*********(redacted)"},"archives":["g"],"files":["f"],"heartbeatTimeoutInSecond":0,"jars":["http://u:*********(redacted)@h/a.jar"],"numExecutors":0,"pyFiles":["p"],"queue":"q"}"#);
    }

    #[test]
    fn the_applications_pages_are_gone_when_it_is_and_its_log_is_not() {
        let mut record = record(SessionRequest::default());
        record.app = Some(AppInfo {
            app_id: "application_1_2".into(),
            spark_ui_url: Some("http://h:4040".into()),
            driver_log_url: Some("http://h:8042/log".into()),
        });
        record.state = SessionState::Ended(End {
            outcome: Outcome::Stopped,
            cause: None,
            failure: None,
            exit: None,
        });
        let shown = shown(&record, &[]);
        assert!(
            shown.contains(r#""appId":"application_1_2","#)
                && shown.contains(
                    r#""appInfo":{"driverLogUrl":"http://h:8042/log","sparkUiUrl":null,"executorLogUrls":null}"#
                ),
            "{shown}"
        );
    }
}
