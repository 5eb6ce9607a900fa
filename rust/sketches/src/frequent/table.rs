//! Items with their weights: lists side by side, found through an index.
use super::index::Index;
use super::item::Item;

/// Items, weights and hashes stand in lists of their own, so that a purge runs over nothing but
/// weights.
#[derive(Clone, Debug)]
pub struct Table<T> {
    index: Index,
    items: Vec<T>,
    weights: Vec<u64>,
    hashes: Vec<u64>,
}

impl<T: Item> Table<T> {
    pub fn new() -> Self {
        Self { index: Index::with_room(0), items: vec![], weights: vec![], hashes: vec![] }
    }

    /// Forgets all items, and keeps the room for them.
    pub fn clear(&mut self) {
        if !self.items.is_empty() {
            self.index.clear();
            self.items.clear();
            self.weights.clear();
            self.hashes.clear();
        }
    }

    pub fn len(&self) -> usize {
        self.items.len()
    }

    pub fn weights(&self) -> &[u64] {
        &self.weights
    }

    /// Items with their weights, in no defined order.
    pub fn iter(&self) -> impl Iterator<Item = (&T, u64)> {
        self.items.iter().zip(self.weights.iter().copied())
    }

    /// Item, hash and weight at a place from 0 to `len`.
    pub fn entry(&self, at: usize) -> (&T::Ref, u64, u64) {
        (self.items[at].as_ref(), self.hashes[at], self.weights[at])
    }

    pub fn weight(&self, item: &T::Ref) -> Option<u64> {
        let found = self.index.find(T::hash(item), |at| self.items[at].as_ref() == item);
        found.ok().map(|at| self.weights[at])
    }

    /// Adds to the weight of an item that is here; says whether it is.
    #[inline]
    pub fn add_known(&mut self, item: &T::Ref, hash: u64, weight: u64) -> bool {
        match self.index.find(hash, |at| self.items[at].as_ref() == item) {
            Ok(at) => {
                self.weights[at] = self.weights[at].saturating_add(weight);
                true
            }
            Err(_) => false,
        }
    }

    /// Adds to the weight of an item, which may be new.
    #[inline(always)]
    pub fn add(&mut self, item: &T::Ref, hash: u64, weight: u64) {
        match self.index.find(hash, |at| self.items[at].as_ref() == item) {
            Ok(at) => self.weights[at] = self.weights[at].saturating_add(weight),
            Err(free) => {
                self.index.put(free, hash, self.items.len());
                self.items.push(T::from_ref(item));
                self.weights.push(weight);
                self.hashes.push(hash);
                if self.items.len() >= self.index.room() {
                    self.grow();
                }
            }
        }
    }

    #[cold]
    fn grow(&mut self) {
        self.index = Index::with_room(self.index.room() * 2);
        self.index.rebuild(&self.hashes);
    }

    /// Takes `amount` off each weight and drops items that have nothing left.
    pub fn subtract(&mut self, amount: u64) {
        self.keep(amount, |weight| weight.wrapping_sub(amount));
    }

    /// Drops items of a weight of `most` or less.
    pub fn drop_up_to(&mut self, most: u64) {
        self.keep(most, |weight| weight);
    }

    fn keep(&mut self, above: u64, weight: impl Fn(u64) -> u64) {
        let mut kept = 0;
        // Everything between `kept` and `at` is to be dropped, so a swap does no harm where `at` is
        // dropped too, and there is no branch to mispredict.
        for at in 0..self.items.len() {
            let before = self.weights[at];
            self.weights[kept] = weight(before);
            self.hashes[kept] = self.hashes[at];
            self.items.swap(kept, at);
            kept += usize::from(before > above);
        }
        self.items.truncate(kept);
        self.weights.truncate(kept);
        self.hashes.truncate(kept);
        self.index.rebuild(&self.hashes);
    }
}
