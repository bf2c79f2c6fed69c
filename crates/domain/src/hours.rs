//! Windows of time that come again each week, such as `Mon-Fri 07:00-19:00`.

use jiff::Timestamp;
use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;

/// The reason why a text is no window.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a window of time such as `Mon-Fri 07:00-19:00`")]
pub struct HoursError(String);

/// Windows of time, in one time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hours {
    windows: Vec<Window>,
    zone: TimeZone,
}

/// From a time of the day to another one, on some days. A window that ends before it begins ends on
/// the next day.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Window {
    days: Vec<Weekday>,
    from: Time,
    to: Time,
}

const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

impl Hours {
    /// Reads windows. Each is days and times, or times alone for every day.
    pub fn parse<'a>(
        texts: impl IntoIterator<Item = &'a str>,
        zone: TimeZone,
    ) -> Result<Self, HoursError> {
        let windows = texts.into_iter().map(|text| {
            let window = window(&text.trim().to_ascii_lowercase());
            window.ok_or_else(|| HoursError(text.to_owned()))
        });
        Ok(Self {
            windows: windows.collect::<Result<_, _>>()?,
            zone,
        })
    }

    /// Whether a time is in one of the windows.
    pub fn contain(&self, time: Timestamp) -> bool {
        let local = time.to_zoned(self.zone.clone());
        let (day, time) = (local.weekday(), local.time());
        self.windows.iter().any(|window| window.contains(day, time))
    }
}

impl Window {
    fn contains(&self, day: Weekday, time: Time) -> bool {
        let begins_on = |day: Weekday| self.days.contains(&day);
        if self.from < self.to {
            return begins_on(day) && self.from <= time && time < self.to;
        }
        (begins_on(day) && self.from <= time) || (begins_on(day.previous()) && time < self.to)
    }
}

fn window(text: &str) -> Option<Window> {
    let (days, times) = match text.split_once(char::is_whitespace) {
        Some((days, times)) => (days_of(days)?, times.trim()),
        None => (DAYS.map(|(_, day)| day).to_vec(), text),
    };
    let (from, to) = times.split_once('-')?;
    Some(Window {
        days,
        from: time_of(from)?,
        to: time_of(to)?,
    })
}

/// One day, or from one to another.
fn days_of(text: &str) -> Option<Vec<Weekday>> {
    let (first, last) = match text.split_once('-') {
        Some((first, last)) => (day_of(first)?, day_of(last)?),
        None => (day_of(text)?, day_of(text)?),
    };
    let mut days = vec![first];
    while days.last() != Some(&last) {
        days.push(days.last()?.next());
    }
    Some(days)
}

fn day_of(text: &str) -> Option<Weekday> {
    DAYS.iter()
        .find(|(name, _)| *name == text)
        .map(|(_, day)| *day)
}

/// 24:00 is the end of the day, which is 00:00 of the next.
fn time_of(text: &str) -> Option<Time> {
    let (hour, minute) = text.trim().split_once(':')?;
    let is_number = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(hour) || !is_number(minute) {
        return None;
    }
    let (hour, minute) = (hour.parse().ok()?, minute.parse().ok()?);
    if (hour, minute) == (24, 0) {
        return Some(Time::midnight());
    }
    Time::new(hour, minute, 0, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_in(window: &str, time: &str) -> bool {
        let hours = Hours::parse([window], TimeZone::UTC).unwrap();
        hours.contain(time.parse().unwrap())
    }

    #[test]
    fn a_window_has_days_and_times() {
        // 2026-11-30 is a Monday.
        for (window, time, expected) in [
            ("Mon-Fri 07:00-19:00", "2026-11-30T07:00:00Z", true),
            ("Mon-Fri 07:00-19:00", "2026-11-30T06:59:59Z", false),
            ("Mon-Fri 07:00-19:00", "2026-11-30T19:00:00Z", false),
            ("Mon-Fri 07:00-19:00", "2026-11-29T12:00:00Z", false),
            ("sat-Sun 00:00-24:00", "2026-11-29T23:59:59Z", true),
            ("sat-Sun 00:00-24:00", "2026-11-30T00:00:00Z", false),
            ("Fri-Mon 08:00-09:00", "2026-11-29T08:30:00Z", true),
            ("Fri-Mon 08:00-09:00", "2026-12-01T08:30:00Z", false),
            ("Sun 22:00-06:00", "2026-11-30T05:59:00Z", true),
            ("Sun 22:00-06:00", "2026-11-29T05:59:00Z", false),
            ("07:00-19:00", "2026-11-29T12:00:00Z", true),
        ] {
            assert_eq!(is_in(window, time), expected, "{window} {time}");
        }
    }

    #[test]
    fn a_window_is_in_its_time_zone() {
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        let hours = Hours::parse(["Mon 07:00-08:00"], zone).unwrap();
        assert!(hours.contain("2026-11-30T05:30:00Z".parse().unwrap()));
        assert!(!hours.contain("2026-11-30T07:30:00Z".parse().unwrap()));
    }

    #[test]
    fn another_text_is_refused() {
        for text in [
            "",
            "always",
            "Mon",
            "Mon 7-19",
            "Mon 07:00",
            "Mon 25:00-26:00",
            "Mon 07:60-08:00",
            "Monday 07:00-08:00",
            "Mon- 07:00-08:00",
            "Mon -1:00-02:00",
            "Mon 24:01-08:00",
            "Mon,Tue 07:00-08:00",
        ] {
            assert!(Hours::parse([text], TimeZone::UTC).is_err(), "{text:?}");
        }
    }
}
