//! One file of a table: its footer, and some of its rows and columns.
use super::{Table, type_of};
use crate::guard::decoding;
use crate::source::Input;
use crate::source::parquet::{Windowed, decode_error};
use crate::source::read::open_regular;
use crate::source::{Location, name_input};
use crate::{Error, Result};
use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray};
use arrow_cast::cast;
use arrow_schema::{DataType, SchemaRef, TimeUnit};
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection,
};
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};
use parquet::file::statistics::Statistics;
use std::io::Read;
use std::sync::Arc;

/// Rows decoded at once: profiles of columns are some kilobytes each.
const BATCH_ROWS: usize = 4096;
/// More rows than a file of a store has; a damaged footer may claim any number.
const MOST_ROWS: i64 = 1 << 28;

/// An open file, its footer read.
pub(super) struct FactFile {
    pub name: String,
    source: Source,
    footer: ArrowReaderMetadata,
}

#[derive(Clone)]
enum Source {
    Local(Arc<std::fs::File>),
    Remote(Arc<Windowed>),
}

impl Length for Source {
    fn len(&self) -> u64 {
        match self {
            Self::Local(file) => file.len(),
            Self::Remote(object) => object.len(),
        }
    }
}

impl ChunkReader for Source {
    type T = Box<dyn Read>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        Ok(match self {
            Self::Local(file) => Box::new(file.get_read(start)?),
            Self::Remote(object) => Box::new(object.get_read(start)?),
        })
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        // Before memory is taken for what a damaged footer promises.
        if start.checked_add(length as u64).is_none_or(|end| end > self.len()) {
            return Err(ParquetError::EOF(format!("it ends at byte {}", self.len())));
        }
        match self {
            Self::Local(file) => file.get_bytes(start, length),
            Self::Remote(object) => object.get_bytes(start, length),
        }
    }
}

/// Whether a row group may hold a row between two times.
#[derive(Clone, Copy, Default)]
pub(super) struct Between {
    pub since: Option<i64>,
    pub until: Option<i64>,
}

impl Between {
    pub fn holds(self, time: i64) -> bool {
        self.since.is_none_or(|since| time >= since) && self.until.is_none_or(|until| time < until)
    }
}

impl FactFile {
    pub fn open(input: &Input, table: Table) -> Result<Self> {
        let opened = decoding(|| {
            let source = match &input.location {
                Location::Local(path) => Source::Local(Arc::new(open_regular(path, &input.name)?)),
                Location::Remote(object) => Source::Remote(Arc::new(Windowed::new(object.clone()))),
            };
            if source.len() == 0 {
                return Err(Error::Input("is empty: a Parquet file ends with a footer".into()));
            }
            let footer =
                ArrowReaderMetadata::load(&source, ArrowReaderOptions::new()).map_err(decode_error)?;
            let rows: i64 = footer.metadata().row_groups().iter().map(|group| group.num_rows()).sum();
            if !(0..=MOST_ROWS).contains(&rows) {
                return Err(Error::Input(format!("claims {rows} rows: it is damaged")));
            }
            Ok(Self { name: input.name.clone(), source, footer })
        });
        let file = opened.map_err(|error| name_input(error, &input.name))?;
        for &name in table.required() {
            let there = file.schema().field_with_name(name).is_ok();
            there.then_some(()).ok_or_else(|| {
                Error::Input(format!("{}: has no column {name:?}, which every row of a store has", file.name))
            })?;
        }
        Ok(file)
    }

    pub fn schema(&self) -> &SchemaRef {
        self.footer.schema()
    }

    pub fn row_groups(&self) -> usize {
        self.footer.metadata().num_row_groups()
    }

    pub fn rows_of(&self, row_group: usize) -> usize {
        usize::try_from(self.footer.metadata().row_group(row_group).num_rows()).unwrap_or(0)
    }

    /// Whether the statistics let a row group have a window that begins in this time.
    pub fn may_hold(&self, row_group: usize, between: Between) -> bool {
        let group = self.footer.metadata().row_group(row_group);
        let column = group.columns().iter().find(|column| column.column_path().string() == "window_start");
        let Some(Statistics::Int64(range)) = column.and_then(|column| column.statistics()) else {
            return true;
        };
        let early = range.max_opt().zip(between.since).is_some_and(|(&max, since)| max < since);
        let late = range.min_opt().zip(between.until).is_some_and(|(&min, until)| min >= until);
        !early && !late
    }

    /// Some columns of one row group, or of all; of `selected` rows alone.
    pub fn scan(
        &self,
        columns: &[&str],
        row_group: Option<usize>,
        selected: Option<&BooleanArray>,
        mut each: impl FnMut(RecordBatch) -> Result<()>,
    ) -> Result<()> {
        let positions: Vec<usize> =
            columns.iter().filter_map(|name| self.schema().index_of(name).ok()).collect();
        let decoded = decoding(|| {
            let mut builder =
                ParquetRecordBatchReaderBuilder::new_with_metadata(self.source.clone(), self.footer.clone());
            let mask = ProjectionMask::roots(builder.parquet_schema(), positions);
            builder = builder.with_projection(mask).with_batch_size(BATCH_ROWS);
            if let Some(row_group) = row_group {
                builder = builder.with_row_groups(vec![row_group]);
            }
            if let Some(selected) = selected {
                builder =
                    builder.with_row_selection(RowSelection::from_filters(std::slice::from_ref(selected)));
            }
            for batch in builder.build().map_err(decode_error)? {
                each(batch.map_err(|e| decode_error(e.into()))?)?;
            }
            Ok(())
        });
        decoded.map_err(|error| name_input(error, &self.name))
    }
}

/// A required column in its type, without nulls.
pub(super) fn required(batch: &RecordBatch, name: &str) -> Result<ArrayRef> {
    let column = batch.column_by_name(name);
    let column = column.ok_or_else(|| Error::Input(format!("has no column {name:?}")))?;
    let wanted = type_of(name);
    if let (DataType::Timestamp(_, None), DataType::Timestamp(..)) = (column.data_type(), &wanted) {
        return Err(Error::Input(format!(
            "column {name:?} has times without a zone: times of a store are in UTC"
        )));
    }
    let kind = |t: &DataType| match t {
        DataType::Dictionary(_, values) => values.is_string(),
        other => other.is_string(),
    };
    let fits = match &wanted {
        DataType::Utf8 => kind(column.data_type()),
        DataType::Int64 => column.data_type().is_integer(),
        _ => matches!(column.data_type(), DataType::Timestamp(..)),
    };
    if !fits {
        return Err(Error::Input(format!("column {name:?} is {}, not {wanted}", column.data_type())));
    }
    let array = cast(column, &wanted).map_err(|e| Error::Input(format!("column {name:?}: {e}")))?;
    if let Some(row) = (0..array.len()).find(|&row| array.is_null(row)) {
        return Err(Error::Input(format!("column {name:?} is null in row {row}: every row has an identity")));
    }
    Ok(array)
}

/// Rows per second of times in any unit, in microseconds.
pub(super) fn microseconds(array: &ArrayRef) -> Result<ArrayRef> {
    cast(array, &DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())))
        .map_err(|e| Error::Input(format!("times cannot be read: {e}")))
}

/// Times as whole numbers.
pub(super) fn times(array: &ArrayRef) -> &arrow_array::PrimitiveArray<TimestampMicrosecondType> {
    array.as_primitive()
}

/// Whole numbers.
pub(super) fn integers(array: &ArrayRef) -> &Int64Array {
    array.as_primitive::<Int64Type>()
}

/// Strings.
pub(super) fn strings(array: &ArrayRef) -> &StringArray {
    array.as_string::<i32>()
}
