//! From a distance to a p-value: how surprising it would be if nothing, or no more than a tolerance, had
//! changed.
//!
//! `n` is the number of current rows and `m` that of the reference, everywhere.
use crate::ArgumentError;
use crate::error::{strictly_within, within};
use crate::hypergeometric;
use crate::null::{chi_square_sf, kolmogorov_sf, normal_sf};
use crate::permutation::{distances, min_p_value};
use crate::table::Table;

/// The fewest permutations whose p-value can pass a correction over 20 columns (.05 / 20 = .0025).
pub const MIN_PERMUTATIONS: usize = 999;
/// The most permutations that are drawn: 16 bytes of memory each.
pub const MAX_PERMUTATIONS: usize = 10_000_000;

/// A number of rows that is not zero.
pub(crate) fn rows(name: &str, count: u64) -> Result<f64, ArgumentError> {
    if count == 0 {
        return Err(ArgumentError(format!("{name} is 0: a side without rows cannot be compared")));
    }
    Ok(count as f64)
}

/// p-value of "nothing changed" for a Kolmogorov-Smirnov distance `d`.
///
/// `p = Q_KS((d - e)+ / sqrt(1/n + 1/m))`, where `e` is the sum of the rank errors of the sketches that
/// `d` was measured with (0 for exact data): the largest p-value that the error leaves possible.
/// Asymptotic: the size at .05 is .04 to .05 for continuous data; with ties it is valid but smaller (0
/// for a rare binary value).
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

/// How the p-value of a table was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// The chi-square distribution and the exact test of the largest cell, joined by Bonferroni.
    Asymptotic,
    /// Permutations, because some cell is expected to hold fewer than five rows.
    Permutation,
}

/// The result of [`category_test`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CategoryTest {
    /// The p-value of "nothing changed".
    pub p_value: f64,
    /// How it was found.
    pub method: Method,
}

/// p-value of "nothing changed" for counts of the same categories on both sides.
///
/// Chi-square finds a change that is spread over many categories, the largest cell one that sits in few:
/// both are asked. Where every cell is expected to hold at least five rows on either side,
/// `p = 2 min(p_chi2, B p_cell)` over B cells that are not empty; p_cell is the two-sided hypergeometric
/// p-value of the cell with the largest likelihood ratio. Elsewhere these approximations fail (real size
/// of chi-square up to .27 at unequal sizes), and p is that of the permutation test of both statistics,
/// from `permutations` draws seeded by the counts themselves; it is at least `1 / (permutations + 1)`,
/// which a correction over K columns divides: take `permutations >= K / alpha`.
///
/// One category on both sides gives p = 1.
///
/// Sources: Cochran (1954) for the rule of five; Fisher (1935) for the exact test.
///
/// # Errors
/// The sides have different lengths, one has no rows or 2^62 or more, or `permutations` is not
/// [`MIN_PERMUTATIONS`] to [`MAX_PERMUTATIONS`].
pub fn category_test(
    reference: &[u64],
    current: &[u64],
    permutations: usize,
) -> Result<CategoryTest, ArgumentError> {
    if !(MIN_PERMUTATIONS..=MAX_PERMUTATIONS).contains(&permutations) {
        return Err(ArgumentError(format!(
            "permutations is {permutations}: it must be {MIN_PERMUTATIONS} to {MAX_PERMUTATIONS}"
        )));
    }
    let table = Table::try_new(reference, current)?;
    if table.cells.len() == 1 {
        return Ok(CategoryTest { p_value: 1.0, method: Method::Asymptotic });
    }
    if table.has_small_expected_count() {
        return Ok(CategoryTest { p_value: min_p_value(&table, permutations), method: Method::Permutation });
    }
    let found = distances(&table);
    let cells = table.cells.len();
    let spread = chi_square_sf(found.chi_square, cells as u64 - 1);
    let (a, b) = table.cells[found.cell];
    let cell = hypergeometric::two_sided_p_value(table.rows(), a + b, table.n, b) * cells as f64;
    Ok(CategoryTest { p_value: (2.0 * spread.min(cell)).min(1.0), method: Method::Asymptotic })
}

/// p-value of "no category gained or lost more than `tolerance` of the rows".
///
/// `p = B min over cells of Q(z(tolerance)) + Q(z(-tolerance))`, at most 1, where `z(x) = (|d| - x) /
/// sd(x)` is the Farrington-Manning score of the cell's difference of shares `d`, its variance taken at
/// the most likely shares that differ by `x`; the second part is the chance of a surprise on the other
/// side. A total variation of at most the tolerance implies the hypothesis, so this also tests that. It
/// finds changes into or out of single categories; one that is spread thinly over many it cannot find.
///
/// Source: Farrington and Manning (1990), Statistics in Medicine 9.
///
/// # Errors
/// The sides have different lengths, one has no rows or 2^62 or more, or `tolerance` does not lie between
/// 0 and 1 (for 0 there is [`category_test`]).
pub fn category_relevant_p_value(
    reference: &[u64],
    current: &[u64],
    tolerance: f64,
) -> Result<f64, ArgumentError> {
    strictly_within("tolerance", tolerance, 0.0, 1.0)?;
    let table = Table::try_new(reference, current)?;
    let (m, n) = (table.m as f64, table.n as f64);
    let cell = |&(a, b): &(u64, u64)| {
        let (p, q) = (a as f64 / m, b as f64 / n);
        // The larger share first: a loss is a gain of the other side.
        let (high, rows_high, low, rows_low) = if q >= p { (q, n, p, m) } else { (p, m, q, n) };
        let score = |x: f64| {
            let (high_0, low_0) = shares_apart(high, rows_high, low, rows_low, x);
            let variance = high_0 * (1.0 - high_0) / rows_high + low_0 * (1.0 - low_0) / rows_low;
            (high - low - x) / variance.sqrt()
        };
        normal_sf(score(tolerance)) + normal_sf(score(-tolerance))
    };
    let smallest = table.cells.iter().map(cell).fold(1.0, f64::min);
    Ok((smallest * table.cells.len() as f64).min(1.0))
}

/// The shares `(p1, p2)` with `p1 - p2 = difference` under which the observed shares of `rows1` and
/// `rows2` rows are most likely.
///
/// The log-likelihood is concave along that line, so the sign of its slope is enough to halve the
/// interval. The closed form of the root loses half of its digits for rare categories, where two roots
/// meet.
fn shares_apart(share1: f64, rows1: f64, share2: f64, rows2: f64, difference: f64) -> (f64, f64) {
    // After 60 halvings the interval is below the spacing of the numbers in it.
    const HALVINGS: usize = 60;
    let (mut low, mut high) = (difference.max(0.0), 1.0 + difference.min(0.0));
    for _ in 0..HALVINGS {
        let p1 = f64::midpoint(low, high);
        let p2 = p1 - difference;
        // The slope, multiplied by both variances: positive factors.
        let slope = rows1 * (share1 - p1) * p2 * (1.0 - p2) + rows2 * (share2 - p2) * p1 * (1.0 - p1);
        if slope > 0.0 {
            low = p1;
        } else {
            high = p1;
        }
    }
    let p1 = f64::midpoint(low, high);
    (p1, p1 - difference)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*};

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

    /// SciPy 1.17.1: chi2_contingency([[400, 350, 250], [520, 430, 250]]) gives p = .0572, the third cell
    /// has the smallest p, 2 min(hypergeom(2200, 500, 1200).cdf(250), sf(249)) = .0233: times 3 cells it
    /// is .0699.
    #[test]
    fn category_test_equals_scipy() {
        let test = category_test(&[400, 350, 250], &[520, 430, 250], 999).unwrap();
        assert_eq!(test.method, Method::Asymptotic);
        close(test.p_value, 2.0 * 0.057189222401054875, 1e-11);
        // One category of 30 moves by a fifth: chi-square sees nothing (p = .91), the largest cell
        // decides.
        let (mut reference, mut current) = (vec![1000; 30], vec![1000; 30]);
        (reference[3], current[3]) = (900, 1100);
        let test = category_test(&reference, &current, 999).unwrap();
        // SciPy 1.17.1: 2 hypergeom(60_000, 2000, 30_100).sf(1099).
        close(test.p_value, 2.0 * 30.0 * 1.1989487691831077e-05, 1e-9);
    }

    #[test]
    fn rare_categories_take_the_permutation_test() {
        let method = |r: &[u64], c: &[u64]| category_test(r, c, 999).unwrap().method;
        assert_eq!(method(&[95, 5], &[95, 5]), Method::Asymptotic);
        assert_eq!(method(&[95, 5], &[96, 4]), Method::Permutation);
        // 100 pooled rows, but only 10 * 100 / 1010 of them expected on the small side.
        assert_eq!(method(&[901, 99], &[9, 1]), Method::Permutation);
        assert_eq!(category_test(&[7, 0], &[9, 0], 999).unwrap().p_value, 1.0);
    }

    #[test]
    fn permutation_p_values_repeat_and_stay_within_their_limits() {
        let p = |permutations| category_test(&[500, 1, 0, 20], &[40, 0, 1, 0], permutations).unwrap().p_value;
        assert_eq!(p(999), p(999));
        assert!(p(999) >= 0.001 && p(999) <= 1.0);
        // Two sides without any difference are as unsurprising as can be.
        assert_eq!(category_test(&[3, 3, 3], &[3, 3, 3], 999).unwrap().p_value, 1.0);
    }

    /// SciPy 1.17.1: minimize_scalar over the binomial log-likelihood, then norm.sf of the score.
    #[test]
    fn farrington_manning_equals_direct_maximisation() {
        for (x1, n1, x2, n2, difference, share, p) in [
            (60.0, 1000.0, 30.0, 1000.0, 0.02, 0.053911036196801675, 0.13728160622404517),
            (60.0, 1000.0, 30.0, 1000.0, -0.02, 0.039770089882811624, 1.3266132085046454e-07),
            (9.0, 50.0, 300.0, 5000.0, 0.02, 0.08076286619690466, 0.004865427360041763),
        ] {
            let (p1, p2) = shares_apart(x1 / n1, n1, x2 / n2, n2, difference);
            // The numeric maximum is flat: it is known to half of the digits.
            close(p1, share, 1e-6);
            let variance: f64 = p1 * (1.0 - p1) / n1 + p2 * (1.0 - p2) / n2;
            close(normal_sf((x1 / n1 - x2 / n2 - difference) / variance.sqrt()), p, 1e-6);
        }
        // A gain of 3 points is 2 tails of it in the first category and the same loss in the second.
        let p = category_relevant_p_value(&[30, 970], &[60, 940], 0.02).unwrap();
        close(p, 2.0 * (0.13728160622404517 + 1.3266132085046454e-07), 1e-6);
    }

    #[test]
    fn a_tolerance_of_almost_nothing_is_the_pooled_two_sided_test() {
        let p = category_relevant_p_value(&[300, 700], &[360, 640], 1e-9).unwrap();
        let z = 0.06 / (0.33f64 * 0.67 * 2.0 / 1000.0).sqrt();
        close(p, 2.0 * 2.0 * normal_sf(z), 1e-6);
    }

    #[test]
    fn errors_say_what_and_where() {
        let text = |r: Result<f64, ArgumentError>| r.unwrap_err().to_string();
        assert_eq!(text(ks_p_value(1.5, 1, 1, 0.0)), "d is 1.5: it must be 0 to 1");
        assert_eq!(text(ks_p_value(0.5, 1, 0, 0.0)), "m is 0: a side without rows cannot be compared");
        assert_eq!(text(ks_p_value(0.5, 1, 1, f64::NAN)), "sketch_error is NaN: it must be 0 to 1");
        assert!(ks_relevant_p_value(0.5, 1, 1, 0.0, -0.1).is_err());
        assert_eq!(
            category_test(&[1, 2], &[2, 1], 10).unwrap_err().to_string(),
            "permutations is 10: it must be 999 to 10000000"
        );
        assert!(category_test(&[0, 0], &[2, 1], 999).is_err());
        assert_eq!(
            text(category_relevant_p_value(&[1, 2], &[2, 1], 0.0)),
            "tolerance is 0: it must lie between 0 and 1"
        );
        assert!(category_relevant_p_value(&[1], &[2, 1], 0.1).is_err());
    }

    proptest! {
        #[test]
        fn p_values_are_p_values(cells in vec((0..60u64, 0..2000u64), 1..12), tolerance in 0.001..0.999f64) {
            let (a, b): (Vec<u64>, Vec<u64>) = cells.into_iter().unzip();
            prop_assume!(a.iter().any(|&x| x > 0) && b.iter().any(|&x| x > 0));
            for p in [
                category_test(&a, &b, 999).unwrap().p_value,
                category_relevant_p_value(&a, &b, tolerance).unwrap(),
            ] {
                prop_assert!((0.0..=1.0).contains(&p), "{}", p);
            }
        }

        #[test]
        fn a_larger_tolerance_never_makes_the_same_data_more_surprising(
            cells in vec((0..60u64, 0..60u64), 2..6), tolerance in 0.001..0.5f64, more in 0.0..0.4f64
        ) {
            let (a, b): (Vec<u64>, Vec<u64>) = cells.into_iter().unzip();
            prop_assume!(a.iter().any(|&x| x > 0) && b.iter().any(|&x| x > 0));
            let p = |tolerance| category_relevant_p_value(&a, &b, tolerance).unwrap();
            prop_assert!(p(tolerance + more) >= p(tolerance) - 1e-12);
        }
    }
}
