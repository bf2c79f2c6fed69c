//! The proofs of a driver's agent.

use axum::http::{HeaderMap, StatusCode};
use livius_agent_link::{
    AgentKey, CHALLENGE_HEADER, DRIVER_HEADER, NONCE_HEADER, PROOF_HEADER, ProvenRequest,
};
use livius_domain::DriverId;
use livius_launch::DriverOrder;
use secrecy::ExposeSecret as _;

/// An agent that proves its requests, and checks the proofs of the responses.
pub struct AgentProof {
    driver: DriverId,
    key: AgentKey,
    nonce: String,
    purpose: String,
}

impl AgentProof {
    /// The agent of a driver, with a purpose of its requests.
    pub fn of(order: &DriverOrder, purpose: &str) -> Self {
        Self::new(order.id.as_str(), order.token.expose_secret(), purpose)
    }

    /// The agent of a driver, by the driver's id and token.
    pub fn new(driver: &str, token: &str, purpose: &str) -> Self {
        Self {
            driver: DriverId::parse(driver).unwrap(),
            key: AgentKey::of_token(token),
            nonce: "0123456789abcdef".repeat(2),
            purpose: purpose.to_owned(),
        }
    }

    /// The headers of a request that asks for a challenge.
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        vec![
            (DRIVER_HEADER, self.driver.to_string()),
            (NONCE_HEADER, self.nonce.clone()),
        ]
    }

    /// The headers of a request that answers a challenge.
    pub fn answer(&self, challenge: &str, body: &[u8]) -> Vec<(&'static str, String)> {
        let proof = self.key.request_proof(self.request(), challenge, body);
        let mut headers = self.headers();
        headers.push((CHALLENGE_HEADER, challenge.to_owned()));
        headers.push((PROOF_HEADER, proof));
        headers
    }

    /// Whether a response bears the server's proof.
    pub fn is_proven(&self, status: u16, challenge: &str, proof: &str) -> bool {
        self.key.response_proof(self.request(), status, challenge) == proof
    }

    /// Panics if a response has a proof that is wrong.
    pub(crate) fn verify(&self, status: StatusCode, headers: &HeaderMap) {
        let text = |name| headers.get(name).map(|value| value.to_str().unwrap());
        if let Some(proof) = text(PROOF_HEADER) {
            let challenge = text(CHALLENGE_HEADER).unwrap_or_default();
            assert!(self.is_proven(status.as_u16(), challenge, proof));
        }
    }

    fn request(&self) -> ProvenRequest<'_> {
        ProvenRequest {
            driver: &self.driver,
            nonce: &self.nonce,
            purpose: &self.purpose,
        }
    }
}
