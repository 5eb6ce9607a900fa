//! What statistics look like when nothing has changed: survival functions and quantiles.
use statrs::function::{erf, gamma};
use std::f64::consts::{LN_2, PI, SQRT_2};

mod noncentral;
mod ordered;

pub use noncentral::{noncentral_chi_square_cdf, noncentrality};
pub use ordered::{cramer_von_mises_sf, kuiper_sf};

/// Survival function of the Kolmogorov distribution, `Q_KS(lambda) = P(sup |bridge| > lambda)`.
///
/// `2 sum (-1)^(k-1) exp(-2 k^2 lambda^2)`, or for small lambda the equal series `1 - sqrt(2 pi) / lambda
/// sum exp(-(2k-1)^2 pi^2 / (8 lambda^2))`. Relative error below 1e-12 down to p = 1e-300. 1 for lambda
/// <= 0; NaN for NaN.
///
/// Sources: Kolmogorov (1933), Smirnov (1948).
pub fn kolmogorov_sf(lambda: f64) -> f64 {
    // Either series needs at most five terms on its side of 1.
    const TERMS: i32 = 5;
    if lambda.is_nan() {
        f64::NAN
    } else if lambda <= 0.0 {
        1.0
    } else if lambda < 1.0 {
        let c = -PI * PI / (8.0 * lambda * lambda);
        let sum: f64 = (0..TERMS).map(|k| (c * f64::from((2 * k + 1).pow(2))).exp()).sum();
        // At lambda = 1 this subtracts .73 from 1: nothing is lost.
        1.0 - (2.0 * PI).sqrt() / lambda * sum
    } else {
        let term = |k: i32| (-2.0 * f64::from(k * k) * lambda * lambda).exp();
        2.0 * (1..=TERMS).map(|k| if k % 2 == 1 { term(k) } else { -term(k) }).sum::<f64>()
    }
}

/// Survival function of the chi-square distribution: `P(X > x)` with `df` degrees of freedom, the
/// regularised upper incomplete gamma function `Q(df/2, x/2)`.
///
/// With 0 degrees of freedom X is 0. NaN for NaN.
pub fn chi_square_sf(x: f64, df: u64) -> f64 {
    if x.is_nan() {
        f64::NAN
    } else if x <= 0.0 {
        1.0
    } else if df == 0 || x == f64::INFINITY {
        0.0
    } else {
        gamma::checked_gamma_ur(df as f64 / 2.0, x / 2.0).unwrap_or(f64::NAN)
    }
}

/// Quantile of the chi-square distribution: the x with `P(X <= x) = p`. Relative error below 1e-9
/// for p from 1e-6 on.
///
/// 0 at p = 0 or with 0 degrees of freedom, infinite at 1; NaN outside of 0 to 1 and for NaN.
///
/// Source: Wilson and Hilferty (1931) for the start of the iteration.
pub fn chi_square_quantile(p: f64, df: u64) -> f64 {
    if !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    if p == 0.0 || df == 0 {
        return 0.0;
    }
    if p == 1.0 {
        return f64::INFINITY;
    }
    let k = df as f64;
    let c = 2.0 / (9.0 * k);
    let ln_norm = -k / 2.0 * LN_2 - gamma::ln_gamma(k / 2.0);
    let mut x = k * (1.0 - c + normal_quantile(p) * c.sqrt()).max(0.01).powi(3);
    // Newton's method on a falling function; a start that is a few percent off is exact after five steps.
    for _ in 0..60 {
        let density = ((k / 2.0 - 1.0) * x.ln() - x / 2.0 + ln_norm).exp();
        // Not below half: the density has a pole or a long flat part at 0.
        let next = (x + (chi_square_sf(x, df) - (1.0 - p)) / density).max(x / 2.0);
        if (next - x).abs() <= 1e-14 * x {
            return next;
        }
        x = next;
    }
    x
}

/// Survival function of the standard normal distribution: `P(Z > z)`. NaN for NaN.
///
/// Relative error below 1e-12 down to p = 1e-300.
pub fn normal_sf(z: f64) -> f64 {
    // Z^2 is chi-square with one degree of freedom. `erfc` of statrs 0.19 would be shorter, and is wrong
    // from the eleventh digit on.
    let tail = chi_square_sf(z * z, 1) / 2.0;
    if z < 0.0 { 1.0 - tail } else { tail }
}

/// Quantile of the standard normal distribution: the z with `P(Z <= z) = p`.
///
/// Infinite at 0 and 1; NaN outside of 0 to 1 and for NaN.
pub fn normal_quantile(p: f64) -> f64 {
    if (0.0..=1.0).contains(&p) { -SQRT_2 * erf::erfc_inv(2.0 * p) } else { f64::NAN }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn close(value: f64, expected: f64, relative: f64) {
        assert!((value - expected).abs() <= relative * expected.abs(), "{value:e} is not {expected:e}");
    }

    /// SciPy 1.17.1: scipy.special.kolmogorov.
    #[test]
    fn kolmogorov_equals_scipy() {
        for (lambda, p) in [
            (0.1, 1.0),
            (0.2, 0.999999999999495),
            (0.3, 0.9999906941986655),
            (0.5, 0.9639452436648751),
            (0.7, 0.7112351950296893),
            (0.8, 0.5441424115741981),
            (0.9, 0.3927307079406543),
            (0.95, 0.32748548447955916),
            (1.0, 0.26999967167735456),
            (1.2, 0.11224966667072497),
            (1.3580986393225507, 0.049999999999999975),
            (2.0, 0.0006709252557796953),
            (3.0, 3.045995948942526e-08),
            (5.0, 3.8574996959278356e-22),
            (10.0, 2.767793053473475e-87),
            (18.0, 7.554499944724249e-282),
            (18.5, 1.0628136728909079e-297),
        ] {
            close(kolmogorov_sf(lambda), p, 1e-12);
        }
    }

    #[test]
    fn kolmogorov_is_continuous_where_the_series_meet_and_falls() {
        let step = kolmogorov_sf(1.0 - f64::EPSILON) - kolmogorov_sf(1.0);
        assert!(step.abs() < 1e-14, "{step:e}");
        let grid: Vec<f64> = (1..2000).map(|i| kolmogorov_sf(f64::from(i) / 100.0)).collect();
        // Below .17 the function is 1 to the last digit.
        assert!(grid.windows(2).all(|w| w[0] >= w[1]) && grid[0] == 1.0);
        assert_eq!((kolmogorov_sf(-1.0), kolmogorov_sf(0.0), kolmogorov_sf(1e-300)), (1.0, 1.0, 1.0));
        assert_eq!(kolmogorov_sf(f64::INFINITY), 0.0);
        assert!(kolmogorov_sf(f64::NAN).is_nan());
    }

    /// SciPy 1.17.1: scipy.stats.chi2.sf.
    #[test]
    fn chi_square_equals_scipy() {
        for (x, df, p) in [
            (0.5, 1, 0.47950012218695337),
            (3.841458820694124, 1, 0.04999999999999989),
            (100.0, 1, 1.5239706048320995e-23),
            (9.0, 9, 0.43727418891386693),
            (16.918977604620448, 9, 0.05000000000000007),
            (350.0, 299, 0.022512232894667028),
            (600.0, 299, 2.3136322598733505e-22),
            (250.0, 299, 0.9820202704603053),
            (1500.0, 1499, 0.4878601322706867),
            (1300.0, 2, 5.111951948651156e-283),
            (1e-3, 3, 0.9999915920809419),
            (10500.0, 10000, 0.00024794736798936033),
        ] {
            close(chi_square_sf(x, df), p, 1e-11);
        }
        assert_eq!((chi_square_sf(0.0, 0), chi_square_sf(1.0, 0)), (1.0, 0.0));
        assert_eq!((chi_square_sf(-1.0, 3), chi_square_sf(f64::INFINITY, 3)), (1.0, 0.0));
        assert!(chi_square_sf(f64::NAN, 3).is_nan());
    }

    /// SciPy 1.17.1: scipy.stats.chi2.ppf.
    #[test]
    fn chi_square_quantile_equals_scipy() {
        for (p, df, x) in [
            (0.95, 1, 3.841458820694124),
            (0.95, 9, 16.918977604620448),
            (0.95, 299, 340.3278503488595),
            (0.95, 10000, 10233.748897677937),
            (1e-6, 1, 1.5707963267957187e-12),
            (1e-6, 3, 0.00024181048720124264),
            (0.5, 2, 1.386294361119891),
            (0.999999, 19, 63.67705228560063),
            (0.01, 1, 0.00015708785790970184),
            (0.025, 50, 32.357363695658655),
        ] {
            close(chi_square_quantile(p, df), x, 1e-9);
        }
        assert_eq!((chi_square_quantile(0.0, 3), chi_square_quantile(1.0, 3)), (0.0, f64::INFINITY));
        assert_eq!(chi_square_quantile(0.95, 0), 0.0);
        assert!(chi_square_quantile(1.1, 3).is_nan() && chi_square_quantile(f64::NAN, 3).is_nan());
    }

    /// SciPy 1.17.1: scipy.stats.norm.sf and norm.ppf.
    #[test]
    fn normal_equals_scipy() {
        for (z, p) in [
            (-5.0, 0.9999997133484281),
            (-3.0, 0.9986501019683699),
            (-0.7, 0.758036347776927),
            (0.1, 0.460172162722971),
            (0.25, 0.4012936743170763),
            (0.4, 0.3445782583896758),
            (0.7, 0.24196365222307303),
            (0.9, 0.18406012534675947),
            (1.3, 0.09680048458561036),
            (2.2, 0.013903447513498595),
            (-1.0, 0.8413447460685429),
            (0.0, 0.5),
            (0.5, 0.3085375387259869),
            (1.6448536269514722, 0.050000000000000044),
            (3.0, 0.0013498980316300933),
            (6.0, 9.865876450376946e-10),
            (10.0, 7.61985302416047e-24),
            (20.0, 2.7536241186061556e-89),
            (37.0, 5.7255712225239266e-300),
        ] {
            close(normal_sf(z), p, 1e-12);
        }
        for (p, z) in [
            (1e-300, -37.0470962993612),
            (1e-20, -9.262340089798409),
            (1e-6, -4.753424308822899),
            (0.025, -1.9599639845400545),
            (0.3, -0.5244005127080409),
            (0.5, 0.0),
            (0.8, 0.8416212335729143),
            (0.95, 1.6448536269514722),
            (0.975, 1.959963984540054),
            (0.999999, 4.753424308817087),
        ] {
            close(normal_quantile(p), z, 1e-12);
        }
        for i in 1..1000 {
            let p = f64::from(i) / 1000.0;
            close(normal_sf(normal_quantile(p)), 1.0 - p, 1e-11);
        }
        assert_eq!((normal_quantile(0.0), normal_quantile(1.0)), (f64::NEG_INFINITY, f64::INFINITY));
        assert!(normal_quantile(-0.1).is_nan() && normal_quantile(f64::NAN).is_nan());
    }
}
