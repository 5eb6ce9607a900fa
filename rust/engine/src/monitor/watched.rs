//! What is watched of a column: into which cells its rows fall, and which sets of cells may gain or lose rows.
//!
//! Numbers fall into the bins of the reference, categories into one cell a value, and what is neither has cells of
//! its own, so the cells hold every row. Watched are all single cells and, of numbers, everything up to each
//! edge. Which values have a cell is fixed by the first rows of the reference and never by later counts, which is
//! what makes exact bounds of their shares valid.
use crate::compare::cells::{Cell, Cells, Content};
use crate::compare::explain::label;
use crate::compare::{FEW_VALUES, MOSTLY_DISTINCT};
use crate::profile::{Bins, ColumnProfile, Frequent, Kind, Profile};
use crate::reference::{ColumnBins, Reference};
use crate::{Error, Result};
use driftline_sketches::bins::Categories;
use driftline_stats::e_detector::Side;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::Arc;

/// Values of a category that are watched one by one, the most frequent ones; the others together.
const MOST_VALUES: usize = 128;

/// One column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Watched {
    /// Flattened name.
    pub name: String,
    /// Kind of its values.
    pub kind: Kind,
    /// Logical types, as in the reference.
    pub type_name: String,
    cells: CellsOf,
    /// Whether all numbers of the reference were whole, which is how bins are told then.
    whole: Option<(f64, f64)>,
}

/// How rows are told apart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum CellsOf {
    /// Numbers by ascending edges: minus infinity, a bin more than edges, infinity, NaN, missing.
    Numbers(Vec<f64>),
    /// Values: the first [`MOST_VALUES`] one by one, other known ones, new ones, missing.
    Values(Vec<Box<[u8]>>),
    /// Whether there is a value: there, missing.
    Presence,
}

impl Watched {
    /// How a column of the reference is watched.
    fn of(column: &ColumnProfile, bins: Option<&ColumnBins>) -> Self {
        let valid = column.counts.valid();
        let distinct = column.distinct.as_ref().map_or(0.0, |distinct| distinct.estimate());
        let range = column.numbers.as_ref().and_then(|numbers| numbers.integer_range);
        let is_id = valid > FEW_VALUES && distinct > MOSTLY_DISTINCT * valid as f64;
        // Measurements are distinct too: among numbers only those that count on are ids.
        let counts_on = range.is_some_and(|(low, high)| high - low < 2 * i128::from(valid));
        let says_nothing = is_id && (column.kind == Kind::Category || counts_on);
        let cells = match bins {
            Some(ColumnBins::Numbers(edges)) if column.kind == Kind::Number && !says_nothing => {
                CellsOf::Numbers(edges.to_vec())
            }
            Some(ColumnBins::Categories(categories)) if !says_nothing => {
                CellsOf::Values(categories.names().to_vec())
            }
            _ => CellsOf::Presence,
        };
        Self {
            name: column.name.clone(),
            kind: column.kind,
            type_name: column.type_name.clone(),
            cells,
            whole: range.map(|(low, high)| (low as f64, high as f64)),
        }
    }

    /// How all columns of a reference are watched that are to be.
    ///
    /// # Errors
    /// A stored category comes up twice.
    pub fn all(reference: &Profile, watches: impl Fn(&str) -> bool) -> Result<Vec<Self>> {
        let bins = Reference::try_from_profile(reference)?;
        let columns = reference.columns().iter().filter(|column| watches(&column.name));
        Ok(columns
            .map(|column| Self::of(column, bins.bins_for(&column.name, column.kind, &column.type_name)))
            .collect())
    }

    /// Bins for profiles of later rows.
    ///
    /// # Errors
    /// Categories are not distinct, which only forged ones are.
    pub fn reference(watched: &[Self]) -> Result<Reference> {
        let columns = watched.iter().map(|column| {
            let bins = match &column.cells {
                CellsOf::Numbers(edges) => ColumnBins::Numbers(edges.as_slice().into()),
                CellsOf::Values(names) => {
                    ColumnBins::Categories(Arc::new(Categories::try_new(names.clone())?))
                }
                CellsOf::Presence => return Ok(None),
            };
            Ok(Some((column.name.clone(), column.kind, column.type_name.clone(), bins)))
        });
        Ok(Reference::of(columns.collect::<Result<Vec<_>>>()?.into_iter().flatten()))
    }

    /// Whether values are looked at, and not only whether there are any.
    pub fn values_are_watched(&self) -> bool {
        self.cells != CellsOf::Presence
    }

    /// How many cells there are.
    pub fn cells(&self) -> usize {
        match &self.cells {
            CellsOf::Numbers(edges) => edges.len() + 5,
            CellsOf::Values(names) => names.len().min(MOST_VALUES) + 3,
            CellsOf::Presence => 2,
        }
    }

    /// Rows in each cell; `None` of a column whose values are of another kind now.
    ///
    /// # Errors
    /// It was counted over other bins.
    pub fn counts(&self, column: Option<&ColumnProfile>, rows: u64) -> Result<Option<Vec<u64>>> {
        let mut counts = vec![0; self.cells()];
        let last = counts.len() - 1;
        // Of rows without the column nothing else is known.
        let Some(column) = column.filter(|column| column.kind != Kind::Null) else {
            counts[last] = rows;
            return Ok(Some(counts));
        };
        if !self.fits(column) {
            return Ok(None);
        }
        counts[last] = column.counts.nulls + column.counts.absent;
        let other =
            || Error::Input(format!("column {:?} was counted over the bins of another reference", self.name));
        match (&self.cells, &column.bins) {
            (CellsOf::Presence, _) => counts[0] = column.counts.valid() + column.counts.nans,
            (CellsOf::Numbers(edges), Some(Bins::Numbers(bins))) if bins.edges() == edges => {
                let bins = bins.counts();
                counts[1..=bins.len()].copy_from_slice(bins);
                let (first, highest) = (1, bins.len());
                (counts[0], counts[highest + 1]) = (column.counts.neg_inf, column.counts.pos_inf);
                counts[first] -= column.counts.neg_inf;
                counts[highest] -= column.counts.pos_inf;
                counts[highest + 2] = column.counts.nans;
            }
            (CellsOf::Values(names), Some(Bins::Categories(bins))) if bins.categories().names() == names => {
                let single = names.len().min(MOST_VALUES);
                let bins = bins.counts();
                counts[..single].copy_from_slice(&bins[..single]);
                counts[single] = bins[single..names.len()].iter().sum();
                counts[single + 1] = bins[names.len()] + column.counts.nans;
            }
            // An empty profile has no bins.
            (_, None) if column.counts.valid() == 0 => counts[last] = rows,
            _ => return Err(other()),
        }
        Ok(Some(counts))
    }

    /// Rows in each cell as a profile knows them that was not counted over the bins, and how far shares may be off;
    /// `None` where it does not tell.
    pub fn estimated_counts(&self, column: &ColumnProfile) -> Option<(Vec<u64>, f64)> {
        let mut counts = vec![0; self.cells()];
        let last = counts.len() - 1;
        counts[last] = column.counts.nulls + column.counts.absent;
        let rows = (column.counts.rows + column.counts.absent).max(1) as f64;
        let valid = column.counts.valid();
        match &self.cells {
            CellsOf::Presence => {
                counts[0] = valid + column.counts.nans;
                Some((counts, 0.0))
            }
            CellsOf::Numbers(edges) => {
                let quantiles = column.numbers.as_ref()?.quantiles.as_ref()?;
                let mut ranks = quantiles.weights_up_to(edges);
                ranks.push(quantiles.n());
                let mut below = 0;
                for (count, rank) in counts[1..].iter_mut().zip(ranks) {
                    *count = rank - std::mem::replace(&mut below, rank);
                }
                let highest = edges.len() + 1;
                (counts[0], counts[highest + 1]) = (column.counts.neg_inf, column.counts.pos_inf);
                counts[1] = counts[1].saturating_sub(column.counts.neg_inf);
                counts[highest] = counts[highest].saturating_sub(column.counts.pos_inf);
                counts[highest + 2] = column.counts.nans;
                Some((counts, quantiles.all_rank_error() * valid as f64 / rows))
            }
            CellsOf::Values(names) => {
                let Some(Frequent::Bytes(items)) = &column.frequent else { return None };
                let known: HashMap<_, _> =
                    items.items_above(0).into_iter().map(|row| (row.item, row.lower_bound)).collect();
                let single = names.len().min(MOST_VALUES);
                let of = |name: &[u8]| known.get(name).copied().unwrap_or(0);
                counts.iter_mut().zip(&names[..single]).for_each(|(count, name)| *count = of(name));
                counts[single] = valid.saturating_sub(counts[..single].iter().sum());
                // A value of the reference that its sketch dropped would look new.
                Some((counts, items.max_error() as f64 / rows))
            }
        }
    }

    /// Whether values of the column mean the same as those of the reference.
    pub fn fits(&self, column: &ColumnProfile) -> bool {
        let is_bool = |name: &str| name == "bool";
        self.kind == Kind::Null
            || column.kind == Kind::Null
            || (self.kind == column.kind && is_bool(&self.type_name) == is_bool(&column.type_name))
    }

    /// Watched sets.
    pub fn sets(&self) -> usize {
        match &self.cells {
            CellsOf::Presence => 1,
            _ => self.edges() + self.cells(),
        }
    }

    /// Edges up to which everything is a set: that of the first bin is a single cell too where there is no minus
    /// infinity, and is watched all the same, so that the sets do not depend on the counts.
    fn edges(&self) -> usize {
        match &self.cells {
            CellsOf::Numbers(edges) => edges.len(),
            _ => 0,
        }
    }

    /// Rows in each set, from rows in each cell: everything up to each edge, then each cell.
    pub fn set_counts(&self, cells: &[u64], sets: &mut Vec<u64>) {
        sets.clear();
        match &self.cells {
            CellsOf::Presence => sets.push(cells[1]),
            CellsOf::Values(_) => sets.extend_from_slice(cells),
            CellsOf::Numbers(edges) => {
                let mut up_to = cells[0];
                sets.extend(cells[1..=edges.len()].iter().map(|count| {
                    up_to += count;
                    up_to
                }));
                sets.extend_from_slice(cells);
            }
        }
    }

    /// The set that is this cell alone; of whether there is a value, only its lack is watched.
    pub fn set_of_cell(&self, cell: usize) -> Option<usize> {
        match &self.cells {
            CellsOf::Presence => (cell == 1).then_some(0),
            _ => Some(self.edges() + cell),
        }
    }

    /// A set in words: of rows up to an edge, the side of it that gained.
    pub fn set_label(&self, set: usize, side: Side, reference: &[u64]) -> String {
        let cells = self.both(reference, reference);
        let part = match set.checked_sub(self.edges()) {
            Some(_) if self.cells == CellsOf::Presence => 1..2,
            Some(cell) => cell..cell + 1,
            None if side == Side::Above => 0..set + 2,
            None => set + 2..self.edges() + 3,
        };
        label(&cells, &cells.cells[part])
    }

    /// Whether a set is told by the rows outside of it.
    pub fn is_told_from_outside(&self, set: usize, side: Side) -> bool {
        set < self.edges() && side == Side::Below
    }

    /// The cells with their rows on both sides.
    pub fn both(&self, reference: &[u64], current: &[u64]) -> Cells {
        let cells = self.contents().into_iter().zip(reference.iter().zip(current));
        let cells =
            cells.map(|(content, (&reference, &current))| Cell { content, reference, current, error: 0.0 });
        Cells {
            cells: cells.collect(),
            ordered: matches!(self.cells, CellsOf::Numbers(_)),
            error: 0.0,
            hidden: 0.0,
            grown_error: 0.0,
            whole_range: self.whole,
        }
    }

    fn contents(&self) -> Vec<Content> {
        match &self.cells {
            CellsOf::Numbers(edges) => {
                let lows = [f64::NEG_INFINITY].into_iter().chain(edges.iter().copied());
                let highs = edges.iter().copied().chain([f64::INFINITY]);
                let bins = lows.zip(highs).map(|(low, high)| Content::Bin { low, high });
                let ends = [Content::Infinity, Content::Nan, Content::Missing];
                [Content::NegativeInfinity].into_iter().chain(bins).chain(ends).collect()
            }
            CellsOf::Values(names) => {
                let values = names.iter().take(MOST_VALUES).map(|name| Content::Value(name.clone()));
                values.chain([Content::Other, Content::New, Content::Missing]).collect()
            }
            CellsOf::Presence => vec![Content::Other, Content::Missing],
        }
    }
}
