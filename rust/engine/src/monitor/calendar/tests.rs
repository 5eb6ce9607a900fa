use super::*;
use jiff::civil::Date;
use jiff::tz;
use jiff::{Timestamp, ToSpan};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use std::collections::HashSet;
use std::sync::LazyLock;

const HOUR_US: i64 = 3600 * SECOND_US;
const DAY_US: i64 = 24 * HOUR_US;

fn calendar(count: u32, unit: Unit, zone: &str) -> Calendar {
    Calendar::try_new(Every { count, unit }, zone).unwrap()
}

/// Microseconds of an instant such as `2024-03-31T01:00Z`.
fn at(instant: &str) -> i64 {
    instant.parse::<Timestamp>().unwrap().as_microsecond()
}

/// The number of a date in windows of one day.
fn day(date: &str) -> i64 {
    let date: Date = date.parse().unwrap();
    date.duration_since(Date::constant(1970, 1, 1)).as_hours() / 24
}

/// Zone, date, the second it begins with, seconds it lasts. By Python's zoneinfo, with tzdata 2026: the first
/// second t, tried one by one from 30 hours before its midnight in UTC on, for which
/// `(EPOCH + timedelta(seconds=t)).astimezone(ZoneInfo(zone)).date() >= date`; the same for the next date.
const DAYS: [(&str, &str, i64, i64); 24] = [
    ("Europe/Berlin", "2024-03-31", 1711839600, 82800),
    ("Europe/Berlin", "2024-10-27", 1729980000, 90000),
    ("America/New_York", "2024-03-10", 1710046800, 82800),
    ("America/New_York", "2024-11-03", 1730606400, 90000),
    ("America/Sao_Paulo", "2018-02-17", 1518832800, 90000),
    ("America/Sao_Paulo", "2018-02-18", 1518922800, 86400),
    ("America/Sao_Paulo", "2018-11-04", 1541300400, 82800),
    ("America/Havana", "2024-03-10", 1710046800, 82800),
    ("America/Havana", "2024-11-03", 1730606400, 90000),
    ("America/St_Johns", "2006-10-28", 1162002600, 86400),
    ("America/St_Johns", "2006-10-29", 1162089000, 90000),
    ("America/Toronto", "1919-03-30", -1601838000, 84600),
    ("America/Toronto", "1919-03-31", -1601753400, 84600),
    ("Australia/Lord_Howe", "2024-04-07", 1712408400, 88200),
    ("Australia/Lord_Howe", "2024-10-06", 1728135000, 84600),
    ("Asia/Kolkata", "2024-11-03", 1730572200, 86400),
    ("Asia/Beirut", "2022-03-27", 1648332000, 82800),
    ("Pacific/Apia", "2011-12-29", 1325152800, 86400),
    ("Pacific/Apia", "2011-12-30", 1325239200, 0),
    ("Pacific/Apia", "2011-12-31", 1325239200, 86400),
    ("Pacific/Kwajalein", "1993-08-21", 745934400, 0),
    ("UTC", "2024-02-29", 1709164800, 86400),
    ("Asia/Tokyo", "0001-01-03", -62135457539, 86400),
    ("Pacific/Auckland", "9999-12-30", 253402081200, 86400),
];

/// Zone, second, then as `strftime` of Python's zoneinfo has them: date and time, ISO week, buckets.
const CLOCKS: [(&str, i64, &str, &str, [usize; 3]); 16] = [
    ("Europe/Berlin", 695425564, "1992-01-14 22:46:04", "1992-W03", [22, 1, 0]),
    ("Europe/Berlin", 323946139, "1980-04-07 11:02:19", "1980-W15", [11, 0, 3]),
    ("America/New_York", 847876999, "1996-11-13 04:23:19", "1996-W46", [4, 2, 10]),
    ("America/New_York", 1397871144, "2014-04-18 21:32:24", "2014-W16", [21, 4, 3]),
    ("America/Sao_Paulo", 103694312, "1973-04-15 00:58:32", "1973-W15", [0, 6, 3]),
    ("America/Sao_Paulo", 155555737, "1974-12-06 06:55:37", "1974-W49", [6, 4, 11]),
    ("Pacific/Apia", 1150797845, "2006-06-19 23:04:05", "2006-W25", [23, 0, 5]),
    ("Pacific/Apia", 202142728, "1976-05-28 03:45:28", "1976-W22", [3, 4, 4]),
    ("Australia/Lord_Howe", 785310972, "1994-11-20 16:56:12", "1994-W46", [16, 6, 10]),
    ("Australia/Lord_Howe", 1251527726, "2009-08-29 17:05:26", "2009-W35", [17, 5, 7]),
    ("Asia/Kolkata", 124551738, "1973-12-12 19:12:18", "1973-W50", [19, 2, 11]),
    ("Asia/Kolkata", 1089709946, "2004-07-13 14:42:26", "2004-W29", [14, 1, 6]),
    ("America/St_Johns", 461060838, "1984-08-11 05:57:18", "1984-W32", [5, 5, 7]),
    ("America/St_Johns", 80521324, "1972-07-20 20:32:04", "1972-W29", [20, 3, 6]),
    ("Asia/Kathmandu", 184570285, "1975-11-07 11:01:25", "1975-W45", [11, 4, 10]),
    ("Asia/Kathmandu", 931247021, "1999-07-06 13:28:41", "1999-W27", [13, 1, 6]),
];

#[test]
fn days_begin_where_zoneinfo_sees_the_first_instant_of_the_date() {
    for (zone, date, start_s, length_s) in DAYS {
        let days = calendar(1, Unit::Day, zone);
        let number = day(date);
        assert_eq!(days.start_us(number), start_s * SECOND_US, "{zone} {date}");
        assert_eq!(days.start_us(number + 1), (start_s + length_s) * SECOND_US, "{zone} {date}");
        assert_eq!(days.label(number), date, "{zone}");
        // A date that was skipped is before the instant that it would begin with.
        let holds = if length_s == 0 { number + 1 } else { number };
        assert_eq!(days.number(start_s * SECOND_US), holds, "{zone} {date}");
        assert!(days.number(start_s * SECOND_US - 1) < number, "{zone} {date}");
    }
}

#[test]
fn labels_and_buckets_are_what_zoneinfo_shows() {
    for (zone, second, shown, week, buckets) in CLOCKS {
        let instant_us = second * SECOND_US + 999_999;
        let label = |unit| {
            let windows = calendar(1, unit, zone);
            windows.label(windows.number(instant_us))
        };
        assert_eq!(label(Unit::Second), shown, "{zone}");
        assert_eq!(label(Unit::Minute), shown[..16], "{zone}");
        assert_eq!(label(Unit::Day), shown[..10], "{zone}");
        assert_eq!(label(Unit::Week), week, "{zone}");
        assert_eq!(label(Unit::Month), shown[..7], "{zone}");
        assert_eq!(label(Unit::Year), shown[..4], "{zone}");
        let seconds = calendar(1, Unit::Second, zone);
        let cycles = [Cycle::HourOfDay, Cycle::DayOfWeek, Cycle::MonthOfYear];
        assert_eq!(cycles.map(|cycle| seconds.bucket(cycle, second)), buckets, "{zone} {shown}");
    }
}

#[test]
fn durations_are_aligned_at_the_epoch_in_utc() {
    let hours = calendar(6, Unit::Hour, "Asia/Kolkata");
    assert_eq!(hours.start_us(0), 0);
    assert_eq!([0, 1, 2, 3].map(|n| hours.label(n)[11..].to_owned()), ["05:30", "11:30", "17:30", "23:30"]);
    assert_eq!([0, 1, 2, 3].map(|n| hours.bucket(Cycle::HourOfDay, n)), [5, 11, 17, 23]);
    assert_eq!((hours.number(-1), hours.number(0), hours.number(6 * HOUR_US)), (-1, 0, 1));
    // In the night of a change, all are equally long.
    let hours = calendar(24, Unit::Hour, "Europe/Berlin");
    let number = hours.number(at("2024-10-27T12:00Z"));
    assert_eq!(hours.start_us(number), at("2024-10-27T00:00Z"));
    assert_eq!(hours.start_us(number + 1), at("2024-10-28T00:00Z"));
}

#[test]
fn hours_that_the_clock_shows_twice_differ_by_their_offset() {
    let labels = |zone: &str, unit, from: &str| {
        let windows = calendar(if unit == Unit::Minute { 30 } else { 1 }, unit, zone);
        let first = windows.number(at(from));
        [0, 1, 2, 3].map(|n| windows.label(first + n)[11..].to_owned())
    };
    assert_eq!(
        labels("Europe/Berlin", Unit::Hour, "2024-10-26T23:00Z"),
        ["01:00", "02:00+02", "02:00+01", "03:00"]
    );
    assert_eq!(
        labels("America/New_York", Unit::Hour, "2024-11-03T04:00Z"),
        ["00:00", "01:00-04", "01:00-05", "02:00"]
    );
    assert_eq!(
        labels("Australia/Lord_Howe", Unit::Minute, "2024-04-06T14:00Z"),
        ["01:00", "01:30+11", "01:30+10:30", "02:00"]
    );
    assert_eq!(
        labels("Europe/Berlin", Unit::Hour, "2024-03-31T00:00Z"),
        ["01:00", "03:00", "04:00", "05:00"]
    );
    // Before standard time: 53 minutes and 28 seconds from Greenwich.
    let hours = calendar(1, Unit::Hour, "Europe/Berlin");
    assert_eq!(hours.label(hours.number(at("1880-01-01T00:00Z"))), "1880-01-01 00:53:28");
}

#[test]
fn several_periods_are_aligned_at_1970() {
    let starts = |count, unit| {
        let windows = calendar(count, unit, "Europe/Berlin");
        [-1, 0, 1].map(|n| calendar(1, Unit::Day, "Europe/Berlin").number(windows.start_us(n)))
    };
    assert_eq!(starts(2, Unit::Day), [-2, 0, 2]);
    assert_eq!(starts(1, Unit::Week), ["1969-12-29", "1970-01-05", "1970-01-12"].map(day));
    assert_eq!(starts(2, Unit::Week), ["1969-12-22", "1970-01-05", "1970-01-19"].map(day));
    assert_eq!(starts(3, Unit::Month), ["1969-10-01", "1970-01-01", "1970-04-01"].map(day));
    assert_eq!(starts(10, Unit::Year), ["1960-01-01", "1970-01-01", "1980-01-01"].map(day));
    let quarters = calendar(3, Unit::Month, "Europe/Berlin");
    let number = quarters.number(at("2024-06-30T22:00Z"));
    assert_eq!(quarters.label(number), "2024-07");
    assert_eq!(quarters.label(quarters.number(at("2024-06-30T21:59:59.999999Z"))), "2024-04");
    assert_eq!(quarters.bucket(Cycle::MonthOfYear, number), 6);
}

#[test]
fn weeks_belong_to_the_year_of_their_thursday() {
    let weeks = calendar(1, Unit::Week, "UTC");
    let label = |date: &str| weeks.label(weeks.number(at(&format!("{date}T12:00Z"))));
    assert_eq!(label("2027-01-03"), "2026-W53");
    assert_eq!(label("2027-01-04"), "2027-W01");
    assert_eq!(label("2024-12-30"), "2025-W01");
}

#[test]
fn a_skipped_date_is_an_empty_window_with_a_name_and_a_weekday() {
    let days = calendar(1, Unit::Day, "Pacific/Apia");
    let skipped = day("2011-12-30");
    assert_eq!(days.start_us(skipped), days.start_us(skipped + 1));
    assert_eq!(days.label(skipped), "2011-12-30");
    assert_eq!(days.bucket(Cycle::DayOfWeek, skipped), 4);
    let last = at("2011-12-30T10:00Z") - 1;
    assert_eq!([last, last + 1].map(|t| days.number(t)), [skipped - 1, skipped + 1]);
    let mut numbers = vec![];
    days.numbers(&[last, last + 1, last], &mut numbers);
    assert_eq!(numbers, [skipped - 1, skipped + 1, skipped - 1]);
}

#[test]
fn a_date_that_the_clock_goes_back_to_is_over() {
    // At 00:01 on the 29th, the clock went back to 23:01 on the 28th.
    let days = calendar(1, Unit::Day, "America/St_Johns");
    let start = at("2006-10-29T02:30Z");
    let numbers = [start - 1, start, start + HOUR_US / 60, start + HOUR_US].map(|t| days.number(t));
    assert_eq!(numbers.map(|n| days.label(n)), ["2006-10-28", "2006-10-29", "2006-10-29", "2006-10-29"]);
}

#[test]
fn lengths_and_zones_that_cannot_be_are_told() {
    let wrong = |count, unit, zone| Calendar::try_new(Every { count, unit }, zone).unwrap_err().to_string();
    assert_eq!(wrong(0, Unit::Day, "UTC"), "window is 0 days: a window lasts at least 1 second");
    assert_eq!(wrong(1001, Unit::Year, "UTC"), "window is 1001 years: the longest is 1000 years");
    assert_eq!(wrong(u32::MAX, Unit::Week, "UTC"), "window is 4294967295 weeks: the longest is 1000 years");
    assert_eq!(
        wrong(1, Unit::Day, "Europe/Berln"),
        "timezone is \"Europe/Berln\": no such time zone: did you mean Europe/Berlin?"
    );
    assert_eq!(
        wrong(1, Unit::Day, "new york"),
        "timezone is \"new york\": no such time zone: did you mean America/New_York?"
    );
    let hint = "no such time zone: write an IANA name, such as Europe/Paris or UTC";
    for zone in ["Middle-earth/Shire", "../../etc/passwd", "", "é"] {
        assert_eq!(wrong(1, Unit::Day, zone), format!("timezone is {zone:?}: {hint}"));
    }
    assert_eq!(
        Unit::try_from_name("days").unwrap_err().to_string(),
        "unit is \"days\": units are second, minute, hour, day, week, month, year"
    );
    assert_eq!(calendar(1, Unit::Day, "europe/berlin").zone(), "Europe/Berlin");
}

#[test]
fn units_are_written_as_in_the_configuration() {
    for (name, unit) in Unit::ALL {
        assert_eq!((Unit::try_from_name(name).unwrap(), unit.name()), (unit, name));
        assert_eq!(Every { count: 1, unit }.to_string(), format!("1 {name}"));
        assert_eq!(Every { count: 15, unit }.to_string(), format!("15 {name}s"));
    }
}

#[test]
fn instants_beyond_all_calendars_have_windows() {
    for (_, unit) in Unit::ALL {
        for zone in ["Europe/Berlin", "Pacific/Apia", "UTC"] {
            let windows = calendar(1, unit, zone);
            for instant_us in [i64::MIN, i64::MIN + 1, i64::MAX - 1, i64::MAX] {
                let number = windows.number(instant_us);
                assert!(windows.start_us(number) <= instant_us);
                assert!(instant_us <= windows.start_us(number + 1));
            }
            for number in [i64::MIN, i64::MAX] {
                windows.label(number);
                windows.bucket(Cycle::MonthOfYear, number);
            }
            assert_eq!([i64::MIN, i64::MAX].map(|n| windows.start_us(n)), [i64::MIN, i64::MAX]);
        }
    }
    let years = calendar(1, Unit::Year, "Europe/Berlin");
    assert_eq!(years.label(years.number(i64::MAX)), "294247");
    // Where the years that jiff knows are left, summer goes on to be summer.
    let hours = calendar(1, Unit::Hour, "Europe/Berlin");
    let era_us = 146_097 * DAY_US;
    for eras in [0, 17, 18, 19, 300] {
        let number = hours.number(at("2110-07-01T10:00Z") + eras * era_us);
        assert_eq!(hours.label(number), format!("{}-07-01 12:00", 2110 + 400 * eras));
    }
}

/// Every zone of this machine with the seconds from 1800 to 2100 at which its clock is changed.
static ZONES: LazyLock<Vec<(String, Vec<i64>)>> = LazyLock::new(|| {
    let [from, to] = ["1800-01-01T00Z", "2100-01-01T00Z"].map(|t| t.parse::<Timestamp>().unwrap());
    let changes = |name: &str| {
        let zone = tz::db().get(name).unwrap();
        let changes = zone.following(from).map(|change| change.timestamp()).take_while(|&t| t < to);
        changes.map(Timestamp::as_second).collect()
    };
    tz::db().available().map(|name| (name.to_string(), changes(name.as_str()))).collect()
});

#[test]
fn around_every_change_of_every_zone_days_begin_with_the_first_instant_of_the_date() {
    assert!(ZONES.len() > 300, "{} zones", ZONES.len());
    for (name, changes) in ZONES.iter() {
        let days = calendar(1, Unit::Day, name);
        let date = |second: i64| days.zone.clock_s(second).div_euclid(DAY_S);
        for (i, &change) in changes.iter().enumerate() {
            for number in date(change) - 2..=date(change) + 2 {
                let start = days.start_us(number) / SECOND_US;
                assert!(date(start) >= number, "{name} {}", days.label(number));
                // Between changes dates go forward, so an earlier instant of the date would be before one.
                let before = changes[i.saturating_sub(5)..].iter().take_while(|&&t| t <= start);
                for end in before.copied().chain([start]) {
                    assert!(date(end - 1) < number, "{name} {}", days.label(number));
                }
            }
        }
    }
}

#[test]
fn around_every_change_of_every_zone_windows_hold_the_instants_of_their_numbers() {
    for (name, changes) in ZONES.iter() {
        for unit in [Unit::Day, Unit::Month] {
            let windows = calendar(1, unit, name);
            for change in changes {
                for half_hours in [-1, 0, 1, 2, 24, 47] {
                    let t = change * SECOND_US + half_hours * HOUR_US / 2;
                    let number = windows.number(t);
                    assert!(windows.start_us(number) <= t && t < windows.start_us(number + 1), "{name} {t}");
                }
            }
        }
    }
}

fn zone() -> impl Strategy<Value = &'static (String, Vec<i64>)> {
    any::<Index>().prop_map(|index| index.get(&ZONES))
}

fn every() -> impl Strategy<Value = Every> {
    // Hours and their parts meet a change of an hour at the same minute before and after it.
    (prop_oneof![1_u32..40, select(vec![1, 15, 30])], select(Unit::ALL.to_vec()))
        .prop_map(|(count, (_, unit))| Every { count, unit })
}

/// Instants from the year 1 to 9999, half of them within two days of a change of the clock.
fn instant(changes: &'static [i64]) -> BoxedStrategy<i64> {
    let anywhere = at("0001-01-01T00Z")..at("9999-12-30T00Z") + 2 * DAY_US;
    if changes.is_empty() {
        return anywhere.boxed();
    }
    let near = (select(changes), -2 * DAY_US..2 * DAY_US).prop_map(|(change, by)| change * SECOND_US + by);
    let exact = (select(changes), -1_i64..=1).prop_map(|(change, by)| change * SECOND_US + by);
    prop_oneof![2 => anywhere, 1 => near, 1 => exact].boxed()
}

/// A calendar and instants in its zone, some of them neighbours.
fn instants() -> impl Strategy<Value = (Calendar, Vec<i64>)> {
    (zone(), every()).prop_flat_map(|((name, changes), every)| {
        let runs = vec((instant(changes), vec(0..3 * DAY_US, 1..10)), 1..20);
        runs.prop_map(move |runs| {
            let run = |(start, steps): (i64, Vec<i64>)| steps.into_iter().map(move |step| start + step);
            (Calendar::try_new(every, name).unwrap(), runs.into_iter().flat_map(run).collect())
        })
    })
}

proptest! {
    #[test]
    fn a_window_holds_the_instants_of_its_number((windows, instants) in instants()) {
        for t in instants {
            let number = windows.number(t);
            prop_assert!(windows.start_us(number) <= t, "{windows:?} {t}");
            prop_assert!(t < windows.start_us(number + 1), "{windows:?} {t}");
        }
    }

    #[test]
    fn numbers_never_fall_as_time_goes_on((windows, mut instants) in instants()) {
        instants.sort_unstable();
        prop_assert!(instants.iter().map(|&t| windows.number(t)).is_sorted(), "{windows:?} {instants:?}");
    }

    #[test]
    fn many_at_once_have_the_numbers_of_one_at_a_time((windows, instants) in instants()) {
        let one_at_a_time: Vec<i64> = instants.iter().map(|&t| windows.number(t)).collect();
        let mut numbers = vec![7; 3];
        windows.numbers(&instants, &mut numbers);
        prop_assert_eq!(numbers, one_at_a_time);
    }

    #[test]
    fn labels_differ((windows, instants) in instants()) {
        let number = windows.number(instants[0]);
        let labels: HashSet<String> = (number - 30..number + 30).map(|n| windows.label(n)).collect();
        prop_assert_eq!(labels.len(), 60, "{:?} {}", windows, number);
    }

    #[test]
    fn any_instant_and_number_has_an_answer((name, _) in zone(), every in every(), t: i64, number: i64) {
        let windows = Calendar::try_new(every, name).unwrap();
        let found = windows.number(t);
        prop_assert!(windows.start_us(found) <= t && t <= windows.start_us(found + 1));
        windows.label(number);
        for cycle in [Cycle::HourOfDay, Cycle::DayOfWeek, Cycle::MonthOfYear] {
            prop_assert!(windows.bucket(cycle, number) < cycle.buckets());
        }
    }

    #[test]
    fn dates_are_those_of_jiff(by in -4_000_000_i64..2_900_000) {
        let expected = Date::constant(1970, 1, 1).checked_add(by.days()).unwrap();
        let (year, month, day) = date(by);
        prop_assert_eq!(
            (year, month, day),
            (expected.year().into(), expected.month().into(), expected.day().into())
        );
        prop_assert_eq!(month_start(12 * (year - 1970) + month - 1) + day - 1, by);
    }
}

#[test]
fn more_windows_than_are_remembered_have_their_numbers() {
    let days = calendar(1, Unit::Day, "America/New_York");
    let instants: Vec<i64> = (0..12_000).map(|i| i * 7919 % 9000 * DAY_US).collect();
    let mut numbers = vec![];
    days.numbers(&instants, &mut numbers);
    assert!(numbers.iter().zip(&instants).all(|(&number, &t)| number == days.number(t)));
}
