//! Two rows of counts over the same cells, checked once, used by every statistic of counts.
use crate::ArgumentError;

/// A 2 x B table of counts without the cells that are empty on both sides.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    /// Reference count and current count of each cell, at least one of them positive.
    pub cells: Vec<(u64, u64)>,
    /// Rows of the reference, at least 1.
    pub m: u64,
    /// Rows of the current data, at least 1.
    pub n: u64,
}

impl Table {
    /// Checks the two sides and adds them up.
    pub fn try_new(reference: &[u64], current: &[u64]) -> Result<Self, ArgumentError> {
        if reference.len() != current.len() {
            return Err(ArgumentError(format!(
                "reference has {} cells and current {}: both must count the same cells",
                reference.len(),
                current.len()
            )));
        }
        let total = |name: &str, counts: &[u64]| {
            let sum = counts.iter().try_fold(0u64, |sum, &c| sum.checked_add(c));
            // With both totals below 2^62 every product of counts and totals fits i128.
            match sum.filter(|&sum| sum < 1 << 62) {
                Some(0) => {
                    Err(ArgumentError(format!("{name} has no rows: at least one count must be positive")))
                }
                Some(sum) => Ok(sum),
                None => Err(ArgumentError(format!(
                    "{name} has 2^62 rows or more: that is beyond what is counted"
                ))),
            }
        };
        let (m, n) = (total("reference", reference)?, total("current", current)?);
        let cells = reference.iter().copied().zip(current.iter().copied()).filter(|&(a, b)| a + b > 0);
        Ok(Self { cells: cells.collect(), m, n })
    }

    /// Rows on both sides.
    pub fn rows(&self) -> u64 {
        self.m + self.n
    }

    /// Whether the chi-square distribution cannot be trusted: some cell is expected to hold fewer than
    /// five rows on the smaller side (Cochran 1954; STATISTICS: plain chi-square has real size .09 to .27
    /// there).
    pub fn has_small_expected_count(&self) -> bool {
        let smaller = u128::from(self.m.min(self.n));
        let limit = 5 * u128::from(self.rows());
        self.cells.iter().any(|&(a, b)| u128::from(a + b) * smaller < limit)
    }
}

/// Pearson's chi-square of a cell with `a` of `m` reference rows and `b` of `n` current rows; summed over
/// the cells this is the statistic of the table.
pub(crate) fn chi_square_term(a: u64, b: u64, m: u64, n: u64) -> f64 {
    // Equal shares give equal products, rounded or not, so exactly 0. Wide integers would cost a permutation
    // test half of its time.
    let difference = b as f64 * m as f64 - a as f64 * n as f64;
    difference * (difference / (m as f64 * n as f64 * (a + b) as f64))
}
