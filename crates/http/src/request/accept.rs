//! The form in which a client wants the metrics.

use axum::http::HeaderMap;
use axum::http::header::ACCEPT;
use livius_metrics::Format;

const HTML: &str = "text/html";

/// The media types of the text, with the versions that the server writes, the best one first.
const FORMS: [(Format, &str, &str); 2] = [
    (Format::OpenMetrics, "application/openmetrics-text", "1.0.0"),
    (Format::Prometheus, "text/plain", "0.0.4"),
];

/// One entry of `Accept`.
struct Entry<'a> {
    media_type: &'a str,
    version: Option<&'a str>,
    /// From 0 to 1000.
    quality: u16,
}

/// Finds out which text a client wants instead of the page. It must name the text's type, as every
/// scraper does: `*/*` and a request without `Accept` get Livy's page.
pub fn wanted_text(headers: &HeaderMap) -> Option<Format> {
    let values = headers.get_all(ACCEPT).iter();
    let values: Vec<&str> = values.filter_map(|value| value.to_str().ok()).collect();
    let entries: Vec<Entry> = values.iter().flat_map(|value| entries(value)).collect();
    let quality = |media_type: &str, version: Option<&str>| {
        let named = entries.iter().filter(|entry| {
            entry.media_type.eq_ignore_ascii_case(media_type)
                && (entry.version.is_none() || version.is_none() || entry.version == version)
        });
        named.map(|entry| entry.quality).max().unwrap_or(0)
    };
    let offered =
        FORMS.map(|(form, media_type, version)| (quality(media_type, Some(version)), form));
    let [first, second] = offered;
    let (best, form) = if second.0 > first.0 { second } else { first };
    (best > quality(HTML, None)).then_some(form)
}

fn entries(value: &str) -> impl Iterator<Item = Entry<'_>> {
    value.split(',').map(|entry| {
        let mut parts = entry.split(';').map(str::trim);
        let mut found = Entry {
            media_type: parts.next().unwrap_or_default(),
            version: None,
            quality: 1_000,
        };
        for (name, value) in parts.filter_map(|part| part.split_once('=')) {
            if name.eq_ignore_ascii_case("q") {
                found.quality = thousandths(value);
            } else if name.eq_ignore_ascii_case("version") {
                found.version = Some(value.trim_matches('"'));
            }
        }
        found
    })
}

/// A quality as a whole number. One that is none counts as nothing.
fn thousandths(text: &str) -> u16 {
    let text = text.trim();
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let is_number = rest.len() <= 3 && rest.bytes().all(|byte| byte.is_ascii_digit());
    match whole {
        "1" => 1_000,
        "0" if is_number => format!("{rest:0<3}").parse().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scrapers_get_text_and_browsers_the_page() {
        use Format::{OpenMetrics, Prometheus};
        for (accept, expected) in [
            // Prometheus 2 and 3.
            (
                "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
                Some(OpenMetrics),
            ),
            (
                "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
                Some(OpenMetrics),
            ),
            // One that reads only an older OpenMetrics gets the other text.
            (
                "application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                Some(Prometheus),
            ),
            // Telegraf.
            (
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.7,text/plain;version=0.0.4;q=0.3",
                Some(Prometheus),
            ),
            ("text/plain", Some(Prometheus)),
            ("TEXT/PLAIN; Q=0.1, */*", Some(Prometheus)),
            (
                "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
                None,
            ),
            ("text/html, text/plain", None),
            ("text/html;q=0.2, text/plain;q=0.3", Some(Prometheus)),
            ("text/plain;version=9", None),
            ("text/plain;q=0", None),
            (
                "text/plain;q=x, application/openmetrics-text;q=0.0000",
                None,
            ),
            ("text/*", None),
            ("*/*", None),
            ("", None),
            (";;=,,q", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, accept.parse().unwrap());
            assert_eq!(wanted_text(&headers), expected, "{accept}");
        }
        assert_eq!(wanted_text(&HeaderMap::new()), None);
    }
}
