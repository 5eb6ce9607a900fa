//! What is left of files when old windows go.
use super::Table;
use super::encode::FactWriter;
use super::file::{FactFile, microseconds, required, times};
use super::read::{Key, Keys, each_batch, open, union};
use crate::source::Input;
use crate::{Error, Result};
use arrow_array::{Array, BooleanArray};
use arrow_schema::DataType;
use std::collections::HashMap;

/// What is left of a file.
#[derive(Debug)]
pub struct Left {
    /// Rows that go.
    pub dropped: usize,
    /// Rows that stay.
    pub kept: usize,
    /// The file anew, where some rows go and some stay.
    pub bytes: Option<Vec<u8>>,
}

/// Drops rows of windows that ended at `before` or earlier, by `window_end`, or where a table has none by
/// `window_start` before that. An alarm goes as a whole, after the last that happened to it.
///
/// # Errors
/// A file is damaged.
pub fn expire(table: Table, inputs: &[Input], before: i64) -> Result<Vec<Left>> {
    let files = open(table, inputs)?;
    let mut keys = Keys::default();
    let mut rows: Vec<Vec<(Key, bool)>> = vec![];
    for file in &files {
        rows.push(current(table, file, &mut keys, before)?);
    }
    if table.alarm().is_some() {
        let mut alive: HashMap<Key, bool> = HashMap::new();
        for &(alarm, kept) in rows.iter().flatten() {
            *alive.entry(alarm).or_default() |= kept;
        }
        rows.iter_mut().flatten().for_each(|(alarm, kept)| *kept = alive[&*alarm]);
    }
    files.iter().zip(rows).map(|(file, rows)| left(table, file, rows)).collect()
}

/// Of each row its alarm, and whether its window is not over.
fn current(table: Table, file: &FactFile, keys: &mut Keys, before: i64) -> Result<Vec<(Key, bool)>> {
    let columns = [table.required(), &["window_end"]].concat();
    let mut rows = vec![];
    file.scan(&columns, None, None, |batch| {
        let starts = required(&batch, "window_start")?;
        let ends = match batch.column_by_name("window_end") {
            Some(ends) if matches!(ends.data_type(), DataType::Timestamp(..)) => Some(microseconds(ends)?),
            Some(other) if !other.data_type().is_null() => {
                return Err(Error::Input(format!(
                    "column \"window_end\" is {}, not a time",
                    other.data_type()
                )));
            }
            _ => None,
        };
        let alarms = keys.of(&batch, table.alarm().unwrap_or_default())?;
        for (row, alarm) in alarms.into_iter().enumerate() {
            let end = ends.as_ref().filter(|ends| ends.is_valid(row)).map(|ends| times(ends).value(row));
            let kept = end.map_or(times(&starts).value(row) >= before, |end| end > before);
            rows.push((alarm, kept));
        }
        Ok(())
    })?;
    Ok(rows)
}

fn left(table: Table, file: &FactFile, rows: Vec<(Key, bool)>) -> Result<Left> {
    let mask = BooleanArray::from_iter(rows.into_iter().map(|(_, kept)| Some(kept)));
    let kept = mask.true_count();
    let dropped = mask.len() - kept;
    if kept == 0 || dropped == 0 {
        return Ok(Left { dropped, kept, bytes: None });
    }
    let mut out = FactWriter::try_new(union(table, std::slice::from_ref(file), None)?, 1)?;
    let schema = out.schema.clone();
    each_batch(file, &mask, &schema, |batch| out.write(&batch))?;
    Ok(Left { dropped, kept, bytes: Some(out.finish()?) })
}
