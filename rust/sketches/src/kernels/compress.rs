//! Keeps the values whose bit is set, close together: how nulls, NaN and infinities leave a chunk.
use super::{CHUNK, WORDS, low_bits, mask};
use std::sync::LazyLock;

/// Values of eight bytes that may be moved as their bits.
///
/// # Safety
/// The type has 8 bytes, the alignment of `u64`, no padding, and every bit pattern is a value of it.
pub(super) unsafe trait Lane: Copy {}
// SAFETY: f64 is eight bytes of any bits.
unsafe impl Lane for f64 {}
// SAFETY: i64 is eight bytes of any bits.
unsafe impl Lane for i64 {}

type Kernel = (&'static str, fn(&[u64], &[u64], &mut [u64; CHUNK]) -> usize);

/// Writes the values whose bit in `keep` is set to the front of `out`; returns how many there are.
/// What lies behind them in `out` is undefined.
///
/// # Panics
/// If there are more than [`CHUNK`] values, or fewer bits than values.
pub(super) fn compress<T: Lane>(values: &[T], keep: &[u64], out: &mut [T; CHUNK]) -> usize {
    static BEST: LazyLock<Kernel> = LazyLock::new(|| available()[0]);
    assert!(values.len() <= CHUNK && values.len() <= 64 * keep.len(), "more values than room or bits");
    // SAFETY: a Lane is any eight bytes with the alignment of u64, so both slices may be seen as u64.
    let (values, out) = unsafe {
        (
            std::slice::from_raw_parts(values.as_ptr().cast::<u64>(), values.len()),
            &mut *out.as_mut_ptr().cast::<[u64; CHUNK]>(),
        )
    };
    (BEST.1)(values, keep, out)
}

/// Writes the finite values to the front of `out`; returns how many there are.
///
/// # Panics
/// If there are more than [`CHUNK`] values.
pub fn finite(values: &[f64], out: &mut [f64; CHUNK]) -> usize {
    let mut keep = [0; WORDS];
    mask::finite(values, &mut keep);
    compress(values, &keep, out)
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
            kernels.push(("avx512", |v, k, o| unsafe { x86::avx512(v, k, o) }));
        }
        if super::has_avx2() {
            // SAFETY: every feature it enables was detected.
            kernels.push(("avx2", |v, k, o| unsafe { x86::avx2(v, k, o) }));
        }
    }
    kernels.push(("scalar", |values, keep, out| scalar(values, keep, out, 0)));
    kernels
}

/// The reference that the others must equal; `kept` values are in `out` already.
fn scalar(values: &[u64], keep: &[u64], out: &mut [u64; CHUNK], mut kept: usize) -> usize {
    for (block, &bits) in values.chunks(64).zip(keep) {
        for (i, &x) in block.iter().enumerate() {
            // Written in any case: a branch on random bits costs more than a store.
            out[kept] = x;
            kept += (bits >> i & 1) as usize;
        }
    }
    kept
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{CHUNK, low_bits};
    use std::arch::x86_64::*;

    /// For each set of four kept lanes, the 32-bit halves that `vpermd` moves to the front.
    static FRONT: [[u32; 8]; 16] = {
        let mut table = [[0; 8]; 16];
        let mut set = 0;
        while set < 16 {
            let (mut lane, mut to) = (0, 0);
            while lane < 4 {
                if set >> lane & 1 == 1 {
                    table[set][to] = 2 * lane;
                    table[set][to + 1] = 2 * lane + 1;
                    to += 2;
                }
                lane += 1;
            }
            set += 1;
        }
        table
    };

    #[target_feature(enable = "avx2,popcnt")]
    pub fn avx2(values: &[u64], keep: &[u64], out: &mut [u64; CHUNK]) -> usize {
        let (blocks, tail) = values.as_chunks::<64>();
        let mut kept = 0;
        for (block, &bits) in blocks.iter().zip(keep) {
            for (i, four) in block.as_chunks::<4>().0.iter().enumerate() {
                let set = bits >> (4 * i) & 15;
                // SAFETY: both are 32 bytes, and neither load needs alignment.
                let (x, order) = unsafe {
                    (
                        _mm256_loadu_si256(four.as_ptr().cast()),
                        _mm256_loadu_si256(FRONT[set as usize].as_ptr().cast()),
                    )
                };
                let front = _mm256_permutevar8x32_epi32(x, order);
                // SAFETY: `kept` is at most the index of `four`, which has four values in CHUNK.
                unsafe { _mm256_storeu_si256(out.as_mut_ptr().add(kept).cast(), front) };
                kept += set.count_ones() as usize;
            }
        }
        super::scalar(tail, keep.get(blocks.len()..).unwrap_or(&[]), out, kept)
    }

    #[target_feature(enable = "avx512f,popcnt")]
    pub fn avx512(values: &[u64], keep: &[u64], out: &mut [u64; CHUNK]) -> usize {
        let mut kept = 0;
        for (block, &bits) in values.chunks(64).zip(keep) {
            let bits = bits & low_bits(block.len());
            for (i, eight) in block.chunks(8).enumerate() {
                let set = (bits >> (8 * i)) as u8;
                // SAFETY: the mask keeps the load inside `eight`.
                let x =
                    unsafe { _mm512_maskz_loadu_epi64(low_bits(eight.len()) as u8, eight.as_ptr().cast()) };
                // Compress in the register, then store: the memory form is very slow on Zen 4.
                let front = _mm512_maskz_compress_epi64(set, x);
                // SAFETY: `kept` is at most the index of `eight`, a multiple of 8 below CHUNK, so eight
                // more values have room.
                unsafe { _mm512_storeu_epi64(out.as_mut_ptr().add(kept).cast(), front) };
                kept += set.count_ones() as usize;
            }
        }
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::fixed;
    use super::*;
    use proptest::{collection::vec, prelude::*};

    proptest! {
        #![proptest_config(fixed())]

        #[test]
        fn every_kernel_keeps_what_a_filter_keeps(
            values in vec(any::<u64>(), 0..=CHUNK),
            keep in vec(prop_oneof![any::<u64>(), Just(0), Just(u64::MAX)], WORDS),
            skip in 0..9_usize,
        ) {
            let values = &values[skip.min(values.len())..];
            let bit = |i: usize| keep[i / 64] >> (i % 64) & 1 == 1;
            let oracle: Vec<u64> = (0..values.len()).filter(|&i| bit(i)).map(|i| values[i]).collect();
            for (name, kernel) in available() {
                let mut out = [7; CHUNK];
                let kept = kernel(values, &keep[..values.len().div_ceil(64)], &mut out);
                prop_assert_eq!(&out[..kept], &oracle, "{}", name);
            }
        }

        #[test]
        fn finite_keeps_what_is_finite(bits in vec(any::<f64>(), 0..=CHUNK)) {
            let mut out = [0.0; CHUNK];
            let kept = finite(&bits, &mut out);
            let oracle: Vec<f64> = bits.into_iter().filter(|x| x.is_finite()).collect();
            prop_assert_eq!(&out[..kept], &oracle);
        }
    }
}
