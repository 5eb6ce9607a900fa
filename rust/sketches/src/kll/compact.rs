//! Sorting in columns: the inner loop of the sketch.
//!
//! Values lie in rows of eight; each of the eight columns is sorted by itself. A data-oblivious
//! network of minima and maxima (Batcher's odd-even merge sort, 1968) does it without a branch, eight
//! columns at a time, so that its cost is the same on any data. Two users: the compactor below keeps
//! every `stride`-th value of a sorted column, and `sort` merges the columns into one run.
//!
//! Values are not NaN and not -0.0, so every kernel gives the same bits.
use std::sync::LazyLock;

/// Columns that are sorted side by side: one AVX-512 register of doubles.
pub(super) const LANES: usize = 8;
/// Rows of a block. 32 is what the 32 registers of AVX-512 hold.
pub(super) const ROWS: usize = 32;
/// Values of a block.
pub(super) const BLOCK: usize = ROWS * LANES;

/// One value of each column.
pub(super) type Row = [f64; LANES];

type Kernel = (&'static str, fn(&mut [Row]));

/// Names of the kernels this CPU can run, the one in use first.
pub fn kernels() -> Vec<&'static str> {
    available().into_iter().map(|(name, _)| name).collect()
}

/// Sorts each column of `rows`, whose number is a power of two and at least [`ROWS`].
pub(super) fn sort_columns(rows: &mut [Row]) {
    static BEST: LazyLock<Kernel> = LazyLock::new(|| available()[0]);
    debug_assert!(rows.len().is_power_of_two() && rows.len() >= ROWS);
    (BEST.1)(rows)
}

/// Sorts the columns of a block and appends the rows `offset`, `offset + stride`, ... of each to
/// `kept`. Returns the smallest and the largest value.
///
/// Lanes 4 to 7 take the mirrored offsets of lanes 0 to 3. Each offset is still uniform, so the kept
/// values times `stride` count any range without bias; and the error of a column falls as its offset
/// grows, so mirrored errors cancel more often than not and the variance is about halved.
pub(super) fn compact_block(
    block: &[f64; BLOCK],
    stride: usize,
    random: u64,
    kept: &mut Vec<f64>,
) -> (f64, f64) {
    let mut rows = [[0.0; LANES]; ROWS];
    rows.as_flattened_mut().copy_from_slice(block);
    sort_columns(&mut rows);
    let mut offsets = [0; LANES];
    for lane in 0..LANES / 2 {
        offsets[lane] = (random >> (16 * lane)) as usize % stride;
        offsets[lane + LANES / 2] = stride - 1 - offsets[lane];
    }
    for group in rows.chunks_exact(stride) {
        let row: Row = std::array::from_fn(|lane| group[offsets[lane]][lane]);
        kept.extend_from_slice(&row);
    }
    let min = rows[0].into_iter().fold(f64::INFINITY, f64::min);
    let max = rows[ROWS - 1].into_iter().fold(f64::NEG_INFINITY, f64::max);
    (min, max)
}

/// What this CPU can run, fastest first. Dispatch and test read it, so nothing runs untested.
fn available() -> Vec<Kernel> {
    let mut kernels: Vec<Kernel> = vec![];
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") {
            // SAFETY: the feature it enables was detected.
            kernels.push(("avx512", |rows| unsafe { x86::avx512(rows) }));
        }
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the feature it enables was detected.
            kernels.push(("avx2", |rows| unsafe { x86::avx2(rows) }));
        }
    }
    kernels.push(("portable", portable));
    kernels
}

/// The network in plain loops: the reference, and what other instruction sets run.
fn portable(rows: &mut [Row]) {
    merge_from(1, rows, |a, b| {
        let (x, y) = (*a, *b);
        for lane in 0..LANES {
            a[lane] = if x[lane] < y[lane] { x[lane] } else { y[lane] };
            b[lane] = if x[lane] > y[lane] { x[lane] } else { y[lane] };
        }
    });
}

/// Merges sorted columns of `half` rows into sorted columns of all rows (odd-even merge). `exchange`
/// leaves the smaller of each two values in the first row and the larger in the second; it names its
/// instructions, for left to itself the compiler vectorises across rows, with gathers. Inlined, so that
/// all of it is compiled for the instruction set of its caller, and in loops for the same reason.
#[inline(always)]
fn merge_from(mut half: usize, rows: &mut [Row], exchange: impl Fn(&mut Row, &mut Row)) {
    while half < rows.len() {
        for pair in rows.chunks_exact_mut(2 * half) {
            let (upper, lower) = pair.split_at_mut(half);
            for (a, b) in upper.iter_mut().zip(lower) {
                exchange(a, b);
            }
            let mut distance = half / 2;
            while distance > 0 {
                for quarter in pair[distance..].chunks_exact_mut(2 * distance) {
                    let (upper, lower) = quarter.split_at_mut(distance);
                    for (a, b) in upper.iter_mut().zip(lower) {
                        exchange(a, b);
                    }
                }
                distance /= 2;
            }
        }
        half *= 2;
    }
}

/// Whether round `(half, distance)` of the 32-row network compares rows `i` and `i + distance`.
#[cfg(target_arch = "x86_64")]
const fn compares(half: usize, distance: usize, i: usize) -> bool {
    let first = distance % half;
    i >= first
        && i + distance < ROWS
        && (i - first) % (2 * distance) < distance
        && i / (2 * half) == (i + distance) / (2 * half)
}

/// The network over 32 registers. A macro, because every index must be a constant for the rows to
/// stay in registers: as a loop over an array they live in memory, at twice the time.
#[cfg(target_arch = "x86_64")]
macro_rules! network {
    ($r:ident, $min:ident, $max:ident) => {
        network!(@ $r, $min, $max: 1 1, 2 2, 2 1, 4 4, 4 2, 4 1, 8 8, 8 4, 8 2, 8 1,
            16 16, 16 8, 16 4, 16 2, 16 1)
    };
    (@ $r:ident, $min:ident, $max:ident: $($half:literal $distance:literal),*) => {
        $(network!(# $r, $min, $max, $half, $distance: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15
            16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31);)*
    };
    (# $r:ident, $min:ident, $max:ident, $half:literal, $distance:literal: $($i:literal)*) => {
        $(if const { compares($half, $distance, $i) } {
            // The remainder changes nothing here; it keeps the index of a false branch in bounds.
            let (x, y) = ($r[$i], $r[($i + $distance) % ROWS]);
            $r[$i] = $min(x, y);
            $r[($i + $distance) % ROWS] = $max(x, y);
        })*
    };
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{LANES, ROWS, Row, compares, merge_from};
    use std::arch::x86_64::*;

    #[target_feature(enable = "avx512f")]
    pub fn avx512(rows: &mut [Row]) {
        for block in rows.as_chunks_mut::<ROWS>().0 {
            let mut r = [_mm512_setzero_pd(); ROWS];
            for (register, row) in r.iter_mut().zip(block.iter()) {
                // SAFETY: a row is eight f64; the load needs no alignment.
                *register = unsafe { _mm512_loadu_pd(row.as_ptr()) };
            }
            network!(r, _mm512_min_pd, _mm512_max_pd);
            for (register, row) in r.iter().zip(block) {
                // SAFETY: a row is eight f64; the store needs no alignment.
                unsafe { _mm512_storeu_pd(row.as_mut_ptr(), *register) };
            }
        }
        merge_from(ROWS, rows, |a, b| {
            // SAFETY: a row is eight f64; neither load nor store needs alignment.
            unsafe {
                let (x, y) = (_mm512_loadu_pd(a.as_ptr()), _mm512_loadu_pd(b.as_ptr()));
                _mm512_storeu_pd(a.as_mut_ptr(), _mm512_min_pd(x, y));
                _mm512_storeu_pd(b.as_mut_ptr(), _mm512_max_pd(x, y));
            }
        });
    }

    #[target_feature(enable = "avx2")]
    pub fn avx2(rows: &mut [Row]) {
        for block in rows.as_chunks_mut::<ROWS>().0 {
            for side in [0, LANES / 2] {
                let mut r = [_mm256_setzero_pd(); ROWS];
                for (register, row) in r.iter_mut().zip(block.iter()) {
                    // SAFETY: `side` is 0 or 4, so four f64 of the row follow; no alignment needed.
                    *register = unsafe { _mm256_loadu_pd(row.as_ptr().add(side)) };
                }
                network!(r, _mm256_min_pd, _mm256_max_pd);
                for (register, row) in r.iter().zip(block.iter_mut()) {
                    // SAFETY: `side` is 0 or 4, so four f64 of the row follow; no alignment needed.
                    unsafe { _mm256_storeu_pd(row.as_mut_ptr().add(side), *register) };
                }
            }
        }
        merge_from(ROWS, rows, |a, b| {
            for side in [0, LANES / 2] {
                // SAFETY: `side` is 0 or 4, so four f64 of each row follow; no alignment needed.
                unsafe {
                    let (a, b) = (a.as_mut_ptr().add(side), b.as_mut_ptr().add(side));
                    let (x, y) = (_mm256_loadu_pd(a), _mm256_loadu_pd(b));
                    _mm256_storeu_pd(a, _mm256_min_pd(x, y));
                    _mm256_storeu_pd(b, _mm256_max_pd(x, y));
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*, sample::select};

    /// Any double that may enter a sketch, with ties and infinities far more often than chance.
    fn number() -> impl Strategy<Value = f64> {
        prop_oneof![
            any::<f64>().prop_map(|x| x + 0.0),
            select(vec![f64::NEG_INFINITY, -1.0, 0.0, 1.0, f64::INFINITY]),
        ]
    }

    fn sorted_columns(rows: &[Row]) -> Vec<Row> {
        let mut sorted = rows.to_vec();
        for lane in 0..LANES {
            let mut column: Vec<f64> = rows.iter().map(|row| row[lane]).collect();
            column.sort_by(f64::total_cmp);
            sorted.iter_mut().zip(column).for_each(|(row, x)| row[lane] = x);
        }
        sorted
    }

    proptest! {
        #[test]
        fn every_kernel_sorts_every_column(values in vec(number(), 4 * BLOCK)) {
            for (name, kernel) in available() {
                for size in [BLOCK, 2 * BLOCK, 4 * BLOCK] {
                    let mut rows = values[..size].as_chunks::<LANES>().0.to_vec();
                    let expected = sorted_columns(&rows);
                    kernel(&mut rows);
                    prop_assert_eq!(&rows, &expected, "{}", name);
                }
            }
        }
    }

    #[test]
    fn the_network_sorts_every_step_of_zeros_and_ones() {
        println!("kll kernels: {:?}", kernels());
        // Lane by lane a different number of ones, rotated through all places.
        for shift in 0..ROWS {
            for ones in 0..=ROWS - LANES {
                let step = |row, lane| f64::from(u8::from((row + shift) % ROWS < ones + lane));
                let rows: Vec<Row> =
                    (0..ROWS).map(|row| std::array::from_fn(|lane| step(row, lane))).collect();
                for (name, kernel) in available() {
                    let mut sorted = rows.clone();
                    kernel(&mut sorted);
                    assert_eq!(sorted, sorted_columns(&rows), "{name}");
                }
            }
        }
    }

    #[test]
    fn a_block_keeps_every_stride_th_value_of_each_column() {
        let block: [f64; BLOCK] = std::array::from_fn(|i| (BLOCK - i) as f64);
        for stride in [2, 4] {
            for random in [0, 0x0003_0002_0001_0000, u64::MAX] {
                let mut kept = vec![];
                let ends = compact_block(&block, stride, random, &mut kept);
                assert_eq!(ends, (1.0, BLOCK as f64));
                assert_eq!(kept.len(), BLOCK / stride);
                // Column values rise by eight from row to row, so the kept rows can be read back.
                let place = |row: &Row, lane: usize| (row[lane] as usize + lane) / LANES - 1;
                let rows = kept.as_chunks::<LANES>().0;
                for lane in 0..LANES {
                    let places: Vec<usize> = rows.iter().map(|row| place(row, lane)).collect();
                    assert!(places[0] < stride);
                    assert!(places.windows(2).all(|w| w[1] - w[0] == stride));
                }
                for lane in 0..LANES / 2 {
                    assert_eq!(place(&rows[0], lane) + place(&rows[0], lane + 4), stride - 1);
                }
            }
        }
    }
}
