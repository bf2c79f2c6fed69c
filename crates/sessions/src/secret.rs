//! The agents' secrets: made for one launch, stored as a hash.

use livius_agent_link::AgentKey;
use livius_domain::hex::hex;
use secrecy::SecretString;

/// A new secret, and its key, whose hash is for the store.
pub(crate) fn new_token() -> (SecretString, AgentKey) {
    let token = hex(&random::<32>());
    let key = AgentKey::of_token(&token);
    (SecretString::from(token), key)
}

/// Unpredictable random bytes.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system's random source works from boot on");
    bytes
}
