//! The sketches on their own.
//!
//! Arrays enter through the engine, so every Arrow type, null and NaN is treated as in a profile.
use crate::arrow::import_arrays;
use crate::column::{Bounded, DISTINCT_STD_DEVS, Item};
use crate::error::{image_error, to_py};
use driftline_engine::profile::{ColumnProfile, Frequent, profile_array};
use driftline_engine::{Collect, Error, Options};
use driftline_sketches::frequent::Row;
use driftline_sketches::kll::KllStrings;
use driftline_sketches::{self as sketches, HllSketch, KllSketch};
use pyo3::IntoPyObjectExt;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

fn refused(py: Python<'_>, error: &sketches::ImageError) -> PyErr {
    to_py(py, image_error(error))
}

/// Profiles the arrays of a Python object and hands each profile on.
fn each_array(
    values: &Bound<'_, PyAny>,
    options: &Options,
    mut take: impl FnMut(ColumnProfile) -> Result<(), Error> + Send,
) -> PyResult<()> {
    let arrays = import_arrays(values)?;
    let taken = values.py().detach(|| {
        arrays.iter().enumerate().try_for_each(|(i, array)| take(profile_array(array, options, i as u64)?))
    });
    taken.map_err(|e| to_py(values.py(), e))
}

fn wrong_type(wanted: &str, column: &ColumnProfile) -> Error {
    Error::Argument(format!("values are {}: this sketch takes {wanted}", column.type_name))
}

enum Quantiles {
    Numbers(KllSketch),
    Strings(KllStrings),
}

/// Quantile sketch.
#[pyclass]
pub struct Kll {
    sketch: Quantiles,
    dtype: &'static str,
    seed: u64,
}

#[pymethods]
impl Kll {
    #[new]
    #[pyo3(signature = (k = 1600, *, seed = 0))]
    fn new(k: i64, seed: u64) -> PyResult<Self> {
        let checked = u16::try_from(k).ok().and_then(|k| KllSketch::try_new(k, seed).ok());
        let sketch =
            checked.ok_or_else(|| PyValueError::new_err(format!("k is {k}: it must be 8 to 65535")))?;
        Ok(Self { sketch: Quantiles::Numbers(sketch), dtype: "float64", seed })
    }

    #[staticmethod]
    #[pyo3(signature = (data, dtype = "float64"))]
    fn from_bytes(py: Python<'_>, data: &[u8], dtype: &str) -> PyResult<Self> {
        let (dtype, sketch) = match dtype {
            "float64" | "double" => ("float64", KllSketch::from_bytes(data).map(Quantiles::Numbers)),
            "float32" | "float" => ("float32", KllSketch::from_bytes_f32(data).map(Quantiles::Numbers)),
            "int64" | "long" => ("int64", KllSketch::from_bytes_i64(data).map(Quantiles::Numbers)),
            "string" | "str" => ("string", KllStrings::from_bytes(data).map(Quantiles::Strings)),
            other => {
                return Err(PyValueError::new_err(format!(
                    "dtype is {other:?}: it takes float64, float32, int64 or string"
                )));
            }
        };
        Ok(Self { sketch: sketch.map_err(|e| refused(py, &e))?, dtype, seed: 0 })
    }

    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, &self.numbers()?.to_bytes()))
    }

    fn update(&mut self, values: &Bound<'_, PyAny>) -> PyResult<()> {
        let seed = self.seed;
        let ours = self.numbers_mut()?;
        let options = Options {
            k: ours.k(),
            collect: Collect { quantiles: true, ..Collect::COUNTS },
            threads: 1,
            ..Options::default()
        };
        let offset = seed ^ ours.n().rotate_left(32);
        let arrays = import_arrays(values)?;
        let updated = values.py().detach(|| {
            arrays.iter().enumerate().try_for_each(|(i, array)| {
                let column = profile_array(array, &options, offset.wrapping_add(i as u64))?;
                match column.numbers.as_ref().and_then(|numbers| numbers.quantiles.as_ref()) {
                    Some(sketch) => ours.merge(sketch),
                    None if column.counts.valid() == 0 => {}
                    None => return Err(wrong_type("numbers and times", &column)),
                }
                Ok(())
            })
        });
        updated.map_err(|e| to_py(values.py(), e))
    }

    fn merge(slf: &Bound<'_, Self>, other: &Bound<'_, Self>) -> PyResult<()> {
        // A copy, because a sketch may be merged with itself.
        let theirs = other.borrow().numbers()?.clone();
        slf.borrow_mut().numbers_mut()?.merge(&theirs);
        Ok(())
    }

    #[getter]
    fn k(&self) -> u16 {
        match &self.sketch {
            Quantiles::Numbers(sketch) => sketch.k(),
            Quantiles::Strings(sketch) => sketch.k(),
        }
    }

    #[getter]
    fn n(&self) -> u64 {
        match &self.sketch {
            Quantiles::Numbers(sketch) => sketch.n(),
            Quantiles::Strings(sketch) => sketch.n(),
        }
    }

    #[getter]
    fn dtype(&self) -> &'static str {
        self.dtype
    }

    #[getter]
    fn min(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        match &self.sketch {
            Quantiles::Numbers(sketch) => value_of(py, sketch.min()),
            Quantiles::Strings(sketch) => value_of(py, sketch.min()),
        }
    }

    #[getter]
    fn max(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        match &self.sketch {
            Quantiles::Numbers(sketch) => value_of(py, sketch.max()),
            Quantiles::Strings(sketch) => value_of(py, sketch.max()),
        }
    }

    #[getter]
    fn rank_error(&self) -> f64 {
        match &self.sketch {
            Quantiles::Numbers(sketch) => sketch.rank_error(),
            Quantiles::Strings(sketch) => sketch.rank_error(),
        }
    }

    #[allow(clippy::type_complexity)]
    fn quantile(&self, py: Python<'_>, q: f64) -> PyResult<Option<(Py<PyAny>, Py<PyAny>, Py<PyAny>)>> {
        if !(0.0..=1.0).contains(&q) {
            return Err(PyValueError::new_err(format!("q is {q}: it must be 0 to 1")));
        }
        let error = self.rank_error();
        let view = match &self.sketch {
            Quantiles::Numbers(sketch) => Some(sketch.sorted_view()),
            Quantiles::Strings(_) => None,
        };
        let at = |q: f64| match (&self.sketch, &view) {
            (Quantiles::Strings(sketch), _) => value_of(py, sketch.quantile(q)),
            (_, Some(view)) => value_of(py, view.quantile(q)),
            _ => Ok(None),
        };
        let three = (at(q)?, at((q - error).max(0.0))?, at((q + error).min(1.0))?);
        Ok(match three {
            (Some(value), Some(lower), Some(upper)) => Some((value, lower, upper)),
            _ => None,
        })
    }

    fn rank(&self, x: &Bound<'_, PyAny>) -> PyResult<Option<Bounded>> {
        let rank = match &self.sketch {
            Quantiles::Numbers(sketch) => sketch.sorted_view().rank(x.extract()?),
            Quantiles::Strings(sketch) => sketch.rank(x.cast::<PyString>()?.to_str()?),
        };
        let error = self.rank_error();
        Ok(rank.map(|rank| (rank, (rank - error).max(0.0), (rank + error).min(1.0))))
    }
}

fn value_of<'py, T: IntoPyObject<'py>>(py: Python<'py>, value: Option<T>) -> PyResult<Option<Py<PyAny>>> {
    match value {
        None => Ok(None),
        Some(value) => value.into_py_any(py).map(Some),
    }
}

impl Kll {
    fn numbers(&self) -> PyResult<&KllSketch> {
        match &self.sketch {
            Quantiles::Numbers(sketch) => Ok(sketch),
            Quantiles::Strings(_) => Err(read_only()),
        }
    }

    fn numbers_mut(&mut self) -> PyResult<&mut KllSketch> {
        match &mut self.sketch {
            Quantiles::Numbers(sketch) => Ok(sketch),
            Quantiles::Strings(_) => Err(read_only()),
        }
    }
}

fn read_only() -> PyErr {
    PyTypeError::new_err("a sketch of strings can be read only: it takes no values, merges or bytes")
}

/// Distinct counts.
#[pyclass]
pub struct Hll(HllSketch);

#[pymethods]
impl Hll {
    #[new]
    fn new() -> Self {
        Self(HllSketch::new())
    }

    #[staticmethod]
    fn from_bytes(py: Python<'_>, data: &[u8]) -> PyResult<Self> {
        HllSketch::from_bytes(data).map(Self).map_err(|e| refused(py, &e))
    }

    fn to_bytes<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.to_bytes())
    }

    fn update(&mut self, values: &Bound<'_, PyAny>) -> PyResult<()> {
        let options = Options {
            collect: Collect { distinct: true, ..Collect::COUNTS },
            threads: 1,
            ..Options::default()
        };
        each_array(values, &options, |column| {
            match &column.distinct {
                Some(sketch) => self.0.merge(sketch),
                None if column.counts.valid() == 0 => {}
                None => return Err(wrong_type("numbers, times, strings, bytes and booleans", &column)),
            }
            Ok(())
        })
    }

    fn merge(slf: &Bound<'_, Self>, other: &Bound<'_, Self>) {
        let theirs = other.borrow().0.clone();
        slf.borrow_mut().0.merge(&theirs);
    }

    #[getter]
    fn lg_k(&self) -> u8 {
        sketches::hll::LG_K
    }

    fn estimate(&self) -> Bounded {
        (self.0.estimate(), self.0.lower_bound(DISTINCT_STD_DEVS), self.0.upper_bound(DISTINCT_STD_DEVS))
    }
}

/// Frequent items with bounds.
#[pyclass]
pub struct FrequentItems {
    items: Frequent,
    binary: bool,
}

#[pymethods]
impl FrequentItems {
    #[new]
    #[pyo3(signature = (lg_max = 11, *, dtype = "string"))]
    fn new(lg_max: i64, dtype: &str) -> PyResult<Self> {
        let lg_max = u8::try_from(lg_max).unwrap_or(u8::MAX);
        let refused = |e: sketches::ArgumentError| PyValueError::new_err(e.to_string());
        let items = match dtype {
            "int64" => Frequent::Integers(sketches::FrequentItems::try_new(lg_max).map_err(refused)?),
            "string" | "binary" => {
                Frequent::Bytes(sketches::FrequentItems::try_new(lg_max).map_err(refused)?)
            }
            other => return Err(unknown_items(other)),
        };
        Ok(Self { items, binary: dtype == "binary" })
    }

    #[staticmethod]
    #[pyo3(signature = (data, dtype = "string"))]
    fn from_bytes(py: Python<'_>, data: &[u8], dtype: &str) -> PyResult<Self> {
        let items = match dtype {
            "int64" => sketches::FrequentItems::from_bytes(data).map(Frequent::Integers),
            "string" | "binary" => sketches::FrequentItems::from_bytes(data).map(Frequent::Bytes),
            other => return Err(unknown_items(other)),
        };
        Ok(Self { items: items.map_err(|e| refused(py, &e))?, binary: dtype == "binary" })
    }

    fn to_bytes<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        match &self.items {
            Frequent::Integers(items) => PyBytes::new(py, &items.to_bytes()),
            Frequent::Bytes(items) => PyBytes::new(py, &items.to_bytes()),
        }
    }

    fn update(&mut self, values: &Bound<'_, PyAny>) -> PyResult<()> {
        let lg_max = match &self.items {
            Frequent::Integers(items) => items.lg_max(),
            Frequent::Bytes(items) => items.lg_max(),
        };
        let collect = Collect { top: true, ..Collect::COUNTS };
        let options = Options { collect, lg_max, threads: 1, ..Options::default() };
        each_array(values, &options, |column| {
            match (&mut self.items, &column.frequent) {
                (Frequent::Integers(ours), Some(Frequent::Integers(theirs))) => ours.merge(theirs),
                (Frequent::Bytes(ours), Some(Frequent::Bytes(theirs))) => ours.merge(theirs),
                _ if column.counts.valid() == 0 => {}
                (Frequent::Integers(_), _) => return Err(wrong_type("integers", &column)),
                (Frequent::Bytes(_), _) => return Err(wrong_type("strings, bytes and booleans", &column)),
            }
            Ok(())
        })
    }

    fn merge(slf: &Bound<'_, Self>, other: &Bound<'_, Self>) -> PyResult<()> {
        let theirs = other.borrow().items.clone();
        match (&mut slf.borrow_mut().items, &theirs) {
            (Frequent::Integers(ours), Frequent::Integers(theirs)) => ours.merge(theirs),
            (Frequent::Bytes(ours), Frequent::Bytes(theirs)) => ours.merge(theirs),
            _ => return Err(PyTypeError::new_err("one sketch holds integers, the other strings")),
        }
        Ok(())
    }

    #[getter]
    fn dtype(&self) -> &'static str {
        match &self.items {
            Frequent::Integers(_) => "int64",
            Frequent::Bytes(_) if self.binary => "binary",
            Frequent::Bytes(_) => "string",
        }
    }

    #[getter]
    fn total(&self) -> u64 {
        match &self.items {
            Frequent::Integers(items) => items.total(),
            Frequent::Bytes(items) => items.total(),
        }
    }

    #[getter]
    fn max_error(&self) -> u64 {
        match &self.items {
            Frequent::Integers(items) => items.max_error(),
            Frequent::Bytes(items) => items.max_error(),
        }
    }

    fn estimate(&self, item: &Bound<'_, PyAny>) -> PyResult<(u64, u64, u64)> {
        let (lower, estimate, upper) = match &self.items {
            Frequent::Integers(items) => items.count(&item.extract()?),
            Frequent::Bytes(items) => match item.cast::<PyString>() {
                Ok(text) => items.count(text.to_str()?.as_bytes()),
                Err(_) => items.count(item.extract::<&[u8]>()?),
            },
        };
        Ok((estimate, lower, upper))
    }

    fn top(&self, py: Python<'_>, n: usize) -> PyResult<Vec<Item>> {
        let bounded = |item: Py<PyAny>, row: (u64, u64, u64)| (item, row.0, row.1, row.2);
        match &self.items {
            Frequent::Integers(items) => items
                .items_above(0)
                .into_iter()
                .take(n)
                .map(|row| Ok(bounded(row.item.into_pyobject(py)?.into_any().unbind(), counts_of(&row))))
                .collect(),
            Frequent::Bytes(items) => items
                .items_above(0)
                .into_iter()
                .take(n)
                .map(|row| {
                    let item = match std::str::from_utf8(&row.item) {
                        Ok(text) if !self.binary => text.into_pyobject(py)?.into_any().unbind(),
                        _ => PyBytes::new(py, &row.item).into_any().unbind(),
                    };
                    Ok(bounded(item, counts_of(&row)))
                })
                .collect(),
        }
    }
}

fn counts_of<T>(row: &Row<T>) -> (u64, u64, u64) {
    (row.estimate, row.lower_bound, row.upper_bound)
}

fn unknown_items(dtype: &str) -> PyErr {
    PyValueError::new_err(format!("dtype is {dtype:?}: it takes string, binary or int64"))
}
