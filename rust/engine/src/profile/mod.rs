//! Profiles: what they hold, how rows come in, how they merge.
//!
//! [`ProfileBuilder`] takes record batches; each flat column ([`flatten`]) has a
//! [`ColumnBuilder`](builder::ColumnBuilder) that turns arrays into a [`ColumnProfile`]; columns
//! together are a [`Profile`].

pub mod builder;
pub(crate) mod column;
pub mod flatten;
mod kind;
mod numbers;

use crate::guard::decoding;
use crate::options::Options;
use crate::{Error, Result, threads};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{Field, Schema, SchemaRef};
use builder::{ColumnBuilder, Scratch};
pub use column::{Bins, ColumnProfile, Counts, Frequent};
pub use flatten::Skipped;
pub use kind::{Kind, same_measure, same_times, type_name};
pub use numbers::Numbers;
use std::collections::HashMap;

/// Mergeable summary of some rows: one column profile a flat column.
#[derive(Clone, Debug, Default)]
pub struct Profile {
    rows: u64,
    columns: Vec<ColumnProfile>,
    index: HashMap<String, usize>,
    skipped: Vec<Skipped>,
}

impl Profile {
    /// Puts a profile together.
    ///
    /// # Errors
    /// Two columns have the same name.
    pub fn try_new(rows: u64, columns: Vec<ColumnProfile>, skipped: Vec<Skipped>) -> Result<Self> {
        let index: HashMap<_, _> = columns.iter().enumerate().map(|(i, c)| (c.name.clone(), i)).collect();
        if index.len() < columns.len() {
            return Err(Error::Input("two columns of the profile have the same name".into()));
        }
        Ok(Self { rows, columns, index, skipped })
    }

    /// Rows seen.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Column profiles in the order of the columns.
    pub fn columns(&self) -> &[ColumnProfile] {
        &self.columns
    }

    pub(crate) fn columns_mut(&mut self) -> &mut [ColumnProfile] {
        &mut self.columns
    }

    /// The column profiles alone.
    pub fn into_columns(self) -> Vec<ColumnProfile> {
        self.columns
    }

    /// The profile of a column.
    pub fn column(&self, name: &str) -> Option<&ColumnProfile> {
        self.index.get(name).map(|&i| &self.columns[i])
    }

    /// Where the profile of a column is among them.
    pub(crate) fn place(&self, name: &str) -> Option<usize> {
        self.index.get(name).copied()
    }

    /// The same with the bins that another profile of the same rows was counted over.
    ///
    /// # Errors
    /// It has another number of rows.
    pub fn with_bins_of(&self, counted: &Self) -> Result<Self> {
        if counted.rows != self.rows {
            return Err(Error::Input(format!(
                "{} rows were read first and {} then: the data changed in between; read them again",
                self.rows, counted.rows
            )));
        }
        let mut with_bins = self.clone();
        for column in &mut with_bins.columns {
            if let Some(other) = counted.column(&column.name) {
                column.bins.clone_from(&other.bins);
            }
        }
        Ok(with_bins)
    }

    /// Numbers of which quantiles are estimates, so that only a count over bins says exactly how many lie where.
    pub fn estimated_numbers(&self) -> Vec<&str> {
        let estimated = |column: &&ColumnProfile| {
            let quantiles = column.numbers.as_ref().and_then(|numbers| numbers.quantiles.as_ref());
            column.kind == Kind::Number && quantiles.is_some_and(|quantiles| !quantiles.is_exact())
        };
        self.columns.iter().filter(estimated).map(|column| column.name.as_str()).collect()
    }

    /// Columns that were not profiled, because of their type.
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    /// Adds what another profile has seen. A column that one side lacks is kept, and the rows of the
    /// side that lacks it are counted as absent.
    ///
    /// # Errors
    /// A column has different kinds or bins on the two sides; `self` is then unchanged.
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        if self.rows.checked_add(other.rows).is_none_or(|rows| rows > column::MOST_ROWS) {
            return Err(Error::Input(format!("together they have more than {} rows", column::MOST_ROWS)));
        }
        for theirs in &other.columns {
            if let Some(ours) = self.column(&theirs.name) {
                ours.check_mergeable(theirs)?;
            }
        }
        for ours in &mut self.columns {
            if !other.index.contains_key(&ours.name) {
                ours.counts.absent += other.rows;
            }
        }
        for theirs in &other.columns {
            match self.index.get(&theirs.name) {
                Some(&i) => self.columns[i].merge(theirs)?,
                None => {
                    let mut column = theirs.clone();
                    column.counts.absent += self.rows;
                    self.index.insert(column.name.clone(), self.columns.len());
                    self.columns.push(column);
                }
            }
        }
        self.rows += other.rows;
        let new = other.skipped.iter().filter(|s| !self.skipped.contains(s)).cloned();
        let new: Vec<_> = new.collect();
        self.skipped.extend(new);
        Ok(())
    }
}

/// Threads of our own: the global pool belongs to the program that we are a guest in.
///
/// # Errors
/// The system gives no threads.
pub(crate) fn thread_pool(threads: usize) -> Result<rayon::ThreadPool> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).thread_name(|i| format!("driftline-{i}"));
    pool.build().map_err(|e| Error::Storage(format!("cannot start {threads} threads: {e}")))
}

/// Record batches in, a profile out.
pub struct ProfileBuilder {
    rows: u64,
    columns: Vec<ColumnBuilder>,
    /// Where the columns are, by their names.
    index: HashMap<String, usize>,
    skipped: Vec<Skipped>,
    scratches: Scratches,
}

/// What threads need while they count, to be used again and again: made for each of them when it is first at work.
pub(crate) struct Scratches {
    threads: usize,
    each: Vec<Scratch>,
}

impl Scratches {
    /// For so many threads at most; all cores where 0.
    pub fn new(threads: usize) -> Self {
        Self { threads: threads::count(threads), each: vec![] }
    }

    /// Those of so many threads, of which there may be fewer.
    fn of(&mut self, threads: usize) -> &mut [Scratch] {
        let threads = threads.clamp(1, self.threads);
        if self.each.len() < threads {
            self.each.resize_with(threads, Scratch::default);
        }
        &mut self.each[..threads]
    }
}

/// Batches that a builder is to count.
pub(crate) struct Uncounted<'a> {
    pub builder: &'a mut ProfileBuilder,
    pub batches: &'a [RecordBatch],
    /// Whether no more are to come, so that what is left to do is done at once.
    pub is_last: bool,
}

/// All rows of a builder are of one part of the data.
const PARTITION: u64 = 0;

/// Makes a column that a builder handed out ready for other rows.
pub(crate) fn clear(column: &mut ColumnProfile) {
    column.clear(PARTITION);
}

/// Fewer cells than this are done before a second thread would have woken up.
const CELLS_WORTH_A_THREAD: usize = 32_768;

/// Counts the rows of some builders, column by column over all of them: a thread takes the next column that nobody has.
/// The number of threads changes nothing in the result.
///
/// # Errors
/// A column cannot be converted.
pub(crate) fn count_all<'a>(
    uncounted: impl Iterator<Item = Uncounted<'a>>,
    scratches: &mut Scratches,
) -> Result<()> {
    let mut columns: Vec<Vec<(&mut ColumnBuilder, &[RecordBatch], bool)>> = vec![];
    let mut cells = 0;
    for Uncounted { builder, batches, is_last } in uncounted {
        let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
        builder.rows += rows as u64;
        cells += rows * builder.columns.len();
        columns.resize_with(columns.len().max(builder.columns.len()), Vec::new);
        for (together, column) in columns.iter_mut().zip(&mut builder.columns) {
            together.push((column, batches, is_last));
        }
    }
    let threads = columns.len().min(cells / CELLS_WORTH_A_THREAD);
    let count = |scratch: &mut Scratch, together: Vec<(&mut ColumnBuilder, &[RecordBatch], bool)>| {
        decoding(|| {
            for (column, batches, is_last) in together {
                for batch in batches {
                    column.update(batch.column(column.root()), scratch)?;
                }
                if is_last {
                    column.flush_dictionary()?;
                }
            }
            Ok(())
        })
    };
    threads::hand_out(scratches.of(threads), columns, count)
}

impl ProfileBuilder {
    /// Starts a profile of batches of a schema.
    ///
    /// # Errors
    /// Columns that were asked for are missing, names come up twice, or options are out of range.
    pub fn try_new(schema: &SchemaRef, options: &Options) -> Result<Self> {
        let (leaves, skipped) = flatten::flatten(schema, options)?;
        let index = leaves.iter().enumerate().map(|(i, leaf)| (leaf.name.clone(), i)).collect();
        let columns = leaves.into_iter().map(|leaf| ColumnBuilder::try_new(leaf, options, PARTITION));
        let columns = columns.collect::<Result<_>>()?;
        Ok(Self { rows: 0, columns, index, skipped, scratches: Scratches::new(options.threads) })
    }

    /// Rows so far.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// Profiles of the columns so far, which are complete when [`count_all`] was told that no rows are to come.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &ColumnProfile> {
        self.columns.iter().map(ColumnBuilder::profile)
    }

    /// That of one column.
    pub(crate) fn column(&self, name: &str) -> Option<&ColumnProfile> {
        self.place(name).map(|place| self.columns[place].profile())
    }

    /// Where a column is among the others.
    pub(crate) fn place(&self, name: &str) -> Option<usize> {
        self.index.get(name).copied()
    }

    /// Columns that are not profiled, because of their type.
    pub(crate) fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    /// Begins anew. The columns are handed out, each to be [cleared](clear) after it was looked at; only then may rows be
    /// added.
    pub(crate) fn restart(&mut self) -> impl Iterator<Item = &mut ColumnProfile> {
        self.rows = 0;
        self.columns.iter_mut().map(ColumnBuilder::profile_mut)
    }

    /// Adds the rows of a batch. The columns are shared out over the threads, so the number of
    /// threads changes nothing in the result.
    ///
    /// # Errors
    /// A column cannot be converted.
    pub fn update(&mut self, batch: &RecordBatch) -> Result<()> {
        let mut scratches = std::mem::replace(&mut self.scratches, Scratches::new(1));
        let batches = std::slice::from_ref(batch);
        let uncounted = Uncounted { builder: self, batches, is_last: false };
        let counted = count_all(std::iter::once(uncounted), &mut scratches);
        self.scratches = scratches;
        counted
    }

    /// Ends the profile.
    ///
    /// # Errors
    /// A dictionary cannot be converted.
    pub fn finish(self) -> Result<Profile> {
        let columns = decoding(|| self.columns.into_iter().map(ColumnBuilder::finish).collect())?;
        Ok(Profile { rows: self.rows, columns, index: self.index, skipped: self.skipped })
    }
}

/// The profile of one array as a column without a name.
///
/// # Errors
/// Its type is not profiled, or options are out of range.
pub fn profile_array(array: &ArrayRef, options: &Options, partition: u64) -> Result<ColumnProfile> {
    let schema = Schema::new(vec![Field::new("value", array.data_type().clone(), true)]);
    let (leaves, _) = flatten::flatten(&schema, options)?;
    let leaf = leaves.into_iter().next().filter(|leaf| leaf.name == "value");
    let leaf = leaf.ok_or_else(|| {
        Error::Argument(format!("values are {}: they are not profiled", type_name(array.data_type())))
    })?;
    let mut builder = ColumnBuilder::try_new(leaf, options, partition)?;
    builder.update(array, &mut Scratch::default())?;
    builder.finish()
}
