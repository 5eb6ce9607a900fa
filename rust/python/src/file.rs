//! Files that Python writes, and what tells them apart.
use crate::error::to_py;
use driftline_engine::{digest, whole_file};
use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::path::Path;

/// A file that was encoded and is not copied into Python's memory: some are tens of megabytes.
#[pyclass(frozen)]
pub struct Encoded(pub Vec<u8>);

#[pymethods]
impl Encoded {
    fn __len__(&self) -> usize {
        self.0.len()
    }

    fn __bytes__<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0)
    }
}

/// What a file is to hold.
#[derive(FromPyObject)]
pub enum Content<'py> {
    Encoded(PyRef<'py, Encoded>),
    Bytes(Bound<'py, PyBytes>),
}

/// Writes a file whole or not at all.
#[pyfunction]
pub fn write_file(py: Python<'_>, path: &str, data: Content<'_>) -> PyResult<()> {
    let data = match &data {
        Content::Encoded(encoded) => &encoded.0,
        Content::Bytes(bytes) => bytes.as_bytes(),
    };
    py.detach(|| whole_file::write(Path::new(path), data)).map_err(|e| to_py(py, e))
}

/// A hash of the first bytes of a file, so many or all there are.
#[pyfunction]
pub fn file_digest(py: Python<'_>, path: &str, most_bytes: u64) -> PyResult<String> {
    let digest = py.detach(|| digest::digest(Path::new(path), most_bytes));
    digest.map_err(|error| PyOSError::new_err((error.raw_os_error(), error.to_string())))
}
