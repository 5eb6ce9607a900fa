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

/// Above it, up to this many lattice steps, so that few cells get it at any number of rows: they take no
/// longer than the Brownian bridge.
const EXACT_STEPS: f64 = 200_000.0;

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
/// an upper bound.
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
    if let Some(p_value) = ks_exact::p_value(&table, threshold, limit) {
        return Ok(KsTest { statistic, p_value, method: Method::Exact });
    }
    let c = (statistic - sketch_error).max(0.0) / (1.0 / n + 1.0 / m).sqrt();
    let rows = table.rows() as f64;
    let inner = &table.cells[..table.cells.len() - 1];
    let ends = inner.iter().scan(0, |sum, &(a, b)| {
        *sum += a + b;
        Some(*sum as f64 / rows)
    });
    Ok(KsTest { statistic, p_value: ks_bridge::p_value(ends, c), method: Method::Asymptotic })
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

    #[track_caller]
    fn close(value: f64, expected: f64, relative: f64) {
        assert!((value - expected).abs() <= relative * expected.abs(), "{value:e} is not {expected:e}");
    }

    /// SciPy 1.17.1: scipy.stats.kstwobign.sf((d - tolerance - e) / sqrt(1/1000 + 1/2000)).
    #[test]
    fn ks_equals_scipy() {
        close(ks_p_value(0.05, 1000, 2000, 0.0).unwrap(), 0.07134474750110735, 1e-12);
        close(ks_p_value(0.05, 1000, 2000, 0.02).unwrap(), 0.5859697195590101, 1e-12);
        close(ks_relevant_p_value(0.05, 1000, 2000, 0.01, 0.03).unwrap(), 0.9999999108142549, 1e-12);
        assert_eq!(ks_relevant_p_value(0.05, 1000, 2000, 0.01, 0.05).unwrap(), 1.0);
    }
}
