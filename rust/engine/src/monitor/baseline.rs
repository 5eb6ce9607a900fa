//! What the rows of a series were like: exact counts, by bucket of the season, and how its windows varied.
use super::watched::Watched;
use crate::{Error, Result};
use driftline_stats::ArgumentError;
use driftline_stats::e_detector::{Band, Discount, Dispersion};
use serde::{Deserialize, Serialize};

/// Windows that show how days vary: with fewer, nothing is promised.
pub(super) const WINDOWS_TO_CALIBRATE: usize = 30;

/// Rows of a reference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Baseline {
    /// Rows in each cell, by bucket.
    buckets: Vec<Vec<u64>>,
    /// How windows vary.
    dispersion: Dispersion,
    /// How far shares may be off, because counts were estimated.
    error: f64,
}

impl Baseline {
    /// Of no rows yet.
    pub fn new(watched: &Watched, buckets: usize) -> Self {
        Self {
            buckets: vec![vec![0; watched.cells()]; buckets],
            dispersion: Dispersion::new(watched.sets(), buckets),
            error: 0.0,
        }
    }

    /// Adds the rows of a window.
    ///
    /// # Errors
    /// The counts are of another column.
    pub fn add_window(&mut self, watched: &Watched, cells: &[u64], bucket: usize) -> Result<()> {
        self.add(cells, bucket);
        let mut sets = vec![];
        watched.set_counts(cells, &mut sets);
        self.dispersion.update(&sets, cells.iter().sum(), bucket).map_err(wrong)
    }

    /// Adds rows that came late to a window: they say nothing of how windows vary.
    pub fn add_late(&mut self, cells: &[u64], bucket: usize) {
        self.add(cells, bucket);
    }

    /// Adds rows that say nothing of windows, for every season; their shares may be off by `error`.
    pub fn add_rows(&mut self, cells: &[u64], error: f64) {
        (0..self.buckets.len()).for_each(|bucket| self.add(cells, bucket));
        self.error = self.error.max(error);
    }

    fn add(&mut self, cells: &[u64], bucket: usize) {
        self.buckets[bucket].iter_mut().zip(cells).for_each(|(sum, count)| *sum += count);
    }

    /// Adds what came later.
    pub fn merge(&mut self, later: &Self) {
        for (bucket, cells) in later.buckets.iter().enumerate() {
            self.add(cells, bucket);
        }
        self.dispersion.merge(&later.dispersion);
        self.error = self.error.max(later.error);
    }

    /// How many buckets there are.
    pub fn buckets(&self) -> usize {
        self.buckets.len()
    }

    /// Rows in each cell, in a bucket.
    pub fn cells(&self, bucket: usize) -> &[u64] {
        &self.buckets[bucket]
    }

    /// Rows of a bucket.
    pub fn rows(&self, bucket: usize) -> u64 {
        self.buckets[bucket].iter().sum()
    }

    /// Rows of all buckets.
    pub fn all_rows(&self) -> u64 {
        (0..self.buckets.len()).map(|bucket| self.rows(bucket)).sum()
    }

    /// How its windows vary.
    pub fn dispersion(&self) -> &Dispersion {
        &self.dispersion
    }

    /// What each set's share may be while nothing moves, by bucket, each side of each wrong with a chance of `level` over
    /// the buckets. A bucket without rows allows anything.
    ///
    /// # Errors
    /// The level or the tolerance is out of range.
    pub fn bands(
        &self,
        watched: &Watched,
        discounts: &[Discount],
        level: f64,
        tolerance: f64,
    ) -> Result<Vec<Vec<Band>>> {
        let level = level / self.buckets.len() as f64;
        let tolerance = (tolerance + self.error).min(1.0);
        let mut sets = vec![];
        let of_bucket = |cells: &Vec<u64>| {
            let rows: u64 = cells.iter().sum();
            watched.set_counts(cells, &mut sets);
            let bands = sets.iter().zip(discounts).map(|(&count, discount)| match rows {
                0 => Ok(Band { lower: 0.0, upper: 1.0 }),
                _ => Band::try_new(count, rows, discount.rows, level, tolerance),
            });
            bands.collect::<Result<Vec<_>, _>>().map_err(wrong)
        };
        self.buckets.iter().map(of_bucket).collect()
    }
}

pub(super) fn wrong(error: ArgumentError) -> Error {
    Error::Argument(error.to_string())
}
