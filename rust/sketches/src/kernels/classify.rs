//! The first pass over a chunk of numbers: nulls and NaN leave it, -0.0 becomes 0.0, and what the
//! profile counts is counted.
use super::compress::compress;
use super::{CHUNK, Convert, WORDS, convert, mask, versions};
use std::sync::LazyLock;

/// How many values of each kind a chunk had, nulls aside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cleaned {
    /// Values that stay: neither null nor NaN.
    pub kept: usize,
    /// NaN.
    pub nans: usize,
    /// Positive infinity.
    pub pos_inf: usize,
    /// Negative infinity.
    pub neg_inf: usize,
    /// Zeros of either sign.
    pub zeros: usize,
    /// Values below zero, negative infinity among them.
    pub negatives: usize,
}

/// Writes the values that are neither null nor NaN to the front of `out`, as doubles and -0.0 as 0.0.
///
/// Bit `i % 64` of word `i / 64` of `validity` says whether value i is there; without `validity` all
/// are. What lies in `out` behind the values kept is undefined.
///
/// # Panics
/// If there are more than [`CHUNK`] values, or fewer validity bits than values.
pub fn clean<T: Convert<f64>>(values: &[T], validity: Option<&[u64]>, out: &mut [f64; CHUNK]) -> Cleaned {
    static BEST: LazyLock<Kernel> = LazyLock::new(|| available()[0]);
    let present = convert::compact(values, validity, out);
    let [nans, pos_inf, neg_inf, zeros, negatives] = (BEST.1)(&mut out[..present]);
    let mut kept = present;
    if nans > 0 {
        let with_nans = *out;
        let mut keep = [0; WORDS];
        mask::numbers(&with_nans[..present], &mut keep);
        kept = compress(&with_nans[..present], &keep, out);
    }
    Cleaned { kept, nans, pos_inf, neg_inf, zeros, negatives }
}

type Kernel = (&'static str, fn(&mut [f64]) -> [usize; 5]);

versions!(classify(values: &mut [f64]) -> [usize; 5]);

pub(super) fn names() -> Vec<&'static str> {
    super::names(available())
}

/// Makes -0.0 to 0.0 and counts NaN, positive and negative infinities, zeros and negative values.
#[inline(always)]
fn classify(values: &mut [f64]) -> [usize; 5] {
    // Counters as wide as the values: the vector of a comparison is added as it is.
    let [mut special, mut zeros, mut negatives] = [0_u64; 3];
    for x in &mut *values {
        *x += 0.0;
        special += u64::from(!x.is_finite());
        zeros += u64::from(*x == 0.0);
        negatives += u64::from(*x < 0.0);
    }
    let [mut nans, mut pos_inf, mut neg_inf] = [0_u64; 3];
    if special > 0 {
        for &mut x in values {
            nans += u64::from(x.is_nan());
            pos_inf += u64::from(x == f64::INFINITY);
            neg_inf += u64::from(x == f64::NEG_INFINITY);
        }
    }
    [nans, pos_inf, neg_inf, zeros, negatives].map(|n| n as usize)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{fixed, number, validity};
    use super::*;
    use proptest::{collection::vec, prelude::*};

    /// The same said in one line each.
    fn oracle(values: &[f64], validity: Option<&[u64]>) -> (Vec<f64>, Cleaned) {
        let valid = |i: usize| validity.is_none_or(|v| v[i / 64] >> (i % 64) & 1 == 1);
        let values: Vec<f64> = (0..values.len()).filter(|&i| valid(i)).map(|i| values[i]).collect();
        let count = |f: fn(&f64) -> bool| values.iter().filter(|x| f(x)).count();
        let cleaned = Cleaned {
            kept: count(|x| !x.is_nan()),
            nans: count(|x| x.is_nan()),
            pos_inf: count(|x| *x == f64::INFINITY),
            neg_inf: count(|x| *x == f64::NEG_INFINITY),
            zeros: count(|x| *x == 0.0),
            negatives: count(|x| *x < 0.0),
        };
        (values.iter().filter(|x| !x.is_nan()).map(|&x| if x == 0.0 { 0.0 } else { x }).collect(), cleaned)
    }

    /// Equality of bits: -0.0 is not 0.0.
    fn bits(values: &[f64]) -> Vec<u64> {
        values.iter().map(|x| x.to_bits()).collect()
    }

    proptest! {
        #![proptest_config(fixed())]

        #[test]
        fn clean_keeps_and_counts_what_the_oracle_does(
            values in vec(number(), 0..=CHUNK),
            validity in validity(),
            skip in 0..9_usize,
        ) {
            let values = &values[skip.min(values.len())..];
            let mut out = [f64::NAN; CHUNK];
            let cleaned = clean(values, validity.as_deref(), &mut out);
            let (kept, counts) = oracle(values, validity.as_deref());
            prop_assert_eq!(cleaned, counts);
            prop_assert_eq!(bits(&out[..cleaned.kept]), bits(&kept));
        }

        #[test]
        fn clean_of_floats_is_clean_of_the_same_doubles(
            values in vec(number().prop_map(|x| x as f32), 0..=CHUNK),
            validity in validity(),
        ) {
            let doubles: Vec<f64> = values.iter().map(|&x| f64::from(x)).collect();
            let (mut out, mut expected) = ([0.0; CHUNK], [0.0; CHUNK]);
            let cleaned = clean(&values, validity.as_deref(), &mut out);
            prop_assert_eq!(cleaned, clean(&doubles, validity.as_deref(), &mut expected));
            prop_assert_eq!(bits(&out[..cleaned.kept]), bits(&expected[..cleaned.kept]));
        }

        #[test]
        fn every_kernel_equals_scalar(values in vec(number(), 0..=CHUNK), skip in 0..9_usize) {
            let skip = skip.min(values.len());
            let mut expected = values.clone();
            let counts = classify(&mut expected[skip..]);
            for (name, kernel) in available() {
                let mut out = values.clone();
                prop_assert_eq!(kernel(&mut out[skip..]), counts, "{}", name);
                prop_assert_eq!(bits(&out), bits(&expected), "{}", name);
            }
        }
    }
}
