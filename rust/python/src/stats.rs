//! Statistics of counts.
use driftline_stats::ArgumentError;
use driftline_stats::distance::{self, OrderedCounts, WeightedSample};
use driftline_stats::divergence::{self, Divergence};
use driftline_stats::test::{self, MAX_PERMUTATIONS, MIN_PERMUTATIONS, Null};
use driftline_stats::total_variation_bound::total_variation_upper_bound;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// Value, debiased, lower, upper, p-value, mean and 95 % point of the null.
type Diverged = (f64, f64, Option<f64>, Option<f64>, f64, f64, f64);
/// Value, p-value, 95 % point of the null.
type Measured = (f64, f64, f64);

type Measure = fn(&[u64], &[u64], usize) -> Result<Divergence, ArgumentError>;
type Distance = fn(WeightedSample<'_>, WeightedSample<'_>, f64) -> Result<distance::Bounded, ArgumentError>;
type DistanceNull = fn(WeightedSample<'_>, WeightedSample<'_>, usize) -> Result<Null, ArgumentError>;

/// The level of the bound of a total variation.
const ALPHA: f64 = 0.05;

fn refused(error: ArgumentError) -> PyErr {
    PyValueError::new_err(error.to_string())
}

fn checked(permutations: i64) -> PyResult<usize> {
    usize::try_from(permutations).map_err(|_| {
        PyValueError::new_err(format!(
            "permutations is {permutations}: it must be {MIN_PERMUTATIONS} to {MAX_PERMUTATIONS}"
        ))
    })
}

fn diverged(
    py: Python<'_>,
    measure: Measure,
    reference: &[u64],
    current: &[u64],
    permutations: i64,
) -> PyResult<Diverged> {
    let permutations = checked(permutations)?;
    let found = py.detach(|| measure(reference, current, permutations)).map_err(refused)?;
    let (lower, upper) = found.interval.unzip();
    Ok((found.value, found.debiased, lower, upper, found.p_value, found.null_mean, found.null_95))
}

/// Population stability index.
#[pyfunction]
#[pyo3(signature = (reference, current, *, permutations))]
pub fn psi(py: Python<'_>, reference: Vec<u64>, current: Vec<u64>, permutations: i64) -> PyResult<Diverged> {
    diverged(py, divergence::psi, &reference, &current, permutations)
}

/// Jensen-Shannon divergence.
#[pyfunction]
#[pyo3(signature = (reference, current, *, permutations))]
pub fn jensen_shannon(
    py: Python<'_>,
    reference: Vec<u64>,
    current: Vec<u64>,
    permutations: i64,
) -> PyResult<Diverged> {
    diverged(py, divergence::jensen_shannon, &reference, &current, permutations)
}

/// Hellinger distance.
#[pyfunction]
#[pyo3(signature = (reference, current, *, permutations))]
pub fn hellinger(
    py: Python<'_>,
    reference: Vec<u64>,
    current: Vec<u64>,
    permutations: i64,
) -> PyResult<Diverged> {
    diverged(py, divergence::hellinger, &reference, &current, permutations)
}

/// Total variation with its mean when nothing has changed and its upper bound.
#[pyfunction]
pub fn total_variation(reference: Vec<u64>, current: Vec<u64>) -> PyResult<(f64, f64, f64)> {
    let value = distance::total_variation(&reference, &current).map_err(refused)?;
    let mean = divergence::total_variation_null_mean(&reference, &current).map_err(refused)?;
    let upper = total_variation_upper_bound(&reference, &current, 0.0, ALPHA);
    Ok((value, mean, upper.map_err(refused)?))
}

/// Chi-square of homogeneity: statistic, p-value, degrees of freedom, w.
#[pyfunction]
#[pyo3(signature = (reference, current, *, permutations))]
pub fn chi_square(
    py: Python<'_>,
    reference: Vec<u64>,
    current: Vec<u64>,
    permutations: i64,
) -> PyResult<(f64, f64, u64, f64)> {
    let permutations = checked(permutations)?;
    let found = distance::chi_square(&reference, &current).map_err(refused)?;
    let p_value = py.detach(|| divergence::chi_square_p_value(&reference, &current, permutations));
    Ok((found.statistic, p_value.map_err(refused)?, found.df, found.w))
}

/// Kolmogorov-Smirnov distance and p-value.
#[pyfunction]
pub fn ks(py: Python<'_>, reference: Vec<u64>, current: Vec<u64>) -> PyResult<(f64, f64)> {
    let found = py.detach(|| test::ks_test(&reference, &current, 0.0)).map_err(refused)?;
    Ok((found.statistic, found.p_value))
}

fn measured(
    py: Python<'_>,
    counts: Result<OrderedCounts, ArgumentError>,
    permutations: i64,
    measure: Distance,
    null: DistanceNull,
) -> PyResult<Measured> {
    let permutations = checked(permutations)?;
    let counts = counts.map_err(refused)?;
    let (reference, current) = (counts.reference(), counts.current());
    let value = measure(reference, current, 0.0).map_err(refused)?.value;
    let null = py.detach(|| null(reference, current, permutations)).map_err(refused)?;
    Ok((value, null.p_value, null.null_95))
}

/// Kuiper's statistic.
#[pyfunction]
#[pyo3(signature = (reference, current, *, permutations))]
pub fn kuiper(
    py: Python<'_>,
    reference: Vec<u64>,
    current: Vec<u64>,
    permutations: i64,
) -> PyResult<Measured> {
    measured(
        py,
        OrderedCounts::in_order(&reference, &current),
        permutations,
        distance::kuiper,
        test::kuiper_null,
    )
}

/// Cramér-von Mises statistic.
#[pyfunction]
#[pyo3(signature = (reference, current, *, permutations))]
pub fn cramer_von_mises(
    py: Python<'_>,
    reference: Vec<u64>,
    current: Vec<u64>,
    permutations: i64,
) -> PyResult<Measured> {
    let counts = OrderedCounts::in_order(&reference, &current);
    measured(py, counts, permutations, distance::cramer_von_mises, test::cramer_von_mises_null)
}

/// Wasserstein distance.
#[pyfunction]
#[pyo3(signature = (reference, current, values, *, permutations))]
pub fn wasserstein(
    py: Python<'_>,
    reference: Vec<u64>,
    current: Vec<u64>,
    values: Vec<f64>,
    permutations: i64,
) -> PyResult<Measured> {
    let counts = OrderedCounts::try_new(&reference, &current, values);
    measured(py, counts, permutations, distance::wasserstein, test::wasserstein_null)
}

/// Energy distance.
#[pyfunction]
#[pyo3(signature = (reference, current, values, *, permutations))]
pub fn energy(
    py: Python<'_>,
    reference: Vec<u64>,
    current: Vec<u64>,
    values: Vec<f64>,
    permutations: i64,
) -> PyResult<Measured> {
    let counts = OrderedCounts::try_new(&reference, &current, values);
    measured(py, counts, permutations, distance::energy, test::energy_null)
}
