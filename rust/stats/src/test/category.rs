//! Have the shares of categories changed?
use super::Method;
use crate::ArgumentError;
use crate::hypergeometric;
use crate::null::chi_square_sf;
use crate::permutation::{self, distances};
use crate::resample::checked;
use crate::table::Table;

/// The fewest permutations whose p-value can pass a correction over 20 columns (.05 / 20 = .0025).
pub const MIN_PERMUTATIONS: usize = 999;
/// The most permutations that are drawn: some ten seconds for every hundred cells.
pub const MAX_PERMUTATIONS: usize = 10_000_000;

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
/// of chi-square up to .27 at unequal sizes), and p is `2 min` of the permutation tests of both statistics,
/// whose draws are seeded by the counts themselves. They stop early where p is large; where it is small they
/// go on to `max_permutations`, unless the exact p-value of the largest cell is smaller than these could make it.
/// Permutations give at least `2 / (max_permutations + 1)`, which a correction over K columns divides: take `max_permutations >= 2 K / alpha`.
///
/// One category on both sides gives p = 1.
///
/// Sources: Cochran (1954) for the rule of five; Fisher (1935) for the exact test; Besag and Clifford (1991)
/// for permutations that stop early.
///
/// # Errors
/// The sides have different lengths, one has no rows or 2^62 or more, or `max_permutations` is not
/// [`MIN_PERMUTATIONS`] to [`MAX_PERMUTATIONS`].
pub fn category_test(
    reference: &[u64],
    current: &[u64],
    max_permutations: usize,
) -> Result<CategoryTest, ArgumentError> {
    let max_permutations = checked("max_permutations", max_permutations)?;
    let table = Table::try_new(reference, current)?;
    if table.cells.len() == 1 {
        return Ok(CategoryTest { p_value: 1.0, method: Method::Asymptotic });
    }
    let found = distances(&table);
    let cells = table.cells.len();
    let (a, b) = table.cells[found.cell];
    let cell = hypergeometric::two_sided_p_value(table.rows(), a + b, table.n, b) * cells as f64;
    if table.has_small_expected_count() {
        // The exact test of a cell needs no draws, and below this no number of them would say less.
        if cell <= 1.0 / (max_permutations + 1) as f64 {
            return Ok(CategoryTest { p_value: 2.0 * cell, method: Method::Exact });
        }
        return Ok(CategoryTest {
            p_value: permutation::p_value(&table, max_permutations),
            method: Method::Permutation,
        });
    }
    let spread = chi_square_sf(found.chi_square, cells as u64 - 1);
    Ok(CategoryTest { p_value: (2.0 * spread.min(cell)).min(1.0), method: Method::Asymptotic })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*};

    #[track_caller]
    fn close(value: f64, expected: f64, relative: f64) {
        assert!((value - expected).abs() <= relative * expected.abs(), "{value:e} is not {expected:e}");
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

    /// 300 even categories at 5,000 against 50 rows, one of which took ten rows: a million draws that p needs,
    /// and a handful where nothing happened.
    #[test]
    fn draws_stop_where_nothing_happened() {
        let reference = [17; 300];
        let unchanged: Vec<u64> = (0..300).map(|i| u64::from(i % 6 == 0)).collect();
        let test = category_test(&reference, &unchanged, MAX_PERMUTATIONS).unwrap();
        assert_eq!(test.method, Method::Permutation);
        assert!(test.p_value > 0.1, "{}", test.p_value);
        let mut changed = unchanged;
        changed[7] += 10;
        let test = category_test(&reference, &changed, 20_000).unwrap();
        assert_eq!(test.method, Method::Exact);
        assert!(test.p_value < 2.0 / 20_001.0, "{}", test.p_value);
    }

    #[test]
    fn errors_say_what_and_where() {
        assert_eq!(
            category_test(&[1, 2], &[2, 1], 10).unwrap_err().to_string(),
            "max_permutations is 10: it must be 999 to 10000000"
        );
        assert!(category_test(&[0, 0], &[2, 1], 999).is_err());
    }

    proptest! {
        #[test]
        fn p_values_are_p_values(cells in vec((0..60u64, 0..2000u64), 1..12)) {
            let (a, b): (Vec<u64>, Vec<u64>) = cells.into_iter().unzip();
            prop_assume!(a.iter().any(|&x| x > 0) && b.iter().any(|&x| x > 0));
            let p = category_test(&a, &b, 999).unwrap().p_value;
            prop_assert!((0.0..=1.0).contains(&p), "{}", p);
        }
    }
}
