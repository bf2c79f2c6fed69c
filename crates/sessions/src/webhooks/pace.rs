//! When a message that did not arrive is sent again.

use std::time::Duration;

use jiff::Timestamp;

/// The pause after the first attempt. Each further pause is twice as long.
const FIRST: Duration = Duration::from_secs(10);

const LONGEST: Duration = Duration::from_hours(1);

/// The time of the next attempt, after so many that failed. `None` when the message is given up.
///
/// `chance` is a random number. It shortens the pause by up to a quarter, so that the messages that an
/// outage has held up do not come all at once. The webhook may ask for a longer pause.
pub fn next(
    failed: u32,
    first: Timestamp,
    now: Timestamp,
    retry_for: Duration,
    asked: Option<Duration>,
    chance: u8,
) -> Option<Timestamp> {
    let doubled = FIRST.saturating_mul(1 << failed.saturating_sub(1).min(16));
    let pause = doubled.min(LONGEST);
    let shortened = pause.saturating_sub(pause * u32::from(chance) / (4 * 256));
    let pause = shortened.max(asked.unwrap_or_default());
    let next = now.checked_add(pause).ok()?;
    let last = first.checked_add(retry_for).unwrap_or(Timestamp::MAX);
    (next <= last).then_some(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_hours(24);

    fn pause(failed: u32, asked: Option<u64>, chance: u8) -> Option<i64> {
        let now = Timestamp::UNIX_EPOCH;
        let asked = asked.map(Duration::from_secs);
        next(failed, now, now, DAY, asked, chance).map(Timestamp::as_second)
    }

    #[test]
    fn pauses_grow_up_to_an_hour() {
        let pauses: Vec<_> = (1..=11).map(|failed| pause(failed, None, 0)).collect();
        let grown = [10, 20, 40, 80, 160, 320, 640, 1_280, 2_560, 3_600, 3_600];
        assert_eq!(pauses, grown.map(Some));
        assert_eq!(pause(u32::MAX, None, 0), Some(3_600));
        let shortest = pause(10, None, 255).unwrap();
        assert!((2_700..2_720).contains(&shortest), "{shortest}");
    }

    #[test]
    fn a_webhook_may_ask_for_a_longer_pause() {
        assert_eq!(pause(1, Some(300), 0), Some(300));
        assert_eq!(pause(6, Some(300), 0), Some(320));
    }

    #[test]
    fn a_message_is_given_up_some_time_after_its_first_attempt() {
        let first = Timestamp::UNIX_EPOCH;
        let late = |hours: i64| Timestamp::from_second(hours * 3_600).unwrap();
        assert_eq!(next(30, first, late(23), DAY, None, 0), Some(late(24)));
        assert_eq!(next(30, first, late(24), DAY, None, 0), None);
        assert_eq!(next(1, first, first, Duration::ZERO, None, 0), None);
        assert_eq!(next(1, first, Timestamp::MAX, DAY, None, 0), None);
        let forever = next(1, late(1), late(1), Duration::MAX, None, 0);
        assert!(forever.is_some());
    }
}
