//! Whether a set of rows that moved is back.
use crate::e_detector::watch::{Discount, Shape, Side, Watch};
use crate::e_detector::{Band, Evidence};
use serde::{Deserialize, Serialize};

/// Evidence that the share of a set has come back: that it is no longer beyond a bound, at half of the change.
///
/// While the share stays beyond the bound it passes [`Closing::ENOUGH`] at most once in so many windows on average.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Closing {
    band: Band,
    discount: Discount,
    evidence: Evidence,
}

impl Closing {
    /// The evidence with which a set is taken to be back.
    pub const ENOUGH: f64 = 1000.0;

    /// For a set whose share moved beyond `bound`, above or below of it.
    pub fn new(side: Side, bound: f64, discount: Discount) -> Self {
        let band = match side {
            Side::Above => Band { lower: bound, upper: 1.0 },
            Side::Below => Band { lower: 0.0, upper: bound },
        };
        Self { band, discount, evidence: Evidence::new(&Shape::of(&[&[band]])) }
    }

    /// Adds a window with `count` of `rows` rows in the set, and returns the evidence.
    pub fn update(&mut self, count: u64, rows: u64) -> f64 {
        let Ok(watch) = Watch::try_new(&[self.band], &[self.discount]) else { return 0.0 };
        self.evidence.update(&watch, &[count], rows, 0).fast
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    /// Windows of 500 rows, of a set of half the rows that had gained 5 %: the mean rows until it is taken to be back.
    fn windows_until_back(share: f64, runs: u64, most: u64) -> (f64, u64) {
        let (mut rows, mut closed) = (0, 0);
        for run in 0..runs {
            let mut rng = Rng::new(run);
            let mut closing = Closing::new(Side::Above, 0.525, Discount::NONE);
            let back = (1..=most).find(|_| {
                let count = (0..500).filter(|_| rng.next_f64() < share).count() as u64;
                closing.update(count, 500) >= Closing::ENOUGH
            });
            closed += u64::from(back.is_some());
            rows += 500 * back.unwrap_or(most);
        }
        (rows as f64 / runs as f64, closed)
    }

    #[test]
    fn what_is_back_is_soon_taken_to_be() {
        let (rows, closed) = windows_until_back(0.5, 100, 200);
        assert!(rows <= 7_000.0 && closed == 100, "{rows} rows");
    }

    #[test]
    fn what_stays_is_not_taken_to_be_back() {
        assert_eq!(windows_until_back(0.55, 60, 2_000).1, 0);
    }
}
