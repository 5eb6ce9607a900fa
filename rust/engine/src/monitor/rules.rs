//! What is said outside of the budget, at once: broken checks, columns that are gone, new or of another kind, no rows,
//! far too few or too many.
use super::watched::Watched;
use crate::profile::{ColumnProfile, Frequent, Kind};
use driftline_sketches::HllSketch;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Rows are too few below this share of the smallest window of the reference, and too many beyond the inverse of it of
/// the largest.
const VOLUME: f64 = 0.5;
/// Values that are named where they are not allowed.
const MOST_NAMED: usize = 3;

/// What the values of a column may be, whatever the reference says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Check {
    /// The smallest number.
    pub min: Option<f64>,
    /// The largest number.
    pub max: Option<f64>,
    /// The largest share of the rows without a value.
    pub nulls: Option<f64>,
    /// Whether no value may come twice.
    pub unique: bool,
    /// All values that there may be, as text.
    pub allowed: Option<BTreeSet<String>>,
}

/// A rule that a window breaks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Broken {
    /// The column, empty where it is about whole rows.
    pub column: String,
    /// The rule.
    pub rule: Rule,
}

/// What may be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Rule {
    NoRows,
    Volume,
    Gone,
    Retyped,
    New,
    Range,
    Nulls,
    Unique,
    Allowed,
}

impl Rule {
    /// Whether it is about how many rows there are.
    pub fn is_of_volume(self) -> bool {
        matches!(self, Self::NoRows | Self::Volume)
    }

    /// What is said when it is broken no more.
    pub fn over(self) -> &'static str {
        match self {
            Self::NoRows => "rows come again",
            Self::Volume => "as many rows come as in the reference",
            Self::Gone => "the column is back",
            Self::Retyped => "the column has its type again",
            Self::New => "the column is known now",
            Self::Range | Self::Nulls | Self::Unique | Self::Allowed => "the check holds again",
        }
    }
}

/// Rows of the windows of the reference, by bucket.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Volume {
    ranges: BTreeMap<usize, (u64, u64)>,
    /// Rows of windows at an end of the log, which may lack some.
    ends: BTreeMap<usize, u64>,
}

impl Volume {
    /// Adds a window of the reference.
    pub fn add(&mut self, bucket: usize, rows: u64) {
        let (least, most) = self.ranges.entry(bucket).or_insert((rows, rows));
        (*least, *most) = (rows.min(*least), rows.max(*most));
    }

    /// Adds a window with which the log begins or ends: it may lack rows, and says only that there are so many.
    pub fn add_end(&mut self, bucket: usize, rows: u64) {
        let most = self.ends.entry(bucket).or_insert(rows);
        *most = rows.max(*most);
    }

    /// What is wrong with a window of so many rows, in words.
    pub fn broken(&self, bucket: usize, rows: u64) -> Option<(Rule, String)> {
        let end = self.ends.get(&bucket).copied();
        let (least, most, told) = match (self.ranges.get(&bucket), end) {
            (Some(&(least, most)), _) => {
                let most = most.max(end.unwrap_or(0));
                let range = if least == most { format!("{least}") } else { format!("{least} to {most}") };
                (least, most, format!("the reference has {range} a window"))
            }
            (None, Some(end)) => (end, u64::MAX, format!("the reference has {end} or more a window")),
            (None, None) => return None,
        };
        if rows == 0 {
            return (least > 0).then(|| (Rule::NoRows, format!("no rows; {told}")));
        }
        let is_out = (rows as f64) < VOLUME * least as f64 || (rows as f64) > most as f64 / VOLUME;
        let noun = if rows == 1 { "row" } else { "rows" };
        is_out.then(|| (Rule::Volume, format!("{rows} {noun}; {told}")))
    }
}

/// How a watched column of a window is not that of the reference, in words.
pub(super) fn broken_schema(watched: &Watched, now: Option<&ColumnProfile>) -> Option<(Rule, String)> {
    match now.filter(|now| now.counts.rows > 0) {
        None => Some((Rule::Gone, "the column is gone".into())),
        Some(now) if !watched.fits(now) => {
            let text =
                format!("the column is {} now, and {} in the reference", now.type_name, watched.type_name);
            Some((Rule::Retyped, text))
        }
        Some(_) => None,
    }
}

/// What is said of a column that the reference lacks.
pub(super) fn new_column(now: &ColumnProfile) -> (Rule, String) {
    (Rule::New, format!("the column is new: {}; it is not watched", now.type_name))
}

impl Check {
    /// What of it a column does not pass, in words.
    pub(super) fn broken(&self, column: &ColumnProfile) -> Vec<(Rule, String)> {
        let mut found = vec![];
        let counts = &column.counts;
        let range = column.numbers.as_ref().and_then(|numbers| numbers.range);
        if let Some((low, high)) = range {
            let below = self.min.filter(|&min| low < min).map(|min| format!("{low} is below {min}"));
            let above = self.max.filter(|&max| high > max).map(|max| format!("{high} is above {max}"));
            let told: Vec<_> = below.into_iter().chain(above).collect();
            if !told.is_empty() {
                found.push((Rule::Range, told.join(", ")));
            }
        }
        let (rows, missing) = (counts.rows + counts.absent, counts.nulls + counts.nans + counts.absent);
        if let Some(most) = self.nulls
            && missing as f64 > most * rows as f64
        {
            let share = 100.0 * missing as f64 / rows as f64;
            found.push((Rule::Nulls, format!("{share:.2} % have no value, {:.2} % may", 100.0 * most)));
        }
        if self.unique && has_twice(column) {
            found.push((Rule::Unique, "a value comes twice".into()));
        }
        if let Some(allowed) = &self.allowed {
            let other = others(column, allowed);
            if !other.is_empty() {
                let named: Vec<_> = other.iter().take(MOST_NAMED).map(|value| format!("{value:?}")).collect();
                found.push((Rule::Allowed, format!("{} is not allowed", named.join(", "))));
            }
        }
        found
    }
}

/// Whether a value provably comes twice: it is among the frequent ones, or there are provably fewer than rows.
fn has_twice(column: &ColumnProfile) -> bool {
    let twice = match &column.frequent {
        Some(Frequent::Integers(items)) => items.items_above(1).iter().any(|row| row.lower_bound > 1),
        Some(Frequent::Bytes(items)) => items.items_above(1).iter().any(|row| row.lower_bound > 1),
        None => false,
    };
    // Six standard errors: of distinct values, not one window in a billion looks so by chance.
    let most = |distinct: &HllSketch| 2.0 * distinct.upper_bound(3) - distinct.estimate();
    twice || column.distinct.as_ref().is_some_and(|distinct| most(distinct) < column.counts.valid() as f64)
}

/// Values that are provably there and not allowed.
fn others(column: &ColumnProfile, allowed: &BTreeSet<String>) -> Vec<String> {
    let values: Vec<String> = match &column.frequent {
        Some(Frequent::Integers(items)) => {
            items.items_above(0).iter().map(|row| row.item.to_string()).collect()
        }
        Some(Frequent::Bytes(items)) => {
            items.items_above(0).iter().map(|row| String::from_utf8_lossy(&row.item).into_owned()).collect()
        }
        None if column.kind == Kind::Number => {
            let range = column.numbers.as_ref().and_then(|numbers| numbers.range);
            range.into_iter().flat_map(|(low, high)| [low.to_string(), high.to_string()]).collect()
        }
        None => vec![],
    };
    values.into_iter().filter(|value| !allowed.contains(value)).collect()
}
