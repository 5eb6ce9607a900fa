//! Rows of one window and segment on their way into a profile.
use crate::Result;
use crate::options::Options;
use crate::profile::{Profile, ProfileBuilder};
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

/// A profile that rows are added to, whatever their schema.
#[derive(Default)]
pub(super) struct Collected {
    /// What was there before the schema changed or the process was started again.
    before: Option<Profile>,
    open: Option<(SchemaRef, ProfileBuilder)>,
}

impl Collected {
    /// Goes on from a profile.
    pub fn from_profile(profile: Profile) -> Self {
        Self { before: Some(profile), open: None }
    }

    /// Adds rows.
    ///
    /// # Errors
    /// A column cannot be read.
    pub fn update(&mut self, batch: &RecordBatch, options: &Options) -> Result<()> {
        if self.open.as_ref().is_none_or(|(schema, _)| schema.fields() != batch.schema_ref().fields()) {
            self.flush()?;
            self.open = Some((batch.schema(), ProfileBuilder::try_new(batch.schema_ref(), options)?));
        }
        match &mut self.open {
            Some((_, builder)) => builder.update(batch),
            None => Ok(()),
        }
    }

    fn flush(&mut self) -> Result<()> {
        let Some((_, builder)) = self.open.take() else { return Ok(()) };
        let profile = builder.finish()?;
        match &mut self.before {
            None => self.before = Some(profile),
            Some(before) => add(before, &profile)?,
        }
        Ok(())
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
