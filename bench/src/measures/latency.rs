//! Small statements, one after the other.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::session::Live;
use super::{Server, code};
use crate::client::Way;
use crate::report::{Report, Unit};

const WAYS: [(Way, &str); 3] = [
    (
        Way::Poll(Duration::from_millis(5)),
        "POST to result seen, polling each 5 ms",
    ),
    (
        Way::Poll(Duration::from_millis(1)),
        "POST to result seen, polling each 1 ms",
    ),
    (Way::Wait, "POST to result seen, with ?wait="),
];

/// Runs as many statements in each way.
pub async fn statements(
    server: &Server,
    kind: &str,
    live: &Live,
    count: usize,
    report: &mut Report,
) -> Result<()> {
    let (code, _) = code(kind);
    for (way, words) in WAYS {
        let begun = Instant::now();
        for _ in 0..count {
            let time = server.client.run(live.id, code, way).await?;
            report.time(server.name(), &format!("{kind}: {code}, {words}"), time);
        }
        if way == Way::Wait && count > 0 {
            #[expect(clippy::cast_precision_loss, reason = "a small number")]
            let rate = count as f64 / begun.elapsed().as_secs_f64();
            let what = format!("{kind}: statements in sequence on one session, with ?wait=");
            report.add(server.name(), &what, Unit::PerSecond, rate);
        }
    }
    Ok(())
}
