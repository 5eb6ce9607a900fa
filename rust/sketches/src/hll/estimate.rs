//! Estimators and bounds, the same as Apache DataSketches so that every reader says what we say.
use super::table::{RAW, STEP};

/// Registers.
pub const K: usize = 4096;

/// What the estimators need to know of the registers.
#[derive(Clone, Copy)]
pub struct Summary {
    /// Sum of `2^-register`, of registers below 32 and of the others. Either has at most 43 bits,
    /// so it is exact, in whatever order it is added.
    pub inverse_powers: (f64, f64),
    /// Registers that are zero.
    pub zeros: u32,
}

impl Summary {
    pub fn of(registers: &[u8; K]) -> Self {
        // Units of 2^-31 and of 2^-63: either sum is a whole number of them, of 43 bits.
        let units = |from: u32| {
            let units: [u64; 64] = std::array::from_fn(|r| match (r as u32).checked_sub(from) {
                Some(r) if r < 32 => 1 << (31 - r),
                _ => 0,
            });
            let sum: u64 = registers.iter().map(|&r| units[usize::from(r & 63)]).sum();
            sum as f64 / (1u64 << (31 + from)) as f64
        };
        let has_high = registers.iter().fold(0, |all, r| all | r) >= 32;
        let high = if has_high { units(32) } else { 0.0 };
        Self { inverse_powers: (units(0), high), zeros: count_of(registers, 0) }
    }

    /// The estimate from registers alone: the raw HyperLogLog estimate (Flajolet et al. 2007) freed
    /// from its measured bias, or linear counting of empty registers where that is better.
    pub fn estimate(self) -> f64 {
        let k = K as f64;
        let correction = 0.7213 / (1.0 + 1.079 / k);
        let raw = correction * k * k / (self.inverse_powers.0 + self.inverse_powers.1);
        let last = RAW.len() - 1;
        if raw < RAW[0] {
            return 0.0;
        }
        if raw > RAW[last] {
            return raw * (STEP * last as f64 / RAW[last]);
        }
        let adjusted = interpolate(&RAW, |i| STEP * i as f64, raw);
        if adjusted > 3.0 * k {
            return adjusted;
        }
        let linear = match self.zeros {
            0 => k * (2.0 * k).ln(),
            zeros => k * (harmonic(K as u32) - harmonic(zeros)),
        };
        // Below this many values linear counting is the better of the two. Their mean decides,
        // which is less biased than either (DataSketches, `HllArray::getCompositeEstimate`).
        if (adjusted + linear) / 2.0 > 0.64 * k { adjusted } else { linear }
    }

    /// The factors (lower, upper) that a bound divides an estimate by.
    ///
    /// Quantiles of the relative error at lg k = 12, one, two and three standard deviations, measured
    /// by the DataSketches project: C++ 5.2, `RelativeErrorTables-internal.hpp`.
    pub fn bound_factors(in_order: bool, std_devs: u8) -> (f64, f64) {
        let i = usize::from(std_devs.clamp(1, 3) - 1);
        let (lower, upper) = if in_order {
            ([0.012936253, 0.02613829, 0.039387631], [-0.012920332, -0.025572893, -0.037896952])
        } else {
            ([0.016155679, 0.032825719, 0.049677541], [-0.016186662, -0.031827816, -0.046973459])
        };
        (1.0 + lower[i], 1.0 + upper[i])
    }
}

/// Estimate and bounds (lower, estimate, upper) from a count of distinct coupons.
///
/// Distinct values share a coupon once in 2^26. The points of the curve and the relative error of
/// `0.409 / 2^13` are those of DataSketches C++ 5.2: `CubicInterpolation-internal.hpp`, `HllUtil.hpp`.
pub fn of_coupons(coupons: usize, std_devs: u8) -> (f64, f64, f64) {
    const X: [f64; 5] = [0.0, 1.0, 20.0, 400.0, 8000.0];
    const Y: [f64; 5] = [0.0, 1.0, 20.000_000_943_740_26, 400.000_396_371_338_4, 8_000.158_929_460_209];
    const RELATIVE_ERROR: f64 = 0.409 / 8192.0;
    let n = coupons as f64;
    let estimate = interpolate(&X, |i| Y[i], n);
    let error = f64::from(std_devs.clamp(1, 3)) * RELATIVE_ERROR;
    (n.max(estimate / (1.0 + error)), n.max(estimate), n.max(estimate / (1.0 - error)))
}

/// Cubic interpolation through the four points around `x`, which must lie between the first and
/// the last.
fn interpolate(xs: &[f64], y: impl Fn(usize) -> f64, x: f64) -> f64 {
    let left = xs.partition_point(|&p| p <= x).saturating_sub(1);
    let first = left.saturating_sub(1).min(xs.len() - 4);
    (first..first + 4)
        .map(|i| {
            let others = || (first..first + 4).filter(|&j| j != i);
            let above: f64 = others().map(|j| x - xs[j]).product();
            let below: f64 = others().map(|j| xs[i] - xs[j]).product();
            y(i) * above / below
        })
        .sum()
}

/// How many registers have a value.
pub fn count_of(registers: &[u8; K], value: u8) -> u32 {
    // Few enough at once to be counted in a byte.
    let of_some = |some: &[u8; 128]| u32::from(some.iter().map(|&r| u8::from(r == value)).sum::<u8>());
    registers.as_chunks().0.iter().map(of_some).sum()
}

/// The harmonic number `1 + 1/2 + ... + 1/n`.
fn harmonic(n: u32) -> f64 {
    if n < 64 {
        return (1..=n).rev().map(|i| 1.0 / f64::from(i)).sum();
    }
    const EULER_MASCHERONI: f64 = 0.577_215_664_901_532_9;
    let x = f64::from(n);
    let square = 1.0 / (x * x);
    // Euler-Maclaurin; at 64 the next term is below 1e-20.
    x.ln() + EULER_MASCHERONI + 0.5 / x
        - square * (1.0 / 12.0 - square * (1.0 / 120.0 - square * (1.0 / 252.0 - square / 240.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_adds_every_register() {
        let mut rng = 1u64;
        for most in [1, 5, 31, 32, 33, 63] {
            let registers = std::array::from_fn(|_| {
                rng = rng.wrapping_mul(6364136223846793005).wrapping_add(1);
                (rng >> 40) as u8 % (most + 1)
            });
            let sum = |range: std::ops::Range<u8>| {
                let those = registers.iter().filter(|r| range.contains(r));
                those.map(|&r| 0.5f64.powi(r.into())).sum::<f64>()
            };
            let summary = Summary::of(&registers);
            assert_eq!(summary.inverse_powers, (sum(0..32), sum(32..64)), "{most}");
            assert_eq!(summary.zeros as usize, registers.iter().filter(|&&r| r == 0).count(), "{most}");
        }
    }

    #[test]
    fn harmonic_numbers_are_sums() {
        let mut sum = 0.0;
        for n in 1..=4096u32 {
            sum += 1.0 / f64::from(n);
            assert!((harmonic(n) / sum - 1.0).abs() < 1e-13, "{n}");
        }
    }

    #[test]
    fn interpolation_repeats_its_points_and_cubics() {
        for (i, &x) in RAW.iter().enumerate() {
            assert!((interpolate(&RAW, |i| STEP * i as f64, x) - STEP * i as f64).abs() < 1e-6);
        }
        let xs = [0.0, 1.0, 3.0, 4.0, 6.0, 9.0];
        let cubic = |x: f64| x * x * x - 2.0 * x + 1.0;
        for x in [0.0, 0.5, 2.0, 3.5, 5.0, 8.0, 9.0] {
            assert!((interpolate(&xs, |i| cubic(xs[i]), x) - cubic(x)).abs() < 1e-9, "{x}");
        }
    }
}
