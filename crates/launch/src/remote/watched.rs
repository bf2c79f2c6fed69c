//! Follows an application to its last state.

use std::time::Duration;

use async_trait::async_trait;
use tokio::time::{Instant, sleep};

/// The pause between two looks at a manager that does not answer, or has no application.
const PAUSE: Duration = Duration::from_secs(2);
/// How long an outage may last after a submission that failed. The outage was the reason then, and
/// without this limit the driver would never end.
const OUTAGE_AFTER_FAILURE: Duration = Duration::from_mins(2);

/// A view of one driver's application.
#[async_trait]
pub(crate) trait Watched: Send {
    type Application: Send + Sync;
    type Outage: Send;

    /// The application now. `None` if the manager certainly has none at this time.
    async fn look(&mut self) -> Result<Option<Self::Application>, Self::Outage>;

    /// Waits for a change.
    async fn changed(&mut self);

    fn is_final(application: &Self::Application) -> bool;
}

/// The last sight of an application.
pub(crate) enum Last<A> {
    /// It has ended like this.
    Final(A),
    /// The manager has none. It had this one before.
    Absent(Option<A>),
}

/// Waits for the end of an application, or for the certainty that there is none: so many looks in a
/// row. Waits for the end of an outage, too, because a driver that cannot be looked at is not gone.
/// Only after a submission that failed, an outage that lasts counts as an absence.
pub(crate) async fn last_seen<W: Watched>(
    mut watched: W,
    submitted: bool,
    misses: u32,
) -> Last<W::Application> {
    let mut before = None;
    let mut absences = 0;
    loop {
        let Ok(seen) = look(&mut watched, submitted).await else {
            return Last::Absent(before);
        };
        if let Some(application) = seen {
            if W::is_final(&application) {
                return Last::Final(application);
            }
            absences = 0;
            before = Some(application);
            watched.changed().await;
        } else {
            absences += 1;
            if absences >= misses {
                return Last::Absent(before);
            }
            sleep(PAUSE).await;
        }
    }
}

async fn look<W: Watched>(
    watched: &mut W,
    submitted: bool,
) -> Result<Option<W::Application>, W::Outage> {
    let begun = Instant::now();
    loop {
        match watched.look().await {
            Ok(seen) => return Ok(seen),
            Err(outage) if !submitted && begun.elapsed() > OUTAGE_AFTER_FAILURE => {
                return Err(outage);
            }
            Err(_) => sleep(PAUSE).await,
        }
    }
}
