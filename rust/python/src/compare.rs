//! Comparison of two profiles.
use crate::error::to_py;
use crate::profile::Profile;
use driftline_engine::Result;
use driftline_engine::compare::cells::Content;
use driftline_engine::compare::explain::label;
use driftline_engine::compare::statistics::statistics;
use driftline_engine::compare::{self as engine, CompareOptions, Correction, Limits, Moved};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::sync::Arc;

/// Two profiles side by side.
#[pyclass(frozen)]
pub struct Comparison {
    made: engine::Comparison,
    reference: Arc<driftline_engine::Profile>,
    current: Arc<driftline_engine::Profile>,
}

impl Comparison {
    fn statistics_of(&self, column: &engine::ColumnComparison) -> Result<Vec<(&'static str, f64)>> {
        let sides = (self.reference.column(&column.name), self.current.column(&column.name));
        match (sides, &column.cells) {
            ((Some(before), Some(now)), Some(cells)) => statistics(before, now, cells),
            _ => Ok(vec![]),
        }
    }
}

/// Label, edges of a bin of numbers, rows of the reference, rows now.
type Cell = (String, Option<f64>, Option<f64>, u64, u64);

#[pymethods]
impl Comparison {
    #[getter]
    fn reference_rows(&self) -> u64 {
        self.made.reference_rows
    }

    #[getter]
    fn current_rows(&self) -> u64 {
        self.made.current_rows
    }

    #[getter]
    fn only_in_reference(&self) -> Vec<String> {
        self.made.only_in_reference.clone()
    }

    #[getter]
    fn only_in_current(&self) -> Vec<String> {
        self.made.only_in_current.clone()
    }

    #[getter]
    fn columns<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        self.made.columns.iter().map(|column| as_dict(py, column)).collect()
    }

    fn cells(&self, column: usize) -> Vec<Cell> {
        let cells = self.made.columns.get(column).and_then(|column| column.cells.as_ref());
        let cells = cells.map(|cells| {
            cells.cells.iter().map(|cell| {
                let (low, high) = match cell.content {
                    Content::Bin { low, high } => (Some(low), Some(high)),
                    _ => (None, None),
                };
                (label(cells, std::slice::from_ref(cell)), low, high, cell.reference, cell.current)
            })
        });
        cells.into_iter().flatten().collect()
    }

    fn statistics<'py>(&self, py: Python<'py>, column: usize) -> PyResult<Bound<'py, PyDict>> {
        let column = self.made.columns.get(column);
        let found = py.detach(|| column.map_or(Ok(vec![]), |column| self.statistics_of(column)));
        named(py, found.map_err(|e| to_py(py, e))?)
    }

    fn all_statistics<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let found = py.detach(|| self.made.for_columns(|column| self.statistics_of(column)));
        found.into_iter().map(|found| named(py, found.map_err(|e| to_py(py, e))?)).collect()
    }
}

fn named<'py>(py: Python<'py>, statistics: Vec<(&str, f64)>) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (name, value) in statistics {
        dict.set_item(name, value)?;
    }
    Ok(dict)
}

fn as_dict<'py>(py: Python<'py>, column: &engine::ColumnComparison) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("name", &column.name)?;
    dict.set_item("kind", column.kind.name())?;
    dict.set_item("reference_type", &column.reference_type)?;
    dict.set_item("current_type", &column.current_type)?;
    dict.set_item("reference_rows", column.reference_rows)?;
    dict.set_item("current_rows", column.current_rows)?;
    dict.set_item("sketch_error", column.cells.as_ref().map(|cells| cells.error))?;
    let judged = column.judgement.as_ref();
    let verdict = match &judged {
        Ok(judgement) => judgement.verdict.as_str(),
        Err(unjudged) => match unjudged.why {
            engine::NotJudged::Retyped { .. } => "retyped",
            engine::NotJudged::Reason(_) => "not judged",
        },
    };
    dict.set_item("verdict", verdict)?;
    dict.set_item("reason", judged.err().map(|unjudged| unjudged.why.to_string()))?;
    let moved = judged.map_or_else(|unjudged| &unjudged.moved, |judgement| &judgement.moved);
    dict.set_item("moved", moved.iter().map(as_tuple).collect::<Vec<_>>())?;
    let judged = judged.ok();
    dict.set_item("test", judged.map(|j| j.test))?;
    dict.set_item("effect", judged.map(|j| j.effect))?;
    dict.set_item("effect_bound", judged.map(|j| j.effect_bound))?;
    dict.set_item("p_value", judged.map(|j| j.p_value))?;
    dict.set_item("p_adjusted", judged.map(|j| j.p_adjusted))?;
    let needs = judged.and_then(|j| j.needs);
    let rows = needs.and_then(|needs| if let engine::Needs::Rows(rows) = needs { Some(rows) } else { None });
    dict.set_item("rows_to_decide", rows)?;
    dict.set_item(
        "needs",
        needs.map(|needs| match needs {
            engine::Needs::Rows(_) => "rows",
            engine::Needs::LargerReference => "reference",
            engine::Needs::FinerSketch => "sketch",
            engine::Needs::FewerValues => "values",
        }),
    )?;
    dict.set_item("hidden", column.cells.as_ref().map(|cells| cells.hidden))?;
    dict.set_item("largest", judged.and_then(|j| j.largest.as_ref()).map(as_tuple))?;
    Ok(dict)
}

fn as_tuple(moved: &Moved) -> (&str, f64, f64) {
    (&moved.label, moved.reference, moved.current)
}

/// Compares two profiles.
#[pyfunction]
#[pyo3(signature = (reference, current, *, columns, tolerance, alpha, resolution, correction, threads))]
#[expect(clippy::too_many_arguments, reason = "one a keyword, as Python has them")]
pub fn compare(
    py: Python<'_>,
    reference: PyRef<'_, Profile>,
    current: PyRef<'_, Profile>,
    columns: Option<Vec<String>>,
    tolerance: f64,
    alpha: f64,
    resolution: f64,
    correction: &str,
    threads: usize,
) -> PyResult<Comparison> {
    let (reference, current) = (reference.shared(), current.shared());
    let compared = py.detach(|| {
        let correction = Correction::try_from_name(correction)?;
        let limits = Limits { tolerance, alpha, resolution };
        engine::compare(&reference, &current, &CompareOptions { columns, limits, correction, threads })
    });
    compared.map(|made| Comparison { made, reference, current }).map_err(|e| to_py(py, e))
}
