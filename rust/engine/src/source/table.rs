//! Rows of which each column is decoded when it is asked for: who goes through them column by column keeps one of them in
//! the cache, and needs no memory for the others.
use super::parquet_table::{self, ColumnReader};
use super::{Format, Input, ReadAhead, constant, name_input};
use crate::guard::decoding;
use crate::{Error, Result};
use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::{Schema, SchemaRef};
use std::ops::Range;
use std::sync::Arc;

/// Some rows that lie together in an input.
#[derive(Clone)]
pub struct Table {
    /// The input, empty of rows that somebody handed over.
    name: Arc<str>,
    schema: SchemaRef,
    rows: usize,
    columns: Vec<Column>,
}

/// A top-level column.
#[derive(Clone)]
pub(super) enum Column {
    /// It is at hand.
    There(ArrayRef),
    /// It is still to be decoded, from a row of what the reader reads.
    Encoded(Arc<ColumnReader>, usize),
}

impl From<RecordBatch> for Table {
    fn from(rows: RecordBatch) -> Self {
        Self {
            name: "".into(),
            schema: rows.schema(),
            rows: rows.num_rows(),
            columns: rows.columns().iter().cloned().map(Column::There).collect(),
        }
    }
}

impl Table {
    pub(super) fn new(name: Arc<str>, schema: SchemaRef, rows: usize, columns: Vec<Column>) -> Self {
        Self { name, schema, rows, columns }
    }

    /// The types of all columns.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// How many rows there are.
    pub fn num_rows(&self) -> usize {
        self.rows
    }

    /// What messages call the input that it is of; empty where somebody handed it over.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether all columns are in memory.
    pub fn is_there(&self) -> bool {
        self.columns.iter().all(|column| matches!(column, Column::There(_)))
    }

    /// Some of its columns.
    pub fn project(&self, columns: &[usize]) -> Self {
        let fields: Vec<_> = columns.iter().map(|&i| self.schema.field(i).clone()).collect();
        let schema = Arc::new(Schema::new(fields));
        let columns = columns.iter().map(|&i| self.columns[i].clone()).collect();
        Self { name: self.name.clone(), schema, rows: self.rows, columns }
    }

    /// Some rows of a column, in pieces that follow one another. They are decoded the fastest by who asks for them in their
    /// order, and for each once.
    ///
    /// # Errors
    /// The column cannot be decoded; the message names it and the input.
    pub fn column(&self, column: usize, rows: Range<usize>) -> Result<Vec<ArrayRef>> {
        match &self.columns[column] {
            Column::There(array) => Ok(vec![array.slice(rows.start, rows.len())]),
            Column::Encoded(reader, from) => {
                let read = decoding(|| reader.read(from + rows.start..from + rows.end));
                read.map_err(|error| name_input(error, &self.name))
            }
        }
    }

    /// All rows of a column as one array; `None` where there is no such column.
    ///
    /// # Errors
    /// As of [`column`](Self::column).
    pub fn column_by_name(&self, name: &str) -> Option<Result<ArrayRef>> {
        let (column, _) = self.schema.column_with_name(name)?;
        Some(self.column(column, 0..self.rows).and_then(|pieces| whole(&pieces)))
    }
}

/// Pieces of a column as one array.
///
/// # Errors
/// They are too large for one.
pub(crate) fn whole(pieces: &[ArrayRef]) -> Result<ArrayRef> {
    if let [piece] = pieces {
        return Ok(piece.clone());
    }
    let pieces: Vec<_> = pieces.iter().map(AsRef::as_ref).collect();
    arrow_select::concat::concat(&pieces).map_err(|e| Error::Input(e.to_string()))
}

/// The rows of an input, table by table, in their order.
pub struct Tables {
    input: Input,
    /// Columns that are decoded for all rows of a table at once.
    at_hand: Vec<String>,
    read: Option<Read>,
}

enum Read {
    Parquet(parquet_table::Tables),
    Text(ReadAhead),
}

impl Tables {
    /// Of text the first rows are read at once, by another thread. Columns that are named are asked for before others, and
    /// again: they are decoded for all rows of a table at once.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn try_new(input: Input, at_hand: Vec<String>) -> Result<Self> {
        let read = match input.format {
            Format::Parquet => None,
            Format::Csv | Format::JsonLines => Some(Read::Text(ReadAhead::try_new(input.clone())?)),
        };
        Ok(Self { input, at_hand, read })
    }

    fn read(&mut self) -> Result<&mut Read> {
        match &mut self.read {
            Some(read) => Ok(read),
            closed => {
                Ok(closed.insert(Read::Parquet(parquet_table::Tables::try_open(&self.input, &self.at_hand)?)))
            }
        }
    }

    fn try_next(&mut self) -> Result<Option<Table>> {
        let name: Arc<str> = self.input.name.as_str().into();
        match self.read()? {
            // What other columns the input's name tells is among the rows already.
            Read::Text(rows) => Ok(rows.next().transpose()?.map(|rows| Table { name, ..Table::from(rows) })),
            Read::Parquet(tables) => {
                let Some(table) = tables.next().transpose()? else { return Ok(None) };
                Ok(Some(with_partitions(table, &self.input)))
            }
        }
    }
}

impl Iterator for Tables {
    type Item = Result<Table>;

    fn next(&mut self) -> Option<Self::Item> {
        let read = decoding(|| self.try_next());
        read.map_err(|error| name_input(error, &self.input.name)).transpose()
    }
}

/// A table with the columns of which the input's name tells the value.
fn with_partitions(mut table: Table, input: &Input) -> Table {
    let mut fields = table.schema.fields().to_vec();
    for (name, value) in &input.partitions {
        if !fields.iter().any(|field| field.name() == name) {
            let (field, array) = constant(name, value.as_deref(), table.rows);
            fields.push(field);
            table.columns.push(Column::There(array));
        }
    }
    table.schema = Arc::new(Schema::new(fields));
    table
}

/// Rows of some columns, all of them at hand.
///
/// # Errors
/// They are not as many as is said.
pub(crate) fn batch(schema: SchemaRef, arrays: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(schema, arrays, &options).map_err(|e| Error::Input(e.to_string()))
}
