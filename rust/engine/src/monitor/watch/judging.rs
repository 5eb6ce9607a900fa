//! Windows that have closed are judged together, series by series: each goes through all of them before the next one has
//! its turn, and series have their turns side by side.
use super::Monitor;
use super::windows::{Closing, Rules};
use crate::Result;
use crate::monitor::alarm::Event;
use crate::monitor::builders::Counted;
use crate::monitor::segments::WHOLE;
use crate::monitor::series::{Budget, Judged, Seen, Series};
use crate::monitor::settings::{Settings, Span};
use crate::monitor::tables::{Closed, Late};
use crate::monitor::watched::Watched;
use crate::profile::{ColumnProfile, Profile, clear};
use crate::table::ProfileRow;
use crate::threads;
use std::collections::BTreeMap;

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
    /// What rules say of it, where all its rows are there.
    rules: Option<Rules>,
}

/// A segment of a window.
struct Part {
    /// The place of its window among those that are judged.
    window: usize,
    segment: usize,
    rows: u64,
    /// Where the profile of each watched column is.
    places: Vec<Option<usize>>,
    content: Content,
}

/// What was counted of it: late rows are handed over as they are, of others all becomes rows of a table.
enum Content {
    Late(Profile),
    Closed(Counted),
}

/// A part of which the columns are handed to their series one by one.
struct Source<'a> {
    /// The place of the part.
    part: usize,
    window: &'a Window,
    rows: u64,
    places: &'a [Option<usize>],
    columns: Columns<'a>,
}

enum Columns<'a> {
    Late(&'a Profile),
    /// Each is handed out once.
    Closed(Vec<Option<&'a mut ColumnProfile>>),
}

/// A series, and what it is to judge, in the order of time.
struct Task<'a> {
    watched: &'a Watched,
    series: &'a mut Series,
    /// The name of its segment.
    segment: &'a str,
    cells: Vec<Cell<'a>>,
}

/// A watched column of a part.
struct Cell<'a> {
    /// The place of the part.
    part: usize,
    window: &'a Window,
    is_gone: bool,
    rows: u64,
    profile: Option<Column<'a>>,
}

enum Column<'a> {
    Late(&'a ColumnProfile),
    /// With its place among the profiles of its part.
    Closed(usize, &'a mut ColumnProfile),
}

impl Column<'_> {
    fn profile(&self) -> &ColumnProfile {
        match self {
            Self::Late(profile) => profile,
            Self::Closed(_, profile) => profile,
        }
    }

    /// The row of a closed one, and its place.
    fn into_row(self) -> Option<(usize, ProfileRow)> {
        match self {
            Self::Late(_) => None,
            Self::Closed(place, profile) => Some((place, row_of(profile))),
        }
    }
}

/// What is stored of a column, which is ready for other rows afterwards.
fn row_of(profile: &mut ColumnProfile) -> ProfileRow {
    let row = ProfileRow::of(profile);
    clear(profile);
    row
}

/// What is said of a cell, and the row that came of its profile.
struct Outcome {
    part: usize,
    judged: Judged,
    events: Vec<Event>,
    row: Option<(usize, ProfileRow)>,
}

/// What is said of a part, column by column.
struct Said {
    judged: Vec<Judged>,
    /// With the place of the column that they are about.
    events: Vec<(usize, Event)>,
    /// At the places of the profiles.
    rows: Vec<Option<ProfileRow>>,
}

/// What all series go by.
struct Common<'a> {
    settings: &'a Settings,
    budget: Budget,
    is_learning: bool,
    windows_to_learn: i64,
}

impl Monitor {
    /// Judges windows that have closed, and rows that came late to some, in this order.
    ///
    /// # Errors
    /// A column cannot be read, or was counted over other bins.
    pub(super) fn judge(&mut self, closing: Vec<Closing>) -> Result<()> {
        let (windows, mut parts) = self.parts(closing)?;
        let said = self.say(&windows, &mut parts)?;
        let mut parts = parts.into_iter().zip(said).peekable();
        for (i, window) in windows.into_iter().enumerate() {
            if let Some(rules) = window.rules {
                self.tell_rules(window.number, window.rows, rules);
            }
            while let Some((part, said)) = parts.next_if(|(part, _)| part.window == i) {
                self.tell(window.number, part, said);
            }
        }
        Ok(())
    }

    /// Profiles of windows and their segments, and what rules say of them.
    fn parts(&mut self, closing: Vec<Closing>) -> Result<(Vec<Window>, Vec<Part>)> {
        let (mut windows, mut parts) = (vec![], vec![]);
        for Closing { window: number, parts: collected, amends } in closing {
            let counted = collected.into_iter().map(|(segment, rows)| Ok((segment, rows.counted()?)));
            let counted = counted.collect::<Result<BTreeMap<usize, Counted>>>()?;
            windows.push(self.window(number, amends, counted.get(&WHOLE)));
            for (segment, counted) in counted {
                self.grow(segment);
                parts.push(self.part(windows.len() - 1, segment, counted, amends)?);
            }
        }
        Ok((windows, parts))
    }

    fn window(&mut self, number: i64, amends: bool, whole: Option<&Counted>) -> Window {
        let bucket = self.settings.bucket(number);
        let rules = if amends { None } else { self.look_at_rules(number, whole) };
        let state = &self.state;
        let is_trailing = matches!(self.settings.reference, Span::Trailing(_));
        let is_before = state.reference_until.is_some_and(|until| number < until);
        let lacks = |watched: &Watched| whole.is_some_and(|whole| whole.place(&watched.name).is_none());
        Window {
            number,
            bucket,
            amends,
            of_reference: state.is_learning || (!is_trailing && is_before),
            chooses: state.chosen_by.has(number, bucket),
            gone: state.watched.iter().map(lacks).collect(),
            rows: whole.map_or(0, Counted::rows),
            rules,
        }
    }

    fn part(&self, window: usize, segment: usize, counted: Counted, amends: bool) -> Result<Part> {
        let places = self.state.watched.iter().map(|watched| counted.place(&watched.name)).collect();
        let rows = counted.rows();
        let content = if amends { Content::Late(counted.into_profile()?) } else { Content::Closed(counted) };
        Ok(Part { window, segment, rows, places, content })
    }

    /// Lets every series say what it has to say; the columns of closed windows become rows.
    fn say(&mut self, windows: &[Window], parts: &mut [Part]) -> Result<Vec<Said>> {
        let common = Common {
            settings: &self.settings,
            budget: self.budget(),
            is_learning: self.state.is_learning,
            windows_to_learn: self.state.windows_to_learn,
        };
        let state = &mut self.state;
        let mut of_segments: Vec<Vec<Source<'_>>> = vec![];
        of_segments.resize_with(state.series.len(), Vec::new);
        for (i, part) in parts.iter_mut().enumerate() {
            of_segments[part.segment].push(part.source(i, &windows[part.window]));
        }
        let mut tasks = vec![];
        for (segment, (series, mut sources)) in state.series.iter_mut().zip(of_segments).enumerate() {
            if sources.is_empty() {
                continue;
            }
            let segment = state.segments.name(segment);
            for (column, (watched, series)) in state.watched.iter().zip(series).enumerate() {
                let cells = sources.iter_mut().map(|source| source.cell(column)).collect();
                tasks.push((column, Task { watched, series, segment, cells }));
            }
        }
        let cells: usize = tasks.iter().map(|(_, task)| task.cells.len()).sum();
        let threads = threads::count(self.settings.threads).min(cells / WORTH_A_THREAD).max(1);
        let outcomes =
            threads::take_turns(threads, &mut tasks, |(column, task)| (*column, task.run(&common)));
        drop(tasks);
        let mut said: Vec<Said> = parts.iter().map(Part::said).collect();
        for (column, outcomes) in outcomes {
            for Outcome { part, judged, events, row } in outcomes? {
                let said = &mut said[part];
                said.judged.push(judged);
                said.events.extend(events.into_iter().map(|event| (column, event)));
                if let Some((place, row)) = row {
                    said.rows[place] = Some(row);
                }
            }
        }
        Ok(said)
    }

    /// Hands over what is said of a part.
    fn tell(&mut self, window: i64, part: Part, said: Said) {
        let Said { judged, events, rows } = said;
        for (column, event) in events {
            let event = self.numbered(event, part.segment, column);
            self.output.events.push(event);
        }
        let segment = self.state.segments.name(part.segment).to_owned();
        match part.content {
            Content::Late(profile) => self.output.late.push(Late { window, segment, profile }),
            Content::Closed(mut counted) => {
                let skipped = counted.skipped().to_vec();
                // Columns that are not watched have no rows yet.
                let columns = counted.restart().into_iter().zip(rows);
                let rows = columns.map(|(column, row)| row.unwrap_or_else(|| row_of(column))).collect();
                self.output.push(Closed { window, segment, judged }, rows, skipped);
                if let Some(builders) = &mut self.builders {
                    builders.put_back(counted);
                }
            }
        }
    }
}

impl Part {
    fn source<'a>(&'a mut self, part: usize, window: &'a Window) -> Source<'a> {
        let columns = match &mut self.content {
            Content::Late(profile) => Columns::Late(profile),
            Content::Closed(counted) => Columns::Closed(counted.restart().into_iter().map(Some).collect()),
        };
        Source { part, window, rows: self.rows, places: &self.places, columns }
    }

    /// Nothing, with room for its rows.
    fn said(&self) -> Said {
        let mut rows = vec![];
        if let Content::Closed(counted) = &self.content {
            rows.resize_with(counted.columns().len(), || None);
        }
        Said { judged: vec![], events: vec![], rows }
    }
}

impl<'a> Source<'a> {
    fn cell(&mut self, column: usize) -> Cell<'a> {
        let place = self.places[column];
        let profile = match &mut self.columns {
            Columns::Late(profile) => place.map(|place| Column::Late(&profile.columns()[place])),
            Columns::Closed(columns) => {
                place.and_then(|place| Some(Column::Closed(place, columns[place].take()?)))
            }
        };
        let (part, window, rows) = (self.part, self.window, self.rows);
        Cell { part, window, is_gone: window.gone[column], rows, profile }
    }
}

impl Task<'_> {
    fn run(&mut self, common: &Common<'_>) -> Result<Vec<Outcome>> {
        let cells = std::mem::take(&mut self.cells).into_iter();
        cells.map(|cell| self.outcome(cell, common)).collect()
    }

    fn outcome(&mut self, cell: Cell<'_>, common: &Common<'_>) -> Result<Outcome> {
        let mut events = vec![];
        let judged = self.judged(&cell, common, &mut events)?;
        let row = cell.profile.and_then(Column::into_row);
        Ok(Outcome { part: cell.part, judged, events, row })
    }

    fn judged(&mut self, cell: &Cell<'_>, common: &Common<'_>, events: &mut Vec<Event>) -> Result<Judged> {
        let &Cell { window, is_gone, rows, .. } = cell;
        let (watched, segment, budget) = (self.watched, self.segment, &common.budget);
        let &Window { number, bucket, amends, .. } = window;
        // That a column is gone a rule says, once and not of every segment again; rows say nothing of it.
        if !window.of_reference && is_gone {
            return Ok(Judged::gone(rows));
        }
        let profile = cell.profile.as_ref().map(Column::profile);
        let Some(cells) = watched.counts(profile, rows)? else {
            return Ok(Judged::retyped(rows));
        };
        let bucket_of = |window| common.settings.bucket(window);
        let (cells, bucket_of) = (&cells[..], &bucket_of);
        let chooses = window.chooses;
        let seen = Seen { watched, segment, window: number, bucket, cells, chooses, amends, bucket_of };
        let series = &mut *self.series;
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
