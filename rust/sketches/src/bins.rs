//! Exact counts per reference bin: integers, so any cut of the data gives the same.
use crate::ArgumentError;
use crate::kernels::{CHUNK, Edges};
use std::collections::HashMap;
use std::sync::Arc;

/// Counts of numbers in the bins `(-inf, e0], (e0, e1], ..., (e_last, inf)`.
#[derive(Clone, Debug, PartialEq)]
pub struct NumberBins {
    edges: Arc<Edges>,
    counts: Vec<u64>,
}

impl NumberBins {
    /// Empty bins over strictly ascending edges without NaN; infinities may be edges.
    pub fn try_new(edges: Arc<[f64]>) -> Result<Self, ArgumentError> {
        if let Some(i) = edges.iter().position(|e| e.is_nan()) {
            return Err(ArgumentError(format!("edges[{i}] is NaN: edges must be numbers")));
        }
        if let Some(i) = edges.windows(2).position(|w| w[0] >= w[1]) {
            let (low, high) = (edges[i], edges[i + 1]);
            return Err(ArgumentError(format!("edges[{}] is {high} after {low}: edges must ascend", i + 1)));
        }
        let counts = vec![0; edges.len() + 1];
        Ok(Self { edges: Arc::new(Edges::new(edges)), counts })
    }
    /// Sets all counts to zero.
    pub fn clear(&mut self) {
        self.counts.fill(0);
    }
    /// Counts values: no NaN.
    pub fn update(&mut self, values: &[f64]) {
        for chunk in values.chunks(CHUNK) {
            self.edges.count(chunk, &mut self.counts);
        }
    }
    /// Adds counts over the same edges.
    pub fn merge(&mut self, other: &Self) -> Result<(), ArgumentError> {
        if self.edges() != other.edges() {
            return Err(ArgumentError("bins have other edges: only bins of one reference add up".into()));
        }
        add(&mut self.counts, &other.counts)
    }
    /// The edges.
    pub fn edges(&self) -> &[f64] {
        self.edges.as_slice()
    }
    /// Rows per bin, one more than edges.
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }
    /// From stored parts.
    pub fn from_parts(edges: Arc<[f64]>, counts: Vec<u64>) -> Result<Self, ArgumentError> {
        let new = Self::try_new(edges)?;
        check(&counts, new.counts.len())?;
        Ok(Self { counts, ..new })
    }
}

/// The categories that are counted, shared by all bins of one reference.
#[derive(Clone, Debug, PartialEq)]
pub struct Categories {
    names: Vec<Box<[u8]>>,
    index: HashMap<Box<[u8]>, usize>,
}

impl Categories {
    /// Distinct categories in the order of their bins.
    pub fn try_new(names: Vec<Box<[u8]>>) -> Result<Self, ArgumentError> {
        let mut index = HashMap::with_capacity(names.len());
        for (i, name) in names.iter().enumerate() {
            if let Some(first) = index.insert(name.clone(), i) {
                let name = String::from_utf8_lossy(name);
                return Err(ArgumentError(format!(
                    "categories[{first}] and categories[{i}] are both \"{name}\": categories must be distinct"
                )));
            }
        }
        Ok(Self { names, index })
    }
    /// The categories in the order of their bins.
    pub fn names(&self) -> &[Box<[u8]>] {
        &self.names
    }
    /// The bin of a value: its category's, or the last, which all other values share.
    pub fn bin(&self, value: &[u8]) -> usize {
        self.index.get(value).copied().unwrap_or(self.names.len())
    }
}

/// Counts of categories of a reference, one bin each, and one more for all other values.
#[derive(Clone, Debug, PartialEq)]
pub struct CategoryBins {
    categories: Arc<Categories>,
    counts: Vec<u64>,
}

impl CategoryBins {
    /// Empty bins.
    pub fn new(categories: Arc<Categories>) -> Self {
        let counts = vec![0; categories.names.len() + 1];
        Self { categories, counts }
    }
    /// Sets all counts to zero.
    pub fn clear(&mut self) {
        self.counts.fill(0);
    }
    /// Counts a value `weight` times.
    pub fn update(&mut self, value: &[u8], weight: u64) {
        let count = &mut self.counts[self.categories.bin(value)];
        *count = count.saturating_add(weight);
    }
    /// Adds counts of the same categories.
    pub fn merge(&mut self, other: &Self) -> Result<(), ArgumentError> {
        if !Arc::ptr_eq(&self.categories, &other.categories)
            && self.categories.names != other.categories.names
        {
            return Err(ArgumentError(
                "bins have other categories: only bins of one reference add up".into(),
            ));
        }
        add(&mut self.counts, &other.counts)
    }
    /// The categories.
    pub fn categories(&self) -> &Arc<Categories> {
        &self.categories
    }
    /// Rows per category, then rows of all other values.
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }
    /// From stored parts.
    pub fn from_parts(categories: Arc<Categories>, counts: Vec<u64>) -> Result<Self, ArgumentError> {
        check(&counts, categories.names.len() + 1)?;
        Ok(Self { categories, counts })
    }
}

/// Most rows a count may stand for: file formats store them as signed integers of 64 bits.
const MAX_ROWS: u64 = i64::MAX as u64;

/// Adds counts, or none of them if one would get too large, which only forged ones can.
fn add(to: &mut [u64], from: &[u64]) -> Result<(), ArgumentError> {
    if to.iter().zip(from).any(|(a, b)| a.saturating_add(*b) > MAX_ROWS) {
        return Err(ArgumentError("counts add up to more than 2^63 - 1 rows: they are corrupt".into()));
    }
    to.iter_mut().zip(from).for_each(|(a, b)| *a += b);
    Ok(())
}

/// Stored counts must be one a bin, and their sum a number of rows.
fn check(counts: &[u64], bins: usize) -> Result<(), ArgumentError> {
    if counts.len() != bins {
        return Err(ArgumentError(format!(
            "{} counts for {bins} bins: there must be one a bin",
            counts.len()
        )));
    }
    let rows = counts.iter().try_fold(0_u64, |sum, &n| sum.checked_add(n));
    if rows.is_none_or(|rows| rows > MAX_ROWS) {
        return Err(ArgumentError("counts add up to more than 2^63 - 1 rows: they are corrupt".into()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::tests::fixed;
    use proptest::{collection::vec, prelude::*};

    fn categories(names: &[&str]) -> Result<Arc<Categories>, ArgumentError> {
        Categories::try_new(names.iter().map(|n| n.as_bytes().into()).collect()).map(Arc::new)
    }

    proptest! {
        #![proptest_config(fixed())]

        #[test]
        fn any_cut_of_the_values_gives_the_same_counts(
            values in vec(prop_oneof![-9.0..9.0, Just(1.0), Just(f64::INFINITY)], 0..5000),
            edges in vec(-9..9_i32, 0..12),
            cut in any::<proptest::sample::Index>(),
        ) {
            let mut edges: Vec<f64> = edges.into_iter().map(f64::from).collect();
            edges.sort_by(f64::total_cmp);
            edges.dedup();
            let bins = |values: &[f64]| {
                let mut bins = NumberBins::try_new(edges.as_slice().into()).unwrap();
                bins.update(values);
                bins
            };
            let whole = bins(&values);
            let (head, tail) = values.split_at(cut.index(values.len() + 1));
            let (mut left, right) = (bins(head), bins(tail));
            left.merge(&right).unwrap();
            prop_assert_eq!(&left, &whole);
            let mut expected = vec![0; edges.len() + 1];
            values.iter().for_each(|x| expected[edges.iter().filter(|e| *e < x).count()] += 1);
            prop_assert_eq!(whole.counts(), &expected);
            let read = NumberBins::from_parts(edges.as_slice().into(), expected).unwrap();
            prop_assert_eq!(&read, &whole);
        }
    }

    #[test]
    fn a_value_on_an_edge_lies_below_it() {
        let mut bins = NumberBins::try_new([f64::NEG_INFINITY, 0.0, 1.0].into()).unwrap();
        bins.update(&[f64::NEG_INFINITY, -1.0, 0.0, 0.5, 1.0, 2.0, f64::INFINITY]);
        assert_eq!(bins.counts(), [1, 2, 2, 2]);
    }

    #[test]
    fn bad_edges_and_counts_are_refused() {
        let message = |edges: &[f64], counts: &[u64]| {
            NumberBins::from_parts(edges.into(), counts.into()).unwrap_err().to_string()
        };
        assert_eq!(message(&[0.0, f64::NAN], &[]), "edges[1] is NaN: edges must be numbers");
        assert_eq!(message(&[0.0, 2.0, 2.0], &[]), "edges[2] is 2 after 2: edges must ascend");
        assert_eq!(message(&[0.0], &[1]), "1 counts for 2 bins: there must be one a bin");
        for counts in [[u64::MAX, 1], [1 << 62, 1 << 62]] {
            assert_eq!(
                message(&[0.0], &counts),
                "counts add up to more than 2^63 - 1 rows: they are corrupt"
            );
        }
        let mut bins = NumberBins::try_new([0.0].into()).unwrap();
        let error = bins.merge(&NumberBins::try_new([1.0].into()).unwrap()).unwrap_err();
        assert_eq!(error.to_string(), "bins have other edges: only bins of one reference add up");
    }

    #[test]
    fn other_categories_share_the_last_bin() {
        let mut bins = CategoryBins::new(categories(&["a", "b", ""]).unwrap());
        let mut more = bins.clone();
        for (value, weight) in [("b", 2), ("", 1), ("c", 3), ("d", 4), ("a", 0)] {
            bins.update(value.as_bytes(), weight);
        }
        assert_eq!(bins.counts(), [0, 2, 1, 7]);
        more.update(b"a", u64::MAX >> 1);
        more.update(b"b", 1);
        bins.merge(&more).unwrap();
        assert_eq!(bins.counts(), [u64::MAX >> 1, 3, 1, 7]);
        let before = bins.clone();
        let error = bins.merge(&more).unwrap_err();
        assert_eq!(error.to_string(), "counts add up to more than 2^63 - 1 rows: they are corrupt");
        assert_eq!(bins, before);
        assert_eq!(bins.categories().names().len(), 3);
    }

    #[test]
    fn bad_categories_and_counts_are_refused() {
        let error = categories(&["a", "b", "a"]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "categories[0] and categories[2] are both \"a\": categories must be distinct"
        );
        let error = CategoryBins::from_parts(categories(&["a"]).unwrap(), vec![1]).unwrap_err();
        assert_eq!(error.to_string(), "1 counts for 2 bins: there must be one a bin");
        let mut bins = CategoryBins::new(categories(&["a"]).unwrap());
        let error = bins.merge(&CategoryBins::new(categories(&["b"]).unwrap())).unwrap_err();
        assert_eq!(error.to_string(), "bins have other categories: only bins of one reference add up");
        bins.merge(&CategoryBins::new(categories(&["a"]).unwrap())).unwrap();
    }
}
