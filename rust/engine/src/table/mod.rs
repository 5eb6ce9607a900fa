//! The profile table: one row a column, plain numbers in plain columns, sketches as binary
//! Apache DataSketches images, bins as lists. On disk it is Parquet; `docs/` describes every column.

mod file;
mod read;
mod write;

pub use file::{from_parquet, is_profile, load, load_both, save, to_parquet};
pub use read::{from_batch, from_batches};
pub use write::to_batch;
pub(crate) use write::{ProfileRow, ProfileRows};

/// Major and minor version of the table. A reader takes any minor version of its major one.
pub const SCHEMA_VERSION: (u32, u32) = (1, 0);
/// Key of the version in the table's metadata, by which a profile is told from other tables.
pub const VERSION_KEY: &str = "driftline.schema_version";
const ROWS_KEY: &str = "driftline.rows";
const PRODUCER_KEY: &str = "driftline.version";
/// Kind of rows that only name a column whose type is not profiled.
const NOT_PROFILED: &str = "not profiled";
