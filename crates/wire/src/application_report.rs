//! The report of the agent inside a batch's driver about the application, sent to a route of our
//! own.
//!
//! The user who runs the application can send anything here, and other users see it as links, so
//! nothing in it is trusted.

use livius_domain::AppInfo;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::RequestError;
use crate::error::shown;
use crate::field::Field;
use crate::json::{ReadOptions, Shape};

const SHAPE: Shape<4> = Shape {
    class: "ApplicationReport",
    example: r#"{"v":1,"appId":"local-1"}"#,
    names: ["v", "appId", "sparkUiUrl", "driverLogUrl"],
};

/// Newer agents may send more keys.
const OPTIONS: ReadOptions = ReadOptions {
    ignore_unknown_fields: true,
};

const MAX_REPORT_BYTES: usize = 64 << 10;
const MAX_ID_CHARS: usize = AppInfo::MAX_ID_CHARS;
const MAX_ADDRESS_BYTES: usize = AppInfo::MAX_ADDRESS_BYTES;

/// The report, for the OpenAPI document.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationReport {
    /// The version of this format: 1.
    pub v: u32,
    /// Spark's id of the application.
    pub app_id: String,
    /// The address of the application's web UI, if it has one.
    pub spark_ui_url: Option<String>,
    /// The address of the application's log, if a resource manager keeps it.
    pub driver_log_url: Option<String>,
}

/// Reads the report of a batch's agent from the text of a body.
pub fn read_application_report(text: &str) -> Result<AppInfo, RequestError> {
    if text.len() > MAX_REPORT_BYTES {
        return Err(refused(&format!(
            "it is longer than {MAX_REPORT_BYTES} bytes"
        )));
    }
    let [version, app_id, spark_ui_url, driver_log_url] = SHAPE.read(text, OPTIONS)?;
    match version.map(RawValue::get) {
        Some("1") => Ok(AppInfo {
            app_id: id(app_id)?,
            spark_ui_url: address("sparkUiUrl", spark_ui_url)?,
            driver_log_url: address("driverLogUrl", driver_log_url)?,
        }),
        Some(other) => Err(refused(&format!("its version is {}, not 1", shown(other)))),
        None => Err(refused("it has no version; this is version 1: \"v\": 1")),
    }
}

fn id(raw: Option<&RawValue>) -> Result<String, RequestError> {
    let id = text("appId", raw)?.ok_or_else(|| refused("it has no appId"))?;
    if !AppInfo::is_id(&id) {
        return Err(refused(&format!(
            "appId must have 1 to {MAX_ID_CHARS} characters and no control characters: \"{}\"",
            shown(&id).escape_debug()
        )));
    }
    Ok(id)
}

fn address(name: &'static str, raw: Option<&RawValue>) -> Result<Option<String>, RequestError> {
    let Some(address) = text(name, raw)? else {
        return Ok(None);
    };
    if AppInfo::is_address(&address) {
        return Ok(Some(address));
    }
    Err(refused(&format!(
        "{name} must be an address that begins with http:// or https://, of at most {MAX_ADDRESS_BYTES} bytes, without control \
         characters and spaces: \"{}\"",
        shown(&address).escape_debug()
    )))
}

fn text(name: &'static str, raw: Option<&RawValue>) -> Result<Option<String>, RequestError> {
    let field = raw.map(|raw| Field {
        shape: &SHAPE,
        name,
        raw,
    });
    field
        .filter(|field| !field.is_null())
        .map(|field| field.text())
        .transpose()
}

fn refused(reason: &str) -> RequestError {
    RequestError::Refused(format!("The application's report is refused: {reason}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<AppInfo, String> {
        read_application_report(text).map_err(|error| match error {
            RequestError::Json(message) => format!("Q {message}"),
            RequestError::Refused(message) => format!("M {message}"),
        })
    }

    fn app(id: &str, spark_ui_url: Option<&str>, driver_log_url: Option<&str>) -> AppInfo {
        AppInfo {
            app_id: id.to_owned(),
            spark_ui_url: spark_ui_url.map(str::to_owned),
            driver_log_url: driver_log_url.map(str::to_owned),
        }
    }

    #[test]
    fn reports_are_read() {
        for (text, expected) in [
            (
                r#"{"v":1,"appId":"local-1","sparkUiUrl":"http://h:4040","driverLogUrl":null}"#,
                app("local-1", Some("http://h:4040"), None),
            ),
            (
                r#"{"driverLogUrl":"https://h/log?a=b#c","appId":"application_1_2","v":1,"sparkUiUrl":null}"#,
                app("application_1_2", None, Some("https://h/log?a=b#c")),
            ),
            (
                r#"{"v":1,"appId":"π 1","later":[{}]}"#,
                app("π 1", None, None),
            ),
            (r#"{"v": 1 ,"appId":7}"#, app("7", None, None)),
        ] {
            assert_eq!(read(text), Ok(expected), "{text}");
        }
        let longest = format!("http://{}", "h".repeat(MAX_ADDRESS_BYTES - 7));
        let id = "π".repeat(MAX_ID_CHARS);
        assert_eq!(
            read(&format!(
                r#"{{"v":1,"appId":"{id}","sparkUiUrl":"{longest}"}}"#
            )),
            Ok(app(&id, Some(&longest), None))
        );
    }

    #[test]
    fn what_could_harm_is_refused_and_says_why() {
        let long_id = format!(r#"{{"v":1,"appId":"{}"}}"#, "x".repeat(MAX_ID_CHARS + 1));
        let mut lines = Vec::new();
        for text in [
            "",
            "[]",
            "{}",
            r#"{"appId":"a"}"#,
            r#"{"v":2,"appId":"a"}"#,
            r#"{"v":"1","appId":"a"}"#,
            r#"{"v":1.0,"appId":"a"}"#,
            r#"{"v":null,"appId":"a"}"#,
            r#"{"v":1}"#,
            r#"{"v":1,"appId":null}"#,
            r#"{"v":1,"appId":""}"#,
            r#"{"v":1,"appId":[]}"#,
            r#"{"v":1,"appId":"a\u001b[31m"}"#,
            r#"{"v":1,"appId":"a\nb"}"#,
            r#"{"v":1,"appId":"a","sparkUiUrl":{}}"#,
            &long_id,
        ] {
            lines.push(read(text).unwrap_err());
        }
        insta::assert_snapshot!(lines.join("\n"), @r#"
        Q No content to map due to end-of-input (the request has no body; send a JSON object, such as {"v":1,"appId":"local-1"})
        Q Malformed JSON: invalid type: sequence, expected an object at line 1 column 0; the body must be a JSON object, such as {"v":1,"appId":"local-1"}
        M The application's report is refused: it has no version; this is version 1: "v": 1
        M The application's report is refused: it has no version; this is version 1: "v": 1
        M The application's report is refused: its version is 2, not 1
        M The application's report is refused: its version is "1", not 1
        M The application's report is refused: its version is 1.0, not 1
        M The application's report is refused: its version is null, not 1
        M The application's report is refused: it has no appId
        M The application's report is refused: it has no appId
        M The application's report is refused: appId must have 1 to 256 characters and no control characters: ""
        Q appId must be a string: found a list (through reference chain: ApplicationReport["appId"])
        M The application's report is refused: appId must have 1 to 256 characters and no control characters: "a\u{1b}[31m"
        M The application's report is refused: appId must have 1 to 256 characters and no control characters: "a\nb"
        Q sparkUiUrl must be a string: found an object (through reference chain: ApplicationReport["sparkUiUrl"])
        M The application's report is refused: appId must have 1 to 256 characters and no control characters: "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…"
        "#);
    }

    #[test]
    fn only_addresses_that_a_browser_may_be_sent_to_are_taken() {
        let long = format!("http://{}", "h".repeat(MAX_ADDRESS_BYTES - 6));
        for name in ["sparkUiUrl", "driverLogUrl"] {
            for bad in [
                "",
                "h:4040",
                "/relative",
                "//h",
                "javascript:alert(1)",
                "JAVASCRIPT:alert(1)",
                "data:text/html,x",
                "file:///etc/passwd",
                "ftp://h",
                " http://h",
                "http://",
                "https:///path",
                "http://h/a b",
                "http://h/\u{a0}",
                "http://h/\n",
                "http://h/\u{7f}",
                "http://h/\0",
                &long,
            ] {
                let quoted = serde_json::to_string(bad).unwrap();
                let found = shown(bad).escape_debug().to_string();
                let expected = format!(
                    "M The application's report is refused: {name} must be an address that begins with http:// or https://, of \
                     at most 2000 bytes, without control characters and spaces: \"{found}\""
                );
                assert_eq!(
                    read(&format!(r#"{{"v":1,"appId":"a","{name}":{quoted}}}"#)),
                    Err(expected)
                );
            }
        }
    }

    #[test]
    fn a_report_is_bounded() {
        let padded = format!(r#"{{"v":1,"appId":"a"}}{}"#, " ".repeat(MAX_REPORT_BYTES));
        insta::assert_snapshot!(read(&padded).unwrap_err(), @"M The application's report is refused: it is longer than 65536 bytes");
        assert!(read(&format!("{{\"x\":{}", "[".repeat(60_000))).is_err());
    }

    #[test]
    fn the_description_has_the_same_fields() {
        let described = serde_json::to_value(ApplicationReport::default()).unwrap();
        let mut described: Vec<&String> = described.as_object().unwrap().keys().collect();
        let mut names = SHAPE.names.to_vec();
        described.sort();
        names.sort_unstable();
        assert_eq!(described, names);
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in ".*") {
            let _ = read(&text);
        }

        #[test]
        fn what_is_taken_is_safe_to_show(id in ".*", url in "https?:.*") {
            let text = serde_json::json!({"v": 1, "appId": id, "sparkUiUrl": url}).to_string();
            if let Ok(app) = read(&text) {
                prop_assert!(!app.app_id.chars().any(char::is_control));
                prop_assert!(app.spark_ui_url.is_some_and(|url| url.starts_with("http") && !url.contains(char::is_whitespace)));
            }
        }
    }
}
