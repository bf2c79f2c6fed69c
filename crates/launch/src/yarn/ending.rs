//! Says how a driver ended, by the last state of its application.

use livius_domain::{Departure, Exit, Verdict};
use livius_yarn::{Application, FinalStatus, State};

/// The longest reason, in characters.
const MAX_CHARS: usize = 1000;

/// The longest reason for a new attempt, in characters. It is a part of a line of the log.
const MAX_CHARS_OF_ATTEMPT: usize = 300;

/// The exit code of a container that the scheduler took away: `ContainerExitStatus.PREEMPTED`.
const PREEMPTED: i32 = -102;

/// Words in front of a reason.
const BEFORE: [&str; 2] = [
    "User class threw exception: ",
    "Failing this attempt.Diagnostics: ",
];

/// Spark's words for an exit that its application master did not expect.
const OF_A_HOOK: &str = "Shutdown hook called before final status was reported.";

/// Our words for it.
const OF_PREEMPTION: &str =
    "the scheduler preempted the driver's container, to make room for other applications";

/// Words that name a page of the ResourceManager. YARN may write them right behind the reason.
const OF_A_PAGE: &str = "For more detailed output, check";

/// Lines that say nothing about the reason, by their beginnings.
const EMPTY: [&str; 3] = [
    "Exception from container-launch.",
    ". Failing the application.",
    "Failing the application.",
];

/// The end of a driver whose application is final.
pub(super) fn departure(application: &Application) -> Departure {
    let verdict = verdict(application);
    let exit = match verdict {
        Verdict::Finished => Exit::Code(0),
        _ => exit_code(&application.diagnostics).map_or(Exit::Unknown, Exit::Code),
    };
    Departure {
        verdict: Some(verdict),
        ..Departure::of(exit)
    }
}

/// Why YARN gave up an attempt and begins another one, by the diagnostics of the earlier one.
pub(super) fn of_attempt(diagnostics: &str) -> Option<String> {
    if is_preempted(diagnostics) {
        return Some(OF_PREEMPTION.to_owned());
    }
    let reason = reason(diagnostics);
    let told: String = reason.chars().take(MAX_CHARS_OF_ATTEMPT).collect();
    (!told.is_empty()).then(|| format!("the attempt before has failed: {told}"))
}

/// The end of a driver whose application was submitted, and is not known any more.
pub(super) fn forgotten(tag: &str) -> Departure {
    let message = format!(
        "YARN has no application with the tag {tag} any more: its ResourceManager was restarted without its state, or has forgotten \
         the application. It is not known how the application ended"
    );
    Departure {
        verdict: Some(Verdict::Failed(message)),
        ..Departure::of(Exit::Unknown)
    }
}

fn verdict(application: &Application) -> Verdict {
    match (&application.state, &application.final_status) {
        (State::Killed, _) | (State::Finished, FinalStatus::Killed) => Verdict::Killed,
        (State::Finished, FinalStatus::Succeeded) => Verdict::Finished,
        _ if is_preempted(&application.diagnostics) => Verdict::EndedByCluster(format!(
            "{}: {OF_PREEMPTION}: {}",
            failed(application),
            reason(&application.diagnostics)
        )),
        _ => Verdict::Failed(failure(application)),
    }
}

fn is_preempted(diagnostics: &str) -> bool {
    exit_code(diagnostics) == Some(PREEMPTED)
}

fn failed(application: &Application) -> String {
    format!("YARN says that {} failed", application.id)
}

fn failure(application: &Application) -> String {
    let ended = failed(application);
    let reason = reason(&application.diagnostics);
    if reason.is_empty() {
        ended
    } else if reason == OF_A_HOOK {
        format!("{ended}: its code has ended the process, as System.exit does: {reason}")
    } else {
        format!("{ended}: {reason}")
    }
}

/// The diagnostics without stack traces and without the words that are in all of them.
fn reason(diagnostics: &str) -> String {
    let lines = diagnostics.lines().map(str::trim);
    let telling = lines.filter(|line| !is_frame(line)).map(without_words);
    let joined: Vec<&str> = telling.filter(|line| !line.is_empty()).collect();
    joined.join(" ").chars().take(MAX_CHARS).collect()
}

fn is_frame(line: &str) -> bool {
    let is_more = line.starts_with("... ") && line.ends_with(" more");
    line.starts_with("at ") || is_more
}

fn without_words(line: &str) -> &str {
    let mut rest = line;
    for words in BEFORE {
        rest = rest.strip_prefix(words).unwrap_or(rest);
    }
    // A time in brackets is in front of each line of a NodeManager.
    let untimed = rest
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
        .filter(|(time, _)| time.starts_with(|first: char| first.is_ascii_digit()))
        .map_or(rest, |(_, rest)| rest.trim_start());
    let told = untimed.find(OF_A_PAGE).map_or(untimed, |at| &untimed[..at]);
    if EMPTY.iter().any(|words| told.starts_with(words)) {
        ""
    } else {
        told
    }
}

/// The exit code of the driver's process, or of the Python program in it.
fn exit_code(diagnostics: &str) -> Option<i32> {
    let number_after = |words: &str| {
        let (_, rest) = diagnostics.split_once(words)?;
        let rest = rest.trim_start();
        let is_digit = |(at, c): (usize, char)| c.is_ascii_digit() || (at == 0 && c == '-');
        let end = rest.char_indices().find(|found| !is_digit(*found));
        rest[..end.map_or(rest.len(), |(at, _)| at)].parse().ok()
    };
    [
        "User application exited with status",
        "User application exited with",
        "exitCode:",
    ]
    .into_iter()
    .find_map(number_after)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use livius_yarn::{FinalStatus as F, State as S};

    use super::*;

    fn application(state: State, final_status: FinalStatus, diagnostics: &str) -> Application {
        Application {
            id: "application_1_0002".parse().unwrap(),
            name: "n".to_owned(),
            user: "u".to_owned(),
            queue: "q".to_owned(),
            state,
            final_status,
            diagnostics: diagnostics.to_owned(),
            tracking_url: None,
            am_container_logs: None,
            am_host: None,
            tags: BTreeSet::new(),
            started: None,
            finished: None,
        }
    }

    fn of(state: State, status: FinalStatus, diagnostics: &str) -> (Exit, Option<Verdict>) {
        let departure = departure(&application(state, status, diagnostics));
        assert_eq!((departure.unseen, &departure.evidence), (None, &None));
        (departure.exit, departure.verdict)
    }

    #[test]
    fn state_and_final_status_make_the_verdict() {
        let failed = || {
            Some(Verdict::Failed(
                "YARN says that application_1_0002 failed".to_owned(),
            ))
        };
        for (state, status, end) in [
            (
                S::Finished,
                F::Succeeded,
                (Exit::Code(0), Some(Verdict::Finished)),
            ),
            (S::Finished, F::Failed, (Exit::Unknown, failed())),
            (S::Finished, F::Undefined, (Exit::Unknown, failed())),
            (
                S::Finished,
                F::Other("X".to_owned()),
                (Exit::Unknown, failed()),
            ),
            (
                S::Finished,
                F::Killed,
                (Exit::Unknown, Some(Verdict::Killed)),
            ),
            (S::Killed, F::Killed, (Exit::Unknown, Some(Verdict::Killed))),
            (
                S::Killed,
                F::Undefined,
                (Exit::Unknown, Some(Verdict::Killed)),
            ),
            (S::Failed, F::Failed, (Exit::Unknown, failed())),
        ] {
            assert_eq!(of(state.clone(), status, ""), end, "{state:?}");
        }
    }

    /// Diagnostics of a real ResourceManager 3.4.2 with Spark 3.5.9 and 4.3.0.
    #[test]
    fn diagnostics_are_told_without_their_noise() {
        for (diagnostics, reason, code) in [
            (
                "User class threw exception: livius.agent.DriverFailed: the driver ends: no contact with the server for 15 s\n",
                "livius.agent.DriverFailed: the driver ends: no contact with the server for 15 s",
                None,
            ),
            (
                "User application exited with status 3",
                "User application exited with status 3",
                Some(3),
            ),
            (
                "User class threw exception: org.apache.spark.SparkUserAppException: User application exited with 1\n\tat \
                 a.B.c(B.scala:1)\n\t... 3 more\n",
                "org.apache.spark.SparkUserAppException: User application exited with 1",
                Some(1),
            ),
            (
                "Application application_1_0005 failed 1 times (global limit =2; local limit is =1) due to AM Container for \
                 appattempt_1_0005_000001 exited with  exitCode: 13\nFailing this attempt.Diagnostics: [2026-11-30 \
                 13:31:55.319]Exception from container-launch.\nContainer id: container_1\n\n[2026-11-30 13:31:55.322]Container exited \
                 with a non-zero exit code 13.\nFor more detailed output, check the application tracking page: http://h Then click on links.\n. \
                 Failing the application.",
                "Application application_1_0005 failed 1 times (global limit =2; local limit is =1) due to AM Container for \
                 appattempt_1_0005_000001 exited with  exitCode: 13 Container id: container_1 Container exited with a non-zero exit code 13.",
                Some(13),
            ),
            (
                "x exited with exitCode: -104",
                "x exited with exitCode: -104",
                Some(-104),
            ),
        ] {
            let message = format!("YARN says that application_1_0002 failed: {reason}");
            let exit = code.map_or(Exit::Unknown, Exit::Code);
            let end = of(State::Failed, FinalStatus::Failed, diagnostics);
            assert_eq!(end, (exit, Some(Verdict::Failed(message))));
        }
    }

    /// Diagnostics of a real ResourceManager 3.4.2.
    #[test]
    fn preemption_is_told() {
        let diagnostics = "Application application_1_0002 failed 1 times (global limit =2; local limit is =1) due to AM Container for \
                           appattempt_1_0002_000001 exited with  exitCode: -102\nFailing this attempt.Diagnostics: Container preempted by \
                           schedulerFor more detailed output, check the application tracking page: http://h Then click on links to logs of \
                           each attempt.\n. Failing the application.";
        let told = "YARN says that application_1_0002 failed: the scheduler preempted the driver's container, to make room for other \
                    applications: Application application_1_0002 failed 1 times (global limit =2; local limit is =1) due to AM Container \
                    for appattempt_1_0002_000001 exited with  exitCode: -102 Container preempted by scheduler";
        let end = of(State::Failed, FinalStatus::Failed, diagnostics);
        let verdict = Verdict::EndedByCluster(told.to_owned());
        assert_eq!(end, (Exit::Code(PREEMPTED), Some(verdict)));
    }

    /// Diagnostics of attempts of a real ResourceManager 3.4.2.
    #[test]
    fn a_new_attempt_has_its_reason() {
        for (diagnostics, told) in [
            (
                "AM Container for appattempt_1_0001_000001 exited with  exitCode: -102\nFailing this attempt.Diagnostics: Container \
                 preempted by schedulerFor more detailed output, check the application tracking page: http://h Then click on links to \
                 logs of each attempt.\n",
                Some(OF_PREEMPTION),
            ),
            (
                "AM Container for appattempt_1_0001_000001 exited with  exitCode: 3\nFailing this attempt.Diagnostics: [2026-11-30 \
                 13:31:55.319]Exception from container-launch.\nContainer id: container_1\n",
                Some(
                    "the attempt before has failed: AM Container for appattempt_1_0001_000001 exited with  exitCode: 3 Container id: \
                     container_1",
                ),
            ),
            ("", None),
        ] {
            assert_eq!(of_attempt(diagnostics).as_deref(), told, "{diagnostics}");
        }
        let long = of_attempt(&"é".repeat(10_000)).unwrap();
        assert!(long.chars().count() < MAX_CHARS_OF_ATTEMPT + 50);
    }

    #[test]
    fn a_long_reason_is_cut() {
        assert_eq!(reason(&"é".repeat(10_000)).chars().count(), MAX_CHARS);
    }
}
