//! Alarms over time that keep a promise: at most so many false ones, on average, however often one looks.
//!
//! A series is watched through the share of its rows in many sets: everything up to a cut point, single bins,
//! single categories, missing rows. [`band`] says between which shares a set lies if no more than the tolerance
//! moved, the reference's own chance included. [`watch`] lays bets against that: each component is one set, one
//! side and one size of the gap beyond the band. [`evidence`] adds up what the bets win, window by window: an
//! e-detector, which passes a threshold `A` less than once in `A` windows on average while nothing moves.
//! [`closing`] tells when what moved is back, and [`dispersion`] measures by how much windows vary more than independent rows would let them.
//!
//! Sources: Shin, Ramdas and Rinaldo (2024), E-detectors, New England Journal of Statistics in Data Science 2;
//! Brown, Durbin and Evans (1975), Journal of the Royal Statistical Society B 37; Clopper and Pearson (1934),
//! Biometrika 26; Rao and Scott (1981), Journal of the American Statistical Association 76.

pub mod band;
mod blocks;
pub mod closing;
pub mod dispersion;
pub mod evidence;
mod powers;
pub mod watch;

pub use band::Band;
pub use closing::Closing;
pub use dispersion::Dispersion;
pub use evidence::{Evidence, Largest, Reading};
pub use watch::{Discount, Shape, Side, Watch};
