//! The extension module `driftline._core`: conversions, release of the GIL, errors. No logic.

mod arrow;
mod batch;
mod column;
mod compare;
mod error;
mod facts;
mod file;
mod info;
mod input;
mod monitor;
mod options;
mod profile;
mod sketches;
mod stats;

/// What says, in mimalloc's list of options, how long memory that is free waits before the system gets it back.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;
/// Milliseconds, a thousand by default. Each batch takes what the one before gave back: faulting it in anew took longer
/// than all that is done with it.
const WAITS_MS: std::ffi::c_long = 10_000;

/// Of this module alone: Python and other modules keep their own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[pyo3::pymodule]
mod _core {
    #[pymodule_export]
    use super::batch::Batch;
    #[pymodule_export]
    use super::column::Column;
    #[pymodule_export]
    use super::compare::{Comparison, compare};
    #[pymodule_export]
    use super::facts::{
        Facts, examine_facts, expire_facts, facts_that_disagree, facts_to_parquet, merge_facts, read_facts,
    };
    #[pymodule_export]
    use super::file::{Encoded, file_digest, write_file};
    #[pymodule_export]
    use super::info::build_info;
    #[pymodule_export]
    use super::input::{Input, expand_paths, format_of, is_profile, remote_input};
    #[pymodule_export]
    use super::monitor::{Files, Monitor, Table, Times, Windows};
    #[pymodule_export]
    use super::options::Options;
    #[pymodule_export]
    use super::profile::{Profile, profile_batches, profile_inputs};
    #[pymodule_export]
    use super::sketches::{FrequentItems, Hll, Kll};
    #[pymodule_export]
    use super::stats::{
        chi_square, cramer_von_mises, energy, hellinger, jensen_shannon, ks, kuiper, psi, total_variation,
        wasserstein,
    };

    #[pymodule_init]
    fn init(_module: &pyo3::Bound<'_, pyo3::types::PyModule>) -> pyo3::PyResult<()> {
        if std::env::var_os("MIMALLOC_PURGE_DELAY").is_none() {
            // SAFETY: it sets a number that the allocator reads when it next frees memory.
            unsafe { libmimalloc_sys::mi_option_set(super::PURGE_DELAY, super::WAITS_MS) };
        }
        Ok(())
    }
}
