//! Drift statistics: pure functions of counts and distribution functions. No I/O.
//!
//! A comparison walks through the modules in this order: [`distance`] measures how far two samples
//! lie apart, [`mod@test`] turns that into a p-value with the help of the distributions in [`null`],
//! [`correct`] adjusts the p-values of many columns, and [`verdict`] says what may be concluded.
//!
//! Everywhere `m` is the number of rows of the reference and `n` that of the current data. Randomness
//! (permutations) is seeded from the data: equal input gives equal output.

pub mod correct;
pub mod distance;
pub mod divergence;
pub mod e_detector;
pub mod error;
pub mod moved_share;
pub mod null;
pub mod rng;
pub mod rows_to_decide;
pub mod test;
pub mod total_variation_bound;
pub mod verdict;

mod binomial;
mod hypergeometric;
mod permutation;
mod resample;
mod table;

pub use error::ArgumentError;
