//! A column on both sides as counts over the same cells: what every statistic of it is computed from.
//!
//! Numbers fall into the bins of the reference, categories into one cell a value; infinite, NaN and missing
//! rows have cells of their own, so the cells hold every row. Counts are exact where both sides were counted
//! over the same bins or their sketches still hold every value; elsewhere they come from the sketches,
//! [`Cells::error`] says how far off they may be, and [`Cells::hidden`] what they cannot show at all.
use crate::profile::{Bins, ColumnProfile, Counts, Frequent, Numbers};
use crate::reference::number_edges;
use driftline_sketches::{FrequentItems, NumberBins};
use std::collections::BTreeSet;

/// What a cell counts.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// Numbers above `low`, up to and including `high`.
    Bin {
        /// The lower edge, which lies outside.
        low: f64,
        /// The upper edge, which lies inside.
        high: f64,
    },
    /// Minus infinity.
    NegativeInfinity,
    /// Infinity.
    Infinity,
    /// One value of a category.
    Value(Box<[u8]>),
    /// All values without a cell.
    Other,
    /// Values that the reference did not have.
    New,
    /// Floats that are not a number.
    Nan,
    /// Nulls, and rows of files that lack the column.
    Missing,
}

/// One cell.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// What it counts.
    pub content: Content,
    /// Rows of the reference.
    pub reference: u64,
    /// Rows now.
    pub current: u64,
    /// How far its difference of shares may be off, because counts come from sketches.
    pub error: f64,
}

/// All rows of a column on both sides.
#[derive(Clone, Debug)]
pub struct Cells {
    /// The cells; those of numbers ascend, with NaN and missing rows behind them.
    pub cells: Vec<Cell>,
    /// Whether neighbours belong together, so that cumulative shares mean something.
    pub ordered: bool,
    /// How far the difference of shares of any set of cells that is looked at may be off, because counts come from
    /// sketches.
    pub error: f64,
    /// Share of the rows that may have traded places unseen, because only the sum of many values is known.
    pub hidden: f64,
    /// What `error` becomes when so many more rows come that a sketch no longer holds them all.
    pub grown_error: f64,
    /// Smallest and largest number on either side, where both are whole: one-value bins are told by them.
    pub whole_range: Option<(f64, f64)>,
}

impl Cells {
    /// The counts of both sides.
    pub fn counts(&self) -> (Vec<u64>, Vec<u64>) {
        self.cells.iter().map(|cell| (cell.reference, cell.current)).unzip()
    }

    /// Rows of the reference and rows now.
    pub fn rows(&self) -> (u64, u64) {
        self.cells.iter().fold((0, 0), |(m, n), cell| (m + cell.reference, n + cell.current))
    }

    /// The outermost edges of the bins; NaN where there are none.
    pub fn ends(&self) -> (f64, f64) {
        let mut edges = self.cells.iter().filter_map(|cell| match cell.content {
            Content::Bin { low, high } => Some((low, high)),
            _ => None,
        });
        let (low, high) = edges.next().unwrap_or((f64::NAN, f64::NAN));
        (low, edges.next_back().map_or(high, |(_, high)| high))
    }

    /// Whether a value has a bin of its own.
    pub fn is_alone(&self, x: f64) -> bool {
        let alone = |cell: &Cell| matches!(cell.content, Content::Bin { low, high } if high == x && low.next_up() == x);
        self.cells.iter().any(alone)
    }

    /// How far from `x` the nearest edge of a bin lies; one just beside it is the same to a reader.
    pub fn gap(&self, x: f64) -> f64 {
        let edges = self.cells.iter().filter_map(|cell| match cell.content {
            Content::Bin { low, high } => Some([low, high]),
            _ => None,
        });
        let apart = edges.flatten().filter(|edge| !(x.next_down()..=x.next_up()).contains(edge));
        apart.map(|edge| (edge - x).abs()).fold(f64::INFINITY, f64::min)
    }

    /// Cells of `contents` that hold a row on either side. Bins and values may be off by `error`, and so may any set.
    fn of(contents: impl IntoIterator<Item = (Content, [u64; 2])>, ordered: bool, error: f64) -> Self {
        let error = error.min(1.0);
        let cells = contents.into_iter().filter(|(_, [reference, current])| reference + current > 0);
        let cells = cells.map(|(content, [reference, current])| {
            let is_counted = matches!(content, Content::Nan | Content::Missing);
            Cell { content, reference, current, error: if is_counted { 0.0 } else { error } }
        });
        let cells = cells.collect();
        Self { cells, ordered, error, hidden: 0.0, grown_error: error, whole_range: None }
    }

    /// What the shares of each cell may be off by.
    pub fn errors(&self) -> Vec<f64> {
        self.cells.iter().map(|cell| cell.error).collect()
    }
}

/// Rows of the data, those of files that lack the column included.
pub fn rows(column: &ColumnProfile) -> u64 {
    column.counts.rows + column.counts.absent
}

/// Missing rows against all others.
pub fn missing_cells(reference: &ColumnProfile, current: &ColumnProfile) -> Cells {
    let sides = [reference, current];
    let valid = (Content::Other, sides.map(|c| c.counts.valid()));
    Cells::of([valid].into_iter().chain(special_cells(sides)), false, 0.0)
}

/// Numbers, over the bins of the reference; `None` where a side has neither quantiles nor those bins.
pub fn number_cells(reference: &ColumnProfile, current: &ColumnProfile) -> Option<Cells> {
    let sides = [reference, current];
    let [before, now] = sides.map(|column| {
        let bins = match &column.bins {
            Some(Bins::Numbers(bins)) => Some(bins),
            _ => None,
        };
        column.numbers.as_ref().map(|numbers| NumberSide { numbers, bins })
    });
    let mut binned = Binned::of([before?, now?], are_of_two_precisions(sides))?;
    let infinite = |count: fn(&Counts) -> u64| sides.map(|c| count(&c.counts));
    let (low, high) = (infinite(|c| c.neg_inf), infinite(|c| c.pos_inf));
    binned.take_out(low, high);
    let contents = [(Content::NegativeInfinity, low)]
        .into_iter()
        .chain(binned.contents())
        .chain([(Content::Infinity, high)])
        .chain(special_cells(sides));
    let valid_share = |c: &ColumnProfile| c.counts.valid() as f64 / rows(c) as f64;
    let error = |now: f64| binned.errors[0] * valid_share(reference) + now * valid_share(current);
    Some(Cells {
        whole_range: binned.whole_range,
        grown_error: error(binned.grown_error).min(1.0),
        ..Cells::of(contents, true, error(binned.errors[1]))
    })
}

/// Lengths of strings or lists, over quantiles of the reference's; `None` where a side has none.
pub fn length_cells(reference: &ColumnProfile, current: &ColumnProfile) -> Option<Cells> {
    let [before, now] =
        [reference, current].map(|c| c.lengths.as_ref().map(|numbers| NumberSide { numbers, bins: None }));
    let binned = Binned::of([before?, now?], false)?;
    let range = |c: &ColumnProfile| c.lengths.as_ref().and_then(|numbers| numbers.range);
    let whole_range = joined(range(reference), range(current));
    Some(Cells { whole_range, ..Cells::of(binned.contents(), true, binned.errors.iter().sum()) })
}

/// Whether one side holds single precision alone, and the other double.
fn are_of_two_precisions(sides: [&ColumnProfile; 2]) -> bool {
    let [before, now] = sides.map(|column| column.type_name.as_str());
    let of_two = |a: &str, b: &str| a == "float32" && b.split('|').any(|name| name == "float64");
    of_two(before, now) || of_two(now, before)
}

/// Where to cut so that a value and the same value in single precision fall on the same side: between the numbers
/// of single precision around each edge.
fn between_singles(edges: &[f64]) -> Vec<f64> {
    let middle = |low: f32, high: f32| f64::midpoint(f64::from(low), f64::from(high));
    let cut = |(i, &edge): (usize, &f64)| {
        // An edge just below a value cuts below what that value is in single precision.
        let is_below = i == 0 || edges.get(i + 1).is_some_and(|&next| edge.next_up() == next);
        let single = (if is_below { edge.next_up() } else { edge }) as f32;
        if is_below { middle(single.next_down(), single) } else { middle(single, single.next_up()) }
    };
    edges.iter().enumerate().map(cut).collect()
}

/// The range that covers both, where both are known.
fn joined(a: Option<(f64, f64)>, b: Option<(f64, f64)>) -> Option<(f64, f64)> {
    a.zip(b).map(|(a, b)| (a.0.min(b.0), a.1.max(b.1)))
}

/// What is known of the numbers of one side.
struct NumberSide<'a> {
    numbers: &'a Numbers,
    /// Exact counts over the bins of some reference.
    bins: Option<&'a NumberBins>,
}

impl NumberSide<'_> {
    fn edges(&self) -> Option<Vec<f64>> {
        // Bins that a side was counted over may be those of quite other data, in which nothing would show.
        match (&self.numbers.quantiles, self.bins) {
            (Some(quantiles), _) => Some(number_edges(quantiles)),
            (None, Some(bins)) => Some(bins.edges().to_vec()),
            (None, None) => None,
        }
    }

    /// Rows per bin, and the error of the shares up to each edge: as it is, and of many more rows. `cuts` are the
    /// edges, or beside them.
    fn counts(&self, edges: &[f64], cuts: &[f64]) -> Option<(Vec<u64>, [f64; 2])> {
        if edges == cuts
            && let Some(bins) = self.bins.filter(|bins| bins.edges() == edges)
        {
            return Some((bins.counts().to_vec(), [0.0; 2]));
        }
        let quantiles = self.numbers.quantiles.as_ref()?;
        let mut ranks = quantiles.weights_up_to(cuts);
        ranks.push(quantiles.n());
        let mut below = 0;
        let counts = ranks.into_iter().map(|rank| rank - std::mem::replace(&mut below, rank));
        Some((counts.collect(), [quantiles.all_rank_error(), quantiles.estimated_all_rank_error()]))
    }

    fn whole_range(&self) -> Option<(f64, f64)> {
        self.numbers.integer_range.map(|(min, max)| (min as f64, max as f64))
    }
}

/// Numbers of both sides over the same edges.
struct Binned {
    edges: Vec<f64>,
    /// Rows per bin, one more than edges.
    counts: [Vec<u64>; 2],
    /// Error of the shares up to each edge, of each side's own values.
    errors: [f64; 2],
    /// That of the current side when many more rows come.
    grown_error: f64,
    whole_range: Option<(f64, f64)>,
}

impl Binned {
    fn of([before, now]: [NumberSide<'_>; 2], between_precisions: bool) -> Option<Self> {
        let edges = before.edges()?;
        let cuts = if between_precisions { between_singles(&edges) } else { edges.clone() };
        let ((a, error_a), (b, error_b)) = (before.counts(&edges, &cuts)?, now.counts(&edges, &cuts)?);
        Some(Self {
            edges,
            counts: [a, b],
            errors: [error_a[0], error_b[0]],
            grown_error: error_b[1],
            whole_range: joined(before.whole_range(), now.whole_range()),
        })
    }

    /// Takes infinite rows out of the bins at both ends, so that these hold numbers alone.
    fn take_out(&mut self, low: [u64; 2], high: [u64; 2]) {
        for (counts, (low, high)) in self.counts.iter_mut().zip(low.into_iter().zip(high)) {
            let last = counts.len() - 1;
            // Estimated counts may be short of the exact ones.
            counts[0] = counts[0].saturating_sub(low);
            counts[last] = counts[last].saturating_sub(high);
        }
    }

    fn contents(&self) -> impl Iterator<Item = (Content, [u64; 2])> {
        let lows = [f64::NEG_INFINITY].into_iter().chain(self.edges.iter().copied());
        let highs = self.edges.iter().copied().chain([f64::INFINITY]);
        let bins = lows.zip(highs).map(|(low, high)| Content::Bin { low, high });
        bins.zip(self.counts[0].iter().zip(&self.counts[1])).map(|(bin, (&a, &b))| (bin, [a, b]))
    }
}

/// Categories, a cell a value; `None` where a side has no frequent values, or none is known of both.
///
/// A side's sketch may hold counts that are short by its error, and lacks values that come no more often than that.
/// All other values make up one cell, within which rows may trade places unseen. Named are values with more rows than
/// those errors, and of these so many of the heaviest as make the unseen share and the errors of the named ones together
/// smallest. They are chosen by their rows on both sides together: which side those lie on is then left to chance, and
/// nothing is made of it. A value is not named because the side that still counts exactly holds a few of it.
pub fn category_cells(reference: &ColumnProfile, current: &ColumnProfile) -> Option<Cells> {
    let (Some(Frequent::Bytes(before)), Some(Frequent::Bytes(now))) =
        (&reference.frequent, &current.frequent)
    else {
        return None;
    };
    let (sides, columns) = ([before, now], [reference, current]);
    let known: BTreeSet<Box<[u8]>> =
        sides.iter().flat_map(|items| items.items_above(0)).map(|row| row.item).collect();
    let counts = known.into_iter().map(|value| {
        let counts = sides.map(|items| items.count(&value).0);
        (value, counts)
    });
    let mut named: Vec<(Box<[u8]>, [u64; 2])> = counts.collect();
    let proved: u64 = sides.iter().map(|items| items.max_error()).sum();
    named.retain(|(_, counts)| counts.iter().sum::<u64>() > proved);
    named.sort_by_key(|(_, counts)| std::cmp::Reverse(counts.iter().sum::<u64>()));
    let valid = columns.map(|column| column.counts.valid());
    let share = |side: usize, count: u64| count as f64 / rows(columns[side]) as f64;
    let larger = |counts: [u64; 2]| share(0, counts[0]).max(share(1, counts[1]));
    // Counts are short, never too large: the errors of the sides do not add up.
    let error = larger(sides.map(FrequentItems::max_error));
    let sum = |counts: &[(Box<[u8]>, [u64; 2])]| {
        counts.iter().fold([0, 0], |sum, (_, counts)| [sum[0] + counts[0], sum[1] + counts[1]])
    };
    // All that any values are short of is what no value has.
    let of_none = {
        let sum = sum(&named);
        larger([0, 1].map(|side| valid[side].saturating_sub(sum[side])))
    };
    let slack = |values: usize| (values as f64 * error).min(of_none);
    if error > 0.0 {
        let mut rest = valid;
        let mut unseen = |values: usize| {
            if let Some((_, counts)) = values.checked_sub(1).map(|last| &named[last]) {
                rest = [0, 1].map(|side| rest[side].saturating_sub(counts[side]));
            }
            slack(values) + share(0, rest[0]).min(share(1, rest[1]))
        };
        let unseen: Vec<f64> = (0..=named.len()).map(&mut unseen).collect();
        let best = (0..unseen.len()).min_by(|&a, &b| unseen[a].total_cmp(&unseen[b]));
        named.truncate(best.unwrap_or(0));
    }
    let slack = slack(named.len()).min(1.0);
    let of_named = sum(&named);
    let rest = [0, 1].map(|side| valid[side].saturating_sub(of_named[side]));
    let values = named.into_iter().map(|(value, counts)| (Content::Value(value), counts));
    let contents = values.chain([(Content::Other, rest)]).chain(special_cells(columns));
    let mut cells = Cells::of(contents, false, error);
    for cell in cells.cells.iter_mut().filter(|cell| cell.content == Content::Other) {
        cell.error = slack;
    }
    let cells =
        Cells { error: slack, grown_error: slack, hidden: share(0, rest[0]).min(share(1, rest[1])), ..cells };
    let informative = cells.cells.len() > 1 || matches!(cells.cells.first()?.content, Content::Value(_));
    informative.then_some(cells)
}

fn special_cells(sides: [&ColumnProfile; 2]) -> [(Content, [u64; 2]); 2] {
    let nans = sides.map(|c| c.counts.nans);
    let missing = sides.map(|c| c.counts.nulls + c.counts.absent);
    [(Content::Nan, nans), (Content::Missing, missing)]
}
