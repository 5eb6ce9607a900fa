//! A hash index of positions in a list that somebody else holds.

/// Bits of a slot that hold a position plus one; the others hold a part of its hash.
const POSITION_BITS: u32 = 21;
const POSITION: u32 = (1 << POSITION_BITS) - 1;

/// Open addressing, a quarter full at most, so that most searches end at the first slot. A slot is 4 bytes, so thousands of them stay in L1, and
/// the part of the hash in it saves nearly every look at an item that turns out another.
#[derive(Clone, Debug)]
pub struct Index {
    /// 0 is free.
    slots: Box<[u32]>,
}

/// A free slot, where what was not found would stand.
pub struct Free(usize);

impl Index {
    /// An index with room for `len` positions.
    pub fn with_room(len: usize) -> Self {
        Self { slots: vec![0; (len * 4).next_power_of_two().max(16)].into() }
    }

    /// How many positions it takes.
    pub fn room(&self) -> usize {
        self.slots.len() / 4
    }

    /// Forgets all positions.
    pub fn clear(&mut self) {
        self.slots.fill(0);
    }

    #[inline(always)]
    fn tag(hash: u64) -> u32 {
        (hash >> 32) as u32 & !POSITION
    }

    /// The position with this hash for which `same` holds, or the slot for a new one. The caller
    /// keeps within the room.
    #[inline(always)]
    pub fn find(&self, hash: u64, same: impl Fn(usize) -> bool) -> Result<usize, Free> {
        let mask = self.slots.len() - 1;
        let tag = Self::tag(hash);
        let mut at = hash as usize & mask;
        loop {
            let slot = self.slots[at & mask];
            if slot == 0 {
                return Err(Free(at & mask));
            }
            let position = (slot & POSITION) as usize - 1;
            if slot & !POSITION == tag && same(position) {
                return Ok(position);
            }
            at += 1;
        }
    }

    /// Puts a position with this hash into the slot that a search ended at.
    #[inline(always)]
    pub fn put(&mut self, free: Free, hash: u64, position: usize) {
        self.slots[free.0] = Self::tag(hash) | (position as u32 + 1);
    }

    /// Makes the index one of the positions of `hashes`, which are all different items.
    pub fn rebuild(&mut self, hashes: &[u64]) {
        self.clear();
        for (position, &hash) in hashes.iter().enumerate() {
            if let Err(free) = self.find(hash, |_| false) {
                self.put(free, hash, position);
            }
        }
    }
}
