use livius_domain::{End, FailureCode, Outcome, Phase};

use super::*;

const URL: &str = "ws://gw.example:8998/api/v1/agent";

fn seen(state: SessionState, log: &[&str]) -> Seen {
    Seen {
        state,
        app: Some(AppInfo {
            app_id: "spark-1".to_owned(),
            driver_log_url: None,
            spark_ui_url: None,
        }),
        node: Some("node-1".to_owned()),
        log: log.iter().map(|line| (*line).to_owned()).collect(),
    }
}

fn ended() -> SessionState {
    SessionState::Ended(End {
        outcome: Outcome::Failed,
        cause: None,
        failure: Some(Failure {
            code: FailureCode::DriverExited,
            phase: Phase::Connect,
            evidence: livius_domain::Evidence::default(),
            message: "the image is not there".to_owned(),
            hint: "Push it.".to_owned(),
        }),
        exit: None,
    })
}

fn text(seen: &Seen, listens: bool) -> String {
    let (took, limit) = (Duration::from_secs(9), Duration::from_mins(3));
    let notes = judge(URL, listens, seen, took, limit);
    let texts: Vec<String> = notes.iter().map(Note::text).collect();
    texts.join("\n")
}

#[test]
fn a_session_that_starts_is_good() {
    insta::assert_snapshot!(text(&seen(SessionState::Running, &[]), true), @r"
    ok       the probe was launched as spark-1 on the node node-1
    ok       a session started there in 9 s, and its driver reached the server at ws://gw.example:8998/api/v1/agent
    ");
}

#[test]
fn each_failed_attempt_has_its_cause() {
    for (words, what, remedy) in [
        (
            "cannot connect to ws://gw.example:8998/api/v1/agent: Connection refused: gw.example/10.0.0.7:8998",
            "finds nothing that listens at ws://gw.example:8998",
            "compare the host and the port",
        ),
        (
            "cannot connect to ws://gw.example:8998/api/v1/agent: connection timed out: gw.example/10.0.0.7:8998",
            "gets no answer from",
            "firewalls and network policies",
        ),
        (
            "cannot connect to ws://gw.example:8998/api/v1/agent: gw.example",
            "cannot resolve gw.example",
            "a name or an address that the cluster's machines know",
        ),
        (
            "cannot connect to ws://gw.example:8998/api/v1/agent: gw.example: Name or service not known",
            "cannot resolve gw.example",
            "a name or an address",
        ),
        (
            "the connection to the server failed: io.netty.handler.codec.DecoderException: javax.net.ssl.SSLHandshakeException: PKIX path",
            "does not trust",
            "a certificate that the Java of drivers trusts",
        ),
        (
            "HTTP 502 came without the server's proof",
            "an answer from ws://gw.example:8998/api/v1/agent that is not the server's",
            "pass WebSockets",
        ),
    ] {
        let line = format!("livius: {words}; trying again");
        let log = [
            "submitted",
            &line,
            "livius: no contact with the server for 30 s",
        ];
        let text = text(&seen(ended(), &log), true);
        assert!(
            text.contains("PROBLEM") && text.contains(what) && text.contains(remedy),
            "{words}: {text}"
        );
        assert!(text.contains(&format!("Its words: {words}\n")), "{text}");
    }
}

#[test]
fn a_running_server_is_recognised_by_its_404() {
    let log = ["livius: HTTP 404 came without the server's proof; trying again"];
    let seen = seen(ended(), &log);
    assert!(
        !text(&seen, false).contains("PROBLEM"),
        "{}",
        text(&seen, false)
    );
    assert!(
        text(&seen, true).contains("PROBLEM"),
        "{}",
        text(&seen, true)
    );
}

#[test]
fn without_a_word_of_the_agent_the_reason_is_the_sessions() {
    let waits = ["livius: spark-1 waits: no node takes the pod p"];
    insta::assert_snapshot!(text(&seen(SessionState::Starting, &waits), true), @r"
    ok       the probe was launched as spark-1 on the node node-1
    PROBLEM  the driver has not connected within 180 s: spark-1 waits: no node takes the pod p
               what to do: look at the application at its cluster, or give it more time with --probe-timeout
    ");
    insta::assert_snapshot!(text(&seen(ended(), &[]), true), @r"
    ok       the probe was launched as spark-1 on the node node-1
    PROBLEM  no session would start there: the image is not there
               what to do: Push it.
    ");
    let unclear = text(&seen(ended(), &[]), false);
    assert!(
        unclear.contains("Try again while the server is down"),
        "{unclear}"
    );
}
