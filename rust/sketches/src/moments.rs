//! Mean and central moments in one pass, mergeable.
//!
//! Any two ways of cutting and merging the same values agree to 1e-12 of their scale: the mean to
//! 1e-12 of the mean of |x|, the central moment of order r to 1e-12 of the mean of |x - mean|^r. (That is
//! about sigma^r unless a few values are far out; a fourth moment of a million times sigma^4 is known to
//! a few units of its own last place, no better.) For the promise to hold far from zero as well (a spread
//! of 1 around 1e9, as times have) and over billions of rows, the mean and the sums carry what their
//! additions rounded away in a second double.
use crate::kernels::{CHUNK, CentralSums, central_sums};

/// Count, mean and the sums of the 2nd to 4th powers of deviations from the mean.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Moments {
    n: u64,
    mean: Sum,
    m2: Sum,
    m3: Sum,
    m4: Sum,
}

/// A sum in two doubles: what it rounds to, and the rest.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Sum {
    value: f64,
    rest: f64,
}

impl Sum {
    /// One double.
    fn new(value: f64) -> Self {
        Self { value, rest: 0.0 }
    }
    /// Adds a double: the error of the addition (Knuth's two-sum) goes to the rest.
    fn plus(self, x: f64) -> Self {
        let (value, error) = two_sum(self.value, x);
        let (value, rest) = two_sum(value, error + self.rest);
        Self { value, rest }
    }
    /// The difference to another sum, rounded once.
    fn minus(self, other: Self) -> f64 {
        let (value, error) = two_sum(self.value, -other.value);
        value + (error + (self.rest - other.rest))
    }
}

/// The rounded sum and what rounding took away (Knuth, The Art of Computer Programming 2, 4.2.2).
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let part = sum - a;
    (sum, (a - (sum - part)) + (b - part))
}

impl Moments {
    /// Moments of nothing.
    pub fn new() -> Self {
        Self::default()
    }
    /// From stored parts: count, mean, and sums of powers of deviations.
    pub fn from_parts(n: u64, mean: f64, m2: f64, m3: f64, m4: f64) -> Self {
        let [mean, m2, m3, m4] = [mean, m2, m3, m4].map(Sum::new);
        Self { n, mean, m2, m3, m4 }
    }
    /// The same moments with what one double could not hold of the mean, from [`Self::mean_rest`].
    pub fn with_mean_rest(mut self, rest: f64) -> Self {
        self.mean.rest = rest;
        self
    }
    /// Count, mean, and sums of the 2nd, 3rd and 4th powers of deviations.
    pub fn parts(&self) -> (u64, f64, f64, f64, f64) {
        (self.n, self.mean.value, self.m2.value, self.m3.value, self.m4.value)
    }
    /// What the mean of [`Self::parts`] lacks. Stored beside the parts, moments far from zero that are
    /// read back merge as well as those that never left memory; without it the means are off by up to
    /// half a unit in the last place, and merged central moments by the square of that over sigma.
    pub fn mean_rest(&self) -> f64 {
        self.mean.rest
    }
    /// Adds finite values.
    pub fn update(&mut self, values: &[f64]) {
        for chunk in values.chunks(CHUNK) {
            if let Some(sums) = central_sums(chunk) {
                self.merge(&Self::of(chunk.len(), sums));
            }
        }
    }
    /// Adds one finite value `weight` times.
    pub fn update_weighted(&mut self, value: f64, weight: u64) {
        self.merge(&Self { n: weight, mean: Sum::new(value), ..Self::default() });
    }
    /// Moments of one chunk: its sums moved from the pivot to the mean.
    fn of(n: usize, CentralSums { pivot, sums: [s1, s2, s3, s4] }: CentralSums) -> Self {
        let count = n as f64;
        let d = s1 / count;
        // A sum of squares is never below zero; the difference may round to that. Not `max`, which
        // would turn the NaN of an overflow into zero.
        let m2 = s2 - d * s1;
        let m2 = if m2 < 0.0 { 0.0 } else { m2 };
        let m3 = s3 - d * (3.0 * s2 - 2.0 * d * s1);
        let m4 = s4 - d * (4.0 * s3 - d * (6.0 * s2 - 3.0 * d * s1));
        Self {
            n: n as u64,
            mean: Sum::new(pivot).plus(d),
            m2: Sum::new(m2),
            m3: Sum::new(m3),
            m4: Sum::new(m4),
        }
    }
    /// Adds the values that another has seen (Pébay 2008, pairwise update).
    pub fn merge(&mut self, other: &Self) {
        // The smaller side moves the mean of the larger: the step is short, and so is its rounding.
        let (a, b) = if self.n < other.n { (*other, *self) } else { (*self, *other) };
        if b.n == 0 {
            *self = a;
            return;
        }
        let (na, nb) = (a.n as f64, b.n as f64);
        let n = na + nb;
        // Shares instead of counts, for no product of counts to pass 2^53.
        let (pa, pb) = (na / n, nb / n);
        let d = b.mean.minus(a.mean);
        let (step, between) = (d * pb, d * d * na * pb);
        // The rests of the smaller side's sums are less than one rounding of the whole's.
        let ([a2, a3], [b2, b3, b4]) = ([a.m2.value, a.m3.value], [b.m2, b.m3, b.m4].map(|sum| sum.value));
        self.m4 =
            a.m4.plus(b4)
                .plus(between * d * d * (pa * pa - pa * pb + pb * pb))
                .plus(6.0 * d * d * (pa * pa * b2 + pb * pb * a2))
                .plus(4.0 * d * (pa * b3 - pb * a3));
        self.m3 = a.m3.plus(b3).plus(between * d * (pa - pb)).plus(3.0 * d * (pa * b2 - pb * a2));
        self.m2 = a.m2.plus(b2).plus(between);
        self.mean = a.mean.plus(step);
        self.n = a.n.saturating_add(b.n);
    }
    /// How many values.
    pub fn n(&self) -> u64 {
        self.n
    }
    /// Arithmetic mean; `None` for no values.
    pub fn mean(&self) -> Option<f64> {
        (self.n > 0).then_some(self.mean.value).filter(|x| x.is_finite())
    }
    /// Variance of the values with divisor n - 1; `None` for fewer than two, or where it is too large for
    /// a double.
    pub fn variance(&self) -> Option<f64> {
        let variance = self.m2.value / self.n.saturating_sub(1) as f64;
        (self.n > 1 && variance >= 0.0 && variance.is_finite()).then_some(variance)
    }
    /// Skewness g1 = m3 / m2^1.5; `None` where the values do not vary, or cubes of deviations are too large
    /// or too small for doubles.
    pub fn skewness(&self) -> Option<f64> {
        let (n, m2) = (self.n as f64, self.m2.value);
        let skewness = n.sqrt() * (self.m3.value / m2 / m2.sqrt());
        ((m2 / n).powf(1.5) > LEAST && skewness.is_finite()).then_some(skewness)
    }
    /// Excess kurtosis g2 = m4 / m2² - 3; `None` where the values do not vary, or fourth powers of deviations
    /// are too large or too small for doubles.
    pub fn kurtosis(&self) -> Option<f64> {
        let (n, m2) = (self.n as f64, self.m2.value);
        let kurtosis = n * (self.m4.value / m2 / m2) - 3.0;
        ((m2 / n).powi(2) > LEAST && kurtosis.is_finite()).then_some(kurtosis)
    }
}

/// The least power of a deviation that a double holds in full, with the last places of its sums.
const LEAST: f64 = f64::MIN_POSITIVE / f64::EPSILON;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::tests::fixed;
    use proptest::{collection::vec, prelude::*, sample::Index};

    /// Mean and mean powers 2 to 4 of deviations of integers, and their scales: the mean of |x| and the
    /// mean absolute powers. Exact up to the last divisions.
    fn exact(values: &[i64]) -> [(f64, f64); 4] {
        let n = values.len() as i128;
        let sum: i128 = values.iter().map(|&x| i128::from(x)).sum();
        let size: i128 = values.iter().map(|&x| i128::from(x.abs())).sum();
        let power = |r: u32| {
            let deviations = || values.iter().map(|&x| n * i128::from(x) - sum);
            let (sum, size) = (
                deviations().map(|d| d.pow(r)).sum::<i128>(),
                deviations().map(|d| d.abs().pow(r)).sum::<i128>(),
            );
            let divisor = (n as f64).powi(r as i32 + 1);
            (sum as f64 / divisor, size as f64 / divisor)
        };
        [(sum as f64 / n as f64, size as f64 / n as f64), power(2), power(3), power(4)]
    }

    /// Mean and mean powers of deviations.
    fn found(m: &Moments) -> [f64; 4] {
        let (n, mean, m2, m3, m4) = m.parts();
        [mean, m2 / n as f64, m3 / n as f64, m4 / n as f64]
    }

    fn of(values: &[f64]) -> Moments {
        let mut m = Moments::new();
        m.update(values);
        m
    }

    /// Cuts the values at the places given and merges the pieces, each time the two that `order` names.
    fn of_cut(values: &[f64], cuts: &[Index], order: &[Index]) -> Moments {
        let mut places: Vec<usize> = cuts.iter().map(|i| i.index(values.len() + 1)).collect();
        places.extend([0, values.len()]);
        places.sort_unstable();
        let mut pieces: Vec<_> = places.windows(2).map(|w| of(&values[w[0]..w[1]])).collect();
        for pick in order.iter().cycle() {
            if pieces.len() == 1 {
                break;
            }
            let piece = pieces.swap_remove(pick.index(pieces.len()));
            let i = pick.index(pieces.len());
            pieces[i].merge(&piece);
        }
        pieces.remove(0)
    }

    /// Shapes of data: how far from zero, how wide, how many far out.
    fn values() -> impl Strategy<Value = Vec<i64>> {
        let offset = prop_oneof![Just(0), Just(1_000_000_000), Just(-(1_i64 << 50)), Just(7)];
        let value = prop_oneof![8 => 0..100_i64, 8 => Just(3), 1 => -100_000..100_000_i64];
        let values = prop_oneof![
            vec(value, 1..3000),
            vec(0..4_i64, 1..3000),
            (0..1000_i64, 1..3000_usize).prop_map(|(x, n)| vec![x; n]),
            vec(-1000..1000_i64, 1..3000).prop_map(|mut v| {
                v.sort_unstable();
                v
            }),
        ];
        (offset, values).prop_map(|(offset, values)| values.into_iter().map(|x| x + offset).collect())
    }

    proptest! {
        #![proptest_config(fixed())]

        #[test]
        fn any_cut_agrees_with_exact_arithmetic(
            values in values(),
            cuts in vec(any::<Index>(), 0..20),
            order in vec(any::<Index>(), 1..20),
        ) {
            let doubles: Vec<f64> = values.iter().map(|&x| x as f64).collect();
            for m in [of(&doubles), of_cut(&doubles, &cuts, &order)] {
                prop_assert_eq!(m.n(), values.len() as u64);
                // Ten times better than promised, for the promise is about two of them.
                for (found, (exact, scale)) in found(&m).into_iter().zip(exact(&values)) {
                    prop_assert!((found - exact).abs() <= 1e-13 * scale, "{found} {exact} {scale}");
                }
            }
        }

        #[test]
        fn any_two_cuts_of_doubles_agree(
            values in vec(prop_oneof![9 => -1.0..1.0, 1 => -1e6..1e6], 2..5000),
            offset in prop_oneof![Just(0.0), Just(1e9), Just(-1e15)],
            cuts in vec(any::<Index>(), 0..20),
            order in vec(any::<Index>(), 1..20),
        ) {
            let values: Vec<f64> = values.into_iter().map(|x| x + offset).collect();
            let (whole, cut) = (of(&values), of_cut(&values, &cuts, &order));
            let n = values.len() as f64;
            let mean = whole.mean().unwrap();
            let scale = |r: i32| values.iter().map(|x| (x - mean).abs().powi(r)).sum::<f64>() / n;
            let scales = [values.iter().map(|x| x.abs()).sum::<f64>() / n, scale(2), scale(3), scale(4)];
            for ((a, b), scale) in found(&whole).into_iter().zip(found(&cut)).zip(scales) {
                prop_assert!((a - b).abs() <= 1e-12 * scale, "{a} {b} {scale}");
            }
        }

        #[test]
        fn no_value_panics_or_gives_what_is_not_finite(
            values in vec(any::<f64>().prop_filter("finite", |x| x.is_finite()), 0..2000),
            parts in any::<(u64, f64, f64, f64, f64)>(),
            weight in any::<u64>(),
        ) {
            let (n, mean, m2, m3, m4) = parts;
            let mut m = Moments::from_parts(n, mean, m2, m3, m4);
            for step in 0..3 {
                for answer in [m.mean(), m.variance(), m.skewness(), m.kurtosis()].into_iter().flatten() {
                    prop_assert!(answer.is_finite());
                }
                if step == 0 { m.update(&values) } else { m.update_weighted(mean, weight) }
            }
        }
    }

    #[test]
    fn small_sums_worked_by_hand() {
        let m = of(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]);
        // Deviations from 5 are -3 -1 -1 -1 0 0 2 4.
        assert_eq!(m.parts(), (8, 5.0, 32.0, 42.0, 356.0));
        assert_eq!(m.variance(), Some(32.0 / 7.0));
        assert_eq!(m.skewness(), Some(0.65625));
        assert_eq!(m.kurtosis(), Some(-0.21875));
    }

    #[test]
    fn nothing_and_one_value_and_a_constant() {
        let answers = |m: Moments| (m.n(), m.mean(), m.variance(), m.skewness(), m.kurtosis());
        assert_eq!(answers(Moments::new()), (0, None, None, None, None));
        assert_eq!(answers(of(&[0.1])), (1, Some(0.1), None, None, None));
        assert_eq!(answers(of(&[0.1; 5000])), (5000, Some(0.1), Some(0.0), None, None));
    }

    #[test]
    fn a_weight_is_that_many_values() {
        let mut weighted = Moments::new();
        let mut values = vec![];
        for (x, weight) in [(0.5, 3), (-2.0, 0), (7.25, 1000), (1e3, 1)] {
            weighted.update_weighted(x, weight);
            values.extend(vec![x; weight as usize]);
        }
        assert_eq!(weighted.n(), 1004);
        for (a, b) in found(&weighted).into_iter().zip(found(&of(&values))) {
            assert!((a - b).abs() <= 1e-14 * b.abs(), "{a} {b}");
        }
    }

    /// In a plain sum of equal terms every addition rounds the same way, and the errors grow with n.
    #[test]
    fn millions_of_merges_lose_nothing() {
        let pattern = [0.1, 0.7, -0.3];
        let mut m = Moments::new();
        for _ in 0..1_000_000 {
            pattern.iter().for_each(|&x| m.update_weighted(x, 1));
        }
        for (a, b) in found(&m).into_iter().zip(found(&of(&pattern))) {
            assert!((a - b).abs() <= 1e-14, "{a} {b}");
        }
    }

    #[test]
    fn an_outlier_leaves_the_mean_of_the_others() {
        let mut m = of(&[1e20]);
        let mut ones = Moments::new();
        ones.update_weighted(1.0, 1_000_000_000);
        m.merge(&ones);
        let expected = (1e20 + 1e9) / 1_000_000_001.0;
        assert!((m.mean().unwrap() - expected).abs() < 1e-12 * expected);
    }

    #[test]
    fn powers_out_of_range_are_not_answered() {
        let answers = |scale: f64| {
            let m = of(&[-scale, scale, 3.0 * scale, 7.0 * scale]);
            [m.mean(), m.variance(), m.skewness(), m.kurtosis()].map(|answer| answer.is_some())
        };
        assert_eq!(answers(1.0), [true; 4]);
        assert_eq!(answers(1e80), [true, true, true, false]);
        assert_eq!(answers(1e-80), [true, true, true, false]);
        assert_eq!(answers(1e120), [true, true, false, false]);
        assert_eq!(answers(1e-120), [true, true, false, false]);
        assert_eq!(answers(1e200), [true, false, false, false]);
        // Unequal rounding of huge values must not end as a variance of zero.
        assert_eq!(of(&[1e200, 1.1e200, 1.3e200]).variance(), None);
    }

    #[test]
    fn the_rest_of_the_mean_keeps_stored_moments_exact() {
        let cycle = |shift: f64| (0..999).map(|i| 1e9 + shift + f64::from(i % 7) / 8.0).collect::<Vec<_>>();
        let (a, b) = (of(&cycle(0.0)), of(&cycle(0.25)));
        let stored = |m: &Moments| {
            let (n, mean, m2, m3, m4) = m.parts();
            Moments::from_parts(n, mean, m2, m3, m4).with_mean_rest(m.mean_rest())
        };
        let (mut kept, mut read) = (a, stored(&a));
        kept.merge(&b);
        read.merge(&stored(&b));
        for (a, b) in found(&kept).into_iter().zip(found(&read)) {
            assert!((a - b).abs() <= 1e-15 * a.abs().max(1.0), "{a} {b}");
        }
        assert_ne!(a.mean_rest(), 0.0);
    }
}
