//! Windows of event time: numbered stretches of equal length on the clock of a time zone.
//!
//! Window `n` holds the instants from `start_us(n)` to before `start_us(n + 1)`, so every instant lies in just
//! one. Instants are microseconds since the epoch, in UTC.
//!
//! * Seconds, minutes and hours are durations, aligned at 1970-01-01T00:00 UTC whatever the zone: `6 hours`
//!   begin at 05:30, 11:30, 17:30 and 23:30 in Asia/Kolkata, and none of them is longer when clocks change.
//! * Days, weeks, months and years are periods of the zone's calendar: a day has 23 or 25 hours when clocks
//!   change. Several are aligned at 1970: `2 days` at January 1, weeks at Monday January 5, `3 months` and
//!   `10 years` at January. Window 0 begins there.
//!
//! A period begins with the first instant at which the zone's date is in it or after it. Where clocks skip
//! midnight (America/Sao_Paulo, 2018-11-04), that is the first instant of the day that exists. A date that a
//! zone skipped (Pacific/Apia, 2011-12-30) keeps its number, and its window is empty: it starts when the next
//! one does, and [`Calendar::number`] never returns it. Where clocks go back over midnight, a period that has
//! begun does not end before the next one begins.
//!
//! All of this holds from the year 1 to 9999, and on by the same rules for every instant of 64 bits; starts
//! that these cannot hold are the least or the greatest that they can.
use super::zone::{DAY_S, Zone, date, month_start};
use crate::{Error, Result};
use std::fmt;

/// Microseconds of a second.
const SECOND_US: i64 = 1_000_000;
/// 365.2425 days, the mean of the Gregorian calendar.
const MEAN_YEAR_S: u64 = 31_556_952;
/// The longest window in years: far beyond any log, and far below what times of 64 bits hold.
const LONGEST_YEARS: u64 = 1000;
/// The Monday with which weeks are aligned: 1970-01-05.
const FIRST_MONDAY: i64 = 4;
/// Periods from the epoch that no instant of 64 bits reaches, and that all arithmetic still holds.
const FAR: i128 = 1 << 40;
/// Windows that [`Calendar::numbers`] remembers: eleven years of days.
const REMEMBERED: usize = 4096;

/// A unit in which the length of a window is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    /// A duration of a second.
    Second,
    /// A duration of 60 seconds.
    Minute,
    /// A duration of 3600 seconds.
    Hour,
    /// A date of the zone's calendar, of 23 or 25 hours when clocks change.
    Day,
    /// Seven days, from a Monday on.
    Week,
    /// A month of the calendar.
    Month,
    /// A year of the calendar.
    Year,
}

impl Unit {
    /// All units, shortest first, with their names.
    const ALL: [(&'static str, Self); 7] = [
        ("second", Self::Second),
        ("minute", Self::Minute),
        ("hour", Self::Hour),
        ("day", Self::Day),
        ("week", Self::Week),
        ("month", Self::Month),
        ("year", Self::Year),
    ];

    /// The unit of that name.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn try_from_name(name: &str) -> Result<Self> {
        let found = Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, unit)| *unit);
        found.ok_or_else(|| {
            let names = Self::ALL.map(|(known, _)| known).join(", ");
            Error::Argument(format!("unit is {name:?}: units are {names}"))
        })
    }

    /// Its name: `second`, `minute`, `hour`, `day`, `week`, `month` or `year`.
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].0
    }

    /// Seconds that it lasts on average.
    fn mean_s(self) -> u64 {
        match self {
            Self::Second => 1,
            Self::Minute => 60,
            Self::Hour => 3600,
            Self::Day => 86_400,
            Self::Week => 604_800,
            Self::Month => MEAN_YEAR_S / 12,
            Self::Year => MEAN_YEAR_S,
        }
    }
}

/// A length of time: seconds, minutes and hours are durations; days and longer are periods of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Every {
    /// How many of the unit.
    pub count: u32,
    /// The unit.
    pub unit: Unit,
}

impl Every {
    /// Seconds that it lasts on average.
    pub fn mean_s(self) -> u64 {
        u64::from(self.count) * self.unit.mean_s()
    }
}

impl fmt::Display for Every {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}{}", self.count, self.unit.name(), if self.count == 1 { "" } else { "s" })
    }
}

/// What repeats in a zone's calendar: windows of one bucket are alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cycle {
    /// The hour of the day, 0 to 23.
    HourOfDay,
    /// The day of the week, Monday 0 to Sunday 6.
    DayOfWeek,
    /// The month of the year, January 0 to December 11.
    MonthOfYear,
}

impl Cycle {
    /// How many buckets it has.
    pub fn buckets(self) -> usize {
        match self {
            Self::HourOfDay => 24,
            Self::DayOfWeek => 7,
            Self::MonthOfYear => 12,
        }
    }
}

/// Numbered windows of one length in one time zone. The rules are those of the [module](self).
#[derive(Clone, Debug)]
pub struct Calendar {
    every: Every,
    zone: Zone,
    step: Step,
}

/// From one window to the next.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// Microseconds, aligned at the epoch.
    Duration(i64),
    /// Periods of the calendar.
    Period(Period),
}

/// So many days or months of the calendar.
#[derive(Clone, Copy, Debug)]
enum Period {
    /// Days, of which window 0 begins at day `first`.
    Days { first: i64, count: i64 },
    /// Months.
    Months(i64),
}

impl Period {
    /// The number of the period that holds a date, in days since 1970-01-01.
    fn number(self, day: i64) -> i64 {
        match self {
            Self::Days { first, count } => (day - first).div_euclid(count),
            Self::Months(count) => {
                let (year, month, _) = date(day);
                (12 * (year - 1970) + month - 1).div_euclid(count)
            }
        }
    }

    /// The first date of a period.
    fn first_day(self, number: i64) -> i64 {
        let periods = |count: i64| (i128::from(number) * i128::from(count)).clamp(-FAR, FAR) as i64;
        match self {
            Self::Days { first, count } => first + periods(count),
            Self::Months(count) => month_start(periods(count)),
        }
    }
}

/// A window that was looked up.
#[derive(Clone, Copy)]
struct Known {
    start_us: i64,
    end_us: i64,
    number: i64,
}

impl Known {
    fn holds(&self, instant_us: i64) -> bool {
        self.start_us <= instant_us && instant_us < self.end_us
    }
}

impl Calendar {
    /// Windows of length `every` in the zone of that IANA name, such as `Europe/Berlin` or `UTC`, in any case.
    ///
    /// Zones are those of the system, or the ones built in where it has none or not this one.
    ///
    /// # Errors
    /// The length is 0 or more than 1000 years, or there is no zone of that name.
    pub fn try_new(every: Every, zone: &str) -> Result<Self> {
        if every.count == 0 {
            return Err(Error::Argument(format!("window is {every}: a window lasts at least 1 second")));
        }
        if every.mean_s() > LONGEST_YEARS * MEAN_YEAR_S {
            let longest = LONGEST_YEARS;
            return Err(Error::Argument(format!("window is {every}: the longest is {longest} years")));
        }
        let count = i64::from(every.count);
        let step = match every.unit {
            Unit::Second => Step::Duration(count * SECOND_US),
            Unit::Minute => Step::Duration(count * 60 * SECOND_US),
            Unit::Hour => Step::Duration(count * 3600 * SECOND_US),
            Unit::Day => Step::Period(Period::Days { first: 0, count }),
            Unit::Week => Step::Period(Period::Days { first: FIRST_MONDAY, count: count * 7 }),
            Unit::Month => Step::Period(Period::Months(count)),
            Unit::Year => Step::Period(Period::Months(count * 12)),
        };
        Ok(Self { every, zone: Zone::try_new(zone)?, step })
    }

    /// The length of a window.
    pub fn every(&self) -> Every {
        self.every
    }

    /// The IANA name of the zone.
    pub fn zone(&self) -> &str {
        self.zone.name()
    }

    /// The number of the window that holds an instant. It never falls as time goes on.
    pub fn number(&self, instant_us: i64) -> i64 {
        let mut number = match self.step {
            Step::Duration(step_us) => return instant_us.div_euclid(step_us),
            Step::Period(period) => {
                period.number(self.zone.clock_s(instant_us.div_euclid(SECOND_US)).div_euclid(DAY_S))
            }
        };
        // Clocks that go back over midnight show a date again that is over.
        while self.start(number + 1) <= instant_us.into() {
            number += 1;
        }
        number
    }

    /// The first instant of a window.
    pub fn start_us(&self, number: i64) -> i64 {
        self.start(number).clamp(i64::MIN.into(), i64::MAX.into()) as i64
    }

    /// Replaces what `out` holds by the number of the window of each instant.
    ///
    /// Neighbours in one window cost a comparison, and windows that come again a search among those that were
    /// met: up to 4096 windows, the zone's rules are asked once for each, however the instants are ordered.
    pub fn numbers(&self, instants_us: &[i64], out: &mut Vec<i64>) {
        out.clear();
        out.reserve(instants_us.len());
        let mut met: Vec<Known> = vec![];
        let mut current = Known { start_us: 0, end_us: 0, number: 0 };
        for &instant_us in instants_us {
            if !current.holds(instant_us) {
                current = self.known(instant_us, &mut met);
            }
            out.push(current.number);
        }
    }

    /// The part of a cycle with which a window begins on the zone's clock, below [`Cycle::buckets`].
    ///
    /// Periods of the calendar begin at midnight of their first date, also where the zone skipped it.
    pub fn bucket(&self, cycle: Cycle, number: i64) -> usize {
        let clock_s = self.clock_s(number);
        let day = clock_s.div_euclid(DAY_S);
        let bucket = match cycle {
            Cycle::HourOfDay => clock_s.rem_euclid(DAY_S) / 3600,
            Cycle::DayOfWeek => (day - FIRST_MONDAY).rem_euclid(7),
            Cycle::MonthOfYear => date(day).1 - 1,
        };
        bucket as usize
    }

    /// How a person writes the start of a window, on the zone's clock.
    ///
    /// Years are `2026`, months `2026-11`, weeks their first one's in ISO 8601, `2026-W45`, and days
    /// `2026-11-03`. Hours and minutes are `2026-11-03 14:00`, seconds `2026-11-03 14:00:05`. Where the clock
    /// shows a time twice, the offset tells which it is: `2026-10-25 02:00+01`. No two windows share one.
    pub fn label(&self, number: i64) -> String {
        let clock_s = self.clock_s(number);
        let day = clock_s.div_euclid(DAY_S);
        let (year, month, day_of_month) = date(day);
        match self.every.unit {
            Unit::Year => format!("{year:04}"),
            Unit::Month => format!("{year:04}-{month:02}"),
            Unit::Week => {
                // ISO 8601: a week is of the year that its Thursday is of.
                let thursday = day + 3;
                let (year, ..) = date(thursday);
                let week = (thursday - month_start(12 * (year - 1970))) / 7 + 1;
                format!("{year:04}-W{week:02}")
            }
            Unit::Day => format!("{year:04}-{month:02}-{day_of_month:02}"),
            Unit::Hour | Unit::Minute | Unit::Second => {
                let s = clock_s.rem_euclid(DAY_S);
                let (hour, minute, second) = (s / 3600, s / 60 % 60, s % 60);
                let mut label = format!("{year:04}-{month:02}-{day_of_month:02} {hour:02}:{minute:02}");
                // Before standard time, clocks were off by odd seconds.
                if self.every.unit == Unit::Second || second != 0 {
                    label += &format!(":{second:02}");
                }
                if let Some(offset) = self.zone.offset_if_repeated(self.start_s(number)) {
                    label += &offset.to_string();
                }
                label
            }
        }
    }

    /// The window of an instant, from those that were met or else put among them. They are in order.
    fn known(&self, instant_us: i64, met: &mut Vec<Known>) -> Known {
        let mut place = met.partition_point(|known| known.start_us <= instant_us);
        if let Some(known) = place.checked_sub(1).map(|last| met[last])
            && known.holds(instant_us)
        {
            return known;
        }
        let number = self.number(instant_us);
        let (start_us, end_us) = (self.start_us(number), self.start_us(number + 1));
        let known = Known { start_us, end_us, number };
        // A division finds a duration faster than a search does.
        if !matches!(self.step, Step::Duration(_)) {
            if met.len() == REMEMBERED {
                met.clear();
                place = 0;
            }
            met.insert(place, known);
        }
        known
    }

    /// The first instant of a window, in microseconds.
    fn start(&self, number: i64) -> i128 {
        match self.step {
            Step::Duration(step_us) => i128::from(number) * i128::from(step_us),
            Step::Period(period) => {
                i128::from(self.zone.first_s(period.first_day(number) * DAY_S)) * i128::from(SECOND_US)
            }
        }
    }

    /// The second that a window of a duration begins with.
    fn start_s(&self, number: i64) -> i64 {
        self.start_us(number).div_euclid(SECOND_US)
    }

    /// What the clock shows when a window begins, or would show at midnight of its first date.
    fn clock_s(&self, number: i64) -> i64 {
        match self.step {
            Step::Duration(_) => self.zone.clock_s(self.start_s(number)),
            Step::Period(period) => period.first_day(number) * DAY_S,
        }
    }
}

#[cfg(test)]
mod tests;
