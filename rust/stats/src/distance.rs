//! How far two samples lie apart: the statistics and effect sizes, without a judgement.
use crate::ArgumentError;
use crate::table::{Table, chi_square_term};

/// A sample in ascending order with the rows up to and including each value.
///
/// The sorted view of a quantile sketch has this form, and so has sorted raw data with 1, 2, 3, ...
#[derive(Clone, Copy, Debug)]
pub struct WeightedSample<'a> {
    values: &'a [f64],
    cumulative: &'a [u64],
    total: u64,
}

impl<'a> WeightedSample<'a> {
    /// Checks and wraps a sample.
    ///
    /// `values` ascend (equal neighbours and infinities are fine, NaN is not); `cumulative` has the same
    /// length, never falls and ends with the number of rows.
    ///
    /// # Errors
    /// The lengths differ, there are no rows, a value is NaN, or one of the slices falls.
    pub fn try_new(values: &'a [f64], cumulative: &'a [u64]) -> Result<Self, ArgumentError> {
        if values.len() != cumulative.len() {
            return Err(ArgumentError(format!(
                "{} values have {} cumulative weights: each value needs one",
                values.len(),
                cumulative.len()
            )));
        }
        let total = cumulative.last().copied().unwrap_or(0);
        if total == 0 {
            return Err(ArgumentError("the sample has no rows: nothing can be compared with it".into()));
        }
        if let Some(i) = values.iter().position(|x| x.is_nan()) {
            return Err(ArgumentError(format!("values[{i}] is NaN: leave NaN out and count it apart")));
        }
        if let Some(i) = values.windows(2).position(|w| w[0] > w[1]) {
            return Err(ArgumentError(format!(
                "values[{}] is {} after {}: values must ascend",
                i + 1,
                values[i + 1],
                values[i]
            )));
        }
        if let Some(i) = cumulative.windows(2).position(|w| w[0] > w[1]) {
            return Err(ArgumentError(format!(
                "cumulative[{}] is {} after {}: cumulative weights must not fall",
                i + 1,
                cumulative[i + 1],
                cumulative[i]
            )));
        }
        Ok(Self { values, cumulative, total })
    }

    /// Rows in the sample.
    pub fn rows(&self) -> u64 {
        self.total
    }

    /// Rows at or below `x`, where the first `from` values are known to be; and how many values that are.
    fn rows_up_to(&self, x: f64, from: usize) -> (u64, usize) {
        let end = from + self.values[from..].iter().take_while(|&&v| v <= x).count();
        (if end == 0 { 0 } else { self.cumulative[end - 1] }, end)
    }
}

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
    let (m, n) = (reference.total, current.total);
    if m.max(n) >= 1 << 62 {
        return Err(ArgumentError(format!("a sample has {} rows: at most 2^62 are counted", m.max(n))));
    }
    let (mut i, mut j) = (0, 0);
    let (mut a, mut b);
    let mut best = KsStatistic {
        statistic: 0.0,
        at: reference.values[0].min(current.values[0]),
        reference_cdf: 0.0,
        current_cdf: 0.0,
        sign: 0,
    };
    let mut largest = None;
    // Behind the end of either sample the difference only shrinks.
    while let (Some(&x), Some(&y)) = (reference.values.get(i), current.values.get(j)) {
        let at = x.min(y);
        (a, i) = reference.rows_up_to(at, i);
        (b, j) = current.rows_up_to(at, j);
        let difference = i128::from(b) * i128::from(m) - i128::from(a) * i128::from(n);
        if largest.is_none_or(|l| difference.unsigned_abs() > l) {
            largest = Some(difference.unsigned_abs());
            best = KsStatistic {
                statistic: difference.unsigned_abs() as f64 / (m as f64 * n as f64),
                at,
                reference_cdf: a as f64 / m as f64,
                current_cdf: b as f64 / n as f64,
                sign: difference.signum() as i8,
            };
        }
    }
    Ok(best)
}

/// Total variation distance of two rows of counts: `TV = 1/2 sum |p - q|`, the share of rows that would
/// have to move for the shares to be equal, 0 to 1.
///
/// The sum is exact in integers and rounded once. Under no change its mean is not 0 but about
/// `sum sqrt(p (1 - p) (1/n + 1/m) / (2 pi))`: an effect size, not a test.
///
/// # Errors
/// The sides have different lengths, or one has no rows or 2^62 or more.
pub fn total_variation(reference: &[u64], current: &[u64]) -> Result<f64, ArgumentError> {
    let Table { cells, m, n } = Table::try_new(reference, current)?;
    // The positive differences add up to as much as the negative ones: half of the absolute sum.
    let gained: u128 = cells
        .iter()
        .map(|&(a, b)| (u128::from(b) * u128::from(m)).saturating_sub(u128::from(a) * u128::from(n)))
        .sum();
    Ok(gained as f64 / (m as f64 * n as f64))
}

/// Pearson's chi-square of a 2 x B table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChiSquare {
    /// The statistic.
    pub statistic: f64,
    /// Degrees of freedom: cells that are not empty on both sides, less one.
    pub df: u64,
    /// Effect size, see [`chi_square`].
    pub w: f64,
}

/// Chi-square of homogeneity of two rows of counts, and its effect size.
///
/// `chi2 = sum (a n - b m)^2 / (n m (a + b))` over cells that hold `a` reference and `b` current rows;
/// cells empty on both sides are dropped. `w = sqrt(chi2 (n + m) / (4 n m))` is the effect at equal
/// weights: unlike Cramer's V it does not change with the ratio of the sample sizes when the shares stay
/// as they are (0 to 1).
///
/// Sources: Pearson (1900); Cohen (1988) for w.
///
/// # Errors
/// The sides have different lengths, or one has no rows or 2^62 or more.
pub fn chi_square(reference: &[u64], current: &[u64]) -> Result<ChiSquare, ArgumentError> {
    let Table { cells, m, n } = Table::try_new(reference, current)?;
    let statistic: f64 = cells.iter().map(|&(a, b)| chi_square_term(a, b, m, n)).sum();
    let w = (statistic / 4.0 * (1.0 / n as f64 + 1.0 / m as f64)).sqrt();
    Ok(ChiSquare { statistic, df: cells.len() as u64 - 1, w })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*, sample::select};

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

    /// SciPy 1.17.1: chi2_contingency([[30, 50, 20, 5], [20, 60, 25, 12]], correction=False).
    #[test]
    fn chi_square_equals_scipy_and_drops_empty_cells() {
        let x = chi_square(&[30, 50, 20, 0, 5], &[20, 60, 25, 0, 12]).unwrap();
        assert!((x.statistic - 5.715049220931572).abs() < 1e-13);
        assert_eq!(x.df, 3);
        assert!((x.w - (x.statistic * 222.0 / (4.0 * 105.0 * 117.0)).sqrt()).abs() < 1e-15);
    }

    #[test]
    fn w_does_not_depend_on_the_ratio_of_sizes() {
        let equal = chi_square(&[3000, 7000], &[2000, 8000]).unwrap();
        let unequal = chi_square(&[300_000, 700_000], &[200, 800]).unwrap();
        // At equal weights w^2 = (.3 - .2)^2 / (4 * .25 * .75); at other ratios the pooled share moves a
        // little.
        assert!((equal.w - 0.1154700538379).abs() < 1e-12);
        assert!((unequal.w - equal.w).abs() < 0.01);
    }

    #[test]
    fn total_variation_is_the_share_that_moved() {
        assert_eq!(total_variation(&[50, 50], &[60, 40]).unwrap(), 0.1);
        assert_eq!(total_variation(&[1, 0, 0], &[0, 0, 9]).unwrap(), 1.0);
        assert_eq!(total_variation(&[1, 2, 3], &[1_000_000, 2_000_000, 3_000_000]).unwrap(), 0.0);
    }

    #[test]
    fn huge_counts_do_not_overflow() {
        let half = 1u64 << 60;
        assert_eq!(total_variation(&[half, half], &[half, 0]).unwrap(), 0.5);
        assert!(chi_square(&[half, half], &[half, 0]).unwrap().statistic > 1e17);
        let (both, one) = ([half, 2 * half], [half]);
        let sample = WeightedSample::try_new(&[0.0, 1.0], &both).unwrap();
        let other = WeightedSample::try_new(&[1.0], &one).unwrap();
        assert_eq!(ks_statistic(sample, other).unwrap().statistic, 0.5);
    }

    #[test]
    fn errors_say_what_and_where() {
        let text = |r: Result<f64, ArgumentError>| r.unwrap_err().to_string();
        assert_eq!(
            text(total_variation(&[1], &[1, 2])),
            "reference has 1 cells and current 2: both must count the same cells"
        );
        assert_eq!(
            text(total_variation(&[0, 0], &[1, 2])),
            "reference has no rows: at least one count must be positive"
        );
        assert_eq!(
            text(total_variation(&[1, 2], &[u64::MAX, 2])),
            "current has 2^62 rows or more: that is beyond what is counted"
        );
        assert!(total_variation(&[], &[]).is_err());
        let sample = |v: &[f64], c: &[u64]| WeightedSample::try_new(v, c).unwrap_err().to_string();
        assert_eq!(sample(&[], &[]), "the sample has no rows: nothing can be compared with it");
        assert_eq!(sample(&[1.0], &[]), "1 values have 0 cumulative weights: each value needs one");
        assert_eq!(sample(&[2.0, 1.0], &[1, 2]), "values[1] is 1 after 2: values must ascend");
        assert_eq!(sample(&[1.0, f64::NAN], &[1, 2]), "values[1] is NaN: leave NaN out and count it apart");
        assert_eq!(
            sample(&[1.0, 2.0], &[2, 1]),
            "cumulative[1] is 1 after 2: cumulative weights must not fall"
        );
        let huge = WeightedSample::try_new(&[1.0], &[u64::MAX]).unwrap();
        assert!(ks_statistic(huge, huge).is_err());
    }

    /// Values with many ties, weights up to 3.
    fn sample() -> impl Strategy<Value = Vec<(f64, u64)>> {
        vec((select(vec![f64::NEG_INFINITY, -1.5, -0.0, 0.0, 0.5, 1.0, 7.0, f64::INFINITY]), 1..4u64), 1..40)
            .prop_map(|mut rows| {
                rows.sort_by(|x, y| x.0.total_cmp(&y.0));
                rows
            })
    }

    fn split(rows: &[(f64, u64)]) -> (Vec<f64>, Vec<u64>) {
        let sums = rows.iter().scan(0, |sum, row| {
            *sum += row.1;
            Some(*sum)
        });
        (rows.iter().map(|row| row.0).collect(), sums.collect())
    }

    proptest! {
        #[test]
        fn ks_equals_brute_force(x in sample(), y in sample()) {
            let share = |rows: &[(f64, u64)], at: f64| {
                let sum = |keep: fn(f64, f64) -> bool| -> u64 {
                    rows.iter().filter(|row| keep(row.0, at)).map(|row| row.1).sum()
                };
                sum(|v, at| v <= at) as f64 / sum(|_, _| true) as f64
            };
            let gap = |at: f64| (share(&y, at) - share(&x, at)).abs();
            let brute = x.iter().chain(&y).map(|row| gap(row.0)).fold(0.0, f64::max);
            let ((xv, xc), (yv, yc)) = (split(&x), split(&y));
            let xs = WeightedSample::try_new(&xv, &xc).unwrap();
            let ys = WeightedSample::try_new(&yv, &yc).unwrap();
            let ks = ks_statistic(xs, ys).unwrap();
            prop_assert!((ks.statistic - brute).abs() < 1e-14, "{} {}", ks.statistic, brute);
            prop_assert_eq!((ks.reference_cdf, ks.current_cdf), (share(&x, ks.at), share(&y, ks.at)));
            let difference = ks.current_cdf - ks.reference_cdf;
            prop_assert!((ks.statistic * f64::from(ks.sign) - difference).abs() < 1e-14);
            let swapped = ks_statistic(ys, xs).unwrap();
            prop_assert_eq!((swapped.statistic, swapped.sign, swapped.at), (ks.statistic, -ks.sign, ks.at));
        }

        #[test]
        fn counts_equal_the_textbook(cells in vec((0..50u64, 0..50u64), 2..20)) {
            let (a, b): (Vec<u64>, Vec<u64>) = cells.iter().copied().unzip();
            let (m, n) = (a.iter().sum::<u64>() as f64, b.iter().sum::<u64>() as f64);
            prop_assume!(m > 0.0 && n > 0.0);
            let mut chi2 = 0.0;
            let mut tv = 0.0;
            for &(a, b) in &cells {
                tv += (a as f64 / m - b as f64 / n).abs() / 2.0;
                if a + b > 0 {
                    let share = (a + b) as f64 / (m + n);
                    chi2 += (a as f64 - m * share).powi(2) / (m * share);
                    chi2 += (b as f64 - n * share).powi(2) / (n * share);
                }
            }
            prop_assert!((total_variation(&a, &b).unwrap() - tv).abs() < 1e-13);
            let x = chi_square(&a, &b).unwrap();
            prop_assert!((x.statistic - chi2).abs() < 1e-11 * chi2.max(1.0));
            prop_assert_eq!(x.df as usize + 1, cells.iter().filter(|&&(a, b)| a + b > 0).count());
        }
    }
}
