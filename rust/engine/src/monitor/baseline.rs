//! What the rows of a series were like: exact counts, by bucket of the season, and how its windows varied.
use super::watched::{Estimated, Watched};
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
    /// Those among them by which it was chosen which values are watched by name, where there are any.
    chose: Vec<Vec<u64>>,
    /// Whether it is not known how many rows hold a value that is not watched by name.
    pools_unknown: bool,
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
            chose: vec![vec![]; buckets],
            pools_unknown: false,
            dispersion: Dispersion::new(watched.sets(), buckets),
            error: 0.0,
        }
    }

    /// Of no rows yet, of the windows that come after these.
    pub fn following(&self, watched: &Watched) -> Self {
        Self { dispersion: self.dispersion.following(), ..Self::new(watched, self.buckets.len()) }
    }

    /// Adds the rows of a window; `chose` tells whether values were picked by them that are watched by name.
    ///
    /// # Errors
    /// The counts are of another column.
    pub fn add_window(&mut self, watched: &Watched, cells: &[u64], bucket: usize, chose: bool) -> Result<()> {
        self.add(watched, cells, bucket, chose);
        // In these windows fewer rows hold a value without a name than in any other, and as if they varied.
        if chose && watched.has_more_values() {
            return Ok(());
        }
        let mut sets = vec![];
        watched.set_counts(cells, &mut sets);
        self.dispersion.update(&sets, cells.iter().sum(), bucket).map_err(wrong)
    }

    /// Adds rows that came late to a window: they say nothing of how windows vary.
    pub fn add_late(&mut self, watched: &Watched, cells: &[u64], bucket: usize, chose: bool) {
        self.add(watched, cells, bucket, chose);
    }

    /// Adds rows that say nothing of windows, for every season.
    pub fn add_rows(&mut self, watched: &Watched, cells: &[u64], chose: bool) {
        (0..self.buckets.len()).for_each(|bucket| self.add(watched, cells, bucket, chose));
    }

    /// Adds what a profile knows of its rows.
    pub fn add_profile(&mut self, watched: &Watched, profile: &Estimated) {
        self.add_rows(watched, &profile.chose, true);
        self.add_rows(watched, &profile.rest, false);
        self.error = self.error.max(profile.error);
        self.pools_unknown |= profile.pools_unknown;
    }

    fn add(&mut self, watched: &Watched, cells: &[u64], bucket: usize, chose: bool) {
        add(&mut self.buckets[bucket], cells);
        if chose && watched.pools().is_some() {
            self.chose[bucket].resize(cells.len(), 0);
            add(&mut self.chose[bucket], cells);
        }
    }

    /// Adds what came later.
    pub fn merge(&mut self, later: &Self) {
        self.buckets.iter_mut().zip(&later.buckets).for_each(|(mine, theirs)| add(mine, theirs));
        for (mine, theirs) in self.chose.iter_mut().zip(&later.chose) {
            mine.resize(mine.len().max(theirs.len()), 0);
            add(mine, theirs);
        }
        self.pools_unknown |= later.pools_unknown;
        self.merge_dispersion(later);
        self.error = self.error.max(later.error);
    }

    /// Adds how windows vary that came later, and not their rows.
    pub fn merge_dispersion(&mut self, later: &Self) {
        self.dispersion.merge(&later.dispersion);
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

    /// Rows that have a value, of all buckets; of watched columns the last cell holds those that have none.
    pub fn values(&self) -> u64 {
        let missing = self.buckets.iter().filter_map(|cells| cells.last());
        self.all_rows() - missing.sum::<u64>()
    }

    /// Rows in each cell, in a bucket, as later rows are compared with them: without those that chose values, where other
    /// values came up, whose share these would hide.
    pub fn compared(&self, watched: &Watched, bucket: usize) -> Vec<u64> {
        let all = &self.buckets[bucket];
        let rest = self.rest(bucket);
        let has_pooled = watched.pools().is_some_and(|pools| all[pools].iter().any(|&count| count > 0));
        if has_pooled && rest.iter().any(|&count| count > 0) { rest } else { all.clone() }
    }

    /// Rows in each cell of those that chose no values.
    fn rest(&self, bucket: usize) -> Vec<u64> {
        let mut rest = self.buckets[bucket].clone();
        rest.iter_mut().zip(&self.chose[bucket]).for_each(|(all, chose)| *all -= chose);
        rest
    }

    /// Rows in each set, in a bucket, and of how many.
    ///
    /// Values were chosen by rows of the reference that had them. Bounds of single values allow for that, those of the
    /// pooled ones do not, and are taken from the other rows.
    pub fn set_counts(&self, watched: &Watched, bucket: usize) -> Vec<(u64, u64)> {
        let (mut sets, rows) = (vec![], self.rows(bucket));
        watched.set_counts(&self.buckets[bucket], &mut sets);
        let mut counts: Vec<_> = sets.into_iter().map(|count| (count, rows)).collect();
        let rest = self.rest(bucket);
        let rest_rows: u64 = rest.iter().sum();
        if let Some(pools) = watched.pools().filter(|_| rest_rows > 0) {
            pools.for_each(|set| counts[set] = (rest[set], rest_rows));
        }
        counts
    }

    /// Whether a set is one of pooled values, and nothing bounds it.
    pub fn is_unbounded(&self, watched: &Watched, bucket: usize, set: usize) -> bool {
        let Some(pools) = watched.pools().filter(|pools| pools.contains(&set)) else { return false };
        self.pools_unknown || (self.has_no_rest(bucket) && self.buckets[bucket][pools].iter().any(|&c| c > 0))
    }

    /// Whether all rows of a bucket chose values.
    fn has_no_rest(&self, bucket: usize) -> bool {
        self.chose[bucket].iter().sum::<u64>() == self.rows(bucket)
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
        let values = watched.pools().map_or(0, |pools| pools.start);
        let of_set = |bucket: usize, set: usize, (count, rows): (u64, u64)| {
            let deff = discounts[set].rows;
            if rows == 0 || self.is_unbounded(watched, bucket, set) {
                return Ok(Band { lower: 0.0, upper: 1.0 });
            }
            if set < values {
                return Band::try_of_value(count, rows, deff, level * values as f64, tolerance);
            }
            if watched.pools().is_some_and(|pools| pools.contains(&set)) && self.has_no_rest(bucket) {
                // All rows chose, and so none is new. But each value came up for a first time: as long as values of
                // some share had not, each row was one of them with that chance or a larger one, so that so many
                // first times bound what never came up.
                let first_times = (values as u64).min(rows);
                let band = Band::try_new(first_times, rows, deff, level, tolerance)?;
                return Ok(Band { lower: 0.0, ..band });
            }
            Band::try_new(count, rows, deff, level, tolerance)
        };
        let of_bucket = |bucket: usize| {
            let counts = self.set_counts(watched, bucket).into_iter().enumerate();
            counts.map(|(set, counts)| of_set(bucket, set, counts)).collect::<Result<Vec<_>, _>>()
        };
        (0..self.buckets.len()).map(of_bucket).collect::<Result<_, _>>().map_err(wrong)
    }
}

fn add(sums: &mut [u64], counts: &[u64]) {
    sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
}

pub(super) fn wrong(error: ArgumentError) -> Error {
    Error::Argument(error.to_string())
}
