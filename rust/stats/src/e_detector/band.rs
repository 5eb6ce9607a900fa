//! Between which shares a set of rows lies while nothing moves, as far as the reference can tell.
use crate::ArgumentError;
use crate::error::{strictly_within, within};
use serde::{Deserialize, Serialize};
use statrs::function::beta::{beta_reg, ln_beta};

/// The shares that a set may have, in any window, while no more than the tolerance moves.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Band {
    /// The smallest.
    pub lower: f64,
    /// The largest.
    pub upper: f64,
}

impl Band {
    /// The exact bounds of the share behind `count` of `rows` reference rows, each wrong with a chance of at most
    /// `level`, and the tolerance on top.
    ///
    /// Rows that depend on each other count as fewer: `deff` of them as one independent row.
    ///
    /// Source: Clopper and Pearson (1934).
    ///
    /// # Errors
    /// There are no rows or more in the set than there are, `deff` is below 1, `level` does not lie between 0 and
    /// 1, or `tolerance` is not 0 to 1.
    pub fn try_new(
        count: u64,
        rows: u64,
        deff: f64,
        level: f64,
        tolerance: f64,
    ) -> Result<Self, ArgumentError> {
        strictly_within("level", level, 0.0, 1.0)?;
        within("tolerance", tolerance, 0.0, 1.0)?;
        within("deff", deff, 1.0, f64::MAX)?;
        if rows == 0 || count > rows {
            return Err(ArgumentError(format!(
                "count is {count} of {rows} rows: there must be rows, and no more in the set than there are"
            )));
        }
        let (count, rows) = (count as f64 / deff, rows as f64 / deff);
        let upper = 1.0 - tail_point(rows - count, count + 1.0, level, Shared::No);
        let lower = tail_point(count, rows - count + 1.0, level, Shared::No);
        Ok(Self { lower: (lower - tolerance).max(0.0), upper: (upper + tolerance).min(1.0) })
    }

    /// The same of one value of a column, whichever values were picked after they were counted.
    ///
    /// A value whose share is `p` is tested at `level * p`. Shares add up to 1, so the chance that any value at all lies
    /// outside of its bounds is at most `level` a side, and it does not matter which of them are looked at.
    ///
    /// # Errors
    /// As of [`try_new`](Self::try_new).
    pub fn try_of_value(
        count: u64,
        rows: u64,
        deff: f64,
        level: f64,
        tolerance: f64,
    ) -> Result<Self, ArgumentError> {
        // Which checks the arguments.
        Self::try_new(count, rows, deff, level, tolerance)?;
        let (count, rows) = (count as f64 / deff, rows as f64 / deff);
        let upper = 1.0 - tail_point(rows - count, count + 1.0, level, Shared::ByRest);
        let lower = tail_point(count, rows - count + 1.0, level, Shared::ByShare);
        Ok(Self { lower: (lower - tolerance).max(0.0), upper: (upper + tolerance).min(1.0) })
    }
}

/// Among what a level is shared.
#[derive(Clone, Copy, PartialEq)]
enum Shared {
    No,
    /// Among values, by their shares, which x is.
    ByShare,
    /// The same, where x is the share of all others.
    ByRest,
}

/// The x with `I_x(a, b) = level`, the regularised incomplete beta function, or that times the share; 0 where a is 0.
fn tail_point(a: f64, b: f64, level: f64, shared: Shared) -> f64 {
    // I_x / x falls from infinity where a is below 1, and from a finite value at 1: it is never as small as a level.
    if a <= 0.0 || (a <= 1.0 && shared == Shared::ByShare) {
        return 0.0;
    }
    let (target, scale) = (level.ln(), ln_beta(a, b));
    let (mut low, mut high) = (0.0f64, 1.0f64);
    // The bound of Chernoff is of the same order, and so a good start: rows KL(share, x) = -ln(level).
    let mut x = chernoff(a / (a + b - 1.0).max(a), a + b, -target);
    for _ in 0..100 {
        let tail = beta_reg(a, b, x).max(f64::MIN_POSITIVE).ln();
        let (shares, by_share) = match shared {
            Shared::No => (0.0, 0.0),
            Shared::ByShare => (x.ln(), 1.0 / x),
            Shared::ByRest => ((-x).ln_1p(), -1.0 / (1.0 - x)),
        };
        let value = tail - shares;
        if value > target {
            high = x;
        } else {
            low = x;
        }
        // Newton for ln I_x, which is concave and so converges from below.
        let slope = ((a - 1.0) * x.ln() + (b - 1.0) * (-x).ln_1p() - scale - tail).exp() - by_share;
        let next = x - (value - target) / slope;
        let next = if next > low && next < high { next } else { (low + high) / 2.0 };
        if (next - x).abs() <= 1e-13 * x {
            return next;
        }
        x = next;
    }
    x
}

/// The share below `share` whose binomial of so many rows has `share` or more with a chance of at most e^-cost.
fn chernoff(share: f64, rows: f64, cost: f64) -> f64 {
    let (mut low, mut high) = (0.0, share);
    for _ in 0..40 {
        let x: f64 = (low + high) / 2.0;
        let rest = if share < 1.0 { (1.0 - share) * ((1.0 - share) / (1.0 - x)).ln() } else { 0.0 };
        if rows * (share * (share / x).ln() + rest) > cost {
            low = x;
        } else {
            high = x;
        }
    }
    ((low + high) / 2.0).clamp(1e-300, 1.0 - 1e-16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// SciPy 1.17.1: beta.isf(level, c + 1, m - c), beta.ppf(level, c, m - c + 1).
    #[test]
    fn bounds_equal_scipy() {
        for (count, rows, level, lower, upper) in [
            (0, 1_000, 1e-6, 0.0, 0.013720514368789528),
            (3, 1_000, 1e-6, 1.827239470746796e-05, 0.021155614316749356),
            (500, 1_000, 2.5e-4, 0.4446485487170508, 0.5553514512829492),
            (3_000, 100_000, 1e-7, 0.027276239390950942, 0.032896722684260485),
            (1_000_000, 1_000_000, 1e-6, 0.9999861845848758, 1.0),
        ] {
            let band = Band::try_new(count, rows, 1.0, level, 0.0).unwrap();
            assert!((band.lower - lower).abs() <= 1e-9 * lower.max(1e-9), "{count}: {band:?} {lower}");
            assert!((band.upper - upper).abs() <= 1e-9, "{count}: {band:?} {upper}");
        }
    }

    #[test]
    fn the_tolerance_widens_and_dependence_takes_rows_away() {
        let band = Band::try_new(100, 1_000, 1.0, 1e-4, 0.0).unwrap();
        let wide = Band::try_new(100, 1_000, 1.0, 1e-4, 0.02).unwrap();
        assert!(
            (wide.lower - (band.lower - 0.02)).abs() < 1e-15
                && (wide.upper - (band.upper + 0.02)).abs() < 1e-15
        );
        let few = Band::try_new(1_000, 10_000, 10.0, 1e-4, 0.0).unwrap();
        assert!((few.lower - band.lower).abs() < 1e-12 && (few.upper - band.upper).abs() < 1e-12);
        let all = Band::try_new(0, 10, 1.0, 1e-4, 0.9).unwrap();
        assert_eq!((all.lower, all.upper), (0.0, 1.0));
    }

    proptest! {
        #[test]
        fn the_bound_has_its_level(count in 0u64..2_000, more in 1u64..2_000_000, level in 1e-9f64..0.4) {
            let rows = count + more;
            let band = Band::try_new(count, rows, 1.0, level, 0.0).unwrap();
            // P(X <= count) at the upper bound, P(X >= count) at the lower one.
            let (c, m) = (count as f64, rows as f64);
            let below = beta_reg(m - c, c + 1.0, 1.0 - band.upper);
            prop_assert!((below / level - 1.0).abs() < 1e-5, "{} {}", below, level);
            if count > 0 {
                let above = beta_reg(c, m - c + 1.0, band.lower);
                prop_assert!((above / level - 1.0).abs() < 1e-5, "{} {}", above, level);
            }
            prop_assert!(band.lower <= c / m && band.upper >= c / m);
        }
    }

    proptest! {
        /// P(X <= count) at the upper bound, P(X >= count) at the lower one, are the part of the level that is theirs.
        #[test]
        fn the_bound_of_a_value_has_its_part_of_the_level(
            count in 0u64..2_000, more in 1u64..2_000_000, level in 1e-9f64..0.4
        ) {
            let rows = count + more;
            let band = Band::try_of_value(count, rows, 1.0, level, 0.0).unwrap();
            let (c, m) = (count as f64, rows as f64);
            let below = beta_reg(m - c, c + 1.0, 1.0 - band.upper);
            prop_assert!((below / (level * band.upper) - 1.0).abs() < 1e-5, "{} {:?}", below, band);
            if count > 1 {
                let above = beta_reg(c, m - c + 1.0, band.lower);
                prop_assert!((above / (level * band.lower) - 1.0).abs() < 1e-5, "{} {:?}", above, band);
            } else {
                prop_assert!(band.lower == 0.0);
            }
            prop_assert!(band.lower <= c / m && band.upper >= c / m);
        }
    }

    /// Of many values, those that came most often by chance are inside of their bounds too: of 1,000 equal ones any is
    /// outside, on either side, with a chance of 2 levels at most, which those of single sets are not.
    #[test]
    fn bounds_of_values_hold_for_those_that_stand_out() {
        let (values, rows, runs, level) = (1_000, 3_000, 400, 0.1);
        let share = 1.0 / values as f64;
        let (mut outside, mut outside_plain) = (0, 0);
        for run in 0..runs {
            let mut rng = crate::rng::Rng::new(run);
            let mut counts = vec![0u64; values];
            (0..rows).for_each(|_| counts[(rng.next_f64() * values as f64) as usize] += 1);
            // Counts are few, and so are their bands.
            counts.sort_unstable();
            counts.dedup();
            let misses = |band: Band| share < band.lower || share > band.upper;
            let any = |of: fn(u64, u64, f64, f64, f64) -> Result<Band, ArgumentError>, level: f64| {
                counts.iter().any(|&count| misses(of(count, rows, 1.0, level, 0.0).unwrap()))
            };
            outside += u64::from(any(Band::try_of_value, level));
            // Shared among the 100 that came most often.
            outside_plain += u64::from(any(Band::try_new, level / 100.0));
        }
        let limit = 2.0 * level * runs as f64;
        assert!(outside as f64 <= limit, "{outside} of {runs}");
        assert!(outside_plain as f64 > limit, "{outside_plain} of {runs}");
    }

    #[test]
    fn errors_say_what_and_where() {
        let text = |r: Result<Band, ArgumentError>| r.unwrap_err().to_string();
        assert_eq!(
            text(Band::try_new(2, 1, 1.0, 0.1, 0.0)),
            "count is 2 of 1 rows: there must be rows, and no more in the set than there are"
        );
        assert!(text(Band::try_new(1, 2, 0.5, 0.1, 0.0)).starts_with("deff is 0.5"));
        assert!(text(Band::try_new(1, 2, 1.0, 0.0, 0.0)).starts_with("level is 0"));
        assert!(text(Band::try_new(1, 2, 1.0, 0.1, 2.0)).starts_with("tolerance is 2"));
    }
}
