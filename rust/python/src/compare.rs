//! Comparison of two profiles.
use crate::error::to_py;
use crate::profile::Profile;
use driftline_engine::compare as engine;
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// Two profiles side by side.
#[pyclass(frozen)]
pub struct Comparison(engine::Comparison);

#[pymethods]
impl Comparison {
    #[getter]
    fn reference_rows(&self) -> u64 {
        self.0.reference_rows
    }

    #[getter]
    fn current_rows(&self) -> u64 {
        self.0.current_rows
    }

    #[getter]
    fn tolerance(&self) -> f64 {
        self.0.options.tolerance
    }

    #[getter]
    fn alpha(&self) -> f64 {
        self.0.options.alpha
    }

    #[getter]
    fn only_in_reference(&self) -> Vec<String> {
        self.0.only_in_reference.clone()
    }

    #[getter]
    fn only_in_current(&self) -> Vec<String> {
        self.0.only_in_current.clone()
    }

    #[getter]
    fn columns<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        self.0.columns.iter().map(|column| as_dict(py, column)).collect()
    }
}

fn as_dict<'py>(py: Python<'py>, column: &engine::ColumnComparison) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("name", &column.name)?;
    dict.set_item("kind", column.kind.name())?;
    dict.set_item("reference_rows", column.reference_rows)?;
    dict.set_item("current_rows", column.current_rows)?;
    let judged = column.judgement.as_ref();
    dict.set_item("reason", judged.err().map(ToString::to_string))?;
    let verdict = match judged {
        Ok(judgement) => judgement.verdict.as_str(),
        Err(engine::NotJudged::Retyped { .. }) => "retyped",
        Err(engine::NotJudged::Reason(_)) => "not judged",
    };
    dict.set_item("verdict", verdict)?;
    let judged = judged.ok();
    dict.set_item("test", judged.map(|j| j.test))?;
    dict.set_item("effect", judged.map(|j| j.effect))?;
    dict.set_item("effect_bound", judged.map(|j| j.effect_bound))?;
    dict.set_item("p_value", judged.map(|j| j.p_value))?;
    dict.set_item("p_adjusted", judged.map(|j| j.p_adjusted))?;
    let moved = judged.and_then(|j| j.moved.as_ref());
    let moved = moved.map(|moved| {
        let dict = PyDict::new(py);
        dict.set_item("label", &moved.label)?;
        dict.set_item("reference", moved.reference)?;
        dict.set_item("current", moved.current)?;
        Ok::<_, PyErr>(dict)
    });
    dict.set_item("moved", moved.transpose()?)?;
    Ok(dict)
}

/// Compares two profiles.
#[pyfunction]
#[pyo3(signature = (reference, current, *, columns = None, tolerance = 0.02, alpha = 0.05))]
pub fn compare(
    py: Python<'_>,
    reference: PyRef<'_, Profile>,
    current: PyRef<'_, Profile>,
    columns: Option<Vec<String>>,
    tolerance: f64,
    alpha: f64,
) -> PyResult<Comparison> {
    let options = engine::CompareOptions { columns, tolerance, alpha };
    let (reference, current) = (reference.engine(), current.engine());
    py.detach(|| engine::compare(reference, current, &options)).map(Comparison).map_err(|e| to_py(py, e))
}
