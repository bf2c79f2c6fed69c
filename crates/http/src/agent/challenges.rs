//! The challenges that agents answer, so that no request can be sent twice.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use livius_agent_link::AgentKey;
use livius_domain::DriverId;
use livius_domain::hex::hex;
use tokio::time::Instant;

/// How long an agent may take to answer a challenge.
const LIFETIME: Duration = Duration::from_mins(1);

/// The challenges of this server process. A challenge carries its own seal, so the process keeps
/// nothing for the strangers that ask for one. It keeps the answered ones until they run out.
#[derive(Debug)]
pub struct Challenges {
    seal: AgentKey,
    began: Instant,
    answered: Mutex<HashMap<String, Duration>>,
}

impl Challenges {
    pub fn new() -> Self {
        Self {
            seal: AgentKey::of_token(&hex(&random::<32>())),
            began: Instant::now(),
            answered: Mutex::default(),
        }
    }

    /// A new challenge for the agent of a driver.
    pub fn issue(&self, driver: &DriverId) -> String {
        let end = (self.began.elapsed() + LIFETIME).as_millis();
        let body = format!("{end:x}-{}", hex(&random::<16>()));
        let seal = self.sealed(driver, &body);
        format!("{body}-{seal}")
    }

    /// Whether a challenge is one of this process for that driver, has not run out, and is answered
    /// for the first time.
    pub fn redeem(&self, driver: &DriverId, challenge: &str) -> bool {
        let now = self.began.elapsed();
        let Some(end) = self.end_of(driver, challenge).filter(|end| *end > now) else {
            return false;
        };
        let mut answered = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        answered.retain(|_, end| *end > now);
        answered.insert(challenge.to_owned(), end).is_none()
    }

    fn end_of(&self, driver: &DriverId, challenge: &str) -> Option<Duration> {
        let (body, seal) = challenge.rsplit_once('-')?;
        let sealed = AgentKey::of_hash(self.sealed(driver, body));
        if !sealed.is(&AgentKey::of_hash(seal.to_owned())) {
            return None;
        }
        let (end, _) = body.split_once('-')?;
        u64::from_str_radix(end, 16).ok().map(Duration::from_millis)
    }

    fn sealed(&self, driver: &DriverId, body: &str) -> String {
        self.seal.mac(&["livius challenge", driver.as_str(), body])
    }
}

/// Unpredictable random bytes.
fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system's random source works from boot on");
    bytes
}

#[cfg(test)]
mod tests {
    use livius_domain::SessionId;

    use super::*;

    fn driver(session: i32) -> DriverId {
        DriverId::for_session(SessionId(session), [0; 6])
    }

    #[tokio::test(start_paused = true)]
    async fn a_challenge_is_answered_once_in_time_and_by_its_own_driver() {
        let challenges = Challenges::new();
        let challenge = challenges.issue(&driver(0));
        assert!(!challenges.redeem(&driver(1), &challenge));
        assert!(challenges.redeem(&driver(0), &challenge));
        assert!(!challenges.redeem(&driver(0), &challenge));
        let late = challenges.issue(&driver(0));
        tokio::time::advance(LIFETIME).await;
        assert!(!challenges.redeem(&driver(0), &late));
        // The answered ones are forgotten when they have run out.
        assert!(challenges.redeem(&driver(0), &challenges.issue(&driver(0))));
        assert_eq!(challenges.answered.lock().unwrap().len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn no_other_text_is_a_challenge() {
        let challenges = Challenges::new();
        let challenge = challenges.issue(&driver(0));
        let (_, rest) = challenge.split_once('-').unwrap();
        for forged in [
            String::new(),
            "-".to_owned(),
            "--".to_owned(),
            format!("ffffffff-{rest}"),
            challenge[..challenge.len() - 1].to_owned(),
            Challenges::new().issue(&driver(0)),
        ] {
            assert!(!challenges.redeem(&driver(0), &forged), "{forged}");
        }
    }
}
