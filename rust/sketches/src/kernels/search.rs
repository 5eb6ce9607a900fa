//! Which bin each value falls in: how many edges lie below it.
//!
//! With AVX-512, up to 63 edges stay in registers as a tree, and eight values go down together. Otherwise a
//! few edges are compared with one after the other, and many searched by halves; never with branches, for
//! the way of a value through the edges cannot be predicted.
use super::CHUNK;
use std::sync::{Arc, LazyLock};

/// Levels of halving that fit the registers of AVX-512, with room for the values.
const LEVELS: usize = 6;
/// Leaves of that tree: one more than the edges it has room for.
const LEAVES: usize = 1 << LEVELS;

/// Ascending edges, and their copies in the orders they are searched in.
#[derive(Debug, PartialEq)]
pub(crate) struct Edges {
    edges: Arc<[f64]>,
    /// Filled up with infinity, above which nothing is, to a power of two.
    padded: Box<[f64]>,
    /// The edges as a tree, if it has room for them: the 2^l pivots of level l stand at 2^l, each at the
    /// place whose lowest bit says which way the root went, the next bit which way level 1 went, and so on.
    tree: Option<[f64; LEAVES]>,
}

impl Edges {
    /// Takes edges that ascend and have no NaN.
    pub(crate) fn new(edges: Arc<[f64]>) -> Self {
        let mut padded = edges.to_vec();
        padded.resize((edges.len() + 1).next_power_of_two(), f64::INFINITY);
        let tree = (edges.len() < LEAVES).then(|| {
            let mut tree = [f64::INFINITY; LEAVES];
            for level in 0..LEVELS {
                for way in 0..1 << level {
                    let edge = ((2 * reversed(way, level) + 1) << (LEVELS - 1 - level)) - 1;
                    tree[(1 << level) + way] = edges.get(edge).copied().unwrap_or(f64::INFINITY);
                }
            }
            tree
        });
        Self { edges, padded: padded.into(), tree }
    }
    /// The edges themselves.
    pub(crate) fn as_slice(&self) -> &[f64] {
        &self.edges
    }
    /// Adds to `counts[i]` how many of a chunk's values have exactly `i` edges below them; `counts` has one
    /// place more than there are edges. No NaN may be there.
    pub(crate) fn count(&self, values: &[f64], counts: &mut [u64]) {
        static BEST: LazyLock<Kernel> = LazyLock::new(|| available()[0]);
        assert!(values.len() <= CHUNK, "{} values do not fit a chunk", values.len());
        (BEST.1)(values, self, counts)
    }
}

/// The lowest `n` bits in the opposite order.
fn reversed(bits: usize, n: usize) -> usize {
    (0..n).fold(0, |to, i| to << 1 | bits >> i & 1)
}

type Kernel = (&'static str, fn(&[f64], &Edges, &mut [u64]));

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
            kernels.push(("avx512", |v, e, c| unsafe { x86::avx512(v, e, c) }));
        }
        if super::has_avx2() {
            // SAFETY: every feature it enables was detected.
            kernels.push(("avx2", |v, e, c| unsafe { x86::avx2(v, e, c) }));
        }
    }
    kernels.push(("scalar", scalar));
    kernels
}

/// The reference that the others must equal. With two doubles a vector, comparing with each edge costs as
/// much as halving at 16 edges.
fn scalar(values: &[f64], edges: &Edges, counts: &mut [u64]) {
    if edges.edges.len() <= 16 { linear(values, edges, counts) } else { halves(values, edges, counts) }
}

/// Compares all values with each edge in turn.
#[inline(always)]
fn linear(values: &[f64], Edges { edges, .. }: &Edges, counts: &mut [u64]) {
    let mut above = values.len() as u64;
    for (count, &edge) in counts.iter_mut().zip(edges.iter()) {
        let over = values.iter().map(|&x| u64::from(x > edge)).sum();
        *count += above - over;
        above = over;
    }
    counts[edges.len()] += above;
}

/// Halves the edges that may be next to a value until none is left. Never inlined: where AVX-512 is enabled,
/// LLVM makes gathers of the loads, and takes three times as long.
#[inline(never)]
fn halves(values: &[f64], Edges { padded, .. }: &Edges, counts: &mut [u64]) {
    /// Values searched side by side: their loads wait for memory together.
    const LANES: usize = 8;
    let last = padded.len() - 1;
    let levels = padded.len().trailing_zeros();
    // A shifted bit, where a choice of two numbers would be compiled to a branch.
    let step = |below: usize, level: u32, x: f64| {
        usize::from(padded[(below + (1 << level) - 1) & last] < x) << level
    };
    let (groups, tail) = values.as_chunks::<LANES>();
    for group in groups {
        let mut below = [0; LANES];
        for level in (0..levels).rev() {
            below.iter_mut().zip(group).for_each(|(b, &x)| *b += step(*b, level, x));
        }
        below.iter().for_each(|&b| counts[b] += 1);
    }
    for &x in tail {
        counts[(0..levels).rev().fold(0, |b, level| b + step(b, level, x))] += 1;
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{CHUNK, Edges, LEAVES, LEVELS, halves, linear, reversed};
    use std::arch::x86_64::*;

    /// With four doubles a vector, comparing with each edge costs as much as halving at 64 edges.
    #[target_feature(enable = "avx2")]
    pub fn avx2(values: &[f64], edges: &Edges, counts: &mut [u64]) {
        if edges.edges.len() <= 64 { linear(values, edges, counts) } else { halves(values, edges, counts) }
    }

    /// With eight doubles a vector, comparing with each edge costs as much as the tree at 12 edges.
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,popcnt")]
    pub fn avx512(values: &[f64], edges: &Edges, counts: &mut [u64]) {
        match &edges.tree {
            _ if edges.edges.len() <= 12 => linear(values, edges, counts),
            Some(tree) => climb(values, tree, counts),
            None => halves(values, edges, counts),
        }
    }

    /// Sends eight values at a time from the root of the tree to their leaves, then counts the leaves.
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,popcnt")]
    fn climb(values: &[f64], tree: &[f64; LEAVES], counts: &mut [u64]) {
        let pivots = tree.as_chunks::<8>().0;
        // SAFETY: each is eight f64; the load needs no alignment.
        let load = |eight: &[f64; 8]| unsafe { _mm512_loadu_pd(eight.as_ptr()) };
        let small = load(&pivots[0]);
        let root = _mm512_permutexvar_pd(_mm512_set1_epi64(1), small);
        let one = _mm512_permutexvar_pd(_mm512_setr_epi64(2, 3, 0, 0, 0, 0, 0, 0), small);
        let two = _mm512_permutexvar_pd(_mm512_setr_epi64(4, 5, 6, 7, 0, 0, 0, 0), small);
        let three = load(&pivots[1]);
        let four = [load(&pivots[2]), load(&pivots[3])];
        let five = [load(&pivots[4]), load(&pivots[5]), load(&pivots[6]), load(&pivots[7])];
        // Which way the levels so far went is the index of the next pivot.
        let leaf_of = |x: __m512d| {
            let above = |pivots| _mm512_cmp_pd_mask::<_CMP_GT_OQ>(x, pivots);
            let with = |leaf, above, bit| _mm512_mask_or_epi64(leaf, above, leaf, _mm512_set1_epi64(bit));
            let leaf = _mm512_maskz_mov_epi64(above(root), _mm512_set1_epi64(1));
            let leaf = with(leaf, above(_mm512_permutexvar_pd(leaf, one)), 2);
            let leaf = with(leaf, above(_mm512_permutexvar_pd(leaf, two)), 4);
            let leaf = with(leaf, above(_mm512_permutexvar_pd(leaf, three)), 8);
            let upper = above(_mm512_permutex2var_pd(four[0], leaf, four[1]));
            let low = _mm512_permutex2var_pd(five[0], leaf, five[1]);
            let high = _mm512_permutex2var_pd(five[2], leaf, five[3]);
            with(with(leaf, upper, 16), above(_mm512_mask_blend_pd(upper, low, high)), 32)
        };

        // Their order does not matter, so the leaves of eight vectors go into the bytes of one by shifts:
        // the narrowing store (vpmovqb) takes 16 cycles on Zen 5. Bytes without a value keep 255, no leaf.
        let mut leaves = [_mm512_set1_epi8(-1); CHUNK / 64];
        for (block, leaves) in values.chunks(64).zip(&mut leaves) {
            let (eights, rest) = block.as_chunks::<8>();
            for eight in eights {
                *leaves = _mm512_or_si512(_mm512_slli_epi64::<8>(*leaves), leaf_of(load(eight)));
            }
            if !rest.is_empty() {
                let lanes = (1_u8 << rest.len()) - 1;
                // SAFETY: the mask keeps the load inside `rest`.
                let leaf = leaf_of(unsafe { _mm512_maskz_loadu_pd(lanes, rest.as_ptr()) });
                let leaf = _mm512_mask_mov_epi64(_mm512_set1_epi64(255), lanes, leaf);
                *leaves = _mm512_or_si512(_mm512_slli_epi64::<8>(*leaves), leaf);
            }
        }
        // Comparing all leaves with each number beats incrementing a table, where an increment waits for the
        // one before it of the same bin.
        let leaves = &leaves[..values.len().div_ceil(64)];
        for (bin, count) in counts.iter_mut().enumerate() {
            let leaf = _mm512_set1_epi8(reversed(bin, LEVELS) as i8);
            *count +=
                leaves.iter().map(|&l| u64::from(_mm512_cmpeq_epi8_mask(l, leaf).count_ones())).sum::<u64>();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{fixed, number};
    use super::*;
    use proptest::{collection::vec, prelude::*, sample::Index};

    proptest! {
        #![proptest_config(fixed())]

        #[test]
        fn every_kernel_counts_the_edges_below(
            values in vec(number().prop_filter("no NaN", |x| !x.is_nan()), 0..=CHUNK),
            hit in prop_oneof![vec(any::<Index>(), 0..40), vec(any::<Index>(), 0..300)],
            missed in vec(number().prop_filter("no NaN", |x| !x.is_nan()), 0..20),
            skip in 0..9_usize,
        ) {
            let mut edges = missed;
            if !values.is_empty() {
                edges.extend(hit.iter().map(|i| values[i.index(values.len())]));
            }
            edges.sort_by(|a, b| a.partial_cmp(b).unwrap());
            edges.dedup();
            let values = &values[skip.min(values.len())..];
            let mut expected = vec![1; edges.len() + 1];
            for x in values {
                expected[edges.iter().filter(|e| *e < x).count()] += 1;
            }
            let edges = Edges::new(edges.into());
            for (name, kernel) in available() {
                let mut counts = vec![1; expected.len()];
                kernel(values, &edges, &mut counts);
                prop_assert_eq!(&counts, &expected, "{}", name);
            }
        }
    }
}
