//! What is watched of a column: into which cells its rows fall, and which sets of cells may gain or lose rows.
//!
//! Numbers fall into the bins of the reference, categories into one cell a value, and what is neither has cells of
//! its own, so the cells hold every row. Watched are all single cells and, of numbers, everything up to each
//! edge.
//!
//! What is picked by its counts has counts that are too large, and what is left has too small ones. Edges are order
//! statistics, whose exact bounds are those of fixed ones, or narrower. Values have a cell where some first rows of the
//! reference held them, never by later counts: the bounds of a value hold whichever are picked
//! ([`Band::try_of_value`](driftline_stats::e_detector::Band::try_of_value)), those of the values without a cell are
//! taken from the other rows of the reference.
use crate::compare::cells::{Cell, Cells, Content};
use crate::compare::explain::label;
use crate::compare::{FEW_VALUES, MOSTLY_DISTINCT};
use crate::profile::{Bins, ColumnProfile, Frequent, Kind, Profile};
use crate::reference::{ColumnBins, Reference};
use crate::{Error, Result};
use driftline_sketches::bins::Categories;
use driftline_sketches::hash::hash_bytes;
use driftline_stats::e_detector::Side;
use driftline_stats::rng::Rng;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

/// Values of a category that are watched one by one, the most frequent ones; the others together.
const MOST_VALUES: usize = 128;

/// One row in so many chooses which values are watched by name, where nothing tells one part of the rows from another: the
/// others bound the values without a name about as well as all would, and a rare value is likely to have one.
pub(super) const CHOOSES: u64 = 4;

/// Whether a row without a time is one of those that choose, by its number.
pub(super) fn row_chooses(number: u64) -> bool {
    Rng::new(number).next_u64().is_multiple_of(CHOOSES)
}

/// What a profile knows of its rows that was not counted over the bins.
pub(super) struct Estimated {
    /// Rows in each cell, of those that chose which values are watched by name.
    pub chose: Vec<u64>,
    /// Of the others.
    pub rest: Vec<u64>,
    /// How far shares may be off.
    pub error: f64,
    /// Whether it is not known how many rows hold a value that is not watched by name.
    pub pools_unknown: bool,
}

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
    /// How a column of the reference is watched; values by name that are named.
    fn of(column: &ColumnProfile, bins: Option<&ColumnBins>, names: Vec<Box<[u8]>>) -> Self {
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
            Some(ColumnBins::Categories(_)) if !says_nothing => CellsOf::Values(names),
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

    /// How all columns of a reference are watched that are to be. Values are watched by name that some of its rows hold, of
    /// which there is a profile; where there is none, that a part of its rows would hold, drawn at random.
    ///
    /// # Errors
    /// A stored category comes up twice.
    pub fn all(
        reference: &Profile,
        choosing: Option<&Profile>,
        watches: impl Fn(&str) -> bool,
    ) -> Result<Vec<Self>> {
        let bins = Reference::try_from_profile(reference)?;
        let chosen = choosing.map(Reference::try_from_profile).transpose()?;
        let columns = reference.columns().iter().filter(|column| watches(&column.name));
        let named = |column: &ColumnProfile| match &chosen {
            None => names_drawn(column),
            Some(chosen) => match chosen.bins_for(&column.name, column.kind, &column.type_name) {
                Some(ColumnBins::Categories(categories)) => categories.names().to_vec(),
                _ => vec![],
            },
        };
        Ok(columns
            .map(|column| {
                let bins = bins.bins_for(&column.name, column.kind, &column.type_name);
                Self::of(column, bins, named(column))
            })
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

    /// The cells of values without a name, known and new ones, where values are watched; they are sets of the same numbers.
    pub fn pools(&self) -> Option<Range<usize>> {
        match &self.cells {
            CellsOf::Values(names) => {
                let single = names.len().min(MOST_VALUES);
                Some(single..single + 2)
            }
            _ => None,
        }
    }

    /// Whether some of the values are pooled that chose the names.
    pub fn has_more_values(&self) -> bool {
        matches!(&self.cells, CellsOf::Values(names) if names.len() > MOST_VALUES)
    }

    /// Rows in each cell as a profile knows them that was not counted over the bins; `None` where it does not tell.
    pub fn estimated_counts(&self, column: &ColumnProfile) -> Option<Estimated> {
        let mut counts = vec![0; self.cells()];
        let last = counts.len() - 1;
        counts[last] = column.counts.nulls + column.counts.absent;
        let estimated = |counts: Vec<u64>, error| Estimated {
            chose: vec![0; counts.len()],
            rest: counts,
            error,
            pools_unknown: false,
        };
        let rows = (column.counts.rows + column.counts.absent).max(1) as f64;
        let valid = column.counts.valid();
        match &self.cells {
            CellsOf::Presence => {
                counts[0] = valid + column.counts.nans;
                Some(estimated(counts, 0.0))
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
                Some(estimated(counts, quantiles.all_rank_error() * valid as f64 / rows))
            }
            CellsOf::Values(names) => {
                let Some(Frequent::Bytes(items)) = &column.frequent else { return None };
                let cells: HashMap<_, _> = names.iter().enumerate().map(|(i, name)| (name, i)).collect();
                let single = names.len().min(MOST_VALUES);
                let mut chose = vec![0; counts.len()];
                let mut named = 0;
                for row in items.items_above(0) {
                    let cell = cells.get(&row.item).map_or(single + 1, |&i| i.min(single));
                    let drawn = drawn(&row.item, row.lower_bound);
                    chose[cell] += drawn;
                    counts[cell] += row.lower_bound - drawn;
                    named += row.lower_bound;
                }
                // Values that the sketch dropped may be known or new.
                let error = items.max_error();
                counts[single] += valid.saturating_sub(named);
                let pools_unknown = error > 0;
                Some(Estimated { chose, rest: counts, error: error as f64 / rows, pools_unknown })
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

/// How many of the rows that hold a value would choose, were each drawn with a chance of 1 in [`CHOOSES`]; the same
/// whenever it is asked.
fn drawn(value: &[u8], rows: u64) -> u64 {
    let mut rng = Rng::new(hash_bytes(value).0);
    // Bits of 1 in 64 draws at once.
    let mut draw = |draws: u64| {
        let bits = rng.next_u64() & rng.next_u64();
        let mask = u64::MAX.checked_shl(draws as u32).map_or(u64::MAX, |above| !above);
        u64::from((bits & mask).count_ones())
    };
    (0..rows / 64).map(|_| draw(64)).sum::<u64>() + draw(rows % 64)
}

/// The values that rows would hold that were drawn from a profile's, the most frequent ones first.
fn names_drawn(column: &ColumnProfile) -> Vec<Box<[u8]>> {
    let Some(Frequent::Bytes(items)) = &column.frequent else { return vec![] };
    let rows = items.items_above(0).into_iter();
    let mut drawn: Vec<_> = rows.map(|row| (drawn(&row.item, row.lower_bound), row.item)).collect();
    drawn.retain(|(rows, _)| *rows > 0);
    drawn.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    drawn.into_iter().map(|(_, item)| item).collect()
}
