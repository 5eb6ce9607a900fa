//! Rows of one window and segment on their way into a profile.
use super::builders::Builders;
use super::picked::{Picked, Uncounted};
use crate::Result;
use crate::profile::builder::{ColumnBuilder, Scratch};
use crate::profile::{CELLS_WORTH_A_THREAD, Profile, ProfileBuilder};
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

/// A profile that rows are added to, whatever their schema.
#[derive(Default)]
pub(super) struct Collected {
    /// What was there before the schema changed or the process was started again.
    pub before: Option<Profile>,
    /// What was counted since.
    pub begun: Option<(SchemaRef, ProfileBuilder)>,
    /// Rows that wait to be counted, of the same columns: many windows at once take less time than each by itself.
    pub uncounted: Vec<Picked>,
}

impl Collected {
    /// Goes on from a profile.
    pub fn from_profile(profile: Profile) -> Self {
        Self { before: Some(profile), ..Self::default() }
    }

    /// The columns of the rows that came last.
    pub fn schema(&self) -> Option<&SchemaRef> {
        let begun = self.begun.as_ref().map(|(schema, _)| schema);
        self.uncounted.last().map(Picked::schema).or(begun)
    }

    /// Adds rows, which wait until they are [counted](count).
    ///
    /// # Errors
    /// A column of those before cannot be read.
    pub fn add(&mut self, rows: Picked, builders: &mut Builders) -> Result<()> {
        if self.schema().is_some_and(|schema| schema.fields() != rows.schema().fields()) {
            count(std::iter::once(&mut *self), builders)?;
            self.end()?;
        }
        self.uncounted.push(rows);
        Ok(())
    }

    /// Adds rows and counts them.
    ///
    /// # Errors
    /// A column cannot be read.
    pub fn update(&mut self, rows: RecordBatch, builders: &mut Builders) -> Result<()> {
        self.add(Picked::all(rows), builders)?;
        count(std::iter::once(self), builders)
    }

    /// What was counted becomes a part of what was before.
    fn end(&mut self) -> Result<()> {
        debug_assert!(self.uncounted.is_empty(), "rows were not counted");
        let Some((_, builder)) = self.begun.take() else { return Ok(()) };
        let profile = builder.finish()?;
        match &mut self.before {
            None => self.before = Some(profile),
            Some(before) => add(before, &profile)?,
        }
        Ok(())
    }

    /// The profile of all rows so far, which were counted.
    ///
    /// # Errors
    /// A column cannot be read.
    pub fn profile(mut self) -> Result<Profile> {
        self.end()?;
        Ok(self.before.unwrap_or_default())
    }

    /// The same, without an end to it.
    ///
    /// # Errors
    /// A column cannot be read.
    pub fn peek(&mut self) -> Result<&Profile> {
        self.end()?;
        Ok(self.before.get_or_insert_default())
    }

    /// Takes what is to count the rows that wait, where there is nothing yet.
    ///
    /// # Errors
    /// Names come up twice.
    pub fn begin(&mut self, builders: &mut Builders) -> Result<()> {
        if let (None, Some(first)) = (&self.begun, self.uncounted.first()) {
            self.begun = Some((first.schema().clone(), builders.take(first.schema())?));
        }
        Ok(())
    }

    /// Hands over the rows that wait, and what is to count them.
    ///
    /// # Errors
    /// As of [`begin`](Self::begin).
    pub fn counting(
        &mut self,
        builders: &mut Builders,
    ) -> Result<Option<(Vec<Picked>, &mut ProfileBuilder)>> {
        self.begin(builders)?;
        let rows = std::mem::take(&mut self.uncounted);
        Ok(self.begun.as_mut().filter(|_| !rows.is_empty()).map(|(_, builder)| (rows, builder)))
    }
}

/// Counts the rows that wait, column by column over all that have the same columns: a thread takes the next column that
/// nobody has. The number of threads changes nothing in the result.
///
/// # Errors
/// A column cannot be read.
pub(super) fn count<'a>(
    collected: impl Iterator<Item = &'a mut Collected>,
    builders: &mut Builders,
) -> Result<()> {
    let mut unlike: Vec<(SchemaRef, Uncounted, Columns<'a>)> = vec![];
    for part in collected {
        let Some(schema) = part.uncounted.first().map(|rows| rows.schema().clone()) else { continue };
        let known = unlike.iter().rposition(|(known, ..)| known.fields() == schema.fields());
        let place = known.unwrap_or_else(|| {
            unlike.push((schema, Uncounted::default(), Columns::default()));
            unlike.len() - 1
        });
        if let Some((rows, builder)) = part.counting(builders)? {
            let (_, uncounted, columns) = &mut unlike[place];
            let many = uncounted.push(&rows);
            columns.add(many, builder);
        }
    }
    for (_, uncounted, columns) in unlike {
        let worth = columns.cells / CELLS_WORTH_A_THREAD;
        builders.crew.hand_out(worth, columns.together, |scratch, parts| {
            let Some(root) = parts.first().and_then(|first| first.first()).map(ColumnBuilder::root) else {
                return Ok(());
            };
            count_column(&uncounted, root, parts, scratch)
        })?;
    }
    Ok(())
}

fn count_column(
    uncounted: &Uncounted,
    root: usize,
    parts: Vec<&mut [ColumnBuilder]>,
    scratch: &mut Scratch,
) -> Result<()> {
    let column = uncounted.column(root)?;
    let mut parts = parts.into_iter().enumerate();
    parts.try_for_each(|(part, builders)| column.count(part, builders, false, scratch))
}

/// What counts each top-level column, in all parts.
#[derive(Default)]
struct Columns<'a> {
    together: Vec<Vec<&'a mut [ColumnBuilder]>>,
    cells: usize,
}

impl<'a> Columns<'a> {
    fn add(&mut self, rows: u64, builder: &'a mut ProfileBuilder) {
        self.cells += rows as usize * builder.columns();
        for (root, builders) in builder.roots(rows).enumerate() {
            if root == self.together.len() {
                self.together.push(vec![]);
            }
            self.together[root].push(builders);
        }
    }
}

/// Adds a profile to another, column by column: one that does not fit any more is taken over as it is now, and its rows of
/// before are absent. A column that changes its type within a window must not lose the others.
pub(super) fn add(before: &mut Profile, later: &Profile) -> Result<()> {
    let clash = |profile: &Profile| {
        let columns = profile.columns().iter();
        let clashes = columns.filter(|column| {
            later.column(&column.name).is_some_and(|now| column.check_mergeable(now).is_err())
        });
        clashes.map(|column| column.name.clone()).collect::<Vec<_>>()
    };
    let clashes = clash(before);
    if !clashes.is_empty() {
        let (rows, skipped) = (before.rows(), before.skipped().to_vec());
        let kept = std::mem::take(before).into_columns();
        let kept = kept.into_iter().filter(|column| !clashes.contains(&column.name)).collect();
        *before = Profile::try_new(rows, kept, skipped)?;
    }
    before.merge(later)
}
