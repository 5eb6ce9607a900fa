//! The noncentral chi-square distribution: squared length of a Gaussian vector that is not centred at 0.
//!
//! Of a divergence times its rows it is the distribution when something has changed, and so gives its
//! interval.
use super::{chi_square_sf, normal_quantile};
use statrs::function::{erf, gamma};
use std::f64::consts::{FRAC_1_SQRT_2, FRAC_PI_2, LN_2};

/// Gauss-Legendre nodes and weights of 16 points on -1 to 1, the positive half.
///
/// Source: Abramowitz and Stegun (1964), table 25.4.
const LEGENDRE: [(f64, f64); 8] = [
    (0.095_012_509_837_637_44, 0.189_450_610_455_068_5),
    (0.281_603_550_779_258_9, 0.182_603_415_044_923_58),
    (0.458_016_777_657_227_4, 0.169_156_519_395_002_54),
    (0.617_876_244_402_643_7, 0.149_595_988_816_576_74),
    (0.755_404_408_355_003, 0.124_628_971_255_533_87),
    (0.865_631_202_387_831_7, 0.095_158_511_682_492_78),
    (0.944_575_023_073_232_6, 0.062_253_523_938_647_894),
    (0.989_400_934_991_649_9, 0.027_152_459_411_754_096),
];

/// Distribution function of the noncentral chi-square distribution: `P(X <= x)` with `df` degrees of
/// freedom and noncentrality `lambda`.
///
/// X is the squared length of a Gaussian vector with mean `(sqrt(lambda), 0, ..., 0)`: in the plane of its
/// first coordinate and the length of all others, `X <= x` is a half disc. Along its rim, in steps of
/// about a standard deviation, the integrand is smooth for any size of the arguments, where the usual sum
/// of central distributions needs `sqrt(lambda)` terms. Absolute error below 1e-10.
///
/// 0 for x <= 0; NaN for NaN, `lambda` below 0 or no degree of freedom.
pub fn noncentral_chi_square_cdf(x: f64, df: u64, lambda: f64) -> f64 {
    if x.is_nan() || lambda.is_nan() || lambda < 0.0 || df == 0 {
        f64::NAN
    } else if x <= 0.0 {
        0.0
    } else {
        Ball::new(x, df).probability(lambda.sqrt())
    }
}

/// The noncentrality at which `P(X <= x) = p`: [`noncentral_chi_square_cdf`] solved for `lambda`.
///
/// The probability falls as the noncentrality grows. Where it is at most `p` without any, the answer is 0.
/// NaN for NaN, a `p` outside of 0 to 1 (both excluded) or no degree of freedom.
pub fn noncentrality(x: f64, df: u64, p: f64) -> f64 {
    if x.is_nan() || !(p > 0.0 && p < 1.0) || df == 0 {
        return f64::NAN;
    }
    if x <= 0.0 || 1.0 - chi_square_sf(x, df) <= p {
        return 0.0;
    }
    let ball = Ball::new(x, df);
    let target = normal_quantile(p);
    // The first coordinate alone reaches beyond the ball with this probability.
    let (mut low, mut high) = (0.0, ball.radius - target);
    // The length is nearly normal, with mean sqrt(lambda + df - 1) and variance 1: so is the score below
    // nearly linear, with slope -1, and the secant arrives after a few steps.
    let mut a = (high * high - (df - 1) as f64).max(0.0).sqrt().clamp(low, high);
    let mut before: Option<(f64, f64)> = None;
    // Halving alone takes as many steps as a double has digits.
    for _ in 0..64 {
        let score = normal_quantile(ball.probability(a)) - target;
        if score > 0.0 {
            low = a;
        } else {
            high = a;
        }
        let slope = before.map_or(-1.0, |(a_before, before)| (score - before) / (a - a_before));
        before = Some((a, score));
        let next = a - score / slope;
        let inside = next > low && next < high;
        // The next step leaves about the square of this; further ones would follow the rounding of the probability.
        if score.abs() < 1e-6 {
            return if inside { next * next } else { a * a };
        }
        a = if inside { next } else { f64::midpoint(low, high) };
    }
    a * a
}

/// The ball `X <= x` in `df` dimensions.
struct Ball {
    radius: f64,
    /// Dimensions but the first.
    rest: u64,
    /// Logarithm of what makes the density of the length of the rest integrate to 1.
    ln_norm: f64,
    /// The part of the rim, as angles off the first coordinate, on which that length may lie.
    rim: (f64, f64),
}

impl Ball {
    fn new(x: f64, df: u64) -> Self {
        // A length is within 8 of its mean but for e^(-8^2 / 2) = 1e-14 (it changes by no more than the
        // Gaussian vector does).
        const REACH: f64 = 8.0;
        let radius = x.sqrt();
        let rest = df - 1;
        let half = rest as f64 / 2.0;
        let mean = (rest as f64).sqrt();
        let angle = |length: f64| if length < radius { (length / radius).asin() } else { FRAC_PI_2 };
        Self {
            radius,
            rest,
            ln_norm: if rest > 0 { (1.0 - half) * LN_2 - gamma::ln_gamma(half) } else { 0.0 },
            rim: (angle((mean - REACH).max(0.0)), angle(mean + REACH)),
        }
    }

    /// The probability of the ball under a Gaussian vector whose first coordinate has mean `a`.
    fn probability(&self, a: f64) -> f64 {
        // The largest panel on which 16 points give the last digits.
        const PANEL: f64 = 2.0;
        let line = |half: f64| normal_cdf(half - a) - normal_cdf(-half - a);
        if self.rest == 0 {
            return line(self.radius);
        }
        let at = |angle: f64| {
            let (rest, first) = (self.radius * angle.sin(), self.radius * angle.cos());
            let ln_density = self.ln_norm + (self.rest - 1) as f64 * rest.ln() - rest * rest / 2.0;
            first * line(first) * ln_density.exp()
        };
        let (start, end) = self.rim;
        let panels = ((end - start) * self.radius / PANEL).ceil().max(1.0);
        let half = (end - start) / panels / 2.0;
        let panel = |i: usize| {
            let middle = start + half * (2 * i + 1) as f64;
            let pairs = LEGENDRE.iter().map(|&(x, w)| w * (at(middle - half * x) + at(middle + half * x)));
            half * pairs.sum::<f64>()
        };
        (0..panels as usize).map(panel).sum::<f64>().clamp(0.0, 1.0)
    }
}

/// Distribution function of the standard normal distribution, to an absolute 1e-11: ten times as fast as
/// [`super::normal_sf`], whose tails are not needed here.
fn normal_cdf(z: f64) -> f64 {
    erf::erfc(-z * FRAC_1_SQRT_2) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// SciPy 1.17.1: scipy.stats.ncx2.cdf, and chi2.cdf for lambda = 0.
    #[test]
    fn cdf_equals_scipy() {
        for (x, df, lambda, p) in [
            (0.5, 1, 0.0, 0.5204998778130466),
            (3.0, 1, 2.0, 0.6238689492782098),
            (0.01, 1, 5.0, 0.006593087241967076),
            (2.0, 2, 1.0, 0.46986963780290464),
            (10.0, 2, 4.0, 0.8314310864698685),
            (9.0, 9, 0.0, 0.5627258110861331),
            (9.0, 9, 3.0, 0.3277083285832829),
            (30.0, 9, 12.0, 0.8643633173541758),
            (1.0, 9, 2.0, 0.0002261897557976465),
            (60.0, 19, 20.0, 0.9615999086607324),
            (350.0, 299, 30.0, 0.7865617141364),
            (300.0, 299, 0.0, 0.52714951618283),
            (700.0, 299, 400.0, 0.5162385688041033),
            (10_000.0, 9, 10_000.0, 0.4840462974887114),
            (10_200.0, 9, 10_000.0, 0.8302734552583431),
            (9_700.0, 9, 10_000.0, 0.060363655298610014),
            (1e6, 49, 1.001e6, 0.30018480445753765),
            (10_400.0, 9999, 200.0, 0.9176453986358625),
            (0.001, 3, 1.0, 5.100170648226697e-06),
            (1e8, 9, 1.0001e8, 0.3084011299300764),
        ] {
            let cdf = noncentral_chi_square_cdf(x, df, lambda);
            assert!((cdf - p).abs() < 1e-10, "{x} {df} {lambda}: {cdf:e} is not {p:e}");
        }
    }

    /// SciPy 1.17.1: brentq over scipy.stats.ncx2.cdf.
    #[test]
    fn noncentrality_equals_scipy() {
        for (x, df, p, lambda) in [
            (12.0, 4, 0.025, 25.646241717148563),
            (12.0, 4, 0.975, 0.3176528045385688),
            (25.0, 9, 0.025, 38.95193767651907),
            (25.0, 9, 0.975, 3.108426494319165),
            (100.0, 9, 0.025, 134.28458131069758),
            (100.0, 9, 0.975, 57.47806680261563),
            (60.0, 49, 0.025, 39.889159131185316),
            (60.0, 49, 0.975, 0.0),
            (2000.0, 19, 0.025, 2160.7552763303634),
            (2000.0, 19, 0.975, 1810.936208284041),
            (1e5, 9, 0.025, 101235.40676915117),
            (1e5, 9, 0.975, 98756.27622426629),
        ] {
            let found = noncentrality(x, df, p);
            assert!((found - lambda).abs() <= 1e-9 * lambda, "{x} {df} {p}: {found} is not {lambda}");
        }
    }

    #[test]
    fn ends_of_the_domain() {
        assert_eq!(noncentral_chi_square_cdf(0.0, 3, 1.0), 0.0);
        assert_eq!(noncentral_chi_square_cdf(1.0, 1000, 1.0), 0.0);
        assert!((noncentral_chi_square_cdf(1e9, 3, 1.0) - 1.0).abs() < 1e-10);
        assert!(noncentral_chi_square_cdf(1.0, 0, 1.0).is_nan());
        assert!(noncentral_chi_square_cdf(1.0, 1, -1.0).is_nan());
        assert!(noncentral_chi_square_cdf(f64::NAN, 1, 1.0).is_nan());
        assert_eq!(noncentrality(0.0, 3, 0.5), 0.0);
        assert!(noncentrality(1.0, 3, 1.0).is_nan() && noncentrality(1.0, 0, 0.5).is_nan());
        // 2^62 rows: the interval is as narrow as a double can tell.
        let (low, high) = (noncentrality(1e18, 9, 0.975), noncentrality(1e18, 9, 0.025));
        assert!((low / 1e18 - 1.0).abs() < 1e-8 && low < 1e18 && high > 1e18, "{low} {high}");
    }

    proptest! {
        #[test]
        fn the_noncentrality_gives_the_probability_back(
            df in 1..400u64, excess in 0.01..20.0f64, p in 0.001..0.999f64
        ) {
            let x = df as f64 * excess;
            let lambda = noncentrality(x, df, p);
            let cdf = noncentral_chi_square_cdf(x, df, lambda);
            prop_assert!((cdf - p).abs() < 1e-9 || (lambda == 0.0 && cdf <= p + 1e-10), "{} {}", lambda, cdf);
        }

        #[test]
        fn without_noncentrality_it_is_chi_square(df in 1..2000u64, excess in 0.01..5.0f64) {
            let x = df as f64 * excess;
            let cdf = noncentral_chi_square_cdf(x, df, 0.0);
            prop_assert!((cdf - (1.0 - chi_square_sf(x, df))).abs() < 1e-10, "{}", cdf);
        }
    }
}
