//! Groups the equal values of a batch.
use super::index::Index;
use crate::hash::{Hash128, hash_bytes, short_word};

/// Counts the distinct values of a batch, so that sketches see each of them once with its weight.
///
/// Its memory is bounded and used again for the next batch.
#[derive(Clone, Debug)]
pub struct ValueCounter {
    index: Index,
    keys: Vec<Key>,
    /// Empty between calls; keeps its memory.
    groups: Vec<Group<'static>>,
    /// Values since the last flush.
    rows: usize,
    /// Whether most values were new, as in a column of ids.
    ids: bool,
}

/// A value, its hash, and how often it came.
type Group<'a> = (&'a [u8], Hash128, u64);

/// As many distinct values are held at once. The index then takes 32 KiB and the keys 128 KiB, which
/// stay in L2, and sketches get batches large enough to tell frequent values from rare ones.
const MOST: usize = 4096;

/// What a value is compared by. Up to 16 bytes the two words and the length are the value.
#[derive(Clone, Debug)]
struct Key {
    first: u64,
    last: u64,
    len: usize,
    count: u64,
}

impl Default for ValueCounter {
    fn default() -> Self {
        Self { index: Index::with_room(MOST), keys: vec![], groups: vec![], rows: 0, ids: false }
    }
}

impl ValueCounter {
    /// Groups equal values and hands each group to `flush` as (value, hash, count); a value may be
    /// handed over several times when there are very many distinct ones, but only once in one call
    /// of `flush`. The empty string is a value as any other.
    pub fn count<'a>(
        &mut self,
        values: impl Iterator<Item = &'a [u8]>,
        mut flush: impl FnMut(&[(&'a [u8], Hash128, u64)]),
    ) {
        let mut groups = recycle(std::mem::take(&mut self.groups));
        values.for_each(|value| {
            if self.ids {
                self.add_id(value, &mut groups);
            } else {
                self.add(value, &mut groups);
            }
            if groups.len() == MOST {
                self.hand_over(&mut groups, &mut flush);
            }
        });
        self.hand_over(&mut groups, &mut flush);
        self.groups = recycle(groups);
    }

    /// Counts a value that probably came before, found by a hash that is cheaper than Murmur.
    #[inline(always)]
    fn add<'a>(&mut self, value: &'a [u8], groups: &mut Vec<Group<'a>>) {
        let (first, last) = ends(value);
        let hash = hash(value, first, last);
        let same = |at: usize| {
            let key = &self.keys[at];
            key.first == first
                && key.last == last
                && key.len == value.len()
                && (value.len() <= 16 || groups[at].0 == value)
        };
        self.rows += 1;
        match self.index.find(hash, same) {
            Ok(at) => self.keys[at].count += 1,
            Err(free) => {
                self.index.put(free, hash, groups.len());
                self.keys.push(Key { first, last, len: value.len(), count: 1 });
                groups.push((value, Hash128(0, 0), 0));
            }
        }
    }

    /// Counts a value that probably is new: its group, complete at once, is all that is written.
    #[inline(always)]
    fn add_id<'a>(&mut self, value: &'a [u8], groups: &mut Vec<Group<'a>>) {
        let hash = hash_bytes(value);
        self.rows += 1;
        match self.index.find(hash.0, |at| groups[at].1 == hash && groups[at].0 == value) {
            Ok(at) => groups[at].2 += 1,
            Err(free) => {
                self.index.put(free, hash.0, groups.len());
                groups.push((value, hash, 1));
            }
        }
    }

    fn hand_over<'a>(&mut self, groups: &mut Vec<Group<'a>>, flush: &mut impl FnMut(&[Group<'a>])) {
        if groups.is_empty() {
            return;
        }
        if !self.ids {
            for (group, key) in groups.iter_mut().zip(&self.keys) {
                *group = (group.0, hash_bytes(group.0), key.count);
            }
        }
        flush(groups);
        // What comes next in this column is probably like what came.
        self.ids = groups.len() * 2 > self.rows;
        self.rows = 0;
        self.keys.clear();
        self.index.clear();
        groups.clear();
    }
}

/// An empty list with the memory of another; only the lifetime of what it may hold differs.
fn recycle<'b>(mut groups: Vec<Group<'_>>) -> Vec<Group<'b>> {
    groups.clear();
    groups.into_iter().map(|(_, hash, count)| (&[][..], hash, count)).collect()
}

/// Two words that together hold all bytes of a value of up to 16, and the ends of a longer one.
#[inline(always)]
fn ends(value: &[u8]) -> (u64, u64) {
    match (value.first_chunk::<8>(), value.last_chunk::<8>()) {
        (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
        _ => (short_word(value), 0),
    }
}

/// A fast hash, for this table alone: wyhash's step with its constants (Wang Yi, public domain).
#[inline(always)]
fn hash(value: &[u8], first: u64, last: u64) -> u64 {
    let fold = |a: u64, b: u64| {
        let product = u128::from(a) * u128::from(b);
        product as u64 ^ (product >> 64) as u64
    };
    let mut seed = 0xe703_7ed1_a0b4_28db ^ value.len() as u64;
    if value.len() > 16 {
        for block in value[8..].as_chunks::<8>().0 {
            seed = fold(seed ^ u64::from_le_bytes(*block), 0x8ebc_6af0_9c88_c6e3);
        }
    }
    fold(first ^ 0xa076_1d64_78bd_642f, last ^ seed)
}
