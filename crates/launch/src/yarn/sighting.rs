//! Describes an application that has not ended, by YARN's list.

use livius_domain::AppInfo;
use livius_yarn::{Application, State};

use crate::Sighting;

/// The longest reason for a wait, in characters.
const MAX_CHARS: usize = 300;

/// The description that clients see.
pub(super) fn of(application: &Application) -> Sighting {
    let address = |url: &Option<String>| url.clone().filter(|url| AppInfo::is_address(url));
    Sighting {
        app: AppInfo {
            app_id: application.id.to_string(),
            spark_ui_url: address(&application.tracking_url),
            driver_log_url: address(&application.am_container_logs),
        },
        waits: waits(application),
    }
}

fn waits(application: &Application) -> Option<String> {
    match application.state {
        State::New | State::NewSaving | State::Submitted | State::Accepted => {}
        State::Running | State::Finished | State::Failed | State::Killed | State::Other(_) => {
            return None;
        }
    }
    let why = sentence(&application.diagnostics);
    let at = format!("in the queue {} of YARN", application.queue);
    Some(if why.is_empty() {
        at
    } else {
        format!("{at}: {why}")
    })
}

/// The first sentences of the diagnostics, without the time in front and the numbers behind, which
/// change from list to list.
fn sentence(diagnostics: &str) -> String {
    let line = diagnostics.lines().next().unwrap_or_default().trim();
    let untimed = line
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
        .map_or(line, |(_, rest)| rest);
    let end = ["Details :", "Last Node which was processed"]
        .iter()
        .filter_map(|words| untimed.find(words))
        .min();
    let told = untimed[..end.unwrap_or(untimed.len())].trim();
    let told = told.trim_end_matches(['.', ' ']);
    told.chars().take(MAX_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use livius_yarn::FinalStatus;

    use super::*;

    fn application(state: State, diagnostics: &str) -> Application {
        Application {
            id: "application_1_0002".parse().unwrap(),
            name: "n".to_owned(),
            user: "u".to_owned(),
            queue: "root.etl".to_owned(),
            state,
            final_status: FinalStatus::Undefined,
            diagnostics: diagnostics.to_owned(),
            tracking_url: Some("http://m:8088/proxy/application_1_0002/".to_owned()),
            am_container_logs: Some("javascript:alert(1)".to_owned()),
            am_host: None,
            tags: BTreeSet::new(),
            started: None,
            finished: None,
        }
    }

    #[test]
    fn only_addresses_of_the_web_are_told() {
        let sighting = of(&application(State::Running, ""));
        assert_eq!(sighting.app.app_id, "application_1_0002");
        let url = "http://m:8088/proxy/application_1_0002/".to_owned();
        assert_eq!(sighting.app.spark_ui_url, Some(url));
        assert_eq!(sighting.app.driver_log_url, None);
    }

    #[test]
    fn a_wait_has_its_reason_and_no_numbers_that_change() {
        for (state, diagnostics, expected) in [
            (State::Running, "[t] x", None),
            (State::Submitted, "", Some("in the queue root.etl of YARN")),
            (
                State::Accepted,
                "[Mon Nov 30 12:00:00 +0000 2026] Application is added to the scheduler and is not yet activated. Queue's AM resource limit \
                 exceeded.  Details : AM Partition = <DEFAULT_PARTITION>; AM Resource Request = <memory:1408, vCores:1>; \n",
                Some(
                    "in the queue root.etl of YARN: Application is added to the scheduler and is not yet activated. Queue's AM resource limit \
                     exceeded",
                ),
            ),
            (
                State::Accepted,
                "[Mon Nov 30 12:00:00 +0000 2026] Application is Activated, waiting for resources to be assigned for AM.  Last Node which was \
                 processed for the application : h:1 ( Partition : [] )",
                Some(
                    "in the queue root.etl of YARN: Application is Activated, waiting for resources to be assigned for AM",
                ),
            ),
        ] {
            let told = of(&application(state, diagnostics)).waits;
            assert_eq!(told.as_deref(), expected, "{diagnostics}");
        }
        let long = of(&application(State::Accepted, &"é".repeat(5000))).waits;
        assert!(long.unwrap().chars().count() < 400);
    }
}
