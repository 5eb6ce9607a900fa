//! Samples as step functions, and the walk through two of them.
use crate::ArgumentError;
use crate::table::Table;

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

    /// Wraps a sample that is known to pass.
    fn of_checked(values: &'a [f64], cumulative: &'a [u64]) -> Self {
        Self { values, cumulative, total: cumulative[cumulative.len() - 1] }
    }

    /// Rows in the sample.
    pub fn rows(&self) -> u64 {
        self.total
    }

    /// The smallest and the largest value.
    pub(crate) fn ends(&self) -> (f64, f64) {
        (self.values[0], self.values[self.values.len() - 1])
    }

    /// Rows at or below `x`, where the first `from` values are known to be; and how many values that are.
    fn rows_up_to(&self, x: f64, from: usize) -> (u64, usize) {
        let end = from + self.values[from..].iter().take_while(|&&v| v <= x).count();
        (if end == 0 { 0 } else { self.cumulative[end - 1] }, end)
    }
}

/// Counts of the same ordered cells on both sides, as two samples.
#[derive(Clone, Debug)]
pub struct OrderedCounts {
    values: Vec<f64>,
    reference: Vec<u64>,
    current: Vec<u64>,
}

impl OrderedCounts {
    /// Takes the counts and the place of each cell, ascending: any numbers where only their order matters.
    ///
    /// # Errors
    /// The sides or `values` have different lengths, a side has no rows or 2^62 or more, a value is NaN, or
    /// they do not ascend.
    pub fn try_new(reference: &[u64], current: &[u64], values: Vec<f64>) -> Result<Self, ArgumentError> {
        Table::try_new(reference, current)?;
        if values.len() != reference.len() {
            return Err(ArgumentError(format!(
                "there are {} values for {} cells: each cell needs one",
                values.len(),
                reference.len()
            )));
        }
        let cumulative = |counts: &[u64]| {
            let sums = counts.iter().scan(0, |sum, count| {
                *sum += count;
                Some(*sum)
            });
            sums.collect::<Vec<u64>>()
        };
        let (reference, current) = (cumulative(reference), cumulative(current));
        WeightedSample::try_new(&values, &reference)?;
        Ok(Self { values, reference, current })
    }

    /// Counts of cells of which only the order matters.
    ///
    /// # Errors
    /// The sides have different lengths, or one has no rows or 2^62 or more.
    pub fn in_order(reference: &[u64], current: &[u64]) -> Result<Self, ArgumentError> {
        Self::try_new(reference, current, (0..reference.len()).map(|i| i as f64).collect())
    }

    /// The reference.
    pub fn reference(&self) -> WeightedSample<'_> {
        WeightedSample::of_checked(&self.values, &self.reference)
    }

    /// The current rows.
    pub fn current(&self) -> WeightedSample<'_> {
        WeightedSample::of_checked(&self.values, &self.current)
    }
}

/// Two distribution functions right of one value, or of some that were joined.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Step {
    /// The first of its values: `at` if they were not joined.
    pub from: f64,
    /// The value, or the last of them.
    pub at: f64,
    /// Rows of the reference at or below it.
    pub reference: u64,
    /// Current rows at or below it.
    pub current: u64,
}

/// The different values of both samples in ascending order, equal ones taken as one step. The last step
/// holds all rows.
///
/// # Errors
/// A side has 2^62 rows or more.
pub(crate) fn steps<'a>(
    reference: WeightedSample<'a>,
    current: WeightedSample<'a>,
) -> Result<impl Iterator<Item = Step> + use<'a>, ArgumentError> {
    let most = reference.total.max(current.total);
    if most >= 1 << 62 {
        // With both totals below 2^62 every product of rows and totals fits i128.
        return Err(ArgumentError(format!("a sample has {most} rows: 2^62 or more are not counted")));
    }
    let mut ends = (0, 0);
    Ok(std::iter::from_fn(move || {
        let at = match (reference.values.get(ends.0), current.values.get(ends.1)) {
            (Some(&x), Some(&y)) => x.min(y),
            (Some(&x), None) | (None, Some(&x)) => x,
            (None, None) => return None,
        };
        let mut step = Step { from: at, at, reference: 0, current: 0 };
        (step.reference, ends.0) = reference.rows_up_to(at, ends.0);
        (step.current, ends.1) = current.rows_up_to(at, ends.1);
        Some(step)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_take_equal_values_as_one() {
        let x = WeightedSample::try_new(&[-0.0, 1.0, 1.0, f64::INFINITY], &[2, 3, 4, 6]).unwrap();
        let y = WeightedSample::try_new(&[0.0, 2.0], &[1, 5]).unwrap();
        let found: Vec<_> = steps(x, y).unwrap().map(|s| (s.at, s.reference, s.current)).collect();
        assert_eq!(found, [(0.0, 2, 1), (1.0, 4, 1), (2.0, 4, 5), (f64::INFINITY, 6, 5)]);
    }

    #[test]
    fn ordered_counts_are_two_samples() {
        let counts = OrderedCounts::try_new(&[1, 0, 2], &[0, 3, 1], vec![0.0, 1.0, 5.0]).unwrap();
        let found: Vec<_> = steps(counts.reference(), counts.current())
            .unwrap()
            .map(|s| (s.at, s.reference, s.current))
            .collect();
        assert_eq!(found, [(0.0, 1, 0), (1.0, 1, 3), (5.0, 3, 4)]);
        let text = |x: &[u64], y: &[u64], values: &[f64]| {
            OrderedCounts::try_new(x, y, values.to_vec()).unwrap_err().to_string()
        };
        assert_eq!(text(&[1, 2], &[2, 1], &[0.0]), "there are 1 values for 2 cells: each cell needs one");
        assert_eq!(text(&[1, 2], &[2, 1], &[1.0, 0.0]), "values[1] is 0 after 1: values must ascend");
        assert_eq!(
            text(&[1, 2], &[0, 0], &[0.0, 1.0]),
            "current has no rows: at least one count must be positive"
        );
    }

    #[test]
    fn errors_say_what_and_where() {
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
        let text = steps(huge, huge).err().unwrap().to_string();
        assert_eq!(text, "a sample has 18446744073709551615 rows: 2^62 or more are not counted");
    }
}
