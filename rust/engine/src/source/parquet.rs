//! Parquet: a task is one column of some row groups, so that a column's bytes, its dictionary and its
//! sketches stay in one thread's cache, and memory does not grow with the file.
use super::read::ReadAt;
use super::{Input, name_input};
use crate::guard::decoding;
use crate::options::Options;
use crate::profile::builder::{ColumnBuilder, Scratch};
use crate::profile::flatten::{Leaf, flatten};
use crate::profile::{Kind, Skipped};
use crate::{Error, Result};
use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::basic::Encoding;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};
use std::io::Read;
use std::ops::Range;
use std::sync::{Arc, Mutex};

/// Row groups are taken together until they hold this many rows: sketches are at their fastest on long runs.
const ROWS_PER_TASK: i64 = 1 << 20;
/// A table of very many columns is cut into about this many tasks: a task costs time of its own.
const COLUMN_GROUPS: usize = 64;
/// Rows of a column decoded at once: they fit the second-level cache.
pub(super) const BATCH_ROWS: usize = 8192;
/// Rows of all columns decoded at once, and values, of which a reader has some batches in memory.
const ROWS_READ: usize = 32_768;
const VALUES_READ: usize = 1 << 21;
/// Fewer rows at once would take longer, however many columns they have.
const FEWEST_ROWS_READ: usize = 1024;

/// Some columns of some row groups.
pub(super) struct Part {
    file: Arc<OpenFile>,
    row_groups: Range<usize>,
    leaves: Vec<Leaf>,
    first_of_rows: bool,
}

pub(super) struct OpenFile {
    pub name: String,
    pub data: Arc<dyn ReadAt>,
    /// Top-level strings as views: fastest where values rarely repeat.
    pub views: ArrowReaderMetadata,
    /// Top-level strings as dictionaries: fastest where all pages are dictionary-encoded.
    dictionaries: ArrowReaderMetadata,
}

/// What a footer says there is to do.
pub(super) struct Planned {
    /// Names of the file's columns.
    pub columns: Vec<String>,
    /// Names of the flat columns that are profiled, in order.
    pub order: Vec<String>,
    /// Columns that are not profiled.
    pub skipped: Vec<Skipped>,
    /// The parts, row groups first.
    pub parts: Vec<Part>,
}

/// Reads the footer.
pub(super) fn plan(input: &Input, options: &Options) -> Result<Planned> {
    decoding(|| plan_open(input, options)).map_err(|error| name_input(error, &input.name))
}

/// Reads the footer.
pub(super) fn open(input: &Input) -> Result<OpenFile> {
    let data = input.open()?;
    if data.size_bytes() == 0 {
        return Err(Error::Input("is empty: a Parquet file ends with a footer".into()));
    }
    let reader = Windowed::new(data.clone());
    let plain = ArrowReaderMetadata::load(&reader, ArrowReaderOptions::new()).map_err(decode_error)?;
    let views = restrung(&plain, &DataType::Utf8View, &DataType::BinaryView);
    let dictionary = |values: DataType| DataType::Dictionary(Box::new(DataType::Int32), Box::new(values));
    let dictionaries = restrung(&plain, &dictionary(DataType::Utf8), &dictionary(DataType::Binary));
    Ok(OpenFile { name: input.name.clone(), data, views, dictionaries })
}

fn plan_open(input: &Input, options: &Options) -> Result<Planned> {
    let file = Arc::new(open(input)?);
    let schema = file.views.schema();
    let (leaves, skipped) = flatten(schema, options)?;
    let order = leaves.iter().map(|leaf| leaf.name.clone()).collect();
    let columns = schema.fields().iter().map(|field| field.name().clone()).collect();

    let mut roots: Vec<Vec<Leaf>> = vec![];
    for leaf in leaves {
        match roots.last_mut() {
            Some(last) if last[0].root == leaf.root => last.push(leaf),
            _ => roots.push(vec![leaf]),
        }
    }
    let together = roots.len().div_ceil(COLUMN_GROUPS).max(1);
    let mut parts = vec![];
    for row_groups in row_group_runs(&file) {
        for (i, columns) in roots.chunks(together).enumerate() {
            let leaves = columns.concat();
            parts.push(Part {
                file: file.clone(),
                row_groups: row_groups.clone(),
                leaves,
                first_of_rows: i == 0,
            });
        }
        if roots.is_empty() {
            parts.push(Part { file: file.clone(), row_groups, leaves: vec![], first_of_rows: true });
        }
    }
    Ok(Planned { columns, order, skipped, parts })
}

fn row_group_runs(file: &OpenFile) -> Vec<Range<usize>> {
    let groups = file.views.metadata().row_groups();
    let mut runs = vec![];
    let (mut start, mut rows) = (0, 0);
    for (i, group) in groups.iter().enumerate() {
        rows += group.num_rows();
        if rows >= ROWS_PER_TASK || i + 1 == groups.len() {
            runs.push(start..i + 1);
            (start, rows) = (i + 1, 0);
        }
    }
    // A file without rows still has columns.
    if runs.is_empty() {
        runs.push(0..0);
    }
    runs
}

/// The rows of an input, row group by row group, with the top-level columns that are asked for.
pub(super) fn batches(
    input: &Input,
    wanted: &dyn Fn(&str) -> bool,
) -> Result<impl Iterator<Item = Result<RecordBatch>>> {
    let file = open(input)?;
    let roots: Vec<usize> = file
        .views
        .schema()
        .fields()
        .iter()
        .enumerate()
        .filter(|(_, field)| wanted(field.name()))
        .map(|(root, _)| root)
        .collect();
    let groups = 0..file.views.metadata().num_row_groups();
    let rows_read = (VALUES_READ / roots.len().max(1)).clamp(FEWEST_ROWS_READ, ROWS_READ);
    let read = move |group: usize| -> Result<Box<dyn Iterator<Item = Result<RecordBatch>>>> {
        let metadata = mixed(&file, group);
        let mask = ProjectionMask::roots(metadata.parquet_schema(), roots.iter().copied());
        let data = Windowed::new(file.data.clone());
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(data, metadata)
            .with_projection(mask)
            .with_row_groups(vec![group])
            .with_batch_size(rows_read)
            .build()
            .map_err(decode_error)?;
        Ok(Box::new(reader.map(|batch| batch.map_err(|e| decode_error(ParquetError::from(e))))))
    };
    Ok(groups.flat_map(move |group| match read(group) {
        Ok(batches) => batches,
        Err(error) => Box::new(std::iter::once(Err(error))),
    }))
}

/// Decodes a column of a row group, from a row on.
pub(super) fn reader_of(
    file: &OpenFile,
    root: usize,
    row_group: usize,
    row: usize,
    data: Windowed,
) -> Result<ParquetRecordBatchReader> {
    // A dictionary belongs to one row group, and each decides for itself how it is best read.
    let metadata = if all_dictionary(file, root, row_group) { &file.dictionaries } else { &file.views };
    let mask = ProjectionMask::roots(metadata.parquet_schema(), [root]);
    let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(data, metadata.clone())
        .with_projection(mask)
        .with_row_groups(vec![row_group])
        .with_batch_size(BATCH_ROWS);
    // Without one, whole pages need not be counted.
    let builder = if row > 0 { builder.with_offset(row) } else { builder };
    builder.build().map_err(|e| named(e, file, root))
}

/// Where the bytes of a column of a row group end.
pub(super) fn end_of(file: &OpenFile, root: usize, row_group: usize) -> u64 {
    let (schema, group) = (file.views.parquet_schema(), file.views.metadata().row_group(row_group));
    let of_root = (0..schema.num_columns()).filter(|&leaf| schema.get_column_root_idx(leaf) == root);
    // Lengths of a damaged file may be anything.
    let end = |leaf: usize| {
        let chunk = group.column(leaf);
        let first = chunk.dictionary_page_offset().unwrap_or(i64::MAX).min(chunk.data_page_offset());
        u64::try_from(first).unwrap_or(0).saturating_add(u64::try_from(chunk.compressed_size()).unwrap_or(0))
    };
    of_root.map(end).max().unwrap_or(u64::MAX)
}

/// An error of decoding, with its column.
pub(super) fn named(error: ParquetError, file: &OpenFile, root: usize) -> Error {
    match decode_error(error) {
        Error::Input(message) => {
            let column = file.views.schema().field(root).name();
            Error::Input(format!("{}: column {column:?}: {message}", file.name))
        }
        other => other,
    }
}

/// A row group's strings each read as it is fastest.
fn mixed(file: &OpenFile, row_group: usize) -> ArrowReaderMetadata {
    let options = ArrowReaderOptions::new().with_schema(mixed_schema(file, row_group));
    ArrowReaderMetadata::try_new(file.views.metadata().clone(), options)
        .unwrap_or_else(|_| file.views.clone())
}

pub(super) fn mixed_schema(file: &OpenFile, row_group: usize) -> SchemaRef {
    let fields = file.views.schema().fields().iter().zip(file.dictionaries.schema().fields()).enumerate();
    let fields =
        fields.map(
            |(root, (view, dictionary))| {
                if all_dictionary(file, root, row_group) { dictionary.clone() } else { view.clone() }
            },
        );
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// The same file with other types for its top-level strings and bytes.
fn restrung(plain: &ArrowReaderMetadata, strings: &DataType, bytes: &DataType) -> ArrowReaderMetadata {
    let retype = |data_type: &DataType| match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Some(strings.clone()),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => Some(bytes.clone()),
        DataType::Dictionary(_, values) => match values.as_ref() {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Some(strings.clone()),
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView => Some(bytes.clone()),
            _ => None,
        },
        _ => None,
    };
    let fields = plain.schema().fields().iter().map(|field| match retype(field.data_type()) {
        Some(data_type) => Arc::new(Field::new(field.name(), data_type, field.is_nullable())),
        None => field.clone(),
    });
    let schema: SchemaRef = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let options = ArrowReaderOptions::new().with_schema(schema);
    // Where the file's own types cannot be read another way, they are read as they are.
    ArrowReaderMetadata::try_new(plain.metadata().clone(), options).unwrap_or_else(|_| plain.clone())
}

impl Part {
    /// Decodes and profiles the part.
    pub(super) fn profile(self, options: &Options) -> Result<super::Part> {
        let partition = self.row_groups.start as u64;
        let metadata = self.file.views.metadata().clone();
        let rows = metadata.row_groups()[self.row_groups.clone()].iter().map(|g| g.num_rows() as u64).sum();
        let mut scratch = Scratch::default();
        let mut columns = vec![];
        let mut leaves = self.leaves.into_iter().peekable();
        while let Some(leaf) = leaves.next() {
            let root = leaf.root;
            let mut group = vec![ColumnBuilder::try_new(leaf, options, partition)?];
            while let Some(leaf) = leaves.next_if(|leaf| leaf.root == root) {
                group.push(ColumnBuilder::try_new(leaf, options, partition)?);
            }
            if !self.row_groups.is_empty() {
                read_root(&self.file, root, &self.row_groups, &mut group, &mut scratch)?;
            }
            for builder in group {
                columns.push(builder.finish()?);
            }
        }
        Ok(super::Part { columns, rows: if self.first_of_rows { rows } else { 0 } })
    }
}

fn read_root(
    file: &OpenFile,
    root: usize,
    row_groups: &Range<usize>,
    builders: &mut [ColumnBuilder],
    scratch: &mut Scratch,
) -> Result<()> {
    for row_group in row_groups.clone() {
        let data = Windowed::up_to(file.data.clone(), end_of(file, root, row_group));
        let reader = reader_of(file, root, row_group, 0, data)?;
        for batch in reader {
            let batch = batch.map_err(|e| named(ParquetError::from(e), file, root))?;
            for builder in builders.iter_mut() {
                builder.update(batch.column(0), scratch)?;
            }
        }
    }
    Ok(())
}

/// Whether every data page of a string column is dictionary-encoded.
fn all_dictionary(file: &OpenFile, root: usize, row_group: usize) -> bool {
    let field = file.dictionaries.schema().field(root);
    if Kind::of(field.data_type()) != Some(Kind::Category) {
        return false;
    }
    let schema = file.views.parquet_schema();
    let mut leaves = (0..schema.num_columns()).filter(|&leaf| schema.get_column_root_idx(leaf) == root);
    let Some(leaf) = leaves.next() else { return false };
    let chunk = file.views.metadata().row_group(row_group).column(leaf);
    chunk.page_encoding_stats_mask().is_some_and(|mask| {
        mask.is_only(Encoding::RLE_DICTIONARY) || mask.is_only(Encoding::PLAIN_DICTIONARY)
    })
}

pub(crate) fn decode_error(error: ParquetError) -> Error {
    let text = match error {
        ParquetError::External(cause) => match cause.downcast::<Error>() {
            Ok(ours) => return *ours,
            Err(other) => other.to_string(),
        },
        ParquetError::General(text) | ParquetError::EOF(text) | ParquetError::NYI(text) => text,
        other => other.to_string(),
    };
    Error::Input(format!("is not a readable Parquet file, or only part of one: {text}"))
}

/// Reads ahead in windows, so that decoding page by page does not ask for page by page.
#[derive(Clone)]
pub(crate) struct Windowed {
    data: Arc<dyn ReadAt>,
    /// Where what is asked for ends: nothing is read ahead beyond.
    end: u64,
    window: Arc<Mutex<Window>>,
}

#[derive(Default)]
struct Window {
    start: u64,
    bytes: Bytes,
}

impl Windowed {
    pub(crate) fn new(data: Arc<dyn ReadAt>) -> Self {
        Self { end: data.size_bytes(), data, window: Arc::default() }
    }

    /// Of bytes up to one.
    pub(super) fn up_to(data: Arc<dyn ReadAt>, end: u64) -> Self {
        Self { end: end.min(data.size_bytes()), data, window: Arc::default() }
    }

    /// Gives back what was read ahead.
    pub(super) fn forget(&self) {
        if let Ok(mut window) = self.window.lock() {
            *window = Window::default();
        }
    }

    /// The bytes from `start` on that are at hand, at least `length` of them.
    fn at_least(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let size = self.data.size_bytes();
        if start.checked_add(length as u64).is_none_or(|end| end > size) {
            return Err(ParquetError::EOF(format!("it ends at byte {size}, before byte {start} + {length}")));
        }
        let Ok(mut window) = self.window.lock() else {
            return Err(ParquetError::General("a thread failed while reading".into()));
        };
        let covered =
            start >= window.start && start + length as u64 <= window.start + window.bytes.len() as u64;
        if !covered {
            let ahead = self.data.read_ahead_bytes() as u64;
            // The footer is read from its end.
            let tail = start + length as u64 == size && (length as u64) < ahead;
            let from = if tail { size.saturating_sub(64 * 1024).min(start) } else { start };
            let needed = start + length as u64;
            let until = if tail { size } else { (start + ahead).min(self.end).max(needed) };
            let bytes = self.data.read_at(from, (until - from) as usize);
            *window = Window { start: from, bytes: bytes.map_err(|e| ParquetError::External(Box::new(e)))? };
        }
        Ok(window.bytes.slice((start - window.start) as usize..))
    }
}

impl Length for Windowed {
    fn len(&self) -> u64 {
        self.data.size_bytes()
    }
}

impl ChunkReader for Windowed {
    type T = PageHeaderReader;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        // A page header is small, but its statistics may hold long strings.
        let length = (self.data.size_bytes().saturating_sub(start)).min(16 * 1024) as usize;
        let piece = self.at_least(start, length)?;
        Ok(PageHeaderReader { data: self.data.clone(), position: start + piece.len() as u64, piece })
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        Ok(self.at_least(start, length)?.slice(..length))
    }
}

/// Reads on from a place in the file.
pub(crate) struct PageHeaderReader {
    data: Arc<dyn ReadAt>,
    position: u64,
    piece: Bytes,
}

impl Read for PageHeaderReader {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        if self.piece.is_empty() {
            let left = self.data.size_bytes().saturating_sub(self.position).min(64 * 1024) as usize;
            if left == 0 {
                return Ok(0);
            }
            self.piece = self.data.read_at(self.position, left).map_err(std::io::Error::other)?;
            self.position += left as u64;
        }
        let n = out.len().min(self.piece.len());
        out[..n].copy_from_slice(&self.piece.split_to(n));
        Ok(n)
    }
}
