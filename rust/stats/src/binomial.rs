//! Binomial weights over a range of counts.
use std::ops::RangeInclusive;

/// `C(rows, k) odds^k` for k in `range`, up to a factor that makes the largest 1, as far as it is at least
/// `smallest`; and the first k. The range may reach beyond `rows`, but does not start there.
pub(crate) fn weights(rows: u64, odds: f64, range: RangeInclusive<u64>, smallest: f64) -> (u64, Vec<f64>) {
    let (from, to) = (*range.start(), *range.end().min(&rows));
    // Odds are infinite where the share is 1.
    let share = if odds.is_finite() { odds / (1.0 + odds) } else { 1.0 };
    let mode = ((rows as f64 * share) as u64).clamp(from, to);
    let ratio = |k: u64| (rows - k) as f64 / (k + 1) as f64 * odds;
    let mut weights = vec![];
    let mut weight = 1.0;
    for k in (from..mode).rev() {
        weight /= ratio(k);
        if weight < smallest {
            break;
        }
        weights.push(weight);
    }
    let first = mode - weights.len() as u64;
    weights.reverse();
    weights.push(1.0);
    weight = 1.0;
    for k in mode..to {
        weight *= ratio(k);
        if weight < smallest {
            break;
        }
        weights.push(weight);
    }
    (first, weights)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SciPy 1.17.1: scipy.stats.binom.pmf(k, 50, .02).
    #[test]
    fn normalised_they_are_the_distribution() {
        let (first, weights) = weights(50, 0.02 / 0.98, 0..=60, 1e-60);
        let total: f64 = weights.iter().sum();
        assert_eq!(first, 0);
        for (k, p) in [(0, 0.36416968008711703), (1, 0.37160171437460954), (5, 0.0027315248118654854)] {
            assert!((weights[k] / total / p - 1.0).abs() < 1e-13, "{k}");
        }
    }

    #[test]
    fn ranges_and_limits_cut() {
        let (first, all) = weights(100, 1.0, 0..=100, 0.0);
        assert_eq!((first, all.len(), all[50]), (0, 101, 1.0));
        let (first, some) = weights(100, 1.0, 60..=70, 0.0);
        assert_eq!((first, some.len()), (60, 11));
        assert!((some[3] / some[0] - all[63] / all[60]).abs() < 1e-15);
        let (first, large) = weights(100, 1.0, 0..=100, 1e-3);
        assert!(all[first as usize] >= 1e-3 && all[first as usize - 1] < 1e-3);
        assert_eq!(first + large.len() as u64 - 1, 100 - first);
    }

    #[test]
    fn shares_of_nothing_and_everything() {
        assert_eq!(weights(7, 0.0, 0..=7, 1e-290), (0, vec![1.0]));
        assert_eq!(weights(7, f64::INFINITY, 0..=7, 1e-290), (7, vec![1.0]));
    }
}
