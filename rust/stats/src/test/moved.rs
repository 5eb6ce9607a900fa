//! Which cells changed, once a change is found.
use crate::ArgumentError;
use crate::error::{strictly_within, within};
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

/// The cells whose share changed by more than `margin`, proved for all of them together at level `alpha`, the
/// clearest first.
///
/// A cell is named if its two-sided p-value is at most `alpha / B`, B the number of cells that are not empty
/// (Bonferroni): with probability `1 - alpha` no unchanged cell is named. The p-value is that of the
/// hypergeometric distribution of the cell, and normal where that has thousands of rows; z is its normal
/// equivalent. The order is that of `|z|`, because a share of a common cell may be off by more than all the
/// rows of a rare one that tripled. `margin` is the sum of the errors of both shares (0 for exact counts): it
/// is taken off on either side, and the larger p-value counts.
///
/// # Errors
/// The sides have different lengths, one has no rows or 2^62 or more, `margin` is not 0 to 1, or `alpha` does
/// not lie between 0 and 1.
pub fn moved_cells(
    reference: &[u64],
    current: &[u64],
    margin: f64,
    alpha: f64,
) -> Result<Vec<MovedCell>, ArgumentError> {
    within("margin", margin, 0.0, 1.0)?;
    strictly_within("alpha", alpha, 0.0, 1.0)?;
    let Table { cells, m, n } = Table::try_new(reference, current)?;
    let level = alpha / cells.len() as f64;
    let mut moved: Vec<MovedCell> = reference
        .iter()
        .zip(current)
        .enumerate()
        .filter_map(|(cell, (&a, &b))| {
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
    use proptest::{collection::vec, prelude::*};
}
