//! What this build is and which kernels it chose.
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// Version, CPU features found, and the kernels chosen for them.
#[pyfunction]
pub fn build_info(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let info = PyDict::new(py);
    info.set_item("version", env!("CARGO_PKG_VERSION"))?;
    Ok(info)
}
