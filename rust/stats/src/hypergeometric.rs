//! The hypergeometric distribution: how many of the `good` members of a population are in a sample drawn
//! without replacement. It is what a cell of a 2 x B table follows, given both margins, when nothing has
//! changed.
use crate::null::normal_sf;
use crate::rng::Rng;
use statrs::function::beta::beta_reg;
use statrs::function::gamma::{gamma_lr, gamma_ur};
use std::f64::consts::PI;
use std::sync::LazyLock;

/// Draws one number of good members. `good` and `sample` are at most `population`.
pub(crate) fn draw(rng: &mut Rng, population: u64, good: u64, sample: u64) -> u64 {
    // Up to here one draw a member is cheaper than the eight logarithms of a rejection step.
    const URN: u64 = 16;
    let (small, large) = (good.min(sample), good.max(sample));
    if large == population {
        small
    } else if small <= URN {
        draw_from_urn(rng, population, small, large)
    } else {
        draw_by_rejection(rng, population, good, sample)
    }
}

/// Splits the sum of every cell anew: which `second` of the `first + second` rows are counted second is drawn
/// at random.
pub(crate) fn redraw(cells: &mut [(u64, u64)], first: u64, second: u64, rng: &mut Rng) {
    let mut population = first + second;
    // Rows of the smaller side that are still to be found.
    let second_is_smaller = second <= first;
    let mut sample = second.min(first);
    for cell in cells {
        let pooled = cell.0 + cell.1;
        let drawn = draw(rng, population, pooled, sample);
        *cell = if second_is_smaller { (pooled - drawn, drawn) } else { (drawn, pooled - drawn) };
        population -= pooled;
        sample -= drawn;
    }
}

/// Member by member. Which of the two numbers is `good` and which `sample` makes no difference to the
/// distribution.
fn draw_from_urn(rng: &mut Rng, population: u64, small: u64, large: u64) -> u64 {
    let mut left = large;
    for drawn in 0..small {
        // No branch: it would be mispredicted half of the time.
        left -= u64::from(rng.next_f64() * ((population - drawn) as f64) < left as f64);
    }
    large - left
}

/// Ratio of uniforms, a constant number of steps whatever the size.
///
/// Source: Stadlober (1990), "The ratio of uniforms approach for generating discrete random variates".
fn draw_by_rejection(rng: &mut Rng, population: u64, good: u64, sample: u64) -> u64 {
    // Width of the table mountain: 2 sqrt(2/e) and 3 - 2 sqrt(3/e).
    const D1: f64 = 1.715_527_769_921_413_5;
    const D2: f64 = 0.898_916_162_058_898_8;
    // With both numbers at most half of the population no factorial below gets a negative argument.
    let g = good.min(population - good);
    let s = sample.min(population - sample);
    let rest = population - g - s;
    let (gf, sf, pf) = (g as f64, s as f64, population as f64);
    let mean = sf * (gf / pf);
    let variance = mean * (1.0 - gf / pf) * ((pf - sf) / (pf - 1.0));
    let width = D1 * (variance + 0.5).sqrt() + D2;
    let ln_weight =
        |k: u64| -(ln_factorial(k) + ln_factorial(g - k) + ln_factorial(s - k) + ln_factorial(rest + k));
    let mode = ((sf + 1.0) * ((gf + 1.0) / (pf + 2.0))).floor().min(g.min(s) as f64) as u64;
    let ln_mode = ln_weight(mode);
    let k = loop {
        let (u, v) = (rng.next_f64(), rng.next_f64());
        let x = mean + 0.5 + width * (v - 0.5) / u;
        // Also false for the NaN and the infinities of u = 0.
        if !(x >= 0.0 && x < g.min(s) as f64 + 1.0) {
            continue;
        }
        let k = x as u64;
        let t = ln_weight(k) - ln_mode;
        // The first two conditions decide most cases without the logarithm.
        if u * (4.0 - u) - 3.0 <= t {
            break k;
        }
        if u * (u - t) < 1.0 && 2.0 * u.ln() <= t {
            break k;
        }
    };
    // Back from the complements: first of the population, then of the sample.
    let k = if g == good { k } else { s - k };
    if s == sample { k } else { good - k }
}

/// `ln n!`, to the last digits of a double.
///
/// A permutation test asks for it millions of times, mostly for small n: a table, and above it Stirling's
/// series, whose next term, `1 / (1260 n^5)`, is below 1e-18 there.
fn ln_factorial(n: u64) -> f64 {
    const SIZE: usize = 1024;
    static TABLE: LazyLock<[f64; SIZE]> = LazyLock::new(|| {
        let mut table = [0.0; SIZE];
        for n in 2..SIZE {
            table[n] = table[n - 1] + (n as f64).ln();
        }
        table
    });
    TABLE.get(n as usize).copied().unwrap_or_else(|| {
        let n = n as f64;
        (n + 0.5) * n.ln() - n + (2.0 * PI).ln() / 2.0 + 1.0 / (12.0 * n) - 1.0 / (360.0 * n * n * n)
    })
}

/// `ln P(X = count)`, for a count that is possible.
fn ln_probability(population: u64, good: u64, sample: u64, count: u64) -> f64 {
    let ln_choose = |n: u64, k: u64| ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k);
    ln_choose(good, count) + ln_choose(population - good, sample - count) - ln_choose(population, sample)
}

/// Two-sided p-value of a count: twice the smaller tail, the count included, at most 1.
///
/// Relative error about 1e-15 times the logarithm of `population!`: 1e-12 at 100 rows, 1e-5 at 10^9. Beyond that the
/// distribution is its limit: normal where it is wide, else binomial or Poisson.
pub(crate) fn two_sided_p_value(population: u64, good: u64, sample: u64, count: u64) -> f64 {
    if population > MANY {
        return two_sided_p_value_of_many(population, good, sample, count);
    }
    let (p, g, s, k) = (population as f64, good as f64, sample as f64, count as f64);
    let ln_here = ln_probability(population, good, sample, count);
    // The ratio of a term to the one before, going up and going down.
    let up = |k: f64| (g - k) * (s - k) / ((k + 1.0) * (p - g - s + k + 1.0));
    let down = |k: f64| k * (p - g - s + k) / ((g - k + 1.0) * (s - k + 1.0));
    // The tail that points away from the mean is the smaller one, or above 1/4 and then both are
    // followed.
    let tail = |ratio: &dyn Fn(f64) -> f64, step: f64| {
        let (mut sum, mut term, mut at) = (1.0, 1.0, k);
        while term > sum * 1e-17 {
            term *= ratio(at);
            sum += term;
            at += step;
        }
        sum
    };
    let smaller = if k > s * (g / p) { tail(&up, 1.0) } else { tail(&down, -1.0) };
    (2.0 * (ln_here.exp() * smaller)).min(1.0)
}

/// A population whose factorials leave too few digits to their quotients.
const MANY: u64 = 1_000_000_000;
/// From this variance on the normal distribution serves.
const WIDE: f64 = 10_000.0;

fn two_sided_p_value_of_many(population: u64, good: u64, sample: u64, count: u64) -> f64 {
    // With both numbers at most half of the population, a small variance means that one of them is a small part of it.
    let (g, flipped) = (good.min(population - good), good > population - good);
    let count = if flipped { sample - count } else { count };
    let (s, flipped) = (sample.min(population - sample), sample > population - sample);
    let count = if flipped { g - count } else { count };
    let (p, gf, sf, k) = (population as f64, g as f64, s as f64, count as f64);
    let mean = sf * (gf / p);
    let variance = mean * (1.0 - gf / p) * ((p - sf) / (p - 1.0));
    if variance >= WIDE {
        let z = ((k - mean).abs() - 0.5).max(0.0) / variance.sqrt();
        return (2.0 * normal_sf(z)).min(1.0);
    }
    let (trials, chance) = (g.min(s), g.max(s) as f64 / p);
    // P(X >= k) and P(X <= k).
    let (above, below) = if trials > MANY {
        let above = if count == 0 { 1.0 } else { gamma_lr(k, mean) };
        (above, gamma_ur(k + 1.0, mean))
    } else {
        let n = trials as f64;
        let above = if count == 0 { 1.0 } else { beta_reg(k, n - k + 1.0, chance) };
        (above, if count == trials { 1.0 } else { beta_reg(n - k, k + 1.0, 1.0 - chance) })
    };
    (2.0 * f64::min(above, below)).min(1.0)
}

/// `E|X - mean|`. `good` and `sample` are at most `population`.
///
/// `2 k (population - good - sample + k) / population P(X = k)` for the first k above the mean. Relative error
/// below 1e-4: above a variance of 10,000 it is that of the normal distribution, because the logarithms of
/// the factorials lose their digits there.
///
/// Source: Diaconis and Zabell (1991), Statistical Science 6.
pub(crate) fn mean_absolute_deviation(population: u64, good: u64, sample: u64) -> f64 {
    const NORMAL: f64 = 1e4;
    let (p, g, s) = (population as f64, good as f64, sample as f64);
    if good == 0 || sample == 0 || good == population || sample == population {
        return 0.0;
    }
    let mean = s * (g / p);
    let variance = mean * ((p - g) / p) * ((p - s) / (p - 1.0));
    if variance > NORMAL {
        return (2.0 * variance / PI).sqrt();
    }
    let k = mean.floor() + 1.0;
    let count = k as u64;
    2.0 * k * ((p - g - s + k) / p) * ln_probability(population, good, sample, count).exp()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::null::chi_square_sf;

    /// SciPy 1.17.1: hypergeom(N, c, n).cdf(k) and .sf(k - 1).
    /// Where both ways can be gone, they agree; and beyond, tables that say nothing say nothing.
    #[test]
    fn limits_take_over_from_the_exact_distribution() {
        for (good, sample, count) in [
            (400_000_000, 1_000, 450),
            (1_000, 400_000_000, 350),
            (999_999_000, 500_000_000, 499_999_480),
            (30_000, 30_000_000, 1_000),
            (500_000_000, 500_000_000, 250_030_000),
        ] {
            let exact = two_sided_p_value(MANY, good, sample, count);
            let limit = two_sided_p_value_of_many(MANY, good, sample, count);
            assert!((limit / exact - 1.0).abs() < 0.02, "{good} {sample} {count}: {limit} {exact}");
        }
        for rows in [1u64 << 40, 1 << 50, 1 << 55] {
            assert!(two_sided_p_value(2 * rows + 7, rows + 3, rows, rows / 2 + 1) > 0.9);
            // A sample of a thousand: the binomial's 6.93e-5, SciPy 1.17.1.
            let p = two_sided_p_value(rows + 1000, 3 * (rows / 10), 1000, 243);
            let turned = two_sided_p_value(rows + 1000, 3 * (rows / 10), rows, 3 * (rows / 10) - 243);
            assert!((p / turned - 1.0).abs() < 1e-6 && (5e-5..1.2e-4).contains(&p), "{p} {turned}");
        }
    }

    #[test]
    fn tails_equal_scipy() {
        for (population, good, sample, k, smaller) in [
            (222, 17, 117, 12, 0.09851386212995909),
            (5050, 120, 50, 6, 0.0010739198345897825),
            (2000, 900, 1000, 400, 4.226859837242813e-06),
            (5050, 3, 50, 2, 0.0002864367726974991),
        ] {
            let p = two_sided_p_value(population, good, sample, k);
            assert!((p / (2.0 * smaller) - 1.0).abs() < 1e-9, "{p:e} is not {:e}", 2.0 * smaller);
        }
        assert_eq!(two_sided_p_value(20, 10, 10, 5), 1.0);
    }

    /// SciPy 1.17.1: scipy.special.gammaln(n + 1).
    #[test]
    fn factorials_equal_scipy() {
        for (n, expected) in [
            (0, 0.0),
            (1, 0.0),
            (10, 15.104412573075516),
            (170, 706.5730622457875),
            (1023, 6071.28041294445),
            (1024, 6078.211884750051),
            (5000, 37591.14350887677),
            (3000000000, 62465634388.67344),
        ] {
            assert!((ln_factorial(n) - expected).abs() <= 1e-14 * expected, "{n}");
        }
    }

    /// Every sampler against the exact probabilities, at all four corners of the symmetries and at both
    /// ends of the size of a cell. Seeds are fixed; p-values below .001 would be a broken sampler.
    #[test]
    fn draws_follow_the_distribution() {
        const DRAWS: usize = 100_000;
        for (population, good, sample) in [
            (50, 5, 20),
            (50, 20, 5),
            (80, 30, 35),
            (80, 50, 35),
            (80, 30, 45),
            (80, 50, 45),
            (10_000, 40, 3_000),
        ] {
            let mut rng = Rng::new(7);
            let mut counts = vec![0u64; good.min(sample) as usize + 1];
            for _ in 0..DRAWS {
                counts[draw(&mut rng, population, good, sample) as usize] += 1;
            }
            let ln_choose = |n: u64, k: u64| ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k);
            let (mut chi2, mut df, mut rare) = (0.0, 0, (0.0, 0.0));
            let mut add = |count: f64, expected: f64| {
                chi2 += (count - expected).powi(2) / expected;
                df += 1;
            };
            for (k, &count) in counts.iter().enumerate() {
                let k = k as u64;
                let possible = sample - k <= population - good;
                let ln_p = if possible {
                    ln_choose(good, k) + ln_choose(population - good, sample - k)
                        - ln_choose(population, sample)
                } else {
                    f64::NEG_INFINITY
                };
                let expected = DRAWS as f64 * ln_p.exp();
                if expected >= 10.0 {
                    add(count as f64, expected);
                } else {
                    rare = (rare.0 + count as f64, rare.1 + expected);
                }
            }
            if rare.1 > 0.0 {
                add(rare.0, rare.1);
            }
            let p = chi_square_sf(chi2, df - 1);
            assert!(p > 0.001, "{population} {good} {sample}: p = {p}");
        }
    }

    #[test]
    fn draws_of_billions_have_the_right_moments() {
        let (population, good, sample) = (3_000_000_000u64, 900_000_000u64, 2_000_000_000u64);
        let (share, rest) = (0.3, 1.0f64 / 3.0);
        let (mean, sd) = (2e9 * share, (rest * 2e9 * share * (1.0 - share)).sqrt());
        let mut rng = Rng::new(3);
        let z: Vec<f64> =
            (0..20_000).map(|_| (draw(&mut rng, population, good, sample) as f64 - mean) / sd).collect();
        let mean = z.iter().sum::<f64>() / 2e4;
        let variance = z.iter().map(|z| z * z).sum::<f64>() / 2e4;
        // Five standard errors: 1 and sqrt(2) over sqrt(20,000).
        assert!(mean.abs() < 0.036 && (variance - 1.0).abs() < 0.05, "{mean} {variance}");
    }

    /// SciPy 1.17.1: the sum over scipy.stats.hypergeom.pmf.
    #[test]
    fn mean_absolute_deviation_equals_the_sum() {
        for (population, good, sample, deviation, relative) in [
            (222, 17, 117, 1.5628072468313536, 1e-12),
            (5050, 120, 50, 0.847851522278183, 1e-11),
            (40, 13, 20, 1.223521630640652, 1e-12),
            (10, 1, 3, 0.42, 1e-12),
            (100, 50, 50, 1.9798082645166297, 1e-12),
            (100_000, 40_000, 30_000, 56.6436223148422, 1e-8),
            (2_000_000, 1_000_000, 1000, 12.609355570613513, 1e-8),
        ] {
            let found = mean_absolute_deviation(population, good, sample);
            assert!((found / deviation - 1.0).abs() < relative, "{population} {good} {sample}: {found}");
            let turned = mean_absolute_deviation(population, population - good, sample);
            assert!((found / turned - 1.0).abs() < relative);
        }
        // Where the limit takes over there is no step.
        let (below, above) = (159_900, 160_100);
        let [below, above] =
            [below, above].map(|n| mean_absolute_deviation(n, n / 2, n / 2) / (n as f64).sqrt());
        assert!((below / above - 1.0).abs() < 1e-4);
        assert_eq!(mean_absolute_deviation(9, 0, 4), 0.0);
        assert_eq!(mean_absolute_deviation(9, 9, 4), 0.0);
        assert_eq!(mean_absolute_deviation(9, 4, 9), 0.0);
        assert!(mean_absolute_deviation(1 << 62, 1 << 60, 1 << 61).is_finite());
    }

    #[test]
    fn redraws_keep_both_margins() {
        let mut cells = [(100, 10), (3, 0), (0, 2), (40, 300), (7, 1)];
        let pooled = |cells: &[(u64, u64)]| cells.iter().map(|&(a, b)| a + b).collect::<Vec<_>>();
        let before = pooled(&cells);
        let mut rng = Rng::new(5);
        for _ in 0..100 {
            redraw(&mut cells, 150, 313, &mut rng);
            assert_eq!(pooled(&cells), before);
            assert_eq!(cells.iter().map(|c| c.0).sum::<u64>(), 150);
            assert_eq!(cells.iter().map(|c| c.1).sum::<u64>(), 313);
        }
    }

    #[test]
    fn margins_that_leave_no_choice() {
        let mut rng = Rng::new(1);
        assert_eq!(draw(&mut rng, 10, 10, 4), 4);
        assert_eq!(draw(&mut rng, 100, 60, 100), 60);
        assert_eq!(draw(&mut rng, 10, 0, 4), 0);
        assert_eq!(draw(&mut rng, 10, 4, 0), 0);
    }
}
