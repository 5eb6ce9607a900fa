//! The summary: updates, purges, merges and answers.
use super::index::Index;
use super::item::Item;
use super::table::Table;
use crate::ArgumentError;
use crate::hash::Hash128;

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
///
/// The error is at most `3.5 / 2^lg_max` of the total, however the data came and however summaries
/// were merged. In fact a purge leaves `5/8 * 2^lg_max` items and takes its amount from more than
/// so many, so the amounts add up to at most `1.6 / 2^lg_max` of the total (Agarwal et al., Mergeable
/// Summaries, 2013, lemma 2.2). Totals beyond `u64` saturate.
#[derive(Clone, Debug)]
pub struct FrequentItems<T: Item> {
    pub(super) lg_max: u8,
    pub(super) table: Table<T>,
    pub(super) total: u64,
    pub(super) offset: u64,
}

/// Distinct items that a bulk update gathers before it decides which of them survive.
const GATHERED: usize = 4096;

impl<T: Item> PartialEq for FrequentItems<T> {
    /// Equal summaries have equal images.
    fn eq(&self, other: &Self) -> bool {
        self.to_bytes() == other.to_bytes()
    }
}

impl<T: Item> FrequentItems<T> {
    /// The default size: 2^11 slots, of which three quarters are used.
    pub const DEFAULT_LG_MAX: u8 = 11;

    /// An empty summary of `2^lg_max` slots, `lg_max` from 3 to 20.
    ///
    /// # Errors
    ///
    /// `lg_max` is out of range.
    pub fn try_new(lg_max: u8) -> Result<Self, ArgumentError> {
        if !(3..=20).contains(&lg_max) {
            return Err(ArgumentError(format!("lg_max is {lg_max}: it must be 3 to 20")));
        }
        Ok(Self { lg_max, table: Table::new(), total: 0, offset: 0 })
    }

    /// Forgets all items and keeps the memory that they took.
    pub fn clear(&mut self) {
        self.table.clear();
        (self.total, self.offset) = (0, 0);
    }

    /// The most items held between updates; counts are exact up to here.
    pub fn capacity(&self) -> usize {
        3 << (self.lg_max - 2)
    }

    /// Counts an item `weight` times.
    pub fn update(&mut self, item: &T::Ref, weight: u64) {
        if weight > 0 {
            self.total = self.total.saturating_add(weight);
            self.table.add(item, T::hash(item), weight);
            self.purge_above(self.capacity());
        }
    }

    /// Counts many items at once, cheaper than one by one: where there are more than fit, those
    /// that cannot survive are never taken over.
    pub fn update_counts<'a>(&mut self, counts: impl Iterator<Item = (&'a T::Ref, u64)>)
    where
        T::Ref: 'a,
    {
        let most = counts.size_hint().1.unwrap_or(GATHERED).clamp(1, GATHERED);
        let mut index = Index::with_room(most);
        let mut gathered: Vec<(&T::Ref, u64, u64)> = vec![];
        for (item, weight) in counts {
            let hash = T::hash(item);
            self.total = self.total.saturating_add(weight);
            match index.find(hash, |at| gathered[at].0 == item) {
                Ok(at) => gathered[at].2 = gathered[at].2.saturating_add(weight),
                Err(free) => {
                    index.put(free, hash, gathered.len());
                    gathered.push((item, hash, weight));
                    if gathered.len() == most {
                        self.absorb(most, |at| gathered[at]);
                        gathered.clear();
                        index.clear();
                    }
                }
            }
        }
        self.absorb(gathered.len(), |at| gathered[at]);
    }

    /// Adds `n` distinct items, of which `group` says item, hash and weight, and leaves the total
    /// alone.
    ///
    /// Distinct, because a purge may take its amount from each item once only.
    fn absorb<'a>(&mut self, n: usize, group: impl Fn(usize) -> (&'a T::Ref, u64, u64))
    where
        T::Ref: 'a,
    {
        let mut new: Vec<u32> = Vec::with_capacity(n);
        let mut weights: Vec<u64> = Vec::with_capacity(n + self.table.len());
        for at in 0..n {
            let (item, hash, weight) = group(at);
            if weight > 0 && !self.table.add_known(item, hash, weight) {
                new.push(at as u32);
                weights.push(weight);
            }
        }
        let mut amount = 0;
        if self.table.len() + new.len() > self.capacity() {
            weights.extend_from_slice(self.table.weights());
            amount = nth_largest(&weights, self.kept());
            self.table.subtract(amount);
            self.offset = self.offset.saturating_add(amount);
        }
        for (at, weight) in new.into_iter().zip(weights) {
            if weight > amount {
                let (item, hash, _) = group(at as usize);
                self.table.add(item, hash, weight - amount);
            }
        }
    }

    /// Purges if more than `most` items are held.
    #[inline(always)]
    fn purge_above(&mut self, most: usize) {
        if self.table.len() > most {
            self.purge();
        }
    }

    #[cold]
    fn purge(&mut self) {
        let amount = nth_largest(self.table.weights(), self.kept());
        self.table.subtract(amount);
        self.offset = self.offset.saturating_add(amount);
    }

    /// The most items that a purge leaves: few enough that the next one is not soon.
    fn kept(&self) -> usize {
        5 << (self.lg_max - 3)
    }

    /// Adds what another summary has seen. Of two sizes the smaller one's error holds afterwards.
    pub fn merge(&mut self, other: &Self) {
        if other.total == 0 {
            return;
        }
        if self.total == 0 {
            return self.clone_from(other);
        }
        self.lg_max = self.lg_max.min(other.lg_max);
        self.absorb(other.table.len(), |at| other.table.entry(at));
        self.total = self.total.saturating_add(other.total);
        self.offset = self.offset.saturating_add(other.offset);
    }

    /// The summary as it may leave the process: without items that are not proven to be frequent.
    ///
    /// Dropping an item of weight `w` means that an item which is not held may have come `w` times
    /// more often than before, so the error grows by the largest weight dropped; every bound stays
    /// true. Dropped are:
    ///
    /// - where counts are exact: if more than half of the items came only once, so that they look like
    ///   ids, those that did;
    /// - else, items whose lower bound is not above the error, as far as the error's promise of
    ///   `3.5 / 2^lg_max` of the total allows, and in any case those whose lower bound is 1.
    ///
    /// What comes out passes through unchanged when it is asked again, so storing, loading and
    /// storing once more gives the same bytes.
    #[must_use]
    pub fn without_rare(&self) -> Self {
        let smallest = self.table.weights().iter().copied().min().unwrap_or(u64::MAX);
        let limit = if self.offset == 0 {
            let once = self.table.weights().iter().filter(|&&weight| weight == 1).count();
            u64::from(once * 2 > self.table.len())
        } else if smallest >= 2 && smallest > self.offset / 2 {
            0
        } else {
            let promised = ((u128::from(self.total) * 7) >> (self.lg_max + 1)) as u64;
            self.offset.min(promised.saturating_sub(self.offset)).max(1)
        };
        let mut kept = self.clone();
        let dropped = self.table.weights().iter().copied().filter(|&w| w <= limit).max();
        if let Some(largest) = dropped {
            kept.table.drop_up_to(limit);
            kept.offset = self.offset.saturating_add(largest);
        }
        kept
    }

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
        self.table.len()
    }

    /// No item is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Items proven to come more often than `threshold` (and than the error), most frequent first,
    /// ties in the order of the items.
    pub fn items_above(&self, threshold: u64) -> Vec<Row<T>> {
        let threshold = threshold.max(self.offset);
        let rows = self.ranked().into_iter().filter(|&(_, weight)| weight > threshold);
        rows.map(|(item, weight)| {
            let upper_bound = weight.saturating_add(self.offset);
            Row { item: item.clone(), estimate: upper_bound, lower_bound: weight, upper_bound }
        })
        .collect()
    }

    /// Items by falling weight, ties in the order of the items.
    pub(super) fn ranked(&self) -> Vec<(&T, u64)> {
        let mut ranked: Vec<_> = self.table.iter().collect();
        ranked.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        ranked
    }

    /// Bounds of one item's count: (lower, estimate, upper).
    pub fn count(&self, item: &T::Ref) -> (u64, u64, u64) {
        match self.table.weight(item) {
            Some(weight) => {
                let upper = weight.saturating_add(self.offset);
                (weight, upper, upper)
            }
            None => (0, 0, self.offset),
        }
    }
}

impl FrequentItems<i64> {
    /// Counts each value once.
    pub fn update_all(&mut self, values: &[i64]) {
        // Between updates three quarters of 2^lg_max items are held; while this runs, all.
        let most = 1 << self.lg_max;
        self.total = self.total.saturating_add(values.len() as u64);
        for value in values {
            self.table.add(value, i64::hash(value), 1);
            self.purge_above(most);
        }
        self.purge_above(self.capacity());
    }
}

impl FrequentItems<Box<[u8]>> {
    /// Counts what a [`ValueCounter`](super::ValueCounter) hands over: *distinct* strings with their
    /// hashes ([`hash_bytes`](crate::hash::hash_bytes)) and counts. [`update_counts`](Self::update_counts)
    /// takes strings that may repeat.
    pub fn update_groups(&mut self, groups: &[(&[u8], Hash128, u64)]) {
        let total = groups.iter().fold(self.total, |total, group| total.saturating_add(group.2));
        self.absorb(groups.len(), |at| (groups[at].0, groups[at].1.0, groups[at].2));
        self.total = total;
    }
}

/// The largest weight that has at least `n` weights above or beside it, so that at least `n + 1`
/// weights reach it and at most `n` exceed it. There are more than `n` weights.
fn nth_largest(weights: &[u64], n: usize) -> u64 {
    let exceed = |limit: u64| weights.iter().filter(|&&weight| weight > limit).count();
    // Purges are mostly by small amounts, which a few counts find, faster than a selection would.
    let mut high = 1;
    while exceed(high) > n {
        high *= 2;
        if high > 64 {
            return *weights.to_vec().select_nth_unstable_by(n, |a, b| b.cmp(a)).1;
        }
    }
    let mut low = high / 2;
    while high - low > 1 {
        let middle = low.midpoint(high);
        if exceed(middle) > n {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}
