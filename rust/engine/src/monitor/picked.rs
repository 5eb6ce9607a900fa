//! Rows that are picked out of tables, and columns of many of them at once.
use crate::guard::decoding;
use crate::profile::builder::{ColumnBuilder, Scratch};
use crate::source::name_input;
use crate::source::table::{Table, batch, whole};
use crate::{Error, Result};
use arrow_array::{ArrayRef, RecordBatch, UInt32Array};
use arrow_schema::SchemaRef;
use arrow_select::take::take;
use std::ops::Range;
use std::sync::Arc;

/// Some rows of a table, in their order.
#[derive(Clone)]
pub(super) struct Picked {
    table: Arc<Table>,
    which: Which,
}

/// Which rows.
#[derive(Clone)]
enum Which {
    /// All between two.
    Span(Range<usize>),
    /// Those of ascending numbers.
    Numbers(Arc<[u32]>),
}

impl Picked {
    /// All rows of a table.
    pub fn all(table: impl Into<Table>) -> Self {
        let table = table.into();
        let which = Which::Span(0..table.num_rows());
        Self { table: Arc::new(table), which }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match &self.which {
            Which::Span(span) => span.len(),
            Which::Numbers(numbers) => numbers.len(),
        }
    }

    /// The types of their columns.
    pub fn schema(&self) -> &SchemaRef {
        self.table.schema()
    }

    /// Whether they are in memory.
    pub fn is_there(&self) -> bool {
        self.table.is_there()
    }

    /// Some that follow one another.
    pub fn slice(&self, from: usize, many: usize) -> Self {
        let which = match &self.which {
            Which::Span(span) => Which::Span(span.start + from..span.start + from + many),
            Which::Numbers(numbers) => Which::Numbers(numbers[from..from + many].into()),
        };
        Self { table: self.table.clone(), which }
    }

    /// Those of ascending numbers among them.
    pub fn take(&self, numbers: &[u32]) -> Self {
        let (Some(&first), Some(&last)) = (numbers.first(), numbers.last()) else { return self.slice(0, 0) };
        if (last - first) as usize + 1 == numbers.len() {
            return self.slice(first as usize, numbers.len());
        }
        let which: Arc<[u32]> = match &self.which {
            Which::Span(span) => numbers.iter().map(|&row| row + span.start as u32).collect(),
            Which::Numbers(all) => numbers.iter().map(|&row| all[row as usize]).collect(),
        };
        Self { table: self.table.clone(), which: Which::Numbers(which) }
    }

    /// Those of which it is true.
    pub fn that(&self, which: impl Iterator<Item = bool>) -> Self {
        let numbers: Vec<u32> =
            (0..).zip(which).filter(|(_, is_picked)| *is_picked).map(|(i, _)| i).collect();
        self.take(&numbers)
    }

    /// A column of them; `None` where there is no such column.
    ///
    /// # Errors
    /// It cannot be decoded.
    pub fn column(&self, name: &str) -> Result<Option<ArrayRef>> {
        let Some((column, _)) = self.schema().column_with_name(name) else { return Ok(None) };
        self.array(column).map(Some)
    }

    fn array(&self, column: usize) -> Result<ArrayRef> {
        let span = self.which.span();
        let pieces = self.table.column(column, span.clone())?;
        let arrays = self.which.of(span.start, &pieces).collect::<Result<Vec<_>>>()?;
        if arrays.is_empty() {
            // Of no rows the type is asked for.
            return Ok(arrow_array::new_empty_array(self.schema().field(column).data_type()));
        }
        whole(&arrays)
    }

    /// All columns of them.
    ///
    /// # Errors
    /// One cannot be decoded.
    pub fn to_batch(&self) -> Result<RecordBatch> {
        let columns = (0..self.schema().fields().len()).map(|column| self.array(column));
        batch(self.schema().clone(), columns.collect::<Result<_>>()?, self.len())
    }
}

impl Which {
    /// From the first to after the last.
    fn span(&self) -> Range<usize> {
        match self {
            Self::Span(span) => span.clone(),
            Self::Numbers(numbers) => {
                let end = numbers.last().map_or(0, |&last| last as usize + 1);
                numbers.first().map_or(0, |&first| first as usize)..end
            }
        }
    }

    /// These rows of a column, of which there are pieces from a row on.
    fn of<'a>(&'a self, from: usize, pieces: &'a [ArrayRef]) -> impl Iterator<Item = Result<ArrayRef>> + 'a {
        let starts = pieces.iter().scan(from, |start, piece| {
            let this = *start;
            *start += piece.len();
            Some(this)
        });
        pieces.iter().zip(starts).filter_map(|(piece, start)| self.of_piece(piece, start).transpose())
    }

    fn of_piece(&self, piece: &ArrayRef, start: usize) -> Result<Option<ArrayRef>> {
        let end = start + piece.len();
        match self {
            Self::Span(span) => {
                let (from, to) = (span.start.max(start), span.end.min(end));
                Ok((from < to).then(|| piece.slice(from - start, to - from)))
            }
            Self::Numbers(numbers) => {
                let place = |row: usize| numbers.partition_point(|&number| (number as usize) < row);
                let those = &numbers[place(start)..place(end)];
                if those.is_empty() {
                    return Ok(None);
                }
                let those = UInt32Array::from_iter_values(those.iter().map(|&row| row - start as u32));
                take(piece, &those, None).map(Some).map_err(|e| Error::Input(e.to_string()))
            }
        }
    }
}

/// Rows of some parts that are to be counted column by column.
#[derive(Default)]
pub(super) struct Uncounted {
    /// Tables, and from where to where rows of them are asked for.
    tables: Vec<(Arc<Table>, Range<usize>)>,
    /// Of each part the rows, with the places of their tables.
    parts: Vec<Vec<(usize, Which)>>,
}

impl Uncounted {
    /// Adds a part; how many rows it has.
    pub fn push(&mut self, rows: &[Picked]) -> u64 {
        let mut part = Vec::with_capacity(rows.len());
        for Picked { table, which } in rows {
            let span = which.span();
            let known = self.tables.iter().rposition(|(known, _)| Arc::ptr_eq(known, table));
            let place = known.unwrap_or_else(|| {
                self.tables.push((table.clone(), span.clone()));
                self.tables.len() - 1
            });
            let asked = &mut self.tables[place].1;
            *asked = asked.start.min(span.start)..asked.end.max(span.end);
            part.push((place, which.clone()));
        }
        self.parts.push(part);
        rows.iter().map(|rows| rows.len() as u64).sum()
    }

    /// A top-level column of all of them.
    ///
    /// # Errors
    /// It cannot be decoded.
    pub fn column(&self, column: usize) -> Result<UncountedColumn<'_>> {
        let pieces = self.tables.iter().map(|(table, rows)| table.column(column, rows.clone()));
        Ok(UncountedColumn { rows: self, pieces: pieces.collect::<Result<_>>()? })
    }
}

/// A column of rows that are to be counted.
pub(super) struct UncountedColumn<'a> {
    rows: &'a Uncounted,
    /// Of each table.
    pieces: Vec<Vec<ArrayRef>>,
}

impl UncountedColumn<'_> {
    /// Counts the rows of a part; of some no more will come, so that what is left to do for them is done at once.
    ///
    /// # Errors
    /// An array cannot be converted.
    pub fn count(
        &self,
        part: usize,
        builders: &mut [ColumnBuilder],
        is_last: bool,
        scratch: &mut Scratch,
    ) -> Result<()> {
        let mut rows = self.rows.parts[part].iter().peekable();
        while let Some((place, which)) = rows.next() {
            let (table, span) = &self.rows.tables[*place];
            let is_over = is_last && rows.peek().is_none();
            let counted = decoding(|| {
                for array in which.of(span.start, &self.pieces[*place]) {
                    let array = array?;
                    builders.iter_mut().try_for_each(|builder| builder.update(&array, scratch))?;
                }
                if is_over {
                    builders.iter_mut().try_for_each(ColumnBuilder::flush_dictionary)
                } else {
                    Ok(())
                }
            });
            counted.map_err(|error| name_input(error, table.name()))?;
        }
        Ok(())
    }
}

/// How much waits to be counted.
#[derive(Default)]
pub(super) struct Backlog {
    rows: usize,
    /// Values that are in memory.
    values: usize,
}

/// Rows that wait: of one column, some MB.
const MOST_ROWS: usize = 131_072;
/// Values in memory that wait: some 64 MB.
const MOST_VALUES: usize = 1 << 23;

impl Backlog {
    /// Adds rows.
    pub fn add(&mut self, rows: &Picked) {
        self.rows += rows.len();
        if rows.is_there() {
            self.values += rows.len() * rows.schema().fields().len();
        }
    }

    /// Whether it is enough to be counted together.
    pub fn is_enough(&self) -> bool {
        self.rows >= MOST_ROWS / 2 || self.values >= MOST_VALUES / 2
    }

    /// Whether it must not become more.
    pub fn is_full(&self) -> bool {
        self.rows >= MOST_ROWS || self.values >= MOST_VALUES
    }
}
