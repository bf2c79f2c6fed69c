//! The Batch object: always 8 keys, in Livy's order.

use livius_domain::BatchRecord;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{AppInfoAnswer, livy};

/// A batch as Livy shows it. Of the request it repeats only the name.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Batch)]
pub struct BatchAnswer<'a> {
    /// Its number.
    id: i32,
    /// Its name.
    name: Option<&'a str>,
    /// The authenticated user that created it.
    owner: Option<&'a str>,
    /// The user it runs as.
    proxy_user: Option<&'a str>,
    /// `starting`, `running`, `success`, `dead` or `killed`.
    state: &'a str,
    /// Spark's id of the application, once it is known.
    app_id: Option<&'a str>,
    /// Addresses of pages about the application.
    app_info: AppInfoAnswer<'a>,
    /// The last lines of its log.
    log: &'a [String],
}

// Only for the OpenAPI document: `session_list_head` and `session_list_tail` write such a list.
/// A page of the batches.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BatchList)]
pub struct BatchListAnswer<'a> {
    /// As requested.
    pub from: i64,
    /// The number of all batches.
    pub total: u64,
    /// The batches of this page. Livy calls them sessions here.
    pub sessions: Vec<BatchAnswer<'a>>,
}

impl<'a> BatchAnswer<'a> {
    /// Shows a batch; `log` is the last lines of its log.
    pub fn new(record: &'a BatchRecord, log: &'a [String]) -> Self {
        let app = record.app.as_ref();
        Self {
            id: record.id.0,
            name: record.request.submit.name.as_deref(),
            owner: record.owner.as_deref(),
            proxy_user: record.proxy_user.as_deref(),
            state: livy::BatchState::of(&record.state).as_str(),
            app_id: app.map(|app| app.app_id.as_str()),
            app_info: AppInfoAnswer::new(app, record.state.is_ended()),
            log,
        }
    }

    /// Appends the object to a text.
    pub fn write(&self, text: &mut Vec<u8>) {
        serde_json::to_writer(text, self)
            .expect("a vector takes everything, and all keys are strings");
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use livius_domain::batch::{BatchEnd, BatchOutcome, BatchState};
    use livius_domain::{AppInfo, BatchId, BatchTimes, Exit, StopCause};

    use super::*;
    use crate::{ReadOptions, read_batch, session_list_head, session_list_tail};

    fn record(id: i32, request: &str, state: BatchState) -> BatchRecord {
        BatchRecord {
            version: 0,
            id: BatchId(id),
            request: read_batch(request, ReadOptions::default()).unwrap().into(),
            owner: None,
            proxy_user: None,
            state,
            app: None,
            driver: None,
            times: BatchTimes::new(Timestamp::UNIX_EPOCH),
            last_lines: None,
        }
    }

    fn shown(record: &BatchRecord, log: &[&str]) -> String {
        let log: Vec<String> = log.iter().map(|line| (*line).to_owned()).collect();
        let mut text = Vec::new();
        BatchAnswer::new(record, &log).write(&mut text);
        String::from_utf8(text).unwrap()
    }

    fn ended(outcome: BatchOutcome) -> BatchState {
        BatchState::Ended(BatchEnd {
            outcome,
            cause: None,
            failure: None,
            exit: Some(Exit::Code(0)),
        })
    }

    /// Recorded between Livy and pylivy.
    #[test]
    fn recorded_requests_get_the_recorded_answers() {
        let named = r#"{"file": "/srv/data/pi.py", "args": ["a", "b c"], "name": "pylivy-batch-1795251984"}"#;
        let nameless = r#"{"file": "/srv/data/pi.py", "args": ["fail"]}"#;
        let empty: &[&str] = &["stdout: ", "\nstderr: "];
        let full: &[&str] = &["stdout: ", "PI-ARGS ['a', 'b c']", "PI-DONE", "\nstderr: "];
        for (id, request, state, log, answer) in [
            (
                1,
                named,
                BatchState::NEW,
                empty,
                r#"{"id":1,"name":"pylivy-batch-1795251984","owner":null,"proxyUser":null,"state":"starting","appId":null,"appInfo":{"driverLogUrl":null,"sparkUiUrl":null,"executorLogUrls":null},"log":["stdout: ","\nstderr: "]}"#,
            ),
            (
                2,
                nameless,
                BatchState::Running,
                empty,
                r#"{"id":2,"name":null,"owner":null,"proxyUser":null,"state":"running","appId":null,"appInfo":{"driverLogUrl":null,"sparkUiUrl":null,"executorLogUrls":null},"log":["stdout: ","\nstderr: "]}"#,
            ),
            (
                1,
                named,
                ended(BatchOutcome::Succeeded),
                full,
                r#"{"id":1,"name":"pylivy-batch-1795251984","owner":null,"proxyUser":null,"state":"success","appId":null,"appInfo":{"driverLogUrl":null,"sparkUiUrl":null,"executorLogUrls":null},"log":["stdout: ","PI-ARGS ['a', 'b c']","PI-DONE","\nstderr: "]}"#,
            ),
        ] {
            assert_eq!(shown(&record(id, request, state), log), answer);
        }
    }

    #[test]
    fn all_that_is_known_is_shown_and_nothing_that_was_asked_for() {
        let request = r#"{"file":"f.jar","className":"a.B","args":["hunter2"],"name":"n","queue":"q","conf":{"a":"hunter2"}}"#;
        let mut record = record(3, request, BatchState::Running);
        record.owner = Some("ann".into());
        record.proxy_user = Some("bob".into());
        record.app = Some(AppInfo {
            app_id: "application_1_2".into(),
            spark_ui_url: Some("http://h:4040".into()),
            driver_log_url: Some("http://h:8042/log".into()),
        });
        insta::assert_snapshot!(shown(&record, &[]), @r#"{"id":3,"name":"n","owner":"ann","proxyUser":"bob","state":"running","appId":"application_1_2","appInfo":{"driverLogUrl":"http://h:8042/log","sparkUiUrl":"http://h:4040","executorLogUrls":null},"log":[]}"#);
    }

    #[test]
    fn the_applications_pages_are_gone_when_it_is_and_its_log_is_not() {
        let app = AppInfo {
            app_id: "local-1".into(),
            spark_ui_url: Some("http://h:4040".into()),
            driver_log_url: Some("http://h:8042/log".into()),
        };
        let live = r#""appInfo":{"driverLogUrl":"http://h:8042/log","sparkUiUrl":"http://h:4040","executorLogUrls":null}"#;
        let gone = r#""appInfo":{"driverLogUrl":"http://h:8042/log","sparkUiUrl":null,"executorLogUrls":null}"#;
        let stopping = BatchState::Stopping {
            cause: StopCause::User,
            was_running: true,
        };
        for (state, name, expected) in [
            (BatchState::Starting, "starting", live),
            (BatchState::Running, "running", live),
            (stopping, "running", live),
            (ended(BatchOutcome::Succeeded), "success", gone),
            (ended(BatchOutcome::Failed), "dead", gone),
            (ended(BatchOutcome::Killed), "killed", gone),
        ] {
            let mut record = record(0, r#"{"file":"f"}"#, state);
            record.app = Some(app.clone());
            let shown = shown(&record, &[]);
            let head = format!(
                r#"{{"id":0,"name":null,"owner":null,"proxyUser":null,"state":"{name}","appId":"local-1","#
            );
            assert_eq!(shown, format!("{head}{expected},\"log\":[]}}"));
        }
    }

    #[test]
    fn a_list_is_written_as_it_is_described() {
        let record = record(0, r#"{"file":"f"}"#, BatchState::NEW);
        let mut list = Vec::new();
        session_list_head(0, 2, &mut list);
        BatchAnswer::new(&record, &[]).write(&mut list);
        session_list_tail(&mut list);
        let described = BatchListAnswer {
            from: 0,
            total: 2,
            sessions: vec![BatchAnswer::new(&record, &[])],
        };
        assert_eq!(list, serde_json::to_vec(&described).unwrap());
    }
}
