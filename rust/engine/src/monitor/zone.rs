//! The clock of a named time zone, for any second that windows can begin or end with.
//!
//! Seconds count from the epoch. What the clock shows counts as well: a clock time is the number of seconds
//! from 1970-01-01T00:00 to it as if no clock were ever changed, so dates are clock times over 86 400.
use crate::{Error, Result};
use jiff::civil::DateTime;
use jiff::tz::{self, AmbiguousOffset, Offset, TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, civil};

/// Days of 400 years, after which the Gregorian calendar repeats itself, weekdays included.
const ERA_DAYS: i64 = 146_097;
/// The same in seconds.
const ERA_S: i64 = ERA_DAYS * DAY_S;
/// The same in months.
const ERA_MONTHS: i64 = 4800;
/// Seconds that the clock shows of a day.
pub(super) const DAY_S: i64 = 86_400;
/// Near names that an error offers.
const NEAR: usize = 3;

/// A time zone as it was known when it was looked up.
#[derive(Clone, Debug)]
pub(super) struct Zone(TimeZone);

impl Zone {
    /// The zone of that IANA name, in any case.
    pub(super) fn try_new(name: &str) -> Result<Self> {
        // Some systems have a part of the names: Debian keeps US/Eastern in a package of its own.
        let found = tz::db().get(name).or_else(|_| TimeZoneDatabase::bundled().get(name));
        found.map(Self).map_err(|_| {
            let near = near(name, tz::db().available().map(|known| known.to_string()));
            let hint = if near.is_empty() {
                "write an IANA name, such as Europe/Paris or UTC".to_owned()
            } else {
                format!("did you mean {}?", near.join(" or "))
            };
            Error::Argument(format!("timezone is {name:?}: no such time zone: {hint}"))
        })
    }

    /// The name as IANA writes it.
    pub(super) fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// What the clock shows at a second.
    pub(super) fn clock_s(&self, second: i64) -> i64 {
        second + i64::from(self.0.to_offset(timestamp(near_second(second))).seconds())
    }

    /// The first second at which the clock shows `clock_s` or later; a time that was skipped begins at the
    /// first one that was not, a time that comes twice begins with the first.
    pub(super) fn first_s(&self, clock_s: i64) -> i64 {
        let near = near_second(clock_s);
        let start = match self.0.to_ambiguous_timestamp(datetime(near)).offset() {
            AmbiguousOffset::Unambiguous { offset } => near - i64::from(offset.seconds()),
            AmbiguousOffset::Fold { before, .. } => near - i64::from(before.seconds()),
            // The clock was set forward within this range. Nobody tells when, as midnight may lie in the
            // middle of what was skipped: in Toronto, 23:30 became 00:30 on 1919-03-30.
            AmbiguousOffset::Gap { before, after } => {
                let (mut early, mut late) =
                    (near - i64::from(after.seconds()), near - i64::from(before.seconds()));
                while late - early > 1 {
                    let middle = early.midpoint(late);
                    if self.clock_s(middle) < near { early = middle } else { late = middle }
                }
                late
            }
        };
        start + (clock_s - near)
    }

    /// The offset from UTC at a second, where the clock shows the same again at another.
    pub(super) fn offset_if_repeated(&self, second: i64) -> Option<Offset> {
        let near = near_second(second);
        let shown = datetime(self.clock_s(near));
        match self.0.to_ambiguous_timestamp(shown).offset() {
            AmbiguousOffset::Fold { .. } => Some(self.0.to_offset(timestamp(near))),
            _ => None,
        }
    }
}

/// Year, month and day of the month of a day counted from 1970-01-01.
pub(super) fn date(day: i64) -> (i64, i64, i64) {
    let eras = eras_beyond(day, ERA_DAYS);
    let date = datetime((day - eras * ERA_DAYS) * DAY_S).date();
    (i64::from(date.year()) + 400 * eras, date.month().into(), date.day().into())
}

/// The first day of a month counted from January 1970.
pub(super) fn month_start(month: i64) -> i64 {
    let eras = eras_beyond(month, ERA_MONTHS);
    let near = month - eras * ERA_MONTHS;
    let year = i16::try_from(1970 + near.div_euclid(12)).expect("few eras");
    let date = civil::date(year, near.rem_euclid(12) as i8 + 1, 1);
    let start = Offset::UTC.to_timestamp(date.to_datetime(civil::Time::midnight())).expect("few eras");
    start.as_second() / DAY_S + eras * ERA_DAYS
}

/// The second in years that jiff knows at which all clocks show the same but for a number of eras.
fn near_second(second: i64) -> i64 {
    second - eras_beyond(second, ERA_S) * ERA_S
}

/// How many eras `at` lies outside of those from -2030 to 9170, where `era` is the length of one. Before and
/// after that, zones follow one rule for ever, so what they do repeats with the calendar.
fn eras_beyond(at: i64, era: i64) -> i64 {
    let eras = at.div_euclid(era);
    eras - eras.clamp(-10, 17)
}

/// The date and time of a second in UTC, or of a clock time.
fn datetime(second: i64) -> DateTime {
    Offset::UTC.to_datetime(timestamp(second))
}

fn timestamp(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("few eras")
}

/// The names most like `asked`, whole or after their last slash, best first; few, or none.
fn near(asked: &str, known: impl Iterator<Item = String>) -> Vec<String> {
    let asked = asked.to_lowercase().replace(' ', "_");
    // Names are short: nothing is like a text that is not, and comparing takes time.
    if asked.len() > 50 {
        return vec![];
    }
    // A quarter of the letters may be wrong: more, and short names are like any other.
    let like = |asked: &str, known: &str| Some(edits(asked, known)).filter(|&n| n <= asked.len() / 4);
    let city = |name: &str| name.rsplit('/').next().unwrap_or_default().to_owned();
    let mut names: Vec<(usize, String)> = known
        .filter_map(|name| {
            let lower = name.to_lowercase();
            let edits =
                [like(&asked, &lower), like(&city(&asked), &city(&lower))].into_iter().flatten().min()?;
            Some((edits, name))
        })
        .collect();
    names.sort();
    names.into_iter().take(NEAR).map(|(_, name)| name).collect()
}

/// Levenshtein's distance: the fewest bytes to insert, delete or replace.
pub(super) fn edits(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in right.bytes().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}
