//! The monitor.
use crate::arrow::{export_stream, import_batches};
use crate::error::to_py;
use crate::file::Encoded;
use crate::input::Input;
use crate::options::Progress;
use crate::profile::Profile;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, Schema, SchemaRef, TimeUnit};
use driftline_engine::monitor::{self as engine, Calendar, Check, Cycle, Every, Settings, Span, Unit};
use driftline_engine::source::{Observer, for_each_batch};
use driftline_engine::{Error, Result};
use pyo3::IntoPyObjectExt;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyDict};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

/// Collects rows into windows and watches each column of each segment over time.
#[pyclass(frozen)]
pub struct Monitor(Mutex<engine::Monitor>);

/// A table to be handed to anything that speaks Arrow.
#[pyclass(frozen)]
pub struct Table {
    schema: SchemaRef,
    parts: Vec<Part>,
}

/// Rows of a table.
#[derive(Clone)]
enum Part {
    Batch(RecordBatch),
    /// Drawn up when they are asked for.
    Profiles(Arc<engine::ProfileTable>),
}

impl Part {
    fn num_rows(&self) -> usize {
        match self {
            Self::Batch(batch) => batch.num_rows(),
            Self::Profiles(profiles) => profiles.rows(),
        }
    }

    fn batches(self) -> Box<dyn Iterator<Item = Result<RecordBatch>> + Send> {
        match self {
            Self::Batch(batch) => Box::new(std::iter::once(Ok(batch))),
            Self::Profiles(profiles) => Box::new(profiles.batches()),
        }
    }
}

impl From<RecordBatch> for Table {
    fn from(batch: RecordBatch) -> Self {
        Self { schema: batch.schema(), parts: vec![Part::Batch(batch)] }
    }
}

impl TryFrom<engine::ProfileTable> for Table {
    type Error = Error;

    fn try_from(profiles: engine::ProfileTable) -> Result<Self> {
        Ok(Self { schema: profiles.schema()?, parts: vec![Part::Profiles(Arc::new(profiles))] })
    }
}

impl Table {
    fn batches(&self) -> impl Iterator<Item = Result<RecordBatch>> + Send + use<> {
        self.parts.clone().into_iter().flat_map(Part::batches)
    }
}

#[pymethods]
impl Table {
    #[getter]
    fn num_rows(&self) -> usize {
        self.parts.iter().map(Part::num_rows).sum()
    }

    /// The rows as dicts; times are microseconds since 1970.
    fn to_dicts<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let batches = self.batches().collect::<Result<Vec<_>>>().map_err(|e| to_py(py, e))?;
        rows_of(py, &batches)
    }

    /// The rows of all of them, which have the same columns.
    #[staticmethod]
    fn concat(tables: Vec<PyRef<'_, Self>>) -> Self {
        let schema = tables.first().map_or_else(|| Arc::new(Schema::empty()), |table| table.schema.clone());
        Self { schema, parts: tables.iter().flat_map(|table| table.parts.iter().cloned()).collect() }
    }

    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        // The interface lets a producer give its own types where it cannot cast.
        drop(requested_schema);
        export_stream(py, self.schema.clone(), self.batches())
    }
}

/// Rows as dicts: text, numbers, flags, and times as microseconds since 1970. Columns of other types are left out.
pub fn rows_of<'py>(py: Python<'py>, batches: &[RecordBatch]) -> PyResult<Vec<Bound<'py, PyDict>>> {
    let mut rows = vec![];
    for batch in batches {
        let from = rows.len();
        rows.extend((0..batch.num_rows()).map(|_| PyDict::new(py)));
        for (field, array) in batch.schema_ref().fields().iter().zip(batch.columns()) {
            let set =
                |row: usize, value: Option<Bound<'py, PyAny>>| rows[from + row].set_item(field.name(), value);
            macro_rules! each {
                ($values:expr) => {
                    for (row, value) in $values.iter().enumerate() {
                        set(row, value.map(|value| value.into_bound_py_any(py)).transpose()?)?;
                    }
                };
            }
            match array.data_type() {
                DataType::Utf8 => each!(array.as_string::<i32>()),
                DataType::LargeUtf8 => each!(array.as_string::<i64>()),
                DataType::Utf8View => each!(array.as_string_view()),
                DataType::Int64 => each!(array.as_primitive::<Int64Type>()),
                DataType::Float64 => each!(array.as_primitive::<Float64Type>()),
                DataType::Boolean => each!(array.as_boolean()),
                DataType::Timestamp(TimeUnit::Microsecond, _) => {
                    each!(array.as_primitive::<TimestampMicrosecondType>());
                }
                _ => {}
            }
        }
    }
    Ok(rows)
}

/// Profiles, results and alarms, and what came late by window and segment.
type Taken = (Table, Table, Table, Vec<(i64, String, Profile)>);

/// Minimum, maximum, share of nulls, uniqueness, allowed values.
type CheckParts = (Option<f64>, Option<f64>, Option<f64>, bool, Option<BTreeSet<String>>);

#[pymethods]
impl Monitor {
    /// Settings are given by keywords; `state` is a checkpoint, `reference` a profile that tells the bins.
    #[new]
    #[pyo3(signature = (*, name, writer, time, features, named, ignore, segments, segment_limit, window, timezone, lateness_us, tolerance, false_alarms, per, reference, span, span_us, cycle, checks, k, threads, bins = None, state = None))]
    #[expect(clippy::too_many_arguments, reason = "one a keyword, as Python has them")]
    fn new(
        py: Python<'_>,
        name: String,
        writer: String,
        time: String,
        features: Option<Vec<String>>,
        named: Vec<(String, String)>,
        ignore: Vec<String>,
        segments: Vec<Vec<String>>,
        segment_limit: usize,
        window: (u32, String),
        timezone: &str,
        lateness_us: i64,
        tolerance: f64,
        false_alarms: f64,
        per: &str,
        reference: &str,
        span: Option<(u32, String)>,
        span_us: Option<i64>,
        cycle: Option<&str>,
        checks: BTreeMap<String, CheckParts>,
        k: u16,
        threads: usize,
        bins: Option<PyRef<'_, Profile>>,
        state: Option<Vec<u8>>,
    ) -> PyResult<Self> {
        let bins = bins.as_deref().map(Profile::shared);
        let made = || -> Result<engine::Monitor> {
            let window = every(&window)?;
            let per = Every { count: 1, unit: Unit::try_from_name(per)? };
            let windows = |span: &Option<(u32, String)>| -> Result<u64> {
                let span = span.as_ref().ok_or_else(|| Error::Argument("reference has no span".into()))?;
                Ok(Settings::windows_in(every(span)?, window))
            };
            let reference = match (reference, span_us) {
                ("given", _) => Span::Given,
                ("until", Some(end_us)) => Span::Until(end_us),
                ("first", _) => Span::First(windows(&span)?),
                ("trailing", _) => Span::Trailing(windows(&span)?),
                (other, _) => return Err(Error::Argument(format!("reference is {other:?}"))),
            };
            let checks = checks.into_iter().map(|(column, (min, max, nulls, unique, allowed))| {
                (column, Check { min, max, nulls, unique, allowed })
            });
            let settings = Settings {
                name,
                writer,
                time,
                features,
                named,
                ignore: ignore.into_iter().collect(),
                segments,
                segment_limit,
                calendar: Calendar::try_new(window, timezone)?,
                lateness_us,
                tolerance,
                false_alarms_a_window: false_alarms * window.mean_s() as f64 / per.mean_s() as f64,
                reference,
                cycle: cycle.map(cycle_named).transpose()?,
                checks: checks.collect(),
                k,
                threads,
            };
            match state {
                Some(state) => engine::Monitor::restore(settings, &state),
                None => engine::Monitor::try_new(settings, bins.as_deref()),
            }
        };
        py.detach(made).map(|monitor| Self(Mutex::new(monitor))).map_err(|e| to_py(py, e))
    }

    /// Adds what speaks Arrow, all of it or nothing; from when to when the rows are.
    fn update(&self, data: &Bound<'_, PyAny>, now_us: i64) -> PyResult<Option<(i64, i64)>> {
        let mut batches = import_batches(data)?.batches;
        self.run(data.py(), |monitor| monitor.update_all(&mut batches, now_us))
    }

    /// Whether it failed while it added rows of which some are counted.
    #[getter]
    fn is_broken(&self) -> PyResult<bool> {
        Ok(self.lock()?.is_broken())
    }

    /// Windows to which rows came late that are waiting to be taken.
    fn late_windows(&self) -> PyResult<BTreeSet<i64>> {
        Ok(self.lock()?.late_windows())
    }

    /// Adds rows of files until they end, so many results wait to be taken or so long a time is over; whether they
    /// have ended.
    #[pyo3(signature = (files, now_us, *, most_results, most_s, progress = None))]
    fn read(
        &self,
        py: Python<'_>,
        files: PyRef<'_, Files>,
        now_us: i64,
        most_results: usize,
        most_s: f64,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<bool> {
        let (files, mut progress) = (&*files, Progress::new(progress));
        let begin = Instant::now();
        let is_long = move || begin.elapsed().as_secs_f64() >= most_s;
        self.run(py, |monitor| {
            let mut files = files.0.lock().map_err(|_| Error::Storage("reading failed before".into()))?;
            loop {
                let (rows, is_over) = monitor.read(&mut files, now_us, most_results, &is_long)?;
                progress.rows(rows)?;
                if is_over {
                    return Ok(true);
                }
                if is_long() || monitor.results_so_far() >= most_results {
                    return Ok(false);
                }
            }
        })
    }

    /// Lets time go on as rows of up to an instant let it, which have been counted without.
    fn saw(&self, py: Python<'_>, newest_us: i64) -> PyResult<()> {
        self.run(py, |monitor| monitor.saw(newest_us))
    }

    /// Lets the series see what came late so far.
    fn feed_late(&self, py: Python<'_>) -> PyResult<()> {
        self.run(py, engine::Monitor::feed_late)
    }

    /// Adds what speaks Arrow to the reference.
    fn learn(&self, data: &Bound<'_, PyAny>) -> PyResult<()> {
        let source = import_batches(data)?;
        self.run(data.py(), |monitor| source.batches.into_iter().try_for_each(|batch| monitor.learn(&batch?)))
    }

    /// Adds the rows of a file to the reference.
    fn learn_from(&self, py: Python<'_>, source: PyRef<'_, Input>) -> PyResult<()> {
        let input = source.0.clone();
        self.run(py, |monitor| for_each_batch(&input, &|_| true, &mut |batch| monitor.learn(&batch)))
    }

    /// Takes a profile for the reference.
    fn learn_profile(&self, py: Python<'_>, profile: PyRef<'_, Profile>) -> PyResult<()> {
        let profile = profile.shared();
        self.run(py, |monitor| monitor.learn_profile(&profile))
    }

    fn end_learning(&self, py: Python<'_>) -> PyResult<()> {
        self.run(py, engine::Monitor::end_learning)
    }

    fn advance(&self, py: Python<'_>, to_us: i64) -> PyResult<()> {
        self.run(py, |monitor| monitor.advance(to_us))
    }

    /// Tables of profiles, results and alarms since this was asked last, and what came late.
    fn take(&self, py: Python<'_>) -> PyResult<Taken> {
        self.run(py, |monitor| {
            let mut output = monitor.take();
            let (results, alarms) = (output.results(&monitor.watched())?, output.alarms()?);
            let late = std::mem::take(&mut output.late).into_iter();
            let late = late.map(|late| (late.window, late.segment, Profile::from(late.profile)));
            let late = late.collect();
            Ok((output.into_profiles().try_into()?, results.into(), alarms.into(), late))
        })
    }

    /// Profile table and results of a window as it is known now.
    fn assess(
        &self,
        py: Python<'_>,
        window: i64,
        segment: &str,
        profile: PyRef<'_, Profile>,
        revision: i64,
    ) -> PyResult<(Table, Table)> {
        let profile = profile.shared();
        self.run(py, |monitor| {
            let (profiles, results) = monitor.assess(window, segment, &profile, revision)?;
            Ok((profiles.try_into()?, results.into()))
        })
    }

    /// Counts windows anew, from one up to before another; open ones are replaced, closed ones handed over. Of each file
    /// the first rows count, so many, and all of before an instant.
    fn recount(
        &self,
        py: Python<'_>,
        windows: Vec<(i64, i64)>,
        files: Vec<(PyRef<'_, Input>, u64, i64)>,
    ) -> PyResult<Vec<(i64, String, Profile)>> {
        let files: Vec<_> =
            files.iter().map(|(input, rows, before)| (input.0.clone(), *rows, *before)).collect();
        self.run(py, |monitor| {
            let mut recount = monitor.recount(windows.into_iter().map(|(from, to)| from..to).collect())?;
            files.iter().try_for_each(|(input, rows, before_us)| recount.read(input, *rows, *before_us))?;
            let closed = monitor.replace_open(recount)?.into_iter();
            Ok(closed.map(|(window, segment, profile)| (window, segment, Profile::from(profile))).collect())
        })
    }

    /// Takes the bins from the rows of files before an instant.
    fn bin_before(&self, py: Python<'_>, inputs: Vec<PyRef<'_, Input>>, until_us: i64) -> PyResult<()> {
        let inputs: Vec<_> = inputs.iter().map(|input| input.0.clone()).collect();
        self.run(py, |monitor| monitor.bin_before(&inputs, until_us))
    }

    /// Takes bins from the files of a reference, which are learnt from next, in the same order.
    fn bin_reference(&self, py: Python<'_>, inputs: Vec<PyRef<'_, Input>>) -> PyResult<()> {
        let inputs: Vec<_> = inputs.iter().map(|input| input.0.clone()).collect();
        self.run(py, |monitor| monitor.bin_reference(&inputs))
    }

    fn standings(&self, py: Python<'_>) -> PyResult<Table> {
        self.run(py, |monitor| monitor.standings().map(Table::from))
    }

    fn checkpoint(&self, py: Python<'_>) -> PyResult<Encoded> {
        self.run(py, engine::Monitor::checkpoint).map(Encoded::from)
    }

    #[getter]
    fn newest_us(&self) -> PyResult<Option<i64>> {
        Ok(self.lock()?.newest_us())
    }

    /// Windows that are open, with their rows so far.
    fn open_windows(&self, py: Python<'_>) -> PyResult<Vec<(i64, u64)>> {
        self.run(py, engine::Monitor::open_windows)
    }

    /// Whether the reference is still learnt, and the instant until which it is, where that is known.
    #[getter]
    fn learning(&self) -> PyResult<(bool, Option<i64>)> {
        let learns = self.lock()?.learns_until_us();
        Ok((learns.is_some(), learns.flatten()))
    }

    /// Rows by what became of them.
    #[getter]
    fn counts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let counts = self.lock()?.counts();
        let dict = PyDict::new(py);
        dict.set_item("rows", counts.rows)?;
        dict.set_item("late", counts.late)?;
        dict.set_item("without_time", counts.without_time)?;
        dict.set_item("absurd", counts.absurd)?;
        Ok(dict)
    }
}

impl Monitor {
    fn lock(&self) -> PyResult<MutexGuard<'_, engine::Monitor>> {
        self.0.lock().map_err(|_| PyRuntimeError::new_err("the monitor failed before: make a new one"))
    }

    fn run<T: Send>(
        &self,
        py: Python<'_>,
        f: impl FnOnce(&mut engine::Monitor) -> Result<T> + Send,
    ) -> PyResult<T> {
        let done = py.detach(|| match self.0.lock() {
            Ok(mut monitor) => f(&mut monitor),
            Err(_) => Err(Error::Storage("the monitor failed before: make a new one".into())),
        });
        done.map_err(|e| to_py(py, e))
    }
}

fn every((count, unit): &(u32, String)) -> Result<Every> {
    Ok(Every { count: *count, unit: Unit::try_from_name(unit)? })
}

fn cycle_named(name: &str) -> Result<Cycle> {
    match name {
        "hour" => Ok(Cycle::HourOfDay),
        "weekday" => Ok(Cycle::DayOfWeek),
        "month" => Ok(Cycle::MonthOfYear),
        other => Err(Error::Argument(format!("cycle is {other:?}: it is hour, weekday or month"))),
    }
}

/// When the rows of a file happened.
#[pyclass(frozen)]
pub struct Times(Arc<engine::Times>);

#[pymethods]
impl Times {
    /// Reads the times of a file, up to `latest_us`.
    #[new]
    fn new(py: Python<'_>, source: PyRef<'_, Input>, time: &str, latest_us: i64) -> PyResult<Self> {
        let input = source.0.clone();
        let times = py.detach(|| engine::Times::of(&input, time, latest_us));
        times.map(|times| Self(Arc::new(times))).map_err(|e| to_py(py, e))
    }

    /// The first and the last, in microseconds.
    #[getter]
    fn span(&self) -> Option<(i64, i64)> {
        self.0.range
    }

    /// All rows.
    #[getter]
    fn rows(&self) -> u64 {
        self.0.rows
    }
}

/// A file, its times, the rows at its beginning that are left out, and the instant before which rows are.
type UnreadParts<'py> = (PyRef<'py, Input>, PyRef<'py, Times>, u64, Option<i64>);

/// Files that are read side by side, each from a row and an instant on.
#[pyclass(frozen)]
pub struct Files(Mutex<engine::Files>);

#[pymethods]
impl Files {
    /// Windows wait for rows that are still to come as long as they take no more than so many profiles of columns.
    #[new]
    fn new(files: Vec<UnreadParts<'_>>, most_held: usize) -> Self {
        let unread = files.iter().map(|(input, times, skip, since_us)| engine::Unread {
            input: input.0.clone(),
            times: times.0.clone(),
            skip: *skip,
            since_us: *since_us,
        });
        Self(Mutex::new(engine::Files::new(unread.collect(), most_held)))
    }

    /// Of each file the rows up to which it was read, and whether that is all.
    fn progress(&self) -> PyResult<Vec<(u64, bool)>> {
        let files = self.0.lock().map_err(|_| PyRuntimeError::new_err("reading failed before"))?;
        Ok(files.progress())
    }
}

/// The number of the window that holds an instant, and where windows begin.
#[pyclass(frozen)]
pub struct Windows(Calendar);

#[pymethods]
impl Windows {
    #[new]
    fn new(py: Python<'_>, window: (u32, String), timezone: &str) -> PyResult<Self> {
        let calendar = every(&window).and_then(|window| Calendar::try_new(window, timezone));
        calendar.map(Self).map_err(|e| to_py(py, e))
    }

    fn number(&self, instant_us: i64) -> i64 {
        self.0.number(instant_us)
    }

    fn start_us(&self, number: i64) -> i64 {
        self.0.start_us(number)
    }

    fn label(&self, number: i64) -> String {
        self.0.label(number)
    }
}
