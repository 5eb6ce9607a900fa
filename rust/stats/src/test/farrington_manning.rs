//! The test of "these two shares differ by no more than a margin".
//!
//! The score of Farrington and Manning takes the variance at the most likely shares that differ by just the
//! margin. With few rows its normal tail is far too thin for the skewed distribution of a rare cell: at 5,000
//! rows against 50 and a margin of 2 %, p is below .0025 in 1.8 % of the cases at the edge. There the tail is
//! summed at these shares.
//!
//! Sources: Farrington and Manning (1990), Statistics in Medicine 9; Storer and Kim (1990), Journal of the
//! American Statistical Association 85, for the sum.
use crate::binomial;
use crate::null::normal_sf;

/// From this many expected rows in and outside of the cell, on both sides, the tail is normal: at a score of 3
/// it is then wrong by a seventh at most, `z^3 / (6 sqrt(rows))`.
const MANY_ROWS: f64 = 1000.0;

/// A cell on one side.
#[derive(Clone, Copy, Debug)]
pub(super) struct Side {
    /// Rows in the cell.
    pub count: u64,
    /// Rows of the side.
    pub rows: u64,
}

impl Side {
    fn share(self) -> f64 {
        self.count as f64 / self.rows as f64
    }
}

/// A cell on both sides: has `low` become `high`?
#[derive(Clone, Copy, Debug)]
pub(super) struct Pair {
    pub high: Side,
    pub low: Side,
}

impl Pair {
    /// The larger share first: a loss is a gain of the other side.
    pub fn sorted(a: Side, b: Side) -> Self {
        if a.share() >= b.share() { Self { high: a, low: b } } else { Self { high: b, low: a } }
    }

    pub fn difference(&self) -> f64 {
        self.high.share() - self.low.share()
    }

    /// p-value of "no share moved by more than `margin`", both directions.
    pub fn p_value(&self, margin: f64) -> f64 {
        (self.gain_p_value(margin) + self.gain_p_value(-margin)).min(1.0)
    }

    /// p-value of "the share rose by no more than `margin`".
    pub fn gain_p_value(&self, margin: f64) -> f64 {
        let shares = self.constrained(margin);
        let expected = |side: Side, p: f64| side.rows as f64 * p.min(1.0 - p);
        let fewest = expected(self.high, shares.0).min(expected(self.low, shares.1));
        if fewest >= MANY_ROWS {
            normal_sf((self.difference() - margin) / self.variance(shares).sqrt())
        } else {
            self.tail(shares)
        }
    }

    /// `P(X / rows - Y / rows >= difference)` for binomial X and Y with these shares.
    fn tail(&self, (high, low): (f64, f64)) -> f64 {
        // The sums end where weights no longer matter.
        const SMALLEST: f64 = 1e-20;
        // A side with so little noise of its own counts as one with fewer rows, at a p-value that is a little
        // larger, because the sums would be long.
        const VARIANCE: f64 = 1e5;
        let weights = |side: Side, p: f64| {
            let rows = side.rows.min((VARIANCE / (p * (1.0 - p))) as u64);
            let (first, mut weights) = binomial::weights(rows, p / (1.0 - p), 0..=rows, SMALLEST);
            let total: f64 = weights.iter().sum();
            weights.iter_mut().for_each(|weight| *weight /= total);
            (rows as f64, first, weights)
        };
        let (high_rows, high_first, mut above) = weights(self.high, high);
        for k in (1..above.len()).rev() {
            above[k - 1] += above[k];
        }
        let (low_rows, low_first, below) = weights(self.low, low);
        let difference = self.difference();
        let exceeded = |index: usize| {
            let share = difference + (low_first + index as u64) as f64 / low_rows;
            // Less what rounding adds: the observed difference itself counts.
            let least = (share * high_rows - 1e-6).ceil() as u64;
            above.get(least.saturating_sub(high_first) as usize).copied().unwrap_or(0.0)
        };
        below.iter().enumerate().map(|(index, weight)| weight * exceeded(index)).sum()
    }

    /// `(difference - margin) / sd`, squared and at least that, at a tenth of its price, for a margin from 0 to
    /// the difference.
    pub fn score_bound(&self, margin: f64) -> f64 {
        let (from, to) = self.bracket(margin);
        // p (1 - p) is concave: on an interval it is smallest at an end.
        let smallest = |a: f64, b: f64| (a * (1.0 - a)).min(b * (1.0 - b));
        let high = smallest(from, to) / self.high.rows as f64;
        let low = smallest(from - margin, to - margin) / self.low.rows as f64;
        (self.difference() - margin).powi(2) / (high + low)
    }

    /// Logarithm of the likelihood ratio between the observed shares and the most likely ones that differ by
    /// `margin`; at most the score squared, because `ln(1 + x) <= x`.
    pub fn likelihood_ratio(&self, margin: f64) -> f64 {
        let shares = self.constrained(margin);
        let part =
            |count: f64, expected: f64| if count > 0.0 { count * (count / expected).ln() } else { 0.0 };
        let side = |side: Side, p: f64| {
            let (count, rows) = (side.count as f64, side.rows as f64);
            part(count, rows * p) + part(rows - count, rows * (1.0 - p))
        };
        side(self.high, shares.0) + side(self.low, shares.1)
    }

    fn variance(&self, (high, low): (f64, f64)) -> f64 {
        high * (1.0 - high) / self.high.rows as f64 + low * (1.0 - low) / self.low.rows as f64
    }

    /// Where the most likely larger share lies: between the one that suits its own side best and the one that
    /// suits the other.
    fn bracket(&self, margin: f64) -> (f64, f64) {
        let (a, b) = (self.high.share(), self.low.share() + margin);
        let (lowest, highest) = (margin.max(0.0), 1.0 + margin.min(0.0));
        (a.min(b).clamp(lowest, highest), a.max(b).clamp(lowest, highest))
    }

    /// The shares that are most likely if they differ by `margin`, the larger one first.
    ///
    /// The log-likelihood is concave along that line, so the sign of its slope keeps the root of the slope
    /// bracketed while Newton's steps close in. The closed form of the root loses half of its digits for rare
    /// categories, where two roots meet.
    fn constrained(&self, margin: f64) -> (f64, f64) {
        let (s1, n1) = (self.high.share(), self.high.rows as f64);
        let (s2, n2) = (self.low.share(), self.low.rows as f64);
        // Halving alone would be below the spacing of the numbers after this many steps.
        const STEPS: usize = 60;
        let (mut low, mut high) = self.bracket(margin);
        let mut p1 = f64::midpoint(low, high);
        for _ in 0..STEPS {
            let p2 = p1 - margin;
            let (v1, v2) = (p1 * (1.0 - p1), p2 * (1.0 - p2));
            // The slope, multiplied by both variances: positive factors.
            let slope = n1 * (s1 - p1) * v2 + n2 * (s2 - p2) * v1;
            if slope > 0.0 {
                low = p1;
            } else {
                high = p1;
            }
            let curvature =
                n1 * ((s1 - p1) * (1.0 - 2.0 * p2) - v2) + n2 * ((s2 - p2) * (1.0 - 2.0 * p1) - v1);
            let newton = p1 - slope / curvature;
            // False for the NaN of a curvature of 0, too.
            let next = if newton > low && newton < high { newton } else { f64::midpoint(low, high) };
            if (next - p1).abs() <= 2.0 * f64::EPSILON * p1 {
                p1 = next;
                break;
            }
            p1 = next;
        }
        (p1, (p1 - margin).clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn close(value: f64, expected: f64, relative: f64) {
        assert!((value - expected).abs() <= relative * expected.abs(), "{value:e} is not {expected:e}");
    }

    fn pair(x1: u64, n1: u64, x2: u64, n2: u64) -> Pair {
        Pair { high: Side { count: x1, rows: n1 }, low: Side { count: x2, rows: n2 } }
    }

    /// SciPy 1.17.1: minimize_scalar over the binomial log-likelihood, then norm.sf of the score.
    #[test]
    fn shares_and_scores_equal_direct_maximisation() {
        for (x1, n1, x2, n2, difference, share, p) in [
            (60, 1000, 30, 1000, 0.02, 0.053911036196801675, 0.13728160622404517),
            (60, 1000, 30, 1000, -0.02, 0.039770089882811624, 1.3266132085046454e-07),
            (9, 50, 300, 5000, 0.02, 0.08076286619690466, 0.004865427360041763),
        ] {
            let pair = pair(x1, n1, x2, n2);
            let shares = pair.constrained(difference);
            // The numeric maximum is flat: it is known to half of the digits.
            close(shares.0, share, 1e-6);
            close(normal_sf((pair.difference() - difference) / pair.variance(shares).sqrt()), p, 1e-6);
        }
    }

    fn log_likelihood(pair: &Pair, p1: f64, margin: f64) -> f64 {
        let part = |side: Side, p: f64| {
            let term = |count: u64, p: f64| if count > 0 { count as f64 * p.ln() } else { 0.0 };
            term(side.count, p) + term(side.rows - side.count, 1.0 - p)
        };
        part(pair.high, p1) + part(pair.low, p1 - margin)
    }

    fn any_pair() -> impl Strategy<Value = Pair> {
        let side = || (1..3000u64).prop_flat_map(|rows| (0..=rows, Just(rows)));
        (side(), side()).prop_map(|(a, b)| pair(a.0, a.1, b.0, b.1))
    }

    proptest! {
        #[test]
        fn no_other_shares_are_more_likely(pair in any_pair(), margin in -0.9..0.9f64) {
            let best = log_likelihood(&pair, pair.constrained(margin).0, margin);
            let (low, high) = (margin.max(0.0), 1.0 + margin.min(0.0));
            for i in 1..100 {
                let other = low + (high - low) * f64::from(i) / 100.0;
                let found = log_likelihood(&pair, other, margin);
                prop_assert!(best >= found - 1e-9 * found.abs().max(1.0), "{} {} {}", best, other, found);
            }
        }

        #[test]
        fn the_bounds_bound(pair in any_pair(), part in 0.001..1.0f64) {
            let pair = Pair::sorted(pair.high, pair.low);
            prop_assume!(pair.difference() > 0.0);
            let margin = part * pair.difference();
            let score = (pair.difference() - margin).powi(2) / pair.variance(pair.constrained(margin));
            prop_assert!(pair.score_bound(margin) >= score * (1.0 - 1e-9));
            prop_assert!(pair.likelihood_ratio(margin) <= score * (1.0 + 1e-9));
        }

        #[test]
        fn tails_are_sums_over_all_pairs_of_counts(
            x1 in 0..=20u64, x2 in 0..=31u64, high in 0.01..0.99f64, low in 0.01..0.99f64
        ) {
            let pair = pair(x1, 20, x2, 31);
            let pmf = |n: u64, k: u64, p: f64| {
                let choose = (0..k).fold(1.0, |c, i| c * (n - i) as f64 / (i + 1) as f64);
                choose * p.powi(k as i32) * (1.0 - p).powi((n - k) as i32)
            };
            let mut sum = 0.0;
            for k1 in 0..=20 {
                for k2 in 0..=31 {
                    if k1 as i64 * 31 - k2 as i64 * 20 >= x1 as i64 * 31 - x2 as i64 * 20 {
                        sum += pmf(20, k1, high) * pmf(31, k2, low);
                    }
                }
            }
            prop_assert!((pair.tail((high, low)) - sum).abs() < 1e-12);
        }
    }

    #[test]
    fn sums_and_normal_tails_meet() {
        let pair = pair(4300, 100_000, 4000, 100_000);
        let shares = pair.constrained(0.001);
        let normal = normal_sf((pair.difference() - 0.001) / pair.variance(shares).sqrt());
        close(pair.tail(shares), normal, 0.02);
        assert_eq!(pair.gain_p_value(0.001), normal);
    }

    #[test]
    fn a_huge_side_counts_as_a_large_one() {
        let tail = |rows: u64| {
            let pair = pair(9, 50, rows / 20, rows);
            pair.tail(pair.constrained(0.02))
        };
        close(tail(1 << 50), tail(2_000_000), 0.01);
    }
}
