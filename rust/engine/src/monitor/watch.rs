//! The monitor: rows in, windows and alarms out.
use super::alarm::{Detector, Event, Happened};
use super::archive::{Recount, profile_before, profile_of_reference};
use super::baseline::WINDOWS_TO_CALIBRATE;
use super::collected::Collected;
use super::named::Names;
use super::rules::{self, Broken, Volume};
use super::segments::{Segments, WHOLE};
use super::series::{Budget, Judged, Seen, Series};
use super::settings::{Settings, Span};
use super::tables::{self, Closed, Late, Output, Profiles, Standing, Watcheds};
use super::times::{NO_TIME, instants_us};
use super::watched::{CHOOSES, Watched, row_chooses};
use crate::options::{Collect, Options};
use crate::profile::{Profile, ProfileBuilder};
use crate::source::Input;
use crate::threads;
use crate::{Error, Result};
use arrow_array::{BooleanArray, RecordBatch, UInt32Array};
use arrow_schema::SchemaRef;
use arrow_select::filter::filter_record_batch;
use arrow_select::take::take_record_batch;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

/// Bins are taken from so many rows, where no reference is handed over that they could be taken from.
const ROWS_FOR_BINS: usize = 4096;
/// Where time goes on without rows, from so many at least.
const FEWEST_ROWS_FOR_BINS: usize = 1000;
/// Rows that are checked before the first of them are counted: a few MB a column.
const ROWS_CHECKED: usize = 262_144;
/// Rows further ahead of the clock have a wrong time.
const MOST_AHEAD_US: i64 = 86_400_000_000;
/// Among rows without a time, which have the number before it, those that choose the values that are watched by name.
const TIMELESS_CHOOSING: i64 = i64::MIN + 1;
/// Windows of a gap that are looked at one by one.
const MOST_EMPTY: i64 = 10_000;

/// Collects rows into windows, and watches each column of each segment over time.
pub struct Monitor {
    pub(super) settings: Settings,
    pub(super) state: State,
    /// Rows and ends of time that wait for bins.
    pub(super) waiting: Vec<Waiting>,
    /// Windows that are open, by segment.
    pub(super) open: BTreeMap<i64, BTreeMap<usize, Collected>>,
    /// Rows of closed windows that came since a window closed last.
    pub(super) late: BTreeMap<i64, BTreeMap<usize, Collected>>,
    /// How windows are profiled, once there are bins.
    options: Option<Options>,
    /// The earliest time of rows that are known to come: windows from there on do not close before.
    hold_us: Option<i64>,
    /// The latest that the clock said.
    clock_us: i64,
    /// Profiles of columns that windows may take while they wait for such rows.
    most_held: usize,
    /// The columns of rows that were checked last.
    checked: Option<SchemaRef>,
    /// Whether the columns that the settings name were found.
    names_are_known: bool,
    is_broken: bool,
    output: Output,
}

/// What came before there were bins.
pub(super) enum Waiting {
    /// Rows, and their times, which were checked when they came.
    Rows(RecordBatch, Vec<i64>),
    Advance(i64),
}

/// What a monitor knows between windows, open ones aside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    pub segments: Segments,
    /// How columns are watched; empty before there are bins.
    pub watched: Vec<Watched>,
    /// All columns of the reference.
    known: BTreeSet<String>,
    /// By segment, then by column.
    series: Vec<Vec<Series>>,
    volume: Volume,
    /// Whether values that are watched by name were chosen by rows of the reference, and by which.
    chosen_by: ChosenBy,
    /// Rows without a time that were learnt.
    timeless: u64,
    is_learning: bool,
    /// The first window of all, and the first that is not of the reference.
    first: Option<i64>,
    reference_until: Option<i64>,
    /// Windows of the reference of a segment that comes up after it.
    windows_to_learn: i64,
    /// The first window that is not closed.
    closed_until: Option<i64>,
    watermark_us: i64,
    /// The latest time of any row.
    newest_us: i64,
    alarms: u64,
    /// The alarm of each series, open or the last, by segment and column.
    numbers: BTreeMap<(usize, usize), u64>,
    broken: BTreeMap<Broken, BrokenAlarm>,
    pub counts: RowCounts,
}

/// By which rows of the reference the values were chosen that are watched by name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum ChosenBy {
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

    /// Adds those of some rows by which values are chosen; rows without a window have the largest number.
    pub fn collect(
        &self,
        choosing: &mut Collected,
        rows: &RecordBatch,
        windows: &[i64],
        settings: &Settings,
        options: &Options,
    ) -> Result<()> {
        let has = |&window: &i64| window != i64::MAX && self.has(window, settings.bucket(window));
        choosing.update(&rows_that(rows, windows.iter().map(has))?, options)
    }

    /// Whether a row without a time is one of them, by its number.
    pub fn has_timeless(&self, number: u64) -> bool {
        *self == Self::All || row_chooses(number)
    }
}

/// Rows by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowCounts {
    /// All rows.
    pub rows: u64,
    /// Rows that came after their window had closed.
    pub late: u64,
    /// Rows without a time that could be read.
    pub without_time: u64,
    /// Rows of the future, or from before 1970.
    pub absurd: u64,
}

/// The open alarm of a rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct BrokenAlarm {
    number: u64,
    since: i64,
}

impl Monitor {
    /// A monitor that has seen nothing.
    ///
    /// `reference` tells how columns are watched: it is a profile of the rows that the reference will be, or of some of
    /// them. Without it the first rows tell.
    ///
    /// # Errors
    /// A setting is out of range.
    pub fn try_new(settings: Settings, reference: Option<&Profile>) -> Result<Self> {
        settings.check()?;
        let segments = Segments::new(settings.segments.clone(), settings.segment_limit);
        let state = State {
            segments,
            watched: vec![],
            known: BTreeSet::new(),
            series: vec![],
            volume: Volume::default(),
            chosen_by: ChosenBy::All,
            timeless: 0,
            is_learning: true,
            first: None,
            reference_until: None,
            windows_to_learn: 0,
            closed_until: None,
            watermark_us: i64::MIN,
            newest_us: i64::MIN,
            alarms: 0,
            numbers: BTreeMap::new(),
            broken: BTreeMap::new(),
            counts: RowCounts::default(),
        };
        let mut new = Self::of(settings, state);
        if let Some(reference) = reference {
            new.bin(reference, None)?;
        }
        Ok(new)
    }

    pub(super) fn of(settings: Settings, state: State) -> Self {
        let output = Output::new(&settings);
        Self {
            settings,
            state,
            waiting: vec![],
            open: BTreeMap::new(),
            late: BTreeMap::new(),
            options: None,
            hold_us: None,
            clock_us: i64::MIN,
            most_held: usize::MAX,
            checked: None,
            names_are_known: false,
            is_broken: false,
            output,
        }
    }

    /// Takes bins from a profile, and names of values from that of some of its rows.
    fn bin(&mut self, reference: &Profile, choosing: Option<&Profile>) -> Result<()> {
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
        if self.options.is_some() || !self.waiting.is_empty() {
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
        known.check(&self.settings.named)?;
        self.names_are_known = true;
        self.state.chosen_by = chosen_by;
        self.bin(&profile, Some(&choosing))
    }

    pub(super) fn rebuild_options(&mut self) -> Result<()> {
        if self.state.watched.is_empty() {
            return Ok(());
        }
        let reference = Watched::reference(&self.state.watched)?;
        self.options = Some(Options {
            k: self.settings.k,
            reference: Some(Arc::new(reference)),
            threads: self.settings.threads,
            may_lack_columns: true,
            ..Options::default()
        });
        Ok(())
    }

    /// Adds rows of the reference that are no windows of this monitor's own: the same columns at another time, or without
    /// times.
    ///
    /// # Errors
    /// There are no bins yet, or the rows do not fit them.
    pub fn learn(&mut self, rows: &RecordBatch) -> Result<()> {
        let options = self.light_options()?;
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
        let rows = projected(&self.settings, rows)?;
        for (window, part) in by_window(&rows, &windows)? {
            let parts = self.open.entry(window).or_default();
            collect(&mut self.state.segments, parts, &part, &options)?;
        }
        Ok(())
    }

    /// Ends the reference that was handed over by [`learn`](Self::learn).
    ///
    /// # Errors
    /// A column cannot be read.
    pub fn end_learning(&mut self) -> Result<()> {
        let learnt = std::mem::take(&mut self.open);
        let windows: Vec<i64> =
            learnt.keys().copied().filter(|window| *window != TIMELESS_CHOOSING).collect();
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
        let options = self.options.clone();
        let options =
            options.ok_or_else(|| Error::Argument("a reference is given before any other rows".into()))?;
        Ok(Options { collect: Collect::COUNTS, ..options })
    }

    /// Adds rows; `now_us` is what the clock says.
    ///
    /// # Errors
    /// There is no column of that name for the time or the segments, or a column cannot be read. Nothing is added then.
    pub fn update(&mut self, rows: &RecordBatch, now_us: i64) -> Result<()> {
        self.update_all(&mut std::iter::once(Ok(rows.clone())), now_us).map(drop)
    }

    /// Adds batches, all or none of them; from when to when they are, where they have any time.
    ///
    /// What [`take`](Self::take) hands over must be taken before.
    ///
    /// # Errors
    /// As of [`update`](Self::update), and those of the batches.
    pub fn update_all(
        &mut self,
        batches: &mut dyn Iterator<Item = Result<RecordBatch>>,
        now_us: i64,
    ) -> Result<Option<(i64, i64)>> {
        let (mut checked, mut rows) = (vec![], 0);
        while rows < ROWS_CHECKED
            && let Some(batch) = batches.next()
        {
            let batch = batch?;
            let times = self.check(&batch)?;
            rows += batch.num_rows();
            checked.push((batch, times));
        }
        // Of many rows not all are looked at before the first are counted: there is a way back.
        let before = if rows < ROWS_CHECKED { None } else { Some(self.checkpoint()?) };
        match self.add_all(checked, batches, now_us) {
            Ok(span) => Ok(span),
            Err(error) => {
                if let Some(before) = before {
                    *self = Self::restore(self.settings.clone(), &before)?;
                }
                Err(error)
            }
        }
    }

    fn add_all(
        &mut self,
        checked: Vec<(RecordBatch, Vec<i64>)>,
        batches: &mut dyn Iterator<Item = Result<RecordBatch>>,
        now_us: i64,
    ) -> Result<Option<(i64, i64)>> {
        let mut span: Option<(i64, i64)> = None;
        let mut add = |this: &mut Self, rows: &RecordBatch, times: Vec<i64>| {
            for &time in times.iter().filter(|time| (0..=latest_us(now_us)).contains(*time)) {
                let (first, last) = span.get_or_insert((time, time));
                (*first, *last) = (time.min(*first), time.max(*last));
            }
            this.add(rows, times, now_us)
        };
        for (rows, times) in checked {
            add(self, &rows, times)?;
        }
        for batch in batches {
            let batch = batch?;
            let times = self.check(&batch)?;
            add(self, &batch, times)?;
        }
        Ok(span)
    }

    /// Checks rows before any of them counts; their times.
    pub(super) fn check(&mut self, rows: &RecordBatch) -> Result<Vec<i64>> {
        let column = &self.settings.time;
        let times = rows.column_by_name(column).ok_or_else(|| {
            let names: Vec<_> =
                rows.schema_ref().fields().iter().take(20).map(|f| format!("{:?}", f.name())).collect();
            Error::Input(format!("no column {column:?}, which is the time; columns are {}", names.join(", ")))
        })?;
        let times = instants_us(times, column)?;
        if self.checked.as_ref().is_some_and(|checked| checked.fields() == rows.schema_ref().fields()) {
            return Ok(times);
        }
        let asked = projected(&self.settings, rows)?;
        self.state.segments.check(asked.schema_ref())?;
        let options = self.options.clone().unwrap_or_else(|| self.first_options());
        ProfileBuilder::try_new(asked.schema_ref(), &options)?;
        if self.state.counts.rows == 0 && !self.names_are_known {
            let mut known = Names::of(rows.schema_ref())?;
            known.extend(self.state.known.iter().cloned());
            known.check(&self.settings.named)?;
        }
        if self.options.is_none()
            && !asked.schema_ref().fields().iter().any(|field| self.settings.watches(field.name()))
        {
            return Err(nothing_to_watch());
        }
        self.checked = Some(rows.schema());
        Ok(times)
    }

    /// How rows are profiled from which bins are taken.
    fn first_options(&self) -> Options {
        Options { threads: self.settings.threads, may_lack_columns: true, ..Options::default() }
    }

    /// Whether it failed while it added rows of which some are counted.
    pub fn is_broken(&self) -> bool {
        self.is_broken
    }

    /// Adds rows of these times, which were checked.
    pub(super) fn add(&mut self, rows: &RecordBatch, times: Vec<i64>, now_us: i64) -> Result<()> {
        self.is_broken = true;
        self.add_checked(rows, times, now_us)?;
        self.is_broken = false;
        Ok(())
    }

    fn add_checked(&mut self, rows: &RecordBatch, mut times: Vec<i64>, now_us: i64) -> Result<()> {
        self.clock_us = self.clock_us.max(now_us);
        self.state.counts.rows += times.len() as u64;
        for time in &mut times {
            if *time == NO_TIME {
                self.state.counts.without_time += 1;
            } else if !(0..=latest_us(now_us)).contains(time) {
                self.state.counts.absurd += 1;
                *time = NO_TIME;
            }
        }
        let rows = projected(&self.settings, rows)?;
        if self.options.is_some() {
            return self.place_all(&rows, &times);
        }
        self.waiting.push(Waiting::Rows(rows, times));
        self.bin_waiting()
    }

    /// Lets time go on: windows close that end before it, lateness included.
    ///
    /// # Errors
    /// A column cannot be read.
    pub fn advance(&mut self, to_us: i64) -> Result<()> {
        if self.options.is_none() {
            // Of several in a row the first and the latest say all: a clock may tick for long before there are rows.
            match self.waiting.as_mut_slice() {
                [.., Waiting::Advance(_), Waiting::Advance(last)] => *last = to_us.max(*last),
                _ => self.waiting.push(Waiting::Advance(to_us)),
            }
            return self.bin_waiting();
        }
        self.pass(to_us)
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
    fn reference_until(&self, first: i64) -> Option<i64> {
        match self.settings.reference {
            Span::Given => None,
            Span::First(windows) | Span::Trailing(windows) => Some(first.saturating_add_unsigned(windows)),
            // At least one window, however short the span.
            Span::Until(end_us) => Some(self.settings.calendar.number(end_us).max(first + 1)),
        }
    }

    /// Takes bins from the first rows, once they are enough, then lets everything that waited come.
    fn bin_waiting(&mut self) -> Result<()> {
        let Some(rows_for_bins) = self.rows_for_bins() else { return Ok(()) };
        let mut left = rows_for_bins;
        let mut first = Collected::default();
        let options = self.first_options();
        for waiting in &self.waiting {
            if let Waiting::Rows(rows, _) = waiting {
                let rows = rows.slice(0, rows.num_rows().min(left));
                left -= rows.num_rows();
                first.update(&rows, &options)?;
            }
        }
        let choosing = self.choosing(rows_for_bins)?;
        self.bin(&first.profile()?, choosing.as_ref())?;
        for waiting in std::mem::take(&mut self.waiting) {
            match waiting {
                Waiting::Rows(rows, times) => self.place_all(&rows, &times)?,
                Waiting::Advance(to_us) => self.pass(to_us)?,
            }
        }
        Ok(())
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
            parts.push((rows, windows));
        }
        let reference = first.and_then(|first| Some(first..self.reference_until(first)?));
        let Some(reference) = reference else { return Ok(None) };
        let mut chosen_by = ChosenBy::first_of(reference, &self.settings);
        // By those of later rows nothing was chosen.
        if let ChosenBy::Windows(until) = &mut chosen_by {
            until.iter_mut().for_each(|until| *until = (*until).min(last + 1));
        }
        let options = Options { threads: self.settings.threads, ..names_alone() };
        let mut choosing = Collected::default();
        for (rows, windows) in &parts {
            chosen_by.collect(&mut choosing, rows, windows, &self.settings, &options)?;
        }
        self.state.chosen_by = chosen_by;
        choosing.profile().map(Some)
    }

    /// Puts rows into their windows, and closes windows between them where one of them says that it is time.
    fn place_all(&mut self, rows: &RecordBatch, times: &[i64]) -> Result<()> {
        if self.settings.reference == Span::Given && self.state.is_learning {
            self.start_watching()?;
        }
        // The earliest time of each row and of those that are known to come after it.
        let clock = Clock(self.clock_us);
        let held_us = self.hold_us;
        let least = held_us.map(|held_us| least_from(times, held_us));
        let mut windows = vec![];
        if least.is_some() {
            self.settings.calendar.numbers(times, &mut windows);
        }
        let mut from = 0;
        while from < times.len() {
            let limit_us = self.next_closing_us();
            let to = match &least {
                None => {
                    let closes = |&time: &i64| time != NO_TIME && clock.seen(time) >= limit_us;
                    times[from..].iter().position(closes).map(|i| from + i)
                }
                Some(least) => {
                    let mut passed_us = self.state.watermark_us;
                    let end_us = self.closing_end_us();
                    (from..times.len()).find(|&i| {
                        passed_us = passed_us.max(clock.seen(times[i]));
                        passed_us != NO_TIME && passed_us >= limit_us && least[i] >= end_us
                    })
                }
            };
            let mut until = to.unwrap_or(times.len());
            if least.is_some() {
                // Windows that are too many are seen to be before there are more.
                until = from + self.rows_with_room(&windows[from..until]);
            }
            if until > from {
                self.place(&rows.slice(from, until - from), &times[from..until])?;
            }
            if least.is_some() {
                let passed_us = clock.passed(self.state.watermark_us, &times[from..until]);
                self.state.watermark_us = passed_us;
                if self.holds_too_much() {
                    self.pass(passed_us)?;
                }
            }
            if let Some(to) = to.filter(|to| *to == until) {
                let passed_us = clock.passed(self.state.watermark_us, &times[from..=to]);
                self.hold_us = least.as_ref().map(|least| least[to]);
                self.pass(passed_us)?;
            }
            from = until;
        }
        self.hold_us = held_us;
        let latest = times.iter().copied().filter(|&time| time != NO_TIME).max().unwrap_or(i64::MIN);
        self.state.newest_us = self.state.newest_us.max(latest);
        self.state.watermark_us = self.state.watermark_us.max(clock.seen(latest));
        Ok(())
    }

    /// The instant with which the next window closes; any at all where there has been none.
    fn next_closing_us(&self) -> i64 {
        let start =
            |until: i64| self.settings.calendar.start_us(until + 1).saturating_add(self.settings.lateness_us);
        self.state.closed_until.map_or(i64::MIN, start)
    }

    /// Where the window ends that closes next.
    fn closing_end_us(&self) -> i64 {
        self.state.closed_until.map_or(i64::MIN, |until| self.settings.calendar.start_us(until + 1))
    }

    /// Tells the earliest time of rows that are known to come, for which windows wait, as long as they take no more than
    /// so many profiles of columns; `None` lets them close.
    ///
    /// # Errors
    /// A column cannot be read.
    pub(super) fn hold(&mut self, least_us: Option<i64>, most_held: usize) -> Result<()> {
        (self.hold_us, self.most_held) = (least_us, most_held);
        match self.state.closed_until {
            Some(_) if least_us.is_none() && self.options.is_some() => self.pass(self.state.watermark_us),
            _ => Ok(()),
        }
    }

    /// Lets time go on as rows of up to an instant let it, which have been counted without.
    ///
    /// # Errors
    /// A column cannot be read.
    pub fn saw(&mut self, newest_us: i64) -> Result<()> {
        if self.state.closed_until.is_none() || self.options.is_none() || newest_us <= self.state.newest_us {
            return Ok(());
        }
        self.state.newest_us = newest_us;
        self.pass(Clock(self.clock_us).seen(newest_us))
    }

    /// Rows that close nothing.
    fn place(&mut self, rows: &RecordBatch, times: &[i64]) -> Result<()> {
        let (Some(options), Some(closed_until)) = (&self.options, self.state.closed_until) else {
            return Ok(());
        };
        let mut windows = vec![];
        self.settings.calendar.numbers(times, &mut windows);
        windows.iter_mut().zip(times).filter(|(_, time)| **time == NO_TIME).for_each(|(n, _)| *n = i64::MIN);
        for (window, part) in by_window(rows, &windows)? {
            if window == i64::MIN {
                continue;
            }
            let parts = if window < closed_until {
                self.state.counts.late += part.num_rows() as u64;
                self.late.entry(window).or_default()
            } else {
                self.open.entry(window).or_default()
            };
            collect(&mut self.state.segments, parts, &part, options)?;
        }
        Ok(())
    }

    /// Lets the watermark pass an instant.
    fn pass(&mut self, to_us: i64) -> Result<()> {
        self.state.watermark_us = self.state.watermark_us.max(to_us);
        let calendar = &self.settings.calendar;
        let all_us = to_us.saturating_sub(self.settings.lateness_us);
        let all = calendar.number(all_us);
        let until = calendar.number(self.hold_us.map_or(all_us, |held_us| all_us.min(held_us)));
        let Some(closed_until) = self.state.closed_until else {
            self.state.closed_until = Some(until);
            let first = calendar.number(self.hold_us.map_or(to_us, |held_us| to_us.min(held_us)));
            self.state.first = Some(first);
            self.state.reference_until = self.reference_until(first);
            return Ok(());
        };
        let mut window = closed_until;
        while window < until || (window < all && self.holds_too_much()) {
            let is_empty = !self.open.contains_key(&window);
            self.close(window)?;
            window += 1;
            // Of a long gap only the beginning is looked at.
            let next = self.open.keys().next().copied().unwrap_or(until).min(until);
            if is_empty && next - window > MOST_EMPTY {
                window = next;
            }
        }
        self.state.closed_until = Some(window.max(until));
        Ok(())
    }

    /// How many rows, of these windows, come before one that opens a window for which there may be no room; one at least.
    fn rows_with_room(&self, windows: &[i64]) -> usize {
        let of_window = self.state.watched.len() * self.state.segments.most();
        let open = self.open.len() + self.late.len();
        let room = (self.most_held / of_window.max(1)).saturating_sub(open).max(1);
        let (mut new, mut last) = (BTreeSet::new(), None);
        for (row, &window) in windows.iter().enumerate() {
            // Neighbours lie in one window as a rule.
            if last.replace(window) == Some(window) {
                continue;
            }
            if !self.open.contains_key(&window) && !self.late.contains_key(&window) {
                new.insert(window);
            }
            if new.len() > room {
                return row;
            }
        }
        windows.len()
    }

    /// Whether windows that wait for rows take too much memory: then the earliest ones close, and rows for them come late.
    fn holds_too_much(&self) -> bool {
        let columns = self.state.watched.len();
        let most = self.open.len() * columns * self.state.series.len().max(1);
        self.hold_us.is_some()
            && most > self.most_held
            && self.open.values().map(|parts| parts.len() * columns).sum::<usize>() > self.most_held
    }

    fn close(&mut self, window: i64) -> Result<()> {
        self.feed_late()?;
        let parts = self.open.remove(&window).unwrap_or_default();
        self.feed(window, parts, false)
    }

    /// Lets the series see what came late so far, without waiting for a window to close.
    ///
    /// # Errors
    /// A column cannot be read.
    pub fn feed_late(&mut self) -> Result<()> {
        for (late, parts) in std::mem::take(&mut self.late) {
            self.feed(late, parts, true)?;
        }
        Ok(())
    }

    /// Lets the series see the rows of a window, or those that came late to it.
    fn feed(&mut self, window: i64, parts: BTreeMap<usize, Collected>, amends: bool) -> Result<()> {
        let is_over = self.state.reference_until.is_some_and(|until| window >= until);
        if self.state.is_learning && is_over && !amends {
            self.start_watching()?;
        }
        let profiles = parts.into_iter().map(|(segment, rows)| Ok((segment, rows.profile()?)));
        let profiles = profiles.collect::<Result<BTreeMap<_, _>>>()?;
        if !amends {
            self.look_at_rules(window, profiles.get(&WHOLE))?;
        }
        let whole = profiles.get(&WHOLE);
        let watched = self.state.watched.iter().map(|watched| watched.name.as_str());
        let lacks = |name: &&str| whole.is_some_and(|whole| whole.column(name).is_none());
        let gone: BTreeSet<String> = watched.filter(lacks).map(str::to_owned).collect();
        for (segment, profile) in profiles {
            self.grow(segment);
            let judged = self.judge(window, segment, &profile, amends, &gone)?;
            let segment = self.state.segments.name(segment).to_owned();
            if amends {
                self.output.late.push(Late { window, segment, profile });
            } else {
                self.output.push(Closed { window, segment, judged }, &profile, self.settings.threads)?;
            }
        }
        Ok(())
    }

    /// One result for each column.
    fn judge(
        &mut self,
        window: i64,
        segment: usize,
        profile: &Profile,
        amends: bool,
        gone: &BTreeSet<String>,
    ) -> Result<Vec<Judged>> {
        let (budget, bucket, is_learning) =
            (self.budget(), self.settings.bucket(window), self.state.is_learning);
        let trailing = match self.settings.reference {
            Span::Trailing(windows) => Some(windows),
            _ => None,
        };
        // Rows of the reference that come late are of it, and no evidence against it.
        let of_reference = is_learning
            || (trailing.is_none() && self.state.reference_until.is_some_and(|until| window < until));
        let settings = &self.settings;
        let bucket_of = |window| settings.bucket(window);
        let chooses = self.state.chosen_by.has(window, bucket);
        let windows_to_learn = self.state.windows_to_learn;
        let state = &mut self.state;
        let name = state.segments.name(segment).to_owned();
        let work = |(watched, series): &mut (&Watched, &mut Series)| -> Result<(Judged, Vec<Event>)> {
            let column = profile.column(&watched.name);
            let mut events = vec![];
            // That a column is gone a rule says, once and not of every segment again; rows say nothing of it.
            if !of_reference && gone.contains(&watched.name) {
                return Ok((Judged::gone(profile.rows()), events));
            }
            let Some(cells) = watched.counts(column, profile.rows())? else {
                return Ok((Judged::retyped(profile.rows()), events));
            };
            let cells = &cells;
            let (segment, bucket_of) = (&*name, &bucket_of);
            let seen = Seen { watched, segment, window, bucket, cells, chooses, amends, bucket_of };
            // What chose values that are watched by name was of the reference of all.
            let (of_reference, chooses) = match is_learning {
                false if series.learns_itself(&seen, windows_to_learn, &budget)? => (true, false),
                _ => (of_reference, chooses),
            };
            if amends && of_reference {
                series.learn().add_late(watched, cells, bucket, chooses);
                if !is_learning {
                    return Ok((series.judged(&seen, &budget, None)?, events));
                }
            } else if of_reference {
                series.learn().add_window(watched, cells, bucket, chooses)?;
            }
            let judged = series.update(&seen, &budget, &mut events)?;
            if let Some(windows) = trailing.filter(|_| !amends) {
                series.trail(&seen, windows, &budget)?;
            }
            Ok((judged, events))
        };
        let mut pairs: Vec<_> = state.watched.iter().zip(&mut state.series[segment]).collect();
        let done = threads::map_mut(self.settings.threads, &mut pairs, work);
        let mut judged = Vec::with_capacity(done.len());
        for (column, done) in done.into_iter().enumerate() {
            let (of_column, events) = done?;
            judged.push(of_column);
            for event in events {
                let event = self.numbered(event, segment, column);
                self.output.events.push(event);
            }
        }
        Ok(judged)
    }

    /// Gives an event the number of its alarm. A series has one alarm at a time.
    fn numbered(&mut self, event: Event, segment: usize, column: usize) -> Event {
        let alarms = &mut self.state.alarms;
        let number = self.state.numbers.entry((segment, column)).or_default();
        if event.happened == Happened::Opened {
            *alarms += 1;
            *number = *alarms;
        }
        Event { alarm: *number, ..event }
    }

    /// What rules say of a window: alarms open where one is broken, and close where it is not any more.
    fn look_at_rules(&mut self, window: i64, profile: Option<&Profile>) -> Result<()> {
        let bucket = self.settings.bucket(window);
        let rows = profile.map_or(0, Profile::rows);
        let state = &mut self.state;
        // Windows before the first row are open for what comes out of order, and not missing.
        if rows == 0 && state.first.is_none_or(|first| window < first) {
            return Ok(());
        }
        if state.is_learning {
            if state.first.is_some_and(|first| window <= first) {
                state.volume.add_end(bucket, rows);
            } else {
                state.volume.add(bucket, rows);
            }
        }
        let mut broken = match profile {
            Some(profile) => rules::broken_checks(profile, &self.settings.checks),
            // Of no rows nothing is said but that.
            None => state.broken.keys().map(|broken| (broken.clone(), String::new())).collect(),
        };
        broken.retain(|broken, _| !broken.rule.is_of_volume());
        if !state.is_learning {
            if let Some(profile) = profile {
                broken.extend(rules::broken_schema(profile, &state.watched, &state.known));
                // A column is new once.
                state.known.extend(profile.columns().iter().map(|column| column.name.clone()));
            }
            if let Some((rule, text)) = state.volume.broken(bucket, rows) {
                broken.insert(Broken { column: String::new(), rule }, text);
            }
        }
        let over: Vec<Broken> =
            state.broken.keys().filter(|rule| !broken.contains_key(*rule)).cloned().collect();
        for rule in over {
            if let Some(alarm) = state.broken.remove(&rule) {
                let event = alarm.event(&rule, Happened::Closed, window, rows, rule.rule.over().into());
                self.output.events.push(event);
            }
        }
        for (rule, text) in broken {
            if state.broken.contains_key(&rule) {
                continue;
            }
            state.alarms += 1;
            let alarm = BrokenAlarm { number: state.alarms, since: window };
            self.output.events.push(alarm.event(&rule, Happened::Opened, window, rows, text));
            state.broken.insert(rule, alarm);
        }
        Ok(())
    }

    /// Bounds of the reference are taken, and windows are watched from now on.
    fn start_watching(&mut self) -> Result<()> {
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

    /// Makes room for a segment and those before it.
    fn grow(&mut self, segment: usize) {
        let buckets = self.settings.buckets();
        while self.state.series.len() <= segment {
            let new = self.state.watched.iter().map(|watched| Series::new(watched, buckets));
            self.state.series.push(new.collect());
        }
    }

    fn budget(&self) -> Budget {
        Budget {
            a_window: self.settings.false_alarms_a_window,
            series: (self.state.watched.len() * self.state.segments.most()) as f64,
            tolerance: self.settings.tolerance,
            renews: matches!(self.settings.reference, Span::Trailing(_)),
        }
    }

    /// What is new since this was asked last.
    pub fn take(&mut self) -> Output {
        std::mem::replace(&mut self.output, Output::new(&self.settings))
    }

    /// Windows to which rows came late that are waiting to be taken.
    pub fn late_windows(&self) -> BTreeSet<i64> {
        self.output.late.iter().map(|late| late.window).collect()
    }

    /// How many results are waiting to be taken.
    pub fn results_so_far(&self) -> usize {
        self.output.results_so_far()
    }

    /// The columns that are watched, in the order of the results.
    pub fn watched(&self) -> Watcheds<'_> {
        Watcheds(&self.state.watched)
    }

    /// Profile table and results of a window as it is known now, without any effect on alarms.
    ///
    /// # Errors
    /// It was counted over other bins.
    pub fn assess(
        &self,
        window: i64,
        segment: &str,
        profile: &Profile,
        revision: i64,
    ) -> Result<(Vec<RecordBatch>, RecordBatch)> {
        let known = (0..self.state.series.len()).find(|&id| self.state.segments.name(id) == segment);
        let (budget, bucket) = (self.budget(), self.settings.bucket(window));
        let bucket_of = |window| self.settings.bucket(window);
        let mut judged = vec![];
        for (column, watched) in self.state.watched.iter().enumerate() {
            let Some(cells) = watched.counts(profile.column(&watched.name), profile.rows())? else {
                judged.push(Judged::retyped(profile.rows()));
                continue;
            };
            let (cells, chooses, amends) = (&cells[..], false, true);
            let seen =
                Seen { watched, segment, window, bucket, cells, chooses, amends, bucket_of: &bucket_of };
            let new = || Series::new(watched, self.settings.buckets());
            let of = |series: &Series| series.judged(&seen, &budget, None);
            judged.push(known.map_or_else(|| of(&new()), |id| of(&self.state.series[id][column]))?);
        }
        let names = tables::Names::of(&self.settings);
        let mut profiles = Profiles::default();
        profiles.push(&names, (segment, window, revision), profile, self.settings.threads)?;
        let closed = Closed { window, segment: segment.to_owned(), judged };
        Ok((profiles.finish(&names)?, tables::results(&names, &self.state.watched, &[closed], revision)?))
    }

    /// Counts windows anew, from files that hold all their rows. What came late to them is to be fed before.
    ///
    /// # Errors
    /// There are no bins yet.
    pub fn recount(&self, windows: Vec<Range<i64>>) -> Result<Recount> {
        let options = self.options.clone();
        let options = options.ok_or_else(|| Error::Argument("nothing has been counted yet".into()))?;
        let (settings, segments) = (self.settings.clone(), self.state.segments.clone().restored());
        Ok(Recount { settings, options, segments, windows, parts: BTreeMap::new() })
    }

    /// Takes what was counted anew for the windows that are still open, and hands over the rest.
    ///
    /// # Errors
    /// A column cannot be read.
    pub fn replace_open(&mut self, recount: Recount) -> Result<Vec<(i64, String, Profile)>> {
        let Recount { segments, parts, windows, .. } = recount;
        let closed_until = self.state.closed_until.unwrap_or(i64::MIN);
        // Segments that came up in the new rows keep the numbers that they got there.
        self.state.segments = segments;
        let mut closed = vec![];
        self.open
            .retain(|window, _| *window < closed_until || !windows.iter().any(|span| span.contains(window)));
        for (window, parts) in parts {
            if window >= closed_until {
                self.open.insert(window, parts);
                continue;
            }
            for (segment, rows) in parts {
                closed.push((window, self.state.segments.name(segment).to_owned(), rows.profile()?));
            }
        }
        Ok(closed)
    }

    /// Where each series stands, as a table.
    ///
    /// # Errors
    /// It is too large for Arrow.
    pub fn standings(&self) -> Result<RecordBatch> {
        let state = &self.state;
        let rows = state.series.iter().enumerate().flat_map(|(segment, series)| {
            state.watched.iter().zip(series).enumerate().map(move |(column, (watched, series))| {
                let dispersion = series.calibrated_by();
                let varies = dispersion.windows() > 1;
                Standing {
                    segment: state.segments.name(segment),
                    watched,
                    status: series.status(),
                    reference_rows: series.baseline().all_rows(),
                    reference_values: series.baseline().values(),
                    reference_windows: series.baseline().dispersion().windows() as u64,
                    deff: varies.then(|| dispersion.deff().into_iter().fold(0.0, f64::max)),
                    memory: varies.then(|| dispersion.memory()),
                    promise: series.promise(),
                    smallest_change: series.smallest_change(watched),
                    alarm: series
                        .is_alarmed()
                        .then(|| state.numbers.get(&(segment, column)).copied())
                        .flatten(),
                }
            })
        });
        tables::standings(&tables::Names::of(&self.settings), &rows.collect::<Vec<_>>())
    }

    /// The latest time of any row, in microseconds; `None` before any.
    pub fn newest_us(&self) -> Option<i64> {
        Some(self.state.newest_us).filter(|&us| us != i64::MIN)
    }

    /// Windows that are open, with their rows so far.
    ///
    /// # Errors
    /// A column cannot be read.
    pub fn open_windows(&mut self) -> Result<Vec<(i64, u64)>> {
        let mut found = vec![];
        for (&window, parts) in &mut self.open {
            if let Some(whole) = parts.get_mut(&WHOLE) {
                found.push((window, whole.peek()?.rows()));
            }
        }
        Ok(found)
    }

    /// Whether its reference is not complete yet, and the instant until which it is learnt, where that is known.
    pub fn learns_until_us(&self) -> Option<Option<i64>> {
        let until = self.state.reference_until.map(|until| self.settings.calendar.start_us(until));
        self.state.is_learning.then_some(until)
    }

    /// Rows by what became of them.
    pub fn counts(&self) -> RowCounts {
        self.state.counts
    }
}

impl BrokenAlarm {
    fn event(&self, broken: &Broken, happened: Happened, window: i64, rows: u64, what: String) -> Event {
        Event {
            alarm: self.number,
            number: if happened == Happened::Opened { 1 } else { 2 },
            happened,
            segment: String::new(),
            column: broken.column.clone(),
            detector: Detector::Rule,
            window,
            since: self.since,
            rows,
            what,
            reference_share: None,
            share: None,
            bounds: None,
            promise: "a rule, outside of the budget".into(),
        }
    }
}

/// What the clock says. A row may be ahead of it, by a wrong zone or a wrong clock: it does not close the windows of those
/// that come in time.
#[derive(Clone, Copy)]
struct Clock(i64);

impl Clock {
    /// How far time has gone on with a row of that time.
    fn seen(self, time_us: i64) -> i64 {
        time_us.min(self.0)
    }

    /// How far it has gone on after rows of these times.
    fn passed(self, watermark_us: i64, times: &[i64]) -> i64 {
        times.iter().map(|&time| self.seen(time)).fold(watermark_us, i64::max)
    }
}

/// The latest time that a row may have, where the clock says this.
pub(super) fn latest_us(now_us: i64) -> i64 {
    now_us.saturating_add(MOST_AHEAD_US)
}

/// The earliest time of each row and all after it, and of what comes after them.
pub(super) fn least_from(times: &[i64], after_us: i64) -> Vec<i64> {
    let mut least = vec![after_us; times.len()];
    let mut least_us = after_us;
    for (least, &time) in least.iter_mut().zip(times).rev() {
        if time != NO_TIME {
            least_us = least_us.min(time);
        }
        *least = least_us;
    }
    least
}

fn nothing_to_watch() -> Error {
    Error::Input("no column is left to watch: name some in columns.features".into())
}

/// The columns that anything is asked of.
pub(super) fn projected(settings: &Settings, rows: &RecordBatch) -> Result<RecordBatch> {
    let asked = |name: &str| {
        settings.watches(name)
            || settings.checks.keys().any(|column| column == name)
            || settings.segments.iter().flatten().any(|column| column == name)
    };
    let fields = rows.schema_ref().fields().iter().enumerate();
    let columns: Vec<usize> = fields.filter(|(_, field)| asked(field.name())).map(|(i, _)| i).collect();
    rows.project(&columns).map_err(|e| Error::Input(e.to_string()))
}

/// What is collected of rows by which values are chosen.
pub(super) fn names_alone() -> Options {
    let collect = Collect { top: true, ..Collect::COUNTS };
    Options { collect, may_lack_columns: true, ..Options::default() }
}

/// Those rows of which it is true.
pub(super) fn rows_that(rows: &RecordBatch, which: impl Iterator<Item = bool>) -> Result<RecordBatch> {
    let which = BooleanArray::from_iter(which.map(Some));
    if which.true_count() == rows.num_rows() {
        return Ok(rows.clone());
    }
    filter_record_batch(rows, &which).map_err(|e| Error::Input(e.to_string()))
}

/// Adds rows to a window's segments, the whole first.
pub(super) fn collect(
    segments: &mut Segments,
    parts: &mut BTreeMap<usize, Collected>,
    rows: &RecordBatch,
    options: &Options,
) -> Result<()> {
    parts.entry(WHOLE).or_default().update(rows, options)?;
    for (segment, numbers) in segments.rows(rows)? {
        let part = if numbers.len() == rows.num_rows() { rows.clone() } else { taken(rows, numbers)? };
        parts.entry(segment).or_default().update(&part, options)?;
    }
    Ok(())
}

/// Rows by their windows, in the order in which these are met first.
pub(super) fn by_window(rows: &RecordBatch, windows: &[i64]) -> Result<Vec<(i64, RecordBatch)>> {
    let (Some(&first), Some(&last)) = (windows.first(), windows.last()) else { return Ok(vec![]) };
    if first == last && windows.iter().all(|&window| window == first) {
        return Ok(vec![(first, rows.clone())]);
    }
    let mut numbers: BTreeMap<i64, Vec<u32>> = BTreeMap::new();
    for (row, &window) in windows.iter().enumerate() {
        numbers.entry(window).or_default().push(row as u32);
    }
    let part = |(window, numbers): (i64, Vec<u32>)| {
        let (first, last) = (numbers[0] as usize, numbers[numbers.len() - 1] as usize);
        // Rows that lie together need no copy.
        let rows = if last - first + 1 == numbers.len() {
            rows.slice(first, numbers.len())
        } else {
            taken(rows, numbers)?
        };
        Ok((window, rows))
    };
    numbers.into_iter().map(part).collect()
}

fn taken(rows: &RecordBatch, numbers: Vec<u32>) -> Result<RecordBatch> {
    take_record_batch(rows, &UInt32Array::from(numbers)).map_err(|e| Error::Input(e.to_string()))
}
