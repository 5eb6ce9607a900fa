//! Profiles and the two ways to make them.
use crate::arrow::{export_stream, import_batches, next_of};
use crate::column::Column;
use crate::error::to_py;
use crate::input::Input;
use crate::options::{Options, Progress};
use driftline_engine::source::{self, Observer};
use driftline_engine::{self as engine, Error, ProfileBuilder, table};
use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyCapsule, PyIterator};
use std::path::Path;
use std::sync::Arc;

/// Mergeable summary of some rows.
#[pyclass(frozen)]
pub struct Profile(Arc<engine::Profile>);

impl Profile {
    pub fn engine(&self) -> &engine::Profile {
        &self.0
    }

    pub fn shared(&self) -> Arc<engine::Profile> {
        self.0.clone()
    }
}

impl From<engine::Profile> for Profile {
    fn from(profile: engine::Profile) -> Self {
        Self(Arc::new(profile))
    }
}

#[pymethods]
impl Profile {
    #[getter]
    fn rows(&self) -> u64 {
        self.0.rows()
    }

    #[getter]
    fn names(&self) -> Vec<&str> {
        self.0.columns().iter().map(|c| c.name.as_str()).collect()
    }

    #[getter]
    fn skipped(&self) -> Vec<(&str, &str)> {
        self.0.skipped().iter().map(|s| (s.name.as_str(), s.type_name.as_str())).collect()
    }

    /// That of no rows.
    #[staticmethod]
    fn empty() -> Self {
        Self::from(engine::Profile::default())
    }

    fn column(&self, name: &str) -> PyResult<Column> {
        let position = self.0.columns().iter().position(|c| c.name == name);
        position.map(|i| Column::new(self.0.clone(), i)).ok_or_else(|| PyKeyError::new_err(name.to_owned()))
    }

    fn merge(&self, py: Python<'_>, other: &Self) -> PyResult<Self> {
        let merged = py.detach(|| {
            let mut merged = engine::Profile::clone(&self.0);
            merged.merge(&other.0).map(|()| merged)
        });
        merged.map(Self::from).map_err(|e| to_py(py, e))
    }

    fn with_bins_of(&self, py: Python<'_>, counted: &Self) -> PyResult<Self> {
        py.detach(|| self.0.with_bins_of(&counted.0)).map(Self::from).map_err(|e| to_py(py, e))
    }

    #[getter]
    fn estimated_numbers(&self) -> Vec<&str> {
        self.0.estimated_numbers()
    }

    fn save(&self, py: Python<'_>, path: &str) -> PyResult<()> {
        py.detach(|| table::save(&self.0, Path::new(path))).map_err(|e| to_py(py, e))
    }

    #[staticmethod]
    fn load(py: Python<'_>, path: &str) -> PyResult<Self> {
        py.detach(|| table::load(Path::new(path))).map(Self::from).map_err(|e| to_py(py, e))
    }

    /// Two files, read side by side.
    #[staticmethod]
    fn load_both(py: Python<'_>, first: &str, second: &str) -> PyResult<(Self, Self)> {
        let read = py.detach(|| table::load_both([Path::new(first), Path::new(second)]));
        read.map(|[first, second]| (first.into(), second.into())).map_err(|e| to_py(py, e))
    }

    fn to_parquet<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = py.detach(|| table::to_parquet(&self.0)).map_err(|e| to_py(py, e))?;
        Ok(PyBytes::new(py, &bytes))
    }

    #[staticmethod]
    fn from_parquet(py: Python<'_>, data: Vec<u8>) -> PyResult<Self> {
        py.detach(|| table::from_parquet(data.into())).map(Self::from).map_err(|e| to_py(py, e))
    }

    #[staticmethod]
    fn from_arrow(data: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = data.py();
        let source = import_batches(data)?;
        let schema = source.schema.clone();
        let read = py.detach(|| table::from_batches(&schema, source.batches));
        read.map(Self::from).map_err(|e| to_py(py, e))
    }

    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        // The interface lets a producer give its own types where it cannot cast.
        drop(requested_schema);
        let batch = table::to_batch(&self.0).map_err(|e| to_py(py, e))?;
        export_stream(py, batch.schema(), std::iter::once(Ok(batch)))
    }
}

/// Profiles what an iterable yields.
#[pyfunction]
#[pyo3(signature = (batches, options, *, progress = None))]
pub fn profile_batches(
    batches: &Bound<'_, PyAny>,
    options: PyRef<'_, Options>,
    progress: Option<Py<PyAny>>,
) -> PyResult<Profile> {
    let py = batches.py();
    let mut iterator = batches.try_iter()?;
    let mut progress = Progress::new(progress);
    let profile = drain(py, &mut iterator, &options.0, &mut progress);
    profile.map(Profile::from).map_err(|e| to_py(py, e))
}

/// One builder takes all batches of one schema; where it changes, the profile so far is merged with what comes.
fn drain(
    py: Python<'_>,
    iterator: &mut Bound<'_, PyIterator>,
    options: &engine::Options,
    progress: &mut Progress,
) -> Result<engine::Profile, Error> {
    let mut total: Option<engine::Profile> = None;
    let mut current: Option<(arrow_schema::SchemaRef, ProfileBuilder)> = None;
    let finish = |builder: ProfileBuilder, total: &mut Option<engine::Profile>| {
        let profile = builder.finish()?;
        match total {
            Some(total) => total.merge(&profile),
            None => {
                *total = Some(profile);
                Ok(())
            }
        }
    };
    while let Some(item) = next_of(iterator) {
        let source = import_batches(&item?).map_err(crate::error::through)?;
        let same = current.as_ref().is_some_and(|(schema, _)| schema.fields() == source.schema.fields());
        if !same {
            if let Some((_, builder)) = current.take() {
                py.detach(|| finish(builder, &mut total))?;
            }
            let builder = ProfileBuilder::try_new(&source.schema, options)?;
            current = Some((source.schema, builder));
        }
        let Some((_, builder)) = &mut current else { continue };
        // Without the GIL; a producer written in Python takes it back for each batch.
        py.detach(|| -> Result<(), Error> {
            for batch in source.batches {
                let batch = batch?;
                builder.update(&batch)?;
                progress.rows(batch.num_rows() as u64)?;
            }
            Ok(())
        })?;
    }
    if let Some((_, builder)) = current {
        py.detach(|| finish(builder, &mut total))?;
    }
    py.detach(|| progress.finish())?;
    total.ok_or_else(|| Error::Argument("no data: the source yields no batch".into()))
}

/// Profiles files and objects as one data set.
#[pyfunction]
#[pyo3(signature = (inputs, options, *, progress = None))]
pub fn profile_inputs(
    py: Python<'_>,
    inputs: Vec<PyRef<'_, Input>>,
    options: PyRef<'_, Options>,
    progress: Option<Py<PyAny>>,
) -> PyResult<Profile> {
    let inputs: Vec<_> = inputs.iter().map(|input| input.0.clone()).collect();
    let options = &options.0;
    let mut progress = Progress::new(progress);
    let profile = py.detach(|| {
        let profile = source::profile_inputs(&inputs, options, &mut progress)?;
        progress.finish().map(|()| profile)
    });
    profile.map(Profile::from).map_err(|e| to_py(py, e))
}
