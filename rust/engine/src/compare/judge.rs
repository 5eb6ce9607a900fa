//! What the cells of one column prove: effect and bound, p-value, verdict, and how many rows would decide.
//!
//! The recipes are those whose promises were simulated: Kolmogorov-Smirnov with ties together with a test of
//! the bins for numbers, chi-square with the largest category, or that with a chosen set of categories, for
//! categories. The parts of a column are joined before the correction over columns.
use crate::compare::cells::{Cells, Content};
use crate::compare::explain::{Moved, largest, moved};
use crate::{Error, Result};
use driftline_stats::ArgumentError;
use driftline_stats::distance::{OrderedCounts, ks_statistic};
use driftline_stats::moved_share::moved_share;
use driftline_stats::rows_to_decide::rows_to_decide;
use driftline_stats::test::{
    MAX_PERMUTATIONS, MIN_PERMUTATIONS, category_relevant_p_value, category_test, ks_relevant_p_value,
    ks_test, largest_cell_p_value,
};
use driftline_stats::total_variation_bound::total_variation_upper_bound;
use driftline_stats::verdict::{Verdict, effect_upper_bound, verdict};

/// Bins are tested with at least so many reference rows in each: their edges are quantiles of the reference
/// itself, so a bin of a few rows is as wide as chance made it.
const ROWS_A_BIN: u64 = 40;

/// What a change is measured against.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Changes of at most this share of the rows do not matter.
    pub tolerance: f64,
    /// Accepted share of false findings.
    pub alpha: f64,
    /// Change that `stable` excludes at tolerance 0.
    pub resolution: f64,
}

impl Limits {
    /// The largest change that is still called stable.
    pub fn stable(&self) -> f64 {
        if self.tolerance > 0.0 { self.tolerance } else { self.resolution }
    }
}

/// The statistics of a column whose values are judged.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// The tests behind the p-value.
    pub test: &'static str,
    /// Share of rows moved: the largest difference of a cumulative share or of a bin's, or total variation.
    pub effect: f64,
    /// Its upper bound at level alpha.
    pub effect_bound: f64,
    /// p-value of "the change is at most the tolerance".
    pub p_value: f64,
    /// The same, corrected for the number of columns.
    pub p_adjusted: f64,
    /// What the data prove.
    pub verdict: Verdict,
    /// What would decide, where nothing is decided; `None` also where as many rows as there are would show that an
    /// unchanged column is stable, so that this one has changed by about as much as may be.
    pub needs: Option<Needs>,
    /// The set of rows whose share changed most, where the change is proved.
    pub largest: Option<Moved>,
    /// Bins or categories that provably moved, the surest first, where the change is proved.
    pub moved: Vec<Moved>,
}

/// What an undecided column needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// So many rows now, with which an unchanged column would be called stable four times in five.
    Rows(u64),
    /// More rows of the reference: with as many as it has no number of rows now would do.
    LargerReference,
    /// Counts with less error: that of the sketches covers what is asked for.
    FinerSketch,
    /// Fewer values: those without a cell of their own hold more rows than may change.
    FewerValues,
}

/// The p-value of one column, its parts joined, and by which tests it was found.
///
/// # Errors
/// A side has no rows.
pub fn p_value(cells: &Cells, limits: &Limits, permutations: usize) -> Result<(f64, &'static str)> {
    let margin = limits.tolerance + cells.error;
    let (reference, current) = cells.counts();
    if !cells.ordered {
        return if margin > 0.0 {
            // Of exact counts at tolerance 0 next to nothing is taken off, and of a share no more than all.
            let within = |margin: f64| margin.clamp(1e-9, 1.0 - 1e-9);
            let margins: Vec<f64> =
                cells.errors().into_iter().map(|error| within(limits.tolerance + error)).collect();
            let p = category_relevant_p_value(&reference, &current, &margins, within(margin));
            let p = p.map_err(wrong)?;
            Ok((p, "largest category, set of categories"))
        } else {
            let test = category_test(&reference, &current, permutations).map_err(wrong)?;
            Ok((test.p_value, "chi-square, largest category"))
        };
    }
    if margin >= 1.0 {
        return Ok((1.0, "none: the sketch's error covers any change"));
    }
    let (m, n) = cells.rows();
    let ks = if limits.tolerance > 0.0 {
        let counts = OrderedCounts::in_order(&reference, &current).map_err(wrong)?;
        let d = ks_statistic(counts.reference(), counts.current()).map_err(wrong)?.statistic;
        ks_relevant_p_value(d, n, m, cells.error, limits.tolerance).map_err(wrong)?
    } else {
        ks_test(&reference, &current, cells.error).map_err(wrong)?.p_value
    };
    let (reference, current) = merged_bins(cells);
    let (bins, test) = if margin > 0.0 {
        let margins = vec![margin; reference.len()];
        (largest_cell_p_value(&reference, &current, &margins).map_err(wrong)?, "ks, largest bin")
    } else {
        (category_test(&reference, &current, permutations).map_err(wrong)?.p_value, "ks, chi-square of bins")
    };
    Ok(((2.0 * ks.min(bins)).min(1.0), test))
}

/// Enough permutations for a p-value of four joined parts to pass the correction over so many columns.
pub fn permutations(columns: usize, alpha: f64) -> usize {
    const PARTS: f64 = 4.0;
    // Twice what is needed, so that the smallest p-value is not the only one that passes.
    ((2.0 * PARTS * columns as f64 / alpha).ceil() as usize).clamp(MIN_PERMUTATIONS, MAX_PERMUTATIONS)
}

/// Draws the conclusions from a column's p-value.
///
/// # Errors
/// A side has no rows.
pub fn judge(
    cells: &Cells,
    limits: &Limits,
    (p_value, test): (f64, &'static str),
    p_adjusted: f64,
) -> Result<Judgement> {
    let (m, n) = cells.rows();
    let (reference, current) = cells.counts();
    let (effect, bound, set) = if cells.ordered {
        let (effect, set) = largest(cells);
        (effect, effect_upper_bound(effect, n, m, cells.error, limits.alpha), set)
    } else {
        let bound = total_variation_upper_bound(&reference, &current, cells.error, limits.alpha);
        (moved_share(&reference, &current).map_err(wrong)?, bound, None)
    };
    // A change that is proved to lie beyond the tolerance is not told as a smaller one.
    let effect = if p_adjusted <= limits.alpha { effect.max(limits.tolerance) } else { effect }.min(1.0);
    let effect_bound = (bound.map_err(wrong)? + cells.hidden).min(1.0).max(effect);
    let said = verdict(p_adjusted, limits.alpha, effect_bound, limits.tolerance, limits.resolution);
    let said = said.map_err(wrong)?;
    let drifted = said == Verdict::Drift;
    Ok(Judgement {
        test,
        effect,
        effect_bound,
        p_value,
        p_adjusted,
        verdict: said,
        needs: if said == Verdict::Undecided { needs(cells, limits)? } else { None },
        largest: set.filter(|_| drifted),
        moved: if drifted { moved(cells, limits.alpha)? } else { vec![] },
    })
}

/// What would decide, were the column unchanged; `None` where that cannot be what is missing.
fn needs(cells: &Cells, limits: &Limits) -> Result<Option<Needs>> {
    let (m, n) = cells.rows();
    let limit = limits.stable() - cells.hidden;
    if cells.hidden > 0.0 && limit <= cells.error {
        return Ok(Some(Needs::FewerValues));
    }
    let (reference, current) = cells.counts();
    let pooled: Vec<u64> = reference.iter().zip(&current).map(|(a, b)| a + b).collect();
    // The noise of sketches widens the estimate too: measured, by about a quarter of its bound.
    let with = |error: f64| {
        let error = (1.25 * error).min(1.0);
        rows_to_decide(&pooled, cells.ordered, m, limit, error, limits.alpha).map_err(wrong)
    };
    let mut rows = with(cells.error)?;
    if rows.is_some_and(|rows| rows > n) {
        rows = with(cells.grown_error)?;
    }
    Ok(match rows {
        Some(rows) => (rows > n).then_some(Needs::Rows(rows)),
        None if with(0.0)?.is_some() => Some(Needs::FinerSketch),
        None => Some(Needs::LargerReference),
    })
}

/// Counts with neighbouring bins merged until each holds enough rows of the reference.
pub(super) fn merged_bins(cells: &Cells) -> (Vec<u64>, Vec<u64>) {
    let (bins, special): (Vec<_>, Vec<_>) =
        cells.cells.iter().partition(|cell| matches!(cell.content, Content::Bin { .. }));
    let mut merged: Vec<(u64, u64)> = vec![];
    let mut open = (0, 0);
    for cell in bins {
        open = (open.0 + cell.reference, open.1 + cell.current);
        if open.0 >= ROWS_A_BIN {
            merged.push(std::mem::take(&mut open));
        }
    }
    // What is left over joins the last bin that is full.
    match merged.last_mut() {
        Some(last) => *last = (last.0 + open.0, last.1 + open.1),
        None => merged.push(open),
    }
    merged.into_iter().chain(special.into_iter().map(|cell| (cell.reference, cell.current))).unzip()
}

pub(super) fn wrong(error: ArgumentError) -> Error {
    Error::Argument(error.to_string())
}
