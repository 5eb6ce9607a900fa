//! Kolmogorov-Smirnov: has a distribution function changed, or by more than a tolerance?
use super::{Method, ks_bridge, ks_exact, rows};
use crate::ArgumentError;
use crate::error::within;
use crate::null::kolmogorov_sf;
use crate::table::Table;

/// p-value of "nothing changed" for a Kolmogorov-Smirnov distance `d`.
///
/// `p = Q_KS((d - e)+ / sqrt(1/n + 1/m))`, where `e` is the sum of the rank errors of the sketches that
/// `d` was measured with (0 for exact data): the largest p-value that the error leaves possible.
/// Asymptotic: the size at .05 is .04 to .05 for continuous data; with ties it is valid but smaller (0
/// for a rare binary value). [`ks_test`] knows the ties.
///
/// Source: Smirnov (1939).
///
/// # Errors
/// `d` or `sketch_error` is not 0 to 1, or a side has no rows.
pub fn ks_p_value(d: f64, n: u64, m: u64, sketch_error: f64) -> Result<f64, ArgumentError> {
    ks_relevant_p_value(d, n, m, sketch_error, 0.0)
}

/// p-value of "no distribution function changed by more than `tolerance`" for a Kolmogorov-Smirnov
/// distance `d`.
///
/// `p = Q_KS((d - tolerance - e)+ / sqrt(1/n + 1/m))` with `e` as in [`ks_p_value`]. Valid because `|F^ -
/// G^| <= |F - G| + |(F^ - F) - (G^ - G)|`, and the last part has the null distribution of `d` or a
/// smaller one.
///
/// # Errors
/// `d`, `sketch_error` or `tolerance` is not 0 to 1, or a side has no rows.
pub fn ks_relevant_p_value(
    d: f64,
    n: u64,
    m: u64,
    sketch_error: f64,
    tolerance: f64,
) -> Result<f64, ArgumentError> {
    within("d", d, 0.0, 1.0)?;
    within("sketch_error", sketch_error, 0.0, 1.0)?;
    within("tolerance", tolerance, 0.0, 1.0)?;
    let s = 1.0 / rows("n", n)? + 1.0 / rows("m", m)?;
    Ok(kolmogorov_sf((d - tolerance - sketch_error).max(0.0) / s.sqrt()))
}

/// Up to this many pairs of rows the permutation distribution is always counted out: some ten milliseconds
/// where every row is a cell of its own.
const EXACT_PAIRS: u128 = 4_000_000;

/// Above it, up to this many lattice steps, a quarter of a millisecond: few cells, or few rows on one side,
/// where the limit for many rows is least accurate.
const EXACT_STEPS: f64 = 500_000.0;

/// The result of [`ks_test`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KsTest {
    /// `max |F - G|` over the ends of the cells.
    pub statistic: f64,
    /// The p-value of "nothing changed".
    pub p_value: f64,
    /// How it was found.
    pub method: Method,
}

/// Kolmogorov-Smirnov test of "nothing changed" for counts of the same ordered cells on both sides.
///
/// `D = max |F - G|` over the ends of the cells; p is the chance of `D - e` or more, where `e` is the sum of
/// the rank errors of the sketches behind the counts (0 for exact ones). The chance is that of a permutation
/// test: the pooled counts are given, and which rows are current is drawn anew. A cell of many rows, be it a
/// bin or a value that many rows share, is one step, so few cells do not make the test blunt: a rare binary
/// value is tested as sharply as by an exact test of its share.
///
/// Up to 4 million pairs of rows, and above it where the cells are few, the permutation distribution is
/// computed exactly. Elsewhere p is `P(max |B(t)| >= (D - e) / sqrt(1/n + 1/m))` for a Brownian bridge B at
/// all pooled cumulative shares t, or, where these lie closer than 1/1000, everywhere between them, which is
/// an upper bound; D is lowered by half a step of the lattice it lies on.
///
/// Sources: Hodges (1958), Schröer and Trenkler (1995) for the exact distribution with ties; Doob (1949) for
/// the bridge.
///
/// # Errors
/// The sides have different lengths, one has no rows or 2^62 or more, or `sketch_error` is not 0 to 1.
pub fn ks_test(reference: &[u64], current: &[u64], sketch_error: f64) -> Result<KsTest, ArgumentError> {
    within("sketch_error", sketch_error, 0.0, 1.0)?;
    let table = Table::try_new(reference, current)?;
    let (m, n) = (table.m as f64, table.n as f64);
    let largest = largest_difference(&table);
    let statistic = largest as f64 / (m * n);
    let pairs = u128::from(table.m) * u128::from(table.n);
    let limit = if pairs <= EXACT_PAIRS { f64::INFINITY } else { EXACT_STEPS };
    // Distances are integers over m n: none lies between D - e and the next one.
    let threshold = largest - (sketch_error * m * n).floor() as i128;
    let exact = ks_exact::p_value(&table, threshold, limit);
    let (p_value, method) = match exact {
        Some(p_value) => (p_value, Method::Exact),
        None => (bridge(&table, (statistic - sketch_error).max(0.0)), Method::Asymptotic),
    };
    Ok(KsTest { statistic, p_value, method })
}

/// The permutation p-value of a distance for many rows, by the Brownian bridge.
fn bridge(table: &Table, distance: f64) -> f64 {
    let (m, n, rows) = (table.m as f64, table.n as f64, table.rows() as f64);
    let s = 1.0 / n + 1.0 / m;
    let inner = &table.cells[..table.cells.len() - 1];
    // The difference at one end of a cell moves in steps of s. The ends have steps of their own, up to this many,
    // and the largest difference moves over all of them: the normal limit is best half a step below.
    let offsets = (inner.len() as u64).min(table.rows() / greatest_common_divisor(table.m, table.n));
    let distance = (distance - s / 2.0 / offsets as f64).max(0.0);
    let shares = inner.iter().scan(0, |sum, &(a, b)| {
        *sum += a + b;
        Some(*sum as f64 / rows)
    });
    ks_bridge::p_value(shares, distance / s.sqrt())
}

fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

/// `max |b m - a n|` over the cumulative counts at the ends of the cells.
fn largest_difference(table: &Table) -> i128 {
    let (m, n) = (i128::from(table.m), i128::from(table.n));
    let (mut difference, mut largest) = (0, 0);
    for &(a, b) in &table.cells {
        difference += i128::from(b) * m - i128::from(a) * n;
        largest = largest.max(difference.abs());
    }
    largest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hypergeometric::redraw;
    use crate::rng::Rng;
    use proptest::{collection::vec, prelude::*};

    #[track_caller]
    fn close(value: f64, expected: f64, relative: f64) {
        assert!((value - expected).abs() <= relative * expected.abs(), "{value:e} is not {expected:e}");
    }

    /// SciPy 1.17.1: scipy.stats.kstwobign.sf((d - tolerance - e) / sqrt(1/1000 + 1/2000)).
    #[test]
    fn distances_equal_scipy() {
        close(ks_p_value(0.05, 1000, 2000, 0.0).unwrap(), 0.07134474750110735, 1e-12);
        close(ks_p_value(0.05, 1000, 2000, 0.02).unwrap(), 0.5859697195590101, 1e-12);
        close(ks_relevant_p_value(0.05, 1000, 2000, 0.01, 0.03).unwrap(), 0.9999999108142549, 1e-12);
        assert_eq!(ks_relevant_p_value(0.05, 1000, 2000, 0.01, 0.05).unwrap(), 1.0);
    }

    /// Rows without ties: the i-th of all rows is current if `(i^2 + extra i) % modulus < limit` or `i <
    /// extra`.
    fn untied(rows: u64, modulus: u64, limit: u64, extra: u64) -> (Vec<u64>, Vec<u64>) {
        (0..rows)
            .map(|i| {
                let current = u64::from((i * i + extra * i) % modulus < limit || i < extra);
                (1 - current, current)
            })
            .unzip()
    }

    /// SciPy 1.17.1: scipy.stats.ks_2samp(reference, current, method="exact").
    #[test]
    fn untied_rows_equal_scipy() {
        for (rows, modulus, limit, extra, statistic, p) in [
            (13, 5, 2, 0, 0.25, 0.9627039627039627),
            (70, 7, 3, 4, 0.18181818181818182, 0.6249507164398771),
            (350, 11, 5, 9, 0.03501945525291829, 0.9999760748205514),
            (525, 97, 4, 40, 0.8, 9.406302421543387e-31),
            (900, 13, 6, 17, 0.06120773138368662, 0.43234142996430724),
        ] {
            let (reference, current) = untied(rows, modulus, limit, extra);
            let test = ks_test(&reference, &current, 0.0).unwrap();
            assert_eq!(test.method, Method::Exact);
            close(test.statistic, statistic, 1e-15);
            close(test.p_value, p, 1e-10);
            let swapped = ks_test(&current, &reference, 0.0).unwrap();
            close(swapped.p_value, p, 1e-10);
        }
    }

    /// Shares of cells as they are seen: binary, one common value among many single ones, counts, bins.
    fn shapes() -> Vec<(&'static str, Vec<f64>)> {
        let mut zeros = vec![0.3 / 300.0; 301];
        zeros[0] = 0.7;
        let poisson = |k: i32| (-3.0f64).exp() * 3f64.powi(k) / f64::from((1..=k).product::<i32>());
        vec![
            ("binary, 3 %", vec![0.97, 0.03]),
            ("70 % zeros", zeros),
            ("Poisson(3)", (0..10).map(poisson).collect()),
            ("33 bins", vec![1.0 / 33.0; 33]),
        ]
    }

    /// A table with about these pooled shares, the current rows drawn at random.
    fn drawn(shares: &[f64], m: u64, n: u64, rng: &mut Rng) -> Table {
        let rows = m + n;
        let mut sum = 0.0;
        let mut taken = 0;
        let mut cells: Vec<(u64, u64)> = shares
            .iter()
            .map(|share| {
                sum += share;
                let pooled = (sum * rows as f64).round() as u64 - taken;
                taken += pooled;
                (pooled, 0)
            })
            .collect();
        cells[0].0 += rows - taken;
        redraw(&mut cells, m, n, rng);
        cells.retain(|&(a, b)| a + b > 0);
        Table { cells, m, n }
    }

    /// Distances at the quantiles .5, .9 and .99 of what no change gives, and the share of 20,000 permutations
    /// that lie as far out.
    fn permuted(table: &Table, rng: &mut Rng) -> Vec<(i128, f64)> {
        const DRAWS: usize = 20_000;
        let mut other = table.clone();
        let mut found: Vec<i128> = (0..DRAWS)
            .map(|_| {
                redraw(&mut other.cells, other.m, other.n, rng);
                largest_difference(&other)
            })
            .collect();
        found.sort_unstable();
        [0.5, 0.9, 0.99]
            .map(|level| {
                let bar = found[(level * DRAWS as f64) as usize];
                (bar, (DRAWS - found.partition_point(|&x| x < bar)) as f64 / DRAWS as f64)
            })
            .to_vec()
    }

    const SIZES: [(u64, u64); 5] = [(5000, 50), (50, 5000), (2000, 300), (1500, 1500), (700, 4000)];

    #[test]
    fn exact_p_values_equal_permutations() {
        for (name, shares) in shapes() {
            for (m, n) in SIZES {
                let mut rng = Rng::new(m + 2 * n);
                let table = drawn(&shares, m, n, &mut rng);
                for (threshold, p) in permuted(&table, &mut rng) {
                    let exact = ks_exact::p_value(&table, threshold, f64::INFINITY).unwrap();
                    let error = (exact * (1.0 - exact) / 20_000.0).sqrt();
                    assert!((p - exact).abs() <= 4.0 * error, "{name}, {m} against {n}: {exact}, drawn {p}");
                }
            }
        }
    }

    /// The bridge knows the steps of the distances only on average over the cells: a tenth of p is allowed for
    /// that, beside the error of the draws.
    #[test]
    fn bridge_p_values_equal_permutations() {
        for (name, shares) in shapes() {
            for (m, n) in [(20_000, 20_000), (100_000, 10_000), (8_000, 90_000)] {
                let mut rng = Rng::new(m + 2 * n);
                let table = drawn(&shares, m, n, &mut rng);
                for (threshold, p) in permuted(&table, &mut rng) {
                    let limit = bridge(&table, threshold as f64 / (m as f64 * n as f64));
                    let error = (limit * (1.0 - limit) / 20_000.0).sqrt();
                    let allowed = 3.0 * error + 0.1 * limit;
                    assert!((p - limit).abs() <= allowed, "{name}, {m} against {n}: {limit}, drawn {p}");
                }
            }
        }
    }

    #[test]
    fn exact_and_bridge_agree() {
        let (m, n) = (60_000, 60_000);
        for (name, shares) in shapes() {
            let table = drawn(&shares, m, n, &mut Rng::new(1));
            for lambda in [0.25, 0.5, 0.7, 0.9, 1.1, 1.3] {
                let s = 1.0 / m as f64 + 1.0 / n as f64;
                let threshold = (lambda * s.sqrt() * m as f64 * n as f64).ceil() as i128;
                let exact = ks_exact::p_value(&table, threshold, f64::INFINITY).unwrap();
                let limit = bridge(&table, threshold as f64 / (m as f64 * n as f64));
                // Beyond, the normal approximation of a rare binary value ends.
                let near = exact < 1e-3 || (limit / exact - 1.0).abs() < 0.05;
                assert!(near, "{name}, {lambda}: exact {exact}, limit {limit}");
            }
        }
    }

    /// At equal sizes a binary count is not skewed: what is left is its steps, 4 % of p here.
    #[test]
    fn the_limit_knows_the_steps_of_a_binary_value() {
        let (m, n, pooled) = (20_000, 20_000, 38_800);
        let table = Table { cells: vec![(19_400, 19_400), (600, 600)], m, n };
        for surplus in [5, 15, 30, 50, 60] {
            let threshold = i128::from((pooled / 2 + surplus) * (m + n) - pooled * n);
            let exact = ks_exact::p_value(&table, threshold, f64::INFINITY).unwrap();
            close(bridge(&table, threshold as f64 / (m as f64 * n as f64)), exact, 0.01);
        }
    }

    #[test]
    fn single_rows_in_large_samples_give_the_continuous_p_value() {
        let (reference, current): (Vec<u64>, Vec<u64>) =
            (0..20_000).map(|i| (u64::from(i % 2 == 0 || i < 300), u64::from(i % 2 == 1))).unzip();
        let test = ks_test(&reference, &current, 0.0).unwrap();
        assert_eq!(test.method, Method::Asymptotic);
        let (m, n) = (reference.iter().sum(), current.iter().sum());
        close(test.p_value, ks_p_value(test.statistic, n, m, 0.0).unwrap(), 1e-3);
    }

    /// Wide bands lead over points that no arrangement of many rows comes near.
    #[test]
    fn samples_far_apart_at_any_size() {
        for rows in [3u64, 1000, 100_000, 1 << 60] {
            let apart = ([rows, 0], [0, rows]);
            for (reference, current) in [apart, ([rows / 3, rows], [rows, 0]), ([rows, 9], [0, 9])] {
                for error in [0.0, 0.3, 0.9] {
                    let test = ks_test(&reference, &current, error).unwrap();
                    assert!((0.0..=1.0).contains(&test.p_value), "{rows}, {error}: {test:?}");
                }
            }
        }
        assert_eq!(ks_test(&[100_000, 0], &[0, 100_000], 0.0).unwrap().p_value, 0.0);
    }

    /// Of 2^61 rows ten are in the last cell: as good as ten tosses of a coin, by far.
    #[test]
    fn a_handful_of_rows_among_very_many_is_counted_out() {
        let test = ks_test(&[1 << 60, 9], &[1 << 60, 1], 0.0).unwrap();
        assert_eq!(test.method, Method::Exact);
        close(test.p_value, 22.0 / 1024.0, 1e-9);
        let mirrored = ks_test(&[9, 1 << 60], &[1, 1 << 60], 0.0).unwrap();
        close(mirrored.p_value, 22.0 / 1024.0, 1e-9);
    }

    #[test]
    fn cells_make_the_test_sharper_than_the_continuous_p_value() {
        // 3 % against 4.5 % of 10,000 rows: Q_KS gives .21.
        let test = ks_test(&[9700, 300], &[9550, 450], 0.0).unwrap();
        assert!(test.p_value < 1e-7, "{}", test.p_value);
        assert_eq!(ks_test(&[9, 0, 4], &[9, 0, 4], 0.0).unwrap().p_value, 1.0);
        assert_eq!(ks_test(&[9], &[4], 0.0).unwrap().p_value, 1.0);
    }

    #[test]
    fn the_error_of_a_sketch_is_taken_off_the_distance() {
        let (reference, current) = ([50, 30, 20], [30, 30, 40]);
        let test = |error| ks_test(&reference, &current, error).unwrap();
        assert_eq!(test(0.0).statistic, 0.2);
        // Distances are multiples of .02: a D - e of .155 is as good as .16.
        let table = Table::try_new(&reference, &current).unwrap();
        let exact = ks_exact::p_value(&table, 1600, f64::INFINITY).unwrap();
        close(test(0.045).p_value, exact, 1e-15);
        close(test(0.04).p_value, exact, 1e-15);
        assert!(test(0.06).p_value > 1.2 * exact);
        // A little less error, and .16 is out of reach.
        assert!(test(0.03999).p_value < exact / 1.2);
        assert_eq!((test(0.2).p_value, test(1.0).p_value, test(0.3).statistic), (1.0, 1.0, 0.2));
        let thousandfold = |counts: [u64; 3]| counts.map(|count| count * 1000);
        let (reference, current) = (thousandfold(reference), thousandfold(current));
        let test = ks_test(&reference, &current, 0.195).unwrap();
        assert_eq!(test.method, Method::Asymptotic);
        let table = Table::try_new(&reference, &current).unwrap();
        let exact = ks_exact::p_value(&table, 50_000_000, f64::INFINITY).unwrap();
        close(test.p_value, exact, 0.02);
    }

    #[test]
    fn errors_say_what_and_where() {
        let text = |r: Result<f64, ArgumentError>| r.unwrap_err().to_string();
        assert_eq!(text(ks_p_value(1.5, 1, 1, 0.0)), "d is 1.5: it must be 0 to 1");
        assert_eq!(text(ks_p_value(0.5, 1, 0, 0.0)), "m is 0: a side without rows cannot be compared");
        assert_eq!(text(ks_p_value(0.5, 1, 1, f64::NAN)), "sketch_error is NaN: it must be 0 to 1");
        assert!(ks_relevant_p_value(0.5, 1, 1, 0.0, -0.1).is_err());
        let text = |r: Result<KsTest, ArgumentError>| r.unwrap_err().to_string();
        assert_eq!(text(ks_test(&[1], &[1], -0.5)), "sketch_error is -0.5: it must be 0 to 1");
        assert_eq!(
            text(ks_test(&[1, 2], &[1], 0.0)),
            "reference has 2 cells and current 1: both must count the same cells"
        );
        assert_eq!(
            text(ks_test(&[0], &[1], 0.0)),
            "reference has no rows: at least one count must be positive"
        );
    }

    proptest! {
        #[test]
        fn p_values_are_p_values_and_fall_with_the_distance(
            cells in vec((0..4000u64, 0..60_000u64), 1..40), error in 0.0..0.2f64
        ) {
            let (a, b): (Vec<u64>, Vec<u64>) = cells.into_iter().unzip();
            prop_assume!(a.iter().any(|&x| x > 0) && b.iter().any(|&x| x > 0));
            let p = |error| ks_test(&a, &b, error).unwrap().p_value;
            prop_assert!((0.0..=1.0).contains(&p(0.0)), "{}", p(0.0));
            prop_assert!(p(error) >= p(0.0) - 1e-9);
        }
    }
}
