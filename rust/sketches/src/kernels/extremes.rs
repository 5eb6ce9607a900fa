//! The smallest and the largest value of a chunk.
use super::versions;
use std::sync::LazyLock;

/// Accumulators side by side: four vectors of AVX-512, to hide the latency of a comparison.
const LANES: usize = 32;

/// The smallest and the largest value, infinities among them; `None` for no values. No NaN may be there.
pub fn min_max(values: &[f64]) -> Option<(f64, f64)> {
    static BEST: LazyLock<doubles::Kernel> = LazyLock::new(|| doubles::available()[0]);
    (!values.is_empty()).then(|| (BEST.1)(values))
}

/// The smallest and the largest value; `None` for no values.
pub fn min_max_i64(values: &[i64]) -> Option<(i64, i64)> {
    static BEST: LazyLock<integers::Kernel> = LazyLock::new(|| integers::available()[0]);
    (!values.is_empty()).then(|| (BEST.1)(values))
}

pub(super) fn names() -> Vec<&'static str> {
    super::names(doubles::available())
}

mod doubles {
    use super::*;
    pub type Kernel = (&'static str, fn(&[f64]) -> (f64, f64));
    versions!(pub range(values: &[f64]) -> (f64, f64));

    #[inline(always)]
    fn range(values: &[f64]) -> (f64, f64) {
        super::range(values, f64::INFINITY, f64::NEG_INFINITY)
    }
}

mod integers {
    use super::*;
    pub type Kernel = (&'static str, fn(&[i64]) -> (i64, i64));
    versions!(pub range(values: &[i64]) -> (i64, i64));

    #[inline(always)]
    fn range(values: &[i64]) -> (i64, i64) {
        super::range(values, i64::MAX, i64::MIN)
    }
}

/// Smallest and largest of `values`, `top` and `bottom`.
#[inline(always)]
fn range<T: Copy + PartialOrd>(values: &[T], top: T, bottom: T) -> (T, T) {
    // Written as the comparison that `minpd` makes: f64::min would pay for NaN.
    let less = |a: T, b: T| if a < b { a } else { b };
    let more = |a: T, b: T| if a > b { a } else { b };
    let (mut low, mut high) = ([top; LANES], [bottom; LANES]);
    let (chunks, tail) = values.as_chunks::<LANES>();
    for chunk in chunks {
        for ((low, high), &x) in low.iter_mut().zip(&mut high).zip(chunk) {
            *low = less(x, *low);
            *high = more(x, *high);
        }
    }
    (low.iter().chain(tail).copied().fold(top, less), high.iter().chain(tail).copied().fold(bottom, more))
}

#[cfg(test)]
mod tests {
    use super::super::CHUNK;
    use super::super::tests::{fixed, integer, number};
    use super::*;
    use proptest::{collection::vec, prelude::*};

    proptest! {
        #![proptest_config(fixed())]

        #[test]
        fn every_kernel_finds_the_ends_of_the_sorted_values(
            values in vec(number().prop_filter("no NaN", |x| !x.is_nan()), 1..=CHUNK),
            skip in 0..9_usize,
        ) {
            let values = &values[skip.min(values.len() - 1)..];
            let mut sorted = values.to_vec();
            sorted.sort_by(|a, b| a.partial_cmp(b).unwrap());
            let expected = (sorted[0], sorted[sorted.len() - 1]);
            for (name, kernel) in doubles::available() {
                prop_assert_eq!(kernel(values), expected, "{}", name);
            }
            prop_assert_eq!(min_max(values), Some(expected));
        }

        #[test]
        fn every_integer_kernel_finds_the_ends_of_the_sorted_values(
            values in vec(integer(), 1..=CHUNK),
            skip in 0..9_usize,
        ) {
            let values = &values[skip.min(values.len() - 1)..];
            let expected = (*values.iter().min().unwrap(), *values.iter().max().unwrap());
            for (name, kernel) in integers::available() {
                prop_assert_eq!(kernel(values), expected, "{}", name);
            }
            prop_assert_eq!(min_max_i64(values), Some(expected));
        }
    }

    #[test]
    fn nothing_has_no_extremes() {
        assert_eq!(min_max(&[]), None);
        assert_eq!(min_max_i64(&[]), None);
    }
}
