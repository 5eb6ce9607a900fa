//! KLL quantile sketch of doubles.
use crate::{ArgumentError, ImageError};

/// A mergeable summary of the ranks of doubles.
#[derive(Clone, Debug)]
pub struct KllSketch {
    k: u16,
    items: Vec<f64>,
}

impl KllSketch {
    /// The default accuracy.
    pub const DEFAULT_K: u16 = 1600;

    /// An empty sketch. `k` from 8 to 65,535.
    pub fn try_new(k: u16, _seed: u64) -> Result<Self, ArgumentError> {
        if k < 8 {
            return Err(ArgumentError(format!("k is {k}: it must be 8 to 65535")));
        }
        Ok(Self { k, items: vec![] })
    }
    /// Adds values: no NaN, and no negative zero.
    pub fn update(&mut self, values: &[f64]) {
        self.items.extend_from_slice(values);
    }
    /// Adds one value `weight` times.
    pub fn update_weighted(&mut self, value: f64, weight: u64) {
        self.items.extend(std::iter::repeat_n(value, weight as usize));
    }
    /// Adds what another sketch has seen.
    pub fn merge(&mut self, other: &Self) {
        self.items.extend_from_slice(&other.items);
    }
    /// The accuracy parameter.
    pub fn k(&self) -> u16 {
        self.k
    }
    /// How many values were added.
    pub fn n(&self) -> u64 {
        self.items.len() as u64
    }
    /// The smallest value.
    pub fn min(&self) -> Option<f64> {
        self.items.iter().copied().reduce(f64::min)
    }
    /// The largest value.
    pub fn max(&self) -> Option<f64> {
        self.items.iter().copied().reduce(f64::max)
    }
    /// The retained values in order with their weights.
    pub fn sorted_view(&self) -> SortedView {
        let mut values = self.items.clone();
        values.sort_unstable_by(f64::total_cmp);
        let cumulative = (1..=values.len() as u64).collect();
        SortedView { values, cumulative }
    }
    /// Error of one rank at 99 %, as a share of n.
    pub fn rank_error(&self) -> f64 {
        2.296 / f64::from(self.k).powf(0.9723)
    }
    /// Error of all ranks at once at 99 %, as a share of n.
    pub fn all_rank_error(&self) -> f64 {
        2.446 / f64::from(self.k).powf(0.9433)
    }
    /// The Apache DataSketches image.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut b = self.k.to_le_bytes().to_vec();
        b.extend(self.items.iter().flat_map(|x| x.to_le_bytes()));
        b
    }
    /// Reads an image of doubles.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ImageError> {
        let (k, rest) = bytes.split_at_checked(2).ok_or(ImageError("short".into()))?;
        let items = rest.as_chunks::<8>().0.iter().map(|c| f64::from_le_bytes(*c)).collect();
        Ok(Self { k: u16::from_le_bytes([k[0], k[1]]), items })
    }
}

/// Retained values in ascending order with the weight at or below each.
#[derive(Clone, Debug)]
pub struct SortedView {
    values: Vec<f64>,
    cumulative: Vec<u64>,
}

impl SortedView {
    /// The retained values, ascending.
    pub fn values(&self) -> &[f64] {
        &self.values
    }
    /// For each retained value, the weight of all values at or below its place.
    pub fn cumulative(&self) -> &[u64] {
        &self.cumulative
    }
    /// Total weight.
    pub fn n(&self) -> u64 {
        self.cumulative.last().copied().unwrap_or(0)
    }
    /// The smallest retained value whose rank (inclusive) is at least `q`; `None` when empty.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let target = (q.clamp(0.0, 1.0) * self.n() as f64).ceil().max(1.0) as u64;
        let i = self.cumulative.partition_point(|&c| c < target);
        self.values.get(i.min(self.values.len().wrapping_sub(1))).copied()
    }
    /// The share of values `<= x`; `None` when empty.
    pub fn rank(&self, x: f64) -> Option<f64> {
        let i = self.values.partition_point(|&v| v <= x);
        let below = if i == 0 { 0 } else { self.cumulative[i - 1] };
        (self.n() > 0).then(|| below as f64 / self.n() as f64)
    }
}
