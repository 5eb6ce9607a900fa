//! One column over all windows that are judged together: its rows are decoded, and counted, judged and drawn up window by
//! window, so that what it takes stays in the cache.
use super::judging::Window;
use crate::monitor::alarm::Event;
use crate::monitor::picked::Uncounted;
use crate::monitor::rules::{Broken, Check, Rule, broken_schema, new_column};
use crate::monitor::segments::WHOLE;
use crate::monitor::series::{Budget, Judged, Seen, Series};
use crate::monitor::settings::{Settings, Span};
use crate::monitor::watched::Watched;
use crate::profile::builder::{ColumnBuilder, Scratch};
use crate::profile::{ColumnProfile, Profile, ProfileBuilder, clear};
use crate::table::ProfileRow;
use crate::{Error, Result};
use std::collections::{BTreeSet, HashMap};

/// A flat column, or a watched one that rows lack.
pub(super) struct Line<'a> {
    pub name: &'a str,
    /// With its place among the watched columns.
    watched: Option<(usize, &'a Watched)>,
    /// Its series of each segment, where it is watched.
    series: Vec<&'a mut Series>,
    check: Option<&'a Check>,
}

/// What there is to do for the flat columns of a top-level one, or for a watched column that rows lack.
pub(super) struct Task<'a> {
    /// The top-level column, where there are rows of it.
    root: Option<usize>,
    pub lines: Vec<Line<'a>>,
    shared: &'a mut [ColumnBuilder],
    /// The place of the first of them among all columns of a builder.
    first: usize,
    /// Of each part.
    pub cells: Vec<Cell<'a>>,
    /// What counts windows that are still open.
    pub open: Vec<&'a mut [ColumnBuilder]>,
    pub outcomes: Vec<Outcome>,
}

/// The columns of a task in a part.
pub(super) enum Cell<'a> {
    Shared,
    Own(&'a mut [ColumnBuilder]),
    /// With their places among the profiles of the part.
    Profiles(Vec<Option<(usize, &'a mut ColumnProfile)>>),
}

/// What is said of a line in a part.
pub(super) struct Outcome {
    pub part: usize,
    /// With the place of the column among the watched ones.
    pub judged: Option<(usize, Judged)>,
    pub events: Vec<Event>,
    pub broken: Vec<(Broken, String)>,
    /// With its place among those of the part.
    pub row: Option<(usize, ProfileRow)>,
}

/// What all columns of a part have in common.
pub(super) struct CommonPart<'a> {
    pub window: &'a Window,
    pub segment: usize,
    pub segment_name: &'a str,
    pub rows: u64,
}

/// What all columns go by.
pub(super) struct Common<'a> {
    pub settings: &'a Settings,
    pub budget: Budget,
    pub is_learning: bool,
    pub windows_to_learn: i64,
    /// Columns of the reference.
    pub known: &'a BTreeSet<String>,
    pub parts: Vec<CommonPart<'a>>,
    pub uncounted: &'a Uncounted,
}

/// Names of the flat columns of each top-level one, then of each other column that is watched or that a profile has.
pub(super) fn names_of<'a>(
    shared: &mut ProfileBuilder,
    watched: &'a [Watched],
    profiles: impl Iterator<Item = &'a Profile>,
) -> Vec<Vec<String>> {
    let name = |builder: &ColumnBuilder| builder.profile().name.clone();
    let mut names: Vec<Vec<_>> = shared.roots(0).map(|root| root.iter().map(name).collect()).collect();
    let others = profiles.flat_map(Profile::columns).map(|column| column.name.as_str());
    let others: BTreeSet<&str> = watched.iter().map(|watched| watched.name.as_str()).chain(others).collect();
    let lacking = others.into_iter().filter(|name| shared.place(name).is_none());
    names.extend(lacking.map(|name| vec![name.to_owned()]));
    names
}

/// A task for each of them.
pub(super) fn tasks<'a>(
    names: &'a [Vec<String>],
    watched: &'a [Watched],
    series: &'a mut [Vec<Series>],
    settings: &'a Settings,
    shared: &'a mut ProfileBuilder,
) -> Vec<Task<'a>> {
    let places: HashMap<&str, usize> =
        watched.iter().enumerate().map(|(place, watched)| (watched.name.as_str(), place)).collect();
    let mut of_watched: Vec<Vec<&mut Series>> = vec![];
    of_watched.resize_with(watched.len(), Vec::new);
    for of_segment in series {
        of_segment.iter_mut().zip(&mut of_watched).for_each(|(series, column)| column.push(series));
    }
    let mut line = |name: &'a String| {
        let place = places.get(name.as_str()).copied();
        Line {
            watched: place.map(|place| (place, &watched[place])),
            series: place.map(|place| std::mem::take(&mut of_watched[place])).unwrap_or_default(),
            check: settings.checks.get(name),
            name,
        }
    };
    let (mut roots, mut first) = (shared.roots(0), 0);
    let mut tasks = Vec::with_capacity(names.len());
    for names in names {
        let lines: Vec<_> = names.iter().map(&mut line).collect();
        let shared = roots.next().unwrap_or_default();
        let (root, many) = (shared.first().map(ColumnBuilder::root), shared.len());
        let (cells, open, outcomes) = (vec![], vec![], vec![]);
        tasks.push(Task { root, lines, shared, first, cells, open, outcomes });
        first += many;
    }
    tasks
}

impl Task<'_> {
    /// Goes through all windows.
    ///
    /// # Errors
    /// The column cannot be read, or was counted over other bins.
    pub fn run(&mut self, common: &Common<'_>, scratch: &mut Scratch) -> Result<()> {
        let column = self.root.map(|root| common.uncounted.column(root)).transpose()?;
        let mut count = |part: usize, builders: &mut [ColumnBuilder], is_last: bool| match &column {
            Some(column) => column.count(part, builders, is_last, scratch),
            None => Ok(()),
        };
        for (i, cell) in self.cells.iter_mut().enumerate() {
            let mut say = |line: &mut Line<'_>, profile: Option<(usize, &mut ColumnProfile)>| {
                self.outcomes.push(line.outcome(i, common, profile)?);
                Ok::<(), Error>(())
            };
            let builders = match cell {
                Cell::Shared => &mut *self.shared,
                Cell::Own(builders) => builders,
                Cell::Profiles(profiles) => {
                    for (line, profile) in self.lines.iter_mut().zip(profiles) {
                        say(line, profile.as_mut().map(|(place, profile)| (*place, &mut **profile)))?;
                    }
                    continue;
                }
            };
            count(i, builders, true)?;
            let mut builders = builders.iter_mut();
            for (place, line) in (self.first..).zip(&mut self.lines) {
                say(line, builders.next().map(|builder| (place, builder.profile_mut())))?;
            }
        }
        let mut open = (self.cells.len()..).zip(&mut self.open);
        open.try_for_each(|(part, builders)| count(part, builders, false))
    }
}

impl Line<'_> {
    fn outcome(
        &mut self,
        place: usize,
        common: &Common<'_>,
        profile: Option<(usize, &mut ColumnProfile)>,
    ) -> Result<Outcome> {
        let part = &common.parts[place];
        let is_told = part.window.has_rules && part.segment == WHOLE;
        let known = profile.as_ref().map(|(_, profile)| &**profile);
        let broken = if is_told { self.broken(common, known) } else { vec![] };
        let mut events = vec![];
        let judged = match self.watched {
            Some((column, _)) => Some((column, self.judged(part, common, known, &mut events)?)),
            None => None,
        };
        let row = profile.filter(|_| !part.window.amends).map(|(place, profile)| (place, row_of(profile)));
        Ok(Outcome { part: place, judged, events, broken, row })
    }

    /// What rules say of it.
    fn broken(&self, common: &Common<'_>, profile: Option<&ColumnProfile>) -> Vec<(Broken, String)> {
        let check = self.check.zip(profile).map(|(check, profile)| check.broken(profile));
        let mut found = check.unwrap_or_default();
        if !common.is_learning {
            match (self.watched, profile) {
                (Some((_, watched)), profile) => found.extend(broken_schema(watched, profile)),
                (None, Some(profile)) if !common.known.contains(self.name) => found.push(new_column(profile)),
                (None, _) => {}
            }
        }
        let named = |(rule, text): (Rule, String)| (Broken { column: self.name.to_owned(), rule }, text);
        found.into_iter().map(named).collect()
    }

    fn judged(
        &mut self,
        part: &CommonPart<'_>,
        common: &Common<'_>,
        profile: Option<&ColumnProfile>,
        events: &mut Vec<Event>,
    ) -> Result<Judged> {
        let &CommonPart { window, segment, segment_name, rows } = part;
        let Some((column, watched)) = self.watched else { return Ok(Judged::gone(rows)) };
        let &Window { number, bucket, amends, .. } = window;
        // That a column is gone a rule says, once and not of every segment again; rows say nothing of it.
        if !window.of_reference && window.gone[column] {
            return Ok(Judged::gone(rows));
        }
        let Some(cells) = watched.counts(profile, rows)? else {
            return Ok(Judged::retyped(rows));
        };
        let budget = &common.budget;
        let bucket_of = |window| common.settings.bucket(window);
        let (cells, bucket_of) = (&cells[..], &bucket_of);
        let chooses = window.chooses;
        let seen = Seen {
            watched,
            segment: segment_name,
            window: number,
            bucket,
            cells,
            chooses,
            amends,
            bucket_of,
        };
        let series = &mut *self.series[segment];
        // What chose values that are watched by name was of the reference of all.
        let (of_reference, chooses) = match common.is_learning {
            false if series.learns_itself(&seen, common.windows_to_learn, budget)? => (true, false),
            _ => (window.of_reference, chooses),
        };
        if amends && of_reference {
            series.learn().add_late(watched, cells, bucket, chooses);
            if !common.is_learning {
                return series.judged(&seen, budget, None);
            }
        } else if of_reference {
            series.learn().add_window(watched, cells, bucket, chooses)?;
        }
        let judged = series.update(&seen, budget, events)?;
        if let Span::Trailing(windows) = common.settings.reference
            && !amends
        {
            series.trail(&seen, windows, budget, events)?;
        }
        Ok(judged)
    }
}

/// What is stored of a column, which is ready for other rows afterwards.
pub(super) fn row_of(profile: &mut ColumnProfile) -> ProfileRow {
    let row = ProfileRow::of(profile);
    clear(profile);
    row
}
