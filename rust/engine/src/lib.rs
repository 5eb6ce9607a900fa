//! Profiles Arrow batches and files at line rate, merges profiles, and compares them.
//!
//! Sources ([`source`]) yield batches; [`profile`] turns them into column profiles;
//! [`table`] writes profiles as Arrow and Parquet and reads them back; [`compare`] puts two side by
//! side; [`monitor`] tells the windows of event time in which rows happened.

pub mod compare;
pub mod digest;
mod error;
pub mod facts;
mod guard;
pub mod monitor;
mod options;
pub mod profile;
mod reference;
pub mod source;
pub mod table;
mod threads;
pub mod whole_file;

pub use error::{Error, Result};
pub use monitor::{Calendar, Cycle, Every, Unit};
pub use options::{Collect, Options};
pub use profile::{Profile, ProfileBuilder};
pub use reference::Reference;
