//! Windows that have closed are judged together, column by column: its rows of all windows are decoded, and counted, judged
//! and drawn up window by window, before the next column has its turn. What a column takes stays in the cache so, and
//! columns have their turns side by side.
use super::Monitor;
use super::windows::{BrokenRules, Closing};
use crate::guard::decoding;
use crate::monitor::alarm::Event;
use crate::monitor::collected::{Collected, count};
use crate::monitor::picked::Uncounted;
use crate::monitor::rules::{Broken, Check, Rule, broken_schema, new_column};
use crate::monitor::segments::WHOLE;
use crate::monitor::series::{Budget, Judged, Seen, Series};
use crate::monitor::settings::{Settings, Span};
use crate::monitor::tables::{Closed, Late};
use crate::monitor::watched::Watched;
use crate::profile::builder::{ColumnBuilder, Scratch};
use crate::profile::{CELLS_WORTH_A_THREAD, ColumnProfile, Profile, ProfileBuilder, Skipped, clear};
use crate::table::ProfileRow;
use crate::{Error, Result};
use arrow_schema::{Schema, SchemaRef};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// Fewer columns of windows are judged before a second thread would have woken up.
const WORTH_A_THREAD: usize = 16;

/// What all segments of a window have in common.
struct Window {
    number: i64,
    bucket: usize,
    amends: bool,
    /// Whether its rows are of the reference; those that come late to it are, and are no evidence against it.
    of_reference: bool,
    /// Whether values that are watched by name were chosen by its rows.
    chooses: bool,
    /// Which of the watched columns it lacks.
    gone: Vec<bool>,
    rows: u64,
    /// Whether it has no rows at all.
    is_empty: bool,
    /// Whether rules say anything of it.
    has_rules: bool,
}

/// A segment of a window.
struct Part {
    /// The place of its window among those that are judged.
    window: usize,
    segment: usize,
    /// Rows that are to be counted.
    new: u64,
    /// All of its rows.
    rows: u64,
    content: Content,
}

/// What counts the rows of a part.
enum Content {
    /// The builder of all that were not begun before.
    Shared,
    /// A builder of its own: it was begun before, or is to be handed over.
    Own(ProfileBuilder),
    /// Nothing: it was put together.
    Profile(Profile),
}

/// A flat column, or a watched one that rows lack.
struct Line<'a> {
    name: &'a str,
    /// With its place among the watched columns.
    watched: Option<(usize, &'a Watched)>,
    /// Its series of each segment, where it is watched.
    series: Vec<&'a mut Series>,
    check: Option<&'a Check>,
}

/// What there is to do for the flat columns of a top-level one, or for a watched column that rows lack.
struct Task<'a> {
    /// The top-level column, where there are rows of it.
    root: Option<usize>,
    lines: Vec<Line<'a>>,
    shared: &'a mut [ColumnBuilder],
    /// The place of the first of them among all columns of a builder.
    first: usize,
    /// Of each part.
    cells: Vec<Cell<'a>>,
    /// What counts windows that are still open.
    open: Vec<&'a mut [ColumnBuilder]>,
    outcomes: Vec<Outcome>,
}

/// The columns of a task in a part.
enum Cell<'a> {
    Shared,
    Own(&'a mut [ColumnBuilder]),
    /// With their places among the profiles of the part.
    Profiles(Vec<Option<(usize, &'a mut ColumnProfile)>>),
}

/// What is said of a line in a part.
struct Outcome {
    part: usize,
    /// With the place of the column among the watched ones.
    judged: Option<(usize, Judged)>,
    events: Vec<Event>,
    broken: Vec<(Broken, String)>,
    /// With its place among those of the part.
    row: Option<(usize, ProfileRow)>,
}

/// What is said of a part.
struct Said {
    /// At the places of the watched columns.
    judged: Vec<Option<Judged>>,
    /// With the place of the column that they are about.
    events: Vec<(usize, Event)>,
    broken: BrokenRules,
    /// At the places of the profiles.
    rows: Vec<Option<ProfileRow>>,
}

/// What all columns of a part have in common.
struct CommonPart<'a> {
    window: &'a Window,
    segment: usize,
    segment_name: &'a str,
    rows: u64,
}

/// What all columns go by.
struct Common<'a> {
    settings: &'a Settings,
    budget: Budget,
    is_learning: bool,
    windows_to_learn: i64,
    /// Columns of the reference.
    known: &'a BTreeSet<String>,
    parts: Vec<CommonPart<'a>>,
    uncounted: &'a Uncounted,
}

impl Monitor {
    /// Counts all rows that wait, and judges windows that have closed, and rows that came late to some, in this order.
    ///
    /// # Errors
    /// A column cannot be read, or was counted over other bins.
    pub(super) fn judge(&mut self, mut closing: Vec<Closing>) -> Result<()> {
        let Some(schema) = self.schema_to_count(&closing) else { return Ok(()) };
        self.put_together(&mut closing, &schema)?;
        let Some(builders) = &mut self.builders else { return Ok(()) };
        let mut shared = builders.take(&schema)?;
        let mut uncounted = Uncounted::default();
        let (windows, mut parts) = self.parts(closing, &schema, &shared, &mut uncounted)?;
        let said = self.say(&windows, &mut parts, uncounted, &mut shared)?;
        let skipped = shared.skipped().to_vec();
        let mut parts = parts.into_iter().zip(said).peekable();
        for (i, window) in windows.into_iter().enumerate() {
            let is_of_it = |(part, _): &(Part, Said)| part.window == i;
            let mut of_window: Vec<_> = std::iter::from_fn(|| parts.next_if(is_of_it)).collect();
            if window.has_rules {
                let whole = of_window.iter_mut().find(|(part, _)| part.segment == WHOLE);
                let broken = whole.map(|(_, said)| std::mem::take(&mut said.broken)).unwrap_or_default();
                self.tell_rules(window.number, window.rows, window.is_empty, broken);
            }
            for (part, said) in of_window {
                self.tell(&window, part, said, &schema, &skipped)?;
            }
        }
        if let Some(builders) = &mut self.builders {
            builders.put_back(schema, shared);
        }
        Ok(())
    }

    /// The columns of the rows that wait, or of those that were counted last; none where there is nothing to do.
    fn schema_to_count(&self, closing: &[Closing]) -> Option<SchemaRef> {
        let open = self.open.values().chain(self.late.values()).flat_map(BTreeMap::values);
        let closed = closing.iter().flat_map(|closing| closing.parts.values());
        let all = || closed.clone().chain(open.clone());
        let wait = all().find(|part| !part.uncounted.is_empty());
        let schema =
            wait.or_else(|| closed.clone().find(|part| part.begun.is_some())).and_then(Collected::schema);
        schema.cloned().or_else(|| (!closing.is_empty()).then(|| Arc::new(Schema::empty())))
    }

    /// Counts what is of other columns, or goes on from what was before, by itself: profiles are put together of it.
    fn put_together(&mut self, closing: &mut [Closing], schema: &SchemaRef) -> Result<()> {
        let Some(builders) = &mut self.builders else { return Ok(()) };
        let is_like = |of: &SchemaRef| of.fields() == schema.fields();
        let closed = closing.iter_mut().flat_map(|closing| closing.parts.values_mut());
        let is_apart = |part: &&mut Collected| part.before.is_some() || !part.schema().is_none_or(is_like);
        let mut apart: Vec<_> = closed.filter(is_apart).collect();
        count(apart.iter_mut().map(|part| &mut **part), builders)?;
        apart.into_iter().try_for_each(|part| part.peek().map(drop))
    }

    /// Windows and their segments, and the rows of these that are to be counted.
    fn parts(
        &mut self,
        closing: Vec<Closing>,
        schema: &SchemaRef,
        shared: &ProfileBuilder,
        uncounted: &mut Uncounted,
    ) -> Result<(Vec<Window>, Vec<Part>)> {
        let (mut windows, mut parts) = (vec![], vec![]);
        for Closing { window: number, parts: collected, amends } in closing {
            let first = parts.len();
            for (segment, mut collected) in collected {
                self.grow(segment);
                let new = uncounted.push(&std::mem::take(&mut collected.uncounted));
                let content = match (collected.begun.take(), &mut self.builders) {
                    (Some((_, builder)), _) => Content::Own(builder),
                    _ if collected.before.is_some() => Content::Profile(collected.profile()?),
                    (None, Some(builders)) if amends => Content::Own(builders.take(schema)?),
                    _ => Content::Shared,
                };
                let rows = new + content.rows();
                parts.push(Part { window: windows.len(), segment, new, rows, content });
            }
            let whole = parts[first..].iter().find(|part| part.segment == WHOLE);
            windows.push(self.window(number, amends, whole, shared));
        }
        Ok((windows, parts))
    }

    fn window(&mut self, number: i64, amends: bool, whole: Option<&Part>, shared: &ProfileBuilder) -> Window {
        let bucket = self.settings.bucket(number);
        let rows = whole.map_or(0, |whole| whole.rows);
        let has_rules = !amends && self.has_rules(number, rows);
        let state = &self.state;
        let is_trailing = matches!(self.settings.reference, Span::Trailing(_));
        let is_before = state.reference_until.is_some_and(|until| number < until);
        let lacks = |watched: &Watched| match whole.map(|whole| &whole.content) {
            None => false,
            Some(Content::Profile(profile)) => profile.place(&watched.name).is_none(),
            Some(_) => shared.place(&watched.name).is_none(),
        };
        Window {
            number,
            bucket,
            amends,
            of_reference: state.is_learning || (!is_trailing && is_before),
            chooses: state.chosen_by.has(number, bucket),
            gone: state.watched.iter().map(lacks).collect(),
            rows,
            is_empty: whole.is_none(),
            has_rules,
        }
    }

    /// Lets every column count its rows and say what it has to say; those of closed windows become rows of a table.
    fn say(
        &mut self,
        windows: &[Window],
        parts: &mut [Part],
        mut uncounted: Uncounted,
        shared: &mut ProfileBuilder,
    ) -> Result<Vec<Said>> {
        let budget = self.budget();
        let Some(builders) = &mut self.builders else { return Ok(vec![]) };
        let mut said: Vec<Said> =
            parts.iter().map(|part| part.said(self.state.watched.len(), shared)).collect();
        let mut values: u64 = parts.iter().map(|part| part.new).sum();
        let mut open = vec![];
        for part in self.open.values_mut().chain(self.late.values_mut()).flat_map(BTreeMap::values_mut) {
            if let Some((rows, builder)) = part.counting(builders)? {
                let new = uncounted.push(&rows);
                values += new;
                open.push((new, builder));
            }
        }
        values *= shared.columns() as u64;
        let state = &mut self.state;
        let common = Common {
            settings: &self.settings,
            budget,
            is_learning: state.is_learning,
            windows_to_learn: state.windows_to_learn,
            known: &state.known,
            parts: parts
                .iter()
                .map(|part| CommonPart {
                    window: &windows[part.window],
                    segment: part.segment,
                    segment_name: state.segments.name(part.segment),
                    rows: part.rows,
                })
                .collect(),
            uncounted: &uncounted,
        };
        let names = names_of(shared, &state.watched);
        let mut tasks = tasks(&names, &state.watched, &mut state.series, &self.settings, shared);
        parts.iter_mut().for_each(|part| part.hand_out(&mut tasks));
        for (new, builder) in open {
            tasks.iter_mut().zip(builder.roots(new)).for_each(|(task, builders)| task.open.push(builders));
        }
        let cells: usize = tasks.iter().map(|task| task.cells.len() * task.lines.len()).sum();
        let worth = (cells / WORTH_A_THREAD).max(values as usize / CELLS_WORTH_A_THREAD);
        builders
            .crew
            .hand_out(worth, tasks.iter_mut().collect(), |scratch, task| task.run(&common, scratch))?;
        for outcome in tasks.into_iter().flat_map(|task| task.outcomes) {
            said[outcome.part].add(outcome);
        }
        Ok(said)
    }

    /// Hands over what is said of a part.
    fn tell(
        &mut self,
        window: &Window,
        part: Part,
        said: Said,
        schema: &SchemaRef,
        skipped: &[Skipped],
    ) -> Result<()> {
        let Said { judged, mut events, rows, .. } = said;
        events.sort_by_key(|(column, _)| *column);
        for (column, event) in events {
            let event = self.numbered(event, part.segment, column);
            self.output.events.push(event);
        }
        let segment = self.state.segments.name(part.segment).to_owned();
        if window.amends {
            let profile = match part.content {
                Content::Shared => Profile::default(),
                Content::Own(builder) => builder.finish()?,
                Content::Profile(profile) => profile,
            };
            self.output.late.push(Late { window: window.number, segment, profile });
            return Ok(());
        }
        let closed =
            Closed { window: window.number, segment, judged: judged.into_iter().flatten().collect() };
        match part.content {
            Content::Profile(mut profile) => {
                // Columns that are neither watched nor among the rows of others have no rows yet.
                let columns = profile.columns_mut().iter_mut().zip(rows);
                let rows = columns.map(|(column, row)| row.unwrap_or_else(|| row_of(column))).collect();
                self.output.push(closed, rows, profile.skipped().to_vec());
            }
            content => {
                self.output.push(closed, rows.into_iter().flatten().collect(), skipped.to_vec());
                if let (Content::Own(builder), Some(builders)) = (content, &mut self.builders) {
                    builders.put_back(schema.clone(), builder);
                }
            }
        }
        Ok(())
    }
}

/// Names of the flat columns of each top-level one, then of each watched column that is not among them.
fn names_of(shared: &mut ProfileBuilder, watched: &[Watched]) -> Vec<Vec<String>> {
    let name = |builder: &ColumnBuilder| builder.profile().name.clone();
    let mut names: Vec<Vec<_>> = shared.roots(0).map(|root| root.iter().map(name).collect()).collect();
    let lacking = watched.iter().filter(|watched| shared.place(&watched.name).is_none());
    names.extend(lacking.map(|watched| vec![watched.name.clone()]));
    names
}

/// A task for each of them.
fn tasks<'a>(
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

impl Content {
    /// Rows that were counted before.
    fn rows(&self) -> u64 {
        match self {
            Self::Shared => 0,
            Self::Own(builder) => builder.rows(),
            Self::Profile(profile) => profile.rows(),
        }
    }
}

impl Part {
    /// Nothing, with room for what will be said.
    fn said(&self, watched: usize, shared: &ProfileBuilder) -> Said {
        let columns = match &self.content {
            Content::Shared | Content::Own(_) => shared.columns(),
            Content::Profile(profile) => profile.columns().len(),
        };
        let (mut judged, mut rows) = (vec![], vec![]);
        judged.resize_with(watched, || None);
        rows.resize_with(columns, || None);
        Said { judged, events: vec![], broken: BrokenRules::new(), rows }
    }

    /// Hands its columns to their tasks.
    fn hand_out<'a>(&'a mut self, tasks: &mut [Task<'a>]) {
        match &mut self.content {
            Content::Shared => tasks.iter_mut().for_each(|task| task.cells.push(Cell::Shared)),
            Content::Own(builder) => {
                let mut roots = builder.roots(self.new);
                tasks
                    .iter_mut()
                    .for_each(|task| task.cells.push(Cell::Own(roots.next().unwrap_or_default())));
            }
            Content::Profile(profile) => {
                let place = |line: &Line<'_>| profile.place(line.name);
                let places: Vec<Vec<_>> =
                    tasks.iter().map(|task| task.lines.iter().map(place).collect()).collect();
                let mut columns: Vec<_> = profile.columns_mut().iter_mut().map(Some).collect();
                for (task, places) in tasks.iter_mut().zip(places) {
                    let profiles =
                        places.into_iter().map(|place| place.and_then(|i| Some((i, columns[i].take()?))));
                    task.cells.push(Cell::Profiles(profiles.collect()));
                }
            }
        }
    }
}

impl Said {
    fn add(&mut self, outcome: Outcome) {
        if let Some((place, judged)) = outcome.judged {
            self.judged[place] = Some(judged);
            self.events.extend(outcome.events.into_iter().map(|event| (place, event)));
        }
        self.broken.extend(outcome.broken);
        if let Some((place, row)) = outcome.row {
            self.rows[place] = Some(row);
        }
    }
}

impl Task<'_> {
    fn run(&mut self, common: &Common<'_>, scratch: &mut Scratch) -> Result<()> {
        let column = self.root.map(|root| common.uncounted.column(root)).transpose()?;
        let mut count = |part: usize, builders: &mut [ColumnBuilder], is_last: bool| match &column {
            Some(column) => decoding(|| column.count(part, builders, is_last, scratch)),
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
fn row_of(profile: &mut ColumnProfile) -> ProfileRow {
    let row = ProfileRow::of(profile);
    clear(profile);
    row
}
