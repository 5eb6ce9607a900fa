//! Parquet as tables: a row group's columns are decoded one by one, each by a reader that knows how far it was read.
use super::Input;
use super::parquet::{BATCH_ROWS, OpenFile, Windowed, end_of, mixed_schema, named, open, reader_of};
use super::table::{Column, Table, whole};
use crate::{Error, Result};
use arrow_array::{Array, ArrayRef};
use arrow_schema::SchemaRef;
use parquet::arrow::arrow_reader::ParquetRecordBatchReader;
use parquet::errors::ParquetError;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::{Arc, Mutex};

/// The rows of an input as tables: so many of a row group at most lie in one.
pub(super) struct Tables {
    file: Arc<OpenFile>,
    /// The columns that are decoded for all rows of a table at once.
    at_hand: Vec<usize>,
    row_group: usize,
    /// What reads the columns of the row group.
    readers: Vec<Arc<ColumnReader>>,
    schema: SchemaRef,
    /// Rows of the row group that were handed over.
    from: usize,
}

/// Rows of a table: some of its columns are in memory, and where its rows lie by their times.
const TABLE_ROWS: usize = 131_072;

impl Tables {
    /// Reads the footer.
    pub(super) fn try_open(input: &Input, at_hand: &[String]) -> Result<Self> {
        let file = Arc::new(open(input)?);
        let schema = file.views.schema().clone();
        let at_hand: BTreeSet<usize> =
            at_hand.iter().filter_map(|name| Some(schema.column_with_name(name)?.0)).collect();
        let at_hand = at_hand.into_iter().collect();
        Ok(Self { file, at_hand, row_group: 0, readers: vec![], schema, from: 0 })
    }

    fn try_next(&mut self) -> Result<Option<Table>> {
        let groups = self.file.views.metadata().row_groups();
        let rows = loop {
            let Some(group) = groups.get(self.row_group) else { return Ok(None) };
            let rows = group.num_rows() as usize;
            if self.from < rows {
                break rows;
            }
            (self.row_group, self.from) = (self.row_group + 1, 0);
            self.readers.clear();
        };
        if self.readers.is_empty() {
            self.schema = mixed_schema(&self.file, self.row_group);
            let roots = 0..self.schema.fields().len();
            self.readers =
                roots.map(|root| Arc::new(ColumnReader::new(&self.file, root, self.row_group))).collect();
        }
        let many = TABLE_ROWS.min(rows - self.from);
        let mut columns: Vec<_> =
            self.readers.iter().map(|reader| Column::Encoded(reader.clone(), self.from)).collect();
        for &root in &self.at_hand {
            let pieces = self.readers[root].read(self.from..self.from + many)?;
            columns[root] = Column::There(whole(&pieces)?);
        }
        self.from += many;
        Ok(Some(Table::new(self.file.name.as_str().into(), self.schema.clone(), many, columns)))
    }
}

impl Iterator for Tables {
    type Item = Result<Table>;

    fn next(&mut self) -> Option<Self::Item> {
        self.try_next().transpose()
    }
}

/// Reads a column of a row group.
pub(super) struct ColumnReader {
    file: Arc<OpenFile>,
    root: usize,
    row_group: usize,
    place: Mutex<Option<Place>>,
}

/// How far a column was read.
struct Place {
    data: Windowed,
    reader: ParquetRecordBatchReader,
    row: usize,
    /// What was decoded with the rows before.
    left: Option<ArrayRef>,
}

impl ColumnReader {
    fn new(file: &Arc<OpenFile>, root: usize, row_group: usize) -> Self {
        Self { file: file.clone(), root, row_group, place: Mutex::default() }
    }

    /// Some rows, in pieces that end where they do whoever reads from where. Rows of before those that were read last are
    /// decoded once more.
    pub(super) fn read(&self, rows: Range<usize>) -> Result<Vec<ArrayRef>> {
        let Ok(mut place) = self.place.lock() else {
            return Err(Error::Storage("a thread failed while reading".into()));
        };
        let at = match place.take() {
            Some(at) if at.row <= rows.start => at,
            _ => self.open(rows.start - rows.start % BATCH_ROWS)?,
        };
        let at = place.insert(at);
        let mut pieces = vec![];
        while at.row < rows.end {
            let piece = match at.left.take() {
                Some(piece) => piece,
                None => self.next(&mut at.reader)?,
            };
            // Those that nobody asks for are passed over.
            let from = rows.start.saturating_sub(at.row).min(piece.len());
            let to = (rows.end - at.row).min(piece.len());
            if from < to {
                pieces.push(piece.slice(from, to - from));
            }
            if to < piece.len() {
                at.left = Some(piece.slice(to, piece.len() - to));
            }
            at.row += to;
        }
        let all = self.file.views.metadata().row_group(self.row_group).num_rows() as usize;
        if at.row == all {
            *place = None;
        } else {
            // Other columns come first, of which each would keep some.
            at.data.forget();
        }
        Ok(pieces)
    }

    fn next(&self, reader: &mut ParquetRecordBatchReader) -> Result<ArrayRef> {
        let ended = || ParquetError::EOF("it has fewer values than it says".into());
        let batch = reader.next().ok_or_else(|| named(ended(), &self.file, self.root))?;
        let batch = batch.map_err(|e| named(ParquetError::from(e), &self.file, self.root))?;
        Ok(batch.column(0).clone())
    }

    fn open(&self, row: usize) -> Result<Place> {
        let data = Windowed::up_to(self.file.data.clone(), end_of(&self.file, self.root, self.row_group));
        let reader = reader_of(&self.file, self.root, self.row_group, row, data.clone())?;
        Ok(Place { data, reader, row, left: None })
    }
}
