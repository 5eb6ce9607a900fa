//! How many rows it would take to call an unchanged column `stable`.
use crate::ArgumentError;
use crate::error::{strictly_within, within};
use crate::null::normal_quantile;
use crate::rng::{Rng, seed_of};
use crate::test::rows;

/// The wanted chance of `stable`.
const CHANCE: f64 = 0.8;

/// Draws of the effect: the chance of `stable` is then [`CHANCE`] with a standard error of
/// `sqrt(.8 * .2 / 1000)` = .013, and the number of rows is known to about 2 %.
const DRAWS: usize = 1000;

/// The smallest number of current rows at which a column in which nothing changed would be `stable` with a
/// probability of 80 %, if the reference stays as it is. None if no number is enough, because the reference has
/// too few rows.
///
/// `stable` says that `effect + e + z(1 - alpha) / 2 * sqrt(s) <= limit`, `s = 1/n + 1/m`
/// ([`effect_upper_bound`](crate::verdict::effect_upper_bound)), `e` being `sketch_error` and `limit` the
/// tolerance, or at tolerance 0 the resolution. Without a change the effect is `kappa sqrt(s)`, where kappa is
/// the 80 % quantile of a multinomial Gaussian with the shares of `pooled`, the rows per cell on both sides: of
/// its largest cumulative sum or single cell, in absolute value, if the cells are `ordered`, and else of half of
/// its absolute sum, which is the total variation. kappa comes from 1,000 seeded draws.
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
    let deviations: Vec<f64> = pooled.iter().map(|&count| (count as f64 / total).sqrt()).collect();
    let kappa = effect_quantile(&deviations, ordered, seed_of(pooled.iter().copied()));
    let margin = (-normal_quantile(alpha) / 2.0).max(0.0);
    // A single cell cannot change: there any number of rows decides if the margin of an alpha above 1/2 is 0.
    let s = ((limit - sketch_error).max(0.0) / (kappa + margin)).powi(2);
    let inverse = s - 1.0 / m;
    // A float beyond 2^64 becomes the largest integer.
    Ok((inverse > 0.0).then(|| (1.0 / inverse).ceil().max(1.0) as u64))
}

/// [`CHANCE`] quantile of the effect of `Z`, a Gaussian with the covariance of a multinomial row; `deviations`
/// are the square roots of its shares.
fn effect_quantile(deviations: &[f64], ordered: bool, seed: u64) -> f64 {
    let mut rng = Rng::new(seed);
    let mut normals = Normals::default();
    let mut z = vec![0.0; deviations.len()];
    let mut effects: Vec<f64> = (0..DRAWS)
        .map(|_| {
            for (z, deviation) in z.iter_mut().zip(deviations) {
                *z = deviation * normals.next(&mut rng);
            }
            // Independent cells less their common part: the covariance is that of counts with a fixed sum.
            let sum: f64 = z.iter().sum();
            z.iter_mut().zip(deviations).for_each(|(z, deviation)| *z -= deviation * deviation * sum);
            effect(&z, ordered)
        })
        .collect();
    let rank = (CHANCE * DRAWS as f64) as usize;
    *effects.select_nth_unstable_by(rank, f64::total_cmp).1
}

fn effect(differences: &[f64], ordered: bool) -> f64 {
    if !ordered {
        return differences.iter().map(|x| x.abs()).sum::<f64>() / 2.0;
    }
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
}
