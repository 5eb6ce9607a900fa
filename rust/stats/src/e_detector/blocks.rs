//! How much blocks of neighbouring windows vary, beside single ones.
use serde::{Deserialize, Serialize};

/// Neighbouring windows that are looked at together too: a memory that is weak and long shows in their sums.
const BLOCK: usize = 5;

/// Sums of neighbouring windows, each window by what it leaves of the share that those of its bucket before it foretell: of
/// independent rows these residuals have variance 1 and no correlation, whatever the seasons (Brown, Durbin and Evans
/// 1975).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Blocks {
    /// Windows that were foretold, and whole blocks of them.
    windows: usize,
    blocks: usize,
    /// Squares of the residuals of windows, of the sums of blocks, and products of those of neighbouring blocks, by set;
    /// empty where there are none.
    sets: Vec<[f64; 3]>,
    /// Sums of the block before, and of the one under way, and its windows.
    last: Vec<f64>,
    open: Vec<f64>,
    open_windows: usize,
    /// Rows and counts of each bucket in the windows before these.
    known: Vec<(f64, Vec<f64>)>,
}

impl Blocks {
    /// Whole blocks.
    pub fn number(&self) -> usize {
        self.blocks
    }

    /// Of the windows that come after these, by the rows and counts of each bucket so far.
    pub fn following(&self, known: Vec<(f64, Vec<f64>)>) -> Self {
        let Self { last, open, open_windows, .. } = self.clone();
        Self { known, last, open, open_windows, ..Self::default() }
    }

    /// Adds a window of a bucket, given the rows of those of it before, and their sums by set, counts first.
    pub fn add(&mut self, before: (f64, &[[f64; 2]]), bucket: usize, counts: &[u64], rows: u64) {
        let known = self.known.get(bucket);
        let known_rows = before.0 + known.map_or(0.0, |known| known.0);
        if known_rows == 0.0 {
            return;
        }
        self.windows += 1;
        self.sets.resize(counts.len(), [0.0; 3]);
        self.open.resize(counts.len(), 0.0);
        self.last.resize(counts.len(), 0.0);
        self.open_windows += 1;
        let closes = self.open_windows == BLOCK;
        let n = rows as f64;
        for (set, (sums, open)) in self.sets.iter_mut().zip(&mut self.open).enumerate() {
            let of = |counts: Option<f64>| counts.unwrap_or(0.0);
            let count =
                of(before.1.get(set).map(|sums| sums[0])) + of(known.and_then(|k| k.1.get(set).copied()));
            let foretold = n * count / known_rows;
            // Half a row beside them, as nothing is known not to vary.
            let p = (count + 0.5) / (known_rows + 1.0);
            let deviation = (n * p * (1.0 - p) * (1.0 + n / known_rows)).sqrt();
            let residual = (counts[set] as f64 - foretold) / deviation;
            sums[0] += residual * residual;
            *open += residual;
            if closes {
                let sum = std::mem::take(open);
                sums[1] += sum * sum;
                sums[2] += sum * std::mem::replace(&mut self.last[set], sum);
            }
        }
        if closes {
            self.blocks += 1;
            self.open_windows = 0;
        }
    }

    /// Variance of windows, and of whole blocks a window, as a multiple of that of independent rows, and the correlation of
    /// neighbouring blocks: over some sets, 0 of none.
    pub fn varied(&self, sets: &[usize]) -> (f64, f64, f64) {
        let mut sums = [0.0; 3];
        sets.iter().filter_map(|&set| self.sets.get(set)).for_each(|of| {
            sums.iter_mut().zip(of).for_each(|(sum, of)| *sum += of);
        });
        let of = |squares: f64, many: usize| squares / (sets.len() * many).max(1) as f64;
        let memory = if sums[1] > 0.0 { sums[2] / sums[1] } else { 0.0 };
        (of(sums[0], self.windows), of(sums[1], BLOCK * self.blocks), memory)
    }

    /// Adds windows that came later.
    pub fn merge(&mut self, later: &Self) {
        self.windows += later.windows;
        self.blocks += later.blocks;
        add(&mut self.sets, &later.sets);
        self.last.clone_from(&later.last);
        self.open.clone_from(&later.open);
        self.open_windows = later.open_windows;
    }
}

/// Adds sums by set, of which one side may have none.
pub(crate) fn add<const N: usize>(mine: &mut Vec<[f64; N]>, theirs: &[[f64; N]]) {
    mine.resize(mine.len().max(theirs.len()), [0.0; N]);
    for (mine, theirs) in mine.iter_mut().zip(theirs) {
        mine.iter_mut().zip(theirs).for_each(|(a, b)| *a += b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    /// Blocks of 400 windows of 30 independent rows, in so many buckets in turn, of sets of these shares: how much they vary
    /// beside single windows, and what they remember.
    fn blocks(buckets: usize, shares: &[f64]) -> (f64, f64) {
        let mut rng = Rng::new(4);
        let mut found = Blocks::default();
        let mut before = vec![(0.0, vec![[0.0; 2]; shares.len()]); buckets];
        for window in 0..400 {
            let mut count = |share: f64| (0..30).filter(|_| rng.next_f64() < share).count() as u64;
            let counts: Vec<u64> = shares.iter().map(|&share| count(share)).collect();
            let (rows, sums) = &mut before[window % buckets];
            found.add((*rows, sums), window % buckets, &counts, 30);
            *rows += 30.0;
            sums.iter_mut().zip(&counts).for_each(|(sum, &count)| sum[0] += count as f64);
        }
        let sets: Vec<usize> = (0..shares.len()).collect();
        let (single, block, memory) = found.varied(&sets);
        (block / single, memory)
    }

    /// Neither seasons of few rows nor rare sets look like memory.
    #[test]
    fn blocks_of_independent_rows_vary_as_their_windows_let_them() {
        for buckets in [1, 7, 100] {
            for share in [0.5, 0.1, 0.002] {
                let (ratio, memory) = blocks(buckets, &[share; 40]);
                assert!(
                    (ratio - 1.0).abs() < 0.15 && memory.abs() < 0.1,
                    "{buckets} {share}: {ratio} {memory}"
                );
            }
        }
    }
}
