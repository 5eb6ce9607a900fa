//! The score test of "these two shares differ by no more than a margin".
//!
//! Source: Farrington and Manning (1990), Statistics in Medicine 9.
use crate::null::normal_sf;

/// The share of a cell on one side, and the rows of that side.
#[derive(Clone, Copy, Debug)]
pub(super) struct Share {
    pub share: f64,
    pub rows: f64,
}

/// A cell whose share is `high` on one side and `low` on the other, `high.share >= low.share`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pair {
    pub high: Share,
    pub low: Share,
}

impl Pair {
    /// The larger share first: a loss is a gain of the other side.
    pub fn sorted(a: Share, b: Share) -> Self {
        if a.share >= b.share { Self { high: a, low: b } } else { Self { high: b, low: a } }
    }

    pub fn difference(&self) -> f64 {
        self.high.share - self.low.share
    }

    /// `(difference - margin) / sd`, the variance taken at the most likely shares that differ by `margin`.
    pub fn score(&self, margin: f64) -> f64 {
        let high = self.constrained(margin);
        (self.difference() - margin) / self.variance(high, high - margin).sqrt()
    }

    /// p-value of "no share moved by more than `margin`", both directions.
    pub fn p_value(&self, margin: f64) -> f64 {
        normal_sf(self.score(margin)) + normal_sf(self.score(-margin))
    }

    /// At least [`Pair::score`], at a tenth of its price, for a margin from 0 to the difference.
    pub fn score_upper_bound(&self, margin: f64) -> f64 {
        let (from, to) = self.bracket(margin);
        // p (1 - p) is concave: on an interval it is smallest at an end.
        let smallest = |a: f64, b: f64| (a * (1.0 - a)).min(b * (1.0 - b));
        let high = smallest(from, to) / self.high.rows;
        let low = smallest(from - margin, to - margin) / self.low.rows;
        (self.difference() - margin) / (high + low).sqrt()
    }

    fn variance(&self, high: f64, low: f64) -> f64 {
        high * (1.0 - high) / self.high.rows + low * (1.0 - low) / self.low.rows
    }

    /// Where the most likely larger share lies: between the one that suits its own side best and the one that
    /// suits the other.
    fn bracket(&self, margin: f64) -> (f64, f64) {
        let (a, b) = (self.high.share, self.low.share + margin);
        let (lowest, highest) = (margin.max(0.0), 1.0 + margin.min(0.0));
        (a.min(b).clamp(lowest, highest), a.max(b).clamp(lowest, highest))
    }

    /// The larger share that is most likely if both differ by `margin`.
    ///
    /// The log-likelihood is concave along that line, so the sign of its slope keeps the root of the slope
    /// bracketed while Newton's steps close in. The closed form of the root loses half of its digits for rare
    /// categories, where two roots meet.
    fn constrained(&self, margin: f64) -> f64 {
        let Share { share: s1, rows: n1 } = self.high;
        let Share { share: s2, rows: n2 } = self.low;
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
                return next;
            }
            p1 = next;
        }
        p1
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

    fn pair(x1: f64, n1: f64, x2: f64, n2: f64) -> Pair {
        Pair { high: Share { share: x1 / n1, rows: n1 }, low: Share { share: x2 / n2, rows: n2 } }
    }

    /// SciPy 1.17.1: minimize_scalar over the binomial log-likelihood, then norm.sf of the score.
    #[test]
    fn equals_direct_maximisation() {
        for (x1, n1, x2, n2, difference, share, p) in [
            (60.0, 1000.0, 30.0, 1000.0, 0.02, 0.053911036196801675, 0.13728160622404517),
            (60.0, 1000.0, 30.0, 1000.0, -0.02, 0.039770089882811624, 1.3266132085046454e-07),
            (9.0, 50.0, 300.0, 5000.0, 0.02, 0.08076286619690466, 0.004865427360041763),
        ] {
            let pair = pair(x1, n1, x2, n2);
            // The numeric maximum is flat: it is known to half of the digits.
            close(pair.constrained(difference), share, 1e-6);
            close(normal_sf(pair.score(difference)), p, 1e-6);
        }
    }

    fn log_likelihood(pair: &Pair, p1: f64, margin: f64) -> f64 {
        let part = |side: Share, p: f64| {
            let term = |share: f64, p: f64| if share > 0.0 { share * p.ln() } else { 0.0 };
            side.rows * (term(side.share, p) + term(1.0 - side.share, 1.0 - p))
        };
        part(pair.high, p1) + part(pair.low, p1 - margin)
    }

    proptest! {
        #[test]
        fn no_other_shares_are_more_likely(
            n1 in 1..3000u32, n2 in 1..3000u32, x1 in 0.0..=1.0f64, x2 in 0.0..=1.0f64, margin in -0.9..0.9f64
        ) {
            let (n1, n2) = (f64::from(n1), f64::from(n2));
            let pair = pair((x1 * n1).round(), n1, (x2 * n2).round(), n2);
            let p1 = pair.constrained(margin);
            let best = log_likelihood(&pair, p1, margin);
            let (low, high) = (margin.max(0.0), 1.0 + margin.min(0.0));
            for i in 1..100 {
                let other = low + (high - low) * f64::from(i) / 100.0;
                let found = log_likelihood(&pair, other, margin);
                prop_assert!(best >= found - 1e-9 * found.abs().max(1.0), "{} {} {} {}", p1, best, other, found);
            }
        }

        #[test]
        fn the_bound_bounds(
            n1 in 1..3000u32, n2 in 1..3000u32, x1 in 0.0..=1.0f64, x2 in 0.0..=1.0f64, part in 0.001..1.0f64
        ) {
            let (n1, n2) = (f64::from(n1), f64::from(n2));
            let (s1, s2) = ((x1 * n1).round() / n1, (x2 * n2).round() / n2);
            let pair = Pair::sorted(Share { share: s1, rows: n1 }, Share { share: s2, rows: n2 });
            prop_assume!(pair.difference() > 0.0);
            let margin = part * pair.difference();
            prop_assert!(pair.score_upper_bound(margin) >= pair.score(margin) * (1.0 - 1e-12));
        }
    }
}
