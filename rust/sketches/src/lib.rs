//! Mergeable sketches: numbers and strings in, sketches out.
//!
//! This crate knows no Arrow, no Python and no files. Every sketch has the same life: `update` with
//! slices, `merge` with another of its kind, `to_bytes` into an Apache DataSketches image,
//! `from_bytes` out of one. Bytes are untrusted: a decoder returns an [`ImageError`] and does
//! nothing else.

pub mod bins;
pub mod error;
pub mod frequent;
pub mod hash;
pub mod hll;
pub mod kernels;
pub mod kll;
pub mod moments;

pub use bins::{Categories, CategoryBins, NumberBins};
pub use error::{ArgumentError, ImageError};
pub use frequent::{FrequentItems, ValueCounter};
pub use hll::HllSketch;
pub use kll::KllSketch;
pub use moments::Moments;
