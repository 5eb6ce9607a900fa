//! One bit a value: which values of a chunk are numbers, and which are finite.
use super::{CHUNK, WORDS};
use std::sync::LazyLock;

/// Sets bit i of `out` where value i compares below `limit` or equal to it, without its sign.
type Kernel = (&'static str, fn(&[f64], f64, &mut [u64; WORDS]));

/// Sets the bits of the values that are not NaN.
pub(super) fn numbers(values: &[f64], out: &mut [u64; WORDS]) {
    magnitude_le(values, f64::INFINITY, out);
}

/// Sets the bits of the values that are neither NaN nor infinite.
pub(super) fn finite(values: &[f64], out: &mut [u64; WORDS]) {
    magnitude_le(values, f64::MAX, out);
}

fn magnitude_le(values: &[f64], limit: f64, out: &mut [u64; WORDS]) {
    static BEST: LazyLock<Kernel> = LazyLock::new(|| available()[0]);
    assert!(values.len() <= CHUNK, "{} values do not fit a chunk", values.len());
    (BEST.1)(values, limit, out);
}

pub(super) fn names() -> Vec<&'static str> {
    super::names(available())
}

/// What this CPU can run, fastest first. Dispatch and test read it, so nothing runs untested.
fn available() -> Vec<Kernel> {
    let mut kernels: Vec<Kernel> = vec![];
    #[cfg(target_arch = "x86_64")]
    {
        if super::has_avx512() {
            // SAFETY: every feature it enables was detected.
            kernels.push(("avx512", |v, l, o| unsafe { x86::avx512(v, l, o) }));
        }
        if super::has_avx2() {
            // SAFETY: every feature it enables was detected.
            kernels.push(("avx2", |v, l, o| unsafe { x86::avx2(v, l, o) }));
        }
    }
    kernels.push(("scalar", scalar));
    kernels
}

/// The reference that the others must equal.
fn scalar(values: &[f64], limit: f64, out: &mut [u64; WORDS]) {
    for (block, word) in values.chunks(64).zip(out) {
        *word = word_of(block, limit);
    }
}

fn word_of(block: &[f64], limit: f64) -> u64 {
    block.iter().enumerate().fold(0, |word, (i, x)| word | u64::from(x.abs() <= limit) << i)
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{WORDS, word_of};
    use std::arch::x86_64::*;

    #[target_feature(enable = "avx2")]
    pub fn avx2(values: &[f64], limit: f64, out: &mut [u64; WORDS]) {
        let (limits, sign) = (_mm256_set1_pd(limit), _mm256_set1_pd(-0.0));
        let (blocks, tail) = values.as_chunks::<64>();
        for (block, word) in blocks.iter().zip(out.iter_mut()) {
            *word = 0;
            for (i, four) in block.as_chunks::<4>().0.iter().enumerate() {
                // SAFETY: `four` is four f64; the load needs no alignment.
                let x = unsafe { _mm256_loadu_pd(four.as_ptr()) };
                let le = _mm256_cmp_pd::<_CMP_LE_OQ>(_mm256_andnot_pd(sign, x), limits);
                *word |= (_mm256_movemask_pd(le) as u64) << (4 * i);
            }
        }
        if !tail.is_empty() {
            out[blocks.len()] = word_of(tail, limit);
        }
    }

    #[target_feature(enable = "avx512f")]
    pub fn avx512(values: &[f64], limit: f64, out: &mut [u64; WORDS]) {
        let limits = _mm512_set1_pd(limit);
        let (blocks, tail) = values.as_chunks::<64>();
        for (block, word) in blocks.iter().zip(out.iter_mut()) {
            *word = 0;
            for (i, eight) in block.as_chunks::<8>().0.iter().enumerate() {
                // SAFETY: `eight` is eight f64; the load needs no alignment.
                let x = unsafe { _mm512_loadu_pd(eight.as_ptr()) };
                let le = _mm512_cmp_pd_mask::<_CMP_LE_OQ>(_mm512_abs_pd(x), limits);
                *word |= u64::from(le) << (8 * i);
            }
        }
        if !tail.is_empty() {
            out[blocks.len()] = word_of(tail, limit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{fixed, number};
    use super::*;
    use proptest::{collection::vec, prelude::*, sample::select};

    proptest! {
        #![proptest_config(fixed())]

        #[test]
        fn every_kernel_sets_the_bits_of_small_values(
            values in vec(number(), 0..=CHUNK),
            limit in select(vec![1.0, f64::MAX, f64::INFINITY]),
            skip in 0..9_usize,
        ) {
            let values = &values[skip.min(values.len())..];
            for (name, kernel) in available() {
                let mut out = [0; WORDS];
                kernel(values, limit, &mut out);
                for (i, x) in values.iter().enumerate() {
                    let bit = out[i / 64] >> (i % 64) & 1 == 1;
                    prop_assert_eq!(bit, -limit <= *x && *x <= limit, "{} at {}", name, i);
                }
            }
        }
    }
}
