//! Damage in files.
use super::Table;
use super::encode::told;
use super::file::{FactFile, integers, required, strings};
use super::read::{Key, Keys, fitted, open, union};
use crate::source::Input;
use crate::{Error, Result};
use arrow_array::{Array, BooleanArray, RecordBatch};
use arrow_select::concat::concat_batches;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What a file holds.
#[derive(Debug)]
pub struct Examined {
    /// Its rows.
    pub rows: usize,
    /// Monitor and writer of its rows.
    pub owners: BTreeSet<(String, String)>,
}

/// Reads all of a file.
///
/// # Errors
/// It is damaged, or a row has no identity.
pub fn examine(table: Table, input: &Input) -> Result<Examined> {
    let file = FactFile::open(input, table)?;
    let schema = file.schema().clone();
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    let mut examined = Examined { rows: 0, owners: BTreeSet::new() };
    file.scan(&names, None, None, |batch| {
        examined.rows += batch.num_rows();
        for name in table.required() {
            required(&batch, name)?;
        }
        let revisions = required(&batch, "revision")?;
        if let Some(wrong) = integers(&revisions).values().iter().find(|&&revision| revision < 1) {
            return Err(Error::Input(format!("has revision {wrong}: they count from 1")));
        }
        let (monitors, writers) = (required(&batch, "monitor")?, required(&batch, "writer")?);
        for (monitor, writer) in strings(&monitors).iter().zip(strings(&writers)) {
            let owner = monitor.unwrap_or_default().to_owned();
            examined.owners.insert((owner, writer.unwrap_or_default().to_owned()));
        }
        Ok(())
    })?;
    let promised: usize = (0..file.row_groups()).map(|group| file.rows_of(group)).sum();
    if promised != examined.rows {
        return Err(Error::Input(format!("{}: has {} of {promised} rows", file.name, examined.rows)));
    }
    Ok(examined)
}

/// Two files that say different things of the same identity and revision.
#[derive(Debug)]
pub struct Disagreement {
    /// Their positions among the files.
    pub files: (usize, usize),
    /// The first of these rows.
    pub first: String,
    /// How many rows.
    pub rows: usize,
    /// Columns that differ.
    pub columns: BTreeSet<String>,
}

/// Finds rows of different files that have the same identity and revision, and other values.
///
/// # Errors
/// A file is damaged.
pub fn disagreements(table: Table, inputs: &[Input]) -> Result<Vec<Disagreement>> {
    let files = open(table, inputs)?;
    let mut keys = Keys::default();
    let mut seen: HashMap<(Key, i64), (usize, usize)> = HashMap::new();
    let mut twice: BTreeMap<(usize, usize), Vec<(usize, usize)>> = BTreeMap::new();
    for (i, file) in files.iter().enumerate() {
        let mut first = 0;
        file.scan(table.required(), None, None, |batch| {
            let revisions = required(&batch, "revision")?;
            for (row, key) in keys.of(&batch, table.key())?.into_iter().enumerate() {
                let here = (i, first + row);
                let there = *seen.entry((key, integers(&revisions).value(row))).or_insert(here);
                if there != here {
                    twice.entry((there.0, i)).or_default().push((there.1, here.1));
                }
            }
            first += batch.num_rows();
            Ok(())
        })?;
    }
    let mut found = vec![];
    for ((a, b), rows) in twice {
        let schema = union(table, &files, None)?;
        let left = Picked::of(&files[a], rows.iter().map(|pair| pair.0), &schema)?;
        let right = Picked::of(&files[b], rows.iter().map(|pair| pair.1), &schema)?;
        let (mut columns, mut first, mut count) = (BTreeSet::new(), None, 0);
        for (x, y) in rows {
            let (x, y) = (left.positions[&x], right.positions[&y]);
            let differing = schema.fields().iter().enumerate().filter(|(i, _)| {
                left.rows.column(*i).slice(x, 1).as_ref() != right.rows.column(*i).slice(y, 1).as_ref()
            });
            let differing: Vec<String> = differing.map(|(_, field)| field.name().clone()).collect();
            if !differing.is_empty() {
                columns.extend(differing);
                count += 1;
                if first.is_none() {
                    first = Some(told(table, &left.rows, x)?);
                }
            }
        }
        if let Some(first) = first {
            found.push(Disagreement { files: (a, b), first, rows: count, columns });
        }
    }
    Ok(found)
}

/// Some rows of a file.
struct Picked {
    rows: RecordBatch,
    positions: HashMap<usize, usize>,
}

impl Picked {
    fn of(
        file: &FactFile,
        rows: impl Iterator<Item = usize>,
        schema: &arrow_schema::SchemaRef,
    ) -> Result<Self> {
        let wanted: BTreeSet<usize> = rows.collect();
        let total = (0..file.row_groups()).map(|group| file.rows_of(group)).sum();
        let mask = BooleanArray::from_iter((0..total).map(|row| Some(wanted.contains(&row))));
        let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        let mut batches = vec![];
        file.scan(&names, None, Some(&mask), |batch| {
            batches.push(fitted(&batch, schema)?);
            Ok(())
        })?;
        let rows =
            concat_batches(schema, &batches).map_err(|e| Error::Input(format!("{}: {e}", file.name)))?;
        Ok(Self { rows, positions: wanted.into_iter().enumerate().map(|(i, row)| (row, i)).collect() })
    }
}
