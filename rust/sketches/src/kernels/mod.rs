//! The loops that every value passes, in a version for each instruction set.

/// Values that stay in the first-level cache while several kernels run over them.
pub const CHUNK: usize = 1024;

/// Result of [`clean`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cleaned {
    /// Values written.
    pub kept: usize,
    /// NaN.
    pub nans: usize,
    /// Positive infinities.
    pub pos_inf: usize,
    /// Negative infinities.
    pub neg_inf: usize,
    /// Zeros.
    pub zeros: usize,
    /// Below zero.
    pub negatives: usize,
}
/// f32 and f64.
pub trait Float: Copy + Into<f64> {}
impl Float for f32 {}
impl Float for f64 {}

/// Integers of up to 64 bits.
pub trait Integer: Copy {
    /// u64
    const UNSIGNED_64: bool = false;
    /// as i64
    fn widen(self) -> i64;
}
macro_rules! ints {($($t:ty)*) => {$(impl Integer for $t { fn widen(self) -> i64 { self as i64 } })*}}
ints!(i8 i16 i32 i64 u8 u16 u32);
impl Integer for u64 {
    const UNSIGNED_64: bool = true;
    fn widen(self) -> i64 {
        self as i64
    }
}

fn valid(words: Option<&[u64]>, i: usize) -> bool {
    words.is_none_or(|w| w[i / 64] >> (i % 64) & 1 == 1)
}
/// clean
pub fn clean<T: Float>(values: &[T], words: Option<&[u64]>, out: &mut [f64; CHUNK]) -> Cleaned {
    let mut c = Cleaned::default();
    for (i, &x) in values.iter().enumerate() {
        let x: f64 = x.into();
        if valid(words, i) {
            c.nans += usize::from(x.is_nan());
            c.pos_inf += usize::from(x == f64::INFINITY);
            c.neg_inf += usize::from(x == f64::NEG_INFINITY);
            c.zeros += usize::from(x == 0.0);
            c.negatives += usize::from(x < 0.0);
            if !x.is_nan() {
                out[c.kept] = x + 0.0;
                c.kept += 1;
            }
        }
    }
    c
}
/// finite
pub fn finite(values: &[f64], out: &mut [f64; CHUNK]) -> usize {
    let mut kept = 0;
    for &x in values.iter().filter(|x| x.is_finite()) {
        out[kept] = x;
        kept += 1;
    }
    kept
}
/// compact
pub fn compact<T: Integer>(values: &[T], words: Option<&[u64]>, out: &mut [i64; CHUNK]) -> usize {
    let mut kept = 0;
    for (_, &x) in values.iter().enumerate().filter(|&(i, _)| valid(words, i)) {
        out[kept] = x.widen();
        kept += 1;
    }
    kept
}
/// to f64
pub fn to_f64<T: Integer>(values: &[i64], out: &mut [f64]) {
    for (o, &x) in out.iter_mut().zip(values) {
        *o = if T::UNSIGNED_64 { x as u64 as f64 } else { x as f64 };
    }
}
/// range
pub fn min_max(values: &[f64]) -> Option<(f64, f64)> {
    values.iter().map(|&x| (x, x)).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
}
/// range
pub fn min_max_i64(values: &[i64]) -> Option<(i64, i64)> {
    values.iter().map(|&x| (x, x)).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
}
