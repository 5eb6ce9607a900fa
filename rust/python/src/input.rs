//! Files and objects to read.
use crate::error::{through, to_py};
use bytes::Bytes;
use driftline_engine::source::read::ReadAt;
use driftline_engine::source::{self, Format, Location, paths};
use driftline_engine::{Error, Result};
use pyo3::buffer::PyBuffer;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use std::path::Path;
use std::sync::Arc;

/// One file or object to read.
#[pyclass(frozen)]
#[derive(Clone)]
pub struct Input(pub source::Input);

#[pymethods]
impl Input {
    #[getter]
    fn name(&self) -> &str {
        &self.0.name
    }
}

/// Files behind files, folders and globs of this machine.
#[pyfunction]
pub fn expand_paths(py: Python<'_>, names: Vec<String>) -> PyResult<Vec<Input>> {
    let inputs = py.detach(|| paths::expand(&names)).map_err(|e| to_py(py, e))?;
    Ok(inputs.into_iter().map(Input).collect())
}

/// The format that a file's name tells.
#[pyfunction]
pub fn format_of(name: &str) -> Option<&'static str> {
    paths::format_of(name).map(|format| match format {
        Format::Parquet => "parquet",
        Format::Csv => "csv",
        Format::JsonLines => "jsonlines",
    })
}

/// Whether a file is a saved profile.
#[pyfunction]
pub fn is_profile(py: Python<'_>, path: &str) -> bool {
    py.detach(|| driftline_engine::table::is_profile(Path::new(path)))
}

/// An object whose bytes a Python function reads.
struct RemoteObject {
    url: String,
    size: u64,
    read: Py<PyAny>,
}

impl ReadAt for RemoteObject {
    fn size_bytes(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, length: usize) -> Result<Bytes> {
        Python::attach(|py| {
            let bytes = self.read.bind(py).call1((offset, length)).map_err(through)?;
            let bytes = PyBuffer::<u8>::get(&bytes).and_then(|b| b.to_vec(py)).map_err(through)?;
            if bytes.len() != length {
                return Err(Error::Storage(format!(
                    "{}: {} bytes came for {length} at {offset}: the object changed or the network failed",
                    self.url,
                    bytes.len()
                )));
            }
            Ok(bytes.into())
        })
    }

    fn read_ahead_bytes(&self) -> usize {
        // A request to an object store takes tens of milliseconds whatever its size.
        8 << 20
    }
}

/// An object in a store.
#[pyfunction]
pub fn remote_input(url: String, size_bytes: u64, read: Py<PyAny>) -> PyResult<Input> {
    let path = url.split('?').next().unwrap_or(&url);
    let format = paths::format_of(path).ok_or_else(|| {
        PyValueError::new_err(format!(
            "{url}: the name tells no format; names end in .parquet, .csv, .jsonl, .ndjson or .json"
        ))
    })?;
    let partitions = paths::partitions_of(path);
    let location = Location::Remote(Arc::new(RemoteObject { url: url.clone(), size: size_bytes, read }));
    Ok(Input(source::Input { name: url, format, location, partitions }))
}
