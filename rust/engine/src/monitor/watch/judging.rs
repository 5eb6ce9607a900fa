//! Windows that have closed are judged together, column by column, and columns have their turns side by side.
use super::Monitor;
use super::columns::{Cell, Common, CommonPart, Line, Outcome, Task, names_of, row_of, tasks};
use super::windows::{BrokenRules, Closing};
use crate::Result;
use crate::monitor::alarm::Event;
use crate::monitor::collected::{Collected, count};
use crate::monitor::picked::Uncounted;
use crate::monitor::segments::WHOLE;
use crate::monitor::series::Judged;
use crate::monitor::settings::Span;
use crate::monitor::tables::{Closed, Late};
use crate::monitor::watched::Watched;
use crate::profile::{CELLS_WORTH_A_THREAD, Profile, ProfileBuilder, Skipped};
use crate::table::ProfileRow;
use arrow_schema::{Schema, SchemaRef};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Fewer columns of windows are judged before a second thread would have woken up.
const WORTH_A_THREAD: usize = 16;

/// What all segments of a window have in common.
pub(super) struct Window {
    pub number: i64,
    pub bucket: usize,
    pub amends: bool,
    /// Whether its rows are of the reference; those that come late to it are, and are no evidence against it.
    pub of_reference: bool,
    /// Whether values that are watched by name were chosen by its rows.
    pub chooses: bool,
    /// Which of the watched columns it lacks.
    pub gone: Vec<bool>,
    rows: u64,
    /// Whether it has no rows at all.
    is_empty: bool,
    /// Whether rules say anything of it.
    pub has_rules: bool,
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
        let names = names_of(shared, &state.watched, parts.iter().filter_map(Part::profile));
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

    /// Its profile, where it was put together.
    fn profile(&self) -> Option<&Profile> {
        match &self.content {
            Content::Profile(profile) => Some(profile),
            Content::Shared | Content::Own(_) => None,
        }
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
