//! Bytes of the Apache DataSketches KLL image, little endian.
//!
//! | bytes | empty, one item | more items |
//! |---|---|---|
//! | 0 | longs of preamble: 2 | 5 |
//! | 1 | version: 1, of one item 2 | 1 |
//! | 2 | family: 15 | 15 |
//! | 3 | flags: 1 empty, 2 level 0 sorted, 4 one item | flags |
//! | 4..6 | k | k |
//! | 6 | m, the smallest capacity of a level: 8 | 8 |
//! | 8..16 | the item, if there is one | n |
//! | 16..18 | | smallest k merged |
//! | 18 | | number of levels |
//! | 20.. | | offset of each level (u32), smallest and largest item, the items from level 0 up |
//!
//! Offsets index an array of the sketch's capacity that is filled from its end. The image does not say
//! what type its items have. Bytes are untrusted: memory is taken only for items that are there.
use crate::ImageError;

/// The smallest `k` and the smallest capacity of a level.
pub(super) const MIN_K: u16 = 8;
const EMPTY: u8 = 1;
const LEVEL_ZERO_SORTED: u8 = 2;
const ONE_ITEM: u8 = 4;
const FAMILY: u8 = 15;
/// No stream is longer; below it no sum of two weights overflows.
const MAX_N: u64 = 1 << 56;

/// What an image says. Levels are sorted.
pub(super) struct Image<T, L = Vec<T>> {
    pub k: u16,
    pub min_k: u16,
    pub n: u64,
    /// Smallest and largest item.
    pub ends: Option<(T, T)>,
    pub levels: Vec<L>,
}

impl<T> Image<T> {
    /// The image with each item converted. The conversion must keep the order.
    pub(super) fn map<U>(self, convert: impl Fn(T) -> U) -> Image<U> {
        let Self { k, min_k, n, ends, levels } = self;
        let ends = ends.map(|(min, max)| (convert(min), convert(max)));
        let convert_level = |level: Vec<T>| level.into_iter().map(&convert).collect();
        Image { k, min_k, n, ends, levels: levels.into_iter().map(convert_level).collect() }
    }
}

/// A type of items.
pub(super) trait Item: Sized + PartialOrd {
    /// No item takes fewer bytes.
    const MIN_SIZE: usize;
    /// Takes an item from the front of the bytes.
    fn take(bytes: &mut &[u8]) -> Result<Self, ImageError>;
    /// Takes so many items from the front of the bytes where all of them are in order and within `min` and `max`.
    /// Where it takes none, they are taken one by one, which tells what is wrong.
    fn take_level(_bytes: &mut &[u8], _size: usize, _min: &Self, _max: &Self) -> Option<Vec<Self>> {
        None
    }
}

impl Item for f64 {
    const MIN_SIZE: usize = 8;
    /// In two passes without a branch for each item: reading a profile is mostly this.
    fn take_level(bytes: &mut &[u8], size: usize, min: &Self, max: &Self) -> Option<Vec<Self>> {
        let (items, rest) = bytes.split_at_checked(size.checked_mul(8)?)?;
        let items = items.as_chunks::<8>().0;
        let level: Vec<f64> = items.iter().map(|item| f64::from_le_bytes(*item) + 0.0).collect();
        let (first, last) = (level.first()?, level.last()?);
        // NaN compares false, the only item of a level included.
        let is_sorted = level.iter().zip(&level[1..]).fold(true, |sorted, (a, b)| sorted & (a <= b));
        if !(is_sorted && first >= min && last <= max) {
            return None;
        }
        *bytes = rest;
        Some(level)
    }

    fn take(bytes: &mut &[u8]) -> Result<Self, ImageError> {
        let item = f64::from_le_bytes(take(bytes)?);
        // Adding 0 makes a negative zero positive and changes nothing else.
        if item.is_nan() { Err(refuse("an item is NaN")) } else { Ok(item + 0.0) }
    }
}

impl Item for f32 {
    const MIN_SIZE: usize = 4;
    fn take(bytes: &mut &[u8]) -> Result<Self, ImageError> {
        let item = f32::from_le_bytes(take(bytes)?);
        if item.is_nan() { Err(refuse("an item is NaN")) } else { Ok(item + 0.0) }
    }
}

impl Item for i64 {
    const MIN_SIZE: usize = 8;
    fn take(bytes: &mut &[u8]) -> Result<Self, ImageError> {
        Ok(i64::from_le_bytes(take(bytes)?))
    }
}

/// A length in four bytes, then UTF-8.
impl Item for String {
    const MIN_SIZE: usize = 4;
    fn take(bytes: &mut &[u8]) -> Result<Self, ImageError> {
        let length = u32::from_le_bytes(take(bytes)?) as usize;
        let (text, rest) = bytes.split_at_checked(length).ok_or_else(cut)?;
        *bytes = rest;
        let text = std::str::from_utf8(text).map_err(|_| refuse("an item is not UTF-8"))?;
        Ok(text.to_owned())
    }
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N], ImageError> {
    let (head, rest) = bytes.split_first_chunk().ok_or_else(cut)?;
    *bytes = rest;
    Ok(*head)
}

fn refuse(what: impl std::fmt::Display) -> ImageError {
    ImageError(format!("not a readable KLL image: {what}"))
}

fn cut() -> ImageError {
    refuse("it ends before its last item; was it cut, or does it hold another type of items?")
}

/// What level `h` of `levels` may hold: `k` at the top, two thirds of the level above below it.
pub(super) fn level_capacity(k: u16, levels: usize, h: usize) -> usize {
    // From depth 30 on even the largest k gives less than one.
    let depth = (levels - 1 - h).min(30) as u32;
    let doubled = (u64::from(k) << (depth + 1)) / 3u64.pow(depth);
    (doubled.div_ceil(2) as usize).max(usize::from(MIN_K))
}

/// What a sketch of so many levels may hold.
pub(super) fn capacity(k: u16, levels: usize) -> usize {
    (0..levels).map(|h| level_capacity(k, levels, h)).sum()
}

/// The most levels that readers expect of `n` values: the highest holds one value of weight `<= n`.
pub(super) fn most_levels(n: u64) -> usize {
    n.max(1).ilog2() as usize + 1
}

/// Writes an image whose items fit its capacity. If they fit only with more levels than are in use,
/// empty levels above make room, so that nothing is lost where nothing must be.
pub(super) fn write<L: AsRef<[f64]>>(image: &Image<f64, L>) -> Vec<u8> {
    let preamble = |longs: u8, version: u8, flags: u8| {
        let mut bytes = vec![longs, version, FAMILY, flags];
        bytes.extend(image.k.to_le_bytes());
        bytes.extend([MIN_K as u8, 0]);
        bytes
    };
    let Some((min, max)) = image.ends else { return preamble(2, 1, EMPTY) };
    if image.n == 1 {
        let mut bytes = preamble(2, 2, LEVEL_ZERO_SORTED | ONE_ITEM);
        bytes.extend(min.to_le_bytes());
        return bytes;
    }
    let retained: usize = image.levels.iter().map(|level| level.as_ref().len()).sum();
    let used = image.levels.iter().rposition(|level| !level.as_ref().is_empty()).map_or(1, |top| top + 1);
    let most = most_levels(image.n).max(used);
    let levels = (used..most).find(|&levels| capacity(image.k, levels) >= retained).unwrap_or(most);
    let mut bytes = preamble(5, 1, LEVEL_ZERO_SORTED);
    bytes.reserve_exact(12 + 4 * levels + 8 * (2 + retained));
    bytes.extend(image.n.to_le_bytes());
    bytes.extend(image.min_k.to_le_bytes());
    bytes.extend([levels as u8, 0]);
    let mut offset = (capacity(image.k, levels) - retained) as u32;
    for h in 0..levels {
        bytes.extend(offset.to_le_bytes());
        offset += image.levels.get(h).map_or(0, |level| level.as_ref().len()) as u32;
    }
    for items in [&[min, max][..]].into_iter().chain(image.levels.iter().map(AsRef::as_ref)) {
        let from = bytes.len();
        bytes.resize(from + 8 * items.len(), 0);
        let places = bytes[from..].as_chunks_mut::<8>().0;
        places.iter_mut().zip(items).for_each(|(place, item)| *place = item.to_le_bytes());
    }
    bytes
}

/// Reads an image and checks all that can be checked.
pub(super) fn read<T: Item + Clone>(mut bytes: &[u8]) -> Result<Image<T>, ImageError> {
    let bytes = &mut bytes;
    let [longs, version, family, flags, k0, k1, m, _] = take::<8>(bytes)?;
    let k = u16::from_le_bytes([k0, k1]);
    if family != FAMILY {
        return Err(refuse(format_args!("its family is {family}, that of KLL is {FAMILY}")));
    }
    if m != MIN_K as u8 {
        return Err(refuse(format_args!("its smallest level holds {m}, readers expect {MIN_K}")));
    }
    if k < MIN_K {
        return Err(refuse(format_args!("k is {k}, it must be 8 to 65535")));
    }
    let image = match (longs, version, flags & (EMPTY | ONE_ITEM)) {
        (2, 1, EMPTY) => Image { k, min_k: k, n: 0, ends: None, levels: vec![] },
        (2, 2, ONE_ITEM) => {
            let item = T::take(bytes)?;
            Image { k, min_k: k, n: 1, ends: Some((item.clone(), item.clone())), levels: vec![vec![item]] }
        }
        (5, 1, 0) => read_levels(k, flags & LEVEL_ZERO_SORTED != 0, bytes)?,
        _ => {
            return Err(refuse(format_args!(
                "{longs} longs of preamble, version {version} and flags {flags:#x} do not go together"
            )));
        }
    };
    if !bytes.is_empty() {
        return Err(refuse(format_args!("{} bytes follow its last item", bytes.len())));
    }
    Ok(image)
}

fn read_levels<T: Item>(k: u16, level_zero_sorted: bool, bytes: &mut &[u8]) -> Result<Image<T>, ImageError> {
    let n = u64::from_le_bytes(take(bytes)?);
    let min_k = u16::from_le_bytes(take(bytes)?);
    let [levels, _] = take(bytes)?;
    let levels = usize::from(levels);
    if n == 0 || n > MAX_N {
        return Err(refuse(format_args!("it claims {n} values")));
    }
    if min_k < MIN_K || min_k > k {
        return Err(refuse(format_args!("its smallest k is {min_k}, its k {k}")));
    }
    if levels == 0 || levels > most_levels(n) {
        return Err(refuse(format_args!("{levels} levels for {n} values")));
    }
    let mut offsets = Vec::with_capacity(levels + 1);
    for _ in 0..levels {
        offsets.push(u32::from_le_bytes(take(bytes)?) as usize);
    }
    offsets.push(capacity(k, levels));
    if !offsets.is_sorted() {
        return Err(refuse(format_args!("its level offsets {offsets:?} fall")));
    }
    let (min, max) = (T::take(bytes)?, T::take(bytes)?);
    let mut sum = 0u128;
    let mut filled = Vec::with_capacity(levels);
    for (h, place) in offsets.windows(2).enumerate() {
        let size = place[1] - place[0];
        sum += (size as u128) << h;
        if let Some(level) = T::take_level(bytes, size, &min, &max) {
            filled.push(level);
            continue;
        }
        let mut level = Vec::with_capacity(size.min(bytes.len() / T::MIN_SIZE));
        for _ in 0..size {
            let item = T::take(bytes)?;
            if item < min || item > max {
                return Err(refuse("an item lies outside its smallest and largest"));
            }
            level.push(item);
        }
        if !level.is_sorted() {
            if h > 0 || level_zero_sorted {
                return Err(refuse(format_args!("level {h} is not sorted")));
            }
            level.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
        }
        filled.push(level);
    }
    if sum != u128::from(n) {
        return Err(refuse(format_args!("its weights add up to {sum}, not to n = {n}")));
    }
    Ok(Image { k, min_k, n, ends: Some((min, max)), levels: filled })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_refused_wherever_they_stand() {
        // Two levels of 40 and 30 items between the ends 0 and 99.
        let level = |items: i32| (0..items).map(f64::from).collect::<Vec<_>>();
        let image =
            Image { k: 200, min_k: 200, n: 100, ends: Some((0.0, 99.0)), levels: vec![level(40), level(30)] };
        let bytes = write(&image);
        let first = bytes.len() - 8 * 70;
        let told = |at: usize, item: f64| {
            let mut broken = bytes.clone();
            broken[first + 8 * at..][..8].copy_from_slice(&item.to_le_bytes());
            read::<f64>(&broken).map(|_| ()).map_err(|error| error.to_string()).unwrap_err()
        };
        for at in [0, 1, 39, 40, 41, 69] {
            assert!(told(at, f64::NAN).ends_with("an item is NaN"), "{at}");
            for outside in [-0.5, 99.5, f64::INFINITY, f64::NEG_INFINITY] {
                assert!(told(at, outside).ends_with("an item lies outside its smallest and largest"), "{at}");
            }
        }
        for (at, level) in [(0, 0), (38, 0), (40, 1), (68, 1)] {
            assert!(told(at, 50.5).ends_with(&format!("level {level} is not sorted")), "{at}");
        }
        let read = read::<f64>(&bytes).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((read.levels, read.ends), (image.levels, image.ends));
    }

    #[test]
    fn capacities_are_those_of_the_format() {
        // The first offset in images that other libraries wrote plus what they retained: k = 200.
        assert_eq!((capacity(200, 1), capacity(200, 3), level_capacity(200, 3, 0)), (200, 422, 89));
        assert_eq!((capacity(8, 5), level_capacity(u16::MAX, 61, 0)), (40, 8));
    }
}
