//! Sends messages.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER, USER_AGENT};
use reqwest::{Client, Response, StatusCode, redirect};

use crate::resolver::Guarded;
use crate::signature::Secrets;
use crate::target::UrlRefused;
use crate::{Rules, Target};

/// A connection to a host is not kept for long: the next message may be hours away.
const IDLE: Duration = Duration::from_secs(10);

/// The longest `Retry-After` that counts.
const LONGEST_PAUSE: Duration = Duration::from_hours(1);

/// Sends messages to the webhooks that the rules allow. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Courier {
    rules: Rules,
    secrets: Secrets,
    client: Client,
}

/// A message for one webhook.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// Its name, the same in every attempt.
    pub id: &'a str,
    /// The URL of the webhook.
    pub url: &'a str,
    /// Its body, as [`body`](crate::body) writes it.
    pub body: &'a str,
    /// The time of the attempt.
    pub at: Timestamp,
}

/// The reason why a message has not arrived.
#[derive(Debug, thiserror::Error)]
pub enum NotDelivered {
    /// The rules do not allow the URL any more.
    #[error(transparent)]
    Refused(#[from] UrlRefused),
    /// No answer, or none in time.
    #[error("no answer")]
    Unreachable(#[source] reqwest::Error),
    /// The webhook wants no more messages.
    #[error("the answer is 410 Gone")]
    Gone,
    /// Another answer than success. Redirects are not followed: they could lead to any address.
    #[error("the answer is {status}")]
    Answered {
        /// Its status.
        status: StatusCode,
        /// The pause that it asks for, an hour at most.
        pause: Option<Duration>,
    },
}

impl Courier {
    /// A courier for these rules. An attempt may take as long as the timeout.
    ///
    /// # Errors
    ///
    /// The system's certificates cannot be read.
    pub fn new(rules: Rules, secrets: Secrets, timeout: Duration) -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            .dns_resolver(Guarded(rules.networks.clone()))
            // A proxy would connect in our place, to an address that nobody has checked.
            .no_proxy()
            .redirect(redirect::Policy::none())
            .timeout(timeout)
            .pool_idle_timeout(IDLE)
            .build()?;
        Ok(Self {
            rules,
            secrets,
            client,
        })
    }

    /// Reads the URL of a webhook that a request names.
    pub fn target(&self, url: &str) -> Result<Target, UrlRefused> {
        self.rules.target(url)
    }

    /// Makes one attempt.
    pub async fn send(&self, message: Message<'_>) -> Result<(), NotDelivered> {
        // The rules may have changed since the request.
        let target = self.rules.target(message.url)?;
        let timestamp = message.at.as_second();
        let signature = self.secrets.sign(message.id, timestamp, message.body);
        let sent = self
            .client
            .post(target.url().clone())
            .header(USER_AGENT, concat!("livius/", env!("CARGO_PKG_VERSION")))
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", message.id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", signature)
            .body(message.body.to_owned())
            .send()
            .await;
        // A URL may have a secret in it, and errors go to the log.
        let response = sent.map_err(|error| NotDelivered::Unreachable(error.without_url()))?;
        match response.status() {
            status if status.is_success() => Ok(()),
            StatusCode::GONE => Err(NotDelivered::Gone),
            status => Err(NotDelivered::Answered {
                status,
                pause: pause(&response),
            }),
        }
    }
}

/// The seconds of `Retry-After`. Its other form, a date, rests on the clock of another machine.
fn pause(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    let pause = Duration::from_secs(seconds.trim().parse().ok()?);
    Some(pause.min(LONGEST_PAUSE))
}
