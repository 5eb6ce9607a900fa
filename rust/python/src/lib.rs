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
}
