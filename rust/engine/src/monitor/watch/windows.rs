//! Windows that close are judged: by their series, and by rules. Those that were counted anew are told as they are now.
use super::Monitor;
use crate::monitor::alarm::{Detector, Event, Happened};
use crate::monitor::archive::Recount;
use crate::monitor::builders::Builders;
use crate::monitor::collected::Collected;
use crate::monitor::picked::Backlog;
use crate::monitor::rules::{Broken, Rule};
use crate::monitor::series::{Judged, Seen, Series};
use crate::monitor::tables::{self, Closed, ProfileTable};
use crate::profile::Profile;
use crate::table::ProfileRow;
use crate::{Error, Result};
use arrow_array::RecordBatch;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::Range;

/// Columns of windows that wait to be judged together: what is said of them and stored takes some 5 KB each.
const MOST_CLOSING: usize = 32_768;

/// A window that has closed, or rows that came late to one, by segment.
pub(in crate::monitor) struct Closing {
    pub window: i64,
    pub parts: BTreeMap<usize, Collected>,
    pub amends: bool,
}

/// Rules that are broken, with what is said of them.
pub(super) type BrokenRules = BTreeMap<Broken, String>;

/// The open alarm of a rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct BrokenAlarm {
    number: u64,
    since: i64,
}

impl Monitor {
    /// Closes a window; it is judged when [`settle`](Self::settle) is called, or where others with it are many.
    pub(super) fn close(&mut self, window: i64) -> Result<()> {
        self.close_late();
        let parts = self.open.remove(&window).unwrap_or_default();
        self.closing.push(Closing { window, parts, amends: false });
        if self.closing_columns() < MOST_CLOSING { Ok(()) } else { self.settle() }
    }

    /// How many columns of windows wait to be judged.
    pub(super) fn closing_columns(&self) -> usize {
        let parts: usize = self.closing.iter().map(|closing| closing.parts.len().max(1)).sum();
        parts * self.state.watched.len().max(1)
    }

    /// Lets the series see what came late so far, without waiting for a window to close.
    ///
    /// # Errors
    /// A column cannot be read.
    pub fn feed_late(&mut self) -> Result<()> {
        self.close_late();
        self.settle()
    }

    fn close_late(&mut self) {
        let late = std::mem::take(&mut self.late).into_iter();
        self.closing.extend(late.map(|(window, parts)| Closing { window, parts, amends: true }));
    }

    /// Counts the rows that wait for it, and judges the windows that have closed.
    ///
    /// # Errors
    /// A column cannot be read.
    pub(in crate::monitor) fn settle(&mut self) -> Result<()> {
        // What fails here has been done in part.
        let was_broken = std::mem::replace(&mut self.is_broken, true);
        self.count_and_judge()?;
        self.is_broken = was_broken;
        Ok(())
    }

    fn count_and_judge(&mut self) -> Result<()> {
        (self.backlog, self.waiting_schema) = (Backlog::default(), None);
        let mut closing = std::mem::take(&mut self.closing);
        if self.state.is_learning {
            let until = self.state.reference_until;
            let is_after =
                |closing: &Closing| !closing.amends && until.is_some_and(|until| closing.window >= until);
            if let Some(first) = closing.iter().position(is_after) {
                let after = closing.split_off(first);
                self.judge(closing)?;
                self.start_watching()?;
                closing = after;
            }
        }
        self.judge(closing)
    }

    /// Gives an event the number of its alarm. A series has one alarm at a time.
    pub(super) fn numbered(&mut self, event: Event, segment: usize, column: usize) -> Event {
        let alarms = &mut self.state.alarms;
        let number = self.state.numbers.entry((segment, column)).or_default();
        if event.happened == Happened::Opened {
            *alarms += 1;
            *number = *alarms;
        }
        Event { alarm: *number, ..event }
    }

    /// Whether anything is said of a window by rules: nothing of one before the first row. Those of the reference show how
    /// many rows there may be.
    pub(super) fn has_rules(&mut self, window: i64, rows: u64) -> bool {
        let bucket = self.settings.bucket(window);
        let state = &mut self.state;
        // Windows before the first row are open for what comes out of order, and not missing.
        if rows == 0 && state.first.is_none_or(|first| window < first) {
            return false;
        }
        if state.is_learning {
            if state.first.is_some_and(|first| window <= first) {
                state.volume.add_end(bucket, rows);
            } else {
                state.volume.add(bucket, rows);
            }
        }
        true
    }

    /// Opens alarms of rules that are broken, by its columns or by how many rows it has, and closes those of rules that
    /// are not any more. Of a window without rows nothing is said but that.
    pub(super) fn tell_rules(&mut self, window: i64, rows: u64, is_empty: bool, mut broken: BrokenRules) {
        let bucket = self.settings.bucket(window);
        let state = &mut self.state;
        // A column is new once.
        broken.retain(|broken, _| broken.rule != Rule::New || state.known.insert(broken.column.clone()));
        if !state.is_learning
            && let Some((rule, text)) = state.volume.broken(bucket, rows)
        {
            broken.insert(Broken { column: String::new(), rule }, text);
        }
        if is_empty {
            let as_before = state.broken.keys().filter(|broken| !broken.rule.is_of_volume());
            broken.extend(as_before.map(|broken| (broken.clone(), String::new())));
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
    ) -> Result<(ProfileTable, RecordBatch)> {
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
        let mut profiles = ProfileTable::new(names.clone());
        let columns = profile.columns().to_vec().iter_mut().map(ProfileRow::of).collect();
        profiles.push((segment, window, revision), columns, profile.skipped().to_vec());
        let closed = Closed { window, segment: segment.to_owned(), judged };
        Ok((profiles, tables::results(&names, &self.state.watched, &[closed], revision)?))
    }

    /// Counts windows anew, from files that hold all their rows. What came late to them is to be fed before.
    ///
    /// # Errors
    /// There are no bins yet.
    pub fn recount(&self, windows: Vec<Range<i64>>) -> Result<Recount> {
        let options = self.options().cloned();
        let options = options.ok_or_else(|| Error::Argument("nothing has been counted yet".into()))?;
        let (settings, segments) = (self.settings.clone(), self.state.segments.clone().restored());
        let builders = Builders::new(options);
        Ok(Recount { settings, builders, segments, windows, parts: BTreeMap::new() })
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
