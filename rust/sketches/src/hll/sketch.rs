//! The sketch: few coupons, then registers.
use super::coupon::{self, CHUNK, KEY_BITS, coupon};
use super::estimate::{K, Summary, of_coupons};
use super::few::{Coupons, MOST_COUPONS};
use crate::hash::{Hash128, hash_bytes};

/// A mergeable count of distinct values.
#[derive(Clone, Debug)]
pub struct HllSketch {
    pub(super) state: State,
    /// Registers that the sketch had before it was cleared, to be used again.
    spare: Option<Box<[u8; K]>>,
}

#[derive(Clone, Debug)]
pub(super) enum State {
    Few(Coupons),
    Many(Registers),
}

/// For each slot the largest value of its coupons.
#[derive(Clone, Debug)]
pub(super) struct Registers {
    pub values: Box<[u8; K]>,
    /// The in-order estimate that an image brought along. It knows the order its values came in,
    /// which is lost as soon as anything is added.
    pub hip: Option<f64>,
    /// No register is below this. It may lag behind the lowest register, which costs a little
    /// time and nothing else.
    floor: u8,
    /// How often a register was raised since `floor` was looked up.
    raised: u32,
}

impl Registers {
    pub fn new(values: Box<[u8; K]>, hip: Option<f64>) -> Self {
        let mut new = Self { values, hip, floor: 0, raised: 0 };
        new.find_floor();
        new
    }

    fn find_floor(&mut self) {
        self.floor = self.values.iter().copied().min().unwrap_or(0);
        self.raised = 0;
    }

    pub fn bounds(&self, summary: &Summary, std_devs: u8) -> (f64, f64, f64) {
        let estimate = self.hip.unwrap_or_else(|| summary.estimate());
        let (lower, upper) = Summary::bound_factors(self.hip.is_some(), std_devs);
        // Every register in use takes a distinct value.
        let at_least = (K - summary.zeros as usize) as f64;
        (at_least.max(estimate / lower), estimate, estimate / upper)
    }

    #[inline]
    fn raise(&mut self, coupons: &[u32]) {
        for &coupon in coupons {
            let value = (coupon >> KEY_BITS) as u8;
            let register = &mut self.values[coupon as usize % K];
            if value > *register {
                *register = value;
                self.raised += 1;
            }
        }
        // About as many raises as it takes for the floor to move, and far fewer lookups than words.
        if self.raised >= 128 {
            self.find_floor();
        }
    }
}

impl Default for HllSketch {
    fn default() -> Self {
        Self::new()
    }
}

impl PartialEq for HllSketch {
    /// Equal sketches have seen the same coupons, or have the same registers.
    fn eq(&self, other: &Self) -> bool {
        match (&self.state, &other.state) {
            (State::Few(a), State::Few(b)) => a.len() == b.len() && a.sorted() == b.sorted(),
            (State::Many(a), State::Many(b)) => a.values == b.values && a.hip == b.hip,
            _ => false,
        }
    }
}

impl HllSketch {
    /// An empty sketch of 2^12 registers.
    pub fn new() -> Self {
        Self::of(State::Few(Coupons::new()))
    }

    pub(super) fn of(state: State) -> Self {
        Self { state, spare: None }
    }

    /// Forgets all values and keeps the memory that they took.
    pub fn clear(&mut self) {
        match &mut self.state {
            State::Few(few) => few.clear(),
            State::Many(_) => {
                let before = std::mem::replace(&mut self.state, State::Few(Coupons::new()));
                if let State::Many(Registers { values, .. }) = before {
                    self.spare = Some(values);
                }
            }
        }
    }

    /// Registers of no values.
    fn registers(&mut self) -> Registers {
        let values = match self.spare.take() {
            Some(mut spare) => {
                spare.fill(0);
                spare
            }
            None => Box::new([0; K]),
        };
        Registers { values, hip: None, floor: 0, raised: 0 }
    }

    /// Adds doubles: no NaN, and no negative zero.
    pub fn update_f64(&mut self, values: &[f64]) {
        // SAFETY: same size and alignment, and every bit pattern of f64 is one of u64.
        self.update_words(unsafe { std::slice::from_raw_parts(values.as_ptr().cast(), values.len()) });
    }

    /// Adds integers.
    pub fn update_i64(&mut self, values: &[i64]) {
        // SAFETY: same size and alignment, and every bit pattern of i64 is one of u64.
        self.update_words(unsafe { std::slice::from_raw_parts(values.as_ptr().cast(), values.len()) });
    }

    fn update_words(&mut self, words: &[u64]) {
        let mut buffer = [0; CHUNK + 8];
        let words = if self.is_empty() { self.begin(words, &mut buffer) } else { words };
        for chunk in words.chunks(CHUNK) {
            // A run of one value, as in a constant or sorted column, is hashed once.
            let chunk = if chunk.iter().all(|&w| w == chunk[0]) { &chunk[..1] } else { chunk };
            let floor = match &self.state {
                State::Few(_) => 0,
                State::Many(registers) => registers.floor,
            };
            let mut n = coupon::coupons(chunk, floor, &mut buffer);
            if let State::Few(few) = &self.state {
                n = few.sift(&mut buffer[..n]);
            }
            self.insert(&buffer[..n]);
        }
    }

    /// Adds the first words of an empty sketch straight to registers, where they are sure to have too many coupons for
    /// anything else, as nearly all measurements have; what is left to add.
    fn begin<'a>(&mut self, words: &'a [u64], buffer: &mut coupon::Buffer) -> &'a [u64] {
        let Some((first, rest)) = words.split_at_checked(2 * CHUNK) else { return words };
        let mut registers = self.registers();
        for chunk in first.chunks(CHUNK) {
            let n = coupon::coupons(chunk, 0, buffer);
            registers.raise(&buffer[..n]);
        }
        // Every register in use takes a coupon of its own.
        let coupons = registers.values.iter().filter(|&&value| value > 0).count();
        if coupons <= MOST_COUPONS {
            self.spare = Some(registers.values);
            self.state = State::Few(Coupons::with_room_for(coupons));
            return words;
        }
        self.state = State::Many(registers);
        rest
    }

    /// Adds one string; the empty string is ignored, as in DataSketches.
    pub fn update_bytes(&mut self, value: &[u8]) {
        if !value.is_empty() {
            self.update_hash(hash_bytes(value));
        }
    }

    /// Adds a value by its hash.
    #[inline]
    pub fn update_hash(&mut self, hash: Hash128) {
        self.insert(&[coupon(hash)]);
    }

    /// Adds many values by their hashes, cheaper than one by one.
    pub fn update_hashes(&mut self, mut hashes: impl Iterator<Item = Hash128>) {
        let mut buffer = [0; CHUNK];
        loop {
            let floor = match &self.state {
                State::Few(_) => 0,
                State::Many(registers) => u32::from(registers.floor),
            };
            let (mut seen, mut kept) = (0, 0);
            for hash in hashes.by_ref().take(CHUNK) {
                let coupon = coupon(hash);
                buffer[kept] = coupon;
                kept += usize::from(coupon >> KEY_BITS > floor);
                seen += 1;
            }
            if seen > 0 {
                self.insert(&buffer[..kept]);
            }
            if seen < CHUNK {
                return;
            }
        }
    }

    #[inline]
    pub(super) fn insert(&mut self, coupons: &[u32]) {
        match &mut self.state {
            State::Many(registers) => {
                registers.hip = None;
                registers.raise(coupons);
            }
            State::Few(few) => {
                for (i, &coupon) in coupons.iter().enumerate() {
                    few.insert(coupon);
                    if few.len() > MOST_COUPONS {
                        self.promote();
                        return self.insert(&coupons[i + 1..]);
                    }
                }
            }
        }
    }

    #[cold]
    fn promote(&mut self) {
        let mut registers = self.registers();
        if let State::Few(few) = &self.state {
            few.iter().for_each(|coupon| registers.raise(&[coupon]));
            self.state = State::Many(registers);
        }
    }

    /// Adds what another sketch has seen.
    pub fn merge(&mut self, other: &Self) {
        if other.is_empty() {
            return;
        }
        if self.is_empty() {
            return self.clone_from(other);
        }
        match (&mut self.state, &other.state) {
            (_, State::Few(few)) => few.iter().for_each(|coupon| self.insert(&[coupon])),
            (State::Few(few), State::Many(_)) => {
                let mut merged = other.clone();
                few.iter().for_each(|coupon| merged.insert(&[coupon]));
                *self = merged;
            }
            (State::Many(mine), State::Many(theirs)) => {
                mine.values.iter_mut().zip(theirs.values.iter()).for_each(|(a, b)| *a = (*a).max(*b));
                mine.hip = None;
                mine.find_floor();
            }
        }
    }

    /// Nothing was added.
    pub fn is_empty(&self) -> bool {
        matches!(&self.state, State::Few(few) if few.len() == 0)
    }

    /// About how many distinct values were added.
    pub fn estimate(&self) -> f64 {
        self.bounds(1).1
    }

    /// Lower bound at `std_devs` (1, 2 or 3) standard deviations.
    pub fn lower_bound(&self, std_devs: u8) -> f64 {
        self.bounds(std_devs).0
    }

    /// Upper bound at `std_devs` (1, 2 or 3) standard deviations.
    pub fn upper_bound(&self, std_devs: u8) -> f64 {
        self.bounds(std_devs).2
    }

    fn bounds(&self, std_devs: u8) -> (f64, f64, f64) {
        match &self.state {
            State::Few(few) => of_coupons(few.len(), std_devs),
            State::Many(registers) => registers.bounds(&Summary::of(&registers.values), std_devs),
        }
    }
}
