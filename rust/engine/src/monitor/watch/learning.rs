//! The reference: which bins columns are watched by, from which rows values are chosen that are watched by name, and when
//! there are rows enough to compare others with.
use super::rows::{MOST_EMPTY, by_window, collect, projected};
use super::{Monitor, Waiting};
use crate::monitor::archive::{profile_before, profile_of_reference};
use crate::monitor::baseline::WINDOWS_TO_CALIBRATE;
use crate::monitor::builders::Builders;
use crate::monitor::collected::{Collected, count};
use crate::monitor::named::Names;
use crate::monitor::picked::Picked;
use crate::monitor::segments::WHOLE;
use crate::monitor::settings::{Settings, Span};
use crate::monitor::times::{NO_TIME, instants_us};
use crate::monitor::watched::{CHOOSES, Watched, row_chooses};
use crate::options::{Collect, Options};
use crate::profile::Profile;
use crate::source::table::Tables;
use crate::source::{Input, name_input};
use crate::threads;
use crate::{Error, Result};
use arrow_array::RecordBatch;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Bins are taken from so many rows, where no reference is handed over that they could be taken from.
const ROWS_FOR_BINS: usize = 4096;
/// Where time goes on without rows, from so many at least.
const FEWEST_ROWS_FOR_BINS: usize = 1000;
/// Among rows without a time, which have the number before it, those that choose the values that are watched by name.
const TIMELESS_CHOOSING: i64 = i64::MIN + 1;
/// By which rows of the reference the values were chosen that are watched by name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::monitor) enum ChosenBy {
    /// By any.
    All,
    /// By windows before one, of each bucket, and some of those without a time.
    Windows(Vec<i64>),
}

impl ChosenBy {
    /// The first windows of each bucket, one in [`CHOOSES`], where it has at least two; all windows where no bucket has.
    pub fn first_of(windows: impl Iterator<Item = i64>, settings: &Settings) -> Self {
        let mut of_bucket = vec![vec![]; settings.buckets()];
        windows.for_each(|window| of_bucket[settings.bucket(window)].push(window));
        let until = |windows: &Vec<i64>| match windows.len() {
            0 | 1 => i64::MIN,
            many => windows[many.div_ceil(CHOOSES as usize) - 1] + 1,
        };
        let until: Vec<_> = of_bucket.iter().map(until).collect();
        if until.iter().any(|&until| until > i64::MIN) {
            return Self::Windows(until);
        }
        let end = of_bucket.iter().flatten().max().map_or(i64::MIN, |last| last + 1);
        Self::Windows(vec![end; of_bucket.len()])
    }

    pub fn has(&self, window: i64, bucket: usize) -> bool {
        match self {
            Self::All => true,
            Self::Windows(until) => until.get(bucket).is_some_and(|&until| window < until),
        }
    }

    /// Those of some rows by which values are chosen; rows without a window have the largest number.
    fn of_rows(&self, rows: &Picked, windows: &[i64], settings: &Settings) -> Picked {
        let has = |&window: &i64| window != i64::MAX && self.has(window, settings.bucket(window));
        rows.that(windows.iter().map(has))
    }

    /// Whether a row without a time is one of them, by its number.
    pub fn has_timeless(&self, number: u64) -> bool {
        *self == Self::All || row_chooses(number)
    }
}

impl Monitor {
    /// Takes bins from a profile, and names of values from that of some of its rows.
    pub(super) fn bin(&mut self, reference: &Profile, choosing: Option<&Profile>) -> Result<()> {
        let watched = Watched::all(reference, choosing, |column| self.settings.watches(column))?;
        if watched.is_empty() {
            return Err(nothing_to_watch());
        }
        self.state.known = reference.columns().iter().map(|column| column.name.clone()).collect();
        self.state.watched = watched;
        self.rebuild_options()
    }

    /// Takes bins from the rows of files before an instant, which are to come.
    ///
    /// # Errors
    /// A file cannot be read, or there are bins already.
    pub fn bin_before(&mut self, inputs: &[Input], until_us: i64) -> Result<()> {
        if self.builders.is_some() || !self.waiting.is_empty() {
            return Err(Error::Argument("the monitor has seen rows already".into()));
        }
        let mut known = Names::default();
        let (profile, choosing, chosen_by) = profile_before(inputs, &self.settings, until_us, &mut known)?;
        known.check(&self.settings.named)?;
        self.names_are_known = true;
        if profile.rows() == 0 {
            return Err(Error::Input(
                "no row lies in the reference: it has no times, or they are all later".into(),
            ));
        }
        self.state.chosen_by = chosen_by;
        self.bin(&profile, Some(&choosing))
    }

    /// Takes bins from the files of a reference, whose rows are handed to [`learn`](Self::learn) next, in the same order.
    ///
    /// # Errors
    /// As of [`bin_before`](Self::bin_before).
    pub fn bin_reference(&mut self, inputs: &[Input]) -> Result<()> {
        let mut known = Names::default();
        let (profile, choosing, chosen_by) = profile_of_reference(inputs, &self.settings, &mut known)?;
        // Nothing is compared with what names a row or a version: the rows alone must have it.
        let named = &self.settings.named;
        known.check(named.iter().filter(|(_, column)| self.settings.watches(column)))?;
        self.names_are_known = named.iter().all(|(_, column)| known.has(column));
        self.state.chosen_by = chosen_by;
        self.bin(&profile, Some(&choosing))
    }

    /// Looks for the columns that settings name and a reference lacks, which any of the first files may have.
    pub(in crate::monitor) fn find_names<'a>(
        &mut self,
        mut inputs: impl Iterator<Item = &'a Input>,
    ) -> Result<()> {
        if self.state.counts.rows > 0 || self.names_are_known {
            return Ok(());
        }
        let named = &self.settings.named;
        let mut known = Names::default();
        known.extend(self.state.known.iter().cloned());
        while !named.iter().all(|(_, column)| known.has(column)) {
            let Some(input) = inputs.next() else { return known.check(named) };
            if let Some(table) = Tables::try_new(input.clone(), vec![])?.next() {
                let names = Names::of(table?.schema());
                known.merge(names.map_err(|error| name_input(error, &input.name))?);
            }
        }
        self.names_are_known = true;
        Ok(())
    }

    pub(in crate::monitor) fn rebuild_options(&mut self) -> Result<()> {
        if self.state.watched.is_empty() {
            return Ok(());
        }
        let reference = Watched::reference(&self.state.watched)?;
        self.builders = Some(Builders::new(Options {
            k: self.settings.k,
            reference: Some(Arc::new(reference)),
            threads: self.settings.threads,
            may_lack_columns: true,
            ..Options::default()
        }));
        Ok(())
    }

    /// Adds rows of the reference that are no windows of this monitor's own: the same columns at another time, or without
    /// times.
    ///
    /// # Errors
    /// There are no bins yet, or the rows do not fit them.
    pub fn learn(&mut self, rows: &RecordBatch) -> Result<()> {
        let mut builders = Builders::new(self.light_options()?);
        if let Some(own) = &mut self.builders {
            // Those that work need not begin anew for each batch.
            std::mem::swap(&mut own.crew, &mut builders.crew);
        }
        let times = match rows.column_by_name(&self.settings.time) {
            Some(times) => instants_us(times, &self.settings.time)?,
            None => vec![NO_TIME; rows.num_rows()],
        };
        let mut windows = vec![];
        self.settings.calendar.numbers(&times, &mut windows);
        for (window, _) in windows.iter_mut().zip(&times).filter(|(_, time)| **time == NO_TIME) {
            let chooses = self.state.chosen_by.has_timeless(self.state.timeless);
            *window = if chooses { TIMELESS_CHOOSING } else { i64::MIN };
            self.state.timeless += 1;
        }
        let rows = projected(&self.settings, &rows.clone().into());
        for (window, part) in by_window(&rows, &windows) {
            let parts = self.open.entry(window).or_default();
            collect(&mut self.state.segments, parts, &part, &mut builders)?;
        }
        count(self.open.values_mut().flat_map(BTreeMap::values_mut), &mut builders)?;
        if let Some(own) = &mut self.builders {
            std::mem::swap(&mut own.crew, &mut builders.crew);
        }
        Ok(())
    }

    /// Ends the reference that was handed over by [`learn`](Self::learn).
    ///
    /// # Errors
    /// A column cannot be read.
    pub fn end_learning(&mut self) -> Result<()> {
        let learnt = std::mem::take(&mut self.open);
        // Rows without a time are in none, and say nothing of how many a window has.
        let windows: Vec<i64> = learnt.keys().copied().filter(|window| *window > TIMELESS_CHOOSING).collect();
        for pair in windows.windows(2) {
            // Windows without rows are of the reference too; of a long gap each season has been seen.
            for window in (pair[0] + 1..pair[1]).take(MOST_EMPTY as usize) {
                self.state.volume.add(self.settings.bucket(window), 0);
            }
        }
        for (window, parts) in learnt {
            let is_window = window > TIMELESS_CHOOSING;
            let is_end = windows.first() == Some(&window) || windows.last() == Some(&window);
            let bucket = if is_window { self.settings.bucket(window) } else { 0 };
            let chose = if is_window {
                self.state.chosen_by.has(window, bucket)
            } else {
                window == TIMELESS_CHOOSING
            };
            for (segment, rows) in parts {
                let profile = rows.profile()?;
                if segment == WHOLE && is_end {
                    self.state.volume.add_end(bucket, profile.rows());
                } else if segment == WHOLE && is_window {
                    self.state.volume.add(bucket, profile.rows());
                }
                self.grow(segment);
                for (watched, series) in self.state.watched.iter().zip(&mut self.state.series[segment]) {
                    let column = profile.column(&watched.name);
                    let Some(cells) = watched.counts(column, profile.rows())? else { continue };
                    if is_window {
                        series.learn().add_window(watched, &cells, bucket, chose)?;
                    } else {
                        series.learn().add_rows(watched, &cells, chose);
                    }
                }
            }
        }
        self.start_watching()
    }

    /// Takes a profile for the reference, whose shares may be estimates.
    ///
    /// # Errors
    /// There are no bins yet.
    pub fn learn_profile(&mut self, profile: &Profile) -> Result<()> {
        self.light_options()?;
        self.grow(WHOLE);
        for (watched, series) in self.state.watched.iter().zip(&mut self.state.series[WHOLE]) {
            let column = profile.column(&watched.name);
            if let Some(estimated) = column.and_then(|column| watched.estimated_counts(column)) {
                series.learn().add_profile(watched, &estimated);
            }
        }
        self.start_watching()
    }

    fn light_options(&self) -> Result<Options> {
        let options = self.options().cloned();
        let options =
            options.ok_or_else(|| Error::Argument("a reference is given before any other rows".into()))?;
        Ok(Options { collect: Collect::COUNTS, ..options })
    }

    /// How rows are profiled from which bins are taken.
    pub(super) fn first_options(&self) -> Options {
        Options { threads: self.settings.threads, may_lack_columns: true, ..Options::default() }
    }

    /// How many of the first rows the bins are taken from; `None` where there are too few yet.
    ///
    /// They are enough once there are many, or time goes on without any, or the time of the reference is over.
    fn rows_for_bins(&self) -> Option<usize> {
        let calendar = &self.settings.calendar;
        let mut until = None;
        let mut is_over = |time: i64| {
            let window = calendar.number(time);
            let until = *until.get_or_insert_with(|| self.reference_until(window).unwrap_or(i64::MAX));
            window >= until
        };
        let mut seen = 0;
        for waiting in &self.waiting {
            match waiting {
                Waiting::Rows(_, times) => {
                    let over = |&time: &i64| time != NO_TIME && is_over(time);
                    let many = times.iter().position(over);
                    seen += many.unwrap_or(times.len());
                    if seen >= ROWS_FOR_BINS {
                        return Some(ROWS_FOR_BINS);
                    }
                    if many.is_some() && seen > 0 {
                        return Some(seen);
                    }
                }
                Waiting::Advance(to_us) => {
                    if seen >= FEWEST_ROWS_FOR_BINS || (seen > 0 && is_over(*to_us)) {
                        return Some(seen);
                    }
                }
            }
        }
        None
    }

    /// The first window that is not of the reference, where the first of all is this.
    pub(super) fn reference_until(&self, first: i64) -> Option<i64> {
        match self.settings.reference {
            Span::Given => None,
            Span::First(windows) | Span::Trailing(windows) => Some(first.saturating_add_unsigned(windows)),
            // At least one window, however short the span.
            Span::Until(end_us) => Some(self.settings.calendar.number(end_us).max(first + 1)),
        }
    }

    /// Takes bins from the first rows, once they are enough, then lets everything that waited come.
    pub(super) fn bin_waiting(&mut self) -> Result<()> {
        let Some(rows_for_bins) = self.rows_for_bins() else { return Ok(()) };
        let mut left = rows_for_bins;
        let mut first = Collected::default();
        let mut builders = Builders::new(self.first_options());
        for waiting in &self.waiting {
            if let Waiting::Rows(rows, _) = waiting {
                let rows = rows.slice(0, rows.num_rows().min(left));
                left -= rows.num_rows();
                first.update(rows, &mut builders)?;
            }
        }
        let choosing = self.choosing(rows_for_bins)?;
        self.bin(&first.profile()?, choosing.as_ref())?;
        for waiting in std::mem::take(&mut self.waiting) {
            match waiting {
                Waiting::Rows(rows, times) => self.place_all(&Picked::all(rows), &times)?,
                Waiting::Advance(to_us) => self.pass(to_us)?,
            }
        }
        self.settle()
    }

    /// Chooses the windows by which values are chosen that are watched by name, among those that have rows by now: the
    /// profile of these, where there is to be a reference.
    fn choosing(&mut self, mut left: usize) -> Result<Option<Profile>> {
        let calendar = &self.settings.calendar;
        let (mut first, mut last) = (None, i64::MIN);
        let mut parts = vec![];
        for waiting in &self.waiting {
            let Waiting::Rows(rows, times) = waiting else { continue };
            let rows = rows.slice(0, rows.num_rows().min(left));
            let mut windows = vec![];
            calendar.numbers(&times[..rows.num_rows()], &mut windows);
            for (window, _) in windows.iter_mut().zip(times).filter(|(_, time)| **time == NO_TIME) {
                *window = i64::MAX;
            }
            let timed = windows.iter().copied().filter(|&window| window != i64::MAX);
            first = first.or(timed.clone().next());
            last = timed.fold(last, i64::max);
            left -= rows.num_rows();
            parts.push((Picked::all(rows), windows));
        }
        let reference = first.and_then(|first| Some(first..self.reference_until(first)?));
        let Some(reference) = reference else { return Ok(None) };
        let mut chosen_by = ChosenBy::first_of(reference, &self.settings);
        // By those of later rows nothing was chosen.
        if let ChosenBy::Windows(until) = &mut chosen_by {
            until.iter_mut().for_each(|until| *until = (*until).min(last + 1));
        }
        let mut builders = Builders::new(Options { threads: self.settings.threads, ..names_alone() });
        let mut choosing = Collected::default();
        for (rows, windows) in &parts {
            choosing.add(chosen_by.of_rows(rows, windows, &self.settings), &mut builders)?;
        }
        count(std::iter::once(&mut choosing), &mut builders)?;
        self.state.chosen_by = chosen_by;
        choosing.profile().map(Some)
    }

    /// Bounds of the reference are taken, and windows are watched from now on.
    pub(super) fn start_watching(&mut self) -> Result<()> {
        if !self.state.is_learning {
            return Ok(());
        }
        self.grow(WHOLE);
        let budget = self.budget();
        let watched = &self.state.watched;
        let mut pairs: Vec<_> =
            self.state.series.iter_mut().flat_map(|series| watched.iter().zip(series)).collect();
        let done = threads::map_mut(self.settings.threads, &mut pairs, |(watched, series)| {
            series.watch(watched, &budget)
        });
        done.into_iter().collect::<Result<Vec<()>>>()?;
        self.state.is_learning = false;
        self.state.windows_to_learn = self.windows_to_learn();
        Ok(())
    }

    /// As many windows as the reference has; where it has none, as many as show how windows vary.
    fn windows_to_learn(&self) -> i64 {
        let state = &self.state;
        if let (Some(first), Some(until)) = (state.first, state.reference_until) {
            return until - first;
        }
        let windows = state.series[WHOLE].iter().map(|series| series.baseline().dispersion().windows());
        windows.max().filter(|&windows| windows > 0).unwrap_or(WINDOWS_TO_CALIBRATE) as i64
    }
}

pub(super) fn nothing_to_watch() -> Error {
    Error::Input("no column is left to watch: name some in columns.features".into())
}

/// What is collected of rows by which values are chosen.
pub(in crate::monitor) fn names_alone() -> Options {
    let collect = Collect { top: true, ..Collect::COUNTS };
    Options { collect, may_lack_columns: true, ..Options::default() }
}
