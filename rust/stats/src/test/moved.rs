//! Which cells changed, once a change is found.
use crate::ArgumentError;
use crate::error::{same_length, strictly_within, within};
use crate::hypergeometric;
use crate::null::{normal_quantile, normal_sf};
use crate::table::Table;

/// From this many expected rows on the smaller side the normal tail serves for the hypergeometric one. Far out,
/// where cells are named, it is wrong by about `z^3 / (6 sqrt(expected))`: a tenth at z = 4, the bar of 300
/// cells.
const MANY_ROWS: f64 = 10_000.0;

/// A cell whose share provably changed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MovedCell {
    /// Its index in the counts.
    pub cell: usize,
    /// The change in standard deviations of no change: positive if the current share is larger.
    pub z: f64,
}

/// The cells whose share changed by more than their margins, proved for all of them together at level `alpha`, the
/// clearest first.
///
/// A cell is named if its two-sided p-value is at most `alpha / B`, B the number of cells that are not empty
/// (Bonferroni): with probability `1 - alpha` no unchanged cell is named. The p-value is that of the
/// hypergeometric distribution of the cell, and normal where that has thousands of rows; z is its normal
/// equivalent. The order is that of `|z|`, because a share of a common cell may be off by more than all the
/// rows of a rare one that tripled. A margin is the sum of the errors of both shares (0 for exact counts): it
/// is taken off on either side, and the larger p-value counts.
///
/// # Errors
/// The sides have different lengths, one has no rows or 2^62 or more, a margin is not 0 to 1, or `alpha` does
/// not lie between 0 and 1.
pub fn moved_cells(
    reference: &[u64],
    current: &[u64],
    margins: &[f64],
    alpha: f64,
) -> Result<Vec<MovedCell>, ArgumentError> {
    margins.iter().try_for_each(|&margin| within("margin", margin, 0.0, 1.0).map(drop))?;
    strictly_within("alpha", alpha, 0.0, 1.0)?;
    let Table { cells, m, n } = Table::try_new(reference, current)?;
    same_length(margins, reference)?;
    let level = alpha / cells.len() as f64;
    let mut moved: Vec<MovedCell> = reference
        .iter()
        .zip(current)
        .zip(margins)
        .enumerate()
        .filter_map(|(cell, ((&a, &b), &margin))| {
            let (p, z) = change(a, b, m, n, margin)?;
            (p <= level).then_some(MovedCell { cell, z })
        })
        .collect();
    moved.sort_by(|x, y| y.z.abs().total_cmp(&x.z.abs()));
    Ok(moved)
}

/// Two-sided p-value and z of a cell; None if its shares lie within the margin.
fn change(a: u64, b: u64, m: u64, n: u64, margin: f64) -> Option<(f64, f64)> {
    let difference = b as f64 / n as f64 - a as f64 / m as f64;
    if difference.abs() <= margin {
        return None;
    }
    // Rows that the margin may have added to a side, or hidden from it.
    let (slack_a, slack_b) = ((margin * m as f64).ceil() as u64, (margin * n as f64).ceil() as u64);
    let shifted = if difference > 0.0 {
        [((a + slack_a).min(m), b), (a, b.saturating_sub(slack_b))]
    } else {
        [(a.saturating_sub(slack_a), b), (a, (b + slack_b).min(n))]
    };
    shifted
        .map(|(a, b)| p_value(a, b, m, n, difference > 0.0))
        .into_iter()
        .max_by(|x, y| x.0.total_cmp(&y.0))
        .map(|(p, z)| (p, z.copysign(difference)))
}

/// Two-sided p-value and `|z|`, 1 and 0 if the side that is said to have gained has not.
fn p_value(a: u64, b: u64, m: u64, n: u64, current_gained: bool) -> (f64, f64) {
    let (mf, nf, rows) = (m as f64, n as f64, (m + n) as f64);
    let share = (a + b) as f64 / rows;
    let difference = b as f64 / nf - a as f64 / mf;
    if (difference > 0.0) != current_gained || difference == 0.0 {
        return (1.0, 0.0);
    }
    let sd = (share * (1.0 - share) * (1.0 / mf + 1.0 / nf)).sqrt();
    let normal = difference.abs() / sd;
    if share * mf.min(nf) >= MANY_ROWS {
        return (2.0 * normal_sf(normal), normal);
    }
    let p = hypergeometric::two_sided_p_value(m + n, a + b, n, b);
    // A p-value below the smallest number there is has no quantile.
    (p, if p > 0.0 { -normal_quantile(p / 2.0) } else { normal })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hypergeometric::redraw;
    use crate::rng::Rng;
    use proptest::{collection::vec, prelude::*};

    fn moved(a: &[u64], b: &[u64], margin: f64, alpha: f64) -> Result<Vec<MovedCell>, ArgumentError> {
        moved_cells(a, b, &vec![margin; a.len()], alpha)
    }

    fn named(reference: &[u64], current: &[u64], margin: f64) -> Vec<usize> {
        moved(reference, current, margin, 0.05).unwrap().iter().map(|moved| moved.cell).collect()
    }

    #[test]
    fn the_clearest_change_comes_first() {
        // The first cell lost 3 points, the last tripled: its z is larger.
        let (reference, current) = ([5000, 4900, 0, 100], [4700, 5000, 0, 300]);
        assert_eq!(named(&reference, &current, 0.0), [3, 0]);
        let moved = moved(&reference, &current, 0.0, 0.05).unwrap();
        // SciPy 1.17.1: norm.isf(hypergeom(20_000, 400, 10_000).sf(299)) and norm.ppf(hypergeom(20_000, 9700,
        // 10_000).cdf(4700)).
        assert!((moved[0].z - 10.272807038403842).abs() < 1e-9, "{moved:?}");
        assert!((moved[1].z - -4.230701652133068).abs() < 1e-9, "{moved:?}");
        assert_eq!(named(&current, &current, 0.0), [] as [usize; 0]);
    }

    #[test]
    fn many_rows_take_the_normal_tail() {
        let moved = moved(&[30_000, 70_000], &[31_000, 69_000], 0.0, 0.05).unwrap();
        let z = 0.01 / (0.305f64 * 0.695 * 2.0 / 100_000.0).sqrt();
        assert!((moved[0].z - z).abs() < 1e-12 && (moved[1].z + z).abs() < 1e-12, "{moved:?}");
        // Both tails meet at the border.
        let close = |rows: u64| p_value(3 * rows, 3 * rows + rows / 10, 10 * rows, 10 * rows, true).1;
        let (below, above) = (close(3270), close(3290));
        assert!((below / above - 1.0).abs() < 0.01, "{below} {above}");
    }

    #[test]
    fn a_row_of_a_rare_cell_on_the_small_side_proves_nothing() {
        // Its normal z is 9.
        assert_eq!(named(&[4950, 49, 1], &[49, 0, 1], 0.0), [] as [usize; 0]);
        assert_eq!(named(&[4950, 49, 1], &[40, 0, 10], 0.0), [2, 0]);
    }

    #[test]
    fn the_margin_is_taken_off_on_either_side() {
        let (reference, current) = ([500, 500], [600, 400]);
        assert_eq!(named(&reference, &current, 0.0), [0, 1]);
        assert_eq!(named(&reference, &current, 0.02), [0, 1]);
        // .1 - .06 is z = 1.8.
        assert_eq!(named(&reference, &current, 0.06), [] as [usize; 0]);
        assert_eq!(named(&reference, &current, 1.0), [] as [usize; 0]);
        // Each cell has its own.
        let one = moved_cells(&reference, &current, &[0.06, 0.0], 0.05).unwrap();
        assert_eq!(one.iter().map(|moved| moved.cell).collect::<Vec<_>>(), [1]);
        let z = |margin| moved(&reference, &current, margin, 0.05).unwrap()[0].z;
        // 1.96 of 2 standard deviations at most: the pooled share moves with the margin.
        assert!((z(0.0) - z(0.02) - 0.9).abs() < 0.1, "{} {}", z(0.0), z(0.02));
        // Whichever side the margin comes from, the counts it leaves would not be named.
        let (p, _) = change(500, 600, 1000, 1000, 0.02).unwrap();
        let sides = [p_value(520, 600, 1000, 1000, true).0, p_value(500, 580, 1000, 1000, true).0];
        assert_eq!(p, sides[0].max(sides[1]));
    }

    #[test]
    fn all_rows_in_another_cell_are_named_although_p_is_zero() {
        let moved = moved(&[1 << 40, 0], &[1 << 20, 300_000], 0.0, 0.05).unwrap();
        assert_eq!(moved.len(), 2);
        assert!(moved.iter().all(|moved| moved.z.is_finite() && moved.z.abs() > 37.0), "{moved:?}");
    }

    #[test]
    fn errors_say_what_and_where() {
        let text = |margin, alpha| moved(&[1, 2], &[2, 1], margin, alpha).unwrap_err().to_string();
        assert_eq!(text(-0.1, 0.05), "margin is -0.1: it must be 0 to 1");
        assert_eq!(text(0.0, 1.0), "alpha is 1: it must lie between 0 and 1");
        assert!(moved(&[1], &[2, 1], 0.0, 0.05).is_err());
    }

    proptest! {
        #[test]
        fn named_cells_are_ranked_and_point_the_right_way(
            cells in vec((0..400u64, 0..3000u64), 2..20), margin in 0.0..0.1f64
        ) {
            let (a, b): (Vec<u64>, Vec<u64>) = cells.into_iter().unzip();
            let (m, n) = (a.iter().sum::<u64>(), b.iter().sum::<u64>());
            prop_assume!(m > 0 && n > 0);
            let named = moved(&a, &b, margin, 0.5).unwrap();
            prop_assert!(named.windows(2).all(|w| w[0].z.abs() >= w[1].z.abs()));
            for MovedCell { cell, z } in named {
                let change = b[cell] as f64 / n as f64 - a[cell] as f64 / m as f64;
                prop_assert!(change.abs() > margin && change * z > 0.0);
            }
            let exact = moved(&a, &b, 0.0, 0.5).unwrap().len();
            prop_assert!(moved(&a, &b, margin, 0.5).unwrap().len() <= exact);
        }
    }

    /// The chance that any cell is named when nothing has changed, given the pooled counts.
    fn false_names(pooled: &[u64], m: u64, n: u64) -> f64 {
        const DRAWS: u64 = 500;
        let mut rng = Rng::new(m + n);
        let mut cells: Vec<(u64, u64)> = pooled.iter().map(|&count| (count, 0)).collect();
        let named = (0..DRAWS).filter(|_| {
            redraw(&mut cells, m, n, &mut rng);
            let (a, b): (Vec<u64>, Vec<u64>) = cells.iter().copied().unzip();
            !moved(&a, &b, 0.0, 0.05).unwrap().is_empty()
        });
        named.count() as f64 / DRAWS as f64
    }

    #[test]
    fn unchanged_cells_are_named_in_at_most_alpha() {
        let zipf = |rows: u64| -> Vec<u64> {
            let total: f64 = (1..=300).map(|rank| 1.0 / f64::from(rank)).sum();
            let mut pooled: Vec<u64> =
                (1..=300).map(|rank| (rows as f64 / total / f64::from(rank)) as u64).collect();
            pooled[0] += rows - pooled.iter().sum::<u64>();
            pooled
        };
        for (m, n) in [(5000, 50), (50, 5000), (200, 200), (5000, 5000)] {
            let mut even = vec![(m + n) / 300; 300];
            even[0] += (m + n) % 300;
            for (name, pooled) in [("even", even), ("zipf", zipf(m + n))] {
                let share = false_names(&pooled, m, n);
                println!("300 {name}, {m} against {n}: {share}");
                // Three standard errors.
                assert!(share <= 0.05 + 3.0 * (0.05f64 * 0.95 / 500.0).sqrt(), "{name}, {m}, {n}: {share}");
            }
        }
    }
}
