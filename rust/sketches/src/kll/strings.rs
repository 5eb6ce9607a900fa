//! KLL images of strings, read only.
use super::SortedView;
use super::image::{self, Image, Item};
use crate::ImageError;
use std::cmp::Ordering;

/// Ranks of strings from an image that another library wrote.
///
/// An image does not say in which order its strings are. It is read in the order of their bytes, the
/// default of every library. Where the image contradicts that and all of its strings are whole
/// numbers, it is read in the order of the numbers.
#[derive(Clone, Debug)]
pub struct KllStrings {
    k: u16,
    n: u64,
    ends: Option<(String, String)>,
    view: SortedView<String>,
    numbers: bool,
}

/// The text of a whole number, ordered by the number.
#[derive(Clone)]
struct Number(i64, String);

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.0.cmp(&other.0))
    }
}

impl Item for Number {
    const MIN_SIZE: usize = String::MIN_SIZE;
    fn take(bytes: &mut &[u8]) -> Result<Self, ImageError> {
        let text = String::take(bytes)?;
        let number = text.trim().parse().map_err(|_| ImageError(format!("{text:?} is no whole number")))?;
        Ok(Self(number, text))
    }
}

/// All items of an image in order.
fn view<T: Item + Clone>(levels: Vec<Vec<T>>) -> SortedView<T> {
    let weigh = |(h, level): (usize, Vec<T>)| level.into_iter().map(move |item| (item, 1 << h));
    let mut items: Vec<(T, u64)> = levels.into_iter().enumerate().flat_map(weigh).collect();
    items.sort_by(|a, b| a.0.partial_cmp(&b.0).unwrap_or(Ordering::Equal));
    SortedView::of_sorted(items)
}

impl KllStrings {
    /// Reads an image of strings.
    ///
    /// # Errors
    /// The bytes are not a KLL image of UTF-8 strings, or one that contradicts itself.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ImageError> {
        let error = match image::read::<String>(bytes) {
            Ok(Image { k, n, ends, levels, .. }) => {
                return Ok(Self { k, n, ends, view: view(levels), numbers: false });
            }
            Err(error) => error,
        };
        let Ok(Image { k, n, ends, levels, .. }) = image::read::<Number>(bytes) else { return Err(error) };
        let ends = ends.map(|(min, max)| (min.1, max.1));
        Ok(Self { k, n, ends, view: view(levels).map(|number| number.1), numbers: true })
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

    /// The share of strings `<= x`; `None` when empty, or when the order is that of numbers and `x` is
    /// none.
    pub fn rank(&self, x: &str) -> Option<f64> {
        let number = |text: &str| text.trim().parse::<i64>().ok();
        if !self.numbers {
            return self.view.rank_by(|value| value.as_str() <= x);
        }
        let x = number(x)?;
        self.view.rank_by(|value| number(value).is_some_and(|value| value <= x))
    }

    /// The retained strings in the order that the image has, with their weights.
    pub fn sorted_view(&self) -> &SortedView<String> {
        &self.view
    }
}
