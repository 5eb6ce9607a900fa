//! What this build is and which kernels it chose.
use driftline_sketches::{hll, kernels, kll};
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// Version, CPU features found, and the kernels that this CPU can run, the one in use first.
#[pyfunction]
pub fn build_info(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let chosen = PyDict::new(py);
    for (name, versions) in kernels::kernels() {
        chosen.set_item(name, versions)?;
    }
    chosen.set_item("hll_hash", hll::kernels())?;
    chosen.set_item("kll_blocks", kll::kernels())?;
    let info = PyDict::new(py);
    info.set_item("version", env!("CARGO_PKG_VERSION"))?;
    info.set_item("cpu_features", kernels::cpu_features())?;
    info.set_item("kernels", chosen)?;
    Ok(info)
}
