//! What a monitor hands over: tables of results, of alarms and of profiles, with the identity of every row.
use super::alarm::{Event, span};
use super::calendar::Calendar;
use super::promise::Promise;
use super::series::{Judged, Status};
use super::settings::Settings;
use super::watched::Watched;
use crate::profile::{Profile, Skipped};
use crate::table::{ProfileRow, ProfileRows};
use crate::{Error, Result};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow_schema::{Field, Schema, SchemaRef};
use std::sync::Arc;

/// A window of a segment that closed.
pub(super) struct Closed {
    pub window: i64,
    pub segment: String,
    /// What each watched column says, in their order.
    pub judged: Vec<Judged>,
}

/// Rows that came late to a window: they are to be added to what is stored of it.
pub struct Late {
    /// The window's number.
    pub window: i64,
    /// The segment, empty for the whole.
    pub segment: String,
    /// The rows that came late, and only they.
    pub profile: Profile,
}

/// What came of some rows.
pub struct Output {
    names: Names,
    closed: Vec<Closed>,
    profiles: ProfileTable,
    pub(super) events: Vec<Event>,
    /// Late rows, by window and segment.
    pub late: Vec<Late>,
}

/// What all rows of the tables have in common.
#[derive(Clone)]
pub(super) struct Names {
    monitor: String,
    writer: String,
    calendar: Calendar,
}

/// The source of rows where there is only one.
const ONLY_WRITER: &str = "main";

impl Names {
    /// The id of an alarm: `A7`, or `A7@host` where several sources have alarms of their own.
    fn alarm(&self, number: u64) -> String {
        if self.writer == ONLY_WRITER { format!("A{number}") } else { format!("A{number}@{}", self.writer) }
    }

    pub fn of(settings: &Settings) -> Self {
        let Settings { name, writer, calendar, .. } = settings.clone();
        Self { monitor: name, writer, calendar }
    }
}

impl Output {
    pub(super) fn new(settings: &Settings) -> Self {
        let names = Names::of(settings);
        let profiles = ProfileTable::new(names.clone());
        Self { names, closed: vec![], profiles, events: vec![], late: vec![] }
    }

    /// Adds a window that closed, and what is stored of its columns.
    pub(super) fn push(&mut self, closed: Closed, columns: Vec<ProfileRow>, skipped: Vec<Skipped>) {
        self.profiles.push((&closed.segment, closed.window, 1), columns, skipped);
        self.closed.push(closed);
    }

    /// Results so far.
    pub fn results_so_far(&self) -> usize {
        self.closed.iter().map(|closed| closed.judged.len()).sum()
    }

    /// Whether nothing came of them.
    pub fn is_empty(&self) -> bool {
        self.closed.is_empty() && self.events.is_empty() && self.late.is_empty()
    }

    /// A row for each watched column of each segment of each window.
    ///
    /// # Errors
    /// It is too large for Arrow.
    pub fn results(&self, watched: &Watcheds<'_>) -> Result<RecordBatch> {
        results(&self.names, watched.0, &self.closed, 1)
    }

    /// A row for each event of an alarm.
    ///
    /// # Errors
    /// It is too large for Arrow.
    pub fn alarms(&self) -> Result<RecordBatch> {
        let mut table = Table::default();
        let events = || self.events.iter();
        let (names, many) = (&self.names, self.events.len());
        table.texts("monitor", std::iter::repeat_n(names.monitor.as_str(), many));
        table.texts("writer", std::iter::repeat_n(names.writer.as_str(), many));
        table.texts("alarm", events().map(|event| names.alarm(event.alarm)));
        table.wholes("event", events().map(|event| event.number.into()));
        table.wholes("revision", std::iter::repeat_n(1, many));
        table.texts("happened", events().map(|event| event.happened.name()));
        table.texts("segment", events().map(|event| event.segment.as_str()));
        table.texts("column", events().map(|event| event.column.as_str()));
        table.texts("detector", events().map(|event| event.detector.name()));
        table.times("window_start", events().map(|event| names.calendar.start_us(event.window)));
        table.texts("window", events().map(|event| names.calendar.label(event.window)));
        table.times("since", events().map(|event| names.calendar.start_us(event.since)));
        table.texts("since_window", events().map(|event| names.calendar.label(event.since)));
        table.wholes("rows", events().map(|event| event.rows as i64));
        table.texts("what", events().map(|event| event.what.as_str()));
        table.numbers("reference_share", events().map(|event| event.reference_share));
        table.numbers("share", events().map(|event| event.share));
        table.numbers("change_at_least", events().map(|event| event.bounds.map(|bounds| bounds.0)));
        table.numbers("change_at_most", events().map(|event| event.bounds.map(|bounds| bounds.1)));
        table.texts("promise", events().map(|event| event.promise.as_str()));
        table.finish()
    }

    /// A row for each column of each segment of each window: the profile table, with the identity before it.
    pub fn into_profiles(self) -> ProfileTable {
        self.profiles
    }
}

/// The columns that a monitor watches.
pub struct Watcheds<'a>(pub(super) &'a [Watched]);

/// Results of windows, of one revision.
pub(super) fn results(
    names: &Names,
    watched: &[Watched],
    closed: &[Closed],
    revision: i64,
) -> Result<RecordBatch> {
    let mut table = Table::default();
    let rows = || {
        closed.iter().flat_map(|closed| watched.iter().zip(&closed.judged).map(move |(w, j)| (closed, w, j)))
    };
    let judged = || rows().map(|(_, _, judged)| judged);
    let many = rows().count();
    let window = || rows().map(|(closed, ..)| span(&names.calendar, closed.window));
    table.texts("monitor", std::iter::repeat_n(names.monitor.as_str(), many));
    table.texts("writer", std::iter::repeat_n(names.writer.as_str(), many));
    table.texts("segment", rows().map(|(closed, ..)| closed.segment.as_str()));
    table.texts("column", rows().map(|(_, watched, _)| watched.name.as_str()));
    table.times("window_start", window().map(|(start, _)| start));
    table.times("window_end", window().map(|(_, end)| end));
    table.texts("window", rows().map(|(closed, ..)| names.calendar.label(closed.window)));
    table.wholes("revision", std::iter::repeat_n(revision, many));
    table.wholes("rows", judged().map(|judged| judged.rows as i64));
    table.wholes("missing", judged().map(|judged| judged.missing as i64));
    table.texts("status", judged().map(|judged| judged.status.name()));
    table.some_texts("verdict", judged().map(|judged| judged.verdict.map(|verdict| verdict.as_str())));
    table.numbers("effect", judged().map(|judged| judged.effect));
    table.numbers("effect_bound", judged().map(|judged| judged.effect_bound));
    let moved = || judged().map(|judged| judged.moved.as_ref());
    table.some_texts("moved", moved().map(|moved| moved.map(|moved| moved.0.as_str())));
    table.numbers("reference_share", moved().map(|moved| moved.map(|moved| moved.1)));
    table.numbers("share", moved().map(|moved| moved.map(|moved| moved.2)));
    table.numbers("psi", judged().map(|judged| judged.psi));
    table.numbers("evidence_fast", judged().map(|judged| judged.evidence.map(|evidence| evidence.0)));
    table.numbers("evidence_strict", judged().map(|judged| judged.evidence.map(|evidence| evidence.1)));
    table.flags("alarm", judged().map(|judged| judged.alarm));
    table.finish()
}

/// Rows of profiles that lie together: more would have to be moved again and again as they grow.
const ROWS_TOGETHER: usize = 2048;

/// Profiles of windows: the profile table, with the identity before it. It is drawn up batch by batch where it is asked
/// for, as often as it is.
pub struct ProfileTable {
    names: Names,
    windows: Vec<ProfiledWindow>,
}

/// What is stored of a segment of a window.
struct ProfiledWindow {
    segment: String,
    window: i64,
    revision: i64,
    columns: Vec<ProfileRow>,
    skipped: Vec<Skipped>,
}

impl ProfiledWindow {
    fn rows(&self) -> usize {
        self.columns.len() + self.skipped.len()
    }
}

impl ProfileTable {
    pub(super) fn new(names: Names) -> Self {
        Self { names, windows: vec![] }
    }

    pub(super) fn push(
        &mut self,
        (segment, window, revision): (&str, i64, i64),
        columns: Vec<ProfileRow>,
        skipped: Vec<Skipped>,
    ) {
        self.windows.push(ProfiledWindow { segment: segment.to_owned(), window, revision, columns, skipped });
    }

    /// Rows of all batches.
    pub fn rows(&self) -> usize {
        self.windows.iter().map(ProfiledWindow::rows).sum()
    }

    /// The columns of every batch.
    ///
    /// # Errors
    /// As of [`batches`](Self::batches).
    pub fn schema(&self) -> Result<SchemaRef> {
        Ok(self.batch(&[], ProfileRows::default())?.schema())
    }

    /// The batches.
    ///
    /// # Errors
    /// One is too large for Arrow.
    pub fn batches(self: Arc<Self>) -> impl Iterator<Item = Result<RecordBatch>> + Send {
        let (mut from, mut room) = (0, ProfileRows::default());
        std::iter::from_fn(move || {
            let windows = &self.windows[from..];
            let (mut rows, mut many) = (std::mem::take(&mut room), 0);
            for window in windows {
                if rows.len() >= ROWS_TOGETHER {
                    break;
                }
                window.columns.iter().for_each(|row| rows.push(row));
                window.skipped.iter().for_each(|skipped| rows.skip(skipped));
                many += 1;
            }
            from += many;
            room = rows.emptied();
            (many > 0).then(|| self.batch(&windows[..many], rows))
        })
    }

    fn batch(&self, windows: &[ProfiledWindow], profiles: ProfileRows) -> Result<RecordBatch> {
        let (names, mut table) = (&self.names, Table::default());
        let rows = || windows.iter().flat_map(|window| std::iter::repeat_n(window, window.rows()));
        let many = profiles.len();
        table.texts("monitor", std::iter::repeat_n(names.monitor.as_str(), many));
        table.texts("writer", std::iter::repeat_n(names.writer.as_str(), many));
        table.texts("segment", rows().map(|row| row.segment.as_str()));
        table.times("window_start", rows().map(|row| names.calendar.start_us(row.window)));
        table.times("window_end", rows().map(|row| names.calendar.start_us(row.window + 1)));
        table.wholes("revision", rows().map(|row| row.revision));
        let (fields, arrays) = profiles.finish();
        table.fields.extend(fields);
        table.arrays.extend(arrays);
        table.finish()
    }
}

/// Where each series stands.
pub(super) struct Standing<'a> {
    pub segment: &'a str,
    pub watched: &'a Watched,
    pub status: Status,
    pub reference_rows: u64,
    pub reference_values: u64,
    pub reference_windows: u64,
    pub deff: Option<f64>,
    pub memory: Option<f64>,
    pub promise: Option<Promise>,
    pub smallest_change: Option<f64>,
    pub alarm: Option<u64>,
}

/// A row for each series.
pub(super) fn standings(names: &Names, standings: &[Standing<'_>]) -> Result<RecordBatch> {
    let mut table = Table::default();
    let rows = || standings.iter();
    table.texts("segment", rows().map(|row| row.segment));
    table.texts("column", rows().map(|row| row.watched.name.as_str()));
    table.texts("kind", rows().map(|row| row.watched.kind.name()));
    table.texts("type", rows().map(|row| row.watched.type_name.as_str()));
    table.flags("values", rows().map(|row| row.watched.values_are_watched()));
    table.texts("status", rows().map(|row| row.status.name()));
    table.wholes("reference_rows", rows().map(|row| row.reference_rows as i64));
    table.wholes("reference_values", rows().map(|row| row.reference_values as i64));
    table.wholes("reference_windows", rows().map(|row| row.reference_windows as i64));
    table.numbers("deff", rows().map(|row| row.deff));
    table.numbers("memory", rows().map(|row| row.memory));
    let promises = || rows().map(|row| row.promise);
    table.flags("promises", promises().map(|promise| promise.is_some_and(Promise::holds)));
    table.some_texts("promise_kind", promises().map(|promise| promise.map(Promise::kind)));
    table.numbers("covering_percent", promises().map(|promise| promise.and_then(Promise::covering_percent)));
    table.texts("promise", promises().map(|promise| promise.map_or_else(String::new, Promise::words)));
    table.numbers("smallest_change", rows().map(|row| row.smallest_change));
    table.some_texts("alarm", rows().map(|row| row.alarm.map(|alarm| names.alarm(alarm))));
    table.finish()
}

/// A table under construction.
#[derive(Default)]
struct Table {
    fields: Vec<Field>,
    arrays: Vec<ArrayRef>,
}

impl Table {
    fn push(&mut self, name: &str, array: impl Array + 'static) {
        self.fields.push(Field::new(name, array.data_type().clone(), true));
        self.arrays.push(Arc::new(array));
    }

    fn texts(&mut self, name: &str, values: impl Iterator<Item = impl AsRef<str>>) {
        self.push(name, StringArray::from_iter_values(values));
    }

    fn some_texts(&mut self, name: &str, values: impl Iterator<Item = Option<impl AsRef<str>>>) {
        self.push(name, StringArray::from_iter(values));
    }

    fn wholes(&mut self, name: &str, values: impl Iterator<Item = i64>) {
        self.push(name, Int64Array::from_iter_values(values));
    }

    fn numbers(&mut self, name: &str, values: impl Iterator<Item = Option<f64>>) {
        self.push(name, Float64Array::from_iter(values));
    }

    fn flags(&mut self, name: &str, values: impl Iterator<Item = bool>) {
        self.push(name, BooleanArray::from_iter(values.map(Some)));
    }

    fn times(&mut self, name: &str, values: impl Iterator<Item = i64>) {
        self.push(name, TimestampMicrosecondArray::from_iter_values(values).with_timezone("UTC"));
    }

    fn finish(self) -> Result<RecordBatch> {
        let schema = Arc::new(Schema::new(self.fields));
        RecordBatch::try_new(schema, self.arrays)
            .map_err(|e| Error::Input(format!("the table is too large: {e}")))
    }
}
