//! The promises of the tests, by seeded simulation: no more false alarms than alpha, and changes that
//! matter found.
//!
//! Every limit is alpha plus three standard errors of the simulated share.
use driftline_stats::distance::{WeightedSample, ks_statistic, total_variation};
use driftline_stats::rng::Rng;
use driftline_stats::rows_to_decide::rows_to_decide;
use driftline_stats::test::{
    MIN_PERMUTATIONS, category_relevant_p_value, category_test, ks_p_value, ks_relevant_p_value, ks_test,
    largest_cell_p_value,
};
use driftline_stats::total_variation_bound::total_variation_upper_bound;
use driftline_stats::verdict::{Verdict, effect_upper_bound, verdict};

const ALPHA: f64 = 0.05;

/// Share of `runs` in which `alarm` is true, each run with its own generator.
fn share(runs: u64, alarm: impl Fn(&mut Rng) -> bool) -> f64 {
    let alarms = (0..runs).filter(|&run| alarm(&mut Rng::new(run << 32))).count();
    alarms as f64 / runs as f64
}

#[track_caller]
fn assert_size(name: &str, runs: u64, alarm: impl Fn(&mut Rng) -> bool) {
    assert_sizes(name, runs, |rng| if alarm(rng) { ALPHA } else { 1.0 }, &[ALPHA]);
}

/// At every one of `levels` a p-value is as small in no more of the runs.
#[track_caller]
fn assert_sizes(name: &str, runs: u64, p_value: impl Fn(&mut Rng) -> f64, levels: &[f64]) {
    let found: Vec<f64> = (0..runs).map(|run| p_value(&mut Rng::new(run << 32))).collect();
    assert_shares(name, &found, levels);
}

#[track_caller]
fn assert_shares(name: &str, p_values: &[f64], levels: &[f64]) {
    let runs = p_values.len();
    for &level in levels {
        let size = p_values.iter().filter(|&&p| p <= level).count() as f64 / runs as f64;
        println!("{name}: {size:.4} at {level}");
        let limit = level + 3.0 * (level * (1.0 - level) / runs as f64).sqrt();
        assert!(size <= limit, "{name}: false alarms in {size} at {level}, limit {limit}");
    }
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

const SIZES: [(usize, usize); 6] =
    [(5000, 50), (5000, 500), (5000, 20_000), (1000, 1000), (500, 5000), (50, 5000)];

/// A correction over 20 columns asks for this.
const CORRECTED: f64 = ALPHA / 20.0;

#[test]
fn ks_keeps_its_size() {
    for (m, n) in SIZES {
        let runs = if n > 5000 { 300 } else { 1000 };
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

/// Cells as they are seen: a rare value, one common value, counts, bins.
fn ordered_cells() -> Vec<(&'static str, Vec<f64>)> {
    let mut zeros = vec![0.3 / 32.0; 33];
    zeros[0] = 0.7;
    let poisson = |k: i32| (-3.0f64).exp() * 3f64.powi(k) / f64::from((1..=k).product::<i32>());
    vec![
        ("binary, 3 %", vec![0.97, 0.03]),
        ("70 % zeros", zeros),
        ("Poisson(3)", (0..11).map(poisson).collect()),
        ("33 bins", vec![1.0; 33]),
    ]
}

#[test]
fn ks_test_keeps_its_size_and_uses_it() {
    for (name, shares) in ordered_cells() {
        let cells = Categories::new(&shares);
        for (m, n) in SIZES {
            let name = format!("ks test, {name}, {m} against {n}");
            let p =
                |rng: &mut Rng| ks_test(&cells.counts(rng, m), &cells.counts(rng, n), 0.0).unwrap().p_value;
            assert_sizes(&name, 1000, p, &[ALPHA, CORRECTED]);
            // The continuous p-value is below .003 for binary data and .011 for 70 % zeros.
            if n.min(m) >= 500 {
                assert_power(&name, 1000, 0.025, |rng| p(rng) <= ALPHA);
            }
        }
    }
}

/// The counts of both sides between edges that are quantiles of the reference itself.
fn quantile_bins(reference: &[f64], current: &[f64]) -> (Vec<u64>, Vec<u64>) {
    const BINS: usize = 33;
    let m = reference.len();
    let mut edges: Vec<f64> = (1..BINS).map(|i| reference[(i * m).div_ceil(BINS).max(1) - 1]).collect();
    edges.dedup();
    let count = |values: &[f64]| {
        let mut counts = vec![0; edges.len() + 1];
        values.iter().for_each(|&x| counts[edges.partition_point(|&edge| edge < x)] += 1);
        counts
    };
    (count(reference), count(current))
}

/// Neighbouring bins joined until each holds at least `least` reference rows.
fn merged(reference: &[u64], current: &[u64], least: u64) -> (Vec<u64>, Vec<u64>) {
    let mut bins: Vec<(u64, u64)> = vec![];
    let mut open = false;
    for (&a, &b) in reference.iter().zip(current) {
        match bins.last_mut().filter(|_| open) {
            Some(last) => *last = (last.0 + a, last.1 + b),
            None => bins.push((a, b)),
        }
        open = bins.last().is_some_and(|last| last.0 < least);
    }
    if let Some((a, b)) = bins.pop_if(|_| open) {
        match bins.last_mut() {
            Some(last) => *last = (last.0 + a, last.1 + b),
            None => bins.push((a, b)),
        }
    }
    bins.into_iter().unzip()
}

/// The counts of the reference in bins that it chose itself are not random, so the tests of two samples do
/// not know its noise. The Kolmogorov-Smirnov test does not mind. The test of the bins is wrong where a bin has
/// few reference rows (false alarms in .72 at 50 against 5,000 rows): from 40 on it keeps its size, and so
/// do both together.
#[test]
fn bins_of_the_reference_keep_the_size() {
    let normal = |rng: &mut Rng| {
        let (u, v) = (1.0 - rng.next_f64(), rng.next_f64());
        (-2.0 * u.ln()).sqrt() * (2.0 * std::f64::consts::PI * v).cos()
    };
    let poisson = |rng: &mut Rng| {
        let (mut count, mut product) = (0.0, rng.next_f64());
        while product > (-3.0f64).exp() {
            product *= rng.next_f64();
            count += 1.0;
        }
        count
    };
    let sizes =
        [(50, 5000), (200, 5000), (330, 20_000), (500, 20_000), (1000, 1000), (2000, 20_000), (5000, 50)];
    for (m, n) in sizes.into_iter().chain([(5000, 500), (5000, 20_000)]) {
        let runs = (6_000_000 / (m + n)).min(1000) as u64;
        for (name, value) in [
            ("normal", &normal as &dyn Fn(&mut Rng) -> f64),
            ("rounded", &|rng| (normal(rng) * 10.0).round()),
            ("Poisson(3)", &poisson),
        ] {
            let name = format!("reference bins, {name}, {m} against {n}");
            let bins = |rng: &mut Rng| {
                let mut reference: Vec<f64> = (0..m).map(|_| value(rng)).collect();
                reference.sort_unstable_by(f64::total_cmp);
                let current: Vec<f64> = (0..n).map(|_| value(rng)).collect();
                quantile_bins(&reference, &current)
            };
            assert_sizes(
                &name,
                runs,
                |rng| {
                    let (a, b) = bins(rng);
                    let ks = ks_test(&a, &b, 0.0).unwrap().p_value;
                    let (a, b) = merged(&a, &b, 40);
                    2.0 * ks.min(category_test(&a, &b, MIN_PERMUTATIONS).unwrap().p_value)
                },
                &[ALPHA, CORRECTED],
            );
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

/// Shares before and after 2 % of the rows have moved.
fn at_the_edge() -> Vec<(String, Vec<f64>, Vec<f64>)> {
    let mut pairs = vec![];
    for (count, exponent) in [(3, 0.0), (30, 0.0), (30, 1.0), (300, 1.0)] {
        let total: f64 = Categories::zipf(count, exponent).iter().sum();
        let before: Vec<f64> = Categories::zipf(count, exponent).iter().map(|share| share / total).collect();
        let name = format!("{count} categories, exponent {exponent}");
        let mut after = before.clone();
        after[0] -= 0.02;
        after[count - 1] += 0.02;
        pairs.push((format!("{name}, first to last"), before.clone(), after));
        let common: f64 = before[..count / 2].iter().sum();
        let spread = before.iter().enumerate().map(|(i, share)| {
            if i < count / 2 { share * (1.0 - 0.02 / common) } else { share * (1.0 + 0.02 / (1.0 - common)) }
        });
        pairs.push((format!("{name}, common to rare"), before.clone(), spread.collect()));
        let lost = before.iter().map(|share| share * 0.98).chain([0.02]).collect();
        pairs.push((format!("{name}, all to a new one"), before.into_iter().chain([0.0]).collect(), lost));
    }
    for rare in [0.0, 0.001] {
        let with = |share: f64| vec![1.0 - share, share];
        let five = |share: f64| [vec![1.0 - share], vec![share / 5.0; 5]].concat();
        pairs.push((format!("binary, {rare} and 2 points"), with(rare), with(rare + 0.02)));
        pairs.push((format!("five rare, {rare} and 2 points"), five(rare), five(rare + 0.02)));
        pairs.push((format!("five rare, {rare} less 2 points"), five(rare + 0.02), five(rare)));
    }
    pairs
}

#[test]
fn categories_at_the_edge_of_the_tolerance() {
    for (name, before, after) in at_the_edge() {
        let (before, after) = (Categories::new(&before), Categories::new(&after));
        for (m, n) in SIZES {
            let name = format!("{name}, {m} against {n}");
            let runs = 500;
            // One draw for all three: the counts take longer than the tests.
            let pairs: Vec<(Vec<u64>, Vec<u64>)> = (0..runs)
                .map(|run| {
                    let rng = &mut Rng::new(run << 32);
                    (before.counts(rng, m), after.counts(rng, n))
                })
                .collect();
            let drift =
                |x: &[u64], y: &[u64]| category_relevant_p_value(x, y, &vec![0.02; x.len()], 0.02).unwrap();
            let cell = |x: &[u64], y: &[u64]| largest_cell_p_value(x, y, &vec![0.02; x.len()]).unwrap();
            let stable = |x: &[u64], y: &[u64]| {
                let effect = total_variation(x, y).unwrap();
                let bound = effect_upper_bound(effect, n as u64, m as u64, 0.0, ALPHA).unwrap();
                let stable = verdict(1.0, ALPHA, bound, 0.02, 0.05).unwrap() == Verdict::Stable;
                if stable { ALPHA } else { 1.0 }
            };
            for (what, p) in
                [("drift", &drift as &dyn Fn(&[u64], &[u64]) -> f64), ("cell", &cell), ("stable", &stable)]
            {
                let found: Vec<f64> = pairs.iter().map(|(x, y)| p(x, y)).collect();
                assert_shares(&format!("{name}, {what}"), &found, &[ALPHA, CORRECTED]);
            }
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
    let found = |name: &str, least: f64, before: &[f64], after: &[f64]| {
        let (before, after) = (Categories::new(before), Categories::new(after));
        assert_power(name, 300, least, |rng| {
            let (x, y) = (before.counts(rng, N), after.counts(rng, N));
            category_relevant_p_value(&x, &y, &vec![0.02; x.len()], 0.02).unwrap() <= ALPHA
        });
    };
    let even = [1.0 / 30.0; 30];
    let one: Vec<f64> = (0..30).map(|i| even[i] + if i == 1 { 0.05 } else { -0.05 / 29.0 }).collect();
    found("30 categories into one, 5 % against 2 %", 1.0, &even, &one);
    let mut two = vec![0.1 / 298.0; 300];
    (two[0], two[1]) = (0.45, 0.45);
    let mut moved = two.clone();
    (moved[0], moved[1]) = (0.4, 0.5);
    found("two of 45 %, 5 % against 2 %", 0.9, &two, &moved);
    let every_other: Vec<f64> =
        (0..30).map(|i| even[i] + if i % 2 == 0 { 0.05 / 15.0 } else { -0.05 / 15.0 }).collect();
    // .00 by the largest cell alone, .31 with the set.
    found("spread over 30 categories, 5 % against 2 %", 0.2, &even, &every_other);
}

/// The upper bound of the largest change of a cell or of the cells up to one, or of the total variation.
fn upper_bound(reference: &[u64], current: &[u64], ordered: bool) -> f64 {
    if !ordered {
        return total_variation_upper_bound(reference, current, 0.0, ALPHA).unwrap();
    }
    let rows = |counts: &[u64]| counts.iter().sum::<u64>();
    let (m, n) = (rows(reference), rows(current));
    let mut sum = 0.0f64;
    let effect = reference.iter().zip(current).fold(0.0, |largest, (&a, &b)| {
        let difference = b as f64 / n as f64 - a as f64 / m as f64;
        sum += difference;
        difference.abs().max(sum.abs()).max(largest)
    });
    effect_upper_bound(effect, n, m, 0.0, ALPHA).unwrap()
}

/// At the number of rows that would decide an unchanged column is `stable` in 80 % of the cases.
#[test]
fn as_many_rows_as_asked_for_decide() {
    const M: usize = 60_000;
    const RUNS: u64 = 500;
    let even = |count: usize| vec![1.0; count];
    for (name, shares, ordered) in [
        ("33 bins", even(33), true),
        ("binary, 3 %, in order", vec![0.97, 0.03], true),
        ("binary, 3 %", vec![0.97, 0.03], false),
        ("3 categories", even(3), false),
        ("30 categories", even(30), false),
        ("300 categories", even(300), false),
        ("300 Zipf categories", Categories::zipf(300, 1.0), false),
    ] {
        let cells = Categories::new(&shares);
        let pooled = cells.counts(&mut Rng::new(1), 2 * M);
        let n = rows_to_decide(&pooled, ordered, M as u64, 0.05, 0.0, ALPHA).unwrap().unwrap();
        let stable = share(RUNS, |rng| {
            let (x, y) = (cells.counts(rng, M), cells.counts(rng, n as usize));
            verdict(1.0, ALPHA, upper_bound(&x, &y, ordered), 0.05, 0.05).unwrap() == Verdict::Stable
        });
        println!("{name}, {n} rows: stable in {stable:.3}");
        // Three standard errors of 500 runs and of the 1,000 draws behind n.
        let margin = 3.0 * (0.16f64 / RUNS as f64 + 0.16 / 1000.0).sqrt();
        assert!((stable - 0.8).abs() <= margin, "{name}: {stable}");
    }
}
