//! One request of an agent: the two sides prove that they know the driver's secret.

use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use livius_agent_link::{
    AgentKey, CHALLENGE_HEADER, DRIVER_HEADER, NONCE_HEADER, PROOF_HEADER, ProvenRequest, is_nonce,
};
use livius_domain::DriverId;
use livius_sessions::{AgentAccess, AttachRefused};
use secrecy::{ExposeSecret as _, SecretString};

use super::challenges::Challenges;
use crate::v1::Problem;

/// A request of an agent, before the server knows whether to believe it.
pub struct Visit {
    pub driver: DriverId,
    evidence: Evidence,
}

enum Evidence {
    /// The secret itself. Drivers that earlier servers have started send it.
    Token(SecretString),
    Proof {
        nonce: String,
        answer: Option<Answer>,
    },
}

/// The agent's answer to a challenge of the server.
struct Answer {
    challenge: String,
    proof: String,
}

impl Visit {
    /// Reads an agent's name and its evidence from the headers of a request.
    pub fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let driver = headers.get(DRIVER_HEADER).ok_or_else(anonymous)?;
        let driver = driver.to_str().ok().and_then(DriverId::parse);
        let nonce = text(NONCE_HEADER).filter(|nonce| is_nonce(nonce));
        let evidence = match (nonce, bearer(headers)) {
            (Some(nonce), _) => Evidence::Proof {
                nonce: nonce.to_owned(),
                answer: text(CHALLENGE_HEADER)
                    .zip(text(PROOF_HEADER))
                    .map(|(challenge, proof)| Answer {
                        challenge: challenge.to_owned(),
                        proof: proof.to_owned(),
                    }),
            },
            (None, Some(token)) => Evidence::Token(token),
            (None, None) => return Err(anonymous()),
        };
        Ok(Self {
            driver: driver.ok_or(AttachRefused::UnknownDriver)?,
            evidence,
        })
    }

    /// Handles the request if the agent has proved itself, and adds the server's own proof to the
    /// response. A response to a driver whose key the server does not have bears no proof.
    pub async fn serve(
        self,
        challenges: &Challenges,
        access: Result<AgentAccess, AttachRefused>,
        asked: Asked<'_>,
        handle: impl AsyncFnOnce(AgentKey) -> Result<Response, Problem>,
    ) -> Response {
        let access = match access {
            Ok(access) => access,
            Err(refused) => return Problem::from(refused).into_response(),
        };
        let checked = self.check(challenges, &access, asked);
        let result = match checked {
            Ok(()) => handle(access.key.clone()).await,
            Err(problem) => Err(problem),
        };
        let mut response = result.unwrap_or_else(Problem::into_response);
        if let Evidence::Proof { nonce, .. } = &self.evidence {
            let request = self.request(nonce, asked);
            prove(&mut response, &access.key, request);
        }
        response
    }

    fn check(
        &self,
        challenges: &Challenges,
        access: &AgentAccess,
        asked: Asked<'_>,
    ) -> Result<(), Problem> {
        match &self.evidence {
            Evidence::Token(token) => {
                let key = AgentKey::of_token(token.expose_secret());
                if !access.key.is(&key) {
                    return Err(AttachRefused::WrongToken.into());
                }
            }
            Evidence::Proof { nonce, answer } => {
                let request = self.request(nonce, asked);
                let is_good = answer.as_ref().is_some_and(|Answer { challenge, proof }| {
                    access
                        .key
                        .proves_request(request, challenge, asked.body, proof)
                        && challenges.redeem(&self.driver, challenge)
                });
                if !is_good && !access.is_over {
                    return Err(challenge(challenges.issue(&self.driver)));
                }
            }
        }
        if access.is_over {
            return Err(AttachRefused::UnknownDriver.into());
        }
        Ok(())
    }

    fn request<'a>(&'a self, nonce: &'a str, asked: Asked<'a>) -> ProvenRequest<'a> {
        ProvenRequest {
            driver: &self.driver,
            nonce,
            purpose: asked.purpose,
        }
    }
}

/// The part of a request that the agent's proof covers.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    pub purpose: &'a str,
    pub body: &'a [u8],
}

/// Adds the server's proof to a response.
fn prove(response: &mut Response, key: &AgentKey, request: ProvenRequest<'_>) {
    let challenge = response.headers().get(CHALLENGE_HEADER);
    let challenge = challenge.and_then(|value| value.to_str().ok());
    let status = response.status().as_u16();
    let proof = key.response_proof(request, status, challenge.unwrap_or_default());
    let proof = HeaderValue::try_from(proof).expect("hex is a header's value");
    response.headers_mut().insert(PROOF_HEADER, proof);
}

/// The request does not name a driver or brings no evidence.
fn anonymous() -> Problem {
    Problem::from(AttachRefused::WrongToken)
        .hint("send the driver's name in 'Livius-Driver' and a new random number in 'Livius-Nonce'")
}

/// The agent has to send its request again, with a proof.
fn challenge(challenge: String) -> Problem {
    let challenge = HeaderValue::try_from(challenge).expect("hex is a header's value");
    Problem::new(
        StatusCode::UNAUTHORIZED,
        "proof_needed",
        "the request does not prove that the agent knows the driver's secret",
    )
    .with(
        WWW_AUTHENTICATE,
        HeaderValue::from_static("Livius-Challenge"),
    )
    .with(
        axum::http::HeaderName::from_static(CHALLENGE_HEADER),
        challenge,
    )
}

fn bearer(headers: &HeaderMap) -> Option<SecretString> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer")).then(|| SecretString::from(token.trim()))
}
