//! Sums of powers of deviations: what the moments of one chunk are made of.
use super::versions;
use std::sync::LazyLock;

/// Accumulators side by side; the same number for every instruction set, so that all add in the same order.
const LANES: usize = 16;

/// Sums of the first four powers of the deviations of a chunk's values from `pivot`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct CentralSums {
    /// About the mean: the first value plus the mean deviation from it, rounded to one double.
    pub pivot: f64,
    /// Sums of the powers 1, 2, 3 and 4.
    pub sums: [f64; 4],
}

/// Sums over finite values, at most a chunk of them; `None` for no values.
pub(crate) fn central_sums(values: &[f64]) -> Option<CentralSums> {
    static BEST: LazyLock<Kernel> = LazyLock::new(|| available()[0]);
    (!values.is_empty()).then(|| (BEST.1)(values))
}

type Kernel = (&'static str, fn(&[f64]) -> CentralSums);

versions!(sums(values: &[f64]) -> CentralSums);

pub(super) fn names() -> Vec<&'static str> {
    super::names(available())
}

/// Two passes: the mean, then powers of the deviations from it. No fused multiply-add: it rounds
/// otherwise, and a profile must not depend on the CPU.
#[inline(always)]
fn sums(values: &[f64]) -> CentralSums {
    // Taking the first value off keeps a constant exactly constant.
    let first = values[0];
    let (chunks, tail) = values.as_chunks::<LANES>();
    let mut total = [0.0; LANES];
    for chunk in chunks {
        for (t, x) in total.iter_mut().zip(chunk) {
            *t += x - first;
        }
    }
    for (t, x) in total.iter_mut().zip(tail) {
        *t += x - first;
    }
    let pivot = first + tree(total) / values.len() as f64;

    let [mut s1, mut s2, mut s3, mut s4] = [[0.0; LANES]; 4];
    let mut add = |i: usize, x: f64| {
        let d = x - pivot;
        let dd = d * d;
        s1[i] += d;
        s2[i] += dd;
        s3[i] += dd * d;
        s4[i] += dd * dd;
    };
    for chunk in chunks {
        chunk.iter().enumerate().for_each(|(i, &x)| add(i, x));
    }
    tail.iter().enumerate().for_each(|(i, &x)| add(i, x));
    CentralSums { pivot, sums: [s1, s2, s3, s4].map(tree) }
}

/// Adds halves onto each other: few roundings, and the order that vectors add in.
#[inline(always)]
fn tree(mut lanes: [f64; LANES]) -> f64 {
    let mut half = LANES / 2;
    while half > 0 {
        for i in 0..half {
            lanes[i] += lanes[i + half];
        }
        half /= 2;
    }
    lanes[0]
}

#[cfg(test)]
mod tests {
    use super::super::CHUNK;
    use super::super::tests::fixed;
    use super::*;
    use proptest::{collection::vec, num::f64::NORMAL, prelude::*};

    /// Equality of bits, NaN included.
    fn bits(s: &CentralSums) -> Vec<u64> {
        s.sums.iter().chain([&s.pivot]).map(|x| x.to_bits()).collect()
    }

    proptest! {
        #![proptest_config(fixed())]

        #[test]
        fn every_kernel_equals_scalar(
            values in vec(prop_oneof![-1e3..1e3, NORMAL], 1..=CHUNK),
            skip in 0..9_usize,
        ) {
            let values = &values[skip.min(values.len() - 1)..];
            for (name, kernel) in available() {
                prop_assert_eq!(bits(&kernel(values)), bits(&sums(values)), "{}", name);
            }
        }

        #[test]
        fn scalar_equals_plain_sums(values in vec(-1e3..1e3, 1..=CHUNK)) {
            let CentralSums { pivot, sums } = sums(&values);
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            prop_assert!((pivot - mean).abs() < 1e-9);
            for (r, sum) in (1..).zip(sums) {
                let powers = values.iter().map(|x| (x - pivot).powi(r));
                let scale: f64 = powers.clone().map(f64::abs).sum();
                prop_assert!((sum - powers.sum::<f64>()).abs() <= 1e-12 * scale);
            }
        }
    }

    #[test]
    fn a_constant_does_not_vary() {
        for n in [1, 15, 16, 17, 1000, CHUNK] {
            assert_eq!(sums(&vec![0.1; n]), CentralSums { pivot: 0.1, sums: [0.0; 4] });
        }
    }
}
