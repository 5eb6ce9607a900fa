//! The permutation test of a 2 x B table: which rows are current is drawn anew, both margins kept.
//!
//! The current counts then follow the multivariate hypergeometric distribution of the pooled counts. The
//! test is exact at any expected count, where chi-square is not.
use crate::hypergeometric::redraw;
use crate::rng::{Rng, seed_of};
use crate::table::{Table, chi_square_term};

/// A statistic draws until this many draws are at least as far out as the observed table. The p-value then
/// has a relative standard error of `1 / sqrt(20)`, and a column in which nothing changed takes a few hundred
/// draws; the test is exact whatever the number.
const EXCEEDANCES: usize = 20;

/// `2 min` of the permutation p-values of chi-square and of the largest cell ([`distances`]).
///
/// Both count, over the same draws, how many are at least as far out as the observed table: g. A statistic that
/// reaches [`EXCEEDANCES`] at draw L stops with `p = g / L`; one that never does has `(g + 1) / (permutations
/// + 1)`. Either is a p-value in the strict sense.
///
/// Sources: Besag and Clifford (1991) for stopping; Phipson and Smyth (2010) for the count of the observed
/// table.
pub(crate) fn p_value(table: &Table, permutations: usize) -> f64 {
    p_value_by(Draws::new(table), table, permutations)
}

fn p_value_by(mut draws: Draws, table: &Table, permutations: usize) -> f64 {
    // Tables that are equally far out may differ by what the order of addition rounds: they count.
    const ROUNDING: f64 = 1.0 - 1e-12;
    let observed = distances(table);
    let bars = [observed.chi_square * ROUNDING, observed.largest * ROUNDING];
    let mut found = [0; 2];
    let mut p = [None; 2];
    for draw in 1..=permutations {
        let distances = distances(draws.next());
        for (k, distance) in [distances.chi_square, distances.largest].into_iter().enumerate() {
            if p[k].is_none() && distance >= bars[k] {
                found[k] += 1;
                if found[k] == EXCEEDANCES {
                    p[k] = Some(EXCEEDANCES as f64 / draw as f64);
                }
            }
        }
        if p[0].is_some() && p[1].is_some() {
            break;
        }
    }
    let p = [0, 1].map(|k| p[k].unwrap_or((found[k] + 1) as f64 / (permutations + 1) as f64));
    (2.0 * p[0].min(p[1])).min(1.0)
}

/// Tables with the margins of an observed one.
pub(crate) struct Draws {
    drawn: Table,
    rng: Rng,
    /// The cell of every row, those of the smaller side first; None if rows are drawn cell by cell.
    rows: Option<Vec<u32>>,
}

impl Draws {
    pub fn new(table: &Table) -> Self {
        // A cell takes 50 to 150 ns, a row 5: with up to this many rows a cell on the smaller side they are drawn
        // one by one. 300 cells at 5,000 rows against 50 then take 3 us, not 50.
        const ROWS_PER_CELL: u64 = 8;
        // Their cells take 4 MB at most.
        const MOST_ROWS: u64 = 1 << 20;
        let few = table.m.min(table.n) / ROWS_PER_CELL < table.cells.len() as u64;
        let rows = (few && table.rows() <= MOST_ROWS).then(|| {
            let cells = (0u32..).zip(&table.cells);
            cells.flat_map(|(cell, &(a, b))| std::iter::repeat_n(cell, (a + b) as usize)).collect()
        });
        let seed = seed_of(table.cells.iter().flat_map(|&(a, b)| [a, b]));
        Self { drawn: table.clone(), rng: Rng::new(seed), rows }
    }

    pub fn next(&mut self) -> &Table {
        let Table { cells, m, n } = &mut self.drawn;
        let Some(rows) = &mut self.rows else {
            redraw(cells, *m, *n, &mut self.rng);
            return &self.drawn;
        };
        let current_is_smaller = n <= m;
        for cell in cells.iter_mut() {
            let pooled = cell.0 + cell.1;
            *cell = if current_is_smaller { (pooled, 0) } else { (0, pooled) };
        }
        // The first rows of a shuffle of all; the order that is left from the last draw is as good as any.
        for i in 0..(*m).min(*n) as usize {
            let j = i + (self.rng.next_f64() * (rows.len() - i) as f64) as usize;
            rows.swap(i, j);
            let (a, b) = &mut cells[rows[i] as usize];
            let (from, to) = if current_is_smaller { (a, b) } else { (b, a) };
            *from -= 1;
            *to += 1;
        }
        &self.drawn
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

#[cfg(test)]
mod tests {
    use super::*;

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
        let found = distances(&table);
        let beyond = |keep: &dyn Fn(&(f64, f64, f64)) -> bool| -> f64 {
            all.iter().filter(|t| keep(t)).map(|t| t.0).sum()
        };
        let exact =
            2.0 * beyond(&|t| t.1 >= found.chi_square - 1e-9).min(beyond(&|t| t.2 >= found.largest - 1e-9));
        // Every order of the cells has its own draws.
        let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
        for by_row in [true, false] {
            let estimates = orders.map(|order| {
                let table = Table { cells: order.map(|i| table.cells[i]).to_vec(), ..table };
                let mut draws = Draws::new(&table);
                draws.rows = draws.rows.filter(|_| by_row);
                p_value_by(draws, &table, 100_000)
            });
            let mean = estimates.iter().sum::<f64>() / 6.0;
            // Four standard errors of the mean of six.
            let error = exact * 4.0 / (6.0 * EXCEEDANCES as f64).sqrt();
            assert!((mean - exact).abs() < error, "{by_row}: {estimates:?} {exact}");
        }
    }

    /// Both ways to draw give counts with the means and variances of the hypergeometric distribution.
    #[test]
    fn draws_have_the_moments_of_the_hypergeometric_distribution() {
        const DRAWS: usize = 20_000;
        for (reference, current) in [([40, 3, 0, 17], [10, 0, 2, 3]), ([10, 0, 2, 3], [40, 3, 0, 17])] {
            let table = Table::try_new(&reference, &current).unwrap();
            let (m, n, rows) = (table.m as f64, table.n as f64, table.rows() as f64);
            for by_row in [true, false] {
                let mut draws = Draws::new(&table);
                assert!(draws.rows.is_some());
                draws.rows = draws.rows.filter(|_| by_row);
                let mut sums = [(0.0, 0.0); 4];
                for _ in 0..DRAWS {
                    let drawn = draws.next();
                    assert_eq!(drawn.cells.iter().map(|cell| cell.1).sum::<u64>(), table.n);
                    for ((sum, cell), observed) in sums.iter_mut().zip(&drawn.cells).zip(&table.cells) {
                        assert_eq!(cell.0 + cell.1, observed.0 + observed.1);
                        sum.0 += cell.1 as f64;
                        sum.1 += (cell.1 * cell.1) as f64;
                    }
                }
                for ((sum, squares), &(a, b)) in sums.into_iter().zip(&table.cells) {
                    let share = (a + b) as f64 / rows;
                    let variance = n * share * (1.0 - share) * m / (rows - 1.0);
                    let mean = sum / DRAWS as f64;
                    let found = squares / DRAWS as f64 - mean * mean;
                    // Five standard errors of the mean, and of the variance where it is nearly normal.
                    assert!((mean - n * share).abs() < 5.0 * (variance / DRAWS as f64).sqrt(), "{mean}");
                    assert!((found / variance - 1.0).abs() < 0.06, "{found} {variance}");
                }
            }
        }
    }

    #[test]
    fn a_large_change_gets_the_smallest_p_value_there_is() {
        let table = Table::try_new(&[500, 1, 500], &[20, 30, 20]).unwrap();
        assert_eq!(p_value(&table, 999), 0.002);
    }
}
