//! Where rows come from: files and objects of Parquet, CSV and JSON lines.
//!
//! [`paths`] turns what a user names into [`Input`]s; [`read`] is how their bytes are reached; [`parquet`] and [`text`] decode
//! them, row by row, or as a [`table`] whose columns are decoded one by one; [`profile_inputs`] shares the work out over
//! threads and merges the parts in the order of the data, so that the number of threads changes nothing.

pub(crate) mod parquet;
mod parquet_table;
pub mod paths;
pub mod read;
pub mod table;
mod text;

use crate::guard::decoding;
use crate::options::Options;
use crate::profile::{ColumnProfile, Profile, Skipped};
use crate::threads;
use crate::{Error, Result};
use arrow_array::{Array, ArrayRef, DictionaryArray, Int32Array, RecordBatch, StringArray};
use arrow_schema::{Field, FieldRef, Schema};
use read::ReadAt;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::time::Duration;

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Apache Parquet.
    Parquet,
    /// Comma-separated values with a header line.
    Csv,
    /// One JSON object a line.
    JsonLines,
}

/// Where the bytes of an input are.
#[derive(Clone)]
pub enum Location {
    /// A file, opened when its turn comes.
    Local(PathBuf),
    /// An object in a store.
    Remote(Arc<dyn ReadAt>),
}

/// One file or object to read.
#[derive(Clone)]
pub struct Input {
    /// As the user knows it: path or URL.
    pub name: String,
    /// How it is written.
    pub format: Format,
    /// Where it is.
    pub location: Location,
    /// Hive partition columns from the folders' names; `None` is a null.
    pub partitions: Vec<(String, Option<String>)>,
}

impl Input {
    fn open(&self) -> Result<Arc<dyn ReadAt>> {
        match &self.location {
            Location::Local(path) => Ok(Arc::new(read::LocalFile::try_open(path, &self.name)?)),
            Location::Remote(object) => Ok(object.clone()),
        }
    }
}

/// Is told of the rows that are done, on the thread that called; an error stops the work.
pub trait Observer {
    /// `rows` more rows are in the profile.
    ///
    /// # Errors
    /// The caller wants to stop.
    fn rows(&mut self, rows: u64) -> Result<()>;
}

impl Observer for () {
    fn rows(&mut self, _: u64) -> Result<()> {
        Ok(())
    }
}

/// A piece of work: some rows of some columns of one input.
enum Task {
    Parquet(parquet::Part),
    Text(Arc<Input>),
}

/// What a piece of work gave.
struct Part {
    columns: Vec<ColumnProfile>,
    /// Rows of the input that this part stands for; parts of further columns of the same rows say 0.
    rows: u64,
}

/// Between the threads that read and the one that merges and tells the caller. It keeps the threads from
/// running far ahead of the merge, which waits for the part whose turn it is: else
/// the parts behind a slow one would pile up in memory.
struct Gate {
    merged: Mutex<u64>,
    moved: Condvar,
    ahead: u64,
    stopped: AtomicBool,
    rows: AtomicU64,
}

/// How long a part may take before the caller is asked again whether to go on.
const LISTEN: Duration = Duration::from_millis(50);

/// Parts for each thread that may wait to be merged.
const PARTS_AHEAD: u64 = 4;

impl Gate {
    fn new(threads: usize) -> Self {
        Self {
            merged: Mutex::new(0),
            moved: Condvar::new(),
            ahead: PARTS_AHEAD * threads as u64,
            stopped: AtomicBool::new(false),
            rows: AtomicU64::new(0),
        }
    }

    /// Returns when few enough parts before this one are still to be merged.
    fn wait(&self, sequence: u64) {
        if let Ok(merged) = self.merged.lock() {
            // A poisoned lock means that the merging thread failed: there is nothing to wait for.
            drop(self.moved.wait_while(merged, |merged| sequence >= merged.saturating_add(self.ahead)));
        }
    }

    /// Counts rows that were read.
    fn count(&self, rows: u64) {
        self.rows.fetch_add(rows, Ordering::Relaxed);
    }

    /// Rows read since this was asked last.
    fn rows_since(&self) -> u64 {
        self.rows.swap(0, Ordering::Relaxed)
    }

    /// Lets everybody through, to end.
    fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
        self.advance(u64::MAX);
    }

    /// Whether the work of a part is wanted no more.
    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// Lets more parts through.
    fn advance(&self, merged: u64) {
        if let Ok(mut now) = self.merged.lock() {
            *now = merged;
        }
        self.moved.notify_all();
    }
}

/// What there is to do, in the order of the data; footers are read when the work reaches them.
struct Plan<'a> {
    inputs: std::slice::Iter<'a, Input>,
    next_input: usize,
    ready: VecDeque<(usize, Task)>,
    opened: Vec<FileStart>,
    options: &'a Options,
    sequence: u64,
}

/// An input whose tasks are planned.
struct FileStart {
    tasks: u64,
    order: Vec<String>,
    skipped: Vec<Skipped>,
    columns: Vec<String>,
}

impl Plan<'_> {
    fn next(&mut self) -> Option<Result<(u64, usize, Task)>> {
        while self.ready.is_empty() {
            let input = self.inputs.next()?;
            let file = self.next_input;
            self.next_input += 1;
            let (start, tasks) = match self.open(input) {
                Ok(planned) => planned,
                Err(error) => return Some(Err(error)),
            };
            self.opened.push(start);
            self.ready.extend(tasks.into_iter().map(|task| (file, task)));
        }
        let (file, task) = self.ready.pop_front()?;
        self.sequence += 1;
        Some(Ok((self.sequence - 1, file, task)))
    }

    fn open(&self, input: &Input) -> Result<(FileStart, Vec<Task>)> {
        if input.format != Format::Parquet {
            let task = Task::Text(Arc::new(input.clone()));
            return Ok((FileStart { tasks: 1, order: vec![], skipped: vec![], columns: vec![] }, vec![task]));
        }
        let parquet::Planned { columns, order, skipped, parts } = parquet::plan(input, self.options)?;
        let start = FileStart { tasks: parts.len() as u64, order, skipped, columns };
        Ok((start, parts.into_iter().map(Task::Parquet).collect()))
    }
}

/// Profiles inputs as one data set.
///
/// # Errors
/// No input, one that cannot be read, columns that do not fit together; the message names the input.
pub fn profile_inputs(inputs: &[Input], options: &Options, observer: &mut dyn Observer) -> Result<Profile> {
    if inputs.is_empty() {
        return Err(Error::Argument("no files to profile".into()));
    }
    // A column may be in some files only, or in the folders' names: the names are checked against them all.
    let checked = !options.may_lack_columns;
    let options = &Options { may_lack_columns: true, ..options.clone() };
    let (profile, listed) = profile_parts(inputs, options, observer)?;
    let columns = profile.columns().iter().map(|c| c.name.as_str());
    let names = columns.chain(profile.skipped().iter().map(|s| s.name.as_str())).collect();
    match options.unknown_name(&names, &listed).filter(|_| checked) {
        None => Ok(profile),
        Some(message) => Err(Error::Argument(message)),
    }
}

/// The profile, and the names of the first Parquet file's columns, to be offered where a name is wrong.
fn profile_parts(
    inputs: &[Input],
    options: &Options,
    observer: &mut dyn Observer,
) -> Result<(Profile, Vec<String>)> {
    let threads = options.thread_count();
    let pool = threads::pool(threads)?;
    let plan = Mutex::new(Plan {
        inputs: inputs.iter(),
        next_input: 0,
        ready: VecDeque::new(),
        opened: vec![],
        options,
        sequence: 0,
    });
    let gate = Gate::new(threads);
    let (sender, receiver) = mpsc::sync_channel(threads);
    pool.in_place_scope(|scope| {
        for _ in 0..threads {
            let (sender, plan, gate) = (sender.clone(), &plan, &gate);
            scope.spawn(move |_| {
                loop {
                    let next = plan.lock().map_or(None, |mut plan| plan.next());
                    let done = match next {
                        None => return,
                        Some(Err(error)) => Err(error),
                        Some(Ok((sequence, file, task))) => {
                            gate.wait(sequence);
                            run(task, options, &inputs[file], gate).map(|part| (sequence, file, part))
                        }
                    };
                    let failed = done.is_err();
                    // The receiver is gone when the work has stopped.
                    if sender.send(done).is_err() || failed {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let mut merger = Merger::new(inputs, &plan);
        let mut outcome = Ok(());
        loop {
            let done = match receiver.recv_timeout(LISTEN) {
                Ok(done) => done,
                // A part may take long; the caller may want to stop all the same.
                Err(mpsc::RecvTimeoutError::Timeout) => match observer.rows(gate.rows_since()) {
                    Ok(()) => continue,
                    Err(stop) => Err(stop),
                },
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
            };
            outcome = done.and_then(|(sequence, file, part)| merger.add(sequence, file, part));
            outcome = outcome.and_then(|()| observer.rows(gate.rows_since()));
            if outcome.is_err() {
                break;
            }
            gate.advance(merger.next);
        }
        // Whoever still waits may go on, and finds that nobody listens.
        gate.stop();
        drop(receiver);
        outcome.and_then(|()| merger.finish())
    })
    .map(|profile| {
        let first = plan
            .lock()
            .ok()
            .and_then(|mut plan| plan.opened.first_mut().map(|f| std::mem::take(&mut f.columns)));
        (profile, first.unwrap_or_default())
    })
}

/// Hands over the rows of an input in their order, with the top-level columns that are asked for.
///
/// # Errors
/// The input cannot be read, or `f` fails; the message names the input.
pub fn for_each_batch(
    input: &Input,
    wanted: &dyn Fn(&str) -> bool,
    f: &mut dyn FnMut(RecordBatch) -> Result<()>,
) -> Result<()> {
    let mut hand_over = |batch: Result<RecordBatch>| -> Result<()> {
        let batch = batch?;
        let rows = batch.num_rows();
        let (mut fields, mut arrays): (Vec<FieldRef>, Vec<ArrayRef>) = batch
            .schema_ref()
            .fields()
            .iter()
            .cloned()
            .zip(batch.columns().iter().cloned())
            .filter(|(field, _)| wanted(field.name()))
            .unzip();
        for (name, value) in &input.partitions {
            if wanted(name) && !fields.iter().any(|field| field.name() == name) {
                let (field, array) = constant(name, value.as_deref(), rows);
                fields.push(field);
                arrays.push(array);
            }
        }
        f(table::batch(Arc::new(Schema::new(fields)), arrays, rows)?)
    };
    let read = decoding(|| match input.format {
        Format::Parquet => parquet::batches(input, wanted)?.try_for_each(&mut hand_over),
        Format::Csv | Format::JsonLines => text::batches(input, &|| false)?.1.try_for_each(&mut hand_over),
    });
    read.map_err(|error| name_input(error, &input.name))
}

/// A column that has one value in all rows.
fn constant(name: &str, value: Option<&str>, rows: usize) -> (FieldRef, ArrayRef) {
    let values = StringArray::from(vec![value]);
    let array = DictionaryArray::new(Int32Array::from(vec![0; rows]), Arc::new(values));
    (Arc::new(Field::new(name, array.data_type().clone(), true)), Arc::new(array))
}

/// Batches of an input that another thread reads ahead, in their order.
pub struct ReadAhead(mpsc::Receiver<Result<RecordBatch>>);

/// Batches that are read before they are asked for.
const BATCHES_AHEAD: usize = 1;

impl ReadAhead {
    /// Begins to read an input. The thread ends with the input, or when nobody listens any more.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn try_new(input: Input) -> Result<Self> {
        let (sender, receiver) = mpsc::sync_channel(BATCHES_AHEAD);
        let gone = || Error::Interrupted("nobody listens".into());
        let read = move || {
            let mut hand_over = |batch| sender.send(Ok(batch)).map_err(|_| gone());
            if let Err(error) = for_each_batch(&input, &|_| true, &mut hand_over) {
                // Where nobody listens, there is nobody to be told.
                drop(sender.send(Err(error)));
            }
        };
        let spawned = std::thread::Builder::new().name("driftline-read".into()).spawn(read);
        spawned.map_err(|e| Error::Storage(format!("cannot start a thread: {e}")))?;
        Ok(Self(receiver))
    }
}

impl Iterator for ReadAhead {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.recv().ok()
    }
}

fn run(task: Task, options: &Options, input: &Input, gate: &Gate) -> Result<Part> {
    let part = decoding(|| match task {
        Task::Parquet(part) => part.profile(options).inspect(|part| gate.count(part.rows)),
        Task::Text(input) => text::profile(&input, options, gate)
            .map(|profile| Part { rows: profile.rows(), columns: profile.into_columns() }),
    });
    part.map_err(|error| name_input(error, &input.name))
}

pub(crate) fn name_input(error: Error, name: &str) -> Error {
    match error {
        Error::Input(message) if !message.starts_with(name) => Error::Input(format!("{name}: {message}")),
        Error::Argument(message) if !message.starts_with(name) => {
            Error::Argument(format!("{name}: {message}"))
        }
        other => other,
    }
}

/// The error with the name of an input, where it has none of them yet: what is wrong with one may be found while another is
/// read.
pub(crate) fn name_one_of<'a>(error: Error, name: &str, mut all: impl Iterator<Item = &'a Input>) -> Error {
    let is_named = match &error {
        Error::Input(message) | Error::Argument(message) => {
            all.any(|input| message.strip_prefix(&input.name).is_some_and(|rest| rest.starts_with(": ")))
        }
        _ => true,
    };
    if is_named { error } else { name_input(error, name) }
}

/// Puts the parts together in the order of the data, whichever thread finished first.
struct Merger<'a> {
    inputs: &'a [Input],
    plan: &'a Mutex<Plan<'a>>,
    waiting: BTreeMap<u64, (usize, Part)>,
    next: u64,
    file: usize,
    file_tasks: u64,
    file_rows: u64,
    file_columns: Vec<ColumnProfile>,
    file_index: HashMap<String, usize>,
    total: Option<Profile>,
}

impl<'a> Merger<'a> {
    fn new(inputs: &'a [Input], plan: &'a Mutex<Plan<'a>>) -> Self {
        Self {
            inputs,
            plan,
            waiting: BTreeMap::new(),
            next: 0,
            file: 0,
            file_tasks: 0,
            file_rows: 0,
            file_columns: vec![],
            file_index: HashMap::new(),
            total: None,
        }
    }

    fn add(&mut self, sequence: u64, file: usize, part: Part) -> Result<()> {
        self.waiting.insert(sequence, (file, part));
        while let Some((file, part)) = self.waiting.remove(&self.next) {
            self.next += 1;
            while self.file < file {
                self.end_file()?;
            }
            self.file_tasks += 1;
            self.file_rows += part.rows;
            for column in part.columns {
                match self.file_index.get(&column.name) {
                    Some(&i) => self.file_columns[i].merge(&column)?,
                    None => {
                        self.file_index.insert(column.name.clone(), self.file_columns.len());
                        self.file_columns.push(column);
                    }
                }
            }
        }
        Ok(())
    }

    fn end_file(&mut self) -> Result<()> {
        let (mut order, skipped) = {
            let mut plan = self.plan.lock().map_err(|_| Error::Storage("a thread failed".into()))?;
            let start = &mut plan.opened[self.file];
            debug_assert_eq!(start.tasks, self.file_tasks);
            (std::mem::take(&mut start.order), std::mem::take(&mut start.skipped))
        };
        let input = &self.inputs[self.file];
        let rows = std::mem::take(&mut self.file_rows);
        let mut columns = std::mem::take(&mut self.file_columns);
        if order.is_empty() {
            order = columns.iter().map(|c| c.name.clone()).collect();
        }
        let position: BTreeMap<_, _> = order.iter().enumerate().map(|(i, name)| (name.as_str(), i)).collect();
        columns.sort_by_key(|column| position.get(column.name.as_str()).copied());
        let index = std::mem::take(&mut self.file_index);
        let taken = |name: &String| index.contains_key(name);
        let options = self.plan.lock().map_err(|_| Error::Storage("a thread failed".into()))?.options;
        let mut extra = vec![];
        for (name, value) in input.partitions.iter().filter(|(name, _)| !taken(name) && options.wants(name)) {
            extra.push(ColumnProfile::try_constant(name, value.as_deref(), rows, options)?);
        }
        columns.extend(extra);
        let profile = Profile::try_new(rows, columns, skipped)?;
        match &mut self.total {
            None => self.total = Some(profile),
            Some(total) => total.merge(&profile).map_err(|e| name_input(e, &input.name))?,
        }
        self.file += 1;
        self.file_tasks = 0;
        Ok(())
    }

    fn finish(mut self) -> Result<Profile> {
        while self.file < self.inputs.len() {
            self.end_file()?;
        }
        Ok(self.total.unwrap_or_default())
    }
}
