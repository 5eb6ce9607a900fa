//! What a profile keeps of each column.
use crate::reference::Reference;
use crate::{Error, Result};
use driftline_sketches::{FrequentItems, KllSketch};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The parts of a column profile that can be left out. Counts are always kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Collect {
    /// Range, mean and central moments.
    pub moments: bool,
    /// The quantile sketch.
    pub quantiles: bool,
    /// The distinct count.
    pub distinct: bool,
    /// Frequent items of categories and integers.
    pub top: bool,
    /// The profile of the lengths of strings and lists.
    pub length: bool,
}

impl Collect {
    /// Everything.
    pub const ALL: Self = Self { moments: true, quantiles: true, distinct: true, top: true, length: true };
    /// Counts alone.
    pub const COUNTS: Self =
        Self { moments: false, quantiles: false, distinct: false, top: false, length: false };
    /// The names by which parts are chosen.
    pub const NAMES: [&'static str; 6] = ["counts", "moments", "quantiles", "distinct", "top", "length"];

    /// The parts of those names.
    ///
    /// # Errors
    /// A name that is none of [`Collect::NAMES`].
    pub fn try_from_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self> {
        let mut collect = Self::COUNTS;
        for name in names {
            match name {
                "counts" => {}
                "moments" => collect.moments = true,
                "quantiles" => collect.quantiles = true,
                "distinct" => collect.distinct = true,
                "top" => collect.top = true,
                "length" => collect.length = true,
                other => {
                    return Err(Error::Argument(format!(
                        "collect has {other:?}: it takes {}",
                        Self::NAMES.join(", ")
                    )));
                }
            }
        }
        Ok(collect)
    }

    /// What can be kept of a column whose values must not leave the process: nothing that holds a value.
    pub fn redacted(self) -> Self {
        Self { moments: false, quantiles: false, top: false, ..self }
    }
}

/// How to profile.
#[derive(Clone, Debug)]
pub struct Options {
    /// Columns to profile, by their flattened names or a leading part of them; all where `None`.
    pub columns: Option<Vec<String>>,
    /// Accuracy of the quantile sketches.
    pub k: u16,
    /// What to collect of columns that `collect_by_column` does not name.
    pub collect: Collect,
    /// What to collect of single columns.
    pub collect_by_column: HashMap<String, Collect>,
    /// log2 of the slots for frequent items.
    pub lg_max: u8,
    /// Columns of which no value is ever kept.
    pub redact: HashSet<String>,
    /// Bins to count exactly.
    pub reference: Option<Arc<Reference>>,
    /// Threads to use; all cores where 0.
    pub threads: usize,
    /// Whether named columns may be missing, because whoever asks checks them over several inputs.
    pub may_lack_columns: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            columns: None,
            k: KllSketch::DEFAULT_K,
            collect: Collect::ALL,
            collect_by_column: HashMap::new(),
            lg_max: FrequentItems::<i64>::DEFAULT_LG_MAX,
            redact: HashSet::new(),
            reference: None,
            threads: 0,
            may_lack_columns: false,
        }
    }
}

impl Options {
    /// The parts to keep of a column; names of flattened children count as their parents'.
    pub fn collect_for(&self, column: &str) -> Collect {
        let named = |name: &str| self.collect_by_column.get(name).copied();
        let collect = ancestors(column).find_map(named).unwrap_or(self.collect);
        if self.is_redacted(column) { collect.redacted() } else { collect }
    }

    /// Whether no value of the column may be kept.
    pub fn is_redacted(&self, column: &str) -> bool {
        ancestors(column).any(|name| self.redact.contains(name))
    }

    /// Whether the column was asked for.
    pub fn wants(&self, column: &str) -> bool {
        self.columns.as_ref().is_none_or(|columns| covers(columns, column))
    }

    /// What to say if an option names a column that none of `names` is or lies in; `listed` are those to offer.
    ///
    /// Where a projection is given, the other options may name columns that it leaves out.
    pub(crate) fn unknown_name(&self, names: &HashSet<&str>, listed: &[String]) -> Option<String> {
        let unknown =
            |asked: &&String| !names.iter().any(|name| ancestors(name).any(|part| part == asked.as_str()));
        let said = match &self.columns {
            Some(columns) => columns.iter().find(unknown).map(|name| format!("no column {name:?}")),
            None => {
                let redact = self.redact.iter().find(unknown).map(|name| ("redact", name));
                let found = redact
                    .or_else(|| self.collect_by_column.keys().find(unknown).map(|name| ("collect", name)));
                found.map(|(option, name)| format!("{option} names {name:?}, which is no column"))
            }
        };
        let most = listed.len().min(20);
        let mut offered: Vec<_> = listed[..most].iter().map(|name| format!("{name:?}")).collect();
        if listed.len() > most {
            offered.push("...".into());
        }
        said.map(|said| {
            if offered.is_empty() { said } else { format!("{said}; columns are {}", offered.join(", ")) }
        })
    }

    /// How many threads work.
    pub fn thread_count(&self) -> usize {
        crate::threads::count(self.threads)
    }
}

/// Whether one of `names` is the column or what it lies in.
pub(crate) fn covers(names: &[String], column: &str) -> bool {
    ancestors(column).any(|part| names.iter().any(|name| name == part))
}

/// A column's name and those of what it lies in: `a.b[]`, `a.b`, `a`.
pub(crate) fn ancestors(column: &str) -> impl Iterator<Item = &str> {
    let cuts = column.char_indices().rev().filter(|&(_, c)| c == '.' || c == '[').map(|(i, _)| &column[..i]);
    std::iter::once(column).chain(cuts)
}
