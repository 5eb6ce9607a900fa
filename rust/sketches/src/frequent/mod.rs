//! Frequent items: which values come up most, with bounds on how often.
//!
//! A Misra-Gries summary, readable as an Apache DataSketches `frequent_items` image. Counts are
//! exact until there are more distinct items than three quarters of `2^lg_max`; then a *purge*
//! subtracts one amount from every count, drops what has nothing left, and adds the amount to the
//! error. A count is never above the truth and never below it by more than the error.
//!
//! - `item`: what can be counted
//! - `index`, `table`: a hash table of items and weights that purges fast
//! - `sketch`: the summary
//! - `image`: bytes
//! - `counter`: groups the values of a batch, so that sketches see each distinct value once

mod counter;
mod image;
mod index;
mod item;
mod sketch;
mod table;

pub use counter::ValueCounter;
pub use item::Item;
pub use sketch::{FrequentItems, Row};
