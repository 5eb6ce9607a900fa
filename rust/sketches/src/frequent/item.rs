//! What can be counted: integers and strings.
use crate::ImageError;
use crate::hash::hash_bytes;

/// A value that can be counted: `i64` or the bytes of a string.
pub trait Item: Clone + Ord {
    /// The value as callers hold it: `i64` or `[u8]`.
    type Ref: Eq + ?Sized;

    /// Takes the value over.
    fn from_ref(value: &Self::Ref) -> Self;
    /// The value.
    fn as_ref(&self) -> &Self::Ref;
    /// A hash with all bits well mixed.
    fn hash(value: &Self::Ref) -> u64;
    /// Appends the item as it stands in an image.
    fn encode(&self, out: &mut Vec<u8>);
    /// Takes one item off the front of an image.
    ///
    /// # Errors
    ///
    /// The bytes end inside the item.
    fn decode(bytes: &mut &[u8]) -> Result<Self, ImageError>;
}

fn short() -> ImageError {
    ImageError("not a readable frequent items image: it ends inside an item".into())
}

impl Item for i64 {
    type Ref = i64;

    fn from_ref(value: &i64) -> Self {
        *value
    }

    fn as_ref(&self) -> &i64 {
        self
    }

    #[inline(always)]
    fn hash(value: &i64) -> u64 {
        // One multiplication whose halves are folded: wyhash's step, with its constants
        // (Wang Yi, public domain).
        let product =
            u128::from(*value as u64 ^ 0xa076_1d64_78bd_642f) * u128::from(0xe703_7ed1_a0b4_28db_u64);
        product as u64 ^ (product >> 64) as u64
    }

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend(self.to_le_bytes());
    }

    fn decode(bytes: &mut &[u8]) -> Result<Self, ImageError> {
        let (head, rest) = bytes.split_first_chunk::<8>().ok_or_else(short)?;
        *bytes = rest;
        Ok(i64::from_le_bytes(*head))
    }
}

impl Item for Box<[u8]> {
    type Ref = [u8];

    fn from_ref(value: &[u8]) -> Self {
        value.into()
    }

    fn as_ref(&self) -> &[u8] {
        self
    }

    /// The hash that distinct counts need too, so that a string is hashed once.
    fn hash(value: &[u8]) -> u64 {
        hash_bytes(value).0
    }

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend((self.len() as u32).to_le_bytes());
        out.extend_from_slice(self);
    }

    fn decode(bytes: &mut &[u8]) -> Result<Self, ImageError> {
        let (head, rest) = bytes.split_first_chunk::<4>().ok_or_else(short)?;
        let (item, rest) = rest.split_at_checked(u32::from_le_bytes(*head) as usize).ok_or_else(short)?;
        *bytes = rest;
        Ok(item.into())
    }
}
