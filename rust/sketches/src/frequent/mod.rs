//! Frequent items: which values come up most, with bounds on how often.
use crate::hash::{Hash128, hash_bytes};
use crate::{ArgumentError, ImageError};
use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

/// A value that can be counted: `i64` or bytes of a string.
pub trait Item: Clone + Eq + Hash + Ord {
    /// Appends the item as it stands in an image.
    fn encode(&self, out: &mut Vec<u8>);
    /// Takes one item off the front of an image.
    fn decode(bytes: &mut &[u8]) -> Result<Self, ImageError>;
}

impl Item for i64 {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend(self.to_le_bytes());
    }
    fn decode(bytes: &mut &[u8]) -> Result<Self, ImageError> {
        let (head, rest) = bytes.split_first_chunk::<8>().ok_or(ImageError("short".into()))?;
        *bytes = rest;
        Ok(i64::from_le_bytes(*head))
    }
}

impl Item for Box<[u8]> {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend((self.len() as u32).to_le_bytes());
        out.extend_from_slice(self);
    }
    fn decode(bytes: &mut &[u8]) -> Result<Self, ImageError> {
        let short = || ImageError("short".into());
        let (head, rest) = bytes.split_first_chunk::<4>().ok_or_else(short)?;
        let (item, rest) = rest.split_at_checked(u32::from_le_bytes(*head) as usize).ok_or_else(short)?;
        *bytes = rest;
        Ok(item.into())
    }
}

/// One item with bounds on its count.
#[derive(Clone, Debug, PartialEq)]
pub struct Row<T> {
    /// The value.
    pub item: T,
    /// How often it came, at most.
    pub estimate: u64,
    /// Never more than the true count.
    pub lower_bound: u64,
    /// Never less than the true count.
    pub upper_bound: u64,
}

/// A mergeable summary of the most frequent items.
#[derive(Clone, Debug)]
pub struct FrequentItems<T: Item> {
    lg_max: u8,
    counts: HashMap<T, u64>,
    total: u64,
    offset: u64,
}

impl<T: Item> FrequentItems<T> {
    /// The default size: 2^11 slots, of which three quarters are used.
    pub const DEFAULT_LG_MAX: u8 = 11;

    /// An empty summary of `2^lg_max` slots, `lg_max` from 3 to 20.
    pub fn try_new(lg_max: u8) -> Result<Self, ArgumentError> {
        if !(3..=20).contains(&lg_max) {
            return Err(ArgumentError(format!("lg_max is {lg_max}: it must be 3 to 20")));
        }
        Ok(Self { lg_max, counts: HashMap::new(), total: 0, offset: 0 })
    }
    /// Counts an item `weight` times.
    pub fn update<Q>(&mut self, item: &Q, weight: u64)
    where
        T: Borrow<Q>,
        Q: ToOwned + Hash + Eq + ?Sized,
        for<'a> &'a Q: Into<T>,
    {
        self.total += weight;
        *self.counts.entry(item.into()).or_insert(0) += weight;
    }
    /// Counts many distinct items at once, cheaper than one by one.
    pub fn update_all(&mut self, items: &[T]) { for i in items { self.total += 1; *self.counts.entry(i.clone()).or_insert(0) += 1; } }
    /// x
    pub fn update_counts<'a, Q>(&mut self, counts: impl Iterator<Item = (&'a Q, u64)>)
    where
        T: Borrow<Q>,
        Q: ToOwned + Hash + Eq + ?Sized + 'a,
        for<'b> &'b Q: Into<T>,
    {
        counts.for_each(|(item, weight)| self.update(item, weight));
    }
    /// Adds what another summary has seen.
    pub fn merge(&mut self, other: &Self) {
        for (item, weight) in &other.counts {
            *self.counts.entry(item.clone()).or_insert(0) += weight;
        }
        self.total += other.total;
        self.offset += other.offset;
    }
    /// x
    pub fn publishable(&self) -> Self { self.clone() }
    /// log2 of the most slots.
    pub fn lg_max(&self) -> u8 {
        self.lg_max
    }
    /// Sum of all weights.
    pub fn total(&self) -> u64 {
        self.total
    }
    /// By how much a count can be off; 0 while all counts are exact.
    pub fn max_error(&self) -> u64 {
        self.offset
    }
    /// How many items are held.
    pub fn len(&self) -> usize {
        self.counts.len()
    }
    /// No item is held.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }
    /// Items proven to come more often than `threshold` (and than the error), most frequent first,
    /// ties in the order of the items.
    pub fn items_above(&self, threshold: u64) -> Vec<Row<T>> {
        let mut rows: Vec<_> = self
            .counts
            .iter()
            .filter(|&(_, &c)| c > threshold.max(self.offset))
            .map(|(item, &c)| Row {
                item: item.clone(),
                estimate: c + self.offset,
                lower_bound: c,
                upper_bound: c + self.offset,
            })
            .collect();
        rows.sort_by(|a, b| b.estimate.cmp(&a.estimate).then_with(|| a.item.cmp(&b.item)));
        rows
    }
    /// Bounds of one item's count: (lower, estimate, upper).
    pub fn count(&self, item: &T) -> (u64, u64, u64) {
        self.counts.get(item).map_or((0, 0, self.offset), |&c| (c, c + self.offset, c + self.offset))
    }
    /// The Apache DataSketches image.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = vec![self.lg_max];
        out.extend(self.total.to_le_bytes());
        out.extend(self.offset.to_le_bytes());
        for (item, count) in &self.counts {
            out.extend(count.to_le_bytes());
            item.encode(&mut out);
        }
        out
    }
    /// Reads an image.
    pub fn from_bytes(mut bytes: &[u8]) -> Result<Self, ImageError> {
        let (head, rest) = bytes.split_first_chunk::<17>().ok_or(ImageError("short".into()))?;
        bytes = rest;
        let mut new = Self {
            lg_max: head[0],
            counts: HashMap::new(),
            total: u64::from_le_bytes(head[1..9].try_into().unwrap_or_default()),
            offset: u64::from_le_bytes(head[9..17].try_into().unwrap_or_default()),
        };
        while !bytes.is_empty() {
            let count = i64::decode(&mut bytes)? as u64;
            new.counts.insert(T::decode(&mut bytes)?, count);
        }
        Ok(new)
    }
}

/// Counts the distinct values of a batch, so that sketches see each of them once with its weight.
#[derive(Clone, Debug, Default)]
pub struct ValueCounter {}

impl ValueCounter {
    /// Groups equal values and hands each group to `flush` as (value, hash, count); a value may be
    /// handed over several times when there are very many distinct ones.
    pub fn count<'a>(
        &mut self,
        values: impl Iterator<Item = &'a [u8]>,
        mut flush: impl FnMut(&[(&'a [u8], Hash128, u64)]),
    ) {
        let mut counts: HashMap<&[u8], u64> = HashMap::new();
        values.for_each(|v| *counts.entry(v).or_insert(0) += 1);
        let groups: Vec<_> = counts.into_iter().map(|(v, c)| (v, hash_bytes(v), c)).collect();
        flush(&groups);
    }
}
