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
use crate::{Error, Result};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{Field, Schema, SchemaRef};
use builder::{ColumnBuilder, Scratch};
pub use column::{Bins, ColumnProfile, Counts, Frequent};
pub use flatten::Skipped;
pub use kind::{Kind, same_measure, same_times, type_name};
pub use numbers::Numbers;
use std::collections::HashMap;
use std::sync::Mutex;

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

    /// The column profiles alone.
    pub fn into_columns(self) -> Vec<ColumnProfile> {
        self.columns
    }

    /// The profile of a column.
    pub fn column(&self, name: &str) -> Option<&ColumnProfile> {
        self.index.get(name).map(|&i| &self.columns[i])
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
    skipped: Vec<Skipped>,
    /// One for each thread.
    scratches: Vec<Scratch>,
}

/// Fewer cells than this are done before a second thread would have woken up.
const CELLS_WORTH_A_THREAD: usize = 32_768;

impl ProfileBuilder {
    /// Starts a profile of batches of a schema.
    ///
    /// # Errors
    /// Columns that were asked for are missing, names come up twice, or options are out of range.
    pub fn try_new(schema: &SchemaRef, options: &Options) -> Result<Self> {
        let (leaves, skipped) = flatten::flatten(schema, options)?;
        let columns = leaves.into_iter().map(|leaf| ColumnBuilder::try_new(leaf, options, 0));
        let columns = columns.collect::<Result<Vec<_>>>()?;
        let threads = options.thread_count().clamp(1, columns.len().max(1));
        let scratches = std::iter::repeat_with(Scratch::default).take(threads).collect();
        Ok(Self { rows: 0, columns, skipped, scratches })
    }

    /// Adds the rows of a batch. The columns are shared out over the threads, so the number of
    /// threads changes nothing in the result.
    ///
    /// # Errors
    /// A column cannot be converted.
    pub fn update(&mut self, batch: &RecordBatch) -> Result<()> {
        self.rows += batch.num_rows() as u64;
        let worthwhile = batch.num_rows() * self.columns.len() / CELLS_WORTH_A_THREAD;
        let threads = self.scratches.len().min(worthwhile.max(1));
        // Each thread takes the next column that nobody has. Threads of a pool sleep between batches, and a
        // batch of some milliseconds is over before they are awake; new ones begin at once.
        let queue = Mutex::new(self.columns.iter_mut());
        let work = |scratch: &mut Scratch| -> Result<()> {
            decoding(|| {
                loop {
                    let next = queue.lock().ok().and_then(|mut queue| queue.next());
                    let Some(column) = next else { return Ok(()) };
                    column.update(batch.column(column.root()), scratch)?;
                }
            })
        };
        let (first, others) = self.scratches[..threads].split_at_mut(1);
        std::thread::scope(|scope| {
            let others: Vec<_> = others.iter_mut().map(|scratch| scope.spawn(|| work(scratch))).collect();
            let mut outcome = work(&mut first[0]);
            for other in others {
                outcome = outcome.and(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            }
            outcome
        })
    }

    /// Ends the profile.
    ///
    /// # Errors
    /// A dictionary cannot be converted.
    pub fn finish(self) -> Result<Profile> {
        let columns = decoding(|| self.columns.into_iter().map(ColumnBuilder::finish).collect())?;
        Profile::try_new(self.rows, columns, self.skipped)
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
