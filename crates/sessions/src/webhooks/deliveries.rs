//! Sends the messages that are due: some at once, and a few of them to each host, so that a slow host
//! holds up no other.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use livius_domain::{Notice, chain};
use livius_store::Delivery;
use livius_webhooks::{Message, NotDelivered};

use super::pace;
use crate::config::Webhooks;
use crate::entry::Core;

/// The store is asked this often what is due.
const INTERVAL: Duration = Duration::from_secs(1);

/// The most attempts at once.
const AT_ONCE: usize = 16;

/// The most attempts at once to one host.
const AT_ONCE_TO_A_HOST: usize = 4;

/// The pause between two attempts to store how an attempt ended.
const STORE_PAUSE: Duration = Duration::from_secs(1);

/// Sends what is due until the server stops.
pub async fn run(core: Arc<Core>) {
    let Some(webhooks) = core.config.webhooks.clone() else {
        return warn_of_waiting(&core).await;
    };
    let mut deliveries = Deliveries {
        core: Arc::clone(&core),
        webhooks: Arc::new(webhooks),
        under_way: FuturesUnordered::new(),
        hosts: HashMap::new(),
    };
    let mut timer = tokio::time::interval(INTERVAL);
    loop {
        tokio::select! {
            biased;
            // The next server sends again what is under way.
            () = core.lifecycle.stopping() => return,
            Some(id) = deliveries.under_way.next() => {
                deliveries.hosts.remove(&id);
            }
            _ = timer.tick() => deliveries.show_waiting().await,
        }
        deliveries.begin_due().await;
    }
}

/// A message needs the secret and the list of hosts, so none is sent without them.
async fn warn_of_waiting(core: &Core) {
    let counts = core.store.count_webhooks().await.unwrap_or_default();
    if counts.waiting > 0 {
        let waiting = counts.waiting;
        tracing::warn!(
            waiting,
            "messages wait for their webhooks, and none is sent while webhooks.hosts is empty"
        );
    }
}

struct Deliveries {
    core: Arc<Core>,
    webhooks: Arc<Webhooks>,
    /// Answers the name of the delivery.
    under_way: FuturesUnordered<BoxFuture<'static, String>>,
    /// The names of those under way, and their hosts.
    hosts: HashMap<String, String>,
}

impl Deliveries {
    /// Begins as many attempts as may be under way.
    async fn begin_due(&mut self) {
        while self.hosts.len() < AT_ONCE {
            let (now, busy) = (self.core.clock.now(), self.busy());
            // Those under way are still due, and may be among the answer.
            let limit = 2 * AT_ONCE as u64;
            let due = match self.core.store.due_deliveries(now, &busy, limit).await {
                Ok(due) => due,
                Err(error) => {
                    tracing::warn!(error = %chain(&error), "cannot read which messages for webhooks are due; trying again");
                    return;
                }
            };
            let begun = due.into_iter().filter(|delivery| self.begin(delivery));
            // Those of other hosts may be behind many of a host that is busy now.
            if begun.count() == 0 {
                return;
            }
        }
    }

    /// Begins an attempt, unless it is under way or its host is busy. Tells whether it did.
    fn begin(&mut self, delivery: &Delivery) -> bool {
        let may = self.hosts.len() < AT_ONCE
            && !self.hosts.contains_key(&delivery.id)
            && self.to_host(&delivery.host) < AT_ONCE_TO_A_HOST;
        if may {
            self.hosts
                .insert(delivery.id.clone(), delivery.host.clone());
            let (core, webhooks) = (Arc::clone(&self.core), Arc::clone(&self.webhooks));
            let delivery = delivery.clone();
            self.under_way.push(Box::pin(async move {
                deliver(&core, &webhooks, &delivery).await;
                delivery.id
            }));
        }
        may
    }

    fn to_host(&self, host: &str) -> usize {
        self.hosts.values().filter(|other| *other == host).count()
    }

    fn busy(&self) -> Vec<String> {
        let is_busy = |host: &&String| self.to_host(host) >= AT_ONCE_TO_A_HOST;
        self.hosts.values().filter(is_busy).cloned().collect()
    }

    async fn show_waiting(&mut self) {
        if let Ok(counts) = self.core.store.count_webhooks().await {
            let waiting = i64::try_from(counts.waiting).unwrap_or(i64::MAX);
            self.core.config.metrics.webhooks_waiting.set(waiting);
        }
    }
}

/// Makes one attempt, and stores how it ended.
async fn deliver(core: &Core, webhooks: &Webhooks, delivery: &Delivery) {
    let id = &delivery.id;
    let host = &delivery.host;
    let metrics = &core.config.metrics;
    let at = core.clock.now();
    let Ok(notice) = serde_json::from_str::<Notice>(&delivery.notice) else {
        tracing::error!(webhook.id = %id, "a stored message for a webhook cannot be read, and is dropped");
        return stored(core, delivery, Fate::Over).await;
    };
    let body = livius_webhooks::body(&notice);
    let message = Message {
        id,
        url: &delivery.url,
        body: &body,
        at,
    };
    let Err(error) = webhooks.courier.send(message).await else {
        metrics.webhooks.with(["delivered"]).inc();
        tracing::debug!(webhook.id = %id, webhook.host = %host, "webhook told");
        return stored(core, delivery, Fate::Over).await;
    };
    if matches!(error, NotDelivered::Gone) {
        metrics.webhooks.with(["refused"]).inc();
        tracing::info!(webhook.id = %id, webhook.host = %host, "the webhook is gone; it is told nothing");
        return stored(core, delivery, Fate::Over).await;
    }
    metrics.webhook_failures.inc();
    let reason = chain(&error);
    let failed = delivery.attempts.saturating_add(1);
    let first = delivery.first_attempt_at.unwrap_or(at);
    let pause = match error {
        NotDelivered::Answered { pause, .. } => pause,
        _ => None,
    };
    let now = core.clock.now();
    let next = pace::next(failed, first, now, webhooks.retry_for, pause, chance());
    let fate = if let Some(due_at) = next {
        tracing::debug!(webhook.id = %id, webhook.host = %host, attempts = failed, reason, "cannot tell a webhook; trying again later");
        Fate::Again { at, due_at, reason }
    } else {
        metrics.webhooks.with(["given_up"]).inc();
        let ended = notice.of.made();
        tracing::warn!(webhook.id = %id, webhook.host = %host, attempts = failed, reason, %ended, "a webhook could not be told, and is given up");
        Fate::Over
    };
    stored(core, delivery, fate).await;
}

/// The next step of a delivery.
enum Fate {
    Over,
    Again {
        at: jiff::Timestamp,
        due_at: jiff::Timestamp,
        reason: String,
    },
}

/// Stores what becomes of a delivery. Until that succeeds the attempt counts as under way: otherwise
/// the message would be sent again and again while the disk is full.
async fn stored(core: &Core, delivery: &Delivery, fate: Fate) {
    let (store, id) = (&core.store, &delivery.id);
    loop {
        let stored = match &fate {
            Fate::Over => store.delete_delivery(id).await.map(drop),
            Fate::Again { at, due_at, reason } => {
                store.retry_delivery(id, *at, *due_at, reason).await
            }
        };
        let Err(error) = stored else { return };
        tracing::warn!(webhook.id = %id, error = %chain(&error), "cannot store how a message to a webhook went; trying again");
        tokio::time::sleep(STORE_PAUSE).await;
    }
}

/// A random number. Without one the pause is not shortened.
fn chance() -> u8 {
    let mut byte = [0];
    let _ = getrandom::fill(&mut byte);
    byte[0]
}
