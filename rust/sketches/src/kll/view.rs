//! Ranks and quantiles of retained values.
//!
//! Two conventions for ties, both those of Apache DataSketches: *inclusive* counts the value itself
//! (`share of values <= x`), *exclusive* does not (`share of values < x`).

/// Retained values in ascending order with the weight at or below each.
#[derive(Clone, Debug)]
pub struct SortedView<T = f64> {
    values: Vec<T>,
    cumulative: Vec<u64>,
}

impl<T: Clone> SortedView<T> {
    /// Of values in ascending order, each with its weight.
    pub(super) fn of_sorted(items: Vec<(T, u64)>) -> Self {
        let mut total = 0u64;
        let (values, cumulative) = items
            .into_iter()
            .map(|(value, weight)| {
                total = total.saturating_add(weight);
                (value, total)
            })
            .unzip();
        Self { values, cumulative }
    }

    /// The retained values, ascending.
    pub fn values(&self) -> &[T] {
        &self.values
    }

    /// For each retained value, the weight of all values at or below its place.
    pub fn cumulative(&self) -> &[u64] {
        &self.cumulative
    }

    /// Total weight.
    pub fn n(&self) -> u64 {
        self.cumulative.last().copied().unwrap_or(0)
    }

    /// The smallest retained value whose inclusive rank is at least `q`; `None` when empty.
    pub fn quantile(&self, q: f64) -> Option<T> {
        let target = (q.clamp(0.0, 1.0) * self.n() as f64).ceil() as u64;
        self.at(self.cumulative.partition_point(|&c| c < target))
    }

    /// The smallest retained value whose inclusive rank exceeds `q`, the largest value if none does;
    /// `None` when empty. It is what DataSketches calls a quantile unless told otherwise.
    pub fn quantile_exclusive(&self, q: f64) -> Option<T> {
        let target = (q.clamp(0.0, 1.0) * self.n() as f64) as u64;
        self.at(self.cumulative.partition_point(|&c| c <= target))
    }

    fn at(&self, i: usize) -> Option<T> {
        self.values.get(i).or(self.values.last()).cloned()
    }

    /// The share of the values for which `below` holds, which must be the first ones; `None` when empty.
    pub(super) fn rank_by(&self, below: impl Fn(&T) -> bool) -> Option<f64> {
        let place = self.values.partition_point(below);
        let weight = if place == 0 { 0 } else { self.cumulative[place - 1] };
        (self.n() > 0).then(|| weight as f64 / self.n() as f64)
    }

    /// The same weights with each value converted. The conversion must keep the order.
    pub(super) fn map<U>(self, convert: impl Fn(T) -> U) -> SortedView<U> {
        SortedView { values: self.values.into_iter().map(convert).collect(), cumulative: self.cumulative }
    }
}

impl SortedView {
    /// The share of values `<= x`; `None` when empty.
    pub fn rank(&self, x: f64) -> Option<f64> {
        self.rank_by(|&value| value <= x)
    }

    /// The share of values `< x`; `None` when empty.
    pub fn rank_exclusive(&self, x: f64) -> Option<f64> {
        self.rank_by(|&value| value < x)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_follow_the_convention_asked_for() {
        let view = SortedView::of_sorted(vec![(1.0, 1), (2.0, 2), (2.0, 1), (3.0, 4)]);
        assert_eq!((view.n(), view.rank(2.0), view.rank_exclusive(2.0)), (8, Some(0.5), Some(0.125)));
        assert_eq!((view.quantile(0.5), view.quantile_exclusive(0.5)), (Some(2.0), Some(3.0)));
        assert_eq!((view.quantile(0.0), view.quantile(1.0)), (Some(1.0), Some(3.0)));
        assert_eq!((view.quantile_exclusive(0.0), view.quantile_exclusive(1.0)), (Some(1.0), Some(3.0)));
    }

    #[test]
    fn nothing_has_no_rank_and_no_quantile() {
        let view: SortedView = SortedView::of_sorted(vec![]);
        assert_eq!((view.n(), view.rank(0.0), view.quantile(0.5)), (0, None, None));
    }
}
