//! What a monitor is told.
use super::calendar::{Calendar, Cycle, Every};
use super::rules::Check;
use crate::{Error, Result};
use std::collections::{BTreeMap, HashSet};

/// Which rows windows are compared with.
#[derive(Clone, Debug, PartialEq)]
pub enum Span {
    /// Rows that are handed over before any others.
    Given,
    /// The first windows, so many of them.
    First(u64),
    /// All windows that begin before an instant, in microseconds since 1970.
    Until(i64),
    /// So many windows before each one.
    Trailing(u64),
}

/// How a monitor watches.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Its name.
    pub name: String,
    /// The source that its rows come from.
    pub writer: String,
    /// The column that tells when a row happened.
    pub time: String,
    /// Columns that are watched; all where `None`.
    pub features: Option<Vec<String>>,
    /// Columns that the rows must have, each with where it is named.
    pub named: Vec<(String, String)>,
    /// Columns that are not.
    pub ignore: HashSet<String>,
    /// Lists of columns by whose values rows are watched apart.
    pub segments: Vec<Vec<String>>,
    /// The most values of all lists that are watched apart.
    pub segment_limit: usize,
    /// Windows.
    pub calendar: Calendar,
    /// How long after its end a window closes.
    pub lateness_us: i64,
    /// The share of the rows up to which a change does not matter.
    pub tolerance: f64,
    /// False alarms that are accepted, on average, in all windows of one number together.
    pub false_alarms_a_window: f64,
    /// The reference.
    pub reference: Span,
    /// What windows of the reference are alike.
    pub cycle: Option<Cycle>,
    /// What values may be, by column.
    pub checks: BTreeMap<String, Check>,
    /// Accuracy of the quantiles that are kept of a window.
    pub k: u16,
    /// Threads to use; all cores where 0.
    pub threads: usize,
}

impl Settings {
    /// How many windows a length of time holds, at least one.
    pub fn windows_in(every: Every, window: Every) -> u64 {
        ((every.mean_s() as f64 / window.mean_s() as f64).round() as u64).max(1)
    }

    pub(super) fn check(&self) -> Result<()> {
        let refuse = |text: String| Err(Error::Argument(text));
        if !(0.0..1.0).contains(&self.tolerance) {
            return refuse(format!(
                "tolerance is {}: it is a share of the rows, 0 to below 1",
                self.tolerance
            ));
        }
        if !(self.false_alarms_a_window > 0.0 && self.false_alarms_a_window < 1.0) {
            return refuse(format!(
                "false_alarms comes to {} a window: it must be above 0 and below one a window",
                self.false_alarms_a_window
            ));
        }
        if self.lateness_us < 0 {
            return refuse(format!("lateness is {} s: it must be at least 0", self.lateness_us / 1_000_000));
        }
        if self.cycle.is_some() && matches!(self.reference, Span::Trailing(_)) {
            return refuse("a trailing reference has no seasons".into());
        }
        Ok(())
    }

    /// The bucket of a window, and how many there are.
    pub(super) fn bucket(&self, window: i64) -> usize {
        self.cycle.map_or(0, |cycle| self.calendar.bucket(cycle, window))
    }

    pub(super) fn buckets(&self) -> usize {
        self.cycle.map_or(1, Cycle::buckets)
    }

    /// Whether a column of the data is watched.
    pub(super) fn watches(&self, column: &str) -> bool {
        let named =
            |name: &String| name == column || crate::options::covers(std::slice::from_ref(name), column);
        column != self.time
            && !self.ignore.iter().any(named)
            && self.features.as_ref().is_none_or(|features| features.iter().any(named))
    }
}
