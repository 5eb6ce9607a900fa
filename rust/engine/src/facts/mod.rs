//! Facts of monitors: rows with an identity, in Parquet files that are read as one table.
//!
//! [`encode`] makes the rows of one commit a file. [`read`], [`merge`] and [`expire`] take files in the order of
//! their commits: of equal identities the highest revision counts, of equal revisions the later file. So a file
//! that is there twice, or merged and not yet deleted, changes nothing. [`examine`] and [`disagreements`]
//! look for damage. Which files there are is not known here.

mod check;
mod encode;
mod expire;
mod file;
mod read;
mod windows;

pub use check::{Disagreement, Examined, disagreements, examine};
pub use encode::{encode, merge};
pub use expire::{Left, expire};
pub use read::{Filter, read};
pub use windows::{WindowProfile, window_profiles};

use arrow_array::RecordBatch;
use arrow_schema::{DataType, SchemaRef, TimeUnit};

/// Rows of one schema.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Columns of every batch.
    pub schema: SchemaRef,
    /// The rows.
    pub batches: Vec<RecordBatch>,
}

impl Facts {
    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }
}

/// A table of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// Profiles of columns in windows.
    Profiles,
    /// What a window said of a series.
    Results,
    /// What happened to alarms.
    Alarms,
}

const OF_WINDOWS: [&str; 6] = ["monitor", "writer", "segment", "column", "window_start", "revision"];
const OF_ALARMS: [&str; 8] =
    ["monitor", "writer", "segment", "column", "alarm", "event", "window_start", "revision"];
/// Columns that a key has at most.
const MOST_KEYS: usize = 6;

impl Table {
    /// The table of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "profiles" => Some(Self::Profiles),
            "results" => Some(Self::Results),
            "alarms" => Some(Self::Alarms),
            _ => None,
        }
    }

    /// Columns that every row has, none of them null.
    fn required(self) -> &'static [&'static str] {
        if self == Self::Alarms { &OF_ALARMS } else { &OF_WINDOWS }
    }

    /// Columns that rows about the same thing share; among them the highest revision counts.
    fn key(self) -> &'static [&'static str] {
        if self == Self::Alarms { &OF_ALARMS[..6] } else { &OF_WINDOWS[..5] }
    }

    /// What tells alarms apart, whatever happened to them.
    fn alarm(self) -> Option<&'static [&'static str]> {
        (self == Self::Alarms).then_some(&OF_ALARMS[..5])
    }
}

/// The type of a required column.
fn type_of(name: &str) -> DataType {
    match name {
        "window_start" => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        "revision" | "event" => DataType::Int64,
        _ => DataType::Utf8,
    }
}
