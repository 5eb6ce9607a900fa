//! What only files that can be read again make possible: bins of a whole reference, and windows counted anew.
use super::collected::Collected;
use super::segments::Segments;
use super::settings::Settings;
use super::times::{NO_TIME, instants_us};
use super::watch::{ChosenBy, by_window, collect, names_alone, projected, rows_that};
use crate::options::Options;
use crate::profile::Profile;
use crate::source::{Input, for_each_batch};
use crate::{Error, Result};
use arrow_array::{ArrayRef, RecordBatch};
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

/// The profile of the rows before an instant, from which a monitor takes its bins, that of those by which it chooses values,
/// and which these are.
///
/// # Errors
/// An input cannot be read.
pub(super) fn profile_before(
    inputs: &[Input],
    settings: &Settings,
    until_us: i64,
) -> Result<(Profile, Profile, ChosenBy)> {
    profiles(inputs, settings, &|time| time != NO_TIME && time < until_us)
}

/// The same of all rows of a reference, which need no times.
///
/// # Errors
/// An input cannot be read.
pub(super) fn profile_of_reference(
    inputs: &[Input],
    settings: &Settings,
) -> Result<(Profile, Profile, ChosenBy)> {
    profiles(inputs, settings, &|_| true)
}

fn profiles(
    inputs: &[Input],
    settings: &Settings,
    takes: &dyn Fn(i64) -> bool,
) -> Result<(Profile, Profile, ChosenBy)> {
    let mut windows = BTreeSet::new();
    let mut numbers = vec![];
    for input in inputs {
        for_each_batch(input, &|name| name == settings.time, &mut |batch| {
            let times = times_there(&batch, &settings.time)?;
            settings.calendar.numbers(&times, &mut numbers);
            let taken = numbers.iter().zip(&times).filter(|&(_, &time)| time != NO_TIME && takes(time));
            windows.extend(taken.map(|(&window, _)| window));
            Ok(())
        })?;
    }
    let chosen_by = ChosenBy::first_of(windows.into_iter(), settings);
    let options = Options { threads: settings.threads, may_lack_columns: true, ..Options::default() };
    let names = Options { threads: settings.threads, ..names_alone() };
    let (mut collected, mut choosing, mut timeless) = (Collected::default(), Collected::default(), 0);
    for input in inputs {
        for_each_batch(input, &|_| true, &mut |batch| {
            let times = times_there(&batch, &settings.time)?;
            settings.calendar.numbers(&times, &mut numbers);
            let batch = projected(settings, &batch)?;
            let chooses = numbers.iter().zip(&times).map(|(&window, &time)| match time {
                NO_TIME => {
                    timeless += 1;
                    takes(time) && chosen_by.has_timeless(timeless - 1)
                }
                _ => takes(time) && chosen_by.has(window, settings.bucket(window)),
            });
            choosing.update(&rows_that(&batch, chooses)?, &names)?;
            collected.update(&rows_that(&batch, times.iter().map(|&time| takes(time)))?, &options)
        })?;
    }
    Ok((collected.profile()?, choosing.profile()?, chosen_by))
}

/// The times of rows that may have none.
fn times_there(rows: &RecordBatch, column: &str) -> Result<Vec<i64>> {
    match rows.column_by_name(column) {
        Some(times) => instants_us(times, column),
        None => Ok(vec![NO_TIME; rows.num_rows()]),
    }
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
