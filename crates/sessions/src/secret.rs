//! The agents' secrets: made for one launch, stored as a hash.

use livius_domain::hex::hex;
use secrecy::SecretString;
use sha2::{Digest as _, Sha256};

/// A new secret, and what is stored of it.
pub(crate) fn new_token() -> (SecretString, String) {
    let token = hex(&random::<32>());
    let hash = hash(&token);
    (SecretString::from(token), hash)
}

/// Whether this is the secret that has that hash.
pub(crate) fn is_token(hash_of_it: &str, token: &str) -> bool {
    same(hash_of_it, &hash(token))
}

/// Random bytes, which nobody can guess.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system's random source works from boot on");
    bytes
}

fn hash(token: &str) -> String {
    hex(&Sha256::digest(token.as_bytes()))
}

/// Compares in the same time wherever the difference is.
fn same(a: &str, b: &str) -> bool {
    a.len() == b.len()
        && a.bytes()
            .zip(b.bytes())
            .fold(0, |difference, (a, b)| difference | (a ^ b))
            == 0
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
