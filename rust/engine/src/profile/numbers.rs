//! Summary of the numbers of a column, and the loop that every number passes.
//!
//! Chunks of 1,024 values are cleaned into a scratch buffer and stay in the first-level cache while
//! range, moments, distinct count, quantile sketch and bins each run over them once.
use crate::options::Collect;
use driftline_sketches::{KllSketch, Moments};

/// Range, moments and quantile sketch of numbers; infinities count in range and quantiles, not in moments.
#[derive(Clone, Debug)]
pub struct Numbers {
    /// Whether a range is kept: not where values must not leave the process.
    pub ranged: bool,
    /// Smallest and largest value; `None` for no values or where not collected.
    pub range: Option<(f64, f64)>,
    /// The same of integers, exactly; `None` where other values were among them.
    pub integer_range: Option<(i128, i128)>,
    /// Moments of the finite values; `None` where not collected.
    pub moments: Option<Moments>,
    /// Quantile sketch; `None` where not collected.
    pub quantiles: Option<KllSketch>,
}

impl Numbers {
    /// A summary of nothing yet.
    pub fn try_new(k: u16, seed: u64, collect: Collect) -> crate::Result<Self> {
        Ok(Self {
            ranged: collect.moments || collect.quantiles,
            range: None,
            integer_range: None,
            moments: collect.moments.then(Moments::new),
            quantiles: if collect.quantiles { Some(KllSketch::try_new(k, seed)?) } else { None },
        })
    }

    /// Forgets all values, and keeps the memory that they took.
    pub fn clear(&mut self, seed: u64) {
        (self.range, self.integer_range) = (None, None);
        if let Some(moments) = &mut self.moments {
            *moments = Moments::new();
        }
        if let Some(quantiles) = &mut self.quantiles {
            quantiles.clear(seed);
        }
    }

    /// Adds one value `weight` times.
    pub fn update_weighted(&mut self, value: f64, weight: u64) {
        if self.ranged {
            self.range = wider(self.range, Some((value, value)));
        }
        if let Some(moments) = &mut self.moments {
            moments.update_weighted(value, weight);
        }
        if let Some(quantiles) = &mut self.quantiles {
            quantiles.update_weighted(value, weight);
        }
    }

    /// Adds what another summary has seen; a part that either side lacks is dropped.
    pub fn merge(&mut self, other: &Self) {
        let (ours, theirs) = (self.is_empty(), other.is_empty());
        self.integer_range = match (self.integer_range, other.integer_range) {
            (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
            (a, None) if theirs => a,
            (None, b) if ours => b,
            _ => None,
        };
        self.ranged &= other.ranged;
        self.range = if self.ranged { wider(self.range, other.range) } else { None };
        merge_part(&mut self.moments, &other.moments, Moments::merge);
        merge_part(&mut self.quantiles, &other.quantiles, KllSketch::merge);
    }

    fn is_empty(&self) -> bool {
        self.range.is_none() && self.quantiles.as_ref().is_none_or(|q| q.n() == 0)
    }
}

/// The range that covers both.
pub fn wider<T: PartialOrd + Copy>(a: Option<(T, T)>, b: Option<(T, T)>) -> Option<(T, T)> {
    match (a, b) {
        (Some(a), Some(b)) => Some((if b.0 < a.0 { b.0 } else { a.0 }, if b.1 > a.1 { b.1 } else { a.1 })),
        (a, b) => a.or(b),
    }
}

/// Merges an optional part: half a summary is none.
pub fn merge_part<T>(ours: &mut Option<T>, theirs: &Option<T>, merge: impl FnOnce(&mut T, &T)) {
    match (ours.as_mut(), theirs) {
        (Some(a), Some(b)) => merge(a, b),
        _ => *ours = None,
    }
}
