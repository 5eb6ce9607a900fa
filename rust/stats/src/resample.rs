//! What a statistic of a table is when nothing has changed: its values for the same pooled counts, split
//! anew between the sides.
//!
//! Exact at any counts and with any ties, because given the pooled counts every split of the rows is as
//! likely as any other.
use crate::ArgumentError;
use crate::permutation::Draws;
use crate::table::Table;
use crate::test::{MAX_PERMUTATIONS, MIN_PERMUTATIONS};

/// A statistic where nothing has changed, larger values lying further out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Null {
    /// Its mean.
    pub mean: f64,
    /// The value that it exceeds in 5 % of cases.
    pub null_95: f64,
    /// The share of cases in which it is at least as large as the one observed.
    pub p_value: f64,
}

/// The null of `statistic`, from as many redrawn tables as `permutations`, seeded by the table itself.
///
/// The observed table counts as one of them, so the p-value is at least `1 / (permutations + 1)` (Phipson
/// and Smyth 2010).
pub(crate) fn redrawn_null(
    table: &Table,
    permutations: usize,
    statistic: impl Fn(&[(u64, u64)]) -> f64,
) -> Null {
    // Sums in another order differ in the last digits though the tables are equally far out.
    const ROUNDING: f64 = 1e-12;
    let mut draws = Draws::new(table);
    let observed = statistic(&table.cells);
    let mut values = vec![observed];
    values.extend((0..permutations).map(|_| statistic(&draws.next().cells)));
    let tables = values.len();
    let as_large = values.iter().filter(|&&value| value >= observed * (1.0 - ROUNDING)).count();
    let mean = values.iter().sum::<f64>() / tables as f64;
    // At most a twentieth lies above.
    let rank = tables - 1 - tables / 20;
    let (_, &mut null_95, _) = values.select_nth_unstable_by(rank, f64::total_cmp);
    Null { mean, null_95, p_value: as_large as f64 / tables as f64 }
}

/// Refuses a number of permutations whose p-value means nothing or whose cost nobody wants.
pub(crate) fn checked(name: &str, permutations: usize) -> Result<usize, ArgumentError> {
    if (MIN_PERMUTATIONS..=MAX_PERMUTATIONS).contains(&permutations) {
        Ok(permutations)
    } else {
        Err(ArgumentError(format!(
            "{name} is {permutations}: it must be {MIN_PERMUTATIONS} to {MAX_PERMUTATIONS}"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fisher's exact test of [[3, 1], [1, 3]], one-sided: (16 + 1) / 70; the cell's excess is 0, 1, 2, 3 or 4 with
    /// weights 1, 16, 36, 16, 1 of 70.
    #[test]
    fn a_table_of_two_cells_equals_the_exact_test() {
        let table = Table::try_new(&[3, 1], &[1, 3]).unwrap();
        let null = redrawn_null(&table, 100_000, |cells| cells[0].0 as f64);
        // Five standard errors of a share and of a mean of 100,000 draws.
        assert!((null.p_value - 17.0 / 70.0).abs() < 0.007, "{null:?}");
        assert!((null.mean - 2.0).abs() < 0.012, "{null:?}");
        // P(4) = 1/70 is below a twentieth, P(3 or 4) above.
        assert_eq!(null.null_95, 3.0);
    }

    #[test]
    fn the_null_repeats_and_the_smallest_p_value_counts_the_observed_table() {
        let table = Table::try_new(&[500, 0], &[0, 500]).unwrap();
        let chi = |cells: &[(u64, u64)]| (cells[0].0 as f64 - 250.0).powi(2);
        let null = redrawn_null(&table, 999, chi);
        assert_eq!(null.p_value, 0.001);
        assert_eq!(null, redrawn_null(&table, 999, chi));
    }

    #[test]
    fn errors_say_what_and_where() {
        assert_eq!(
            checked("permutations", 10).unwrap_err().to_string(),
            "permutations is 10: it must be 999 to 10000000"
        );
    }
}
