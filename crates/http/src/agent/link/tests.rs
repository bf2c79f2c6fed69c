use std::cell::RefCell;

use livius_agent_link::{Command, Event};
use livius_domain::{Kind, SessionId, StatementId};
use tokio::time::Instant;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tokio_util::sync::PollSender;

use super::*;

const HELLO: &str = r#"{"v":1,"type":"hello","driver":"s-0-000000000000","instance":"i","pid":1,"spark":"4.1.4","scala":"2.13","java":"17","firstSeq":1,"lastSeq":0}"#;

/// One connection: the agent's side of the socket and the session's side.
struct Connection {
    agent: Option<mpsc::UnboundedSender<Result<Message, String>>>,
    sent: mpsc::Receiver<Message>,
    attached: tokio::sync::oneshot::Receiver<AgentSocket>,
}

fn connect(refused: Option<AttachRefused>) -> (Connection, impl Future<Output = End>) {
    let (agent, stream) = mpsc::unbounded_channel();
    let (sink, sent) = mpsc::channel(64);
    let (attach, attached) = tokio::sync::oneshot::channel();
    let attach = RefCell::new(Some(attach));
    let driver = DriverId::for_session(SessionId(0), [0; 6]);
    let run = async move {
        let accept = async |socket| {
            if let Some(refused) = refused {
                return Err(refused);
            }
            let attach = attach.take().expect("attached once");
            attach.send(socket).expect("the test waits");
            Ok(())
        };
        run(
            &driver,
            PollSender::new(sink),
            UnboundedReceiverStream::new(stream),
            accept,
        )
        .await
    };
    (
        Connection {
            agent: Some(agent),
            sent,
            attached,
        },
        run,
    )
}

fn send(connection: &Connection, message: Result<Message, String>) {
    connection.agent.as_ref().unwrap().send(message).unwrap();
}

fn say(connection: &Connection, text: &str) {
    send(connection, Ok(Message::Text(text.to_owned().into())));
}

async fn close_code_of(connection: &mut Connection) -> u16 {
    loop {
        if let Message::Close(Some(frame)) =
            connection.sent.recv().await.expect("a close frame comes")
        {
            return frame.code;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn frames_go_both_ways() {
    let (mut connection, run) = connect(None);
    say(&connection, HELLO);
    let test = async {
        let mut socket = (&mut connection.attached).await.unwrap();
        assert_eq!(socket.hello.pid, 1);
        send(&connection, Ok(Message::Ping(Vec::new().into())));
        say(&connection, r#"{"v":1,"type":"brandNew"}"#);
        say(
            &connection,
            r#"{"v":1,"seq":7,"type":"started","statement":3,"at":5}"#,
        );
        let frame = socket.incoming.recv().await.unwrap();
        assert_eq!(
            *frame,
            AgentFrame::Event {
                seq: 7,
                session: None,
                event: Event::Started {
                    statement: StatementId(3),
                    at: 5
                }
            }
        );
        let run = CommandFrame::from(Command::Run {
            statement: StatementId(0),
            kind: Kind::Sql,
            code: "select 1".into(),
        });
        socket.outgoing.send(Box::new(run.clone())).await.unwrap();
        assert_eq!(
            connection.sent.recv().await,
            Some(Message::Text(run.to_text(1).into()))
        );
        drop(socket);
        assert_eq!(close_code_of(&mut connection).await, close_code::NORMAL);
    };
    let (end, ()) = tokio::join!(run, test);
    assert!(matches!(end, End::Released), "{end:?}");
}

#[tokio::test(start_paused = true)]
async fn a_silent_agent_is_asked_and_then_given_up() {
    let (mut connection, run) = connect(None);
    say(&connection, HELLO);
    let began = Instant::now();
    let test = async {
        let _socket = (&mut connection.attached).await.unwrap();
        let mut pings = Vec::new();
        while let Some(Message::Ping(_)) = connection.sent.recv().await {
            pings.push(began.elapsed().as_secs());
        }
        assert_eq!(pings, [15, 30]);
    };
    let (end, ()) = tokio::join!(run, test);
    assert!(matches!(end, End::Silent), "{end:?}");
    assert_eq!(began.elapsed().as_secs(), 45);
}

#[tokio::test(start_paused = true)]
async fn a_pong_is_a_sign_of_life() {
    let (mut connection, run) = connect(None);
    say(&connection, HELLO);
    let test = async {
        let _socket = (&mut connection.attached).await.unwrap();
        for _ in 0..10 {
            assert!(matches!(
                connection.sent.recv().await,
                Some(Message::Ping(_))
            ));
            send(&connection, Ok(Message::Pong(Vec::new().into())));
        }
        connection.agent = None;
    };
    let (end, ()) = tokio::join!(run, test);
    assert!(matches!(end, End::Closed), "{end:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_the_protocol_ends_the_connection() {
    let text = |text: &str| Ok(Message::Text(text.to_owned().into()));
    for (message, code) in [
        (text("not json"), close_code::PROTOCOL),
        (text(r#"{"v":4,"type":"started"}"#), close_code::PROTOCOL),
        (text(r#"{"v":1,"type":"started"}"#), close_code::PROTOCOL),
        (Ok(Message::Binary(vec![1].into())), close_code::UNSUPPORTED),
        (Err("reset".to_owned()), close_code::AWAY),
        (Ok(Message::Close(None)), close_code::NORMAL),
    ] {
        let (mut connection, run) = connect(None);
        say(&connection, HELLO);
        send(&connection, message.clone());
        run.await;
        assert_eq!(close_code_of(&mut connection).await, code, "{message:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn only_the_right_agent_is_attached() {
    let other = HELLO.replace("s-0-", "s-1-");
    for (first, refused) in [
        (Some(other.as_str()), None),
        (Some(HELLO), Some(AttachRefused::UnknownDriver)),
        (None, None),
    ] {
        let (mut connection, run) = connect(refused);
        if let Some(first) = first {
            say(&connection, first);
        }
        run.await;
        assert_eq!(
            close_code_of(&mut connection).await,
            close_code::POLICY,
            "{first:?}"
        );
        assert!(connection.attached.try_recv().is_err());
    }
    let (mut connection, run) = connect(None);
    say(
        &connection,
        r#"{"v":1,"seq":7,"type":"started","statement":3,"at":5}"#,
    );
    run.await;
    assert_eq!(close_code_of(&mut connection).await, close_code::PROTOCOL);
}

#[tokio::test(start_paused = true)]
async fn a_slow_session_slows_the_agent_and_loses_nothing() {
    let (mut connection, run) = connect(None);
    say(&connection, HELLO);
    let test = async {
        let mut socket = (&mut connection.attached).await.unwrap();
        for seq in 0..200 {
            say(
                &connection,
                &format!(r#"{{"v":1,"seq":{seq},"type":"started","statement":3,"at":5}}"#),
            );
        }
        tokio::time::advance(Duration::from_mins(1)).await;
        for expected in 0..200 {
            match socket.incoming.recv().await.as_deref() {
                Some(AgentFrame::Event { seq, .. }) => assert_eq!(*seq, expected),
                other => panic!("{other:?}"),
            }
        }
        connection.agent = None;
    };
    let (end, ()) = tokio::join!(run, test);
    assert!(matches!(end, End::Closed), "{end:?}");
}

/// The frames that wait for the session have a limit in bytes as well: a long one waits until no
/// other does.
#[tokio::test(start_paused = true)]
async fn long_frames_wait_one_at_a_time() {
    let (mut connection, run) = connect(None);
    say(&connection, HELLO);
    let long = "x".repeat(SHORT_FRAME_BYTES);
    let chunk = |seq: u64, text: &str| {
        format!(r#"{{"v":1,"seq":{seq},"type":"chunk","statement":3,"index":0,"text":"{text}"}}"#)
    };
    for seq in 1..=3 {
        say(&connection, &chunk(seq, "short"));
    }
    for seq in 4..=6 {
        say(&connection, &chunk(seq, &long));
    }
    let test = async {
        let mut socket = (&mut connection.attached).await.unwrap();
        let mut most = 0;
        for expected in 1..=6 {
            // A timer that fires means that the connection has nothing more to do.
            tokio::time::sleep(Duration::from_millis(1)).await;
            let waiting = socket.incoming.len();
            if expected > 3 {
                assert_eq!(waiting, 1, "before frame {expected}");
            }
            most = most.max(waiting);
            match socket.incoming.recv().await.as_deref() {
                Some(AgentFrame::Event { seq, .. }) => assert_eq!(*seq, expected),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(most, 3);
        drop(socket);
    };
    let (end, ()) = tokio::join!(run, test);
    assert!(matches!(end, End::Released), "{end:?}");
}
