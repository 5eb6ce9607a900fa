//! How many rows it would take to call an unchanged column `stable`.
use crate::ArgumentError;
use crate::error::{strictly_within, within};
use crate::null::normal_quantile;
use crate::rng::{Rng, seed_of};
use crate::test::rows;
use crate::total_variation_bound::{Difference, plain, upper_bound};
use crate::verdict::margin;

/// The wanted chance of `stable`.
const CHANCE: f64 = 0.8;

/// Draws of the bound: the chance of `stable` is then [`CHANCE`] with a standard error of
/// `sqrt(.8 * .2 / 1000)` = .013, and the number of rows is known to about 2 %.
const DRAWS: usize = 1000;

/// From so many cells on a total variation is a sum of many and near enough normal: fewer draws then tell the
/// quantile, to a fifteenth of a standard deviation that is itself a twentieth of it.
const MANY: usize = 100;
const DRAWS_OF_MANY: usize = 300;

/// The smallest number of current rows at which a column in which nothing changed would be `stable` with a
/// probability of 80 %, if the reference stays as it is. None if no number is enough, because the reference has
/// too few rows.
///
/// `stable` says that the upper bound of the effect is at most `limit`, the tolerance, or at tolerance 0 the
/// resolution. Without a change that bound is `kappa sqrt(s) + e`, `s = 1/n + 1/m`, `e` being `sketch_error`. kappa
/// is the 80 % quantile of the bound of a multinomial Gaussian with the shares of `pooled`, the rows per cell on
/// both sides: [`effect_upper_bound`](crate::verdict::effect_upper_bound) of its largest cumulative sum or single
/// cell if the cells are `ordered`, and else that of its total variation
/// ([`total_variation_upper_bound`](crate::total_variation_bound::total_variation_upper_bound)). It comes from
/// seeded draws: 1,000, or 300 and their mean and standard deviation for the total variation of 100 cells or more.
///
/// # Errors
/// There is no row in `pooled`, `m` is 0, `limit` or `alpha` does not lie between 0 and 1, or `sketch_error` is
/// not 0 to 1.
pub fn rows_to_decide(
    pooled: &[u64],
    ordered: bool,
    m: u64,
    limit: f64,
    sketch_error: f64,
    alpha: f64,
) -> Result<Option<u64>, ArgumentError> {
    let m = rows("m", m)?;
    strictly_within("limit", limit, 0.0, 1.0)?;
    within("sketch_error", sketch_error, 0.0, 1.0)?;
    strictly_within("alpha", alpha, 0.0, 1.0)?;
    let total: f64 = pooled.iter().map(|&count| count as f64).sum();
    if total == 0.0 {
        return Err(ArgumentError("pooled has no rows: at least one count must be positive".into()));
    }
    let shares: Vec<f64> = pooled.iter().map(|&count| count as f64 / total).collect();
    let seed = seed_of(pooled.iter().copied());
    let moved = |differences: &[f64]| {
        let cells = shares.iter().zip(differences).map(|(&share, &difference)| Difference {
            share,
            difference,
            variance: share * (1.0 - share),
        });
        let cells: Vec<Difference> = cells.collect();
        if sketch_error > 0.0 { plain(&cells, 1.0, alpha) } else { upper_bound(&cells, 1.0, alpha) }
    };
    let kappa = if ordered {
        quantile(drawn(&shares, seed, DRAWS, |differences| largest(differences) + margin(1.0, alpha)))
    } else if shares.len() < MANY {
        quantile(drawn(&shares, seed, DRAWS, moved))
    } else {
        normal_approximation(&drawn(&shares, seed, DRAWS_OF_MANY, moved))
    };
    // A single cell cannot change: there any number of rows decides if the margin of an alpha above 1/2 is 0.
    let s = ((limit - sketch_error).max(0.0) / kappa).powi(2);
    let inverse = s - 1.0 / m;
    // A float beyond 2^64 becomes the largest integer.
    Ok((inverse > 0.0).then(|| (1.0 / inverse).ceil().max(1.0) as u64))
}

/// `f` of Gaussians with the covariance of a multinomial row of these shares.
fn drawn(shares: &[f64], seed: u64, draws: usize, f: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    let mut rng = Rng::new(seed);
    let mut normals = Normals::default();
    let mut differences = vec![0.0; shares.len()];
    let draw = |_| {
        for (difference, share) in differences.iter_mut().zip(shares) {
            *difference = share.sqrt() * normals.next(&mut rng);
        }
        // Independent cells less their common part: the covariance is that of counts with a fixed sum.
        let sum: f64 = differences.iter().sum();
        differences.iter_mut().zip(shares).for_each(|(difference, share)| *difference -= share * sum);
        f(&differences)
    };
    (0..draws).map(draw).collect()
}

/// [`CHANCE`] quantile.
fn quantile(mut values: Vec<f64>) -> f64 {
    let rank = (CHANCE * values.len() as f64) as usize;
    *values.select_nth_unstable_by(rank, f64::total_cmp).1
}

/// The same of a normal with the mean and standard deviation of `values`.
fn normal_approximation(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    mean + normal_quantile(CHANCE) * (squares / (values.len() - 1) as f64).sqrt()
}

/// The largest cumulative sum or single difference, in absolute value.
fn largest(differences: &[f64]) -> f64 {
    let mut sum = 0.0f64;
    differences.iter().fold(0.0, |largest, &x| {
        sum += x;
        largest.max(x.abs()).max(sum.abs())
    })
}

/// Standard normal numbers, two at a time.
///
/// Source: Marsaglia and Bray (1964), the polar method.
#[derive(Default)]
struct Normals(Option<f64>);

impl Normals {
    fn next(&mut self, rng: &mut Rng) -> f64 {
        if let Some(second) = self.0.take() {
            return second;
        }
        loop {
            let (x, y) = (2.0 * rng.next_f64() - 1.0, 2.0 * rng.next_f64() - 1.0);
            let square = x * x + y * y;
            if square > 0.0 && square < 1.0 {
                let scale = (-2.0 * square.ln() / square).sqrt();
                self.0 = Some(y * scale);
                return x * scale;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decide(pooled: &[u64], m: u64, limit: f64) -> Option<u64> {
        rows_to_decide(pooled, true, m, limit, 0.0, 0.05).unwrap()
    }

    /// Two cells have one free difference, normal with variance p (1 - p): kappa is 1.2816 sqrt(p (1 - p)), the 80
    /// % quantile of |z|, both as ordered cells and as total variation.
    #[test]
    fn two_cells_equal_the_hand_calculation() {
        for (pooled, ordered) in [([970, 30], true), ([970, 30], false), ([1, 1], true)] {
            let share = pooled[1] as f64 / (pooled[0] + pooled[1]) as f64;
            let kappa = 1.2815515655446004 * (share * (1.0 - share)).sqrt();
            let s = (0.02 / (kappa + 1.6448536269514722 / 2.0)).powi(2);
            let expected = 1.0 / (s - 1e-6);
            let found = rows_to_decide(&pooled, ordered, 1_000_000, 0.02, 0.0, 0.05).unwrap().unwrap() as f64;
            // Two standard errors of the quantile of 1,000 draws, squared: 4 sqrt(.16 / 1000) / (2 phi(1.28)
            // 1.28) is 11 % of kappa^2, and kappa is a fifth to four ninths of the sum.
            assert!((found / expected - 1.0).abs() < 0.06, "{found} {expected}");
        }
    }

    #[test]
    fn the_largest_difference_is_of_a_cell_or_of_all_up_to_one() {
        for (differences, expected) in [
            ([0.25, 0.25, -0.5], 0.5),
            ([0.25, 0.125, -0.375], 0.375),
            ([0.25, -0.5, 0.25], 0.5),
            ([0.25, 0.25, -0.25], 0.5),
        ] {
            assert_eq!(largest(&differences), expected);
        }
    }

    #[test]
    fn one_cell_needs_the_margin_alone() {
        let s = (0.02f64 / (1.6448536269514722 / 2.0)).powi(2);
        assert_eq!(decide(&[7], 1_000_000, 0.02), Some((1.0 / (s - 1e-6)).ceil() as u64));
    }

    #[test]
    fn a_small_reference_never_decides() {
        assert_eq!(decide(&[50, 50], 1000, 0.02), None);
        assert!(decide(&[50, 50], 10_000, 0.02).is_some());
        assert_eq!(rows_to_decide(&[5, 5], true, 1 << 40, 0.02, 0.02, 0.05).unwrap(), None);
    }

    #[test]
    fn fewer_rows_with_a_larger_reference_and_more_with_a_sketch() {
        let rows = |m, error| rows_to_decide(&[10; 33], true, m, 0.02, error, 0.05).unwrap().unwrap();
        assert!(rows(20_000, 0.0) > rows(100_000, 0.0));
        assert!(rows(100_000, 0.002) > rows(100_000, 0.0));
        assert_eq!(rows(100_000, 0.0), rows(100_000, 0.0));
        // Scattered over 300 categories even an unchanged column has a large total variation.
        let categories =
            |ordered| rows_to_decide(&[10; 300], ordered, 1 << 40, 0.02, 0.0, 0.05).unwrap().unwrap();
        assert!(categories(false) > 3 * categories(true));
        // The plain total variation, of counts from sketches, is larger still.
        let with = rows_to_decide(&[10; 300], false, 1 << 40, 0.02, 1e-9, 0.05).unwrap().unwrap();
        assert!(with > 2 * categories(false));
    }

    #[test]
    fn many_cells_are_told_by_few_draws() {
        let shares: Vec<f64> = (0..150).map(|i| (1.0 + f64::from(i % 7)) / 598.0).collect();
        let half_sum = |d: &[f64]| d.iter().map(|x| x.abs()).sum::<f64>() / 2.0;
        let (few, many) =
            (drawn(&shares, 3, DRAWS_OF_MANY, half_sum), quantile(drawn(&shares, 4, 20_000, half_sum)));
        assert!((normal_approximation(&few) / many - 1.0).abs() < 0.01);
    }

    #[test]
    fn normals_have_the_moments_of_the_normal() {
        let (mut rng, mut normals) = (Rng::new(1), Normals::default());
        let draws: Vec<f64> = (0..100_000).map(|_| normals.next(&mut rng)).collect();
        let moment = |power: i32| draws.iter().map(|x| x.powi(power)).sum::<f64>() / 1e5;
        // Five standard errors: 1, sqrt(2), sqrt(96) over sqrt(1e5).
        assert!(moment(1).abs() < 0.016 && (moment(2) - 1.0).abs() < 0.023 && (moment(4) - 3.0).abs() < 0.16);
        let neighbours = draws.windows(2).map(|w| w[0] * w[1]).sum::<f64>() / 1e5;
        assert!(neighbours.abs() < 0.016, "{neighbours}");
    }

    #[test]
    fn errors_say_what_and_where() {
        let text = |pooled: &[u64], m, limit, error, alpha| {
            rows_to_decide(pooled, true, m, limit, error, alpha).unwrap_err().to_string()
        };
        assert_eq!(text(&[1], 0, 0.02, 0.0, 0.05), "m is 0: a side without rows cannot be compared");
        assert_eq!(text(&[1], 1, 0.0, 0.0, 0.05), "limit is 0: it must lie between 0 and 1");
        assert_eq!(text(&[1], 1, 0.02, -1.0, 0.05), "sketch_error is -1: it must be 0 to 1");
        assert_eq!(text(&[1], 1, 0.02, 0.0, 1.0), "alpha is 1: it must lie between 0 and 1");
        assert_eq!(text(&[0], 1, 0.02, 0.0, 0.05), "pooled has no rows: at least one count must be positive");
    }
}
