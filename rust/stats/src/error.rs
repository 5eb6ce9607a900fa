//! What can go wrong: an argument from which no statistic can be computed.
use std::fmt;

/// An argument out of its domain; the sentence names it, its value and what it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArgumentError(pub String);

impl fmt::Display for ArgumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ArgumentError {}

/// Refuses margins that are not one a cell.
pub(crate) fn same_length(margins: &[f64], cells: &[u64]) -> Result<(), ArgumentError> {
    if margins.len() == cells.len() {
        return Ok(());
    }
    let (margins, cells) = (margins.len(), cells.len());
    Err(ArgumentError(format!("there are {margins} margins for {cells} cells: give one for each")))
}

/// Refuses a number outside `low..=high`; NaN lies outside of everything.
pub(crate) fn within(name: &str, x: f64, low: f64, high: f64) -> Result<f64, ArgumentError> {
    if x >= low && x <= high {
        Ok(x)
    } else {
        Err(ArgumentError(format!("{name} is {x}: it must be {low} to {high}")))
    }
}

/// Refuses a number outside `low..high`, both ends excluded.
pub(crate) fn strictly_within(name: &str, x: f64, low: f64, high: f64) -> Result<f64, ArgumentError> {
    if x > low && x < high {
        Ok(x)
    } else {
        Err(ArgumentError(format!("{name} is {x}: it must lie between {low} and {high}")))
    }
}
