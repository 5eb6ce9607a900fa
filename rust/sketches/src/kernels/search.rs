//! Which bin each value falls in: how many edges lie below it.
use super::versions;
use std::sync::LazyLock;

/// Adds to `counts[i]` how many values have exactly `i` edges below them. `edges` ascend, `counts` has
/// one place more than they. No NaN may be there.
pub(crate) fn count_bins(values: &[f64], edges: &[f64], counts: &mut [u64]) {
    static BEST: LazyLock<Kernel> = LazyLock::new(|| available()[0]);
    (BEST.1)(values, edges, counts)
}

type Kernel = (&'static str, fn(&[f64], &[f64], &mut [u64]));

versions!(count(values: &[f64], edges: &[f64], counts: &mut [u64]) -> ());

pub(super) fn names() -> Vec<&'static str> {
    super::names(available())
}

#[inline(always)]
fn count(values: &[f64], edges: &[f64], counts: &mut [u64]) {
    let mut above = values.len() as u64;
    for (i, &edge) in edges.iter().enumerate() {
        let over: u64 = values.iter().map(|&x| u64::from(x > edge)).sum();
        counts[i] += above - over;
        above = over;
    }
    counts[edges.len()] += above;
}
