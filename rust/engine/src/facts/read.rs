//! Many files as one table.
use super::file::{Between, FactFile, integers, required, strings, times};
use super::{Facts, MOST_KEYS, Table, type_of};
use crate::source::Input;
use crate::{Error, Result};
use arrow_array::{Array, ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions, new_null_array};
use arrow_cast::cast;
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Which rows are wanted; all of them by default.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Names of monitored columns.
    pub columns: Option<HashSet<String>>,
    /// Names of segments.
    pub segments: Option<HashSet<String>>,
    /// Windows that begin at this time or later, in microseconds.
    pub since: Option<i64>,
    /// Windows that begin before this time.
    pub until: Option<i64>,
    /// Rows of this revision or a later one.
    pub revision: Option<i64>,
    /// Columns of the table beside the identity; all by default.
    pub select: Option<Vec<String>>,
}

impl Filter {
    fn between(&self) -> Between {
        Between { since: self.since, until: self.until }
    }
}

/// The rows of all files that count.
///
/// # Errors
/// A file is damaged or no file of this table, or a column has types that do not go together.
pub fn read(table: Table, inputs: &[Input], filter: &Filter) -> Result<Facts> {
    let files = open(table, inputs)?;
    let rows = Counting::of(table, &files, filter)?;
    let schema = union(table, &files, filter.select.as_deref())?;
    let mut batches = vec![];
    for (file, rows) in files.iter().zip(&rows) {
        each_batch(file, rows, &schema, |batch| {
            batches.push(batch);
            Ok(())
        })?;
    }
    Ok(Facts { schema, batches })
}

pub(super) fn open(table: Table, inputs: &[Input]) -> Result<Vec<FactFile>> {
    inputs.iter().map(|input| FactFile::open(input, table)).collect()
}

/// A key in numbers: strings are numbered as they are met.
pub(super) type Key = [u64; MOST_KEYS];

/// Numbers for strings.
#[derive(Default)]
pub(super) struct Keys(HashMap<String, u64>);

impl Keys {
    pub fn number(&mut self, text: &str) -> u64 {
        if let Some(&number) = self.0.get(text) {
            return number;
        }
        let number = self.0.len() as u64;
        self.0.insert(text.to_owned(), number);
        number
    }

    /// The keys of a batch's rows.
    pub fn of(&mut self, batch: &RecordBatch, names: &[&str]) -> Result<Vec<Key>> {
        let mut keys = vec![[0; MOST_KEYS]; batch.num_rows()];
        for (part, name) in names.iter().enumerate() {
            let array = required(batch, name)?;
            for (row, key) in keys.iter_mut().enumerate() {
                key[part] = match type_of(name) {
                    DataType::Utf8 => self.number(strings(&array).value(row)),
                    DataType::Int64 => integers(&array).value(row).cast_unsigned(),
                    _ => times(&array).value(row).cast_unsigned(),
                };
            }
        }
        Ok(keys)
    }
}

/// Finds, of every identity, the row that counts.
struct Counting {
    file: usize,
    row: usize,
    revision: i64,
    window_start: i64,
}

impl Counting {
    /// A mask for each file.
    fn of(table: Table, files: &[FactFile], filter: &Filter) -> Result<Vec<BooleanArray>> {
        let mut keys = Keys::default();
        let mut counting: HashMap<Key, Self> = HashMap::new();
        let mut rows = vec![0; files.len()];
        // A later revision of an event may be of another window; a window's rows are all of that window.
        let prunable = table.key().contains(&"window_start");
        for (i, file) in files.iter().enumerate() {
            for group in 0..file.row_groups() {
                if prunable && !file.may_hold(group, filter.between()) {
                    rows[i] += file.rows_of(group);
                    continue;
                }
                file.scan(table.required(), Some(group), None, |batch| {
                    let first = rows[i];
                    rows[i] += batch.num_rows();
                    let found = keys.of(&batch, table.key())?;
                    let revisions = required(&batch, "revision")?;
                    let starts = required(&batch, "window_start")?;
                    let wanted = wanted(&batch, filter)?;
                    for (row, key) in found.into_iter().enumerate().filter(|(row, _)| wanted[*row]) {
                        let revision = integers(&revisions).value(row);
                        if filter.revision.is_some_and(|least| revision < least) {
                            continue;
                        }
                        let window_start = times(&starts).value(row);
                        let here = Self { file: i, row: first + row, revision, window_start };
                        counting
                            .entry(key)
                            .and_modify(|there| {
                                if revision >= there.revision {
                                    *there = Self { ..here };
                                }
                            })
                            .or_insert(here);
                    }
                    Ok(())
                })?;
            }
        }
        let mut masks: Vec<Vec<bool>> = rows.into_iter().map(|rows| vec![false; rows]).collect();
        for row in counting.into_values().filter(|row| filter.between().holds(row.window_start)) {
            masks[row.file][row.row] = true;
        }
        Ok(masks.into_iter().map(BooleanArray::from).collect())
    }
}

fn wanted(batch: &RecordBatch, filter: &Filter) -> Result<Vec<bool>> {
    let mut wanted = vec![true; batch.num_rows()];
    for (name, names) in [("column", &filter.columns), ("segment", &filter.segments)] {
        let Some(names) = names else { continue };
        let array = required(batch, name)?;
        for (row, wanted) in wanted.iter_mut().enumerate() {
            *wanted &= names.contains(strings(&array).value(row));
        }
    }
    Ok(wanted)
}

/// The rows that count of all files, without a filter.
pub(super) fn all(table: Table, files: &[FactFile]) -> Result<Vec<BooleanArray>> {
    Counting::of(table, files, &Filter::default())
}

/// The columns of all files by name, the identity first.
pub(super) fn union(table: Table, files: &[FactFile], select: Option<&[String]>) -> Result<SchemaRef> {
    let mut fields: Vec<Field> =
        table.required().iter().map(|name| Field::new(*name, type_of(name), false)).collect();
    let mut positions: HashMap<String, usize> =
        fields.iter().enumerate().map(|(i, field)| (field.name().clone(), i)).collect();
    let mut metadata = HashMap::new();
    for file in files {
        metadata.extend(file.schema().metadata().clone());
        for field in file.schema().fields() {
            match positions.get(field.name()) {
                // The types of the identity are known.
                Some(&i) if i < table.required().len() => {}
                Some(&i) => {
                    let together = common(fields[i].data_type(), field.data_type()).ok_or_else(|| {
                        let (name, there, here) = (field.name(), fields[i].data_type(), field.data_type());
                        Error::Input(format!(
                            "{}: column {name:?} is {here}, in files before it {there}: they cannot be read as one",
                            file.name
                        ))
                    })?;
                    fields[i] = Field::new(field.name(), together, true);
                }
                None => {
                    positions.insert(field.name().clone(), fields.len());
                    fields.push(Field::new(field.name(), field.data_type().clone(), true));
                }
            }
        }
    }
    if let Some(select) = select {
        if let Some(unknown) = select.iter().find(|name| !files.is_empty() && !positions.contains_key(*name))
        {
            let there: Vec<&str> = fields.iter().map(|field| field.name().as_str()).collect();
            return Err(Error::Argument(format!("select has {unknown:?}: columns are {}", there.join(", "))));
        }
        let mut i = 0;
        fields.retain(|field| {
            i += 1;
            i <= table.required().len() || select.contains(field.name())
        });
    }
    Ok(Arc::new(Schema::new_with_metadata(fields, metadata)))
}

/// A type that holds the values of both.
fn common(a: &DataType, b: &DataType) -> Option<DataType> {
    if a == b || b.is_null() {
        return Some(a.clone());
    }
    if a.is_null() {
        return Some(b.clone());
    }
    match (a, b) {
        (DataType::Timestamp(x, zone), DataType::Timestamp(y, other))
            if zone.is_some() == other.is_some() =>
        {
            Some(DataType::Timestamp(*x.max(y), zone.clone()))
        }
        _ if a.is_integer() && b.is_integer() => Some(DataType::Int64),
        _ if a.is_numeric() && b.is_numeric() => Some(DataType::Float64),
        _ => None,
    }
}

/// The selected rows of a file, with the columns of a schema.
pub(super) fn each_batch(
    file: &FactFile,
    rows: &BooleanArray,
    schema: &SchemaRef,
    mut each: impl FnMut(RecordBatch) -> Result<()>,
) -> Result<()> {
    if rows.true_count() == 0 {
        return Ok(());
    }
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    let selected = (rows.true_count() < rows.len()).then_some(rows);
    file.scan(&names, None, selected, |batch| each(fitted(&batch, schema)?))
}

/// A batch with the columns of a schema, in its types.
pub(super) fn fitted(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let column = |field: &Field| -> Result<ArrayRef> {
        let Some(array) = batch.column_by_name(field.name()) else {
            return Ok(new_null_array(field.data_type(), batch.num_rows()));
        };
        if array.data_type() == field.data_type() {
            return Ok(array.clone());
        }
        cast(array, field.data_type()).map_err(|e| Error::Input(format!("column {:?}: {e}", field.name())))
    };
    let columns = schema.fields().iter().map(|field| column(field)).collect::<Result<Vec<_>>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(schema.clone(), columns, &options)
        .map_err(|e| Error::Input(format!("rows do not fit their columns: {e}")))
}
