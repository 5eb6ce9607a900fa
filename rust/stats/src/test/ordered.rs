//! Distances of distribution functions when nothing has changed.
//!
//! With ties the limits for many rows fail: that of Kuiper is too careful, that of Cramér-von Mises too bold.
//! Permutations of the pooled counts are exact with any ties, for every one of the distances.
use super::rows;
use crate::ArgumentError;
use crate::distance::{Cuts, Step, WeightedSample, steps};
use crate::error::within;
use crate::null::{cramer_von_mises_sf, kuiper_sf};
use crate::resample::{Null, checked, redrawn_null};
use crate::table::Table;

/// p-value of "nothing changed" for Kuiper's statistic `v`, for many rows.
///
/// `Q((sqrt(N) + .155 + .24 / sqrt(N)) (v - 2 e)+)` with `N = nm / (n + m)`, where `e` is the sum of the
/// rank errors of the sketches that `v` was measured with (0 for exact data). Valid with ties too, but then
/// less likely to find a change: the size at .05 is .01 for 20 values and less for fewer. [`kuiper_null`]
/// loses nothing.
///
/// Sources: Kuiper (1960); Stephens (1970) for the correction at few rows.
///
/// # Errors
/// `v` or `sketch_error` is not 0 to 1, or a side has no rows.
pub fn kuiper_p_value(v: f64, n: u64, m: u64, sketch_error: f64) -> Result<f64, ArgumentError> {
    within("v", v, 0.0, 1.0)?;
    within("sketch_error", sketch_error, 0.0, 1.0)?;
    let root = (1.0 / (1.0 / rows("n", n)? + 1.0 / rows("m", m)?)).sqrt();
    Ok(kuiper_sf((root + 0.155 + 0.24 / root) * (v - 2.0 * sketch_error).max(0.0)))
}

/// p-value of "nothing changed" for the Cramér-von Mises statistic `t` of data without ties, for many rows.
///
/// `t` is brought to the mean and variance of its limit before the limit is asked. With ties the real size
/// goes up to .12 at .05 (half of the rows at the smallest value), so none should be taken from here: ask
/// [`cramer_von_mises_null`].
///
/// Source: Anderson (1962).
///
/// # Errors
/// `t` is not 0 or more, or a side has no rows.
pub fn cramer_von_mises_p_value(t: f64, n: u64, m: u64) -> Result<f64, ArgumentError> {
    within("t", t, 0.0, f64::INFINITY)?;
    let (n, m) = (rows("n", n)?, rows("m", m)?);
    let (all, pairs) = (n + m, n * m);
    let mean = (1.0 + 1.0 / all) / 6.0;
    let variance = (all + 1.0) / all
        * ((4.0 * pairs - 2.0 * pairs / all - 3.0 * (n * (n / all) + m * (m / all))) / (180.0 * pairs));
    // One row against one: there is only one value.
    if variance <= 0.0 {
        return Ok(1.0);
    }
    Ok(cramer_von_mises_sf(1.0 / 6.0 + (t - mean) / (45.0 * variance).sqrt()))
}

/// [`kuiper`](crate::distance::kuiper) when nothing has changed, given the pooled rows of every value.
///
/// From `permutations` redrawn splits of them, seeded by the counts. The cost is that of `permutations` draws a
/// value: samples with thousands of values want their asymptotic p-values instead.
///
/// Source: Phipson and Smyth (2010) for the p-value of permutations.
///
/// # Errors
/// A side has 2^62 rows or more, or `permutations` is not [`MIN_PERMUTATIONS`](super::MIN_PERMUTATIONS) to
/// [`MAX_PERMUTATIONS`](super::MAX_PERMUTATIONS).
pub fn kuiper_null(
    reference: WeightedSample<'_>,
    current: WeightedSample<'_>,
    permutations: usize,
) -> Result<Null, ArgumentError> {
    Ok(Splits::new(reference, current)?
        .null(checked("permutations", permutations)?, |cuts, steps| cuts.kuiper(steps)))
}

/// [`wasserstein`](crate::distance::wasserstein) when nothing has changed, as [`kuiper_null`].
///
/// # Errors
/// As [`kuiper_null`].
pub fn wasserstein_null(
    reference: WeightedSample<'_>,
    current: WeightedSample<'_>,
    permutations: usize,
) -> Result<Null, ArgumentError> {
    Ok(Splits::new(reference, current)?
        .null(checked("permutations", permutations)?, |cuts, steps| cuts.wasserstein(steps)))
}

/// [`energy`](crate::distance::energy) when nothing has changed, as [`kuiper_null`].
///
/// # Errors
/// As [`kuiper_null`].
pub fn energy_null(
    reference: WeightedSample<'_>,
    current: WeightedSample<'_>,
    permutations: usize,
) -> Result<Null, ArgumentError> {
    Ok(Splits::new(reference, current)?
        .null(checked("permutations", permutations)?, |cuts, steps| cuts.energy(steps)))
}

/// [`cramer_von_mises`](crate::distance::cramer_von_mises) when nothing has changed, as [`kuiper_null`].
///
/// # Errors
/// As [`kuiper_null`].
pub fn cramer_von_mises_null(
    reference: WeightedSample<'_>,
    current: WeightedSample<'_>,
    permutations: usize,
) -> Result<Null, ArgumentError> {
    let splits = Splits::new(reference, current)?;
    Ok(splits.null(checked("permutations", permutations)?, |cuts, steps| cuts.cramer_von_mises(steps)))
}

/// The Wasserstein distance that is exceeded in 5 % of cases when nothing has changed, quickly.
///
/// From 200 redrawn splits of the pooled rows in some 150 shared cells, finer towards both ends, where a few
/// rows far out can decide the distance. The size of "above it" is .03 to .07 in simulations from the normal to
/// the Cauchy distribution; with 200 splits it is a number to show beside the distance, not a test.
///
/// # Errors
/// A side has 2^62 rows or more.
pub fn wasserstein_null_95(
    reference: WeightedSample<'_>,
    current: WeightedSample<'_>,
) -> Result<f64, ArgumentError> {
    const SPLITS: usize = 200;
    let splits = Splits::new(reference, current)?.coarse();
    Ok(splits.null(SPLITS, |cuts, steps| cuts.wasserstein(steps)).null_95)
}

/// The pooled rows of two samples by value.
struct Splits {
    /// Rows of each side at each value.
    table: Table,
    /// The first and the last value that each cell of the table stands for.
    values: Vec<(f64, f64)>,
}

impl Splits {
    fn new(reference: WeightedSample<'_>, current: WeightedSample<'_>) -> Result<Self, ArgumentError> {
        let (mut cells, mut values) = (vec![], vec![]);
        let mut before = (0, 0);
        for step in steps(reference, current)? {
            let cell = (step.reference - before.0, step.current - before.1);
            if cell != (0, 0) {
                cells.push(cell);
                values.push((step.at, step.at));
            }
            before = (step.reference, step.current);
        }
        Ok(Self { table: Table { cells, m: reference.rows(), n: current.rows() }, values })
    }

    /// Joins neighbours, to at most some 500 cells at any number of rows.
    fn coarse(self) -> Self {
        // A cell takes up to a sixth of the rows beyond it, of those on the shorter side: 4 % of all in the middle,
        // single rows at the ends. A value with more rows stays alone, or its step would be smeared.
        const PART: f64 = 1.0 / 6.0;
        let rows = self.table.rows() as f64;
        let mut joined = Self { table: Table { cells: vec![], ..self.table }, values: vec![] };
        let (mut seen, mut room) = (0, 0.0);
        for (&(a, b), &(from, to)) in self.table.cells.iter().zip(&self.values) {
            seen += a + b;
            match (joined.table.cells.last_mut(), joined.values.last_mut()) {
                (Some(cell), Some(value)) if seen as f64 <= room => {
                    *cell = (cell.0 + a, cell.1 + b);
                    value.1 = to;
                }
                _ => {
                    let before = (seen - a - b) as f64;
                    room = before + PART * before * (1.0 - before / rows);
                    joined.table.cells.push((a, b));
                    joined.values.push((from, to));
                }
            }
        }
        joined
    }

    fn null(
        &self,
        permutations: usize,
        distance: impl Fn(Cuts, &mut dyn Iterator<Item = Step>) -> f64,
    ) -> Null {
        let cuts = Cuts { m: self.table.m, n: self.table.n };
        redrawn_null(&self.table, permutations, |cells| {
            let mut rows = (0, 0);
            let mut steps = cells.iter().zip(&self.values).map(|(&(a, b), &(from, at))| {
                rows = (rows.0 + a, rows.1 + b);
                Step { from, at, reference: rows.0, current: rows.1 }
            });
            distance(cuts, &mut steps)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distance::{cramer_von_mises, energy, kuiper, wasserstein};

    #[track_caller]
    fn close(value: f64, expected: f64, relative: f64) {
        assert!((value - expected).abs() <= relative * expected.abs(), "{value:e} is not {expected:e}");
    }

    /// SciPy 1.17.1: cramervonmises_2samp(method="asymptotic") of normal samples.
    #[test]
    fn cramer_von_mises_equals_scipy() {
        for (n, m, t, p) in [
            (20, 30, 0.3163333333333336, 0.12291604784234333),
            (1000, 50, 0.5773593650793671, 0.025077216258203583),
            (100, 100, 0.6122999999999976, 0.020835713140127332),
            (6, 7, 0.2948717948717947, 0.14651886878277542),
        ] {
            close(cramer_von_mises_p_value(t, n, m).unwrap(), p, 1e-9);
            close(cramer_von_mises_p_value(t, m, n).unwrap(), p, 1e-9);
        }
        assert_eq!(cramer_von_mises_p_value(0.25, 1, 1).unwrap(), 1.0);
        assert_eq!(cramer_von_mises_p_value(f64::INFINITY, 9, 9).unwrap(), 0.0);
        let p = cramer_von_mises_p_value(0.461_36, 1 << 61, 1 << 61).unwrap();
        close(p, cramer_von_mises_sf(0.461_36), 1e-12);
    }

    /// Stephens (1970), table 1: the corrected statistic is 1.747 at .05 and 2.001 at .01.
    #[test]
    fn kuiper_equals_the_published_table() {
        let root = 50f64.sqrt();
        let v = |corrected: f64| corrected / (root + 0.155 + 0.24 / root);
        let p = |v: f64, e: f64| kuiper_p_value(v, 100, 100, e).unwrap();
        assert!((p(v(1.747), 0.0) - 0.05).abs() < 1e-4);
        assert!((p(v(2.001), 0.0) - 0.01).abs() < 1e-5);
        // Twice the error of the sketches is taken off.
        close(p(v(1.747) + 0.02, 0.01), p(v(1.747), 0.0), 1e-9);
        assert_eq!(p(0.015, 0.01), 1.0);
    }

    fn of<T>(x: &[u64], y: &[u64], f: impl Fn(WeightedSample<'_>, WeightedSample<'_>) -> T) -> T {
        let values: Vec<f64> = (0..x.len()).map(|i| (i * i) as f64).collect();
        let sums = |counts: &[u64]| -> Vec<u64> {
            let sum = |sum: &mut u64, &count: &u64| {
                *sum += count;
                Some(*sum)
            };
            counts.iter().scan(0, sum).collect()
        };
        let (x, y) = (sums(x), sums(y));
        f(WeightedSample::try_new(&values, &x).unwrap(), WeightedSample::try_new(&values, &y).unwrap())
    }

    /// Every way to pick the three current rows out of six, for six different values and for ties.
    #[test]
    fn nulls_equal_all_splits() {
        for (x, y) in [([1, 1, 0, 1, 0, 0], [0, 0, 1, 0, 1, 1]), ([2, 0, 1, 0, 0, 0], [1, 1, 1, 0, 0, 0])] {
            let pooled: Vec<usize> = (0..6).flat_map(|i| vec![i; (x[i] + y[i]) as usize]).collect();
            let mut splits = vec![];
            for mask in 0..64u32 {
                if mask.count_ones() == 3 {
                    let (mut a, mut b) = ([0; 6], [0; 6]);
                    for (row, &cell) in pooled.iter().enumerate() {
                        if mask >> row & 1 == 1 { b[cell] += 1 } else { a[cell] += 1 }
                    }
                    splits.push((a, b));
                }
            }
            type Pair = (
                fn(
                    WeightedSample<'_>,
                    WeightedSample<'_>,
                    f64,
                ) -> Result<crate::distance::Bounded, ArgumentError>,
                fn(WeightedSample<'_>, WeightedSample<'_>, usize) -> Result<Null, ArgumentError>,
            );
            let pairs: [Pair; 4] = [
                (kuiper, kuiper_null),
                (wasserstein, wasserstein_null),
                (energy, energy_null),
                (cramer_von_mises, cramer_von_mises_null),
            ];
            for (distance, null) in pairs {
                let value = |x: &[u64], y: &[u64]| of(x, y, |x, y| distance(x, y, 0.0).unwrap().value);
                let observed = value(&x, &y);
                let all: Vec<f64> = splits.iter().map(|(a, b)| value(a, b)).collect();
                let mean = all.iter().sum::<f64>() / all.len() as f64;
                let p = all.iter().filter(|&&v| v >= observed - 1e-12).count() as f64 / all.len() as f64;
                let null = of(&x, &y, |x, y| null(x, y, 20_000).unwrap());
                // Five standard errors of a share and, as no value is above three means, of a mean of 20,000.
                assert!((null.p_value - p).abs() < 0.018, "{null:?} {p}");
                assert!((null.mean / mean - 1.0).abs() < 0.03, "{null:?} {mean}");
            }
        }
    }

    #[test]
    fn coarse_cells_are_single_at_the_ends_and_keep_all_rows() {
        let values: Vec<f64> = (0..20_000).map(f64::from).collect();
        let ranks: Vec<u64> = (1..=20_000).collect();
        let sample = WeightedSample::try_new(&values, &ranks).unwrap();
        let splits = Splits::new(sample, sample).unwrap().coarse();
        let cells = &splits.table.cells;
        assert!((100..150).contains(&cells.len()), "{}", cells.len());
        assert_eq!(cells.iter().map(|c| c.0).sum::<u64>(), 20_000);
        let widths: Vec<f64> = splits.values.iter().map(|v| v.1 - v.0 + 1.0).collect();
        assert!(widths[..4].iter().all(|&w| w == 1.0) && widths[widths.len() - 1] <= 2.0, "{widths:?}");
        assert!(widths.iter().all(|&w| w < 0.05 * 20_000.0), "{widths:?}");
        // Neighbours touch and none is left out.
        assert!(splits.values.windows(2).all(|v| v[0].1 + 1.0 == v[1].0));
        // Few values are left as they are.
        let few = WeightedSample::try_new(&[0.0, 1.0, 2.0], &[10_000, 10_005, 20_000]).unwrap();
        assert_eq!(Splits::new(few, few).unwrap().coarse().table.cells.len(), 3);
    }

    #[test]
    fn the_quick_null_of_few_values_is_that_of_all() {
        let (x, y) = ([300, 20, 7, 0, 90, 1], [290, 40, 5, 1, 80, 0]);
        let quick = of(&x, &y, |x, y| wasserstein_null_95(x, y).unwrap());
        let long = of(&x, &y, |x, y| wasserstein_null(x, y, 20_000).unwrap().null_95);
        // 200 splits know their 95 % point to about a tenth.
        assert!((quick / long - 1.0).abs() < 0.2, "{quick} {long}");
    }

    #[test]
    fn errors_say_what_and_where() {
        let text = |r: Result<f64, ArgumentError>| r.unwrap_err().to_string();
        assert_eq!(text(kuiper_p_value(1.5, 1, 1, 0.0)), "v is 1.5: it must be 0 to 1");
        assert_eq!(text(kuiper_p_value(0.5, 0, 1, 0.0)), "n is 0: a side without rows cannot be compared");
        assert!(kuiper_p_value(0.5, 1, 1, -0.1).is_err());
        assert_eq!(text(cramer_von_mises_p_value(-1.0, 1, 1)), "t is -1: it must be 0 to inf");
        assert!(
            cramer_von_mises_p_value(f64::NAN, 1, 1).is_err() && cramer_von_mises_p_value(1.0, 1, 0).is_err()
        );
        let null = of(&[1, 2], &[2, 1], |x, y| kuiper_null(x, y, 10));
        assert_eq!(null.unwrap_err().to_string(), "permutations is 10: it must be 999 to 10000000");
    }
}
