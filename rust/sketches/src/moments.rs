//! Mean and central moments in one pass, mergeable.

/// Count, mean and the sums of the 2nd to 4th powers of deviations from the mean.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Moments {
    n: u64,
    mean: f64,
    m2: f64,
    m3: f64,
    m4: f64,
}

impl Moments {
    /// Moments of nothing.
    pub fn new() -> Self {
        Self::default()
    }
    /// From stored parts: count, mean, and sums of powers of deviations.
    pub fn from_parts(n: u64, mean: f64, m2: f64, m3: f64, m4: f64) -> Self {
        Self { n, mean, m2, m3, m4 }
    }
    /// Count, mean, and sums of the 2nd, 3rd and 4th powers of deviations.
    pub fn parts(&self) -> (u64, f64, f64, f64, f64) {
        (self.n, self.mean, self.m2, self.m3, self.m4)
    }
    /// Adds finite values.
    pub fn update(&mut self, values: &[f64]) {
        for &x in values {
            self.merge(&Self { n: 1, mean: x, ..Self::default() });
        }
    }
    /// Adds one finite value `weight` times.
    pub fn update_weighted(&mut self, value: f64, weight: u64) {
        self.merge(&Self { n: weight, mean: value, ..Self::default() });
    }
    /// Adds the values that another has seen (Pébay 2008, pairwise update).
    pub fn merge(&mut self, other: &Self) {
        if other.n == 0 {
            return;
        }
        let (na, nb) = (self.n as f64, other.n as f64);
        let n = na + nb;
        let d = other.mean - self.mean;
        let m4 = self.m4
            + other.m4
            + d.powi(4) * na * nb * (na * na - na * nb + nb * nb) / (n * n * n)
            + 6.0 * d * d * (na * na * other.m2 + nb * nb * self.m2) / (n * n)
            + 4.0 * d * (na * other.m3 - nb * self.m3) / n;
        let m3 = self.m3
            + other.m3
            + d.powi(3) * na * nb * (na - nb) / (n * n)
            + 3.0 * d * (na * other.m2 - nb * self.m2) / n;
        self.m2 += other.m2 + d * d * na * nb / n;
        self.mean += d * nb / n;
        (self.m3, self.m4) = (m3, m4);
        self.n += other.n;
    }
    /// How many values.
    pub fn n(&self) -> u64 {
        self.n
    }
    /// Arithmetic mean; `None` for no values.
    pub fn mean(&self) -> Option<f64> {
        (self.n > 0).then_some(self.mean)
    }
    /// Variance of the values with divisor n - 1; `None` for fewer than two.
    pub fn variance(&self) -> Option<f64> {
        (self.n > 1).then(|| self.m2 / (self.n - 1) as f64)
    }
    /// Skewness g1 = m3 / m2^1.5; `None` where the values do not vary.
    pub fn skewness(&self) -> Option<f64> {
        (self.m2 > 0.0).then(|| (self.n as f64).sqrt() * self.m3 / self.m2.powf(1.5))
    }
    /// Excess kurtosis g2 = m4 / m2² - 3; `None` where the values do not vary.
    pub fn kurtosis(&self) -> Option<f64> {
        (self.m2 > 0.0).then(|| self.n as f64 * self.m4 / (self.m2 * self.m2) - 3.0)
    }
}
