//! The bins of a reference: what later data are counted over, exactly.
use crate::Result;
use crate::profile::{Bins, Frequent, Kind, Profile, same_measure};
use driftline_sketches::bins::Categories;
use driftline_sketches::{CategoryBins, KllSketch, NumberBins};
use std::collections::HashMap;
use std::sync::Arc;

/// Bins between quantiles of a reference: enough for a shift of 1 % to show, few enough to count at line rate. With
/// those of frequent values they stay below the 64 that the fastest search of edges has room for.
const NUMBER_BINS: usize = 33;

/// A value that so large a share of the rows holds has a bin of its own: half of what a bin holds otherwise.
const OWN_BIN: f64 = 0.5 / NUMBER_BINS as f64;

/// Edges of bins that hold about equally many values, and of two more for what lies outside of all values.
///
/// A frequent value is alone in its bin, or another value that takes its place would go unseen. Infinities are
/// no edges: they are counted apart.
pub(crate) fn number_edges(quantiles: &KllSketch) -> Vec<f64> {
    let mut edges: Vec<f64> =
        quantiles.min().into_iter().map(f64::next_down).chain(quantiles.max()).collect();
    let shares: Vec<f64> = (1..NUMBER_BINS).map(|i| i as f64 / NUMBER_BINS as f64).collect();
    for (edge, share) in quantiles.quantiles_with_shares(&shares) {
        edges.push(edge);
        if share >= OWN_BIN {
            edges.push(edge.next_down());
        }
    }
    edges.retain(|edge| edge.is_finite());
    edges.sort_by(f64::total_cmp);
    edges.dedup();
    edges
}

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
    /// Takes the bins from a profile: its quantiles or frequent values, or the bins it was counted over where these
    /// were not kept.
    ///
    /// # Errors
    /// A stored category comes up twice.
    pub fn try_from_profile(profile: &Profile) -> Result<Self> {
        let mut columns = HashMap::new();
        for column in profile.columns() {
            let quantiles = column.numbers.as_ref().and_then(|numbers| numbers.quantiles.as_ref());
            let bins = match (&column.bins, quantiles, &column.frequent) {
                // Bins that a column was counted over may be those of quite other data.
                (_, Some(quantiles), _) if !quantiles.is_empty() => {
                    ColumnBins::Numbers(number_edges(quantiles).into())
                }
                (Some(Bins::Numbers(bins)), ..) => ColumnBins::Numbers(bins.edges().into()),
                (Some(Bins::Categories(bins)), ..) => ColumnBins::Categories(bins.categories().clone()),
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

    /// Of columns by name, kind and type.
    pub(crate) fn of(columns: impl IntoIterator<Item = (String, Kind, String, ColumnBins)>) -> Self {
        let columns =
            columns.into_iter().map(|(name, kind, type_name, bins)| (name, (kind, type_name, bins)));
        Self { columns: columns.collect() }
    }

    /// The bins of numbers alone, which are all that a comparison reads.
    ///
    /// # Errors
    /// As of [`try_from_profile`](Self::try_from_profile).
    pub fn try_from_numbers(profile: &Profile) -> Result<Self> {
        let mut reference = Self::try_from_profile(profile)?;
        reference.columns.retain(|_, (kind, ..)| *kind == Kind::Number);
        Ok(reference)
    }

    /// The bins of a column of that kind; of times only if they are in the same unit.
    pub fn bins_for(&self, column: &str, kind: Kind, type_name: &str) -> Option<&ColumnBins> {
        let (ours, ours_type, bins) = self.columns.get(column)?;
        (*ours == kind && same_measure(kind, ours_type, type_name)).then_some(bins)
    }
}
