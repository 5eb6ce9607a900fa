//! Two profiles side by side: what changed, by how much, whether that is proved, and whether it matters.
//!
//! A comparison goes through three steps. [`cells`] brings both sides of a column into counts over the same
//! cells; [`judge`] draws the p-value, the effect with its bound and the verdict from these; [`explain`] says
//! in words what moved. [`statistics`] adds the distances that others know, when asked. Shares are shares of
//! all rows, missing ones included.
pub mod cells;
pub mod explain;
pub mod judge;
pub mod statistics;

use crate::options::ancestors;
use crate::profile::{ColumnProfile, Frequent, Kind, Profile, same_times};
use crate::threads::map;
use crate::{Error, Result};
use cells::{Cells, category_cells, length_cells, missing_cells, number_cells, rows};
use driftline_stats::correct::{benjamini_hochberg, holm};
use driftline_stats::verdict::Verdict;
pub use explain::Moved;
use explain::OTHER;
pub use judge::{Judgement, Limits, Needs};
use judge::{judge, p_value, permutations, wrong};
use std::borrow::Cow;
use std::collections::HashSet;

/// Distinct values for each row from which on a category or a whole number is an id or free text.
pub(crate) const MOSTLY_DISTINCT: f64 = 0.9;
/// Fewer values than this are distinct by chance.
pub(crate) const FEW_VALUES: u64 = 20;

/// Beyond this whole number doubles lie further apart than whole numbers, so that neighbours are compared as one.
const LAST_APART: i128 = 1 << 53;
const ROUNDED: &str = "whole numbers beyond 2^53 are rounded: cast to text to compare them";

/// How p-values are corrected for the number of columns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Correction {
    /// Benjamini-Hochberg: alpha is the expected share of false findings among the findings.
    #[default]
    BenjaminiHochberg,
    /// Holm: alpha is the chance of any false finding.
    Holm,
    /// None: alpha is the chance of a false finding for each column.
    None,
}

impl Correction {
    const ALL: [(&'static str, Self); 3] =
        [("bh", Self::BenjaminiHochberg), ("holm", Self::Holm), ("none", Self::None)];

    /// The correction of that name.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn try_from_name(name: &str) -> Result<Self> {
        let found = Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, correction)| *correction);
        found.ok_or_else(|| {
            let names = Self::ALL.map(|(known, _)| known).join(", ");
            Error::Argument(format!("correction is {name:?}: it takes {names}"))
        })
    }

    fn adjust(self, p_values: &[f64]) -> Result<Vec<f64>> {
        match self {
            Self::BenjaminiHochberg => benjamini_hochberg(p_values).map_err(wrong),
            Self::Holm => holm(p_values).map_err(wrong),
            Self::None => Ok(p_values.to_vec()),
        }
    }
}

/// How to compare.
#[derive(Clone, Debug)]
pub struct CompareOptions {
    /// Columns to compare; all common ones where `None`.
    pub columns: Option<Vec<String>>,
    /// Tolerance, alpha and resolution.
    pub limits: Limits,
    /// How p-values are corrected for the number of columns.
    pub correction: Correction,
    /// Threads to use; all cores where 0.
    pub threads: usize,
}

impl Default for CompareOptions {
    fn default() -> Self {
        let limits = Limits { tolerance: 0.02, alpha: 0.05, resolution: 0.05 };
        Self { columns: None, limits, correction: Correction::default(), threads: 0 }
    }
}

impl CompareOptions {
    fn check(&self) -> Result<()> {
        let Limits { tolerance, alpha, resolution } = self.limits;
        if !(0.0..1.0).contains(&tolerance) {
            return Err(Error::Argument(format!(
                "tolerance is {tolerance}: it is a share of the rows, 0 to below 1 (2 % is 0.02)"
            )));
        }
        if !(alpha > 0.0 && alpha < 1.0) {
            return Err(Error::Argument(format!("alpha is {alpha}: it must lie between 0 and 1")));
        }
        if !(resolution > 0.0 && resolution < 1.0) {
            return Err(Error::Argument(format!(
                "resolution is {resolution}: it is a share of the rows, between 0 and 1 (5 % is 0.05)"
            )));
        }
        Ok(())
    }
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
                write!(
                    f,
                    "{reference} in the reference, {current} now: convert one side to compare the values"
                )
            }
        }
    }
}

/// A column whose values are not judged.
#[derive(Clone, Debug)]
pub struct Unjudged {
    /// Why.
    pub why: NotJudged,
    /// What provably moved all the same: the share of missing rows, or lengths.
    pub moved: Vec<Moved>,
}

/// One column on both sides.
#[derive(Clone, Debug)]
pub struct ColumnComparison {
    /// Flattened name.
    pub name: String,
    /// Kind of its values.
    pub kind: Kind,
    /// Logical types of the reference.
    pub reference_type: String,
    /// Logical types now.
    pub current_type: String,
    /// Rows of the reference.
    pub reference_rows: u64,
    /// Rows now.
    pub current_rows: u64,
    /// The counts behind the judgement; `None` where the values are not judged.
    pub cells: Option<Cells>,
    /// The statistics, or why there are none.
    pub judgement: std::result::Result<Judgement, Unjudged>,
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

impl Comparison {
    /// What `f` says of each column, on as many threads as the comparison may use.
    pub fn for_columns<R: Send>(&self, f: impl Fn(&ColumnComparison) -> R + Sync) -> Vec<R> {
        map(self.options.threads, &self.columns, f)
    }
}

/// Compares two profiles.
///
/// # Errors
/// An option is out of range, a column that was asked for is on neither side, a side has no rows, or there
/// is no common column.
pub fn compare(reference: &Profile, current: &Profile, options: &CompareOptions) -> Result<Comparison> {
    options.check()?;
    for (side, profile) in [("reference", reference), ("current data", current)] {
        if profile.rows() == 0 {
            return Err(Error::Input(format!("the {side} has no rows: there is nothing to compare")));
        }
    }
    let pairs = Pairs::try_new(reference, current, options)?;
    let limits = &options.limits;
    let prepared = map(options.threads, &pairs.common, |&(before, now)| prepare(before, now));
    let judged: Vec<&Cells> = prepared.iter().filter_map(|p| p.as_ref().ok()).collect();
    let permutations = permutations(judged.len().max(1), limits.alpha);
    let p_values = map(options.threads, &judged, |cells| p_value(cells, limits, permutations));
    let p_values = p_values.into_iter().collect::<Result<Vec<_>>>()?;
    let adjusted = options.correction.adjust(&p_values.iter().map(|&(p, _)| p).collect::<Vec<_>>())?;
    let tested: Vec<_> = judged.into_iter().zip(p_values.into_iter().zip(adjusted)).collect();
    let judgements =
        map(options.threads, &tested, |&(cells, (p, adjusted))| judge(cells, limits, p, adjusted));
    let mut judgements = judgements.into_iter();
    let mut columns = Vec::with_capacity(pairs.common.len());
    for (prepared, &(before, now)) in prepared.into_iter().zip(&pairs.common) {
        let (cells, judgement) = match prepared {
            Ok(cells) => match judgements.next().transpose()? {
                // A change of rounded numbers is one, but that these are the same proves little.
                Some(judgement)
                    if judgement.verdict != Verdict::Drift && cells.ordered && are_rounded(before, now) =>
                {
                    (None, Err(Unjudged { why: NotJudged::Reason(ROUNDED), moved: vec![] }))
                }
                Some(judgement) => (Some(cells), Ok(judgement)),
                None => return Err(Error::Argument("a column was prepared and not judged".into())),
            },
            Err(why) => (None, Err(Unjudged { why, moved: vec![] })),
        };
        columns.push(ColumnComparison {
            name: before.name.clone(),
            kind: if before.kind == Kind::Null { now.kind } else { before.kind },
            reference_type: before.type_name.clone(),
            current_type: now.type_name.clone(),
            reference_rows: rows(before),
            current_rows: rows(now),
            cells,
            judgement,
        });
    }
    look_aside(&mut columns, &pairs.common, options)?;
    columns.extend(pairs.unprofiled.iter().map(|&(name, before, now)| {
        let why = if before == now {
            NotJudged::Reason("its type is not profiled")
        } else {
            NotJudged::Retyped { reference: before.to_owned(), current: now.to_owned() }
        };
        ColumnComparison {
            name: name.to_owned(),
            kind: Kind::Null,
            reference_type: before.to_owned(),
            current_type: now.to_owned(),
            reference_rows: reference.rows(),
            current_rows: current.rows(),
            cells: None,
            judgement: Err(Unjudged { why, moved: vec![] }),
        }
    }));
    Ok(Comparison {
        reference_rows: reference.rows(),
        current_rows: current.rows(),
        options: options.clone(),
        columns,
        only_in_reference: pairs.only_in_reference,
        only_in_current: pairs.only_in_current,
    })
}

/// The columns of two profiles, those of both in pairs.
struct Pairs<'a> {
    common: Vec<(&'a ColumnProfile, &'a ColumnProfile)>,
    /// Name and both types of columns that on one side at least are of a type that is not profiled.
    unprofiled: Vec<(&'a str, &'a str, &'a str)>,
    only_in_reference: Vec<String>,
    only_in_current: Vec<String>,
}

impl<'a> Pairs<'a> {
    fn try_new(reference: &'a Profile, current: &'a Profile, options: &CompareOptions) -> Result<Self> {
        let names = |profile: &'a Profile| {
            let skipped = profile.skipped().iter().map(|skipped| skipped.name.as_str());
            profile.columns().iter().map(|column| column.name.as_str()).chain(skipped)
        };
        let all = || names(reference).chain(names(current));
        let known: HashSet<&str> = all().flat_map(ancestors).collect();
        if let Some(missing) = options.columns.iter().flatten().find(|name| !known.contains(name.as_str())) {
            let offered = offered(all());
            return Err(Error::Argument(format!(
                "no column {:?} on either side; columns are {offered}",
                shortened(missing)
            )));
        }
        let asked_for: Option<HashSet<&str>> =
            options.columns.as_ref().map(|names| names.iter().map(String::as_str).collect());
        let wanted = |name: &str| {
            asked_for.as_ref().is_none_or(|names| ancestors(name).any(|part| names.contains(part)))
        };
        let asked = |column: &&ColumnProfile| wanted(&column.name);
        let (mut common, mut only_in_reference, mut only_in_current) = (vec![], vec![], vec![]);
        let mut unprofiled = vec![];
        let skipped = |profile: &'a Profile, name: &str| profile.skipped().iter().find(|s| s.name == name);
        for before in reference.columns().iter().filter(asked) {
            match (current.column(&before.name), skipped(current, &before.name)) {
                (Some(now), _) => common.push((before, now)),
                (None, Some(now)) => unprofiled.push((&*before.name, &*before.type_name, &*now.type_name)),
                (None, None) => only_in_reference.push(before.name.clone()),
            }
        }
        for now in current.columns().iter().filter(asked).filter(|c| reference.column(&c.name).is_none()) {
            match skipped(reference, &now.name) {
                Some(before) => unprofiled.push((&*now.name, &*before.type_name, &*now.type_name)),
                None => only_in_current.push(now.name.clone()),
            }
        }
        for before in reference.skipped().iter().filter(|skipped| wanted(&skipped.name)) {
            match skipped(current, &before.name) {
                Some(now) => unprofiled.push((&*before.name, &*before.type_name, &*now.type_name)),
                None if current.column(&before.name).is_none() => only_in_reference.push(before.name.clone()),
                None => {}
            }
        }
        let found = |name: &str| reference.column(name).is_some() || skipped(reference, name).is_some();
        let new = current.skipped().iter().filter(|skipped| wanted(&skipped.name) && !found(&skipped.name));
        only_in_current.extend(new.map(|skipped| skipped.name.clone()));
        if common.is_empty() && unprofiled.is_empty() {
            if let Some(asked) = &options.columns {
                let in_reference: HashSet<&str> =
                    only_in_reference.iter().flat_map(|name| ancestors(name)).collect();
                let sided = asked.iter().map(|name| {
                    let is_before = in_reference.contains(name.as_str());
                    let side = if is_before { "reference" } else { "current data" };
                    format!("{:?} is only in the {side}", shortened(name))
                });
                let told: Vec<_> = sided.take(NAMED).collect();
                let more = match asked.len() - told.len() {
                    0 => String::new(),
                    more => format!(" and {more} more"),
                };
                return Err(Error::Input(format!(
                    "no column to compare: {}{more}: name one that both sides have, or leave columns out",
                    told.join(", ")
                )));
            }
            return Err(Error::Input(format!(
                "the two sides have no column in common: the reference has {}, the current data {}",
                offered(names(reference)),
                offered(names(current))
            )));
        }
        Ok(Self { common, unprofiled, only_in_reference, only_in_current })
    }
}

/// Names that a sentence lists.
const NAMED: usize = 5;

/// The first names, each once.
fn offered<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut met = HashSet::new();
    let mut names = names.filter(|name| met.insert(*name)).map(|name| format!("{:?}", shortened(name)));
    let shown: Vec<_> = names.by_ref().take(NAMED).collect();
    let more = if names.next().is_some() { ", ..." } else { "" };
    format!("{}{more}", shown.join(", "))
}

/// A name in a sentence: of a long one both ends, for what begins alike often ends otherwise.
fn shortened(name: &str) -> Cow<'_, str> {
    const LONGEST: usize = 60;
    let length = name.chars().count();
    if length <= LONGEST {
        return Cow::Borrowed(name);
    }
    let end = (LONGEST - 3) / 2;
    let (head, tail) = (LONGEST - 3 - end, length - end);
    Cow::Owned(name.chars().take(head).chain("...".chars()).chain(name.chars().skip(tail)).collect())
}

/// The cells to judge a column by, or why it is not judged.
fn prepare(reference: &ColumnProfile, current: &ColumnProfile) -> std::result::Result<Cells, NotJudged> {
    let retyped =
        || NotJudged::Retyped { reference: reference.type_name.clone(), current: current.type_name.clone() };
    if rows(reference) == 0 || rows(current) == 0 {
        return Err(NotJudged::Reason("no rows on one side"));
    }
    let nullish = reference.kind == Kind::Null || current.kind == Kind::Null;
    if !nullish && (reference.kind != current.kind || boolean_on_one_side(reference, current)) {
        return Err(retyped());
    }
    let empty = reference.counts.valid() == 0 || current.counts.valid() == 0;
    match reference.kind {
        _ if nullish || empty => Ok(missing_cells(reference, current)),
        Kind::Time if !same_times(&reference.type_name, &current.type_name) => Err(retyped()),
        Kind::Time if reference.type_name.starts_with("duration") => Err(NotJudged::Reason("a duration")),
        Kind::Time => Err(NotJudged::Reason("a time")),
        Kind::List | Kind::Embedding => Err(NotJudged::Reason("its elements or norm are compared")),
        Kind::Number if is_whole(reference) && is_whole(current) && are_ids(reference, current) => {
            Err(NotJudged::Reason("nearly all values are distinct: cast to float to judge"))
        }
        Kind::Number => number_cells(reference, current)
            .ok_or(NotJudged::Reason("no quantiles were kept on one side: collect them, and do not redact")),
        _ if are_ids(reference, current) => Err(NotJudged::Reason("nearly all values are distinct")),
        _ if reference.frequent.is_some() && current.frequent.is_some() && may_be_ids(reference, current) => {
            Err(NotJudged::Reason(
                "its distinct values were not counted, so that it may be an id: collect distinct",
            ))
        }
        _ => category_cells(reference, current).ok_or(NotJudged::Reason(
            if reference.frequent.is_none() || current.frequent.is_none() {
                "no frequent values were kept on one side: collect top, and do not redact"
            } else {
                "no value is frequent"
            },
        )),
    }
}

/// Whether one side holds booleans alone and the other none: the texts `true` and `false` are read otherwise.
fn boolean_on_one_side(reference: &ColumnProfile, current: &ColumnProfile) -> bool {
    let [before, now] = [reference, current].map(|column| column.type_name.as_str());
    let is_apart = |a: &str, b: &str| a == "bool" && b.split('|').all(|name| name != "bool");
    is_apart(before, now) || is_apart(now, before)
}

/// Whether nearly all values of both sides are distinct; of a few rows that is chance, unless the other side shows it.
fn are_ids(reference: &ColumnProfile, current: &ColumnProfile) -> bool {
    let sides = [reference, current];
    let nearly_all = |column: &&ColumnProfile| {
        column
            .distinct
            .as_ref()
            .is_some_and(|d| d.estimate() > MOSTLY_DISTINCT * column.counts.valid() as f64)
    };
    sides.iter().all(nearly_all) && sides.iter().any(|column| column.counts.valid() > FEW_VALUES)
}

/// Whether it is unknown if the values of both sides are nearly all distinct: not counted, and too many to be listed.
fn may_be_ids(reference: &ColumnProfile, current: &ColumnProfile) -> bool {
    let is_unknown = |column: &ColumnProfile| {
        let listed = match &column.frequent {
            Some(Frequent::Integers(items)) => items.max_error() == 0,
            Some(Frequent::Bytes(items)) => items.max_error() == 0,
            None => false,
        };
        column.distinct.is_none() && !listed
    };
    is_unknown(reference) || is_unknown(current)
}

/// Whether a side has whole numbers that doubles do not tell apart.
fn are_rounded(reference: &ColumnProfile, current: &ColumnProfile) -> bool {
    [reference, current].iter().any(|column| {
        let range = column.numbers.as_ref().and_then(|numbers| numbers.integer_range);
        range.is_some_and(|(min, max)| min.abs().max(max.abs()) > LAST_APART)
    })
}

/// Whether all values seen were whole numbers.
fn is_whole(column: &ColumnProfile) -> bool {
    column.numbers.as_ref().is_some_and(|numbers| numbers.integer_range.is_some())
}

/// Of columns that are not judged: whether the share of missing rows or the lengths provably changed, at
/// level alpha over all of these (Bonferroni).
fn look_aside(
    columns: &mut [ColumnComparison],
    pairs: &[(&ColumnProfile, &ColumnProfile)],
    options: &CompareOptions,
) -> Result<()> {
    let CompareOptions { limits, threads, .. } = options;
    let compared = |unjudged: &Unjudged| matches!(unjudged.why, NotJudged::Reason(_));
    let unjudged = columns.iter().zip(pairs).enumerate().filter(|(_, (column, (before, now)))| {
        column.judgement.as_ref().is_err_and(compared) && rows(before) > 0 && rows(now) > 0
    });
    let unjudged: Vec<_> = unjudged.map(|(i, (_, &sides))| (i, sides)).collect();
    let asides = map(*threads, &unjudged, |&(i, (before, now))| {
        let lengths = length_cells(before, now).map(|cells| (i, "length ", cells));
        [Some((i, "", missing_cells(before, now))), lengths]
    });
    let mut asides: Vec<(usize, &str, Cells)> = asides.into_iter().flatten().flatten().collect();
    asides.retain(|(.., cells)| cells.cells.len() > 1);
    let permutations = permutations(asides.len().max(1), limits.alpha);
    let found = map(*threads, &asides, |(.., cells)| -> Result<Option<Moved>> {
        let (p, _) = p_value(cells, limits, permutations)?;
        if p * asides.len() as f64 > limits.alpha {
            return Ok(None);
        }
        if cells.ordered {
            return Ok(explain::largest(cells).1);
        }
        let moved = explain::moved(cells, limits.alpha)?;
        Ok(moved.into_iter().find(|moved| moved.label != OTHER))
    });
    for ((i, prefix, _), moved) in asides.iter().zip(found) {
        if let (Err(unjudged), Some(moved)) = (&mut columns[*i].judgement, moved?) {
            unjudged.moved.push(Moved { label: format!("{prefix}{}", moved.label), ..moved });
        }
    }
    Ok(())
}
