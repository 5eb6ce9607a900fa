//! What the bets have won so far: the state of a series between windows.
//!
//! Each component multiplies what it has, and one more unit that was staked in this window, by what the window
//! wins (Shiryaev and Roberts): `M <- L (M + 1)`. While every row's chance to fall into the set, given all rows before,
//! lies in the band, `L` is at most 1 on average, so the mean of `M` over the components grows by at most 1 a window, and
//! it passes `A` at most once in `A` windows on average, restarts included. Of each set and side one fast component has a
//! twin that forgets losses, `C <- L max(C, 1)`, which tells since when it has been winning.
use crate::e_detector::powers;
use crate::e_detector::watch::{Line, Shape, Side, Watch};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::sync::LazyLock;

/// What is won is not counted beyond this.
const MOST: f64 = 1e300;
/// A factor below e to this leaves nothing of what was won, unless that was more than [`WORTH_A_FACTOR`].
const NOTHING: f64 = -60.0;
const WORTH_A_FACTOR: f64 = 1e9;

/// The state of one series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    fast: Vec<f64>,
    strict: Vec<f64>,
    twins: Vec<Twin>,
}

/// A component that forgets losses, and the rows since it last did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Twin {
    won: f64,
    since: i64,
    count: u64,
    rows: u64,
}

impl Twin {
    fn update(&mut self, factor: f64, count: u64, rows: u64, window: i64) {
        if self.won <= 1.0 {
            *self = Self { won: 1.0, since: window, count: 0, rows: 0 };
        }
        self.won = (factor * self.won).min(MOST);
        self.count += count;
        self.rows += rows;
    }

    fn surprise(&self, line: &Line) -> f64 {
        if self.won > 1.0 { line.surprise(line.side.won(self.count, self.rows), self.rows) } else { 0.0 }
    }

    fn largest(&self, line: &Line) -> Largest {
        let Self { since, count, rows, .. } = *self;
        Largest { set: line.set, side: line.side, since, count, rows }
    }
}

/// The set and side whose rows since it began to win are least likely within the band.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Largest {
    /// The set, by its place.
    pub set: u32,
    /// The way it moved.
    pub side: Side,
    /// The window since which it has been winning.
    pub since: i64,
    /// Rows in the set since then.
    pub count: u64,
    /// All rows since then.
    pub rows: u64,
}

/// What a detector says after a window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// Evidence of the fast detector, the mean over its components.
    pub fast: f64,
    /// Evidence of the strict detector.
    pub strict: f64,
    /// What moved most surely, if anything seems to.
    pub largest: Option<Largest>,
}

impl Evidence {
    /// Nothing won yet.
    pub fn new(shape: &Shape) -> Self {
        let (fast, strict, lines) = shape.sizes();
        Self { fast: vec![0.0; fast], strict: vec![0.0; strict], twins: vec![Twin::default(); lines] }
    }

    /// Adds a window: how many of its `rows` rows lie in each set. Without rows nothing happens.
    ///
    /// `window` is the number of the window, which [`Reading::largest`] refers to. The bets may be other ones in every
    /// window, as long as they are known before it and of the same shape.
    pub fn update(&mut self, watch: &Watch, counts: &[u64], rows: u64, window: i64) -> Reading {
        debug_assert_eq!((counts.len(), self.twins.len()), (watch.sets(), watch.lines().len()));
        if rows == 0 {
            return self.reading(watch);
        }
        add_window(self, watch, counts, rows, window);
        self.reading(watch)
    }

    /// [`update`](Self::update) of a window with rows, compiled for each of the CPUs below.
    #[inline(always)]
    fn add(&mut self, watch: &Watch, counts: &[u64], rows: u64, window: i64) {
        let (mut fast, mut strict) = (&mut self.fast[..], &mut self.strict[..]);
        let bets = watch.fast().iter().zip(watch.strict());
        for ((twin, line), (bets, strict_bets)) in self.twins.iter_mut().zip(watch.lines()).zip(bets) {
            let count = counts[line.set as usize];
            let won = line.side.won(count, rows);
            let (gained, lost) = (won as f64, (rows - won) as f64);
            let logs = bets.log_factors(gained, lost).map(|log| log.min(line.most));
            let factors = powers::exp(logs);
            let (mine, others) = std::mem::take(&mut fast).split_at_mut(line.gaps.0.into());
            let twin_place = usize::from(line.twin);
            for (place, (won, (log, factor))) in mine.iter_mut().zip(logs.iter().zip(&factors)).enumerate() {
                // Most bets on large gaps lose nearly everything in nearly every window.
                let is_lost = *log < NOTHING && *won < WORTH_A_FACTOR && place != twin_place;
                *won = if is_lost { 0.0 } else { (factor * (*won + 1.0)).min(MOST) };
            }
            twin.update(factors[twin_place], count, rows, window);
            fast = others;
            let factors = strict_bets.factors(gained / rows as f64 - line.bound);
            let (mine, others) = std::mem::take(&mut strict).split_at_mut(line.gaps.1.into());
            for (won, factor) in mine.iter_mut().zip(&factors) {
                *won = (factor * (*won + 1.0)).min(MOST);
            }
            strict = others;
        }
    }

    /// Adds rows that came late to a window, which has had its unit: they win or lose of what there is and nothing is staked
    /// anew, so that it does not matter in how many deliveries they come. The strict detector has seen the window.
    pub fn amend(&mut self, watch: &Watch, counts: &[u64], rows: u64, window: i64) -> Reading {
        if rows == 0 {
            return self.reading(watch);
        }
        let mut fast = &mut self.fast[..];
        for ((twin, line), bets) in self.twins.iter_mut().zip(watch.lines()).zip(watch.fast()) {
            let count = counts[line.set as usize];
            let won = line.side.won(count, rows);
            let logs = bets.log_factors(won as f64, (rows - won) as f64).map(|log| log.min(line.most));
            let factors = powers::exp(logs);
            let (mine, others) = std::mem::take(&mut fast).split_at_mut(line.gaps.0.into());
            for (won, factor) in mine.iter_mut().zip(&factors) {
                *won = (factor * *won).min(MOST);
            }
            twin.update(factors[usize::from(line.twin)], count, rows, window);
            fast = others;
        }
        self.reading(watch)
    }

    /// What it says now.
    pub fn reading(&self, watch: &Watch) -> Reading {
        let mean =
            |won: &[f64]| if won.is_empty() { 0.0 } else { won.iter().sum::<f64>() / won.len() as f64 };
        let mut most = 0.0;
        let mut largest = None;
        for (twin, line) in self.twins.iter().zip(watch.lines()) {
            let surprise = twin.surprise(line);
            if surprise > most {
                most = surprise;
                largest = Some(twin.largest(line));
            }
        }
        Reading { fast: mean(&self.fast), strict: mean(&self.strict), largest }
    }

    /// All that moved as surely as `at_least`, a log-likelihood ratio: one side of each set, the surest first.
    pub fn moved(&self, watch: &Watch, at_least: f64) -> Vec<Largest> {
        let twins = self.twins.iter().zip(watch.lines());
        let mut found: Vec<_> = twins
            .map(|(twin, line)| (twin.surprise(line), twin.largest(line)))
            .filter(|(surprise, _)| *surprise >= at_least)
            .collect();
        found.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut met = HashSet::new();
        found.into_iter().filter(|(_, largest)| met.insert(largest.set)).map(|(_, largest)| largest).collect()
    }

    /// Forgets everything, as after an alarm.
    pub fn reset(&mut self) {
        self.fast.fill(0.0);
        self.strict.fill(0.0);
        self.twins.fill(Twin::default());
    }
}

type Kernel = (&'static str, fn(&mut Evidence, &Watch, &[u64], u64, i64));

/// Adds a window that has rows.
fn add_window(evidence: &mut Evidence, watch: &Watch, counts: &[u64], rows: u64, window: i64) {
    static BEST: LazyLock<Kernel> = LazyLock::new(|| available()[0]);
    (BEST.1)(evidence, watch, counts, rows, window);
}

/// What this CPU can run, fastest first. Dispatch and test read it, so nothing runs untested.
fn available() -> Vec<Kernel> {
    let mut kernels: Vec<Kernel> = vec![];
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx512f,avx512dq,avx512vl")]
        fn avx512(evidence: &mut Evidence, watch: &Watch, counts: &[u64], rows: u64, window: i64) {
            evidence.add(watch, counts, rows, window);
        }
        #[target_feature(enable = "avx2")]
        fn avx2(evidence: &mut Evidence, watch: &Watch, counts: &[u64], rows: u64, window: i64) {
            evidence.add(watch, counts, rows, window);
        }
        if is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl")
        {
            // SAFETY: every feature it enables was detected.
            kernels.push(("avx512", |e, w, c, r, i| unsafe { avx512(e, w, c, r, i) }));
        }
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the feature it enables was detected.
            kernels.push(("avx2", |e, w, c, r, i| unsafe { avx2(e, w, c, r, i) }));
        }
    }
    kernels.push(("portable", |e, w, c, r, i| e.add(w, c, r, i)));
    kernels
}

/// The threshold that evidence passes at most `budget` times, on average, in all windows of all series together: over
/// `windows` windows of each of `series` series.
pub fn threshold(windows: f64, series: f64, budget: f64) -> f64 {
    windows * series / budget
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::e_detector::Band;
    use crate::e_detector::watch::Discount;
    use proptest::{collection::vec, prelude::*};

    const BANDS: [Band; 2] = [Band { lower: 0.45, upper: 0.55 }, Band { lower: 0.0, upper: 0.05 }];

    fn shape() -> Shape {
        Shape::of(&[&BANDS])
    }

    fn watch() -> Watch {
        Watch::try_new(&BANDS, &[Discount::NONE; 2]).unwrap()
    }

    #[test]
    fn evidence_follows_the_recursion() {
        let watch = watch();
        let mut evidence = Evidence::new(&shape());
        let (mut sums, mut strict) = (vec![0.0; evidence.fast.len()], vec![0.0; evidence.strict.len()]);
        for (window, counts) in [[50, 2], [58, 3], [65, 20]].iter().enumerate() {
            let reading = evidence.update(&watch, counts, 100, window as i64);
            let (mut sum, mut strictly) = (sums.iter_mut(), strict.iter_mut());
            let lines = watch.lines().iter().zip(watch.fast().iter().zip(watch.strict()));
            for (line, (bets, strict_bets)) in lines {
                let won = line.side.won(counts[line.set as usize], 100) as f64;
                let logs = bets.log_factors(won, 100.0 - won);
                for (log, sum) in logs.into_iter().zip(sum.by_ref().take(line.gaps.0.into())) {
                    *sum = log.exp() * (*sum + 1.0);
                }
                let factors = strict_bets.factors(won / 100.0 - line.bound);
                for (factor, sum) in factors.into_iter().zip(strictly.by_ref().take(line.gaps.1.into())) {
                    *sum = factor * (*sum + 1.0);
                }
            }
            let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
            assert!((reading.fast / mean(&sums) - 1.0).abs() < 1e-12);
            assert!((reading.strict / mean(&strict) - 1.0).abs() < 1e-12);
        }
    }

    proptest! {
        /// Bit for bit, so that it does not matter where a monitor runs.
        #[test]
        fn every_kernel_equals_the_portable_one(
            windows in vec((0u64..1_000_000, 0.0..1.0, 0.0..1.0), 1..20),
            rows in 1.0..20.0, independent in any::<bool>(), most in 0.1..50.0,
        ) {
            let discount = Discount { rows, windows: if independent { 1.0 } else { rows.sqrt() }, most };
            let watch = Watch::try_new(&BANDS, &[discount; 2]).unwrap();
            let kernels = available();
            let mut states = vec![Evidence::new(&shape()); kernels.len()];
            for (window, (rows, first, second)) in windows.into_iter().enumerate() {
                let counts = [(rows as f64 * first) as u64, (rows as f64 * second) as u64];
                for ((_, kernel), state) in kernels.iter().zip(&mut states) {
                    kernel(state, &watch, &counts, rows, window as i64);
                }
                for ((name, _), state) in kernels.iter().zip(&states) {
                    prop_assert_eq!(state, &states[kernels.len() - 1], "{}", name);
                }
            }
        }
    }

    #[test]
    fn the_twins_name_the_set_and_the_start() {
        let watch = watch();
        let mut evidence = Evidence::new(&shape());
        for window in 0..10 {
            evidence.update(&watch, &[500, 20], 1000, window);
        }
        let mut reading = evidence.reading(&watch);
        for window in 10..13 {
            reading = evidence.update(&watch, &[500, 200], 1000, window);
        }
        let largest = Largest { set: 1, side: Side::Above, since: 10, count: 600, rows: 3000 };
        assert_eq!(reading.largest, Some(largest));
        assert!(reading.fast > 1e100);
        assert_eq!(evidence.moved(&watch, 1.0), [largest]);
        assert_eq!(evidence.moved(&watch, 1e9), []);
        evidence.reset();
        assert_eq!(evidence, Evidence::new(&shape()));
    }

    /// What is won of late rows is the same in one delivery and in many, and the strict detector does not see them.
    #[test]
    fn late_rows_are_cut_as_one_likes() {
        let watch = watch();
        let mut once = Evidence::new(&shape());
        once.update(&watch, &[58, 3], 100, 0);
        let mut cut = once.clone();
        let strict = once.reading(&watch).strict;
        let reading = once.amend(&watch, &[36, 4], 60, 0);
        for row in 0..60 {
            cut.amend(&watch, &[u64::from(row % 5 < 3), u64::from(row % 15 == 0)], 1, 0);
        }
        let of_cut = cut.reading(&watch);
        assert!((of_cut.fast / reading.fast - 1.0).abs() < 1e-9, "{of_cut:?} {reading:?}");
        assert_eq!((of_cut.strict, reading.strict), (strict, strict));
        let mut none = Evidence::new(&shape());
        assert_eq!(none.amend(&watch, &[60, 60], 60, 0).fast, 0.0);
    }

    #[test]
    fn windows_without_rows_change_nothing_and_evidence_stays_finite() {
        let watch = watch();
        let mut evidence = Evidence::new(&shape());
        evidence.update(&watch, &[90, 90], 100, 0);
        let before = evidence.clone();
        evidence.update(&watch, &[0, 0], 0, 1);
        assert_eq!(evidence, before);
        for window in 2..50 {
            assert!(evidence.update(&watch, &[100_000, 100_000], 100_000, window).fast.is_finite());
        }
    }
}
