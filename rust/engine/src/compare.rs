//! Two profiles side by side: how much each column changed, and whether the data prove it.
//!
//! Numbers are compared by the Kolmogorov-Smirnov distance of their sketches, categories by the shares
//! of their frequent values; missing values are part of both. The error of the sketches is inside every
//! p-value and bound. Shares are shares of all rows.
use crate::profile::{ColumnProfile, Frequent, Kind, Profile};
use crate::{Error, Result};
use driftline_sketches::KllSketch;
use driftline_stats::correct::benjamini_hochberg;
use driftline_stats::distance::{WeightedSample, ks_statistic, total_variation};
use driftline_stats::test::{category_relevant_p_value, category_test, ks_p_value, ks_relevant_p_value};
use driftline_stats::verdict::{Verdict, effect_upper_bound, verdict};
use std::collections::BTreeMap;

/// At tolerance 0 no amount of data proves that nothing changed: `stable` then excludes changes above this.
const RESOLUTION: f64 = 0.05;
/// Distinct values for each row from which on a category is an id or free text.
const MOSTLY_DISTINCT: f64 = 0.9;

/// How to compare.
#[derive(Clone, Debug)]
pub struct CompareOptions {
    /// Columns to compare; all common ones where `None`.
    pub columns: Option<Vec<String>>,
    /// Changes of at most this share of the rows do not matter.
    pub tolerance: f64,
    /// Accepted probability of calling any unchanged column changed.
    pub alpha: f64,
}

impl Default for CompareOptions {
    fn default() -> Self {
        Self { columns: None, tolerance: 0.02, alpha: 0.05 }
    }
}

/// What moved most, and from what share to what.
#[derive(Clone, Debug, PartialEq)]
pub struct Moved {
    /// `above 0.31`, `'0-20k'`, `missing`.
    pub label: String,
    /// Share of the reference rows.
    pub reference: f64,
    /// Share of the current rows.
    pub current: f64,
}

/// The statistics of a column whose values are judged.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// `ks` or `chi-square`.
    pub test: &'static str,
    /// Share of rows moved: the largest difference of a cumulative share, or total variation.
    pub effect: f64,
    /// Its upper bound at level alpha.
    pub effect_bound: f64,
    /// p-value of "the change is at most the tolerance".
    pub p_value: f64,
    /// The same, corrected for the number of columns (Benjamini-Hochberg).
    pub p_adjusted: f64,
    /// What the data prove.
    pub verdict: Verdict,
    /// What moved most.
    pub moved: Option<Moved>,
}

/// Why the values of a column are not judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotJudged {
    /// They say nothing by themselves, or were not collected.
    Reason(&'static str),
    /// They are of another kind now: a finding of its own.
    Retyped {
        /// Types in the reference.
        reference: String,
        /// Types now.
        current: String,
    },
}

impl std::fmt::Display for NotJudged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            NotJudged::Reason(reason) => f.write_str(reason),
            NotJudged::Retyped { reference, current } => {
                write!(f, "{reference} in the reference, {current} now")
            }
        }
    }
}

/// One column on both sides.
#[derive(Clone, Debug)]
pub struct ColumnComparison {
    /// Flattened name.
    pub name: String,
    /// Kind of its values.
    pub kind: Kind,
    /// Rows of the reference.
    pub reference_rows: u64,
    /// Rows now.
    pub current_rows: u64,
    /// The statistics; `Err` says why the values are not judged.
    pub judgement: std::result::Result<Judgement, NotJudged>,
}

/// Two profiles side by side.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// Rows of the reference.
    pub reference_rows: u64,
    /// Rows now.
    pub current_rows: u64,
    /// How it was compared.
    pub options: CompareOptions,
    /// Columns of both sides, in the reference's order.
    pub columns: Vec<ColumnComparison>,
    /// Columns that are gone.
    pub only_in_reference: Vec<String>,
    /// Columns that are new.
    pub only_in_current: Vec<String>,
}

/// Compares two profiles.
///
/// # Errors
/// An option is out of range, a column that was asked for is on neither side, a side has no rows, or there
/// is no common column.
pub fn compare(reference: &Profile, current: &Profile, options: &CompareOptions) -> Result<Comparison> {
    if !(0.0..1.0).contains(&options.tolerance) {
        return Err(Error::Argument(format!(
            "tolerance is {}: it is a share of the rows, 0 to below 1 (2 % is 0.02)",
            options.tolerance
        )));
    }
    if !(options.alpha > 0.0 && options.alpha < 1.0) {
        return Err(Error::Argument(format!("alpha is {}: it must lie between 0 and 1", options.alpha)));
    }
    for (side, profile) in [("reference", reference), ("current data", current)] {
        if profile.rows() == 0 {
            return Err(Error::Input(format!("the {side} has no rows: there is nothing to compare")));
        }
    }
    let asked = |name: &str| options.columns.as_ref().is_none_or(|columns| columns.iter().any(|c| c == name));
    let missing = options
        .columns
        .iter()
        .flatten()
        .find(|n| reference.column(n).is_none() && current.column(n).is_none());
    if let Some(missing) = missing {
        return Err(Error::Argument(format!("no column {missing:?} on either side")));
    }
    let ours = reference.columns().iter().filter(|c| asked(&c.name));
    let (mut columns, mut only_in_reference) = (vec![], vec![]);
    for before in ours {
        match current.column(&before.name) {
            Some(now) => columns.push(compare_column(before, now, options)?),
            None => only_in_reference.push(before.name.clone()),
        }
    }
    let theirs = current.columns().iter().filter(|c| asked(&c.name) && reference.column(&c.name).is_none());
    let only_in_current: Vec<_> = theirs.map(|c| c.name.clone()).collect();
    if columns.is_empty() {
        return Err(Error::Input("the two sides have no column in common".into()));
    }
    correct(&mut columns, options)?;
    Ok(Comparison {
        reference_rows: reference.rows(),
        current_rows: current.rows(),
        options: options.clone(),
        columns,
        only_in_reference,
        only_in_current,
    })
}

/// Corrects the p-values for their number, and draws the conclusions.
fn correct(columns: &mut [ColumnComparison], options: &CompareOptions) -> Result<()> {
    let mut judged: Vec<_> = columns.iter_mut().filter_map(|c| c.judgement.as_mut().ok()).collect();
    let p_values: Vec<f64> = judged.iter().map(|j| j.p_value).collect();
    if p_values.is_empty() {
        return Ok(());
    }
    let adjusted = benjamini_hochberg(&p_values).map_err(stats_error)?;
    for (judgement, p) in judged.iter_mut().zip(adjusted) {
        judgement.p_adjusted = p;
        judgement.verdict = verdict(p, options.alpha, judgement.effect_bound, options.tolerance, RESOLUTION)
            .map_err(stats_error)?;
    }
    Ok(())
}

fn stats_error(error: driftline_stats::ArgumentError) -> Error {
    Error::Argument(error.to_string())
}

fn compare_column(
    reference: &ColumnProfile,
    current: &ColumnProfile,
    options: &CompareOptions,
) -> Result<ColumnComparison> {
    let nullish = reference.kind == Kind::Null || current.kind == Kind::Null;
    let retyped = reference.kind != current.kind && !nullish;
    let judgement = match (reference.kind, rows(reference), rows(current)) {
        _ if retyped => Err(NotJudged::Retyped {
            reference: reference.type_name.clone(),
            current: current.type_name.clone(),
        }),
        (_, 0, _) | (_, _, 0) => not_judged("no rows on one side"),
        _ if nullish => compare_missing(reference, current, options)?,
        (Kind::Time, ..) => not_judged("a time"),
        (Kind::List | Kind::Embedding, ..) => not_judged("its elements or norm are compared"),
        (Kind::Number, ..) => compare_numbers(reference, current, options)?,
        _ if mostly_distinct(reference) && mostly_distinct(current) => {
            not_judged("nearly all values are distinct")
        }
        _ => compare_categories(reference, current, options)?,
    };
    Ok(ColumnComparison {
        name: reference.name.clone(),
        kind: reference.kind,
        reference_rows: rows(reference),
        current_rows: rows(current),
        judgement,
    })
}

fn mostly_distinct(column: &ColumnProfile) -> bool {
    let valid = column.counts.valid();
    let distinct = column.distinct.as_ref().map_or(0.0, |d| d.estimate());
    valid > 20 && distinct > MOSTLY_DISTINCT * valid as f64
}

type Judged = std::result::Result<Judgement, NotJudged>;

fn not_judged(reason: &'static str) -> Judged {
    Err(NotJudged::Reason(reason))
}

fn compare_numbers(
    reference: &ColumnProfile,
    current: &ColumnProfile,
    options: &CompareOptions,
) -> Result<Judged> {
    let sketch = |column: &'_ ColumnProfile| column.numbers.as_ref().and_then(|n| n.quantiles.clone());
    let (Some(before), Some(now)) = (sketch(reference), sketch(current)) else {
        return Ok(not_judged("no quantiles were collected"));
    };
    if is_whole(reference) && is_whole(current) && mostly_distinct(reference) && mostly_distinct(current) {
        return Ok(not_judged("nearly all values are distinct"));
    }
    if before.n() == 0 || now.n() == 0 {
        return compare_missing(reference, current, options);
    }
    // Missing values stand behind the largest: one distribution function covers every row, and so does its
    // largest difference.
    let side = |sketch: &KllSketch, column: &ColumnProfile| {
        let view = sketch.sorted_view();
        let (mut values, mut cumulative) = (view.values().to_vec(), view.cumulative().to_vec());
        values.push(f64::INFINITY);
        cumulative.push(rows(column));
        (values, cumulative)
    };
    let (a, b) = (side(&before, reference), side(&now, current));
    let distance = WeightedSample::try_new(&a.0, &a.1)
        .and_then(|x| ks_statistic(x, WeightedSample::try_new(&b.0, &b.1)?))
        .map_err(stats_error)?;
    let valid_share = |column: &ColumnProfile| column.counts.valid() as f64 / rows(column) as f64;
    let error =
        before.all_rank_error() * valid_share(reference) + now.all_rank_error() * valid_share(current);
    let (rows_before, rows_now) = (rows(reference), rows(current));
    let p = if options.tolerance > 0.0 {
        ks_relevant_p_value(distance.statistic, rows_now, rows_before, error, options.tolerance)
    } else {
        ks_p_value(distance.statistic, rows_now, rows_before, error)
    };
    let mut parts = vec![p.map_err(stats_error)?];
    let missing = missing_shares(reference, current);
    if missing.reference + missing.current > 0.0 {
        let cells = |c: &ColumnProfile| [missing_rows(c), c.counts.valid()];
        parts.push(cells_p_value(&cells(reference), &cells(current), options.tolerance)?);
    }
    let from_missing = (missing.current - missing.reference).abs();
    let effect = distance.statistic.max(from_missing);
    let moved = if effect == 0.0 {
        None
    } else if from_missing >= distance.statistic {
        Some(missing)
    } else {
        let above = |share: f64, cdf: f64| (share - cdf).max(0.0);
        // The rows above a point are those not at or below it, so long as the missing ones are the same share.
        Some(if missing.reference == missing.current {
            Moved {
                label: format!("above {}", short(distance.at)),
                reference: above(valid_share(reference), distance.reference_cdf),
                current: above(valid_share(current), distance.current_cdf),
            }
        } else {
            Moved {
                label: format!("up to {}", short(distance.at)),
                reference: distance.reference_cdf,
                current: distance.current_cdf,
            }
        })
    };
    let bound = effect_upper_bound(effect, rows_now, rows_before, error.min(1.0), options.alpha);
    Ok(Ok(Judgement {
        test: "ks",
        effect,
        effect_bound: bound.map_err(stats_error)?,
        p_value: joined(&parts),
        p_adjusted: 1.0,
        verdict: Verdict::Undecided,
        moved,
    }))
}

/// Where one side has no value at all, what changed is how many there are.
fn compare_missing(
    reference: &ColumnProfile,
    current: &ColumnProfile,
    options: &CompareOptions,
) -> Result<Judged> {
    let missing = missing_shares(reference, current);
    let cells = |c: &ColumnProfile| [missing_rows(c), c.counts.valid()];
    let effect = (missing.current - missing.reference).abs();
    let bound = effect_upper_bound(effect, rows(current), rows(reference), 0.0, options.alpha);
    Ok(Ok(Judgement {
        test: "chi-square",
        effect,
        effect_bound: bound.map_err(stats_error)?,
        p_value: cells_p_value(&cells(reference), &cells(current), options.tolerance)?,
        p_adjusted: 1.0,
        verdict: Verdict::Undecided,
        moved: Some(missing).filter(|m| m.reference != m.current),
    }))
}

/// Whether all values seen were whole numbers.
fn is_whole(column: &ColumnProfile) -> bool {
    column.numbers.as_ref().is_some_and(|numbers| numbers.integer_range.is_some())
}

fn compare_categories(
    reference: &ColumnProfile,
    current: &ColumnProfile,
    options: &CompareOptions,
) -> Result<Judged> {
    let (Some(Frequent::Bytes(before)), Some(Frequent::Bytes(now))) =
        (&reference.frequent, &current.frequent)
    else {
        return Ok(not_judged("no frequent values were collected"));
    };
    // As they leave the process, so that a saved profile and one at hand compare alike.
    let sides = [before.without_rare(), now.without_rare()];
    let mut named: BTreeMap<Option<Box<[u8]>>, [u64; 2]> = BTreeMap::new();
    for (side, items) in sides.iter().enumerate() {
        for row in items.items_above(0) {
            named.entry(Some(row.item)).or_default()[side] = row.lower_bound;
        }
    }
    // A side that does not hold a value says 0 only where its counts are exact; elsewhere the value is one of
    // the rest, on both sides.
    named.retain(|_, counts| (0..2).all(|side| counts[side] > 0 || sides[side].max_error() == 0));
    // A count may be short by its sketch's error, and the rest too large by the sum of these: so many of the
    // heaviest are named as keep that sum well below what matters.
    let share_of = |counts: &[u64; 2]| {
        counts[0] as f64 / rows(reference) as f64 + counts[1] as f64 / rows(current) as f64
    };
    let error = share_of(&[sides[0].max_error(), sides[1].max_error()]);
    let matters = if options.tolerance > 0.0 { options.tolerance } else { RESOLUTION };
    let most = if error > 0.0 { (matters / 2.0 / error) as usize } else { usize::MAX };
    let mut heaviest: Vec<_> = named.into_iter().collect();
    heaviest.sort_by(|x, y| share_of(&y.1).total_cmp(&share_of(&x.1)));
    heaviest.truncate(most);
    let slack = heaviest.len() as f64 * error;
    let mut cells: BTreeMap<_, _> = heaviest.into_iter().collect();
    if cells.is_empty() && missing_rows(reference) + missing_rows(current) == 0 {
        return Ok(not_judged("no value is frequent"));
    }
    let rest = |column: &ColumnProfile, side: usize| {
        column.counts.valid() - cells.values().map(|c| c[side]).sum::<u64>()
    };
    let rest = [rest(reference, 0), rest(current, 1)];
    cells.insert(None, rest);
    let labelled = cells.iter().map(|(value, counts)| {
        let label =
            value.as_ref().map_or("other values".into(), |v| format!("'{}'", String::from_utf8_lossy(v)));
        (label, *counts)
    });
    let missing = ("missing".to_owned(), [missing_rows(reference), missing_rows(current)]);
    let labelled: Vec<_> = labelled.chain([missing]).filter(|(_, [a, b])| a + b > 0).collect();
    let counts = |side: usize| labelled.iter().map(|(_, counts)| counts[side]).collect::<Vec<_>>();
    let (a, b) = (counts(0), counts(1));
    let effect = total_variation(&a, &b).map_err(stats_error)?;
    let share = |count: u64, rows: u64| count as f64 / rows as f64;
    let moved = labelled.iter().map(|(label, [x, y])| Moved {
        label: label.clone(),
        reference: share(*x, rows(reference)),
        current: share(*y, rows(current)),
    });
    let size = |m: &Moved| (m.current - m.reference).abs();
    let moved = moved.max_by(|x, y| size(x).total_cmp(&size(y))).filter(|m| size(m) > 0.0);
    let bound = effect_upper_bound(effect, rows(current), rows(reference), slack.min(1.0), options.alpha);
    Ok(Ok(Judgement {
        test: "chi-square",
        effect,
        effect_bound: bound.map_err(stats_error)?,
        p_value: cells_p_value(&a, &b, options.tolerance + slack)?,
        p_adjusted: 1.0,
        verdict: Verdict::Undecided,
        moved,
    }))
}

/// Enough permutations for the smallest p-value to survive the correction of some fifty columns.
const PERMUTATIONS: usize = 1999;

/// p-value of "no cell gained or lost more than `tolerance` of the rows".
fn cells_p_value(reference: &[u64], current: &[u64], tolerance: f64) -> Result<f64> {
    if tolerance >= 1.0 {
        return Ok(1.0);
    }
    if tolerance > 0.0 {
        return category_relevant_p_value(reference, current, tolerance).map_err(stats_error);
    }
    Ok(category_test(reference, current, PERMUTATIONS).map_err(stats_error)?.p_value)
}

/// Bonferroni over the parts of a column.
fn joined(p_values: &[f64]) -> f64 {
    let smallest = p_values.iter().copied().fold(1.0, f64::min);
    (smallest * p_values.len() as f64).min(1.0)
}

/// Rows of the data, those of files that lack the column included.
fn rows(column: &ColumnProfile) -> u64 {
    column.counts.rows + column.counts.absent
}

fn missing_rows(column: &ColumnProfile) -> u64 {
    rows(column) - column.counts.valid()
}

fn missing_shares(reference: &ColumnProfile, current: &ColumnProfile) -> Moved {
    let share = |column: &ColumnProfile| missing_rows(column) as f64 / rows(column) as f64;
    Moved { label: "missing".into(), reference: share(reference), current: share(current) }
}

/// A number as a person would write it.
fn short(x: f64) -> String {
    if x == 0.0 || (1e-4..1e7).contains(&x.abs()) {
        let digits = (3 - x.abs().max(1e-4).log10().floor() as i32).clamp(0, 7) as usize;
        let text = format!("{x:.digits$}");
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
    } else {
        format!("{x:.3e}")
    }
}
