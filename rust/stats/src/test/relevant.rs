//! Has a share changed by more than a tolerance?
use super::farrington_manning::{Pair, Share};
use crate::ArgumentError;
use crate::error::strictly_within;
use crate::hypergeometric::redraw;
use crate::null::{normal_quantile, normal_sf};
use crate::rng::{Rng, seed_of};
use crate::table::Table;

/// p-value of "the total variation is at most `tolerance`": no set of categories gained more of the rows.
///
/// `p = 2 min(p_cell, p_set)`. The first, [`largest_cell_p_value`], finds a change into or out of single
/// categories. The second finds one of several categories: the rows of both sides are halved at random, the
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
    tolerance: f64,
) -> Result<f64, ArgumentError> {
    strictly_within("tolerance", tolerance, 0.0, 1.0)?;
    let table = Table::try_new(reference, current)?;
    let cell = largest_cell(&table, tolerance);
    Ok((2.0 * cell.min(gaining_set(&table, tolerance))).min(1.0))
}

/// p-value of "no cell gained or lost more than `margin` of the rows".
///
/// `p = B min over cells of Q(z(margin)) + Q(z(-margin))`, at most 1, where `z(x) = (|d| - x) / sd(x)` is the
/// Farrington-Manning score of the cell's difference of shares `d`, its variance taken at the most likely
/// shares that differ by `x`; the second part is the chance of a surprise on the other side.
///
/// Source: Farrington and Manning (1990), Statistics in Medicine 9.
///
/// # Errors
/// The sides have different lengths, one has no rows or 2^62 or more, or the margin does not lie between 0
/// and 1 (for 0 there is [`category_test`](super::category_test)).
pub fn largest_cell_p_value(reference: &[u64], current: &[u64], margin: f64) -> Result<f64, ArgumentError> {
    strictly_within("margin", margin, 0.0, 1.0)?;
    Ok(largest_cell(&Table::try_new(reference, current)?, margin))
}

fn largest_cell(table: &Table, margin: f64) -> f64 {
    let (m, n) = (table.m as f64, table.n as f64);
    let pair = |&(a, b): &(u64, u64)| {
        Pair::sorted(Share { share: b as f64 / n, rows: n }, Share { share: a as f64 / m, rows: m })
    };
    // The p-value of a cell within the margin is above 1/2.
    let beyond = || table.cells.iter().map(pair).filter(|pair| pair.difference() > margin);
    // The observed variance, which is quick, tells well enough which cell to ask first.
    let rough = |pair: &Pair| {
        let variance = |side: Share| side.share * (1.0 - side.share) / side.rows;
        (pair.difference() - margin).powi(2) / (variance(pair.high) + variance(pair.low))
    };
    let Some(first) = beyond().max_by(|x, y| rough(x).total_cmp(&rough(y))) else {
        return 1.0;
    };
    let mut smallest = first.p_value(margin);
    let mut bar = score_of(smallest);
    for pair in beyond() {
        if pair.score_upper_bound(margin) <= bar {
            continue;
        }
        let p = pair.p_value(margin);
        if p < smallest {
            smallest = p;
            bar = score_of(smallest);
        }
    }
    (smallest * table.cells.len() as f64).min(1.0)
}

/// A little less than the score below which no cell has a p-value as small as `p`.
fn score_of(p: f64) -> f64 {
    -normal_quantile(p) - 1e-6
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
        let (m, n) = (rows[tested_on].0 as f64, rows[tested_on].1 as f64);
        let pair = Pair {
            high: Share { share: b as f64 / n, rows: n },
            low: Share { share: a as f64 / m, rows: m },
        };
        if pair.difference() > margin { normal_sf(pair.score(margin)) } else { 1.0 }
    };
    (2.0 * p(0, 1).min(p(1, 0))).min(1.0)
}
