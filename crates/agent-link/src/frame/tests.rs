use super::*;

const HELLO_1: &str = r#"{"v":1,"type":"hello","driver":"s-0-9f2c41d07ab3","instance":"i","pid":1,
    "spark":"4.1.4","scala":"2.13.17","java":"17","firstSeq":1,"lastSeq":0}"#;

const HELLO_2: &str = r#"{"v":2,"type":"hello","versions":[2,3,4],"driver":"s-0-9f2c41d07ab3",
    "instance":"i","pid":1,"spark":"4.1.4","scala":"2.13.17","java":"17","firstSeq":4,"lastSeq":7,
    "sessions":[{"active":3,"queued":[4],"jobs":[1,2]},{"session":9,"active":null,"queued":[],"jobs":[]}]}"#;

fn event(text: &str) -> (u64, Option<SessionId>, Event) {
    match AgentFrame::parse(text) {
        Ok(AgentFrame::Event {
            seq,
            session,
            event,
        }) => (seq, session, event),
        other => panic!("expected an event, got {other:?}"),
    }
}

#[test]
fn an_agent_of_an_earlier_server_is_spoken_to_in_its_own_version() {
    let hello = Hello::parse(HELLO_1).unwrap();
    assert_eq!(hello.version(), 1);
    assert_eq!(hello.sessions, []);
    let stop = CommandFrame::from(Command::Stop);
    assert_eq!(stop.to_text(1), r#"{"v":1,"type":"stop"}"#);
}

#[test]
fn the_newest_common_version_is_used() {
    let hello = Hello::parse(HELLO_2).unwrap();
    assert_eq!(hello.version(), 3);
    assert_eq!(hello.sessions[0].active, Some(StatementId(3)));
    assert_eq!(hello.sessions[0].queued, [StatementId(4)]);
    assert_eq!(hello.sessions[0].jobs, [JobId(1), JobId(2)]);
    assert_eq!(hello.sessions[1].session, Some(SessionId(9)));
}

#[test]
fn an_agent_without_a_common_version_is_refused_in_words() {
    let later = HELLO_2.replace("[2,3,4]", "[4,5]");
    let refused = Hello::parse(&later).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "agent speaks protocol version [4, 5], this server speaks 1 to 3"
    );
    assert!(matches!(
        Hello::parse(&HELLO_1.replace(r#""v":1"#, r#""v":4"#)),
        Err(FrameError::Version(versions)) if versions == [4]
    ));
}

#[test]
fn the_first_frame_must_be_a_hello() {
    let early = r#"{"v":2,"type":"started","seq":1,"statement":0,"at":0}"#;
    assert!(matches!(Hello::parse(early), Err(FrameError::Syntax(_))));
}

#[test]
fn a_frame_may_name_its_session() {
    let started = Event::Started {
        statement: StatementId(3),
        at: 7,
    };
    let named = r#"{"v":2,"type":"started","seq":5,"session":9,"statement":3,"at":7}"#;
    assert_eq!(event(named), (5, Some(SessionId(9)), started.clone()));
    let only = r#"{"v":1,"type":"started","seq":5,"statement":3,"at":7}"#;
    assert_eq!(event(only), (5, None, started));
    let notice = r#"{"v":2,"type":"progress","session":9,"statement":3,"progress":0.5}"#;
    assert!(matches!(
        AgentFrame::parse(notice),
        Ok(AgentFrame::Notice {
            session: Some(SessionId(9)),
            ..
        })
    ));
    let cancel = CommandFrame {
        session: Some(SessionId(9)),
        command: Command::Cancel {
            statement: StatementId(3),
            force: false,
        },
        turn: Turn::default(),
    };
    assert_eq!(
        cancel.to_text(2),
        r#"{"v":2,"session":9,"type":"cancel","statement":3}"#
    );
    let again = CommandFrame::from(Command::Cancel {
        statement: StatementId(3),
        force: true,
    });
    assert_eq!(
        again.to_text(2),
        r#"{"v":2,"type":"cancel","statement":3,"force":true}"#
    );
}

#[test]
fn a_driver_that_waits_for_its_session_is_told_to_begin() {
    let up = r#"{"v":3,"type":"contextUp","seq":1,"appId":"local-1","sparkUiUrl":null}"#;
    let context = Event::ContextUp {
        app_id: "local-1".to_owned(),
        spark_ui_url: None,
    };
    assert_eq!(event(up), (1, None, context));
    let primed = r#"{"v":3,"type":"primed","seq":1}"#;
    assert_eq!(event(primed), (1, None, Event::Primed));
    let told = r#"{"v":3,"type":"begun","seq":2,"error":null}"#;
    assert_eq!(event(told), (2, None, Event::Begun { error: None }));
    let refused = r#"{"v":3,"type":"begun","seq":2,"error":"spark.sql.x: no"}"#;
    let error = Some("spark.sql.x: no".to_owned());
    assert_eq!(event(refused), (2, None, Event::Begun { error }));
    let begin = CommandFrame::from(Command::Begin {
        document: Map::from_iter([("kind".to_owned(), "sql".into())]),
        conf: BTreeMap::from([("spark.app.name".to_owned(), "x".to_owned())]),
    });
    assert_eq!(
        begin.to_text(3),
        r#"{"v":3,"type":"begin","document":{"kind":"sql"},"conf":{"spark.app.name":"x"}}"#
    );
}

#[test]
fn an_event_that_cannot_be_read_is_known_by_its_head() {
    let lone_surrogate = r#"{"v":2,"type":"finished","seq":5,"statement":3,"at":7,"cancelled":false,"output":"\ud83d","chunks":0}"#;
    let (seq, _, told) = event(lone_surrogate);
    assert_eq!(seq, 5);
    assert!(
        matches!(
            told,
            Event::Unreadable {
                ends: Some(Work::Statement(StatementId(3))),
                ..
            }
        ),
        "{told:?}"
    );
    let job = r#"{"v":2,"type":"jobFinished","seq":6,"job":2,"at":7,"outcome":"melted"}"#;
    assert!(matches!(
        event(job).2,
        Event::Unreadable {
            ends: Some(Work::Job(JobId(2))),
            ..
        }
    ));
    let chunk = r#"{"v":2,"type":"chunk","seq":7,"statement":3,"index":0,"text":"\ud83d"}"#;
    assert!(matches!(
        event(chunk).2,
        Event::Unreadable { ends: None, .. }
    ));
}

#[test]
fn an_unknown_type_is_ignored_and_a_frame_without_its_head_is_not() {
    let later = r#"{"v":2,"type":"sighed"}"#;
    assert_eq!(AgentFrame::parse(later).unwrap(), AgentFrame::Unknown);
    // An event is acknowledged all the same, so the agent can go on to the next one.
    let (seq, _, told) = event(r#"{"v":2,"type":"sighed","seq":5}"#);
    assert_eq!(seq, 5);
    assert!(
        matches!(told, Event::Unreadable { ends: None, .. }),
        "{told:?}"
    );
    assert!(AgentFrame::parse("{}").is_err());
    assert!(AgentFrame::parse(r#"{"v":2,"type":"started","statement":0,"at":0}"#).is_err());
    assert!(AgentFrame::parse(r#"{"v":9,"type":"started"}"#).is_err());
}
