//! KLL images of strings, read only.
use super::SortedView;
use super::image;
use crate::ImageError;

/// Ranks of strings, in the order of their bytes, from an image that another library wrote.
#[derive(Clone, Debug)]
pub struct KllStrings {
    k: u16,
    n: u64,
    ends: Option<(String, String)>,
    view: SortedView<String>,
}

impl KllStrings {
    /// Reads an image of strings.
    ///
    /// # Errors
    /// The bytes are not a KLL image of UTF-8 strings, or one that contradicts itself.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ImageError> {
        let image = image::read::<String>(bytes)?;
        let weigh = |(h, level): (usize, Vec<String>)| level.into_iter().map(move |item| (item, 1 << h));
        let mut items: Vec<(String, u64)> = image.levels.into_iter().enumerate().flat_map(weigh).collect();
        items.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(Self { k: image.k, n: image.n, ends: image.ends, view: SortedView::of_sorted(items) })
    }

    /// The accuracy parameter.
    pub fn k(&self) -> u16 {
        self.k
    }

    /// How many strings were added.
    pub fn n(&self) -> u64 {
        self.n
    }

    /// Whether nothing was added.
    pub fn is_empty(&self) -> bool {
        self.n == 0
    }

    /// Error of one rank at 99 %, as a share of `n`; 0 where every string is there.
    pub fn rank_error(&self) -> f64 {
        let complete = self.view.values().len() as u64 == self.n;
        if complete { 0.0 } else { 2.296 / f64::from(self.k).powf(0.9723) }
    }

    /// The first string.
    pub fn min(&self) -> Option<&str> {
        self.ends.as_ref().map(|(min, _)| min.as_str())
    }

    /// The last string.
    pub fn max(&self) -> Option<&str> {
        self.ends.as_ref().map(|(_, max)| max.as_str())
    }

    /// The first retained string whose inclusive rank is at least `q`; `None` when empty.
    pub fn quantile(&self, q: f64) -> Option<String> {
        self.view.quantile(q)
    }

    /// The share of strings `<= x`; `None` when empty.
    pub fn rank(&self, x: &str) -> Option<f64> {
        self.view.rank(x)
    }

    /// The retained strings in order with their weights.
    pub fn sorted_view(&self) -> &SortedView<String> {
        &self.view
    }
}
