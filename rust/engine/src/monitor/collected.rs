//! Rows of one window and segment on their way into a profile.
use super::builders::{Builders, Counted};
use crate::Result;
use crate::profile::{Profile, ProfileBuilder, Scratches, Uncounted, count_all};
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

/// A profile that rows are added to, whatever their schema.
#[derive(Default)]
pub(super) struct Collected {
    /// What was there before the schema changed or the process was started again.
    before: Option<Profile>,
    open: Option<(SchemaRef, ProfileBuilder)>,
    /// Rows that wait to be counted: many windows at once take less time than each by itself.
    uncounted: Vec<RecordBatch>,
}

impl Collected {
    /// Goes on from a profile.
    pub fn from_profile(profile: Profile) -> Self {
        Self { before: Some(profile), ..Self::default() }
    }

    /// Adds rows, which wait until [`count`] is called.
    ///
    /// # Errors
    /// A column of those before cannot be read.
    pub fn add(&mut self, batch: &RecordBatch, builders: &mut Builders) -> Result<()> {
        if self.open.as_ref().is_none_or(|(schema, _)| schema.fields() != batch.schema_ref().fields()) {
            self.flush()?;
            self.open = Some(builders.take(batch.schema_ref())?);
        }
        self.uncounted.push(batch.clone());
        Ok(())
    }

    /// Adds rows and counts them.
    ///
    /// # Errors
    /// A column cannot be read.
    pub fn update(&mut self, batch: &RecordBatch, builders: &mut Builders) -> Result<()> {
        self.add(batch, builders)?;
        count(std::iter::once((self, false)), builders)
    }

    fn flush(&mut self) -> Result<()> {
        if !self.uncounted.is_empty() {
            count_on(std::iter::once((&mut *self, true)), &mut Scratches::new(1))?;
        }
        let Some((_, builder)) = self.open.take() else { return Ok(()) };
        let profile = builder.finish()?;
        match &mut self.before {
            None => self.before = Some(profile),
            Some(before) => add(before, &profile)?,
        }
        Ok(())
    }

    /// What was counted of all rows, after [`count`] was told that no more are to come.
    ///
    /// # Errors
    /// A column cannot be read.
    pub fn counted(self) -> Result<Counted> {
        match self {
            Self { before: None, open: Some((schema, builder)), uncounted } if uncounted.is_empty() => {
                Ok(Counted::Builder(schema, builder))
            }
            other => other.profile().map(Counted::Profile),
        }
    }

    /// The profile of all rows so far.
    ///
    /// # Errors
    /// A column cannot be read.
    pub fn profile(mut self) -> Result<Profile> {
        self.flush()?;
        Ok(self.before.unwrap_or_default())
    }

    /// The same, without an end to it.
    ///
    /// # Errors
    /// A column cannot be read.
    pub fn peek(&mut self) -> Result<&Profile> {
        self.flush()?;
        Ok(self.before.get_or_insert_default())
    }
}

/// Counts the rows that wait; of some no more will come, so that what is left to do for them is done at once.
///
/// # Errors
/// A column cannot be read.
pub(super) fn count<'a>(
    collected: impl Iterator<Item = (&'a mut Collected, bool)>,
    builders: &mut Builders,
) -> Result<()> {
    count_on(collected, &mut builders.scratches)
}

fn count_on<'a>(
    collected: impl Iterator<Item = (&'a mut Collected, bool)>,
    scratches: &mut Scratches,
) -> Result<()> {
    let (mut builders, mut done) = (vec![], vec![]);
    for (Collected { open, uncounted, .. }, is_last) in collected {
        let Some((_, builder)) = open else { continue };
        if is_last || !uncounted.is_empty() {
            builders.push((builder, is_last));
            done.push(std::mem::take(uncounted));
        }
    }
    let uncounted = builders.into_iter().zip(&done);
    let uncounted = uncounted.map(|((builder, is_last), batches)| Uncounted { builder, batches, is_last });
    count_all(uncounted, scratches)
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
