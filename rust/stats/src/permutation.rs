//! The permutation test of a 2 x B table: which rows are current is drawn anew, both margins kept.
//!
//! The current counts then follow the multivariate hypergeometric distribution of the pooled counts. The
//! test is exact at any expected count, where chi-square is not.
use crate::hypergeometric;
use crate::rng::{Rng, seed_of};
use crate::table::{Table, chi_square_term};

/// p-value of the smaller of two ranks, that of chi-square and that of the largest cell
/// ([`distances`]).
///
/// Each table, observed or drawn, gets the share of all tables that lie at least as far out by either
/// statistic, and keeps the smaller of both; p is the share of tables for which this is as small as for
/// the observed one. The observed table counts among `permutations + 1`, so p is never 0.
///
/// Sources: Westfall and Young (1993) for min-p; Phipson and Smyth (2010) for the count of the observed
/// table.
pub(crate) fn min_p_value(table: &Table, permutations: usize) -> f64 {
    let counts = table.cells.iter().flat_map(|&(a, b)| [a, b]);
    let mut rng = Rng::new(seed_of(counts));
    let mut drawn = table.clone();
    let mut chi_squares = Vec::with_capacity(permutations + 1);
    let mut largest = Vec::with_capacity(permutations + 1);
    for _ in 0..=permutations {
        // The first round is the observed table.
        let found = distances(&drawn);
        chi_squares.push(found.chi_square);
        largest.push(found.largest);
        redraw(&mut drawn, &mut rng);
    }
    let ranks = [tables_as_far_out(&chi_squares), tables_as_far_out(&largest)];
    let smaller: Vec<usize> = ranks[0].iter().zip(&ranks[1]).map(|(&x, &y)| x.min(y)).collect();
    let as_small = smaller.iter().filter(|&&rank| rank <= smaller[0]).count();
    as_small as f64 / smaller.len() as f64
}

/// Splits the pooled counts of every cell anew.
fn redraw(table: &mut Table, rng: &mut Rng) {
    let mut population = table.rows();
    // Rows of the smaller side that are still to be found.
    let current_is_smaller = table.n <= table.m;
    let mut sample = table.n.min(table.m);
    for cell in &mut table.cells {
        let pooled = cell.0 + cell.1;
        let drawn = hypergeometric::draw(rng, population, pooled, sample);
        *cell = if current_is_smaller { (pooled - drawn, drawn) } else { (drawn, pooled - drawn) };
        population -= pooled;
        sample -= drawn;
    }
}

/// How far a table lies from equal shares.
pub(crate) struct Distances {
    /// Pearson's chi-square.
    pub chi_square: f64,
    /// The likelihood ratio of the cell where it is largest.
    pub largest: f64,
    /// That cell.
    pub cell: usize,
}

/// Chi-square, and the cell that differs most from all others together.
///
/// The cell is found by the log-likelihood ratio of the 2 x 2 table "this cell or not". The standardised
/// difference would not do: at unequal sizes a cell with a single row on the small side has an enormous one,
/// and hides every other cell.
pub(crate) fn distances(table: &Table) -> Distances {
    let rows = table.rows() as f64;
    let (m, n) = (table.m as f64, table.n as f64);
    let part = |count: f64, expected: f64| if count > 0.0 { count * (count / expected).ln() } else { 0.0 };
    let mut found = Distances { chi_square: 0.0, largest: 0.0, cell: 0 };
    for (cell, &(a, b)) in table.cells.iter().enumerate() {
        let term = chi_square_term(a, b, table.m, table.n);
        found.chi_square += term;
        let (a, b) = (a as f64, b as f64);
        let (pooled, others) = (a + b, rows - a - b);
        // A log-likelihood ratio is at most the chi-square of its 2 x 2 table, because ln(1 + x) <= x: this
        // spares nearly all logarithms.
        if term * rows <= found.largest * others {
            continue;
        }
        let (share, others) = (pooled / rows, others / rows);
        let ratio =
            part(a, m * share) + part(b, n * share) + part(m - a, m * others) + part(n - b, n * others);
        if ratio > found.largest {
            found.largest = ratio;
            found.cell = cell;
        }
    }
    found
}

/// For each statistic, how many of them are at least as large.
fn tables_as_far_out(statistics: &[f64]) -> Vec<usize> {
    let mut sorted = statistics.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    statistics.iter().map(|x| sorted.len() - sorted.partition_point(|y| y < x)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redraws_keep_both_margins() {
        let mut table = Table::try_new(&[100, 3, 0, 40, 7], &[10, 0, 2, 300, 1]).unwrap();
        let pooled = |t: &Table| t.cells.iter().map(|&(a, b)| a + b).collect::<Vec<_>>();
        let before = pooled(&table);
        let mut rng = Rng::new(5);
        for _ in 0..100 {
            redraw(&mut table, &mut rng);
            assert_eq!(pooled(&table), before);
            assert_eq!(table.cells.iter().map(|c| c.0).sum::<u64>(), 150);
            assert_eq!(table.cells.iter().map(|c| c.1).sum::<u64>(), 313);
        }
    }

    /// All tables with the margins of a small one, with their exact probabilities: the permutation
    /// p-value estimates the exact one.
    #[test]
    fn equals_full_enumeration() {
        let (reference, current) = ([7, 1, 4], [1, 3, 5]);
        let table = Table::try_new(&reference, &current).unwrap();
        let pooled = [8u64, 4, 9];
        let choose = |n: u64, k: u64| (0..k).fold(1.0, |c, i| c * (n - i) as f64 / (i + 1) as f64);
        let mut all = vec![];
        for x in 0..=8u64 {
            for y in 0..=4u64 {
                let Some(z) = 9u64.checked_sub(x + y) else { continue };
                let split = Table::try_new(&[8 - x, 4 - y, 9 - z], &[x, y, z]).unwrap();
                let p = choose(pooled[0], x) * choose(pooled[1], y) * choose(pooled[2], z) / choose(21, 9);
                all.push((p, distances(&split).chi_square, distances(&split).largest));
            }
        }
        assert!((all.iter().map(|t| t.0).sum::<f64>() - 1.0).abs() < 1e-12);
        let min_p = |chi2: f64, cell: f64| {
            let beyond = |keep: &dyn Fn(&(f64, f64, f64)) -> bool| -> f64 {
                all.iter().filter(|t| keep(t)).map(|t| t.0).sum()
            };
            beyond(&|t| t.1 >= chi2).min(beyond(&|t| t.2 >= cell))
        };
        let observed = min_p(distances(&table).chi_square, distances(&table).largest);
        let exact: f64 = all.iter().filter(|t| min_p(t.1, t.2) <= observed + 1e-12).map(|t| t.0).sum();
        let estimate = min_p_value(&table, 100_000);
        // Five standard errors of a share of 100,000 draws.
        assert!((estimate - exact).abs() < 5.0 * (exact * (1.0 - exact) / 1e5).sqrt(), "{estimate} {exact}");
    }

    #[test]
    fn a_large_change_gets_the_smallest_p_value_there_is() {
        let table = Table::try_new(&[500, 1, 500], &[20, 30, 20]).unwrap();
        assert_eq!(min_p_value(&table, 999), 0.001);
    }
}
