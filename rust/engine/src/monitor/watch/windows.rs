//! Windows that close are judged: by their series, and by rules. Those that were counted anew are told as they are now.
use super::Monitor;
use crate::monitor::alarm::{Detector, Event, Happened};
use crate::monitor::archive::Recount;
use crate::monitor::collected::Collected;
use crate::monitor::rules::{self, Broken, Rule};
use crate::monitor::segments::WHOLE;
use crate::monitor::series::{Judged, Seen, Series};
use crate::monitor::settings::Span;
use crate::monitor::tables::{self, Closed, Late, Profiles};
use crate::monitor::watched::Watched;
use crate::profile::Profile;
use crate::threads;
use crate::{Error, Result};
use arrow_array::RecordBatch;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// The open alarm of a rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct BrokenAlarm {
    number: u64,
    since: i64,
}

impl Monitor {
    pub(super) fn close(&mut self, window: i64) -> Result<()> {
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
                series.trail(&seen, windows, &budget, &mut events)?;
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
                let of_schema = rules::broken_schema(profile, &state.watched, &state.known);
                // A column is new once.
                let new = of_schema.keys().filter(|broken| broken.rule == Rule::New);
                state.known.extend(new.map(|broken| broken.column.clone()));
                broken.extend(of_schema);
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
