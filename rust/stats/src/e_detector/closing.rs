//! Whether a set of rows that moved is back.
use crate::e_detector::watch::{Discount, Shape, Side, Watch};
use crate::e_detector::{Band, Evidence};
use serde::{Deserialize, Serialize};

/// Evidence that the share of a set has come back: that it is no longer as far beyond its band as half of the change.
///
/// While the share stays there it passes [`Closing::ENOUGH`] at most once in so many windows on average.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Closing {
    side: Side,
    beyond: f64,
    discount: Discount,
    evidence: Evidence,
}

impl Closing {
    /// The evidence with which a set is taken to be back.
    pub const ENOUGH: f64 = 1000.0;

    /// For a set whose share moved; `beyond` is half of how far it went beyond its band.
    pub fn new(side: Side, beyond: f64, discount: Discount) -> Self {
        Self { side, beyond, discount, evidence: Evidence::new(&Self::shape(side)) }
    }

    /// Adds a window with `count` of `rows` rows in the set, whose band in this season is given, and returns the evidence.
    pub fn update(&mut self, band: &Band, count: u64, rows: u64) -> f64 {
        let limit = match self.side {
            Side::Above => Band { lower: (band.upper + self.beyond).min(1.0), upper: 1.0 },
            Side::Below => Band { lower: 0.0, upper: (band.lower - self.beyond).max(0.0) },
        };
        let watch = Watch::try_with_shape(&Self::shape(self.side), &[limit], &[self.discount]);
        let Ok(watch) = watch else { return 0.0 };
        self.evidence.update(&watch, &[count], rows, 0).fast
    }

    /// All gaps on the side to which the share comes back.
    fn shape(side: Side) -> Shape {
        match side {
            Side::Above => Shape::of(&[&[Band { lower: 1.0, upper: 1.0 }]]),
            Side::Below => Shape::of(&[&[Band { lower: 0.0, upper: 0.0 }]]),
        }
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
            let band = Band { lower: 0.49, upper: 0.51 };
            let mut closing = Closing::new(Side::Above, 0.015, Discount::NONE);
            let back = (1..=most).find(|_| {
                let count = (0..500).filter(|_| rng.next_f64() < share).count() as u64;
                closing.update(&band, count, 500) >= Closing::ENOUGH
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
