//! The first pass over a chunk of integers: nulls leave it, and what the profile counts is counted.
use super::{CHUNK, Convert, convert, extremes, versions};
use std::sync::LazyLock;

/// What a chunk of integers held, nulls aside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compacted {
    /// Values that are not null.
    pub kept: usize,
    /// Zeros.
    pub zeros: usize,
    /// Values below zero.
    pub negatives: usize,
    /// Smallest and largest value; `None` where none is kept.
    pub range: Option<(i64, i64)>,
}

/// Writes the values that are not null to the front of `out`, and counts and ranges them.
///
/// Bit `i % 64` of word `i / 64` of `validity` says whether value i is there; without `validity` all
/// are. What lies in `out` behind the values kept is undefined.
///
/// # Panics
/// If there are more than [`CHUNK`] values, or fewer validity bits than values.
pub fn compact_i64<T: Convert<i64>>(
    values: &[T],
    validity: Option<&[u64]>,
    out: &mut [i64; CHUNK],
) -> Compacted {
    static BEST: LazyLock<Kernel> = LazyLock::new(|| available()[0]);
    let kept = convert::compact(values, validity, out);
    let [zeros, negatives] = (BEST.1)(&out[..kept]);
    Compacted { kept, zeros, negatives, range: extremes::min_max_i64(&out[..kept]) }
}

type Kernel = (&'static str, fn(&[i64]) -> [usize; 2]);

versions!(count(values: &[i64]) -> [usize; 2]);

pub(super) fn names() -> Vec<&'static str> {
    super::names(available())
}

/// Counts zeros and negative values.
#[inline(always)]
fn count(values: &[i64]) -> [usize; 2] {
    let [mut zeros, mut negatives] = [0_u64; 2];
    for x in values {
        zeros += u64::from(*x == 0);
        negatives += u64::from(*x < 0);
    }
    [zeros as usize, negatives as usize]
}

#[cfg(test)]
mod tests {
    use super::super::tests::{fixed, integer, validity};
    use super::*;
    use proptest::{collection::vec, prelude::*};

    proptest! {
        #![proptest_config(fixed())]

        #[test]
        fn compact_counts_what_iterators_count(
            values in vec(integer(), 0..=CHUNK),
            validity in validity(),
            skip in 0..9_usize,
        ) {
            let values = &values[skip.min(values.len())..];
            let mut out = [7; CHUNK];
            let compacted = compact_i64(values, validity.as_deref(), &mut out);
            let valid = |i: usize| validity.as_ref().is_none_or(|v| v[i / 64] >> (i % 64) & 1 == 1);
            let kept: Vec<i64> = (0..values.len()).filter(|&i| valid(i)).map(|i| values[i]).collect();
            prop_assert_eq!(&out[..compacted.kept], &kept);
            prop_assert_eq!(compacted.zeros, kept.iter().filter(|&&x| x == 0).count());
            prop_assert_eq!(compacted.negatives, kept.iter().filter(|&&x| x < 0).count());
            prop_assert_eq!(compacted.range, kept.iter().min().copied().zip(kept.iter().max().copied()));
        }

        #[test]
        fn every_kernel_equals_scalar(values in vec(integer(), 0..=CHUNK), skip in 0..9_usize) {
            let values = &values[skip.min(values.len())..];
            for (name, kernel) in available() {
                prop_assert_eq!(kernel(values), count(values), "{}", name);
            }
        }
    }
}
