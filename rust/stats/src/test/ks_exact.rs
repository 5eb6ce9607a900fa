//! The permutation distribution of the Kolmogorov-Smirnov statistic with tie blocks, without drawing.
//!
//! Given the pooled counts, every choice of which rows are current is equally likely. Walking over the pooled
//! rows in order, `j` of the first `i` are current; the statistic reaches a threshold if at the *end of a
//! cell* the point `(i, j)` lies outside of a band around the diagonal. Inside of a cell the path may go
//! where it likes: ties make no distance.
//!
//! The chance `u(i, j)` to leave the band later is computed from the last cell back to the first. Only
//! probabilities are added and multiplied, so nothing overflows and small p-values keep their digits, as
//! they would not as 1 less the chance to stay inside.
//!
//! Sources: Hodges (1958) for the paths, Schröer and Trenkler (1995) for ties.
use crate::binomial;
use crate::table::Table;

/// The time of a term of a convolution, in lattice steps: two multiplications instead of one.
const TERM_STEPS: f64 = 2.0;

/// The points from which the band can still be left, at the end of one cell.
struct Window {
    /// Pooled rows of the cell.
    pooled: u64,
    /// Pooled rows behind the cell.
    left: u64,
    /// The fewest current rows up to here that are inside of the band.
    low: u64,
    /// The most.
    high: u64,
}

/// Lattice steps to take a cell of `pooled` rows, before `left` others, into which `width` points lead: row by
/// row, or as a whole. `n` is the number of rows of the smaller side.
fn steps(pooled: u64, left: u64, width: u64, n: u64) -> [f64; 2] {
    let terms = pooled.min(left.saturating_add(width)).min(n) as f64 + 1.0;
    let (pooled, width) = (pooled as f64, width as f64);
    [pooled * (width + pooled / 2.0).min(n as f64 + 1.0), TERM_STEPS * (width + 1.0) * terms]
}

/// The chance that `max |b m - a n|` over cell ends, `a` and `b` the cumulative counts of both sides, is
/// `threshold` or more. None if that takes more than `limit` lattice steps.
pub(super) fn p_value(table: &Table, threshold: i128, limit: f64) -> Option<f64> {
    if threshold <= 0 {
        return Some(1.0);
    }
    let (n, rows) = (table.n.min(table.m), table.rows());
    // From low to high current rows are inside of the band after so many rows; None if no number is.
    let band = |position: u64| {
        let (diagonal, rows) = (i128::from(position) * i128::from(n), i128::from(rows));
        let low = (diagonal - threshold).div_euclid(rows) + 1;
        let high = (diagonal + threshold - 1).div_euclid(rows);
        let (fewest, most) = ((position + n).saturating_sub(table.rows()), n.min(position));
        let (low, high) = (low.max(i128::from(fewest)), high.min(i128::from(most)));
        (low <= high).then_some((low as u64, high as u64))
    };
    if limit.is_finite() {
        let (mut position, mut width, mut work) = (0, 1, 0.0);
        for &(a, b) in &table.cells {
            position += a + b;
            let [by_row, whole] = steps(a + b, rows - position, width, n);
            work += by_row.min(whole);
            if work > limit {
                return None;
            }
            width = band(position).map_or(0, |(low, high)| high - low + 1);
        }
    }
    // Behind the last cell both sides are complete: nothing can happen any more.
    let mut escape = vec![0.0];
    let mut end = (n, n);
    let mut left = 0;
    for &(a, b) in table.cells.iter().rev() {
        let pooled = a + b;
        // Where no arrangement of the rows comes close enough to the diagonal, all of them leave the band.
        let Some(start) = band(rows - left - pooled) else { return Some(1.0) };
        let cell = Window { pooled, left, low: end.0, high: end.1 };
        let [by_row, whole] = steps(pooled, left, start.1 - start.0 + 1, n);
        let before = if by_row <= whole { row_by_row } else { as_a_whole };
        escape = before(&cell, n, start, &escape);
        left += pooled;
        end = start;
    }
    Some(escape[0])
}

/// The chances at the start of a cell, from `low..=high` current rows, from those at its end: row by row.
fn row_by_row(cell: &Window, n: u64, (low, high): (u64, u64), escape: &[f64]) -> Vec<f64> {
    let end = (high + cell.pooled).min(n);
    let mut chance = vec![1.0; (end - low + 1) as usize];
    let (from, to) = (cell.low.max(low), cell.high.min(end));
    if from <= to {
        let inside = &escape[(from - cell.low) as usize..=(to - cell.low) as usize];
        chance[(from - low) as usize..=(to - low) as usize].copy_from_slice(inside);
    }
    for step in 1..=cell.pooled {
        // One of `left` rows is taken; of them n - j are current. With none left j stays as it is.
        let left = cell.left + step;
        let from = low.max(n.saturating_sub(left));
        let to = (high + cell.pooled - step).min(n - 1);
        if from > to {
            continue;
        }
        let chance = &mut chance[(from - low) as usize..=(to + 1 - low) as usize];
        let (missing, all) = ((n - from) as f64, left as f64);
        let share = 1.0 / all;
        for k in 0..chance.len() - 1 {
            let current = missing - k as f64;
            chance[k] = ((all - current) * chance[k] + current * chance[k + 1]) * share;
        }
    }
    chance.truncate((high - low + 1) as usize);
    chance
}

/// As [`row_by_row`], with the hypergeometric distribution of the current rows in the whole cell.
///
/// `C(h, k) C(l, g - k)` ways lead from `g` missing current rows to `g - k`, over a cell of h rows and with l
/// behind it: a convolution, once with the chances and once without.
fn as_a_whole(cell: &Window, n: u64, (low, high): (u64, u64), escape: &[f64]) -> Vec<f64> {
    // Smaller weights would soon be subnormal, and slow.
    const SMALLEST: f64 = 1e-290;
    // Any odds give the same quotient; these keep the large weights of both factors together.
    let missing = (n - low) as f64 - (high - low) as f64 / 2.0;
    let rows = (cell.left + cell.pooled) as f64;
    let odds = (missing + 0.5) / (rows - missing + 0.5);
    // No more current rows may be missing behind the cell than it has rows behind it.
    let range = (n - high).saturating_sub(cell.left)..=n - low;
    let (first, drawn) = binomial::weights(cell.pooled, odds, range, SMALLEST);
    let reached =
        |j: u64| if (cell.low..=cell.high).contains(&j) { escape[(j - cell.low) as usize] } else { 1.0 };
    let width = (high - low + 1) as usize;
    // What is still missing at the end, from the most to the fewest.
    let end = high + first + drawn.len() as u64 - 1;
    let range = n.saturating_sub(end)..=n - low - first;
    let (fewest, later) = binomial::weights(cell.left, odds, range, SMALLEST);
    let mut ways = vec![0.0; width + drawn.len() - 1];
    let mut escaping = ways.clone();
    for (at, j) in (low + first..=end.min(n - fewest)).enumerate() {
        let Some(&weight) = later.get((n - j - fewest) as usize) else { continue };
        ways[at] = weight;
        escaping[at] = weight * reached(j);
    }
    let (mut all, mut out) = (vec![0.0; width], vec![0.0; width]);
    for (k, &weight) in drawn.iter().enumerate() {
        let terms = ways[k..].iter().zip(&escaping[k..]);
        for ((all, out), (ways, escaping)) in all.iter_mut().zip(&mut out).zip(terms) {
            *all += weight * ways;
            *out += weight * escaping;
        }
    }
    // A point that no way leads through is as good as outside.
    out.iter().zip(all).map(|(out, all)| if all > 0.0 { out / all } else { 1.0 }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*};

    fn threshold(table: &Table) -> i128 {
        let (mut a, mut b, mut largest) = (0, 0, 0);
        for cell in &table.cells {
            a += i128::from(cell.0);
            b += i128::from(cell.1);
            largest = largest.max((b * i128::from(table.m) - a * i128::from(table.n)).abs());
        }
        largest
    }

    /// By all tables with the margins of `table` and their probabilities.
    fn enumerate(table: &Table) -> f64 {
        let choose = |n: u64, k: u64| (0..k).fold(1.0, |c, i| c * (n - i) as f64 / (i + 1) as f64);
        fn splits(
            table: &Table,
            cell: usize,
            left: u64,
            split: &mut Vec<u64>,
            found: &mut dyn FnMut(&[u64]),
        ) {
            if cell == table.cells.len() {
                if left == 0 {
                    found(split);
                }
                return;
            }
            let pooled = table.cells[cell].0 + table.cells[cell].1;
            for b in 0..=pooled.min(left) {
                split.push(b);
                splits(table, cell + 1, left - b, split, found);
                split.pop();
            }
        }
        let observed = threshold(table);
        let mut p = 0.0;
        splits(table, 0, table.n, &mut vec![], &mut |split| {
            let mut other = table.clone();
            let mut weight = 1.0 / choose(table.rows(), table.n);
            for (cell, &b) in other.cells.iter_mut().zip(split) {
                let pooled = cell.0 + cell.1;
                weight *= choose(pooled, b);
                *cell = (pooled - b, b);
            }
            if threshold(&other) >= observed {
                p += weight;
            }
        });
        p
    }

    proptest! {
        #[test]
        fn equals_full_enumeration(cells in vec((0..6u64, 0..5u64), 2..6)) {
            let (a, b): (Vec<u64>, Vec<u64>) = cells.into_iter().unzip();
            prop_assume!(a.iter().any(|&x| x > 0) && b.iter().any(|&x| x > 0));
            let table = Table::try_new(&a, &b).unwrap();
            let p = p_value(&table, threshold(&table), f64::INFINITY).unwrap();
            let exact = enumerate(&table);
            prop_assert!((p / exact - 1.0).abs() < 1e-12, "{} {}", p, exact);
        }

        #[test]
        fn both_ways_to_take_a_cell_agree(
            pooled in 1..40u64, left in 0..60u64, n in 1..60u64, start in 0..60u64, width in 0..20u64,
            inside in (0..60u64, 0..20u64), chances in vec(0.0..1.0f64, 20)
        ) {
            prop_assume!(n <= pooled + left);
            let low = start.clamp(n.saturating_sub(pooled + left), n);
            let high = (low + width).min(n);
            let end = inside.0.clamp(n.saturating_sub(left), n);
            let cell = Window { pooled, left, low: end, high: (end + inside.1).min(n) };
            let chances = &chances[..(cell.high - cell.low + 1) as usize];
            let rows = row_by_row(&cell, n, (low, high), chances);
            let whole = as_a_whole(&cell, n, (low, high), chances);
            for (x, y) in rows.iter().zip(&whole) {
                prop_assert!((x - y).abs() < 1e-12, "{:?} {:?}", rows, whole);
            }
            prop_assert_eq!(rows.len(), whole.len());
        }
    }
}
