//! By how much windows vary more than independent rows would let them, and for how long they remember it.
use crate::ArgumentError;
use crate::e_detector::blocks::{Blocks, add};
use crate::e_detector::watch::Discount;
use serde::{Deserialize, Serialize};

/// The lag-1 correlation is taken so many standard errors larger than it is estimated, of few windows, and of at least
/// [`WINDOWS_TO_SHOW`].
const CAUTION: f64 = 1.5;
const CAUTION_OF_MANY: f64 = 1.0;
/// Fewer windows cannot show that they do not remember, nor that rows are independent.
const WINDOWS_TO_SHOW: usize = 100;
/// The memory that so few windows cannot exclude, as what it makes of a variance: (1 + .8) / (1 - .8).
const UNSEEN_MEMORY: f64 = 9.0;
/// A correlation beyond this is a memory that no discount makes up for.
const MOST_MEMORY: f64 = 0.5;
/// One set in so many is looked at for what windows remember.
const VARY_MOST: usize = 4;
/// Where rows depend on each other, a window may win at most the number of windows that showed how, to this power: what
/// none of them was like may be so rare, and it takes two of it to raise an alarm, not one.
const MOST_OF_A_WINDOW: f64 = 1.5;
/// A tolerance of so many standard deviations of the windows covers how they vary.
pub const COVERS: f64 = 3.0;
/// A design effect below this is none: the windows are all alike.
const ROUNDING: f64 = 1e-9;
/// Windows clearly vary more than single rows would let them.
const CLEARLY: f64 = 1.67;
/// Standard errors within which windows look independent.
const WITHIN: f64 = 2.0;
/// The same of what many sets show together, which chance moves less than one, and how many are many.
const WITHIN_FOR_MANY: f64 = 1.5;
const MANY_SETS: usize = 24;
/// The same for the set that looks least so: of some 150 sets one lies 3 above by chance.
const WITHIN_FOR_ANY: f64 = 4.0;

/// What windows of unchanged data say about their rows, added up window by window.
///
/// In a season, windows of one bucket are alike: each is looked at beside the share of its own bucket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dispersion {
    sets: usize,
    buckets: Vec<Bucket>,
    /// Neighbouring windows of one bucket, and of a bucket and the one before it.
    within: Vec<Pairs>,
    across: Vec<Pairs>,
    blocks: Blocks,
    /// The window before.
    last: Option<Last>,
}

/// A window: its rows in each set, all its rows, its bucket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Last {
    counts: Vec<u64>,
    rows: u64,
    bucket: usize,
}

/// Sums over the windows of a bucket, of `n` rows and `c` of them in the set, from which the variance around the share of
/// all of them follows once that is known.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Bucket {
    windows: usize,
    rows: f64,
    /// c and c^2 / n, by set; empty where there are no windows.
    sets: Vec<[f64; 2]>,
}

/// Sums over pairs of neighbours, the second of which lies in the bucket.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Pairs {
    /// sqrt(n n').
    weight: f64,
    /// c c' / sqrt(n n'), c sqrt(n' / n) and c' sqrt(n / n') by set, c being that of the window before; empty where
    /// there are no pairs.
    sets: Vec<[f64; 3]>,
}

impl Dispersion {
    /// Of no windows yet, of so many buckets.
    pub fn new(sets: usize, buckets: usize) -> Self {
        let (buckets, pairs) = (vec![Bucket::default(); buckets], vec![Pairs::default(); buckets]);
        Self { sets, buckets, within: pairs.clone(), across: pairs, blocks: Blocks::default(), last: None }
    }

    /// Of the windows that come after these, which are their neighbours.
    pub fn following(&self) -> Self {
        let known = |bucket: &Bucket| (bucket.rows, bucket.sets.iter().map(|sums| sums[0]).collect());
        let mut new = Self::new(self.sets, self.buckets.len());
        new.blocks = self.blocks.following(self.buckets.iter().map(known).collect());
        new.last.clone_from(&self.last);
        new
    }

    /// Adds the next window in the order of time: how many of its `rows` rows lie in each set, and its bucket. One without
    /// rows is skipped.
    ///
    /// # Errors
    /// There is not one count a set, or no such bucket.
    pub fn update(&mut self, counts: &[u64], rows: u64, bucket: usize) -> Result<(), ArgumentError> {
        if counts.len() != self.sets || bucket >= self.buckets.len() {
            return Err(ArgumentError(format!(
                "{} counts and bucket {bucket}, for {} sets and {} buckets",
                counts.len(),
                self.sets,
                self.buckets.len()
            )));
        }
        if rows == 0 {
            return Ok(());
        }
        let before = &self.buckets[bucket];
        self.blocks.add((before.rows, &before.sets), bucket, counts, rows);
        self.buckets[bucket].add(counts, rows);
        let before = if bucket == 0 { self.buckets.len() - 1 } else { bucket - 1 };
        match &self.last {
            Some(last) if last.bucket == bucket => self.within[bucket].add(last, counts, rows),
            Some(last) if last.bucket == before => self.across[bucket].add(last, counts, rows),
            _ => {}
        }
        self.last = Some(Last { counts: counts.to_vec(), rows, bucket });
        Ok(())
    }

    /// Adds windows that came later; what the first of them remembers of the last before is lost, unless they were
    /// counted as [`following`](Self::following) these.
    pub fn merge(&mut self, later: &Self) {
        for (mine, theirs) in self.buckets.iter_mut().zip(&later.buckets) {
            mine.windows += theirs.windows;
            mine.rows += theirs.rows;
            add(&mut mine.sets, &theirs.sets);
        }
        let pairs =
            self.within.iter_mut().zip(&later.within).chain(self.across.iter_mut().zip(&later.across));
        for (mine, theirs) in pairs {
            mine.weight += theirs.weight;
            add(&mut mine.sets, &theirs.sets);
        }
        self.blocks.merge(&later.blocks);
        self.last.clone_from(&later.last);
    }

    /// Windows with rows.
    pub fn windows(&self) -> usize {
        self.buckets.iter().map(|bucket| bucket.windows).sum()
    }

    /// Design effect of each set: the variance of its count over that of independent rows,
    /// `sum (c - n p)^2 / (n p (1 - p)) / sum (W - 1)` with `p` the share of the set in all windows of its bucket, of which
    /// there are W (Rao and Scott 1981). 1 of a set that holds all rows or none, and where no bucket has 2 windows.
    pub fn deff(&self) -> Vec<f64> {
        (0..self.sets).map(|set| self.deff_of(set).unwrap_or(1.0)).collect()
    }

    fn deff_of(&self, set: usize) -> Option<f64> {
        let varied: Vec<(f64, usize)> = self
            .buckets
            .iter()
            .filter_map(|bucket| bucket.squares(set).map(|squares| (squares, bucket.windows - 1)))
            .collect();
        let degrees: usize = varied.iter().map(|(_, degrees)| degrees).sum();
        (degrees > 0).then(|| varied.iter().map(|(squares, _)| squares).sum::<f64>() / degrees as f64)
    }

    /// Lag-1 correlation of the shares of windows, over the quarter of the sets that vary most.
    pub fn memory(&self) -> f64 {
        self.correlation().0
    }

    /// The same of how windows vary beyond single rows, whose noise hides a part of it. Where they hardly do, it cannot
    /// be told from that noise, and is that of the shares.
    fn memory_of_wobble(&self) -> f64 {
        let (memory, deff) = self.correlation();
        let memory = self.unbiased(memory);
        if deff > CLEARLY { memory * deff / (deff - 1.0) } else { memory }
    }

    /// The quarter of the sets that vary most; those that hold all rows or none say nothing.
    fn varying_most(&self, deff: &[f64]) -> Vec<usize> {
        let mut sets: Vec<usize> = (0..self.sets).filter(|&set| self.deff_of(set).is_some()).collect();
        sets.sort_by(|&a, &b| deff[b].total_cmp(&deff[a]));
        sets.truncate(sets.len().div_ceil(VARY_MOST));
        sets
    }

    /// Lag-1 correlation and mean design effect of the quarter of the sets that vary most.
    fn correlation(&self) -> (f64, f64) {
        let deff = self.deff();
        let sets = self.varying_most(&deff);
        let parts = sets.iter().map(|&set| self.memory_of(set));
        let (products, squares) =
            parts.fold((0.0, 0.0), |(p, s), (product, square)| (p + product, s + square));
        let deff = mean(&sets.iter().map(|&set| deff[set]).collect::<Vec<_>>());
        // Windows that do not vary at all leave what rounding makes of 0.
        (if deff > ROUNDING && squares > 0.0 { products / squares } else { 0.0 }, deff)
    }

    /// Residuals around the mean of few windows have lost a part of their correlation with it: of `n` windows of a bucket,
    /// `(1 + 3 phi) / n` on average (Kendall 1954). Of three windows nothing is left.
    fn unbiased(&self, memory: f64) -> f64 {
        let many = self.windows_of_bucket();
        if many > 3.0 { (memory + 1.0 / many) / (1.0 - 3.0 / many) } else { 1.0 }
    }

    /// Windows of a bucket, on average over those that have any.
    fn windows_of_bucket(&self) -> f64 {
        let used = self.buckets.iter().filter(|bucket| bucket.windows > 0).count();
        self.windows() as f64 / used.max(1) as f64
    }

    /// Products of neighbouring residuals of a set, and squares of all.
    fn memory_of(&self, set: usize) -> (f64, f64) {
        let squares: f64 = self.buckets.iter().filter_map(|bucket| bucket.squares(set)).sum();
        let count = self.buckets.len();
        let product = |(pairs, bucket, before): (&Pairs, usize, usize)| {
            let (p, q) = (self.buckets[before].share(set)?, self.buckets[bucket].share(set)?);
            let [product, of_before, of_this] = *pairs.sets.get(set)?;
            let around = product - q * of_before - p * of_this + p * q * pairs.weight;
            Some(around / (p * (1.0 - p) * q * (1.0 - q)).sqrt())
        };
        let within = self.within.iter().enumerate().map(|(bucket, pairs)| (pairs, bucket, bucket));
        let across = self
            .across
            .iter()
            .enumerate()
            .map(|(bucket, pairs)| (pairs, bucket, (bucket + count - 1) % count));
        (within.chain(across).filter_map(product).sum(), squares)
    }

    /// By how much the share of windows varies beyond what independent rows would let it: the standard deviation, of the
    /// set that varies most. A tolerance of a few of it covers how they vary.
    pub fn wobble(&self) -> f64 {
        let (windows, rows) = (self.windows(), self.buckets.iter().map(|bucket| bucket.rows).sum::<f64>());
        let mean_rows = rows / windows.max(1) as f64;
        let of = |set: usize| {
            let beyond = (self.deff_of(set)? - 1.0).max(0.0);
            let shares = self.buckets.iter().filter_map(|bucket| bucket.share(set));
            let most = shares.map(|p| p * (1.0 - p)).fold(0.0, f64::max);
            Some((beyond * most / mean_rows).sqrt())
        };
        (0..self.sets).filter_map(of).fold(0.0, f64::max)
    }

    /// Whether the windows are enough to show that rows are independent, and do.
    pub fn is_independent(&self) -> bool {
        self.windows() >= WINDOWS_TO_SHOW && self.looks_independent()
    }

    /// Whether nothing in the windows speaks against independent rows: of few windows that says little.
    pub fn looks_independent(&self) -> bool {
        let deff = self.deff();
        let number = self.windows() as f64;
        // Sets overlap, so their mean may vary as much as one of them: twice the variance of a chi-square over its
        // degrees of freedom.
        let error = (2.0 / (number - 1.0).max(1.0)).sqrt();
        mean(&deff) <= 1.0 + WITHIN * error
            && deff.iter().copied().fold(1.0, f64::max) <= 1.0 + WITHIN_FOR_ANY * error
            && self.memory() <= self.within() / number.sqrt()
            && self.of_blocks() == 1.0
            && self.blocks.varied(&self.varying_most(&deff)).1
                <= 1.0 + WITHIN * (2.0 / self.blocks.number() as f64).sqrt()
    }

    /// Standard errors, of one set, within which the sets that vary most look independent.
    fn within(&self) -> f64 {
        if self.sets < MANY_SETS { WITHIN } else { WITHIN_FOR_MANY }
    }

    /// How many times more blocks of neighbouring windows vary than their windows would let them, were these independent of
    /// each other, over the quarter of the sets that vary most; 1 where they do not clearly.
    fn of_blocks(&self) -> f64 {
        let (single, block, _) = self.blocks.varied(&self.varying_most(&self.deff()));
        let ratio = if single > 0.0 { block / single } else { 1.0 };
        if ratio > 1.0 + self.within() * (2.0 / self.blocks.number() as f64).sqrt() { ratio } else { 1.0 }
    }

    /// How many times more than one window many of them vary, by what a window remembers of the one before, or, where blocks
    /// vary clearly more than their windows let them, by what a block does.
    fn vary_more_together(&self) -> f64 {
        let (of_windows, of_blocks) = (remembered(self.cautious_memory()), self.of_blocks());
        if of_blocks == 1.0 {
            return of_windows;
        }
        let (.., memory) = self.blocks.varied(&self.varying_most(&self.deff()));
        let error = 1.0 / (self.blocks.number() as f64).sqrt();
        of_windows.max(of_blocks * remembered(memory + CAUTION_OF_MANY * error))
    }

    /// The correlation that is reckoned with.
    pub fn cautious_memory(&self) -> f64 {
        (self.unbiased(self.memory()) + self.caution()).clamp(0.0, 1.0)
    }

    fn caution(&self) -> f64 {
        // What takes off a bias adds to the noise.
        let many = self.windows_of_bucket();
        let noise = if many > 3.0 { 1.0 - 3.0 / many } else { 1.0 };
        let errors = if self.windows() < WINDOWS_TO_SHOW { CAUTION } else { CAUTION_OF_MANY };
        errors / (self.windows() as f64).sqrt() / noise
    }

    /// Whether windows remember too much for any promise. A tolerance of [`COVERS`] times what they vary by makes one
    /// possible: then they do not leave their bands.
    pub fn promises_nothing(&self, tolerance: f64) -> bool {
        let cautious = self.memory_of_wobble() + self.caution();
        !self.looks_independent() && cautious > MOST_MEMORY && tolerance < COVERS * self.wobble()
    }

    /// What the evidence of each set is divided by.
    ///
    /// Independent rows need nothing. Else the fast detector counts `deff (1 + phi) / (1 - phi)` rows as one; so does
    /// the strict one with windows where they are seen to remember, or are too few to show that they do not.
    pub fn discounts(&self) -> Vec<Discount> {
        if self.is_independent() {
            return vec![Discount::NONE; self.sets];
        }
        let remembered = remembered(self.cautious_memory());
        let clear = self.memory() > WITHIN / (self.windows() as f64).sqrt();
        let windows = if clear || self.windows() < WINDOWS_TO_SHOW { remembered } else { 1.0 };
        // Where nothing is seen of dependence, there are no bursts to make up for.
        let most = if self.looks_independent() {
            f64::INFINITY
        } else {
            MOST_OF_A_WINDOW * (self.windows() as f64).ln()
        };
        let (together, least) = (self.vary_more_together(), self.unseen());
        let of = |deff: f64| {
            let rows = (deff.max(1.0) * together).max(least);
            Discount { rows, windows, most }
        };
        self.steadied().into_iter().map(of).collect()
    }

    /// Design effects of all sets without the chance of so few windows, as far as one can tell: as much of what a set has above
    /// the mean as sets differ beyond what chance makes them (Efron and Morris 1973). A set that no burst fell into while the
    /// reference was learnt has none of its own to show, and that of the mean.
    fn steadied(&self) -> Vec<f64> {
        let deff: Vec<Option<f64>> = (0..self.sets).map(|set| self.deff_of(set)).collect();
        let varying: Vec<f64> = deff.iter().copied().flatten().collect();
        let typical = if varying.is_empty() { 1.0 } else { mean(&varying) };
        let differ = mean(&varying.iter().map(|own| (own - typical).powi(2)).collect::<Vec<_>>());
        let chance = typical * typical * 2.0 / self.windows().max(1) as f64;
        let part = if differ > chance { 1.0 - chance / differ } else { 0.0 };
        deff.into_iter().map(|own| typical + part * (own.unwrap_or(typical) - typical).max(0.0)).collect()
    }

    /// Rows that count as one at least, where windows are too few to show that they do not remember: what they vary
    /// beyond single rows, and may vary without showing it, may be remembered for long.
    fn unseen(&self) -> f64 {
        let windows = self.windows();
        if windows >= WINDOWS_TO_SHOW {
            return 1.0;
        }
        let beyond = mean(&self.deff()) - 1.0 + (2.0 / windows.max(1) as f64).sqrt();
        1.0 + UNSEEN_MEMORY * beyond.max(0.0)
    }
}

/// What a correlation of neighbours makes of a variance, of many of them together.
fn remembered(memory: f64) -> f64 {
    let memory = memory.clamp(0.0, MOST_MEMORY);
    (1.0 + memory) / (1.0 - memory)
}

impl Bucket {
    fn add(&mut self, counts: &[u64], rows: u64) {
        self.windows += 1;
        self.rows += rows as f64;
        self.sets.resize(counts.len(), [0.0; 2]);
        for (sums, &count) in self.sets.iter_mut().zip(counts) {
            let count = count as f64;
            sums[0] += count;
            sums[1] += count * count / rows as f64;
        }
    }

    /// The share of a set, where it varies.
    fn share(&self, set: usize) -> Option<f64> {
        let share = self.sets.get(set)?[0] / self.rows;
        (self.windows > 1 && share > 0.0 && share < 1.0).then_some(share)
    }

    /// Squared residuals in units of the binomial's variance.
    fn squares(&self, set: usize) -> Option<f64> {
        let p = self.share(set)?;
        let [count, square] = self.sets[set];
        Some(((square - p * count) / (p * (1.0 - p))).max(0.0))
    }
}

impl Pairs {
    fn add(&mut self, before: &Last, counts: &[u64], rows: u64) {
        let (m, n) = (before.rows as f64, rows as f64);
        let weight = (m * n).sqrt();
        self.weight += weight;
        self.sets.resize(counts.len(), [0.0; 3]);
        for (sums, (&b, &c)) in self.sets.iter_mut().zip(before.counts.iter().zip(counts)) {
            let (b, c) = (b as f64, c as f64);
            sums[0] += b * c / weight;
            sums[1] += b * weight / m;
            sums[2] += c * weight / n;
        }
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    /// Windows of `rows` rows whose share of one set wobbles around a half with that standard deviation, a part of
    /// which the next window remembers.
    fn windows(number: usize, rows: u64, wobble: f64, memory: f64) -> Vec<([u64; 2], u64)> {
        let mut rng = Rng::new(11);
        let mut uniform = || rng.next_f64();
        let mut level = 0.0;
        let mut window = || {
            // A sum of 12 uniforms is normal enough.
            let noise = (0..12).map(|_| uniform()).sum::<f64>() - 6.0;
            level = memory * level + (1.0f64 - memory * memory).sqrt() * noise;
            let share = (0.5 + wobble * level).clamp(0.0, 1.0);
            let count = (0..rows).filter(|_| uniform() < share).count() as u64;
            ([count, 0], rows)
        };
        (0..number).map(|_| window()).collect()
    }

    fn dispersion(windows: &[([u64; 2], u64)]) -> Dispersion {
        let mut found = Dispersion::new(2, 1);
        windows.iter().for_each(|(counts, rows)| found.update(counts, *rows, 0).unwrap());
        found
    }

    /// The sums give what the residuals give, each window around the share of its own bucket.
    #[test]
    fn sums_equal_the_definition() {
        let windows = [
            ([3u64, 40], 50u64, 0),
            ([8, 80], 100, 1),
            ([0, 0], 0, 2),
            ([1, 30], 30, 1),
            ([9, 41], 60, 2),
            ([4, 30], 50, 2),
            ([9, 70], 100, 0),
            // The bucket after 0 is 1: this pair says nothing.
            ([2, 30], 40, 2),
        ];
        for buckets in [1, 3] {
            let mut found = Dispersion::new(2, buckets);
            let bucket = |of: usize| if buckets == 1 { 0 } else { of };
            for (counts, rows, of) in &windows {
                found.update(counts, *rows, bucket(*of)).unwrap();
            }
            let windows: Vec<_> = windows.iter().filter(|(_, rows, _)| *rows > 0).collect();
            let mut memories = vec![];
            for set in 0..2 {
                let share = |of: usize| {
                    let mine = windows.iter().filter(|window| bucket(window.2) == bucket(of));
                    let (count, rows) = mine.fold((0, 0), |(c, n), window| (c + window.0[set], n + window.1));
                    count as f64 / rows as f64
                };
                let residual = |&&(counts, n, of): &&([u64; 2], u64, usize)| {
                    let (n, p) = (n as f64, share(of));
                    // A bucket whose rows all lie in the set does not vary.
                    if p < 1.0 { (counts[set] as f64 - n * p) / (n * p * (1.0 - p)).sqrt() } else { 0.0 }
                };
                let residuals: Vec<f64> = windows.iter().map(residual).collect();
                let squares: f64 = residuals.iter().map(|r| r * r).sum();
                let degrees = 7 - buckets;
                assert!((found.deff()[set] - squares / degrees as f64).abs() < 1e-12, "{buckets}: {found:?}");
                let pairs = windows.windows(2).zip(residuals.windows(2)).filter(|(pair, _)| {
                    let (a, b) = (bucket(pair[0].2), bucket(pair[1].2));
                    a == b || (a + 1) % buckets == b
                });
                let products = pairs.map(|(_, pair)| pair[0] * pair[1]).sum::<f64>();
                memories.push((squares, products / squares));
            }
            // That of the set that varies most.
            memories.sort_by(|a, b| b.0.total_cmp(&a.0));
            assert!((found.memory() - memories[0].1).abs() < 1e-12);
            assert_eq!(found.windows(), 7);
        }
    }

    #[test]
    fn parts_add_up() {
        let windows = windows(60, 100, 0.1, 0.3);
        let of = |part: &[([u64; 2], u64)], from: usize| {
            let mut found = Dispersion::new(2, 4);
            for (i, (counts, rows)) in part.iter().enumerate() {
                found.update(counts, *rows, (from + i) % 4).unwrap();
            }
            found
        };
        let (whole, mut head) = (of(&windows, 0), of(&windows[..30], 0));
        head.merge(&of(&windows[30..], 30));
        assert!((whole.deff()[0] - head.deff()[0]).abs() < 1e-9 && whole.windows() == head.windows());
        // The pair across the seam is missing.
        assert!((whole.memory() - head.memory()).abs() < 0.1);
        let mut none = Dispersion::new(2, 4);
        none.merge(&whole);
        assert_eq!(none, whole);
        // Those that follow are neighbours, though cut within a block.
        let (mut head, whole) = (dispersion(&windows[..33]), dispersion(&windows));
        let mut tail = head.following();
        windows[33..].iter().for_each(|(counts, rows)| tail.update(counts, *rows, 0).unwrap());
        head.merge(&tail);
        let (found, expected) = (head.blocks.varied(&[0]), whole.blocks.varied(&[0]));
        assert!((found.0 / expected.0 - 1.0).abs() < 1e-9 && (found.1 / expected.1 - 1.0).abs() < 1e-9);
        assert!((found.2 - expected.2).abs() < 1e-9, "{found:?} {expected:?}");
        assert!((head.memory() - whole.memory()).abs() < 1e-12);
    }

    /// What a season moves is no wobble.
    #[test]
    fn seasons_are_no_wobble() {
        let mut rng = Rng::new(3);
        let (mut seasonal, mut plain) = (Dispersion::new(1, 2), Dispersion::new(1, 1));
        for window in 0..200 {
            let share = if window % 2 == 0 { 0.3 } else { 0.6 };
            let count = (0..500).filter(|_| rng.next_f64() < share).count() as u64;
            seasonal.update(&[count], 500, window % 2).unwrap();
            plain.update(&[count], 500, 0).unwrap();
        }
        assert!(seasonal.is_independent() && !plain.is_independent());
        assert!((plain.wobble() - 0.15).abs() < 0.01, "{}", plain.wobble());
        assert!(seasonal.wobble() < 0.02, "{}", seasonal.wobble());
    }

    #[test]
    fn independent_rows_need_no_discount() {
        let found = dispersion(&windows(200, 500, 0.0, 0.0));
        assert!(found.is_independent() && found.discounts() == vec![Discount::NONE; 2], "{found:?}");
    }

    /// A wobble of .05 around a half has a variance of 1 + (n - 1) .05^2 / .25 = 5.99 binomials.
    #[test]
    fn windows_that_wobble_have_their_design_effect() {
        let found = dispersion(&windows(400, 500, 0.05, 0.0));
        assert!(!found.is_independent() && (found.deff()[0] / 5.99 - 1.0).abs() < 0.25, "{found:?}");
        assert!(found.memory().abs() < 0.15 && !found.promises_nothing(0.0));
        let discount = found.discounts()[0];
        assert_eq!(discount.windows, 1.0);
        assert!(discount.rows >= found.deff()[0]);
        assert_eq!(found.deff()[1], 1.0);
    }

    #[test]
    fn memory_is_seen_and_too_much_of_it_promises_nothing() {
        let found = dispersion(&windows(400, 500, 0.05, 0.5));
        // The noise of the rows hides a sixth of the correlation.
        assert!((found.memory() - 0.42).abs() < 0.15, "{found:?}");
        assert!(found.discounts()[0].windows > 1.5);
        let wobbling = dispersion(&windows(400, 500, 0.05, 0.9));
        assert!(wobbling.promises_nothing(0.0) && wobbling.promises_nothing(0.1));
        assert!(!wobbling.promises_nothing(0.2));
    }

    #[test]
    fn few_windows_are_taken_with_caution() {
        let few = dispersion(&windows(40, 500, 0.05, 0.0));
        assert!(few.discounts()[0].windows > 1.2, "{few:?}");
    }

    /// Sets of rows in groups of ten differ by chance alone, and count alike; one that differs more counts for itself.
    #[test]
    fn design_effects_are_steadied_by_those_of_all_sets() {
        let mut rng = Rng::new(1);
        let (mut groups, mut one_more) = (Dispersion::new(40, 1), Dispersion::new(41, 1));
        for _ in 0..100 {
            let mut count =
                |group: u64| (0..100 / group).filter(|_| rng.next_f64() < 0.5).count() as u64 * group;
            let mut counts: Vec<u64> = (0..40).map(|_| count(10)).collect();
            groups.update(&counts, 100, 0).unwrap();
            counts.push(count(100));
            one_more.update(&counts, 100, 0).unwrap();
        }
        let most = |of: Vec<f64>| of.into_iter().fold(0.0, f64::max);
        let typical = mean(&groups.deff());
        assert!(most(groups.deff()) > 1.2 * typical, "{groups:?}");
        assert!(most(groups.steadied()) < 1.02 * typical, "{groups:?}");
        assert!((one_more.steadied()[40] / one_more.deff()[40] - 1.0).abs() < 0.02, "{one_more:?}");
        let mut alike = Dispersion::new(2, 1);
        (0..30).for_each(|window| alike.update(&[50 + window % 2, 50 - window % 2], 100, 0).unwrap());
        assert_eq!(alike.steadied(), alike.deff());
    }

    /// What 99 windows do not show they do not exclude; 100 are enough.
    #[test]
    fn few_windows_show_no_independence() {
        let mut rng = Rng::new(5);
        // Of the sets a third is empty.
        let mut few = Dispersion::new(30, 1);
        let mut add = |to: &mut Dispersion| {
            let mut counts: Vec<u64> =
                (0..20).map(|_| (0..100).filter(|_| rng.next_f64() < 0.5).count() as u64).collect();
            counts.resize(30, 0);
            to.update(&counts, 100, 0).unwrap();
        };
        (0..99).for_each(|_| add(&mut few));
        let mut many = few.clone();
        add(&mut many);
        assert!(many.is_independent() && few.looks_independent() && !few.is_independent());
        assert_eq!(many.discounts(), [Discount::NONE; 30]);
        let least = 1.0 + 9.0 * (mean(&few.deff()) - 1.0 + (2.0f64 / 99.0).sqrt());
        assert!(few.discounts().iter().all(|discount| (discount.rows - least).abs() < 1e-12), "{few:?}");
    }

    /// A memory of .95 of a wobble of half the variance of single rows: the next window shows a third of it.
    #[test]
    fn a_memory_that_is_weak_and_long_shows_in_blocks() {
        let found = dispersion(&windows(1000, 100, 0.04, 0.95));
        assert!(found.deff()[0] < 1.8, "{found:?}");
        assert!(found.of_blocks() > 1.7 && !found.looks_independent(), "{found:?}");
        // Of all windows together: 1 + .5 (1 + .95) / (1 - .95), of which 25 show a part.
        let memory = found.cautious_memory();
        let without = found.deff()[0] * (1.0 + memory) / (1.0 - memory);
        assert!(found.discounts()[0].rows > 1.5 * without, "{found:?}");
        let plain = dispersion(&windows(400, 100, 0.1, 0.0));
        assert!(plain.of_blocks() == 1.0 && plain.deff()[0] > 4.0, "{plain:?}");
    }

    #[test]
    fn nothing_seen_is_nothing_said() {
        let mut found = Dispersion::new(2, 1);
        assert_eq!((found.deff(), found.memory()), (vec![1.0; 2], 0.0));
        found.update(&[3, 0], 10, 0).unwrap();
        assert_eq!((found.deff(), found.memory(), found.windows()), (vec![1.0; 2], 0.0, 1));
        let error = found.update(&[1], 2, 0).unwrap_err().to_string();
        assert_eq!(error, "1 counts and bucket 0, for 2 sets and 1 buckets");
    }
}
