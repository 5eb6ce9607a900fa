//! Null distributions of distances of distribution functions: functionals of a Brownian bridge.
use std::f64::consts::PI;

/// Survival function of Kuiper's statistic: `P(max bridge - min bridge > lambda)`.
///
/// `2 sum (4 k^2 lambda^2 - 1) exp(-2 k^2 lambda^2)`, or for small lambda the equal series `1 - sqrt(2 pi)
/// pi^2 / lambda^3 sum k^2 exp(-k^2 pi^2 / (2 lambda^2))`. Relative error below 1e-12 down to p = 1e-300. 1
/// for lambda <= 0.2; NaN for NaN.
///
/// Sources: Kuiper (1960); the second series by Jacobi's identity of theta functions.
pub fn kuiper_sf(lambda: f64) -> f64 {
    // Either series needs at most six terms on its side of 1.3.
    const TERMS: i32 = 6;
    // P(range < .2) = e^-120: below, the powers of lambda would only overflow.
    const LEAST: f64 = 0.2;
    let squares = (1..=TERMS).map(|k| f64::from(k * k));
    if lambda.is_nan() {
        f64::NAN
    } else if lambda <= LEAST {
        1.0
    } else if lambda < 1.3 {
        let c = PI * PI / (lambda * lambda);
        let sum: f64 = squares.map(|kk| kk * (-kk * c / 2.0).exp()).sum();
        // At lambda = 1.3 this subtracts .58 from 1: nothing is lost.
        1.0 - (2.0 * PI).sqrt() * c / lambda * sum
    } else {
        // From 30 on p is 0 to a double, and infinity would give infinity times 0.
        let l = (lambda * lambda).min(900.0);
        2.0 * squares.map(|kk| (4.0 * kk * l - 1.0) * (-2.0 * kk * l).exp()).sum::<f64>()
    }
}

/// Survival function of the Cramér-von Mises statistic: `P(integral of the squared bridge > t)`.
///
/// `2 / pi sum (-1)^(k+1) integral from (2k-1) pi to 2k pi of exp(-t u^2 / 2) / sqrt(-u sin u) du`. The root
/// has a zero at either end: with u on a circle over each interval what remains is smooth, and the mean of
/// points at equal angles converges as fast as it can (Chebyshev and Gauss). Relative error below 1e-10 down to
/// p = 1e-100. 1 for t <= 0.003; NaN for NaN.
///
/// Source: Smirnov (1936).
pub fn cramer_von_mises_sf(t: f64) -> f64 {
    // P(integral < .003) = 1e-18: the distribution begins above.
    const LEAST: f64 = 0.003;
    const POINTS: i32 = 64;
    if t.is_nan() {
        return f64::NAN;
    }
    if t <= LEAST {
        return 1.0;
    }
    let term = |k: i32| {
        let middle = (2.0 * f64::from(k) - 0.5) * PI;
        let point = |i: i32| {
            let x = ((f64::from(i) + 0.5) * PI / f64::from(POINTS)).cos();
            let u = middle + PI / 2.0 * x;
            // The part of the root that the circle takes, divided out.
            let rest = (1.0 - x * x) / (-u * u.sin());
            (-t * u * u / 2.0).exp() * rest.sqrt()
        };
        let sum: f64 = (0..POINTS).map(point).sum();
        if k % 2 == 1 { sum } else { -sum }
    };
    // Below e^-40 of the first term nothing is left to add.
    let counts = |k: &i32| t * PI * PI / 2.0 * (f64::from(2 * k - 1).powi(2) - 1.0) < 40.0;
    let sum: f64 = (1..).take_while(counts).map(term).sum();
    (PI / f64::from(POINTS) * sum).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn close(value: f64, expected: f64, relative: f64) {
        assert!((value - expected).abs() <= relative * expected.abs(), "{value:e} is not {expected:e}");
    }

    /// mpmath 1.3, 40 digits, either series.
    #[test]
    fn kuiper_equals_its_series_in_40_digits() {
        for (lambda, p) in [
            (0.3, 1.0),
            (0.5, 0.9999994705192119),
            (0.8, 0.9783510749956509),
            (1.0, 0.8220766443569293),
            (1.2, 0.5348406352935141),
            (1.299, 0.3936305188549275),
            (1.3, 0.3922966642933618),
            (1.5, 0.17774501071045945),
            (1.747, 0.05007468185374525),
            (2.0, 0.01006387883867104),
            (3.0, 1.066098582129884e-6),
            (5.0, 3.8189246989685574e-20),
            (10.0, 1.1043494283359166e-84),
            (18.0, 9.783077428417903e-279),
        ] {
            close(kuiper_sf(lambda), p, 1e-12);
        }
        assert_eq!((kuiper_sf(-1.0), kuiper_sf(0.0), kuiper_sf(0.200_1)), (1.0, 1.0, 1.0));
        assert_eq!(kuiper_sf(f64::INFINITY), 0.0);
        assert!(kuiper_sf(f64::NAN).is_nan());
    }

    /// mpmath 1.3, 180 digits: the series of Bessel functions of Anderson and Darling (1952).
    #[test]
    fn cramer_von_mises_equals_another_series_in_180_digits() {
        for (t, p) in [
            (0.01, 0.9999941355671901),
            (0.02, 0.9969993856983981),
            (0.03, 0.976168450558292),
            (0.05, 0.876280931041349),
            (0.1, 0.5848734384067948),
            (1.0 / 6.0, 0.34255799272737886),
            (0.3, 0.1351712688051058),
            (0.46136, 0.05000038313265128),
            (0.74346, 0.009999961915455366),
            (1.0, 0.002460452180133964),
            (2.0, 1.2780736172781673e-5),
            (4.0, 4.734453032275372e-10),
            (8.0, 9.019756259927726e-19),
            (20.0, 1.0972093165653865e-44),
            (45.0, 1.9320158725876076e-98),
        ] {
            close(cramer_von_mises_sf(t), p, 1e-10);
        }
        assert_eq!((cramer_von_mises_sf(-1.0), cramer_von_mises_sf(0.003)), (1.0, 1.0));
        assert!((cramer_von_mises_sf(0.003_000_1) - 1.0).abs() < 1e-14);
        assert_eq!(cramer_von_mises_sf(f64::INFINITY), 0.0);
        assert!(cramer_von_mises_sf(f64::NAN).is_nan());
    }
}
