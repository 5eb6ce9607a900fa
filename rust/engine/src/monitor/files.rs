//! Files read side by side, so that their rows come about in the order of their times.
//!
//! Of all files the one is read on whose earliest row that is left is the earliest, up to the window of the next one.
//! So each knows what is still to come, and windows close when nothing is: what lies out of order, among files or within
//! one, is late only where waiting for it would take too much memory.
//!
//! Which rows come when follows from the files and from how far each was read, so that a run that was killed goes on as if
//! it had not been: of a file that was begun the next batch is always at hand, and its earliest row known.
use super::archive::Times;
use super::picked::Picked;
use super::settings::Settings;
use super::times::{NO_TIME, instants_us};
use super::watch::{Monitor, least_from, no_times, projected};
use crate::Result;
use crate::source::table::{Table, Tables};
use crate::source::{Input, name_input, name_one_of};
use arrow_schema::SchemaRef;
use std::sync::Arc;

/// Files that are open at once: each has the times of some rows in memory, and of each column a page.
const MOST_OPEN: usize = 32;

/// A file that is to be read, or read on.
pub struct Unread {
    /// The file.
    pub input: Input,
    /// Its times.
    pub times: Arc<Times>,
    /// Rows at its beginning that are left out.
    pub skip: u64,
    /// Rows of before this instant are left out, and those without time.
    pub since_us: Option<i64>,
}

/// Files that are read side by side.
pub struct Files {
    files: Vec<File>,
    most_held: usize,
    /// Whether files that were begun before are open.
    is_begun: bool,
}

struct File {
    unread: Unread,
    tables: Option<Tables>,
    /// Whether tables were taken from there. Until then it is only read ahead, and not open to anything else.
    is_begun: bool,
    /// Rows of the batches that were taken from there.
    taken: u64,
    batch: Option<Batch>,
    /// Rows that were handed over, or left out.
    done: u64,
    is_over: bool,
}

/// Rows that are being handed over.
struct Batch {
    /// All columns.
    schema: SchemaRef,
    /// Those of which anything is asked.
    rows: Picked,
    times: Vec<i64>,
    /// The earliest time of each row and of all after it in the file.
    least: Vec<i64>,
    /// Where each row is in the file.
    places: Vec<u64>,
    /// Rows that were handed over.
    at: usize,
    /// Rows of the file up to its end.
    end: u64,
}

impl Files {
    /// Files of which none is open yet; windows wait for their rows as long as these take no more than so many profiles of
    /// columns, some 10 KB each.
    pub fn new(files: Vec<Unread>, most_held: usize) -> Self {
        let file = |unread: Unread| {
            let (done, is_over) = (unread.skip, unread.skip >= unread.times.rows);
            File { unread, tables: None, is_begun: false, taken: 0, batch: None, done, is_over }
        };
        Self { files: files.into_iter().map(file).collect(), most_held, is_begun: false }
    }

    /// Of each file the rows up to which it was read, and whether that is all.
    pub fn progress(&self) -> Vec<(u64, bool)> {
        self.files.iter().map(|file| (file.done, file.is_over)).collect()
    }

    /// Whether no table is handed over in part: what decodes its columns would have to be kept.
    fn are_between_tables(&self) -> bool {
        self.files.iter().all(|file| file.batch.as_ref().is_none_or(|batch| batch.at == 0))
    }

    /// Lets the file be opened whose rows come after those of the open ones: the first rows of text are read ahead, which
    /// takes long, as their types are those of the whole file.
    fn read_ahead(&mut self, settings: &Settings) -> Result<()> {
        let is_unread = |file: &&mut File| !file.is_begun && !file.is_over;
        let following = self.files.iter_mut().filter(is_unread).min_by_key(|file| file.least_us());
        match following {
            Some(file) if file.tables.is_none() => file.open(settings).map(drop),
            _ => Ok(()),
        }
    }

    /// The file to be read on, the earliest row of the others, and that of those others whose turn may come.
    fn next(&self) -> Option<(usize, i64, i64)> {
        let may_open = self.files.iter().filter(|file| file.is_open()).count() < MOST_OPEN;
        let left = || self.files.iter().enumerate().filter(|(_, file)| !file.is_over);
        let may_come = |file: &File| may_open || file.is_open();
        let (next, _) = left().filter(|(_, file)| may_come(file)).min_by_key(|(_, file)| file.least_us())?;
        let others = || left().filter(|(i, _)| *i != next);
        let least = |others: &mut dyn Iterator<Item = (usize, &File)>| {
            others.map(|(_, file)| file.least_us()).min().unwrap_or(i64::MAX)
        };
        Some((next, least(&mut others()), least(&mut others().filter(|(_, file)| may_come(file)))))
    }
}

impl File {
    fn is_open(&self) -> bool {
        self.is_begun && !self.is_over
    }

    /// The earliest time of what is left.
    fn least_us(&self) -> i64 {
        match &self.batch {
            Some(batch) => batch.least[batch.at],
            None => self.least_from(self.done),
        }
    }

    fn least_from(&self, row: u64) -> i64 {
        self.unread.times.least_from(row).max(self.unread.since_us.unwrap_or(i64::MIN))
    }

    fn open(&mut self, settings: &Settings) -> Result<&mut Tables> {
        match &mut self.tables {
            Some(tables) => Ok(tables),
            closed => {
                // These tell where rows belong, before anything of them is counted.
                let at_hand = std::iter::once(&settings.time).chain(settings.segments.iter().flatten());
                let tables = Tables::try_new(self.unread.input.clone(), at_hand.cloned().collect());
                Ok(closed.insert(tables?))
            }
        }
    }

    /// Reads on until there are rows to be handed over, or no more.
    fn load(&mut self, settings: &Settings) -> Result<()> {
        self.is_begun = true;
        while self.batch.is_none() && !self.is_over {
            if self.done >= self.unread.times.rows {
                self.end();
                return Ok(());
            }
            match self.open(settings)?.next() {
                // What was written after the times were read is left for later.
                Some(table) if self.taken < self.unread.times.rows => {
                    let laid = self.lay(&table?, settings);
                    laid.map_err(|error| name_input(error, &self.unread.input.name))?;
                }
                _ => self.end(),
            }
        }
        Ok(())
    }

    /// Lays rows ready to be handed over, where they are asked for.
    fn lay(&mut self, table: &Table, settings: &Settings) -> Result<()> {
        let first = self.taken;
        self.taken += table.num_rows() as u64;
        let end = self.taken.min(self.unread.times.rows);
        let column = &settings.time;
        let times = table.column_by_name(column).ok_or_else(|| no_times(column, table.schema()))?;
        let times = instants_us(&times?, column)?;
        let (skip, since_us) = (self.unread.skip, self.unread.since_us);
        let asked = |row: usize| {
            let place = first + row as u64;
            place >= skip && place < end && since_us.is_none_or(|since_us| times[row] >= since_us)
        };
        let asked: Vec<u32> = (0..times.len()).filter(|&row| asked(row)).map(|row| row as u32).collect();
        if asked.is_empty() {
            self.done = self.done.max(end);
            return Ok(());
        }
        let rows = projected(settings, table).take(&asked);
        let places = asked.iter().map(|&row| first + u64::from(row)).collect();
        let times: Vec<i64> = asked.iter().map(|&row| times[row as usize]).collect();
        let latest_us = self.unread.times.latest_us;
        let sane = |&time: &i64| if (0..=latest_us).contains(&time) { time } else { NO_TIME };
        let sane: Vec<i64> = times.iter().map(sane).collect();
        let least = least_from(&sane, self.least_from(end));
        let schema = table.schema().clone();
        self.batch = Some(Batch { schema, rows, times, least, places, at: 0, end });
        Ok(())
    }

    fn end(&mut self) {
        (self.batch, self.tables, self.is_over) = (None, None, true);
        self.done = self.done.max(self.unread.times.rows);
    }
}

impl Monitor {
    /// Adds some rows of files until about so many results wait to be taken, or it has been long enough: how many rows, and
    /// whether they are all.
    ///
    /// # Errors
    /// A file cannot be read, which the message names.
    pub fn read(
        &mut self,
        files: &mut Files,
        now_us: i64,
        most_results: usize,
        is_long: &dyn Fn() -> bool,
    ) -> Result<(u64, bool)> {
        if !std::mem::replace(&mut files.is_begun, true) {
            self.find_names(files.files.iter().map(|file| &file.unread.input))?;
            let begun = |file: &&mut File| file.unread.skip > 0 && !file.is_over;
            let begun = files.files.iter_mut().filter(begun).take(MOST_OPEN);
            begun.into_iter().try_for_each(|file| file.load(&self.settings))?;
        }
        let mut rows = 0;
        while let Some(added) = self.read_some(files, now_us, most_results)? {
            rows += added;
            let is_enough = is_long() || self.is_worth_settling(most_results, files.are_between_tables());
            if is_enough && files.next().is_some() {
                self.settle()?;
                return Ok((rows, false));
            }
        }
        self.hold(None, files.most_held)?;
        Ok((rows, true))
    }

    /// Adds rows of the file whose turn it is, if there are any.
    fn read_some(&mut self, files: &mut Files, now_us: i64, most_results: usize) -> Result<Option<u64>> {
        loop {
            let Some((next, others_us, turn_us)) = files.next() else { return Ok(None) };
            let file = &mut files.files[next];
            if file.batch.is_none() {
                // Now its earliest row is known, which may be later than was thought.
                file.load(&self.settings)?;
                files.read_ahead(&self.settings)?;
                continue;
            }
            let name = file.unread.input.name.clone();
            let at_once = self.windows_at_once(most_results);
            let added = self.read_on(file, (others_us, turn_us), at_once, files.most_held, now_us);
            let inputs = files.files.iter().map(|file| &file.unread.input);
            return added.map(Some).map_err(|error| name_one_of(error, &name, inputs));
        }
    }

    /// The instant with which so many windows end, of which the first one holds an instant.
    fn windows_on(&self, instant_us: i64, many: i64) -> i64 {
        let calendar = &self.settings.calendar;
        if instant_us == i64::MAX { i64::MAX } else { calendar.start_us(calendar.number(instant_us) + many) }
    }

    /// Adds rows of a file up to the window of the earliest row of the next one, of so many windows at once.
    fn read_on(
        &mut self,
        file: &mut File,
        (others_us, turn_us): (i64, i64),
        at_once: i64,
        most_held: usize,
        now_us: i64,
    ) -> Result<u64> {
        let Some(batch) = &mut file.batch else { return Ok(0) };
        let from = batch.at;
        // Up to the window of the next file, and not so far that more windows close than are judged together.
        let end_us = self.windows_on(turn_us, 1).min(self.windows_on(batch.least[from], at_once));
        // Rows without a time, at the end of a file, have no earliest one: they are not kept from coming.
        let many = batch.least[from..].partition_point(|&least| least < end_us || end_us == i64::MAX).max(1);
        let to = from + many;
        let (rows, times) = (batch.rows.slice(from, many), batch.times[from..to].to_vec());
        let schema = batch.schema.clone();
        let is_done = to == batch.rows.len();
        batch.at = to;
        file.done = if is_done { batch.end } else { batch.places[to] };
        if is_done {
            file.batch = None;
        }
        file.load(&self.settings)?;
        let left_us = if file.is_over { i64::MAX } else { file.least_us() };
        self.hold(Some(left_us.min(others_us)), most_held)?;
        self.check(&schema)?;
        self.add(&rows, times, now_us)?;
        Ok(many as u64)
    }
}
