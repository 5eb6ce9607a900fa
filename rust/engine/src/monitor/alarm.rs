//! What a monitor has to say: an alarm opens, is extended, closes, opens again.
use super::calendar::Calendar;
use driftline_stats::e_detector::{Largest, Side};
use serde::{Deserialize, Serialize};

/// How a change was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Detector {
    /// Evidence of single rows.
    Fast,
    /// Evidence of whole windows, which bears more dependence.
    Strict,
    /// All rows of a window in one place, which the reference makes next to impossible.
    Breakage,
    /// A rule that is outside of the budget.
    Rule,
}

impl Detector {
    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fast => "fast",
            Self::Strict => "strict",
            Self::Breakage => "breakage",
            Self::Rule => "rule",
        }
    }
}

/// What happened to an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Happened {
    /// It is new.
    Opened,
    /// More moved.
    Extended,
    /// What had moved is back.
    Closed,
    /// It moved again before it was back for long.
    Reopened,
}

impl Happened {
    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Extended => "extended",
            Self::Closed => "closed",
            Self::Reopened => "reopened",
        }
    }
}

/// One event of one alarm.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// The alarm's number in its monitor, from 1.
    pub alarm: u64,
    /// The event's number in its alarm, from 1.
    pub number: u32,
    /// What happened.
    pub happened: Happened,
    /// The segment, empty for the whole.
    pub segment: String,
    /// The column; empty for rules about whole rows.
    pub column: String,
    /// How it was found.
    pub detector: Detector,
    /// The window after which it was found.
    pub window: i64,
    /// The window since which it has been so.
    pub since: i64,
    /// Rows since then, which are the evidence.
    pub rows: u64,
    /// Which rows moved, or which rule is broken, in words.
    pub what: String,
    /// Share of the reference rows.
    pub reference_share: Option<f64>,
    /// Share of the rows since then.
    pub share: Option<f64>,
    /// Bounds of how much the share changed.
    pub bounds: Option<(f64, f64)>,
    /// Under which assumptions the alarm is no false one, in words.
    pub promise: String,
}

/// A set of rows, and the way it moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Set {
    pub set: u32,
    pub side: Side,
}

impl Set {
    pub fn of(found: &Largest) -> Self {
        Self { set: found.set, side: found.side }
    }
}

/// How windows are told.
pub(super) fn span(calendar: &Calendar, window: i64) -> (i64, i64) {
    (calendar.start_us(window), calendar.start_us(window + 1))
}
