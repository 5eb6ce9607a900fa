//! The promises of the tests, by seeded simulation: no more false alarms than alpha, and changes that
//! matter found.
//!
//! Every limit is alpha plus three standard errors of the simulated share.
use driftline_stats::distance::{WeightedSample, ks_statistic, total_variation};
use driftline_stats::rng::Rng;
use driftline_stats::test::{
    MIN_PERMUTATIONS, category_relevant_p_value, category_test, ks_p_value, ks_relevant_p_value,
};
use driftline_stats::verdict::{Verdict, effect_upper_bound, verdict};

const ALPHA: f64 = 0.05;

/// Share of `runs` in which `alarm` is true, each run with its own generator.
fn share(runs: u64, alarm: impl Fn(&mut Rng) -> bool) -> f64 {
    let alarms = (0..runs).filter(|&run| alarm(&mut Rng::new(run << 32))).count();
    alarms as f64 / runs as f64
}

#[track_caller]
fn assert_size(name: &str, runs: u64, alarm: impl Fn(&mut Rng) -> bool) {
    let size = share(runs, alarm);
    println!("{name}: {size:.4}");
    let limit = ALPHA + 3.0 * (ALPHA * (1.0 - ALPHA) / runs as f64).sqrt();
    assert!(size <= limit, "{name}: false alarms in {size}, limit {limit}");
}

fn sample(rng: &mut Rng, rows: usize, value: impl Fn(f64) -> f64) -> Vec<f64> {
    let mut values: Vec<f64> = (0..rows).map(|_| value(rng.next_f64())).collect();
    values.sort_unstable_by(f64::total_cmp);
    values
}

fn ks(reference: &[f64], current: &[f64]) -> f64 {
    let ranks: Vec<u64> = (1..=reference.len().max(current.len()) as u64).collect();
    let wrap = |values| WeightedSample::try_new(values, &ranks[..values.len()]).unwrap();
    ks_statistic(wrap(reference), wrap(current)).unwrap().statistic
}

/// Categories with shares proportional to `1 / rank^exponent`, drawn by their cumulative shares.
struct Categories(Vec<f64>);

impl Categories {
    fn new(shares: &[f64]) -> Self {
        let total: f64 = shares.iter().sum();
        let sums = shares.iter().scan(0.0, |sum, share| {
            *sum += share / total;
            Some(*sum)
        });
        Self(sums.collect())
    }
    fn zipf(count: usize, exponent: f64) -> Vec<f64> {
        (1..=count).map(|rank| (rank as f64).powf(-exponent)).collect()
    }
    fn counts(&self, rng: &mut Rng, rows: usize) -> Vec<u64> {
        let mut counts = vec![0; self.0.len()];
        for _ in 0..rows {
            let u = rng.next_f64();
            counts[self.0.partition_point(|&sum| sum <= u).min(self.0.len() - 1)] += 1;
        }
        counts
    }
}

const SIZES: [(usize, usize); 4] = [(5000, 50), (5000, 500), (5000, 20_000), (1000, 1000)];

#[test]
fn ks_keeps_its_size() {
    for (m, n) in SIZES {
        let runs = if n > 5000 { 500 } else { 2000 };
        for (name, value) in [
            ("continuous", (|u| u) as fn(f64) -> f64),
            ("ten values", |u| (u * 10.0).floor()),
            ("70 % zeros", |u| (u - 0.7).max(0.0)),
        ] {
            assert_size(&format!("ks, {name}, {m} against {n}"), runs, |rng| {
                let (x, y) = (sample(rng, m, value), sample(rng, n, value));
                ks_p_value(ks(&x, &y), n as u64, m as u64, 0.0).unwrap() <= ALPHA
            });
        }
    }
}

/// 2 % of the rows lie elsewhere, so D is 2 % exactly: neither `drift` nor `stable` may be said too often.
#[test]
fn numbers_at_the_edge_of_the_tolerance() {
    let moved = |u: f64| if (0.5..0.52).contains(&u) { 0.25 } else { u };
    for (m, n) in [(5000, 50), (5000, 500), (5000, 5000)] {
        let (rows_m, rows_n) = (m as u64, n as u64);
        assert_size(&format!("ks drift at the edge, {m} against {n}"), 1000, |rng| {
            let d = ks(&sample(rng, m, |u| u), &sample(rng, n, moved));
            ks_relevant_p_value(d, rows_n, rows_m, 0.0, 0.02).unwrap() <= ALPHA
        });
        assert_size(&format!("ks stable at the edge, {m} against {n}"), 1000, |rng| {
            let d = ks(&sample(rng, m, |u| u), &sample(rng, n, moved));
            let bound = effect_upper_bound(d, rows_n, rows_m, 0.0, ALPHA).unwrap();
            verdict(1.0, ALPHA, bound, 0.02, 0.05).unwrap() == Verdict::Stable
        });
    }
}

fn assert_category_size(count: usize, exponent: f64, runs: u64) {
    let categories = Categories::new(&Categories::zipf(count, exponent));
    for (m, n) in SIZES {
        assert_size(&format!("{count} categories, exponent {exponent}, {m} against {n}"), runs, |rng| {
            let (x, y) = (categories.counts(rng, m), categories.counts(rng, n));
            category_test(&x, &y, MIN_PERMUTATIONS).unwrap().p_value <= ALPHA
        });
    }
}

#[test]
fn category_test_keeps_its_size_3() {
    assert_category_size(3, 0.0, 1000);
    assert_category_size(3, 3.0, 1000);
}

#[test]
fn category_test_keeps_its_size_30() {
    assert_category_size(30, 0.0, 500);
    assert_category_size(30, 1.0, 500);
}

#[test]
fn category_test_keeps_its_size_300() {
    assert_category_size(300, 0.0, 120);
    assert_category_size(300, 1.0, 120);
}

/// 2 % of the rows go from the first category to the last.
#[test]
fn categories_at_the_edge_of_the_tolerance() {
    for (count, exponent) in [(3, 0.0), (30, 0.0), (30, 1.0), (300, 1.0)] {
        let shares = Categories::zipf(count, exponent);
        let total: f64 = shares.iter().sum();
        let mut after = shares.clone();
        after[0] -= 0.02 * total;
        after[count - 1] += 0.02 * total;
        let (before, after) = (Categories::new(&shares), Categories::new(&after));
        for (m, n) in SIZES {
            let name = format!("{count} categories at the edge, exponent {exponent}, {m} against {n}");
            let pair = |rng: &mut Rng| (before.counts(rng, m), after.counts(rng, n));
            assert_size(&format!("{name}, drift"), 500, |rng| {
                let (x, y) = pair(rng);
                category_relevant_p_value(&x, &y, 0.02).unwrap() <= ALPHA
            });
            assert_size(&format!("{name}, stable"), 500, |rng| {
                let (x, y) = pair(rng);
                let effect = total_variation(&x, &y).unwrap();
                let bound = effect_upper_bound(effect, n as u64, m as u64, 0.0, ALPHA).unwrap();
                verdict(1.0, ALPHA, bound, 0.02, 0.05).unwrap() == Verdict::Stable
            });
        }
    }
}

#[track_caller]
fn assert_power(name: &str, runs: u64, least: f64, alarm: impl Fn(&mut Rng) -> bool) {
    let power = share(runs, alarm);
    println!("{name}: {power:.4}");
    assert!(power >= least, "{name}: found in {power}, promised {least}");
}

/// One changed column among twenty after Benjamini-Hochberg: p must be at most .05 / 20.
#[test]
fn changes_of_five_percent_are_found_at_10_000_rows() {
    const N: usize = 10_000;
    const LEVEL: f64 = 0.0025;
    let moved = |u: f64| if (0.5..0.55).contains(&u) { 0.6 } else { u };
    assert_power("ks, past one value", 50, 1.0, |rng| {
        let d = ks(&sample(rng, N, |u| u), &sample(rng, N, moved));
        ks_p_value(d, N as u64, N as u64, 0.0).unwrap() <= LEVEL
    });
    let found = |name: &str, before: Vec<f64>, after: Vec<f64>| {
        let (before, after) = (Categories::new(&before), Categories::new(&after));
        assert_power(name, 60, 1.0, |rng| {
            let (x, y) = (before.counts(rng, N), after.counts(rng, N));
            category_test(&x, &y, MIN_PERMUTATIONS).unwrap().p_value <= LEVEL
        });
    };
    for count in [3, 30, 300] {
        let before = vec![1.0 / count as f64; count];
        let mut after = vec![(1.0 / count as f64) - 0.05 / (count - 1) as f64; count];
        after[1] = 1.0 / count as f64 + 0.05;
        found(&format!("{count} categories into one"), before, after);
    }
    let two = |first: f64, second: f64| {
        let mut shares = vec![0.1 / 298.0; 300];
        (shares[0], shares[1]) = (first, second);
        shares
    };
    found("two of 45 % among 300", two(0.45, 0.45), two(0.40, 0.50));
    let mut new = two(0.40, 0.45);
    new[299] += 0.05;
    found("two of 45 % among 300, to a rare one", two(0.45, 0.45), new);
    found("binary, 3 % to 5 %", vec![0.97, 0.03], vec![0.95, 0.05]);
}

/// A side of 500 rows against 5,000: the rare categories must not hide a change of the common ones.
#[test]
fn a_common_category_that_shrinks_is_found_among_rare_ones() {
    let before = Categories::zipf(300, 1.0);
    let total: f64 = before.iter().sum();
    let mut after = before.clone();
    // The most frequent holds 16 % and loses 10 points, spread over all.
    after[0] -= 0.1 * total;
    after.iter_mut().for_each(|share| *share += 0.1 * total / 300.0);
    let (before, after) = (Categories::new(&before), Categories::new(&after));
    assert_power("16 % to 6 % among 300, 5,000 against 500", 60, 0.95, |rng| {
        let (x, y) = (before.counts(rng, 5000), after.counts(rng, 500));
        category_test(&x, &y, MIN_PERMUTATIONS).unwrap().p_value <= ALPHA
    });
}

#[test]
fn five_percent_against_a_tolerance_of_two_is_found_at_10_000_rows() {
    const N: usize = 10_000;
    let moved = |u: f64| if (0.5..0.55).contains(&u) { 0.6 } else { u };
    assert_power("ks, 5 % against 2 %", 100, 0.9, |rng| {
        let d = ks(&sample(rng, N, |u| u), &sample(rng, N, moved));
        ks_relevant_p_value(d, N as u64, N as u64, 0.0, 0.02).unwrap() <= ALPHA
    });
    let (mut before, mut after) = (vec![0.1; 10], vec![0.1; 10]);
    (before[0], after[0]) = (0.1, 0.05);
    after[9] += 0.05;
    let (before, after) = (Categories::new(&before), Categories::new(&after));
    assert_power("categories, 5 % against 2 %", 100, 0.99, |rng| {
        let (x, y) = (before.counts(rng, N), after.counts(rng, N));
        category_relevant_p_value(&x, &y, 0.02).unwrap() <= ALPHA
    });
}
