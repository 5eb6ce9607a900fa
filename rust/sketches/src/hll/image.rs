//! Images: bytes as Apache DataSketches lays them out, family 7.
//!
//! Byte 0 preamble length in ints, 1 version, 2 family, 3 lg k, 4 lg of the coupon table, 5 flags,
//! 6 coupons in a list or the lowest register of HLL_4, 7 mode (2 bits) and type (2 bits). Then a
//! list's coupons; or a set's count and coupons; or the HIP estimate, two sums of inverse powers,
//! the number of lowest registers, the number of HLL_4 exceptions, and registers.
use super::HllSketch;
use super::estimate::{K, Summary};
use super::sketch::{Registers, State};
use crate::ImageError;
use std::collections::HashMap;

const FAMILY: u8 = 7;
const LG_K: u8 = 12;
/// The largest lg k that DataSketches has.
const LG_K_MAX: u8 = 21;
const EMPTY: u8 = 4;
const COMPACT: u8 = 8;
const OUT_OF_ORDER: u8 = 16;
const LIST: u8 = 0;
const SET: u8 = 1;
const HLL: u8 = 2;
/// The type HLL_8 in its place in byte 7.
const HLL_8: u8 = 2 << 2;
/// With this many coupons DataSketches turns a list to a set.
const SET_FROM: usize = 8;
/// A nibble of HLL_4 that says that the register stands among the exceptions.
const EXCEPTION: u8 = 15;

fn error(what: impl Into<String>) -> ImageError {
    ImageError(format!("not a readable HLL image: {}", what.into()))
}

impl Registers {
    fn to_bytes(&self, summary: &Summary) -> Vec<u8> {
        let order = if self.hip.is_some() { 0 } else { OUT_OF_ORDER };
        let mut out = Vec::with_capacity(40 + K);
        out.extend([10, 1, FAMILY, LG_K, 0, COMPACT | order, 0, HLL_8 | HLL]);
        out.extend(self.hip.unwrap_or(0.0).to_le_bytes());
        out.extend(summary.inverse_powers.0.to_le_bytes());
        out.extend(summary.inverse_powers.1.to_le_bytes());
        out.extend(summary.zeros.to_le_bytes());
        out.extend(0u32.to_le_bytes());
        out.extend(self.values.as_slice());
        out
    }
}

impl HllSketch {
    /// The Apache DataSketches image: HLL_8, compact, coupons in ascending order.
    pub fn to_bytes(&self) -> Vec<u8> {
        match &self.state {
            State::Few(few) => {
                let coupons = few.sorted();
                let n = coupons.len();
                let empty = if n == 0 { EMPTY } else { 0 };
                let mut out = if n < SET_FROM {
                    vec![2, 1, FAMILY, LG_K, 3, COMPACT | empty, n as u8, HLL_8 | LIST]
                } else {
                    // The smallest table from 2^5 slots on that these coupons fill to three quarters.
                    let lg_table = (5..9).find(|lg| 4 * n <= 3 << lg).unwrap_or(9);
                    let mut out = vec![3, 1, FAMILY, LG_K, lg_table, COMPACT, 0, HLL_8 | SET];
                    out.extend((n as u32).to_le_bytes());
                    out
                };
                out.extend(coupons.iter().flat_map(|c| c.to_le_bytes()));
                out
            }
            State::Many(registers) => registers.to_bytes(&Summary::of(&registers.values)),
        }
    }

    /// [`estimate`](Self::estimate) and [`to_bytes`](Self::to_bytes) for one look at the registers.
    pub fn estimate_and_bytes(&self) -> (f64, Vec<u8>) {
        match &self.state {
            State::Few(_) => (self.estimate(), self.to_bytes()),
            State::Many(registers) => {
                let summary = Summary::of(&registers.values);
                (registers.bounds(&summary, 1).1, registers.to_bytes(&summary))
            }
        }
    }

    /// Reads an image: HLL_4, HLL_6 or HLL_8, compact or updatable. One of more than 2^12 registers
    /// is folded to 2^12, as if it had been built so.
    ///
    /// # Errors
    ///
    /// The bytes are not an HLL image, are cut short, contradict themselves, or have fewer than
    /// 2^12 registers.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ImageError> {
        let Some((&[ints, version, family, lg_k, lg_table, flags, count, mode], body)) =
            bytes.split_first_chunk::<8>()
        else {
            return Err(error(format!("{} bytes where the preamble takes 8", bytes.len())));
        };
        if family != FAMILY {
            return Err(error(format!("family {family} where HLL is {FAMILY}")));
        }
        if version != 1 {
            return Err(error(format!("version {version} where 1 is known")));
        }
        if lg_k < LG_K {
            return Err(error(format!(
                "lg k is {lg_k}: {LG_K} to {LG_K_MAX} can be read, build the sketch with at least {LG_K}"
            )));
        }
        if lg_k > LG_K_MAX {
            return Err(error(format!("lg k is {lg_k}: at most {LG_K_MAX} exists")));
        }
        let compact = flags & COMPACT != 0;
        match (mode & 3, ints) {
            (LIST, 2) if flags & EMPTY != 0 => Ok(Self::new()),
            (LIST, 2) => Self::of_coupons(body, usize::from(count), compact, lg_table),
            (SET, 3) => {
                let (count, body) = take_u32(body)?;
                Self::of_coupons(body, count as usize, compact, lg_table)
            }
            (HLL, 10) => Self::of_registers(body, lg_k, flags, count, mode >> 2 & 3, lg_table),
            (mode, ints) => Err(error(format!("mode {mode} with a preamble of {ints} ints"))),
        }
    }

    fn of_coupons(body: &[u8], count: usize, compact: bool, lg_table: u8) -> Result<Self, ImageError> {
        let mut new = Self::new();
        for coupon in coupons(body, count, compact, lg_table)? {
            new.insert(&[coupon]);
        }
        Ok(new)
    }

    fn of_registers(
        body: &[u8],
        lg_k: u8,
        flags: u8,
        lowest: u8,
        kind: u8,
        lg_table: u8,
    ) -> Result<Self, ImageError> {
        let Some((head, body)) = body.split_first_chunk::<32>() else {
            return Err(error("it ends inside the preamble"));
        };
        let (words, _) = head.as_chunks::<8>();
        let hip = f64::from_le_bytes(words[0]);
        let exceptions = (u64::from_le_bytes(words[3]) >> 32) as usize;
        let k = 1usize << lg_k;
        let take = |n: usize| {
            body.split_at_checked(n)
                .ok_or_else(|| error(format!("{} bytes where its registers take {n}", body.len())))
        };
        let mut values = Box::new([0u8; K]);
        let mut raise = |slot: usize, value: u8| {
            if value > 63 {
                return Err(error(format!("register {slot} is {value}: at most 63 exists")));
            }
            let register = &mut values[slot % K];
            *register = (*register).max(value);
            Ok(())
        };
        match kind {
            0 => {
                let (nibbles, rest) = take(k / 2)?;
                let mut table = HashMap::new();
                for coupon in coupons(rest, exceptions, flags & COMPACT != 0, lg_table)? {
                    table.insert(coupon as usize & (k - 1), (coupon >> 26) as u8);
                }
                for slot in 0..k {
                    let nibble = nibbles[slot / 2] >> (4 * (slot & 1)) & 15;
                    let value = match nibble {
                        EXCEPTION => *table
                            .get(&slot)
                            .ok_or_else(|| error(format!("register {slot} misses its exception")))?,
                        nibble => lowest.saturating_add(nibble),
                    };
                    raise(slot, value)?;
                }
            }
            1 => {
                // Six bits each: four registers in three bytes. Images have a spare byte behind.
                let (packed, _) = take(k / 4 * 3)?;
                for (i, bytes) in packed.as_chunks::<3>().0.iter().enumerate() {
                    let word = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], 0]);
                    for j in 0..4 {
                        raise(4 * i + j, (word >> (6 * j) & 63) as u8)?;
                    }
                }
            }
            2 => {
                let (registers, _) = take(k)?;
                registers.iter().enumerate().try_for_each(|(slot, &value)| raise(slot, value))?;
            }
            _ => return Err(error(format!("type {kind}: HLL_4, HLL_6 and HLL_8 are 0, 1, 2"))),
        }
        let in_order = flags & OUT_OF_ORDER == 0 && lg_k == LG_K;
        if in_order && !(hip >= 0.0 && hip.is_finite()) {
            return Err(error(format!("its estimate is {hip}")));
        }
        Ok(Self::of(State::Many(Registers::new(values, in_order.then_some(hip)))))
    }
}

fn take_u32(bytes: &[u8]) -> Result<(u32, &[u8]), ImageError> {
    let (head, rest) = bytes.split_first_chunk::<4>().ok_or_else(|| error("it ends inside the preamble"))?;
    Ok((u32::from_le_bytes(*head), rest))
}

/// `count` distinct coupons, side by side or scattered over a table of `2^lg_table`.
fn coupons(bytes: &[u8], count: usize, compact: bool, lg_table: u8) -> Result<Vec<u32>, ImageError> {
    let places = match (compact || count == 0, lg_table) {
        (true, _) => count,
        (false, ..=26) => 1 << lg_table,
        (false, _) => return Err(error(format!("a table of 2^{lg_table} coupons"))),
    };
    let (words, _) = bytes.as_chunks::<4>();
    let words = words.get(..places).ok_or_else(|| {
        error(format!("{} bytes where its coupons take {}", bytes.len(), places.saturating_mul(4)))
    })?;
    let mut coupons: Vec<_> = words.iter().map(|w| u32::from_le_bytes(*w)).collect();
    if !compact {
        coupons.retain(|&c| c != 0);
    }
    coupons.sort_unstable();
    coupons.dedup();
    if coupons.len() != count {
        return Err(error(format!("{} distinct coupons where it counts {count}", coupons.len())));
    }
    if let Some(coupon) = coupons.iter().find(|&&c| c >> 26 == 0) {
        return Err(error(format!("{coupon:#x} is not a coupon")));
    }
    Ok(coupons)
}
