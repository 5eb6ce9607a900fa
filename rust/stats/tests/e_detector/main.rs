//! How often an e-detector finds a change where there is none, and how soon where there is one.
//!
//! `quick` sets run always; `full` prints the table of the docs: `make simulate`.
mod world;

use driftline_stats::e_detector::{Band, Discount, Dispersion, Evidence, Shape, Watch};
use world::{Change, Law, Rows, World};

/// Windows over which a false alarm of a series is accepted once.
const PATIENCE: f64 = 2_000.0;
/// Chance, over all series, that any bound of the reference is wrong.
const LEVEL: f64 = 0.05;

/// A set of series, and what a false alarm may cost.
#[derive(Clone, Copy, Debug)]
struct Plan {
    law: Law,
    rows: Rows,
    reference_windows: i64,
    reference_rows: u64,
    window_rows: u64,
    tolerance: f64,
    /// Series over which bounds are shared.
    series: f64,
    /// Windows of a series for each false alarm.
    patience: f64,
}

/// A series as a monitor watches it.
struct Series {
    plan: Plan,
    world: World,
    bands: Vec<Vec<Band>>,
    discounts: Vec<Discount>,
    shape: Shape,
    evidence: Evidence,
    window: i64,
    promises: bool,
}

impl Series {
    fn new(plan: Plan, seed: u64) -> Self {
        let mut world = World::new(plan.law, plan.rows, seed);
        let buckets = plan.law.buckets();
        let mut counts = vec![vec![0u64; plan.law.cells()]; buckets];
        let mut dispersion: Option<Dispersion> = None;
        for window in 0..plan.reference_windows {
            let cells = world.window(window, plan.reference_rows, Change::Nothing);
            let bucket = window as usize % buckets;
            let sets = plan.law.sets(&cells);
            let dispersion = dispersion.get_or_insert_with(|| Dispersion::new(sets.len(), buckets));
            dispersion.update(&sets, plan.reference_rows, bucket).unwrap();
            counts[bucket].iter_mut().zip(cells).for_each(|(sum, count)| *sum += count);
        }
        let dispersion = dispersion.unwrap();
        let discounts = dispersion.discounts();
        let level = LEVEL / (plan.series * discounts.len() as f64 * 2.0 * buckets as f64);
        let bands: Vec<Vec<Band>> = counts
            .iter()
            .map(|cells| {
                let rows = cells.iter().sum();
                let sets = plan.law.sets(cells).into_iter().zip(&discounts);
                sets.map(|(count, d)| Band::try_new(count, rows, d.rows, level, plan.tolerance).unwrap())
                    .collect()
            })
            .collect();
        let shape = Shape::of(&bands.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let evidence = Evidence::new(&shape);
        let promises = !dispersion.promises_nothing(plan.tolerance);
        Self { plan, world, bands, discounts, shape, evidence, window: plan.reference_windows, promises }
    }

    /// Whether the next window raises an alarm, by the fast detector and by the strict one, each at half the budget.
    fn next(&mut self, change: Change) -> (bool, bool) {
        let cells = self.world.window(self.window, self.plan.window_rows, change);
        let bucket = self.window as usize % self.bands.len();
        let watch = Watch::try_with_shape(&self.shape, &self.bands[bucket], &self.discounts).unwrap();
        let sets = self.plan.law.sets(&cells);
        let reading = self.evidence.update(&watch, &sets, self.plan.window_rows, self.window);
        self.window += 1;
        let alarm = (reading.fast >= 2.0 * self.plan.patience, reading.strict >= 2.0 * self.plan.patience);
        if alarm.0 || alarm.1 {
            self.evidence.reset();
        }
        alarm
    }
}

/// False alarms of many series, by detector, and of how many series anything was promised.
fn false_alarms(plan: Plan, series: u64, windows: u64) -> (u64, u64, u64) {
    let (mut fast, mut strict, mut promised) = (0, 0, 0);
    for seed in 0..series {
        let mut series = Series::new(plan, 1_000 + seed);
        if !series.promises {
            continue;
        }
        promised += 1;
        for _ in 0..windows {
            let alarm = series.next(Change::Nothing);
            fast += u64::from(alarm.0);
            strict += u64::from(alarm.1);
        }
    }
    (fast, strict, promised)
}

/// Mean and largest number of windows until a change is found that begins after some quiet ones.
fn windows_to_alarm(plan: Plan, runs: u64, most: u64, change: impl Fn(u64) -> Change) -> (f64, u64) {
    let found: Vec<u64> = (0..runs)
        .map(|seed| {
            let mut series = Series::new(plan, 5_000 + seed);
            for _ in 0..20 {
                series.next(Change::Nothing);
            }
            let hit = (1..=most).find(|&window| {
                let (fast, strict) = series.next(change(window));
                fast || strict
            });
            hit.unwrap_or(most + 1)
        })
        .collect();
    (found.iter().sum::<u64>() as f64 / runs as f64, found.into_iter().max().unwrap())
}

/// Nothing changes: numbers by the shape of their rows, and what else may go wrong.
fn unchanged() -> Vec<(&'static str, Plan)> {
    let plan = Plan {
        law: Law::Numbers,
        rows: Rows::Independent,
        reference_windows: 168,
        reference_rows: 500,
        window_rows: 500,
        tolerance: 0.0,
        series: 200.0,
        patience: PATIENCE,
    };
    let hundred = Plan { reference_rows: 100, window_rows: 100, ..plan };
    let few = Plan { reference_rows: 30, window_rows: 30, ..plan };
    // Such a memory hides behind the chance of few rows.
    let weak = |windows| Plan {
        rows: Rows::Wobbling(0.07, 0.9),
        reference_windows: windows,
        reference_rows: 150,
        window_rows: 150,
        ..plan
    };
    vec![
        ("independent rows", plan),
        ("independent rows, 30 a window", few),
        ("independent rows, 34 windows of reference", Plan { reference_windows: 34, ..plan }),
        ("70 % zeros", Plan { law: Law::Zeros, ..plan }),
        ("300 categories", Plan { law: Law::Categories(300), ..plan }),
        (
            "a week's season, seasonal reference",
            Plan { law: Law::Seasonal(0.2), reference_windows: 280, ..plan },
        ),
        ("rows remember .5", Plan { rows: Rows::Remembering(0.5), ..plan }),
        ("rows remember .9", Plan { rows: Rows::Remembering(0.9), ..plan }),
        ("rows remember .9, 30 a window", Plan { rows: Rows::Remembering(0.9), ..few }),
        ("a burst in one window of 25", Plan { rows: Rows::Bursting, ..hundred }),
        ("rows in groups of 10", Plan { rows: Rows::Clustered(10), ..plan }),
        (
            "windows vary by 1 %, tolerance 2 %",
            Plan { rows: Rows::Wobbling(0.025, 0.0), tolerance: 0.02, ..plan },
        ),
        ("windows vary by 2 %", Plan { rows: Rows::Wobbling(0.05, 0.0), ..plan }),
        ("windows vary by 4 %", Plan { rows: Rows::Wobbling(0.1, 0.0), ..plan }),
        ("windows vary by 4 % and remember .3", Plan { rows: Rows::Wobbling(0.1, 0.3), ..plan }),
        ("windows of 150 vary by 3 % and remember .9, 30 of reference", weak(30)),
        ("windows of 150 vary by 3 % and remember .9, 60 of reference", weak(60)),
        ("windows of 150 vary by 3 % and remember .9, 99 of reference", weak(99)),
        ("windows of 150 vary by 3 % and remember .9, 200 of reference", weak(200)),
        ("windows vary by 4 % and remember .9", Plan { rows: Rows::Wobbling(0.1, 0.9), ..plan }),
        (
            "windows vary by 4 % and remember .9, tolerance 13 %",
            Plan { rows: Rows::Wobbling(0.1, 0.9), tolerance: 0.13, ..plan },
        ),
    ]
}

/// As many as are accepted, and three standard errors of so many.
fn limit(series: u64, windows: u64) -> f64 {
    let accepted = series as f64 * windows as f64 / PATIENCE;
    accepted + 3.0 * accepted.sqrt()
}

fn assert_promise(name: &str, plan: Plan, series: u64, windows: u64) {
    let (fast, strict, promised) = false_alarms(plan, series, windows);
    println!("{name}: {fast} fast, {strict} strict; {promised} of {series} series promised");
    // Each detector has half of the budget, so that either breaks its own.
    let half = promised as f64 * windows as f64 / PATIENCE / 2.0;
    let half_limit = half + 3.0 * half.sqrt();
    assert!(
        fast as f64 <= half_limit && strict as f64 <= half_limit,
        "{name}: {fast} and {strict}, {half_limit}"
    );
}

#[test]
fn nothing_changed_quick() {
    for (name, plan) in unchanged() {
        assert_promise(name, plan, 12, 300);
    }
}

/// Without discounts dependent rows break the budget: the test can tell.
#[test]
fn dependence_without_discounts_breaks_the_budget() {
    let (_, plan) = unchanged().remove(7);
    let mut alarms = 0;
    for seed in 0..4 {
        let mut series = Series::new(plan, seed);
        series.discounts.fill(Discount::NONE);
        alarms += (0..300).filter(|_| series.next(Change::Nothing).0).count();
    }
    assert!(alarms as f64 > 10.0 * limit(4, 300), "{alarms}");
}

/// A reference of 100,000 rows, windows of 500 independent ones, one false alarm in a million windows.
fn delay(change: Change) -> (f64, u64) {
    let plan = Plan {
        law: Law::Numbers,
        rows: Rows::Independent,
        reference_windows: 200,
        reference_rows: 500,
        window_rows: 500,
        tolerance: 0.0,
        series: 1.0,
        patience: 1e6,
    };
    windows_to_alarm(plan, 20, 400, |_| change)
}

const DELAYS: [(&str, Change, f64); 6] = [
    ("5 % past the median", Change::PastMedian(0.05), 8_000.0),
    ("5 % into the tail", Change::IntoTail(0.05), 2_000.0),
    ("5 % into the median bin", Change::IntoMedian(0.05), 2_000.0),
    ("10 % past the median", Change::PastMedian(0.1), 2_500.0),
    ("10 % into the tail", Change::IntoTail(0.1), 1_000.0),
    ("10 % into the median bin", Change::IntoMedian(0.1), 1_000.0),
];

#[test]
fn changes_are_found_soon() {
    for (name, change, most) in DELAYS {
        let rows = 500.0 * delay(change).0;
        println!("{name}: {rows}");
        assert!(rows <= most, "{name}: {rows} rows");
    }
}

/// 1 % a day, hourly windows of 1,000 rows, tolerance 2 %, a reference of 10,000 rows, one false alarm a year over 200
/// series: windows until it is found.
fn ramp(runs: u64) -> (f64, u64) {
    let plan = Plan {
        law: Law::Numbers,
        rows: Rows::Independent,
        reference_windows: 100,
        reference_rows: 100,
        window_rows: 1_000,
        tolerance: 0.02,
        series: 200.0,
        patience: 8_760.0 * 200.0,
    };
    windows_to_alarm(plan, runs, 400, |window| Change::PastMedian(0.01 * window as f64 / 24.0))
}

#[test]
fn a_slow_ramp_is_found_before_it_has_moved_a_tenth() {
    let (mean, most) = ramp(6);
    println!("ramp: {:.3} of the rows, at most {:.3}", 0.01 * mean / 24.0, 0.01 * most as f64 / 24.0);
    assert!(most <= 240, "{most} hours");
}

/// Rows of which ten say as much as one, in windows of 1,000.
fn dependent(change: Change, runs: u64) -> (f64, u64) {
    let plan = Plan {
        law: Law::Numbers,
        rows: Rows::Clustered(10),
        reference_windows: 100,
        reference_rows: 1_000,
        window_rows: 1_000,
        tolerance: 0.0,
        series: 1.0,
        patience: 1e6,
    };
    windows_to_alarm(plan, runs, 200, |_| change)
}

#[test]
fn changes_of_dependent_rows_are_found() {
    for (change, most) in [(Change::IntoMedian(0.1), 5.0), (Change::PastMedian(0.1), 25.0)] {
        let (mean, _) = dependent(change, 100);
        println!("{change:?}: {mean} windows");
        assert!(mean <= most, "{change:?}: {mean} windows");
    }
}

/// The tables of the docs, on standard output.
#[test]
#[ignore = "takes a quarter of an hour: make simulate runs it"]
fn full() {
    let (series, windows) = (200, 365);
    let accepted = series as f64 * windows as f64 / PATIENCE;
    let mut kept = true;
    println!("| nothing changed | series with a promise | false alarms, fast | strict | accepted |");
    println!("| --- | --: | --: | --: | --: |");
    for (name, plan) in unchanged() {
        let (fast, strict, promised) = false_alarms(plan, series, windows);
        let accepted = accepted * promised as f64 / series as f64;
        let holds = (fast + strict) as f64 <= accepted + 3.0 * accepted.sqrt();
        kept &= holds;
        let mark = if holds { "" } else { "**" };
        println!("| {name} | {promised} | {mark}{fast}{mark} | {mark}{strict}{mark} | {accepted:.1} |");
    }
    println!();
    println!("| change | found after | at most |");
    println!("| --- | --: | --: |");
    for (name, change, most) in DELAYS {
        let rows = 500.0 * delay(change).0;
        kept &= rows <= most;
        println!("| {name} | {rows:.0} rows | {most:.0} |");
    }
    let (mean, most) = ramp(40);
    kept &= most <= 240;
    let share = |windows: f64| windows / 24.0;
    println!(
        "| 1 % a day past the median | {:.1} % (at most {:.1} %) | 10 % |",
        share(mean),
        share(most as f64)
    );
    for (name, change, most) in [
        ("10 % into the median bin, deff 10", Change::IntoMedian(0.1), 5.0),
        ("10 % past the median, deff 10", Change::PastMedian(0.1), 25.0),
    ] {
        let (mean, _) = dependent(change, 400);
        kept &= mean <= most;
        println!("| {name} | {mean:.1} windows | {most:.0} |");
    }
    assert!(kept, "a figure is beyond its limit");
}
