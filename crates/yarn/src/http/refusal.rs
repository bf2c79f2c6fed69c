//! The words of a daemon that refuses a request.

use serde::Deserialize;

use crate::text::clipped;

/// The longest text that a message shows.
const LONGEST: usize = 2_000;

#[derive(Deserialize)]
struct Refusal {
    #[serde(rename = "RemoteException")]
    exception: Exception,
}

#[derive(Deserialize)]
struct Exception {
    message: String,
}

/// The message in a body: that of the exception in JSON, the title of an HTML page, or plain text.
pub fn text(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let exception = serde_json::from_slice::<Refusal>(body)
        .map(|refusal| refusal.exception)
        .or_else(|_| serde_json::from_slice::<Exception>(body));
    let message = match exception {
        Ok(exception) => exception.message,
        Err(_) => title(&text).unwrap_or(&text).to_owned(),
    };
    let message = without_classes(message.trim());
    let printable = message.replace(|c: char| c.is_control() && c != '\n' && c != '\t', " ");
    clipped(printable, LONGEST)
}

fn title(page: &str) -> Option<&str> {
    let (_, rest) = page.split_once("<title>")?;
    Some(rest.split_once("</title>")?.0)
}

/// The message without the names of Java's exceptions before it.
fn without_classes(message: &str) -> &str {
    let mut rest = message;
    while let Some((class, after)) = rest.split_once(": ") {
        let is_class = class.contains('.')
            && ["Exception", "Error"]
                .iter()
                .any(|end| class.ends_with(end))
            && class
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || ".$_".contains(c));
        if !is_class {
            break;
        }
        rest = after;
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_body_has_its_message() {
        let acl = r#"{"RemoteException":{"exception":"BadRequestException","message":"java.lang.Exception: org.apache.hadoop.security.AccessControlException: User alice does not have permission to submit application_1_0003 to queue closed","javaClassName":"x"}}"#;
        let bare = r#"{"exception":"X","message":"java.io.IOException: Can not find it\n"}"#;
        let cases = [
            (
                acl,
                "User alice does not have permission to submit application_1_0003 to queue closed",
            ),
            (bare, "Can not find it"),
            (
                "<html><title>Error 500 java.io.IOException: boom</title>",
                "Error 500 java.io.IOException: boom",
            ),
            (
                "java.lang.Exception: Unknown container.",
                "Unknown container.",
            ),
            ("plain: text\u{1b}[31m", "plain: text [31m"),
            ("", ""),
        ];
        for (body, expected) in cases {
            assert_eq!(text(body.as_bytes()), expected);
        }
        assert_eq!(text(&[b'x'; 9_000]).len(), LONGEST + "…".len());
        assert_eq!(text(b"\xff\xfe"), "\u{fffd}\u{fffd}");
    }
}
