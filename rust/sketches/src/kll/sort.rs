//! Sorting and merging of whole lists, built on sorted columns.
use super::compact::{BLOCK, LANES, ROWS, Row, sort_columns};

/// More rows than this are sorted as two lists: 512 rows are 32 KB, what the fastest cache holds.
const MAX_ROWS: usize = 512;

/// Fewer values are sorted by insertion before a block is laid out.
const WORTH_A_BLOCK: usize = 24;

/// Sorts `values`, which hold no NaN and no -0.0. `scratch` is working space, its content lost.
pub(super) fn sort(values: &mut [f64], scratch: &mut Vec<f64>) {
    if values.len() < WORTH_A_BLOCK {
        values.sort_unstable_by(f64::total_cmp);
        return;
    }
    if values.len() < BLOCK {
        return sort_few(values, scratch);
    }
    let rows = (1 << (values.len() / LANES).ilog2()).min(MAX_ROWS);
    debug_assert!(rows >= ROWS);
    let (head, rest) = values.split_at_mut(rows * LANES);
    scratch.resize(head.len(), 0.0);
    let columns: &mut [Row] = head.as_chunks_mut().0;
    sort_columns(columns);
    for (lane, run) in scratch.chunks_exact_mut(rows).enumerate() {
        run.iter_mut().zip(columns.iter()).for_each(|(slot, row)| *slot = row[lane]);
    }
    merge_pairs(scratch, head, rows);
    merge_pairs(head, scratch, 2 * rows);
    merge_pairs(scratch, head, 4 * rows);
    if !rest.is_empty() {
        sort(rest, scratch);
        scratch.clear();
        merge_into(head, rest, scratch);
        values.copy_from_slice(scratch);
    }
}

/// Sorts less than a block: one that is filled up with values that come last anyway. A window of a monitor leaves such
/// lists, and sorting them by comparisons took five times as long.
fn sort_few(values: &mut [f64], scratch: &mut Vec<f64>) {
    let mut columns = [[f64::INFINITY; LANES]; ROWS];
    columns.as_flattened_mut()[..values.len()].copy_from_slice(values);
    sort_columns(&mut columns);
    // Only so many rows hold any of the values.
    let rows = values.len().div_ceil(LANES);
    scratch.resize(2 * rows * LANES, 0.0);
    let (runs, merged) = scratch[..2 * rows * LANES].split_at_mut(rows * LANES);
    for (lane, run) in runs.chunks_exact_mut(rows).enumerate() {
        run.iter_mut().zip(&columns).for_each(|(slot, row)| *slot = row[lane]);
    }
    merge_pairs(runs, merged, rows);
    merge_pairs(merged, runs, 2 * rows);
    merge_pairs(runs, merged, 4 * rows);
    values.copy_from_slice(&merged[..values.len()]);
}

/// Merges neighbouring sorted runs of `run` values.
fn merge_pairs(from: &[f64], to: &mut [f64], run: usize) {
    for (pair, out) in from.chunks_exact(2 * run).zip(to.chunks_exact_mut(2 * run)) {
        let (a, b) = pair.split_at(run);
        merge(a, b, out);
    }
}

/// Merges two sorted lists into `out`, which has room for just both. The result is filled from the
/// front and from the back at once: two chains of dependent loads that the CPU overlaps.
fn merge(mut a: &[f64], mut b: &[f64], mut out: &mut [f64]) {
    assert_eq!(out.len(), a.len() + b.len());
    while !a.is_empty() && !b.is_empty() {
        // So many steps use up neither list, from either end.
        let steps = a.len().min(b.len());
        let (mut i, mut j) = (0, 0);
        let (mut k, mut l) = (a.len(), b.len());
        let (low, high) = out.split_at_mut(steps);
        for (first, last) in low.iter_mut().zip(high.iter_mut().rev()) {
            // SAFETY: each step moves one of i and j and one of k and l, and fewer than `steps` were made;
            // so i and j are below it, k and l above the lengths less it, which are not negative.
            let (x, y, p, q) = unsafe {
                (*a.get_unchecked(i), *b.get_unchecked(j), *a.get_unchecked(k - 1), *b.get_unchecked(l - 1))
            };
            let take_b = y < x;
            *first = if take_b { y } else { x };
            j += usize::from(take_b);
            i += usize::from(!take_b);
            let take_a = p > q;
            *last = if take_a { p } else { q };
            k -= usize::from(take_a);
            l -= usize::from(!take_a);
        }
        // Of equal values both ends hold those of `a` to be the earlier, so the ends never meet wrongly.
        (a, b) = (&a[i..k], &b[j..l]);
        let middle = a.len() + b.len();
        out = &mut high[..middle];
    }
    out.copy_from_slice(if a.is_empty() { b } else { a });
}

/// Appends the merge of two sorted lists to `out`.
pub(super) fn merge_into(a: &[f64], b: &[f64], out: &mut Vec<f64>) {
    let start = out.len();
    out.resize(start + a.len() + b.len(), 0.0);
    merge(a, b, &mut out[start..]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*, sample::select};

    fn expected(values: &[f64]) -> Vec<f64> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        sorted
    }

    proptest! {
        #[test]
        fn any_list_is_sorted(values in vec((-50i8..50).prop_map(f64::from), 0..9000)) {
            let mut sorted = values.clone();
            sort(&mut sorted, &mut vec![]);
            prop_assert_eq!(sorted, expected(&values));
        }

        #[test]
        fn a_short_list_is_sorted(
            values in vec(prop_oneof![-1e9..1e9, select(vec![f64::INFINITY, f64::NEG_INFINITY, 0.0])], 0..300)
        ) {
            let mut sorted = values.clone();
            sort(&mut sorted, &mut vec![]);
            prop_assert_eq!(sorted, expected(&values));
        }

        #[test]
        fn two_lists_are_merged(a in vec((-9i8..9).prop_map(f64::from), 0..99),
                                b in vec((-9i8..9).prop_map(f64::from), 0..99)) {
            let mut merged = vec![];
            merge_into(&expected(&a), &expected(&b), &mut merged);
            prop_assert_eq!(merged, expected(&[a, b].concat()));
        }
    }
}
