//! The monitor: rows in, windows and alarms out.
use super::builders::Builders;
use super::collected::Collected;
use super::picked::Backlog;
use super::rules::{Broken, Volume};
use super::segments::{Segments, WHOLE};
use super::series::{Budget, Series};
use super::settings::{Settings, Span};
use super::tables::{self, Output, Standing, Watcheds};
use super::watched::Watched;
use crate::Result;
use crate::options::Options;
use crate::profile::Profile;
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

mod columns;
mod judging;
mod learning;
mod rows;
mod windows;

pub(super) use learning::{ChosenBy, names_alone};
pub(super) use rows::{by_window, collect, least_from, no_times, projected};
use windows::{BrokenAlarm, Closing};

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
    /// What is to be judged, in this order; nothing between two calls.
    closing: Vec<Closing>,
    /// How much waits to be counted, and its columns.
    backlog: Backlog,
    waiting_schema: Option<SchemaRef>,
    /// What profiles windows, once there are bins.
    pub(super) builders: Option<Builders>,
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
    /// By segment, then by column. A checkpoint has them apart.
    #[serde(skip)]
    pub series: Vec<Vec<Series>>,
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
            closing: vec![],
            backlog: Backlog::default(),
            waiting_schema: None,
            builders: None,
            hold_us: None,
            clock_us: i64::MIN,
            most_held: usize::MAX,
            checked: None,
            names_are_known: false,
            is_broken: false,
            output,
        }
    }

    /// Whether it failed in the midst of counting or judging, so that only a checkpoint is right.
    pub fn is_broken(&self) -> bool {
        self.is_broken
    }

    /// Makes room for a segment and those before it.
    fn grow(&mut self, segment: usize) {
        let buckets = self.settings.buckets();
        while self.state.series.len() <= segment {
            let new = self.state.watched.iter().map(|watched| Series::new(watched, buckets));
            self.state.series.push(new.collect());
        }
    }

    /// How windows are profiled, once there are bins.
    fn options(&self) -> Option<&Options> {
        self.builders.as_ref().map(Builders::options)
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
