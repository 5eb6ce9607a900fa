//! Images: bytes as Apache DataSketches lays them out, family 7.
//!
//! Byte 0 preamble length in ints, 1 version, 2 family, 3 lg k, 4 lg of the coupon table, 5 flags,
//! 6 coupons in a list or the lowest register of HLL_4, 7 mode (2 bits) and type (2 bits). Then a
//! list's coupons; or a set's count and coupons; or the HIP estimate, two sums of inverse powers,
//! the number of lowest registers, the number of HLL_4 exceptions, and registers.
use super::HllSketch;
use super::coupon::KEY_BITS;
use super::estimate::{K, Summary, count_of};
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
/// The type HLL_4 in its place in byte 7: half a byte a register, a quarter of what is left after compression of the
/// others, and what DataSketches itself makes unless told otherwise.
const HLL_4: u8 = 0 << 2;
/// With this many coupons DataSketches turns a list to a set.
const SET_FROM: usize = 8;
/// A nibble of HLL_4 that says that the register stands among the exceptions; the others are what it is above the
/// lowest register.
const EXCEPTION: u8 = 15;
/// The largest value of a register.
const MOST: u8 = 63;

fn error(what: impl Into<String>) -> ImageError {
    ImageError(format!("not a readable HLL image: {}", what.into()))
}

/// The lg of the smallest table from 2^5 slots on that so many coupons fill to three quarters.
fn lg_table(coupons: usize) -> u8 {
    (5..).find(|lg| 4 * coupons <= 3 << lg).unwrap_or(0)
}

impl Registers {
    fn to_bytes(&self, summary: &Summary) -> Vec<u8> {
        let order = if self.hip.is_some() { 0 } else { OUT_OF_ORDER };
        let (lowest, highest) = self.values.iter().fold((MOST, 0), |(a, b), &x| (x.min(a), x.max(b)));
        let at_lowest = count_of(&self.values, lowest);
        let mut exceptions = vec![];
        if highest - lowest >= EXCEPTION {
            let slots = self.values.iter().enumerate().filter(|&(_, &value)| value - lowest >= EXCEPTION);
            exceptions.extend(slots.map(|(slot, &value)| u32::from(value) << KEY_BITS | slot as u32));
        }
        let lg_table = if exceptions.is_empty() { 0 } else { lg_table(exceptions.len()) };
        let mut out = Vec::with_capacity(40 + K / 2 + 4 * exceptions.len());
        out.extend([10, 1, FAMILY, LG_K, lg_table, COMPACT | order, lowest, HLL_4 | HLL]);
        out.extend(self.hip.unwrap_or(0.0).to_le_bytes());
        out.extend(summary.inverse_powers.0.to_le_bytes());
        out.extend(summary.inverse_powers.1.to_le_bytes());
        out.extend(at_lowest.to_le_bytes());
        out.extend((exceptions.len() as u32).to_le_bytes());
        let nibble = |value: &u8| (value - lowest).min(EXCEPTION);
        for eight in self.values.as_chunks::<8>().0 {
            // Where there are no exceptions, as nearly always, no byte borrows from another.
            let bytes = if exceptions.is_empty() {
                u64::from_le_bytes(*eight) - u64::from_le_bytes([lowest; 8])
            } else {
                u64::from_le_bytes(eight.each_ref().map(nibble))
            };
            // Each byte is below 16: of two neighbours the higher one moves up to the lower one.
            let pairs = (bytes | bytes >> 4) & 0x00ff_00ff_00ff_00ff;
            let fours = (pairs | pairs >> 8) & 0x0000_ffff_0000_ffff;
            out.extend(((fours | fours >> 16) as u32).to_le_bytes());
        }
        out.extend(exceptions.iter().flat_map(|coupon| coupon.to_le_bytes()));
        out
    }
}

impl HllSketch {
    /// The Apache DataSketches image: HLL_4, compact, coupons in ascending order.
    pub fn to_bytes(&self) -> Vec<u8> {
        match &self.state {
            State::Few(few) => {
                let coupons = few.sorted();
                let n = coupons.len();
                let empty = if n == 0 { EMPTY } else { 0 };
                let mut out = if n < SET_FROM {
                    vec![2, 1, FAMILY, LG_K, 3, COMPACT | empty, n as u8, HLL_4 | LIST]
                } else {
                    let mut out = vec![3, 1, FAMILY, LG_K, lg_table(n), COMPACT, 0, HLL_4 | SET];
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
        let registers: Vec<u8> = match kind {
            0 => {
                let (nibbles, rest) = take(k / 2)?;
                let mut registers: Vec<u8> = nibbles.iter().flat_map(|pair| [pair & 15, pair >> 4]).collect();
                let exceptional = registers.iter().filter(|&&nibble| nibble == EXCEPTION).count();
                let mut slots = Vec::with_capacity(exceptional);
                if exceptional > 0 {
                    let places = registers.iter().enumerate().filter(|&(_, &nibble)| nibble == EXCEPTION);
                    slots.extend(places.map(|(slot, _)| slot));
                }
                registers.iter_mut().for_each(|nibble| *nibble = lowest.saturating_add(*nibble));
                let coupons = coupons(rest, exceptions, flags & COMPACT != 0, lg_table)?;
                let table: HashMap<usize, u8> = coupons
                    .into_iter()
                    .map(|coupon| (coupon as usize & (k - 1), (coupon >> KEY_BITS) as u8))
                    .collect();
                for slot in slots {
                    let value = table.get(&slot);
                    registers[slot] =
                        *value.ok_or_else(|| error(format!("register {slot} misses its exception")))?;
                }
                registers
            }
            1 => {
                // Six bits each: four registers in three bytes. Images have a spare byte behind.
                let (packed, _) = take(k / 4 * 3)?;
                let words = packed.as_chunks::<3>().0.iter();
                let words = words.map(|bytes| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], 0]));
                words.flat_map(|word| [0, 6, 12, 18].map(|shift| (word >> shift & 63) as u8)).collect()
            }
            2 => take(k)?.0.to_vec(),
            _ => return Err(error(format!("type {kind}: HLL_4, HLL_6 and HLL_8 are 0, 1, 2"))),
        };
        if registers.iter().copied().fold(0, u8::max) > MOST {
            let found = registers.iter().enumerate().find(|&(_, &value)| value > MOST);
            let (slot, value) = found.unwrap_or((0, &0));
            return Err(error(format!("register {slot} is {value}: at most {MOST} exists")));
        }
        let mut values = Box::new([0u8; K]);
        // A sketch of more registers is folded: each slot takes the largest of those that share it.
        for part in registers.as_chunks::<K>().0 {
            values.iter_mut().zip(part).for_each(|(value, other)| *value = (*value).max(*other));
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
    if let Some(coupon) = coupons.iter().find(|&&c| c >> KEY_BITS == 0) {
        return Err(error(format!("{coupon:#x} is not a coupon")));
    }
    Ok(coupons)
}
