//! KLL: a mergeable sketch of the ranks of many values.
//!
//! The sketch of Karnin, Lang and Liberty ("Optimal quantile approximation in streams", 2016) keeps
//! values in levels; a value of level `h` stands for `2^h` values that were added. When a level is
//! full it is sorted and *compacted*: every second value, beginning with the first or the second by
//! the toss of a coin, moves one level up. A compaction moves the rank of any point by at most one
//! value's weight, as often up as down, so errors stay small and do not add up.
//!
//! Three things make it fast here, and none changes what it promises:
//! * **Blocks.** Once so many values were added that a little noise in each no longer matters, values
//!   pass through compactions of small blocks on their way to the first large level (`compact.rs`): 256
//!   values, as 32 rows of eight columns, each column sorted and thinned by itself. The more values,
//!   the more such stages follow each other; `base_level` in `sketch.rs` says when.
//! * **Room.** In memory a level holds more than in an image, so it is compacted more rarely.
//!   [`KllSketch::to_bytes`] and only it compacts down to what the format allows, on a copy.
//! * **Opposite coins.** The second compaction of a level takes the other toss of the first. The
//!   errors of such a pair cancel wherever both are not zero.
//!
//! Images are those of Apache DataSketches (`image.rs`), read by its C++, Java, Go, Rust and Python
//! libraries and by what is built on them.
mod compact;
mod image;
mod select;
mod sketch;
mod sort;
mod strings;
mod view;

pub use compact::kernels;
pub use sketch::KllSketch;
pub use strings::KllStrings;
pub use view::SortedView;
