//! Exact counts per reference bin: integers, so any cut of the data gives the same.
use crate::ArgumentError;
use crate::kernels::{CHUNK, count_bins};
use std::collections::HashMap;
use std::sync::Arc;

/// Counts of numbers in the bins `(-inf, e0], (e0, e1], ..., (e_last, inf)`.
#[derive(Clone, Debug, PartialEq)]
pub struct NumberBins {
    edges: Arc<[f64]>,
    counts: Vec<u64>,
}

impl NumberBins {
    /// Empty bins over strictly ascending edges without NaN.
    pub fn try_new(edges: Arc<[f64]>) -> Result<Self, ArgumentError> {
        if edges.iter().any(|e| e.is_nan()) || edges.windows(2).any(|w| w[0] >= w[1]) {
            return Err(ArgumentError("edges must ascend strictly".into()));
        }
        let counts = vec![0; edges.len() + 1];
        Ok(Self { edges, counts })
    }
    /// Counts values: no NaN.
    pub fn update(&mut self, values: &[f64]) {
        for chunk in values.chunks(CHUNK) {
            count_bins(chunk, &self.edges, &mut self.counts);
        }
    }
    /// Adds counts over the same edges.
    pub fn merge(&mut self, other: &Self) -> Result<(), ArgumentError> {
        if self.edges != other.edges {
            return Err(ArgumentError("bins have other edges".into()));
        }
        self.counts.iter_mut().zip(&other.counts).for_each(|(a, b)| *a += b);
        Ok(())
    }
    /// The edges.
    pub fn edges(&self) -> &[f64] {
        &self.edges
    }
    /// Rows per bin, one more than edges.
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }
    /// From stored parts.
    pub fn from_parts(edges: Arc<[f64]>, counts: Vec<u64>) -> Result<Self, ArgumentError> {
        let mut new = Self::try_new(edges)?;
        if counts.len() != new.counts.len() {
            return Err(ArgumentError(format!("{} counts for {} bins", counts.len(), new.counts.len())));
        }
        new.counts = counts;
        Ok(new)
    }
}

/// The categories that are counted, shared by all bins of one reference.
#[derive(Clone, Debug, PartialEq)]
pub struct Categories {
    names: Vec<Box<[u8]>>,
    index: HashMap<Box<[u8]>, usize>,
}

/// Counts of categories of a reference, one bin each, and one more for all other values.
#[derive(Clone, Debug, PartialEq)]
pub struct CategoryBins {
    categories: Arc<Categories>,
    counts: Vec<u64>,
}

impl Categories {
    /// Distinct categories in the order of their bins.
    pub fn try_new(names: Vec<Box<[u8]>>) -> Result<Self, ArgumentError> {
        let index: HashMap<_, _> = names.iter().cloned().enumerate().map(|(i, n)| (n, i)).collect();
        if index.len() < names.len() {
            return Err(ArgumentError("categories must be distinct".into()));
        }
        Ok(Self { names, index })
    }
    /// The categories in the order of their bins.
    pub fn names(&self) -> &[Box<[u8]>] {
        &self.names
    }
}

impl CategoryBins {
    /// Empty bins.
    pub fn new(categories: Arc<Categories>) -> Self {
        let counts = vec![0; categories.names.len() + 1];
        Self { categories, counts }
    }
    /// Counts a value `weight` times.
    pub fn update(&mut self, value: &[u8], weight: u64) {
        let bin = self.categories.index.get(value).copied().unwrap_or(self.categories.names.len());
        self.counts[bin] += weight;
    }
    /// Adds counts of the same categories.
    pub fn merge(&mut self, other: &Self) -> Result<(), ArgumentError> {
        if self.categories.names != other.categories.names {
            return Err(ArgumentError("bins have other categories".into()));
        }
        self.counts.iter_mut().zip(&other.counts).for_each(|(a, b)| *a += b);
        Ok(())
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
        if counts.len() != categories.names.len() + 1 {
            return Err(ArgumentError(format!(
                "{} counts for {} categories",
                counts.len(),
                categories.names.len()
            )));
        }
        Ok(Self { categories, counts })
    }
}
