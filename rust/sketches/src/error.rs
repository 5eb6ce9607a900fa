//! What can go wrong: an argument out of range, or bytes that are not the image they claim to be.
use std::fmt;

/// An argument that no sketch can be made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArgumentError(pub String);

/// Bytes that are not a readable image of the sketch asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageError(pub String);

impl fmt::Display for ArgumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for ImageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ArgumentError {}
impl std::error::Error for ImageError {}
