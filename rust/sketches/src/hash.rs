//! MurmurHash3 x64 128 with seed 9001, the hash of every Apache DataSketches image.
//!
//! Constants and steps: Appleby, MurmurHash3.cpp (public domain). DataSketches hashes numbers as
//! their 8 little endian bytes and strings as their UTF-8.

/// The seed that all DataSketches images share unless they say otherwise.
pub const SEED: u64 = 9001;

/// A 128-bit hash, low and high half.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hash128(pub u64, pub u64);

pub(crate) const C1: u64 = 0x87c3_7b91_1142_53d5;
pub(crate) const C2: u64 = 0x4cf5_ad43_2745_937f;
pub(crate) const F1: u64 = 0xff51_afd7_ed55_8ccd;
pub(crate) const F2: u64 = 0xc4ce_b9fe_1a85_ec53;

/// Hashes bytes.
#[inline]
pub fn hash_bytes(bytes: &[u8]) -> Hash128 {
    let (mut h1, mut h2) = (SEED, SEED);
    let (blocks, tail) = bytes.as_chunks::<16>();
    for block in blocks {
        let [k1, k2] = block.as_chunks::<8>().0 else { continue };
        h1 ^= mix1(u64::from_le_bytes(*k1));
        h1 = h1.rotate_left(27).wrapping_add(h2).wrapping_mul(5).wrapping_add(0x52dc_e729);
        h2 ^= mix2(u64::from_le_bytes(*k2));
        h2 = h2.rotate_left(31).wrapping_add(h1).wrapping_mul(5).wrapping_add(0x3849_5ab5);
    }
    let (low, high) = tail_words(bytes, tail);
    // A word of zeros mixes to zero, so a missing half needs no branch.
    h2 ^= mix2(high);
    h1 ^= mix1(low);
    finish(h1, h2, bytes.len() as u64)
}

/// Hashes the 8 little endian bytes of a word: an integer, or the bits of a double.
#[inline(always)]
pub fn hash_word(word: u64) -> Hash128 {
    finish(SEED ^ mix1(word), SEED, 8)
}

#[inline(always)]
fn mix1(k: u64) -> u64 {
    k.wrapping_mul(C1).rotate_left(31).wrapping_mul(C2)
}

#[inline(always)]
fn mix2(k: u64) -> u64 {
    k.wrapping_mul(C2).rotate_left(33).wrapping_mul(C1)
}

#[inline(always)]
fn finish(h1: u64, h2: u64, len: u64) -> Hash128 {
    let (h1, h2) = (h1 ^ len, h2 ^ len);
    let h1 = h1.wrapping_add(h2);
    let h2 = h2.wrapping_add(h1);
    let (h1, h2) = (avalanche(h1), avalanche(h2));
    let h1 = h1.wrapping_add(h2);
    Hash128(h1, h2.wrapping_add(h1))
}

#[inline(always)]
fn avalanche(mut h: u64) -> u64 {
    h = (h ^ (h >> 33)).wrapping_mul(F1);
    h = (h ^ (h >> 33)).wrapping_mul(F2);
    h ^ (h >> 33)
}

/// The last 0 to 15 bytes as two words padded with zeros. Whole-word loads that overlap what came
/// before, shifted into place, are several times faster than copying a variable number of bytes.
#[inline(always)]
fn tail_words(bytes: &[u8], tail: &[u8]) -> (u64, u64) {
    let n = tail.len();
    if n == 0 {
        return (0, 0);
    }
    match bytes.last_chunk::<8>() {
        Some(last) => {
            let last = u64::from_le_bytes(*last);
            match tail.first_chunk::<8>() {
                Some(low) if n > 8 => (u64::from_le_bytes(*low), last >> (8 * (16 - n))),
                _ => (last >> (8 * (8 - n)), 0),
            }
        }
        None => (short_word(bytes), 0),
    }
}

/// Up to 7 bytes as a little endian word padded with zeros.
#[inline(always)]
pub(crate) fn short_word(bytes: &[u8]) -> u64 {
    let n = bytes.len();
    match (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        (Some(first), Some(last)) => {
            let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
            u64::from(first) | u64::from(last) << (8 * (n - 4))
        }
        _ => match *bytes {
            [] => 0,
            [a] => u64::from(a),
            [a, b, ..] => u64::from(a) | u64::from(b) << 8 | u64::from(bytes[n - 1]) << (8 * (n - 1)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*};

    /// The definition, byte by byte.
    fn plain(bytes: &[u8]) -> Hash128 {
        let word = |b: &[u8]| b.iter().rev().fold(0, |w, &x| w << 8 | u64::from(x));
        let (mut h1, mut h2) = (SEED, SEED);
        let (blocks, tail) = bytes.as_chunks::<16>();
        for block in blocks {
            h1 ^= word(&block[..8]).wrapping_mul(C1).rotate_left(31).wrapping_mul(C2);
            h1 = h1.rotate_left(27).wrapping_add(h2).wrapping_mul(5).wrapping_add(0x52dc_e729);
            h2 ^= word(&block[8..]).wrapping_mul(C2).rotate_left(33).wrapping_mul(C1);
            h2 = h2.rotate_left(31).wrapping_add(h1).wrapping_mul(5).wrapping_add(0x3849_5ab5);
        }
        let (low, high) = tail.split_at(tail.len().min(8));
        h2 ^= word(high).wrapping_mul(C2).rotate_left(33).wrapping_mul(C1);
        h1 ^= word(low).wrapping_mul(C1).rotate_left(31).wrapping_mul(C2);
        finish(h1, h2, bytes.len() as u64)
    }

    /// Values that the Python package `mmh3` gives for these bytes (`hash64`, seed 9001).
    #[test]
    fn known_hashes() {
        for (text, low, high) in KNOWN {
            assert_eq!(hash_bytes(text.as_bytes()), Hash128(low, high), "{text:?}");
        }
    }

    const KNOWN: [(&str, u64, u64); 10] = [
        ("", 0x1e70a32266491bb9, 0x609736b252406b94),
        ("a", 0xf6020f0aa43b822f, 0xc51f4ded6e1eb0fe),
        ("abc", 0xcb57126dd8878d21, 0xef474cf597ded0ee),
        ("seven b", 0x35f03a5ec567c92f, 0x7d817201bc410098),
        ("8 bytes!", 0x94bfd2a30f5f234a, 0x8b264adb05cbcbc4),
        ("nine byte", 0x11841cbba5611cb3, 0xf83aeacc1c1e5090),
        ("fifteen bytes !", 0x5d3674bd5c21ce51, 0x9a1694877d0fda7a),
        ("sixteen bytes !!", 0xd3a9d6bc7a649e98, 0x08eaaba6f89668a2),
        ("seventeen bytes !", 0x8bf3adcdbb948cdb, 0xe2350de84f2c606c),
        ("The quick brown fox jumps over the lazy dog", 0x2f67dcdbc56dbf23, 0x8a0a2fafd6b2155c),
    ];

    proptest! {
        #[test]
        fn equals_the_definition(bytes in vec(any::<u8>(), 0..70)) {
            prop_assert_eq!(hash_bytes(&bytes), plain(&bytes));
        }

        #[test]
        fn a_word_is_its_bytes(word: u64) {
            prop_assert_eq!(hash_word(word), hash_bytes(&word.to_le_bytes()));
        }
    }
}
