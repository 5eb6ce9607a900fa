//! Where rows come from: cells of numbers, or categories, whose windows may depend on each other.
use driftline_stats::rng::Rng;

/// Bins of a reference's numbers.
pub const BINS: usize = 33;

/// How rows are drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rows {
    /// One by one.
    Independent,
    /// In groups of so many alike.
    Clustered(u64),
    /// Each remembers so much of the one before.
    Remembering(f64),
    /// In one window of 25, 40 % of them are alike, drawn anew.
    Bursting,
    /// All of a window are shifted alike: by so many standard deviations, of which the next window remembers a part.
    Wobbling(f64, f64),
}

/// What is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Law {
    /// Numbers, each bin alike.
    Numbers,
    /// Numbers of which seven in ten are zero.
    Zeros,
    /// Numbers whose mean moves by so much from bucket to bucket of a week.
    Seasonal(f64),
    /// So many categories with shares that fall as 1/rank.
    Categories(usize),
}

impl Law {
    pub fn cells(self) -> usize {
        match self {
            // Behind the bins come missing rows.
            Law::Numbers | Law::Zeros | Law::Seasonal(_) => BINS + 1,
            Law::Categories(values) => values + 1,
        }
    }

    pub fn buckets(self) -> usize {
        if matches!(self, Law::Seasonal(_)) { 7 } else { 1 }
    }

    /// Rows in each watched set: up to each edge but the last, and in each cell; of categories in each cell.
    pub fn sets(self, cells: &[u64]) -> Vec<u64> {
        if let Law::Categories(_) = self {
            return cells.to_vec();
        }
        let up_to = cells[..BINS - 1].iter().scan(0, |sum, &count| {
            *sum += count;
            Some(*sum)
        });
        up_to.chain(cells.iter().copied()).collect()
    }
}

/// A change of the rows: a share of them moves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Change {
    /// None does.
    Nothing,
    /// From everywhere below the median to everywhere above it.
    PastMedian(f64),
    /// From everywhere into the bin of the median, as a default value does.
    IntoMedian(f64),
    /// From everywhere into the last bin.
    IntoTail(f64),
}

/// A source of windows.
pub struct World {
    rng: Rng,
    law: Law,
    rows: Rows,
    /// What is remembered of the row, or of the window, before.
    level: f64,
    /// Cumulative shares of the cells, of categories and zeros.
    ends: Vec<f64>,
}

impl World {
    pub fn new(law: Law, rows: Rows, seed: u64) -> Self {
        let shares: Vec<f64> = match law {
            Law::Categories(values) => {
                let weights: Vec<f64> = (1..=values).map(|rank| 1.0 / rank as f64).collect();
                let sum: f64 = weights.iter().sum();
                weights.into_iter().map(|weight| weight / sum).collect()
            }
            Law::Zeros => {
                let other = 0.3 / (BINS - 1) as f64;
                (0..BINS).map(|bin| if bin == 5 { 0.7 } else { other }).collect()
            }
            Law::Numbers | Law::Seasonal(_) => vec![1.0 / BINS as f64; BINS],
        };
        let ends = shares.iter().scan(0.0, |sum, share| {
            *sum += share;
            Some(*sum)
        });
        Self { rng: Rng::new(seed), law, rows, level: 0.0, ends: ends.collect() }
    }

    /// Rows in each cell of a window.
    pub fn window(&mut self, window: i64, rows: u64, change: Change) -> Vec<u64> {
        let mut cells = vec![0; self.law.cells()];
        let season = match self.law {
            Law::Seasonal(step) => step * (window.rem_euclid(7) as f64 - 3.0),
            _ => 0.0,
        };
        let shift = season
            + match self.rows {
                Rows::Wobbling(sd, memory) => {
                    let noise = self.normal();
                    self.level = memory * self.level + (1.0 - memory * memory).sqrt() * noise;
                    sd * self.level
                }
                _ => 0.0,
            };
        let size = if let Rows::Clustered(size) = self.rows { size } else { 1 };
        let mut left = rows;
        if self.rows == Rows::Bursting && self.rng.next_f64() < 1.0 / 25.0 {
            let alike = rows * 2 / 5;
            cells[(self.rng.next_f64() * BINS as f64) as usize] += alike;
            left -= alike;
        }
        while left > 0 {
            let uniform = self.uniform(shift);
            let cell = self.moved(uniform, change);
            let alike = size.min(left);
            cells[cell] += alike;
            left -= alike;
        }
        cells
    }

    /// A cumulative share.
    fn uniform(&mut self, shift: f64) -> f64 {
        match self.rows {
            Rows::Remembering(memory) => {
                let noise = self.normal();
                self.level = memory * self.level + (1.0 - memory * memory).sqrt() * noise;
                normal_share(self.level + shift)
            }
            _ if shift != 0.0 => {
                let noise = self.normal();
                normal_share(noise + shift)
            }
            _ => self.rng.next_f64(),
        }
    }

    fn moved(&mut self, uniform: f64, change: Change) -> usize {
        let uniform = match change {
            Change::PastMedian(share) if uniform < 0.5 && self.rng.next_f64() < 2.0 * share => uniform + 0.5,
            Change::IntoMedian(share) if self.rng.next_f64() < share => return BINS / 2,
            Change::IntoTail(share) if self.rng.next_f64() < share => return BINS - 1,
            _ => uniform,
        };
        self.ends.partition_point(|&end| end <= uniform).min(self.ends.len() - 1)
    }

    /// Box and Muller (1958).
    fn normal(&mut self) -> f64 {
        let (u, v) = (1.0 - self.rng.next_f64(), self.rng.next_f64());
        (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
    }
}

/// The normal distribution function, to 1e-7: Abramowitz and Stegun 26.2.17.
fn normal_share(x: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * x.abs());
    let poly = t
        * (0.319_381_530
            + t * (-0.356_563_782 + t * (1.781_477_937 + t * (-1.821_255_978 + t * 1.330_274_429))));
    let tail = (-x * x / 2.0).exp() / std::f64::consts::TAU.sqrt() * poly;
    if x >= 0.0 { 1.0 - tail } else { tail }
}
