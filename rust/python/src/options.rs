//! Keyword arguments into the engine's options, and progress out of it.
use crate::error::{through, to_py};
use crate::profile::Profile;
use driftline_engine::source::Observer;
use driftline_engine::{self as engine, Collect, Error, Reference};
use pyo3::prelude::*;
use std::collections::HashMap;
use std::sync::Arc;

/// How to profile: checked once, for all sources.
#[pyclass(frozen)]
pub struct Options(pub engine::Options);

#[pymethods]
impl Options {
    #[new]
    #[pyo3(signature = (*, columns = None, k = 1600, collect = None, collect_by_column = None, redact = vec![], reference = None, bin_numbers_alone = false, threads = 0, may_lack_columns = false))]
    #[expect(clippy::too_many_arguments, reason = "one a keyword, as Python has them")]
    fn new(
        py: Python<'_>,
        columns: Option<Vec<String>>,
        k: i64,
        collect: Option<Vec<String>>,
        collect_by_column: Option<HashMap<String, Vec<String>>>,
        redact: Vec<String>,
        reference: Option<PyRef<'_, Profile>>,
        bin_numbers_alone: bool,
        threads: i64,
        may_lack_columns: bool,
    ) -> PyResult<Self> {
        let checked = || -> Result<engine::Options, Error> {
            let collected = |names: &[String]| Collect::try_from_names(names.iter().map(String::as_str));
            let by_column = collect_by_column.iter().flatten();
            let by_column = by_column.map(|(name, parts)| Ok((name.clone(), collected(parts)?)));
            let bins_of =
                if bin_numbers_alone { Reference::try_from_numbers } else { Reference::try_from_profile };
            let reference = reference.as_deref().map(|profile| bins_of(profile.engine()));
            let number = |name: &str, value: i64, least: i64, most: i64, told: &str| {
                let message = || Error::Argument(format!("{name} is {value}: it must be {told}"));
                if (least..=most).contains(&value) { Ok(value) } else { Err(message()) }
            };
            Ok(engine::Options {
                k: number("k", k, 8, 65_535, "8 to 65535")? as u16,
                threads: number("threads", threads, 0, 1024, "0 (all cores) to 1024")? as usize,
                collect: collect.as_deref().map_or(Ok(Collect::ALL), collected)?,
                collect_by_column: by_column.collect::<Result<_, Error>>()?,
                reference: reference.transpose()?.map(Arc::new),
                redact: redact.into_iter().collect(),
                columns,
                may_lack_columns,
                ..engine::Options::default()
            })
        };
        checked().map(Self).map_err(|e| to_py(py, e))
    }
}

/// Calls back with the rows done, and lets Ctrl-C through.
pub struct Progress {
    callback: Option<Py<PyAny>>,
    rows: u64,
    told: std::time::Instant,
}

/// Often enough for a smooth bar, and to stop at once when asked.
const INTERVAL: std::time::Duration = std::time::Duration::from_millis(50);

impl Progress {
    pub fn new(callback: Option<Py<PyAny>>) -> Self {
        Self { callback, rows: 0, told: std::time::Instant::now() }
    }

    /// Tells the last count.
    pub fn finish(&mut self) -> Result<(), Error> {
        let rows = self.rows;
        Python::attach(|py| match &self.callback {
            Some(callback) => callback.call1(py, (rows,)).map(drop).map_err(through),
            None => Ok(()),
        })
    }
}

impl Observer for Progress {
    fn rows(&mut self, rows: u64) -> Result<(), Error> {
        self.rows += rows;
        if self.told.elapsed() < INTERVAL {
            return Ok(());
        }
        self.told = std::time::Instant::now();
        Python::attach(|py| py.check_signals()).map_err(through)?;
        self.finish()
    }
}
