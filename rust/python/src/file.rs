//! Files that Python writes.
use crate::error::to_py;
use pyo3::prelude::*;
use std::path::Path;

/// Writes a file whole or not at all.
#[pyfunction]
pub fn write_file(py: Python<'_>, path: &str, data: &[u8]) -> PyResult<()> {
    py.detach(|| driftline_engine::whole_file::write(Path::new(path), data)).map_err(|e| to_py(py, e))
}
