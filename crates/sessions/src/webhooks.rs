//! Webhooks: a request may name a URL that is told of the end of what the request makes.
//!
//! The store keeps the URL with the thing, and puts a delivery in its place in the transaction that
//! stores the end. [`deliveries`] sends what is due. A message may arrive twice, and none is lost.

mod deliveries;
mod pace;

use std::collections::BTreeMap;

use livius_domain::Webhook;
use livius_store::Store;

use crate::config::Webhooks;
use crate::error::SessionError;
use crate::request;

pub(crate) use deliveries::run;

/// The header of a request that names the URL.
pub const WEBHOOK_HEADER: &str = "livius-webhook";

/// The key of `conf` that names it, for clients that cannot send a header.
const CONF_KEY: &str = "livius.webhook.url";

/// The webhook of a request for a session or a batch: that of its header, or that of its `conf`. The
/// URL may have a secret in it, and a request stays after the end, so `conf` has it no more.
pub(crate) async fn of_request(
    webhooks: Option<&Webhooks>,
    store: &dyn Store,
    header: Option<&str>,
    conf: &mut BTreeMap<String, String>,
) -> Result<Option<Webhook>, SessionError> {
    let in_conf = request::take_conf(conf, CONF_KEY);
    if header.is_some() {
        return of_header(webhooks, store, header).await;
    }
    checked(
        webhooks,
        store,
        "conf.livius.webhook.url",
        in_conf.as_deref(),
    )
    .await
}

/// The webhook of a request with this header.
pub(crate) async fn of_header(
    webhooks: Option<&Webhooks>,
    store: &dyn Store,
    header: Option<&str>,
) -> Result<Option<Webhook>, SessionError> {
    checked(webhooks, store, "the header Livius-Webhook", header).await
}

async fn checked(
    webhooks: Option<&Webhooks>,
    store: &dyn Store,
    field: &str,
    url: Option<&str>,
) -> Result<Option<Webhook>, SessionError> {
    let Some(url) = url else {
        return Ok(None);
    };
    let Some(webhooks) = webhooks else {
        return Err(SessionError::Rejected(format!(
            "{field} names a webhook, and this server has none: its operator lists the hosts of webhooks in webhooks.hosts"
        )));
    };
    let refuse = |why| SessionError::Rejected(format!("{field} is refused: {why}"));
    let target = webhooks.courier.target(url.trim()).map_err(refuse)?;
    let counts = store.count_webhooks().await?;
    if counts.asked + counts.waiting >= webhooks.limit as u64 {
        return Err(SessionError::TooManyWebhooks {
            limit: webhooks.limit,
        });
    }
    Ok(Some(Webhook {
        url: target.url().to_string(),
        host: target.authority(),
    }))
}
