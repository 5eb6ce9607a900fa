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
use crate::threads::Crew;
use crate::{Error, Result};
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

/// Record batches in, a profile out.
pub struct ProfileBuilder {
    rows: u64,
    columns: Vec<ColumnBuilder>,
    /// Where the columns are, by their names.
    index: HashMap<String, usize>,
    skipped: Vec<Skipped>,
    crew: Crew<Scratch>,
}

/// All rows of a builder are of one part of the data.
const PARTITION: u64 = 0;

/// Makes a column that a builder handed out ready for other rows.
pub(crate) fn clear(column: &mut ColumnProfile) {
    column.clear(PARTITION);
}

/// Fewer cells than this are done before a second thread would have woken up.
pub(crate) const CELLS_WORTH_A_THREAD: usize = 32_768;

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
        Ok(Self { rows: 0, columns, index, skipped, crew: Crew::new(options.threads) })
    }

    /// Rows so far.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// Where a column is among the others.
    pub(crate) fn place(&self, name: &str) -> Option<usize> {
        self.index.get(name).copied()
    }

    /// How many columns there are.
    pub(crate) fn columns(&self) -> usize {
        self.columns.len()
    }

    /// Columns that are not profiled, because of their type.
    pub(crate) fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    /// What counts the columns, those of one top-level column together, which are handed so many rows each.
    pub(crate) fn roots(&mut self, rows: u64) -> impl Iterator<Item = &mut [ColumnBuilder]> {
        self.rows += rows;
        self.columns.chunk_by_mut(|a, b| a.root() == b.root())
    }

    /// Begins anew, with columns that were [cleared](clear).
    pub(crate) fn restart(&mut self) {
        self.rows = 0;
    }

    /// Adds the rows of a batch. The columns are shared out over the threads, so the number of
    /// threads changes nothing in the result.
    ///
    /// # Errors
    /// A column cannot be converted.
    pub fn update(&mut self, batch: &RecordBatch) -> Result<()> {
        let cells = batch.num_rows() * self.columns.len();
        self.rows += batch.num_rows() as u64;
        self.crew.hand_out(
            cells / CELLS_WORTH_A_THREAD,
            self.columns.iter_mut().collect(),
            |scratch, column| decoding(|| column.update(batch.column(column.root()), scratch)),
        )
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
