//! One column of a profile: every estimate comes as (value, lower bound, upper bound).
use driftline_engine::Profile;
use driftline_engine::profile::{Bins, ColumnProfile, Frequent, Kind, Numbers};
use driftline_sketches::HllSketch;
use driftline_sketches::kll::SortedView;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use std::sync::{Arc, OnceLock};

/// Value, lower bound, upper bound.
pub type Bounded = (f64, f64, f64);

/// A value, its count, and the count's lower and upper bound.
pub type Item = (Py<PyAny>, u64, u64, u64);

/// What the bins are of, their edges or categories, and the rows of each.
type BinCounts = (&'static str, Vec<Py<PyAny>>, Vec<u64>);

/// Standard deviations for the bounds of a distinct count: 99.7 %.
pub const DISTINCT_STD_DEVS: u8 = 3;

/// Summary of one column, or of its lengths.
#[pyclass(frozen)]
pub struct Column {
    profile: Arc<Profile>,
    index: usize,
    lengths: bool,
    view: OnceLock<SortedView>,
}

impl Column {
    pub fn new(profile: Arc<Profile>, index: usize) -> Self {
        Self { profile, index, lengths: false, view: OnceLock::new() }
    }

    fn engine(&self) -> &ColumnProfile {
        &self.profile.columns()[self.index]
    }

    fn numbers(&self) -> Option<&Numbers> {
        let column = self.engine();
        if self.lengths { column.lengths.as_ref() } else { column.numbers.as_ref() }
    }

    /// The retained values in order; `None` for no values or where not collected.
    fn view(&self) -> Option<(&SortedView, f64, f64)> {
        let sketch = self.numbers()?.quantiles.as_ref().filter(|sketch| sketch.n() > 0)?;
        Some((self.view.get_or_init(|| sketch.sorted_view()), sketch.rank_error(), sketch.all_rank_error()))
    }

    fn text(&self, bytes: &[u8], py: Python<'_>) -> PyResult<Py<PyAny>> {
        let text = std::str::from_utf8(bytes);
        Ok(match (self.engine().type_name.as_str(), text) {
            ("bool", _) => (bytes == b"true").into_pyobject(py)?.to_owned().into_any().unbind(),
            ("binary", _) | (_, Err(_)) => PyBytes::new(py, bytes).into_any().unbind(),
            (_, Ok(text)) => text.into_pyobject(py)?.into_any().unbind(),
        })
    }
}

#[pymethods]
impl Column {
    #[getter]
    fn name(&self) -> &str {
        &self.engine().name
    }

    #[getter]
    fn kind(&self) -> &'static str {
        if self.lengths { Kind::Number.name() } else { self.engine().kind.name() }
    }

    #[getter(r#type)]
    fn type_name(&self) -> &str {
        if self.lengths { "int64" } else { &self.engine().type_name }
    }

    #[getter]
    fn counts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let counts = self.engine().counts;
        let dict = PyDict::new(py);
        for (name, count) in [
            ("rows", counts.rows),
            ("absent", counts.absent),
            ("nulls", counts.nulls),
            ("nans", counts.nans),
            ("pos_inf", counts.pos_inf),
            ("neg_inf", counts.neg_inf),
            ("zeros", if self.lengths { counts.empty } else { counts.zeros }),
            ("negatives", counts.negatives),
            ("empty", counts.empty),
        ] {
            dict.set_item(name, count)?;
        }
        Ok(dict)
    }

    #[getter]
    fn min(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        self.end(py, |r| r.0, |r| r.0)
    }

    #[getter]
    fn max(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        self.end(py, |r| r.1, |r| r.1)
    }

    #[getter]
    fn mean(&self) -> Option<f64> {
        self.numbers()?.moments?.mean()
    }

    #[getter]
    fn std(&self) -> Option<f64> {
        self.numbers()?.moments?.variance().map(f64::sqrt)
    }

    #[getter]
    fn skewness(&self) -> Option<f64> {
        self.numbers()?.moments?.skewness()
    }

    #[getter]
    fn kurtosis(&self) -> Option<f64> {
        self.numbers()?.moments?.kurtosis()
    }

    #[getter]
    fn k(&self) -> Option<u16> {
        Some(self.numbers()?.quantiles.as_ref()?.k())
    }

    #[getter]
    fn rank_error(&self) -> Option<f64> {
        Some(self.numbers()?.quantiles.as_ref()?.rank_error())
    }

    #[getter]
    fn length(&self) -> Option<Self> {
        let measured = !self.lengths && self.engine().lengths.is_some();
        measured.then(|| Self {
            profile: self.profile.clone(),
            index: self.index,
            lengths: true,
            view: OnceLock::new(),
        })
    }

    fn quantiles(&self, py: Python<'_>, q: Vec<f64>) -> PyResult<Option<Vec<Bounded>>> {
        if let Some(q) = q.iter().find(|q| !(0.0..=1.0).contains(*q)) {
            return Err(PyValueError::new_err(format!("q is {q}: it must be 0 to 1")));
        }
        py.detach(|| {
            let Some((view, error, _)) = self.view() else { return Ok(None) };
            let at = |q: f64| view.quantile(q.clamp(0.0, 1.0)).unwrap_or(f64::NAN);
            let ends = self.numbers().and_then(|n| n.range).unwrap_or((at(0.0), at(1.0)));
            let value = |q: f64| match q {
                0.0 => ends.0,
                1.0 => ends.1,
                q => at(q),
            };
            Ok(Some(
                q.iter()
                    .map(|&q| (value(q), value((q - error).max(0.0)), value((q + error).min(1.0))))
                    .collect(),
            ))
        })
    }

    fn cdf(&self, py: Python<'_>, x: Vec<f64>) -> PyResult<Option<Vec<Bounded>>> {
        if x.iter().any(|x| x.is_nan()) {
            return Err(PyValueError::new_err("x is NaN: it must be a number"));
        }
        py.detach(|| {
            let Some((view, error, _)) = self.view() else { return Ok(None) };
            let rank = |x| view.rank(x).unwrap_or(f64::NAN);
            let (low, high) =
                self.numbers().and_then(|n| n.range).unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
            Ok(Some(
                x.iter()
                    .map(|&x| match rank(x) {
                        _ if x < low => (0.0, 0.0, 0.0),
                        _ if x >= high => (1.0, 1.0, 1.0),
                        rank => (rank, (rank - error).max(0.0), (rank + error).min(1.0)),
                    })
                    .collect(),
            ))
        })
    }

    fn histogram(&self, py: Python<'_>, edges: Vec<f64>) -> PyResult<Option<Vec<Bounded>>> {
        if edges.len() < 2 || edges.iter().any(|e| e.is_nan()) || edges.windows(2).any(|w| w[0] >= w[1]) {
            return Err(PyValueError::new_err("edges must be two or more ascending numbers"));
        }
        py.detach(|| {
            let Some((view, _, error)) = self.view() else { return Ok(None) };
            let n = view.n() as f64;
            let rank = |x| view.rank(x).unwrap_or(f64::NAN);
            // The first bin holds its lower edge as well.
            let first = view.rank_exclusive(edges[0]).unwrap_or(f64::NAN);
            let below = |i: usize| if i == 0 { first } else { rank(edges[i]) };
            let bin = |i: usize| {
                let share = rank(edges[i + 1]) - below(i);
                (
                    (share * n).round(),
                    ((share - error).max(0.0) * n).floor(),
                    ((share + error).min(1.0) * n).ceil(),
                )
            };
            Ok(Some((0..edges.len() - 1).map(bin).collect()))
        })
    }

    fn distinct(&self) -> Option<Bounded> {
        let column = self.engine();
        let sketch = column.distinct.as_ref().filter(|_| !self.lengths)?;
        // The empty string is no value to the sketch, but one to us.
        let empty = if column.kind == Kind::Category && column.counts.empty > 0 { 1.0 } else { 0.0 };
        let most = column.counts.valid() as f64;
        let counted = |x: f64| (x + empty).min(most);
        let bound = |f: fn(&HllSketch, u8) -> f64| f(sketch, DISTINCT_STD_DEVS);
        // The count is whole, and so are its bounds; the slack keeps rounding errors from moving them.
        Some((
            counted(sketch.estimate().round()),
            counted((bound(HllSketch::lower_bound) - 1e-6).ceil()),
            counted((bound(HllSketch::upper_bound) + 1e-6).floor()),
        ))
    }

    fn top(&self, py: Python<'_>, n: usize) -> PyResult<Option<Vec<Item>>> {
        let column = self.engine();
        match column.frequent.as_ref().filter(|_| !self.lengths) {
            None => Ok(None),
            Some(Frequent::Integers(items)) => {
                let unsigned = column.type_name == "uint64";
                let rows = items.without_rare().items_above(0).into_iter().take(n).map(|row| {
                    let value = if unsigned {
                        (row.item as u64).into_pyobject(py)?.into_any().unbind()
                    } else {
                        row.item.into_pyobject(py)?.into_any().unbind()
                    };
                    Ok((value, row.estimate, row.lower_bound, row.upper_bound))
                });
                rows.collect::<PyResult<Vec<_>>>().map(Some)
            }
            Some(Frequent::Bytes(items)) => {
                let rows = items.without_rare().items_above(0).into_iter().take(n).map(|row| {
                    Ok((self.text(&row.item, py)?, row.estimate, row.lower_bound, row.upper_bound))
                });
                rows.collect::<PyResult<Vec<_>>>().map(Some)
            }
        }
    }

    fn bins(&self, py: Python<'_>) -> PyResult<Option<BinCounts>> {
        match self.engine().bins.as_ref().filter(|_| !self.lengths) {
            None => Ok(None),
            Some(Bins::Numbers(bins)) => {
                let edges = bins.edges().iter().map(|e| Ok(e.into_pyobject(py)?.into_any().unbind()));
                Ok(Some(("numbers", edges.collect::<PyResult<_>>()?, bins.counts().to_vec())))
            }
            Some(Bins::Categories(bins)) => {
                let names = bins.categories().names().iter().map(|name| self.text(name, py));
                Ok(Some(("categories", names.collect::<PyResult<_>>()?, bins.counts().to_vec())))
            }
        }
    }
}

impl Column {
    /// An end of the range, exactly where the values are integers.
    fn end(
        &self,
        py: Python<'_>,
        float: impl Fn((f64, f64)) -> f64,
        whole: impl Fn((i128, i128)) -> i128,
    ) -> PyResult<Option<Py<PyAny>>> {
        let Some(numbers) = self.numbers() else { return Ok(None) };
        if let Some(range) = numbers.integer_range {
            return Ok(Some(whole(range).into_pyobject(py)?.into_any().unbind()));
        }
        let Some(range) = numbers.range else { return Ok(None) };
        Ok(Some(float(range).into_pyobject(py)?.into_any().unbind()))
    }
}
