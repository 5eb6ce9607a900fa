//! What only files that can be read again make possible: bins of a whole reference, and windows counted anew.
use super::collected::Collected;
use super::segments::Segments;
use super::settings::Settings;
use super::times::{NO_TIME, instants_us};
use super::watch::{by_window, collect, projected};
use crate::options::Options;
use crate::profile::Profile;
use crate::source::{Input, for_each_batch};
use crate::{Error, Result};
use arrow_array::{ArrayRef, BooleanArray, RecordBatch};
use arrow_select::filter::filter_record_batch;
use std::collections::{BTreeMap, BTreeSet};

fn times_of(rows: &RecordBatch, column: &str) -> Result<Vec<i64>> {
    let times: &ArrayRef = rows
        .column_by_name(column)
        .ok_or_else(|| Error::Input(format!("no column {column:?}, which is the time")))?;
    instants_us(times, column)
}

/// The first and the last time of an input, where it has any, and its rows. Absurd times, before 1970 or after
/// `latest_us`, do not count.
///
/// # Errors
/// It cannot be read, or has no such column of times.
pub fn time_range(input: &Input, column: &str, latest_us: i64) -> Result<(Option<(i64, i64)>, u64)> {
    let (mut range, mut rows) = (None, 0);
    for_each_batch(input, &|name| name == column, &mut |batch| {
        rows += batch.num_rows() as u64;
        for time in times_of(&batch, column)?.into_iter().filter(|time| (0..=latest_us).contains(time)) {
            let (first, last): &mut (i64, i64) = range.get_or_insert((time, time));
            (*first, *last) = (time.min(*first), time.max(*last));
        }
        Ok(())
    })?;
    Ok((range, rows))
}

/// The profile of the rows before an instant, from which a monitor takes its bins.
///
/// # Errors
/// An input cannot be read.
pub fn profile_before(inputs: &[Input], settings: &Settings, until_us: i64) -> Result<Profile> {
    let options = Options { threads: settings.threads, may_lack_columns: true, ..Options::default() };
    let mut collected = Collected::default();
    for input in inputs {
        for_each_batch(input, &|_| true, &mut |batch| {
            let times = times_of(&batch, &settings.time)?;
            let is_before = |&time: &i64| time != NO_TIME && time < until_us;
            let batch = projected(settings, &batch)?;
            if times.iter().all(is_before) {
                return collected.update(&batch, &options);
            }
            let before = BooleanArray::from_iter(times.iter().map(|time| Some(is_before(time))));
            let batch = filter_record_batch(&batch, &before).map_err(|e| Error::Input(e.to_string()))?;
            collected.update(&batch, &options)
        })?;
    }
    collected.profile()
}

/// Counts some windows anew, with the bins and segments of a monitor and without any effect on it.
pub struct Recount {
    pub(super) settings: Settings,
    pub(super) options: Options,
    pub(super) segments: Segments,
    pub(super) windows: BTreeSet<i64>,
    pub(super) parts: BTreeMap<i64, BTreeMap<usize, Collected>>,
}

impl Recount {
    /// Adds those rows of an input that lie in the windows.
    ///
    /// # Errors
    /// The input cannot be read.
    pub fn read(&mut self, input: &Input) -> Result<()> {
        let mut numbers = vec![];
        for_each_batch(input, &|_| true, &mut |batch| {
            let times = times_of(&batch, &self.settings.time)?;
            self.settings.calendar.numbers(&times, &mut numbers);
            let batch = projected(&self.settings, &batch)?;
            numbers
                .iter_mut()
                .zip(&times)
                .filter(|(_, time)| **time == NO_TIME)
                .for_each(|(n, _)| *n = i64::MIN);
            for (window, rows) in by_window(&batch, &numbers)? {
                if self.windows.contains(&window) {
                    let parts = self.parts.entry(window).or_default();
                    collect(&mut self.segments, parts, &rows, &self.options)?;
                }
            }
            Ok(())
        })
    }
}
