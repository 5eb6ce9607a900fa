//! What only files that can be read again make possible: bins of a whole reference, and windows counted anew.
use super::builders::Builders;
use super::collected::{Collected, count};
use super::named::Names;
use super::picked::Backlog;
use super::segments::Segments;
use super::settings::Settings;
use super::times::{NO_TIME, instants_us};
use super::watch::{ChosenBy, by_window, collect, names_alone, no_times, projected};
use crate::Result;
use crate::options::Options;
use crate::profile::Profile;
use crate::source::table::{Table, Tables};
use crate::source::{Input, for_each_batch, name_one_of};
use arrow_array::{ArrayRef, RecordBatch};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

pub(super) fn times_of(rows: &RecordBatch, column: &str) -> Result<Vec<i64>> {
    let times: &ArrayRef = rows.column_by_name(column).ok_or_else(|| no_times(column, rows.schema_ref()))?;
    instants_us(times, column)
}

/// Rows whose earliest time is remembered together.
const BLOCK: usize = 1024;

/// When the rows of an input happened. Absurd times, before 1970 or after the latest, do not count.
#[derive(Clone, Debug, Default)]
pub struct Times {
    /// The first and the last, where there are any.
    pub range: Option<(i64, i64)>,
    /// All rows.
    pub rows: u64,
    /// The earliest time of the rows from each block on; `i64::MAX` where they have none.
    least: Vec<i64>,
    pub(super) latest_us: i64,
}

impl Times {
    /// Reads the times of an input, up to `latest_us`.
    ///
    /// # Errors
    /// It cannot be read, or has no such column of times.
    pub fn of(input: &Input, column: &str, latest_us: i64) -> Result<Self> {
        let mut found = Self { latest_us, ..Self::default() };
        for_each_batch(input, &|name| name == column, &mut |batch| {
            for time in times_of(&batch, column)? {
                let block = found.rows as usize / BLOCK;
                found.rows += 1;
                if block == found.least.len() {
                    found.least.push(i64::MAX);
                }
                if !(0..=latest_us).contains(&time) {
                    continue;
                }
                found.least[block] = found.least[block].min(time);
                let (first, last) = found.range.get_or_insert((time, time));
                (*first, *last) = (time.min(*first), time.max(*last));
            }
            Ok(())
        })?;
        let mut least_us = i64::MAX;
        for least in found.least.iter_mut().rev() {
            least_us = least_us.min(*least);
            *least = least_us;
        }
        Ok(found)
    }

    /// No row from this one on is earlier.
    pub(super) fn least_from(&self, row: u64) -> i64 {
        let block = if row < self.rows { self.least.get(row as usize / BLOCK) } else { None };
        block.copied().unwrap_or(i64::MAX)
    }
}

/// The profile of the rows before an instant, from which a monitor takes its bins, that of those by which it chooses values,
/// and which these are; `known` gets all columns there are.
///
/// # Errors
/// An input cannot be read.
pub(super) fn profile_before(
    inputs: &[Input],
    settings: &Settings,
    until_us: i64,
    known: &mut Names,
) -> Result<(Profile, Profile, ChosenBy)> {
    profiles(inputs, settings, known, &|time| time != NO_TIME && time < until_us)
}

/// The same of all rows of a reference, which need no times.
///
/// # Errors
/// An input cannot be read.
pub(super) fn profile_of_reference(
    inputs: &[Input],
    settings: &Settings,
    known: &mut Names,
) -> Result<(Profile, Profile, ChosenBy)> {
    profiles(inputs, settings, known, &|_| true)
}

fn profiles(
    inputs: &[Input],
    settings: &Settings,
    known: &mut Names,
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
    let mut all =
        Builders::new(Options { threads: settings.threads, may_lack_columns: true, ..Options::default() });
    let mut names = Builders::new(Options { threads: settings.threads, ..names_alone() });
    let (mut collected, mut choosing, mut timeless) = (Collected::default(), Collected::default(), 0);
    let mut backlog = Backlog::default();
    let mut add = |table: Table| {
        let times = match table.column_by_name(&settings.time) {
            Some(times) => instants_us(&times?, &settings.time)?,
            None => vec![NO_TIME; table.num_rows()],
        };
        settings.calendar.numbers(&times, &mut numbers);
        let rows = projected(settings, &table);
        let chooses = numbers.iter().zip(&times).map(|(&window, &time)| match time {
            NO_TIME => {
                timeless += 1;
                takes(time) && chosen_by.has_timeless(timeless - 1)
            }
            _ => takes(time) && chosen_by.has(window, settings.bucket(window)),
        });
        choosing.add(rows.that(chooses), &mut names)?;
        choosing.begin(&mut names)?;
        collected.add(rows.that(times.iter().map(|&time| takes(time))), &mut all)?;
        backlog.add(&rows);
        if backlog.is_enough() {
            backlog = Backlog::default();
            count([&mut collected, &mut choosing].into_iter(), &mut all)?;
        }
        Ok(())
    };
    let mut unread = inputs.iter();
    let mut following = unread.next().map(|input| open(input, settings)).transpose()?;
    for input in inputs {
        let tables = following.take();
        // While one is counted the next one is decoded, where it is text.
        following = unread.next().map(|input| open(input, settings)).transpose()?;
        for (i, table) in tables.into_iter().flatten().enumerate() {
            let table = table?;
            if i == 0 {
                known.merge(Names::of(table.schema())?);
            }
            add(table).map_err(|error| name_one_of(error, &input.name, inputs.iter()))?;
        }
    }
    count([&mut collected, &mut choosing].into_iter(), &mut all)?;
    Ok((collected.profile()?, choosing.profile()?, chosen_by))
}

fn open(input: &Input, settings: &Settings) -> Result<Tables> {
    Tables::try_new(input.clone(), vec![settings.time.clone()])
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
    pub(super) builders: Builders,
    pub(super) segments: Segments,
    pub(super) windows: Vec<Range<i64>>,
    pub(super) parts: BTreeMap<i64, BTreeMap<usize, Collected>>,
}

impl Recount {
    /// Adds those rows of an input that lie in the windows: the first ones, so many, and all of before an instant.
    ///
    /// # Errors
    /// The input cannot be read.
    pub fn read(&mut self, input: &Input, rows: u64, before_us: i64) -> Result<()> {
        let (mut numbers, mut done) = (vec![], 0);
        for_each_batch(input, &|_| true, &mut |batch| {
            let times = times_of(&batch, &self.settings.time)?;
            self.settings.calendar.numbers(&times, &mut numbers);
            let batch = projected(&self.settings, &batch.into());
            for (number, &time) in numbers.iter_mut().zip(&times) {
                if time == NO_TIME || (done >= rows && time >= before_us) {
                    *number = i64::MIN;
                }
                done += 1;
            }
            for (window, rows) in by_window(&batch, &numbers) {
                if self.windows.iter().any(|span| span.contains(&window)) {
                    let parts = self.parts.entry(window).or_default();
                    collect(&mut self.segments, parts, &rows, &mut self.builders)?;
                }
            }
            count(self.parts.values_mut().flat_map(BTreeMap::values_mut), &mut self.builders)
        })
    }
}
