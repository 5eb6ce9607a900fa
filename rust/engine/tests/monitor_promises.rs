//! Whole monitors over rows that do not change: where they promise, there are no more false alarms than accepted.
use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, RecordBatch, StringArray, TimestampMicrosecondArray};
use driftline_engine::monitor::{Calendar, Cycle, Every, Monitor, Settings, Span, Unit};
use driftline_engine::source::{Format, Input, Location};
use driftline_engine::{Options, ProfileBuilder};
use driftline_stats::rng::Rng;
use parquet::arrow::ArrowWriter;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

const HOUR_US: i64 = 3_600_000_000;
/// 2026-01-05T00:00Z, a Monday.
const START_US: i64 = 1_767_571_200_000_000;
const NOW_US: i64 = START_US + 1_000_000 * HOUR_US;
/// False alarms that are accepted in a window of all series together.
const ACCEPTED: f64 = 1.0 / 500.0;

fn settings(reference: Span) -> Settings {
    Settings {
        name: "m".into(),
        writer: "w".into(),
        time: "ts".into(),
        features: None,
        ignore: HashSet::new(),
        segments: vec![],
        segment_limit: 3,
        calendar: Calendar::try_new(Every { count: 1, unit: Unit::Hour }, "UTC").unwrap(),
        lateness_us: 0,
        tolerance: 0.0,
        false_alarms_a_window: ACCEPTED,
        reference,
        cycle: None,
        checks: BTreeMap::new(),
        k: 128,
        threads: 1,
        named: vec![],
    }
}

/// How the rows of a column come about; nothing changes over time.
#[derive(Clone, Copy, Debug)]
enum Law {
    /// So many values, alike or falling as 1/rank.
    Uniform(usize),
    Zipf(usize),
}

/// Independent columns of windows of so many rows.
fn rows(law: Law, columns: usize, windows: usize, per_window: usize, seed: u64) -> RecordBatch {
    let mut made: Vec<(String, ArrayRef)> = vec![];
    let count = windows * per_window;
    let step = HOUR_US / per_window as i64;
    let times =
        (0..count).map(|i| START_US + (i / per_window) as i64 * HOUR_US + (i % per_window) as i64 * step);
    made.push((
        "ts".into(),
        Arc::new(TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC")),
    ));
    for column in 0..columns {
        let mut rng = Rng::new(seed * 1_000 + column as u64);
        let weights: Vec<f64> = match law {
            Law::Zipf(values) => (1..=values).map(|rank| 1.0 / rank as f64).collect(),
            Law::Uniform(values) => vec![1.0; values],
        };
        let total: f64 = weights.iter().sum();
        let ends: Vec<f64> = weights
            .iter()
            .scan(0.0, |sum, weight| {
                *sum += weight / total;
                Some(*sum)
            })
            .collect();
        let mut drawn = || ends.partition_point(|&end| end <= rng.next_f64()).min(ends.len() - 1);
        let values = StringArray::from_iter_values((0..count).map(|_| format!("v{}", drawn())));
        made.push((format!("c{column}"), Arc::new(values)));
    }
    RecordBatch::try_from_iter(made).unwrap()
}

/// What monitors said: series, those with a promise, alarms of these by what moved.
#[derive(Debug, Default)]
struct Said {
    series: usize,
    promised: usize,
    independent: usize,
    alarms: Vec<String>,
}

impl Said {
    fn add(&mut self, mut monitor: Monitor) {
        let standings = monitor.standings().unwrap();
        let text = |batch: &RecordBatch, name: &str| -> Vec<String> {
            let column = batch.column_by_name(name).unwrap().as_string::<i32>();
            column.iter().map(|value| value.unwrap_or("").to_owned()).collect()
        };
        let promises = standings.column_by_name("promises").unwrap().as_boolean();
        let columns = text(&standings, "column");
        let promised: HashMap<_, _> = columns.iter().zip(promises.values()).collect();
        self.series += columns.len();
        self.promised += promised.values().filter(|&&promises| promises).count();
        let independent = text(&standings, "promise").into_iter().filter(|p| p.contains("independent of"));
        self.independent += independent.count();
        let alarms = monitor.take().alarms().unwrap();
        let [happened, column, detector, what] =
            ["happened", "column", "detector", "what"].map(|name| text(&alarms, name));
        for i in 0..alarms.num_rows() {
            if happened[i] == "opened" && detector[i] != "rule" && promised[&column[i]] {
                self.alarms.push(what[i].clone());
            }
        }
    }

    /// No more alarms than accepted, by three standard errors and one, of so many windows.
    fn assert_kept(&self, name: &str, windows: usize) {
        let accepted = ACCEPTED * windows as f64 * self.promised as f64 / self.series as f64;
        println!("{name}: {self:?}, {accepted:.2} accepted");
        let limit = accepted + 3.0 * accepted.sqrt() + 1.0;
        assert!(self.alarms.len() as f64 <= limit, "{name}: {:?}, {accepted:.2} accepted", self.alarms);
    }
}

/// How a monitor gets its reference.
#[derive(Clone, Copy, Debug, PartialEq)]
enum By {
    /// Its first windows, as rows come.
    Rows,
    /// The same, from a file that is read first.
    Archive,
    /// A file, with times or without.
    File,
    FileWithoutTimes,
    /// A profile.
    Profile,
    /// Hours of the day.
    Seasons,
    /// The windows before each.
    Trailing,
}

fn input(rows: &RecordBatch, folder: &tempfile::TempDir) -> Input {
    let path = folder.path().join("rows.parquet");
    let mut writer =
        ArrowWriter::try_new(std::fs::File::create(&path).unwrap(), rows.schema(), None).unwrap();
    writer.write(rows).unwrap();
    writer.close().unwrap();
    Input {
        name: path.display().to_string(),
        format: Format::Parquet,
        location: Location::Local(path),
        partitions: vec![],
    }
}

/// The monitor of so many reference windows and all that come after.
fn watch(rows: &RecordBatch, by: By, reference_windows: usize, per_window: usize) -> Monitor {
    let count = reference_windows * per_window;
    let (reference, later) = (rows.slice(0, count), rows.slice(count, rows.num_rows() - count));
    let first = settings(Span::First(reference_windows as u64));
    let given = settings(Span::Given);
    let folder = tempfile::tempdir().unwrap();
    let mut monitor = match by {
        By::Rows | By::Archive => Monitor::try_new(first, None),
        By::Seasons => Monitor::try_new(Settings { cycle: Some(Cycle::HourOfDay), ..first }, None),
        By::Trailing => Monitor::try_new(settings(Span::Trailing(reference_windows as u64)), None),
        By::File | By::FileWithoutTimes => Monitor::try_new(given, None),
        By::Profile => {
            let mut builder = ProfileBuilder::try_new(&reference.schema(), &Options::default()).unwrap();
            builder.update(&reference).unwrap();
            let profile = builder.finish().unwrap();
            let mut monitor = Monitor::try_new(given, Some(&profile)).unwrap();
            monitor.learn_profile(&profile).unwrap();
            Ok(monitor)
        }
    }
    .unwrap();
    let timeless = || {
        let columns: Vec<usize> = (1..reference.num_columns()).collect();
        reference.project(&columns).unwrap()
    };
    match by {
        By::Archive => {
            let until = START_US + reference_windows as i64 * HOUR_US;
            monitor.bin_before(&[input(rows, &folder)], until).unwrap();
        }
        By::File | By::FileWithoutTimes => {
            let reference = if by == By::File { reference.clone() } else { timeless() };
            monitor.bin_reference(&[input(&reference, &folder)]).unwrap();
            monitor.learn(&reference).unwrap();
            monitor.end_learning().unwrap();
        }
        _ => {}
    }
    if matches!(by, By::Rows | By::Archive | By::Seasons | By::Trailing) {
        monitor.update(&reference, NOW_US).unwrap();
    }
    monitor.update(&later, NOW_US).unwrap();
    monitor
}

/// Values that are picked by their counts must not look rarer afterwards, nor those that are left more frequent.
#[test]
fn categories_that_do_not_change_raise_no_alarm() {
    for by in [By::Rows, By::Archive, By::File, By::FileWithoutTimes, By::Profile, By::Trailing, By::Seasons]
    {
        for law in
            [Law::Uniform(30), Law::Uniform(300), Law::Uniform(1_000), Law::Zipf(300), Law::Zipf(1_000)]
        {
            let (reference, windows, per_window) =
                if by == By::Seasons { (168, 120, 50) } else { (50, 120, 100) };
            let mut said = Said::default();
            said.add(watch(&rows(law, 6, reference + windows, per_window, 1), by, reference, per_window));
            said.assert_kept(&format!("{by:?} {law:?}"), windows);
        }
    }
}

/// Rows that come late, one by one, are more evidence of a window and no more windows.
#[test]
fn late_rows_in_many_deliveries_raise_no_more_alarms() {
    const A_WINDOW: f64 = 0.05;
    let (columns, reference, windows, late) = (40, 100, 40, 50);
    let settings = settings(Span::First(reference as u64));
    let mut monitor =
        Monitor::try_new(Settings { false_alarms_a_window: A_WINDOW, ..settings }, None).unwrap();
    monitor.update(&rows(Law::Uniform(2), columns, reference, 2_000, 7), NOW_US).unwrap();
    // Of each window half of the rows come when the next one has closed it.
    let later = rows(Law::Uniform(2), columns, reference + windows, 2 * late, 8);
    let part = |window: usize, half: usize| later.slice((2 * window + half) * late, late);
    for window in reference..reference + windows {
        monitor.update(&part(window, 0), NOW_US).unwrap();
        if window > reference {
            let rows = part(window - 1, 1);
            for row in 0..late {
                monitor.update(&rows.slice(row, 1), NOW_US).unwrap();
                monitor.feed_late().unwrap();
            }
        }
    }
    assert_eq!(monitor.counts().late as usize, (windows - 1) * late);
    let mut said = Said::default();
    said.add(monitor);
    let accepted = A_WINDOW * windows as f64;
    println!("{} alarms of {} series, {accepted} accepted", said.alarms.len(), said.promised);
    assert!(said.alarms.len() as f64 <= accepted + 3.0 * accepted.sqrt(), "{said:?}");
}
