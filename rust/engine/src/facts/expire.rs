//! What is left of files when old windows go.
use super::Table;
use super::encode::FactWriter;
use super::file::{FactFile, integers, microseconds, required, times};
use super::read::{Key, Keys, each_batch, open, union};
use crate::source::Input;
use crate::whole_file::Pieces;
use crate::{Error, Result};
use arrow_array::cast::AsArray;
use arrow_array::{Array, BooleanArray};
use arrow_cast::cast;
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
    pub bytes: Option<Pieces>,
}

/// Drops rows of windows that ended at `before` or earlier, by `window_end`, or where a table has none by
/// `window_start` before that. An alarm goes as a whole, after the last that happened to it, and stays for as long as the
/// last of its events does not say that it is closed.
///
/// # Errors
/// A file is damaged.
pub fn expire(table: Table, inputs: &[Input], before: i64) -> Result<Vec<Left>> {
    let files = open(table, inputs)?;
    let mut keys = Keys::default();
    let mut alarms = HashMap::new();
    let mut rows: Vec<Vec<(Key, bool)>> = vec![];
    for file in &files {
        rows.push(current(table, file, &mut keys, before, &mut alarms)?);
    }
    if table.alarm().is_some() {
        rows.iter_mut().flatten().for_each(|(alarm, kept)| *kept = alarms[&*alarm].stays());
    }
    files.iter().zip(rows).map(|(file, rows)| left(table, file, rows)).collect()
}

/// What is known of an alarm by its events.
#[derive(Default)]
struct Lifetime {
    /// Whether the window of any event is not over.
    is_current: bool,
    /// The number of the last event.
    last: i64,
    is_open: bool,
}

impl Lifetime {
    fn stays(&self) -> bool {
        self.is_current || self.is_open
    }
}

/// Of each row its alarm, and whether its window is not over. Alarms are told what happened to them.
fn current(
    table: Table,
    file: &FactFile,
    keys: &mut Keys,
    before: i64,
    alarms_seen: &mut HashMap<Key, Lifetime>,
) -> Result<Vec<(Key, bool)>> {
    let columns = [table.required(), &["window_end", "happened"]].concat();
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
        let events = table.alarm().map(|_| required(&batch, "event")).transpose()?;
        // A writer of alarms that never says what happened has none that are open.
        let happened = batch.column_by_name("happened").map(|texts| cast(texts, &DataType::Utf8)).transpose();
        let happened = happened.map_err(|e| Error::Input(format!("column \"happened\" is no text: {e}")))?;
        for (row, alarm) in alarms.into_iter().enumerate() {
            let end = ends.as_ref().filter(|ends| ends.is_valid(row)).map(|ends| times(ends).value(row));
            let kept = end.map_or(times(&starts).value(row) >= before, |end| end > before);
            if let Some(events) = &events {
                let seen = alarms_seen.entry(alarm).or_default();
                seen.is_current |= kept;
                let number = integers(events).value(row);
                if number >= seen.last {
                    seen.last = number;
                    let texts = happened.as_ref().map(|texts| texts.as_string::<i32>());
                    seen.is_open =
                        texts.is_some_and(|texts| texts.is_valid(row) && texts.value(row) != "closed");
                }
            }
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
