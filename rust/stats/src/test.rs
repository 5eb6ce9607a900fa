//! From a distance to a p-value: how surprising it would be if nothing, or no more than a tolerance, had
//! changed.
//!
//! Numbers: [`ks_test`] on cells in their order. Categories: [`category_test`], and with a tolerance
//! [`category_relevant_p_value`]. [`moved_cells`] names the cells behind a change.
//!
//! `n` is the number of current rows and `m` that of the reference, everywhere.
use crate::ArgumentError;

mod category;
mod farrington_manning;
mod ks;
mod ks_bridge;
mod ks_exact;
mod moved;
mod ordered;
mod relevant;

pub use category::{CategoryTest, MAX_PERMUTATIONS, MIN_PERMUTATIONS, category_test};
pub use ks::{KsTest, ks_p_value, ks_relevant_p_value, ks_test};
pub use moved::{MovedCell, moved_cells};
pub use ordered::{
    cramer_von_mises_null, cramer_von_mises_p_value, energy_null, kuiper_null, kuiper_p_value,
    wasserstein_null, wasserstein_null_95,
};
pub use relevant::{category_relevant_p_value, largest_cell_p_value};

pub use crate::resample::Null;

/// How a p-value was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Every way to tell current rows from those of the reference is counted.
    Exact,
    /// The distribution that many rows tend to.
    Asymptotic,
    /// Permutations are drawn, because some cell is expected to hold fewer than five rows.
    Permutation,
}

/// A number of rows that is not zero.
pub(crate) fn rows(name: &str, count: u64) -> Result<f64, ArgumentError> {
    if count == 0 {
        return Err(ArgumentError(format!("{name} is 0: a side without rows cannot be compared")));
    }
    Ok(count as f64)
}
