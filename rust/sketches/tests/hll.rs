//! How far distinct counts are off, over many sketches: simulations with fixed seeds.
use driftline_sketches::HllSketch;
use proptest::{collection::vec, prelude::*};

/// SplitMix64 (Steele, Lea, Flood 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }
}

/// A sketch of `n` random values, some of them twice, built in random parts merged at random.
fn sketch(n: usize, random: &mut Random) -> HllSketch {
    let values: Vec<i64> = (0..n).map(|_| random.next() as i64).collect();
    let mut parts = vec![HllSketch::new(); 1 + random.below(5)];
    for chunk in values.chunks(1 + random.below(3000)) {
        let at = random.below(parts.len());
        parts[at].update_i64(chunk);
        let again = random.below(parts.len());
        parts[again].update_i64(&chunk[..random.below(chunk.len())]);
    }
    while parts.len() > 1 {
        let part = parts.swap_remove(random.below(parts.len()));
        let at = random.below(parts.len());
        parts[at].merge(&part);
    }
    parts.swap_remove(0)
}

#[test]
fn the_relative_error_is_as_stated() {
    let mut random = Random(1);
    // 1.04 / sqrt(4096) for many values; with few to a register the error is smaller.
    let stated = 0.01625;
    for (n, trials) in [
        (1, 50),
        (10, 50),
        (384, 100),
        (385, 200),
        (1500, 200),
        (5000, 200),
        (12_000, 200),
        (50_000, 200),
        (300_000, 60),
    ] {
        let mut outside = [0; 3];
        let errors: Vec<f64> = (0..trials)
            .map(|_| {
                let sketch = sketch(n, &mut random);
                for (std_devs, outside) in (1..).zip(&mut outside) {
                    let inside = sketch.lower_bound(std_devs)..=sketch.upper_bound(std_devs);
                    *outside += usize::from(!inside.contains(&(n as f64)));
                }
                sketch.estimate() / n as f64 - 1.0
            })
            .collect();
        let t = f64::from(trials);
        let mean = errors.iter().sum::<f64>() / t;
        let sd = (errors.iter().map(|e| e * e).sum::<f64>() / t).sqrt();
        println!("{n}: mean {mean:.5}, sd {sd:.5}, outside {outside:?} of {trials}");
        if n <= 384 {
            // Coupons count exactly; of 384 values two share one once in 900 sketches.
            assert!(sd < 1e-3, "{n}: {sd}");
            continue;
        }
        // Four standard errors each: of a mean, and of a standard deviation of normal errors.
        assert!(mean.abs() < 4.0 * stated / t.sqrt(), "{n}: mean error {mean}");
        assert!(sd < stated * (1.0 + 4.0 / (2.0 * t).sqrt()), "{n}: error {sd}");
        assert!(n < 50_000 || sd > stated * (1.0 - 4.0 / (2.0 * t).sqrt()), "{n}: error {sd}");
        // One standard deviation leaves out 32 % at most, two 5 %, three 0.3 %; four standard errors.
        for (share, outside) in [0.317, 0.0455, 0.0027].into_iter().zip(outside) {
            let limit = share * t + 4.0 * (share * t).sqrt();
            assert!((outside as f64) < limit, "{n}: {outside} of {trials} outside");
        }
    }
}

#[test]
fn a_million_values_and_strings() {
    let mut random = Random(2);
    let million = sketch(1_000_000, &mut random);
    assert!((million.estimate() / 1e6 - 1.0).abs() < 4.0 * 0.01625);
    let mut strings = HllSketch::new();
    for i in 0..50_000 {
        strings.update_bytes(format!("user-{}", i % 20_000).as_bytes());
    }
    strings.update_bytes(b"");
    assert!((strings.estimate() / 2e4 - 1.0).abs() < 4.0 * 0.01625, "{}", strings.estimate());
}

#[test]
fn the_empty_string_is_ignored() {
    let mut sketch = HllSketch::new();
    sketch.update_bytes(b"");
    assert!(sketch.is_empty());
    assert_eq!(sketch, HllSketch::new());
}

#[test]
fn the_ways_in_agree() {
    use driftline_sketches::hash::hash_bytes;
    let mut random = Random(3);
    let distinct = [0, 1, 300, 384, 385, 386, 511, 512, 513, 700, 5000].map(|n| (n, n));
    // Of first words that may be few values or many.
    let repeated = [1, 20, 380, 384, 385, 400, 450, 1000].map(|n| (n, 3000));
    for (n, rows) in distinct.into_iter().chain(repeated) {
        let pool: Vec<i64> = (0..n).map(|_| random.next() as i64).collect();
        let values: Vec<i64> =
            (0..rows).map(|row| if n == rows { pool[row] } else { pool[random.below(n)] }).collect();
        let hashes = || values.iter().map(|value| hash_bytes(&value.to_le_bytes()));
        let mut slices = HllSketch::new();
        slices.update_i64(&values);
        let mut doubles = HllSketch::new();
        doubles.update_f64(&values.iter().map(|&v| f64::from_bits(v as u64)).collect::<Vec<_>>());
        let mut singles = HllSketch::new();
        hashes().for_each(|hash| singles.update_hash(hash));
        let mut many = HllSketch::new();
        many.update_hashes(hashes());
        assert!(slices == doubles && slices == singles && slices == many, "{n}");
        assert_eq!(slices.to_bytes(), many.to_bytes());
        assert_eq!(slices.estimate_and_bytes(), (slices.estimate(), slices.to_bytes()));
    }
}

#[test]
fn an_estimate_in_order_ends_with_the_first_value_added() {
    // An image written in order: 400 registers of 1, and an estimate that came with it.
    let mut image = vec![10, 1, 7, 12, 0, 8, 0, 10];
    image.extend(417.25f64.to_le_bytes());
    image.extend([0; 24]);
    image.extend((0..4096).map(|i| u8::from(i < 400)));
    let read = HllSketch::from_bytes(&image).expect("readable");
    assert_eq!(read.estimate(), 417.25);
    assert_eq!(HllSketch::from_bytes(&read.to_bytes()), Ok(read.clone()));
    let mut same = read.clone();
    same.merge(&HllSketch::new());
    same.update_i64(&[]);
    assert_eq!(same, read);
    let mut one = HllSketch::new();
    one.update_i64(&[1]);
    let (mut left, mut right) = (read.clone(), one.clone());
    left.merge(&one);
    right.merge(&read);
    let mut updated = read.clone();
    updated.update_i64(&[1]);
    assert!(left == right && left == updated);
    let mut many = HllSketch::new();
    many.update_i64(&(0..1000).collect::<Vec<_>>());
    let (mut left, mut right) = (read.clone(), many.clone());
    left.merge(&many);
    right.merge(&read);
    assert!(left == right && left.estimate() > 1000.0, "{}", left.estimate());
    let mut left = read.clone();
    left.merge(&one);
    assert!((left.estimate() - 423.0).abs() < 3.0, "linear counting says {}", left.estimate());
}

proptest! {
    /// An image written with a byte for each register, and the one with half a byte, of which far ones are exceptions.
    #[test]
    fn half_a_byte_says_what_a_byte_does(lowest in 0u8..50, far in vec((0usize..4096, 0u8..64), 0..60), seed: u64) {
        let mut random = Random(seed | 1);
        let mut registers: Vec<u8> = (0..4096).map(|_| lowest + random.below(12) as u8).collect();
        far.iter().for_each(|&(slot, value)| registers[slot] = value.max(lowest));
        let mut image = vec![10, 1, 7, 12, 0, 8 | 16, 0, 10];
        image.extend([0; 32]);
        image.extend(&registers);
        let sketch = HllSketch::from_bytes(&image).expect("readable");
        let short = sketch.to_bytes();
        let lowest = *registers.iter().min().expect("there are some");
        let exceptions = registers.iter().filter(|&&value| value - lowest > 14).count();
        let counts = [&short[32..36], &short[36..40]].map(|bytes| u32::from_le_bytes(bytes.try_into().expect("4")));
        let at_lowest = registers.iter().filter(|&&value| value == lowest).count();
        prop_assert_eq!((short[6], counts), (lowest, [at_lowest as u32, exceptions as u32]));
        prop_assert_eq!(short.len(), 40 + 2048 + 4 * exceptions);
        prop_assert_eq!(HllSketch::from_bytes(&short), Ok(sketch));
    }
}

/// Whether it had few values or many before, and has few or many after.
#[test]
fn a_cleared_sketch_is_a_new_one() {
    for before in [0, 10, 384, 600, 5000] {
        for after in [0, 10, 384, 600, 5000] {
            let mut cleared = HllSketch::new();
            cleared.update_i64(&(0..before).collect::<Vec<_>>());
            cleared.clear();
            assert!(cleared.is_empty());
            let values: Vec<i64> = (100_000..100_000 + after).collect();
            cleared.update_i64(&values);
            let mut new = HllSketch::new();
            new.update_i64(&values);
            assert_eq!((&cleared, cleared.to_bytes()), (&new, new.to_bytes()), "{before} {after}");
        }
    }
}

#[test]
fn more_registers_are_folded() {
    // 2^13 registers: of 1 and 4097 the larger one stays.
    let mut image = vec![10, 1, 7, 13, 0, 8, 0, 10];
    image.extend(9f64.to_le_bytes());
    image.extend([0; 24]);
    image.extend((0..8192).map(|i| [0, 3, 5][usize::from(i == 1) + 2 * usize::from(i == 4097)]));
    let folded = HllSketch::from_bytes(&image).expect("readable").to_bytes();
    // Half a byte each, the first one low.
    assert_eq!(&folded[40..42], [5 << 4, 0]);
    assert_eq!((folded[3], folded[5] & 16), (12, 16), "twelve, and no longer in order");
}
