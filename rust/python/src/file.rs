//! Files that Python writes, and what tells them apart.
use crate::error::to_py;
use driftline_engine::digest;
use driftline_engine::whole_file::{self, Pieces};
use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

/// A file that was encoded and is not copied into Python's memory: some are tens of megabytes.
#[pyclass(frozen)]
pub struct Encoded {
    head: Vec<u8>,
    body: Arc<Pieces>,
}

impl<B: Into<Pieces>> From<B> for Encoded {
    fn from(body: B) -> Self {
        Self { head: vec![], body: Arc::new(body.into()) }
    }
}

impl Encoded {
    fn parts(&self) -> impl Iterator<Item = &[u8]> {
        std::iter::once(&self.head[..]).chain(self.body.iter())
    }
}

#[pymethods]
impl Encoded {
    #[new]
    fn new(data: Vec<u8>) -> Self {
        data.into()
    }

    fn __len__(&self) -> usize {
        self.parts().map(<[u8]>::len).sum()
    }

    fn __bytes__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        PyBytes::new_with(py, self.__len__(), |mut bytes| {
            self.parts().try_for_each(|part| bytes.write_all(part)).map_err(Into::into)
        })
    }

    /// The same after a few other bytes.
    fn after(&self, head: &[u8]) -> Self {
        Self { head: [head, &self.head].concat(), body: self.body.clone() }
    }

    /// Its BLAKE3 hash in hexadecimal.
    fn blake3(&self, py: Python<'_>) -> String {
        py.detach(|| digest::digest_of(self.parts()))
    }
}

/// What a file is to hold.
#[derive(FromPyObject)]
pub enum Content<'py> {
    Encoded(Bound<'py, Encoded>),
    Bytes(Bound<'py, PyBytes>),
}

/// Writes a file whole or not at all.
#[pyfunction]
pub fn write_file(py: Python<'_>, path: &str, data: Content<'_>) -> PyResult<()> {
    let path = Path::new(path);
    let written = match &data {
        Content::Encoded(encoded) => {
            let encoded = encoded.get();
            py.detach(|| whole_file::write(path, encoded.parts()))
        }
        Content::Bytes(bytes) => {
            let bytes = bytes.as_bytes();
            py.detach(|| whole_file::write(path, std::iter::once(bytes)))
        }
    };
    written.map_err(|e| to_py(py, e))
}

/// A hash of the first bytes of a file, so many or all there are.
#[pyfunction]
pub fn file_digest(py: Python<'_>, path: &str, most_bytes: u64) -> PyResult<String> {
    let digest = py.detach(|| digest::digest(Path::new(path), most_bytes));
    digest.map_err(|error| PyOSError::new_err((error.raw_os_error(), error.to_string())))
}
