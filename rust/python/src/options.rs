//! Keyword arguments into the engine's options, and progress out of it.
use crate::error::{through, to_py};
use crate::profile::Profile;
use driftline_engine::source::Observer;
use driftline_engine::{Collect, Error, Options, Reference};
use pyo3::prelude::*;
use std::collections::HashMap;
use std::sync::Arc;

/// The keyword arguments that all ways to profile share.
#[derive(FromPyObject)]
pub struct Keywords {
    columns: Option<Vec<String>>,
    k: i64,
    collect: Option<Vec<String>>,
    collect_by_column: Option<HashMap<String, Vec<String>>>,
    redact: Vec<String>,
    threads: i64,
}

impl Keywords {
    #[allow(clippy::too_many_arguments)]
    pub fn new(
        columns: Option<Vec<String>>,
        k: i64,
        collect: Option<Vec<String>>,
        collect_by_column: Option<HashMap<String, Vec<String>>>,
        redact: Vec<String>,
        threads: i64,
    ) -> Self {
        Self { columns, k, collect, collect_by_column, redact, threads }
    }

    /// Checked options.
    pub fn options(self, py: Python<'_>, reference: Option<&Profile>) -> PyResult<Options> {
        self.checked(reference).map_err(|e| to_py(py, e))
    }

    fn checked(self, reference: Option<&Profile>) -> Result<Options, Error> {
        let collected = |names: &[String]| Collect::try_from_names(names.iter().map(String::as_str));
        let by_column = self.collect_by_column.unwrap_or_default();
        let by_column = by_column.iter().map(|(name, parts)| Ok((name.clone(), collected(parts)?)));
        let k = u16::try_from(self.k).ok().filter(|k| *k >= 8);
        let threads = usize::try_from(self.threads).ok().filter(|t| *t <= 1024);
        Ok(Options {
            columns: self.columns,
            k: k.ok_or_else(|| Error::Argument(format!("k is {}: it must be 8 to 65535", self.k)))?,
            collect: self.collect.map_or(Ok(Collect::ALL), |names| collected(&names))?,
            collect_by_column: by_column.collect::<Result<_, Error>>()?,
            redact: self.redact.into_iter().collect(),
            reference: match reference {
                Some(profile) => Some(Arc::new(Reference::try_from_profile(profile.engine())?)),
                None => None,
            },
            threads: threads.ok_or_else(|| {
                Error::Argument(format!("threads is {}: it must be 0 (all cores) to 1024", self.threads))
            })?,
        })
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
