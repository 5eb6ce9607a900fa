//! Facts of monitors, to and from the files of a store.
use crate::arrow::{export_stream, import_batches};
use crate::error::to_py;
use crate::file::Encoded;
use crate::input::Input;
use crate::monitor::rows_of;
use crate::profile::Profile;
use driftline_engine::facts::{self, Filter, Table};
use driftline_engine::source;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyDict};

/// Rows of a store.
#[pyclass(frozen)]
pub struct Facts(facts::Facts);

#[pymethods]
impl Facts {
    #[getter]
    fn rows(&self) -> usize {
        self.0.rows()
    }

    #[getter]
    fn names(&self) -> Vec<&str> {
        self.0.schema.fields().iter().map(|field| field.name().as_str()).collect()
    }

    /// The rows as dicts; times are microseconds since 1970.
    fn to_dicts<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        rows_of(py, &self.0.batches)
    }

    /// Profiles of windows, over all writers: monitor, segment, start in microseconds, profile.
    fn window_profiles(&self, py: Python<'_>) -> PyResult<Vec<(String, String, i64, Profile)>> {
        let windows = py.detach(|| facts::window_profiles(&self.0)).map_err(|e| to_py(py, e))?;
        Ok(windows
            .into_iter()
            .map(|window| (window.monitor, window.segment, window.window_start, window.profile.into()))
            .collect())
    }

    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        // The interface lets a producer give its own types where it cannot cast.
        drop(requested_schema);
        export_stream(py, self.0.schema.clone(), self.0.batches.clone().into_iter().map(Ok))
    }
}

/// The rows of one commit as the bytes of a Parquet file; `None` where there are none.
#[pyfunction]
#[pyo3(signature = (data, table, *, monitor, writer, threads = 0))]
pub fn facts_to_parquet(
    data: &Bound<'_, PyAny>,
    table: &str,
    monitor: &str,
    writer: &str,
    threads: usize,
) -> PyResult<Option<Encoded>> {
    let py = data.py();
    let table = named(table)?;
    let source = import_batches(data)?;
    let encoded =
        py.detach(|| facts::encode(table, &source.schema, source.batches, monitor, writer, threads));
    Ok(encoded.map_err(|e| to_py(py, e))?.map(Encoded::from))
}

/// The rows that count of files in the order of their commits.
#[pyfunction]
#[pyo3(signature = (inputs, table, *, columns = None, segments = None, since = None, until = None, revision = None, select = None))]
#[expect(clippy::too_many_arguments, reason = "they are Python's keywords")]
pub fn read_facts(
    py: Python<'_>,
    inputs: Vec<PyRef<'_, Input>>,
    table: &str,
    columns: Option<Vec<String>>,
    segments: Option<Vec<String>>,
    since: Option<i64>,
    until: Option<i64>,
    revision: Option<i64>,
    select: Option<Vec<String>>,
) -> PyResult<Facts> {
    let table = named(table)?;
    let inputs = engine_inputs(&inputs);
    let set = |names: Option<Vec<String>>| names.map(|names| names.into_iter().collect());
    let filter = Filter { columns: set(columns), segments: set(segments), since, until, revision, select };
    py.detach(|| facts::read(table, &inputs, &filter)).map(Facts).map_err(|e| to_py(py, e))
}

/// Files of neighbouring commits as the bytes of one.
#[pyfunction]
#[pyo3(signature = (inputs, table, *, threads = 0))]
pub fn merge_facts(
    py: Python<'_>,
    inputs: Vec<PyRef<'_, Input>>,
    table: &str,
    threads: usize,
) -> PyResult<Encoded> {
    let table = named(table)?;
    let inputs = engine_inputs(&inputs);
    py.detach(|| facts::merge(table, &inputs, threads)).map(Encoded::from).map_err(|e| to_py(py, e))
}

/// Rows dropped, rows kept, the file anew.
type Left = (usize, usize, Option<Encoded>);
/// Positions of two files, the first row, rows, columns.
type Disagreement = (usize, usize, String, usize, Vec<String>);

/// What is left of each file without windows that ended by a time: rows dropped, rows kept, and the file anew
/// where both are some.
#[pyfunction]
pub fn expire_facts(
    py: Python<'_>,
    inputs: Vec<PyRef<'_, Input>>,
    table: &str,
    before: i64,
) -> PyResult<Vec<Left>> {
    let table = named(table)?;
    let inputs = engine_inputs(&inputs);
    let left = py.detach(|| facts::expire(table, &inputs, before)).map_err(|e| to_py(py, e))?;
    Ok(left.into_iter().map(|left| (left.dropped, left.kept, left.bytes.map(Encoded::from))).collect())
}

/// Reads all of a file: its rows, and whose they are.
#[pyfunction]
pub fn examine_facts(
    py: Python<'_>,
    source: PyRef<'_, Input>,
    table: &str,
) -> PyResult<(usize, Vec<(String, String)>)> {
    let table = named(table)?;
    let input = source.0.clone();
    let examined = py.detach(|| facts::examine(table, &input)).map_err(|e| to_py(py, e))?;
    Ok((examined.rows, examined.owners.into_iter().collect()))
}

/// Files that say different things of the same identity and revision: positions of both, the first such row, how many
/// there are, and which columns differ.
#[pyfunction]
pub fn facts_that_disagree(
    py: Python<'_>,
    inputs: Vec<PyRef<'_, Input>>,
    table: &str,
) -> PyResult<Vec<Disagreement>> {
    let table = named(table)?;
    let inputs = engine_inputs(&inputs);
    let found = py.detach(|| facts::disagreements(table, &inputs)).map_err(|e| to_py(py, e))?;
    Ok(found
        .into_iter()
        .map(|d| (d.files.0, d.files.1, d.first, d.rows, d.columns.into_iter().collect()))
        .collect())
}

fn named(table: &str) -> PyResult<Table> {
    Table::from_name(table)
        .ok_or_else(|| PyValueError::new_err(format!("table {table:?} is none of profiles, results, alarms")))
}

fn engine_inputs(inputs: &[PyRef<'_, Input>]) -> Vec<source::Input> {
    inputs.iter().map(|input| input.0.clone()).collect()
}
