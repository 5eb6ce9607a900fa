//! Mean and central moments in one pass, mergeable.
//!
//! Any two ways of cutting and merging the same values agree to 1e-12 of their scale: the mean to
//! 1e-12 of the mean of |x|, the central moment of order r to 1e-12 of sigma^r. To keep that far from
//! zero as well (a spread of 1 around 1e9, as times have), the mean and the sums carry the rounding error
//! of their last addition with them, as a second double.
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
    /// Adds another sum.
    fn plus_sum(self, other: Self) -> Self {
        self.plus(other.rest).plus(other.value)
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
        // A sum of squares is never below zero; the difference may round to that.
        let m2 = (s2 - d * s1).max(0.0);
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
        let (a2, b2, a3, b3) = (a.m2.value, b.m2.value, a.m3.value, b.m3.value);
        self.m4 =
            a.m4.plus_sum(b.m4)
                .plus(between * d * d * (pa * pa - pa * pb + pb * pb))
                .plus(6.0 * d * d * (pa * pa * b2 + pb * pb * a2))
                .plus(4.0 * d * (pa * b3 - pb * a3));
        self.m3 = a.m3.plus_sum(b.m3).plus(between * d * (pa - pb)).plus(3.0 * d * (pa * b2 - pb * a2));
        self.m2 = a.m2.plus_sum(b.m2).plus(between);
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
    /// Variance of the values with divisor n - 1; `None` for fewer than two.
    pub fn variance(&self) -> Option<f64> {
        (self.n > 1).then(|| self.m2.value / (self.n - 1) as f64).filter(|x| x.is_finite())
    }
    /// Skewness g1 = m3 / m2^1.5; `None` where the values do not vary.
    pub fn skewness(&self) -> Option<f64> {
        let m2 = self.m2.value;
        (m2 > 0.0)
            .then(|| (self.n as f64).sqrt() * (self.m3.value / m2 / m2.sqrt()))
            .filter(|x| x.is_finite())
    }
    /// Excess kurtosis g2 = m4 / m2² - 3; `None` where the values do not vary.
    pub fn kurtosis(&self) -> Option<f64> {
        let m2 = self.m2.value;
        (m2 > 0.0).then(|| self.n as f64 * (self.m4.value / m2 / m2) - 3.0).filter(|x| x.is_finite())
    }
}
