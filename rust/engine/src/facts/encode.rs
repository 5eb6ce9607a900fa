//! Rows into a file.
use super::file::{integers, required, strings, times};
use super::read::{Keys, all, each_batch, open, union};
use super::{Table, type_of};
use crate::source::Input;
use crate::threads::Crew;
use crate::whole_file::Pieces;
use crate::{Error, Result};
use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, StringArray};
use arrow_cast::cast;
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::{ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::ColumnPath;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

/// Few enough that a stretch of time is few row groups, enough to compress well.
const ROWS_PER_GROUP: usize = 16_384;

/// Texts by which readers look for rows.
const SEARCHED: [&str; 4] = ["segment", "column", "alarm", "window"];

/// The rows of one commit as the bytes of a Parquet file; `None` where there are none. Columns `monitor` and
/// `writer` are added where they are not there. `threads` encode them, all cores where it is 0.
///
/// # Errors
/// A row has no identity, that of another monitor or writer, or that of another row.
pub fn encode(
    table: Table,
    schema: &SchemaRef,
    batches: impl Iterator<Item = Result<RecordBatch>>,
    monitor: &str,
    writer: &str,
    threads: usize,
) -> Result<Option<Pieces>> {
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
            None => out.insert(FactWriter::try_new(target.clone(), threads)?),
        };
        writer.write(&batch)?;
    }
    out.map(FactWriter::finish).transpose()
}

/// Files of neighbouring commits as one; rows that do not count are left out.
///
/// # Errors
/// As of [`super::read`].
pub fn merge(table: Table, inputs: &[Input], threads: usize) -> Result<Pieces> {
    let files = open(table, inputs)?;
    let rows = all(table, &files)?;
    let mut out = FactWriter::try_new(union(table, &files, None)?, threads)?;
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

/// A Parquet file in the making. Its columns are encoded side by side: two of them, the images of quantiles and of distinct
/// values, are most of the work.
pub(super) struct FactWriter {
    pub schema: SchemaRef,
    crew: SharedCrew,
    file: SerializedFileWriter<Pieces>,
    groups: ArrowRowGroupWriterFactory,
    /// The columns of the row group under construction, and its rows.
    group: Option<(Vec<ArrowColumnWriter>, usize)>,
}

/// Threads that go from one file to the next: a monitor writes several a second, and to begin and end threads takes as long
/// as a few thousand rows.
struct SharedCrew {
    threads: usize,
    crew: Crew<()>,
}

/// Those that no file is made by at the moment, with how many they are.
static SPARE: Mutex<Option<SharedCrew>> = Mutex::new(None);

impl SharedCrew {
    fn of(threads: usize) -> Self {
        let spare = SPARE.lock().unwrap_or_else(PoisonError::into_inner).take();
        spare
            .filter(|spare| spare.threads == threads)
            .unwrap_or_else(|| Self { threads, crew: Crew::new(threads) })
    }

    fn put_back(self) {
        *SPARE.lock().unwrap_or_else(PoisonError::into_inner) = Some(self);
    }
}

impl FactWriter {
    /// A file of so many threads' work; all cores where `threads` is 0.
    pub fn try_new(schema: SchemaRef, threads: usize) -> Result<Self> {
        // Level 3, the default, takes 4 % less room and half as much time again.
        let mut properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(1).map_err(failed)?))
            .set_statistics_enabled(EnabledStatistics::Chunk);
        for field in schema.fields() {
            if matches!(field.data_type(), DataType::Float64) {
                // Measures seldom repeat: a dictionary of them is built, found too large and thrown away.
                properties =
                    properties.set_column_dictionary_enabled(ColumnPath::from(field.name().as_str()), false);
            }
            if matches!(field.data_type(), DataType::Utf8) && !SEARCHED.contains(&field.name().as_str()) {
                // Nobody leaves out row groups by them, and each value would be compared with the least and the greatest.
                properties = properties.set_column_statistics_enabled(
                    ColumnPath::from(field.name().as_str()),
                    EnabledStatistics::None,
                );
            }
            if matches!(field.data_type(), DataType::Binary) {
                // Images do not repeat, and their minima and maxima tell nothing. Those of distinct values are half a byte
                // a register, dense as they are; zstd takes a tenth less room for the others than Snappy does, and twice
                // the time.
                let path = ColumnPath::from(field.name().as_str());
                let is_dense = field.name() == "distinct";
                let compression = if is_dense { Compression::UNCOMPRESSED } else { Compression::SNAPPY };
                properties = properties
                    .set_column_compression(path.clone(), compression)
                    .set_column_statistics_enabled(path.clone(), EnabledStatistics::None)
                    .set_column_dictionary_enabled(path, false);
            }
        }
        let writer = ArrowWriter::try_new(Pieces::default(), schema.clone(), Some(properties.build()));
        let (file, groups) = writer.and_then(ArrowWriter::into_serialized_writer).map_err(failed)?;
        Ok(Self { schema, crew: SharedCrew::of(threads), file, groups, group: None })
    }

    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let mut from = 0;
        while from < batch.num_rows() {
            let (mut columns, rows) = match self.group.take() {
                Some(group) => group,
                None => {
                    let group = self.file.flushed_row_groups().len();
                    (self.groups.create_column_writers(group).map_err(failed)?, 0)
                }
            };
            let many = (batch.num_rows() - from).min(ROWS_PER_GROUP - rows);
            let part = batch.slice(from, many);
            let mut leaves = Vec::with_capacity(columns.len());
            for (field, array) in self.schema.fields().iter().zip(part.columns()) {
                leaves.extend(compute_leaves(field, array).map_err(failed)?);
            }
            let work: Vec<_> = columns.iter_mut().zip(&leaves).collect();
            self.crew
                .crew
                .hand_out(work.len(), work, |(), (column, leaf)| column.write(leaf).map_err(failed))?;
            self.group = Some((columns, rows + many));
            if rows + many == ROWS_PER_GROUP {
                self.end_group()?;
            }
            from += many;
        }
        Ok(())
    }

    fn end_group(&mut self) -> Result<()> {
        let Some((columns, _)) = self.group.take() else { return Ok(()) };
        let mut chunks = vec![];
        chunks.resize_with(columns.len(), || None);
        // The last page of each column is compressed now.
        let work: Vec<_> = columns.into_iter().zip(&mut chunks).collect();
        self.crew.crew.hand_out(work.len(), work, |(), (column, chunk)| {
            *chunk = Some(column.close().map_err(failed)?);
            Ok(())
        })?;
        let mut group = self.file.next_row_group().map_err(failed)?;
        for chunk in chunks.into_iter().flatten() {
            chunk.append_to_row_group(&mut group).map_err(failed)?;
        }
        group.close().map(drop).map_err(failed)
    }

    pub fn finish(mut self) -> Result<Pieces> {
        self.end_group()?;
        self.crew.put_back();
        self.file.into_inner().map_err(failed)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` gives")]
fn failed(error: ParquetError) -> Error {
    Error::Input(format!("rows cannot be written as Parquet: {error}"))
}
