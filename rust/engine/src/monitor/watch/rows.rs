//! Rows find their windows, and time goes on with them.
use super::learning::nothing_to_watch;
use super::{Monitor, Waiting};
use crate::monitor::builders::Builders;
use crate::monitor::collected::Collected;
use crate::monitor::named::Names;
use crate::monitor::picked::Picked;
use crate::monitor::segments::{Segments, WHOLE};
use crate::monitor::settings::{Settings, Span};
use crate::monitor::times::{NO_TIME, instants_us};
use crate::profile::ProfileBuilder;
use crate::source::table::Table;
use crate::{Error, Result};
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Rows that are checked before the first of them are counted: a few MB a column.
const ROWS_CHECKED: usize = 262_144;
/// Rows further ahead of the clock have a wrong time.
const MOST_AHEAD_US: i64 = 86_400_000_000;
/// Windows of a gap that are looked at one by one.
pub(super) const MOST_EMPTY: i64 = 10_000;

impl Monitor {
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
            let (batch, times) = self.checked(batch?)?;
            rows += batch.len();
            checked.push((batch, times));
        }
        // Of many rows not all are looked at before the first are counted: there is a way back.
        let before = if rows < ROWS_CHECKED { None } else { Some(self.checkpoint()?) };
        match self.add_all(checked, batches, now_us) {
            Ok(span) => Ok(span),
            Err(error) => {
                if let Some(before) = before {
                    *self = Self::restore(self.settings.clone(), &before.concat())?;
                }
                Err(error)
            }
        }
    }

    fn add_all(
        &mut self,
        checked: Vec<(Picked, Vec<i64>)>,
        batches: &mut dyn Iterator<Item = Result<RecordBatch>>,
        now_us: i64,
    ) -> Result<Option<(i64, i64)>> {
        let mut span: Option<(i64, i64)> = None;
        let mut add = |this: &mut Self, rows: &Picked, times: Vec<i64>| {
            for &time in times.iter().filter(|time| (0..=latest_us(now_us)).contains(*time)) {
                let (first, last) = span.get_or_insert((time, time));
                (*first, *last) = (time.min(*first), time.max(*last));
            }
            this.add(rows, times, now_us)?;
            this.settle()
        };
        for (rows, times) in checked {
            add(self, &rows, times)?;
        }
        for batch in batches {
            let (batch, times) = self.checked(batch?)?;
            add(self, &batch, times)?;
        }
        Ok(span)
    }

    /// Checks rows before any of them counts: what is asked of them, and their times.
    fn checked(&mut self, rows: RecordBatch) -> Result<(Picked, Vec<i64>)> {
        let column = &self.settings.time;
        let times = rows.column_by_name(column).ok_or_else(|| no_times(column, rows.schema_ref()))?;
        let times = instants_us(times, column)?;
        self.check(rows.schema_ref())?;
        Ok((projected(&self.settings, &rows.into()), times))
    }

    /// Checks the columns of rows before any of them counts.
    pub(in crate::monitor) fn check(&mut self, schema: &SchemaRef) -> Result<()> {
        if self.checked.as_ref().is_some_and(|checked| checked.fields() == schema.fields()) {
            return Ok(());
        }
        let asked = asked(&self.settings, schema);
        let asked: SchemaRef = Arc::new(schema.project(&asked).map_err(|e| Error::Input(e.to_string()))?);
        self.state.segments.check(&asked)?;
        let options = self.options().cloned().unwrap_or_else(|| self.first_options());
        ProfileBuilder::try_new(&asked, &options)?;
        if self.state.counts.rows == 0 && !self.names_are_known {
            let mut known = Names::of(schema)?;
            known.extend(self.state.known.iter().cloned());
            known.check(&self.settings.named)?;
        }
        if self.builders.is_none() && !asked.fields().iter().any(|field| self.settings.watches(field.name()))
        {
            return Err(nothing_to_watch());
        }
        self.checked = Some(schema.clone());
        Ok(())
    }

    /// Adds rows of these times, which were checked.
    pub(in crate::monitor) fn add(&mut self, rows: &Picked, times: Vec<i64>, now_us: i64) -> Result<()> {
        self.is_broken = true;
        self.add_checked(rows, times, now_us)?;
        self.is_broken = false;
        Ok(())
    }

    fn add_checked(&mut self, rows: &Picked, mut times: Vec<i64>, now_us: i64) -> Result<()> {
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
        if self.builders.is_some() {
            return self.place_all(rows, &times);
        }
        self.waiting.push(Waiting::Rows(rows.to_batch()?, times));
        self.bin_waiting()
    }

    /// Lets time go on: windows close that end before it, lateness included.
    ///
    /// # Errors
    /// A column cannot be read.
    pub fn advance(&mut self, to_us: i64) -> Result<()> {
        if self.builders.is_none() {
            // Of several in a row the first and the latest say all: a clock may tick for long before there are rows.
            match self.waiting.as_mut_slice() {
                [.., Waiting::Advance(_), Waiting::Advance(last)] => *last = to_us.max(*last),
                _ => self.waiting.push(Waiting::Advance(to_us)),
            }
            return self.bin_waiting();
        }
        self.pass(to_us)?;
        self.settle()
    }

    /// Puts rows into their windows, and closes windows between them where one of them says that it is time; all of it
    /// waits to be counted and judged.
    pub(super) fn place_all(&mut self, rows: &Picked, times: &[i64]) -> Result<()> {
        if self.settings.reference == Span::Given && self.state.is_learning {
            // Windows that closed before were of the reference.
            self.settle()?;
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
    pub(in crate::monitor) fn hold(&mut self, least_us: Option<i64>, most_held: usize) -> Result<()> {
        (self.hold_us, self.most_held) = (least_us, most_held);
        match self.state.closed_until {
            Some(_) if least_us.is_none() && self.builders.is_some() => {
                self.pass(self.state.watermark_us)?;
                self.settle()
            }
            _ => Ok(()),
        }
    }

    /// Lets time go on as rows of up to an instant let it, which have been counted without.
    ///
    /// # Errors
    /// A column cannot be read.
    pub fn saw(&mut self, newest_us: i64) -> Result<()> {
        if self.state.closed_until.is_none() || self.builders.is_none() || newest_us <= self.state.newest_us {
            return Ok(());
        }
        self.state.newest_us = newest_us;
        self.pass(Clock(self.clock_us).seen(newest_us))?;
        self.settle()
    }

    /// Rows that close nothing.
    fn place(&mut self, rows: &Picked, times: &[i64]) -> Result<()> {
        let Some(closed_until) = self.state.closed_until else { return Ok(()) };
        // Rows of the same columns are counted together.
        if self.waiting_schema.as_ref().is_some_and(|schema| schema.fields() != rows.schema().fields()) {
            self.settle()?;
        }
        self.waiting_schema = Some(rows.schema().clone());
        let mut windows = vec![];
        self.settings.calendar.numbers(times, &mut windows);
        windows.iter_mut().zip(times).filter(|(_, time)| **time == NO_TIME).for_each(|(n, _)| *n = i64::MIN);
        for (window, part) in by_window(rows, &windows) {
            let Some(builders) = self.builders.as_mut().filter(|_| window != i64::MIN) else { continue };
            let parts = if window < closed_until {
                self.state.counts.late += part.len() as u64;
                self.late.entry(window).or_default()
            } else {
                self.open.entry(window).or_default()
            };
            collect(&mut self.state.segments, parts, &part, builders)?;
        }
        self.backlog.add(rows);
        if self.backlog.is_full() { self.settle() } else { Ok(()) }
    }

    /// Lets the watermark pass an instant; what closes with it waits to be judged.
    pub(super) fn pass(&mut self, to_us: i64) -> Result<()> {
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

    /// How many windows are read at once where about so many results are to be taken.
    pub(in crate::monitor) fn windows_at_once(&self, most_results: usize) -> i64 {
        let of_window = self.state.watched.len() * self.state.segments.most();
        (most_results / 4 / of_window.max(1)).max(1) as i64
    }

    /// Whether rows and windows that wait are enough to be counted and judged together, where about so many results are to
    /// be taken at once: half as many where it is a good time.
    pub(in crate::monitor) fn is_worth_settling(&self, most_results: usize, is_good_time: bool) -> bool {
        let results = self.results_so_far() + self.closing_columns();
        let is_enough = results >= most_results || self.backlog.is_full();
        is_enough || (is_good_time && (results >= most_results / 2 || self.backlog.is_enough()))
    }

    /// Whether windows that wait for rows take too much memory: then the earliest ones close, and rows for them come late.
    fn holds_too_much(&self) -> bool {
        let columns = self.state.watched.len();
        let most = self.open.len() * columns * self.state.segments.most();
        self.hold_us.is_some()
            && most > self.most_held
            && self.open.values().map(|parts| parts.len() * columns).sum::<usize>() > self.most_held
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
pub(in crate::monitor) fn latest_us(now_us: i64) -> i64 {
    now_us.saturating_add(MOST_AHEAD_US)
}

/// The earliest time of each row and all after it, and of what comes after them.
pub(in crate::monitor) fn least_from(times: &[i64], after_us: i64) -> Vec<i64> {
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

/// The columns that anything is asked of.
fn asked(settings: &Settings, schema: &SchemaRef) -> Vec<usize> {
    let asked = |name: &str| {
        settings.watches(name)
            || settings.checks.keys().any(|column| column == name)
            || settings.segments.iter().flatten().any(|column| column == name)
    };
    let fields = schema.fields().iter().enumerate();
    fields.filter(|(_, field)| asked(field.name())).map(|(i, _)| i).collect()
}

/// Rows with the columns that anything is asked of.
pub(in crate::monitor) fn projected(settings: &Settings, rows: &Table) -> Picked {
    Picked::all(rows.project(&asked(settings, rows.schema())))
}

pub(in crate::monitor) fn no_times(column: &str, schema: &SchemaRef) -> Error {
    let names: Vec<_> = schema.fields().iter().take(20).map(|field| format!("{:?}", field.name())).collect();
    Error::Input(format!("no column {column:?}, which is the time; columns are {}", names.join(", ")))
}

/// Adds rows to a window's segments, the whole first; they wait there to be counted.
pub(in crate::monitor) fn collect(
    segments: &mut Segments,
    parts: &mut BTreeMap<usize, Collected>,
    rows: &Picked,
    builders: &mut Builders,
) -> Result<()> {
    parts.entry(WHOLE).or_default().add(rows.clone(), builders)?;
    for (segment, numbers) in segments.rows(rows)? {
        parts.entry(segment).or_default().add(rows.take(&numbers), builders)?;
    }
    Ok(())
}

/// Rows by their windows, in the order of these.
pub(in crate::monitor) fn by_window(rows: &Picked, windows: &[i64]) -> Vec<(i64, Picked)> {
    let (Some(&first), Some(&last)) = (windows.first(), windows.last()) else { return vec![] };
    if first == last && windows.iter().all(|&window| window == first) {
        return vec![(first, rows.clone())];
    }
    let mut numbers: BTreeMap<i64, Vec<u32>> = BTreeMap::new();
    for (row, &window) in windows.iter().enumerate() {
        numbers.entry(window).or_default().push(row as u32);
    }
    numbers.into_iter().map(|(window, numbers)| (window, rows.take(&numbers))).collect()
}
