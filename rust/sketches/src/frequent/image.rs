//! Images: bytes as Apache DataSketches lays them out, family 10.
//!
//! Byte 0 preamble length in longs, 1 version, 2 family, 3 lg of the most slots, 4 lg of the slots,
//! 5 flags; then, unless empty, items (u32 at 8), total (16), error (24), weights and items.
use super::item::Item;
use super::sketch::FrequentItems;
use super::table::Table;
use crate::ImageError;

const FAMILY: u8 = 10;
/// DataSketches sets either bit, depending on the language.
const EMPTY: u8 = 5;
const LG_MIN: u8 = 3;
/// The largest summary that is read, as large as one can be made.
const LG_MAX: u8 = 20;

fn error(what: impl Into<String>) -> ImageError {
    ImageError(format!("not a readable frequent items image: {}", what.into()))
}

impl<T: Item> FrequentItems<T> {
    /// The Apache DataSketches image, items by falling weight: equal for equal summaries.
    pub fn to_bytes(&self) -> Vec<u8> {
        let n = self.len();
        if self.total == 0 {
            return vec![1, 1, FAMILY, self.lg_max, LG_MIN, EMPTY, 0, 0];
        }
        // The smallest table that the items fill to three quarters.
        let lg_slots = (LG_MIN..self.lg_max).find(|lg| 4 * n <= 3 << lg).unwrap_or(self.lg_max);
        let mut out = vec![4, 1, FAMILY, self.lg_max, lg_slots, 0, 0, 0];
        out.extend((n as u64).to_le_bytes());
        out.extend(self.total.to_le_bytes());
        out.extend(self.offset.to_le_bytes());
        let ranked = self.ranked();
        out.extend(ranked.iter().flat_map(|(_, weight)| weight.to_le_bytes()));
        ranked.iter().for_each(|(item, _)| item.encode(&mut out));
        out
    }

    /// Reads an image.
    ///
    /// # Errors
    ///
    /// The bytes are not an image of this kind of items, are cut short, or contradict themselves.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ImageError> {
        let Some((&[longs, version, family, lg_max, lg_slots, flags, _, _], body)) =
            bytes.split_first_chunk::<8>()
        else {
            return Err(error(format!("{} bytes where the preamble takes 8", bytes.len())));
        };
        if family != FAMILY {
            return Err(error(format!("family {family} where frequent items are {FAMILY}")));
        }
        if version != 1 {
            return Err(error(format!("version {version} where 1 is known")));
        }
        if !(LG_MIN..=LG_MAX).contains(&lg_max) || lg_slots > lg_max {
            return Err(error(format!("2^{lg_slots} of 2^{lg_max} slots: {LG_MIN} to {LG_MAX} can be read")));
        }
        let mut new = Self { lg_max, table: Table::new(), total: 0, offset: 0 };
        // The upper bits of the first byte belong to an old field, the resize factor.
        match (longs & 0x3f, flags & EMPTY != 0) {
            (1, true) => return Ok(new),
            (4, false) => {}
            (longs, empty) => {
                return Err(error(format!("a preamble of {longs} longs with the empty flag {empty}")));
            }
        }
        let Some((head, body)) = body.split_first_chunk::<24>() else {
            return Err(error("it ends inside the preamble"));
        };
        let (words, _) = head.as_chunks::<8>();
        let n = u64::from_le_bytes(words[0]) as u32 as usize;
        new.total = u64::from_le_bytes(words[1]);
        new.offset = u64::from_le_bytes(words[2]);
        if n > new.capacity() {
            return Err(error(format!("{n} items where 2^{lg_max} slots take {}", new.capacity())));
        }
        let (weights, mut items) = body
            .split_at_checked(n * 8)
            .ok_or_else(|| error(format!("{} bytes where its {n} weights take {}", body.len(), n * 8)))?;
        let mut sum = 0u64;
        for weight in weights.as_chunks::<8>().0 {
            let weight = u64::from_le_bytes(*weight);
            let item = T::decode(&mut items)?;
            sum = sum.saturating_add(weight);
            if weight == 0 {
                return Err(error("an item has no weight"));
            }
            new.table.add(item.as_ref(), T::hash(item.as_ref()), weight);
        }
        if new.len() < n {
            return Err(error("an item stands there twice"));
        }
        if !items.is_empty() {
            return Err(error(format!(
                "{} bytes are left over; are its items of another type?",
                items.len()
            )));
        }
        if sum > new.total || new.offset > new.total || new.total == 0 {
            return Err(error(format!(
                "weights of {sum} and an error of {} do not fit a total of {}",
                new.offset, new.total
            )));
        }
        Ok(new)
    }
}
