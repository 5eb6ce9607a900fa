//! How far two samples lie apart: the statistics and effect sizes, without a judgement.
//!
//! Counts of cells without an order have the [`total_variation`] and [`chi_square`] here, and their
//! divergences in [`crate::divergence`]. Samples of numbers are compared by their distribution functions:
//! F is that of the reference, G that of the current rows, `d = G - F`.
//!
//! | distance | formula | for |
//! |---|---|---|
//! | [`ks_statistic`] | `max abs(d)` | rows that moved past one value |
//! | [`kuiper`] | `max d - min d` | hours, angles: the same wherever the circle is cut |
//! | [`wasserstein`] | `integral abs(d) dx` | how far rows moved, in the unit of the values |
//! | [`energy`] | `sqrt(2 integral d^2 dx)` | the same, weighted towards one large move |
//! | [`cramer_von_mises`] | `nm / (n + m) integral d^2 dH`, H pooled | many rows that moved a little |

mod counts;
mod ordered;
mod sample;

pub use counts::{ChiSquare, chi_square, total_variation};
pub use ordered::{Bounded, KsStatistic, cramer_von_mises, energy, ks_statistic, kuiper, wasserstein};
pub use sample::{OrderedCounts, WeightedSample};

pub(crate) use ordered::Cuts;
pub(crate) use sample::{Step, steps};
