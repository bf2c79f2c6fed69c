//! The agent's WebSocket over a real socket.

use axum::http::HeaderMap;
use futures_util::{SinkExt as _, StreamExt as _};
use livius_domain::{Exit, SessionId};
use livius_testkit::{AgentProof, DriverOrder, World};
use secrecy::ExposeSecret as _;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

const S0: SessionId = SessionId(0);

const WELCOME: &str = r#"{"v":3,"type":"welcome","acked":0}"#;

type Response = tokio_tungstenite::tungstenite::http::Response<Option<Vec<u8>>>;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

struct Gateway {
    world: World,
    address: String,
    driver: String,
    token: String,
    order: DriverOrder,
    server: tokio::task::JoinHandle<()>,
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.server.abort();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test's server ends with the test"
)]
async fn gateway() -> Gateway {
    let world = World::new().await;
    world.post("/sessions", r#"{"kind":"sql"}"#).await;
    let (order, _) = world.driver(S0).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = world.router();
    let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let token = order.token.expose_secret().to_owned();
    let driver = order.id.to_string();
    Gateway {
        world,
        address: format!("ws://{address}{}", livius_http::AGENT_PATH),
        driver,
        token,
        order,
        server,
    }
}

impl Gateway {
    async fn connect(
        &self,
        driver: Option<&str>,
        authorization: Option<&str>,
    ) -> Result<Socket, u16> {
        let mut request = self.address.as_str().into_client_request().unwrap();
        for (name, value) in [("livius-driver", driver), ("authorization", authorization)] {
            if let Some(value) = value {
                request.headers_mut().insert(name, value.parse().unwrap());
            }
        }
        self.ask(request.headers())
            .await
            .map_err(|response| response.status().as_u16())
    }

    async fn ask(&self, headers: &HeaderMap) -> Result<Socket, Box<Response>> {
        let mut request = self.address.as_str().into_client_request().unwrap();
        request.headers_mut().extend(headers.clone());
        match connect_async(request).await {
            Ok((socket, _)) => Ok(socket),
            Err(Error::Http(response)) => Err(response),
            Err(other) => panic!("{other}"),
        }
    }

    /// Asks with these headers of an agent's proof.
    async fn try_proof(&self, pairs: Vec<(&'static str, String)>) -> Result<Socket, Box<Response>> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(name, value.parse().unwrap());
        }
        self.ask(&headers).await
    }

    /// Gets a challenge, after a look at the server's proof.
    async fn challenge(&self, proof: &AgentProof) -> String {
        let response = self.try_proof(proof.headers()).await.err().unwrap();
        let text = |name| response.headers()[name].to_str().unwrap();
        let challenge = text("livius-challenge");
        assert_eq!(response.status(), 401);
        assert!(proof.is_proven(401, challenge, text("livius-proof")));
        challenge.to_owned()
    }

    async fn agent(&self) -> Socket {
        let proof = AgentProof::of(&self.order, "connect");
        let challenge = self.challenge(&proof).await;
        let headers = proof.answer(&challenge, b"");
        let mut socket = self.try_proof(headers).await.unwrap();
        let hello = format!(
            r#"{{"v":3,"type":"hello","versions":[3],"driver":"{}","instance":"i","pid":1,"spark":"4.1.4","scala":"2.13","java":"17","firstSeq":1,"lastSeq":0,"sessions":[{{"active":null,"queued":[],"jobs":[]}}]}}"#,
            self.driver
        );
        socket.send(Message::text(hello)).await.unwrap();
        socket
    }

    /// An agent as the servers of an earlier protocol version started it.
    async fn earlier_agent(&self, version: u32) -> Socket {
        let versions = match version {
            1 => String::new(),
            _ => format!(r#""versions":[{version}],"#),
        };
        let hello = format!(
            r#"{{"v":{version},"type":"hello",{versions}"driver":"{}","instance":"i","pid":1,"spark":"4.1.4","scala":"2.13","java":"17","firstSeq":1,"lastSeq":0}}"#,
            self.driver
        );
        let authorization = format!("Bearer {}", self.token);
        let mut socket = self
            .connect(Some(&self.driver), Some(&authorization))
            .await
            .unwrap();
        socket.send(Message::text(hello)).await.unwrap();
        socket
    }

    /// Brings the session up, has it run a statement, and returns the command for it.
    async fn run(&self, socket: &mut Socket, version: u32) -> String {
        let ready = json!({"v": version, "seq": 1, "type": "ready", "appId": "local-1", "sparkUiUrl": null, "sparkUser": "me", "master": "local[2]"});
        socket.send(Message::text(ready.to_string())).await.unwrap();
        self.world.await_state(S0, "idle").await;
        self.world.run("select 1").await;
        loop {
            let command = text(socket).await.unwrap();
            if command.contains(r#""type":"run""#) {
                return command;
            }
        }
    }
}

async fn text(socket: &mut Socket) -> Option<String> {
    loop {
        match socket.next().await? {
            Ok(Message::Text(text)) => return Some(text.as_str().to_owned()),
            Ok(Message::Close(_)) | Err(_) => return None,
            Ok(_) => {}
        }
    }
}

#[tokio::test]
async fn only_the_drivers_own_secret_opens_the_socket() {
    let gateway = gateway().await;
    let good = format!("Bearer {}", gateway.token);
    let driver = gateway.driver.as_str();
    for (driver, authorization, status) in [
        (Some(driver), None, 401),
        (None, Some(good.as_str()), 401),
        (Some(driver), Some("Bearer wrong"), 401),
        (Some(driver), Some("Basic eDp5"), 401),
        (Some("s-0-000000000000"), Some(good.as_str()), 404),
        (Some("../../etc"), Some(good.as_str()), 404),
    ] {
        let refused = gateway.connect(driver, authorization).await.err();
        assert_eq!(refused, Some(status), "{driver:?} {authorization:?}");
    }
    assert!(gateway.connect(Some(driver), Some(&good)).await.is_ok());
    let plain = gateway.world.get(livius_http::AGENT_PATH).await;
    assert_eq!(plain.status, 401);
}

#[tokio::test]
async fn a_session_runs_a_statement_over_the_socket() {
    let gateway = gateway().await;
    let mut socket = gateway.agent().await;
    let welcome = text(&mut socket).await.unwrap();
    assert_eq!(welcome, WELCOME);
    let run = gateway.run(&mut socket, 3).await;
    assert_eq!(
        run,
        r#"{"v":3,"type":"run","statement":0,"kind":"sql","code":"select 1"}"#
    );
    // The longest output that fits into one frame.
    let output =
        json!({"status": "ok", "execution_count": 0, "data": {"text/plain": "x".repeat(60_000)}});
    let finished = json!({
        "v": 3, "seq": 2, "type": "finished", "statement": 0, "at": 5, "cancelled": false, "output": output.to_string(), "chunks": 0
    });
    socket
        .send(Message::text(finished.to_string()))
        .await
        .unwrap();
    let statement = gateway.world.await_statement(S0, 0, "available").await;
    assert_eq!(statement["output"], output);
}

#[tokio::test]
async fn a_driver_of_an_earlier_server_is_served_in_its_own_version() {
    for version in [1, 2] {
        let gateway = gateway().await;
        let mut socket = gateway.earlier_agent(version).await;
        let welcome = text(&mut socket).await.unwrap();
        let expected = format!(r#"{{"v":{version},"type":"welcome","acked":0}}"#);
        assert_eq!(welcome, expected);
        let run = gateway.run(&mut socket, version).await;
        let expected = format!(r#"{{"v":{version},"type":"run","#);
        assert!(run.starts_with(&expected), "{run}");
        let finished = json!({"v": version, "seq": 2, "type": "finished", "statement": 0, "at": 5, "cancelled": false, "output": "{}", "chunks": 0});
        socket
            .send(Message::text(finished.to_string()))
            .await
            .unwrap();
        gateway.world.await_statement(S0, 0, "available").await;
    }
}

#[tokio::test]
async fn agent_and_server_prove_themselves_and_nothing_can_be_replayed() {
    let gateway = gateway().await;
    let proof = AgentProof::of(&gateway.order, "connect");
    let challenge = gateway.challenge(&proof).await;
    let good = proof.answer(&challenge, b"");
    assert!(
        good.iter()
            .all(|(_, value)| !value.contains(&gateway.token))
    );
    let replaced = |name: &str, value: &str| {
        let mut headers = good.clone();
        let found = headers.iter_mut().find(|(known, _)| *known == name);
        found.unwrap().1 = value.to_owned();
        headers
    };
    let other = AgentProof::of(&gateway.order, "application");
    let others = other.answer(&challenge, b"").pop().unwrap().1;
    for wrong in [
        replaced("livius-proof", &"0".repeat(64)),
        replaced("livius-proof", &others),
        replaced("livius-nonce", &"0".repeat(32)),
        replaced("livius-challenge", "0-0-0"),
    ] {
        let refused = gateway.try_proof(wrong.clone()).await.err().unwrap();
        assert_eq!(refused.status(), 401, "{wrong:?}");
        assert!(refused.headers().contains_key("livius-challenge"));
    }
    assert!(gateway.try_proof(good.clone()).await.is_ok());
    let again = gateway.try_proof(good).await.err().unwrap();
    assert_eq!(again.status(), 401);
}

#[tokio::test]
async fn the_server_proves_the_connection_and_the_end_and_no_unknown_driver() {
    let gateway = gateway().await;
    let proof = AgentProof::of(&gateway.order, "connect");
    let challenge = gateway.challenge(&proof).await;
    let mut request = gateway.address.as_str().into_client_request().unwrap();
    for (name, value) in proof.answer(&challenge, b"") {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    let (_socket, response) = connect_async(request).await.unwrap();
    let proven = response.headers()["livius-proof"].to_str().unwrap();
    assert!(proof.is_proven(101, "", proven));
    assert!(!proof.is_proven(404, "", proven));

    // A driver that no store knows: nothing is proven, so its agent keeps trying.
    let mut headers = proof.headers();
    headers[0].1 = "s-0-000000000000".to_owned();
    let refused = gateway.try_proof(headers).await.err().unwrap();
    assert_eq!(refused.status(), 404);
    assert!(!refused.headers().contains_key("livius-proof"));

    gateway.world.driver(S0).await.1.exit(Exit::Code(1));
    gateway.world.await_state(S0, "dead").await;
    gateway.world.quiesced().await;
    let refused = gateway.try_proof(proof.headers()).await.err().unwrap();
    let proven = refused.headers()["livius-proof"].to_str().unwrap();
    assert_eq!(refused.status(), 404);
    assert!(proof.is_proven(404, "", proven));
}

#[tokio::test]
async fn an_end_that_cannot_be_read_is_an_end_all_the_same() {
    let gateway = gateway().await;
    let mut socket = gateway.agent().await;
    gateway.run(&mut socket, 3).await;
    let poison = r#"{"v":3,"seq":2,"type":"finished","statement":0,"at":5,"cancelled":false,"output":"\ud83d","chunks":0}"#;
    socket.send(Message::text(poison)).await.unwrap();
    let statement = gateway.world.await_statement(S0, 0, "available").await;
    assert_eq!(statement["output"]["ename"], "InvalidOutput");
    gateway.world.await_state(S0, "idle").await;
    // It is acknowledged, so that the agent does not say it again.
    assert_eq!(
        text(&mut socket).await.as_deref(),
        Some(r#"{"v":3,"type":"ack","seq":2}"#)
    );
}

#[tokio::test]
async fn what_is_not_a_frame_closes_the_socket() {
    let gateway = gateway().await;
    for nonsense in [
        Message::text("nonsense"),
        Message::binary(vec![0, 1, 2]),
        Message::text("x".repeat(17 << 20)),
    ] {
        let mut socket = gateway.agent().await;
        text(&mut socket).await.expect("a welcome");
        let _ = socket.send(nonsense).await;
        assert_eq!(text(&mut socket).await, None);
    }
    // The session is unchanged and accepts the agent again.
    let mut socket = gateway.agent().await;
    assert_eq!(text(&mut socket).await.as_deref(), Some(WELCOME));
}
