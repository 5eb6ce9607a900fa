//! A monitor over rows that it is given: what it says does not depend on how they come, and is true.
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow_select::concat::concat_batches;
use driftline_engine::monitor::{Calendar, Check, Cycle, Every, Monitor, Settings, Span, Unit};
use driftline_engine::{Options, ProfileBuilder};
use driftline_stats::rng::Rng;
use proptest::prelude::*;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

const HOUR_US: i64 = 3_600_000_000;
/// 2026-01-05T00:00Z, a Monday.
const START_US: i64 = 1_767_571_200_000_000;
const NOW_US: i64 = START_US + 1_000_000 * HOUR_US;

fn settings() -> Settings {
    Settings {
        name: "m".into(),
        writer: "w".into(),
        time: "ts".into(),
        features: None,
        named: vec![],
        ignore: HashSet::new(),
        segments: vec![],
        segment_limit: 3,
        calendar: Calendar::try_new(Every { count: 1, unit: Unit::Hour }, "UTC").unwrap(),
        lateness_us: HOUR_US / 4,
        tolerance: 0.02,
        false_alarms_a_window: 1e-4,
        reference: Span::First(50),
        cycle: None,
        checks: BTreeMap::new(),
        k: 128,
        threads: 1,
    }
}

struct Rows {
    ts: Vec<i64>,
    x: Vec<Option<f64>>,
    c: Vec<Option<&'static str>>,
}

impl Rows {
    fn new() -> Self {
        Self { ts: vec![], x: vec![], c: vec![] }
    }

    fn batch(&self) -> RecordBatch {
        let columns: [(&str, ArrayRef); 3] = [
            ("ts", Arc::new(TimestampMicrosecondArray::from(self.ts.clone()).with_timezone("UTC"))),
            ("x", Arc::new(Float64Array::from(self.x.clone()))),
            ("c", Arc::new(StringArray::from(self.c.clone()))),
        ];
        RecordBatch::try_from_iter(columns).unwrap()
    }
}

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

/// Rows of some hours, evenly spread: x uniform, c one of four.
fn hours(from: i64, to: i64, rows: usize, seed: u64) -> Rows {
    let mut rng = Rng::new(seed);
    let mut made = Rows::new();
    for hour in from..to {
        for i in 0..rows {
            made.ts.push(START_US + hour * HOUR_US + i as i64 * HOUR_US / rows as i64);
            made.x.push(Some(rng.next_f64()));
            made.c.push(Some(NAMES[(rng.next_f64() * 4.0) as usize]));
        }
    }
    made
}

fn text(batch: &RecordBatch, column: &str) -> Vec<String> {
    let column = batch.column_by_name(column).unwrap().as_string::<i32>();
    column.iter().map(|value| value.unwrap_or("").to_owned()).collect()
}

fn wholes(batch: &RecordBatch, column: &str) -> Vec<i64> {
    batch.column_by_name(column).unwrap().as_primitive::<Int64Type>().values().to_vec()
}

/// What came of everything so far: results, alarms.
#[derive(Default)]
struct Told {
    results: Vec<RecordBatch>,
    alarms: Vec<RecordBatch>,
    late: Vec<(i64, String, u64)>,
}

impl Told {
    fn take(&mut self, monitor: &mut Monitor) {
        let output = monitor.take();
        self.results.push(output.results(&monitor.watched()).unwrap());
        self.alarms.push(output.alarms().unwrap());
        let late = output.late.iter().map(|late| (late.window, late.segment.clone(), late.profile.rows()));
        self.late.extend(late);
    }

    fn results(&self) -> RecordBatch {
        concat_batches(&self.results[0].schema(), &self.results).unwrap()
    }

    fn alarms(&self) -> RecordBatch {
        concat_batches(&self.alarms[0].schema(), &self.alarms).unwrap()
    }

    /// Happened, column, detector, what.
    fn events(&self) -> Vec<[String; 4]> {
        let alarms = self.alarms();
        let columns = ["happened", "column", "detector", "what"].map(|name| text(&alarms, name));
        (0..alarms.num_rows()).map(|row| [0, 1, 2, 3].map(|i| columns[i][row].clone())).collect()
    }
}

fn run(settings: Settings, rows: &[RecordBatch]) -> Told {
    let mut monitor = Monitor::try_new(settings, None).unwrap();
    let mut told = Told::default();
    for rows in rows {
        monitor.update(rows, NOW_US).unwrap();
    }
    told.take(&mut monitor);
    told
}

/// How a stream is fed: sizes of batches, and whether the process is started again after each.
fn feed(settings: &Settings, rows: &RecordBatch, sizes: &[usize], restarts: bool, end_us: i64) -> Told {
    let mut monitor = Monitor::try_new(settings.clone(), None).unwrap();
    let mut told = Told::default();
    let (mut from, mut turn) = (0, 0);
    while from < rows.num_rows() {
        let size = sizes[turn % sizes.len()].min(rows.num_rows() - from);
        monitor.update(&rows.slice(from, size), NOW_US).unwrap();
        from += size;
        turn += 1;
        if restarts && turn % 3 == 0 {
            told.take(&mut monitor);
            let bytes = monitor.checkpoint().unwrap().concat();
            monitor = Monitor::restore(settings.clone(), &bytes).unwrap();
            assert_eq!(monitor.checkpoint().unwrap().concat(), bytes);
        }
    }
    monitor.advance(end_us).unwrap();
    told.take(&mut monitor);
    told
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Any cut into batches, and any number of restarts, gives the same bits.
    #[test]
    fn how_rows_come_changes_nothing(
        seed in 0u64..1000,
        sizes in prop::collection::vec(1usize..3000, 1..4),
        shift in 0.0f64..0.6,
        disorder in prop::sample::select(vec![0i64, HOUR_US / 2, 3 * HOUR_US]),
        segments in any::<bool>(),
    ) {
        let mut made = hours(0, 90, 100, seed);
        let mut rng = Rng::new(seed + 1);
        for (i, (ts, x)) in made.ts.iter_mut().zip(&mut made.x).enumerate() {
            *ts -= (rng.next_f64() * disorder as f64) as i64;
            if i > 6500 {
                *x = x.map(|x| x + shift);
            }
            if i % 97 == 0 {
                *x = None;
            }
        }
        let mut settings = settings();
        settings.segments = if segments { vec![vec!["c".to_owned()]] } else { vec![] };
        let rows = made.batch();
        let end_us = START_US + 95 * HOUR_US;
        let whole = feed(&settings, &rows, &[rows.num_rows()], false, end_us);
        for restarts in [false, true] {
            let cut = feed(&settings, &rows, &sizes, restarts, end_us);
            prop_assert_eq!(cut.results(), whole.results());
            prop_assert_eq!(cut.alarms(), whole.alarms());
            prop_assert_eq!(&cut.late, &whole.late);
        }
    }
}

#[test]
fn every_row_is_in_one_window_and_windows_are_whole() {
    let rows = hours(0, 80, 60, 3).batch();
    let told = feed(&settings(), &rows, &[777], false, START_US + 81 * HOUR_US);
    let results = told.results();
    assert_eq!(results.num_rows(), 80 * 2);
    assert!(wholes(&results, "rows").iter().all(|&rows| rows == 60));
    let (columns, moved) = (text(&results, "column"), text(&results, "moved"));
    assert!(columns.iter().zip(&moved).all(|(column, moved)| column != "c" || !moved.contains("number")));
    let status = text(&results, "status");
    assert!(status[..100].iter().all(|s| s == "learning") && status[100..].iter().all(|s| s == "watching"));
    assert_eq!(told.alarms().num_rows(), 0);
}

#[test]
fn late_rows_are_told_apart_and_absurd_times_change_nothing() {
    let mut made = hours(0, 60, 100, 5);
    // One row of hour 3 comes with those of hour 40, one is of the year 9999, one from before 1970.
    let place = 40 * 100 + 50;
    made.ts[place] = START_US + 3 * HOUR_US + 7;
    made.ts[place + 1] = 253_370_764_800_000_000;
    made.ts[place + 2] = -5;
    let mut monitor = Monitor::try_new(settings(), None).unwrap();
    monitor.update(&made.batch(), NOW_US).unwrap();
    monitor.advance(START_US + 61 * HOUR_US).unwrap();
    let counts = monitor.counts();
    assert_eq!((counts.rows, counts.late, counts.absurd), (6000, 1, 2));
    let mut told = Told::default();
    told.take(&mut monitor);
    assert_eq!(told.late.len(), 1);
    assert_eq!((&*told.late[0].1, told.late[0].2), ("", 1));
    let rows = wholes(&told.results(), "rows");
    assert_eq!(rows.iter().sum::<i64>(), 2 * (6000 - 3));
}

/// A change is found, named and closed again.
#[test]
fn a_change_opens_an_alarm_and_its_end_closes_it() {
    let mut made = hours(0, 200, 400, 8);
    for (i, x) in made.x.iter_mut().enumerate() {
        let hour = i / 400;
        // A fifth of the rows move past .5.
        if (80..120).contains(&hour) && i % 5 < 2 && x.is_some_and(|x| x < 0.5) {
            *x = x.map(|x| x + 0.5);
        }
    }
    let told = run(settings(), &[made.batch()]);
    let events = told.events();
    let of: Vec<_> = events.iter().map(|event| (&*event[0], &*event[1])).collect();
    assert_eq!((of[0], of[of.len() - 1]), (("opened", "x"), ("closed", "x")), "{events:?}");
    assert!(events[0][3].starts_with("above 0.4") || events[0][3].starts_with("above 0.5"), "{events:?}");
    let alarms = told.alarms();
    let since = alarms.column_by_name("since").unwrap();
    let since = since.as_primitive::<arrow_array::types::TimestampMicrosecondType>().value(0);
    assert!((since - (START_US + 80 * HOUR_US)).abs() <= 2 * HOUR_US);
}

/// What moves in the same hours of every day closes once between two days, and then stays open until it is over for good.
#[test]
fn a_change_that_recurs_every_day_stays_open() {
    const WINDOWS: i64 = 200;
    let every = Every { count: 6, unit: Unit::Hour };
    let settings = Settings { calendar: Calendar::try_new(every, "UTC").unwrap(), ..settings() };
    let mut made = hours(0, 6 * WINDOWS, 50, 8);
    for (i, x) in made.x.iter_mut().enumerate() {
        let window = i as i64 / 300;
        if (52..172).contains(&window) && window % 4 == 2 && i % 5 < 2 {
            *x = x.map(|x| x + 0.5);
        }
    }
    let (rows, end_us) = (made.batch(), START_US + 6 * (WINDOWS + 1) * HOUR_US);
    let whole = feed(&settings, &rows, &[rows.num_rows()], false, end_us);
    let events = whole.events();
    let happened: Vec<_> =
        events.iter().map(|event| &*event[0]).filter(|happened| *happened != "extended").collect();
    assert_eq!(happened, ["opened", "closed", "reopened", "closed"], "{events:?}");
    let windows = text(&whole.alarms(), "window");
    // It is over with 16 February, 12:00: it was closed for two windows, and so has to be back for four.
    assert_eq!(windows[windows.len() - 1], "2026-02-17 18:00", "{windows:?}");
    for restarts in [false, true] {
        let cut = feed(&settings, &rows, &[997, 1, 50], restarts, end_us);
        assert_eq!((cut.results(), cut.alarms()), (whole.results(), whole.alarms()));
    }
}

#[test]
fn breakages_are_found_in_their_first_window() {
    type Case = (&'static str, fn(&mut Rows, usize), &'static str);
    let cases: [Case; 3] = [
        ("x", |rows, i| rows.x[i] = None, "missing"),
        ("x", |rows, i| rows.x[i] = Some(7.0), "above"),
        ("c", |rows, i| rows.c[i] = Some("z"), "new values"),
    ];
    for (column, breaks, what) in cases {
        let mut made = hours(0, 70, 100, 9);
        (60 * 100..70 * 100).for_each(|i| breaks(&mut made, i));
        let told = run(settings(), &[made.batch()]);
        let events = told.events();
        assert_eq!(events[0][..3], ["opened", column, "breakage"], "{events:?}");
        assert!(events[0][3].starts_with(what), "{events:?}");
        assert_eq!(text(&told.alarms(), "window")[0], "2026-01-07 12:00", "{events:?}");
    }
}

#[test]
fn rules_speak_at_once() {
    let mut settings = settings();
    let allowed = Some(NAMES.map(str::to_owned).into());
    settings.checks = BTreeMap::from([
        ("x".to_owned(), Check { max: Some(1.0), nulls: Some(0.02), ..Check::default() }),
        ("c".to_owned(), Check { allowed, ..Check::default() }),
    ]);
    let mut made = hours(0, 63, 100, 11);
    made.x[60 * 100 + 7] = Some(1.5);
    made.c[61 * 100 + 7] = Some("zebra");
    (0..3).for_each(|i| made.x[62 * 100 + i] = None);
    let whole = made.batch();
    // In hour 63 a column is gone, in 64 it is text, from 65 on there are no rows, and in 70 ten times as many.
    let gone = hours(63, 64, 100, 12).batch().project(&[0, 2]).unwrap();
    let retyped = hours(64, 65, 100, 13).batch();
    let words: ArrayRef = Arc::new(StringArray::from(vec!["w"; 100]));
    let columns = [("ts", retyped.column(0).clone()), ("x", words), ("c", retyped.column(2).clone())];
    let retyped = RecordBatch::try_from_iter(columns).unwrap();
    let many = hours(70, 72, 1000, 14).batch();
    let told = run(settings, &[whole, gone, retyped, many]);
    let mut seen: Vec<_> =
        told.events().into_iter().filter(|event| event[2] == "rule" && event[0] == "opened").collect();
    seen.sort();
    let seen: Vec<_> = seen.iter().map(|event| (&*event[1], &*event[3])).collect();
    let expected = [
        ("", "1000 rows; the reference has 100 a window"),
        ("", "no rows; the reference has 100 a window"),
        ("c", "\"zebra\" is not allowed"),
        ("x", "1.5 is above 1"),
        ("x", "3.00 % have no value, 2.00 % may"),
        ("x", "the column is gone"),
        ("x", "the column is string now, and float64 in the reference"),
    ];
    assert_eq!(seen, expected);
}

/// What a check says needs no reference, and a column is new once.
#[test]
fn checks_are_looked_at_while_the_reference_is_learnt_and_new_columns_are_told_once() {
    let mut settings = settings();
    settings.checks = BTreeMap::from([("x".to_owned(), Check { max: Some(1.0), ..Check::default() })]);
    let mut made = hours(0, 60, 100, 11);
    made.x[5 * 100 + 7] = Some(1.5);
    let (known, later) = (made.batch(), hours(60, 64, 100, 12).batch());
    let new: ArrayRef = Arc::new(StringArray::from(vec!["w"; later.num_rows()]));
    let columns = ["ts", "x", "c"].map(|name| (name, later.column_by_name(name).unwrap().clone()));
    let later = RecordBatch::try_from_iter(columns.into_iter().chain([("n", new)])).unwrap();
    let told = run(settings, &[known, later]);
    let events: Vec<_> =
        told.events().into_iter().map(|event| (event[0].clone(), event[3].clone())).collect();
    let expected = [
        ("opened", "1.5 is above 1"),
        ("closed", "the check holds again"),
        ("opened", "the column is new: string; it is not watched"),
        ("closed", "the column is known now"),
    ];
    assert_eq!(events, expected.map(|(happened, what)| (happened.to_owned(), what.to_owned())));
    assert_eq!(text(&told.alarms(), "window")[..2], ["2026-01-05 05:00", "2026-01-05 06:00"]);
}

/// What comes round with the hours is no alarm beside the same hour, and one beside all hours.
#[test]
fn seasons_are_compared_with_themselves() {
    let mut made = hours(0, 24 * 60, 60, 15);
    for (i, x) in made.x.iter_mut().enumerate() {
        let hour = (i / 60) % 24;
        *x = x.map(|x| x + hour as f64);
    }
    let batch = made.batch();
    let of = |cycle: Option<Cycle>| {
        let settings = Settings { cycle, reference: Span::First(24 * 40), ..settings() };
        run(settings, std::slice::from_ref(&batch))
    };
    assert_eq!(of(Some(Cycle::HourOfDay)).events(), Vec::<[String; 4]>::new());
    let promises = text(&of(None).alarms(), "promise");
    assert!(promises.iter().all(|promise| promise.starts_with("none")), "{promises:?}");
}

/// Hours of which the reference has no rows are compared with nothing: neither is anything said of them, nor do they end an
/// alarm.
#[test]
fn a_season_without_rows_has_no_reference() {
    let mut made = hours(0, 24 * 30, 100, 21);
    for (i, x) in made.x.iter_mut().enumerate() {
        // From day 24 on a fifth of the rows is missing at any hour, and at night, which is new, x is another.
        let (day, hour) = (i / 2400, (i / 100) % 24);
        if day >= 24 {
            *x = if i % 5 == 0 { None } else { x.map(|x| x + if hour < 6 { 50.0 } else { 0.0 }) };
        }
    }
    let keep: Vec<usize> = (0..made.ts.len()).filter(|i| i / 2400 >= 21 || (i / 100) % 24 >= 6).collect();
    let made = Rows {
        ts: keep.iter().map(|&i| made.ts[i]).collect(),
        x: keep.iter().map(|&i| made.x[i]).collect(),
        c: keep.iter().map(|&i| made.c[i]).collect(),
    };
    let cycle = Some(Cycle::HourOfDay);
    let told = run(Settings { cycle, reference: Span::First(24 * 20), ..settings() }, &[made.batch()]);
    let results = told.results();
    let [column, status, verdict, window] =
        ["column", "status", "verdict", "window"].map(|name| text(&results, name));
    let mut nights = 0;
    for row in 0..results.num_rows() {
        let hour: u32 = window[row][11..13].parse().unwrap();
        let is_night = hour < 6 && window[row][..10] >= *"2026-01-26";
        nights += usize::from(is_night);
        assert_eq!(status[row] == "no reference", is_night, "{} {}", window[row], status[row]);
        assert!(!is_night || verdict[row].is_empty(), "{} {}", column[row], window[row]);
    }
    assert_eq!(nights, 2 * 9 * 6);
    // Of the number of rows there is a reference: none.
    let events: Vec<_> = told.events().into_iter().filter(|event| event[2] != "rule").collect();
    assert_eq!(events, [["opened", "x", "fast", "missing"]]);
}

/// A segment that comes up later learns from as many windows as the reference has, and is watched from then on.
#[test]
fn a_segment_that_comes_up_later_learns_from_its_first_windows() {
    let mut made = hours(0, 200, 100, 22);
    for (i, (x, c)) in made.x.iter_mut().zip(&mut made.c).enumerate() {
        let hour = i / 100;
        // Half of the rows are of a segment of its own from hour 70 on, in which x lies higher, and higher still from 150 on.
        *c = Some(if hour >= 70 && i % 2 == 0 { "late" } else { "a" });
        if *c == Some("late") {
            *x = x.map(|x| x + if hour >= 150 { 0.6 } else { 0.2 });
        }
    }
    for reference in [Span::First(50), Span::Trailing(50)] {
        let settings = Settings { segments: vec![vec!["c".into()]], reference, ..settings() };
        let told = run(settings, &[made.batch()]);
        let results = told.results();
        let [segment, status] = ["segment", "status"].map(|name| text(&results, name));
        let late: Vec<_> = (0..results.num_rows()).filter(|&row| segment[row] == "c=late").collect();
        let status: Vec<_> = late.iter().map(|&row| &*status[row]).collect();
        assert_eq!(status.iter().position(|status| *status != "learning"), Some(2 * 50), "{status:?}");
        assert!(status[2 * 50..].iter().all(|status| *status == "watching"));
        let alarms = told.alarms();
        let [segment, column, window] = ["segment", "column", "window"].map(|name| text(&alarms, name));
        let first = (0..alarms.num_rows()).find(|&row| segment[row] == "c=late").unwrap();
        assert_eq!(column[first], "x");
        // Hour 150 is that of 06:00 on 11 January.
        assert!(
            ("2026-01-11 06:00"..="2026-01-11 20:00").contains(&&*window[first]),
            "{segment:?} {column:?} {window:?}"
        );
    }
}

/// A trailing reference follows: a step is an alarm that ends, though the step stays.
#[test]
fn a_trailing_reference_follows() {
    let mut made = hours(0, 300, 400, 16);
    made.x.iter_mut().skip(100 * 400).for_each(|x| *x = x.map(|x| x + 0.3));
    let told = run(Settings { reference: Span::Trailing(48), ..settings() }, &[made.batch()]);
    let events = told.events();
    assert_eq!(events[0][..2], ["opened".to_owned(), "x".to_owned()]);
    let results = told.results();
    let status = text(&results, "status");
    assert_eq!(status.iter().filter(|status| *status == "learning").count(), 2 * 48);
    let verdicts = text(&results, "verdict");
    assert!(verdicts[2 * 280..].iter().all(|verdict| verdict != "drift"), "{verdicts:?}");
}

/// A trailing reference of few windows does not show how they vary: those that are watched do, and renewals keep that.
#[test]
fn a_short_trailing_reference_promises_once_thirty_windows_were_seen() {
    let settings = Settings { reference: Span::Trailing(14), lateness_us: 0, ..settings() };
    let mut monitor = Monitor::try_new(settings, None).unwrap();
    let rows = hours(0, 120, 400, 31).batch();
    for hour in 0..120 {
        monitor.update(&rows.slice(hour * 400, 400), NOW_US).unwrap();
        let standings = monitor.standings().unwrap();
        // The window of the hour is open.
        let (status, promise) = (text(&standings, "status"), text(&standings, "promise"));
        let expected = match hour {
            0..=14 => "learning",
            15..30 => "calibrating",
            _ => "watching",
        };
        if hour > 0 {
            assert!(status.iter().all(|status| status == expected), "{hour}: {status:?}");
        }
        match expected {
            "learning" => assert!(promise.iter().all(String::is_empty), "{promise:?}"),
            "calibrating" => {
                assert!(
                    promise.iter().all(|p| p.starts_with(&format!("none yet: {hour} of 30"))),
                    "{promise:?}"
                );
            }
            _ => {
                assert!(promise.iter().all(|p| p.starts_with("if ") && p.contains(" windows")), "{promise:?}")
            }
        }
    }
    let mut told = Told::default();
    told.take(&mut monitor);
    assert_eq!(told.alarms().num_rows(), 0);
}

#[test]
fn a_reference_that_is_handed_over_is_used_whole() {
    let reference = hours(-2000, -1900, 100, 17).batch();
    let profile = |batch: &RecordBatch| {
        let mut builder = ProfileBuilder::try_new(&batch.schema(), &Options::default()).unwrap();
        builder.update(batch).unwrap();
        builder.finish().unwrap()
    };
    let settings = Settings { reference: Span::Given, ..settings() };
    let mut monitor = Monitor::try_new(settings.clone(), Some(&profile(&reference))).unwrap();
    monitor.learn(&reference.slice(0, 1234)).unwrap();
    monitor.learn(&reference.slice(1234, reference.num_rows() - 1234)).unwrap();
    monitor.end_learning().unwrap();
    let standings = monitor.standings().unwrap();
    assert_eq!(wholes(&standings, "reference_rows"), [10_000, 10_000]);
    assert_eq!(wholes(&standings, "reference_windows"), [100, 100]);
    monitor.update(&hours(0, 10, 100, 18).batch(), NOW_US).unwrap();
    let mut told = Told::default();
    told.take(&mut monitor);
    assert!(text(&told.results(), "status").iter().all(|status| status == "watching"));

    // Without times nothing shows how windows vary, until thirty have come.
    let timeless = reference.project(&[1, 2]).unwrap();
    let mut monitor = Monitor::try_new(settings, Some(&profile(&timeless))).unwrap();
    monitor.learn(&timeless).unwrap();
    monitor.end_learning().unwrap();
    monitor.update(&hours(0, 40, 100, 19).batch(), NOW_US).unwrap();
    let mut told = Told::default();
    told.take(&mut monitor);
    let status = text(&told.results(), "status");
    assert_eq!(status.iter().filter(|status| *status == "calibrating").count(), 2 * 29);
    assert_eq!(status.last().unwrap(), "watching");
}

#[test]
fn segments_beyond_the_limit_are_pooled() {
    let settings = Settings { segments: vec![vec!["c".into()]], segment_limit: 2, ..settings() };
    let told = run(settings, &[hours(0, 60, 100, 20).batch()]);
    let results = told.results();
    let segments: HashSet<_> = text(&results, "segment").into_iter().collect();
    assert_eq!(segments.len(), 4);
    assert!(segments.contains("c=__other__") && segments.contains(""));
    let rows: i64 = wholes(&results, "rows").iter().sum();
    assert_eq!(rows % (4 * 100), 0);
}

#[test]
fn what_is_wrong_is_said() {
    let error = |settings: Settings| Monitor::try_new(settings, None).err().unwrap().to_string();
    assert!(error(Settings { tolerance: 1.0, ..settings() }).starts_with("tolerance is 1"));
    assert!(
        error(Settings { false_alarms_a_window: 2.0, ..settings() }).starts_with("false_alarms comes to 2")
    );
    let mut monitor = Monitor::try_new(settings(), None).unwrap();
    let columns: [(&str, ArrayRef); 1] = [("x", Arc::new(Int64Array::from(vec![1])))];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let said = monitor.update(&batch, NOW_US).unwrap_err().to_string();
    assert_eq!(said, "no column \"ts\", which is the time; columns are \"x\"");
    let restored = Monitor::restore(settings(), b"nonsense").err().unwrap().to_string();
    assert!(restored.starts_with("the checkpoint is damaged"), "{restored}");
}
