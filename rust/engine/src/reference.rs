//! The bins of a reference: what later data are counted over, exactly.
use crate::Result;
use crate::profile::{Bins, Frequent, Kind, Profile, same_measure};
use driftline_sketches::bins::Categories;
use driftline_sketches::{CategoryBins, NumberBins};
use std::collections::HashMap;
use std::sync::Arc;

/// Bins taken from the quantiles of a reference: enough for a shift of 1 % to show, few enough to count at line rate.
const NUMBER_BINS: usize = 33;

/// Bins of one column.
#[derive(Clone, Debug)]
pub enum ColumnBins {
    /// Ascending edges.
    Numbers(Arc<[f64]>),
    /// Frequent categories.
    Categories(Arc<Categories>),
}

impl ColumnBins {
    /// Bins in which nothing is counted yet.
    ///
    /// # Errors
    /// The edges do not ascend.
    pub fn empty(&self) -> Result<Bins> {
        Ok(match self {
            ColumnBins::Numbers(edges) => Bins::Numbers(NumberBins::try_new(edges.clone())?),
            ColumnBins::Categories(categories) => Bins::Categories(CategoryBins::new(categories.clone())),
        })
    }
}

/// Bins of every column of a reference.
#[derive(Clone, Debug)]
pub struct Reference {
    columns: HashMap<String, (Kind, String, ColumnBins)>,
}

impl Reference {
    /// Takes the bins from a profile: those it was itself counted over, else quantiles and frequent values.
    ///
    /// # Errors
    /// A stored category comes up twice.
    pub fn try_from_profile(profile: &Profile) -> Result<Self> {
        let mut columns = HashMap::new();
        for column in profile.columns() {
            let bins = match (&column.bins, &column.numbers, &column.frequent) {
                (Some(Bins::Numbers(bins)), ..) => ColumnBins::Numbers(bins.edges().into()),
                (Some(Bins::Categories(bins)), ..) => ColumnBins::Categories(bins.categories().clone()),
                (None, Some(numbers), _) => match &numbers.quantiles {
                    Some(quantiles) if quantiles.n() > 0 => {
                        let view = quantiles.sorted_view();
                        let share = |i: usize| i as f64 / NUMBER_BINS as f64;
                        let mut edges: Vec<f64> =
                            (1..NUMBER_BINS).filter_map(|i| view.quantile(share(i))).collect();
                        edges.dedup();
                        ColumnBins::Numbers(edges.into())
                    }
                    _ => continue,
                },
                (None, None, Some(Frequent::Bytes(frequent))) => {
                    // Ids stay here as they do where frequent values are shown.
                    let names =
                        frequent.without_rare().items_above(0).into_iter().map(|row| row.item).collect();
                    ColumnBins::Categories(Arc::new(Categories::try_new(names)?))
                }
                _ => continue,
            };
            columns.insert(column.name.clone(), (column.kind, column.type_name.clone(), bins));
        }
        Ok(Self { columns })
    }

    /// The bins of a column of that kind; of times only if they are in the same unit.
    pub fn bins_for(&self, column: &str, kind: Kind, type_name: &str) -> Option<&ColumnBins> {
        let (ours, ours_type, bins) = self.columns.get(column)?;
        (*ours == kind && same_measure(kind, ours_type, type_name)).then_some(bins)
    }
}
