//! How the agent and the server prove to each other that they know the driver's secret, without
//! sending it.

use hmac::{Hmac, KeyInit as _, Mac as _};
use livius_domain::DriverId;
use livius_domain::hex::hex;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// The header with the driver's name.
pub const DRIVER_HEADER: &str = "livius-driver";

/// The header with the number that an agent makes up for one request.
pub const NONCE_HEADER: &str = "livius-nonce";

/// The header with the server's challenge: the server sends it, and the agent repeats it.
pub const CHALLENGE_HEADER: &str = "livius-challenge";

/// The header with the proof of the sender.
pub const PROOF_HEADER: &str = "livius-proof";

/// The purpose of a request for a connection.
pub const CONNECT: &str = "connect";

/// The purpose of the report of a batch's application.
pub const REPORT: &str = "application";

/// The key of both sides' proofs: SHA-256 of the driver's secret in hex, as the store has it.
#[derive(Debug, Clone)]
pub struct AgentKey(SecretString);

/// The facts about an agent's request that both proofs cover.
#[derive(Debug, Clone, Copy)]
pub struct ProvenRequest<'a> {
    pub driver: &'a DriverId,
    /// Made up by the agent, so that no recorded response fits.
    pub nonce: &'a str,
    /// The thing that the agent asks for. It stands for the path, which a proxy may rewrite.
    pub purpose: &'a str,
}

impl AgentKey {
    /// The key of a secret.
    pub fn of_token(token: &str) -> Self {
        Self::of_hash(hex(&Sha256::digest(token.as_bytes())))
    }

    /// The key as the store has it.
    pub fn of_hash(hash: String) -> Self {
        Self(SecretString::from(hash))
    }

    /// The text for the store.
    pub fn as_hash(&self) -> &str {
        self.0.expose_secret()
    }

    /// Whether this is the same key. The comparison takes the same time wherever the difference is.
    pub fn is(&self, other: &Self) -> bool {
        is_equal(self.as_hash(), other.as_hash())
    }

    /// The agent's proof for a request that answers a challenge.
    pub fn request_proof(&self, of: ProvenRequest<'_>, challenge: &str, body: &[u8]) -> String {
        let body = hex(&Sha256::digest(body));
        self.mac(&[
            "livius request",
            of.driver.as_str(),
            of.nonce,
            of.purpose,
            challenge,
            &body,
        ])
    }

    /// Whether a proof is the agent's for this request.
    pub fn proves_request(
        &self,
        of: ProvenRequest<'_>,
        challenge: &str,
        body: &[u8],
        proof: &str,
    ) -> bool {
        is_equal(&self.request_proof(of, challenge, body), proof)
    }

    /// The server's proof for a response. `challenge` is empty when the response has none.
    pub fn response_proof(&self, of: ProvenRequest<'_>, status: u16, challenge: &str) -> String {
        self.mac(&[
            "livius response",
            of.driver.as_str(),
            of.nonce,
            of.purpose,
            &status.to_string(),
            challenge,
        ])
    }

    /// A message authentication code of lines, none of which has a line end in it.
    pub fn mac(&self, lines: &[&str]) -> String {
        let key = self.as_hash().as_bytes();
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key may have any length");
        mac.update(lines.join("\n").as_bytes());
        hex(&mac.finalize().into_bytes())
    }
}

/// The purpose of a request for an uploaded file.
pub fn resource_purpose(resource: livius_domain::ResourceId) -> String {
    format!("resource {resource}")
}

/// Whether a text can be a nonce.
pub fn is_nonce(text: &str) -> bool {
    (32..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_equal(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

#[cfg(test)]
mod tests;
