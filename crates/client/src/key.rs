//! The key with which a request is sent again.

use livius_domain::hex::hex;

/// The name of the header in documents and messages.
pub const NAME: &str = "Idempotency-Key";

/// The name of the header in requests.
pub const HEADER: &str = "idempotency-key";

/// A key that no other request has.
pub fn random() -> String {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the system's random source works from boot on");
    hex(&bytes)
}
