//! What counts the rows of windows, and counts those of later ones again.
use crate::Result;
use crate::options::Options;
use crate::profile::ProfileBuilder;
use crate::profile::builder::Scratch;
use crate::threads::Crew;
use arrow_schema::SchemaRef;

/// Makes builders, and those again that have done their work, with the memory that they have: making and growing them anew
/// for each window takes as long as counting its rows.
pub(super) struct Builders {
    options: Options,
    pub crew: Crew<Scratch>,
    spare: Vec<(SchemaRef, ProfileBuilder)>,
}

/// Columns of builders that wait for their next use: they keep what they took at most, some 20 KB each where windows have
/// some thousand rows.
const MOST_SPARE: usize = 4096;

impl Builders {
    /// Builders by these options.
    pub fn new(options: Options) -> Self {
        Self { crew: Crew::new(options.threads), options, spare: vec![] }
    }

    /// How rows are profiled.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// One for rows of these columns.
    ///
    /// # Errors
    /// Names come up twice, or options are out of range.
    pub fn take(&mut self, schema: &SchemaRef) -> Result<ProfileBuilder> {
        match self.spare.iter().rposition(|(of, _)| of.fields() == schema.fields()) {
            Some(at) => Ok(self.spare.remove(at).1),
            None => ProfileBuilder::try_new(schema, &self.options),
        }
    }

    /// Takes a builder back that was made here for such rows, and of which all columns were cleared. Where there are too
    /// many, those go that wait the longest: their columns may not come again.
    pub fn put_back(&mut self, schema: SchemaRef, mut builder: ProfileBuilder) {
        builder.restart();
        self.spare.push((schema, builder));
        let mut columns: usize = self.spare.iter().map(|(_, spare)| spare.columns()).sum();
        while columns > MOST_SPARE && self.spare.len() > 1 {
            columns -= self.spare.remove(0).1.columns();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::collected::{Collected, count};
    use crate::monitor::picked::Picked;
    use crate::profile::{Profile, clear};
    use crate::reference::Reference;
    use crate::table::{ProfileRow, to_parquet};
    use arrow_array::types::{Float64Type, Int32Type, Int64Type};
    use arrow_array::{
        ArrayRef, BooleanArray, DictionaryArray, ListArray, PrimitiveArray, RecordBatch, StringArray,
    };
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

    fn counted(rows: &[RecordBatch], builders: &mut Builders) -> Collected {
        let mut collected = Collected::default();
        rows.iter().for_each(|rows| collected.add(Picked::all(rows.clone()), builders).unwrap());
        count(std::iter::once(&mut collected), builders).unwrap();
        collected
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
            let first = counted(&[batch(&reference)], &mut Builders::new(Options::default()));
            let reference = Reference::try_from_profile(&first.profile().unwrap()).unwrap();
            let options = Options { k: 128, threads, reference: Some(Arc::new(reference)), ..Options::default() };
            let mut again = Builders::new(options.clone());
            for (first, second) in &windows {
                let rows = [batch(first), batch(second)];
                let new = counted(&rows, &mut Builders::new(options.clone())).profile().unwrap();
                let (schema, mut used) = counted(&rows, &mut again).begun.unwrap();
                prop_assert_eq!(used.rows(), (first.len() + second.len()) as u64);
                let mut columns = vec![];
                for builder in used.roots(0).flatten() {
                    builder.flush_dictionary().unwrap();
                    columns.push(builder.profile().clone());
                    // An image compacts the sketch that it is of.
                    ProfileRow::of(builder.profile_mut());
                    clear(builder.profile_mut());
                }
                let used_profile = Profile::try_new(used.rows(), columns, used.skipped().to_vec()).unwrap();
                prop_assert!(to_parquet(&used_profile).unwrap() == to_parquet(&new).unwrap());
                again.put_back(schema, used);
                prop_assert_eq!(again.spare.len(), 1);
            }
        }
    }
}
