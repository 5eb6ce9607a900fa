//! Rows into a file.
use super::file::{integers, required, strings, times};
use super::read::{Keys, all, each_batch, open, union};
use super::{Table, type_of};
use crate::source::Input;
use crate::{Error, Result};
use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, StringArray};
use arrow_cast::cast;
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use std::collections::HashSet;
use std::sync::Arc;

/// Few enough that a stretch of time is few row groups, enough to compress well.
const ROWS_PER_GROUP: usize = 16_384;

/// The rows of one commit as the bytes of a Parquet file; `None` where there are none. Columns `monitor` and
/// `writer` are added where they are not there.
///
/// # Errors
/// A row has no identity, that of another monitor or writer, or that of another row.
pub fn encode(
    table: Table,
    schema: &SchemaRef,
    batches: impl Iterator<Item = Result<RecordBatch>>,
    monitor: &str,
    writer: &str,
) -> Result<Option<Vec<u8>>> {
    let target = target(table, schema);
    let mut out: Option<FactWriter> = None;
    let (mut keys, mut seen, mut rows) = (Keys::default(), HashSet::new(), 0);
    for batch in batches {
        let batch = batch?;
        if batch.num_rows() == 0 {
            continue;
        }
        let owned = owned(&batch, monitor, writer);
        let batch = checked(table, &owned, &target, [("monitor", monitor), ("writer", writer)])?;
        let revisions = required(&batch, "revision")?;
        for (row, key) in keys.of(&batch, table.key())?.into_iter().enumerate() {
            let revision = integers(&revisions).value(row);
            if revision < 1 {
                return Err(Error::Input(format!(
                    "row {} has revision {revision}: they count from 1",
                    rows + row
                )));
            }
            if !seen.insert((key, revision)) {
                let told = told(table, &batch, row)?;
                return Err(Error::Input(format!("row {} is the second of {told}", rows + row)));
            }
        }
        rows += batch.num_rows();
        let writer = match &mut out {
            Some(writer) => writer,
            None => out.insert(FactWriter::try_new(target.clone())?),
        };
        writer.write(&batch)?;
    }
    out.map(FactWriter::finish).transpose()
}

/// Files of neighbouring commits as one; rows that do not count are left out.
///
/// # Errors
/// As of [`super::read`].
pub fn merge(table: Table, inputs: &[Input]) -> Result<Vec<u8>> {
    let files = open(table, inputs)?;
    let rows = all(table, &files)?;
    let mut out = FactWriter::try_new(union(table, &files, None)?)?;
    for (file, rows) in files.iter().zip(&rows) {
        let schema = out.schema.clone();
        each_batch(file, rows, &schema, |batch| out.write(&batch))?;
    }
    out.finish()
}

/// What a row is about, for people.
pub(super) fn told(table: Table, batch: &RecordBatch, row: usize) -> Result<String> {
    let shown = |name: &&str| {
        let array = required(batch, name)?;
        Ok(match type_of(name) {
            DataType::Utf8 => format!("{name} {:?}", strings(&array).value(row)),
            DataType::Int64 => format!("{name} {}", integers(&array).value(row)),
            _ => match times(&array).value_as_datetime(row) {
                Some(time) => format!("{name} {}Z", time.format("%Y-%m-%dT%H:%M:%S%.f")),
                None => format!("{name} {}", times(&array).value(row)),
            },
        })
    };
    let names = table.key().iter().filter(|name| !["monitor", "writer"].contains(name));
    Ok(names.chain(&["revision"]).map(shown).collect::<Result<Vec<_>>>()?.join(", "))
}

/// The identity first; of the rest, strings and bytes in the one type of each that all readers know.
fn target(table: Table, schema: &SchemaRef) -> SchemaRef {
    let identity = table.required().iter().map(|name| Field::new(*name, type_of(name), false));
    let rest = schema.fields().iter().filter(|field| !table.required().contains(&field.name().as_str()));
    let rest = rest.map(|field| Field::new(field.name(), plain(field.data_type()), true));
    let mut metadata = schema.metadata().clone();
    // Of a profile: the rows of one window, which are not those of a table of many.
    metadata.remove("driftline.rows");
    Arc::new(Schema::new_with_metadata(identity.chain(rest).collect::<Vec<_>>(), metadata))
}

fn plain(data_type: &DataType) -> DataType {
    match data_type {
        DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8,
        DataType::LargeBinary | DataType::BinaryView => DataType::Binary,
        DataType::Dictionary(_, values) => plain(values),
        other => other.clone(),
    }
}

/// The batch with the columns that say whose rows they are.
fn owned(batch: &RecordBatch, monitor: &str, writer: &str) -> Vec<(String, ArrayRef)> {
    let fields = batch.schema_ref().fields().iter();
    let mut columns: Vec<_> =
        fields.zip(batch.columns()).map(|(field, array)| (field.name().clone(), array.clone())).collect();
    for (name, value) in [("monitor", monitor), ("writer", writer)] {
        if batch.column_by_name(name).is_none() {
            let array = StringArray::from_iter_values(std::iter::repeat_n(value, batch.num_rows()));
            columns.push((name.to_owned(), Arc::new(array)));
        }
    }
    columns
}

fn checked(
    table: Table,
    columns: &[(String, ArrayRef)],
    target: &SchemaRef,
    owners: [(&str, &str); 2],
) -> Result<RecordBatch> {
    let batch = RecordBatch::try_from_iter(columns.iter().map(|(name, array)| (name, array.clone())))
        .map_err(|e| Error::Input(format!("rows do not fit their columns: {e}")))?;
    let mut arrays = vec![];
    for field in target.fields() {
        let name = field.name().as_str();
        if table.required().contains(&name) {
            arrays.push(required(&batch, name)?);
        } else {
            let array = batch.column_by_name(name);
            let array = array.ok_or_else(|| Error::Input(format!("a batch lacks the column {name:?}")))?;
            arrays.push(
                cast(array, field.data_type()).map_err(|e| Error::Input(format!("column {name:?}: {e}")))?,
            );
        }
    }
    for (name, owner) in owners {
        let array = required(&batch, name)?;
        if let Some(row) = (0..array.len()).find(|&row| strings(&array).value(row) != owner) {
            let other = strings(&array).value(row);
            return Err(Error::Input(format!("row {row} is of {name} {other:?}, not of {owner:?}")));
        }
    }
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(target.clone(), arrays, &options)
        .map_err(|e| Error::Input(format!("rows do not fit their columns: {e}")))
}

/// A Parquet file in the making.
pub(super) struct FactWriter {
    pub schema: SchemaRef,
    writer: ArrowWriter<Vec<u8>>,
}

impl FactWriter {
    pub fn try_new(schema: SchemaRef) -> Result<Self> {
        let mut properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(Default::default()))
            .set_max_row_group_row_count(Some(ROWS_PER_GROUP))
            .set_statistics_enabled(EnabledStatistics::Chunk);
        for field in schema.fields() {
            if matches!(field.data_type(), DataType::Binary) {
                // Images do not repeat, and their minima and maxima tell nothing.
                let path = ColumnPath::from(field.name().as_str());
                properties = properties
                    .set_column_statistics_enabled(path.clone(), EnabledStatistics::None)
                    .set_column_dictionary_enabled(path, false);
            }
        }
        let writer = ArrowWriter::try_new(vec![], schema.clone(), Some(properties.build()));
        Ok(Self { schema, writer: writer.map_err(failed)? })
    }

    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.writer.write(batch).map_err(failed)
    }

    pub fn finish(self) -> Result<Vec<u8>> {
        self.writer.into_inner().map_err(failed)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` gives")]
fn failed(error: ParquetError) -> Error {
    Error::Input(format!("rows cannot be written as Parquet: {error}"))
}
