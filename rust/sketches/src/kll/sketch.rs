//! The sketch: levels, and when they are compacted.
use super::SortedView;
use super::compact::{BLOCK, compact_block};
use super::image::{self, Image};
use super::select::{Place, Run, select};
use super::sort::{merge_into, sort};
use crate::{ArgumentError, ImageError};
use std::borrow::Cow;

/// A mergeable summary of the ranks of doubles.
///
/// Exact until about 2.5 `k` values, then within [`rank_error`](Self::rank_error) of every rank. The
/// same seed and the same values in the same order give the same sketch, however they are cut into
/// calls of [`update`](Self::update).
#[derive(Clone, Debug)]
pub struct KllSketch {
    k: u16,
    /// The smallest `k` of all sketches merged into this one that were not exact.
    min_k: u16,
    n: u64,
    /// Of all values but those in the tail of level 0.
    min: f64,
    max: f64,
    /// Whether every value is retained.
    exact: bool,
    /// The first level whose tail is sorted as a whole; those below pass through blocks.
    base: usize,
    levels: Vec<Level>,
    coins: Coins,
    scratch: Vec<f64>,
    /// Levels that were in use before the sketch was cleared or became lower, to be used again.
    spare: Vec<Level>,
}

/// Values of one weight.
#[derive(Clone, Debug, Default)]
struct Level {
    sorted: Vec<f64>,
    /// Values that wait to be sorted.
    tail: Vec<f64>,
}

impl Level {
    fn clear(&mut self) {
        self.sorted.clear();
        self.tail.clear();
    }
}

/// Random numbers, and for each level the toss that its next compaction must answer.
#[derive(Clone, Debug)]
struct Coins {
    state: u64,
    /// Whether the values that came with an image are still to decide the tosses.
    unseeded: bool,
    owed: u64,
    tosses: u64,
}

impl Coins {
    fn new(seed: u64) -> Self {
        Self { state: seed, unseeded: false, owed: 0, tosses: 0 }
    }

    /// Those of an image, which nothing but its values can seed. What is read is mostly only asked, so that is left
    /// until something is added.
    fn of_image() -> Self {
        Self { unseeded: true, ..Self::new(0) }
    }

    /// Lets a value of the data decide the tosses to come as well. Sketches of the days of one column
    /// have the same seed; with the same tosses their errors would add up where they should cancel.
    fn stir(&mut self, value: f64) {
        self.state ^= mix(value.to_bits());
    }

    /// SplitMix64 (Steele, Lea and Flood 2014).
    fn random(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.state)
    }

    /// A fair toss for a level; every second toss is the opposite of the one before.
    fn toss(&mut self, level: usize) -> bool {
        let bit = 1u64 << (level % 64);
        self.owed ^= bit;
        if self.owed & bit != 0 {
            let random = self.random() & bit;
            self.tosses = (self.tosses & !bit) | random;
        } else {
            self.tosses ^= bit;
        }
        self.tosses & bit != 0
    }
}

/// The finalizer of SplitMix64.
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// What a value of level `h` stands for.
fn weight(level: usize) -> u64 {
    1 << level.min(63)
}

/// Levels that one block compaction climbs on its way to `base`: blocks keep every fourth value, or
/// every second where base is 1.
fn climb(base: usize) -> usize {
    base.min(2)
}

/// Whether values at `level` go through blocks when the first large level is `base`.
fn takes_blocks(level: usize, base: usize) -> bool {
    level < base && level.is_multiple_of(climb(base))
}

/// The first large level after `n` values.
///
/// A block stage of stride `w` on values of weight `v` adds to the variance of a rank `v (w² - 1) / 12
/// / 32` for every row: `(w² - 1) / 6` squared weights is the variance of rounding a count to `w` at a
/// random offset, mirrored offsets halve it, and 32 rows share it. A stage begins when `n` rows with
/// all stages would have added `n² / k²`. Rows before added less, so what has been added stays below
/// half of that, while the published error at 99 % allows a variance of 1.1 `n² / k²`.
fn base_level(n: u64, k: u16) -> usize {
    let stage = |stride: f64, weight: f64| weight * (stride * stride - 1.0) / 12.0 / 32.0;
    let allowed = n as f64 / f64::from(k).powi(2);
    if allowed < stage(4.0, 1.0) {
        return usize::from(allowed >= stage(2.0, 1.0));
    }
    let (mut level, mut added) = (0, 0.0);
    loop {
        added += stage(4.0, weight(level) as f64);
        // 2^56 values are more than an image may claim.
        if added > allowed || level == 56 {
            return level;
        }
        level += 2;
    }
}

/// How many of the sorted values lie at or below an edge that is near the first of them: many edges share a list, and
/// each finds its place in fewer steps from the last one's than by halving all that is left.
fn count_up_to(values: &[f64], edge: f64) -> usize {
    let (chunks, rest) = values.as_chunks::<8>();
    let whole = chunks.iter().take_while(|chunk| chunk[7] <= edge).count();
    let part = chunks.get(whole).map_or(rest, |chunk| chunk);
    8 * whole + part.iter().filter(|value| **value <= edge).count()
}

impl KllSketch {
    /// The default accuracy: any rank within 0.18 %, all at once within 0.23 %, at 99 %.
    pub const DEFAULT_K: u16 = 1600;

    /// An empty sketch. `k` from 8 to 65,535.
    ///
    /// # Errors
    /// `k` is below 8.
    pub fn try_new(k: u16, seed: u64) -> Result<Self, ArgumentError> {
        if k < image::MIN_K {
            return Err(ArgumentError(format!("k is {k}: it must be 8 to 65535")));
        }
        Ok(Self {
            k,
            min_k: k,
            n: 0,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
            exact: true,
            base: 0,
            levels: vec![Level::default()],
            coins: Coins::new(seed),
            scratch: vec![],
            spare: vec![],
        })
    }

    /// Forgets all values and keeps the memory that they took: the sketch is as [`try_new`](Self::try_new) makes it.
    pub fn clear(&mut self, seed: u64) {
        self.levels.iter_mut().for_each(Level::clear);
        self.spare.extend(self.levels.drain(1..).rev());
        (self.min_k, self.n, self.exact, self.base) = (self.k, 0, true, 0);
        (self.min, self.max) = (f64::INFINITY, f64::NEG_INFINITY);
        self.coins = Coins::new(seed);
    }

    /// Tells an empty sketch that at least `n` values are to come, so that it need not find out: it takes
    /// the strides at once that it would have come to. Blocks then add up to half the variance that
    /// `base_level` allows. With fewer values the error is larger than stated.
    pub fn expect(&mut self, n: u64) {
        if self.is_empty() {
            self.base = base_level(n / 2, self.k);
        }
    }

    /// Adds values: no NaN, and no negative zero.
    pub fn update(&mut self, mut values: &[f64]) {
        debug_assert!(values.iter().all(|x| !x.is_nan() && (*x != 0.0 || x.is_sign_positive())));
        if values.is_empty() {
            return;
        }
        self.seed_coins();
        while !values.is_empty() {
            let pending = self.levels[0].tail.len();
            if self.base > 0 && pending == 0 && values.len() >= BLOCK {
                // Straight from the caller's memory, as long as no level above is full.
                let (block, rest) = values.split_first_chunk::<BLOCK>().expect("checked above");
                self.n += BLOCK as u64;
                self.add_block(0, block);
                self.settle_if_full();
                values = rest;
                continue;
            }
            let room = self.tail_limit(0) - pending;
            let (now, rest) = values.split_at(room.min(values.len()));
            self.levels[0].tail.extend_from_slice(now);
            self.n += now.len() as u64;
            values = rest;
            if now.len() < room {
                return;
            }
            if self.base > 0 {
                self.drain_blocks(0);
                self.settle_if_full();
            } else {
                self.settle();
            }
        }
    }

    /// Adds one value `weight` times, without loss and in no more time than its binary digits take.
    pub fn update_weighted(&mut self, value: f64, weight: u64) {
        debug_assert!(!value.is_nan() && (value != 0.0 || value.is_sign_positive()));
        if weight == 0 {
            return;
        }
        self.seed_coins();
        self.n = self.n.saturating_add(weight);
        self.see(value, value);
        for level in (0..64).filter(|level| weight >> level & 1 == 1) {
            self.level(level).tail.push(value);
            if self.levels[level].tail.len() >= self.tail_limit(level) {
                self.settle();
            }
        }
    }

    /// Adds what another sketch has seen. Sketches of different `k` give the error of the smaller.
    pub fn merge(&mut self, other: &Self) {
        let (Some(min), Some(max)) = (other.min(), other.max()) else { return };
        self.seed_coins();
        self.see(min, max);
        self.n = self.n.saturating_add(other.n);
        if !other.exact {
            self.exact = false;
            self.min_k = self.min_k.min(other.min_k);
        }
        // The states differ wherever the streams or the seeds do, so errors stay independent.
        let theirs = if other.coins.unseeded { other.image_seed() } else { other.coins.state };
        self.coins.state = mix(self.coins.state ^ theirs.rotate_left(32));
        let mut merged = vec![];
        for (h, theirs) in other.levels.iter().enumerate() {
            let ours = self.level(h);
            ours.tail.extend_from_slice(&theirs.tail);
            if !theirs.sorted.is_empty() {
                merge_into(&ours.sorted, &theirs.sorted, &mut merged);
                std::mem::swap(&mut ours.sorted, &mut merged);
                merged.clear();
            }
        }
        self.settle();
    }

    /// The accuracy parameter.
    pub fn k(&self) -> u16 {
        self.k
    }

    /// How many values were added.
    pub fn n(&self) -> u64 {
        self.n
    }

    /// Whether nothing was added.
    pub fn is_empty(&self) -> bool {
        self.n == 0
    }

    /// Whether every value is retained, so that ranks and quantiles have no error.
    pub fn is_exact(&self) -> bool {
        self.exact
    }

    /// The smallest value, exactly.
    pub fn min(&self) -> Option<f64> {
        let min = self.levels[0].tail.iter().copied().fold(self.min, f64::min);
        (!self.is_empty()).then_some(min)
    }

    /// The largest value, exactly.
    pub fn max(&self) -> Option<f64> {
        let max = self.levels[0].tail.iter().copied().fold(self.max, f64::max);
        (!self.is_empty()).then_some(max)
    }

    /// The values that an image retains, in order with their weights: what is asked of the sketch, of its
    /// image and of what others make of that image has one answer.
    pub fn sorted_view(&self) -> SortedView {
        self.as_imaged().own_view()
    }

    /// The quantiles at ascending shares, as [`sorted_view`](Self::sorted_view) has them, none of an empty sketch, and
    /// what [`to_bytes`](Self::to_bytes) says, for one compaction: that of the sketch itself, which holds what its image
    /// does from then on.
    pub fn quantiles_and_bytes(&mut self, shares: &[f64]) -> (Vec<f64>, Vec<u8>) {
        self.sort_tails();
        // An exact sketch answers exactly, also where `k` is so small that its image cannot.
        let exactly = self.exact.then(|| self.places(shares).1);
        self.fit_image();
        let places = exactly.unwrap_or_else(|| self.places(shares).1);
        (places.iter().map(|place| place.value).collect(), self.image_bytes())
    }

    /// All values that it holds, with their weights.
    fn own_view(&self) -> SortedView {
        let mut items = Vec::with_capacity(self.retained());
        for (h, level) in self.levels.iter().enumerate() {
            items.extend(level.sorted.iter().chain(&level.tail).map(|&value| (value, weight(h))));
        }
        // Stable, because it finds and merges the runs that levels are.
        items.sort_by(|a, b| a.0.total_cmp(&b.0));
        SortedView::of_sorted(items)
    }

    /// A copy without what lies in its working space.
    fn copied(&self) -> Self {
        let (levels, coins) = (self.levels.clone(), self.coins.clone());
        Self { levels, coins, scratch: vec![], spare: vec![], ..*self }
    }

    /// What an image of this sketch retains.
    fn as_imaged(&self) -> Cow<'_, Self> {
        if self.exact || self.fits_image() {
            return Cow::Borrowed(self);
        }
        let mut small = self.copied();
        small.fit_image();
        Cow::Owned(small)
    }

    /// Whether an image has room for all that is held, and all of it is in order.
    fn fits_image(&self) -> bool {
        if self.coins.unseeded {
            // As an image held it; the capacity of one takes longer to work out than many a question to answer.
            return true;
        }
        let is_settled = self.levels.iter().all(|level| level.tail.is_empty());
        is_settled && self.retained() <= image::capacity(self.k, image::most_levels(self.n))
    }

    /// Values at or below each of ascending `edges`, as [`KllSketch::sorted_view`] has them: quicker, because
    /// the levels need not be merged.
    pub fn weights_up_to(&self, edges: &[f64]) -> Vec<u64> {
        let mut weights = vec![0; edges.len()];
        let mut tail = vec![];
        for (h, level) in self.as_imaged().levels.iter().enumerate() {
            tail.clear();
            tail.extend_from_slice(&level.tail);
            tail.sort_unstable_by(f64::total_cmp);
            for run in [&level.sorted, &tail] {
                let mut below = 0;
                for (edge, sum) in edges.iter().zip(&mut weights) {
                    below += count_up_to(&run[below..], *edge);
                    *sum += below as u64 * weight(h);
                }
            }
        }
        weights
    }

    /// For each of ascending shares of all values, the quantile as [`sorted_view`](Self::sorted_view) has it and the
    /// share of the values that equal it; quicker, because the levels need not be merged. Nothing of an empty sketch.
    pub fn quantiles_with_shares(&self, shares: &[f64]) -> Vec<(f64, f64)> {
        let mut imaged = self.as_imaged();
        if imaged.levels.iter().any(|level| !level.tail.is_empty()) {
            imaged.to_mut().sort_tails();
        }
        let (n, places) = imaged.places(shares);
        let share = |weight: u64| weight as f64 / n as f64;
        places.iter().map(|place| (place.value, share(place.up_to) - share(place.below))).collect()
    }

    /// The weight of all values, and where those at ascending shares of it are; tails must have been sorted.
    fn places(&self, shares: &[f64]) -> (u64, Vec<Place>) {
        let levels = self.levels.iter().enumerate().filter(|(_, level)| !level.sorted.is_empty());
        let mut runs: Vec<_> =
            levels.map(|(h, level)| Run { values: &level.sorted, weight: weight(h) }).collect();
        let weights = runs.iter().map(|run| run.weight.saturating_mul(run.values.len() as u64));
        let n = weights.fold(0, u64::saturating_add);
        let target = |share: &f64| ((share.clamp(0.0, 1.0) * n as f64).ceil() as u64).clamp(1, n.max(1));
        let targets: Vec<u64> = shares.iter().map(target).collect();
        let mut places = Vec::with_capacity(targets.len());
        select(&mut runs, 0, 0, &targets, &mut places);
        (n, places)
    }

    /// Error of one rank at 99 %, as a share of `n`; 0 while the sketch is exact.
    ///
    /// The formula is the one Apache DataSketches publishes for its own compaction schedule. This
    /// sketch compacts more rarely; simulation puts its error at no more than two thirds of it.
    pub fn rank_error(&self) -> f64 {
        if self.exact { 0.0 } else { 2.296 / f64::from(self.min_k).powf(0.9723) }
    }

    /// Error of all ranks at once at 99 %, as a share of `n`; 0 while the sketch is exact. It bounds
    /// the error of the share of values between two points too, which DataSketches calls PMF error.
    pub fn all_rank_error(&self) -> f64 {
        if self.exact { 0.0 } else { self.estimated_all_rank_error() }
    }

    /// [`KllSketch::all_rank_error`] of a sketch that is no longer exact.
    pub fn estimated_all_rank_error(&self) -> f64 {
        2.446 / f64::from(self.min_k).powf(0.9433)
    }

    /// The Apache DataSketches image of doubles, after compaction to the size that the format allows.
    /// Of an exact sketch it is exact too, for `k` of 100 or more.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut small = self.copied();
        small.fit_image();
        small.image_bytes()
    }

    /// Reads an image of doubles.
    ///
    /// # Errors
    /// The bytes are not a KLL image, or one that contradicts itself. An image does not say what type
    /// its items have: one of longs is read as the wrong numbers or refused.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ImageError> {
        image::read::<f64>(bytes).map(Self::from_image)
    }

    /// Reads an image of floats.
    ///
    /// # Errors
    /// As [`from_bytes`](Self::from_bytes).
    pub fn from_bytes_f32(bytes: &[u8]) -> Result<Self, ImageError> {
        image::read::<f32>(bytes).map(|image| Self::from_image(image.map(f64::from)))
    }

    /// Reads an image of 64-bit integers. Those beyond 2^53 are rounded to the nearest double.
    ///
    /// # Errors
    /// As [`from_bytes`](Self::from_bytes).
    pub fn from_bytes_i64(bytes: &[u8]) -> Result<Self, ImageError> {
        image::read::<i64>(bytes).map(|image| Self::from_image(image.map(|x| x as f64)))
    }

    /// How many values a level's tail holds before it is worked on. 2.56 `k` is the most that is sure
    /// to fit an image uncompacted, whose capacity tends to 3 `k`; at 1,600 it is 4,096 values.
    fn tail_limit(&self, level: usize) -> usize {
        if takes_blocks(level, self.base) { BLOCK } else { (usize::from(self.k) * 64 / 25) & !1 }
    }

    fn retained(&self) -> usize {
        self.levels.iter().map(|level| level.sorted.len() + level.tail.len()).sum()
    }

    /// Seeds the coins of a sketch from an image, before anything is added to it.
    fn seed_coins(&mut self) {
        if self.coins.unseeded {
            self.coins = Coins::new(self.image_seed());
        }
    }

    /// The seed that a sketch from an image has in the values it came with.
    fn image_seed(&self) -> u64 {
        let items = self.levels.iter().flat_map(|level| &level.sorted);
        items.fold(self.n, |state, item| mix(state ^ item.to_bits()))
    }

    fn see(&mut self, min: f64, max: f64) {
        self.min = self.min.min(min);
        self.max = self.max.max(max);
    }

    fn level(&mut self, h: usize) -> &mut Level {
        if self.levels.len() <= h {
            self.levels.resize_with(h + 1, || self.spare.pop().unwrap_or_default());
        }
        &mut self.levels[h]
    }

    /// Sends a block of values of level `h` to the next level on the way to base.
    fn add_block(&mut self, h: usize, block: &[f64; BLOCK]) {
        self.coins.stir(block[0]);
        let (climb, random) = (climb(self.base), self.coins.random());
        let kept = &mut self.level(h + climb).tail;
        let (min, max) = compact_block(block, 1 << climb, random, kept);
        if h == 0 {
            self.see(min, max);
        }
        self.exact = false;
    }

    /// Works on the levels if the one that blocks go to is full.
    fn settle_if_full(&mut self) {
        let next = climb(self.base);
        if self.levels[next].tail.len() >= self.tail_limit(next) {
            self.settle();
        }
    }

    /// Brings every level below its limit, from the lowest up.
    fn settle(&mut self) {
        if self.base == 0 && self.retained() < self.tail_limit(0) {
            return;
        }
        self.base = self.base.max(base_level(self.n, self.k));
        let mut h = 0;
        while h < self.levels.len() {
            if self.levels[h].tail.len() >= self.tail_limit(h) {
                if takes_blocks(h, self.base) {
                    self.drain_blocks(h);
                } else {
                    self.sort_tail(h);
                }
            }
            // Twice what an image holds at most in a level.
            if self.levels[h].sorted.len() > 2 * usize::from(self.k) {
                self.compact(h);
            }
            h += 1;
        }
    }

    fn drain_blocks(&mut self, h: usize) {
        let mut tail = std::mem::take(&mut self.levels[h].tail);
        let (blocks, rest) = tail.as_chunks::<BLOCK>();
        for block in blocks {
            self.add_block(h, block);
        }
        let done = tail.len() - rest.len();
        tail.drain(..done);
        self.levels[h].tail = tail;
    }

    fn sort_tails(&mut self) {
        for h in 0..self.levels.len() {
            if !self.levels[h].tail.is_empty() {
                self.sort_tail(h);
            }
        }
    }

    fn sort_tail(&mut self, h: usize) {
        let Level { sorted, tail } = &mut self.levels[h];
        sort(tail, &mut self.scratch);
        let ends = tail.first().copied().zip(tail.last().copied());
        if sorted.is_empty() {
            std::mem::swap(sorted, tail);
        } else {
            self.scratch.clear();
            merge_into(sorted, tail, &mut self.scratch);
            std::mem::swap(sorted, &mut self.scratch);
        }
        tail.clear();
        if let (0, Some((min, max))) = (h, ends) {
            self.see(min, max);
        }
    }

    /// Moves every second value of a sorted level one level up. Of an odd number the first stays.
    fn compact(&mut self, h: usize) {
        self.exact = false;
        let mut from = std::mem::take(&mut self.levels[h].sorted);
        self.coins.stir(from[from.len() / 2]);
        let upper = usize::from(self.coins.toss(h));
        let stay = from.len() % 2;
        self.scratch.clear();
        self.scratch.extend(from[stay..].chunks_exact(2).map(|pair| pair[upper]));
        let first = from.first().copied().filter(|_| stay == 1);
        from.clear();
        self.level(h + 1);
        merge_into(&self.levels[h + 1].sorted, &self.scratch, &mut from);
        // The list that is merged away becomes the lower level's: lists change places, not memory.
        let mut spare = std::mem::replace(&mut self.levels[h + 1].sorted, from);
        spare.clear();
        spare.extend(first);
        self.levels[h].sorted = spare;
    }

    /// Compacts, from the lowest level up, until an image has room.
    fn fit_image(&mut self) {
        self.sort_tails();
        if self.retained() <= image::capacity(self.k, image::most_levels(self.n)) {
            return;
        }
        self.seed_coins();
        loop {
            while self.levels.last().is_some_and(|level| level.sorted.is_empty()) {
                self.spare.extend(self.levels.pop());
            }
            let levels = self.levels.len();
            if self.retained() <= image::capacity(self.k, levels) {
                return;
            }
            let over = |h: &usize| self.levels[*h].sorted.len() > image::level_capacity(self.k, levels, *h);
            // More than the sum of all levels' capacities: at least one is over its own.
            let Some(h) = (0..levels).find(over) else { return };
            self.compact(h);
        }
    }

    /// What is held as an image, which must have room for it.
    fn image_bytes(&self) -> Vec<u8> {
        let ends = self.min().zip(self.max());
        let levels = self.levels.iter().map(|level| &level.sorted).collect();
        image::write(&Image { k: self.k, min_k: self.min_k, n: self.n, ends, levels })
    }

    fn from_image(image: Image<f64>) -> Self {
        let Image { k, min_k, n, ends, levels } = image;
        let (min, max) = ends.unwrap_or((f64::INFINITY, f64::NEG_INFINITY));
        let mut levels: Vec<Level> =
            levels.into_iter().map(|sorted| Level { sorted, tail: vec![] }).collect();
        if levels.is_empty() {
            levels.push(Level::default());
        }
        let exact = levels[1..].iter().all(|level| level.sorted.is_empty());
        let (base, coins, scratch, spare) = (0, Coins::of_image(), vec![], vec![]);
        Self { k, min_k, n, min, max, exact, base, levels, coins, scratch, spare }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coins_of_an_image_are_seeded_by_its_values_before_anything_is_added() {
        let mut first = KllSketch::try_new(8, 1).unwrap();
        first.update(&(0..500).map(f64::from).collect::<Vec<_>>());
        let read = KllSketch::from_bytes(&first.to_bytes()).unwrap();
        let items = read.levels.iter().flat_map(|level| level.sorted.iter().map(|x| x.to_bits()));
        let mut seeded = read.clone();
        seeded.coins = Coins::new(items.fold(500, |state, bits| mix(state ^ bits)));
        let more: Vec<f64> = (0..900).map(|i| f64::from(i * 7 % 901)).collect();
        let added: [fn(&mut KllSketch, &KllSketch, &[f64]); 4] = [
            |sketch, _, more| sketch.update(more),
            |sketch, _, more| more.iter().for_each(|x| sketch.update_weighted(*x, 3)),
            |sketch, other, _| sketch.merge(other),
            |sketch, other, more| {
                let mut updated = other.clone();
                updated.update(more);
                updated.merge(sketch);
                *sketch = updated;
            },
        ];
        for add in added {
            let (mut a, mut b) = (read.clone(), seeded.clone());
            add(&mut a, &read, &more);
            add(&mut b, &seeded, &more);
            assert_eq!((a.coins.state, a.to_bytes()), (b.coins.state, b.to_bytes()));
        }
    }

    #[test]
    fn quantiles_with_shares_are_those_of_the_sorted_view() {
        let shares: Vec<f64> = (0..=33).map(|i| f64::from(i) / 33.0).collect();
        for (k, n, distinct) in
            [(8, 1, 5), (8, 900, 7), (200, 150, 40), (200, 90_000, 3), (200, 90_000, 90_001)]
        {
            let mut sketch = KllSketch::try_new(k, 1).unwrap();
            sketch.update(&(0..n).map(|i| f64::from(i * 7 % distinct)).collect::<Vec<_>>());
            let view = sketch.sorted_view();
            let expected = shares.iter().map(|share| {
                let value = view.quantile(*share).unwrap();
                (value, view.rank(value).unwrap() - view.rank_exclusive(value).unwrap())
            });
            assert_eq!(
                sketch.quantiles_with_shares(&shares),
                expected.collect::<Vec<_>>(),
                "{k} {n} {distinct}"
            );
        }
        assert_eq!(KllSketch::try_new(8, 1).unwrap().quantiles_with_shares(&shares), []);
    }

    #[test]
    fn blocks_begin_later_the_more_accurate_the_sketch() {
        // k = 1600 begins at 2,560,000 times the variance of a row: 20,000, 100,000, 500,000, 2,100,000.
        for (n, level) in [(19_999, 0), (20_000, 1), (100_000, 2), (500_000, 4), (2_100_000, 6)] {
            assert_eq!(base_level(n, 1600), level, "{n}");
            assert!(base_level(n * 9 / 10, 1600) <= level);
        }
        assert!(base_level(u64::MAX, 8) < 64);
    }

    #[test]
    fn every_second_toss_of_a_level_answers_the_first() {
        let mut coins = Coins::new(1);
        let tosses: Vec<bool> = (0..400).map(|_| coins.toss(3)).collect();
        assert!(tosses.chunks(2).all(|pair| pair[0] != pair[1]));
        let heads = tosses.iter().step_by(2).filter(|&&toss| toss).count();
        assert!((70..130).contains(&heads), "{heads} of 200");
    }
}
