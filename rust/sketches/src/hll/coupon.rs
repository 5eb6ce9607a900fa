//! From values to coupons: the loop that every number passes.
//!
//! A coupon is `value << 26 | key`, where `value` is one more than the leading zeros of the second
//! hash word (63 at most) and `key` the low 26 bits of the first. Its low 12 bits say the register.
//!
//! The kernels drop coupons whose value is not above a floor, the lowest register: they cannot
//! raise one. After a million distinct values that leaves a few in a hundred, so the scalar update
//! of registers that follows costs next to nothing.
use crate::hash::{Hash128, hash_word};
use std::sync::LazyLock;

/// The bits of a coupon below its value.
pub const KEY_BITS: u32 = 26;

/// How many words a kernel takes at once: 2 KiB of words and 1 KiB of coupons stay in L1, and the
/// buffer costs little to set up for a call with few words.
pub const CHUNK: usize = 256;

/// Room for a chunk, and for the whole vector that the last store of a kernel writes.
pub type Buffer = [u32; CHUNK + 8];

type Kernel = (&'static str, fn(&[u64], u8, &mut Buffer) -> usize);

/// The coupon of a hash.
#[inline(always)]
pub fn coupon(hash: Hash128) -> u32 {
    let value = hash.1.leading_zeros().min(62) + 1;
    value << KEY_BITS | (hash.0 as u32 & ((1 << KEY_BITS) - 1))
}

/// Writes the coupons with a value above `floor` of at most [`CHUNK`] words, in the order of the
/// words, and returns how many.
pub fn coupons(words: &[u64], floor: u8, out: &mut Buffer) -> usize {
    static BEST: LazyLock<Kernel> = LazyLock::new(|| available()[0]);
    (BEST.1)(&words[..words.len().min(CHUNK)], floor, out)
}

/// The names of the kernels this CPU can run, the one in use first.
pub fn kernels() -> Vec<&'static str> {
    available().into_iter().map(|(name, _)| name).collect()
}

/// What this CPU can run, fastest first. Dispatch and test read it, so nothing runs untested.
fn available() -> Vec<Kernel> {
    let mut kernels: Vec<Kernel> = vec![];
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512cd")
        {
            // SAFETY: every feature it enables was detected.
            kernels.push(("avx512", |w, f, o| unsafe { x86::avx512(w, f, o) }));
        }
        if is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("lzcnt")
        {
            // SAFETY: every feature it enables was detected.
            kernels.push(("avx2", |w, f, o| unsafe { x86::avx2(w, f, o) }));
        }
    }
    kernels.push(("scalar", scalar));
    kernels
}

/// The reference that the others must equal.
#[inline(always)]
fn scalar(words: &[u64], floor: u8, out: &mut Buffer) -> usize {
    let mut n = 0;
    // Written always, kept if above the floor: no branch to mispredict.
    for &word in words.iter().take(CHUNK) {
        let coupon = coupon(hash_word(word));
        out[n] = coupon;
        n += usize::from((coupon >> KEY_BITS) as u8 > floor);
    }
    n
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Buffer, CHUNK, KEY_BITS, coupon};
    use crate::hash::{C1, C2, F1, F2, SEED, hash_word};
    use std::arch::x86_64::*;

    /// Hashes four lanes of eight words at a time, which the compiler turns into AVX2 with 64-bit
    /// multiplications made of three 32-bit ones.
    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt")]
    pub fn avx2(words: &[u64], floor: u8, out: &mut Buffer) -> usize {
        let (chunks, tail) = words[..words.len().min(CHUNK)].as_chunks::<8>();
        let mut n = 0;
        let mut keep = |hash| {
            let coupon = coupon(hash);
            out[n] = coupon;
            n += usize::from((coupon >> KEY_BITS) as u8 > floor);
        };
        for chunk in chunks {
            let hashes = chunk.map(hash_word);
            hashes.into_iter().for_each(&mut keep);
        }
        tail.iter().for_each(|&word| keep(hash_word(word)));
        n
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512cd")]
    pub fn avx512(words: &[u64], floor: u8, out: &mut Buffer) -> usize {
        let (chunks, tail) = words[..words.len().min(CHUNK)].as_chunks::<8>();
        let floors = _mm512_set1_epi64(i64::from(floor));
        let mut n = 0;
        let mut keep = |words, lanes: __mmask8| {
            let (keys, values) = key_and_value(words);
            let above = _mm512_mask_cmpgt_epi64_mask(lanes, values, floors);
            let coupons = _mm512_or_si512(_mm512_slli_epi64::<KEY_BITS>(values), keys);
            // Compress in the register, then store: the memory form is very slow on Zen 4.
            let kept = _mm512_cvtepi64_epi32(_mm512_maskz_compress_epi64(above, coupons));
            let target: &mut [u32] = &mut out[n..n + 8];
            // SAFETY: `target` is eight u32; the store needs no alignment.
            unsafe { _mm256_storeu_si256(target.as_mut_ptr().cast(), kept) };
            n += above.count_ones() as usize;
        };
        for chunk in chunks {
            // SAFETY: `chunk` is eight u64; the load needs no alignment.
            keep(unsafe { _mm512_loadu_si512(chunk.as_ptr().cast()) }, 0xff);
        }
        if !tail.is_empty() {
            let lanes = (1u8 << tail.len()) - 1;
            // SAFETY: only the lanes of `tail` are read.
            keep(unsafe { _mm512_maskz_loadu_epi64(lanes, tail.as_ptr().cast()) }, lanes);
        }
        n
    }

    /// The key and the value of the coupons of eight words: `hash_word` in vectors.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512cd")]
    fn key_and_value(words: __m512i) -> (__m512i, __m512i) {
        let set = |x: u64| _mm512_set1_epi64(x as i64);
        let k1 = _mm512_mullo_epi64(words, set(C1));
        let k1 = _mm512_mullo_epi64(_mm512_rol_epi64::<31>(k1), set(C2));
        let h2 = set(SEED ^ 8);
        let h1 = _mm512_add_epi64(_mm512_xor_si512(k1, h2), h2);
        let h2 = _mm512_add_epi64(h2, h1);
        let (h1, h2) = (avalanche(h1), avalanche(h2));
        let h1 = _mm512_add_epi64(h1, h2);
        let h2 = _mm512_add_epi64(h2, h1);
        let value = _mm512_add_epi64(_mm512_min_epi64(_mm512_lzcnt_epi64(h2), set(62)), set(1));
        (_mm512_and_si512(h1, set((1 << KEY_BITS) - 1)), value)
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512dq")]
    fn avalanche(h: __m512i) -> __m512i {
        let set = |x: u64| _mm512_set1_epi64(x as i64);
        let h = _mm512_xor_si512(h, _mm512_srli_epi64::<33>(h));
        let h = _mm512_mullo_epi64(h, set(F1));
        let h = _mm512_xor_si512(h, _mm512_srli_epi64::<33>(h));
        let h = _mm512_mullo_epi64(h, set(F2));
        _mm512_xor_si512(h, _mm512_srli_epi64::<33>(h))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*};

    fn run(kernel: &Kernel, words: &[u64], floor: u8) -> Vec<u32> {
        let mut out = [0; CHUNK + 8];
        let n = (kernel.1)(words, floor, &mut out);
        out[..n].to_vec()
    }

    #[test]
    fn prints_what_it_tests() {
        println!("hll kernels: {}", kernels().join(", "));
        assert_eq!(kernels().last(), Some(&"scalar"));
    }

    proptest! {
        #[test]
        fn every_kernel_equals_scalar(words in vec(any::<u64>(), 0..=CHUNK), floor in 0u8..8) {
            let expected: Vec<_> = words
                .iter()
                .map(|w| coupon(hash_word(*w)))
                .filter(|c| c >> KEY_BITS > u32::from(floor))
                .collect();
            for kernel in available() {
                prop_assert_eq!(run(&kernel, &words, floor), &expected[..], "{}", kernel.0);
            }
        }
    }
}
