//! What may be concluded: `drift`, `stable` or `undecided`.
use crate::ArgumentError;
use crate::error::{strictly_within, within};
use crate::null::normal_quantile;
use crate::test::rows;
use std::fmt;

/// What a comparison of one column says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// The change is larger than the tolerance, proved at level alpha.
    Drift,
    /// The change is at most the tolerance (at tolerance 0: the resolution), proved at level alpha.
    Stable,
    /// Neither is proved: there are too few rows, or the sketch's error covers the answer.
    Undecided,
}

impl Verdict {
    /// The word that users see.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Drift => "drift",
            Self::Stable => "stable",
            Self::Undecided => "undecided",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Upper confidence bound of an effect: `effect + e + z(1 - alpha) / 2 * sqrt(1/n + 1/m)`, at most 1.
///
/// The effect is the largest difference of shares over sets (KS distance, total variation) as estimated.
/// The true largest difference is attained at one fixed set, and the estimate is at least the difference
/// observed there, whose standard deviation is at most `sqrt(1/n + 1/m) / 2`: so the bound fails with
/// probability alpha at most and needs no supremum.
///
/// # Errors
/// `effect` or `sketch_error` is not 0 to 1, a side has no rows, or `alpha` does not lie between 0 and 1.
pub fn effect_upper_bound(
    effect: f64,
    n: u64,
    m: u64,
    sketch_error: f64,
    alpha: f64,
) -> Result<f64, ArgumentError> {
    within("effect", effect, 0.0, 1.0)?;
    within("sketch_error", sketch_error, 0.0, 1.0)?;
    strictly_within("alpha", alpha, 0.0, 1.0)?;
    let s = 1.0 / rows("n", n)? + 1.0 / rows("m", m)?;
    Ok((effect + sketch_error + margin(s, alpha)).min(1.0))
}

/// Half of `z(1 - alpha)` standard deviations: what an upper bound adds to half of a sum of this variance.
pub(crate) fn margin(variance: f64, alpha: f64) -> f64 {
    // An alpha above 1/2 would put the bound below the estimate.
    (-normal_quantile(alpha) / 2.0 * variance.sqrt()).max(0.0)
}

/// The verdict on a column.
///
/// `drift` if the p-value of "the effect is at most `tolerance`", adjusted for the number of columns, is
/// at most alpha; `stable` if not, and the upper bound of the effect is at most the tolerance. No amount
/// of data proves an effect of exactly 0, so at tolerance 0 `stable` means that any change above
/// `resolution` is excluded. `undecided` is the rest.
///
/// # Errors
/// An argument is not 0 to 1.
pub fn verdict(
    adjusted_p_value: f64,
    alpha: f64,
    upper_bound: f64,
    tolerance: f64,
    resolution: f64,
) -> Result<Verdict, ArgumentError> {
    within("adjusted_p_value", adjusted_p_value, 0.0, 1.0)?;
    within("alpha", alpha, 0.0, 1.0)?;
    within("upper_bound", upper_bound, 0.0, 1.0)?;
    within("tolerance", tolerance, 0.0, 1.0)?;
    within("resolution", resolution, 0.0, 1.0)?;
    let limit = if tolerance > 0.0 { tolerance } else { resolution };
    Ok(if adjusted_p_value <= alpha {
        Verdict::Drift
    } else if upper_bound <= limit {
        Verdict::Stable
    } else {
        Verdict::Undecided
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand: sqrt(1/10000 + 1/10000) = .0141421356, half of it times 1.6448536270 is .0116308715.
    #[test]
    fn upper_bound_equals_the_hand_calculation() {
        let bound = effect_upper_bound(0.01, 10_000, 10_000, 0.002, 0.05).unwrap();
        assert!((bound - 0.0236308715).abs() < 1e-9, "{bound}");
        assert_eq!(effect_upper_bound(0.7, 1, 1, 0.0, 0.05).unwrap(), 1.0);
        assert_eq!(effect_upper_bound(0.7, 1, 1, 0.0, 0.9).unwrap(), 0.7);
    }

    #[test]
    fn the_rule() {
        let v = |p, upper, tolerance| verdict(p, 0.05, upper, tolerance, 0.05).unwrap();
        assert_eq!(v(0.05, 0.9, 0.02), Verdict::Drift);
        assert_eq!(v(0.001, 0.01, 0.02), Verdict::Drift);
        assert_eq!(v(0.06, 0.02, 0.02), Verdict::Stable);
        assert_eq!(v(0.06, 0.021, 0.02), Verdict::Undecided);
        assert_eq!(v(1.0, 0.05, 0.0), Verdict::Stable);
        assert_eq!(v(1.0, 0.051, 0.0), Verdict::Undecided);
        assert_eq!(Verdict::Undecided.to_string(), "undecided");
    }

    #[test]
    fn fifty_rows_never_make_a_column_stable_at_two_percent() {
        let bound = effect_upper_bound(0.0, 50, 1_000_000_000, 0.0, 0.05).unwrap();
        assert_eq!(verdict(1.0, 0.05, bound, 0.02, 0.05).unwrap(), Verdict::Undecided);
    }

    #[test]
    fn errors_say_what_and_where() {
        let text = |r: Result<f64, ArgumentError>| r.unwrap_err().to_string();
        assert_eq!(text(effect_upper_bound(1.5, 1, 1, 0.0, 0.05)), "effect is 1.5: it must be 0 to 1");
        assert_eq!(
            text(effect_upper_bound(0.5, 0, 1, 0.0, 0.05)),
            "n is 0: a side without rows cannot be compared"
        );
        assert_eq!(text(effect_upper_bound(0.5, 1, 1, 0.0, 0.0)), "alpha is 0: it must lie between 0 and 1");
        assert!(effect_upper_bound(0.5, 1, 1, f64::NAN, 0.5).is_err());
        assert_eq!(
            verdict(0.5, 0.05, 0.5, 2.0, 0.05).unwrap_err().to_string(),
            "tolerance is 2: it must be 0 to 1"
        );
        assert!(verdict(f64::NAN, 0.05, 0.5, 0.02, 0.05).is_err());
    }
}
