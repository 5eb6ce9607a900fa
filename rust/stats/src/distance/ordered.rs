//! Distances of two distribution functions.
//!
//! Each is one walk through the steps of both functions, whose differences are exact integers and are
//! rounded once. A quantile sketch knows ranks only within an error; each distance has its limits for that.
use super::sample::{Step, WeightedSample, steps};
use crate::ArgumentError;
use crate::error::within;

/// The largest difference between two distribution functions, and where it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KsStatistic {
    /// `max |F - G|`, 0 to 1.
    pub statistic: f64,
    /// The value at which it is reached: the smallest one if there are several.
    pub at: f64,
    /// Share of the reference at or below `at`.
    pub reference_cdf: f64,
    /// Share of the current rows at or below `at`.
    pub current_cdf: f64,
    /// 1 if the current share is larger (values fell), -1 if the reference's is (values rose), 0 if
    /// equal.
    pub sign: i8,
}

/// Kolmogorov-Smirnov distance of two samples: `D = max over x of |F(x) - G(x)|`.
///
/// F and G are right-continuous step functions, so ties are taken as one step. Differences are compared
/// as exact integers; `D` itself is rounded once.
///
/// Source: Smirnov (1939).
///
/// # Errors
/// A side has 2^62 rows or more.
pub fn ks_statistic(
    reference: WeightedSample<'_>,
    current: WeightedSample<'_>,
) -> Result<KsStatistic, ArgumentError> {
    let cuts = Cuts::of(reference, current);
    let (m, n) = (reference.rows() as f64, current.rows() as f64);
    let mut best: Option<(u128, Step, i128)> = None;
    for step in steps(reference, current)? {
        let difference = cuts.difference(step);
        if best.is_none_or(|(largest, ..)| difference.unsigned_abs() > largest) {
            best = Some((difference.unsigned_abs(), step, difference));
        }
    }
    let (largest, step, difference) = best.expect("a sample has at least one value");
    Ok(KsStatistic {
        statistic: largest as f64 / (m * n),
        at: step.at,
        reference_cdf: step.reference as f64 / m,
        current_cdf: step.current as f64 / n,
        sign: difference.signum() as i8,
    })
}

/// A distance, and the limits of the distance of the data themselves where it was measured between sketches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounded {
    /// The distance of the samples as given.
    pub value: f64,
    /// The least that the distance of the data can be.
    pub lower: f64,
    /// The most that it can be.
    pub upper: f64,
}

impl Bounded {
    /// `value - error` to `value + error`, within 0 and `most`.
    fn around(value: f64, error: f64, most: f64) -> Self {
        // Where both are infinite the difference is NaN, and `max` takes the 0.
        Self { value, lower: (value - error).max(0.0), upper: (value + error).min(most) }
    }
}

/// The sizes of two samples, and the distances of their steps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cuts {
    /// Rows of the reference.
    pub m: u64,
    /// Current rows.
    pub n: u64,
}

impl Cuts {
    fn of(reference: WeightedSample<'_>, current: WeightedSample<'_>) -> Self {
        Self { m: reference.rows(), n: current.rows() }
    }

    /// `m n (G - F)`, exactly.
    fn difference(self, step: Step) -> i128 {
        i128::from(step.current) * i128::from(self.m) - i128::from(step.reference) * i128::from(self.n)
    }

    /// `G - F`, rounded once.
    fn d(self, step: Step) -> f64 {
        self.difference(step) as f64 / (self.m as f64 * self.n as f64)
    }

    /// `max d - min d`.
    pub fn kuiper(self, steps: impl Iterator<Item = Step>) -> f64 {
        // Left of all values d is 0, so neither end starts elsewhere.
        let (least, most) = steps
            .map(|step| self.difference(step))
            .fold((0, 0), |(least, most), d| (d.min(least), d.max(most)));
        (most - least) as f64 / (self.m as f64 * self.n as f64)
    }

    /// `integral weight(d) dx`, with the mean of both ends between values that were joined.
    fn integral(self, steps: impl Iterator<Item = Step>, weight: impl Fn(f64) -> f64) -> f64 {
        let mut sum = 0.0;
        // Where the last step was, and what it weighs to its right. Left of all values d is 0.
        let (mut end, mut before) = (None, 0.0);
        for step in steps {
            let here = weight(self.d(step));
            if let Some(end) = end {
                sum += weighted_gap(before, end, step.from);
            }
            if step.from < step.at {
                sum += weighted_gap(f64::midpoint(before, here), step.from, step.at);
            }
            (end, before) = (Some(step.at), here);
        }
        sum
    }

    /// `integral |d| dx`.
    pub fn wasserstein(self, steps: impl Iterator<Item = Step>) -> f64 {
        self.integral(steps, f64::abs)
    }

    /// `sqrt(2 integral d^2 dx)`.
    pub fn energy(self, steps: impl Iterator<Item = Step>) -> f64 {
        // The 2 outside of the sum is a factor of 4 under the root: so the sum stays below f64::MAX.
        2.0 * self.integral(steps, |d| d * d / 2.0).sqrt()
    }

    /// `nm / (n + m)`.
    fn scale(self) -> f64 {
        let (m, n) = (self.m as f64, self.n as f64);
        m / (m + n) * n
    }

    /// `nm / (n + m) integral d^2 dH`.
    pub fn cramer_von_mises(self, steps: impl Iterator<Item = Step>) -> f64 {
        self.scale() * self.squares(steps).0
    }

    /// `integral d^2 dH`, and the sum of the absolute changes of `d^2` along the way.
    fn squares(self, steps: impl Iterator<Item = Step>) -> (f64, f64) {
        let rows = self.m as f64 + self.n as f64;
        let (mut integral, mut variation) = (0.0, 0.0);
        let (mut rows_before, mut square_before) = (0, 0.0);
        for step in steps {
            let (rows_here, square) = (step.reference + step.current, self.d(step).powi(2));
            integral += (rows_here - rows_before) as f64 / rows * square;
            variation += (square - square_before).abs();
            (rows_before, square_before) = (rows_here, square);
        }
        (integral, variation)
    }
}

/// `weight (high - low)`, also where the gap between two finite values lies beyond [`f64::MAX`].
fn weighted_gap(weight: f64, low: f64, high: f64) -> f64 {
    let gap = high - low;
    if weight == 0.0 {
        0.0
    } else if gap.is_finite() {
        weight * gap
    } else {
        2.0 * (weight * (high / 2.0 - low / 2.0))
    }
}

/// The same between the smallest and the largest value of two samples.
fn weighted_range(weight: f64, reference: WeightedSample<'_>, current: WeightedSample<'_>) -> f64 {
    let (x, y) = (reference.ends(), current.ends());
    weighted_gap(weight, x.0.min(y.0), x.1.max(y.1))
}

/// Kuiper's statistic: `V = max(G - F) + max(F - G)`, 0 to 1.
///
/// On a circle (hours of the day, angles) it does not depend on where the circle is cut. Rank errors that
/// sum to `sketch_error` move it by at most twice that: each of the two maxima by the error.
///
/// Source: Kuiper (1960).
///
/// # Errors
/// A side has 2^62 rows or more, or `sketch_error` is not 0 to 1.
pub fn kuiper(
    reference: WeightedSample<'_>,
    current: WeightedSample<'_>,
    sketch_error: f64,
) -> Result<Bounded, ArgumentError> {
    within("sketch_error", sketch_error, 0.0, 1.0)?;
    let value = Cuts::of(reference, current).kuiper(steps(reference, current)?);
    Ok(Bounded::around(value, 2.0 * sketch_error, 1.0))
}

/// Wasserstein distance of order 1: `W1 = integral |F - G| dx`, how far a row has to move in the mean, in
/// the unit of the values.
///
/// Infinite values are places like others: equal shares of them cost nothing, different shares make the
/// distance infinite. It is also infinite beyond [`f64::MAX`]. Rank errors that sum to `sketch_error` move
/// it by at most that times the range of all values, because that is where F and G can differ: of data
/// with heavy tails this is not much of a limit. So a sketch's sample must hold the smallest and the largest
/// value of its data, if need be without rows.
///
/// Source: Vallender (1974) for the integral.
///
/// # Errors
/// A side has 2^62 rows or more, or `sketch_error` is not 0 to 1.
pub fn wasserstein(
    reference: WeightedSample<'_>,
    current: WeightedSample<'_>,
    sketch_error: f64,
) -> Result<Bounded, ArgumentError> {
    within("sketch_error", sketch_error, 0.0, 1.0)?;
    let value = Cuts::of(reference, current).wasserstein(steps(reference, current)?);
    Ok(Bounded::around(value, weighted_range(sketch_error, reference, current), f64::INFINITY))
}

/// Energy distance: `sqrt(2 integral (F - G)^2 dx)`, in the root of the unit of the values.
///
/// It equals `sqrt(2 E|X - Y| - E|X - X'| - E|Y - Y'|)`. Infinite values are treated as by
/// [`wasserstein`]. It is a norm of `F - G`, so rank errors that sum to `sketch_error` move it by at most
/// that times `sqrt(2 range)`; for the range see there too.
///
/// Source: Székely (2003).
///
/// # Errors
/// A side has 2^62 rows or more, or `sketch_error` is not 0 to 1.
pub fn energy(
    reference: WeightedSample<'_>,
    current: WeightedSample<'_>,
    sketch_error: f64,
) -> Result<Bounded, ArgumentError> {
    within("sketch_error", sketch_error, 0.0, 1.0)?;
    let value = Cuts::of(reference, current).energy(steps(reference, current)?);
    let error = 2.0 * weighted_range(sketch_error.powi(2) / 2.0, reference, current).sqrt();
    Ok(Bounded::around(value, error, f64::INFINITY))
}

/// Cramér-von Mises statistic of two samples: `T = nm / (n + m) integral (F - G)^2 dH`, where H is the
/// distribution function of all rows.
///
/// F and G are taken right of each value, as in all distances here, also where values are tied.
///
/// Rank errors that sum to `e` move the root of the integral by at most `e`, as it is a norm of `F - G`;
/// and as H is known within `e` as well, the integral of the squares found may be off by `e` times the sum
/// of their absolute changes from step to step. The limits hold both.
///
/// Sources: Anderson (1962); the limits by integration by parts.
///
/// # Errors
/// A side has 2^62 rows or more, or `sketch_error` is not 0 to 1.
pub fn cramer_von_mises(
    reference: WeightedSample<'_>,
    current: WeightedSample<'_>,
    sketch_error: f64,
) -> Result<Bounded, ArgumentError> {
    let e = within("sketch_error", sketch_error, 0.0, 1.0)?;
    let cuts = Cuts::of(reference, current);
    let (integral, variation) = cuts.squares(steps(reference, current)?);
    let value = cuts.scale() * integral;
    if e == 0.0 {
        return Ok(Bounded { value, lower: value, upper: value });
    }
    let least = ((integral - e * variation).max(0.0).sqrt() - e).max(0.0);
    let most = ((integral + e * variation).sqrt() + e).min(1.0);
    Ok(Bounded { value, lower: cuts.scale() * least.powi(2), upper: cuts.scale() * most.powi(2) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;
    use proptest::{collection::vec, prelude::*, sample::select};

    #[track_caller]
    fn close(value: f64, expected: f64) {
        assert!((value - expected).abs() <= 1e-12 * expected.abs(), "{value:e} is not {expected:e}");
    }

    fn cumulative(n: usize) -> Vec<u64> {
        (1..=n as u64).collect()
    }

    /// SciPy 1.17.1: ks_2samp([1, 2, 2, 3, 5, 8], [2, 4, 4, 6, 9, 9, 10]).
    #[test]
    fn ks_equals_scipy() {
        let (x, y) = ([1.0, 2.0, 2.0, 3.0, 5.0, 8.0], [2.0, 4.0, 4.0, 6.0, 9.0, 9.0, 10.0]);
        let (cx, cy) = (cumulative(6), cumulative(7));
        let ks = ks_statistic(
            WeightedSample::try_new(&x, &cx).unwrap(),
            WeightedSample::try_new(&y, &cy).unwrap(),
        )
        .unwrap();
        assert_eq!(ks.statistic, 0.5238095238095238);
        assert_eq!((ks.at, ks.reference_cdf, ks.current_cdf, ks.sign), (3.0, 4.0 / 6.0, 1.0 / 7.0, -1));
    }

    #[test]
    fn identical_samples_are_at_distance_zero() {
        let (values, weights) = ([f64::NEG_INFINITY, -0.0, 0.0, 4.0], [2, 3, 3, 9]);
        let sample = WeightedSample::try_new(&values, &weights).unwrap();
        let ks = ks_statistic(sample, sample).unwrap();
        assert_eq!((ks.statistic, ks.sign, ks.at), (0.0, 0, f64::NEG_INFINITY));
        assert_eq!((ks.reference_cdf, ks.current_cdf), (2.0 / 9.0, 2.0 / 9.0));
    }

    #[test]
    fn separate_samples_are_at_distance_one() {
        let low = WeightedSample::try_new(&[1.0, 2.0], &[5, 7]).unwrap();
        let high = WeightedSample::try_new(&[3.0], &[1]).unwrap();
        let rose = ks_statistic(low, high).unwrap();
        assert_eq!((rose.statistic, rose.at, rose.sign), (1.0, 2.0, -1));
        let fell = ks_statistic(high, low).unwrap();
        assert_eq!((fell.statistic, fell.at, fell.sign), (1.0, 2.0, 1));
    }

    /// SciPy 1.17.1: wasserstein_distance, energy_distance and cramervonmises_2samp of [1, 2.5, 2.75, 3, 5, 8]
    /// and [2, 4, 4.5, 6, 9, 9.25, 10], and the first two of counts with values; Kuiper by hand.
    #[test]
    fn distances_equal_scipy() {
        let (x, y) = ([1.0, 2.5, 2.75, 3.0, 5.0, 8.0], [2.0, 4.0, 4.5, 6.0, 9.0, 9.25, 10.0]);
        let (cx, cy) = (cumulative(6), cumulative(7));
        let x = WeightedSample::try_new(&x, &cx).unwrap();
        let y = WeightedSample::try_new(&y, &cy).unwrap();
        close(wasserstein(x, y, 0.0).unwrap().value, 2.68452380952381);
        close(energy(x, y, 0.0).unwrap().value, 1.3890362733591528);
        close(cramer_von_mises(x, y, 0.0).unwrap().value, 0.2948717948717947);
        close(kuiper(x, y, 0.0).unwrap().value, 22.0 / 42.0);
        let values = [0.0, 1.0, 3.0, 10.0];
        let x = WeightedSample::try_new(&values, &[3, 3, 8, 10]).unwrap();
        let y = WeightedSample::try_new(&values, &[1, 5, 5, 12]).unwrap();
        close(wasserstein(x, y, 0.0).unwrap().value, 3.1333333333333337);
        close(energy(x, y, 0.0).unwrap().value, 1.4851112939963644);
        // d = 1/12 - 3/10, 5/12 - 3/10, 5/12 - 8/10.
        close(kuiper(x, y, 0.0).unwrap().value, 7.0 / 60.0 + 23.0 / 60.0);
    }

    #[test]
    fn huge_values_and_counts_do_not_overflow() {
        let half = 1u64 << 60;
        let (values, two, three) = ([-f64::MAX, f64::MAX], [half, 2 * half], [half, 3 * half]);
        let x = WeightedSample::try_new(&values, &two).unwrap();
        let y = WeightedSample::try_new(&values, &three).unwrap();
        assert_eq!(ks_statistic(x, y).unwrap().statistic, 1.0 / 6.0);
        assert_eq!(kuiper(x, y, 0.0).unwrap().value, 1.0 / 6.0);
        close(wasserstein(x, y, 0.0).unwrap().value, f64::MAX / 3.0);
        close(energy(x, y, 0.0).unwrap().value, f64::MAX.sqrt() / 3.0);
        close(cramer_von_mises(x, y, 0.0).unwrap().value, 1.2 * half as f64 * 2.0 / 5.0 / 36.0);
        // All rows go from one end to the other: beyond f64::MAX, and its root is not.
        let low = WeightedSample::try_new(&[-f64::MAX], &[1]).unwrap();
        let high = WeightedSample::try_new(&[f64::MAX], &[1]).unwrap();
        assert_eq!(wasserstein(low, high, 0.0).unwrap().value, f64::INFINITY);
        close(energy(low, high, 0.0).unwrap().value, 2.0 * f64::MAX.sqrt());
        // The limits of an error as well.
        close(wasserstein(x, x, 0.25).unwrap().upper, f64::MAX / 2.0);
        close(energy(x, x, 0.25).unwrap().upper, f64::MAX.sqrt() / 2.0);
    }

    #[test]
    fn infinite_values_cost_nothing_where_shares_are_equal() {
        let infinite = f64::INFINITY;
        let sample = |cumulative: &[u64; 4]| {
            let values = [-infinite, 0.0, 3.0, infinite];
            let of = |f: fn(_, _, _) -> Result<Bounded, ArgumentError>| {
                let x = WeightedSample::try_new(&values, &[1, 2, 3, 4]).unwrap();
                f(x, WeightedSample::try_new(&values, cumulative).unwrap(), 0.0).unwrap()
            };
            [of(wasserstein), of(energy)]
        };
        let exactly = |value: f64| Bounded { value, lower: value, upper: value };
        assert_eq!(sample(&[2, 3, 6, 8])[0], exactly(3.0 / 8.0));
        close(sample(&[2, 3, 6, 8])[1].value, 6f64.sqrt() / 8.0);
        for different in [[2, 2, 3, 4], [1, 2, 4, 4]] {
            assert_eq!(sample(&different)[0].value, infinite);
            assert_eq!(sample(&different)[1].value, infinite);
        }
        // With an error nothing but the least is known.
        let values = [0.0, infinite];
        let x = WeightedSample::try_new(&values, &[1, 2]).unwrap();
        let y = WeightedSample::try_new(&values, &[1, 3]).unwrap();
        let found = wasserstein(x, y, 0.01).unwrap();
        assert_eq!((found.lower, found.upper), (0.0, infinite));
    }

    #[test]
    fn errors_say_what_and_where() {
        let x = WeightedSample::try_new(&[1.0], &[1]).unwrap();
        for f in [kuiper, wasserstein, energy, cramer_von_mises] {
            assert_eq!(f(x, x, 1.5).unwrap_err().to_string(), "sketch_error is 1.5: it must be 0 to 1");
            assert!(f(x, x, f64::NAN).is_err());
            let huge = WeightedSample::try_new(&[1.0], &[1 << 62]).unwrap();
            assert!(f(x, huge, 0.0).is_err());
        }
    }

    /// Values with many ties, weights up to 3.
    fn sample_of(values: Vec<f64>) -> impl Strategy<Value = Vec<(f64, u64)>> {
        vec((select(values), 1..4u64), 1..40).prop_map(|mut rows| {
            rows.sort_by(|x, y| x.0.total_cmp(&y.0));
            rows
        })
    }

    fn sample() -> impl Strategy<Value = Vec<(f64, u64)>> {
        sample_of(vec![f64::NEG_INFINITY, -1.5, -0.0, 0.0, 0.5, 1.0, 7.0, f64::INFINITY])
    }

    fn finite() -> impl Strategy<Value = Vec<(f64, u64)>> {
        sample_of(vec![-1e3, -1.5, -0.0, 0.0, 0.1, 0.5, 1.0, 1.0 + 1e-9, 7.0])
    }

    fn split(rows: &[(f64, u64)]) -> (Vec<f64>, Vec<u64>) {
        let sums = rows.iter().scan(0, |sum, row| {
            *sum += row.1;
            Some(*sum)
        });
        (rows.iter().map(|row| row.0).collect(), sums.collect())
    }

    fn share(rows: &[(f64, u64)], at: f64) -> f64 {
        let sum = |keep: fn(f64, f64) -> bool| -> u64 {
            rows.iter().filter(|row| keep(row.0, at)).map(|row| row.1).sum()
        };
        sum(|v, at| v <= at) as f64 / sum(|_, _| true) as f64
    }

    /// Calls `f` with two samples.
    fn between<T>(
        x: &[(f64, u64)],
        y: &[(f64, u64)],
        f: impl Fn(WeightedSample<'_>, WeightedSample<'_>) -> T,
    ) -> T {
        let ((xv, xc), (yv, yc)) = (split(x), split(y));
        f(WeightedSample::try_new(&xv, &xc).unwrap(), WeightedSample::try_new(&yv, &yc).unwrap())
    }

    /// What a sketch keeps of sorted rows: of some runs every row, of others one of 2, 4 or 8 with their weight.
    fn sketched(rows: &[f64], rng: &mut Rng) -> Vec<(f64, u64)> {
        let mut levels: [Vec<f64>; 4] = Default::default();
        for &row in rows {
            levels[(rng.next_u64() % 4) as usize].push(row);
        }
        let mut kept = vec![];
        for (level, rows) in levels.iter().enumerate() {
            let weight = 1usize << level;
            let whole = rows.len() / weight * weight;
            let offset = rng.next_u64() as usize % weight;
            kept.extend(rows[..whole].chunks(weight).map(|rows| (rows[offset], weight as u64)));
            kept.extend(rows[whole..].iter().map(|&row| (row, 1)));
        }
        // The smallest and the largest value are known in any case.
        kept.extend([(rows[0], 0), (rows[rows.len() - 1], 0)]);
        kept.sort_by(|x, y| x.0.total_cmp(&y.0));
        kept
    }

    proptest! {
        #[test]
        fn ks_equals_brute_force(x in sample(), y in sample()) {
            let gap = |at: f64| (share(&y, at) - share(&x, at)).abs();
            let brute = x.iter().chain(&y).map(|row| gap(row.0)).fold(0.0, f64::max);
            let ks = between(&x, &y, |x, y| ks_statistic(x, y).unwrap());
            prop_assert!((ks.statistic - brute).abs() < 1e-14, "{} {}", ks.statistic, brute);
            prop_assert_eq!((ks.reference_cdf, ks.current_cdf), (share(&x, ks.at), share(&y, ks.at)));
            let difference = ks.current_cdf - ks.reference_cdf;
            prop_assert!((ks.statistic * f64::from(ks.sign) - difference).abs() < 1e-14);
            let swapped = between(&y, &x, |y, x| ks_statistic(y, x).unwrap());
            prop_assert_eq!((swapped.statistic, swapped.sign, swapped.at), (ks.statistic, -ks.sign, ks.at));
        }

        #[test]
        fn kuiper_and_cramer_von_mises_equal_brute_force(x in sample(), y in sample()) {
            let gap = |at: f64| share(&y, at) - share(&x, at);
            let gaps: Vec<f64> = x.iter().chain(&y).map(|row| gap(row.0)).collect();
            let brute = gaps.iter().fold(0.0, |a: f64, &b| a.max(b)) - gaps.iter().fold(0.0, |a: f64, &b| a.min(b));
            let value = between(&x, &y, |x, y| kuiper(x, y, 0.0).unwrap().value);
            prop_assert!((value - brute).abs() < 1e-14, "{} {}", value, brute);
            let rows = |side: &[(f64, u64)]| side.iter().map(|row| row.1).sum::<u64>() as f64;
            let (m, n) = (rows(&x), rows(&y));
            let squares: f64 = x.iter().chain(&y).map(|row| row.1 as f64 * gap(row.0).powi(2)).sum();
            let brute = m * n / (m + n).powi(2) * squares;
            let value = between(&x, &y, |x, y| cramer_von_mises(x, y, 0.0).unwrap().value);
            prop_assert!((value - brute).abs() <= 1e-12 * brute.max(1e-3), "{} {}", value, brute);
        }

        /// W1 as the mean distance of equal quantiles, the energy distance as that of pairs.
        #[test]
        fn distances_equal_brute_force(x in finite(), y in finite()) {
            let expand = |side: &[(f64, u64)]| -> Vec<f64> {
                side.iter().flat_map(|row| vec![row.0; row.1 as usize]).collect()
            };
            let (a, b) = (expand(&x), expand(&y));
            let (m, n) = (a.len(), b.len());
            let brute = (0..m * n).map(|i| (a[i / n] - b[i / m]).abs()).sum::<f64>() / (m * n) as f64;
            let value = between(&x, &y, |x, y| wasserstein(x, y, 0.0).unwrap().value);
            prop_assert!((value - brute).abs() <= 1e-9 * brute.max(1e-9), "{} {}", value, brute);
            let mean = |a: &[f64], b: &[f64]| {
                let sum: f64 = a.iter().flat_map(|x| b.iter().map(move |y| (x - y).abs())).sum();
                sum / (a.len() * b.len()) as f64
            };
            let brute = 2.0 * mean(&a, &b) - mean(&a, &a) - mean(&b, &b);
            let value = between(&x, &y, |x, y| energy(x, y, 0.0).unwrap().value);
            // The three means cancel: they are known to 1e-13 of the range.
            prop_assert!((value.powi(2) - brute).abs() <= 1e-9 * brute + 1e-9, "{} {}", value, brute);
        }

        #[test]
        fn distances_are_symmetric_and_zero_for_equal_shares(x in finite(), y in finite()) {
            let threefold: Vec<(f64, u64)> = x.iter().map(|row| (row.0, 3 * row.1)).collect();
            for f in [kuiper, wasserstein, energy, cramer_von_mises] {
                let value = |a: &[_], b: &[_]| between(a, b, |a, b| f(a, b, 0.0).unwrap().value);
                prop_assert_eq!(value(&x, &threefold), 0.0);
                let (there, back) = (value(&x, &y), value(&y, &x));
                prop_assert!((there - back).abs() <= 1e-14 * there);
            }
        }

        /// Hours in another order round the clock.
        #[test]
        fn kuiper_is_the_same_wherever_the_circle_is_cut(
            hours in vec((0..20u64, 0..20u64), 24), cut in 1..24usize
        ) {
            prop_assume!(hours.iter().any(|h| h.0 > 0) && hours.iter().any(|h| h.1 > 0));
            let value = |hours: &[(u64, u64)]| {
                let side = |of: fn(&(u64, u64)) -> u64| -> Vec<(f64, u64)> {
                    hours.iter().enumerate().map(|(i, h)| (i as f64, of(h))).collect()
                };
                between(&side(|h| h.0), &side(|h| h.1), |x, y| kuiper(x, y, 0.0).unwrap().value)
            };
            let turned = [&hours[cut..], &hours[..cut]].concat();
            prop_assert!((value(&hours) - value(&turned)).abs() < 1e-14);
        }

        #[test]
        fn the_limits_hold_for_sketches(
            shift in 0.0..2.0f64, few in any::<bool>(), heavy in any::<bool>(), seed in any::<u64>()
        ) {
            let mut rng = Rng::new(seed);
            let mut raw = |rows: usize, shift: f64| -> Vec<f64> {
                let value = |u: f64| if heavy { 1.0 / (1.0 - u) } else { 4.0 * u };
                let round = |x: f64| if few { x.floor() } else { x };
                let mut values: Vec<f64> = (0..rows).map(|_| round(shift + value(rng.next_f64()))).collect();
                values.sort_by(f64::total_cmp);
                values
            };
            let (a, b) = (raw(400, 0.0), raw(300, shift));
            let exact = |rows: &[f64]| rows.iter().map(|&row| (row, 1)).collect::<Vec<_>>();
            let (x, y) = (exact(&a), exact(&b));
            let (p, q) = (sketched(&a, &mut rng), sketched(&b, &mut rng));
            let off = |x: &[_], p: &[_]| between(x, p, |x, p| ks_statistic(x, p).unwrap().statistic);
            let e = off(&x, &p) + off(&y, &q);
            prop_assert!(e > 0.0 || few);
            for f in [kuiper, wasserstein, energy, cramer_von_mises] {
                let truth = between(&x, &y, |x, y| f(x, y, 0.0).unwrap().value);
                let found = between(&p, &q, |p, q| f(p, q, e).unwrap());
                let slack = 1e-12 * truth;
                prop_assert!(found.lower <= truth + slack && truth <= found.upper + slack, "{:?} {}", found, truth);
                prop_assert!(found.lower <= found.value && found.value <= found.upper);
            }
        }
    }
}
