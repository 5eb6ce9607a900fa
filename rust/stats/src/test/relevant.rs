//! Has a share changed by more than a tolerance?
use super::farrington_manning::{Pair, Side};
use crate::ArgumentError;
use crate::error::{same_length, strictly_within};
use crate::hypergeometric::redraw;
use crate::rng::{Rng, seed_of};
use crate::table::Table;

/// p-value of "the total variation is at most `tolerance`": no set of categories gained more of the rows.
///
/// `p = 2 min(p_cell, p_set)`. The first, [`largest_cell_p_value`] with its own margin for each cell, finds a change
/// into or out of single categories. These margins are the tolerance plus what the counts of a cell, or of any set of
/// cells, may be off by. The second finds one of several categories: the rows of both sides are halved at random, the
/// set of categories that gained is chosen on one half, and its gain is tested on the other; both halves take
/// both parts, again `2 min`. The halves are seeded by the counts. A change that is spread thinly over
/// hundreds of categories neither finds. `estimate - tolerance` in units of its standard error would be no
/// test: with many categories the estimate is far from 0 when nothing has changed.
///
/// # Errors
/// As [`largest_cell_p_value`].
pub fn category_relevant_p_value(
    reference: &[u64],
    current: &[u64],
    margins: &[f64],
    set_margin: f64,
) -> Result<f64, ArgumentError> {
    strictly_within("set_margin", set_margin, 0.0, 1.0)?;
    let cell = largest_cell_p_value(reference, current, margins)?;
    let set = gaining_set(&Table::try_new(reference, current)?, set_margin);
    Ok((2.0 * cell.min(set)).min(1.0))
}

/// p-value of "no cell gained or lost more than its margin of the rows".
///
/// The p-value of the cell with the largest likelihood ratio against a change of just its margin, times the
/// number of cells (Bonferroni), at most 1. Of a cell it is `Q(z(margin)) + Q(z(-margin))`, where `z(x) = (|d| -
/// x) / sd(x)` is the Farrington-Manning score of its difference of shares `d`, the variance taken at the most
/// likely shares that differ by `x`; the second part is the chance of a surprise on the other side. With fewer
/// than 1,000 expected rows in the cell the normal tail Q gives way to that of the binomial counts.
///
/// Sources: Farrington and Manning (1990), Statistics in Medicine 9; Storer and Kim (1990), Journal of the
/// American Statistical Association 85.
///
/// # Errors
/// The sides have different lengths, one has no rows or 2^62 or more, or a margin does not lie between 0
/// and 1 (for 0 there is [`category_test`](super::category_test)).
pub fn largest_cell_p_value(
    reference: &[u64],
    current: &[u64],
    margins: &[f64],
) -> Result<f64, ArgumentError> {
    let table = Table::try_new(reference, current)?;
    same_length(margins, reference)?;
    let mut largest: Option<(f64, Pair, f64)> = None;
    for ((&a, &b), &margin) in reference.iter().zip(current).zip(margins) {
        strictly_within("margin", margin, 0.0, 1.0)?;
        let pair = Pair::sorted(Side { count: b, rows: table.n }, Side { count: a, rows: table.m });
        // The bound spares most cells the search for their most likely shares.
        let best = largest.as_ref().map_or(0.0, |found| found.0);
        if pair.difference() <= margin || pair.score_bound(margin) <= best {
            continue;
        }
        let ratio = pair.likelihood_ratio(margin);
        if ratio > best {
            largest = Some((ratio, pair, margin));
        }
    }
    // Within the margins nothing is surprising.
    Ok(largest.map_or(1.0, |(_, pair, margin)| (pair.p_value(margin) * table.cells.len() as f64).min(1.0)))
}

/// Smaller of the p-values of two sets, each chosen on one half of the rows and tested on the other, times 2.
fn gaining_set(table: &Table, margin: f64) -> f64 {
    if table.m < 2 || table.n < 2 || table.cells.len() < 2 {
        return 1.0;
    }
    let mut rng = Rng::new(seed_of(table.cells.iter().flat_map(|&(a, b)| [a, b])));
    let mut half = |side: fn(&(u64, u64)) -> u64, rows: u64| {
        let mut cells: Vec<(u64, u64)> = table.cells.iter().map(|cell| (side(cell), 0)).collect();
        redraw(&mut cells, rows - rows / 2, rows / 2, &mut rng);
        cells
    };
    let (reference, current) = (half(|cell| cell.0, table.m), half(|cell| cell.1, table.n));
    let rows = [(table.m - table.m / 2, table.n - table.n / 2), (table.m / 2, table.n / 2)];
    let counts: [Vec<(u64, u64)>; 2] = [
        reference.iter().zip(&current).map(|(a, b)| (a.0, b.0)).collect(),
        reference.iter().zip(&current).map(|(a, b)| (a.1, b.1)).collect(),
    ];
    let p = |chosen_on: usize, tested_on: usize| {
        let (m, n) = rows[chosen_on];
        let gained = |&(a, b): &(u64, u64)| u128::from(b) * u128::from(m) > u128::from(a) * u128::from(n);
        let (mut a, mut b) = (0, 0);
        for (chosen, tested) in counts[chosen_on].iter().zip(&counts[tested_on]) {
            if gained(chosen) {
                a += tested.0;
                b += tested.1;
            }
        }
        let (m, n) = rows[tested_on];
        let pair = Pair { high: Side { count: b, rows: n }, low: Side { count: a, rows: m } };
        if pair.difference() > margin { pair.gain_p_value(margin) } else { 1.0 }
    };
    (2.0 * p(0, 1).min(p(1, 0))).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::null::normal_sf;
    use proptest::{collection::vec, prelude::*};

    fn largest_cell(a: &[u64], b: &[u64], margin: f64) -> Result<f64, ArgumentError> {
        largest_cell_p_value(a, b, &vec![margin; a.len()])
    }

    fn relevant(a: &[u64], b: &[u64], tolerance: f64) -> Result<f64, ArgumentError> {
        category_relevant_p_value(a, b, &vec![tolerance; a.len()], tolerance)
    }

    #[track_caller]
    fn close(value: f64, expected: f64, relative: f64) {
        assert!((value - expected).abs() <= relative * expected.abs(), "{value:e} is not {expected:e}");
    }

    /// SciPy 1.17.1: minimize_scalar over the binomial log-likelihood, then norm.sf of the scores for both
    /// directions.
    #[test]
    fn the_largest_cell_equals_direct_maximisation() {
        // The gain of the first category is the loss of the second.
        let p = largest_cell(&[3000, 97_000], &[3300, 96_700], 0.002).unwrap();
        close(p, 2.0 * (0.10017952365181076 + 8.100183316539415e-11), 1e-6);
    }

    #[test]
    fn a_margin_of_almost_nothing_is_the_pooled_two_sided_test() {
        let p = largest_cell(&[30_000, 70_000], &[30_500, 69_500], 1e-9).unwrap();
        let z = 0.005 / (0.3025f64 * 0.6975 * 2.0 / 100_000.0).sqrt();
        close(p, 2.0 * 2.0 * normal_sf(z), 1e-5);
    }

    #[test]
    fn the_cell_that_decides_is_the_least_likely_one() {
        // A single row in a rare cell has the largest score on the small side, and is no surprise.
        let (reference, current) = ([8000, 1998, 2], [1200, 799, 1]);
        let p = largest_cell(&reference, &current, 0.02).unwrap();
        let alone = largest_cell(&[8000, 2000], &[1200, 800], 0.02).unwrap();
        close(p, alone * 3.0 / 2.0, 0.1);
        assert!(p < 1e-40, "{p:e}");
    }

    #[test]
    fn a_change_of_many_cells_is_found_as_a_set() {
        // 6 points go from fifteen cells to fifteen others, .4 points each.
        let reference = [3333; 30];
        let current: Vec<u64> = (0..30).map(|i| if i % 2 == 0 { 3733 } else { 2933 }).collect();
        assert_eq!(largest_cell(&reference, &current, 0.02).unwrap(), 1.0);
        let p = relevant(&reference, &current, 0.02).unwrap();
        assert!(p < 1e-20, "{p:e}");
        assert!(relevant(&reference, &current, 0.06).unwrap() > 0.05);
    }

    #[test]
    fn equal_counts_give_equal_p_values() {
        let p = || relevant(&[300, 200, 400, 90], &[200, 300, 300, 190], 0.1).unwrap();
        assert_eq!(p(), p());
        assert!(p() > 0.0 && p() < 1.0);
    }

    #[test]
    fn nothing_to_halve_and_nothing_to_choose() {
        assert_eq!(relevant(&[1, 0], &[0, 1], 0.02).unwrap(), 1.0);
        assert_eq!(relevant(&[100], &[100], 0.02).unwrap(), 1.0);
        assert_eq!(largest_cell(&[50, 50], &[50, 50], 0.02).unwrap(), 1.0);
    }

    #[test]
    fn errors_say_what_and_where() {
        let text = |r: Result<f64, ArgumentError>| r.unwrap_err().to_string();
        assert_eq!(text(relevant(&[1, 2], &[2, 1], 0.0)), "set_margin is 0: it must lie between 0 and 1");
        assert_eq!(text(largest_cell(&[1, 2], &[2, 1], 1.0)), "margin is 1: it must lie between 0 and 1");
        assert!(relevant(&[1], &[2, 1], 0.1).is_err());
        assert!(largest_cell(&[1, 0], &[0, 0], 0.1).is_err());
        assert_eq!(
            text(largest_cell_p_value(&[1, 2], &[2, 1], &[0.1])),
            "there are 1 margins for 2 cells: give one for each"
        );
    }

    #[test]
    fn every_cell_has_its_own_margin() {
        let (reference, current) = ([3000, 97_000], [3300, 96_700]);
        let alone = largest_cell(&reference, &current, 0.002).unwrap();
        // Behind a wide margin the second cell is no surprise, the first is the same one.
        close(largest_cell_p_value(&reference, &current, &[0.002, 0.01]).unwrap(), alone, 1e-9);
        assert_eq!(largest_cell_p_value(&reference, &current, &[0.01, 0.01]).unwrap(), 1.0);
        let set = |margin| category_relevant_p_value(&reference, &current, &[0.01; 2], margin).unwrap();
        assert_eq!(set(0.01), 1.0);
        assert!(set(0.0001) < 0.1);
    }

    fn tables() -> impl Strategy<Value = (Vec<u64>, Vec<u64>)> {
        let sides = vec((0..60u64, 0..2000u64), 1..12).prop_map(|cells| cells.into_iter().unzip());
        sides.prop_filter("a side without rows", |(a, b): &(Vec<u64>, Vec<u64>)| {
            a.iter().any(|&x| x > 0) && b.iter().any(|&x| x > 0)
        })
    }

    proptest! {
        #[test]
        fn p_values_are_p_values((a, b) in tables(), tolerance in 0.001..0.999f64) {
            let whole = relevant(&a, &b, tolerance).unwrap();
            let cell = largest_cell(&a, &b, tolerance).unwrap();
            prop_assert!((0.0..=1.0).contains(&whole) && (0.0..=1.0).contains(&cell), "{} {}", whole, cell);
            prop_assert!(whole <= (2.0 * cell).min(1.0));
        }

        #[test]
        fn skipped_cells_would_not_have_decided((a, b) in tables(), margin in 0.001..0.5f64) {
            let table = Table::try_new(&a, &b).unwrap();
            let pairs = table.cells.iter().map(|&(a, b)| {
                Pair::sorted(Side { count: b, rows: table.n }, Side { count: a, rows: table.m })
            });
            let ratio = |pair: &Pair| pair.likelihood_ratio(margin);
            let least_likely = pairs
                .filter(|pair| pair.difference() > margin)
                .max_by(|x, y| ratio(x).total_cmp(&ratio(y)));
            let all = least_likely.map_or(1.0, |pair| pair.p_value(margin) * table.cells.len() as f64);
            prop_assert!((largest_cell(&a, &b, margin).unwrap() - all.min(1.0)).abs() <= 1e-9 * all);
        }

        #[test]
        fn a_larger_margin_never_makes_the_same_cell_much_more_surprising(
            a in 0..200u64, b in 0..200u64, margin in 0.001..0.5f64, more in 0.0..0.4f64
        ) {
            let p = |margin| largest_cell(&[a, 200 - a], &[b, 200 - b], margin).unwrap();
            prop_assert!(p(margin + more) >= p(margin) * 0.98 - 1e-12, "{} {}", p(margin), p(margin + more));
        }
    }
}
