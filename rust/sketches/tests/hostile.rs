//! Bytes from anywhere: a decoder returns an error or a sketch that answers, never anything else.
use driftline_sketches::frequent::Item;
use driftline_sketches::{FrequentItems, HllSketch};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::RngSeed;

fn fixed(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, rng_seed: RngSeed::Fixed(9001), failure_persistence: None, ..Default::default() }
}

/// Whatever is read answers every question, merges, and is read again from its own bytes.
fn try_hll(bytes: &[u8]) {
    if let Ok(sketch) = HllSketch::from_bytes(bytes) {
        for std_devs in 0..=4 {
            assert!(
                sketch.lower_bound(std_devs) <= sketch.upper_bound(std_devs) || sketch.estimate() < 4096.0
            );
        }
        assert_eq!(HllSketch::from_bytes(&sketch.to_bytes()).as_ref(), Ok(&sketch));
        let mut merged = HllSketch::new();
        merged.update_i64(&[1]);
        merged.merge(&sketch);
        merged.update_f64(&[1.5; 300]);
        assert!(merged.estimate().is_finite());
    }
}

fn try_frequent<T: Item>(bytes: &[u8], item: &T::Ref) {
    if let Ok(sketch) = FrequentItems::<T>::from_bytes(bytes) {
        let _ = (sketch.count(item), sketch.items_above(0), sketch.max_error());
        let stored = sketch.to_bytes();
        assert!(FrequentItems::<T>::from_bytes(&stored).is_ok_and(|back| back.to_bytes() == stored));
        let clean = sketch.without_rare();
        assert!(clean.without_rare() == clean);
        let mut merged = FrequentItems::<T>::try_new(3).expect("in range");
        for _ in 0..3 {
            merged.merge(&sketch);
            merged.update(item, u64::MAX / 2);
        }
        merged.without_rare().items_above(0);
    }
}

fn try_all(bytes: &[u8]) {
    try_hll(bytes);
    try_frequent::<i64>(bytes, &7);
    try_frequent::<Box<[u8]>>(bytes, b"7");
}

/// Images of all kinds: of HLL in the layouts that we do not write, the bytes are made up here.
fn images() -> Vec<Vec<u8>> {
    let mut images = vec![];
    for n in [0, 5, 30, 384, 3000i64] {
        let mut hll = HllSketch::new();
        hll.update_i64(&(0..n).collect::<Vec<_>>());
        images.push(hll.to_bytes());
    }
    let registers = |lg_k: u8, kind: u8, lg_table: u8, flags: u8, body: usize, exceptions: u32| {
        let mut image = vec![10, 1, 7, lg_k, lg_table, flags, 1, kind << 2 | 2];
        image.extend(500f64.to_le_bytes());
        image.extend([0; 20]);
        image.extend(exceptions.to_le_bytes());
        image.extend((0..body).map(|i| (i % 61 % 7) as u8));
        image
    };
    images.push(registers(12, 1, 0, 0, 3073, 0));
    images.push(registers(13, 2, 0, 0, 8192, 0));
    let mut packed = registers(12, 0, 3, 0, 2048, 2);
    packed[40] = 0xff;
    for coupon in [20u32 << 26, 0, 0, 21 << 26 | 1, 0, 0, 0, 0] {
        packed.extend(coupon.to_le_bytes());
    }
    images.push(packed);
    let mut table = vec![3, 1, 7, 12, 5, 0, 0, 1, 8, 0, 0, 0];
    table.extend((0..32u32).flat_map(|i| if i % 4 == 0 { ((i + 1) << 26) | i } else { 0 }.to_le_bytes()));
    images.push(table);
    for n in [0u64, 3, 200] {
        let mut integers = FrequentItems::<i64>::try_new(6).expect("in range");
        let mut strings = FrequentItems::<Box<[u8]>>::try_new(6).expect("in range");
        for i in 0..n {
            integers.update(&(i as i64), i + 1);
            strings.update(i.to_string().as_bytes(), i % 5 + 1);
        }
        images.extend([integers.to_bytes(), strings.to_bytes()]);
    }
    images
}

#[test]
fn made_up_images_are_read() {
    for (i, image) in images().iter().enumerate() {
        let strings = FrequentItems::<Box<[u8]>>::from_bytes(image).is_ok();
        let integers = FrequentItems::<i64>::from_bytes(image).is_ok();
        assert!(strings || integers || HllSketch::from_bytes(image).is_ok(), "image {i}");
    }
}

#[test]
fn cut_images_are_refused() {
    for (i, image) in images().iter().enumerate() {
        // An HLL_6 image has a byte behind its registers that holds nothing.
        let spare = usize::from(image.len() == 40 + 3073);
        for len in (0..image.len() - spare).step_by(1 + image.len() / 400) {
            try_all(&image[..len]);
            let read = HllSketch::from_bytes(&image[..len]).is_ok()
                || FrequentItems::<i64>::from_bytes(&image[..len]).is_ok()
                || FrequentItems::<Box<[u8]>>::from_bytes(&image[..len]).is_ok();
            assert!(!read, "{len} bytes of image {i}");
        }
    }
}

#[test]
fn sizes_that_are_not_there_are_not_allocated() {
    let mut frequent = FrequentItems::<i64>::try_new(20).expect("in range").to_bytes();
    frequent[0] = 4;
    frequent[4] = 20;
    frequent[5] = 0;
    frequent.extend(700_000u64.to_le_bytes());
    frequent.extend([255; 16]);
    let error = FrequentItems::<i64>::from_bytes(&frequent).expect_err("no weights");
    assert!(error.to_string().contains("0 bytes where its 700000 weights take 5600000"), "{error}");
    let error = HllSketch::from_bytes(&[3, 1, 7, 21, 26, 0, 0, 1, 255, 255, 255, 3]).expect_err("no coupons");
    assert!(error.to_string().contains("0 bytes where its coupons take 268435456"), "{error}");
    let error =
        HllSketch::from_bytes(&[3, 1, 7, 21, 26, 8, 0, 1, 255, 255, 255, 255]).expect_err("no coupons");
    assert!(error.to_string().contains("0 bytes where its coupons take 17179869180"), "{error}");
}

#[test]
fn refusals_say_what_is_wrong() {
    let hll = |bytes: &[u8]| HllSketch::from_bytes(bytes).expect_err("refused").to_string();
    assert_eq!(hll(b"abc"), "not a readable HLL image: 3 bytes where the preamble takes 8");
    assert_eq!(
        hll(&[2, 1, 7, 10, 3, 12, 0, 8]),
        "not a readable HLL image: lg k is 10: 12 to 21 can be read, build the sketch with at least 12"
    );
    assert_eq!(hll(&[5, 1, 15, 12, 3, 0, 0, 8]), "not a readable HLL image: family 15 where HLL is 7");
    let strings = FrequentItems::<Box<[u8]>>::try_new(5).map(|mut sketch| {
        sketch.update(b"12345678", 2);
        sketch.to_bytes()
    });
    let error = FrequentItems::<i64>::from_bytes(&strings.expect("in range")).expect_err("refused");
    assert_eq!(
        error.to_string(),
        "not a readable frequent items image: 4 bytes are left over; are its items of another type?"
    );
}

proptest! {
    #![proptest_config(fixed(2000))]

    #[test]
    fn any_bytes(bytes in vec(any::<u8>(), 0..120), family in prop_oneof![Just(7u8), Just(10)]) {
        try_all(&bytes);
        let mut headed = bytes;
        if headed.len() > 8 {
            headed[1] = 1;
            headed[2] = family;
            headed[3] = 12 + headed[3] % 2;
            headed[4] %= 8;
            headed[7] %= 12;
        }
        try_all(&headed);
    }

    #[test]
    fn damaged_images(
        image: Index,
        damage in vec((any::<Index>(), any::<u8>(), any::<bool>()), 1..6),
        cut in prop_oneof![3 => Just(None), 1 => any::<Index>().prop_map(Some)],
    ) {
        let images = images();
        let mut bytes = images[image.index(images.len())].clone();
        for (at, byte, in_front) in damage {
            let reach = if in_front { bytes.len().min(48) } else { bytes.len() };
            bytes[at.index(reach)] ^= byte;
        }
        bytes.truncate(cut.map_or(bytes.len(), |cut| cut.index(bytes.len())));
        try_all(&bytes);
    }
}
