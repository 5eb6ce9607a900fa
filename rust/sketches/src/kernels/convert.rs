//! Numbers of every width become `f64` or `i64`, without the nulls.
use super::compress::compress;
use super::{CHUNK, low_bits, versions};
use std::sync::LazyLock;

/// A number type whose values become `To` (`f64`, or `i64` without loss).
///
/// `f64` comes from all of them, to the nearest; `i64` from the integers that fit, which `u64` does not.
pub trait Convert<To>: Copy + sealed::Sealed {
    /// Converts as many values as `out` has.
    #[doc(hidden)]
    fn convert(values: &[Self], out: &mut [To]);
    /// Converts the values whose bit in `keep` is set; returns how many there are.
    #[doc(hidden)]
    fn convert_some(values: &[Self], keep: &[u64], out: &mut [To; CHUNK]) -> usize;
    /// What this CPU can run, fastest first. Dispatch and test read it, so nothing runs untested.
    #[doc(hidden)]
    fn available() -> Vec<Kernel<Self, To>>;
}

/// A version of a conversion with its name.
type Kernel<From, To> = (&'static str, fn(&[From], &mut [To]));

mod sealed {
    /// Keeps the list of number types here.
    pub trait Sealed {}
}

/// Number types that become `$to`: those that change, then the one that is `$to` already.
macro_rules! convert {
    ($to:ty: $($from:ty),*) => {
        $(convert!($from, $to, |values: &[$from], keep, out: &mut [$to; CHUNK]| {
            <$from>::convert(values, &mut out[..values.len()]);
            let all = *out;
            compress(&all[..values.len()], keep, out)
        });)*
        convert!($to, $to, compress);
    };
    ($from:ty, $to:ty, $convert_some:expr) => {
        impl Convert<$to> for $from {
            fn convert(values: &[$from], out: &mut [$to]) {
                static BEST: LazyLock<Kernel<$from, $to>> =
                    LazyLock::new(|| <$from as Convert<$to>>::available()[0]);
                (BEST.1)(values, out)
            }
            fn convert_some(values: &[$from], keep: &[u64], out: &mut [$to; CHUNK]) -> usize {
                $convert_some(values, keep, out)
            }
            fn available() -> Vec<Kernel<$from, $to>> {
                #[inline(always)]
                fn scalar(values: &[$from], out: &mut [$to]) {
                    for (x, y) in values.iter().zip(out) {
                        *y = *x as $to;
                    }
                }
                versions!(scalar(values: &[$from], out: &mut [$to]) -> ());
                available()
            }
        }
    };
}

macro_rules! sealed {
    ($($number:ty),*) => { $(impl sealed::Sealed for $number {})* };
}

sealed!(i8, i16, i32, i64, u8, u16, u32, u64, f32, f64);
convert!(f64: i8, i16, i32, i64, u8, u16, u32, u64, f32);
convert!(i64: i8, i16, i32, u8, u16, u32);

/// Writes the values that are not null to the front of `out`; returns how many there are.
///
/// # Panics
/// If there are more than [`CHUNK`] values, or fewer validity bits than values.
pub(super) fn compact<T: Convert<To>, To>(
    values: &[T],
    validity: Option<&[u64]>,
    out: &mut [To; CHUNK],
) -> usize {
    assert!(values.len() <= CHUNK, "{} values do not fit a chunk", values.len());
    match validity {
        Some(bits) if !all_set(bits, values.len()) => T::convert_some(values, bits, out),
        _ => {
            T::convert(values, &mut out[..values.len()]);
            values.len()
        }
    }
}

/// Whether the first `n` bits are all set.
fn all_set(bits: &[u64], n: usize) -> bool {
    let (whole, rest) = (n / 64, low_bits(n % 64));
    bits[..whole].iter().all(|&w| w == u64::MAX) && (rest == 0 || bits[whole] & rest == rest)
}

/// Converts a chunk to doubles, to the nearest.
///
/// # Panics
/// If `out` has another length than `values`.
pub fn to_f64<T: Convert<f64>>(values: &[T], out: &mut [f64]) {
    assert_eq!(values.len(), out.len(), "as many doubles as values");
    T::convert(values, out);
}

pub(super) fn names() -> Vec<&'static str> {
    super::names(<i32 as Convert<f64>>::available())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{fixed, validity};
    use super::*;
    use proptest::{collection::vec, prelude::*};
    use std::fmt::Debug;

    /// Every version gives what `as` gives, bit for bit, and compaction what a filter gives.
    fn check<T: Convert<To> + Debug, To: Copy + Default + PartialEq + Debug>(
        values: &[T],
        validity: Option<&[u64]>,
        cast: fn(T) -> To,
    ) -> Result<(), TestCaseError> {
        let expected: Vec<To> = values.iter().map(|&x| cast(x)).collect();
        for (name, kernel) in T::available() {
            let mut out = vec![To::default(); values.len()];
            kernel(values, &mut out);
            prop_assert_eq!(&out, &expected, "{}", name);
        }
        let valid = |i: usize| validity.is_none_or(|v| v[i / 64] >> (i % 64) & 1 == 1);
        let expected: Vec<To> = (0..values.len()).filter(|&i| valid(i)).map(|i| expected[i]).collect();
        let mut out = [To::default(); CHUNK];
        let kept = compact(values, validity, &mut out);
        prop_assert_eq!(&out[..kept], &expected);
        Ok(())
    }

    proptest! {
        #![proptest_config(fixed())]

        #[test]
        fn every_conversion_is_as(
            values in vec(prop_oneof![any::<u64>(), any::<u8>().prop_map(u64::from)], 0..=CHUNK),
            validity in validity(),
        ) {
            let v = validity.as_deref();
            macro_rules! check {
                ($to:ty: $($from:ty),*) => {$(
                    check(&values.iter().map(|&x| x as $from).collect::<Vec<_>>(), v, |x: $from| x as $to)?;
                )*};
            }
            check!(f64: i8, i16, i32, i64, u8, u16, u32, u64, f32, f64);
            check!(i64: i8, i16, i32, i64, u8, u16, u32);
        }
    }
}
