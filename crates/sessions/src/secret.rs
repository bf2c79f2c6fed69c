//! The agents' secrets: made for one launch, stored as a hash.

use livius_domain::hex::hex;
use secrecy::SecretString;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// A new secret, and its hash for the store.
pub(crate) fn new_token() -> (SecretString, String) {
    let token = hex(&random::<32>());
    let hash = hash(&token);
    (SecretString::from(token), hash)
}

/// Tells whether this is the secret that has that hash. The comparison takes the same time wherever
/// the difference is.
pub(crate) fn is_token(hash_of_it: &str, token: &str) -> bool {
    hash_of_it.as_bytes().ct_eq(hash(token).as_bytes()).into()
}

/// Unpredictable random bytes.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system's random source works from boot on");
    bytes
}

fn hash(token: &str) -> String {
    hex(&Sha256::digest(token.as_bytes()))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn a_secret_matches_its_own_hash_and_no_other() {
        let (token, hash) = new_token();
        assert!(is_token(&hash, token.expose_secret()));
        let (other, _) = new_token();
        assert!(!is_token(&hash, other.expose_secret()));
        assert!(!is_token("", token.expose_secret()));
    }
}
