//! Rows of one window and segment on their way into a profile.
use crate::Result;
use crate::options::Options;
use crate::profile::{ColumnProfile, Profile, ProfileBuilder, Scratches, Skipped, Uncounted, count_all};
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

/// Makes builders, and those again that have done their work, with the memory that they have: making and growing them anew
/// for each window takes as long as counting its rows.
pub(super) struct Builders {
    options: Options,
    scratches: Scratches,
    spare: Vec<(SchemaRef, ProfileBuilder)>,
}

/// Columns of builders that wait for their next use: they keep what they took at most, some 20 KB each where windows have
/// some thousand rows.
const MOST_SPARE: usize = 4096;

impl Builders {
    /// Builders by these options.
    pub fn new(options: Options) -> Self {
        Self { scratches: Scratches::new(options.threads), options, spare: vec![] }
    }

    /// How rows are profiled.
    pub fn options(&self) -> &Options {
        &self.options
    }

    fn take(&mut self, schema: &SchemaRef) -> Result<(SchemaRef, ProfileBuilder)> {
        match self.spare.iter().rposition(|(of, _)| of.fields() == schema.fields()) {
            Some(at) => Ok(self.spare.remove(at)),
            None => Ok((schema.clone(), ProfileBuilder::without_threads(schema, &self.options)?)),
        }
    }

    /// Takes a builder back that was made here, and of which all columns were cleared. Where there are too many, those go that wait the longest:
    /// their columns may not come again.
    pub fn put_back(&mut self, counted: Counted) {
        let Counted::Builder(schema, builder) = counted else { return };
        self.spare.push((schema, builder));
        let mut columns: usize = self.spare.iter().map(|(_, spare)| spare.columns().count()).sum();
        while columns > MOST_SPARE && self.spare.len() > 1 {
            columns -= self.spare.remove(0).1.columns().count();
        }
    }
}

/// What was counted of a segment of a window.
pub(super) enum Counted {
    /// As a rule: what counted it.
    Builder(SchemaRef, ProfileBuilder),
    /// Where it was put together.
    Profile(Profile),
}

impl Counted {
    /// Rows.
    pub fn rows(&self) -> u64 {
        match self {
            Self::Builder(_, builder) => builder.rows(),
            Self::Profile(profile) => profile.rows(),
        }
    }

    /// Profiles of its columns.
    pub fn columns(&self) -> Vec<&ColumnProfile> {
        match self {
            Self::Builder(_, builder) => builder.columns().collect(),
            Self::Profile(profile) => profile.columns().iter().collect(),
        }
    }

    /// The profile of a column.
    pub fn column(&self, name: &str) -> Option<&ColumnProfile> {
        match self {
            Self::Builder(_, builder) => builder.column(name),
            Self::Profile(profile) => profile.column(name),
        }
    }

    /// Where a column is among the others.
    pub fn place(&self, name: &str) -> Option<usize> {
        match self {
            Self::Builder(_, builder) => builder.place(name),
            Self::Profile(profile) => profile.place(name),
        }
    }

    /// The same as a profile.
    ///
    /// # Errors
    /// A column cannot be read.
    pub fn into_profile(self) -> Result<Profile> {
        match self {
            Self::Builder(_, builder) => builder.finish(),
            Self::Profile(profile) => Ok(profile),
        }
    }

    /// Columns that are not profiled, because of their type.
    pub fn skipped(&self) -> &[Skipped] {
        match self {
            Self::Builder(_, builder) => builder.skipped(),
            Self::Profile(profile) => profile.skipped(),
        }
    }

    /// Hands its columns out for the last time, each to be cleared after it was looked at.
    pub fn restart(&mut self) -> Vec<&mut ColumnProfile> {
        match self {
            Self::Builder(_, builder) => builder.restart().collect(),
            Self::Profile(profile) => profile.columns_mut().iter_mut().collect(),
        }
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::clear;
    use crate::reference::Reference;
    use crate::table::{ProfileRow, to_parquet};
    use arrow_array::types::{Float64Type, Int32Type, Int64Type};
    use arrow_array::{ArrayRef, BooleanArray, DictionaryArray, ListArray, PrimitiveArray, StringArray};
    use proptest::{collection::vec, prelude::*};
    use std::sync::Arc;

    /// A column of every kind; the same values in all of them.
    fn batch(values: &[Option<i64>]) -> RecordBatch {
        let floats = |x: i64| [f64::NAN, f64::INFINITY, 0.0, x as f64 / 7.0][(x % 4).unsigned_abs() as usize];
        let texts = || values.iter().map(|x| x.map(|x| format!("{}", x % 900)));
        let lists = values.iter().map(|x| x.map(|x| vec![Some(x as f64); (x % 3).unsigned_abs() as usize]));
        let columns: [(&str, ArrayRef); 6] = [
            ("x", Arc::new(values.iter().map(|x| x.map(floats)).collect::<PrimitiveArray<Float64Type>>())),
            ("n", Arc::new(values.iter().copied().collect::<PrimitiveArray<Int64Type>>())),
            ("b", Arc::new(values.iter().map(|x| x.map(|x| x > 0)).collect::<BooleanArray>())),
            ("t", Arc::new(texts().collect::<StringArray>())),
            ("d", Arc::new(texts().collect::<Vec<_>>().iter().map(Option::as_deref).collect::<Dictionary>())),
            ("l", Arc::new(ListArray::from_iter_primitive::<Float64Type, _, _>(lists))),
        ];
        RecordBatch::try_from_iter_with_nullable(columns.map(|(name, array)| (name, array, true))).unwrap()
    }

    type Dictionary = DictionaryArray<Int32Type>;

    fn counted(rows: &[RecordBatch], builders: &mut Builders) -> Counted {
        let mut collected = Collected::default();
        rows.iter().for_each(|rows| collected.add(rows, builders).unwrap());
        count(std::iter::once((&mut collected, true)), builders).unwrap();
        collected.counted().unwrap()
    }

    fn bytes(counted: Counted) -> Vec<u8> {
        to_parquet(&counted.into_profile().unwrap()).unwrap()
    }

    fn values() -> impl Strategy<Value = Vec<Option<i64>>> {
        let few = prop_oneof![Just(None), (-3i64..3).prop_map(Some)];
        let many = prop_oneof![1 => Just(None), 9 => any::<i32>().prop_map(|x| Some(x.into()))];
        prop_oneof![vec(few, 1..40), vec(many, 1..3000)]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        /// Windows that a used builder counts are those that a new one counts, bit for bit.
        #[test]
        fn a_builder_that_is_used_again_counts_as_a_new_one(
            windows in vec((values(), values()), 2..5),
            reference in values(),
            threads in 1usize..3,
        ) {
            let mut first = Collected::default();
            first.update(&batch(&reference), &mut Builders::new(Options::default())).unwrap();
            let reference = Reference::try_from_profile(&first.profile().unwrap()).unwrap();
            let options = Options { k: 128, threads, reference: Some(Arc::new(reference)), ..Options::default() };
            let mut again = Builders::new(options.clone());
            for (first, second) in &windows {
                let rows = [batch(first), batch(second)];
                let mut used = counted(&rows, &mut again);
                let new = bytes(counted(&rows, &mut Builders::new(options.clone())));
                prop_assert_eq!(used.rows(), (first.len() + second.len()) as u64);
                let rows: Vec<_> = used.columns().into_iter().cloned().collect();
                let profile = Profile::try_new(used.rows(), rows, used.skipped().to_vec()).unwrap();
                prop_assert!(to_parquet(&profile).unwrap() == new);
                for column in used.restart() {
                    // An image compacts the sketch that it is of.
                    ProfileRow::of(column);
                    clear(column);
                }
                again.put_back(used);
                prop_assert_eq!(again.spare.len(), 1);
            }
        }
    }
}
