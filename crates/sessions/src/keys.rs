//! The keys of requests: what makes a repeated request the same request.
//!
//! A request first claims its key, so that no other request with the key is worked on at the same
//! time. The store then takes the key in the transaction that makes what the request asks for. The
//! claim keeps requests from each other; that nothing is made twice rests on the store alone.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use livius_domain::{Clock, Limits, Made, chain};
use livius_store::{KeptAnswer, KeyBounds, KeyRecord, NewKey, Store};

use crate::error::SessionError;
use crate::policy::Caller;

/// The longest body of an answer that is kept.
pub const KEPT_ANSWER_BYTES: usize = 64 << 10;

/// The bodies of all answers that are kept, in bytes.
const ALL_ANSWERS_BYTES: u64 = 64 << 20;

/// A caller and a key.
type Name = (String, String);

/// The keys of one server. Cheap to clone.
#[derive(Clone)]
pub struct Keys {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    claimed: Arc<Mutex<HashSet<Name>>>,
}

/// The right to work on the request with a key. It ends when this is dropped.
#[derive(Debug)]
pub struct Claim {
    name: Name,
    claimed: Arc<Mutex<HashSet<Name>>>,
}

/// A request with a key, whose claim lasts as long as this or a clone of it.
#[derive(Debug, Clone)]
pub struct Keyed {
    new: Arc<NewKey>,
    _claim: Arc<Claim>,
}

/// What a server knows of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyView {
    /// A request with it is being worked on.
    InProgress,
    /// A request with it was done.
    Done(KeyRecord),
}

impl Keys {
    pub(crate) fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self {
            store,
            clock,
            claimed: Arc::default(),
        }
    }

    /// Claims a key for a request of this caller.
    ///
    /// # Errors
    ///
    /// [`SessionError::KeyInUse`] while another request has the claim.
    pub fn claim(&self, caller: &Caller, key: &str) -> Result<Claim, SessionError> {
        let name = (scope(caller), key.to_owned());
        if !lock(&self.claimed).insert(name.clone()) {
            return Err(SessionError::KeyInUse);
        }
        let claimed = Arc::clone(&self.claimed);
        Ok(Claim { name, claimed })
    }

    /// The request of an earlier claim that was done.
    pub async fn done(&self, claim: &Claim) -> Result<Option<KeyRecord>, SessionError> {
        let (caller, key) = &claim.name;
        Ok(self.store.key(caller, key).await?)
    }

    /// The request of a claim that another request has, if what it made is certain to stay: a
    /// statement or a job. Its client may be gone without a word while it waits for the output.
    pub async fn settled(
        &self,
        caller: &Caller,
        key: &str,
    ) -> Result<Option<KeyRecord>, SessionError> {
        let record = self.store.key(&scope(caller), key).await?;
        let stays = |made| matches!(made, Some(Made::Statement(..) | Made::Job(..)));
        Ok(record.filter(|record| stays(record.made)))
    }

    /// The claimed key with its request, for the operation that the request asks for.
    pub fn keyed(&self, claim: Claim, request: String, fingerprint: [u8; 32]) -> Keyed {
        let (caller, key) = claim.name.clone();
        Keyed {
            new: Arc::new(NewKey {
                caller,
                key,
                request,
                fingerprint,
                made_at: self.clock.now(),
            }),
            _claim: Arc::new(claim),
        }
    }

    /// Stores the answer to a request. Without it, a repetition is answered from what the request
    /// made, so a failure is no reason to refuse the request.
    pub async fn keep(&self, keyed: &Keyed, answer: &KeptAnswer) {
        if let Err(error) = self.store.keep_answer(&keyed.new, answer).await {
            tracing::warn!(error = %chain(&error), "cannot keep the answer to a request with a key");
        }
    }

    /// What this server knows of a caller's key.
    pub async fn look(&self, caller: &Caller, key: &str) -> Result<Option<KeyView>, SessionError> {
        let name = (scope(caller), key.to_owned());
        if let Some(record) = self.store.key(&name.0, &name.1).await? {
            return Ok(Some(KeyView::Done(record)));
        }
        let is_claimed = lock(&self.claimed).contains(&name);
        Ok(is_claimed.then_some(KeyView::InProgress))
    }
}

impl Keyed {
    /// The same with another hash of the request, for a request that was read after its claim.
    #[must_use]
    pub fn with_fingerprint(mut self, fingerprint: [u8; 32]) -> Self {
        Arc::make_mut(&mut self.new).fingerprint = fingerprint;
        self
    }

    pub(crate) fn row(&self) -> &NewKey {
        &self.new
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        lock(&self.claimed).remove(&self.name);
    }
}

/// Forgets keys that are old or in excess.
pub(crate) async fn purge(store: &dyn Store, limits: &Limits, now: Timestamp) {
    let bounds = KeyBounds {
        made_before: now
            .checked_sub(limits.key_retention)
            .unwrap_or(Timestamp::MIN),
        keys: limits.keys as u64,
        answer_bytes: ALL_ANSWERS_BYTES,
    };
    loop {
        match store.purge_keys(bounds).await {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(error = %chain(&error), "cannot forget old keys of requests");
                return;
            }
        }
    }
}

/// The caller as text. No text of one caller is that of another.
pub(crate) fn scope(caller: &Caller) -> String {
    serde_json::json!([caller.user, caller.do_as]).to_string()
}

fn lock(claimed: &Mutex<HashSet<Name>>) -> MutexGuard<'_, HashSet<Name>> {
    claimed.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_have_scopes_of_their_own() {
        let caller = |user: Option<&str>, do_as: Option<&str>| Caller {
            user: user.map(str::to_owned),
            do_as: do_as.map(str::to_owned),
        };
        let scopes = [
            (None, None),
            (Some("a"), None),
            (None, Some("a")),
            (Some("a"), Some("b")),
            (Some("a\",\"b"), None),
            (Some("null"), None),
            (Some(""), None),
        ]
        .map(|(user, do_as)| scope(&caller(user, do_as)));
        let different: HashSet<&String> = scopes.iter().collect();
        assert_eq!(different.len(), scopes.len(), "{scopes:?}");
    }
}
