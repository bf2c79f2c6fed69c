//! `POST /sessions/{id}/submit-job` and `…/run-job`.

use livius_domain::{JobLanguage, Kind, NewJob};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::RequestError;
use crate::base64::normalised;
use crate::error::shown;
use crate::field::Field;
use crate::json::{ReadOptions, Shape};

const SHAPE: Shape<2> = Shape {
    class: "org.apache.livy.client.common.HttpMessages$SerializedJob",
    example: r#"{"job":"gASVBA...","jobType":"pyspark"}"#,
    names: ["job", "jobType"],
};

/// The body of `POST /sessions/{id}/submit-job`, for the OpenAPI document.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobBody {
    /// The job in base64, as Livy's clients serialise it.
    pub job: String,
    /// `spark` (the default) for a Java or Scala job, or `pyspark` for a Python job.
    pub job_type: Option<String>,
}

/// Reads a request to run a job from the text of a body.
pub fn read_job(text: &str, options: ReadOptions) -> Result<NewJob, RequestError> {
    let [job, job_type] = SHAPE.read(text, options)?;
    Ok(NewJob {
        language: language(job_type)?,
        payload: payload(job)?,
    })
}

fn payload(raw: Option<&RawValue>) -> Result<String, RequestError> {
    let job = match present("job", raw) {
        None => String::new(),
        Some(job) if !job.is_text() => {
            return Err(job.wrong("job must be a string of base64"));
        }
        Some(job) => normalised(job.text()?)
            .map_err(|problem| RequestError::Refused(format!("job is not base64: {problem}")))?,
    };
    if job.is_empty() {
        // These are Livy's words.
        return Err(RequestError::Refused(
            "requirement failed: no job provided.".to_owned(),
        ));
    }
    Ok(job)
}

/// Livy treats every type except `pyspark` as `spark` and lets the driver fail. We refuse unknown
/// types at once.
fn language(raw: Option<&RawValue>) -> Result<JobLanguage, RequestError> {
    let Some(job_type) = present("jobType", raw) else {
        return Ok(JobLanguage::Jvm);
    };
    let name = job_type.text()?;
    match Kind::parse(&name) {
        Some(Kind::Spark) => Ok(JobLanguage::Jvm),
        Some(Kind::PySpark) => Ok(JobLanguage::Python),
        _ => Err(RequestError::Refused(format!(
            "Invalid jobType: {}; the types are spark (a job of Java or Scala) and pyspark (one of Python)",
            shown(&name)
        ))),
    }
}

fn present<'a>(name: &'static str, raw: Option<&'a RawValue>) -> Option<Field<'a, 2>> {
    let field = raw.map(|raw| Field {
        shape: &SHAPE,
        name,
        raw,
    });
    field.filter(|field| !field.is_null())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(JobLanguage, String), String> {
        let request = read_job(text, ReadOptions::default());
        request
            .map(|request| (request.language, request.payload))
            .map_err(|error| match error {
                RequestError::Json(message) => format!("Q {message}"),
                RequestError::Refused(message) => format!("M {message}"),
            })
    }

    #[test]
    fn jobs_are_read() {
        for (text, language, payload) in [
            (r#"{"job":"Zm9v"}"#, JobLanguage::Jvm, "Zm9v"),
            (r#"{"job":"Zm9v","jobType":null}"#, JobLanguage::Jvm, "Zm9v"),
            (
                r#"{"jobType":"spark","job":"Zm9v"}"#,
                JobLanguage::Jvm,
                "Zm9v",
            ),
            (
                r#"{"jobType":"scala","job":"Zm9v"}"#,
                JobLanguage::Jvm,
                "Zm9v",
            ),
            (
                r#"{"job":"Zm9v","jobType":"pyspark"}"#,
                JobLanguage::Python,
                "Zm9v",
            ),
            (
                r#"{"job":"Zm9v\r\nYg","jobType":"python"}"#,
                JobLanguage::Python,
                "Zm9vYg==",
            ),
        ] {
            assert_eq!(read(text), Ok((language, payload.to_owned())), "{text}");
        }
    }

    #[test]
    fn refusals_name_the_field() {
        let mut lines = Vec::new();
        for text in [
            "{}",
            r#"{"job":null}"#,
            r#"{"job":""}"#,
            r#"{"job":" \n"}"#,
            r#"{"job":1234}"#,
            r#"{"job":["Zm9v"]}"#,
            r#"{"job":"Zm9v-"}"#,
            r#"{"job":"Zm9vY"}"#,
            r#"{"job":"Zm9v","jobType":"sparkr"}"#,
            r#"{"job":"Zm9v","jobType":"pyspark3"}"#,
            r#"{"job":"Zm9v","jobType":""}"#,
            r#"{"job":"Zm9v","jobType":{}}"#,
            r#"{"job":"Zm9v","jobTyp":"spark"}"#,
        ] {
            lines.push(read(text).unwrap_err());
        }
        insta::assert_snapshot!(lines.join("\n"), @r#"
        M requirement failed: no job provided.
        M requirement failed: no job provided.
        M requirement failed: no job provided.
        M requirement failed: no job provided.
        Q job must be a string of base64 (through reference chain: org.apache.livy.client.common.HttpMessages$SerializedJob["job"])
        Q job must be a string of base64 (through reference chain: org.apache.livy.client.common.HttpMessages$SerializedJob["job"])
        M job is not base64: character 5 is '-', which is not of the standard alphabet (A-Z, a-z, 0-9, + and /)
        M job is not base64: it breaks off: its last character stands alone
        M Invalid jobType: sparkr; the types are spark (a job of Java or Scala) and pyspark (one of Python)
        M Invalid jobType: pyspark3; the types are spark (a job of Java or Scala) and pyspark (one of Python)
        M Invalid jobType: ; the types are spark (a job of Java or Scala) and pyspark (one of Python)
        Q jobType must be a string: found an object (through reference chain: org.apache.livy.client.common.HttpMessages$SerializedJob["jobType"])
        Q Unrecognized field "jobTyp" (class org.apache.livy.client.common.HttpMessages$SerializedJob), not marked as ignorable (2 known properties: "job", "jobType") (through reference chain: org.apache.livy.client.common.HttpMessages$SerializedJob["jobTyp"]); did you mean "jobType"?
        "#);
    }

    #[test]
    fn the_description_has_the_same_fields() {
        let described = serde_json::to_value(JobBody::default()).unwrap();
        let described: Vec<&String> = described.as_object().unwrap().keys().collect();
        assert_eq!(described, SHAPE.names);
    }
}
